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

#ifndef REGISTRY_AUTH_H
#define REGISTRY_AUTH_H

#include "compat.h"

/*
 * Credentials of a registry from a file, or from standard input ("-"): one
 * line user:password, or a config.json of Docker, of which only the entry of
 * the image's registry leaves this program.
 */
#define REGISTRY_AUTH_SIZE	6145	/* what goes to the daemon, with NUL */
#define REGISTRY_FILE_MAXBYTES	(256 * 1024)

/*
 *	image	reference, or NULL: not known, the file must have one entry
 *	auth	out: X-Registry-Auth, base64url of a JSON object; a secret
 * 0, or -1 with one line in err.
 */
int	 registry_auth_read(const char *path, const char *image,
	    char auth[REGISTRY_AUTH_SIZE], char *err, size_t errlen);
/* The same of a text of len bytes. */
int	 registry_auth_make(const char *text, size_t len, const char *image,
	    char auth[REGISTRY_AUTH_SIZE], char *err, size_t errlen);

#endif /* REGISTRY_AUTH_H */
