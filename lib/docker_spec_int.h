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
 * Between docker_spec.c (rules and body) and docker_spec_net.c (networks);
 * nobody else includes it.
 */
struct spec_ctx {
	const struct docker_spec_in	*sx_in;
	const struct json_value		*sx_config;
	const struct json_value		*sx_host;
	const struct json_value		*sx_image;	/* its Config or NULL */
	const char			*sx_id;		/* of the old one */
	const char			*sx_mode;	/* NetworkMode */
	bool				 sx_joined;	/* container:X */
	struct json_gen			*sx_gen;
};

/* Copies what to err; -1. */
int	 docker_spec_fail(char *err, size_t size, const char *what);
/* Is it the short form of the old container's id? */
bool	 docker_spec_is_shortid(const struct spec_ctx *, const char *);
/* Fills sp_nets and sp_primary.  -1 with a line in err. */
int	 docker_spec_networks(struct docker_spec *, struct spec_ctx *,
	    char *err, size_t size);

#endif /* DOCKER_SPEC_INT_H */
