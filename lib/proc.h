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

#ifndef PROC_H
#define PROC_H

#include "compat.h"

#include <sys/resource.h>

#include <event2/event.h>
#include <protobuf-c/protobuf-c.h>

#include "imsg.h"
#include "imsg_rule.h"
#include "roles.h"

/*
 * Processes: a table of rows, a matrix of links, fork + exec of the own
 * binary per row, confinement before the first byte of input, a ready
 * barrier, dispatch by table, and an orderly end.
 *
 * Child's descriptors at entry: 3 imsg channel to the parent, 4 and 2 log
 * socket; with sanitizers 2 is the parent's.
 * Sequence: parent sends PROC_START; the child runs pr_warmup, confines
 * itself and answers PROC_HELLO; parent sends PROC_PEER (with fd) per link,
 * then PROC_READY, which the child echoes; then pr_start runs and the event
 * loop begins.  Any break of it within PROC_START_MSEC is fatal.
 *
 * End: the parent sends PROC_STOP row by row, last row first; pr_stop runs
 * and calls proc_exit(), which flushes, answers PROC_STOPPED and waits for
 * the parent to close channel 3.  So no process sees a sibling go before it
 * has been told to stop itself.
 */
#define PROC_START_MSEC		10000
#define PROC_STOP_MSEC		5000	/* SIGTERM to SIGKILL */
#define PROC_STOP_EACH_MSEC	2000	/* then the next row is told as well */
#define PROC_WATCH_MSEC		60000	/* no answer for so long: it hangs */
#define PROC_RESTART_FIRST_MSEC	50	/* what lived long is back at once */
#define PROC_RESTART_MIN_MSEC	1000	/* then this, doubled each time */
#define PROC_RESTART_MAX_MSEC	60000	/* a life as long resets it */
#define PROC_DISPATCH_MAX	32	/* messages per wake-up */
#define PROC_WHY_MAXBYTES	200	/* reasons in PROC_BROKEN and logs */
#define PROC_DEATH_SIZE		(128 + PROC_WHY_MAXBYTES)
/*
 * Exit status of a restartable process that another start would not help: it
 * has found the keyholder broken.  The daemon ends as for any other row.
 */
#define PROC_EXIT_DAEMON	70

enum proc_root {
	PROC_ROOT_SLASH,		/* parent only */
	PROC_ROOT_EMPTY,		/* run_dir/empty, root, 0555 */
	PROC_ROOT_STATE			/* the engine's db/ or state/ */
};

#define PROC_F_NETNS	0x01		/* own empty network namespace */
#define PROC_F_RESTART	0x02		/* may be restarted alone */
#define PROC_F_MLOCK	0x04		/* keyholder: no swap, no core */

struct peer;

struct proc_handler {
	uint32_t	 ph_type;
	/* Borrows the imsg.  The table check has passed. */
	void		(*ph_fn)(struct peer *, struct imsg *);
};

struct proc_row {
	enum role	 pr_role;
	const char	*pr_name;	/* "keyholder": -P, title, log */
	const char	*pr_user;	/* "_snt-key" */
	enum proc_root	 pr_root;
	unsigned int	 pr_flags;	/* PROC_F_* */
	const char	*pr_promises;	/* sandbox.h */
	rlim_t		 pr_fsize;	/* bytes or RLIM_INFINITY */
	rlim_t		 pr_nofile;
	const struct proc_handler *pr_handlers;	/* ends with ph_fn NULL */
	/* Before confinement; may be NULL. */
	void		(*pr_warmup)(void);
	void		(*pr_start)(void);	/* after the barrier */
	/*
	 * A peer's channel closed (restart or death); the peer is freed after
	 * the call.  NULL: the parent has PROC_STOP_MSEC to end the daemon in
	 * order, then it is fatal.  Not called after PROC_STOP.
	 */
	void		(*pr_peer_lost)(struct peer *);
	/*
	 * A peer's channel opened, also the first time: called for each
	 * sibling (not the parent) right after pr_start.  May be NULL.
	 */
	void		(*pr_peer_up)(struct peer *);
	/* Parent asked for the end: finish, then proc_exit(), now or from a
	 * later event.  NULL: at once. */
	void		(*pr_stop)(void);
};

