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

#ifndef DOCKER_SPEC_H
#define DOCKER_SPEC_H

#include "compat.h"

#include "docker_api.h"
#include "json.h"

/*
 * From the inspect answer of a container to the body that creates its
 * successor.  Everything passes through as Docker wrote it, what this program
 * has never heard of too; tables of rules name the members that are replaced,
 * cleared or made:
 *	docker_spec.c		the tables and the body
 *	docker_spec_config.c	what images say too: Env, Cmd, Labels, ...
 *	docker_spec_host.c	HostConfig
 *	docker_spec_mount.c	volumes and mounts
 *	docker_spec_net.c	networks
 *	docker_spec_podman.c	what podman says in another way
 * A further rule is a row, a function and a case in regress/docker/cases.
 * Without si_image (it is gone) the settings of the old image stay in the
 * container.
 */
#define DOCKER_DROPS_MAX	4096
#define DOCKER_NETS_MAX		32	/* networks of one container */
#define DOCKER_NET_MAXBYTES	16384	/* JSON of one endpoint */

struct docker_net {
	char	*nt_name;
	char	*nt_config;	/* endpoint settings, a JSON object */
	bool	 nt_fixed;	/* holds a configured address */
	bool	 nt_made;	/* in sp_body: not to be connected */
};

/* What inspect shows and the body does not hold. */
struct docker_drop {
	char		*dd_name;	/* "Config.Env VERSION", no values */
	const char	*dd_why;	/* a constant */
};

struct docker_spec {
	char	*sp_body;	/* for /containers/create */
	size_t	 sp_bodylen;
	char	*sp_primary;	/* network in sp_body, or "" */
	/* All networks by NetworkMode first, then by name; those after the
	 * primary are connected before start. */
	struct docker_net sp_nets[DOCKER_NETS_MAX];
	size_t	 sp_nnets;
	struct docker_drop *sp_drops;
	size_t	 sp_ndrops;
};

/* Containers that were made anew: who names the one means the other. */
struct docker_rebind {
	const char	*rb_from;	/* full ids */
	const char	*rb_to;		/* "": not known yet, nothing changes */
};

struct docker_spec_in {
	const struct json_value	*si_container;	/* inspect of the old one */
	const struct json_value	*si_image;	/* of its image or NULL */
	const char		*si_ref;	/* Image of the new one */
	unsigned int		 si_api;	/* minor version in use */
	bool			 si_podman;	/* docker_is_podman() */
	/* podman: Healthcheck of the old image, or NULL */
	const struct json_value	*si_health;
	const struct json_value	*si_new;	/* the new image or NULL */
	const char		*si_engine;	/* Docker's host name or NULL */
	const struct docker_rebind *si_rebind;
	size_t			 si_nrebind;
};

/*
 * Build it.  0, or -1 with a line in err: the container cannot be carried
 * over by this version, nothing was touched.
 */
int	 docker_spec_build(struct docker_spec *, const struct docker_spec_in *,
	    char *err, size_t errsize);
void	 docker_spec_free(struct docker_spec *);
/* {"Container":id,"EndpointConfig":config}; caller frees, NULL ENOMEM. */
char	*docker_spec_connect(const char *id, const char *config, size_t *len);

#endif /* DOCKER_SPEC_H */
