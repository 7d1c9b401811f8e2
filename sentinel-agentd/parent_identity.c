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

#include "parent_identity.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keyfile.h"
#include "keyholder.h"
#include "log.h"
#include "monotime.h"

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

/* What the keyholder is at. */
enum busy {
	BUSY_NOT,
	BUSY_MAKE,		/* a key for the engine */
	BUSY_STAGED,		/* at start: the key of a renewal */
	BUSY_LOAD		/* at start: the key in use */
};

static bool	 settle_place(enum identity_place);
static void	 finish(enum identity_place, enum identity_file);
static int	 open_file(enum identity_file, bool, char *);
static void	 send_file(enum conf_file, int);
static void	 load_key(void);
static void	 give_key(enum busy, int);
static void	 on_timeout(int, short, void *);
static int	 make_next(char *);
static int	 store(enum identity_place, const char *, const uint8_t *,
		    size_t, const uint8_t *, size_t, const uint8_t *, size_t,
		    char *, size_t);

const char		*identity_dir;
static void		(*key_done)(void);	/* at start */
static struct event	*timer;
static enum busy	 busy;

const char *
identity_name(enum identity_file f)
{
	return (files[f].name);
}

void
identity_path(enum identity_place pl, enum identity_file f, bool is_new,
    char *path, size_t len)
{
	if ((size_t)snprintf(path, len, "%s%s/%s%s", identity_dir,
	    pl == PLACE_NEXT ? "/" IDENTITY_NEXT : "", files[f].name,
	    is_new ? ".new" : "") >= len)
		fatalx("%s/%s: path too long", identity_dir, files[f].name);
}

bool
identity_has(enum identity_place pl, enum identity_file f, bool is_new)
{
	char	 path[PATH_MAX];

	identity_path(pl, f, is_new, path, sizeof(path));
	return (keyfile_exists(path));
}

int
identity_remove(enum identity_place pl, enum identity_file f, bool is_new,
    char *err)
{
	char	 path[PATH_MAX];

	identity_path(pl, f, is_new, path, sizeof(path));
	if (unlink(path) == -1) {
		if (errno == ENOENT)
			return (0);
		(void)snprintf(err, KEYFILE_ERRLEN, "%s: unlink: %s", path,
		    strerror(errno));
		return (-1);
	}
	return (keyfile_syncdir(path, err, KEYFILE_ERRLEN));
}

void
identity_discard(enum identity_place pl, enum identity_file f, bool is_new)
{
	char	 err[KEYFILE_ERRLEN];

	if (identity_remove(pl, f, is_new, err) == -1)
		fatalx("%s", err);
}

bool
identity_is_busy(void)
{
	return (busy != BUSY_NOT);
}

/* --- at start ------------------------------------------------------------ */

static void
finish(enum identity_place pl, enum identity_file f)
{
	char	 path[PATH_MAX], err[KEYFILE_ERRLEN];

	identity_path(pl, f, false, path, sizeof(path));
	if (keyfile_commit(path, err, sizeof(err)) == -1)
		fatalx("%s", err);
	log_info("identity: an interrupted enrolment: finished %s",
	    files[f].name);
}

/*
 * Renames begin only after all .new files are whole and synced, and host-id
 * is the first: once it is there, what is still called .new is good.
 * Whether an identity is in that place.
 */
static bool
settle_place(enum identity_place pl)
{
	bool	 whole, staged;
	int	 f;

	whole = identity_has(pl, ID_CERT, false);
	if (!whole && !(identity_has(pl, ID_HOSTID, false) &&
	    identity_has(pl, ID_CERT, true))) {
		for (f = 0; f < ID_MAX; f++) {
			if (f != ID_KEY && identity_has(pl, f, true))
				identity_discard(pl, f, true);
		}
		return (false);
	}
	staged = whole && pl == PLACE_LIVE && identity_has(pl, ID_CERT, true);
	for (f = 0; f < ID_MAX; f++) {
		/* A certificate beside the one in use is of a renewal; the
		 * engine sees which key is its own. */
		if (!identity_has(pl, f, true) ||
		    (staged && (f == ID_KEY || f == ID_CERT)))
			continue;
		/* A key alone did not get its certificate. */
		if (whole && f != ID_SPENT && identity_has(pl, f, false))
			identity_discard(pl, f, true);
		else
			finish(pl, f);
	}
	return (true);
}

