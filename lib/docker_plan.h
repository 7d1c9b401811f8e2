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
#ifndef DOCKER_PLAN_H
#define DOCKER_PLAN_H

#include "compat.h"

#include "docker_spec.h"
#include "docker_update.h"
#include "pbmem.h"
#include "sentinel.pb-c.h"

/*
 * What an update would do.  The plan is the transaction itself up to where
 * it would touch something (docker_prepare*.c), and ends there: nothing is
 * pulled, removed or written.  So an update does what the plan says, unless
 * the reference points to another image by then.
 */
#define PLAN_VALUE_MAXBYTES	2000	/* of one value, then it is cut */
#define PLAN_NAME_MAXBYTES	1000
#define PLAN_VIEW_MAXBYTES	(600U * 1024)	/* of a message of 1 MiB */

struct copied;

/* A container that the update concerns, too. */
struct plan_user {
	const char	*pu_name;
	unsigned int	 pu_why;	/* enum depend_why */
	bool		 pu_remade;	/* else stopped and started */
	bool		 pu_running;
};

/* Lent for the time of the callback. */
struct plan_facts {
	const struct json_value	*pf_container;	/* inspect */
	const struct json_value	*pf_old;	/* its image; NULL: gone */
	const struct json_value	*pf_new;	/* NULL: not on the host */
	const struct docker_spec *pf_spec;
	const struct copied	*pf_copied;	/* docker_copied.h, or NULL */
	const char		*pf_copywhy;	/* what of it is not; NULL */
	const char		*pf_old_image;	/* references and digests */
	const char		*pf_old_digest;
	const char		*pf_new_image;
	const char		*pf_new_digest;
	bool			 pf_identical;
	bool			 pf_running;
	unsigned int		 pf_stop_sec;
	unsigned int		 pf_api;	/* minor version in use */
	const struct plan_user	*pf_users;	/* in order of their start */
	size_t			 pf_nusers;
};

/* error "": facts are there; else why an update would be refused. */
typedef void (*updater_plan_cb)(void *, const char *error,
		    const struct plan_facts *);

/*
 * 0: the callback will follow, also when the updater stops, but not when it
 * is freed.  -1 with a line in err: as updater_start().  uq_auth and
 * uq_nopull say nothing here.  Others may update the container meanwhile.
 */
int		 updater_plan(struct updater *, const struct update_request *,
		    updater_plan_cb, void *, char *err, size_t errsize);

/* --- docker_plan_view.c ------------------------------------------------ */
/*
 * The facts for people and programs, in the arena.  Values of variables that
 * the user set are left out: they may be secrets.  NULL: ENOMEM.
 */
Sentinel__Cluster__Plan *plan_view(const struct plan_facts *,
		    struct pbmem *);

#endif /* DOCKER_PLAN_H */
