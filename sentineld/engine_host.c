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

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "log.h"
#include "xmalloc.h"

/*
 * The registry of hosts: one tree in memory, written through to the
 * database.  Only last_seen is written late.
 */
#define HOST_NAME_TRIES	100000	/* "-2", "-3", ... */

static bool	 load_host(const Sentinel__Store__Host *, void *);
static bool	 load_token(const Sentinel__Store__Token *, void *);
static int	 load_all(struct store_txn *, void *);
static int	 save_batch(struct store_txn *, void *);
static void	 clean_name(const char *, char *, size_t);

RB_GENERATE(host_tree, host, h_entry, host_cmp)

static const char *const	state_names[] = { "active", "paused",
	"decommissioned" };
static const char *const	end_names[] = { "removed", "revoked" };

int
host_cmp(const struct host *a, const struct host *b)
{
	return (strcmp(a->h_id, b->h_id));
}

struct host *
host_new(const char *id, const char *name)
{
	struct host	*h;

	h = xcalloc(1, sizeof(*h));
	(void)strlcpy(h->h_id, id, sizeof(h->h_id));
	(void)strlcpy(h->h_name, name, sizeof(h->h_name));
	h->h_raw_name = xstrdup("");
	h->h_frozen = xstrdup("");
	h->h_version = xstrdup("");
	h->h_engine_id = xstrdup("");
	h->h_docker_error = xstrdup("");
	h->h_disconnect_err = xstrdup("");
	h->h_disconnect_cat = xstrdup("");
	TAILQ_INIT(&h->h_containers);
	return (h);
}

void
host_free(struct host *h)
{
	size_t	 i;

	if (h == NULL)
		return;
	for (i = 0; i < h->h_nfeatures; i++)
		free(h->h_features[i]);
	host_set_labels(h, NULL, 0);
	container_list_free(&h->h_containers);
	free(h->h_pending.hc_der);
	free(h->h_raw_name);
	free(h->h_frozen);
	free(h->h_version);
	free(h->h_engine_id);
	free(h->h_docker_error);
	free(h->h_disconnect_err);
	free(h->h_disconnect_cat);
	free(h);
}

int
host_insert(struct host *h)
{
	if (RB_INSERT(host_tree, &eng->hosts, h) != NULL)
		return (-1);
	eng->nhosts++;
	return (0);
}

static bool
load_host(const Sentinel__Store__Host *r, void *arg)
{
	struct host	*h;

	(void)arg;
	h = host_new(r->id, r->name);
	engine_setstr(&h->h_raw_name, r->raw_name);
	engine_setstr(&h->h_version, r->agent_version);
	engine_setstr(&h->h_engine_id, r->engine_id);
	engine_setstr(&h->h_docker_error, r->docker_error);
	engine_setstr(&h->h_disconnect_err, r->disconnect_err);
	engine_setstr(&h->h_disconnect_cat, r->disconnect_cat);
	if (strcmp(r->state, "paused") == 0)
		h->h_state = HOST_PAUSED;
	else if (strcmp(r->state, "decommissioned") == 0)
		h->h_state = HOST_DECOMMISSIONED;
	if (strcmp(r->decommission_reason, "revoked") == 0)
		h->h_end = HOST_REVOKED;
	h->h_ended_at = r->decommissioned_at;
	(void)strlcpy(h->h_ended_by, r->decommissioned_by,
	    sizeof(h->h_ended_by));
	(void)strlcpy(h->h_address, r->address, sizeof(h->h_address));
	(void)strlcpy(h->h_serial, r->cert_serial, sizeof(h->h_serial));
	if (r->point.len == ECKEY_POINT_LEN)
		memcpy(h->h_point, r->point.data, ECKEY_POINT_LEN);
	h->h_not_after = r->cert_not_after;
	h->h_not_before = r->cert_not_before;
	cert_load(h, &r->pending_cert);
	h->h_enrolled_at = r->enrolled_at;
	h->h_last_seen = r->last_seen;
	h->h_disconnect_at = r->disconnect_at;
	(void)strlcpy(h->h_replace_serial, r->replace_serial,
	    sizeof(h->h_replace_serial));
	h->h_replace_not_after = r->replace_not_after;
	engine_setstr(&h->h_frozen, r->frozen);
	host_set_features(h, r->features, r->n_features);
	host_set_labels(h, r->labels, r->n_labels);
	if (r->ca_pins.len > 0 && r->ca_pins.len <= sizeof(h->h_ca_pins)) {
		memcpy(h->h_ca_pins, r->ca_pins.data, r->ca_pins.len);
		h->h_ca_npins = r->ca_pins.len;
	}
	if (r->ca_pin.len == sizeof(h->h_ca_pin)) {
		memcpy(h->h_ca_pin, r->ca_pin.data, sizeof(h->h_ca_pin));
		(void)strlcpy(h->h_ca_serial, r->ca_serial,
		    sizeof(h->h_ca_serial));
	}
	h->h_dirty = false;
	/* It was connected, and nobody had the time to write down the end. */
	if (h->h_disconnect_at == 0 && h->h_last_seen != 0 &&
	    h->h_state != HOST_DECOMMISSIONED) {
		h->h_disconnect_at = h->h_last_seen;
		engine_setstr(&h->h_disconnect_cat, "server");
		engine_setstr(&h->h_disconnect_err, "server was killed");
		h->h_dirty = true;
	}
	if (host_insert(h) == -1) {
		log_warnx("host %s: twice in the database", h->h_id);
		host_free(h);
	}
	return (true);
}

