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

#include "engine_cert.h"
#include "engine_ca.h"
#include "engine_token.h"

/*
 * Records as sentinelctl and, through the same messages, the REST API show
 * them.  A view lends the strings of what it shows.
 */
static char	empty[1], frozen[] = "frozen";

void
view_host(const struct host *h, Sentinel__Ipc__HostView *v)
{
	Sentinel__Store__Host	 r;

	host_record(h, &r);
	sentinel__ipc__host_view__init(v);
	v->id = r.id;
	v->name = r.name;
	v->raw_name = r.raw_name;
	v->address = r.address;
	v->state = h->h_frozen[0] != '\0' &&
	    h->h_state != HOST_DECOMMISSIONED ? frozen : r.state;
	v->frozen = r.frozen;
	v->connected = host_is_connected(h);
	v->enrolled_at = r.enrolled_at;
	v->last_seen = r.last_seen;
	v->agent_version = r.agent_version;
	v->features = r.features;
	v->n_features = r.n_features;
	v->containers = (uint32_t)h->h_ncontainers;
	v->disconnect_at = r.disconnect_at;
	v->disconnect_err = r.disconnect_err;
	v->disconnect_cat = r.disconnect_cat;
	v->engine_id = r.engine_id;
	v->cert_serial = r.cert_serial;
	v->cert_not_after = r.cert_not_after;
	v->cert_not_before = r.cert_not_before;
	v->cert_renew_at = cert_due(h);
	v->pending_serial = (char *)(uintptr_t)h->h_pending.hc_serial;
	v->pending_not_after = h->h_pending.hc_not_after;
	v->docker_error = r.docker_error;
	v->rtt_usec = h->h_rtt_usec;
	v->labels = r.labels;
	v->n_labels = r.n_labels;
	v->decommissioned_at = r.decommissioned_at;
	v->decommission_reason = r.decommission_reason;
	v->decommissioned_by = r.decommissioned_by;
	v->ca_missing = (char *)(uintptr_t)ca_host_missing(h);
}

void
view_token(const Sentinel__Store__Token *t, Sentinel__Ipc__TokenView *v)
{
	struct host	*h;

	sentinel__ipc__token_view__init(v);
	v->id = t->id;
	v->created_at = t->created_at;
	v->expires_at = t->expires_at;
	v->uses = t->uses;
	v->used = t->used;
	v->host_name = t->host_name;
	v->state = (char *)(uintptr_t)token_state(t, time(NULL));
	if (t->n_enrolled > 0)
		v->host_id = t->enrolled[t->n_enrolled - 1]->host_id;
	v->replaces = t->replaces;
	if (t->replaces[0] != '\0' && (h = host_find(t->replaces)) != NULL)
		v->replaces_name = h->h_name;
	v->labels = t->labels;
	v->n_labels = t->n_labels;
	v->creator = t->creator;
	v->ca_fingerprint = eng->ca_pin;
}

void
view_event(const Sentinel__Store__Event *e, Sentinel__Ipc__EventView *v)
{
	sentinel__ipc__event_view__init(v);
	v->id = e->id;
	v->time_msec = e->time_msec;
	v->type = e->type;
	v->host_id = e->host_id;
	v->host_name = e->host_name;
	v->container = e->container;
	v->message = e->message;
}

void
view_status(Sentinel__Ipc__StatusView *v)
{
	static char	 daemon[] = "sentineld", version[] = SENTINEL_VERSION;
	struct host	*h;

	sentinel__ipc__status_view__init(v);
	v->daemon = daemon;
	v->version = version;
	v->started_at = eng->started;
	v->listen = eng->listen;
	v->ca_fingerprint = eng->ca_pin;
	v->ca_not_after = eng->ca_not_after;
	v->server_not_after = eng->server_not_after;
	if (ca_get()->ca_phase != CA_NONE)
		v->ca_phase = (char *)(uintptr_t)ca_phase_name(
		    ca_get()->ca_phase);
	RB_FOREACH(h, host_tree, &eng->hosts) {
		if (h->h_state == HOST_DECOMMISSIONED)
			continue;
		v->hosts++;
		v->hosts_connected += host_is_connected(h);
		v->containers += (uint32_t)h->h_ncontainers;
	}
	v->docker = eng->local != NULL;
	v->engine_id = eng->local != NULL ? eng->local->h_engine_id : empty;
	v->docker_error = eng->local != NULL && !eng->local->h_docker_up ?
	    eng->local->h_docker_error : empty;
}
