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

#include <stdio.h>
#include <string.h>

#include "engine_policy.h"
#include "setting.h"
#include "utf8.h"

/* Policies and settings as this agent has them from its server. */
struct showing {
	uint32_t	 sh_id;		/* client */
	const char	*sh_only;	/* container, "": all */
	bool		 sh_found;
};

static void	 send_setting(uint32_t, enum setting, const char *);
static const char *duration(uint64_t, char *);
static bool	 is_known(enum setting, char *, size_t);
static void	 send_policy(uint32_t, Sentinel__Ipc__PolicyView *);
static bool	 show_container(const Sentinel__Cluster__ContainerInfo *,
		    void *);

/* --- settings ----------------------------------------------------------- */

static const char *
duration(uint64_t msec, char *buf)
{
	struct conf	 c;

	memset(&c, 0, sizeof(c));
	c.c_server.cs_settings.ct_poll_msec = msec;
	return (setting_text(&c, SETTING_POLL_INTERVAL, buf, 64));
}

/* The value; false: it is none of an agent's. */
static bool
is_known(enum setting st, char *buf, size_t size)
{
	const struct policy_cache	*pc = policy_cache_now();
	bool				 yes;

	switch (st) {
	case SETTING_DEFAULT_POLICY:
		(void)strlcpy(buf, pc->pc_default == POLICY_NONE ? "manual" :
		    policy_name(pc->pc_default), size);
		return (true);
	case SETTING_POLL_INTERVAL:
		(void)duration(pc->pc_poll_msec, buf);
		return (true);
	case SETTING_GRACE_PERIOD:
		(void)duration(pc->pc_grace_msec, buf);
		return (true);
	case SETTING_GRACE_PERIOD_OFFLINE:
		(void)duration(pc->pc_offline_msec, buf);
		return (pc->pc_has_offline);
	case SETTING_ROLLBACK_POLICY:
		(void)strlcpy(buf, pc->pc_rollback == POLICY_NONE ? "none" :
		    policy_name(pc->pc_rollback), size);
		return (true);
	case SETTING_LATEST_AUTO_UPDATE:
		yes = pc->pc_latest_auto;
		break;
	case SETTING_IMAGE_CLEANUP:
		yes = pc->pc_image_cleanup;
		break;
	case SETTING_HOOKS_ENABLED:
		yes = pc->pc_hooks_enabled;
		break;
	case SETTING_DEPENDENCY_AWARE:
		yes = pc->pc_dependency_aware;
		break;
	default:
		return (false);
	}
	(void)strlcpy(buf, yes ? "true" : "false", size);
	return (true);
}

static void
send_setting(uint32_t id, enum setting st, const char *value)
{
	const struct policy_cache	*pc = policy_cache_now();
	const struct conf_key		*k = &conf_keys[setting_key(st)];
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__SettingView	 v;

	sentinel__ipc__setting_view__init(&v);
	v.name = engine_lend(setting_name(st));
	v.value = engine_lend(value);
	v.changed_at = st == SETTING_DEFAULT_POLICY ? pc->pc_policies_at :
	    pc->pc_settings_at;
	v.origin = engine_lend(v.changed_at != 0 ? "server" : "default");
	if (v.changed_at != 0)
		v.from = eng->conf.ac_server;
	v.default_value = engine_lend(k->ck_default);
	v.help = engine_lend(k->ck_doc);
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_SETTING;
	item.setting = &v;
	client_item(id, &item);
}

void
client_settings(uint32_t id, const Sentinel__Ipc__ControlRequest *req)
{
	char		 value[SETTING_VALUE_SIZE];
	enum setting	 only = setting_find(req->setting);
	bool		 found = false;
	int		 i;

	for (i = 0; i < SETTING_MAX; i++) {
		if ((req->setting[0] != '\0' && i != (int)only) ||
		    !is_known((enum setting)i, value, sizeof(value)))
			continue;
		found = true;
		send_setting(id, (enum setting)i, value);
	}
	if (found)
		client_end(id, CONTROL_OK, "%s", "");
	else
		client_end(id, CONTROL_NOSUCH, "no setting %s of an agent; "
		    "settings get lists them", req->setting);
}

/* --- policies ----------------------------------------------------------- */

static void
send_policy(uint32_t id, Sentinel__Ipc__PolicyView *v)
{
	Sentinel__Ipc__ControlItem	 item;

	v->host_id = eng->id.id_host;
	v->host_name = eng->conf.ac_name;
	v->changed_at = policy_cache_now()->pc_policies_at;
	if (v->changed_at != 0)
		v->changed_by = eng->conf.ac_server;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_POLICY;
	item.policy = v;
	client_item(id, &item);
}

static bool
show_container(const Sentinel__Cluster__ContainerInfo *info, void *arg)
{
	struct showing			*sh = arg;
	Sentinel__Ipc__PolicyView	 v;
	struct policy_facts		 pf;
	struct policy_result		 pr;
	char				 label[64];

	if (sh->sh_only[0] != '\0' && strcmp(sh->sh_only, info->name) != 0)
		return (true);
	sh->sh_found = true;
	policy_facts_of(info, &pf);
	policy_resolve(&pf, &pr);
	sentinel__ipc__policy_view__init(&v);
	v.container = info->name;
	v.policy = engine_lend(policy_name(pr.pr_policy));
	v.origin = engine_lend(policy_origin_name(pr.pr_origin));
	/* From whoever made the container. */
	(void)utf8_vis(label, sizeof(label), engine_lend(pf.pf_label),
	    strlen(engine_lend(pf.pf_label)));
	v.label = label;
	v.label_ignored = pr.pr_label_ignored;
	v.override = engine_lend(policy_name(pf.pf_override));
	v.host_policy = engine_lend(policy_name(pf.pf_host));
	send_policy(sh->sh_id, &v);
	return (true);
}

void
client_policies(uint32_t id, const Sentinel__Ipc__ControlRequest *req)
{
	struct showing			 sh = { id, req->container, false };
	Sentinel__Ipc__PolicyView	 v;
	struct policy_facts		 pf;
	struct policy_result		 pr;
	Sentinel__Cluster__ContainerInfo none;

	if (req->host[0] != '\0' && strcmp(req->host, eng->id.id_host) != 0 &&
	    strcmp(req->host, eng->conf.ac_name) != 0) {
		client_end(id, CONTROL_NOSUCH, "this agent knows its own host "
		    "only (%s); ask the server", eng->conf.ac_name);
		return;
	}
	if (req->container[0] == '\0') {
		sentinel__cluster__container_info__init(&none);
		policy_facts_of(&none, &pf);
		pf.pf_latest_auto = false;
		policy_resolve(&pf, &pr);
		sentinel__ipc__policy_view__init(&v);
		v.policy = engine_lend(policy_name(pr.pr_policy));
		v.origin = engine_lend(policy_origin_name(pr.pr_origin));
		send_policy(id, &v);
	}
	list_walk(show_container, &sh);
	if (sh.sh_found || req->container[0] == '\0')
		client_end(id, CONTROL_OK, "%s", "");
	else
		client_end(id, CONTROL_NOSUCH, "this host has no container "
		    "%s", req->container);
}
