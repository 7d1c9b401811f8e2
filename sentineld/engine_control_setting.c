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
#include "engine_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "docker_api.h"
#include "engine_settings.h"
#include "pbcheck.h"

/* Run-time settings and policies, shown and changed by an operator. */
#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name
#define BY_SIZE	32
#define TEXT(s)	((char *)(uintptr_t)(s))	/* protobuf-c has no const */

static void	 send_setting(struct client *, enum setting);
static bool	 find_setting(struct client *, const char *, enum setting *);
static size_t	 send_policy(struct client *, Sentinel__Ipc__PolicyView *);
static size_t	 send_default(struct client *);
static size_t	 send_host(struct client *, const struct host *);
static size_t	 send_container(struct client *, const struct host *,
		    const Sentinel__Cluster__ContainerInfo *, bool);
static size_t	 send_absent(struct client *, const struct policy_row *,
		    const struct host *);
static size_t	 send_known(struct client *, const struct host *,
		    struct container *);
static size_t	 send_host_policies(struct client *, struct host *);
static void	 more_policies(struct client *);
static void	 show_one(struct client *, struct host *, const char *);
static void	 set_default(struct client *,
		    const Sentinel__Ipc__ControlRequest *);

/* --- settings ----------------------------------------------------------- */

static void
send_setting(struct client *cl, enum setting st)
{
	const struct conf_key		*k = &conf_keys[setting_key(st)];
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__SettingView	 v;
	struct setting_origin		 so;
	char				 value[SETTING_VALUE_SIZE];

	setting_origin(st, &so);
	sentinel__ipc__setting_view__init(&v);
	v.name = TEXT(setting_name(st));
	v.value = TEXT(setting_value(st, value));
	v.origin = TEXT(so.so_origin);
	v.from = TEXT(so.so_from);
	v.locked = so.so_locked;
	v.changed_at = so.so_changed_at;
	v.help = TEXT(k->ck_doc);
	if (k->ck_default != NULL)
		v.default_value = TEXT(k->ck_default);
	if (k->ck_bounds != NULL && k->ck_type != CONF_T_NAMES)
		v.bounds = TEXT(k->ck_bounds);
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_SETTING;
	item.setting = &v;
	(void)client_item(cl, &item);
}

/* False: the client was told. */
static bool
find_setting(struct client *cl, const char *name, enum setting *st)
{
	*st = setting_find(name);
	if (*st != SETTING_MAX)
		return (true);
	client_end(cl, CONTROL_NOSUCH, "no setting %s; settings get lists "
	    "them", name);
	return (false);
}

void
client_settings_get(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	enum setting	 st;
	int		 i;

	if (req->setting[0] != '\0') {
		if (!find_setting(cl, req->setting, &st))
			return;
		send_setting(cl, st);
	} else
		for (i = 0; i < SETTING_MAX; i++)
			send_setting(cl, (enum setting)i);
	client_end_noerror(cl);
}

void
client_settings_change(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	enum setting	 st;
	char		 by[BY_SIZE], why[512];

	if (!find_setting(cl, req->setting, &st))
		return;
	(void)snprintf(by, sizeof(by), "uid %u", req->uid);
	if (setting_change(st, req->command == C(SETTINGS_UNSET) ? NULL :
	    req->value, by, why, sizeof(why)) == -1) {
		client_end(cl, errno == EINVAL ? CONTROL_USAGE :
		    CONTROL_FAILED, "%s", why);
		return;
	}
	send_setting(cl, st);
	client_end_noerror(cl);
}

/* --- policies, shown ---------------------------------------------------- */

static size_t
send_policy(struct client *cl, Sentinel__Ipc__PolicyView *v)
{
	Sentinel__Ipc__ControlItem	 item;

	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_POLICY;
	item.policy = v;
	return (client_item(cl, &item));
}

static size_t
send_default(struct client *cl)
{
	Sentinel__Ipc__PolicyView	 v;
	struct setting_origin		 so;
	char				 value[SETTING_VALUE_SIZE];

	setting_origin(SETTING_DEFAULT_POLICY, &so);
	sentinel__ipc__policy_view__init(&v);
	v.policy = TEXT(setting_value(SETTING_DEFAULT_POLICY, value));
	v.origin = TEXT(policy_origin_name(POLICY_O_DEFAULT));
	v.changed_at = so.so_changed_at;
	v.changed_by = TEXT(so.so_from);
	return (send_policy(cl, &v));
}

