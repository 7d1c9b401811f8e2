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

#include "agentd.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keyfile.h"
#include "keyholder.h"
#include "log.h"
#include "monotime.h"

/* In the order of their renames: the last of the identity is agent.pem, so
 * its presence says that the others are there. */
enum identity_file { ID_HOSTID, ID_CA, ID_KEY, ID_CERT, ID_SPENT, ID_MAX };

static const struct {
	const char	*name;
	enum conf_file	 kind;		/* 0: never to the engine */
} files[ID_MAX] = {
	[ID_HOSTID] = { "host-id",	CONF_FILE_HOSTID },
	[ID_CA] =     { "ca.pem",	CONF_FILE_CA },
	[ID_KEY] =    { "agent-key.pem", 0 },
	[ID_CERT] =   { "agent.pem",	CONF_FILE_CERT },
	[ID_SPENT] =  { "token-spent",	CONF_FILE_SPENT },
};

#define IDENTITY_KEY_MSEC	10000	/* for the keyholder to answer */

static void	 file_path(enum identity_file, bool, char *, size_t);
static bool	 has(enum identity_file, bool);
static void	 finish(enum identity_file);
static void	 discard(enum identity_file, bool);
static void	 send_file(enum identity_file);
static void	 give_key(bool, int);
static void	 on_timeout(int, short, void *);
static void	 answer(uint32_t, int, const char *);
static int	 store(const char *, const uint8_t *, size_t, const uint8_t *,
		    size_t, const uint8_t *, size_t, char *, size_t);

static const char	*dir;		/* agent.dir */
static void		(*key_done)(void);	/* at start */
static struct event	*timer;
static bool		 making;	/* KEY_CREATE is under way */
static bool		 loading;	/* KEY_LOAD is */

static void
file_path(enum identity_file f, bool is_new, char *path, size_t len)
{
	if ((size_t)snprintf(path, len, "%s/%s%s", dir, files[f].name,
	    is_new ? ".new" : "") >= len)
		fatalx("%s/%s: path too long", dir, files[f].name);
}

static bool
has(enum identity_file f, bool is_new)
{
	char	 path[PATH_MAX];

	file_path(f, is_new, path, sizeof(path));
	return (keyfile_exists(path));
}

static void
finish(enum identity_file f)
{
	char	 path[PATH_MAX], err[KEYFILE_ERRLEN];

	file_path(f, false, path, sizeof(path));
	if (keyfile_commit(path, err, sizeof(err)) == -1)
		fatalx("%s", err);
}

static void
discard(enum identity_file f, bool is_new)
{
	char	 path[PATH_MAX], err[KEYFILE_ERRLEN];

	file_path(f, is_new, path, sizeof(path));
	if (unlink(path) == -1 && errno != ENOENT)
		fatal("%s", path);
	if (keyfile_syncdir(path, err, sizeof(err)) == -1)
		fatalx("%s", err);
}

/*
 * Renames begin only after all .new files are whole and synced, and host-id
 * is the first: once it is there, what is still called .new is good.
 */
bool
parent_identity_settle(const char *d)
{
	bool	 whole;
	int	 f;

	dir = d;
	whole = has(ID_CERT, false);
	if (!whole && !(has(ID_HOSTID, false) && has(ID_CERT, true))) {
		for (f = 0; f < ID_MAX; f++) {
			if (f != ID_KEY && has(f, true))
				discard(f, true);
		}
		return (false);
	}
	for (f = 0; f < ID_MAX; f++) {
		if (!has(f, true))
			continue;
		/* Beside a whole identity a new key is of a renewal that
		 * did not get its certificate. */
		if (whole && f != ID_SPENT && has(f, false))
			discard(f, true);
		else {
			finish(f);
			log_info("identity: an interrupted enrolment: "
			    "finished %s", files[f].name);
		}
	}
	for (f = 0; f < ID_SPENT; f++) {
		if (!has(f, false))
			fatalx("%s/%s is missing but %s is there: restore it "
			    "from a backup, or move %s away and enrol again "
			    "with a new token", dir, files[f].name,
			    files[ID_CERT].name, dir);
	}
	return (true);
}

static void
send_file(enum identity_file f)
{
	char	 path[PATH_MAX], err[KEYFILE_ERRLEN];
	uint8_t	 kind = (uint8_t)files[f].kind;
	int	 fd;

	file_path(f, false, path, sizeof(path));
	if ((fd = keyfile_open(path, KEYFILE_PUBLIC, err, sizeof(err))) ==
	    -1) {
		if (errno == ENOENT && f == ID_SPENT)
			return;
		fatalx("%s", err);
	}
	peer_send(proc_peer(ROLE_A_ENGINE), IMSG_CONF_FILE, 0, fd, &kind,
	    sizeof(kind));
}

void
parent_identity_load(void (*done)(void))
{
	char	 path[PATH_MAX], err[KEYFILE_ERRLEN];
	int	 fd;

	send_file(ID_HOSTID);
	send_file(ID_CA);
	send_file(ID_CERT);
	send_file(ID_SPENT);
	file_path(ID_KEY, false, path, sizeof(path));
	if ((fd = keyfile_open(path, KEYFILE_SECRET, err, sizeof(err))) == -1)
		fatalx("%s", err);
	key_done = done;
	loading = true;
	give_key(false, fd);
}

