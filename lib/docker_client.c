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
#include <unistd.h>

#include "docker_client_int.h"
#include "docker_pull.h"
#include "log.h"
#include "monotime.h"

#define DOCKER_ERRBODY_MAXBYTES	65536	/* of an error, what counts */
#define DOCKER_PING_MSEC	10000

static void	 docker_kick(int, short, void *);
static void	 docker_closed(void *, struct http_conn *);

struct docker *
docker_new(struct event_base *base, void (*need_fd)(void *), void *arg)
{
	struct docker	*dk;

	if ((dk = calloc(1, sizeof(*dk))) == NULL)
		return (NULL);
	dk->dk_base = base;
	dk->dk_need_fd = need_fd;
	dk->dk_arg = arg;
	TAILQ_INIT(&dk->dk_conns);
	TAILQ_INIT(&dk->dk_waiting);
	TAILQ_INIT(&dk->dk_sent);
	TAILQ_INIT(&dk->dk_pulls);
	if ((dk->dk_kick = event_new(base, -1, 0, docker_kick, dk)) == NULL) {
		free(dk);
		errno = ENOMEM;
		return (NULL);
	}
	return (dk);
}

void
docker_req_free(struct docker_req *dq)
{
	if (dq->dq_timer != NULL)
		event_free(dq->dq_timer);
	free((void *)(uintptr_t)dq->dq_call.dc_method);
	free((void *)(uintptr_t)dq->dq_call.dc_path);
	if (dq->dq_call.dc_body != NULL)
		freezero((void *)(uintptr_t)dq->dq_call.dc_body,
		    dq->dq_call.dc_bodylen);
	if (dq->dq_call.dc_auth != NULL)
		freezero((void *)(uintptr_t)dq->dq_call.dc_auth,
		    strlen(dq->dq_call.dc_auth));
	/* Inspect answers hold environments, and these hold secrets. */
	freezero(dq->dq_buf, dq->dq_size);
	free(dq->dq_field);
	free(dq);
}

void
docker_conn_free(struct docker_conn *dn)
{
	struct docker	*dk = dn->dn_docker;

	TAILQ_REMOVE(&dk->dk_conns, dn, dn_entry);
	http_conn_free(dn->dn_http);
	free(dn);
	dk->dk_nconns--;
}

void
docker_conn_lost(struct docker_conn *dn)
{
	struct docker	*dk = dn->dn_docker;

	docker_conn_free(dn);
	dk->dk_losses++;
	if (dk->dk_nconns == 0)
		dk->dk_api = 0;
}

unsigned int
docker_losses(const struct docker *dk)
{
	return (dk->dk_losses);
}

static void
docker_req_drop(struct docker_req *dq)
{
	struct docker	*dk = dq->dq_docker;

	if (dq->dq_conn == NULL)
		TAILQ_REMOVE(&dk->dk_waiting, dq, dq_entry);
	else {
		TAILQ_REMOVE(&dk->dk_sent, dq, dq_entry);
		docker_conn_free(dq->dq_conn);
	}
	dk->dk_nreqs--;
	docker_req_free(dq);
}

void
docker_free(struct docker *dk)
{
	struct docker_req	*dq;
	struct docker_conn	*dn;

	if (dk == NULL)
		return;
	docker_pull_drop(dk);
	while ((dq = TAILQ_FIRST(&dk->dk_waiting)) != NULL)
		docker_req_drop(dq);
	while ((dq = TAILQ_FIRST(&dk->dk_sent)) != NULL)
		docker_req_drop(dq);
	while ((dn = TAILQ_FIRST(&dk->dk_conns)) != NULL)
		docker_conn_free(dn);
	event_free(dk->dk_kick);
	free(dk);
}

unsigned int
docker_api(const struct docker *dk)
{
	return (dk->dk_api);
}

bool
docker_is_podman(const struct docker *dk)
{
	return (dk->dk_podman);
}

size_t
docker_calls(const struct docker *dk)
{
	return (dk->dk_nreqs);
}

/* --- calls ------------------------------------------------------------- */

/* End a call that has no connection. */
static void
docker_req_unsent(struct docker_req *dq, const char *text)
{
	struct docker		*dk = dq->dq_docker;
	struct docker_reply	 dr = { .dr_end = DOCKER_UNSENT,
		.dr_error = text, .dr_body = "" };

	TAILQ_REMOVE(&dk->dk_waiting, dq, dq_entry);
	dk->dk_nreqs--;
	if (dq->dq_ping)
		dk->dk_pinging = false;
	else
		dq->dq_call.dc_done(dq->dq_call.dc_arg, &dr);
	docker_req_free(dq);
}

