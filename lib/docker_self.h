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

#ifndef DOCKER_SELF_H
#define DOCKER_SELF_H

#include "compat.h"

#include "json.h"
#include "selfid.h"

/*
 * The update of the container that this program runs in.  It cannot stop
 * itself and go on, so it makes the new container as for any other one, then
 * has a helper container of the new image (sentinel-agentd -P helper, the
 * volumes of the old one, no network) do the rest, and gives it the journal:
 *	launch		create the helper
 *	handover	start it; the journal is closed, its lock is free
 * Whoever has the lock goes on:
 *	the helper	from "stop" on; after a crash as everywhere
 *	the old one	(the helper did not come) undoes
 *	the new one	(the helper died at the gate or later) starts the
 *			helper again and gives it the journal; without one, it
 *			stays and the old one goes
 *	anybody else	touches nothing and says so
 * Docker starts the helper again when it dies; at its end it removes itself.
 * The gate is the new one's proof, see self_proof_is().
 *
 * Process: docker, helper.  Source: docker_self.c, docker_self_steps.c
 */
#define SELF_SUFFIX		".sentinel-helper"
#define SELF_LABEL		"sentinel.helper"	/* operation id */
#define SELF_SCHEMA_LABEL	"sentinel.schema"	/* of images */
#define SELF_PROOF_NAME		"session"		/* file in us_state */
#define SELF_PROOF_MAXBYTES	256
#define SELF_PATH_SIZE		256
/* Progress: the helper takes over, and who reports this ends soon. */
#define SELF_PHASE		"handover"

struct update_self {
	const char	*us_what;	/* "agent", "server" */
	struct selfid	 us_id;
	const char	*us_data;	/* data_dir */
	const char	*us_state;	/* directory of the proof */
	const char	*us_socket;	/* Docker's */
	bool		 us_helper;
	unsigned int	 us_proof_msec;
	uint64_t	 us_schema;	/* of our database, 0: we have none */
	/* Helper: has the container with this id proved itself? */
	bool		(*us_proof)(void *, const char *id);
	void		*us_arg;
};

/* Text of the proof: "container ID\n".  A longer or other one is none. */
bool		 self_proof_is(const char *text, size_t len, const char *id);
/* buf holds at least SELF_PROOF_MAXBYTES; its length. */
size_t		 self_proof_text(char *buf, const char *id);

/* The inspect answer: is it the container of this process?  Labels do not
 * matter. */
bool		 self_is(const struct update_self *, const struct json_value *);
/* Why it cannot be updated, into why; false: it can. */
bool		 self_refuses(const struct update_self *,
		    const struct json_value *, char *why, size_t size);
/* Why its successor must not be made of this image (inspect answer), into
 * why; false: it may. */
bool		 self_refuses_image(const struct update_self *,
		    const struct json_value *, char *why, size_t size);
/* What the body of the helper is made of. */
struct self_helper {
	const struct json_value	*sh_old;	/* inspect answer */
	const struct json_value	*sh_image;	/* that of the new image */
	const char		*sh_id;		/* of the new image */
	const char		*sh_opid;
	const char		*sh_name;	/* of the helper */
};
/* malloc'd, caller frees.  NULL ENOMEM. */
char		*self_helper_body(const struct update_self *,
		    const struct self_helper *, size_t *len);

struct txn;
struct updater;
enum txn_act;

/* Looks whether the container is this program's own: tx_self.  False: refused
 * with tx_error. */
bool		 self_prepare(struct txn *, const struct json_value *);
/* Before DJ_PLAN, with what was inspected.  False: refused. */
bool		 self_plan(struct txn *);
/* After a crash, before any other rule.  True: it has taken over. */
bool		 self_recover(struct txn *);
enum txn_act	 self_gate(struct txn *, const struct json_value *seen,
		    uint64_t elapsed);
/* Is this process in the container with that id? */
bool		 self_runs_in(const struct txn *, const char *id);
/* In words for a container that was not found, or "". */
const char	*self_hint(const struct updater *, const char *name);

#endif /* DOCKER_SELF_H */
