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

#include "docker_prepare.h"

/*
 * podman's Docker API is silent about things that make a container what it
 * is; its own API (libpod) tells more.  What neither tells would be lost, so
 * a container that was made with it is refused while it still runs.
 */
#define PODMAN_UNIT_LABEL	"PODMAN_SYSTEMD_UNIT"

static void	 podman_container(void *, const struct docker_reply *);
static void	 podman_image(void *, const struct docker_reply *);

/* Options of "podman run" that no inspect answer shows. */
static const char *const podman_untold[] = { "--ip", "--ip6", "--mac-address",
    "--sysctl", "--secret", "--uidmap", "--gidmap", "--subuidname",
    "--subgidname", "--rootfs", "--timeout", "--health-on-failure",
    "--requires", "--hostuser", "--device-cgroup-rule", "--cgroup-conf",
    "--log-opt", "--umask", "--tz", "--passwd-entry", "--group-entry",
    "--personality", "--sdnotify", "--systemd" };

/* Of "--network": the addresses of "net:ip=10.0.0.5,mac=...". */
static bool
podman_net_option(const char *value)
{
	const char	*p = strchr(value, ':');

	if (p == NULL || strncmp(value, "container:", 10) == 0 ||
	    strncmp(value, "ns:", 3) == 0)
		return (false);
	return (strncmp(p + 1, "ip", 2) == 0 || strstr(p, ",ip") != NULL ||
	    strstr(p, "mac=") != NULL);
}

static size_t
podman_count(const struct json_value *list)
{
	const struct json_value	*v;
	size_t			 n = 0;

	for (v = json_is(list, JSON_ARRAY) ? list->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		n++;
	return (n);
}

/* The words of the command line before those of the container's command. */
static size_t
podman_words(const struct json_value *create, const struct json_value *cmd)
{
	const struct json_value	*a, *b;
	size_t			 n = podman_count(create);
	size_t			 m = podman_count(cmd), i;

	if (m == 0 || m >= n)
		return (n);
	for (a = create->jv_child, i = 0; i < n - m; i++)
		a = a->jv_next;
	for (b = cmd->jv_child; b != NULL; a = a->jv_next, b = b->jv_next)
		if (!json_equal(a, b))
			return (n);
	return (n - m);
}

/* The option on the command line that would be lost, or NULL. */
static const char *
podman_lost(const struct json_value *config)
{
	const struct json_value	*create = json_get(config, "CreateCommand");
	const struct json_value	*v;
	const char		*s, *value;
	size_t			 n, i, len;

	n = podman_words(create, json_get(config, "Cmd"));
	v = json_is(create, JSON_ARRAY) ? create->jv_child : NULL;
	for (; v != NULL && n > 0; v = v->jv_next, n--) {
		if ((s = json_str(v)) == NULL || strncmp(s, "--", 2) != 0)
			continue;
		len = strcspn(s, "=");
		for (i = 0; i < nitems(podman_untold); i++)
			if (strlen(podman_untold[i]) == len &&
			    strncmp(s, podman_untold[i], len) == 0)
				return (podman_untold[i]);
		if ((len != 9 || strncmp(s, "--network", 9) != 0) &&
		    (len != 5 || strncmp(s, "--net", 5) != 0))
			continue;
		value = s[len] == '=' ? s + len + 1 :
		    n > 1 && json_str(v->jv_next) != NULL ?
		    json_str(v->jv_next) : "";
		if (podman_net_option(value))
			return ("--network with an address");
	}
	return (NULL);
}

bool
prep_podman_check(const struct json_value *c, char *why, size_t size)
{
	const struct json_value	*config = json_get(c, "Config");
	const char		*s;

	s = json_get_str(json_get(config, "Labels"), PODMAN_UNIT_LABEL);
	if (s[0] != '\0') {
		snprintf(why, size, "systemd's unit %s makes this container: "
		    "change the image there and restart the unit", s);
		return (false);
	}
	if (json_get_str(c, "Pod")[0] != '\0') {
		snprintf(why, size, "the container belongs to a pod of podman:"
		    " the pod has to be made anew as a whole");
		return (false);
	}
	if ((s = podman_lost(config)) != NULL) {
		snprintf(why, size, "the container was made with %s, which "
		    "podman does not tell: it would be lost; make the new one "
		    "by hand", s);
		return (false);
	}
	return (true);
}

struct docker_req *
prep_podman_ask(struct txn *tx, const char *what, const char *id,
    docker_cb done)
{
	struct docker_call	 dc = { .dc_method = "GET", .dc_done = done,
		.dc_arg = tx };
	char			 path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/libpod/%s/%s/json", what,
	    id) == -1)
		return (NULL);
	dc.dc_path = path;
	return (docker_call(tx->tx_updater->up_docker, &dc));
}

void
prep_podman(struct txn *tx, void (*next)(struct txn *))
{
	if (!docker_is_podman(tx->tx_updater->up_docker)) {
		next(tx);
		return;
	}
	tx->tx_next = next;
	prep_sent(tx, prep_podman_ask(tx, "containers", tx->tx_old_id,
	    podman_container));
}

static void
podman_container(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 ok;

	if ((js = prep_json(tx, dr, NULL)) == NULL)
		return;
	ok = prep_podman_check(json_root(js), tx->tx_error,
	    sizeof(tx->tx_error));
	json_free(js);
	if (!ok)
		prep_fail(tx);
	else if (tx->tx_image == NULL)
		tx->tx_next(tx);
	else
		prep_sent(tx, prep_podman_ask(tx, "images", tx->tx_old_image,
		    podman_image));
}

static void
podman_image(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 gone;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	tx->tx_image_own = js;
	tx->tx_next(tx);
}
