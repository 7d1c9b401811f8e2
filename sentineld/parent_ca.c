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

#include "sentineld.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "keyfile.h"
#include "keyholder.h"
#include "log.h"
#include "monotime.h"
#include "parent_ca.h"
#include "xmalloc.h"

/*
 * Files of a second CA.  The engine's database says how far a roll-over is;
 * here are its files, which follow:
 *
 *	prepare	ca-key-new.pem, ca-new.pem, ca-cross.pem are made, before the
 *		database says so: what a crash leaves was never used
 *	issue	nothing changes but who issues, and that is said at each start
 *	drain	the old key is not loaded any more
 *	drop	after the database says so: the old pair goes to
 *		ca-retired-TIME, the new one takes its names, one rename after
 *		the other; at the next start it goes on where it stopped
 *
 * Nothing is ever deleted: of a key that turns out to have been needed there
 * is no second copy.
 */
#define CA_MSEC		10000	/* for the engine and the keyholder */
#define CA_RETIRED_MAX	1000	/* files of a name in one second */

enum ca_file { CA_KEY, CA_CERT, CA_CROSS, CA_FILES };

static const struct {
	const char	*name;
	const char	*becomes;	/* at the drop; NULL: retired */
	uint8_t		 part;
	enum keyfile_kind kind;
} files[CA_FILES] = {
	[CA_KEY] =   { "ca-key-new.pem", "ca-key.pem", KEY_PART_KEY,
	    KEYFILE_SECRET },
	[CA_CERT] =  { "ca-new.pem", "ca.pem", KEY_PART_CERT,
	    KEYFILE_PUBLIC },
	[CA_CROSS] = { "ca-cross.pem", NULL, KEY_PART_CROSS,
	    KEYFILE_PUBLIC },
};

enum sent { SENT, SENT_NOT_WANTED, SENT_FAILED };

/* What is asked of the keyholder, one after the other. */
enum op_kind { OP_END, OP_LOAD, OP_CREATE, OP_USE };
struct op {
	enum op_kind	 op_kind;
	uint8_t		 op_what;	/* enum ca_file, enum key_ca_use */
};

static const struct op	op_prepare[] = {
	{ OP_CREATE, CA_KEY }, { OP_CREATE, CA_CERT },
	{ OP_CREATE, CA_CROSS }, { OP_END, 0 }
};
static const struct op	op_load[] = {
	{ OP_LOAD, CA_KEY }, { OP_LOAD, CA_CERT }, { OP_LOAD, CA_CROSS },
	{ OP_END, 0 }
};
static const struct op	op_load_new[] = {
	{ OP_LOAD, CA_KEY }, { OP_LOAD, CA_CERT },
	{ OP_USE, KEY_CA_USE_NEW }, { OP_END, 0 }
};
static const struct op	op_load_only[] = {
	{ OP_LOAD, CA_KEY }, { OP_LOAD, CA_CERT },
	{ OP_USE, KEY_CA_USE_ONLY }, { OP_END, 0 }
};
static const struct op	op_cross[] = {
	{ OP_LOAD, CA_CROSS }, { OP_END, 0 }
};
static const struct op	op_use[] = {
	[CA_NONE] = { OP_USE, KEY_CA_USE_DISCARD },
	[CA_ISSUE] = { OP_USE, KEY_CA_USE_NEW },
	[CA_DRAIN] = { OP_USE, KEY_CA_USE_ONLY },
	[CA_DROP] = { OP_USE, KEY_CA_USE_PROMOTE },
};

static struct {
	char		*dir;		/* server.cluster.dir; NULL: off */
	bool		 known;		/* the engine has told the phase */
	enum ca_phase	 phase;
	int64_t		 time;		/* of the drop */
	void		(*begun)(bool);
	void		(*finished)(void);
	struct event	*timer;
	const struct op	*op;		/* NULL: nothing under way */
	uint32_t	 id;		/* of the last question */
	uint32_t	 request;	/* the engine's; 0: we are starting */
	enum ca_phase	 step;		/* that it asked for */
	struct op	 single[2];
	bool		 created[CA_FILES];
	char		 note[256];	/* for the engine, of a success */
} ca;

static void	 path_of(const char *, char[PATH_MAX]);
static int	 retired_dir(int64_t, char[PATH_MAX], char *, size_t);
static int	 move(const char *, const char *, char *, size_t);
static int	 retire(const char *, const char *, char *, size_t);
static int	 retire_new(int64_t, char *, size_t);
static int	 drop_files(int64_t, char *, size_t);
static void	 settle(void);
static void	 run(const struct op *);
static void	 next_op(void);
static enum sent send_file(const struct op *);
static void	 failed(const char *);
static void	 all_done(void);
static int	 commit(char *, size_t);
static void	 answer(enum ca_phase, uint32_t, bool, const char *);
static void	 on_timeout(int, short, void *);

