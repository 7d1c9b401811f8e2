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

#ifndef H2_RAW_H
#define H2_RAW_H

/*
 * A client that writes HTTP/2 frames by hand, for what a well-behaved library
 * would never send, and reads what comes back.  Over wire_util.h.
 */
#include "wire_util.h"

#include <nghttp2/nghttp2.h>

#define RAW_PREFACE	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define RAW_STREAMS	64

struct raw {
	int			 r_fd;		/* -1: memory only */
	struct evbuffer		*r_out;
	struct evbuffer		*r_in;
	nghttp2_hd_deflater	*r_deflate;
	nghttp2_hd_inflater	*r_inflate;
	bool			 r_eof;
	bool			 r_goaway;
	uint32_t		 r_goaway_code;
	/* Per stream id / 2: */
	int			 r_rst[RAW_STREAMS];	/* -1: none */
	int			 r_http[RAW_STREAMS];	/* 0: none */
	int			 r_grpc[RAW_STREAMS];	/* -1: none */
	char			 r_text[256];		/* last grpc-message */
	size_t			 r_data[RAW_STREAMS];	/* bytes of DATA */
	size_t			 r_credit;		/* connection window */
};

static void
raw_init(struct raw *r, int fd)
{
	size_t		 i;

	memset(r, 0, sizeof(*r));
	r->r_fd = fd;
	r->r_out = evbuffer_new();
	r->r_in = evbuffer_new();
	assert_int_equal(nghttp2_hd_deflate_new(&r->r_deflate, 4096), 0);
	assert_int_equal(nghttp2_hd_inflate_new(&r->r_inflate), 0);
	for (i = 0; i < RAW_STREAMS; i++)
		r->r_rst[i] = r->r_grpc[i] = -1;
}

static void
raw_done(struct raw *r)
{
	evbuffer_free(r->r_out);
	evbuffer_free(r->r_in);
	nghttp2_hd_deflate_del(r->r_deflate);
	nghttp2_hd_inflate_del(r->r_inflate);
	if (r->r_fd != -1)
		(void)close(r->r_fd);
}

static void
raw_frame(struct raw *r, uint8_t type, uint8_t flags, uint32_t id,
    const void *payload, size_t len)
{
	uint8_t		 h[9];

	h[0] = (uint8_t)(len >> 16);
	h[1] = (uint8_t)(len >> 8);
	h[2] = (uint8_t)len;
	h[3] = type;
	h[4] = flags;
	h[5] = (uint8_t)(id >> 24);
	h[6] = (uint8_t)(id >> 16);
	h[7] = (uint8_t)(id >> 8);
	h[8] = (uint8_t)id;
	(void)evbuffer_add(r->r_out, h, sizeof(h));
	(void)evbuffer_add(r->r_out, payload, len);
}

static void
raw_hello(struct raw *r)
{
	(void)evbuffer_add(r->r_out, RAW_PREFACE, sizeof(RAW_PREFACE) - 1);
	raw_frame(r, NGHTTP2_SETTINGS, 0, 0, "", 0);
}

/* pairs: name, value, ..., NULL.  Returns the block's length. */
static size_t
raw_block(struct raw *r, uint8_t *dst, size_t size, const char **pairs)
{
	nghttp2_nv	 nva[64];
	size_t		 n;
	ssize_t		 len;

	for (n = 0; pairs[2 * n] != NULL; n++) {
		assert_true(n < 64);
		nva[n].name = (uint8_t *)(uintptr_t)pairs[2 * n];
		nva[n].namelen = strlen(pairs[2 * n]);
		nva[n].value = (uint8_t *)(uintptr_t)pairs[2 * n + 1];
		nva[n].valuelen = strlen(pairs[2 * n + 1]);
		nva[n].flags = NGHTTP2_NV_FLAG_NONE;
	}
	len = nghttp2_hd_deflate_hd(r->r_deflate, dst, size, nva, n);
	assert_true(len > 0);
	return ((size_t)len);
}

static void
raw_headers(struct raw *r, uint32_t id, bool end, const char **pairs)
{
	uint8_t		 block[16384];
	size_t		 len = raw_block(r, block, sizeof(block), pairs);

	raw_frame(r, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS |
	    (end ? NGHTTP2_FLAG_END_STREAM : 0), id, block, len);
}

