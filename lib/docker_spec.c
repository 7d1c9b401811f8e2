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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_spec_int.h"

#define SPEC_BODY_MAXBYTES	(1024U * 1024)

/* Writes the member (key and value) in its new form, or nothing to drop it. */
typedef void (*spec_fn)(struct spec_ctx *, const struct json_value *);

struct spec_rule {
	const char	*sr_member;
	spec_fn		 sr_fn;
};

static void	 rule_image(struct spec_ctx *, const struct json_value *);
static void	 rule_pairs(struct spec_ctx *, const struct json_value *);
static void	 rule_exposed(struct spec_ctx *, const struct json_value *);
static void	 rule_same(struct spec_ctx *, const struct json_value *);
static void	 rule_cmd(struct spec_ctx *, const struct json_value *);
static void	 rule_hostname(struct spec_ctx *, const struct json_value *);
static void	 rule_not_joined(struct spec_ctx *, const struct json_value *);
static void	 rule_mac(struct spec_ctx *, const struct json_value *);
static void	 rule_binds(struct spec_ctx *, const struct json_value *);
static void	 rule_mounts(struct spec_ctx *, const struct json_value *);
static void	 rule_links(struct spec_ctx *, const struct json_value *);
static void	 rule_positive(struct spec_ctx *, const struct json_value *);

/*
 * What has no row passes through as it is.  Inspect shows the user's settings
 * merged with those of the old image: what is equal to the image's is left
 * out, so that the new image's counts.
 */
static const struct spec_rule spec_config_rules[] = {
	{ "Image",		rule_image },
	{ "Env",		rule_pairs },
	{ "Labels",		rule_pairs },
	{ "Volumes",		rule_pairs },
	{ "ExposedPorts",	rule_exposed },
	{ "Entrypoint",		rule_same },
	{ "Cmd",		rule_cmd },
	{ "User",		rule_same },
	{ "WorkingDir",		rule_same },
	{ "StopSignal",		rule_same },
	{ "Shell",		rule_same },
	{ "OnBuild",		rule_same },
	{ "Healthcheck",	rule_same },
	{ "Hostname",		rule_hostname },
	{ "Domainname",		rule_not_joined },
	{ "MacAddress",		rule_mac },
	{ NULL,			NULL }
};

static const struct spec_rule spec_host_rules[] = {
	{ "Binds",		rule_binds },
	{ "Mounts",		rule_mounts },
	{ "Links",		rule_links },
	/* cgroup v2 has none; 0 and -1 stand for "not set" */
	{ "MemorySwappiness",	rule_positive },
	/* refused beside the network of another container */
	{ "Dns",		rule_not_joined },
	{ "DnsOptions",		rule_not_joined },
	{ "DnsSearch",		rule_not_joined },
	{ "ExtraHosts",		rule_not_joined },
	{ "PortBindings",	rule_not_joined },
	{ "PublishAllPorts",	rule_not_joined },
	{ NULL,			NULL }
};

void
docker_spec_free(struct docker_spec *sp)
{
	size_t	 i;

	if (sp->sp_body != NULL)
		freezero(sp->sp_body, sp->sp_bodylen);
	free(sp->sp_primary);
	for (i = 0; i < sp->sp_nnets; i++) {
		free(sp->sp_nets[i].nt_name);
		free(sp->sp_nets[i].nt_config);
	}
	memset(sp, 0, sizeof(*sp));
}

int
docker_spec_fail(char *err, size_t size, const char *what)
{
	strlcpy(err, what, size);
	return (-1);
}

bool
docker_spec_is_shortid(const struct spec_ctx *sx, const char *s)
{
	return (strlen(s) == DOCKER_SHORTID_LEN &&
	    strncmp(s, sx->sx_id, DOCKER_SHORTID_LEN) == 0);
}

/* --- rules ------------------------------------------------------------- */

static void
rule_image(struct spec_ctx *sx, const struct json_value *v)
{
	json_gen_keyn(sx->sx_gen, v->jv_key, v->jv_keylen);
	json_gen_str(sx->sx_gen, sx->sx_in->si_ref);
}

/* Does the old image say the same?  Absent, null and empty are one. */
static bool
spec_is_images(const struct spec_ctx *sx, const char *key)
{
	const struct json_value	*a = json_get(sx->sx_config, key);
	const struct json_value	*b = json_get(sx->sx_image, key);

	if (sx->sx_image == NULL)
		return (false);
	return ((json_is_zero(a) && json_is_zero(b)) || json_equal(a, b));
}

