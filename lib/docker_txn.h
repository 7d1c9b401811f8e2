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

#ifndef DOCKER_TXN_H
#define DOCKER_TXN_H

#include "compat.h"

#include "docker_depend.h"
#include "docker_keep.h"
#include "docker_self.h"
#include "docker_spec.h"
#include "docker_txn_hook.h"
#include "docker_update.h"
#include "monotime.h"

/*
 * One update transaction, shared by the files of the update engine and by
 * nobody else:
 *	docker_update.c		operations, their start and their end
 *	docker_prepare*.c	everything that only looks: refuse here
 *	docker_plan.c		end there, and say what would be done
 *	docker_txn.c		the driver of the steps
 *	docker_group.c		the order of the members' steps
 *	docker_steps.c		the steps forward and to the end
 *	docker_copy.c		files that are in no setting
 *	docker_undo.c		the steps back
 *	docker_steady.c		once more, when Docker was lost meanwhile
 *	docker_rollback.c	going back to an earlier image on request
 *	docker_sweep.c		keeping earlier images, and clean-up
 *	docker_gate.c		is the new container good?
 *	docker_txn_hook.c	commands inside of it
 *	docker_txn_clear.c	what a crash leaves of them
 *	docker_recover.c	the journal at the start of the process
 */
/*
 * Containers that depend on the one to be updated (docker_depend.h) are
 * members of its transaction.  Each has a struct txn of its own with its own
 * ids, steps and pending answers; phase, outcome, reason and journal number
 * are the leader's.
 */
#define TXN_TRIES_MAX	4	/* of one step without a clear answer */
#define TXN_POLICY_MAXBYTES 1024	/* JSON, with NUL */
#define TXN_REFUSED_MAX	10	/* going back: Docker says 5xx */
#define TXN_PATIENCE_MSEC (30 * 60 * 1000) /* going back: no clear answer */
#define TXN_AWAY_MSEC	120000	/* Docker gone: then back, not forward */

enum txn_phase {
	TXN_PREPARE,		/* nothing touched */
	TXN_FORWARD,
	TXN_FINISH,		/* the gate was passed */
	TXN_UNDO,
	TXN_ORPHAN		/* nothing to go back to */
};

/* In the journal: never renumber. */
enum txn_kind {
	TXN_LEAD	= 0,
	TXN_SHARED	= 1,	/* made anew from the same image */
	TXN_ORDERED	= 2	/* stopped before, started after */
};

struct copied;
struct txn;
struct txn_leg;

/* What a step does after its look at Docker. */
enum txn_act {
	ACT_DONE,		/* nothing (more) to do */
	ACT_SENT,		/* tx_req is under way */
	ACT_WAIT,		/* look again after tx_wait_msec */
	ACT_FAIL,		/* tx_error says why */
	ACT_MOVED		/* another phase has begun */
};

enum txn_look { LOOK_NONE, LOOK_OLD, LOOK_NEW, LOOK_NAME };

struct txn_step {
	const char	*st_name;	/* in journal, progress and errors */
	enum txn_look	 st_look;
	/* seen: inspect answer, NULL when there is no such container. */
	enum txn_act	(*st_act)(struct txn *, const struct json_value *seen);
	/* The request was answered well; NULL: the step is done.  True: act
	 * again (more of the same to do). */
	bool		(*st_reply)(struct txn *, const struct docker_reply *);
	unsigned int	 st_flags;
};
#define STEP_GONE_OK	0x01	/* 404 is as good as done */
#define STEP_HARM	0x02	/* from here on the old one is touched */
#define STEP_BUSY_WAIT	0x04	/* 409: somebody does it already */
#define STEP_QUIET	0x08	/* its failure changes no outcome */
/*
 * Docker finishes what it has begun, also when nobody waits for the answer.
 * What a crash or a lost answer leaves behind in tx_pending:
 */
#define STEP_MAKES	0x10	/* the new container may still appear */
#define STEP_STOPS	0x20	/* the old one may still be stopped */
#define STEP_STOPPED	0x40	/* no: its stop was answered before this */
#define STEP_LENDS	0x80	/* the reference points to the old image */
#define STEP_REGAINS	0x100	/* and where it did before */
#define STEP_AUTO	0x400	/* only for a container made with --rm */
#define STEP_COPIES	0x800	/* only with files in tx_copied */
#define STEP_REGAINED	0x200	/* that was answered before this */

