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

static void
put(struct json_gen *g, const char *key, const char *value)
{
	if (value[0] == '\0')
		return;
	json_gen_key(g, key);
	json_gen_str(g, value);
}

void
view_json_operation(struct json_gen *g, const Sentinel__Ipc__OperationView *v)
{
	char	 text[VIEW_TIME_SIZE];

	json_gen_object(g);
	put(g, "id", v->id);
	put(g, "host_id", v->host_id);
	put(g, "host_name", v->host_name);
	put(g, "container", v->container);
	put(g, "kind", v->kind);
	put(g, "image", v->image);
	json_gen_key(g, "running");
	json_gen_bool(g, v->ended_msec == 0);
	put(g, "phase", v->phase);
	if (v->ended_msec == 0) {
		json_gen_key(g, "percent");
		json_gen_int(g, v->percent);
	}
	put(g, "text", v->text);
	view_time_msec(text, v->started_msec);
	put(g, "started_at", text);
	put(g, "by", v->by);
	put(g, "outcome", v->outcome);
	put(g, "error", v->error);
	if (v->ended_msec != 0) {
		view_time_msec(text, v->ended_msec);
		put(g, "ended_at", text);
	}
	json_gen_end_object(g);
}

void
view_json_detail(struct json_gen *g,
    const Sentinel__Ipc__ContainerDetailView *v)
{
	size_t	 i;

	json_gen_object(g);
	json_gen_key(g, "container");
	view_json_container(g, v->container);
	if (v->policy != NULL) {
		json_gen_key(g, "policy");
		view_json_policy(g, v->policy);
	}
	json_gen_key(g, "quarantine");
	view_json_quarantines(g, v->quarantine, v->n_quarantine, false);
	json_gen_key(g, "operations");
	json_gen_array(g);
	for (i = 0; i < v->n_operations; i++)
		view_json_operation(g, v->operations[i]);
	json_gen_end_array(g);
	json_gen_key(g, "history");
	json_gen_array(g);
	for (i = 0; i < v->n_history; i++)
		view_json_history(g, v->history[i]);
	json_gen_end_array(g);
	json_gen_end_object(g);
}
