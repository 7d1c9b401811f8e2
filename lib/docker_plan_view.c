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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_copied.h"
#include "docker_depend.h"
#include "docker_plan_int.h"

/*
 * Settings as they are (the inspect answer) and as they would be: the body,
 * and where it says nothing, the new image.  Without the new image what it
 * says is unknown.
 */
#define VIEW_ITEMS_MAX	4000
#define VIEW_NOTES_MAX	16
#define VIEW_COPIED_MAX	8	/* of them */

/* --- text and items ---------------------------------------------------- */

char	 plan_empty[] = "";

char *
plan_text(struct view *vw, const char *s, size_t len, size_t max)
{
	char	*t, *p;

	if (len == 0)
		return (plan_empty);
	if ((t = pbmem_text(vw->vw_mem, s, len, max)) == NULL) {
		vw->vw_nomem = true;
		return (plan_empty);
	}
	for (p = t; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return (t);
}

char *
plan_str(struct view *vw, const char *s)
{
	return (plan_text(vw, s, strlen(s), PLAN_NAME_MAXBYTES));
}

/* A word of the wire, or nothing. */
static char *
view_word(struct view *vw, const char *s)
{
	const char	*p;

	for (p = s; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return (plan_empty);
	return (plan_str(vw, s));
}

char *
plan_value(struct view *vw, const struct json_value *v)
{
	const char	*s = json_str(v);

	if (json_is_zero(v))
		return (plan_empty);
	if (s != NULL)
		return (plan_text(vw, s, v->jv_strlen, PLAN_VALUE_MAXBYTES));
	return (plan_text(vw, v->jv_raw, v->jv_rawlen, PLAN_VALUE_MAXBYTES));
}

/* Grows a list in the arena; NULL: no room. */
static void *
view_more(struct view *vw, void *list, size_t n, size_t size)
{
	void	*more = list;

	/* Doubles at powers of two. */
	if ((n & (n - 1)) == 0) {
		more = pbmem_alloc(vw->vw_mem, (n == 0 ? 1 : 2 * n) * size);
		if (more == NULL)
			vw->vw_nomem = true;
		else if (n > 0)
			memcpy(more, list, n * size);
	}
	return (more);
}

static bool
view_room(struct view *vw, size_t bytes)
{
	if (vw->vw_bytes + bytes > PLAN_VIEW_MAXBYTES ||
	    vw->vw_plan->n_items == VIEW_ITEMS_MAX) {
		vw->vw_left++;
		return (false);
	}
	vw->vw_bytes += bytes;
	return (true);
}

void
plan_item(struct view *vw, const char *kind, char *name, const char *change,
    char *now, char *then)
{
	Sentinel__Cluster__PlanItem	*it, **list;
	Sentinel__Cluster__Plan		*pl = vw->vw_plan;

	if (!view_room(vw, strlen(name) + strlen(now) + strlen(then) + 48))
		return;
	if (change == NULL)
		change = strcmp(now, then) == 0 ? "same" :
		    now[0] == '\0' ? "new" : then[0] == '\0' ? "gone" :
		    "changed";
	list = view_more(vw, pl->items, pl->n_items, sizeof(*list));
	it = pbmem_alloc(vw->vw_mem, sizeof(*it));
	if (list == NULL || it == NULL) {
		vw->vw_nomem = true;
		return;
	}
	sentinel__cluster__plan_item__init(it);
	it->kind = (char *)(uintptr_t)kind;
	it->name = name;
	it->change = (char *)(uintptr_t)change;
	it->now = now;
	it->then = then;
	pl->items = list;
	pl->items[pl->n_items++] = it;
}

static void view_note(struct view *, const char *, ...) __printflike_(2, 3);

static void
view_note(struct view *vw, const char *fmt, ...)
{
	Sentinel__Cluster__Plan	*pl = vw->vw_plan;
	char			 buf[PLAN_NAME_MAXBYTES], **list;
	va_list			 ap;

	if (pl->n_notes == VIEW_NOTES_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	list = view_more(vw, pl->notes, pl->n_notes, sizeof(*list));
	if (list == NULL)
		return;
	pl->notes = list;
	pl->notes[pl->n_notes++] = plan_str(vw, buf);
}

/* --- variables and labels ---------------------------------------------- */

/* The entry of a list of "KEY=VALUE" that has this key, or NULL. */
static const struct json_value *
env_find(const struct json_value *list, const char *key, size_t len)
{
	const struct json_value	*v, *found = NULL;
	const char		*s;

	for (v = json_is(list, JSON_ARRAY) ? list->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if ((s = json_str(v)) != NULL && strncmp(s, key, len) == 0 &&
		    (s[len] == '=' || s[len] == '\0'))
			found = v;
	return (found);
}

static char *
env_value(struct view *vw, const struct json_value *v)
{
	const char	*s = json_str(v), *p;

	if (s == NULL || (p = strchr(s, '=')) == NULL)
		return (plan_empty);
	return (plan_text(vw, p + 1, strlen(p + 1), PLAN_VALUE_MAXBYTES));
}

/* What the user set stays and is not shown; the rest is the images'. */
static void
view_env(struct view *vw)
{
	const struct json_value	*now = json_get(vw->vw_now, "Env"), *v;
	const struct json_value	*body = json_get(vw->vw_body, "Env");
	const struct json_value	*new = json_get(vw->vw_new, "Env"), *n;
	const char		*s;
	size_t			 len;
	char			*name;

	for (v = json_is(now, JSON_ARRAY) ? now->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if ((s = json_str(v)) == NULL)
			continue;
		len = strcspn(s, "=");
		name = plan_text(vw, s, len, PLAN_NAME_MAXBYTES);
		if (env_find(body, s, len) != NULL) {
			plan_item(vw, "env", name, "same", plan_empty,
			    plan_empty);
			continue;
		}
		n = env_find(new, s, len);
		plan_item(vw, "env", name, vw->vw_facts->pf_new == NULL ?
		    "unknown" : n == NULL ? "gone" : NULL, env_value(vw, v),
		    env_value(vw, n));
	}
	for (v = json_is(new, JSON_ARRAY) ? new->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if ((s = json_str(v)) == NULL ||
		    env_find(now, s, strcspn(s, "=")) != NULL)
			continue;
		plan_item(vw, "env", plan_text(vw, s, strcspn(s, "="),
		    PLAN_NAME_MAXBYTES), "new", plan_empty,
		    env_value(vw, v));
	}
}

static void
view_labels(struct view *vw)
{
	const struct json_value	*now = json_get(vw->vw_now, "Labels"), *v;
	const struct json_value	*body = json_get(vw->vw_body, "Labels");
	const struct json_value	*new = json_get(vw->vw_new, "Labels"), *n;

	for (v = json_is(now, JSON_OBJECT) ? now->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		n = json_get(body, v->jv_key);
		if (n == NULL)
			n = json_get(new, v->jv_key);
		plan_item(vw, "label", plan_str(vw, v->jv_key), n == NULL ?
		    vw->vw_facts->pf_new == NULL ? "unknown" : "gone" : NULL,
		    plan_value(vw, v), plan_value(vw, n));
	}
	for (v = json_is(new, JSON_OBJECT) ? new->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if (json_get(now, v->jv_key) == NULL)
			plan_item(vw, "label", plan_str(vw, v->jv_key), "new",
			    plan_empty, plan_value(vw, v));
}

/* --- single settings --------------------------------------------------- */

/* A member of Config, of which the images may say something. */
static void
view_config(struct view *vw, const char *kind, const char *key, bool image)
{
	const struct json_value	*now = json_get(vw->vw_now, key);
	const struct json_value	*then = json_get(vw->vw_body, key);
	const char		*change = NULL;

	if (json_is_zero(then) && image) {
		then = json_get(vw->vw_new, key);
		if (vw->vw_facts->pf_new == NULL)
			change = "unknown";
	}
	if (json_is_zero(now) && json_is_zero(then) &&
	    (change == NULL || json_is_zero(json_get(vw->vw_old, key))))
		return;
	plan_item(vw, kind, plan_str(vw, key), change, plan_value(vw, now),
	    plan_value(vw, then));
}

/* "[""]" takes the image's entry point away, and its command with it. */
static void
view_commands(struct view *vw)
{
	const struct json_value	*entry = json_get(vw->vw_body, "Entrypoint");
	const char		*first;

	if (json_is_zero(entry)) {
		view_config(vw, "command", "Entrypoint", true);
		view_config(vw, "command", "Cmd", true);
		return;
	}
	first = json_is(entry, JSON_ARRAY) ? json_str(entry->jv_child) : NULL;
	if (first == NULL || first[0] != '\0' || json_count(entry) != 1)
		view_config(vw, "command", "Entrypoint", false);
	view_config(vw, "command", "Cmd", false);
}

/* Docker fills what the body's check leaves open from the image's. */
static void
view_health(struct view *vw)
{
	const struct json_value	*body = json_get(vw->vw_body, "Healthcheck");
	const struct json_value	*now = json_get(vw->vw_now, "Healthcheck");
	const struct json_value	*new = json_get(vw->vw_new, "Healthcheck");
	static const char *const keys[] = { "Test", "Interval", "Timeout",
	    "StartPeriod", "StartInterval", "Retries" };
	const struct json_value	*a, *b;
	char			 name[64];
	size_t			 i;

	for (i = 0; i < nitems(keys); i++) {
		a = json_get(now, keys[i]);
		b = json_get(body, keys[i]);
		if (json_is_zero(b))
			b = json_get(new, keys[i]);
		if (json_is_zero(a) && json_is_zero(b))
			continue;
		(void)snprintf(name, sizeof(name), "Healthcheck.%s", keys[i]);
		plan_item(vw, "setting", plan_str(vw, name),
		    json_is_zero(b) && vw->vw_facts->pf_new == NULL ?
		    "unknown" : NULL, plan_value(vw, a), plan_value(vw, b));
	}
}

/* Settings of the host: what changes, and what one wants to be sure of. */
static void
view_host(struct view *vw)
{
	static const char *const always[] = { "NetworkMode", "RestartPolicy",
	    "PortBindings" };
	const struct json_value	*now, *then, *v, *t;
	size_t			 i;

	now = json_get(vw->vw_facts->pf_container, "HostConfig");
	then = json_get(vw->vw_body, "HostConfig");
	for (v = json_is(now, JSON_OBJECT) ? now->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if (strcmp(v->jv_key, "Mounts") == 0 ||
		    strcmp(v->jv_key, "Binds") == 0 ||
		    strcmp(v->jv_key, "Links") == 0 || json_is_zero(v))
			continue;
		for (i = 0; i < nitems(always); i++)
			if (strcmp(always[i], v->jv_key) == 0)
				break;
		t = json_get(then, v->jv_key);
		/* Left out: Docker's own value, as it was. */
		if (i == nitems(always) && (t == NULL || json_equal(v, t)))
			continue;
		plan_item(vw, "setting", plan_str(vw, v->jv_key), NULL,
		    plan_value(vw, v), plan_value(vw, t));
	}
}

/* --- what is dropped, who else, notes ---------------------------------- */

static void
view_drops(struct view *vw)
{
	const struct docker_spec	*sp = vw->vw_facts->pf_spec;
	Sentinel__Cluster__Plan		*pl = vw->vw_plan;
	Sentinel__Cluster__PlanDrop	*pd;
	size_t				 i;

	pl->dropped = pbmem_alloc(vw->vw_mem, (sp->sp_ndrops + 1) *
	    sizeof(*pl->dropped));
	for (i = 0; pl->dropped != NULL && i < sp->sp_ndrops; i++) {
		if (!view_room(vw, strlen(sp->sp_drops[i].dd_name) +
		    strlen(sp->sp_drops[i].dd_why) + 16))
			continue;
		if ((pd = pbmem_alloc(vw->vw_mem, sizeof(*pd))) == NULL)
			break;
		sentinel__cluster__plan_drop__init(pd);
		pd->name = plan_str(vw, sp->sp_drops[i].dd_name);
		pd->why = plan_str(vw, sp->sp_drops[i].dd_why);
		pl->dropped[pl->n_dropped++] = pd;
	}
	if (pl->dropped == NULL || i < sp->sp_ndrops)
		vw->vw_nomem = true;
}

static void
view_users(struct view *vw)
{
	const struct plan_facts			*pf = vw->vw_facts;
	Sentinel__Cluster__Plan			*pl = vw->vw_plan;
	Sentinel__Cluster__PlanDependant	*pd;
	const struct plan_user			*pu;
	size_t					 i;

	pl->dependants = pbmem_alloc(vw->vw_mem, (pf->pf_nusers + 1) *
	    sizeof(*pl->dependants));
	for (i = 0; pl->dependants != NULL && i < pf->pf_nusers; i++) {
		pu = &pf->pf_users[i];
		if ((pd = pbmem_alloc(vw->vw_mem, sizeof(*pd))) == NULL)
			break;
		sentinel__cluster__plan_dependant__init(pd);
		pd->container_name = view_word(vw, pu->pu_name);
		pd->how = plan_str(vw, depend_why_text(pu->pu_why));
		pd->what = plan_str(vw, pu->pu_remade ? pu->pu_running ?
		    "is stopped before, made anew and started after it" :
		    "is made anew and stays stopped" :
		    "is stopped before and started after it");
		pl->dependants[pl->n_dependants++] = pd;
	}
	if (pl->dependants == NULL || i < pf->pf_nusers)
		vw->vw_nomem = true;
}

static void
view_notes(struct view *vw)
{
	const struct plan_facts	*pf = vw->vw_facts;
	size_t			 i;

	if (pf->pf_new == NULL)
		view_note(vw, "%s is not on this host: the update pulls it, "
		    "and what it says itself is not known yet",
		    pf->pf_new_image);
	else
		view_note(vw, "the registry was not asked: this is the image "
		    "that %s is on this host", pf->pf_new_image);
	if (pf->pf_old == NULL)
		view_note(vw, "the old image is gone: what came from it cannot "
		    "be told from what the user set, and stays");
	if (pf->pf_running && json_bool(json_path(pf->pf_container,
	    "HostConfig.AutoRemove")))
		view_note(vw, "it was made with --rm and vanishes when it "
		    "stops: to go back is to make it again");
	if (pf->pf_copywhy != NULL)
		view_note(vw, "%s", pf->pf_copywhy);
	for (i = 0; i < copied_count(pf->pf_copied) && i < VIEW_COPIED_MAX; i++)
		view_note(vw, "%s, which compose has copied into the "
		    "container, is copied into the new one",
		    copied_path(pf->pf_copied, i));
	if (copied_count(pf->pf_copied) > i)
		view_note(vw, "and so are %zu more files",
		    copied_count(pf->pf_copied) - i);
	if (vw->vw_left > 0)
		view_note(vw, "%zu more lines would be too long for an answer",
		    vw->vw_left);
}

/* --- all --------------------------------------------------------------- */

static void
view_head(struct view *vw)
{
	const struct plan_facts	*pf = vw->vw_facts;
	Sentinel__Cluster__Plan	*pl = vw->vw_plan;
	char			 api[16];

	pl->container_id = view_word(vw, json_get_str(pf->pf_container, "Id"));
	pl->state = view_word(vw, json_get_str(json_get(pf->pf_container,
	    "State"), "Status"));
	if (strlen(pl->state) > 32)
		pl->state = plan_empty;
	pl->old_image = view_word(vw, pf->pf_old_image);
	pl->old_image_id = view_word(vw, json_get_str(pf->pf_container,
	    "Image"));
	pl->old_digest = view_word(vw, pf->pf_old_digest);
	pl->new_image = view_word(vw, pf->pf_new_image);
	pl->new_image_id = view_word(vw, json_get_str(pf->pf_new, "Id"));
	pl->new_digest = view_word(vw, pf->pf_new_digest);
	pl->identical = pf->pf_identical;
	(void)snprintf(api, sizeof(api), "1.%u", pf->pf_api);
	pl->api_version = plan_str(vw, api);
	pl->stop_seconds = pf->pf_running ? pf->pf_stop_sec : 0;
}

Sentinel__Cluster__Plan *
plan_view(const struct plan_facts *pf, struct pbmem *pm)
{
	static const char *const fields[] = { "User", "WorkingDir",
	    "StopSignal", "Shell" };
	static const char *const own[] = { "Hostname", "Domainname",
	    "MacAddress", "StopTimeout", "Tty" };
	struct view		 vw = { .vw_facts = pf, .vw_mem = pm };
	struct json		*body;
	size_t			 i;

	if ((vw.vw_plan = pbmem_alloc(pm, sizeof(*vw.vw_plan))) == NULL ||
	    (body = json_parse(pf->pf_spec->sp_body, pf->pf_spec->sp_bodylen,
	    NULL, 0)) == NULL)
		return (NULL);
	sentinel__cluster__plan__init(vw.vw_plan);
	vw.vw_body = json_root(body);
	vw.vw_now = json_get(pf->pf_container, "Config");
	vw.vw_old = json_get(pf->pf_old, "Config");
	vw.vw_new = json_get(pf->pf_new, "Config");
	view_head(&vw);
	view_commands(&vw);
	view_env(&vw);
	for (i = 0; i < nitems(fields); i++)
		view_config(&vw, "setting", fields[i], true);
	/* What Docker chooses anew is among what is dropped. */
	for (i = 0; i < nitems(own); i++)
		if (json_get(vw.vw_body, own[i]) != NULL)
			view_config(&vw, "setting", own[i], false);
	view_health(&vw);
	view_host(&vw);
	plan_networks(&vw);
	plan_mounts(&vw);
	view_labels(&vw);
	view_drops(&vw);
	view_users(&vw);
	view_notes(&vw);
	json_free(body);
	if (!vw.vw_nomem)
		return (vw.vw_plan);
	errno = ENOMEM;
	return (NULL);
}