static void
give_key(bool create, int fd)
{
	struct timeval	 tv = monotime_timeval(IDENTITY_KEY_MSEC);
	uint8_t		 body[2] = { KEY_PURPOSE_AGENT_TLS, KEY_PART_KEY };

	if (timer == NULL &&
	    (timer = evtimer_new(proc_base(), on_timeout, NULL)) == NULL)
		fatal("identity: timer");
	peer_send(proc_peer(ROLE_A_KEYHOLDER), create ? IMSG_KEY_CREATE :
	    IMSG_KEY_LOAD, 0, fd, body, sizeof(body));
	evtimer_add(timer, &tv);
}

static void
on_timeout(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fatalx("keyholder did not answer within %d s",
	    IDENTITY_KEY_MSEC / 1000);
}

static void
answer(uint32_t type, int rc, const char *why)
{
	struct ibuf	*buf;
	char		 text[256];

	(void)strlcpy(text, why, sizeof(text));
	if ((buf = ibuf_dynamic(64, 300)) == NULL ||
	    ibuf_add_n8(buf, rc == 0 ? 0 : 1) == -1 ||
	    ibuf_add_string(buf, text) == -1)
		fatal("identity: answer");
	peer_send_ibuf(proc_peer(ROLE_A_ENGINE), type, 0, -1, buf);
	ibuf_free(buf);
}

/* u8 purpose, u8 part, u8 rc, str why */
void
parent_identity_loaded(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 path[PATH_MAX], why[256];
	uint8_t		 purpose, part, rc;

	if (ibuf_get_n8(buf, &purpose) == -1 || ibuf_get_n8(buf, &part) == -1 ||
	    ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || purpose != KEY_PURPOSE_AGENT_TLS ||
	    part != KEY_PART_KEY || rc > KEY_LOADED_FAILED ||
	    (!loading && !making)) {
		peer_broken(p, imsg, "unexpected KEY_LOADED");
		return;
	}
	evtimer_del(timer);
	if (making) {
		making = false;
		if (rc == KEY_LOADED_NEW)
			log_info("made a key for this host");
		answer(IMSG_IDENTITY_NEWKEY_DONE, rc == KEY_LOADED_FAILED,
		    why);
		return;
	}
	loading = false;
	file_path(ID_KEY, false, path, sizeof(path));
	if (rc == KEY_LOADED_FAILED)
		fatalx("%s: %s", path, why);
	key_done();
}

/* empty */
void
parent_identity_newkey(struct peer *p, struct imsg *imsg)
{
	char	 path[PATH_MAX], err[KEYFILE_ERRLEN];
	int	 fd;

	if (making || loading) {
		peer_broken(p, imsg, "a key is being made already");
		return;
	}
	file_path(ID_KEY, false, path, sizeof(path));
	if ((fd = keyfile_create(path, err, sizeof(err))) == -1) {
		answer(IMSG_IDENTITY_NEWKEY_DONE, 1, err);
		return;
	}
	making = true;
	give_key(true, fd);
}

static int
store(const char *hostid, const uint8_t *ca, size_t calen,
    const uint8_t *cert, size_t certlen, const uint8_t *spent,
    size_t spentlen, char *err, size_t errlen)
{
	const struct {
		enum identity_file	 f;
		const void		*data;
		size_t			 len;
	} part[] = {
		{ ID_HOSTID, hostid, strlen(hostid) },
		{ ID_CA, ca, calen },
		{ ID_CERT, cert, certlen },
		{ ID_SPENT, spent, spentlen },
	};
	char	 path[PATH_MAX];
	size_t	 i;
	int	 f;

	/* Its presence must not vouch for files that are being written. */
	if (has(ID_HOSTID, false))
		discard(ID_HOSTID, false);
	for (i = 0; i < nitems(part); i++) {
		if (part[i].len == 0)
			continue;
		file_path(part[i].f, false, path, sizeof(path));
		if (keyfile_write(path, part[i].data, part[i].len, err,
		    errlen) == -1)
			return (-1);
	}
	for (f = 0; f < ID_MAX; f++) {
		if (f == ID_SPENT && spentlen == 0)
			continue;
		/* Renamed already, by an attempt that failed after it. */
		if (f == ID_KEY && !has(f, true) && has(f, false))
			continue;
		file_path(f, false, path, sizeof(path));
		if (keyfile_commit(path, err, errlen) == -1)
			return (-1);
	}
	return (0);
}

/* str host id, bytes CA PEM, bytes leaf PEM, bytes token hash */
void
parent_identity_store(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	const uint8_t	*ca, *cert, *spent;
	size_t		 calen, certlen, spentlen;
	char		 hostid[AGENTD_HOSTID_SIZE], err[KEYFILE_ERRLEN] = "";
	int		 rc;

	if (ibuf_get_string(buf, hostid, sizeof(hostid)) == -1 ||
	    strlen(hostid) != AGENTD_HOSTID_SIZE - 1 ||
	    ibuf_get_bytes(buf, 16384, &ca, &calen) == -1 || calen == 0 ||
	    ibuf_get_bytes(buf, 16384, &cert, &certlen) == -1 ||
	    certlen == 0 ||
	    ibuf_get_bytes(buf, 32, &spent, &spentlen) == -1 ||
	    (spentlen != 0 && spentlen != 32) || ibuf_end(buf) == -1 ||
	    making) {
		peer_broken(p, imsg, "bad IDENTITY_STORE");
		return;
	}
	rc = store(hostid, ca, calen, cert, certlen, spent, spentlen, err,
	    sizeof(err));
	if (rc == -1)
		log_warnx("identity: %s", err);
	answer(IMSG_IDENTITY_STORED, rc, err);
}