static void
docker_wait_over(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	docker_req_unsent(arg, "no connection to Docker in time");
}

void
docker_wait(struct docker_req *dq, bool first)
{
	struct docker	*dk = dq->dq_docker;
	struct timeval	 tv = monotime_timeval(DOCKER_CONNECT_MSEC);

	if (first)
		TAILQ_INSERT_HEAD(&dk->dk_waiting, dq, dq_entry);
	else
		TAILQ_INSERT_TAIL(&dk->dk_waiting, dq, dq_entry);
	evtimer_add(dq->dq_timer, &tv);
}

static struct docker_req *
docker_req_new(struct docker *dk, const struct docker_call *dc)
{
	struct docker_req	*dq;
	struct docker_call	*c;
	char			*body;

	if ((dq = calloc(1, sizeof(*dq))) == NULL)
		return (NULL);
	dq->dq_docker = dk;
	dq->dq_seq = ++dk->dk_seq;
	c = &dq->dq_call;
	*c = *dc;
	c->dc_body = c->dc_auth = NULL;
	c->dc_method = strdup(dc->dc_method);
	c->dc_path = strdup(dc->dc_path);
	dq->dq_timer = evtimer_new(dk->dk_base, docker_wait_over, dq);
	if (c->dc_method == NULL || c->dc_path == NULL ||
	    dq->dq_timer == NULL)
		goto err;
	if (dc->dc_auth != NULL &&
	    (c->dc_auth = strdup(dc->dc_auth)) == NULL)
		goto err;
	if (dc->dc_body != NULL) {
		if ((body = malloc(dc->dc_bodylen + 1)) == NULL)
			goto err;
		memcpy(body, dc->dc_body, dc->dc_bodylen);
		c->dc_body = body;
	}
	if (c->dc_maxbody == 0)
		c->dc_maxbody = DOCKER_BODY_MAXBYTES;
	if (c->dc_idle_msec == 0 && c->dc_total_msec == 0)
		c->dc_total_msec = DOCKER_CALL_MSEC;
	return (dq);
err:
	docker_req_free(dq);
	errno = ENOMEM;
	return (NULL);
}

struct docker_req *
docker_call(struct docker *dk, const struct docker_call *dc)
{
	struct docker_req	*dq;

	if (dc->dc_path[0] != '/' ||
	    strlen(dc->dc_path) >= DOCKER_PATH_MAXBYTES) {
		errno = EINVAL;
		return (NULL);
	}
	if (dk->dk_nreqs >= DOCKER_CALLS_MAX) {
		errno = ENOBUFS;
		return (NULL);
	}
	if ((dq = docker_req_new(dk, dc)) == NULL)
		return (NULL);
	docker_wait(dq, false);
	dk->dk_nreqs++;
	/* Later, so that dc_done never runs inside this function. */
	event_active(dk->dk_kick, 0, 0);
	return (dq);
}

void
docker_cancel(struct docker_req *dq)
{
	struct docker	*dk;

	if (dq == NULL)
		return;
	dk = dq->dq_docker;
	docker_req_drop(dq);
	event_active(dk->dk_kick, 0, 0);
}

void
docker_hold(struct docker_req *dq)
{
	if (dq->dq_conn != NULL)
		http_conn_pause(dq->dq_conn->dn_http);
}

void
docker_unhold(struct docker_req *dq)
{
	if (dq->dq_conn != NULL)
		http_conn_resume(dq->dq_conn->dn_http);
}

void
docker_fail_waiting(struct docker *dk, const char *text)
{
	struct docker_req	*dq;
	uint64_t		 last = dk->dk_seq;

	for (;;) {
		TAILQ_FOREACH(dq, &dk->dk_waiting, dq_entry)
			if (dq->dq_seq <= last)
				break;
		if (dq == NULL)
			return;
		docker_req_unsent(dq, text);
	}
}

/* --- sending ----------------------------------------------------------- */

