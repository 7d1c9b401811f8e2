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

#include <openssl/sha.h>

#include "listhash.h"
#include "log.h"

/* Room for every field at its longest, see pbcheck_wire.c. */
#define LISTHASH_TEXT	4096

void
listhash_of(const Sentinel__Cluster__ContainerInfo *ci,
    uint8_t hash[LISTHASH_LEN])
{
	const char	*fields[] = { ci->id, ci->name, ci->image,
			    ci->image_digest, ci->state, ci->health };
	uint8_t		 text[LISTHASH_TEXT];
	size_t		 i, n, len = 0;

	for (i = 0; i < nitems(fields); i++) {
		n = strlen(fields[i]) + 1;
		if (n > sizeof(text) - len)
			break;
		memcpy(text + len, fields[i], n);
		len += n;
	}
	if (SHA256(text, len, hash) == NULL)
		fatalx("listhash_of");
}

void
listhash_toggle(uint8_t sum[LISTHASH_LEN], const uint8_t hash[LISTHASH_LEN])
{
	size_t	 i;

	for (i = 0; i < LISTHASH_LEN; i++)
		sum[i] ^= hash[i];
}
