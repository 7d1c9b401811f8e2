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

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ibuf.h"

static int	 ibuf_reserve(struct ibuf *, size_t);
static int	 ibuf_take(struct ibuf *, size_t, const uint8_t **);

struct ibuf *
ibuf_open(size_t len)
{
	return (ibuf_dynamic(len, len));
}

struct ibuf *
ibuf_dynamic(size_t len, size_t max)
{
	struct ibuf	*ib;

	if (max < len) {
		errno = EINVAL;
		return (NULL);
	}
	if ((ib = calloc(1, sizeof(*ib))) == NULL)
		return (NULL);
	/* Never NULL, so that a lent pointer is one even when empty. */
	ib->size = len > 0 ? len : 1;
	if ((ib->buf = calloc(1, ib->size)) == NULL) {
		free(ib);
		return (NULL);
	}
	ib->max = max;
	ib->fd = -1;
	return (ib);
}

void
ibuf_free(struct ibuf *ib)
{
	if (ib == NULL)
		return;
	if (ib->fd != -1)
		(void)close(ib->fd);
	freezero(ib->buf, ib->size);
	free(ib);
}

/* For reading only: max 0 makes every adder fail.  Not for ibuf_free(). */
void
ibuf_from_buffer(struct ibuf *ib, void *data, size_t len)
{
	memset(ib, 0, sizeof(*ib));
	ib->buf = data;
	ib->size = ib->wpos = len;
	ib->fd = -1;
}

/* Make room for len more bytes. */
static int
ibuf_reserve(struct ibuf *ib, size_t len)
{
	uint8_t	*nb;
	size_t	 nsize;

	if (len > ib->max || ib->wpos > ib->max - len) {
		errno = ERANGE;
		return (-1);
	}
	if (len <= ib->size - ib->wpos)
		return (0);
	nsize = ib->size > ib->max / 2 ? ib->max : ib->size * 2;
	if (nsize < ib->wpos + len)
		nsize = ib->wpos + len;
	/* Wipes the old place: what is built here may be a secret. */
	if ((nb = recallocarray(ib->buf, ib->size, nsize, 1)) == NULL)
		return (-1);
	ib->buf = nb;
	ib->size = nsize;
	return (0);
}

int
ibuf_add(struct ibuf *ib, const void *data, size_t len)
{
	if (ibuf_reserve(ib, len) == -1)
		return (-1);
	if (len > 0)
		memcpy(ib->buf + ib->wpos, data, len);
	ib->wpos += len;
	return (0);
}

int
ibuf_add_zero(struct ibuf *ib, size_t len)
{
	if (ibuf_reserve(ib, len) == -1)
		return (-1);
	if (len > 0)
		memset(ib->buf + ib->wpos, 0, len);
	ib->wpos += len;
	return (0);
}

int
ibuf_add_n8(struct ibuf *ib, uint64_t value)
{
	uint8_t	 v;

	if (value > UINT8_MAX) {
		errno = EINVAL;
		return (-1);
	}
	v = (uint8_t)value;
	return (ibuf_add(ib, &v, sizeof(v)));
}

int
ibuf_add_n16(struct ibuf *ib, uint64_t value)
{
	uint16_t	 v;

	if (value > UINT16_MAX) {
		errno = EINVAL;
		return (-1);
	}
	v = htobe16((uint16_t)value);
	return (ibuf_add(ib, &v, sizeof(v)));
}

int
ibuf_add_n32(struct ibuf *ib, uint64_t value)
{
	uint32_t	 v;

	if (value > UINT32_MAX) {
		errno = EINVAL;
		return (-1);
	}
	v = htobe32((uint32_t)value);
	return (ibuf_add(ib, &v, sizeof(v)));
}

int
ibuf_add_n64(struct ibuf *ib, uint64_t value)
{
	value = htobe64(value);
	return (ibuf_add(ib, &value, sizeof(value)));
}

