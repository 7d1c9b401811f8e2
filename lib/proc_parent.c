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

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "logsink.h"
#include "privdrop.h"
#include "proc_internal.h"
#include "sandbox.h"
#include "xmalloc.h"

/* From the end of a channel to the death of its process. */
#define CHILD_SILENT_MSEC	1000

static struct parent	*pa;

static int	 parent_check(const struct proc_opts *);
static void	 parent_setup(const struct proc_table *,
		    const struct proc_opts *, const struct proc_parent_ops *);
static int	 parent_ids(bool (*)(enum role));
static int	 parent_distinct(void);
static int	 parent_barrier(void);
static void	 parent_reached(void);
static void	 parent_lacking(const char *, unsigned int);
static void	 parent_message(struct peer *, struct imsg *);
static void	 parent_hello(struct child *, struct imsg *);
static void	 parent_ready(struct child *, struct imsg *);
static void	 parent_stopped(struct child *, struct imsg *);
static void	 parent_told(struct child *, struct imsg *);
static void	 parent_lost(struct peer *);
static void	 parent_broken(struct peer *, const char *);
static void	 child_silent(evutil_socket_t, short, void *);
static bool	 has_word(const char *, const char *);
static bool	 has_link(enum role, enum role);

static const struct proc_hooks	 parent_hooks = {
	parent_message, parent_lost, parent_broken
};

struct parent *
proc_parent(void)
{
	return (pa);
}

int
proc_parent_init(const struct proc_table *pt, const struct proc_opts *po,
    const struct proc_parent_ops *ops, bool (*enabled)(enum role))
{
	struct child	*ch;
	size_t		 i;

	if (parent_check(po) == -1)
		return (-1);
	proc_save_self();
	parent_setup(pt, po, ops);
	if (parent_ids(enabled) == -1 || proc_signals(pa) == -1)
		return (-1);
	if (sandbox_parent() == -1) {
		log_warn("sandbox of the parent");
		return (-1);
	}
	for (i = 1; i < pa->pa_nchildren; i++) {
		ch = &pa->pa_children[i];
		if (ch->ch_state == CHILD_WAIT && child_start(ch) == -1) {
			proc_parent_stop(1);
			break;
		}
	}
	return (parent_barrier());
}

static int
parent_check(const struct proc_opts *po)
{
	if (po->po_keep && (getuid() == 0 || geteuid() == 0)) {
		log_warnx("privileges: keep is refused for root");
		return (-1);
	}
	if (!po->po_keep && geteuid() != 0) {
		log_warnx("must be started by root, or with privileges: keep");
		return (-1);
	}
	return (0);
}

