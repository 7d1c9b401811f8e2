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

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_spec_int.h"

/*
 * What podman's service says in another way than Docker, and would not take
 * back, or would take for somebody's wish (podman 4.3.1, libpod's Docker API).
 * Nothing here changes anything for Docker.
 */
#define PODMAN_HEALTH_NSEC	30000000000LL	/* interval, time-out */
#define PODMAN_HEALTH_RETRIES	3
#define PODMAN_SIGNAL		15
#define PODMAN_SIGRTMIN		34		/* glibc's, as in images */

static const char why_podman[] = "podman sets it for every container";

/* --- environment ------------------------------------------------------- */

static bool
podman_image_has(const struct json_value *image, const char *name, size_t len)
{
	const struct json_value	*e;
	const char		*s;

	for (e = json_is(image, JSON_ARRAY) ? image->jv_child : NULL;
	    e != NULL; e = e->jv_next)
		if ((s = json_str(e)) != NULL && strncmp(s, name, len) == 0)
			return (true);
	return (false);
}

/*
 * podman shows the whole environment, with what it adds itself.  HOSTNAME is
 * the short id of the old container; the others would hide the new image's.
 */
const char *
spec_podman_env(const struct spec_ctx *sx, const struct json_value *e)
{
	static const char *const	 own[] = {
		/* In brackets: a comma is not missing. */
		("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		    "/sbin:/bin"),
		"TERM=xterm", "container=podman"
	};
	const struct json_value		*image = json_get(sx->sx_image, "Env");
	const char			*s = json_str(e);
	size_t				 i;

	if (!sx->sx_in->si_podman || s == NULL)
		return (NULL);
	if (strncmp(s, "HOSTNAME=", 9) == 0)
		return (strcmp(s + 9, json_get_str(sx->sx_config,
		    "Hostname")) == 0 ? why_podman : NULL);
	for (i = 0; i < nitems(own); i++)
		/* One that differs from the image's was somebody's wish. */
		if (strcmp(s, own[i]) == 0 && !podman_image_has(image, s,
		    strcspn(s, "=") + 1))
			return (why_podman);
	return (NULL);
}

/* --- stop signal ------------------------------------------------------- */

/* The number of "SIGQUIT", "QUIT", "3" or "SIGRTMIN+3" on Linux; 0: none. */
static int
podman_signal(const char *s)
{
	static const char *const	 names[] = { "", "HUP", "INT", "QUIT",
		"ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
		"USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT",
		"STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
		"VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS" };
	size_t				 i;

	if (isdigit((unsigned char)*s))
		return ((int)strtol(s, NULL, 10));
	if (strncasecmp(s, "SIG", 3) == 0)
		s += 3;
	if (strncasecmp(s, "RTMIN", 5) == 0)
		return (PODMAN_SIGRTMIN + (int)strtol(s + 5, NULL, 10));
	for (i = 1; i < nitems(names); i++)
		if (strcasecmp(s, names[i]) == 0)
			return ((int)i);
	return (0);
}

/* podman shows a number where the image has a name, and always one. */
void
spec_rule_signal(struct spec_ctx *sx, const struct json_value *v)
{
	const char	*image = json_get_str(sx->sx_image, v->jv_key);
	const char	*s = json_str(v);
	int		 sig;

	if (!sx->sx_in->si_podman || s == NULL || sx->sx_image == NULL) {
		spec_rule_same(sx, v);
		return;
	}
	sig = podman_signal(s);
	if (sig == (image[0] == '\0' ? PODMAN_SIGNAL : podman_signal(image)))
		docker_spec_drop(sx, "Config", v->jv_key, NULL,
		    image[0] == '\0' ? why_podman : "the old image says the "
		    "same: the new image's counts");
	else
		json_gen_member(sx->sx_gen, v);
}

/* Where nobody has said anything podman shows "/". */
void
spec_rule_workdir(struct spec_ctx *sx, const struct json_value *v)
{
	if (sx->sx_in->si_podman && sx->sx_image != NULL &&
	    json_is_zero(json_get(sx->sx_image, v->jv_key)) &&
	    json_str(v) != NULL && strcmp(json_str(v), "/") == 0)
		docker_spec_drop(sx, "Config", v->jv_key, NULL, why_podman);
	else
		spec_rule_same(sx, v);
}

/* --- health check ------------------------------------------------------ */

/* Equal, or the default of podman where the image says nothing. */
static bool
podman_health_same(const struct json_value *image, const struct json_value *e)
{
	const struct json_value	*i = json_get(image, e->jv_key);
	int64_t			 n;

	if (json_equal(i, e))
		return (true);
	if (!json_is_zero(i))
		return (false);
	if (json_is_zero(e))
		return (true);
	if (json_int(e, &n) == -1)
		return (false);
	return (n == (strcmp(e->jv_key, "Retries") == 0 ?
	    PODMAN_HEALTH_RETRIES : PODMAN_HEALTH_NSEC));
}

/*
 * The inspect answer of an image has no health check in podman's Docker API;
 * si_health is from its own.  The check passes as a whole or not at all: one
 * without Test is refused.
 */
void
spec_podman_health(struct spec_ctx *sx, const struct json_value *v)
{
	const struct json_value	*image = sx->sx_in->si_health, *e;

	if (json_is(v, JSON_OBJECT) && json_is(image, JSON_OBJECT)) {
		for (e = v->jv_child; e != NULL; e = e->jv_next)
			if (!podman_health_same(image, e))
				break;
		if (e == NULL) {
			docker_spec_drop(sx, "Config", v->jv_key, NULL,
			    "the old image says the same: the new image's "
			    "counts");
			return;
		}
	}
	json_gen_member(sx->sx_gen, v);
}

/* --- HostConfig -------------------------------------------------------- */

/* "RLIMIT_NOFILE", but create wants "nofile". */
void
spec_rule_ulimits(struct spec_ctx *sx, const struct json_value *v)
{
	const struct json_value	*u, *m;
	struct json_gen		*jg = sx->sx_gen;
	const char		*s;
	char			 name[32];
	size_t			 i;

	if (!sx->sx_in->si_podman || !json_is(v, JSON_ARRAY)) {
		json_gen_member(jg, v);
		return;
	}
	json_gen_keyn(jg, v->jv_key, v->jv_keylen);
	json_gen_array(jg);
	for (u = v->jv_child; u != NULL; u = u->jv_next) {
		s = json_get_str(u, "Name");
		if (strncmp(s, "RLIMIT_", 7) != 0 ||
		    strlcpy(name, s + 7, sizeof(name)) >= sizeof(name)) {
			json_gen_value(jg, u);
			continue;
		}
		for (i = 0; name[i] != '\0'; i++)
			name[i] = (char)tolower((unsigned char)name[i]);
		json_gen_object(jg);
		for (m = u->jv_child; m != NULL; m = m->jv_next)
			if (strcmp(m->jv_key, "Name") != 0)
				json_gen_member(jg, m);
		json_gen_key(jg, "Name");
		json_gen_str(jg, name);
		json_gen_end_object(jg);
	}
	json_gen_end_array(jg);
}

/* No permissions are shown, and none are refused: left out they are all. */
void
spec_rule_devices(struct spec_ctx *sx, const struct json_value *v)
{
	const struct json_value	*d, *m;
	struct json_gen		*jg = sx->sx_gen;

	if (!sx->sx_in->si_podman || !json_is(v, JSON_ARRAY)) {
		json_gen_member(jg, v);
		return;
	}
	json_gen_keyn(jg, v->jv_key, v->jv_keylen);
	json_gen_array(jg);
	for (d = v->jv_child; d != NULL; d = d->jv_next) {
		if (json_get_str(d, "CgroupPermissions")[0] != '\0') {
			json_gen_value(jg, d);
			continue;
		}
		json_gen_object(jg);
		for (m = d->jv_child; m != NULL; m = m->jv_next)
			if (strcmp(m->jv_key, "CgroupPermissions") != 0)
				json_gen_member(jg, m);
		json_gen_key(jg, "CgroupPermissions");
		json_gen_str(jg, "rwm");
		json_gen_end_object(jg);
	}
	json_gen_end_array(jg);
}

/* Made from NanoCpus, and refused beside it. */
void
spec_rule_cpu(struct spec_ctx *sx, const struct json_value *v)
{
	if (sx->sx_in->si_podman && !json_is_zero(v) &&
	    !json_is_zero(json_get(sx->sx_host, "NanoCpus")))
		docker_spec_drop(sx, "HostConfig", v->jv_key, NULL,
		    "podman makes it from NanoCpus");
	else
		json_gen_member(sx->sx_gen, v);
}

/* The process that --init puts before the command is all there is to see. */
void
spec_podman_init(struct spec_ctx *sx)
{
	const char	*path = json_get_str(sx->sx_in->si_container, "Path");

	if (!sx->sx_in->si_podman ||
	    json_get(sx->sx_host, "Init") != NULL ||
	    (strcmp(path, "/run/podman-init") != 0 &&
	    strcmp(path, "/dev/init") != 0))
		return;
	json_gen_key(sx->sx_gen, "Init");
	json_gen_bool(sx->sx_gen, true);
}
