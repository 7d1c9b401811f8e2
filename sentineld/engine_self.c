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

#include "engine_self.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "docker_self.h"
#include "engine_audit.h"
#include "engine_oplog.h"
#include "log.h"

#define PROOF_NEW	SELF_PROOF_NAME ".new"

static int	 sync_directory(void);
static int	 write_proof(const char *, size_t);

/* --- the proof ----------------------------------------------------------- */

static int
sync_directory(void)
{
	int	 fd, rc;

	if ((fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	rc = fsync(fd);
	(void)close(fd);
	return (rc);
}

/* Beside the database, whose directory is our root. */
static int
write_proof(const char *text, size_t len)
{
	ssize_t	 n;
	int	 fd;

	fd = open(PROOF_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return (-1);
	n = write(fd, text, len);
	if (n >= 0 && (size_t)n != len)
		errno = ENOSPC;
	if (n == -1 || (size_t)n != len || fsync(fd) == -1) {
		(void)close(fd);
		(void)unlink(PROOF_NEW);
		return (-1);
	}
	(void)close(fd);
	if (rename(PROOF_NEW, SELF_PROOF_NAME) == -1)
		return (-1);
	return (sync_directory());
}

/*
 * Every process has accepted its configuration, the database is open, and
 * agents can come: what a server is there for.
 */
void
self_serving(void)
{
	static bool	 done;
	char		 text[SELF_PROOF_MAXBYTES];

	if (done || !eng->ready || eng->conf.ec_self[0] == '\0' ||
	    (eng->conf.ec_cluster && eng->listen[0] == '\0'))
		return;
	done = true;
	if (write_proof(text, self_proof_text(text, eng->conf.ec_self)) == -1)
		log_warn("db/%s: an update of this server's container is "
		    "undone without it", SELF_PROOF_NAME);
}

/* --- an agent's own update ----------------------------------------------- */

static bool
is_update(const struct op *op)
{
	return (op->op_kind == OP_UPDATE || op->op_kind == OP_ROLLBACK);
}

void
self_progress(struct op *op, const char *phase)
{
	if (is_update(op) && strcmp(phase, SELF_PHASE) == 0)
		op->op_handed = true;
}

bool
self_waits(struct op *op)
{
	char	 text[sizeof(op->op_text)];

	if (!op->op_handed || !is_update(op))
		return (false);
	op->op_epoch = 0;	/* of no session: it is told in another one */
	(void)snprintf(text, sizeof(text), "waiting for host %s to come back",
	    op->op_host->h_name);
	op_progress(op, SELF_PHASE, 0, text);
	return (true);
}

void
self_timeout(struct op *op)
{
	op_fail(op, OP_TIMEOUT, "host %s updates itself and has not told "
	    "within %u s how it ended: once it is back, see sentinelctl "
	    "operation show %s, or history list", op->op_host->h_name,
	    op->op_msec / 1000, op->op_id);
}

/* --- our own ------------------------------------------------------------- */

/* The last that whoever asked hears from us: where to look. */
const char *
self_text(const struct op *op, const Sentinel__Ipc__DockerProgress *m)
{
	static char	 text[256];

	if (strcmp(m->phase, SELF_PHASE) != 0)
		return (m->text);
	(void)snprintf(text, sizeof(text), "this server ends now, its "
	    "successor knows the outcome: sentinelctl operation show %s",
	    op->op_id);
	return (text);
}

/*
 * Who asked has had no answer; the record that it was asked for has the same
 * operation id.
 */
void
self_outcome(const Sentinel__Ipc__DockerResult *m)
{
	const char	*kind, *outcome;
	char		 action[32], subject[384];

	kind = m->kind == SENTINEL__IPC__DOCKER_OP__KIND__ROLLBACK ?
	    "rollback" : "update";
	outcome = strcmp(m->outcome, "success") == 0 ||
	    strcmp(m->outcome, "identical") == 0 ? AUDIT_OK : AUDIT_FAILED;
	(void)snprintf(action, sizeof(action), "container.%s", kind);
	(void)snprintf(subject, sizeof(subject), "container %s/%s",
	    eng->local->h_name, m->container);
	(void)audit_write(AUDIT_SELF, action, subject, outcome,
	    "ended, operation %s: %s%s%s", m->request_id, m->outcome,
	    m->error[0] != '\0' ? ": " : "", m->error);
	oplog_late(eng->local, m->request_id, m->container, kind,
	    m->new_image, m->duration_msec, m->outcome, m->error);
}