static void
parent_setup(const struct proc_table *pt, const struct proc_opts *po,
    const struct proc_parent_ops *ops)
{
	struct child	*ch;
	size_t		 i;

	pa = xcalloc(1, sizeof(*pa));
	pa->pa_table = pt;
	pa->pa_ops = ops;
	pa->pa_opts = *po;
	if (pa->pa_opts.po_start_msec == 0)
		pa->pa_opts.po_start_msec = PROC_START_MSEC;
	if (pa->pa_opts.po_restart_msec == 0)
		pa->pa_opts.po_restart_msec = PROC_RESTART_MIN_MSEC;
	if (pa->pa_opts.po_restart_max_msec == 0)
		pa->pa_opts.po_restart_max_msec = PROC_RESTART_MAX_MSEC;
	if (pa->pa_opts.po_stop_msec == 0)
		pa->pa_opts.po_stop_msec = PROC_STOP_MSEC;
	if (pa->pa_opts.po_watch_msec == 0)
		pa->pa_opts.po_watch_msec = PROC_WATCH_MSEC;
	pa->pa_nchildren = pt->pt_nrows;
	pa->pa_children = xcalloc(pt->pt_nrows, sizeof(*pa->pa_children));
	for (i = 0; i < pt->pt_nrows; i++) {
		ch = &pa->pa_children[i];
		ch->ch_row = &pt->pt_rows[i];
		ch->ch_parent = pa;
		ch->ch_state = CHILD_OFF;
		ch->ch_logid = -1;
	}
	proc_setup(pt, &pt->pt_rows[0], &parent_hooks);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* Who each child will be; those without a user are named in one line. */
static int
parent_ids(bool (*enabled)(enum role))
{
	char		 missing[256] = "";
	struct child	*ch;
	size_t		 i;

	for (i = 1; i < pa->pa_nchildren; i++) {
		ch = &pa->pa_children[i];
		if (enabled != NULL && !enabled(ch->ch_row->pr_role))
			continue;
		ch->ch_state = CHILD_WAIT;
		if (pa->pa_opts.po_keep) {
			ch->ch_uid = getuid();
			ch->ch_gid = getgid();
			continue;
		}
		switch (privdrop_ids(ch->ch_row->pr_user,
		    pa->pa_opts.po_uid_base, ch->ch_row->pr_role,
		    &ch->ch_uid, &ch->ch_gid)) {
		case 0:
			break;
		case 1:
			(void)strlcat(missing, " ", sizeof(missing));
			(void)strlcat(missing, ch->ch_row->pr_user,
			    sizeof(missing));
			break;
		default:
			return (-1);
		}
	}
	if (missing[0] != '\0')
		log_info("no such users:%s; using ids from %u on", missing,
		    pa->pa_opts.po_uid_base);
	return (pa->pa_opts.po_keep ? 0 : parent_distinct());
}

/* Two names for one id in passwd: each could reach into the other. */
static int
parent_distinct(void)
{
	struct child	*a, *b;
	size_t		 i, j;

	for (i = 1; i < pa->pa_nchildren; i++) {
		a = &pa->pa_children[i];
		for (j = 1; j < i; j++) {
			b = &pa->pa_children[j];
			if (a->ch_state == CHILD_OFF ||
			    b->ch_state == CHILD_OFF || a->ch_uid != b->ch_uid)
				continue;
			log_warnx("users %s and %s have the same id %u: give "
			    "each its own", b->ch_row->pr_user,
			    a->ch_row->pr_user, a->ch_uid);
			return (-1);
		}
	}
	return (0);
}

static int
parent_barrier(void)
{
	struct child	*ch;
	size_t		 i;

	parent_reached();
	while (!pa->pa_started) {
		if (pa->pa_stopping) {
			proc_reap_all(pa);
			/* A signal is no failure. */
			return (pa->pa_status == 0 ? 0 : -1);
		}
		if (event_base_loop(proc_base(), EVLOOP_ONCE) == -1)
			fatalx("event_base_loop");
	}
	parent_lacking("seccomp", 0);
	parent_lacking("landlock", 0);
	parent_lacking("netns", PROC_F_NETNS);
	watch_start(pa);
	if (pa->pa_ops->op_ready != NULL)
		pa->pa_ops->op_ready();
	for (i = 1; i < pa->pa_nchildren; i++) {
		ch = &pa->pa_children[i];
		if (ch->ch_peer != NULL)
			peer_listen(ch->ch_peer);
	}
	return (0);
}

/*
 * A child got on: when all have said hello they get their channels, when all
 * have echoed ready the barrier is passed.
 */
static void
parent_reached(void)
{
	struct child	*ch;
	size_t		 i, waiting = 0, hello = 0;

	for (i = 1; i < pa->pa_nchildren; i++) {
		ch = &pa->pa_children[i];
		if (ch->ch_state == CHILD_HELLO)
			hello++;
		else if (ch->ch_state != CHILD_OFF &&
		    ch->ch_state != CHILD_UP)
			waiting++;
	}
	if (waiting > 0 || pa->pa_stopping)
		return;
	if (hello == 0) {
		pa->pa_started = true;
		return;
	}
	for (i = 0; i < pa->pa_table->pt_nlinks; i++) {
		if (child_link(&pa->pa_table->pt_links[i]) == -1) {
			proc_parent_stop(1);
			return;
		}
	}
	for (i = 1; i < pa->pa_nchildren; i++) {
		ch = &pa->pa_children[i];
		if (ch->ch_state != CHILD_HELLO)
			continue;
		ch->ch_state = CHILD_READY;
		(void)peer_send(ch->ch_peer, IMSG_PROC_READY, 0, -1, NULL, 0);
	}
}

/* What the surroundings refuse is said once, and is no reason to stop. */
static void
parent_lacking(const char *word, unsigned int flags)
{
	char		 names[256] = "";
	struct child	*ch;
	size_t		 i;

	/* Not wanted without root. */
	if (flags == PROC_F_NETNS && pa->pa_opts.po_keep)
		return;
	for (i = 1; i < pa->pa_nchildren; i++) {
		ch = &pa->pa_children[i];
		if (ch->ch_state != CHILD_UP ||
		    (ch->ch_row->pr_flags & flags) != flags ||
		    has_word(ch->ch_sandbox, word))
			continue;
		(void)strlcat(names, " ", sizeof(names));
		(void)strlcat(names, ch->ch_row->pr_name, sizeof(names));
	}
	if (names[0] != '\0')
		log_info("sandbox: %s is not available here, going on "
		    "without:%s", word, names);
}

static void
child_silent(evutil_socket_t fd, short what, void *arg)
{
	struct child	*ch = arg;

	(void)fd;
	(void)what;
	child_kill(ch, "it closed its channel");
}

static void
parent_message(struct peer *p, struct imsg *m)
{
	struct child	*ch = child_find(p->pe_role);

	switch (imsg_get_type(m)) {
	case IMSG_PROC_HELLO:
	case IMSG_PROC_READY:
		/* It will not be needed any more. */
		if (pa->pa_stopping)
			break;
		if (imsg_get_type(m) == IMSG_PROC_HELLO)
			parent_hello(ch, m);
		else
			parent_ready(ch, m);
		break;
	case IMSG_PROC_STOPPED:
		parent_stopped(ch, m);
		break;
	case IMSG_PROC_BROKEN:
		parent_told(ch, m);
		break;
	case IMSG_PROC_PONG:
		watch_pong(ch, m);
		break;
	default:
		peer_broken(p, m, "not from a child");
		break;
	}
}

static void
parent_hello(struct child *ch, struct imsg *m)
{
	uint8_t		 own[IMSG_RULE_HASHLEN];
	struct ibuf	*b = imsg_get_ibuf(m);
	const uint8_t	*hash;
	size_t		 len;

	imsg_rule_hash(own);
	if (ch->ch_state != CHILD_START ||
	    ibuf_get_bytes(b, sizeof(own), &hash, &len) == -1 ||
	    len != sizeof(own) || memcmp(hash, own, sizeof(own)) != 0 ||
	    ibuf_get_string(b, ch->ch_sandbox, sizeof(ch->ch_sandbox)) == -1 ||
	    ibuf_end(b) == -1) {
		peer_broken(ch->ch_peer, m, "broken or of another build");
		return;
	}
	ch->ch_state = CHILD_HELLO;
	log_debug("%s: confined: %s", ch->ch_row->pr_name, ch->ch_sandbox);
	if (!pa->pa_started) {
		parent_reached();
		return;
	}
	child_wire(ch);
	ch->ch_state = CHILD_READY;
	(void)peer_send(ch->ch_peer, IMSG_PROC_READY, 0, -1, NULL, 0);
}

static void
parent_ready(struct child *ch, struct imsg *m)
{
	if (ch->ch_state != CHILD_READY) {
		peer_broken(ch->ch_peer, m, "not at this time");
		return;
	}
	child_timer(ch, NULL, 0);
	ch->ch_state = CHILD_UP;
	ch->ch_peer->pe_ready = true;
	if (!pa->pa_started) {
		/* What it says next waits until op_ready has run. */
		peer_hold(ch->ch_peer);
		parent_reached();
		return;
	}
	log_info("%s: running again, pid %d", ch->ch_row->pr_name,
	    (int)ch->ch_pid);
	if (pa->pa_ops->op_restarted != NULL)
		pa->pa_ops->op_restarted(ch->ch_row->pr_role);
}

static void
parent_stopped(struct child *ch, struct imsg *m)
{
	if (ch->ch_state != CHILD_STOP) {
		peer_broken(ch->ch_peer, m, "nobody asked it to stop");
		return;
	}
	ch->ch_state = CHILD_STOPPED;
	proc_stop_next(pa);
}

/* Somebody who talks to a restartable sibling says that it is broken. */
static void
parent_told(struct child *ch, struct imsg *m)
{
	struct ibuf	*b = imsg_get_ibuf(m);
	struct child	*other;
	char		 why[PROC_WHY_MAXBYTES];
	uint8_t		 role;

	if (ibuf_get_n8(b, &role) == -1 ||
	    ibuf_get_string(b, why, sizeof(why)) == -1 ||
	    ibuf_end(b) == -1 ||
	    (other = child_find((enum role)role)) == NULL ||
	    (other->ch_row->pr_flags & PROC_F_RESTART) == 0 ||
	    !has_link(ch->ch_row->pr_role, (enum role)role)) {
		peer_broken(ch->ch_peer, m, "broken");
		return;
	}
	if (other->ch_state != CHILD_UP)
		return;
	log_warnx("%s: broken in the eyes of %s: %s", other->ch_row->pr_name,
	    ch->ch_row->pr_name, why);
	child_kill(other, "a sibling found it broken");
}

/*
 * A channel ends because its process does: SIGCHLD follows and tells the
 * cause.  One that only closes its channel must go as well.
 */
static void
parent_lost(struct peer *p)
{
	struct child	*ch = child_find(p->pe_role);

	ch->ch_peer = NULL;
	if (ch->ch_state == CHILD_UP)
		child_timer(ch, child_silent, CHILD_SILENT_MSEC);
}

static void
parent_broken(struct peer *p, const char *why)
{
	struct child	*ch = child_find(p->pe_role);

	log_warnx("%s, pid %d: broken: %s", ch->ch_row->pr_name,
	    (int)ch->ch_pid, why);
	child_kill(ch, "it broke a rule");
	peer_doom(p, "broken");
}

static bool
has_word(const char *words, const char *word)
{
	size_t	 len = strlen(word);

	for (; *words != '\0'; words += strspn(words, " ")) {
		if (strcspn(words, " ") == len &&
		    strncmp(words, word, len) == 0)
			return (true);
		words += strcspn(words, " ");
	}
	return (false);
}

static bool
has_link(enum role a, enum role b)
{
	const struct proc_link	*pl;
	size_t			 i;

	for (i = 0; i < pa->pa_table->pt_nlinks; i++) {
		pl = &pa->pa_table->pt_links[i];
		if ((pl->pl_a == a && pl->pl_b == b) ||
		    (pl->pl_a == b && pl->pl_b == a))
			return (true);
	}
	return (false);
}

void
proc_parent_verbose(int level)
{
	const uint8_t	 body = level > 0 ? 1 : 0;
	struct child	*ch;
	size_t		 i;

	log_setverbose(level);
	pa->pa_opts.po_verbose = level;
	for (i = 1; i < pa->pa_nchildren; i++) {
		ch = &pa->pa_children[i];
		if (ch->ch_state == CHILD_UP)
			(void)peer_send(ch->ch_peer, IMSG_PROC_VERBOSE, 0, -1,
			    &body, sizeof(body));
	}
}
