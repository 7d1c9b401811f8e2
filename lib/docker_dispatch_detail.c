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

#include <errno.h>

#include "docker_detail.h"
#include "docker_process_int.h"

/* One container, for who asks. */

static void
detail_done(void *arg, const char *error, Sentinel__Cluster__Detail *d)
{
	struct dp_op			*op = arg;
	Sentinel__Ipc__DockerResult	 r;

	dp_result_init(&r, op, error);
	r.detail = d;
	dp_send_result(&r);
	dp_op_end(op);
}

void
dp_detail(struct dp_op *op)
{
	if (docker_op_detail(dp->dp_docker, op->do_container, detail_done,
	    op) == -1)
		dp_op_done(op, errno == EINVAL ? "bad container name" :
		    "too many operations at the same time");
}
