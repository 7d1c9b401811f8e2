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

#ifndef FAKEDOCKER_STATE_H
#define FAKEDOCKER_STATE_H

/*
 * What the engine of fakedocker.h has, containers and images, and what becomes
 * of them.
 */
#include <sys/socket.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "docker_client.h"
#include "json.h"
#include "fakeexec.h"

#define FK_MAX		16
#define FK_TAGS		8	/* of an image */
/* It says so in a header. */
#define FK_PODMAN	"1.41\r\nLibpod-Api-Version: 4.3.1"
#define FK_ID(c)	c c c c c c c c c c c c c c c c	/* c: 4 characters */

enum fk_health { FK_NONE, FK_STARTING, FK_HEALTHY, FK_UNHEALTHY };
enum fk_behave { FK_GOOD, FK_EXITS, FK_LATER_HEALTHY, FK_TURNS_UNHEALTHY,
    FK_RESTARTS, FK_RESTARTED, FK_COUNTS, FK_NOSTART };

struct fk_image {
	char		 id[72];
	char		 tags[FK_TAGS][64];
	char		 digest[128];
	enum fk_behave	 behave;
};

struct fk_net {
	char		 name[32];
	char		 config[256];	/* endpoint JSON */
};

struct fk_container {
	bool		 made;		/* by a request */
	bool		 used;
	char		 id[65];
	char		 name[64];
	char		 image[72];
	char		 policy[32];
	char		*body;		/* create request */
	bool		 running;
	bool		 paused;
	bool		 created;	/* never started */
	int		 code;
	int		 looks;		/* inspects since start */
	int		 starts;
	int		 stop_at;	/* request at which a slow stop ends */
	int		 vanish_at;	/* --rm: request at which it is gone */
	int		 files;		/* archives put into it */
	int		 stubborn;	/* stops after which it is started */
	struct fk_net	 nets[4];
};

/* What becomes of a request. */
enum fk_fate { FK_SERVE, FK_ERROR, FK_ERROR_AFTER, FK_LOSE, FK_LOSE_AFTER,
    FK_HANG, FK_CRASH, FK_CRASH_AFTER, FK_CRASH_SLOW,
    FK_ENGINE, FK_ENGINE_AFTER };	/* dockerd itself dies, and is back */

struct fk {
	struct event_base	*base;
	struct docker		*docker;
	struct fk_container	 ct[FK_MAX];
	struct fk_image		 im[FK_MAX];
	const char		*nets[4];
	const char		*api;
	/* The answer of podman's own API, NULL: 404.  With api = FK_PODMAN. */
	const char		*(*libpod)(const char *what, const char *id);
	/* A request has come, and is the last one of trace.  NULL: none. */
	void			(*before)(struct fk *);
	bool			 away;		/* no connection to be had */
	bool			 crashed;
	bool			 confused;	/* 404 to everything */
	int			 nreq;
	int			 fail_at;	/* request, 0 none */
	const char		*fail_what;	/* "METHOD path" has this */
	enum fk_fate		 fate;
	int			 nextid;
	const char		*pull;		/* raw body; NULL: retag */
	int			 pull_to;	/* image that gets the tag */
	const char		*logs;
	size_t			 logslen;
	char			 auth[64];	/* X-Registry-Auth seen */
	int			 slow;		/* requests a slow call takes */
	int			 create_at;	/* slow create is carried out */
	char			 create_name[64];
	char			*create_body;
	char			 trace[65536];	/* "METHOD path\n" each */
	struct fk_execs		 execs;
	bool			 has_events;	/* else 404 */
	/* Of what changed in any container: one archive, NULL none. */
	const char		*file;		/* its path */
	const char		*tar;
	size_t			 tarlen;
	const char		*stat;		/* field of the next answer */
	bool			 deaf;		/* no ping is answered */
	struct bufferevent	*events;	/* the stream, NULL none */
	int			 nstreams;
	char			*elog[64];	/* as written, oldest first */
	int64_t			 etime[64];	/* ns */
	int			 nelog;
	const char		*status;	/* of a running one, listed */
	int			 nlooks;	/* lists of single containers */
	struct bufferevent	*bevs[64];
	int			 nbevs;
};

