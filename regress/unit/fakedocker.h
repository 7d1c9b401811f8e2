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

#ifndef FAKEDOCKER_H
#define FAKEDOCKER_H

/*
 * A Docker Engine in memory for the unit tests: enough of the API for one
 * container's life, at the other end of socket pairs in the same event loop.
 * It is as strict as the real one where the update engine could go wrong:
 * names and fixed addresses are unique, a published port belongs to one
 * running container, a parked container with a restart policy comes back.
 */
#include "fakedocker_state.h"

/* --- requests ---------------------------------------------------------- */

static inline int
fk_networks_request(struct fk *fk, const char *method, const char *name,
    const char *verb, const char *body, size_t len, struct evbuffer *out)
{
	int	 i;

	for (i = 0; i < 4; i++)
		if (fk->nets[i] != NULL && strcmp(fk->nets[i], name) == 0)
			break;
	if (i == 4)
		return (fk_error(out, 404, "network not found"));
	if (strcmp(method, "POST") == 0)
		return (fk_network_post(fk, name, verb, body, len, out));
	evbuffer_add_printf(out, "{\"Name\":\"%s\"}", name);
	return (200);
}

static inline int
fk_images_request(struct fk *fk, const char *method, const char *obj,
    char *verb, const char *query, struct evbuffer *out)
{
	struct fk_image	*im;
	char		 ref[128], repo[64], tag[64];

	if (strcmp(obj, "json") == 0) {
		evbuffer_add_printf(out, "[");
		fk_images(fk, out, NULL);
		evbuffer_add_printf(out, "]");
		return (200);
	}
	if (strcmp(obj, "create") == 0)
		return (fk_pull(fk, query, out));
	if (strcmp(method, "DELETE") == 0 && verb[0] != '\0')
		verb[-1] = '/';		/* of its name */
	if (strcmp(method, "DELETE") == 0)
		return (fk_delete_image(fk, obj, out));
	if ((im = fk_image(fk, obj)) == NULL)
		return (fk_error(out, 404, "no such image"));
	if (strcmp(verb, "tag") == 0) {
		if (sscanf(query, "repo=%63[^&]&tag=%63s", repo, tag) != 2)
			return (fk_error(out, 400, "bad tag"));
		snprintf(ref, sizeof(ref), "%s:%s", repo, tag);
		fk_tag(fk, im, ref);
		return (201);
	}
	fk_images(fk, out, im);
	return (200);
}

/* What was copied into a container. */
static inline int
fk_files_request(struct fk *fk, struct fk_container *ct, const char *method,
    const char *verb, struct evbuffer *out)
{
	if (strcmp(verb, "changes") == 0) {
		evbuffer_add_printf(out, "[{\"Path\":\"%s\",\"Kind\":1}]",
		    fk->file);
		return (200);
	}
	if (strcmp(method, "PUT") == 0)
		ct->files++;
	else if (strcmp(method, "HEAD") == 0)	/* {"size":3,"mode":256,... */
		fk->stat = "eyJzaXplIjozLCJtb2RlIjoyNTYsIm10aW1lIjoiMjAyNi0w"
		    "My0wMVQxMDowMDowMVoiLCJuYW1lIjoieCJ9";
	else
		evbuffer_add(out, fk->tar, fk->tarlen);
	return (200);
}

static inline int
fk_containers_request(struct fk *fk, const char *method, const char *obj,
    const char *verb, char *query, const char *body, size_t len,
    struct evbuffer *out)
{
	struct fk_container	*ct;

	if (strcmp(obj, "json") == 0) {
		fk_list(fk, out, strstr(query, "filters="),
		    strstr(query, "all=1") != NULL);
		return (200);
	}
	if (strcmp(obj, "create") == 0) {
		query += strlen("name=");
		if (fk_find(fk, query) != NULL)
			return (fk_error(out, 409, "name already in use"));
		if ((ct = fk_make(fk, query, body, len)) == NULL)
			return (fk_error(out, 404, "no such image"));
		evbuffer_add_printf(out, "{\"Id\":\"%s\",\"Warnings\":[]}",
		    ct->id);
		return (201);
	}
	if ((ct = fk_find(fk, obj)) == NULL)
		return (fk_error(out, 404, "No such container"));
	if (strcmp(method, "DELETE") == 0) {
		if (ct->running && strstr(query, "force=1") == NULL)
			return (fk_error(out, 409, "is running"));
		/* Never of one that was there before. */
		if (strstr(query, "v=1") != NULL && !ct->made)
			abort();
		free(ct->body);
		memset(ct, 0, sizeof(*ct));
		return (204);
	}
	if (strcmp(verb, "json") == 0) {
		fk_inspect(fk, out, ct);
		return (200);
	}
	if (fk->file != NULL && (strcmp(verb, "changes") == 0 ||
	    strcmp(verb, "archive") == 0))
		return (fk_files_request(fk, ct, method, verb, out));
	if (strcmp(verb, "logs") == 0) {
		evbuffer_add(out, fk->logs, fk->logslen);
		return (200);
	}
	return (fk_container_post(fk, ct, verb, query, body, len, out));
}

