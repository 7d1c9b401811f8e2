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

#include "h2_int.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

/*
 * Memory of nghttp2's sessions.  Each has one buffer of 16 KiB for the frame
 * that it writes, and most connections write nothing for most of the time.
 * From malloc(3) the buffer takes memory that others have touched; in pages of
 * its own they are real only while there is something to write.  A third of
 * what an idle agent costs; doc/architecture.md has the figures.
 */
#define H2_FRAME_MINBYTES	16384	/* of that buffer */
#define H2_FRAME_MAPBYTES	(20 * 1024)	/* whole pages that hold it */

static void	*mem_realloc(void *, size_t, void *);
static void	*mem_malloc(size_t, void *);
static void	*mem_calloc(size_t, size_t, void *);
static void	 mem_free(void *, void *);

nghttp2_mem
h2_mem(struct h2 *h2)
{
	nghttp2_mem	 mem = { h2, mem_malloc, mem_free, mem_calloc,
			    mem_realloc };

	return (mem);
}

/* What was in the frame has left; how full it is is kept elsewhere. */
void
h2_mem_rest(struct h2 *h2)
{
	if (h2->h2_frame != NULL)
		(void)madvise(h2->h2_frame, H2_FRAME_MAPBYTES, MADV_DONTNEED);
}

static void *
mem_malloc(size_t size, void *arg)
{
	struct h2	*h2 = arg;
	void		*p;

	if (size < H2_FRAME_MINBYTES || size > H2_FRAME_MAPBYTES ||
	    h2->h2_frame != NULL)
		return (malloc(size));
	p = mmap(NULL, H2_FRAME_MAPBYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return (malloc(size));
	h2->h2_frame = p;
	return (p);
}

static void *
mem_calloc(size_t n, size_t size, void *arg)
{
	(void)arg;
	return (calloc(n, size));
}

static void *
mem_realloc(void *old, size_t size, void *arg)
{
	struct h2	*h2 = arg;
	void		*p;

	if (old == NULL)
		return (mem_malloc(size, arg));
	if (old != h2->h2_frame)
		return (realloc(old, size));
	if (size <= H2_FRAME_MAPBYTES)
		return (old);
	if ((p = malloc(size)) == NULL)
		return (NULL);
	memcpy(p, old, H2_FRAME_MAPBYTES);
	mem_free(old, arg);
	return (p);
}

static void
mem_free(void *p, void *arg)
{
	struct h2	*h2 = arg;

	if (p == NULL || p != h2->h2_frame) {
		free(p);
		return;
	}
	(void)munmap(p, H2_FRAME_MAPBYTES);
	h2->h2_frame = NULL;
}
