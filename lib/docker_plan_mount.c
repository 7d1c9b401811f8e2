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

#include <stdlib.h>
#include <string.h>

#include "docker_plan_int.h"

void
plan_networks(struct view *vw)
{
	const struct docker_spec	*sp = vw->vw_facts->pf_spec;
	const struct docker_net		*nt;
	char				*text;
	size_t				 i;

	for (i = 0; i < sp->sp_nnets; i++) {
		nt = &sp->sp_nets[i];
		text = plan_text(vw, nt->nt_config, strlen(nt->nt_config),
		    PLAN_VALUE_MAXBYTES);
		plan_item(vw, "network", plan_str(vw, nt->nt_name), "same",
		    text, text);
	}
}

/* Source of what the body mounts at a path; NULL: it says nothing of it. */
static char *
mount_then(struct view *vw, const char *target)
{
	const struct json_value	*host = json_get(vw->vw_body, "HostConfig");
	const struct json_value	*v = json_get(host, "Mounts");
	size_t			 len = strlen(target);
	const char		*s, *p;

	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if (strcmp(json_get_str(v, "Target"), target) == 0) {
			s = json_get_str(v, "Source");
			return (plan_str(vw, s[0] != '\0' ? s :
			    json_get_str(v, "Type")));
		}
	v = json_get(host, "Binds");
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if ((s = json_str(v)) != NULL && (p = strchr(s, ':')) != NULL &&
		    strncmp(p + 1, target, len) == 0 &&
		    (p[len + 1] == '\0' || p[len + 1] == ':'))
			return (plan_text(vw, s, (size_t)(p - s),
			    PLAN_VALUE_MAXBYTES));
	return (NULL);
}

static bool
mount_is_now(const struct json_value *mounts, const char *target)
{
	const struct json_value	*v;

	for (v = json_is(mounts, JSON_ARRAY) ? mounts->jv_child : NULL;
	    v != NULL; v = v->jv_next)
		if (strcmp(json_get_str(v, "Destination"), target) == 0)
			return (true);
	return (false);
}

static int
mount_cmp(const void *a, const void *b)
{
	const Sentinel__Cluster__PlanItem *const	*x = a, *const *y = b;

	return (strcmp((*x)->name, (*y)->name));
}

/* Docker lists them in another order each time. */
void
plan_mounts(struct view *vw)
{
	const struct json_value	*mounts, *v;
	const size_t		 first = vw->vw_plan->n_items;
	const char		*target, *s;
	char			*now, *then;

	mounts = json_get(vw->vw_facts->pf_container, "Mounts");
	for (v = json_is(mounts, JSON_ARRAY) ? mounts->jv_child : NULL;
	    v != NULL; v = v->jv_next) {
		target = json_get_str(v, "Destination");
		s = json_get_str(v, "Name");
		if (s[0] == '\0')
			s = json_get_str(v, "Source");
		now = plan_str(vw, s[0] != '\0' ? s : json_get_str(v, "Type"));
		/* What is not named comes from volumes-from or tmpfs. */
		if ((then = mount_then(vw, target)) == NULL)
			then = now;
		plan_item(vw, "mount", plan_str(vw, target), NULL, now, then);
	}
	v = json_get(vw->vw_new, "Volumes");
	for (v = json_is(v, JSON_OBJECT) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if (!mount_is_now(mounts, v->jv_key))
			plan_item(vw, "mount", plan_str(vw, v->jv_key), "new",
			    plan_empty, plan_str(vw, "a new volume"));
	if (vw->vw_plan->n_items > first)
		qsort(vw->vw_plan->items + first, vw->vw_plan->n_items - first,
		    sizeof(*vw->vw_plan->items), mount_cmp);
}
