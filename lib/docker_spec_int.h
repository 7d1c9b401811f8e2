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

#ifndef DOCKER_SPEC_INT_H
#define DOCKER_SPEC_INT_H

#include "docker_spec.h"

/*
 * Among the files of docker_spec.h; nobody else includes it.
 */
struct spec_ctx {
	const struct docker_spec_in	*sx_in;
	struct docker_spec		*sx_out;
	const struct json_value		*sx_config;
	const struct json_value		*sx_host;
	const struct json_value		*sx_image;	/* its Config or NULL */
	const char			*sx_id;		/* of the old one */
	const char			*sx_mode;	/* NetworkMode */
	bool				 sx_joined;	/* container:X */
	bool				 sx_nomem;
	struct json_gen			*sx_gen;
};

/* Writes the member (key and value) in its new form, or nothing to drop it. */
typedef void spec_fn(struct spec_ctx *, const struct json_value *);

/* --- docker_spec.c ----------------------------------------------------- */
/* Copies what to err; -1. */
int	 docker_spec_fail(char *err, size_t size, const char *what);
/* Left out: "group.name", or "group.name item". */
void	 docker_spec_drop(struct spec_ctx *, const char *group,
	    const char *name, const char *item, const char *why);
/* Is it the short form of the old container's id? */
bool	 docker_spec_is_shortid(const struct spec_ctx *, const char *);

/* --- docker_spec_config.c: what an image says, too --------------------- */
spec_fn	 spec_rule_image, spec_rule_pairs, spec_rule_labels,
	 spec_rule_exposed, spec_rule_same, spec_rule_entrypoint,
	 spec_rule_cmd, spec_rule_health, spec_rule_hostname,
	 spec_rule_domainname, spec_rule_mac;

/* --- docker_spec_host.c ------------------------------------------------ */
spec_fn	 spec_rule_not_joined, spec_rule_positive, spec_rule_nonzero,
	 spec_rule_kernelmem, spec_rule_paths, spec_rule_links,
	 spec_rule_netmode, spec_rule_joined, spec_rule_from;

/* --- docker_spec_mount.c ----------------------------------------------- */
spec_fn	 spec_rule_binds;
/* Also without the member: anonymous volumes are in no setting. */
spec_fn	 spec_rule_mounts;

/* --- docker_spec_podman.c ---------------------------------------------- */
spec_fn	 spec_rule_signal, spec_rule_workdir, spec_rule_ulimits,
	 spec_rule_devices, spec_rule_cpu, spec_podman_health;
/* Why an entry of Env is podman's own, or NULL. */
const char *spec_podman_env(const struct spec_ctx *,
	    const struct json_value *);
/* The member "Init", when it must have been asked for. */
void	 spec_podman_init(struct spec_ctx *);

/* --- docker_spec_net.c ------------------------------------------------- */
/* Fills sp_nets and sp_primary.  -1 with a line in err. */
int	 docker_spec_networks(struct docker_spec *, struct spec_ctx *,
	    char *err, size_t size);

#endif /* DOCKER_SPEC_INT_H */