/* Ends s at the first c, or last one; what follows it, or the empty end. */
static inline char *
fk_cut(char *s, char c, bool last)
{
	char	*p = last ? strrchr(s, c) : strchr(s, c);

	if (p == NULL)
		return (s + strlen(s));
	*p = '\0';
	return (p + 1);
}

/* path is "/v1.41/KIND/OBJECT/VERB?QUERY". */
static inline int
fk_handle(struct fk *fk, struct bufferevent *bev, const char *method,
    char *path, const char *body, size_t len, struct evbuffer *out)
{
	char	*query, *obj, *verb;
	bool	 ping = strcmp(path, "/_ping") == 0;

	if (fk->confused && !ping)
		return (fk_error(out, 404, "page not found"));
	if (!ping && (strncmp(path, "/v1.", 4) != 0 ||
	    strchr(path + 1, '/') == NULL))
		return (fk_error(out, 400, "no version"));
	path = ping ? path + 1 : strchr(path + 1, '/') + 1;
	query = fk_cut(path, '?', false);
	obj = fk_cut(path, '/', false);
	verb = fk_cut(obj, '/', true);
	if (strcmp(path, "_ping") == 0) {
		evbuffer_add_printf(out, "OK");
		return (200);
	}
	if (strcmp(path, "info") == 0) {
		evbuffer_add_printf(out, "{\"ID\":\"ENGINE\",\"Name\":\"h\","
		    "\"ServerVersion\":\"20.10\"}");
		return (200);
	}
	if (strcmp(path, "networks") == 0)
		return (fk_networks_request(fk, method, obj, verb, body, len,
		    out));
	if (strcmp(path, "images") == 0)
		return (fk_images_request(fk, method, obj, verb, query, out));
	if (strcmp(path, "libpod") == 0) {
		if (fk->libpod == NULL)
			return (fk_error(out, 404, "page not found"));
		verb = fk_cut(obj, '/', false);
		evbuffer_add_printf(out, "%s", fk->libpod(obj, verb));
		return (200);
	}
	if (strcmp(path, "exec") == 0)
		return (strcmp(verb, "start") == 0 ?
		    fke_start(&fk->execs, obj, bev) :
		    fke_inspect(&fk->execs, obj, out));
	if (strcmp(path, "containers") != 0)
		return (fk_error(out, 404, "page not found"));
	return (fk_containers_request(fk, method, obj, verb, query, body, len,
	    out));
}

/* --- HTTP -------------------------------------------------------------- */

static inline void
fk_unescape(char *s)
{
	char	*d = s, hex[3] = "";

	for (; *s != '\0'; s++)
		if (*s == '%' && s[1] != '\0' && s[2] != '\0') {
			memcpy(hex, s + 1, 2);
			*d++ = (char)strtoul(hex, NULL, 16);
			s += 2;
		} else
			*d++ = *s;
	*d = '\0';
}

static inline void
fk_close(struct fk *fk, struct bufferevent *bev)
{
	int	 i;

	for (i = 0; i < FKE_MAX; i++)
		if (fk->execs.ex[i].bev == bev)
			fk->execs.ex[i].bev = NULL;
	for (i = 0; i < fk->nbevs; i++)
		if (fk->bevs[i] == bev)
			fk->bevs[i] = fk->bevs[--fk->nbevs];
	if (fk->events == bev)
		fk->events = NULL;
	bufferevent_free(bev);
}

/* --- events ------------------------------------------------------------ */

/* Raw bytes into the stream, one chunk. */
static inline void
fk_events_write(struct fk *fk, const char *text)
{
	if (fk->events != NULL)
		evbuffer_add_printf(bufferevent_get_output(fk->events),
		    "%zx\r\n%s\r\n", strlen(text), text);
}