static inline struct fk_container *
fk_find(struct fk *fk, const char *key)
{
	int	 i;

	for (i = 0; i < FK_MAX; i++)
		if (fk->ct[i].used && strcmp(fk->ct[i].id, key) == 0)
			return (&fk->ct[i]);
	for (i = 0; i < FK_MAX; i++)
		if (fk->ct[i].used && strcmp(fk->ct[i].name, key) == 0)
			return (&fk->ct[i]);
	for (i = 0; i < FK_MAX; i++)
		if (fk->ct[i].used && strlen(key) >= 4 &&
		    strncmp(fk->ct[i].id, key, strlen(key)) == 0)
			return (&fk->ct[i]);
	return (NULL);
}

static inline struct fk_image *
fk_image(struct fk *fk, const char *key)
{
	int	 i, t;

	for (i = 0; i < FK_MAX; i++) {
		if (fk->im[i].id[0] == '\0')
			continue;
		if (strcmp(fk->im[i].id, key) == 0)
			return (&fk->im[i]);
		for (t = 0; t < FK_TAGS; t++)
			if (key[0] != '\0' &&
			    strcmp(fk->im[i].tags[t], key) == 0)
				return (&fk->im[i]);
	}
	return (NULL);
}

static inline void
fk_tag(struct fk *fk, struct fk_image *im, const char *ref)
{
	struct fk_image	*old = fk_image(fk, ref);
	int		 t;

	if (old == im)
		return;
	if (old != NULL)
		for (t = 0; t < FK_TAGS; t++)
			if (strcmp(old->tags[t], ref) == 0)
				old->tags[t][0] = '\0';
	for (t = 0; t < FK_TAGS; t++)
		if (im->tags[t][0] == '\0') {
			strlcpy(im->tags[t], ref, sizeof(im->tags[t]));
			return;
		}
	abort();
}

static inline struct json *
fk_body(const struct fk_container *ct)
{
	struct json	*js = json_parse(ct->body, strlen(ct->body), NULL, 0);

	if (js == NULL)
		abort();
	return (js);
}

static inline const char *
fk_status(const struct fk_container *ct)
{
	return (ct->paused ? "paused" : ct->running ? "running" :
	    ct->created ? "created" : "exited");
}

/* --- inspect ----------------------------------------------------------- */

static inline void
fk_networks(struct evbuffer *out, const struct fk_container *ct)
{
	int	 i, n = 0;

	evbuffer_add_printf(out, "\"NetworkSettings\":{\"Networks\":{");
	for (i = 0; i < 4; i++)
		if (ct->nets[i].name[0] != '\0')
			evbuffer_add_printf(out, "%s\"%s\":%s",
			    n++ > 0 ? "," : "", ct->nets[i].name,
			    ct->nets[i].config);
	evbuffer_add_printf(out, "}}");
}

static inline void
fk_health(struct fk *fk, struct evbuffer *out, struct fk_container *ct)
{
	struct fk_image	*im = fk_image(fk, ct->image);
	const char	*s;

	if (im == NULL || (im->behave != FK_LATER_HEALTHY &&
	    im->behave != FK_TURNS_UNHEALTHY))
		return;
	s = ct->looks < 3 ? "starting" :
	    im->behave == FK_LATER_HEALTHY ? "healthy" : "unhealthy";
	evbuffer_add_printf(out, ",\"Health\":{\"Status\":\"%s\"}", s);
}

static inline void fk_ended(struct fk *, struct fk_container *);

