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

#ifndef IBUF_H
#define IBUF_H

#include "compat.h"

/*
 * Byte buffers with OpenBSD 7.7's ibuf_add(3) names and semantics, restricted
 * to what is used here.  Getters return -1 with EBADMSG when the buffer is
 * too short and never read past its end; adders return -1 with ERANGE past
 * the maximum, EINVAL for a value that its field cannot hold, or ENOMEM.
 * Integers are in network byte order.
 * ibuf_free() wipes what the buffer held and closes an fd it still owns.
 */
struct ibuf {
	uint8_t		*buf;
	size_t		 size;		/* allocated */
	size_t		 max;		/* 0: cannot grow (ibuf_from_buffer) */
	size_t		 wpos;
	size_t		 rpos;
	int		 fd;		/* -1 or owned */
	TAILQ_ENTRY(ibuf) entry;	/* write queue of imsg.h */
};

struct ibuf	*ibuf_open(size_t);
struct ibuf	*ibuf_dynamic(size_t, size_t);
void		 ibuf_free(struct ibuf *);		/* NULL is fine */
void		 ibuf_from_buffer(struct ibuf *, void *, size_t);
int		 ibuf_add(struct ibuf *, const void *, size_t);
int		 ibuf_add_n8(struct ibuf *, uint64_t);
int		 ibuf_add_n16(struct ibuf *, uint64_t);
int		 ibuf_add_n32(struct ibuf *, uint64_t);
int		 ibuf_add_n64(struct ibuf *, uint64_t);
int		 ibuf_add_zero(struct ibuf *, size_t);
void		*ibuf_data(const struct ibuf *);	/* unread part */
size_t		 ibuf_size(const struct ibuf *);	/* unread bytes */
int		 ibuf_get(struct ibuf *, void *, size_t);
int		 ibuf_get_n8(struct ibuf *, uint8_t *);
int		 ibuf_get_n16(struct ibuf *, uint16_t *);
int		 ibuf_get_n32(struct ibuf *, uint32_t *);
int		 ibuf_get_n64(struct ibuf *, uint64_t *);
int		 ibuf_skip(struct ibuf *, size_t);
int		 ibuf_fd_avail(struct ibuf *);
int		 ibuf_fd_get(struct ibuf *);		/* moves, or -1 */
void		 ibuf_fd_set(struct ibuf *, int);

/*
 * Ours: the fixed layout of messages to and from parent and keyholder
 * (doc/architecture.md 3.4).  A byte string is a 16-bit length and the bytes.
 */
int		 ibuf_add_bytes(struct ibuf *, const void *, size_t);
int		 ibuf_add_string(struct ibuf *, const char *);
/* Lends a pointer into the buffer.  EBADMSG also when longer than max. */
int		 ibuf_get_bytes(struct ibuf *, size_t max, const uint8_t **,
		    size_t *);
/* Copies and NUL-terminates; EBADMSG on an embedded NUL or when it does not
 * fit dst (size bytes with the NUL). */
int		 ibuf_get_string(struct ibuf *, char *dst, size_t size);
/* 0 when the reader consumed the body exactly, else -1 with EBADMSG. */
int		 ibuf_end(const struct ibuf *);

#endif /* IBUF_H */
