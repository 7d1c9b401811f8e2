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
#include <stdlib.h>
#include <string.h>

#include "docker_spec_int.h"

/* What Docker made of an endpoint; all else is what was asked for. */
static const char *const net_results[] = { "NetworkID", "EndpointID",
    "SandboxID", "Gateway", "IPAddress", "IPPrefixLen", "IPv6Gateway",
    "GlobalIPv6Address", "GlobalIPv6PrefixLen", "DNSNames" };

/* --- hardware addresses ------------------------------------------------ */

/* "02:42" and the octets of the IPv4 address: the bridge driver's own. */
static bool
spec_mac_of_ip(const char *mac, const char *ip)
{
	unsigned int	 a, b, c, d;
	char		 made[24];

	if (sscanf(ip, "%3u.%3u.%3u.%3u", &a, &b, &c, &d) != 4 ||
	    a > 255 || b > 255 || c > 255 || d > 255)
		return (false);
	(void)snprintf(made, sizeof(made), "02:42:%02x:%02x:%02x:%02x", a, b,
	    c, d);
	return (strcasecmp(mac, made) == 0);
}

/*
 * Inspect does not tell a chosen address from a made-up one.  Until 1.47
 * engines made them of the IPv4 address; from then on, and without one, they
 * may be random, but locally administered.  A container that does not run has
 * none but what was chosen.
 */
static bool
spec_mac_made_up(const struct spec_ctx *sx, const struct json_value *net,
    const char *mac)
{
	const char	*ip = json_get_str(net, "IPAddress");
	unsigned int	 first;

	if (sscanf(mac, "%2x:", &first) != 1)
		return (true);
	if (spec_mac_of_ip(mac, ip))
		return (true);
	if ((first & 2) == 0 || (sx->sx_in->si_api < 48 && (ip[0] != '\0' ||
	    !json_bool(json_path(sx->sx_in->si_container, "State.Running")))))
		return (false);
	return (true);
}

/* The address to ask for on this network, or "". */
static const char *
spec_mac(struct spec_ctx *sx, const struct json_value *net, bool primary)
{
	const char	*mac, *own;

	if (sx->sx_in->si_api < 44)
		return ("");	/* Config.MacAddress is of the container */
	own = primary ? json_get_str(sx->sx_config, "MacAddress") : "";
	if (own[0] != '\0')
		return (own);
	mac = json_get_str(net, "MacAddress");
	if (mac[0] == '\0' || !spec_mac_made_up(sx, net, mac))
		return (mac);
	docker_spec_drop(sx, "NetworkSettings.Networks", net->jv_key,
	    "MacAddress", "Docker made it up");
	return ("");
}

/* --- one endpoint ------------------------------------------------------ */

static void
spec_aliases(struct spec_ctx *sx, const struct json_value *net,
    const struct json_value *list)
{
	const struct json_value	*v;
	struct json_gen		*jg = sx->sx_gen;
	const char		*s;

	json_gen_key(jg, "Aliases");
	json_gen_array(jg);
	for (v = list->jv_child; v != NULL; v = v->jv_next) {
		if ((s = json_str(v)) == NULL)
			continue;
		/* Engines before 1.45 add the short id, a new one comes. */
		if (docker_spec_is_shortid(sx, s))
			docker_spec_drop(sx, "NetworkSettings.Networks",
			    net->jv_key, "alias",
			    "Docker made it from the container's id");
		else
			json_gen_str(jg, s);
	}
	json_gen_end_array(jg);
}

static bool
spec_is_result(const char *key)
{
	size_t	 i;

	for (i = 0; i < nitems(net_results); i++)
		if (strcmp(net_results[i], key) == 0)
			return (true);
	return (false);
}