static int
docker_on_head(void *arg, struct http_conn *hc, int status)
{
	struct docker_req	*dq = arg;
	const char		*s;
	unsigned int		 minor;

	dq->dq_status = status;
	if (dq->dq_ping && status == 200) {
		/* "1.41"; an engine that does not say it is too old. */
		s = http_conn_header(hc, "api-version");
		if (s != NULL && strncmp(s, "1.", 2) == 0 &&
		    (minor = (unsigned int)strtoul(s + 2, NULL, 10)) < 10000)
			dq->dq_docker->dk_offer = minor;
		dq->dq_docker->dk_podman = http_conn_header(hc,
		    "libpod-api-version") != NULL;
	}
	if (status / 100 == 2 && dq->dq_call.dc_field != NULL &&
	    (s = http_conn_header(hc, dq->dq_call.dc_field)) != NULL &&
	    strlen(s) < DOCKER_FIELD_MAXBYTES)
		dq->dq_field = strdup(s);
	if (status / 100 == 2 && dq->dq_call.dc_head != NULL)
		dq->dq_call.dc_head(dq->dq_call.dc_arg);
	return (0);
}

static int
docker_collect(struct docker_req *dq, const uint8_t *data, size_t len)
{
	size_t	 size = dq->dq_size;
	char	*p;

	while (dq->dq_len + len + 1 > size)
		size = size == 0 ? 4096 : size * 2;
	if (size != dq->dq_size) {
		p = recallocarray(dq->dq_buf, dq->dq_size, size, 1);
		if (p == NULL)
			return (-1);
		dq->dq_buf = p;
		dq->dq_size = size;
	}
	memcpy(dq->dq_buf + dq->dq_len, data, len);
	dq->dq_len += len;
	dq->dq_buf[dq->dq_len] = '\0';
	return (0);
}

static int
docker_on_data(void *arg, const uint8_t *data, size_t len)
{
	struct docker_req	*dq = arg;

	if (dq->dq_status / 100 == 2) {
		if (dq->dq_call.dc_data != NULL)
			return (dq->dq_call.dc_data(dq->dq_call.dc_arg, data,
			    len));
		return (docker_collect(dq, data, len));
	}
	if (dq->dq_len + len > DOCKER_ERRBODY_MAXBYTES)
		len = DOCKER_ERRBODY_MAXBYTES - dq->dq_len;
	return (docker_collect(dq, data, len));
}

static int
docker_send(struct docker_conn *dn, struct docker_req *dq)
{
	const struct docker_call	*dc = &dq->dq_call;
	struct http_request		 hr = { 0 };
	char				 path[DOCKER_PATH_MAXBYTES + 16];
	char				*auth = NULL;
	size_t				 len;
	int				 rc;

	if (dq->dq_ping)
		strlcpy(path, dc->dc_path, sizeof(path));
	else
		snprintf(path, sizeof(path), "/v1.%u%s",
		    dn->dn_docker->dk_api, dc->dc_path);
	/* Not asprintf(3): it leaves pieces behind while it grows. */
	if (dc->dc_auth != NULL) {
		len = strlen(dc->dc_auth) + sizeof("X-Registry-Auth: \r\n");
		if ((auth = malloc(len)) == NULL)
			return (-1);
		(void)snprintf(auth, len, "X-Registry-Auth: %s\r\n",
		    dc->dc_auth);
	}
	hr.hr_method = dc->dc_method;
	hr.hr_path = path;
	hr.hr_headers = auth;
	hr.hr_body = dc->dc_body;
	hr.hr_bodylen = dc->dc_bodylen;
	hr.hr_ctype = dc->dc_ctype != NULL ? dc->dc_ctype :
	    "application/json";
	hr.hr_maxbody = dc->dc_data != NULL ? SIZE_MAX / 2 : dc->dc_maxbody;
	hr.hr_idle_msec = dc->dc_idle_msec;
	hr.hr_total_msec = dc->dc_total_msec;
	hr.hr_head = docker_on_head;
	hr.hr_data = docker_on_data;
	hr.hr_done = docker_http_done;
	hr.hr_arg = dq;
	rc = http_request(dn->dn_http, &hr);
	if (auth != NULL)
		freezero(auth, strlen(auth));
	return (rc);
}

static struct docker_conn *
docker_idle_conn(struct docker *dk)
{
	struct docker_conn	*dn;

	TAILQ_FOREACH(dn, &dk->dk_conns, dn_entry)
		if (dn->dn_req == NULL)
			return (dn);
	return (NULL);
}

/* The first call on a fresh pool is ours: which API does Docker speak? */
static int
docker_ping(struct docker *dk)
{
	struct docker_call	 dc = { .dc_method = "GET",
		.dc_path = "/_ping", .dc_total_msec = DOCKER_PING_MSEC };
	struct docker_req	*dq;

	if ((dq = docker_req_new(dk, &dc)) == NULL)
		return (-1);
	dq->dq_ping = true;
	dk->dk_offer = 0;
	docker_wait(dq, true);
	dk->dk_nreqs++;
	dk->dk_pinging = true;
	return (0);
}

