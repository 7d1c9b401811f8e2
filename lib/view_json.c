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

#include <stdio.h>
#include <string.h>

#include "follow.h"
#include "view_json.h"
#include "view_put.h"

static void
put_allow(struct json_gen *g, const Sentinel__Ipc__AllowView *v)
{
	view_object(g, "allow");
	view_bool(g, "exec", v->exec);
	view_strs(g, "images", v->images, v->n_images);
	view_strs(g, "actions", v->actions, v->n_actions);
	view_bool(g, "read_only", v->read_only);
	json_gen_end_object(g);
}

void
view_json_status(struct json_gen *g, const Sentinel__Ipc__StatusView *v,
    Sentinel__Ipc__ProcessView *const *procs, size_t nprocs)
{
	size_t	 i;

	json_gen_object(g);
	view_str(g, "daemon", v->daemon);
	view_str(g, "version", v->version);
	view_time(g, "started_at", v->started_at);
	if (strcmp(v->daemon, "sentineld") == 0) {
		view_opt(g, "listen", v->listen);
		view_int(g, "hosts", v->hosts);
		view_int(g, "hosts_connected", v->hosts_connected);
		view_opt(g, "ca_fingerprint", v->ca_fingerprint);
		view_opttime(g, "ca_not_after", v->ca_not_after);
		view_opt(g, "ca_phase", v->ca_phase);
		view_opttime(g, "server_cert_not_after", v->server_not_after);
	} else {
		view_str(g, "server", v->server);
		view_opt(g, "host_id", v->host_id);
		view_opt(g, "host_name", v->host_name);
		view_bool(g, "connected", v->connected);
		view_opt(g, "last_error", v->last_error);
		view_opttime(g, "cert_not_after", v->cert_not_after);
		view_bool(g, "signed_commands", v->signed_commands);
		view_opttime(g, "server_heard_at", v->server_heard_at);
		if (v->server_heard_at != 0)
			view_int(g, "clock_skew", v->clock_skew_sec);
		view_bool(g, "autonomous", v->autonomous);
		view_opttime(g, "offline_since", v->offline_since);
		view_int(g, "journal_entries", v->journal_entries);
		view_int(g, "journal_lost", (int64_t)v->journal_lost);
		if (v->allow != NULL)
			put_allow(g, v->allow);
	}
	view_opt(g, "engine_id", v->engine_id);
	view_bool(g, "docker", v->docker);
	view_opt(g, "docker_error", v->docker_error);
	view_int(g, "containers", v->containers);
	view_array(g, "processes");
	for (i = 0; i < nprocs; i++) {
		json_gen_object(g);
		view_str(g, "name", procs[i]->name);
		view_int(g, "pid", procs[i]->pid);
		view_int(g, "uid", procs[i]->uid);
		view_str(g, "sandbox", procs[i]->sandbox);
		view_int(g, "restarts", procs[i]->restarts);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
	json_gen_end_object(g);
}

/* "key=value" each; keys hold no '='. */
static void
put_labels(struct json_gen *g, char *const *labels, size_t n)
{
	const char	*eq;
	char		 key[64];
	size_t		 i;

	view_object(g, "labels");
	for (i = 0; i < n; i++) {
		eq = strchr(labels[i], '=');
		if (eq == NULL || (size_t)(eq - labels[i]) >= sizeof(key))
			continue;
		(void)snprintf(key, sizeof(key), "%.*s",
		    (int)(eq - labels[i]), labels[i]);
		view_str(g, key, eq + 1);
	}
	json_gen_end_object(g);
}

void
view_json_token(struct json_gen *g, const Sentinel__Ipc__TokenView *v)
{
	json_gen_object(g);
	view_opt(g, "token", v->token);
	view_str(g, "id", v->id);
	view_time(g, "created_at", v->created_at);
	view_time(g, "expires_at", v->expires_at);
	view_int(g, "uses", v->uses);
	view_int(g, "used", v->used);
	view_opt(g, "host_name", v->host_name);
	view_opt(g, "state", v->state);
	view_opt(g, "host_id", v->host_id);
	view_opt(g, "ca_fingerprint", v->ca_fingerprint);
	view_opt(g, "replaces", v->replaces);
	view_opt(g, "replaces_name", v->replaces_name);
	put_labels(g, v->labels, v->n_labels);
	view_opt(g, "creator", v->creator);
	json_gen_end_object(g);
}

void
view_json_host(struct json_gen *g, const Sentinel__Ipc__HostView *v)
{
	json_gen_object(g);
	view_str(g, "id", v->id);
	view_str(g, "name", v->name);
	if (strcmp(v->raw_name, v->name) != 0)
		view_opt(g, "raw_name", v->raw_name);
	view_str(g, "address", v->address);
	view_str(g, "state", v->state);
	view_bool(g, "connected", v->connected);
	view_time(g, "enrolled_at", v->enrolled_at);
	view_time(g, "last_seen", v->last_seen);
	view_opt(g, "agent_version", v->agent_version);
	view_strs(g, "features", v->features, v->n_features);
	view_int(g, "containers", v->containers);
	view_time(g, "disconnect_at", v->disconnect_at);
	view_opt(g, "disconnect_err", v->disconnect_err);
	view_opt(g, "disconnect_cat", v->disconnect_cat);
	view_opt(g, "engine_id", v->engine_id);
	view_opt(g, "cert_serial", v->cert_serial);
	view_time(g, "cert_not_after", v->cert_not_after);
	view_opttime(g, "cert_not_before", v->cert_not_before);
	view_opttime(g, "cert_renew_at", v->cert_renew_at);
	view_opt(g, "pending_serial", v->pending_serial);
	view_opttime(g, "pending_not_after", v->pending_not_after);
	view_opt(g, "docker_error", v->docker_error);
	if (v->rtt_usec != 0)
		view_int(g, "rtt_us", v->rtt_usec);
	put_labels(g, v->labels, v->n_labels);
	view_opt(g, "frozen", v->frozen);
	view_opt(g, "ca_missing", v->ca_missing);
	view_opttime(g, "decommissioned_at", v->decommissioned_at);
	view_opt(g, "decommission_reason", v->decommission_reason);
	view_opt(g, "decommissioned_by", v->decommissioned_by);
	json_gen_end_object(g);
}

void
view_json_event(struct json_gen *g, const Sentinel__Ipc__EventView *v)
{
	json_gen_object(g);
	view_int(g, "id", (int64_t)v->id);
	view_msec(g, "time", v->time_msec);
	view_str(g, "type", v->type);
	view_host(g, v->host_id, v->host_name);
	view_opt(g, "container", v->container);
	view_opt(g, "message", v->message);
	json_gen_end_object(g);
}

static void
put_ports(struct json_gen *g, const Sentinel__Cluster__ContainerInfo *ci)
{
	size_t	 i;

	view_array(g, "ports");
	for (i = 0; i < ci->n_ports; i++) {
		json_gen_object(g);
		view_str(g, "host_ip", ci->ports[i]->host_ip);
		view_int(g, "host_port", ci->ports[i]->host_port);
		view_int(g, "container_port", ci->ports[i]->container_port);
		view_str(g, "protocol", ci->ports[i]->protocol);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
}

void
view_json_container(struct json_gen *g, const Sentinel__Ipc__ContainerView *v)
{
	const Sentinel__Cluster__ContainerInfo	*ci = v->info;
	size_t					 i;

	json_gen_object(g);
	view_str(g, "id", ci->id);
	view_str(g, "name", ci->name);
	view_str(g, "image", ci->image);
	view_opt(g, "image_digest", ci->image_digest);
	view_str(g, "state", ci->state);
	view_opt(g, "health", ci->health);
	view_host(g, v->host_id, v->host_name);
	for (i = 0; i < ci->n_labels; i++)
		if (strcmp(ci->labels[i]->key,
		    "com.docker.compose.project") == 0)
			view_opt(g, "stack", ci->labels[i]->value);
	view_int(g, "state_age", v->state_age_sec);
	view_bool(g, "stale", v->stale);
	view_time(g, "created",
	    ci->created == NULL ? 0 : ci->created->seconds);
	view_object(g, "labels");
	for (i = 0; i < ci->n_labels; i++)
		view_str(g, ci->labels[i]->key, ci->labels[i]->value);
	json_gen_end_object(g);
	put_ports(g, ci);
	if (v->n_quarantine > 0)
		view_strs(g, "quarantine", v->quarantine, v->n_quarantine);
	json_gen_end_object(g);
}

void
view_json_history(struct json_gen *g, const Sentinel__Ipc__HistoryView *v)
{
	json_gen_object(g);
	view_str(g, "id", v->id);
	view_msec(g, "time", v->time_msec);
	view_host(g, v->host_id, v->host_name);
	view_opt(g, "container", v->container);
	view_str(g, "action", v->action);
	view_opt(g, "old_image", v->old_image);
	view_opt(g, "new_image", v->new_image);
	view_opt(g, "old_digest", v->old_digest);
	view_opt(g, "new_digest", v->new_digest);
	view_opt(g, "outcome", v->outcome);
	view_opt(g, "error", v->error);
	view_int(g, "duration_ms", (int64_t)v->duration_msec);
	view_opt(g, "origin", v->origin);
	view_optmsec(g, "stored_at", v->stored_msec);
	json_gen_end_object(g);
}

void
view_json_logs(struct json_gen *g, const Sentinel__Ipc__LogsView *v)
{
	json_gen_object(g);
	view_str(g, "logs", v->logs);
	view_int(g, "lines", v->lines);
	view_bool(g, "remote", v->remote);
	json_gen_end_object(g);
}

void
view_json_follow(struct json_gen *g, const Sentinel__Ipc__FollowView *v,
    const char *line)
{
	json_gen_object(g);
	if (line != NULL) {
		view_str(g, "stream", v->stream == FOLLOW_STDERR ? "stderr" :
		    "stdout");
		view_str(g, "line", line);
	} else
		view_int(g, "skipped", v->skipped > INT64_MAX ? INT64_MAX :
		    (int64_t)v->skipped);
	json_gen_end_object(g);
}

void
view_json_result(struct json_gen *g, const Sentinel__Ipc__ResultView *v)
{
	json_gen_object(g);
	view_str(g, "id", v->request_id);
	view_str(g, "kind", v->action);
	view_opt(g, "host_name", v->host_name);
	view_str(g, "name", v->container);
	view_str(g, "outcome", v->outcome);
	view_opt(g, "error", v->error);
	view_opt(g, "old_image", v->old_image);
	view_opt(g, "old_digest", v->old_digest);
	view_opt(g, "new_image", v->new_image);
	view_opt(g, "new_digest", v->new_digest);
	view_int(g, "duration_ms", (int64_t)v->duration_msec);
	json_gen_end_object(g);
}

void
view_json_cert(struct json_gen *g, const Sentinel__Ipc__CertView *v)
{
	json_gen_object(g);
	view_str(g, "kind", v->kind);
	view_str(g, "subject", v->subject);
	view_host(g, v->host_id, v->host_name);
	view_str(g, "serial", v->serial);
	view_opttime(g, "not_before", v->not_before);
	view_opttime(g, "not_after", v->not_after);
	view_opttime(g, "renew_at", v->renew_at);
	view_str(g, "state", v->state);
	view_opttime(g, "revoked_at", v->revoked_at);
	view_opt(g, "reason", v->reason);
	json_gen_end_object(g);
}

void
view_json_audit(struct json_gen *g, const Sentinel__Ipc__AuditView *v)
{
	json_gen_object(g);
	if (v->entry != NULL) {
		view_int(g, "seq", (int64_t)v->entry->seq);
		view_msec(g, "time", v->entry->time_msec);
		view_str(g, "actor", v->entry->actor);
		view_str(g, "action", v->entry->action);
		view_opt(g, "subject", v->entry->subject);
		view_str(g, "outcome", v->entry->outcome);
		view_opt(g, "text", v->entry->text);
		view_str(g, "hash", v->entry->hash);
		view_str(g, "previous", v->entry->previous);
	} else if (v->chain != NULL) {
		view_int(g, "records", (int64_t)v->chain->records);
		view_int(g, "first", (int64_t)v->chain->first);
		view_int(g, "newest", (int64_t)v->chain->newest);
		view_opt(g, "hash", v->chain->hash);
		if (v->chain->broken != 0)
			view_int(g, "broken", (int64_t)v->chain->broken);
		view_opt(g, "why", v->chain->why);
	}
	json_gen_end_object(g);
}

void
view_json_setting(struct json_gen *g, const Sentinel__Ipc__SettingView *v)
{
	json_gen_object(g);
	view_str(g, "name", v->name);
	view_str(g, "value", v->value);
	view_str(g, "origin", v->origin);
	view_opt(g, "from", v->from);
	view_bool(g, "locked", v->locked);
	view_str(g, "default", v->default_value);
	view_opt(g, "bounds", v->bounds);
	view_str(g, "help", v->help);
	view_opttime(g, "changed_at", v->changed_at);
	json_gen_end_object(g);
}

void
view_json_policy(struct json_gen *g, const Sentinel__Ipc__PolicyView *v)
{
	json_gen_object(g);
	view_host(g, v->host_id, v->host_name);
	view_opt(g, "name", v->container);
	view_str(g, "policy", v->policy);
	view_str(g, "origin", v->origin);
	view_opt(g, "label", v->label);
	view_flag(g, "label_ignored", v->label_ignored);
	view_opt(g, "override", v->override);
	view_opt(g, "host_policy", v->host_policy);
	view_flag(g, "absent", v->absent);
	view_opttime(g, "changed_at", v->changed_at);
	view_opt(g, "changed_by", v->changed_by);
	json_gen_end_object(g);
}

void
view_json_hook(struct json_gen *g, const Sentinel__Ipc__HookView *v)
{
	json_gen_object(g);
	view_host(g, v->host_id, v->host_name);
	view_str(g, "name", v->container);
	view_str(g, "phase", v->phase);
	view_opt(g, "command", v->command);
	if (v->timeout_sec != 0)
		view_int(g, "timeout_seconds", v->timeout_sec);
	view_flag(g, "rollback", v->rollback);
	view_opt(g, "origin", v->origin);
	view_flag(g, "unused", v->unused);
	view_opttime(g, "changed_at", v->changed_at);
	view_opt(g, "changed_by", v->changed_by);
	if (v->request_id[0] != '\0') {
		view_str(g, "request_id", v->request_id);
		view_str(g, "outcome", v->outcome);
		view_int(g, "exit_code", v->exit_code);
		view_str(g, "output", v->output);
	}
	view_opt(g, "error", v->error);
	json_gen_end_object(g);
}

void
view_json_ca(struct json_gen *g, const Sentinel__Ipc__CaView *v)
{
	size_t	 i;

	json_gen_object(g);
	view_str(g, "phase", v->phase);
	view_opttime(g, "since", v->since);
	view_opt(g, "by", v->by);
	view_opt(g, "fingerprint", v->fingerprint);
	view_opttime(g, "not_after", v->not_after);
	if (v->new_fingerprint[0] != '\0') {
		view_str(g, "new_fingerprint", v->new_fingerprint);
		view_opttime(g, "new_not_after", v->new_not_after);
		view_bool(g, "cross_signed", v->cross);
	}
	view_int(g, "hosts", v->hosts);
	view_int(g, "waiting", v->waiting);
	view_array(g, "missing");
	for (i = 0; i < v->n_missing; i++) {
		json_gen_object(g);
		view_str(g, "id", v->missing[i]->id);
		view_str(g, "name", v->missing[i]->name);
		view_bool(g, "connected", v->missing[i]->connected);
		view_str(g, "missing", v->missing[i]->missing);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
	json_gen_end_object(g);
}

void
view_json_check(struct json_gen *g, const Sentinel__Ipc__CheckView *v)
{
	json_gen_object(g);
	view_str(g, "name", v->name);
	view_str(g, "level", v->level);
	view_str(g, "text", v->text);
	view_opt(g, "fix", v->fix);
	json_gen_end_object(g);
}