static inline void
fk_inspect(struct fk *fk, struct evbuffer *out, struct fk_container *ct)
{
	struct fk_image			*im = fk_image(fk, ct->image);
	struct json			*js = fk_body(ct);
	const struct json_value		*v, *root = json_root(js);
	int				 n = 0, counted;

	if (ct->running && im != NULL && im->behave == FK_EXITS &&
	    ct->looks >= 1) {
		ct->running = false;
		ct->code = 3;
		fk_ended(fk, ct);
	}
	if (ct->running && im != NULL && im->behave == FK_RESTARTS &&
	    ct->looks == 1)
		ct->starts++;
	/* Before it was looked at, and meanwhile; Docker counts those only. */
	counted = im != NULL && (im->behave == FK_RESTARTED ||
	    (im->behave == FK_COUNTS && ct->looks >= 1));
	ct->looks++;
	evbuffer_add_printf(out, "{\"Id\":\"%s\",\"Name\":\"/%s\",\"Image\":"
	    "\"%s\",\"RestartCount\":%d,\"State\":{\"Status\":\"%s\","
	    "\"Running\":%s,\"Paused\":%s,\"Restarting\":false,\"ExitCode\":%d,"
	    "\"Error\":\"\",\"StartedAt\":\"2026-01-01T00:00:%02dZ\"", ct->id,
	    ct->name, ct->image, counted, fk_status(ct),
	    ct->running ? "true" : "false",
	    ct->paused ? "true" : "false", ct->code, ct->starts);
	fk_health(fk, out, ct);
	evbuffer_add_printf(out, "},\"Config\":{");
	for (v = root->jv_child; v != NULL; v = v->jv_next)
		if (strcmp(v->jv_key, "HostConfig") != 0 &&
		    strcmp(v->jv_key, "NetworkingConfig") != 0)
			evbuffer_add_printf(out, "%s\"%s\":%.*s",
			    n++ > 0 ? "," : "", v->jv_key, (int)v->jv_rawlen,
			    v->jv_raw);
	evbuffer_add_printf(out, "},\"HostConfig\":{\"RestartPolicy\":{"
	    "\"Name\":\"%s\",\"MaximumRetryCount\":0}", ct->policy);
	v = json_get(root, "HostConfig");
	for (v = v == NULL ? NULL : v->jv_child; v != NULL; v = v->jv_next)
		if (strcmp(v->jv_key, "RestartPolicy") != 0)
			evbuffer_add_printf(out, ",\"%s\":%.*s", v->jv_key,
			    (int)v->jv_rawlen, v->jv_raw);
	evbuffer_add_printf(out, "},\"Mounts\":[],");
	fk_networks(out, ct);
	evbuffer_add_printf(out, "}");
	json_free(js);
}

static inline void
fk_list(struct fk *fk, struct evbuffer *out, const char *ids, bool all)
{
	static const struct json_value	 some = { .jv_raw = "{\"a\":\"b\"}",
		.jv_rawlen = 9 };
	const struct json_value		*labels;
	struct json			*js;
	int				 i, n = 0;

	evbuffer_add_printf(out, "[");
	fk->nlooks += ids != NULL;
	for (i = 0; i < FK_MAX; i++) {
		if (!fk->ct[i].used || (!all && !fk->ct[i].running) ||
		    (ids != NULL && strstr(ids, fk->ct[i].id) == NULL))
			continue;
		js = fk_body(&fk->ct[i]);
		if ((labels = json_get(json_root(js), "Labels")) == NULL)
			labels = &some;
		evbuffer_add_printf(out, "%s{\"Id\":\"%s\",\"Names\":[\"/o/al\""
		    ",\"/%s\"],\"Image\":\"%s\",\"ImageID\":\"%s\",\"State\":"
		    "\"%s\",\"Created\":1700000000,\"Labels\":%.*s,"
		    "\"Ports\":[{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,"
		    "\"PublicPort\":8080,\"Type\":\"tcp\"},{\"IP\":\"::\","
		    "\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"},"
		    "{\"PrivatePort\":443,\"Type\":\"tcp\"}],\"HostConfig\":"
		    "{\"NetworkMode\":\"%s\"},\"Status\":\"%s\"}",
		    n++ > 0 ? ",\n" : "",
		    fk->ct[i].id, fk->ct[i].name,
		    json_get_str(json_root(js), "Image"), fk->ct[i].image,
		    fk_status(&fk->ct[i]), (int)labels->jv_rawlen,
		    labels->jv_raw, json_get_str(json_get(json_root(js),
		    "HostConfig"), "NetworkMode"), fk->ct[i].running &&
		    fk->status != NULL ? fk->status : "");
		json_free(js);
	}
	evbuffer_add_printf(out, "]\n");
}

static inline void
fk_images(struct fk *fk, struct evbuffer *out, const struct fk_image *only)
{
	const struct fk_image	*im;
	int			 i, n = 0, t, m;

	for (i = 0; i < FK_MAX; i++) {
		im = &fk->im[i];
		if (im->id[0] == '\0' || (only != NULL && only != im))
			continue;
		evbuffer_add_printf(out, "%s{\"Id\":\"%s\",\"RepoDigests\":[",
		    n++ > 0 ? "," : "", im->id);
		if (im->digest[0] != '\0')
			evbuffer_add_printf(out, "\"%s\"", im->digest);
		evbuffer_add_printf(out, "],\"RepoTags\":[");
		for (t = m = 0; t < FK_TAGS; t++)
			if (im->tags[t][0] != '\0')
				evbuffer_add_printf(out, "%s\"%s\"",
				    m++ > 0 ? "," : "", im->tags[t]);
		evbuffer_add_printf(out, "],\"Config\":{}}");
	}
}

