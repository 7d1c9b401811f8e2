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

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "proc_internal.h"
#include "sandbox.h"

/*
 * The parent decides whether a start takes too long; we wait longer than it,
 * so that one slow process is named and not the others.
 */
#define CHILD_WAIT_MSEC		(2 * PROC_START_MSEC)
#define CHILD_FLUSH_MSEC	1000

struct start {
	uint8_t		 st_flags;
	uint32_t	 st_uid;
	uint32_t	 st_gid;
	char		 st_emptydir[sizeof(((struct proc_opts *)0)->
			    po_emptydir)];
	char		 st_statedir[sizeof(((struct proc_opts *)0)->
			    po_statedir)];
};

static struct childproc {
	const struct proc_table	*cp_table;
	const struct proc_row	*cp_row;
	struct peer		*cp_parent;
	int			 cp_sync;	/* asker's end, or -1 */
	struct event		*cp_orphan;	/* parent must end us by then */
	bool			 cp_started;	/* pr_start has run */
	bool			 cp_stopping;	/* PROC_STOP came */
} *cp;

static const struct proc_row *child_row(const struct proc_table *,
		    const char *);
static void	 child_init(const struct proc_row *, int, char **);
static void	 child_wait(struct imsg *, uint32_t);
static void	 child_read_start(struct start *);
static int	 child_parse_start(struct ibuf *, struct start *);
static pid_t	 child_parent_pid(void);
static void	 child_confine(const struct start *);
static void	 child_hello(void);
static void	 child_barrier(void);
static void	 child_message(struct peer *, struct imsg *);
static void	 child_add_peer(struct imsg *);
static bool	 child_has_link(enum role, enum proc_linkkind, bool *);
static void	 child_verbose(struct imsg *);
static void	 child_ping(struct imsg *);
static void	 child_stop(void);
static void	 child_lost(struct peer *);
static void	 child_orphaned(evutil_socket_t, short, void *);
static void	 child_broken(struct peer *, const char *);
static void	 child_begin_peer(struct peer *);

static const struct proc_hooks	 child_hooks = {
	child_message, child_lost, child_broken
};

void
proc_child_main(const struct proc_table *pt, const char *name, int argc,
    char **argv)
{
	static struct childproc	 self;
	struct start		 st;

	cp = &self;
	cp->cp_table = pt;
	cp->cp_sync = -1;
	if ((cp->cp_row = child_row(pt, name)) == NULL)
		fatalx("-P %s: no such process", name);
	child_init(cp->cp_row, argc, argv);
	proc_setup(pt, cp->cp_row, &child_hooks);
	cp->cp_parent = peer_open(pt->pt_rows[0].pr_role, PROC_FD_PARENT,
	    false);
	memset(&st, 0, sizeof(st));
	child_read_start(&st);
	if (cp->cp_row->pr_warmup != NULL)
		cp->cp_row->pr_warmup();
	child_confine(&st);
	child_hello();
	child_barrier();

	cp->cp_row->pr_start();
	cp->cp_started = true;
	peer_foreach(child_begin_peer);
	if (event_base_dispatch(proc_base()) == -1)
		fatalx("event_base_dispatch");
	fatalx("nothing left to wait for");
}

static const struct proc_row *
child_row(const struct proc_table *pt, const char *name)
{
	size_t	 i;

	for (i = 1; i < pt->pt_nrows; i++) {
		if (strcmp(pt->pt_rows[i].pr_name, name) == 0)
			return (&pt->pt_rows[i]);
	}
	return (NULL);
}

