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

#include "docker_client_int.h"
#include "json.h"
#include "utf8.h"

#define DOCKER_IDLE_MAX		4	/* connections kept without work */

/* One line of UTF-8 from whatever Docker (or something else) answered. */
static void
docker_error_text(const struct docker_req *dq, char *out, size_t size)
{
	struct json	*js = NULL;
	const char	*s = "";
	char		*p;

	if (dq->dq_len > 0) {
		js = json_parse(dq->dq_buf, dq->dq_len, NULL, 0);
		s = js == NULL ? dq->dq_buf :
		    json_get_str(json_root(js), "message");
	}
	utf8_repair(out, size, s, strlen(s));
	for (p = out; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	while (p > out && p[-1] == ' ')
		*--p = '\0';
	if (out[0] == '\0')
		snprintf(out, size, "Docker answered with status %d",
		    dq->dq_status);
	json_free(js);
}

static void
docker_ping_done(struct docker *dk, const struct docker_reply *dr)
{
	char	 text[DOCKER_ERROR_MAXBYTES];

	dk->dk_pinging = false;
	if (dr->dr_end != DOCKER_OK) {
		docker_fail_waiting(dk, dr->dr_error);
		return;
	}
	if (dk->dk_offer < DOCKER_API_MIN) {
		snprintf(text, sizeof(text), "Docker's API version 1.%u is too"
		    " old: 1.%d (Docker 20.10, podman 4) or later is needed",
		    dk->dk_offer, DOCKER_API_MIN);
		docker_fail_waiting(dk, text);
		return;
	}
	dk->dk_api = dk->dk_offer < DOCKER_API_MAX ?
	    dk->dk_offer : DOCKER_API_MAX;
}

/*
 * A kept connection may have died while idle: what never left, and what only
 * asks, is sent once more.
 */
static bool
docker_may_retry(const struct docker_req *dq, enum http_end end, bool used)
{
	if (dq->dq_retried || !used || dq->dq_status != 0)
		return (false);
	return (end == HTTP_UNSENT || (end == HTTP_LOST &&
	    (strcmp(dq->dq_call.dc_method, "GET") == 0 ||
	    strcmp(dq->dq_call.dc_method, "HEAD") == 0)));
}

static void
docker_reply_make(struct docker_req *dq, struct docker_reply *dr,
    enum http_end end, const char *what, char *text, size_t size)
{
	memset(dr, 0, sizeof(*dr));
	dr->dr_status = dq->dq_status;
	dr->dr_body = dq->dq_buf == NULL ? "" : dq->dq_buf;
	dr->dr_len = dq->dq_len;
	dr->dr_field = dq->dq_field;
	dr->dr_error = text;
	text[0] = '\0';
	switch (end) {
	case HTTP_DONE:
		if (dq->dq_status / 100 == 2 || dq->dq_status == 304)
			dr->dr_end = DOCKER_OK;
		else {
			dr->dr_end = DOCKER_REFUSED;
			docker_error_text(dq, text, size);
		}
		return;
	case HTTP_UNSENT:
		dr->dr_end = DOCKER_UNSENT;
		strlcpy(text, "connection to Docker lost", size);
		return;
	case HTTP_ABORTED:
		dr->dr_end = DOCKER_ABORTED;
		strlcpy(text, "stopped", size);
		return;
	case HTTP_TIMEOUT:
		dr->dr_end = DOCKER_UNKNOWN;
		strlcpy(text, "Docker did not answer in time", size);
		return;
	case HTTP_LOST:
	case HTTP_BROKEN:
		dr->dr_end = DOCKER_UNKNOWN;
		snprintf(text, size, "Docker: %s", what);
		return;
	}
}

void
docker_http_done(void *arg, enum http_end end, const char *what)
{
	struct docker_req	*dq = arg;
	struct docker		*dk = dq->dq_docker;
	struct docker_conn	*dn = dq->dq_conn, *o;
	struct docker_reply	 dr;
	char			 text[DOCKER_ERROR_MAXBYTES];
	bool			 used = dn->dn_used;
	size_t			 idle = 0;

	TAILQ_REMOVE(&dk->dk_sent, dq, dq_entry);
	dq->dq_conn = NULL;
	dn->dn_req = NULL;
	dn->dn_used = true;
	TAILQ_FOREACH(o, &dk->dk_conns, dn_entry)
		if (o->dn_req == NULL)
			idle++;
	if (end == HTTP_UNSENT || end == HTTP_LOST)
		docker_conn_lost(dn);
	else if (!http_conn_usable(dn->dn_http) || idle > DOCKER_IDLE_MAX)
		docker_conn_free(dn);
	event_active(dk->dk_kick, 0, 0);

	if (docker_may_retry(dq, end, used)) {
		dq->dq_retried = true;
		docker_wait(dq, true);
		return;
	}
	dk->dk_nreqs--;
	docker_reply_make(dq, &dr, end, what, text, sizeof(text));
	if (dq->dq_ping)
		docker_ping_done(dk, &dr);
	else
		dq->dq_call.dc_done(dq->dq_call.dc_arg, &dr);
	docker_req_free(dq);
}
