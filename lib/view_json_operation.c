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

#include "view_json.h"
#include "view_put.h"

void
view_json_operation(struct json_gen *g, const Sentinel__Ipc__OperationView *v)
{
	json_gen_object(g);
	view_opt(g, "id", v->id);
	view_host(g, v->host_id, v->host_name);
	view_opt(g, "container", v->container);
	view_opt(g, "kind", v->kind);
	view_opt(g, "image", v->image);
	view_bool(g, "running", v->ended_msec == 0);
	view_opt(g, "phase", v->phase);
	if (v->ended_msec == 0)
		view_int(g, "percent", v->percent);
	view_opt(g, "text", v->text);
	view_msec(g, "started_at", v->started_msec);
	view_opt(g, "by", v->by);
	view_opt(g, "outcome", v->outcome);
	view_opt(g, "error", v->error);
	view_optmsec(g, "ended_at", v->ended_msec);
	json_gen_end_object(g);
}
