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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl.h"

#define KEY_WIDTH	18
#define DIGEST_SHOWN	12		/* hex characters */
#define SOON_SEC	(14 * 86400)	/* certificates: expires soon */

const char *const	heads_token[] = {
	"ID", "STATE", "USED", "EXPIRES", "HOST NAME", "HOST", NULL
};
const char *const	heads_host[] = {
	"NAME", "STATE", "CONNECTED", "ADDRESS", "CONTAINERS", "LAST SEEN",
	"VERSION", "ID", NULL
};
const char *const	heads_container[] = {
	"HOST", "NAME", "STATE", "IMAGE", "DIGEST", "SEEN", NULL
};
static const char *const heads_process[] = {
	"PROCESS", "PID", "UID", "RESTARTS", "SANDBOX", NULL
};

/* --- key and value ------------------------------------------------------ */

static void __printflike_(3, 4)
pair(FILE *f, const char *key, const char *fmt, ...)
{
	char	 text[4200];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fprintf(f, "%-*s", KEY_WIDTH, key);
	text_print(f, text[0] == '\0' ? "-" : text, false);
	(void)fputc('\n', f);
}

static void
pair_opt(FILE *f, const char *key, const char *value)
{
	if (value[0] != '\0')
		pair(f, key, "%s", value);
}

static void
pair_time(FILE *f, const char *key, int64_t sec)
{
	char	 text[TEXT_TIME_SIZE];

	text_time(text, sec);
	pair(f, key, "%s", text);
}

/* Of a certificate; says so when it needs care. */
static void
pair_expiry(FILE *f, const char *key, int64_t sec)
{
	char		 text[TEXT_TIME_SIZE];
	int64_t		 now = (int64_t)time(NULL);

	if (sec == 0)
		return;
	text_time(text, sec);
	pair(f, key, "%s%s", text, sec <= now ? " (expired)" :
	    sec - now < SOON_SEC ? " (soon)" : "");
}

/* --- status ------------------------------------------------------------- */

static void
text_docker(FILE *f, const Sentinel__Ipc__StatusView *v)
{
	if (!v->docker)
		pair(f, "docker", "none");
	else if (v->docker_error[0] != '\0')
		pair(f, "docker", "not available: %s", v->docker_error);
	else
		pair(f, "docker", "available");
	pair_opt(f, "engine id", v->engine_id);
	pair(f, "containers", "%u", v->containers);
}

/* agent.allow; NULL: nothing is restricted. */
static void
text_allow(FILE *f, const Sentinel__Ipc__AllowView *v)
{
	char	 text[4096] = "";
	size_t	 i;

	if (v == NULL) {
		pair(f, "allowed", "everything");
		return;
	}
	for (i = 0; i < v->n_actions; i++) {
		(void)strlcat(text, i > 0 ? " " : "", sizeof(text));
		(void)strlcat(text, v->actions[i], sizeof(text));
	}
	pair(f, "allowed", "%s%s%s", v->read_only ?
	    "read only, of: " : "", i == 0 ? "nothing" : text,
	    v->exec ? "" : ", no exec");
	text[0] = '\0';
	for (i = 0; i < v->n_images; i++) {
		(void)strlcat(text, i > 0 ? " " : "", sizeof(text));
		(void)strlcat(text, v->images[i], sizeof(text));
	}
	pair(f, "allowed images", "%s", i == 0 ? "none" : text);
}

static void
status_server(FILE *f, const Sentinel__Ipc__StatusView *v)
{
	pair(f, "listen", "%s", v->listen[0] == '\0' ?
	    "no (cluster.enabled is false)" : v->listen);
	pair(f, "hosts", "%u, %u connected", v->hosts, v->hosts_connected);
	pair_opt(f, "ca fingerprint", v->ca_fingerprint);
	pair_expiry(f, "ca expires", v->ca_not_after);
	if (v->ca_phase[0] != '\0')
		pair(f, "ca", "is being replaced: phase %s", v->ca_phase);
	pair_expiry(f, "server expires", v->server_not_after);
}

