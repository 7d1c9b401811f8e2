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

#include "engine_ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_command.h"
#include "grpc.h"
#include "log.h"

/*
 * What each host's agent trusts and by whom its certificate is.  Our agents
 * say with every heartbeat which CAs they trust, so what is known here is
 * what is so; one that cannot say it (another implementation) has what it was
 * given when it enrolled, and keeps that until it enrols again.
 */
static bool	 is_living(const struct host *);
static bool	 can_bundle(const struct host *);
static bool	 has_wanted(const struct host *);
static void	 push(struct host *);
static void	 on_pushed(void *, enum command_end, const char *);

static bool
is_living(const struct host *h)
{
	return (h->h_state != HOST_DECOMMISSIONED && !h->h_local);
}

static bool
can_bundle(const struct host *h)
{
	return (host_has_feature(h, "ca-bundle"));
}

void
ca_issued(struct host *h, const char *serial, const uint8_t *der, size_t len)
{
	const struct ca_cert	*cc = ca_issuer(der, len);

	if (cc == NULL)
		return;
	(void)strlcpy(h->h_ca_serial, serial, sizeof(h->h_ca_serial));
	memcpy(h->h_ca_pin, cc->cc_pin, sizeof(h->h_ca_pin));
	h->h_dirty = true;
}

void
ca_given(struct host *h, const char *pem)
{
	h->h_ca_npins = x509_bundle_pins((const uint8_t *)pem, strlen(pem),
	    h->h_ca_pins);
	h->h_dirty = true;
}

void
ca_heard(struct host *h, const uint8_t *pins, size_t len)
{
	if (len == 0 || len > sizeof(h->h_ca_pins) || len % X509_PIN_LEN != 0)
		return;
	if (len != h->h_ca_npins || memcmp(pins, h->h_ca_pins, len) != 0) {
		memcpy(h->h_ca_pins, pins, len);
		h->h_ca_npins = len;
		h->h_dirty = true;
		if (host_may_log(h))
			log_info("host %s (%s): its agent trusts %zu CA%s%s",
			    h->h_id, h->h_name, len / X509_PIN_LEN,
			    len > X509_PIN_LEN ? "s" : "", has_wanted(h) ?
			    "" : ", not those that it should");
	}
	push(h);
}

/* --- what is missing ------------------------------------------------------ */

bool
ca_host_is_new(const struct host *h)
{
	const struct ca_state	*ca = ca_get();
	const struct ca_cert	*cc = ca->ca_new.cc_der != NULL ?
				    &ca->ca_new : &ca->ca_old;

	return (h->h_serial[0] != '\0' &&
	    strcmp(h->h_serial, h->h_ca_serial) == 0 &&
	    memcmp(h->h_ca_pin, cc->cc_pin, sizeof(h->h_ca_pin)) == 0);
}

const char *
ca_host_missing(const struct host *h)
{
	const struct ca_state	*ca = ca_get();
	bool			 bundle, leaf;

	if (ca->ca_phase == CA_NONE || ca->ca_new.cc_der == NULL ||
	    !is_living(h))
		return ("");
	bundle = x509_pins_has(h->h_ca_pins, h->h_ca_npins,
	    ca->ca_new.cc_pin);
	leaf = ca->ca_phase == CA_PREPARE || ca_host_is_new(h);
	if (!bundle && !can_bundle(h) && h->h_nfeatures + h->h_last_seen > 0)
		return (leaf ? "new CA (its agent cannot take it: enrol it "
		    "again)" : "new CA (its agent cannot take it: enrol it "
		    "again), certificate");
	if (!bundle)
		return (leaf ? "new CA" : "new CA, certificate");
	return (leaf ? "" : "certificate");
}

size_t
ca_count(size_t *waiting)
{
	struct host	*h;
	size_t		 n = 0;

	*waiting = 0;
	RB_FOREACH(h, host_tree, &eng->hosts) {
		if (!is_living(h))
			continue;
		n++;
		*waiting += ca_host_missing(h)[0] != '\0';
	}
	return (n);
}

void
ca_waiting_names(bool bundle, char *text, size_t size)
{
	const struct ca_state	*ca = ca_get();
	struct host		*h;
	char			 more[32];
	size_t			 left = 0;

	text[0] = '\0';
	RB_FOREACH(h, host_tree, &eng->hosts) {
		if (!is_living(h) || (bundle ? x509_pins_has(h->h_ca_pins,
		    h->h_ca_npins, ca->ca_new.cc_pin) :
		    ca_host_missing(h)[0] == '\0'))
			continue;
		if (left > 0 || strlen(text) + sizeof(h->h_name) +
		    sizeof(more) > size) {
			left++;
			continue;
		}
		(void)strlcat(text, text[0] != '\0' ? ", " : "", size);
		(void)strlcat(text, h->h_name, size);
	}
	if (left > 0) {
		(void)snprintf(more, sizeof(more), " and %zu more", left);
		(void)strlcat(text, more, size);
	}
}

