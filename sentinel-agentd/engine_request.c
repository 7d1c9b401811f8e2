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

#include "engine.h"

#include <openssl/sha.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xmalloc.h"

/*
 * One record is 32 bytes, so it never crosses a sector: sequence number (8,
 * network order, from 1), 20 bytes of the id's SHA-256, 4 bytes of the
 * SHA-256 over what precedes them.  Slot = (sequence - 1) % REQMEM_SLOTS.
 */
#define RECORD_LEN	32
#define RECORD_HASH	20
#define RECORD_SUM	4
#define RECORD_BODY	(8 + RECORD_HASH)

struct request {
	uint8_t		 rq_hash[RECORD_HASH];
	uint64_t	 rq_seq;	/* 0: free slot */
	RB_ENTRY(request) rq_entry;
};
RB_HEAD(request_tree, request);

struct reqmem {
	int		 rm_fd;
	uint64_t	 rm_seq;	/* of the last one added */
	size_t		 rm_fresh;
	struct request_tree rm_tree;
	struct request	 rm_slot[REQMEM_SLOTS];
};

static int	 request_cmp(const struct request *, const struct request *);
static void	 hash_id(const char *, uint8_t[RECORD_HASH]);
static void	 checksum(const uint8_t *, uint8_t[RECORD_SUM]);
static int	 load(struct reqmem *);
static void	 put(struct reqmem *, uint64_t, const uint8_t *);

RB_PROTOTYPE_STATIC(request_tree, request, rq_entry, request_cmp)
RB_GENERATE_STATIC(request_tree, request, rq_entry, request_cmp)

static int
request_cmp(const struct request *a, const struct request *b)
{
	return (memcmp(a->rq_hash, b->rq_hash, RECORD_HASH));
}

static void
hash_id(const char *id, uint8_t hash[RECORD_HASH])
{
	uint8_t	 full[SHA256_DIGEST_LENGTH];

	SHA256((const uint8_t *)id, strlen(id), full);
	memcpy(hash, full, RECORD_HASH);
}

static void
checksum(const uint8_t *record, uint8_t sum[RECORD_SUM])
{
	uint8_t	 full[SHA256_DIGEST_LENGTH];

	SHA256(record, RECORD_BODY, full);
	memcpy(sum, full, RECORD_SUM);
}

struct reqmem *
reqmem_open(const char *path)
{
	struct reqmem	*rm;
	int		 saved;

	rm = xcalloc(1, sizeof(*rm));
	RB_INIT(&rm->rm_tree);
	rm->rm_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK, 0600);
	/* Room for all of it now: later there may be none. */
	if (rm->rm_fd == -1 || (errno = posix_fallocate(rm->rm_fd, 0,
	    (off_t)RECORD_LEN * REQMEM_SLOTS)) != 0 || load(rm) == -1) {
		saved = errno;
		reqmem_close(rm);
		errno = saved;
		return (NULL);
	}
	return (rm);
}

void
reqmem_close(struct reqmem *rm)
{
	if (rm->rm_fd != -1)
		close(rm->rm_fd);
	free(rm);
}

static int
load(struct reqmem *rm)
{
	uint8_t		*data, sum[RECORD_SUM], *r;
	uint64_t	 seq;
	size_t		 i;
	ssize_t		 n;

	data = xcalloc(REQMEM_SLOTS, RECORD_LEN);
	n = pread(rm->rm_fd, data, (size_t)RECORD_LEN * REQMEM_SLOTS, 0);
	for (i = 0; n != -1 && i < REQMEM_SLOTS; i++) {
		r = data + i * RECORD_LEN;
		memcpy(&seq, r, sizeof(seq));
		seq = be64toh(seq);
		checksum(r, sum);
		if (seq == 0 || (seq - 1) % REQMEM_SLOTS != i ||
		    memcmp(sum, r + RECORD_BODY, RECORD_SUM) != 0)
			continue;
		put(rm, seq, r + 8);
		if (seq > rm->rm_seq)
			rm->rm_seq = seq;
	}
	free(data);
	return (n == -1 ? -1 : 0);
}

static void
put(struct reqmem *rm, uint64_t seq, const uint8_t *hash)
{
	struct request	*rq = &rm->rm_slot[(seq - 1) % REQMEM_SLOTS];

	if (rq->rq_seq != 0)
		RB_REMOVE(request_tree, &rm->rm_tree, rq);
	memcpy(rq->rq_hash, hash, RECORD_HASH);
	rq->rq_seq = seq;
	/* The same id twice cannot be, but must not break the tree. */
	if (RB_INSERT(request_tree, &rm->rm_tree, rq) != NULL)
		rq->rq_seq = 0;
}

bool
reqmem_has(const struct reqmem *rm, const char *id)
{
	struct request	 want;

	hash_id(id, want.rq_hash);
	return (RB_FIND(request_tree,
	    (struct request_tree *)(uintptr_t)&rm->rm_tree, &want) != NULL);
}

int
reqmem_add(struct reqmem *rm, const char *id)
{
	uint8_t		 record[RECORD_LEN];
	uint64_t	 seq = htobe64(rm->rm_seq + 1);
	off_t		 off;

	off = (off_t)(rm->rm_seq % REQMEM_SLOTS) * RECORD_LEN;
	memcpy(record, &seq, sizeof(seq));
	hash_id(id, record + 8);
	checksum(record, record + RECORD_BODY);
	if (pwrite(rm->rm_fd, record, sizeof(record), off) !=
	    (ssize_t)sizeof(record) || fdatasync(rm->rm_fd) == -1)
		return (-1);
	put(rm, ++rm->rm_seq, record + 8);
	rm->rm_fresh++;
	return (0);
}

size_t
reqmem_fresh(struct reqmem *rm, bool reset)
{
	size_t	 n = rm->rm_fresh;

	if (reset)
		rm->rm_fresh = 0;
	return (n);
}