void *
ibuf_data(const struct ibuf *ib)
{
	return (ib->buf == NULL ? NULL : ib->buf + ib->rpos);
}

size_t
ibuf_size(const struct ibuf *ib)
{
	return (ib->wpos - ib->rpos);
}

/* Lend the next len bytes and move past them. */
static int
ibuf_take(struct ibuf *ib, size_t len, const uint8_t **p)
{
	if (len > ibuf_size(ib)) {
		errno = EBADMSG;
		return (-1);
	}
	*p = ibuf_data(ib);
	ib->rpos += len;
	return (0);
}

int
ibuf_get(struct ibuf *ib, void *data, size_t len)
{
	const uint8_t	*p;

	if (ibuf_take(ib, len, &p) == -1)
		return (-1);
	if (len > 0)
		memcpy(data, p, len);
	return (0);
}

int
ibuf_get_n8(struct ibuf *ib, uint8_t *value)
{
	return (ibuf_get(ib, value, sizeof(*value)));
}

int
ibuf_get_n16(struct ibuf *ib, uint16_t *value)
{
	if (ibuf_get(ib, value, sizeof(*value)) == -1)
		return (-1);
	*value = be16toh(*value);
	return (0);
}

int
ibuf_get_n32(struct ibuf *ib, uint32_t *value)
{
	if (ibuf_get(ib, value, sizeof(*value)) == -1)
		return (-1);
	*value = be32toh(*value);
	return (0);
}

int
ibuf_get_n64(struct ibuf *ib, uint64_t *value)
{
	if (ibuf_get(ib, value, sizeof(*value)) == -1)
		return (-1);
	*value = be64toh(*value);
	return (0);
}

int
ibuf_skip(struct ibuf *ib, size_t len)
{
	const uint8_t	*p;

	return (ibuf_take(ib, len, &p));
}

int
ibuf_fd_avail(struct ibuf *ib)
{
	return (ib->fd != -1);
}

int
ibuf_fd_get(struct ibuf *ib)
{
	int	 fd;

	fd = ib->fd;
	ib->fd = -1;
	return (fd);
}

void
ibuf_fd_set(struct ibuf *ib, int fd)
{
	if (ib->fd != -1)
		(void)close(ib->fd);
	ib->fd = fd;
}

int
ibuf_add_bytes(struct ibuf *ib, const void *data, size_t len)
{
	size_t	 wpos = ib->wpos;

	if (ibuf_add_n16(ib, len) == -1)
		return (-1);
	if (ibuf_add(ib, data, len) == -1) {
		ib->wpos = wpos;	/* no length without its bytes */
		return (-1);
	}
	return (0);
}

int
ibuf_add_string(struct ibuf *ib, const char *s)
{
	return (ibuf_add_bytes(ib, s, strlen(s)));
}

int
ibuf_get_bytes(struct ibuf *ib, size_t max, const uint8_t **data, size_t *len)
{
	size_t		 rpos = ib->rpos;
	uint16_t	 n;

	if (ibuf_get_n16(ib, &n) == -1)
		return (-1);
	if (n > max || ibuf_take(ib, n, data) == -1) {
		ib->rpos = rpos;
		errno = EBADMSG;
		return (-1);
	}
	*len = n;
	return (0);
}

int
ibuf_get_string(struct ibuf *ib, char *dst, size_t size)
{
	const uint8_t	*p;
	size_t		 len, rpos = ib->rpos;

	if (size == 0) {
		errno = EBADMSG;
		return (-1);
	}
	if (ibuf_get_bytes(ib, size - 1, &p, &len) == -1)
		return (-1);
	if (memchr(p, '\0', len) != NULL) {
		ib->rpos = rpos;
		errno = EBADMSG;
		return (-1);
	}
	memcpy(dst, p, len);
	dst[len] = '\0';
	return (0);
}

int
ibuf_end(const struct ibuf *ib)
{
	if (ibuf_size(ib) != 0) {
		errno = EBADMSG;
		return (-1);
	}
	return (0);
}