/* --- files --------------------------------------------------------------- */

static void
path_of(const char *name, char path[PATH_MAX])
{
	if ((size_t)snprintf(path, PATH_MAX, "%s/%s", ca.dir, name) >=
	    PATH_MAX)
		fatalx("%s/%s: path too long", ca.dir, name);
}

static int
retired_dir(int64_t when, char path[PATH_MAX], char *err, size_t errlen)
{
	char		 name[64];
	struct tm	 tm;
	time_t		 t = (time_t)when;

	if (gmtime_r(&t, &tm) == NULL || strftime(name, sizeof(name),
	    "ca-retired-%Y%m%dT%H%M%SZ", &tm) == 0)
		fatalx("time of a CA roll-over: %lld", (long long)when);
	path_of(name, path);
	if (mkdir(path, 0700) == -1 && errno != EEXIST) {
		(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return (-1);
	}
	return (0);
}

static int
move(const char *from, const char *to, char *err, size_t errlen)
{
	if (rename(from, to) == -1) {
		(void)snprintf(err, errlen, "%s: rename to %s: %s", from, to,
		    strerror(errno));
		return (-1);
	}
	return (keyfile_syncdir(to, err, errlen) == -1 ? -1 :
	    keyfile_syncdir(from, err, errlen));
}

/* NAME to its place among what is not used any more; 0 also when it is not
 * there.  Two that were given up in one second get numbers. */
static int
retire(const char *name, const char *dir, char *err, size_t errlen)
{
	char	 from[PATH_MAX], to[PATH_MAX], number[16] = "";
	int	 i;

	path_of(name, from);
	if (!keyfile_exists(from))
		return (0);
	for (i = 1; i <= CA_RETIRED_MAX; i++) {
		if ((size_t)snprintf(to, sizeof(to), "%s/%s%s", dir, name,
		    number) >= sizeof(to))
			break;
		if (!keyfile_exists(to))
			return (move(from, to, err, errlen));
		(void)snprintf(number, sizeof(number), ".%d", i);
	}
	(void)snprintf(err, errlen, "%s: no free name for it in %.200s", name,
	    dir);
	return (-1);
}

/* A new CA that comes to nothing. */
static int
retire_new(int64_t when, char *err, size_t errlen)
{
	char	 path[PATH_MAX], dir[PATH_MAX];
	size_t	 i;
	bool	 any = false;

	for (i = 0; i < CA_FILES; i++) {
		path_of(files[i].name, path);
		any = any || keyfile_exists(path);
	}
	if (!any)
		return (0);
	if (retired_dir(when, dir, err, errlen) == -1)
		return (-1);
	for (i = 0; i < CA_FILES; i++) {
		if (retire(files[i].name, dir, err, errlen) == -1)
			return (-1);
	}
	log_info("ca: the new CA is not used: its files are in %s", dir);
	return (0);
}

/* Each new file says that the renames of its pair are not over. */
static int
drop_files(int64_t when, char *err, size_t errlen)
{
	char	 from[PATH_MAX], to[PATH_MAX], dir[PATH_MAX];
	size_t	 i;

	if (retired_dir(when, dir, err, errlen) == -1)
		return (-1);
	for (i = 0; i < CA_FILES; i++) {
		path_of(files[i].name, from);
		if (!keyfile_exists(from))
			continue;
		if (files[i].becomes == NULL) {
			if (retire(files[i].name, dir, err, errlen) == -1)
				return (-1);
			continue;
		}
		path_of(files[i].becomes, to);
		if (retire(files[i].becomes, dir, err, errlen) == -1 ||
		    move(from, to, err, errlen) == -1)
			return (-1);
	}
	log_info("ca: the old CA is retired: its files are in %s", dir);
	return (0);
}

/* Before any key is loaded. */
static void
settle(void)
{
	char	 err[KEYFILE_ERRLEN];

	if (ca.phase == CA_NONE &&
	    retire_new(time(NULL), err, sizeof(err)) == -1)
		fatalx("%s", err);
	if (ca.phase != CA_DROP)
		return;
	if (drop_files(ca.time, err, sizeof(err)) == -1)
		fatalx("%s", err);
	ca.phase = CA_NONE;
	answer(CA_DROP, 0, true, "");
}

/* --- start --------------------------------------------------------------- */

/* u8 phase, u64 time of the drop */
void
parent_ca_phase(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	uint64_t	 when;
	uint8_t		 phase;

	if (ibuf_get_n8(buf, &phase) == -1 || ibuf_get_n64(buf, &when) ==
	    -1 || ibuf_end(buf) == -1 || phase > CA_DROP ||
	    when > INT64_MAX || ca.known) {
		peer_broken(p, imsg, "bad CA_PHASE");
		return;
	}
	ca.known = true;
	ca.phase = (enum ca_phase)phase;
	ca.time = (int64_t)when;
	if (ca.begun != NULL)
		parent_ca_begin(ca.dir, ca.begun);
}

void
parent_ca_begin(const char *dir, void (*begun)(bool))
{
	struct timeval	 tv = monotime_timeval(CA_MSEC);

	/* The configuration it is part of may be replaced. */
	if (ca.dir == NULL)
		ca.dir = xstrdup(dir);
	ca.begun = begun;
	if (ca.timer == NULL && (ca.timer = evtimer_new(proc_base(),
	    on_timeout, NULL)) == NULL)
		fatal("parent_ca_begin");
	if (!ca.known) {
		evtimer_add(ca.timer, &tv);
		return;
	}
	evtimer_del(ca.timer);
	settle();
	if (ca.phase == CA_ISSUE)
		run(op_load_new);
	else if (ca.phase == CA_DRAIN)
		run(op_load_only);
	else
		all_done();
}

void
parent_ca_finish(void (*finished)(void))
{
	ca.finished = finished;
	if (ca.phase == CA_PREPARE)
		run(op_load);
	else if (ca.phase == CA_ISSUE || ca.phase == CA_DRAIN)
		run(op_cross);
	else
		all_done();
}

static void
on_timeout(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (!ca.known)
		fatalx("the engine did not say whether the CA is being "
		    "replaced");
	failed("the keyholder did not answer");
}

/* --- steps --------------------------------------------------------------- */

/* u8 phase that is to be, u64 time */
void
parent_ca_step(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 err[KEYFILE_ERRLEN];
	uint64_t	 when;
	uint8_t		 step;
	int		 rc = 0;

	if (ibuf_get_n8(buf, &step) == -1 || ibuf_get_n64(buf, &when) == -1 ||
	    ibuf_end(buf) == -1 || step > CA_DROP || when > INT64_MAX ||
	    imsg_get_id(imsg) == 0) {
		peer_broken(p, imsg, "bad CA_STEP");
		return;
	}
	if (ca.begun != NULL || ca.finished != NULL || ca.op != NULL ||
	    ca.dir == NULL) {
		answer((enum ca_phase)step, imsg_get_id(imsg), false,
		    ca.dir == NULL ? "cluster mode is off" :
		    "another step is under way");
		return;
	}
	ca.request = imsg_get_id(imsg);
	ca.step = (enum ca_phase)step;
	ca.note[0] = '\0';
	if (step == CA_NONE)
		rc = retire_new((int64_t)when, err, sizeof(err));
	else if (step == CA_DROP)
		rc = drop_files((int64_t)when, err, sizeof(err));
	if (rc == -1)
		failed(err);
	else if (step == CA_PREPARE)
		run(op_prepare);
	else {
		ca.single[0] = op_use[step];
		run(ca.single);
	}
}

static void
run(const struct op *ops)
{
	memset(ca.created, 0, sizeof(ca.created));
	ca.op = ops;
	next_op();
}

static void
next_op(void)
{
	struct timeval	 tv = monotime_timeval(CA_MSEC);

	for (; ca.op->op_kind != OP_END; ca.op++) {
		if (++ca.id == 0)	/* that is parent_keys.c */
			ca.id = 1;
		evtimer_add(ca.timer, &tv);
		if (ca.op->op_kind == OP_USE) {
			peer_send(proc_peer(ROLE_KEYHOLDER), IMSG_KEY_CA_USE,
			    ca.id, -1, &ca.op->op_what, 1);
			return;
		}
		if (send_file(ca.op) != SENT_NOT_WANTED)
			return;
		evtimer_del(ca.timer);
	}
	all_done();
}

static enum sent
send_file(const struct op *op)
{
	char	 path[PATH_MAX], err[KEYFILE_ERRLEN + 256];
	uint8_t	 body[2] = { KEY_PURPOSE_CA_NEW, files[op->op_what].part };
	int	 fd;

	path_of(files[op->op_what].name, path);
	if (op->op_kind == OP_CREATE)
		fd = keyfile_create(path, err, sizeof(err));
	else
		fd = keyfile_open(path, files[op->op_what].kind, err,
		    sizeof(err));
	/* A CA of path length 0 has no cross certificate. */
	if (fd == -1 && errno == ENOENT && op->op_what == CA_CROSS)
		return (SENT_NOT_WANTED);
	if (fd == -1 && errno == ENOENT && op->op_kind == OP_LOAD)
		(void)snprintf(err, sizeof(err), "%s is missing but the "
		    "database says that the CA is being replaced: restore it "
		    "from a backup; to begin with a new CA, which orphans all "
		    "enrolled agents, move database and files away together",
		    path);
	if (fd == -1) {
		failed(err);
		return (SENT_FAILED);
	}
	ca.created[op->op_what] = op->op_kind == OP_CREATE;
	peer_send(proc_peer(ROLE_KEYHOLDER), op->op_kind == OP_CREATE ?
	    IMSG_KEY_CREATE : IMSG_KEY_LOAD, ca.id, fd, body, sizeof(body));
	return (SENT);
}

/* u8 purpose, u8 part, u8 rc, str why */
void
parent_ca_loaded(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 path[PATH_MAX], why[256], err[KEYFILE_ERRLEN + 256];
	uint8_t		 purpose, part, rc;

	if (ibuf_get_n8(buf, &purpose) == -1 || ibuf_get_n8(buf, &part) ==
	    -1 || ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || purpose != KEY_PURPOSE_CA_NEW ||
	    rc > KEY_LOADED_NONE) {
		peer_broken(p, imsg, "unexpected KEY_LOADED");
		return;
	}
	if (ca.op == NULL || imsg_get_id(imsg) != ca.id)
		return;			/* we have given up */
	if (ca.op->op_kind == OP_USE || part != files[ca.op->op_what].part) {
		peer_broken(p, imsg, "unexpected KEY_LOADED");
		return;
	}
	evtimer_del(ca.timer);
	path_of(files[ca.op->op_what].name, path);
	if (rc == KEY_LOADED_FAILED) {
		(void)snprintf(err, sizeof(err), "%s%s: %s", path,
		    ca.op->op_kind == OP_CREATE ? ".new" : "", why);
		failed(err);
		return;
	}
	if (rc == KEY_LOADED_NONE) {
		ca.created[ca.op->op_what] = false;
		(void)strlcpy(ca.note, why, sizeof(ca.note));
	}
	ca.op++;
	next_op();
}

/* u8 rc, str why */
void
parent_ca_used(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 why[256];
	uint8_t		 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1) {
		peer_broken(p, imsg, "bad KEY_CA_USED");
		return;
	}
	if (ca.op == NULL || imsg_get_id(imsg) != ca.id)
		return;
	evtimer_del(ca.timer);
	if (rc != KEY_RC_OK) {
		failed(why);
		return;
	}
	ca.op++;
	next_op();
}