/* Fills nt_config, nt_fixed, nt_made.  -1: too long. */
static int
spec_endpoint(struct spec_ctx *sx, struct docker_net *nt,
    const struct json_value *net, bool primary)
{
	const struct json_value	*v, *ipam;
	const char		*mac = spec_mac(sx, net, primary);

	if ((sx->sx_gen = json_gen_new(DOCKER_NET_MAXBYTES)) == NULL)
		return (-1);
	json_gen_object(sx->sx_gen);
	for (v = json_is(net, JSON_OBJECT) ? net->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if (spec_is_result(v->jv_key) || json_is_zero(v) ||
		    strcmp(v->jv_key, "MacAddress") == 0)
			continue;
		if (strcmp(v->jv_key, "Aliases") == 0 &&
		    json_is(v, JSON_ARRAY))
			spec_aliases(sx, net, v);
		else
			json_gen_member(sx->sx_gen, v);
	}
	if (mac[0] != '\0') {
		json_gen_key(sx->sx_gen, "MacAddress");
		json_gen_str(sx->sx_gen, mac);
	}
	json_gen_end_object(sx->sx_gen);
	nt->nt_config = json_gen_take(sx->sx_gen, NULL);
	json_gen_free(sx->sx_gen);
	sx->sx_gen = NULL;
	nt->nt_made = primary || mac[0] != '\0';
	/*
	 * A parked container is taken off networks where it holds an address,
	 * and would come back without its hardware address.  An engine that
	 * takes one here holds nothing for a container that does not run.
	 */
	ipam = json_get(net, "IPAMConfig");
	nt->nt_fixed = (json_get_str(ipam, "IPv4Address")[0] != '\0' ||
	    json_get_str(ipam, "IPv6Address")[0] != '\0') &&
	    (mac[0] == '\0' || sx->sx_in->si_api >= 54);
	return (nt->nt_config == NULL ? -1 : 0);
}

/* --- all of them ------------------------------------------------------- */

/* Is this the network that NetworkMode means? */
static bool
spec_is_primary(const struct spec_ctx *sx, const struct json_value *net)
{
	const char	*mode = sx->sx_mode, *id;

	if (strcmp(mode, "default") == 0 || mode[0] == '\0')
		mode = "bridge";
	if (strcmp(net->jv_key, mode) == 0)
		return (true);
	id = json_get_str(net, "NetworkID");
	return (strlen(mode) >= DOCKER_SHORTID_LEN &&
	    strncmp(id, mode, strlen(mode)) == 0);
}

static bool
spec_no_networking(const struct spec_ctx *sx)
{
	return (sx->sx_joined || strcmp(sx->sx_mode, "host") == 0 ||
	    strcmp(sx->sx_mode, "none") == 0);
}

static int
spec_net_cmp(const void *a, const void *b)
{
	const struct docker_net	*x = a, *y = b;

	return (strcmp(x->nt_name, y->nt_name));
}

/*
 * The one that NetworkMode names to the front.  When the container is not on
 * it any more, the first of those that it is on takes its place: Docker would
 * put the new one on the network of NetworkMode.
 */
static void
spec_net_order(struct docker_spec *sp, const char *primary)
{
	struct docker_net	 tmp;
	size_t			 i;

	if (sp->sp_nnets > 1)
		qsort(sp->sp_nets, sp->sp_nnets, sizeof(sp->sp_nets[0]),
		    spec_net_cmp);
	for (i = 0; i < sp->sp_nnets; i++)
		if (primary != NULL &&
		    strcmp(sp->sp_nets[i].nt_name, primary) == 0)
			break;
	if (i > 0 && i < sp->sp_nnets) {
		tmp = sp->sp_nets[i];
		memmove(&sp->sp_nets[1], &sp->sp_nets[0], i * sizeof(tmp));
		sp->sp_nets[0] = tmp;
	}
	if (sp->sp_nnets > 0)
		sp->sp_nets[0].nt_made = true;
}

int
docker_spec_networks(struct docker_spec *sp, struct spec_ctx *sx, char *err,
    size_t size)
{
	const struct json_value	*nets, *v, *primary = NULL;
	struct docker_net	*nt;

	nets = json_path(sx->sx_in->si_container, "NetworkSettings.Networks");
	v = json_is(nets, JSON_OBJECT) && !spec_no_networking(sx) ?
	    nets->jv_child : NULL;
	for (; v != NULL; v = v->jv_next) {
		if (sp->sp_nnets == DOCKER_NETS_MAX)
			return (docker_spec_fail(err, size,
			    "the container has too many networks"));
		nt = &sp->sp_nets[sp->sp_nnets++];
		if (primary == NULL && spec_is_primary(sx, v))
			primary = v;
		if ((nt->nt_name = strdup(v->jv_key)) == NULL ||
		    spec_endpoint(sx, nt, v, primary == v) == -1)
			return (docker_spec_fail(err, size, "the settings of a"
			    " network of the container are too long"));
	}
	spec_net_order(sp, primary == NULL ? NULL : primary->jv_key);
	sp->sp_primary = strdup(sp->sp_nnets == 0 ? "" :
	    sp->sp_nets[0].nt_name);
	if (sp->sp_primary == NULL)
		return (docker_spec_fail(err, size, "out of memory"));
	return (0);
}
