/*
 * Copyright (c) 2026 The Sentinel developers
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#include "compat.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "store_int.h"

static int	 env_try(struct store *);
static int	 env_open_tables(struct store *);
static void	 env_errcall(const DB_ENV *, const char *, const char *);

int
store_env_open(struct store *st)
{
	struct stat	 sb;
	int		 rc;

	/* It would be obeyed, and could move files out of our directory. */
	if (lstat("DB_CONFIG", &sb) == 0) {
		log_warnx("store: DB_CONFIG in the database's directory: "
		    "remove it");
		errno = EPERM;
		return (-1);
	}
	rc = env_try(st);
	if (rc != 0 && (rc == ENOSPC || store_disk_full())) {
		/* Recovery writes, so it needs what the ballast kept free. */
		if (unlink(STORE_BALLAST) == 0) {
			log_warnx("store: disk full: removed the ballast "
			    "for recovery");
			rc = env_try(st);
		}
		if (rc != 0 && store_disk_full())
			rc = ENOSPC;
	}
	if (rc != 0) {
		log_warnx("store: cannot open the database: %s",
		    db_strerror(rc));
		errno = rc > 0 ? rc : EIO;
		return (-1);
	}
	(void)store_ballast_make(st);
	return (env_open_tables(st));
}

static int
env_try(struct store *st)
{
	DB_ENV	*env;
	int	 rc;

	if ((rc = db_env_create(&env, 0)) != 0)
		return (rc);
	env->app_private = st;
	env->set_errcall(env, env_errcall);
	if ((rc = env->set_cachesize(env, 0, STORE_CACHE_BYTES, 1)) != 0 ||
	    (rc = env->set_lg_max(env, STORE_LOG_BYTES)) != 0 ||
	    (rc = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1)) != 0 ||
	    /* An absolute home would panic after chroot(2). */
	    (rc = env->open(env, ".", DB_CREATE | DB_PRIVATE | DB_RECOVER |
	    DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_MPOOL | DB_INIT_TXN,
	    0600)) != 0) {
		(void)env->close(env, 0);
		return (rc);
	}
	st->st_env = env;
	return (0);
}

/* All parts in one transaction: a first start leaves none or all. */
static int
env_open_tables(struct store *st)
{
	DB_TXN	*txn;
	DB	*db;
	size_t	 i;
	int	 rc;

	rc = st->st_env->txn_begin(st->st_env, NULL, &txn, DB_TXN_NOWAIT);
	if (rc != 0)
		return (store_fail(st, rc, "begin", NULL));
	for (i = 0; i < STORE_NTABLES; i++) {
		if ((rc = db_create(&db, st->st_env, 0)) != 0)
			break;
		st->st_db[i] = db;
		if ((rc = db->set_pagesize(db, 4096)) != 0)
			break;
		rc = db->open(db, txn, STORE_FILE, store_tables[i], DB_BTREE,
		    DB_CREATE, 0600);
		if (rc != 0)
			break;
	}
	if (rc != 0) {
		(void)txn->abort(txn);
		return (store_fail(st, rc, "open", i < STORE_NTABLES ?
		    store_tables[i] : NULL));
	}
	if ((rc = txn->commit(txn, 0)) != 0)
		return (store_fail(st, rc, "commit", NULL));
	return (0);
}

void
store_env_close(struct store *st)
{
	size_t	 i;
	int	 rc;

	for (i = 0; i < STORE_NTABLES; i++) {
		if (st->st_db[i] == NULL)
			continue;
		if ((rc = st->st_db[i]->close(st->st_db[i], 0)) != 0)
			log_warnx("store: close %s: %s", store_tables[i],
			    db_strerror(rc));
		st->st_db[i] = NULL;
	}
	if (st->st_env == NULL)
		return;
	/* What could not be written back is in the log. */
	if ((rc = st->st_env->close(st->st_env, 0)) != 0)
		log_warnx("store: close: %s", db_strerror(rc));
	st->st_env = NULL;
}

int
store_ballast_make(struct store *st)
{
	struct stat	 sb;
	int		 fd, rc;

	st->st_ballast = false;
	fd = open(STORE_BALLAST, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd == -1) {
		rc = errno;
		goto fail;
	}
	if (fstat(fd, &sb) == -1) {
		rc = errno;
		goto fail;
	}
	/* Blocks, not length: a file with holes keeps nothing free. */
	if (sb.st_blocks * 512 < STORE_BALLAST_BYTES) {
		if ((rc = posix_fallocate(fd, 0, STORE_BALLAST_BYTES)) != 0)
			goto fail;
		if (fsync(fd) == -1) {
			rc = errno;
			goto fail;
		}
	}
	(void)close(fd);
	st->st_ballast = true;
	return (0);
fail:
	if (fd != -1) {
		(void)close(fd);
		(void)unlink(STORE_BALLAST);
	}
	if (rc == ENOSPC)
		store_set_full(st, true);
	else
		log_warnx("store: %s: %s", STORE_BALLAST, strerror(rc));
	errno = rc;
	return (-1);
}

void
store_set_full(struct store *st, bool full)
{
	if (st->st_full == full)
		return;
	st->st_full = full;
	if (full)
		log_warnx("store: disk full: nothing is saved until there "
		    "is space");
	else
		log_info("store: there is space again");
}

/* Berkeley DB gives EIO and DB_RUNRECOVERY as well. */
bool
store_disk_full(void)
{
	struct statvfs	 fs;

	return (statvfs(".", &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize < STORE_FREE_BYTES);
}

/* One close on a full disk can give a thousand lines. */
static void
env_errcall(const DB_ENV *env, const char *prefix, const char *text)
{
	struct store	*st = env->app_private;
	monotime_t	 now = monotime_now();

	(void)prefix;
	if (now - st->st_errwindow >= STORE_ERR_MSEC) {
		if (st->st_errs > STORE_ERR_LINES)
			log_warnx("store: %u further lines of the database "
			    "left out", st->st_errs - STORE_ERR_LINES);
		st->st_errwindow = now;
		st->st_errs = 0;
	}
	if (st->st_errs++ < STORE_ERR_LINES)
		log_warnx("store: %s", text);
}