/* The host's own default. */
static size_t
send_host(struct client *cl, const struct host *h)
{
	const struct policy_row		*pl = policy_get(h, "");
	Sentinel__Ipc__PolicyView	 v;
	char				 value[SETTING_VALUE_SIZE];

	sentinel__ipc__policy_view__init(&v);
	v.host_id = TEXT(h->h_id);
	v.host_name = TEXT(h->h_name);
	v.policy = TEXT(setting_value(SETTING_DEFAULT_POLICY, value));
	v.origin = TEXT(policy_origin_name(POLICY_O_DEFAULT));
	if (pl != NULL) {
		v.policy = v.host_policy = TEXT(policy_name(pl->pl_policy));
		v.origin = TEXT(policy_origin_name(POLICY_O_HOST));
		v.changed_at = pl->pl_changed_at;
		v.changed_by = TEXT(pl->pl_changed_by);
	}
	return (send_policy(cl, &v));
}

void
client_policy_view(const struct host *h,
    const Sentinel__Cluster__ContainerInfo *info,
    Sentinel__Ipc__PolicyView *v)
{
	const struct policy_row		*pl = policy_get(h, info->name);
	struct policy_facts		 pf;
	struct policy_result		 pr;

	policy_facts_of(h, info, &pf);
	policy_resolve(&pf, &pr);
	sentinel__ipc__policy_view__init(v);
	v->host_id = TEXT(h->h_id);
	v->host_name = TEXT(h->h_name);
	v->container = info->name;
	v->policy = TEXT(policy_name(pr.pr_policy));
	v->origin = TEXT(policy_origin_name(pr.pr_origin));
	if (pf.pf_label != NULL)
		v->label = TEXT(pf.pf_label);
	v->label_ignored = pr.pr_label_ignored;
	v->override = TEXT(policy_name(pf.pf_override));
	v->host_policy = TEXT(policy_name(pf.pf_host));
	if (pl != NULL) {
		v->changed_at = pl->pl_changed_at;
		v->changed_by = TEXT(pl->pl_changed_by);
	}
}

static size_t
send_container(struct client *cl, const struct host *h,
    const Sentinel__Cluster__ContainerInfo *info, bool absent)
{
	Sentinel__Ipc__PolicyView	 v;

	client_policy_view(h, info, &v);
	v.absent = absent;
	return (send_policy(cl, &v));
}

/* What is set for a container that the last list does not have. */
static size_t
send_absent(struct client *cl, const struct policy_row *pl,
    const struct host *h)
{
	Sentinel__Cluster__ContainerInfo	 info;

	sentinel__cluster__container_info__init(&info);
	info.name = pl->pl_container;
	return (send_container(cl, h, &info, true));
}

static size_t
send_known(struct client *cl, const struct host *h, struct container *c)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct pbmem				 pm;
	size_t					 sent = 0;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	info = pbcheck_unpack(&sentinel__cluster__container_info__descriptor,
	    c->ct_blob, c->ct_len, &pm, NULL);
	if (info != NULL)
		sent = send_container(cl, h, info, false);
	pbmem_free(&pm);
	return (sent);
}

/*
 * The host, its containers, and what is set for others, from cl_skip on;
 * cl_skip is where it stopped.  What changes between two pieces may be shown
 * twice or not at all.
 */
static size_t
send_host_policies(struct client *cl, struct host *h)
{
	const struct policy_row	*pl;
	struct container	*c;
	size_t			 n = 0, sent = 0;

	if (n++ >= cl->cl_skip) {
		sent += send_host(cl, h);
		cl->cl_skip = n;
	}
	TAILQ_FOREACH(c, &h->h_containers, ct_entry) {
		if (n++ < cl->cl_skip)
			continue;
		if (client_is_full(sent))
			return (sent);
		sent += send_known(cl, h, c);
		cl->cl_skip = n;
	}
	for (pl = policy_first(h); pl != NULL; pl = policy_next(pl)) {
		if (n++ < cl->cl_skip)
			continue;
		if (client_is_full(sent))
			return (sent);
		if (container_find(h, pl->pl_container) == NULL)
			sent += send_absent(cl, pl, h);
		cl->cl_skip = n;
	}
	cl->cl_skip = 0;
	return (sent);
}

