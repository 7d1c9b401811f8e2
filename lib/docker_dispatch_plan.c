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

#include <string.h>

#include "docker_plan.h"
#include "docker_process_int.h"
#include "log.h"

/* What an update would do: nothing of it is in the journal. */

static void
plan_done(void *arg, const char *error, const struct plan_facts *pf)
{
	struct dp_op			*op = arg;
	Sentinel__Ipc__DockerResult	 r;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	dp_result_init(&r, op, error);
	if (pf != NULL && (r.plan = plan_view(pf, &pm)) == NULL)
		dp_result_init(&r, op, "out of memory");
	dp_send_result(&r);
	dp_op_end(op);
	pbmem_free(&pm);
}

void
dp_plan(struct dp_op *op, const Sentinel__Ipc__DockerOp *m)
{
	struct update_request	 uq;
	struct hook		 pre, post;
	char			 why[256];

	if (dp_request(&uq, m, &pre, &post, why, sizeof(why)) == -1)
		plan_done(op, why, NULL);
	else if (dp->dp_updater == NULL)
		plan_done(op, DP_NOT_READY, NULL);
	else if (updater_plan(dp->dp_updater, &uq, plan_done, op, why,
	    sizeof(why)) == -1)
		plan_done(op, why, NULL);
	hook_free(&pre);
	hook_free(&post);
}
