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

#include <string.h>

#include "docker_spec_int.h"

/* "/data" alone asks for a new volume: spec_rule_mounts() names it. */
void
spec_rule_binds(struct spec_ctx *sx, const struct json_value *v)
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
 * Came it with VolumesFrom?  Whose volume it is no mount says; but those of
 * the container itself are in Config.Volumes or a bare path in Binds.  Named
 * here, it would stay when the other container gets another one.
 */
static bool
spec_is_from(const struct spec_ctx *sx, const char *target)
{
	const struct json_value	*v;
	const char		*s;

	if (json_is_zero(json_get(sx->sx_host, "VolumesFrom")) ||
	    json_get(json_get(sx->sx_config, "Volumes"), target) != NULL)
		return (false);
	v = json_get(sx->sx_host, "Binds");
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if ((s = json_str(v)) != NULL && strcmp(s, target) == 0)
			return (false);
	return (true);
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
		    spec_is_bound(sx, target) || spec_is_from(sx, target))
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

void
spec_rule_mounts(struct spec_ctx *sx, const struct json_value *v)
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