static void
status_agent(FILE *f, const Sentinel__Ipc__StatusView *v)
{
	pair(f, "server", "%s", v->server);
	pair(f, "connected", "%s", v->connected ? "yes" : "no");
	pair_opt(f, "last error", v->last_error);
	pair_opt(f, "host name", v->host_name);
	pair_opt(f, "host id", v->host_id);
	pair_expiry(f, "expires", v->cert_not_after);
	pair(f, "commands", "%s",
	    v->signed_commands ? "signed" : "not signed");
	if (v->server_heard_at != 0)
		pair_time(f, "server heard", v->server_heard_at);
	if (v->clock_skew_sec != 0)
		pair(f, "server's clock", "%lld s %s",
		    (long long)llabs(v->clock_skew_sec),
		    v->clock_skew_sec > 0 ? "ahead" : "behind");
	if (v->autonomous)
		pair(f, "mode", "autonomous: changes are journaled, "
		    "no update is started");
	if (v->offline_since != 0)
		pair_time(f, "offline since", v->offline_since);
	if (v->journal_lost > 0)
		pair(f, "journal", "%u entries wait, %llu were lost",
		    v->journal_entries, (unsigned long long)v->journal_lost);
	else
		pair(f, "journal", "%u entries wait", v->journal_entries);
	text_allow(f, v->allow);
}

static void
status_processes(FILE *f, Sentinel__Ipc__ProcessView *const *procs,
    size_t nprocs, bool colour)
{
	struct table	*tb = table_new(heads_process, colour);
	size_t		 i;

	for (i = 0; i < nprocs; i++) {
		table_add(tb, TONE_PLAIN, procs[i]->name);
		if (procs[i]->pid == 0)
			table_add(tb, TONE_BAD, "not running");
		else
			table_addf(tb, TONE_PLAIN, "%d", procs[i]->pid);
		table_addf(tb, TONE_PLAIN, "%u", procs[i]->uid);
		table_addf(tb, procs[i]->restarts > 0 ? TONE_BAD : TONE_PLAIN,
		    "%u", procs[i]->restarts);
		table_add(tb, TONE_PLAIN, procs[i]->sandbox);
	}
	table_print(tb, f);
	table_free(tb);
}

void
text_status(FILE *f, const Sentinel__Ipc__StatusView *v,
    Sentinel__Ipc__ProcessView *const *procs, size_t nprocs, bool colour)
{
	pair(f, "daemon", "%s %s", v->daemon, v->version);
	pair_time(f, "started", v->started_at);
	if (strcmp(v->daemon, "sentineld") == 0)
		status_server(f, v);
	else
		status_agent(f, v);
	text_docker(f, v);
	if (nprocs == 0)
		return;
	(void)fputc('\n', f);
	status_processes(f, procs, nprocs, colour);
}

/* --- tokens ------------------------------------------------------------- */

void
text_token(FILE *f, const Sentinel__Ipc__TokenView *v)
{
	size_t	 i;

	pair_opt(f, "token", v->token);
	pair(f, "id", "%s", v->id);
	pair_time(f, "expires", v->expires_at);
	pair(f, "uses", "%u", v->uses);
	pair_opt(f, "host name", v->host_name);
	pair_opt(f, "replaces", v->replaces_name);
	for (i = 0; i < v->n_labels; i++)
		pair(f, "label", "%s", v->labels[i]);
	pair_opt(f, "ca fingerprint", v->ca_fingerprint);
	if (v->token[0] != '\0')
		(void)fprintf(f, "\nThe token is shown only now.  Give it to "
		    "%s: agent.enroll_token_file\nin sentinel.conf, or "
		    "SENTINEL_ENROLL_TOKEN.\n", v->uses > 1 ? "the hosts" :
		    "one host");
}

void
row_token(struct table *tb, const Sentinel__Ipc__TokenView *v)
{
	char	 text[TEXT_TIME_SIZE];

	table_add(tb, TONE_PLAIN, v->id);
	table_add(tb, strcmp(v->state, "open") == 0 ? TONE_GOOD : TONE_PLAIN,
	    v->state);
	table_addf(tb, TONE_PLAIN, "%u/%u", v->used, v->uses);
	text_time(text, v->expires_at);
	table_add(tb, TONE_PLAIN, text);
	if (v->replaces[0] != '\0')
		table_addf(tb, TONE_PLAIN, "replaces %s",
		    v->replaces_name[0] != '\0' ? v->replaces_name :
		    v->replaces);
	else
		table_add(tb, TONE_PLAIN, v->host_name);
	table_add(tb, TONE_PLAIN, v->host_id);
}