bool
parent_identity_settle(const char *d)
{
	char	 err[KEYFILE_ERRLEN];
	int	 f;

	identity_dir = d;
	if (settle_place(PLACE_NEXT) && identity_retire(err) == -1)
		fatalx("%s", err);
	if (!settle_place(PLACE_LIVE))
		return (false);
	for (f = 0; f < ID_SPENT; f++) {
		if (!identity_has(PLACE_LIVE, f, false))
			fatalx("%s/%s is missing but %s is there: restore it "
			    "from a backup, or move %s away and enrol again "
			    "with a new token", d, files[f].name,
			    files[ID_CERT].name, d);
	}
	return (true);
}

static int
open_file(enum identity_file f, bool is_new, char *err)
{
	char	 path[PATH_MAX];

	identity_path(PLACE_LIVE, f, is_new, path, sizeof(path));
	return (keyfile_open(path, f == ID_KEY ? KEYFILE_SECRET :
	    KEYFILE_PUBLIC, err, KEYFILE_ERRLEN));
}

static void
send_file(enum conf_file kind, int fd)
{
	uint8_t	 body = (uint8_t)kind;

	peer_send(proc_peer(ROLE_A_ENGINE), IMSG_CONF_FILE, 0, fd, &body,
	    sizeof(body));
}

/* The engine hears of a renewal's key first, so that it knows both when the
 * one in use arrives. */
void
parent_identity_load(void (*done)(void))
{
	char	 path[PATH_MAX], err[KEYFILE_ERRLEN];
	int	 f, fd;

	for (f = 0; f < ID_MAX; f++) {
		if (files[f].kind == 0)
			continue;
		if ((fd = open_file(f, false, err)) != -1)
			send_file(files[f].kind, fd);
		else if (errno != ENOENT || f != ID_SPENT)
			fatalx("%s", err);
	}
	key_done = done;
	if (!identity_has(PLACE_LIVE, ID_CERT, true)) {
		load_key();
		return;
	}
	if ((fd = open_file(ID_CERT, true, err)) == -1)
		fatalx("%s", err);
	send_file(CONF_FILE_CERT_NEW, fd);
	if (!identity_has(PLACE_LIVE, ID_KEY, true)) {
		load_key();
		return;
	}
	identity_path(PLACE_LIVE, ID_KEY, false, path, sizeof(path));
	if ((fd = keyfile_create(path, err, sizeof(err))) == -1)
		fatalx("%s", err);
	give_key(BUSY_STAGED, fd);
}

static void
load_key(void)
{
	char	 err[KEYFILE_ERRLEN];
	int	 fd;

	if ((fd = open_file(ID_KEY, false, err)) == -1)
		fatalx("%s", err);
	give_key(BUSY_LOAD, fd);
}

/* --- keys ---------------------------------------------------------------- */

static void
give_key(enum busy with, int fd)
{
	struct timeval	 tv = monotime_timeval(IDENTITY_KEY_MSEC);
	uint8_t		 body[2] = { KEY_PURPOSE_AGENT_TLS, KEY_PART_KEY };

	if (timer == NULL &&
	    (timer = evtimer_new(proc_base(), on_timeout, NULL)) == NULL)
		fatal("identity: timer");
	busy = with;
	peer_send(proc_peer(ROLE_A_KEYHOLDER), with == BUSY_LOAD ?
	    IMSG_KEY_LOAD : IMSG_KEY_CREATE, 0, fd, body, sizeof(body));
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

int
identity_make_key(enum identity_place pl, char *err)
{
	char	 path[PATH_MAX];
	int	 fd;

	identity_path(pl, ID_KEY, false, path, sizeof(path));
	if ((fd = keyfile_create(path, err, KEYFILE_ERRLEN)) == -1)
		return (-1);
	give_key(BUSY_MAKE, fd);
	return (0);
}

void
identity_answer(uint32_t type, int rc, const char *why)
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
	enum busy	 with = busy;
	char		 path[PATH_MAX], why[256];
	uint8_t		 purpose, part, rc;

	if (ibuf_get_n8(buf, &purpose) == -1 || ibuf_get_n8(buf, &part) == -1 ||
	    ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || purpose != KEY_PURPOSE_AGENT_TLS ||
	    part != KEY_PART_KEY || rc > KEY_LOADED_FAILED ||
	    with == BUSY_NOT) {
		peer_broken(p, imsg, "unexpected KEY_LOADED");
		return;
	}
	evtimer_del(timer);
	busy = BUSY_NOT;
	switch (with) {
	case BUSY_MAKE:
		if (rc == KEY_LOADED_NEW)
			log_info("made a key for this host");
		identity_answer(IMSG_IDENTITY_NEWKEY_DONE,
		    rc == KEY_LOADED_FAILED, why);
		break;
	case BUSY_STAGED:
		/* The pair in use is there; this one will not match. */
		if (rc == KEY_LOADED_FAILED)
			log_warnx("%s/%s.new: %s", identity_dir,
			    files[ID_KEY].name, why);
		load_key();
		break;
	default:
		identity_path(PLACE_LIVE, ID_KEY, false, path, sizeof(path));
		if (rc == KEY_LOADED_FAILED)
			fatalx("%s: %s", path, why);
		key_done();
		break;
	}
}