static void
rule_same(struct spec_ctx *sx, const struct json_value *v)
{
	if (!spec_is_images(sx, v->jv_key))
		json_gen_member(sx->sx_gen, v);
}

/* An entry point of the user cancels the image's command: an equal one was
 * then given by the user, too. */
static void
rule_cmd(struct spec_ctx *sx, const struct json_value *v)
{
	if (!spec_is_images(sx, "Cmd") || !spec_is_images(sx, "Entrypoint"))
		json_gen_member(sx->sx_gen, v);
}

/* Is the element (of an array) or member (of an object) the image's? */
static bool
spec_in_image(const struct json_value *image, const struct json_value *v)
{
	const struct json_value	*i;

	if (image == NULL)
		return (false);
	if (v->jv_key != NULL)
		return (json_equal(json_get(image, v->jv_key), v));
	for (i = image->jv_child; i != NULL; i = i->jv_next)
		if (json_equal(i, v))
			return (true);
	return (false);
}

/* Arrays and objects of which single entries come from the image. */
static void
rule_pairs(struct spec_ctx *sx, const struct json_value *v)
{
	const struct json_value	*image = json_get(sx->sx_image, v->jv_key), *e;
	struct json_gen		*jg = sx->sx_gen;

	if ((!json_is(v, JSON_ARRAY) && !json_is(v, JSON_OBJECT)) ||
	    image == NULL || image->jv_type != v->jv_type) {
		json_gen_member(jg, v);
		return;
	}
	json_gen_keyn(jg, v->jv_key, v->jv_keylen);
	if (json_is(v, JSON_ARRAY))
		json_gen_array(jg);
	else
		json_gen_object(jg);
	for (e = v->jv_child; e != NULL; e = e->jv_next) {
		if (spec_in_image(image, e))
			continue;
		if (e->jv_key != NULL)
			json_gen_member(jg, e);
		else
			json_gen_value(jg, e);
	}
	if (json_is(v, JSON_ARRAY))
		json_gen_end_array(jg);
	else
		json_gen_end_object(jg);
}

static void
rule_exposed(struct spec_ctx *sx, const struct json_value *v)
{
	if (!sx->sx_joined)
		rule_pairs(sx, v);
}

/* The short id is what Docker chose when nobody did. */
static void
rule_hostname(struct spec_ctx *sx, const struct json_value *v)
{
	const char	*s = json_str(v);

	if (sx->sx_joined || (s != NULL && docker_spec_is_shortid(sx, s)))
		return;
	json_gen_member(sx->sx_gen, v);
}

static void
rule_not_joined(struct spec_ctx *sx, const struct json_value *v)
{
	if (!sx->sx_joined)
		json_gen_member(sx->sx_gen, v);
}

/* From 1.44 on it belongs to the endpoint, see spec_endpoint(). */
static void
rule_mac(struct spec_ctx *sx, const struct json_value *v)
{
	if (!sx->sx_joined && sx->sx_in->si_api < 44)
		json_gen_member(sx->sx_gen, v);
}

static void
rule_positive(struct spec_ctx *sx, const struct json_value *v)
{
	int64_t	 n;

	if (json_int(v, &n) == 0 && n > 0)
		json_gen_member(sx->sx_gen, v);
}

/* "/data" alone asks for a new anonymous volume: rule_mounts() names it. */
static void
rule_binds(struct spec_ctx *sx, const struct json_value *v)
{
	const struct json_value	*b;
	const char		*s;

	if (!json_is(v, JSON_ARRAY)) {
		json_gen_member(sx->sx_gen, v);
		return;
	}
	json_gen_keyn(sx->sx_gen, v->jv_key, v->jv_keylen);
	json_gen_array(sx->sx_gen);
	for (b = v->jv_child; b != NULL; b = b->jv_next)
		if ((s = json_str(b)) == NULL || strchr(s, ':') != NULL)
			json_gen_value(sx->sx_gen, b);
	json_gen_end_array(sx->sx_gen);
}

static const struct json_value *
spec_mounts(const struct spec_ctx *sx)
{
	return (json_get(sx->sx_in->si_container, "Mounts"));
}

