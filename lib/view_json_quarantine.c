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

#include "view_json.h"
#include "view_put.h"

static void
quarantine_members(struct json_gen *g, const Sentinel__Ipc__QuarantineView *v)
{
	view_host(g, v->host_id, v->host_name);
	view_opt(g, "container", v->container);
	view_opt(g, "digest", v->digest);
	view_time(g, "since", v->time);
	view_opt(g, "image", v->image);
	view_opt(g, "reason", v->reason);
}

void
view_json_quarantine(struct json_gen *g,
    const Sentinel__Ipc__QuarantineView *v)
{
	json_gen_object(g);
	quarantine_members(g, v);
	json_gen_end_object(g);
}

void
view_json_quarantines(struct json_gen *g,
    Sentinel__Ipc__QuarantineView *const *list, size_t n, bool plan)
{
	size_t	 i;

	json_gen_array(g);
	for (i = 0; i < n; i++) {
		json_gen_object(g);
		quarantine_members(g, list[i]);
		if (plan)
			view_bool(g, "refused", list[i]->applies);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
}