/* Something happened, told or not: who asks with since= hears of it. */
static inline void
fk_emit_at(struct fk *fk, const char *id, const char *action, int64_t nsec)
{
	char	*text;

	if (fk->nelog == 64 || asprintf(&text, "{\"status\":\"%s\",\"id\":"
	    "\"%s\",\"from\":\"app\",\"Type\":\"container\",\"Action\":"
	    "\"%s\",\"Actor\":{\"ID\":\"%s\",\"Attributes\":{\"name\":"
	    "\"x\"}},\"scope\":\"local\",\"time\":%lld,\"timeNano\":%lld}\n",
	    action, id, action, id, (long long)(nsec / 1000000000),
	    (long long)nsec) == -1)
		abort();
	fk->elog[fk->nelog] = text;
	fk->etime[fk->nelog++] = nsec;
	fk_events_write(fk, text);
}

static inline void
fk_emit(struct fk *fk, const char *id, const char *action)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	fk_emit_at(fk, id, action, (int64_t)ts.tv_sec * 1000000000 +
	    ts.tv_nsec);
}

/* As an engine that was restarted: what it told once is forgotten. */
static inline void
fk_events_forget(struct fk *fk)
{
	while (fk->nelog > 0)
		free(fk->elog[--fk->nelog]);
}

static inline void
fk_events_begin(struct fk *fk, struct bufferevent *bev, const char *path)
{
	const char	*p = strstr(path, "since=");
	char		*end;
	int64_t		 since;
	int		 i;

	if (p == NULL || strstr(path, "filters={\"type\":") == NULL)
		abort();
	since = strtoll(p + 6, &end, 10) * 1000000000;
	if (*end == '.')
		since += strtoll(end + 1, NULL, 10);
	fk->events = bev;
	fk->nstreams++;
	evbuffer_add_printf(bufferevent_get_output(bev), "HTTP/1.1 200 OK\r\n"
	    "Api-Version: %s\r\nTransfer-Encoding: chunked\r\n\r\n",
	    fk->api);
	for (i = 0; i < fk->nelog; i++)
		if (fk->etime[i] >= since)
			fk_events_write(fk, fk->elog[i]);
}

/* The engine goes on with what it was asked for before the crash. */
static inline void
fk_slow(struct fk *fk)
{
	int	 i;

	for (i = 0; i < FK_MAX; i++)
		if (fk->ct[i].used && fk->ct[i].stop_at != 0 &&
		    fk->nreq >= fk->ct[i].stop_at) {
			fk->ct[i].stop_at = 0;
			fk->ct[i].running = fk->ct[i].paused = false;
			fk_ended(fk, &fk->ct[i]);
		}
	for (i = 0; i < FK_MAX; i++)
		if (fk->ct[i].used && fk->ct[i].vanish_at != 0 &&
		    fk->nreq >= fk->ct[i].vanish_at) {
			free(fk->ct[i].body);
			memset(&fk->ct[i], 0, sizeof(fk->ct[i]));
		}
	if (fk->create_at != 0 && fk->nreq >= fk->create_at) {
		fk->create_at = 0;
		(void)fk_make(fk, fk->create_name, fk->create_body,
		    strlen(fk->create_body));
	}
}

static inline void
fk_slow_begin(struct fk *fk, const char *path, const char *body, size_t len)
{
	struct fk_container	*ct;
	char			 id[65];

	if (sscanf(path, "/v1.41/containers/%64[0-9a-f]/stop", id) == 1 &&
	    (ct = fk_find(fk, id)) != NULL && strstr(path, "/stop") != NULL)
		ct->stop_at = fk->nreq + fk->slow;
	if (sscanf(path, "/v1.41/containers/create?name=%63s",
	    fk->create_name) == 1) {
		fk->create_at = fk->nreq + fk->slow;
		fk->create_body = strndup(body, len);
	}
}