static void
docker_kick(int fd, short what, void *arg)
{
	struct docker		*dk = arg;
	struct docker_req	*dq;
	struct docker_conn	*dn;
	size_t			 want = 0, room;

	(void)fd;
	(void)what;
	if (dk->dk_api == 0 && !dk->dk_pinging &&
	    !TAILQ_EMPTY(&dk->dk_waiting) && docker_ping(dk) == -1) {
		docker_fail_waiting(dk, "out of memory");
		return;
	}
	while ((dq = TAILQ_FIRST(&dk->dk_waiting)) != NULL &&
	    (dk->dk_api != 0 || dq->dq_ping) &&
	    (dn = docker_idle_conn(dk)) != NULL) {
		if (docker_send(dn, dq) == -1) {
			if (errno == EPIPE)
				docker_conn_lost(dn);
			else
				docker_req_unsent(dq, "request to Docker "
				    "cannot be made");
			continue;
		}
		TAILQ_REMOVE(&dk->dk_waiting, dq, dq_entry);
		TAILQ_INSERT_TAIL(&dk->dk_sent, dq, dq_entry);
		evtimer_del(dq->dq_timer);
		dq->dq_conn = dn;
		dn->dn_req = dq;
	}
	TAILQ_FOREACH(dq, &dk->dk_waiting, dq_entry)
		if (dk->dk_api != 0 || dq->dq_ping)
			want++;
	/* The owner may answer at once, also with no: count beforehand. */
	room = DOCKER_CONNS_MAX - dk->dk_nconns;
	if (want > room)
		want = room;
	for (want -= want < dk->dk_nasked ? want : dk->dk_nasked;
	    want > 0 && !TAILQ_EMPTY(&dk->dk_waiting); want--) {
		dk->dk_nasked++;
		dk->dk_need_fd(dk->dk_arg);
	}
}

void
docker_give_fd(struct docker *dk, int fd)
{
	struct docker_conn	*dn;

	if (dk->dk_nasked > 0)
		dk->dk_nasked--;
	if (dk->dk_nconns >= DOCKER_CONNS_MAX ||
	    (dn = calloc(1, sizeof(*dn))) == NULL) {
		close(fd);
		return;
	}
	dn->dn_docker = dk;
	dn->dn_http = http_conn_new(dk->dk_base, fd, docker_closed, dn);
	if (dn->dn_http == NULL) {
		log_warn("docker: connection");
		free(dn);
		docker_fail_waiting(dk, "no connection to Docker");
		return;
	}
	TAILQ_INSERT_TAIL(&dk->dk_conns, dn, dn_entry);
	dk->dk_nconns++;
	event_active(dk->dk_kick, 0, 0);
}

void
docker_no_fd(struct docker *dk, const char *text)
{
	if (dk->dk_nasked > 0)
		dk->dk_nasked--;
	dk->dk_losses++;
	docker_fail_waiting(dk, text);
}

/* An idle connection ended. */
static void
docker_closed(void *arg, struct http_conn *hc)
{
	struct docker_conn	*dn = arg;

	(void)hc;
	if (dn->dn_req == NULL)
		docker_conn_lost(dn);
}

/* --- paths ------------------------------------------------------------- */

int
docker_path(char *path, size_t size, const char *fmt, ...)
{
	va_list	 ap;
	char	 num[16];
	size_t	 len = 0;
	int	 rc = 0;

	path[0] = '\0';
	va_start(ap, fmt);
	for (; rc == 0 && *fmt != '\0'; fmt++) {
		len = strlen(path);
		if (*fmt != '%') {
			if (len + 2 > size)
				rc = -1;
			else {
				path[len] = *fmt;
				path[len + 1] = '\0';
			}
			continue;
		}
		switch (*++fmt) {
		case 's':
			rc = http_escape(path, size, va_arg(ap, const char *));
			break;
		case 'd':
			snprintf(num, sizeof(num), "%d", va_arg(ap, int));
			rc = strlcat(path, num, size) < size ? 0 : -1;
			break;
		case 'u':
			snprintf(num, sizeof(num), "%u",
			    va_arg(ap, unsigned int));
			rc = strlcat(path, num, size) < size ? 0 : -1;
			break;
		default:
			va_end(ap);
			errno = EINVAL;
			return (-1);
		}
	}
	va_end(ap);
	if (rc == -1)
		errno = ENAMETOOLONG;
	return (rc);
}