/* --- enrolment ----------------------------------------------------------- */

static int
make_next(char *err)
{
	char	 path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/" IDENTITY_NEXT,
	    identity_dir) >= sizeof(path))
		fatalx("%s: path too long", identity_dir);
	if (mkdir(path, 0700) == -1 && errno != EEXIST) {
		(void)snprintf(err, KEYFILE_ERRLEN, "%s: mkdir: %s", path,
		    strerror(errno));
		return (-1);
	}
	return (keyfile_syncdir(path, err, KEYFILE_ERRLEN));
}

/* empty */
void
parent_identity_newkey(struct peer *p, struct imsg *imsg)
{
	enum identity_place	 pl = PLACE_LIVE;
	char			 err[KEYFILE_ERRLEN] = "";
	int			 rc = 0;

	if (busy != BUSY_NOT) {
		peer_broken(p, imsg, "a key is being made already");
		return;
	}
	/* Again, beside an identity that stays until the new one is whole. */
	if (identity_has(PLACE_LIVE, ID_CERT, false)) {
		pl = PLACE_NEXT;
		rc = make_next(err);
	}
	if (rc == -1 || identity_make_key(pl, err) == -1)
		identity_answer(IMSG_IDENTITY_NEWKEY_DONE, -1, err);
}

static int
store(enum identity_place pl, const char *hostid, const uint8_t *ca,
    size_t calen, const uint8_t *cert, size_t certlen, const uint8_t *spent,
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
	if (identity_has(pl, ID_HOSTID, false))
		identity_discard(pl, ID_HOSTID, false);
	for (i = 0; i < nitems(part); i++) {
		if (part[i].len == 0)
			continue;
		identity_path(pl, part[i].f, false, path, sizeof(path));
		if (keyfile_write(path, part[i].data, part[i].len, err,
		    errlen) == -1)
			return (-1);
	}
	for (f = 0; f < ID_MAX; f++) {
		if (f == ID_SPENT && spentlen == 0)
			continue;
		/* Renamed already, by an attempt that failed after it. */
		if (f == ID_KEY && !identity_has(pl, f, true) &&
		    identity_has(pl, f, false))
			continue;
		identity_path(pl, f, false, path, sizeof(path));
		if (keyfile_commit(path, err, errlen) == -1)
			return (-1);
	}
	return (0);
}

/* str host id, bytes CA PEM, bytes leaf PEM, bytes token hash */
void
parent_identity_store(struct peer *p, struct imsg *imsg)
{
	struct ibuf		*buf = imsg_get_ibuf(imsg);
	const uint8_t		*ca, *cert, *spent;
	enum identity_place	 pl = PLACE_LIVE;
	size_t			 calen, certlen, spentlen;
	char			 hostid[AGENTD_HOSTID_SIZE];
	char			 err[KEYFILE_ERRLEN] = "";
	int			 rc;

	if (ibuf_get_string(buf, hostid, sizeof(hostid)) == -1 ||
	    strlen(hostid) != AGENTD_HOSTID_SIZE - 1 ||
	    ibuf_get_bytes(buf, 16384, &ca, &calen) == -1 || calen == 0 ||
	    ibuf_get_bytes(buf, 16384, &cert, &certlen) == -1 ||
	    certlen == 0 ||
	    ibuf_get_bytes(buf, 32, &spent, &spentlen) == -1 ||
	    (spentlen != 0 && spentlen != 32) || ibuf_end(buf) == -1 ||
	    busy != BUSY_NOT) {
		peer_broken(p, imsg, "bad IDENTITY_STORE");
		return;
	}
	if (identity_has(PLACE_LIVE, ID_CERT, false))
		pl = PLACE_NEXT;
	rc = store(pl, hostid, ca, calen, cert, certlen, spent, spentlen,
	    err, sizeof(err));
	/* Half of each would be nobody: a restart finishes it. */
	if (rc == 0 && pl == PLACE_NEXT && identity_retire(err) == -1)
		fatalx("%s", err);
	if (rc == -1)
		log_warnx("identity: %s", err);
	identity_answer(IMSG_IDENTITY_STORED, rc, err);
}