struct txn {
	struct updater		*tx_updater;
	TAILQ_ENTRY(txn)	 tx_entry;	/* leaders only */
	struct txn		*tx_lead;	/* itself for the leader */
	enum txn_kind		 tx_kind;
	size_t			 tx_member;	/* place among them, or 0 */
	unsigned int		 tx_why;	/* enum depend_why, prepare */
	struct txn		*tx_users[DEPEND_USERS_MAX]; /* start order */
	size_t			 tx_nusers;
	uint32_t		 tx_number;	/* in the journal */
	char			 tx_opid[UPDATE_OPID_MAXBYTES];
	char			 tx_name[DOCKER_NAME_MAXBYTES];
	char			 tx_name_new[DOCKER_NAME_MAXBYTES + 16];
	char			 tx_name_old[DOCKER_NAME_MAXBYTES + 16];
	char			 tx_want_ref[DOCKER_REF_MAXBYTES];
	char			 tx_want_digest[80];
	char			*tx_auth;	/* until the pull */
	bool			 tx_nopull;
	char			*tx_rule;	/* uq_rule */
	bool			 tx_ordered;	/* uq_ordered */
	struct txn_plan		*tx_plan;	/* only asked for, or NULL */
	bool			 tx_rollback;	/* uq_rollback */
	char			 tx_to[KEEP_TO_MAXBYTES];	/* uq_to */
	char			**tx_bad;	/* uq_bad */
	size_t			 tx_nbad;
	time_t			 tx_began;
	monotime_t		 tx_mono;

	/* state */
	enum txn_phase		 tx_phase;
	const struct txn_leg	*tx_leg;	/* of the leader */
	size_t			 tx_cursor;	/* member in this leg */
	const struct txn_step	*tx_step;
	bool			 tx_recorded;	/* step is in the journal */
	bool			 tx_harm;
	bool			 tx_recovered;
	bool			 tx_undo_failed;
	/* docker_steady.c, of the leader */
	unsigned int		 tx_losses;	/* docker_losses() before */
	bool			 tx_shaken;	/* in a former life, perhaps */
	bool			 tx_lost;	/* in this one, for sure */
	unsigned int		 tx_rounds;
	bool			 tx_self;	/* it is our own container */
	bool			 tx_handed;	/* journal: for the helper */
	char			*tx_helper;	/* body for its creation */
	size_t			 tx_helperlen;
	char			 tx_helper_id[DOCKER_ID_LEN + 1];
	unsigned int		 tx_pending;	/* STEP_MAKES, _STOPS, _LENDS */
	bool			 tx_planbad;	/* journal's plan unreadable */
	bool			 tx_ended;	/* journal: with tx_outcome */
	enum update_outcome	 tx_outcome;
	bool			 tx_kept;	/* tx_new_id: in the journal */
	bool			 tx_confirmed;	/* the new one is in place */
	bool			 tx_new_up;	/* and runs */
	unsigned int		 tx_tries;	/* of this step */
	unsigned int		 tx_refused;	/* 5xx of this step */
	monotime_t		 tx_step_began;
	monotime_t		 tx_settle;	/* waiting for pending since */
	monotime_t		 tx_away;	/* Docker gone since, or 0 */
	size_t			 tx_index;	/* network in this step */
	unsigned int		 tx_wait_msec;
	char			 tx_error[UPDATE_ERROR_MAXBYTES];
	char			 tx_reason[UPDATE_ERROR_MAXBYTES]; /* of undo */
	char			 tx_trouble[UPDATE_ERROR_MAXBYTES];

