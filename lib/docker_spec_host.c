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

#include "docker_spec_int.h"

static const char why_joined[] = "the container has the network of another";

void
spec_rule_not_joined(struct spec_ctx *sx, const struct json_value *v)
{
	if (!sx->sx_joined)
		json_gen_member(sx->sx_gen, v);
	else if (!json_is_zero(v))
		docker_spec_drop(sx, "HostConfig", v->jv_key, NULL,
		    why_joined);
}

void
spec_rule_positive(struct spec_ctx *sx, const struct json_value *v)
{
	int64_t	 n;

	if (json_int(v, &n) == 0 && n > 0)
		json_gen_member(sx->sx_gen, v);
	else if (!json_is(v, JSON_NULL))
		docker_spec_drop(sx, "HostConfig", v->jv_key, NULL,
		    "this value says that nothing was set");
}

void
spec_rule_nonzero(struct spec_ctx *sx, const struct json_value *v)
{
	if (!json_is_zero(v))
		json_gen_member(sx->sx_gen, v);
}

/* Gone from 1.42 on, which refuses none and obeys none. */
void
spec_rule_kernelmem(struct spec_ctx *sx, const struct json_value *v)
{
	if (json_is_zero(v))
		return;
	if (sx->sx_in->si_api < 42)
		json_gen_member(sx->sx_gen, v);
	else
		docker_spec_drop(sx, "HostConfig", v->jv_key, NULL,
		    "the API knows it no more since 1.42");
}

/* --- paths of /proc and /sys ------------------------------------------- */

/* Those of 20.10 and all engines since; then what later ones have added. */
static const char *const spec_masked[] = { "/proc/acpi", "/proc/kcore",
    "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
    "/proc/sched_debug", "/proc/scsi", "/sys/firmware", NULL };
static const char *const spec_masked_more[] = { "/proc/asound",
    "/proc/timer_stats", "/proc/interrupts",
    "/sys/devices/virtual/powercap", "/sys/fs/selinux", "/sys/dev/block",
    NULL };
static const char *const spec_readonly[] = { "/proc/bus", "/proc/fs",
    "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL };
static const char *const spec_none[] = { NULL };

static bool
spec_has_path(const char *const *list, const char *s)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, s) == 0)
			return (true);
	return (false);
}

/* One file a processor. */
static bool
spec_is_throttle(const char *s)
{
	static const char	 head[] = "/sys/devices/system/cpu/cpu";
	static const char	 end[] = "/thermal_throttle";
	size_t			 len = strlen(s);

	return (strncmp(s, head, sizeof(head) - 1) == 0 &&
	    len > sizeof(end) &&
	    strcmp(s + len - (sizeof(end) - 1), end) == 0);
}

/* All of must, and nothing but those of must and may. */
static bool
spec_is_default(const struct json_value *v, const char *const *must,
    const char *const *may)
{
	const struct json_value	*e;
	const char		*s;
	size_t			 n = 0;

	for (e = v->jv_child; e != NULL; e = e->jv_next) {
		if ((s = json_str(e)) == NULL)
			return (false);
		if (spec_has_path(must, s))
			n++;
		else if (!spec_has_path(may, s) && !spec_is_throttle(s))
			return (false);
	}
	for (; *must != NULL; must++)
		if (n-- == 0)
			return (false);
	return (true);
}

/* An empty list is somebody's wish (systempaths=unconfined) and stays. */
void
spec_rule_paths(struct spec_ctx *sx, const struct json_value *v)
{
	bool	 masked = strcmp(v->jv_key, "MaskedPaths") == 0;

	if (json_is(v, JSON_ARRAY) && v->jv_child != NULL &&
	    spec_is_default(v, masked ? spec_masked : spec_readonly,
	    masked ? spec_masked_more : spec_none))
		docker_spec_drop(sx, "HostConfig", v->jv_key, NULL,
		    "it is Docker's own list: that of the running version "
		    "counts");
	else
		json_gen_member(sx->sx_gen, v);
}

/* --- links, networks --------------------------------------------------- */

/* Inspect says "/target:/self/alias", create wants "target:alias". */
void
spec_rule_links(struct spec_ctx *sx, const struct json_value *v)
{
	const struct json_value	*l;
	const char		*s, *colon, *alias;
	char			 buf[2 * DOCKER_NAME_MAXBYTES];

	if (sx->sx_joined || !json_is(v, JSON_ARRAY)) {
		spec_rule_not_joined(sx, v);
		return;
	}
	if (v->jv_child == NULL) {
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

/*
 * The network by name, for its id changes when somebody makes it anew.  A
 * container that was taken off the network it was made with stays off.
 */
void
spec_rule_netmode(struct spec_ctx *sx, const struct json_value *v)
{
	const char	*primary = sx->sx_out->sp_primary;

	if (sx->sx_joined) {
		spec_rule_joined(sx, v);
		return;
	}
	if (primary[0] == '\0' || strcmp(sx->sx_mode, primary) == 0 ||
	    (strcmp(sx->sx_mode, "default") == 0 &&
	    strcmp(primary, "bridge") == 0)) {
		json_gen_member(sx->sx_gen, v);
		return;
	}
	json_gen_keyn(sx->sx_gen, v->jv_key, v->jv_keylen);
	json_gen_str(sx->sx_gen, primary);
}

/* The id that took the place of this one (len bytes), or NULL. */
static const char *
spec_rebound(const struct spec_ctx *sx, const char *id, size_t len)
{
	const struct docker_spec_in	*si = sx->sx_in;
	size_t				 i;

	if (len < DOCKER_SHORTID_LEN)
		return (NULL);
	for (i = 0; i < si->si_nrebind; i++)
		if (si->si_rebind[i].rb_to[0] != '\0' &&
		    strncmp(si->si_rebind[i].rb_from, id, len) == 0)
			return (si->si_rebind[i].rb_to);
	return (NULL);
}

/* "container:ID" */
void
spec_rule_joined(struct spec_ctx *sx, const struct json_value *v)
{
	const char	*s = json_str(v), *id = NULL;
	char		 buf[DOCKER_ID_LEN + 16];

	if (s != NULL && strncmp(s, "container:", 10) == 0)
		id = spec_rebound(sx, s + 10, strlen(s + 10));
	if (id == NULL) {
		json_gen_member(sx->sx_gen, v);
		return;
	}
	snprintf(buf, sizeof(buf), "container:%s", id);
	json_gen_keyn(sx->sx_gen, v->jv_key, v->jv_keylen);
	json_gen_str(sx->sx_gen, buf);
}

/* "ID:ro" */
void
spec_rule_from(struct spec_ctx *sx, const struct json_value *v)
{
	const struct json_value	*f;
	const char		*s, *id;
	char			 buf[DOCKER_ID_LEN + 32];
	size_t			 len = 0;

	if (!json_is(v, JSON_ARRAY)) {
		json_gen_member(sx->sx_gen, v);
		return;
	}
	json_gen_keyn(sx->sx_gen, v->jv_key, v->jv_keylen);
	json_gen_array(sx->sx_gen);
	for (f = v->jv_child; f != NULL; f = f->jv_next) {
		id = NULL;
		if ((s = json_str(f)) != NULL) {
			len = strcspn(s, ":");
			id = spec_rebound(sx, s, len);
		}
		if (id == NULL) {
			json_gen_value(sx->sx_gen, f);
			continue;
		}
		snprintf(buf, sizeof(buf), "%s%s", id, s + len);
		json_gen_str(sx->sx_gen, buf);
	}
	json_gen_end_array(sx->sx_gen);
}
