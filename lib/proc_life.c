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

#include <sys/socket.h>

#include <signal.h>

#include "log.h"
#include "proc_internal.h"

static void	 child_overdue(evutil_socket_t, short, void *);
static void	 child_give(struct child *, enum role, enum proc_linkkind,
		    int);

struct child *
child_find(enum role role)
{
	struct parent	*pa = proc_parent();
	size_t		 i;

	for (i = 1; pa != NULL && i < pa->pa_nchildren; i++) {
		if (pa->pa_children[i].ch_row->pr_role == role)
			return (&pa->pa_children[i]);
	}
	return (NULL);
}

int
child_start(struct child *ch)
{
	struct parent	*pa = proc_parent();
	uint8_t		 hash[IMSG_RULE_HASHLEN], flags = 0;
	struct ibuf	*b;

	if (pa->pa_opts.po_keep)
		flags |= PROC_START_KEEP;
	if (pa->pa_opts.po_trap)
		flags |= PROC_START_TRAP;
	if (pa->pa_opts.po_verbose > 0)
		flags |= PROC_START_DEBUG;
	if (child_spawn(ch) == -1)
		return (-1);
	ch->ch_state = CHILD_START;
	ch->ch_born = monotime_now();
	ch->ch_late = false;
	ch->ch_why = NULL;
	watch_reset(ch);
	imsg_rule_hash(hash);
	if ((b = ibuf_dynamic(128, 2048)) == NULL ||
	    ibuf_add_bytes(b, hash, sizeof(hash)) == -1 ||
	    ibuf_add_n8(b, ch->ch_row->pr_role) == -1 ||
	    ibuf_add_n8(b, flags) == -1 ||
	    ibuf_add_n32(b, ch->ch_uid) == -1 ||
	    ibuf_add_n32(b, ch->ch_gid) == -1 ||
	    ibuf_add_string(b, pa->pa_opts.po_emptydir) == -1 ||
	    ibuf_add_string(b, pa->pa_opts.po_statedir) == -1)
		fatal("child_start");
	(void)peer_send_ibuf(ch->ch_peer, IMSG_PROC_START, 0, -1, b);
	ibuf_free(b);
	peer_listen(ch->ch_peer);
	child_timer(ch, child_overdue, pa->pa_opts.po_start_msec);
	return (0);
}

void
child_timer(struct child *ch, event_callback_fn fn, unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	if (ch->ch_timer != NULL)
		event_free(ch->ch_timer);
	ch->ch_timer = NULL;
	if (msec == 0)
		return;
	ch->ch_timer = evtimer_new(proc_base(), fn, ch);
	if (ch->ch_timer == NULL || evtimer_add(ch->ch_timer, &tv) == -1)
		fatalx("child_timer: out of memory");
}

static void
child_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct child	*ch = arg;

	(void)fd;
	(void)what;
	child_kill(ch, "it did not start in time");
}

void
child_kill(struct child *ch, const char *why)
{
	if (ch->ch_pid == 0)
		return;
	if (ch->ch_why == NULL)
		ch->ch_why = why;
	(void)kill(ch->ch_pid, SIGKILL);
}

void
child_wire(struct child *ch)
{
	const struct proc_table	*pt = proc_parent()->pa_table;
	const struct proc_link	*pl;
	size_t			 i;

	for (i = 0; i < pt->pt_nlinks; i++) {
		pl = &pt->pt_links[i];
		if ((pl->pl_a == ch->ch_row->pr_role ||
		    pl->pl_b == ch->ch_row->pr_role) && child_link(pl) == -1)
			child_kill(ch, "no socketpair for it");
	}
}

int
child_link(const struct proc_link *pl)
{
	struct child	*a = child_find(pl->pl_a), *b = child_find(pl->pl_b);
	int		 sp[2];

	if (a == NULL || b == NULL || a->ch_state < CHILD_HELLO ||
	    a->ch_state > CHILD_UP || b->ch_state < CHILD_HELLO ||
	    b->ch_state > CHILD_UP)
		return (0);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    sp) == -1) {
		log_warn("%s to %s: socketpair", a->ch_row->pr_name,
		    b->ch_row->pr_name);
		return (-1);
	}
	child_give(a, pl->pl_b, pl->pl_kind, sp[0]);
	child_give(b, pl->pl_a, pl->pl_kind, sp[1]);
	return (0);
}

static void
child_give(struct child *ch, enum role other, enum proc_linkkind kind, int fd)
{
	const uint8_t	 body[2] = { (uint8_t)other, (uint8_t)kind };

	(void)peer_send(ch->ch_peer, IMSG_PROC_PEER, 0, fd, body,
	    sizeof(body));
}

pid_t
proc_pid(enum role role)
{
	const struct child	*ch = child_find(role);

	return (ch != NULL ? ch->ch_pid : 0);
}

uid_t
proc_uid(enum role role)
{
	const struct child	*ch = child_find(role);

	return (ch != NULL ? ch->ch_uid : 0);
}

const char *
proc_sandbox(enum role role)
{
	const struct child	*ch = child_find(role);

	return (ch != NULL ? ch->ch_sandbox : "");
}

const char *
proc_lastdeath(enum role role)
{
	const struct child	*ch = child_find(role);

	return (ch != NULL ? ch->ch_death : "");
}

unsigned int
proc_restarts(enum role role)
{
	const struct child	*ch = child_find(role);

	return (ch != NULL ? ch->ch_restarts : 0);
}