/* --- changes ----------------------------------------------------------- */

static inline int
fk_error(struct evbuffer *out, int status, const char *text)
{
	evbuffer_drain(out, evbuffer_get_length(out));
	evbuffer_add_printf(out, "{\"message\":\"%s\"}\n", text);
	return (status);
}

static inline bool
fk_connect(struct fk_container *ct, const char *net, const char *config)
{
	int	 i;

	for (i = 0; i < 4; i++)
		if (strcmp(ct->nets[i].name, net) == 0)
			return (false);
	for (i = 0; i < 4; i++)
		if (ct->nets[i].name[0] == '\0') {
			strlcpy(ct->nets[i].name, net,
			    sizeof(ct->nets[i].name));
			strlcpy(ct->nets[i].config, config,
			    sizeof(ct->nets[i].config));
			return (true);
		}
	abort();
}

static inline struct fk_container *
fk_make(struct fk *fk, const char *name, const char *body, size_t len)
{
	struct fk_container		*ct;
	struct json			*js;
	const struct json_value		*root, *v;
	struct fk_image			*im;
	char				 conf[256];
	int				 i;

	for (i = 0; i < FK_MAX && fk->ct[i].used; i++)
		;
	if (i == FK_MAX)
		abort();
	ct = &fk->ct[i];
	memset(ct, 0, sizeof(*ct));
	if ((ct->body = strndup(body, len)) == NULL)
		abort();
	js = fk_body(ct);
	root = json_root(js);
	im = fk_image(fk, json_get_str(root, "Image"));
	if (im == NULL) {
		free(ct->body);
		json_free(js);
		return (NULL);
	}
	ct->used = ct->created = ct->made = true;
	fk->nextid++;
	snprintf(ct->id, sizeof(ct->id), "%012x%052d", fk->nextid * 0x11111,
	    fk->nextid);
	strlcpy(ct->name, name, sizeof(ct->name));
	strlcpy(ct->image, im->id, sizeof(ct->image));
	strlcpy(ct->policy, json_get_str(json_path(root,
	    "HostConfig.RestartPolicy"), "Name"), sizeof(ct->policy));
	v = json_path(root, "NetworkingConfig.EndpointsConfig");
	for (v = v == NULL ? NULL : v->jv_child; v != NULL; v = v->jv_next) {
		snprintf(conf, sizeof(conf), "%.*s", (int)v->jv_rawlen,
		    v->jv_raw);
		(void)fk_connect(ct, v->jv_key, conf);
	}
	json_free(js);
	return (ct);
}

/* Fixed addresses and published ports are taken by one container. */
static inline bool
fk_clash(struct fk *fk, const struct fk_container *ct)
{
	struct json	*a = fk_body(ct), *b;
	const char	*ports, *ip;
	bool		 clash = false;
	int		 i, n, m;

	ports = json_get_str(json_get(json_root(a), "HostConfig"), "FakePort");
	for (i = 0; i < FK_MAX; i++) {
		if (!fk->ct[i].used || &fk->ct[i] == ct)
			continue;
		b = fk_body(&fk->ct[i]);
		if (fk->ct[i].running && ports[0] != '\0' && strcmp(ports,
		    json_get_str(json_get(json_root(b), "HostConfig"),
		    "FakePort")) == 0)
			clash = true;
		json_free(b);
		for (n = 0; n < 4; n++)
			for (m = 0; m < 4; m++) {
				ip = strstr(ct->nets[n].config, "IPv4Address");
				if (ip != NULL && strcmp(ct->nets[n].name,
				    fk->ct[i].nets[m].name) == 0 &&
				    strstr(fk->ct[i].nets[m].config,
				    "IPv4Address") != NULL)
					clash = true;
			}
	}
	json_free(a);
	return (clash);
}