/* --- hosts -------------------------------------------------------------- */

void
text_host(FILE *f, const Sentinel__Ipc__HostView *v)
{
	char	 features[1024] = "", when[TEXT_TIME_SIZE];
	size_t	 i;

	pair(f, "name", "%s", v->name);
	pair(f, "id", "%s", v->id);
	if (strcmp(v->name, v->raw_name) != 0)
		pair_opt(f, "calls itself", v->raw_name);
	pair(f, "state", "%s", v->state);
	pair_opt(f, "frozen", v->frozen);
	if (v->decommission_reason[0] != '\0') {
		text_time(when, v->decommissioned_at);
		pair(f, v->decommission_reason, "%s by %s", when,
		    v->decommissioned_by);
	}
	for (i = 0; i < v->n_labels; i++)
		pair(f, "label", "%s", v->labels[i]);
	pair(f, "connected", "%s", v->connected ? "yes" : "no");
	pair(f, "address", "%s", v->address);
	if (v->rtt_usec != 0)
		pair(f, "round trip", "%u.%03u ms", v->rtt_usec / 1000,
		    v->rtt_usec % 1000);
	pair_time(f, "enrolled", v->enrolled_at);
	pair_time(f, "last seen", v->last_seen);
	if (v->disconnect_at != 0)
		pair_time(f, "disconnected", v->disconnect_at);
	if (v->disconnect_err[0] != '\0')
		pair(f, "because", "%s (%s)", v->disconnect_err,
		    v->disconnect_cat);
	pair(f, "containers", "%u", v->containers);
	pair_opt(f, "docker error", v->docker_error);
	pair_opt(f, "engine id", v->engine_id);
	pair_opt(f, "agent version", v->agent_version);
	for (i = 0; i < v->n_features; i++) {
		if (i > 0)
			(void)strlcat(features, " ", sizeof(features));
		(void)strlcat(features, v->features[i], sizeof(features));
	}
	pair_opt(f, "features", features);
	pair_opt(f, "serial", v->cert_serial);
	pair_opt(f, "lacks", v->ca_missing);
	pair_expiry(f, "expires", v->cert_not_after);
	if (v->cert_renew_at != 0)
		pair_time(f, "renewal due", v->cert_renew_at);
	pair_opt(f, "next serial", v->pending_serial);
}

void
row_host(struct table *tb, const Sentinel__Ipc__HostView *v)
{
	char	 text[TEXT_TIME_SIZE];

	table_add(tb, TONE_PLAIN, v->name);
	table_add(tb, v->frozen[0] != '\0' ? TONE_BAD : TONE_PLAIN, v->state);
	if (v->connected)
		table_add(tb, v->docker_error[0] == '\0' ? TONE_GOOD :
		    TONE_BAD, v->docker_error[0] == '\0' ? "yes" :
		    "yes, no docker");
	else
		table_add(tb, TONE_BAD, "no");
	table_add(tb, TONE_PLAIN, v->address);
	table_addf(tb, TONE_PLAIN, "%u", v->containers);
	text_time(text, v->last_seen);
	table_add(tb, TONE_PLAIN, text);
	table_add(tb, TONE_PLAIN, v->agent_version);
	table_add(tb, TONE_PLAIN, v->id);
}

/* --- events ------------------------------------------------------------- */

void
text_event(FILE *f, const Sentinel__Ipc__EventView *v)
{
	char	 text[TEXT_TIME_SIZE];

	text_time(text, v->time_msec / 1000);
	(void)fprintf(f, "%s ", text);
	text_print(f, v->type, false);
	if (v->host_name[0] != '\0' || v->host_id[0] != '\0') {
		(void)fputc(' ', f);
		text_print(f, v->host_name[0] != '\0' ? v->host_name :
		    v->host_id, false);
	}
	if (v->container[0] != '\0') {
		(void)fputc(v->host_name[0] != '\0' ? '/' : ' ', f);
		text_print(f, v->container, false);
	}
	if (v->message[0] != '\0') {
		(void)fprintf(f, ": ");
		text_print(f, v->message, false);
	}
	(void)fputc('\n', f);
}

/* --- containers --------------------------------------------------------- */