static void
child_init(const struct proc_row *row, int argc, char **argv)
{
	struct stat	 st;

	/* Somebody tried -P by hand. */
	if (fstat(PROC_FD_PARENT, &st) == -1 || !S_ISSOCK(st.st_mode) ||
	    fstat(PROC_FD_LOG, &st) == -1 || !S_ISSOCK(st.st_mode))
		fatalx("-P is for the use of the parent process only");
	closefrom(PROC_FD_LOG + 1);
	log_init(row->pr_name, PROC_FD_LOG);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		fatal("prctl");
	setproctitle_init(argc, argv, environ);
	setproctitle("-%s: %s", cp->cp_table->pt_daemon, row->pr_name);
	(void)prctl(PR_SET_NAME, row->pr_name, 0, 0, 0);
	/* The parent stops us; a ^C on the terminal is its business. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	tzset();	/* opens a file: not after confinement */
}

/* The next message of the start sequence must be this one. */
static void
child_wait(struct imsg *m, uint32_t type)
{
	const char	*why;
	int		 n;

	n = imsgbuf_wait(&cp->cp_parent->pe_ibuf, m, CHILD_WAIT_MSEC);
	if (n == 0)
		_exit(1);	/* the parent gave up, and has said why */
	if (n == -1)
		fatal("waiting for %s", imsg_rule_name(type));
	if ((why = imsg_rule_check(m, cp->cp_parent->pe_role,
	    proc_self())) != NULL)
		fatalx("start: %s: %s", imsg_rule_name(imsg_get_type(m)), why);
}

static void
child_read_start(struct start *st)
{
	struct imsg	 m;

	child_wait(&m, IMSG_PROC_START);
	if (imsg_get_type(&m) != IMSG_PROC_START ||
	    child_parse_start(imsg_get_ibuf(&m), st) == -1)
		fatalx("start: broken message from the parent");
	imsg_free(&m);
	log_setverbose((st->st_flags & PROC_START_DEBUG) != 0);
}

static int
child_parse_start(struct ibuf *b, struct start *st)
{
	uint8_t		 own[IMSG_RULE_HASHLEN], role;
	const uint8_t	*hash;
	size_t		 len;

	if (ibuf_get_bytes(b, IMSG_RULE_HASHLEN, &hash, &len) == -1)
		return (-1);
	imsg_rule_hash(own);
	if (len != sizeof(own) || memcmp(hash, own, sizeof(own)) != 0)
		fatalx("start: the parent is of another build");
	if (ibuf_get_n8(b, &role) == -1 ||
	    ibuf_get_n8(b, &st->st_flags) == -1 ||
	    ibuf_get_n32(b, &st->st_uid) == -1 ||
	    ibuf_get_n32(b, &st->st_gid) == -1 ||
	    ibuf_get_string(b, st->st_emptydir,
	    sizeof(st->st_emptydir)) == -1 ||
	    ibuf_get_string(b, st->st_statedir,
	    sizeof(st->st_statedir)) == -1 ||
	    ibuf_end(b) == -1)
		return (-1);
	if (role != proc_self() || (st->st_flags & ~PROC_START_FLAGS) != 0)
		return (-1);
	return (0);
}

/* Who made channel 3; getppid(2) would not notice that it has died. */
static pid_t
child_parent_pid(void)
{
	struct ucred	 cred;
	socklen_t	 len = sizeof(cred);

	if (getsockopt(PROC_FD_PARENT, SOL_SOCKET, SO_PEERCRED, &cred,
	    &len) == -1)
		fatal("start: who is the parent?");
	return (cred.pid);
}

static void
child_confine(const struct start *st)
{
	struct proc_confine	 pc;

	memset(&pc, 0, sizeof(pc));
	pc.pc_uid = st->st_uid;
	pc.pc_gid = st->st_gid;
	pc.pc_keep = (st->st_flags & PROC_START_KEEP) != 0;
	pc.pc_trap = (st->st_flags & PROC_START_TRAP) != 0;
	pc.pc_parent = child_parent_pid();
	pc.pc_logfd = PROC_FD_LOG;
	pc.pc_emptydir = st->st_emptydir;
	pc.pc_statedir = st->st_statedir;
	proc_confine(cp->cp_row, &pc);
}