	/* plan: in the journal */
	char			 tx_old_id[DOCKER_ID_LEN + 1];
	char			 tx_old_image[80];
	char			 tx_old_ref[DOCKER_REF_MAXBYTES];
	char			 tx_old_digest[DOCKER_REF_MAXBYTES];
	char			 tx_new_id[DOCKER_ID_LEN + 1];
	char			 tx_new_image[80];
	char			 tx_new_ref[DOCKER_REF_MAXBYTES];
	char			 tx_new_digest[DOCKER_REF_MAXBYTES];
	char			 tx_keep[64];	/* private tag, "" none */
	char			 tx_moved[80];	/* image with tx_old_ref now */
	bool			 tx_running;	/* the old one was */
	bool			 tx_paused;
	/* Made with --rm: it is gone when it is stopped, so what it was made
	 * of is kept. */
	bool			 tx_auto;
	char			*tx_body;
	bool			 tx_noref;	/* tx_old_ref cannot be lent */
	char			*tx_policy;	/* JSON; NULL: none */
	unsigned int		 tx_stop_sec;
	struct docker_net	 tx_fixed[DOCKER_NETS_MAX];
	size_t			 tx_nfixed;
	/* docker_rollback.h, in the plan's flags */
	unsigned int		 tx_keep_count;	/* earlier images, and how */
	unsigned int		 tx_keep_days;	/* long; 0: for ever */
	bool			 tx_cleanup;	/* uq_cleanup */
	bool			 tx_unnamed;	/* old image: not kept under a
						 * name of its own yet */
	bool			 tx_retag;	/* tx_new_ref is given to */
	char			 tx_ref_was[80]; /* tx_new_image, was this's */

	/* what compose has copied in, docker_copied.h; only while running */
	struct copied		*tx_copied;	/* NULL: not concerned */
	char			 tx_copywhy[UPDATE_ERROR_MAXBYTES]; /* "" */
	bool			 tx_copyany;	/* of the changes */
	bool			 tx_copynull;
	char			*tx_copytar;	/* the file under way */
	size_t			 tx_copylen;
	time_t			 tx_copymade;	/* the new one was */
	const char		*tx_copybad;	/* why it cannot be, constant */

	/* only while running */
	struct docker_spec	 tx_spec;
	struct json		*tx_inspect;	/* of the old one, prepare */
	struct json		*tx_image;	/* its image or NULL, prepare */
	struct json		*tx_image_new;	/* the new one, prepare */
	struct json		*tx_image_own;	/* podman: tx_image in its own
						 * words, prepare */
	char			*tx_engine;	/* Docker's host name or NULL */
	struct depend		*tx_depend;
	struct json_splitter	*tx_split;
	struct keep		*tx_earlier;	/* images, docker_keep.h */
	int			(*tx_on_item)(struct txn *,
				    const struct json_value *);
	struct docker_req	*tx_req;
	struct docker_pull	*tx_pull;
	struct event		*tx_timer;
	void			(*tx_timer_fn)(struct txn *);
	void			(*tx_next)(struct txn *); /* after a hook */

	struct txn_hooks	 tx_hooks;

	/* gate */
	monotime_t		 tx_gate_start;	/* 0: not begun */
	int64_t			 tx_gate_restarts;
	char			 tx_gate_started[64];
};

/*
 * Names under which a container of ours may appear yet: its creation was sent
 * and has neither been answered nor seen when the update ended.  Whatever else
 * has such a name is somebody else's and is not touched.
 */
#define TXN_STRAYS_MAX	16

struct updater {
	struct event_base	*up_base;
	struct docker		*up_docker;
	struct journal		*up_journal;
	struct kin		*up_kin;	/* NULL: none */
	struct update_config	 up_conf;
	struct update_self	 up_self;	/* us_what NULL: not known */
	struct update_ops	 up_ops;
	void			*up_arg;
	TAILQ_HEAD(, txn)	 up_txns;
	size_t			 up_ntxns;
	size_t			 up_nrecover;	/* of them from the journal */
	uint32_t		 up_ended[JOURNAL_OPEN_MAX]; /* not DJ_TOLD */
	size_t			 up_nended;
	struct event		*up_told;
	char			 up_strays[TXN_STRAYS_MAX][DOCKER_NAME_MAXBYTES
				    + 16];	/* "": free */
	size_t			 up_nextstray;
	bool			 up_replayed;
	bool			 up_ready;
	bool			 up_stopping;
};

/* --- docker_update.c --------------------------------------------------- */
struct txn	*txn_new(struct updater *, const char *opid, const char *name);
/* A further member, next in the order; owned by the leader.  NULL: ENOMEM,
 * E2BIG (DEPEND_USERS_MAX). */
struct txn	*txn_new_user(struct txn *lead, enum txn_kind,
	    const char *name);
/* Is this name concerned by another transaction than this? */
bool		 updater_busy_but(const struct updater *, const char *name,
		    const struct txn *);
/* A request, checked, as a transaction that is not in the journal yet; NULL
 * with a line in err. */