/*
 * An agent of ours takes it only once it trusts the new CA; one that cannot
 * take a bundle gets it in the end, since we are who must verify it.
 */
bool
ca_wants_cert(struct host *h)
{
	const struct ca_state	*ca = ca_get();
	monotime_t		 now = monotime_now();

	if ((ca->ca_phase != CA_ISSUE && ca->ca_phase != CA_DRAIN) ||
	    ca->ca_new.cc_der == NULL || ca_host_is_new(h) ||
	    (h->h_ca_cert != 0 && now - h->h_ca_cert < CA_CERT_MSEC))
		return (false);
	if (!(can_bundle(h) ? x509_pins_has(h->h_ca_pins, h->h_ca_npins,
	    ca->ca_new.cc_pin) : ca->ca_phase == CA_DRAIN))
		return (false);
	h->h_ca_cert = now;
	return (true);
}

/* --- what is sent --------------------------------------------------------- */

/* Neither more nor less than what all are to trust. */
static bool
has_wanted(const struct host *h)
{
	const struct ca_state	*ca = ca_get();
	bool			 two = ca->ca_phase != CA_NONE &&
				    ca->ca_new.cc_der != NULL;

	if (h->h_ca_npins == 0)
		return (false);
	/* Enrolled with a token of the new CA: that one alone is enough. */
	if (two && h->h_ca_npins == X509_PIN_LEN && x509_pins_has(
	    h->h_ca_pins, h->h_ca_npins, ca->ca_new.cc_pin))
		return (true);
	return (h->h_ca_npins == (two ? 2 : 1) * (size_t)X509_PIN_LEN &&
	    x509_pins_has(h->h_ca_pins, h->h_ca_npins, ca->ca_old.cc_pin) &&
	    (!two || x509_pins_has(h->h_ca_pins, h->h_ca_npins,
	    ca->ca_new.cc_pin)));
}

static void
on_pushed(void *arg, enum command_end end, const char *why)
{
	(void)arg;
	if (end == COMMAND_FAILED)
		log_debug("ca: bundle not sent: %s", why);
}

/* Signed where the session is; the cross certificate is for the others. */
static void
push(struct host *h)
{
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__CertRenewalResponse	 r;
	monotime_t				 now = monotime_now();
	char					 id[REQUEST_ID_SIZE], *pem;

	/* Before the keyholder has told what there is, nothing is known. */
	if (h->h_session == NULL || !can_bundle(h) || h->h_ca_npins == 0 ||
	    ca_get()->ca_old.cc_der == NULL || has_wanted(h) ||
	    (h->h_ca_pushed != 0 && now - h->h_ca_pushed < CA_PUSH_MSEC))
		return;
	h->h_ca_pushed = now;
	pem = ca_bundle_pem();
	command_new_id(id);
	sentinel__cluster__cert_renewal_response__init(&r);
	r.ca_cert.data = (uint8_t *)pem;
	r.ca_cert.len = strlen(pem);
	sentinel__cluster__server_message__init(&m);
	m.request_id = id;
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_CERT_RENEWAL_RESPONSE;
	m.cert_renewal_response = &r;
	command_push(h->h_session, &m, on_pushed, NULL);
	free(pem);
}

void
ca_push_again(void)
{
	struct host	*h;

	RB_FOREACH(h, host_tree, &eng->hosts)
		h->h_ca_pushed = h->h_ca_cert = 0;
	ca_tick();
}

void
ca_tick(void)
{
	static char	 at[HOST_ID_SIZE];
	struct host	*h, want;
	int		 n = 0;

	(void)strlcpy(want.h_id, at, sizeof(want.h_id));
	for (h = RB_NFIND(host_tree, &eng->hosts, &want); h != NULL;
	    h = RB_NEXT(host_tree, &eng->hosts, h)) {
		if (h->h_session == NULL || !can_bundle(h) || has_wanted(h))
			continue;
		if (n++ == CA_PUSH_BATCH)
			break;
		push(h);
	}
	(void)strlcpy(at, h == NULL ? "" : h->h_id, sizeof(at));
}

void
ca_end_old(void)
{
	struct host	*h;

	RB_FOREACH(h, host_tree, &eng->hosts) {
		if (is_living(h) && h->h_nsessions > 0 && !ca_host_is_new(h))
			session_close_all(h, GRPC_PERMISSION_DENIED, "cert",
			    "certificate was issued by a CA that is trusted "
			    "no more: enrol again with a new token");
	}
}