/* A gRPC request's headers. */
MAYBE static void
raw_call(struct raw *r, uint32_t id, const char *path)
{
	const char	*pairs[] = {
		":method", "POST", ":scheme", "https", ":path", path,
		":authority", "localhost", "content-type", "application/grpc",
		"te", "trailers", NULL
	};

	raw_headers(r, id, false, pairs);
}

/* One gRPC message in one DATA frame. */
MAYBE static void
raw_message(struct raw *r, uint32_t id, const void *data, size_t len,
    bool end)
{
	uint8_t		 buf[16384];

	assert_true(len + 5 <= sizeof(buf));
	buf[0] = 0;
	buf[1] = buf[2] = 0;
	buf[3] = (uint8_t)(len >> 8);
	buf[4] = (uint8_t)len;
	memcpy(buf + 5, data, len);
	raw_frame(r, NGHTTP2_DATA, end ? NGHTTP2_FLAG_END_STREAM : 0, id, buf,
	    len + 5);
}

static void
raw_got_headers(struct raw *r, size_t slot, uint8_t *p, size_t len)
{
	nghttp2_nv	 nv;
	ssize_t		 n;
	int		 flags;

	for (;;) {
		flags = 0;
		n = nghttp2_hd_inflate_hd2(r->r_inflate, &nv, &flags, p, len,
		    1);
		assert_true(n >= 0);
		p += n;
		len -= (size_t)n;
		if (flags & NGHTTP2_HD_INFLATE_EMIT) {
			if (strcmp((char *)nv.name, ":status") == 0)
				r->r_http[slot] = atoi((char *)nv.value);
			if (strcmp((char *)nv.name, "grpc-status") == 0)
				r->r_grpc[slot] = atoi((char *)nv.value);
			if (strcmp((char *)nv.name, "grpc-message") == 0)
				(void)strlcpy(r->r_text, (char *)nv.value,
				    sizeof(r->r_text));
		}
		if (flags & NGHTTP2_HD_INFLATE_FINAL)
			break;
	}
	(void)nghttp2_hd_inflate_end_headers(r->r_inflate);
}

static uint32_t
raw_n32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3]);
}

static void
raw_parse(struct raw *r)
{
	uint8_t		*f;
	uint32_t	 id;
	size_t		 have, len, slot;

	while ((have = evbuffer_get_length(r->r_in)) >= 9) {
		f = evbuffer_pullup(r->r_in, -1);
		len = (size_t)f[0] << 16 | (size_t)f[1] << 8 | f[2];
		if (have < 9 + len)
			return;
		assert_true(len <= 16384);
		id = raw_n32(f + 5) & 0x7fffffff;
		slot = id / 2 < RAW_STREAMS ? id / 2 : RAW_STREAMS - 1;
		switch (f[3]) {
		case NGHTTP2_DATA:
			r->r_data[slot] += len;
			break;
		case NGHTTP2_HEADERS:
			raw_got_headers(r, slot, f + 9, len);
			break;
		case NGHTTP2_RST_STREAM:
			r->r_rst[slot] = (int)raw_n32(f + 9);
			break;
		case NGHTTP2_GOAWAY:
			r->r_goaway = true;
			r->r_goaway_code = raw_n32(f + 13);
			break;
		case NGHTTP2_WINDOW_UPDATE:
			if (id == 0)
				r->r_credit += raw_n32(f + 9);
			break;
		default:
			break;
		}
		(void)evbuffer_drain(r->r_in, 9 + len);
	}
}

/* Moves bytes until nothing came or went for so long; the loop runs along. */
MAYBE static void
raw_run(struct raw *r, struct event_base *base, int quiet_msec)
{
	monotime_t	 end = monotime_now() + quiet_msec;
	int		 n;

	do {
		if (evbuffer_get_length(r->r_out) > 0 &&
		    evbuffer_write(r->r_out, r->r_fd) > 0)
			end = monotime_now() + quiet_msec;
		loop_for(base, 1);
		while ((n = evbuffer_read(r->r_in, r->r_fd, 65536)) > 0)
			end = monotime_now() + quiet_msec;
		if (n == 0 || (n == -1 && errno != EAGAIN))
			r->r_eof = true;
		raw_parse(r);
	} while (monotime_now() < end && !r->r_eof);
}

#endif /* H2_RAW_H */
