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
#include <time.h>

#include "follow.h"
#include "view_json.h"

#define NEVER		"0001-01-01T00:00:00Z"

/* "2026-11-22T09:00:00Z"; msec also with a fraction unless it is 0. */
static void	 view_time(char[VIEW_TIME_SIZE], int64_t);

/* --- members ------------------------------------------------------------ */

static void
put_str(struct json_gen *g, const char *key, const char *value)
{
	json_gen_key(g, key);
	json_gen_str(g, value);
}

static void
put_opt(struct json_gen *g, const char *key, const char *value)
{
	if (value[0] != '\0')
		put_str(g, key, value);
}

static void
put_int(struct json_gen *g, const char *key, int64_t value)
{
	json_gen_key(g, key);
	json_gen_int(g, value);
}

static void
put_bool(struct json_gen *g, const char *key, bool value)
{
	json_gen_key(g, key);
	json_gen_bool(g, value);
}

static void
put_time(struct json_gen *g, const char *key, int64_t sec)
{
	char	 text[VIEW_TIME_SIZE];

	view_time(text, sec);
	put_str(g, key, text);
}

static void
put_opttime(struct json_gen *g, const char *key, int64_t sec)
{
	if (sec != 0)
		put_time(g, key, sec);
}

static void
view_time(char text[VIEW_TIME_SIZE], int64_t sec)
{
	struct tm	 tm;
	time_t		 t = (time_t)sec;

	if (sec == 0 || gmtime_r(&t, &tm) == NULL ||
	    strftime(text, VIEW_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)strlcpy(text, NEVER, VIEW_TIME_SIZE);
}

void
view_time_msec(char text[VIEW_TIME_SIZE], int64_t msec)
{
	size_t	 len;

	view_time(text, msec / 1000);
	if (msec % 1000 <= 0)
		return;
	len = strlen(text) - 1;
	(void)snprintf(text + len, VIEW_TIME_SIZE - len, ".%03dZ",
	    (int)(msec % 1000));
}

static void
put_strs(struct json_gen *g, const char *key, char *const *list, size_t n)
{
	size_t	 i;

	json_gen_key(g, key);
	json_gen_array(g);
	for (i = 0; i < n; i++)
		json_gen_str(g, list[i]);
	json_gen_end_array(g);
}

/* --- objects ------------------------------------------------------------ */

static void
put_allow(struct json_gen *g, const Sentinel__Ipc__AllowView *v)
{
	json_gen_key(g, "allow");
	json_gen_object(g);
	put_bool(g, "exec", v->exec);
	put_strs(g, "images", v->images, v->n_images);
	put_strs(g, "actions", v->actions, v->n_actions);
	put_bool(g, "read_only", v->read_only);
	json_gen_end_object(g);
}

void
view_json_status(struct json_gen *g, const Sentinel__Ipc__StatusView *v,
    Sentinel__Ipc__ProcessView *const *procs, size_t nprocs)
{
	size_t	 i;

	json_gen_object(g);
	put_str(g, "daemon", v->daemon);
	put_str(g, "version", v->version);
	put_time(g, "started_at", v->started_at);
	if (strcmp(v->daemon, "sentineld") == 0) {
		put_opt(g, "listen", v->listen);
		put_int(g, "hosts", v->hosts);
		put_int(g, "hosts_connected", v->hosts_connected);
		put_opt(g, "ca_fingerprint", v->ca_fingerprint);
		put_opttime(g, "ca_not_after", v->ca_not_after);
		put_opt(g, "ca_phase", v->ca_phase);
		put_opttime(g, "server_cert_not_after", v->server_not_after);
	} else {
		put_str(g, "server", v->server);
		put_opt(g, "host_id", v->host_id);
		put_opt(g, "host_name", v->host_name);
		put_bool(g, "connected", v->connected);
		put_opt(g, "last_error", v->last_error);
		put_opttime(g, "cert_not_after", v->cert_not_after);
		put_bool(g, "signed_commands", v->signed_commands);
		put_opttime(g, "server_heard_at", v->server_heard_at);
		if (v->server_heard_at != 0)
			put_int(g, "clock_skew", v->clock_skew_sec);
		put_bool(g, "autonomous", v->autonomous);
		put_opttime(g, "offline_since", v->offline_since);
		put_int(g, "journal_entries", v->journal_entries);
		put_int(g, "journal_lost", (int64_t)v->journal_lost);
		if (v->allow != NULL)
			put_allow(g, v->allow);
	}
	put_opt(g, "engine_id", v->engine_id);
	put_bool(g, "docker", v->docker);
	put_opt(g, "docker_error", v->docker_error);
	put_int(g, "containers", v->containers);
	json_gen_key(g, "processes");
	json_gen_array(g);
	for (i = 0; i < nprocs; i++) {
		json_gen_object(g);
		put_str(g, "name", procs[i]->name);
		put_int(g, "pid", procs[i]->pid);
		put_int(g, "uid", procs[i]->uid);
		put_str(g, "sandbox", procs[i]->sandbox);
		put_int(g, "restarts", procs[i]->restarts);
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

	json_gen_key(g, "labels");
	json_gen_object(g);
	for (i = 0; i < n; i++) {
		eq = strchr(labels[i], '=');
		if (eq == NULL || (size_t)(eq - labels[i]) >= sizeof(key))
			continue;
		(void)snprintf(key, sizeof(key), "%.*s",
		    (int)(eq - labels[i]), labels[i]);
		put_str(g, key, eq + 1);
	}
	json_gen_end_object(g);
}

void
view_json_token(struct json_gen *g, const Sentinel__Ipc__TokenView *v)
{
	json_gen_object(g);
	put_opt(g, "token", v->token);
	put_str(g, "id", v->id);
	put_time(g, "created_at", v->created_at);
	put_time(g, "expires_at", v->expires_at);
	put_int(g, "uses", v->uses);
	put_int(g, "used", v->used);
	put_opt(g, "host_name", v->host_name);
	put_opt(g, "state", v->state);
	put_opt(g, "host_id", v->host_id);
	put_opt(g, "ca_fingerprint", v->ca_fingerprint);
	put_opt(g, "replaces", v->replaces);
	put_opt(g, "replaces_name", v->replaces_name);
	put_labels(g, v->labels, v->n_labels);
	put_opt(g, "creator", v->creator);
	json_gen_end_object(g);
}

void
view_json_host(struct json_gen *g, const Sentinel__Ipc__HostView *v)
{
	json_gen_object(g);
	put_str(g, "id", v->id);
	put_str(g, "name", v->name);
	if (strcmp(v->raw_name, v->name) != 0)
		put_opt(g, "raw_name", v->raw_name);
	put_str(g, "address", v->address);
	put_str(g, "state", v->state);
	put_bool(g, "connected", v->connected);
	put_time(g, "enrolled_at", v->enrolled_at);
	put_time(g, "last_seen", v->last_seen);
	put_opt(g, "agent_version", v->agent_version);
	put_strs(g, "features", v->features, v->n_features);
	put_int(g, "containers", v->containers);
	put_time(g, "disconnect_at", v->disconnect_at);
	put_opt(g, "disconnect_err", v->disconnect_err);
	put_opt(g, "disconnect_cat", v->disconnect_cat);
	put_opt(g, "engine_id", v->engine_id);
	put_opt(g, "cert_serial", v->cert_serial);
	put_time(g, "cert_not_after", v->cert_not_after);
	put_opttime(g, "cert_not_before", v->cert_not_before);
	put_opttime(g, "cert_renew_at", v->cert_renew_at);
	put_opt(g, "pending_serial", v->pending_serial);
	put_opttime(g, "pending_not_after", v->pending_not_after);
	put_opt(g, "docker_error", v->docker_error);
	if (v->rtt_usec != 0)
		put_int(g, "rtt_us", v->rtt_usec);
	put_labels(g, v->labels, v->n_labels);
	put_opt(g, "frozen", v->frozen);
	put_opt(g, "ca_missing", v->ca_missing);
	put_opttime(g, "decommissioned_at", v->decommissioned_at);
	put_opt(g, "decommission_reason", v->decommission_reason);
	put_opt(g, "decommissioned_by", v->decommissioned_by);
	json_gen_end_object(g);
}

void
view_json_event(struct json_gen *g, const Sentinel__Ipc__EventView *v)
{
	char	 text[VIEW_TIME_SIZE];

	view_time_msec(text, v->time_msec);
	json_gen_object(g);
	put_int(g, "id", (int64_t)v->id);
	put_str(g, "time", text);
	put_str(g, "type", v->type);
	put_opt(g, "host_id", v->host_id);
	put_opt(g, "host_name", v->host_name);
	put_opt(g, "container", v->container);
	put_opt(g, "message", v->message);
	json_gen_end_object(g);
}

static void
put_ports(struct json_gen *g, const Sentinel__Cluster__ContainerInfo *ci)
{
	size_t	 i;

	json_gen_key(g, "ports");
	json_gen_array(g);
	for (i = 0; i < ci->n_ports; i++) {
		json_gen_object(g);
		put_str(g, "host_ip", ci->ports[i]->host_ip);
		put_int(g, "host_port", ci->ports[i]->host_port);
		put_int(g, "container_port", ci->ports[i]->container_port);
		put_str(g, "protocol", ci->ports[i]->protocol);
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
	put_str(g, "id", ci->id);
	put_str(g, "name", ci->name);
	put_str(g, "image", ci->image);
	put_opt(g, "image_digest", ci->image_digest);
	put_str(g, "state", ci->state);
	put_opt(g, "health", ci->health);
	put_opt(g, "host_id", v->host_id);
	put_opt(g, "host_name", v->host_name);
	for (i = 0; i < ci->n_labels; i++)
		if (strcmp(ci->labels[i]->key,
		    "com.docker.compose.project") == 0)
			put_opt(g, "stack", ci->labels[i]->value);
	put_int(g, "state_age", v->state_age_sec);
	put_bool(g, "stale", v->stale);
	put_time(g, "created",
	    ci->created == NULL ? 0 : ci->created->seconds);
	json_gen_key(g, "labels");
	json_gen_object(g);
	for (i = 0; i < ci->n_labels; i++)
		put_str(g, ci->labels[i]->key, ci->labels[i]->value);
	json_gen_end_object(g);
	put_ports(g, ci);
	if (v->n_quarantine > 0)
		put_strs(g, "quarantine", v->quarantine, v->n_quarantine);
	json_gen_end_object(g);
}

void
view_json_history(struct json_gen *g, const Sentinel__Ipc__HistoryView *v)
{
	char	 text[VIEW_TIME_SIZE];

	view_time_msec(text, v->time_msec);
	json_gen_object(g);
	put_str(g, "id", v->id);
	put_str(g, "time", text);
	put_opt(g, "host_id", v->host_id);
	put_opt(g, "host_name", v->host_name);
	put_opt(g, "container", v->container);
	put_str(g, "action", v->action);
	put_opt(g, "old_image", v->old_image);
	put_opt(g, "new_image", v->new_image);
	put_opt(g, "old_digest", v->old_digest);
	put_opt(g, "new_digest", v->new_digest);
	put_opt(g, "outcome", v->outcome);
	put_opt(g, "error", v->error);
	put_int(g, "duration_ms", (int64_t)v->duration_msec);
	put_opt(g, "origin", v->origin);
	if (v->stored_msec != 0) {
		view_time_msec(text, v->stored_msec);
		put_str(g, "stored_at", text);
	}
	json_gen_end_object(g);
}

void
view_json_logs(struct json_gen *g, const Sentinel__Ipc__LogsView *v)
{
	json_gen_object(g);
	put_str(g, "logs", v->logs);
	put_int(g, "lines", v->lines);
	put_bool(g, "remote", v->remote);
	json_gen_end_object(g);
}

void
view_json_follow(struct json_gen *g, const Sentinel__Ipc__FollowView *v,
    const char *line)
{
	json_gen_object(g);
	if (line != NULL) {
		put_str(g, "stream", v->stream == FOLLOW_STDERR ? "stderr" :
		    "stdout");
		put_str(g, "line", line);
	} else
		put_int(g, "skipped", v->skipped > INT64_MAX ? INT64_MAX :
		    (int64_t)v->skipped);
	json_gen_end_object(g);
}

void
view_json_result(struct json_gen *g, const Sentinel__Ipc__ResultView *v)
{
	json_gen_object(g);
	put_str(g, "id", v->request_id);
	put_str(g, "kind", v->action);
	put_opt(g, "host_name", v->host_name);
	put_str(g, "name", v->container);
	put_str(g, "outcome", v->outcome);
	put_opt(g, "error", v->error);
	put_opt(g, "old_image", v->old_image);
	put_opt(g, "old_digest", v->old_digest);
	put_opt(g, "new_image", v->new_image);
	put_opt(g, "new_digest", v->new_digest);
	put_int(g, "duration_ms", (int64_t)v->duration_msec);
	json_gen_end_object(g);
}

void
view_json_cert(struct json_gen *g, const Sentinel__Ipc__CertView *v)
{
	json_gen_object(g);
	put_str(g, "kind", v->kind);
	put_str(g, "subject", v->subject);
	put_opt(g, "host_id", v->host_id);
	put_opt(g, "host_name", v->host_name);
	put_str(g, "serial", v->serial);
	put_opttime(g, "not_before", v->not_before);
	put_opttime(g, "not_after", v->not_after);
	put_opttime(g, "renew_at", v->renew_at);
	put_str(g, "state", v->state);
	put_opttime(g, "revoked_at", v->revoked_at);
	put_opt(g, "reason", v->reason);
	json_gen_end_object(g);
}

void
view_json_audit(struct json_gen *g, const Sentinel__Ipc__AuditView *v)
{
	char	 text[VIEW_TIME_SIZE];

	json_gen_object(g);
	if (v->entry != NULL) {
		view_time_msec(text, v->entry->time_msec);
		put_int(g, "seq", (int64_t)v->entry->seq);
		put_str(g, "time", text);
		put_str(g, "actor", v->entry->actor);
		put_str(g, "action", v->entry->action);
		put_opt(g, "subject", v->entry->subject);
		put_str(g, "outcome", v->entry->outcome);
		put_opt(g, "text", v->entry->text);
		put_str(g, "hash", v->entry->hash);
		put_str(g, "previous", v->entry->previous);
	} else if (v->chain != NULL) {
		put_int(g, "records", (int64_t)v->chain->records);
		put_int(g, "first", (int64_t)v->chain->first);
		put_int(g, "newest", (int64_t)v->chain->newest);
		put_opt(g, "hash", v->chain->hash);
		if (v->chain->broken != 0)
			put_int(g, "broken", (int64_t)v->chain->broken);
		put_opt(g, "why", v->chain->why);
	}
	json_gen_end_object(g);
}

void
view_json_setting(struct json_gen *g, const Sentinel__Ipc__SettingView *v)
{
	json_gen_object(g);
	put_str(g, "name", v->name);
	put_str(g, "value", v->value);
	put_str(g, "origin", v->origin);
	put_opt(g, "from", v->from);
	put_bool(g, "locked", v->locked);
	put_str(g, "default", v->default_value);
	put_opt(g, "bounds", v->bounds);
	put_str(g, "help", v->help);
	put_opttime(g, "changed_at", v->changed_at);
	json_gen_end_object(g);
}

void
view_json_policy(struct json_gen *g, const Sentinel__Ipc__PolicyView *v)
{
	json_gen_object(g);
	put_opt(g, "host_id", v->host_id);
	put_opt(g, "host_name", v->host_name);
	put_opt(g, "name", v->container);
	put_str(g, "policy", v->policy);
	put_str(g, "origin", v->origin);
	put_opt(g, "label", v->label);
	if (v->label_ignored)
		put_bool(g, "label_ignored", true);
	put_opt(g, "override", v->override);
	put_opt(g, "host_policy", v->host_policy);
	if (v->absent)
		put_bool(g, "absent", true);
	put_opttime(g, "changed_at", v->changed_at);
	put_opt(g, "changed_by", v->changed_by);
	json_gen_end_object(g);
}

void
view_json_hook(struct json_gen *g, const Sentinel__Ipc__HookView *v)
{
	json_gen_object(g);
	put_opt(g, "host_id", v->host_id);
	put_opt(g, "host_name", v->host_name);
	put_str(g, "name", v->container);
	put_str(g, "phase", v->phase);
	put_opt(g, "command", v->command);
	if (v->timeout_sec != 0)
		put_int(g, "timeout_seconds", v->timeout_sec);
	if (v->rollback)
		put_bool(g, "rollback", true);
	put_opt(g, "origin", v->origin);
	if (v->unused)
		put_bool(g, "unused", true);
	put_opttime(g, "changed_at", v->changed_at);
	put_opt(g, "changed_by", v->changed_by);
	if (v->request_id[0] != '\0') {
		put_str(g, "request_id", v->request_id);
		put_str(g, "outcome", v->outcome);
		put_int(g, "exit_code", v->exit_code);
		put_str(g, "output", v->output);
	}
	put_opt(g, "error", v->error);
	json_gen_end_object(g);
}

void
view_json_ca(struct json_gen *g, const Sentinel__Ipc__CaView *v)
{
	size_t	 i;

	json_gen_object(g);
	put_str(g, "phase", v->phase);
	put_opttime(g, "since", v->since);
	put_opt(g, "by", v->by);
	put_opt(g, "fingerprint", v->fingerprint);
	put_opttime(g, "not_after", v->not_after);
	if (v->new_fingerprint[0] != '\0') {
		put_str(g, "new_fingerprint", v->new_fingerprint);
		put_opttime(g, "new_not_after", v->new_not_after);
		put_bool(g, "cross_signed", v->cross);
	}
	put_int(g, "hosts", v->hosts);
	put_int(g, "waiting", v->waiting);
	json_gen_key(g, "missing");
	json_gen_array(g);
	for (i = 0; i < v->n_missing; i++) {
		json_gen_object(g);
		put_str(g, "id", v->missing[i]->id);
		put_str(g, "name", v->missing[i]->name);
		put_bool(g, "connected", v->missing[i]->connected);
		put_str(g, "missing", v->missing[i]->missing);
		json_gen_end_object(g);
	}
	json_gen_end_array(g);
	json_gen_end_object(g);
}

void
view_json_check(struct json_gen *g, const Sentinel__Ipc__CheckView *v)
{
	json_gen_object(g);
	put_str(g, "name", v->name);
	put_str(g, "level", v->level);
	put_str(g, "text", v->text);
	put_opt(g, "fix", v->fix);
	json_gen_end_object(g);
}