/* A token whose host was not seen yet may still be offered again. */
static bool
load_token(const Sentinel__Store__Token *t, void *arg)
{
	const Sentinel__Store__TokenUse	*u;
	struct host			*h;
	size_t				 i;

	(void)arg;
	for (i = 0; i < t->n_enrolled; i++) {
		u = t->enrolled[i];
		if (u->seen || u->serial[0] == '\0' ||
		    (h = host_find(u->host_id)) == NULL)
			continue;
		if (strcmp(u->serial, h->h_serial) == 0)
			(void)strlcpy(h->h_token, t->id, sizeof(h->h_token));
		else if (strcmp(u->serial, h->h_replace_serial) == 0)
			(void)strlcpy(h->h_replace_token, t->id,
			    sizeof(h->h_replace_token));
	}
	return (true);
}

static int
load_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	if (db_host_walk(txn, load_host, NULL) == -1 ||
	    db_token_walk(txn, load_token, NULL) == -1)
		return (-1);
	return (0);
}

int
host_load_all(void)
{
	return (store_view(eng->store, load_all, NULL));
}

struct host *
host_find(const char *id)
{
	struct host	 want;

	if (strlcpy(want.h_id, id, sizeof(want.h_id)) >= sizeof(want.h_id))
		return (NULL);
	return (RB_FIND(host_tree, &eng->hosts, &want));
}

struct host *
host_lookup(const char *what)
{
	struct host	*h;

	if ((h = host_find(what)) != NULL)
		return (h->h_state == HOST_DECOMMISSIONED ? NULL : h);
	RB_FOREACH(h, host_tree, &eng->hosts) {
		if (h->h_state != HOST_DECOMMISSIONED &&
		    strcasecmp(h->h_name, what) == 0)
			return (h);
	}
	return (NULL);
}

bool
host_name_is_valid(const char *name)
{
	char	 clean[HOST_NAME_SIZE];

	clean_name(name, clean, sizeof(clean));
	return (clean[0] != '\0' && strcmp(name, clean) == 0);
}

bool
host_name_is_free(const char *name, const char *own_id)
{
	struct host	*h = host_lookup(name);

	/* Whoever asks for it means this machine, also when it comes later. */
	if (strcasecmp(name, HOST_LOCAL_ID) == 0 &&
	    strcmp(own_id, HOST_LOCAL_ID) != 0)
		return (false);
	return (h == NULL || strcmp(h->h_id, own_id) == 0);
}

/* What is not of the set becomes '-'; nothing usable leaves "". */
static void
clean_name(const char *raw, char *name, size_t len)
{
	size_t	 n = 0;
	bool	 useful = false;

	for (; *raw != '\0' && n < len - 1; raw++) {
		if (isalnum((unsigned char)*raw) || *raw == '.' ||
		    *raw == '_' || *raw == '-') {
			useful |= isalnum((unsigned char)*raw) != 0;
			name[n++] = *raw;
		} else if (((unsigned char)*raw & 0xc0) != 0x80)
			name[n++] = '-';	/* one per character */
	}
	name[useful ? n : 0] = '\0';
}

void
host_pick_name(const char *wanted, const char *address, const char *own_id,
    char name[HOST_NAME_SIZE])
{
	char		 base[HOST_NAME_SIZE];
	unsigned int	 i;

	clean_name(wanted, base, sizeof(base));
	if (base[0] == '\0')
		clean_name(address, base, sizeof(base));
	(void)strlcpy(name, base[0] != '\0' ? base : "host", HOST_NAME_SIZE);
	for (i = 2; !host_name_is_free(name, own_id) && i < HOST_NAME_TRIES;
	    i++)
		(void)snprintf(name, HOST_NAME_SIZE, "%.*s-%u",
		    HOST_NAME_SIZE - 8, base[0] != '\0' ? base : "host", i);
}

