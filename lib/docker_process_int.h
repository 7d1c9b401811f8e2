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

#ifndef DOCKER_PROCESS_INT_H
#define DOCKER_PROCESS_INT_H

#include "compat.h"

#include "confpart.h"
#include "docker_api.h"
#include "docker_process.h"
#include "docker_update.h"
#include "ipc.pb-c.h"
#include "monotime.h"
#include "pbmem.h"
#include "reqtab.h"

/*
 * Shared by docker_process.c (life, sockets, journal), docker_dispatch.c and
 * docker_dispatch_*.c (operations of the engine), and by nobody else.
 */
#define DP_OPS_MAX	64	/* actions, logs and pulls at a time */
#define DP_LISTS_MAX	16	/* waiting */
/* Without dp_updater. */
#define DP_NOT_READY	"starting, or this program itself is being updated: " \
			"try again later"
#define DP_TEXT_MAXBYTES 1000

/* An operation under way that is no update and no list. */
struct dp_op {
	TAILQ_ENTRY(dp_op)	 do_entry;
	Sentinel__Ipc__DockerOp__Kind do_kind;
	char			 do_request[129];
	char			 do_container[256];
	char			 do_action[16];
	char			 do_image[DOCKER_REF_MAXBYTES];
	int32_t			 do_lines;
	monotime_t		 do_began;
};

/* Lists are made one after another: their items carry no request id. */
struct dp_list {
	TAILQ_ENTRY(dp_list)	 dl_entry;
	char			 dl_request[129];
	uint32_t		 dl_count;
	bool			 dl_running;
	bool			 dl_choked;	/* engine is too slow */
};

struct docker_process {
	struct docker_conf	 dp_conf;
	struct docker_conf	 dp_staged;
	bool			 dp_configured;
	struct docker		*dp_docker;
	struct reqtab		*dp_asks;
	struct journal		*dp_journal;	/* until dp_updater has it */
	struct updater		*dp_updater;
	struct kin		*dp_kin;
	TAILQ_HEAD(, dp_op)	 dp_ops;
	size_t			 dp_nops;
	TAILQ_HEAD(, dp_list)	 dp_lists;
	size_t			 dp_nlists;
	struct update_self	 dp_who;
	struct event		*dp_hand;	/* journal to the helper */
	struct event		*dp_watch;
	bool			 dp_told;	/* state was sent */
	bool			 dp_available;
	bool			 dp_live;	/* as it was told */
	char			 dp_error[DOCKER_ERROR_MAXBYTES];
};

/* docker_dispatch.c: results.  Strings of r are made fit for their fields. */
void		 dp_send_result(Sentinel__Ipc__DockerResult *);
void		 dp_result_init(Sentinel__Ipc__DockerResult *,
		    const struct dp_op *, const char *error);
void		 dp_op_done(void *, const char *error);
void		 dp_op_end(struct dp_op *);
char		*dp_const(const char *);

/* docker_dispatch_hook.c */
/* Runs one hook; takes the operation. */
void		 dp_hook(struct dp_op *, const Sentinel__Ipc__DockerOp *);
/* What an update is to know of hooks.  0, or -1 with a line in why. */
int		 dp_hooks_of(const Sentinel__Ipc__DockerOp *, struct hook *pre,
		    struct hook *post, char *why, size_t);
void		 dp_update_hook(void *, const char *, const char *,
		    enum hook_phase, const struct docker_exec_result *);

extern struct docker_process	*dp;
extern const struct update_ops	 dp_update_ops;

struct peer	*dp_engine(void);	/* NULL: not there */
void		 dp_update_handover(void *);	/* uo_handover */
void		 dp_dispatch(const Sentinel__Ipc__DockerOp *);
/* The answer to one; error "" for success.  Strings are borrowed, and made fit
 * for their fields when it is sent. */
void		 dp_result_init(Sentinel__Ipc__DockerResult *,
		    const struct dp_op *, const char *error);
void		 dp_send_result(Sentinel__Ipc__DockerResult *);
void		 dp_op_end(struct dp_op *);	/* frees it */
/*
 * What UPDATE and PLAN ask for.  The strings are borrowed of the message; the
 * hooks are the caller's, to be freed in any case.  -1 with a line in why.
 */
int		 dp_request(struct update_request *,
		    const Sentinel__Ipc__DockerOp *, struct hook *pre,
		    struct hook *post, char *why, size_t size);
/* docker_dispatch_detail.c: takes the operation. */
void		 dp_detail(struct dp_op *);
/* docker_dispatch_plan.c */
void		 dp_plan(struct dp_op *, const Sentinel__Ipc__DockerOp *);
/* const away, for fields that are only packed. */
char		*dp_const(const char *);
/* docker_follows.c: rows of the handler table */
void		 dp_follow(struct peer *, struct imsg *);
void		 dp_follow_taken(struct peer *, struct imsg *);
void		 dp_follow_stop(struct peer *, struct imsg *);
/* Text of Docker for a field: one line, repaired, cut to max bytes. */
char		*dp_text(struct pbmem *, const char *, size_t max);
/* As it is when it is printable ASCII without space and fits, else "". */
char		*dp_word(struct pbmem *, const char *, size_t max);

#endif /* DOCKER_PROCESS_INT_H */