/* From cl_at and cl_skip on. */
static void
more_policies(struct client *cl)
{
	struct host	*h;
	size_t		 sent = 0;

	for (h = client_host_at(cl->cl_at); h != NULL;
	    h = RB_NEXT(host_tree, &eng->hosts, h)) {
		if (h->h_state == HOST_DECOMMISSIONED ||
		    (cl->cl_host[0] != '\0' &&
		    strcmp(cl->cl_host, h->h_id) != 0))
			continue;
		/* cl_skip is of the host that was named, if that is there. */
		if (strcmp(cl->cl_at, h->h_id) != 0)
			cl->cl_skip = 0;
		(void)strlcpy(cl->cl_at, h->h_id, sizeof(cl->cl_at));
		if (!client_is_full(sent)) {
			sent += send_host_policies(cl, h);
			if (cl->cl_skip == 0)
				continue;
		}
		client_later(cl, more_policies);
		return;
	}
	client_end_noerror(cl);
}

static void
show_one(struct client *cl, struct host *h, const char *name)
{
	const struct policy_row	*pl = policy_get(h, name);
	struct container	*c;

	if ((c = container_find(h, name)) != NULL)
		(void)send_known(cl, h, c);
	else if (pl != NULL)
		(void)send_absent(cl, pl, h);
	else {
		client_end(cl, CONTROL_NOSUCH, "host %s has no container %s",
		    h->h_name, name);
		return;
	}
	client_end_noerror(cl);
}

void
client_policy_show(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;

	if (req->host[0] != '\0') {
		if ((h = client_host(cl, req->host)) == NULL)
			return;
		if (req->container[0] != '\0') {
			show_one(cl, h, req->container);
			return;
		}
		(void)strlcpy(cl->cl_host, h->h_id, sizeof(cl->cl_host));
	} else
		(void)send_default(cl);
	more_policies(cl);
}

/* --- policies, changed -------------------------------------------------- */

static void
set_default(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	const char	*value = strcmp(req->value, "inherit") == 0 ? NULL :
			    req->value;
	char		 by[BY_SIZE], why[512];

	(void)snprintf(by, sizeof(by), "uid %u", req->uid);
	if (setting_change(SETTING_DEFAULT_POLICY, value, by, why,
	    sizeof(why)) == -1) {
		client_end(cl, errno == EINVAL ? CONTROL_USAGE :
		    CONTROL_FAILED, "%s", why);
		return;
	}
	(void)send_default(cl);
	client_end_noerror(cl);
}

void
client_policy_set(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	enum policy	 policy = policy_parse(req->value);
	const char	*name = req->container;
	struct host	*h;
	char		 by[BY_SIZE];

	if (req->host[0] == '\0') {
		set_default(cl, req);
		return;
	}
	if ((h = client_host(cl, req->host)) == NULL)
		return;
	if (policy == POLICY_NONE && strcmp(req->value, "inherit") != 0) {
		client_end(cl, CONTROL_USAGE, "\"%s\" is not auto, manual, "
		    "pinned or inherit", req->value);
		return;
	}
	/* Of a host that is away the list may be old or none. */
	if (name[0] != '\0' && policy_get(h, name) == NULL &&
	    (!docker_name_ok(name) || (host_is_connected(h) &&
	    container_find(h, name) == NULL))) {
		client_end(cl, CONTROL_NOSUCH, "host %s has no container %s",
		    h->h_name, name);
		return;
	}
	(void)snprintf(by, sizeof(by), "uid %u", req->uid);
	if (policy_set(h, name, policy, by) == -1) {
		client_end(cl, CONTROL_FAILED, errno == ENOSPC ?
		    "host %s: there are too many policies already: let some "
		    "inherit" : "host %s: nothing was changed: the database "
		    "failed, see the log", h->h_name);
		return;
	}
	if (name[0] == '\0')
		(void)send_host(cl, h);
	else if (container_find(h, name) != NULL)
		(void)send_known(cl, h, container_find(h, name));
	else if (policy_get(h, name) != NULL)
		(void)send_absent(cl, policy_get(h, name), h);
	client_end_noerror(cl);
}