void
host_record(const struct host *h, Sentinel__Store__Host *r)
{
	static const char *const	*names = state_names;

	sentinel__store__host__init(r);
	/* protobuf-c has no const strings; nothing writes through these. */
	r->id = (char *)(uintptr_t)h->h_id;
	r->name = (char *)(uintptr_t)h->h_name;
	r->raw_name = h->h_raw_name;
	r->address = (char *)(uintptr_t)h->h_address;
	r->state = (char *)(uintptr_t)names[h->h_state];
	r->cert_serial = (char *)(uintptr_t)h->h_serial;
	r->cert_not_after = h->h_not_after;
	r->cert_not_before = h->h_not_before;
	r->pending_cert.data = h->h_pending.hc_der;
	r->pending_cert.len = h->h_pending.hc_len;
	r->point.data = (uint8_t *)(uintptr_t)h->h_point;
	r->point.len = ECKEY_POINT_LEN;
	r->enrolled_at = h->h_enrolled_at;
	r->last_seen = h->h_last_seen;
	r->agent_version = h->h_version;
	r->features = (char **)(uintptr_t)h->h_features;
	r->n_features = h->h_nfeatures;
	r->engine_id = h->h_engine_id;
	r->docker_error = h->h_docker_error;
	r->disconnect_at = h->h_disconnect_at;
	r->disconnect_err = h->h_disconnect_err;
	r->disconnect_cat = h->h_disconnect_cat;
	r->labels = h->h_labels;
	r->n_labels = h->h_nlabels;
	r->replace_serial = (char *)(uintptr_t)h->h_replace_serial;
	r->replace_not_after = h->h_replace_not_after;
	r->frozen = h->h_frozen;
	r->ca_pins.data = (uint8_t *)(uintptr_t)h->h_ca_pins;
	r->ca_pins.len = h->h_ca_npins;
	r->ca_serial = (char *)(uintptr_t)h->h_ca_serial;
	r->ca_pin.data = (uint8_t *)(uintptr_t)h->h_ca_pin;
	r->ca_pin.len = h->h_ca_serial[0] == '\0' ? 0 : sizeof(h->h_ca_pin);
	if (h->h_state != HOST_DECOMMISSIONED)
		return;
	r->decommissioned_at = h->h_ended_at;
	r->decommission_reason = (char *)(uintptr_t)end_names[h->h_end];
	r->decommissioned_by = (char *)(uintptr_t)h->h_ended_by;
}

struct batch {
	struct host	*ba_host[HOST_SAVE_BATCH];
	size_t		 ba_len;
};

static int
save_batch(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Host	 rec;
	struct batch		*ba = arg;
	size_t			 i;

	for (i = 0; i < ba->ba_len; i++) {
		host_record(ba->ba_host[i], &rec);
		/* One that fails its check (logged) holds up no other. */
		if (db_host_put(txn, &rec) == -1 && errno != EINVAL)
			return (-1);
	}
	return (0);
}

int
host_flush(unsigned int commits)
{
	struct batch	 ba;
	struct host	*h;
	unsigned int	 n;
	size_t		 i;

	for (n = 0; commits == 0 || n < commits; n++) {
		ba.ba_len = 0;
		RB_FOREACH(h, host_tree, &eng->hosts) {
			if (!h->h_dirty || h->h_local)
				continue;
			ba.ba_host[ba.ba_len++] = h;
			if (ba.ba_len == HOST_SAVE_BATCH)
				break;
		}
		if (ba.ba_len == 0)
			return (0);
		if (store_update(eng->store, save_batch, &ba) == -1) {
			if (host_may_log(NULL))
				log_warn("%zu hosts: not saved", ba.ba_len);
			return (-1);
		}
		for (i = 0; i < ba.ba_len; i++) {
			ba.ba_host[i]->h_dirty = false;
			ba.ba_host[i]->h_saved = monotime_now();
		}
	}
	return (0);
}

void
host_seen(struct host *h)
{
	h->h_last_seen = time(NULL);
	if (monotime_now() - h->h_saved >=
	    (monotime_t)eng->conf.ec_last_seen_msec)
		h->h_dirty = true;
}

bool
host_may_log(struct host *h)
{
	return (rate_take(h != NULL ? &h->h_log_rate : &eng->log_rate,
	    ENGINE_LOG_BURST, ENGINE_LOG_MSEC));
}

bool
host_is_connected(const struct host *h)
{
	return (h->h_local ? h->h_docker_up : h->h_session != NULL);
}

bool
host_has_feature(const struct host *h, const char *word)
{
	size_t	 i;

	for (i = 0; i < h->h_nfeatures; i++) {
		if (strcmp(h->h_features[i], word) == 0)
			return (true);
	}
	return (false);
}

void
host_set_features(struct host *h, char **words, size_t n)
{
	bool	 same;
	size_t	 i;

	if (n > HOST_FEATURES_MAX)
		n = HOST_FEATURES_MAX;
	same = n == h->h_nfeatures;
	for (i = 0; same && i < n; i++)
		same = strcmp(words[i], h->h_features[i]) == 0;
	if (same)
		return;
	for (i = 0; i < h->h_nfeatures; i++)
		free(h->h_features[i]);
	for (i = 0; i < n; i++)
		h->h_features[i] = xstrdup(words[i]);
	h->h_nfeatures = n;
	h->h_dirty = true;
}

void
host_set_labels(struct host *h, char **labels, size_t n)
{
	char	**copy = NULL;
	size_t	  i;

	if (n > HOST_LABELS_MAX)
		n = HOST_LABELS_MAX;
	if (n > 0) {
		copy = xcalloc(n, sizeof(*copy));
		for (i = 0; i < n; i++)
			copy[i] = xstrdup(labels[i]);
	}
	for (i = 0; i < h->h_nlabels; i++)
		free(h->h_labels[i]);
	free(h->h_labels);
	h->h_labels = copy;
	h->h_nlabels = n;
}
