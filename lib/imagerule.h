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

#ifndef IMAGERULE_H
#define IMAGERULE_H

#include "compat.h"

/*
 * Which images a host may run: patterns over image references, as in
 * agent.allow.images (sentinel.conf(5)).  Pure.
 *
 * A pattern is "*", any image, or REGISTRY/PATH[:TAG][@DIGEST].  In each of
 * the four parts '*' stands for any number of characters and '?' for one; only
 * in PATH do they also stand for a slash, so that a pattern never reaches
 * into another registry.  References are completed before: "nginx" is
 * docker.io/library/nginx:latest.  What a pattern leaves out may be anything,
 * but a TAG without a DIGEST does not match a reference with a digest, since
 * Docker would go by that and not look at the tag.
 */
#define IMAGERULE_MAXBYTES	255	/* of a pattern */
#define IMAGERULE_LIST_SIZE	4096	/* of a list with its NUL */

/* patterns: separated by one space; "" allows nothing.  A reference that does
 * not parse is allowed by "*" alone. */
bool	 imagerule_allows(const char *patterns, const char *ref);
/* NULL, or what is wrong with a pattern and what to write instead. */
const char *imagerule_fault(const char *pattern);

#endif /* IMAGERULE_H */