/* What it shares is there? */
static inline bool
fk_joins(struct fk *fk, const struct fk_container *ct)
{
	static const char *const	 modes[] = { "NetworkMode", "IpcMode",
		"PidMode" };
	struct json			*js = fk_body(ct);
	struct fk_container		*other;
	const char			*s;
	bool				 good = true;
	size_t				 i;

	for (i = 0; i < nitems(modes); i++) {
		s = json_get_str(json_get(json_root(js), "HostConfig"),
		    modes[i]);
		if (strncmp(s, "container:", 10) == 0 &&
		    ((other = fk_find(fk, s + 10)) == NULL ||
		    !other->running))
			good = false;
	}
	json_free(js);
	return (good);
}

static inline int
fk_start(struct fk *fk, struct fk_container *ct, struct evbuffer *out)
{
	struct fk_image	*im = fk_image(fk, ct->image);

	if (ct->running)
		return (304);
	if (!fk_joins(fk, ct))
		return (fk_error(out, 409, "cannot join a container that does "
		    "not run"));
	if (fk_clash(fk, ct))
		return (fk_error(out, 500, "address or port already in use"));
	if (im != NULL && im->behave == FK_NOSTART)
		return (fk_error(out, 400, "exec: no such file"));
	ct->running = true;
	ct->created = false;
	ct->looks = 0;
	ct->starts++;
	return (204);
}

/* dockerd was restarted: who has a policy comes up. */
static inline void
fk_restart_engine(struct fk *fk)
{
	struct evbuffer	*out = evbuffer_new();
	int		 i;

	for (i = 0; i < FK_MAX; i++) {
		if (!fk->ct[i].used)
			continue;
		if (!fk->ct[i].running)
			fk_ended(fk, &fk->ct[i]);
		if (fk->ct[i].created)
			continue;
		if (strcmp(fk->ct[i].policy, "always") == 0 &&
		    !fk->ct[i].running)
			(void)fk_start(fk, &fk->ct[i], out);
	}
	evbuffer_free(out);
}

/*
 * dockerd was killed: all end, and who has a policy is started at the same
 * time as everybody else, so whoever joins another one is not.
 */
static inline void
fk_kill_engine(struct fk *fk)
{
	struct evbuffer	*out = evbuffer_new();
	bool		 was[FK_MAX];
	int		 i;

	for (i = 0; i < FK_MAX; i++) {
		was[i] = fk->ct[i].used && fk->ct[i].running;
		fk->ct[i].running = fk->ct[i].paused = false;
	}
	for (i = 0; i < FK_MAX; i++)
		if (was[i] && strcmp(fk->ct[i].policy, "always") == 0 &&
		    fk_joins(fk, &fk->ct[i]) &&
		    strstr(fk->ct[i].body, "\"container:") == NULL)
			(void)fk_start(fk, &fk->ct[i], out);
	evbuffer_free(out);
}

/* It has ended: with --rm that is its end. */
static inline void
fk_ended(struct fk *fk, struct fk_container *ct)
{
	struct json	*js = fk_body(ct);

	if (json_bool(json_path(json_root(js), "HostConfig.AutoRemove")))
		ct->vanish_at = fk->nreq + 2;
	json_free(js);
}

static inline int
fk_container_post(struct fk *fk, struct fk_container *ct, const char *verb,
    const char *query, const char *body, size_t len, struct evbuffer *out)
{
	struct json	*js;

	if (strcmp(verb, "start") == 0)
		return (fk_start(fk, ct, out));
	if (strcmp(verb, "exec") == 0)
		return (!ct->running || ct->paused ?
		    fk_error(out, 409, "is not running") :
		    fke_create(&fk->execs, ct->id, body, len, out));
	if (strcmp(verb, "stop") == 0) {
		ct->stop_at = 0;
		if (!ct->running)
			return (304);
		ct->paused = false;
		ct->running = ct->stubborn > 0;
		ct->stubborn -= ct->stubborn > 0;
		if (!ct->running)
			fk_ended(fk, ct);
		return (204);
	}
	if (strcmp(verb, "restart") == 0) {
		ct->running = false;
		return (fk_start(fk, ct, out));
	}
	if (strcmp(verb, "pause") == 0) {
		if (!ct->running || ct->paused)
			return (fk_error(out, 409, "not running"));
		ct->paused = true;
		return (204);
	}
	if (strcmp(verb, "rename") == 0) {
		query = strstr(query, "name=") + 5;
		if (fk_find(fk, query) != NULL)
			return (fk_error(out, 409, "name already in use"));
		strlcpy(ct->name, query, sizeof(ct->name));
		return (204);
	}
	if (strcmp(verb, "update") == 0) {
		js = json_parse(body, len, NULL, 0);
		strlcpy(ct->policy, json_get_str(json_get(json_root(js),
		    "RestartPolicy"), "Name"), sizeof(ct->policy));
		json_free(js);
		evbuffer_add_printf(out, "{\"Warnings\":null}");
		return (200);
	}
	return (fk_error(out, 404, "page not found"));
}