static inline void
fk_answer(struct fk *fk, struct bufferevent *bev, const char *method,
    char *path, const char *body, size_t len)
{
	struct evbuffer	*out = evbuffer_new();
	enum fk_fate	 fate;
	size_t		 used = strlen(fk->trace);
	int		 status = 500;

	snprintf(fk->trace + used, sizeof(fk->trace) - used, "%s %s\n", method,
	    path);
	fk->nreq++;
	fate = fk->fail_at == fk->nreq || (fk->fail_what != NULL &&
	    strstr(fk->trace + used, fk->fail_what) != NULL) ?
	    fk->fate : FK_SERVE;
	fk_slow(fk);
	if (fk->before != NULL)
		fk->before(fk);
	if (fate == FK_CRASH_SLOW)
		fk_slow_begin(fk, path, body, len);
	if (fate == FK_CRASH || fate == FK_CRASH_SLOW) {
		fk->crashed = true;
		event_base_loopbreak(fk->base);
		goto out;
	}
	if (fate == FK_HANG || (fk->deaf && strstr(path, "_ping") != NULL))
		goto out;
	if (fate == FK_ENGINE)
		fk_kill_engine(fk);
	if (fate == FK_LOSE || fate == FK_ENGINE) {
		fk_close(fk, bev);
		goto out;
	}
	if (fk->has_events && fate == FK_SERVE &&
	    strstr(path, "/events?") != NULL) {
		fk_events_begin(fk, bev, path);
		goto out;
	}
	if (fate == FK_ERROR)
		status = fk_error(out, 500, "injected failure");
	else
		status = fk_handle(fk, bev, method, path, body, len, out);
	if (fate == FK_CRASH_AFTER) {
		fk->crashed = true;
		event_base_loopbreak(fk->base);
		goto out;
	}
	if (fate == FK_ENGINE_AFTER)
		fk_kill_engine(fk);
	if (status == -1 && fate != FK_LOSE_AFTER && fate != FK_ENGINE_AFTER)
		goto out;	/* answered */
	if (fate == FK_LOSE_AFTER || fate == FK_ENGINE_AFTER) {
		fk_close(fk, bev);
		goto out;
	}
	if (fate == FK_ERROR_AFTER)
		status = fk_error(out, 500, "injected failure");
	evbuffer_add_printf(bufferevent_get_output(bev), "HTTP/1.1 %d X\r\n"
	    "Api-Version: %s\r\nContent-Type: application/json\r\n", status,
	    fk->api);
	if (fk->stat != NULL)
		evbuffer_add_printf(bufferevent_get_output(bev),
		    "X-Docker-Container-Path-Stat: %s\r\n", fk->stat);
	fk->stat = NULL;
	if (strcmp(method, "HEAD") == 0)
		evbuffer_drain(out, evbuffer_get_length(out));
	if (status != 204 && status != 304)
		evbuffer_add_printf(bufferevent_get_output(bev),
		    "Content-Length: %zu\r\n", evbuffer_get_length(out));
	evbuffer_add_printf(bufferevent_get_output(bev), "\r\n");
	bufferevent_write_buffer(bev, out);
out:
	evbuffer_free(out);
}

static inline void
fk_read(struct bufferevent *bev, void *arg)
{
	struct fk	*fk = arg;
	struct evbuffer	*in = bufferevent_get_input(bev);
	struct evbuffer_ptr end;
	char		*req, *p, method[8], path[2048];
	size_t		 head, len = 0;

	end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos == -1)
		return;
	head = (size_t)end.pos + 4;
	if ((req = calloc(1, evbuffer_get_length(in) + 1)) == NULL)
		abort();
	evbuffer_copyout(in, req, evbuffer_get_length(in));
	if ((p = strcasestr(req, "content-length: ")) != NULL &&
	    p < req + head)
		len = strtoul(p + 16, NULL, 10);
	if (evbuffer_get_length(in) >= head + len) {
		evbuffer_drain(in, head + len);
		fk->auth[0] = '\0';
		if ((p = strstr(req, "X-Registry-Auth: ")) != NULL)
			(void)sscanf(p + 17, "%63s", fk->auth);
		if (sscanf(req, "%7s %2047s", method, path) != 2)
			abort();
		fk_unescape(path);
		fk_answer(fk, bev, method, path, req + head, len);
	}
	free(req);
}

static inline void
fk_event(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	fk_close(arg, bev);
}

/* A connection to the engine: the client's end. */
static inline int
fk_socket(struct fk *fk)
{
	int	 sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == -1 ||
	    fk->nbevs == 64)
		abort();
	fk->bevs[fk->nbevs] = bufferevent_socket_new(fk->base, sv[1],
	    BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(fk->bevs[fk->nbevs], fk_read, NULL, fk_event, fk);
	bufferevent_enable(fk->bevs[fk->nbevs], EV_READ | EV_WRITE);
	fk->nbevs++;
	return (sv[0]);
}

/* need_fd of docker_new(). */
static inline void
fk_need_fd(void *arg)
{
	struct fk	*fk = arg;

	if (fk->away)
		docker_no_fd(fk->docker, "Docker is not there");
	else
		docker_give_fd(fk->docker, fk_socket(fk));
}

static inline void
fk_drop_all(struct fk *fk)
{
	while (fk->nbevs > 0)
		fk_close(fk, fk->bevs[0]);
}

static inline void
fk_free(struct fk *fk)
{
	int	 i;

	fk_drop_all(fk);
	for (i = 0; i < FK_MAX; i++)
		free(fk->ct[i].body);
	fk_events_forget(fk);
	free(fk->create_body);
}

#endif /* FAKEDOCKER_H */
