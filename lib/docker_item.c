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

#include "docker_item.h"

#define ITEM_TASK_LABEL	"com.docker.swarm.task"

/* Names of legacy links, "/other/alias", are not the container's own. */
static const char *
item_name(const struct json_value *c)
{
	const struct json_value	*v = json_get(c, "Names");
	const char		*s;

	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if ((s = json_str(v)) == NULL)
			continue;
		if (*s == '/')
			s++;
		if (strchr(s, '/') == NULL)
			return (s);
	}
	return ("");
}

static int
item_port_cmp(const void *a, const void *b)
{
	const struct docker_port	*x = a, *y = b;
	int				 n;

	if (x->pt_private != y->pt_private)
		return (x->pt_private < y->pt_private ? -1 : 1);
	if ((n = strcmp(x->pt_proto, y->pt_proto)) != 0)
		return (n);
	if (x->pt_public != y->pt_public)
		return (x->pt_public < y->pt_public ? -1 : 1);
	return (strcmp(x->pt_ip, y->pt_ip));
}

static bool
item_port(const struct json_value *v, struct docker_port *pt)
{
	int64_t	 pub, priv;

	if (json_int(json_get(v, "PublicPort"), &pub) == -1 ||
	    json_int(json_get(v, "PrivatePort"), &priv) == -1 ||
	    pub < 1 || pub > 65535 || priv < 1 || priv > 65535 ||
	    strlcpy(pt->pt_proto, json_get_str(v, "Type"),
	    sizeof(pt->pt_proto)) >= sizeof(pt->pt_proto))
		return (false);
	if (strlcpy(pt->pt_ip, json_get_str(v, "IP"), sizeof(pt->pt_ip)) >=
	    sizeof(pt->pt_ip))
		pt->pt_ip[0] = '\0';
	pt->pt_public = (uint16_t)pub;
	pt->pt_private = (uint16_t)priv;
	return (true);
}

/*
 * Docker lists them in another order each time; IPv4 and IPv6 binds of one
 * port are one entry.
 */
static size_t
item_ports(const struct json_value *c, struct docker_port *pt, size_t max)
{
	const struct json_value	*v = json_get(c, "Ports");
	size_t			 n = 0, i, kept;

	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL;
	    v != NULL && n < max; v = v->jv_next)
		if (item_port(v, &pt[n]))
			n++;
	if (n == 0)
		return (0);
	qsort(pt, n, sizeof(*pt), item_port_cmp);
	for (i = kept = 1; i < n; i++)
		if (pt[i].pt_public != pt[kept - 1].pt_public ||
		    pt[i].pt_private != pt[kept - 1].pt_private ||
		    strcmp(pt[i].pt_proto, pt[kept - 1].pt_proto) != 0)
			pt[kept++] = pt[i];
	return (kept);
}

static size_t
item_labels(const struct json_value *c, struct docker_label *lb, size_t max)
{
	const struct json_value	*v = json_get(c, "Labels");
	size_t			 n = 0;

	for (v = json_is(v, JSON_OBJECT) ? v->jv_child : NULL;
	    v != NULL && n < max; v = v->jv_next) {
		if (json_str(v) == NULL || strlen(v->jv_key) != v->jv_keylen)
			continue;
		lb[n].lb_key = v->jv_key;
		lb[n].lb_value = json_str(v);
		n++;
	}
	return (n);
}

/* Large arrays, so not on the stack of the event loop. */
struct item_scratch {
	struct docker_port	 sc_ports[DOCKER_PORTS_MAX];
	struct docker_label	 sc_labels[DOCKER_LABELS_MAX];
};

/*
 * Newer versions say it in a field of its own, all in the end of the text for
 * people: "Up 3 seconds (health: starting)".
 */
static const char *
item_health(const struct json_value *c)
{
	static const char *const	 words[] = {
		"(health: starting)", "starting", "(healthy)", "healthy",
		"(unhealthy)", "unhealthy"
	};
	const char			*s;
	size_t				 i;

	s = json_get_str(json_get(c, "Health"), "Status");
	for (i = 1; i < nitems(words); i += 2)
		if (strcmp(s, words[i]) == 0)
			return (words[i]);
	s = json_get_str(c, "Status");
	for (i = 0; i < nitems(words); i += 2)
		if (strlen(s) >= strlen(words[i]) && strcmp(s + strlen(s) -
		    strlen(words[i]), words[i]) == 0)
			return (words[i + 1]);
	return ("");
}

/* podman has more words. */
static const char *
item_state(const struct json_value *c)
{
	static const char *const	 words[][2] = {
		{ "configured", "created" }, { "initialized", "created" },
		{ "stopped", "exited" }, { "stopping", "running" }
	};
	const char			*s = json_get_str(c, "State");
	size_t				 i;

	for (i = 0; i < nitems(words); i++)
		if (strcmp(s, words[i][0]) == 0)
			return (words[i][1]);
	return (s);
}

const char *
docker_item(const struct json_value *c, const char *digest,
    const char *health, void (*fn)(void *, const struct docker_container *),
    void *arg)
{
	struct docker_container	 ct = { 0 };
	struct item_scratch	*sc;

	ct.ct_id = json_get_str(c, "Id");
	if (!docker_id_ok(ct.ct_id))
		return ("a container in Docker's list has no id");
	if (json_get(json_get(c, "Labels"), ITEM_TASK_LABEL) != NULL)
		return ("");
	if ((sc = malloc(sizeof(*sc))) == NULL)
		return ("out of memory");
	ct.ct_name = item_name(c);
	ct.ct_image = json_get_str(c, "Image");
	ct.ct_imageid = json_get_str(c, "ImageID");
	ct.ct_digest = digest;
	ct.ct_state = item_state(c);
	ct.ct_health = health != NULL ? health : item_health(c);
	if (json_int(json_get(c, "Created"), &ct.ct_created) == -1 ||
	    ct.ct_created < 0 || ct.ct_created > DOCKER_TIME_MAX)
		ct.ct_created = 0;
	ct.ct_labels = sc->sc_labels;
	ct.ct_nlabels = item_labels(c, sc->sc_labels, DOCKER_LABELS_MAX);
	ct.ct_ports = sc->sc_ports;
	ct.ct_nports = item_ports(c, sc->sc_ports, DOCKER_PORTS_MAX);
	fn(arg, &ct);
	free(sc);
	return ("");
}