/* The mounted volume at a path inside the container, or NULL. */
static const struct json_value *
spec_volume_at(const struct spec_ctx *sx, const char *target)
{
	const struct json_value	*m = spec_mounts(sx);

	for (m = json_is(m, JSON_ARRAY) ? m->jv_child : NULL; m != NULL;
	    m = m->jv_next)
		if (strcmp(json_get_str(m, "Type"), "volume") == 0 &&
		    json_get_str(m, "Name")[0] != '\0' &&
		    strcmp(json_get_str(m, "Destination"), target) == 0)
			return (m);
	return (NULL);
}

/* Is the path already served by Binds or Mounts of the host configuration? */
static bool
spec_is_bound(const struct spec_ctx *sx, const char *target)
{
	const struct json_value	*v;
	const char		*s, *p;
	size_t			 len = strlen(target);

	v = json_get(sx->sx_host, "Mounts");
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if (strcmp(json_get_str(v, "Target"), target) == 0)
			return (true);
	v = json_get(sx->sx_host, "Binds");
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if ((s = json_str(v)) == NULL || (p = strchr(s, ':')) == NULL)
			continue;
		p++;
		if (strncmp(p, target, len) == 0 &&
		    (p[len] == '\0' || p[len] == ':'))
			return (true);
	}
	return (false);
}

/* A volume mount that named no volume gets the name Docker gave it. */
static void
spec_mount(struct spec_ctx *sx, const struct json_value *m)
{
	const struct json_value	*v, *vol = NULL;

	if (strcmp(json_get_str(m, "Type"), "volume") == 0 &&
	    json_get_str(m, "Source")[0] == '\0')
		vol = spec_volume_at(sx, json_get_str(m, "Target"));
	if (vol == NULL) {
		json_gen_value(sx->sx_gen, m);
		return;
	}
	json_gen_object(sx->sx_gen);
	for (v = m->jv_child; v != NULL; v = v->jv_next)
		if (strcmp(v->jv_key, "Source") != 0)
			json_gen_member(sx->sx_gen, v);
	json_gen_key(sx->sx_gen, "Source");
	json_gen_str(sx->sx_gen, json_get_str(vol, "Name"));
	json_gen_end_object(sx->sx_gen);
}

/*
 * Anonymous volumes are in no setting, only among the actual mounts; without
 * a name the new container would get empty ones.
 */
static void
spec_anonymous(struct spec_ctx *sx)
{
	const struct json_value	*m = spec_mounts(sx);
	struct json_gen		*jg = sx->sx_gen;
	const char		*target;

	for (m = json_is(m, JSON_ARRAY) ? m->jv_child : NULL; m != NULL;
	    m = m->jv_next) {
		target = json_get_str(m, "Destination");
		if (target[0] == '\0' || spec_volume_at(sx, target) != m ||
		    spec_is_bound(sx, target))
			continue;
		json_gen_object(jg);
		json_gen_key(jg, "Type");
		json_gen_str(jg, "volume");
		json_gen_key(jg, "Source");
		json_gen_str(jg, json_get_str(m, "Name"));
		json_gen_key(jg, "Target");
		json_gen_str(jg, target);
		if (json_is(json_get(m, "RW"), JSON_BOOL)) {
			json_gen_key(jg, "ReadOnly");
			json_gen_bool(jg, !json_bool(json_get(m, "RW")));
		}
		json_gen_end_object(jg);
	}
}

static void
rule_mounts(struct spec_ctx *sx, const struct json_value *v)
{
	const struct json_value	*m;

	json_gen_key(sx->sx_gen, "Mounts");
	json_gen_array(sx->sx_gen);
	for (m = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; m != NULL;
	    m = m->jv_next)
		spec_mount(sx, m);
	spec_anonymous(sx);
	json_gen_end_array(sx->sx_gen);
}

/* Inspect says "/target:/self/alias", create wants "target:alias". */
static void
rule_links(struct spec_ctx *sx, const struct json_value *v)
{
	const struct json_value	*l;
	const char		*s, *colon, *alias;
	char			 buf[2 * DOCKER_NAME_MAXBYTES];

	if (sx->sx_joined)
		return;
	if (!json_is(v, JSON_ARRAY)) {
		json_gen_member(sx->sx_gen, v);
		return;
	}
	json_gen_keyn(sx->sx_gen, v->jv_key, v->jv_keylen);
	json_gen_array(sx->sx_gen);
	for (l = v->jv_child; l != NULL; l = l->jv_next) {
		if ((s = json_str(l)) == NULL ||
		    (colon = strchr(s, ':')) == NULL) {
			json_gen_value(sx->sx_gen, l);
			continue;
		}
		if (*s == '/')
			s++;
		alias = strrchr(colon, '/');
		snprintf(buf, sizeof(buf), "%.*s:%s", (int)(colon - s), s,
		    alias == NULL ? colon + 1 : alias + 1);
		json_gen_str(sx->sx_gen, buf);
	}
	json_gen_end_array(sx->sx_gen);
}

