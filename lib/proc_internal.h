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

#ifndef PROC_INTERNAL_H
#define PROC_INTERNAL_H

#include "monotime.h"
#include "proc.h"

/*
 * Between proc_peer.c, proc_child.c, proc_parent.c, proc_life.c, proc_spawn.c,
 * proc_reap.c and proc_watch.c; nobody else includes it.
 */
#define PROC_FD_PARENT	3
#define PROC_FD_LOG	4
#define PROC_FD_SELF	64	/* the saved binary is here or above */

/* Flags in PROC_START. */
#define PROC_START_KEEP		0x01
#define PROC_START_TRAP		0x02
#define PROC_START_DEBUG	0x04
#define PROC_START_FLAGS	0x07

/* --- proc_peer.c -------------------------------------------------------- */
struct proc_hooks {
	/* Messages of the PROC group, after the table check. */
	void	(*pk_message)(struct peer *, struct imsg *);
	/* The channel has ended or is doomed; closed after the call. */
	void	(*pk_lost)(struct peer *);
	/* The sibling broke a rule; not to return, or peer_doom(). */
	void	(*pk_broken)(struct peer *, const char *why);
};

void		 proc_setup(const struct proc_table *, const struct proc_row *,
		    const struct proc_hooks *);
const struct proc_row *proc_row(enum role);	/* NULL when not in the table */
const char	*proc_rolename(enum role);
/* Open channel, also a doomed one. */
struct peer	*peer_find(enum role, bool sync);
/* Takes fd.  Reads nothing until peer_listen().  Out of memory is fatal. */
struct peer	*peer_open(enum role, int fd, bool sync);
/* Ends the channel now; the struct stays until the next event. */
void		 peer_close(struct peer *);
/* Ends it at the next event, by way of pk_lost. */
void		 peer_doom(struct peer *, const char *why);
void		 peer_foreach(void (*)(struct peer *));
/* Write what is queued; msec for all channels together. */
void		 peer_flush_all(int msec);

/* --- parent ------------------------------------------------------------- */
enum child_state {
	CHILD_OFF,		/* not enabled */
	CHILD_START,		/* PROC_START sent */
	CHILD_HELLO,		/* confined, waits for its peers */
	CHILD_READY,		/* PROC_READY sent */
	CHILD_UP,		/* in its event loop */
	CHILD_STOP,		/* PROC_STOP sent */
	CHILD_STOPPED,		/* finished, or never got so far */
	CHILD_WAIT,		/* reaped, back-off runs */
	CHILD_GONE		/* reaped for good */
};

struct parent;

struct child {
	const struct proc_row	*ch_row;
	struct parent		*ch_parent;
	enum child_state	 ch_state;
	pid_t			 ch_pid;	/* 0: none to reap */
	uid_t			 ch_uid;
	gid_t			 ch_gid;
	struct peer		*ch_peer;
	int			 ch_logid;	/* logsink.h, or -1 */
	struct event		*ch_timer;	/* start, back-off or stop */
	monotime_t		 ch_born;
	unsigned int		 ch_backoff;	/* ms, the next; 0: the first */
	unsigned int		 ch_restarts;
	bool			 ch_late;	/* does not finish in time */
	uint32_t		 ch_ping;	/* not answered yet, or 0 */
	unsigned int		 ch_missed;	/* periods since that ping */
	bool			 ch_answered;	/* a ping, in this life */
	bool			 ch_spared;	/* silent with an excuse */
	bool			 ch_hung;	/* killed for that */
	const char		*ch_why;	/* we killed it for, or NULL */
	char			 ch_sandbox[128];
	char			 ch_death[PROC_DEATH_SIZE];
};

struct parent {
	const struct proc_table	*pa_table;
	const struct proc_parent_ops *pa_ops;
	struct proc_opts	 pa_opts;
	struct child		*pa_children;	/* by row; row 0 unused */
	size_t			 pa_nchildren;
	struct event		*pa_signals[4];
	struct event		*pa_deadline;	/* of the end */
	struct event		*pa_watch;
	monotime_t		 pa_watched;	/* last turn of the watch */
	unsigned int		 pa_period;	/* ms from turn to turn */
	uint32_t		 pa_ping;	/* last number given */
	bool			 pa_started;	/* the barrier is passed */
	bool			 pa_stopping;
	bool			 pa_closing;	/* channels are closed */
	bool			 pa_killed;	/* all got SIGKILL */
	bool			 pa_abandon;	/* even that did not help */
	int			 pa_status;
};

/* proc_parent.c */
struct parent	*proc_parent(void);

/* proc_life.c */
struct child	*child_find(enum role);	/* NULL: not in the table */
/* Begins a life of the row: CHILD_START.  -1 logged. */
int		 child_start(struct child *);
void		 child_kill(struct child *, const char *why);
/* A child has one timer, for one purpose at a time; msec 0: none. */
void		 child_timer(struct child *, event_callback_fn,
		    unsigned int msec);
/* A restarted child: channels to those who are there. */
void		 child_wire(struct child *);
/* 0 also when one end is not there; it gets the link when it comes. */
int		 child_link(const struct proc_link *);

/* proc_spawn.c: forks and execs; fills ch_pid, ch_peer, ch_logid. */
int		 child_spawn(struct child *);

/* proc_watch.c */
void		 watch_start(struct parent *);
/* A life begins. */
void		 watch_reset(struct child *);
void		 watch_pong(struct child *, struct imsg *);

/* proc_reap.c */
int		 proc_signals(struct parent *);
void		 proc_stop_next(struct parent *);
/* Runs the loop until the last child is reaped. */
void		 proc_reap_all(struct parent *);

#endif /* PROC_INTERNAL_H */
