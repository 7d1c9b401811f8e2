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

#include <stdlib.h>
#include <string.h>

#include "docker_spec_int.h"

#define SPEC_COMPOSE_IMAGE	"com.docker.compose.image"

static const char why_image[] = "the old image says the same: the new image's "
    "counts";
static const char why_joined[] = "the container has the network of another";

void
spec_rule_image(struct spec_ctx *sx, const struct json_value *v)
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
spec_images(struct spec_ctx *sx, const struct json_value *v)
{
	if (!json_is_zero(v))
		docker_spec_drop(sx, "Config", v->jv_key, NULL, why_image);
}

void
spec_rule_same(struct spec_ctx *sx, const struct json_value *v)
{
	if (spec_is_images(sx, v->jv_key))
		spec_images(sx, v);
	else
		json_gen_member(sx->sx_gen, v);
}

/* --- entry point and command ------------------------------------------- */

/*
 * An entry point of the user cancels the image's command: one that is equal
 * to the image's stands for itself when the command is gone all the same.
 */
static bool
spec_entry_is_images(const struct spec_ctx *sx)
{
	return (spec_is_images(sx, "Entrypoint") &&
	    (!json_is_zero(json_get(sx->sx_config, "Cmd")) ||
	    json_is_zero(json_get(sx->sx_image, "Cmd"))));
}

/* None although the image has one: the user took it away, and to say nothing
 * would bring it back. */
void
spec_rule_entrypoint(struct spec_ctx *sx, const struct json_value *v)
{
	if (spec_entry_is_images(sx))
		spec_images(sx, v);
	else if (json_is_zero(v) &&
	    !json_is_zero(json_get(sx->sx_image, "Entrypoint"))) {
		json_gen_keyn(sx->sx_gen, v->jv_key, v->jv_keylen);
		json_gen_array(sx->sx_gen);
		json_gen_str(sx->sx_gen, "");
		json_gen_end_array(sx->sx_gen);
	} else
		json_gen_member(sx->sx_gen, v);
}

/* For the same reason an equal command beside it was given by the user. */
void
spec_rule_cmd(struct spec_ctx *sx, const struct json_value *v)
{
	if (spec_is_images(sx, "Cmd") && spec_entry_is_images(sx))
		spec_images(sx, v);
	else
		json_gen_member(sx->sx_gen, v);
}

/* --- lists ------------------------------------------------------------- */

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

/* A word for an entry that is no secret: of an array the name before '='. */
static void
spec_drop_entry(struct spec_ctx *sx, const char *list,
    const struct json_value *e, const char *why)
{
	const char	*s = e->jv_key != NULL ? e->jv_key : json_str(e);
	char		*name;

	name = strndup(s == NULL ? "" : s, e->jv_key != NULL || s == NULL ?
	    1024 : strcspn(s, "="));
	if (name == NULL)
		sx->sx_nomem = true;
	else
		docker_spec_drop(sx, "Config", list, name, why);
	free(name);
}

/* What compose compares with the image that is there. */
static bool
spec_compose_image(struct spec_ctx *sx, const struct json_value *e)
{
	const char	*id = json_get_str(sx->sx_in->si_new, "Id");

	if (e->jv_key == NULL || strcmp(e->jv_key, SPEC_COMPOSE_IMAGE) != 0 ||
	    id[0] == '\0')
		return (false);
	json_gen_keyn(sx->sx_gen, e->jv_key, e->jv_keylen);
	json_gen_str(sx->sx_gen, id);
	return (true);
}

static void
spec_entries(struct spec_ctx *sx, const struct json_value *v,
    const struct json_value *image, bool labels)
{
	const struct json_value	*e;
	const char		*why;

	for (e = v->jv_child; e != NULL; e = e->jv_next) {
		if (labels && spec_compose_image(sx, e))
			continue;
		if (strcmp(v->jv_key, "Env") == 0 &&
		    (why = spec_podman_env(sx, e)) != NULL) {
			spec_drop_entry(sx, v->jv_key, e, why);
			continue;
		}
		if (spec_in_image(image, e))
			spec_drop_entry(sx, v->jv_key, e, why_image);
		else if (e->jv_key != NULL)
			json_gen_member(sx->sx_gen, e);
		else
			json_gen_value(sx->sx_gen, e);
	}
}

