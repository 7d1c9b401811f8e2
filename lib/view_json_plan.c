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
put_items(struct json_gen *g, const Sentinel__Cluster__Plan *pl)
{
	const Sentinel__Cluster__PlanItem	*it;
	size_t					 i;

	view_array(g, "items");
	for (i = 0; i < pl->n_items; i++) {
		it = pl->items[i];
		json_gen_object(g);
		view_str(g, "kind", it->kind);
		view_str(g, "name", it->name);
		view_str(g, "change", it->change);
		view_str(g, "now", it->now);
		view_str(g, "then", it->then);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
}

static void
put_lists(struct json_gen *g, const Sentinel__Cluster__Plan *pl)
{
	size_t	 i;

	view_array(g, "dropped");
	for (i = 0; i < pl->n_dropped; i++) {
		json_gen_object(g);
		view_str(g, "name", pl->dropped[i]->name);
		view_str(g, "why", pl->dropped[i]->why);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
	view_array(g, "dependants");
	for (i = 0; i < pl->n_dependants; i++) {
		json_gen_object(g);
		view_str(g, "name", pl->dependants[i]->container_name);
		view_str(g, "how", pl->dependants[i]->how);
		view_str(g, "what", pl->dependants[i]->what);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
	view_strs(g, "notes", pl->notes, pl->n_notes);
}

void
view_json_plan(struct json_gen *g, const Sentinel__Ipc__PlanView *v)
{
	const Sentinel__Cluster__Plan	*pl = v->plan;

	json_gen_object(g);
	view_str(g, "host_id", v->host_id);
	view_str(g, "host_name", v->host_name);
	view_str(g, "name", v->container);
	if (pl != NULL) {
		view_str(g, "container_id", pl->container_id);
		view_str(g, "state", pl->state);
		view_str(g, "old_image", pl->old_image);
		view_str(g, "old_image_id", pl->old_image_id);
		view_str(g, "old_digest", pl->old_digest);
		view_str(g, "new_image", pl->new_image);
		view_str(g, "new_image_id", pl->new_image_id);
		view_str(g, "new_digest", pl->new_digest);
		view_bool(g, "identical", pl->identical);
		view_str(g, "api_version", pl->api_version);
		view_int(g, "stop_seconds", pl->stop_seconds);
		put_items(g, pl);
		put_lists(g, pl);
	}
	json_gen_key(g, "quarantine");
	view_json_quarantines(g, v->quarantine, v->n_quarantine, true);
	json_gen_end_object(g);
}