static void
child_hello(void)
{
	uint8_t		 hash[IMSG_RULE_HASHLEN];
	struct ibuf	*b;

	imsg_rule_hash(hash);
	if ((b = ibuf_dynamic(64, 300)) == NULL ||
	    ibuf_add_bytes(b, hash, sizeof(hash)) == -1 ||
	    ibuf_add_string(b, sandbox_status()) == -1 ||
	    peer_send_ibuf(cp->cp_parent, IMSG_PROC_HELLO, 0, -1, b) == -1 ||
	    imsgbuf_flush(&cp->cp_parent->pe_ibuf, CHILD_WAIT_MSEC) == -1)
		fatal("start: no answer to the parent");
	ibuf_free(b);
}

/* Channels to siblings, until all of them are confined as well. */
static void
child_barrier(void)
{
	struct imsg	 m;
	uint32_t	 type;

	do {
		child_wait(&m, IMSG_PROC_READY);
		type = imsg_get_type(&m);
		if (type == IMSG_PROC_PEER)
			child_add_peer(&m);
		else if (type != IMSG_PROC_READY)
			fatalx("start: unexpected %s", imsg_rule_name(type));
		imsg_free(&m);
	} while (type != IMSG_PROC_READY);
	/* Now: pr_start may take its time, and is not part of the barrier. */
	if (peer_send(cp->cp_parent, IMSG_PROC_READY, 0, -1, NULL, 0) == -1 ||
	    imsgbuf_flush(&cp->cp_parent->pe_ibuf, CHILD_WAIT_MSEC) == -1)
		fatal("start: no answer to the parent");
}

static void
child_begin_peer(struct peer *p)
{
	if (p->pe_closed || p->pe_doomed != NULL)
		return;
	peer_listen(p);
	if (p != cp->cp_parent && cp->cp_row->pr_peer_up != NULL)
		cp->cp_row->pr_peer_up(p);
}

static void
child_message(struct peer *p, struct imsg *m)
{
	switch (imsg_get_type(m)) {
	case IMSG_PROC_PEER:
		child_add_peer(m);
		break;
	case IMSG_PROC_VERBOSE:
		child_verbose(m);
		break;
	case IMSG_PROC_PING:
		child_ping(m);
		break;
	case IMSG_PROC_STOP:
		child_stop();
		break;
	default:
		peer_broken(p, m, "not at this time");
		break;
	}
}

static void
child_add_peer(struct imsg *m)
{
	struct ibuf	*b = imsg_get_ibuf(m);
	struct peer	*p;
	uint8_t		 role, kind;
	bool		 asker;
	int		 fd;

	if (ibuf_get_n8(b, &role) == -1 || ibuf_get_n8(b, &kind) == -1 ||
	    ibuf_end(b) == -1 || (kind != LINK_ASYNC && kind != LINK_SYNC) ||
	    !child_has_link((enum role)role, (enum proc_linkkind)kind,
	    &asker)) {
		peer_broken(cp->cp_parent, m, "no such link");
		return;
	}
	fd = imsg_get_fd(m);
	if (kind == LINK_SYNC && asker) {
		if (cp->cp_sync != -1)
			(void)close(cp->cp_sync);
		cp->cp_sync = fd;
		return;
	}
	/* The end of the predecessor may not have been read yet. */
	p = peer_find((enum role)role, kind == LINK_SYNC);
	if (p != NULL) {
		child_lost(p);
		peer_close(p);
	}
	p = peer_open((enum role)role, fd, kind == LINK_SYNC);
	if (cp->cp_started)
		child_begin_peer(p);
}

/* Is there such a link in the table; and are we the one who asks on it? */
static bool
child_has_link(enum role other, enum proc_linkkind kind, bool *asker)
{
	const struct proc_link	*pl;
	size_t			 i;

	for (i = 0; i < cp->cp_table->pt_nlinks; i++) {
		pl = &cp->cp_table->pt_links[i];
		if (pl->pl_kind != kind)
			continue;
		*asker = pl->pl_a == proc_self() && pl->pl_b == other;
		if (*asker || (pl->pl_b == proc_self() && pl->pl_a == other))
			return (true);
	}
	return (false);
}