struct txn	*txn_request(struct updater *, const struct update_request *,
		    char *err, size_t errsize);
/* Ends the operation: journal, uo_done, memory. */
void		 txn_end(struct txn *, enum update_outcome);
/* It was over before, but perhaps nobody heard. */
void		 txn_retell(struct txn *);
/* Everybody knows. */
void		 txn_discard(struct txn *);
/* Recovery is through. */
void		 updater_set_ready(struct updater *);
/* One step's words for tx_error; cut, never failing. */
void		 txn_error(struct txn *, const char *, ...) __printflike_(2, 3);
/* A record with one text, and the member's number unless the leader's. */
int		 txn_note(struct txn *, enum docker_rec, const char *);
void		 txn_progress(struct txn *, const char *stage,
		    const char *detail, uint64_t done, uint64_t total);
void		 txn_later(struct txn *, unsigned int msec,
		    void (*)(struct txn *));

/* --- docker_prepare.c -------------------------------------------------- */
void		 txn_prepare(struct txn *);

/* --- docker_prepare_names.c -------------------------------------------- */
/* This name may appear yet: the oldest such is forgotten when there are too
 * many. */
void		 stray_expect(struct updater *, const char *name);
bool		 stray_expected(const struct updater *, const char *name);

/* --- docker_prepare_users.c -------------------------------------------- */
/* The body for the successor of a shared user, once those it depends on have
 * theirs.  -1 with tx_error. */
int		 users_spec(struct txn *);

/* --- docker_plan.c ----------------------------------------------------- */
/* Tells the plan, or why there is none; frees the transaction. */
void		 txn_plan_end(struct txn *, enum update_outcome);

/* --- docker_txn.c ------------------------------------------------------ */
void		 txn_forward(struct txn *);	/* PLAN is in the journal */
void		 txn_resume_gate(struct txn *);
void		 txn_finish(struct txn *);
void		 txn_undo(struct txn *);	/* tx_error: reason */
/* For a step that returned ACT_MOVED to wait for something of its own: it is
 * done, or looks again after msec. */
void		 txn_step_done(struct txn *);
void		 txn_step_again(struct txn *, unsigned int msec);
/* A step in the journal: tx_harm and tx_pending. */
void		 txn_step_seen(struct txn *, const char *name);
/* Of one member; steps end with a row without a name. */
void		 txn_begin_step(struct txn *, const struct txn_step *);
/* After the last step of all members in a phase. */
void		 txn_phase_end(struct txn *lead);

/* --- docker_steady.c --------------------------------------------------- */
/* A phase begins in which what was lost before does not count. */
void		 txn_steady_begin(struct txn *lead);
/* Was Docker lost since then?  Then these legs are under way now, and the
 * phase ends again afterwards. */
bool		 txn_steady(struct txn *lead, const struct txn_leg *);
/* Will there be such a round? */
bool		 txn_unsteady(const struct txn *);

/* --- docker_group.c ---------------------------------------------------- */
enum leg_who { LEG_LEAD, LEG_UP, LEG_DOWN };	/* users in order, reversed */
struct txn_leg {
	enum leg_who		 lg_who;
	const struct txn_step	*lg_steps;	/* leader, shared users */
	const struct txn_step	*lg_ordered;	/* NULL: nothing */
	bool			 lg_touched;	/* only members with tx_harm */
};
void		 group_begin(struct txn *lead, const struct txn_leg *);
/* The last step of this member in this leg is done. */
void		 group_next(struct txn *);
/* From this step on, in the leg of the leader's that has it. */
void		 group_resume(struct txn *lead, const struct txn_leg *,
		    const char *step);
/* Was any of them touched? */
bool		 group_harmed(const struct txn *lead);
/* Are the new ones of all members that have one in place? */
bool		 group_confirmed(const struct txn *lead);

/* --- docker_copy.c ----------------------------------------------------- */
void		 copy_free(struct txn *);

/* --- docker_gate.c ----------------------------------------------------- */
enum txn_act	 gate_look(struct txn *, const struct json_value *);
/* Milliseconds a HEALTHCHECK may take, from Config.Healthcheck. */
uint64_t	 gate_health_msec(const struct json_value *,
		    const struct update_config *);

/* --- docker_recover.c -------------------------------------------------- */
int		 txn_write_plan(struct txn *);	/* DJ_PLAN */

#endif /* DOCKER_TXN_H */
