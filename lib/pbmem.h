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

#ifndef PBMEM_H
#define PBMEM_H

#include "compat.h"

#include <protobuf-c/protobuf-c.h>

/*
 * Memory for one unpacked protobuf message, or a few that live as long as one
 * another: an arena with a limit on bytes and on allocations, since hostile
 * input makes protobuf-c take 88 times its size.  Everything is freed at once
 * by pbmem_free(); protobuf_c_message_free_unpacked() is never called.
 *
 *	struct pbmem	 pm;
 *
 *	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
 *	ask = ipc_unpack(imsg, &sentinel__ipc__enroll_ask__descriptor, &pm);
 *	if (ask == NULL)
 *		peer_broken(peer, imsg, pm.pm_why);
 *	...
 *	pbmem_free(&pm);
 */
#define PBMEM_MAXBYTES	(32U * 1024 * 1024)	/* a full 4 MiB message */
#define PBMEM_MAXALLOCS	400000U
#define PBMEM_SMALLBYTES (1024U * 1024)		/* for messages up to 64 KiB */
#define PBMEM_CHUNKBYTES 8192U			/* malloc(3) unit */

struct pbmem_chunk;
LIST_HEAD(pbmem_chunks, pbmem_chunk);

struct pbmem {
	ProtobufCAllocator pm_alloc;	/* pass its address to protobuf-c */
	struct pbmem_chunks pm_chunks;
	size_t		 pm_maxbytes;
	size_t		 pm_bytes;	/* taken from malloc(3) */
	size_t		 pm_maxallocs;
	size_t		 pm_allocs;
	uint8_t		*pm_next;	/* free part of the current chunk */
	size_t		 pm_left;
	char		 pm_why[192];	/* last refusal of pbcheck.h, or "" */
};

/* Allocates nothing yet.  pm must not be copied or moved afterwards. */
void	 pbmem_init(struct pbmem *, size_t maxbytes, size_t maxallocs);
/* Frees all; pm may be used again.  Twice is harmless. */
void	 pbmem_free(struct pbmem *);
/* Aligned for any type, not zeroed; NULL with ENOMEM at a limit. */
void	*pbmem_alloc(struct pbmem *, size_t);
/* NULL as above.  len bytes of src, a NUL is added. */
char	*pbmem_strndup(struct pbmem *, const void *src, size_t len);
/*
 * Text from outside for an outgoing string field: valid UTF-8 without NUL
 * (utf8_repair), cut at a character so that strlen() <= max.  NULL as above.
 */
char	*pbmem_text(struct pbmem *, const void *src, size_t len, size_t max);

#endif /* PBMEM_H */