static void
child_verbose(struct imsg *m)
{
	uint8_t	 level;

	if (ibuf_get_n8(imsg_get_ibuf(m), &level) == -1 ||
	    ibuf_end(imsg_get_ibuf(m)) == -1) {
		peer_broken(cp->cp_parent, m, "broken");
		return;
	}
	log_setverbose(level);
}

/* From the event loop and nowhere else: the answer says that it turns. */
static void
child_ping(struct imsg *m)
{
	(void)peer_send(cp->cp_parent, IMSG_PROC_PONG, 0, -1,
	    ibuf_data(imsg_get_ibuf(m)), imsg_get_len(m));
}

static void
child_stop(void)
{
	if (cp->cp_stopping)
		return;
	cp->cp_stopping = true;
	if (cp->cp_orphan != NULL)
		(void)event_del(cp->cp_orphan);
	if (cp->cp_row->pr_stop != NULL)
		cp->cp_row->pr_stop();
	else
		proc_exit(0);
}

static void
child_lost(struct peer *p)
{
	const struct timeval	 tv = { PROC_STOP_MSEC / 1000, 0 };

	/* PDEATHSIG would have ended us; there is nobody to tell. */
	if (p == cp->cp_parent)
		_exit(cp->cp_stopping ? 0 : 1);
	if (cp->cp_stopping)
		return;
	log_debug("%s: channel has ended", proc_rolename(p->pe_role));
	if (cp->cp_row->pr_peer_lost != NULL) {
		/* Not to be found any more while it is mourned. */
		p->pe_doomed = "ended";
		cp->cp_row->pr_peer_lost(p);
		return;
	}
	if (cp->cp_orphan == NULL) {
		cp->cp_orphan = evtimer_new(proc_base(), child_orphaned, NULL);
		if (cp->cp_orphan == NULL ||
		    evtimer_add(cp->cp_orphan, &tv) == -1)
			fatalx("child_lost: out of memory");
	}
}

static void
child_orphaned(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fatalx("a sibling has closed its channel");
}

/* A restartable sibling is replaced, any other has spoilt the daemon. */
static void
child_broken(struct peer *p, const char *why)
{
	const struct proc_row	*row = proc_row(p->pe_role);
	struct ibuf		*b;

	if (row == NULL || (row->pr_flags & PROC_F_RESTART) == 0)
		fatalx("%s is broken: %s", proc_rolename(p->pe_role), why);
	log_warnx("%s is broken: %s", row->pr_name, why);
	if ((b = ibuf_dynamic(16, 300)) == NULL ||
	    ibuf_add_n8(b, p->pe_role) == -1 ||
	    ibuf_add_string(b, why) == -1)
		fatal("child_broken");
	(void)peer_send_ibuf(cp->cp_parent, IMSG_PROC_BROKEN, 0, -1, b);
	ibuf_free(b);
	peer_doom(p, "broken");
}

int
proc_sync_fd(void)
{
	return (cp != NULL ? cp->cp_sync : -1);
}

void
proc_exit(int status)
{
	struct pollfd	 pfd;
	char		 scratch[4096];
	ssize_t		 n;

	peer_flush_all(CHILD_FLUSH_MSEC);
	if (cp == NULL || !cp->cp_stopping || status != 0)
		_exit(status);
	(void)peer_send(cp->cp_parent, IMSG_PROC_STOPPED, 0, -1, NULL, 0);
	(void)imsgbuf_flush(&cp->cp_parent->pe_ibuf, CHILD_FLUSH_MSEC);
	/* Channels stay open until every sibling knows that this is the end;
	 * the parent's patience ends the wait. */
	pfd.fd = PROC_FD_PARENT;
	pfd.events = POLLIN;
	for (;;) {
		n = read(PROC_FD_PARENT, scratch, sizeof(scratch));
		if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
			break;
		if (n == -1)
			(void)poll(&pfd, 1, -1);
	}
	_exit(0);
}
