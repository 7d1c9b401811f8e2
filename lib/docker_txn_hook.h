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

#ifndef DOCKER_TXN_HOOK_H
#define DOCKER_TXN_HOOK_H

#include "docker_hook.h"
#include "docker_journal.h"
#include "docker_update.h"
#include "monotime.h"

/*
 * The commands of one update, part of struct txn.  In which step each runs:
 *	pre-update	preparing, before the pull
 *	gate		at the end of "gate"
 *	post-update	at the end of "confirm"
 * That a hook begins is in the journal before it does: after a crash it is
 * not run again, and the result says so; so each runs once at most.  A gate
 * command may run twice.  What still runs then is ended (docker_txn_clear.c).
 */
struct txn;
enum txn_act;

struct txn_hooks {
	bool		 th_run;	/* hooks are on, for this update */
	char		*th_fault;	/* why no command may run, or NULL */
	struct hook	 th_pre;	/* of the server; then of the label */
	struct hook	 th_post;	/* of the server */
	bool		 th_began[2];	/* by enum hook_phase */
	bool		 th_ended[2];
	struct docker_exec *th_exec;	/* under way */
	bool		 th_back;	/* failure of this one goes back */
	monotime_t	 th_gate;	/* first try, 0: none */
	monotime_t	 th_gate_end;
	char		 th_last[HOOK_REASON_MAXBYTES];	/* of the gate */
	char		 th_note[HOOK_REASON_MAXBYTES];	/* for the result */
	/* docker_txn_clear.c: what became of one that was interrupted */
	char		 th_where[DOCKER_ID_LEN + 1];	/* its container */
	char		 th_fate[64];	/* "it was ended" */
	bool		 th_cleared;	/* that was found out */
	unsigned int	 th_tries;
	void		(*th_after)(struct txn *);
};

void		 txn_hooks_free(struct txn *);
/* Copies what the request says of hooks.  0, -1 ENOMEM. */
int		 txn_hooks_set(struct txn *, const struct update_request *);
/* What a later life needs to know: after DJ_BEGIN.  0, -1 with errno. */
int		 txn_hooks_write(struct txn *);
/* DJ_HOOKS and DJ_HOOK of a former life. */
void		 txn_hooks_seen(struct txn *, const struct journal_rec *);
/* May and can the labels of the old container be followed?  False: tx_error
 * says why not. */
bool		 txn_hooks_check(struct txn *, const struct json_value *);
/* Runs the pre hook, if there is one, then next(); or ends the update. */
void		 txn_hooks_pre(struct txn *, void (*next)(struct txn *));
/* The rest of steps; seen is the new container. */
enum txn_act	 txn_hooks_gate(struct txn *, const struct json_value *seen);
enum txn_act	 txn_hooks_post(struct txn *, const struct json_value *seen);

/* --- docker_txn_clear.c ------------------------------------------------ */
/* Ends what this operation's hooks have left running in that container, says
 * in th_fate how that went, then next(). */
void		 txn_hooks_clear(struct txn *, const char *id,
		    void (*next)(struct txn *));
/* After a crash before anything was touched: interrupted in the middle of the
 * pre hook?  True: it has taken over and ends the update. */
bool		 txn_hooks_recover(struct txn *);

#endif /* DOCKER_TXN_HOOK_H */
