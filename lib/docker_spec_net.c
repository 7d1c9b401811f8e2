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

/* Docker made up "02:42" and the address, or a locally administered one. */
static bool
spec_mac_made_up(const char *mac)
{
	unsigned int	 first;

	return (sscanf(mac, "%2x:", &first) != 1 || (first & 2) != 0);
}

static void
spec_aliases(struct spec_ctx *sx, struct json_gen *jg,
    const struct json_value *list)
{
	const struct json_value	*v;
	const char		*s;

	json_gen_key(jg, "Aliases");
	json_gen_array(jg);
	for (v = list->jv_child; v != NULL; v = v->jv_next)
		/* Engines before 1.45 add the short id, a new one comes. */
		if ((s = json_str(v)) != NULL && !docker_spec_is_shortid(sx, s))
			json_gen_str(jg, s);
	json_gen_end_array(jg);
}

/*
 * Only what was asked for; addresses, gateways, endpoint and network ids are
 * what Docker made of it.
 */
static char *
spec_endpoint(struct spec_ctx *sx, const struct json_value *net, bool primary)
{
	static const char *const keep[] = { "IPAMConfig", "Links",
	    "DriverOpts", "GwPriority" };
	const struct json_value	*v;
	struct json_gen		*jg;
	const char		*mac;
	char			*out;
	size_t			 i;

	if ((jg = json_gen_new(DOCKER_NET_MAXBYTES)) == NULL)
		return (NULL);
	json_gen_object(jg);
	for (i = 0; i < nitems(keep); i++)
		if (!json_is_zero(v = json_get(net, keep[i])))
			json_gen_member(jg, v);
	if (!json_is_zero(v = json_get(net, "Aliases")) &&
	    json_is(v, JSON_ARRAY))
		spec_aliases(sx, jg, v);
	if (sx->sx_in->si_api >= 44) {
		mac = primary ? json_get_str(sx->sx_config, "MacAddress") : "";
		if (mac[0] == '\0') {
			mac = json_get_str(net, "MacAddress");
			if (spec_mac_made_up(mac))
				mac = "";
		}
		if (mac[0] != '\0') {
			json_gen_key(jg, "MacAddress");
			json_gen_str(jg, mac);
		}
	}
	json_gen_end_object(jg);
	out = json_gen_take(jg, NULL);
	json_gen_free(jg);
	return (out);
}

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

int
docker_spec_networks(struct docker_spec *sp, struct spec_ctx *sx, char *err,
    size_t size)
{
	const struct json_value	*nets, *v, *ipam;
	struct docker_net	*nt, tmp;
	size_t			 i, first = SIZE_MAX;

	nets = json_path(sx->sx_in->si_container, "NetworkSettings.Networks");
	if (!json_is(nets, JSON_OBJECT) || spec_no_networking(sx))
		return ((sp->sp_primary = strdup("")) == NULL ?
		    docker_spec_fail(err, size, "out of memory") : 0);
	for (v = nets->jv_child; v != NULL; v = v->jv_next) {
		if (sp->sp_nnets == DOCKER_NETS_MAX)
			return (docker_spec_fail(err, size,
			    "the container has too many networks"));
		nt = &sp->sp_nets[sp->sp_nnets++];
		ipam = json_get(v, "IPAMConfig");
		nt->nt_fixed = json_get_str(ipam, "IPv4Address")[0] != '\0' ||
		    json_get_str(ipam, "IPv6Address")[0] != '\0';
		nt->nt_name = strdup(v->jv_key);
		nt->nt_config = spec_endpoint(sx, v, spec_is_primary(sx, v));
		if (nt->nt_name == NULL || nt->nt_config == NULL)
			return (docker_spec_fail(err, size, "the settings of a"
			    " network of the container are too long"));
	}
	if (sp->sp_nnets > 1)
		qsort(sp->sp_nets, sp->sp_nnets, sizeof(sp->sp_nets[0]),
		    spec_net_cmp);
	for (v = nets->jv_child; v != NULL; v = v->jv_next)
		for (i = 0; i < sp->sp_nnets; i++)
			if (first == SIZE_MAX && spec_is_primary(sx, v) &&
			    strcmp(sp->sp_nets[i].nt_name, v->jv_key) == 0)
				first = i;
	if (first != SIZE_MAX && first > 0) {
		tmp = sp->sp_nets[first];
		memmove(&sp->sp_nets[1], &sp->sp_nets[0],
		    first * sizeof(tmp));
		sp->sp_nets[0] = tmp;
	}
	/* A network that NetworkMode does not name is connected later. */
	sp->sp_primary = strdup(first == SIZE_MAX ? "" :
	    sp->sp_nets[0].nt_name);
	if (sp->sp_primary == NULL)
		return (docker_spec_fail(err, size, "out of memory"));
	return (0);
}