enum proc_linkkind { LINK_ASYNC, LINK_SYNC };

struct proc_link {
	enum role	 pl_a;		/* for LINK_SYNC: the asker */
	enum role	 pl_b;		/* for LINK_SYNC: the keyholder */
	enum proc_linkkind pl_kind;
};

struct proc_table {
	const char		*pt_daemon;	/* "sentineld" */
	const struct proc_row	*pt_rows;	/* row 0 is the parent */
	size_t			 pt_nrows;
	const struct proc_link	*pt_links;
	size_t			 pt_nlinks;
};

/*
 * One open channel to a sibling.  All state about a sibling is keyed by
 * pe_channel, which is never reused within a life of the process, so that a
 * restarted sibling cannot be mistaken for its predecessor.
 */
struct peer {
	enum role	 pe_role;
	uint64_t	 pe_channel;
	bool		 pe_sync;	/* keyholder's end of a LINK_SYNC */
	struct imsgbuf	 pe_ibuf;
	struct event	*pe_rev;
	struct event	*pe_wev;
	struct event	*pe_kick;	/* messages left after a wake-up */
	struct event	*pe_turn;	/* pe_sync: the others had theirs */
	const char	*pe_doomed;	/* broken, closed at the next event */
	uint32_t	 pe_faulty;	/* id of the message that was; or 0 */
	bool		 pe_ready;	/* false in the parent until then */
	bool		 pe_held;	/* not read until peer_listen() */
	bool		 pe_closed;
	TAILQ_ENTRY(peer) pe_entry;
};

/* Bytes queued to a sibling beyond which senders with an edge behind them
 * must refuse new work (credit).  A sibling is never stopped being read. */
#define PEER_HIGH_BYTES		(4U * 1024 * 1024)
/* Hard bound: a sibling that stops reading is broken; fatal. */
#define PEER_MAX_BYTES		(64U * 1024 * 1024)

/* Options a parent gives to its children in PROC_START. */
struct proc_opts {
	bool		 po_keep;	/* privileges: keep */
	bool		 po_trap;	/* sandbox trap mode */
	int		 po_verbose;
	uint32_t	 po_uid_base;
	unsigned int	 po_start_msec;	/* 0: PROC_START_MSEC */
	unsigned int	 po_restart_msec; /* 0: PROC_RESTART_MIN_MSEC */
	unsigned int	 po_restart_max_msec; /* 0: PROC_RESTART_MAX_MSEC */
	unsigned int	 po_stop_msec;	/* 0: PROC_STOP_MSEC */
	unsigned int	 po_watch_msec;	/* 0: PROC_WATCH_MSEC */
	char		 po_emptydir[108];
	char		 po_statedir[1024];
};

/* --- every process (proc_peer.c) ---------------------------------------- */
/*
 * Made at the first call; priorities 0 (signing channels) and 1 (default).  A
 * signing channel goes first, and waits for a turn of the others after each
 * read: whoever owns its asker can slow the keyholder down, not stop it.
 */
struct event_base *proc_base(void);
enum role	 proc_self(void);
/* NULL when there is no open channel (in the parent: to a process that has
 * passed the barrier); the asynchronous one of two. */
struct peer	*proc_peer(enum role);
bool		 peer_has_credit(const struct peer *);
/* 0, or -1 when peer is NULL (ENOTCONN).  Out of memory is fatal.  Checks the
 * table on the sending side too: breaking it is our own bug, fatal. */
int		 peer_send(struct peer *, uint32_t type, uint32_t id, int fd,
		    const void *, size_t);
int		 peer_send_ibuf(struct peer *, uint32_t type, uint32_t id,
		    int fd, const struct ibuf *);
int		 peer_send_pb(struct peer *, uint32_t type, uint32_t id,
		    const ProtobufCMessage *);
/*
 * Leaves what arrives where it is, until peer_listen(): for a short while, in
 * which nothing is wanted of that sibling.  Its end is not noticed either.
 */
void		 peer_hold(struct peer *);
void		 peer_listen(struct peer *);
/*
 * Handler found a message broken (NULL: no message in particular): fatal, or
 * for a restartable peer the channel is closed and the parent told to restart
 * it; pr_peer_lost then runs from the event loop, not from here.  In the
 * parent the child is killed.
 */