/* Arrays and objects of which single entries come from the image. */
static void
spec_pairs(struct spec_ctx *sx, const struct json_value *v, bool labels)
{
	const struct json_value	*image = json_get(sx->sx_image, v->jv_key);

	if (image != NULL && image->jv_type != v->jv_type)
		image = NULL;
	if (!json_is(v, JSON_ARRAY) && !json_is(v, JSON_OBJECT)) {
		json_gen_member(sx->sx_gen, v);
		return;
	}
	json_gen_keyn(sx->sx_gen, v->jv_key, v->jv_keylen);
	if (json_is(v, JSON_ARRAY)) {
		json_gen_array(sx->sx_gen);
		spec_entries(sx, v, image, labels);
		json_gen_end_array(sx->sx_gen);
	} else {
		json_gen_object(sx->sx_gen);
		spec_entries(sx, v, image, labels);
		json_gen_end_object(sx->sx_gen);
	}
}

void
spec_rule_pairs(struct spec_ctx *sx, const struct json_value *v)
{
	spec_pairs(sx, v, false);
}

void
spec_rule_labels(struct spec_ctx *sx, const struct json_value *v)
{
	spec_pairs(sx, v, true);
}

void
spec_rule_exposed(struct spec_ctx *sx, const struct json_value *v)
{
	if (!sx->sx_joined)
		spec_pairs(sx, v, false);
	else if (!json_is_zero(v))
		docker_spec_drop(sx, "Config", v->jv_key, NULL, why_joined);
}

/*
 * Docker fills what a user's check leaves open from the image, field by
 * field; so what is the image's can be left open again.  A test of "NONE" is
 * the user's and stays.
 */
void
spec_rule_health(struct spec_ctx *sx, const struct json_value *v)
{
	const struct json_value	*image = json_get(sx->sx_image, v->jv_key), *e;

	if (sx->sx_in->si_podman) {
		spec_podman_health(sx, v);
		return;
	}
	if (spec_is_images(sx, v->jv_key)) {
		spec_images(sx, v);
		return;
	}
	if (!json_is(v, JSON_OBJECT) || !json_is(image, JSON_OBJECT)) {
		json_gen_member(sx->sx_gen, v);
		return;
	}
	json_gen_keyn(sx->sx_gen, v->jv_key, v->jv_keylen);
	json_gen_object(sx->sx_gen);
	for (e = v->jv_child; e != NULL; e = e->jv_next) {
		if (spec_in_image(image, e) && !json_is_zero(e))
			spec_drop_entry(sx, v->jv_key, e, why_image);
		else
			json_gen_member(sx->sx_gen, e);
	}
	json_gen_end_object(sx->sx_gen);
}

/* --- names ------------------------------------------------------------- */

/* NULL: somebody chose this host name, and Docker takes it again. */
static const char *
spec_hostname_fault(const struct spec_ctx *sx, const char *s)
{
	if (sx->sx_joined)
		return (why_joined);
	if (docker_spec_is_shortid(sx, s))
		return ("Docker made it from the container's id");
	if (strcmp(json_get_str(sx->sx_host, "UTSMode"), "host") == 0)
		return ("the container has the host's name");
	if (strcmp(sx->sx_mode, "host") == 0 && sx->sx_in->si_engine != NULL &&
	    strcmp(s, sx->sx_in->si_engine) == 0)
		return ("it is the host's, as is the network");
	return (NULL);
}

void
spec_rule_hostname(struct spec_ctx *sx, const struct json_value *v)
{
	const char	*s = json_str(v), *why;

	if (s == NULL || s[0] == '\0' ||
	    (why = spec_hostname_fault(sx, s)) == NULL)
		json_gen_member(sx->sx_gen, v);
	else
		docker_spec_drop(sx, "Config", v->jv_key, NULL, why);
}

void
spec_rule_domainname(struct spec_ctx *sx, const struct json_value *v)
{
	if (!sx->sx_joined)
		json_gen_member(sx->sx_gen, v);
	else if (!json_is_zero(v))
		docker_spec_drop(sx, "Config", v->jv_key, NULL, why_joined);
}

/* From 1.44 on it belongs to the endpoint, see docker_spec_net.c. */
void
spec_rule_mac(struct spec_ctx *sx, const struct json_value *v)
{
	if (!sx->sx_joined && sx->sx_in->si_api < 44)
		json_gen_member(sx->sx_gen, v);
	else if (!json_is_zero(v) && sx->sx_joined)
		docker_spec_drop(sx, "Config", v->jv_key, NULL, why_joined);
	else if (!json_is_zero(v) && sx->sx_out->sp_primary[0] == '\0')
		docker_spec_drop(sx, "Config", v->jv_key, NULL,
		    "there is no network that it could belong to");
}
