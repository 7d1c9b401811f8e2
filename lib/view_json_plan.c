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

static void
put(struct json_gen *g, const char *key, const char *value)
{
	json_gen_key(g, key);
	json_gen_str(g, value);
}

static void
put_items(struct json_gen *g, const Sentinel__Cluster__Plan *pl)
{
	const Sentinel__Cluster__PlanItem	*it;
	size_t					 i;

	json_gen_key(g, "items");
	json_gen_array(g);
	for (i = 0; i < pl->n_items; i++) {
		it = pl->items[i];
		json_gen_object(g);
		put(g, "kind", it->kind);
		put(g, "name", it->name);
		put(g, "change", it->change);
		put(g, "now", it->now);
		put(g, "then", it->then);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
}

static void
put_lists(struct json_gen *g, const Sentinel__Cluster__Plan *pl)
{
	size_t	 i;

	json_gen_key(g, "dropped");
	json_gen_array(g);
	for (i = 0; i < pl->n_dropped; i++) {
		json_gen_object(g);
		put(g, "name", pl->dropped[i]->name);
		put(g, "why", pl->dropped[i]->why);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
	json_gen_key(g, "dependants");
	json_gen_array(g);
	for (i = 0; i < pl->n_dependants; i++) {
		json_gen_object(g);
		put(g, "name", pl->dependants[i]->container_name);
		put(g, "how", pl->dependants[i]->how);
		put(g, "what", pl->dependants[i]->what);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
	json_gen_key(g, "notes");
	json_gen_array(g);
	for (i = 0; i < pl->n_notes; i++)
		json_gen_str(g, pl->notes[i]);
	json_gen_end_array(g);
}

void
view_json_plan(struct json_gen *g, const Sentinel__Ipc__PlanView *v)
{
	const Sentinel__Cluster__Plan	*pl = v->plan;

	json_gen_object(g);
	put(g, "host_id", v->host_id);
	put(g, "host_name", v->host_name);
	put(g, "name", v->container);
	if (pl != NULL) {
		put(g, "container_id", pl->container_id);
		put(g, "state", pl->state);
		put(g, "old_image", pl->old_image);
		put(g, "old_image_id", pl->old_image_id);
		put(g, "old_digest", pl->old_digest);
		put(g, "new_image", pl->new_image);
		put(g, "new_image_id", pl->new_image_id);
		put(g, "new_digest", pl->new_digest);
		json_gen_key(g, "identical");
		json_gen_bool(g, pl->identical);
		put(g, "api_version", pl->api_version);
		json_gen_key(g, "stop_seconds");
		json_gen_int(g, pl->stop_seconds);
		put_items(g, pl);
		put_lists(g, pl);
	}
	json_gen_key(g, "quarantine");
	view_json_quarantines(g, v->quarantine, v->n_quarantine, true);
	json_gen_end_object(g);
}
