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

struct spec_rule {
	const char	*sr_member;
	spec_fn		*sr_fn;
};

/*
 * What has no row passes through as it is.  Inspect shows the user's settings
 * merged with those of the old image: what is equal to the image's is left
 * out, so that the new image's counts.
 */
static const struct spec_rule spec_config_rules[] = {
	{ "Image",		spec_rule_image },
	{ "Env",		spec_rule_pairs },
	{ "Labels",		spec_rule_labels },
	{ "Volumes",		spec_rule_pairs },
	{ "ExposedPorts",	spec_rule_exposed },
	{ "Entrypoint",		spec_rule_entrypoint },
	{ "Cmd",		spec_rule_cmd },
	{ "User",		spec_rule_same },
	{ "WorkingDir",		spec_rule_workdir },
	{ "StopSignal",		spec_rule_signal },
	{ "Shell",		spec_rule_same },
	{ "OnBuild",		spec_rule_same },
	{ "Healthcheck",	spec_rule_health },
	{ "Hostname",		spec_rule_hostname },
	{ "Domainname",		spec_rule_domainname },
	{ "MacAddress",		spec_rule_mac },
	{ NULL,			NULL }
};

static const struct spec_rule spec_host_rules[] = {
	{ "Binds",		spec_rule_binds },
	{ "Mounts",		spec_rule_mounts },
	{ "Links",		spec_rule_links },
	{ "NetworkMode",	spec_rule_netmode },
	{ "IpcMode",		spec_rule_joined },
	{ "PidMode",		spec_rule_joined },
	{ "VolumesFrom",	spec_rule_from },
	/* cgroup v2 has none; 0 and -1 stand for "not set" */
	{ "MemorySwappiness",	spec_rule_positive },
	{ "KernelMemory",	spec_rule_kernelmem },
	{ "KernelMemoryTCP",	spec_rule_kernelmem },
	/* of Windows: "not set" is refused by some engines elsewhere */
	{ "CpuCount",		spec_rule_nonzero },
	{ "CpuPercent",		spec_rule_nonzero },
	{ "IOMaximumIOps",	spec_rule_nonzero },
	{ "IOMaximumBandwidth",	spec_rule_nonzero },
	/* lists of the engine, which grow with its version */
	{ "MaskedPaths",	spec_rule_paths },
	{ "ReadonlyPaths",	spec_rule_paths },
	{ "Ulimits",		spec_rule_ulimits },
	{ "Devices",		spec_rule_devices },
	{ "CpuPeriod",		spec_rule_cpu },
	{ "CpuQuota",		spec_rule_cpu },
	/* refused beside the network of another container */
	{ "Dns",		spec_rule_not_joined },
	{ "DnsOptions",		spec_rule_not_joined },
	{ "DnsSearch",		spec_rule_not_joined },
	{ "ExtraHosts",		spec_rule_not_joined },
	{ "PortBindings",	spec_rule_not_joined },
	{ "PublishAllPorts",	spec_rule_not_joined },
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
	for (i = 0; i < sp->sp_ndrops; i++)
		free(sp->sp_drops[i].dd_name);
	free(sp->sp_drops);
	memset(sp, 0, sizeof(*sp));
}

int
docker_spec_fail(char *err, size_t size, const char *what)
{
	strlcpy(err, what, size);
	return (-1);
}

void
docker_spec_drop(struct spec_ctx *sx, const char *group, const char *name,
    const char *item, const char *why)
{
	struct docker_spec	*sp = sx->sx_out;
	struct docker_drop	*dd;
	size_t			 n = sp->sp_ndrops;

	if (n == DOCKER_DROPS_MAX)
		return;
	dd = recallocarray(sp->sp_drops, n, n + 1, sizeof(*dd));
	if (dd == NULL) {
		sx->sx_nomem = true;
		return;
	}
	sp->sp_drops = dd;
	if (asprintf(&dd[n].dd_name, "%s.%s%s%s", group, name,
	    item == NULL ? "" : " ", item == NULL ? "" : item) == -1) {
		dd[n].dd_name = NULL;
		sx->sx_nomem = true;
		return;
	}
	dd[n].dd_why = why;
	sp->sp_ndrops++;
}

bool
docker_spec_is_shortid(const struct spec_ctx *sx, const char *s)
{
	return (strlen(s) == DOCKER_SHORTID_LEN &&
	    strncmp(s, sx->sx_id, DOCKER_SHORTID_LEN) == 0);
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

/*
 * Engines before 1.44 take one endpoint, so all get the one that NetworkMode
 * names.  Later ones also get those with a hardware address: to connect one
 * afterwards loses it before 1.54.
 */
static void
spec_endpoints(struct docker_spec *sp, struct spec_ctx *sx)
{
	struct json_gen	*jg = sx->sx_gen;
	size_t		 i;

	if (sp->sp_primary[0] == '\0')
		return;
	json_gen_key(jg, "NetworkingConfig");
	json_gen_object(jg);
	json_gen_key(jg, "EndpointsConfig");
	json_gen_object(jg);
	for (i = 0; i < sp->sp_nnets; i++) {
		if (!sp->sp_nets[i].nt_made)
			continue;
		json_gen_key(jg, sp->sp_nets[i].nt_name);
		spec_raw(jg, sp->sp_nets[i].nt_config);
	}
	json_gen_end_object(jg);
	json_gen_end_object(jg);
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
		spec_rule_mounts(sx, NULL);
	spec_podman_init(sx);
	json_gen_end_object(jg);
	spec_endpoints(sp, sx);
	json_gen_end_object(jg);
}

int
docker_spec_build(struct docker_spec *sp, const struct docker_spec_in *si,
    char *err, size_t errsize)
{
	struct spec_ctx	 sx = { .sx_in = si, .sx_out = sp };

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
	if (sx.sx_nomem) {
		(void)docker_spec_fail(err, errsize, "out of memory");
		goto err;
	}
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
