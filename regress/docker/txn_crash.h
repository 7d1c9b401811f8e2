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

#ifndef TXN_CRASH_H
#define TXN_CRASH_H

/*
 * The kill matrix of the update transaction on a real engine, see main() in
 * txn_crash.c:
 *	txn_crash.c	which points there are, all or a sample of them
 *	txn_attempt.c	one point: its lives, and what must hold afterwards
 *	txn_life.c	the updater, in a process of its own
 *	txn_world.c	the containers, and the engine by its own client
 *	relay.c		between updater and engine
 */
#include "compat.h"

#include "docker_update.h"
#include "relay.h"

#define LOOK_BYTES	8192
#define USERS		2	/* of the provider in W_VPN */

/* What kind of container. */
enum world { W_RICH, W_PAUSED, W_STOPPED, W_DEAF, W_JOINED, W_HOST,
    W_AUTO, W_VPN, W_HOOK, W_MAX };

/* At a record: the updater dies, or the engine does. */
enum record_fate { REC_NONE, REC_BEFORE, REC_TORN, REC_AFTER, REC_ENGINE };

struct attempt {
	enum world		 at_world;
	bool			 at_bad;	/* to an image that fails */
	enum record_fate	 at_rec;
	int			 at_nth;	/* record or request */
	enum relay_fate		 at_fate;
	bool			 at_again;	/* recovery dies, too */
};

struct look {
	char	 lk_id[72];
	char	 lk_image[80];
	char	 lk_sig[LOOK_BYTES];	/* all that must not change */
};

/* Where: the lab's directory, ours, and what all names begin with. */
extern const char	*lab_dir, *dir, *prefix;
extern char		 docker_sock[128], relay_path[128], journal_path[128];
extern struct event_base *base;
extern struct relay	*relay;

/* --- txn_attempt.c ----------------------------------------------------- */
/* Runs it, prints its test line; records: of the journal, of its first life.
 * False: it did not hold. */
bool		 attempt(const struct attempt *, int *records);
/* The engine was killed after the end. */
extern bool	 attempt_late;
/* Of those that held, so many with a container that Docker itself has made
 * unstartable. */
extern unsigned int attempt_broken;
/* What it is, in words. */
void		 attempt_text(const struct attempt *, char *, size_t);
/* Does it hit the engine? */
bool		 attempt_is_engine(const struct attempt *);

/* --- txn_life.c -------------------------------------------------------- */
/* One life of an updater, to its end; its exit status as of wait(2).  What it
 * said is added to told.  request NULL: it only recovers. */
int		 run_life(const struct update_request *, enum record_fate,
		    int nth, char *told, size_t);
void		 life_kill(void);		/* the one that lives */

/* --- txn_world.c ------------------------------------------------------- */
extern const char *const world_names[];
/* A line for the shell in which d is the client; its output without the last
 * newline, its status. */
int		 docker(char *, size_t, const char *, ...)
		    __printflike_(3, 4);
void		 must(const char *, ...) __printflike_(1, 2);
const char	*container(enum world);
void		 world_make(enum world);
/* -1: there is none. */
int		 look(const char *, struct look *);
/* Those who share with the provider; relative to it and to each other. */
extern const char *const user_names[];
void		 look_users(const struct look *lead, struct look[USERS]);
/* Is the engine to be killed there?  Only where it starts all again itself. */
bool		 world_survives(enum world);
/* kill -9 of dockerd; and until its successor answers. */
void		 engine_find(void);
void		 engine_kill(void);
void		 engine_wait(void);
/* W_HOOK: forget what ran; from now on a hook does not end; did each run once
 * at most, is none left?  why is "" then.  counts: pre and post. */
void		 hooks_forget(void);
void		 hooks_hold(void);
void		 hooks_check(char *why, size_t, int counts[2]);

#endif /* TXN_CRASH_H */