/* --- the body ---------------------------------------------------------- */

static void
spec_apply(struct spec_ctx *sx, const struct json_value *from,
    const struct spec_rule *rules)
{
	const struct json_value	*v;
	const struct spec_rule	*sr;

	for (v = from->jv_child; v != NULL; v = v->jv_next) {
		for (sr = rules; sr->sr_member != NULL; sr++)
			if (strcmp(sr->sr_member, v->jv_key) == 0)
				break;
		if (sr->sr_member == NULL)
			json_gen_member(sx->sx_gen, v);
		else
			sr->sr_fn(sx, v);
	}
}

/* A slice of JSON that json_gen made before. */
static void
spec_raw(struct json_gen *jg, const char *text)
{
	const struct json_value	 v = { .jv_raw = text,
		.jv_rawlen = strlen(text) };

	json_gen_value(jg, &v);
}

static void
spec_body(struct docker_spec *sp, struct spec_ctx *sx)
{
	struct json_gen	*jg = sx->sx_gen;

	json_gen_object(jg);
	spec_apply(sx, sx->sx_config, spec_config_rules);
	json_gen_key(jg, "HostConfig");
	json_gen_object(jg);
	spec_apply(sx, sx->sx_host, spec_host_rules);
	if (json_get(sx->sx_host, "Mounts") == NULL)
		rule_mounts(sx, NULL);
	json_gen_end_object(jg);
	if (sp->sp_primary[0] != '\0') {
		/* Engines before 1.44 take one endpoint, so do all of them. */
		json_gen_key(jg, "NetworkingConfig");
		json_gen_object(jg);
		json_gen_key(jg, "EndpointsConfig");
		json_gen_object(jg);
		json_gen_key(jg, sp->sp_primary);
		spec_raw(jg, sp->sp_nets[0].nt_config);
		json_gen_end_object(jg);
		json_gen_end_object(jg);
	}
	json_gen_end_object(jg);
}

int
docker_spec_build(struct docker_spec *sp, const struct docker_spec_in *si,
    char *err, size_t errsize)
{
	struct spec_ctx	 sx = { .sx_in = si };

	memset(sp, 0, sizeof(*sp));
	sx.sx_config = json_get(si->si_container, "Config");
	sx.sx_host = json_get(si->si_container, "HostConfig");
	sx.sx_image = json_get(si->si_image, "Config");
	sx.sx_id = json_get_str(si->si_container, "Id");
	sx.sx_mode = json_get_str(sx.sx_host, "NetworkMode");
	sx.sx_joined = strncmp(sx.sx_mode, "container:", 10) == 0;
	if (!json_is(sx.sx_config, JSON_OBJECT) ||
	    !json_is(sx.sx_host, JSON_OBJECT) || !docker_id_ok(sx.sx_id))
		return (docker_spec_fail(err, errsize,
		    "Docker's description of the container is incomplete"));
	if (docker_spec_networks(sp, &sx, err, errsize) == -1)
		goto err;
	if ((sx.sx_gen = json_gen_new(SPEC_BODY_MAXBYTES)) == NULL) {
		(void)docker_spec_fail(err, errsize, "out of memory");
		goto err;
	}
	spec_body(sp, &sx);
	sp->sp_body = json_gen_take(sx.sx_gen, &sp->sp_bodylen);
	json_gen_free(sx.sx_gen);
	if (sp->sp_body == NULL) {
		(void)docker_spec_fail(err, errsize,
		    "the container's configuration is too long");
		goto err;
	}
	return (0);
err:
	docker_spec_free(sp);
	return (-1);
}

char *
docker_spec_connect(const char *id, const char *config, size_t *len)
{
	struct json_gen	*jg;
	char		*out;

	if ((jg = json_gen_new(DOCKER_NET_MAXBYTES + 256)) == NULL)
		return (NULL);
	json_gen_object(jg);
	json_gen_key(jg, "Container");
	json_gen_str(jg, id);
	json_gen_key(jg, "EndpointConfig");
	spec_raw(jg, config);
	json_gen_end_object(jg);
	out = json_gen_take(jg, len);
	json_gen_free(jg);
	return (out);
}
