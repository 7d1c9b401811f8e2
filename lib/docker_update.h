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

#ifndef DOCKER_UPDATE_H
#define DOCKER_UPDATE_H

#include "compat.h"

#include <event2/event.h>

#include "docker_api.h"
#include "docker_hook.h"
#include "docker_journal.h"
#include "docker_self.h"

/*
 * Moves a container to another image, or leaves it as it was.
 *
 * The transaction of doc/architecture.md section 6: the old container is
 * parked under NAME.sentinel-prev and removed only after the new one passed
 * the gate; every step is in the journal before it is done.  A crash at any
 * point is finished (the gate was passed, or only it was left) or undone at
 * the next start.  Steps look at Docker's actual state before they act, so
 * repeating one is harmless.
 */
#define UPDATE_SUFFIX_NEW	".sentinel-next"
#define UPDATE_SUFFIX_OLD	".sentinel-prev"
#define UPDATE_KEEP_REPO	"sentinel-keep"	/* private tags */
#define UPDATE_OPID_MAXBYTES	129		/* with NUL */
#define UPDATE_ERROR_MAXBYTES	1024

struct kin;

enum update_outcome {
	UPDATE_SUCCESS,
	UPDATE_IDENTICAL,	/* same image already: nothing touched */
	UPDATE_SKIPPED,		/* the pre hook wants it later */
	UPDATE_ROLLBACK,	/* the old one is back */
	UPDATE_FAILED,		/* refused before any harm, see ur_harm */
	UPDATE_STOPPED		/* shutting down: resumed at next start */
};

struct update_request {
	const char	*uq_opid;	/* operation id, 1..128 bytes */
	const char	*uq_name;	/* container name, exact */
	const char	*uq_image;	/* "" : the container's own reference */
	const char	*uq_digest;	/* "sha256:..." to insist on, or "" */
	const char	*uq_auth;	/* X-Registry-Auth; kept in memory */
	bool		 uq_nopull;	/* take what is there */
	/* Also stop and start what depends on it (docker_depend.h). */
	bool		 uq_ordered;
	/* imagerule.h: what the container's own reference must match when
	 * uq_image is ""; NULL: whatever it is. */
	const char	*uq_rule;
	/* docker_hook.h: run those of the labels and, where no label asks for
	 * one, these of the server (NULL: none). */
	bool		 uq_hooks;
	const struct hook *uq_pre;
	const struct hook *uq_post;
	const char	*uq_exec_fault;	/* why no command may run, or NULL */
	/* Back to an earlier image, docker_keep.h; uq_image is "". */
	bool		 uq_rollback;
	const char	*uq_to;		/* keep_choose(); NULL: the newest */
	/* Digests ("sha256:...") that are not to be tried again. */
	char *const	*uq_bad;
	size_t		 uq_nbad;
	bool		 uq_cleanup;	/* afterwards remove old images */
};

struct update_result {
	const char	*ur_opid;
	const char	*ur_name;
	const char	*ur_old_image;	/* references and digests, "" unknown */
	const char	*ur_old_digest;
	const char	*ur_new_image;
	const char	*ur_new_digest;
	enum update_outcome ur_outcome;
	bool		 ur_harm;	/* FAILED and not as it was before */
	bool		 ur_recovered;	/* ended by recovery after a crash */
	bool		 ur_rollback;	/* uq_rollback */
	const char	*ur_error;	/* one line, "" on success */
	const char	*ur_note;	/* what went wrong beside it, or "" */
	uint64_t	 ur_msec;	/* duration */
};

struct update_config {
	unsigned int	 uc_gate_running_msec;	/* no HEALTHCHECK: stay up */
	unsigned int	 uc_gate_max_msec;	/* ceiling for HEALTHCHECK */
	unsigned int	 uc_poll_msec;		/* gate's inspect interval */
	unsigned int	 uc_retry_msec;		/* Docker away: try again */
	unsigned int	 uc_pull_idle_msec;
	unsigned int	 uc_settle_msec;	/* Docker may still be at it */
	unsigned int	 uc_told_msec;	/* after it uo_done has arrived */
};
#define UPDATE_CONFIG_DEFAULT	{ 10000, 30 * 60 * 1000, 500, 2000, \
				    DOCKER_PULL_IDLE_MSEC, 10000, 1000 }

struct update_ops {
	/* stage: "pull", "create", "stop", "start", "gate", "undo", ...;
	 * done and total in bytes for pull, milliseconds for gate, else 0. */
	void	(*uo_progress)(void *, const char *opid, const char *stage,
		    const char *detail, uint64_t done, uint64_t total);
	/* Once per operation; once more (ur_recovered) after a crash that
	 * came so soon that the first may not have arrived. */
	void	(*uo_done)(void *, const struct update_result *);
	/* A hook of the update has ended; "result" is lent. */
	void	(*uo_hook)(void *, const char *opid, const char *name,
		    enum hook_phase, const struct docker_exec_result *result);
	/* Self update: free the updater, from the loop, and with it the lock
	 * of the journal; the helper goes on.  Only where updater_self() was
	 * called. */
	void	(*uo_handover)(void *);
	/* update_recover() is through: new updates are taken. */
	void	(*uo_ready)(void *);
};

struct updater;

/* Takes the journal, borrows docker. */
struct updater	*updater_new(struct event_base *, struct docker *,
		    struct journal *, const struct update_config *,
		    const struct update_ops *, void *);
void		 updater_free(struct updater *);	/* no callbacks */
void		 updater_config(struct updater *, const struct update_config *);
/* Who this program is: before updater_recover().  Strings are borrowed. */
void		 updater_self(struct updater *, const struct update_self *);
/* What is known of containers already, borrowed; without it all are looked
 * at. */
void		 updater_kin(struct updater *, struct kin *);
/* Finish or undo what the journal holds; once, before the first start. */
void		 updater_recover(struct updater *);
bool		 updater_ready(const struct updater *);
/*
 * 0: uo_done will follow.  -1 with a line in err: refused, nothing touched
 * (busy with this container, recovering, journal full, bad name).
 */
int		 updater_start(struct updater *, const struct update_request *,
		    char *err, size_t errsize);
/* Is this container name being updated? */
bool		 updater_busy(const struct updater *, const char *name);
/* End at the next record: every open operation gets UPDATE_STOPPED.  One that
 * had ended before this process began, and was not told yet, gets nothing: it
 * is told at the next start. */
void		 updater_stop(struct updater *);
size_t		 updater_nopen(const struct updater *);
const char	*update_outcome_name(enum update_outcome);

#endif /* DOCKER_UPDATE_H */