/* At start nothing can go on without the keys. */
static void
failed(const char *why)
{
	if (ca.request == 0)
		fatalx("new CA: %s", why);
	log_warnx("ca: %s", why);
	evtimer_del(ca.timer);
	ca.op = NULL;
	answer(ca.step, ca.request, false, why);
	ca.request = 0;
	/* What of it is in the keyholder must not be in the way next time. */
	if (ca.step == CA_PREPARE) {
		uint8_t	 use = KEY_CA_USE_DISCARD;

		peer_send(proc_peer(ROLE_KEYHOLDER), IMSG_KEY_CA_USE, 0, -1,
		    &use, 1);
	}
}

static void
all_done(void)
{
	void	(*begun)(bool) = ca.begun;
	void	(*finished)(void) = ca.finished;
	char	 err[KEYFILE_ERRLEN];

	ca.op = NULL;
	if (begun != NULL) {
		ca.begun = NULL;
		begun(ca.phase != CA_DRAIN);
		return;
	}
	if (finished != NULL) {
		ca.finished = NULL;
		finished();
		return;
	}
	if (commit(err, sizeof(err)) == -1) {
		failed(err);
		return;
	}
	answer(ca.step, ca.request, true, ca.note);
	ca.request = 0;
}

/* Renames what was made; unused until the database says prepare. */
static int
commit(char *err, size_t errlen)
{
	char	 path[PATH_MAX];
	size_t	 i;

	for (i = 0; i < CA_FILES; i++) {
		if (!ca.created[i])
			continue;
		path_of(files[i].name, path);
		if (keyfile_commit(path, err, errlen) == -1)
			return (-1);
		log_info("ca: made %s", path);
	}
	return (0);
}

/* u8 phase, u8 rc, str why */
static void
answer(enum ca_phase step, uint32_t id, bool ok, const char *why)
{
	struct ibuf	*buf;
	char		 text[512];

	(void)strlcpy(text, why, sizeof(text));
	if ((buf = ibuf_open(600)) == NULL ||
	    ibuf_add_n8(buf, (uint8_t)step) == -1 ||
	    ibuf_add_n8(buf, ok ? 0 : 1) == -1 ||
	    ibuf_add_string(buf, text) == -1)
		fatal("CA_STEPPED");
	peer_send_ibuf(proc_peer(ROLE_ENGINE), IMSG_CA_STEPPED, id, -1, buf);
	ibuf_free(buf);
}