void		 peer_broken(struct peer *, const struct imsg *,
		    const char *why);

/* --- children (proc_child.c) -------------------------------------------- */
/* Runs the row called name; returns only by exit. */
__dead void	 proc_child_main(const struct proc_table *, const char *name,
		    int argc, char **argv);
/* The asker's end of its LINK_SYNC, for keyop.h; -1 when none. */
int		 proc_sync_fd(void);
/*
 * Flushes what is queued and ends the process, without atexit handlers.
 * After PROC_STOP with status 0 it first tells the parent and waits for it.
 */
__dead void	 proc_exit(int);

/* --- confinement (proc_confine.c) ---------------------------------------- */
struct proc_confine {
	uid_t		 pc_uid;
	gid_t		 pc_gid;
	bool		 pc_keep;	/* privileges: keep */
	bool		 pc_trap;	/* sandbox trap mode */
	pid_t		 pc_parent;	/* to notice that it died meanwhile */
	int		 pc_logfd;	/* for the trap, or -1 */
	const char	*pc_emptydir;	/* borrowed, as is the next */
	const char	*pc_statedir;
};
/*
 * Confines the calling process as its row says, for good: privdrop.h, then
 * sandbox.h.  Fatal when that fails.  proc_child_main() calls it; the
 * confinement tests do as well, for the product has no switch to misbehave.
 */
void		 proc_confine(const struct proc_row *,
		    const struct proc_confine *);

/*
 * --- parent (proc_parent.c, proc_reap.c, proc_watch.c) --------------------
 * Every child in its event loop is pinged; one that does not answer for
 * po_watch_msec is killed, and that is a death like any other.
 */
struct proc_parent_ops {
	/* All rows passed the barrier: push configuration.  No handler of the
	 * parent runs before. */
	void	(*op_ready)(void);
	/*
	 * A restartable row has died and will be started again, its siblings
	 * do not know yet; crashed: by itself or hung, not by a kill(1) from
	 * outside.  May be NULL.
	 */
	void	(*op_died)(enum role, bool crashed);
	/* A restartable row is up again: push its configuration. */
	void	(*op_restarted)(enum role);
	/* SIGHUP; may be NULL. */
	void	(*op_hup)(void);
	/* The end has begun, children still live; may be NULL. */
	void	(*op_stopping)(void);
	/* Just before exit, after the last child is reaped; may be NULL.  Not
	 * called when proc_parent_init() fails. */
	void	(*op_exit)(void);
};
/*
 * Parent's handlers are row 0's.  Starts every row for which enabled() is
 * true (NULL: all), returns after the barrier and op_ready(); -1 logged, all
 * children gone.  logsink_open() comes before it, and setproctitle(3), which
 * wants main()'s arguments.  A SIGTERM that comes meanwhile makes it return 0
 * and proc_parent_loop() end at once.  With po_keep refuses uid 0, without it
 * every other uid.
 */
int		 proc_parent_init(const struct proc_table *,
		    const struct proc_opts *, const struct proc_parent_ops *,
		    bool (*enabled)(enum role));
/* Dispatches until all children are gone; returns the exit status. */
int		 proc_parent_loop(void);
/* SIGTERM handler's work, also for fatal causes: stop children in reverse
 * order of rows, SIGKILL after PROC_STOP_MSEC, exit with status. */
void		 proc_parent_stop(int status);
/* Level to all children and ourselves. */
void		 proc_parent_verbose(int);
pid_t		 proc_pid(enum role);	/* 0 when it does not run */
uid_t		 proc_uid(enum role);	/* id it runs under */
/* What confines it ("chroot netns caps landlock seccomp"), as it reported. */
const char	*proc_sandbox(enum role);
/* Why the row's last instance ended, for control; "" when none has. */
const char	*proc_lastdeath(enum role);
unsigned int	 proc_restarts(enum role);
/* Saves an O_PATH descriptor (>= 64) to the running binary, so that an
 * upgrade on disk cannot mix versions.  Call first in main(); a second call
 * does nothing. */
void		 proc_save_self(void);

#endif /* PROC_H */