/* "repo@sha256:0123456789ab..." or "sha256:...": the beginning of the hex. */
static void
digest_short(char text[DIGEST_SHOWN + 1], const char *digest)
{
	const char	*hex = strstr(digest, "sha256:");

	(void)strlcpy(text, hex == NULL ? digest : hex + 7, DIGEST_SHOWN + 1);
}

void
row_container(struct table *tb, const Sentinel__Ipc__ContainerView *v)
{
	const char	*state = v->info->state, *health = v->info->health;
	char		 text[TEXT_TIME_SIZE], digest[DIGEST_SHOWN + 1];

	digest_short(digest, v->info->image_digest);
	table_add(tb, TONE_PLAIN, v->host_name);
	table_add(tb, TONE_PLAIN, v->info->name);
	table_addf(tb, strcmp(health, "unhealthy") == 0 ? TONE_BAD :
	    strcmp(state, "running") == 0 ? TONE_GOOD :
	    strcmp(state, "created") == 0 ? TONE_PLAIN : TONE_BAD,
	    health[0] != '\0' ? "%s (%s)" : "%s", state, health);
	table_add(tb, TONE_PLAIN, v->info->image);
	table_add(tb, TONE_PLAIN, digest);
	text_age(text, v->state_age_sec);
	table_addf(tb, v->stale ? TONE_BAD : TONE_PLAIN, "%s ago%s", text,
	    v->stale ? ", host away" : "");
}

void
text_logs(FILE *f, const Sentinel__Ipc__LogsView *v)
{
	size_t	 len = strlen(v->logs);

	text_print(f, v->logs, true);
	if (len > 0 && v->logs[len - 1] != '\n')
		(void)fputc('\n', f);
}

static const char *
action_done(const char *action)
{
	static const char *const words[][2] = {
		{ "stop", "stopped" }, { "start", "started" },
		{ "restart", "restarted" }, { "update", "updated" },
		{ "pull", "pulled" }
	};
	size_t	 i;

	for (i = 0; i < nitems(words); i++)
		if (strcmp(action, words[i][0]) == 0)
			return (words[i][1]);
	return ("done");
}

static void
text_image(FILE *f, const char *image, const char *digest)
{
	char	 text[DIGEST_SHOWN + 1];

	text_print(f, image[0] == '\0' ? "?" : image, false);
	if (digest[0] == '\0')
		return;
	digest_short(text, digest);
	(void)fprintf(f, " (");
	text_print(f, text, false);
	(void)fputc(')', f);
}

void
text_result(FILE *f, const Sentinel__Ipc__ResultView *v)
{
	if (v->host_name[0] != '\0') {
		text_print(f, v->host_name, false);
		(void)fputc('/', f);
	}
	text_print(f, v->container[0] != '\0' ? v->container :
	    v->new_image, false);
	(void)fprintf(f, ": ");
	if (strcmp(v->outcome, "success") == 0)
		(void)fprintf(f, "%s", action_done(v->action));
	else if (strcmp(v->outcome, "identical") == 0)
		(void)fprintf(f, "already up to date");
	else if (strcmp(v->outcome, "rollback") == 0)
		(void)fprintf(f, "failed and rolled back");
	else if (strcmp(v->outcome, "skipped") == 0)
		(void)fprintf(f, "not now: its pre-update hook says so");
	else
		text_print(f, v->outcome, false);
	if (v->container[0] == '\0') {
		if (v->new_digest[0] != '\0') {
			(void)fprintf(f, ": ");
			text_print(f, v->new_digest, false);
		}
	} else if (v->old_image[0] != '\0' || v->new_image[0] != '\0') {
		(void)fprintf(f, ": ");
		text_image(f, v->old_image, v->old_digest);
		(void)fprintf(f, " -> ");
		text_image(f, v->new_image, v->new_digest);
	}
	if (v->duration_msec > 0)
		(void)fprintf(f, " in %llu.%llu s",
		    (unsigned long long)v->duration_msec / 1000,
		    (unsigned long long)v->duration_msec % 1000 / 100);
	/* Beside a success: a failed hook. */
	if (v->error[0] != '\0' && strcmp(v->outcome, "success") == 0) {
		(void)fprintf(f, "; but: ");
		text_print(f, v->error, false);
	}
	(void)fputc('\n', f);
}
