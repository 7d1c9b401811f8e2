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
#include <stdlib.h>
#include <string.h>

#include "pbmem.h"
#include "utf8.h"

/*
 * Small blocks are cut from chunks and stay until the end.  A block too large
 * for a chunk has one of its own and is really freed when protobuf-c gives it
 * back: those are the scan slabs of a message with many fields, which would
 * otherwise double the need.
 */
#define PBMEM_ALIGN	_Alignof(max_align_t)
#define PBMEM_LOOKBACK	16

struct pbmem_chunk {
	LIST_ENTRY(pbmem_chunk)	 pc_entry;
	size_t			 pc_size;	/* with this header */
	bool			 pc_own;	/* one block only */
	max_align_t		 pc_data[];
};

static void	*pbmem_hook_alloc(void *, size_t);
static void	 pbmem_hook_free(void *, void *);
static struct pbmem_chunk *pbmem_chunk_new(struct pbmem *, size_t);

void
pbmem_init(struct pbmem *pm, size_t maxbytes, size_t maxallocs)
{
	memset(pm, 0, sizeof(*pm));
	pm->pm_alloc.alloc = pbmem_hook_alloc;
	pm->pm_alloc.free = pbmem_hook_free;
	pm->pm_alloc.allocator_data = pm;
	LIST_INIT(&pm->pm_chunks);
	pm->pm_maxbytes = maxbytes;
	pm->pm_maxallocs = maxallocs;
}

void
pbmem_free(struct pbmem *pm)
{
	struct pbmem_chunk	*pc;

	while ((pc = LIST_FIRST(&pm->pm_chunks)) != NULL) {
		LIST_REMOVE(pc, pc_entry);
		/* Tokens and logs pass through here. */
		freezero(pc, pc->pc_size);
	}
	pm->pm_bytes = 0;
	pm->pm_allocs = 0;
	pm->pm_next = NULL;
	pm->pm_left = 0;
}

void *
pbmem_alloc(struct pbmem *pm, size_t len)
{
	struct pbmem_chunk	*pc;
	void			*p;

	if (pm->pm_allocs >= pm->pm_maxallocs || len > pm->pm_maxbytes) {
		errno = ENOMEM;
		return (NULL);
	}
	len = len == 0 ? PBMEM_ALIGN :
	    (len + PBMEM_ALIGN - 1) / PBMEM_ALIGN * PBMEM_ALIGN;
	if (len >= PBMEM_CHUNKBYTES / 2) {
		if ((pc = pbmem_chunk_new(pm, len)) == NULL)
			return (NULL);
		pc->pc_own = true;
		pm->pm_allocs++;
		return (pc->pc_data);
	}
	if (len > pm->pm_left) {
		if ((pc = pbmem_chunk_new(pm, PBMEM_CHUNKBYTES -
		    sizeof(*pc))) == NULL)
			return (NULL);
		pm->pm_next = (uint8_t *)pc->pc_data;
		pm->pm_left = PBMEM_CHUNKBYTES - sizeof(*pc);
	}
	p = pm->pm_next;
	pm->pm_next += len;
	pm->pm_left -= len;
	pm->pm_allocs++;
	return (p);
}

char *
pbmem_strndup(struct pbmem *pm, const void *src, size_t len)
{
	char	*s;

	if (len == SIZE_MAX || (s = pbmem_alloc(pm, len + 1)) == NULL) {
		errno = ENOMEM;
		return (NULL);
	}
	if (len > 0)
		memcpy(s, src, len);
	s[len] = '\0';
	return (s);
}

char *
pbmem_text(struct pbmem *pm, const void *src, size_t len, size_t max)
{
	char	*s;
	size_t	 need;

	/* A broken byte becomes three. */
	need = len > max / 3 ? max : len * 3;
	if ((s = pbmem_alloc(pm, need + 1)) == NULL)
		return (NULL);
	(void)utf8_repair(s, need + 1, src, len);
	return (s);
}

static struct pbmem_chunk *
pbmem_chunk_new(struct pbmem *pm, size_t len)
{
	struct pbmem_chunk	*pc;
	size_t			 size;

	size = sizeof(*pc) + len;
	if (size > pm->pm_maxbytes - pm->pm_bytes ||
	    (pc = malloc(size)) == NULL) {
		errno = ENOMEM;
		return (NULL);
	}
	pc->pc_size = size;
	pc->pc_own = false;
	pm->pm_bytes += size;
	LIST_INSERT_HEAD(&pm->pm_chunks, pc, pc_entry);
	return (pc);
}

static void *
pbmem_hook_alloc(void *arg, size_t len)
{
	return (pbmem_alloc(arg, len));
}

static void
pbmem_hook_free(void *arg, void *p)
{
	struct pbmem		*pm = arg;
	struct pbmem_chunk	*pc;
	int			 n = 0;

	if (p == NULL)
		return;
	/*
	 * The newest chunks come first, and slabs are freed soon.  The bound
	 * keeps the tear-down of a refused message linear.
	 */
	LIST_FOREACH(pc, &pm->pm_chunks, pc_entry) {
		if (n++ == PBMEM_LOOKBACK)
			return;
		if (!pc->pc_own || (void *)pc->pc_data != p)
			continue;
		LIST_REMOVE(pc, pc_entry);
		pm->pm_bytes -= pc->pc_size;
		freezero(pc, pc->pc_size);
		return;
	}
}
