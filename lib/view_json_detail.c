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
put_time(struct json_gen *g, const char *key,
    const Google__Protobuf__Timestamp *ts)
{
	if (ts != NULL)
		view_opttime(g, key, ts->seconds);
}

/* What a rollback could go back to; "to" is what --to takes. */
static void
put_earlier(struct json_gen *g, const Sentinel__Cluster__Detail *d)
{
	const Sentinel__Cluster__KeptImage	*ki;
	size_t					 i;

	view_array(g, "earlier");
	for (i = 0; i < d->n_earlier; i++) {
		ki = d->earlier[i];
		json_gen_object(g);
		view_int(g, "to", (int64_t)i + 1);
		view_str(g, "image_id", ki->image_id);
		view_opt(g, "image", ki->image);
		view_opt(g, "image_digest", ki->digest);
		put_time(g, "replaced_at", ki->replaced);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
}

/* As its Docker knows it now. */
static void
put_docker(struct json_gen *g, const Sentinel__Cluster__Detail *d)
{
	view_object(g, "docker");
	view_str(g, "id", d->container_id);
	view_str(g, "image", d->image);
	view_str(g, "image_id", d->image_id);
	view_opt(g, "image_digest", d->image_digest);
	view_str(g, "state", d->state);
	view_opt(g, "health", d->health);
	put_time(g, "created", d->created);
	put_time(g, "started_at", d->started);
	put_time(g, "finished_at", d->finished);
	view_int(g, "exit_code", d->exit_code);
	view_str(g, "restart_policy", d->restart_policy);
	view_int(g, "restart_max", d->restart_max);
	view_int(g, "restart_count", d->restart_count);
	view_bool(g, "auto_remove", d->auto_remove);
	put_earlier(g, d);
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
	if (v->detail != NULL)
		put_docker(g, v->detail);
	view_opt(g, "docker_error", v->detail_error);
	json_gen_key(g, "quarantine");
	view_json_quarantines(g, v->quarantine, v->n_quarantine, false);
	view_array(g, "operations");
	for (i = 0; i < v->n_operations; i++)
		view_json_operation(g, v->operations[i]);
	json_gen_end_array(g);
	view_array(g, "history");
	for (i = 0; i < v->n_history; i++)
		view_json_history(g, v->history[i]);
	json_gen_end_array(g);
	json_gen_end_object(g);
}