static inline int
fk_network_post(struct fk *fk, const char *net, const char *verb,
    const char *body, size_t len, struct evbuffer *out)
{
	struct json			*js = json_parse(body, len, NULL, 0);
	struct fk_container		*ct;
	const struct json_value		*v;
	char				 conf[256];
	int				 i, rc = 200;

	ct = fk_find(fk, json_get_str(json_root(js), "Container"));
	if (ct == NULL)
		rc = fk_error(out, 404, "no such container");
	else if (strcmp(verb, "connect") == 0) {
		v = json_get(json_root(js), "EndpointConfig");
		snprintf(conf, sizeof(conf), "%.*s", (int)v->jv_rawlen,
		    v->jv_raw);
		if (!fk_connect(ct, net, conf))
			rc = fk_error(out, 403, "endpoint already exists");
	} else {
		for (i = 0; i < 4; i++)
			if (strcmp(ct->nets[i].name, net) == 0)
				break;
		if (i == 4)
			rc = fk_error(out, 404, "not connected");
		else
			ct->nets[i].name[0] = '\0';
	}
	json_free(js);
	return (rc);
}

static inline bool
fk_is_used(struct fk *fk, const struct fk_image *im)
{
	int	 i;

	for (i = 0; i < FK_MAX; i++)
		if (fk->ct[i].used && strcmp(fk->ct[i].image, im->id) == 0)
			return (true);
	return (false);
}

/* As 20.10 does: without force nothing that a container or another name
 * needs; a digest goes with the last tag of its repository. */
static inline int
fk_delete_image(struct fk *fk, const char *ref, struct evbuffer *out)
{
	struct fk_image	*im = fk_image(fk, ref);
	size_t		 repo = strcspn(ref, ":");
	int		 t, refs, same = 0;

	if (im == NULL)
		return (fk_error(out, 404, "no such image"));
	refs = im->digest[0] != '\0';
	for (t = 0; t < FK_TAGS; t++) {
		refs += im->tags[t][0] != '\0';
		same += strncmp(im->tags[t], ref, repo + 1) == 0;
	}
	if (strcmp(ref, im->id) == 0) {
		if (refs > 1 || fk_is_used(fk, im))
			return (fk_error(out, 409, "image is referenced or "
			    "used"));
		im->id[0] = '\0';
		return (200);
	}
	if (refs == 1 && fk_is_used(fk, im))
		return (fk_error(out, 409, "image is being used"));
	for (t = 0; t < FK_TAGS; t++)
		if (strcmp(im->tags[t], ref) == 0)
			im->tags[t][0] = '\0';
	if (im->digest[0] != '\0' && same == 1 && strncmp(im->digest, ref,
	    repo) == 0 && im->digest[repo] == '@') {
		im->digest[0] = '\0';
		refs--;
	}
	if (refs == 1)
		im->id[0] = '\0';
	evbuffer_add_printf(out, "[]");
	return (200);
}

static inline int
fk_pull(struct fk *fk, const char *query, struct evbuffer *out)
{
	char	 ref[128], repo[64], tag[64];

	if (fk->pull != NULL) {
		evbuffer_add_printf(out, "%s", fk->pull);
		return (200);
	}
	if (sscanf(query, "fromImage=%63[^&]&tag=%63s", repo, tag) != 2)
		return (fk_error(out, 400, "bad reference"));
	snprintf(ref, sizeof(ref), "%s:%s", repo, tag);
	evbuffer_add_printf(out, "{\"status\":\"Pulling\",\"id\":\"x\"}\r\n"
	    "{\"status\":\"Downloading\",\"id\":\"l1\",\"progressDetail\":"
	    "{\"current\":5,\"total\":10}}\r\n");
	fk_tag(fk, &fk->im[fk->pull_to], ref);
	return (200);
}

#endif
