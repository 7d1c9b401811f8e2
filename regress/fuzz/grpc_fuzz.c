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

#include "wire_fuzz.h"

#include "grpc_int.h"

/*
 * First byte 0: the string parsers; odd: what a server may send to our
 * client; even: bodies of a server's Channel, cut into DATA frames by the
 * input itself.
 */
int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define PREFACE	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static void	 fz_texts(const uint8_t *, size_t);
static void	 fz_client(const uint8_t *, size_t);
static void	 fz_bodies(const uint8_t *, size_t);

static void
fz_c_message(struct grpc_call *call, const uint8_t *data, size_t len,
    void *arg)
{
	(void)arg;
	if (len > grpc_call_method(call)->gm_max_message)
		abort();
	if (len > 0 && data[0] == 'p') {
		grpc_call_pause(call);
		grpc_call_resume(call);
	}
}

static void
fz_c_status(struct grpc_call *call, enum grpc_status status, const char *text,
    void *arg)
{
	(void)call;
	(void)arg;
	if ((int)status < 0 || status > GRPC_UNAUTHENTICATED ||
	    strlen(text) > GRPC_TEXT_MAXBYTES)
		abort();
	fz_calls--;
}

static const struct grpc_client_ops	 fz_cops = {
	.gc_call_message = fz_c_message,
	.gc_call_status = fz_c_status,
	.gc_conn_closed = fz_conn_closed
};

static enum grpc_status
fz_s_open(struct grpc_call *call, const char **text, void *arg)
{
	(void)call;
	(void)text;
	(void)arg;
	fz_calls++;
	return (GRPC_OK);
}

static void
fz_s_message(struct grpc_call *call, const uint8_t *data, size_t len,
    void *arg)
{
	(void)arg;
	if (len > grpc_call_method(call)->gm_max_message)
		abort();
	(void)grpc_call_send(call, data, len);
}

static void
fz_s_closed(struct grpc_call *call, enum grpc_end end, void *arg)
{
	(void)call;
	(void)end;
	(void)arg;
	fz_calls--;
}

static const struct grpc_server_ops	 fz_sops = {
	.gs_call_open = fz_s_open,
	.gs_call_message = fz_s_message,
	.gs_call_closed = fz_s_closed,
	.gs_conn_closed = fz_conn_closed
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > FUZZ_MAXBYTES)
		return (0);
	if (data[0] == 0)
		fz_texts(data + 1, size - 1);
	else if (data[0] & 1)
		fz_client(data + 1, size - 1);
	else
		fz_bodies(data + 1, size - 1);
	return (0);
}

static void
fz_texts(const uint8_t *data, size_t size)
{
	char		 enc[GRPC_TEXT_ENCODED], *s, *dec;
	int		 status;

	if ((s = malloc(size + 1)) == NULL)
		abort();
	memcpy(s, data, size);
	s[size] = '\0';
	if (grpc_timeout_parse(s) < -1)
		abort();
	status = grpc_status_parse(s);
	if (status < 0 || status > GRPC_UNAUTHENTICATED)
		abort();
	(void)grpc_is_content_type(s);
	grpc_text_encode(enc, s);
	if (strlen(enc) >= sizeof(enc))
		abort();
	if ((dec = grpc_text_decode(s)) == NULL ||
	    strlen(dec) > GRPC_TEXT_MAXBYTES)
		abort();
	free(dec);
	free(s);
}

static void
fz_client(const uint8_t *data, size_t size)
{
	struct grpc_call	*call;
	struct stream		*s;
	int			 fd, i;

	fd = fz_open(&s);
	if ((fz_conn = grpc_client_new(fz_base, s, "localhost", &fz_cops,
	    NULL)) == NULL)
		abort();
	for (i = 0; i < 2; i++) {
		if ((call = grpc_call_start(fz_conn, &fz_methods[i], 0,
		    NULL)) == NULL ||
		    grpc_call_send(call, "hello", 5) == -1)
			abort();
		fz_calls++;
	}
	fz_feed(fd, data, size);
}

static void
fz_bodies(const uint8_t *data, size_t size)
{
	/* Request headers without compression: literal, not indexed. */
	static const char *const	 h[] = {
		":method", "POST", ":scheme", "https", ":path",
		"/t.S/Channel", ":authority", "x", "content-type",
		"application/grpc"
	};
	uint8_t		*buf, *p, *len;
	struct stream	*s;
	size_t		 i, n;
	int		 fd;

	if ((buf = malloc(256 + 10 * size)) == NULL)
		abort();
	memcpy(buf, PREFACE "\0\0\0\004\0\0\0\0\0" "\0\0\0\001\004\0\0\0\001",
	    24 + 18);
	p = buf + 24 + 18;
	len = buf + 24 + 9 + 2;
	for (i = 0; i < nitems(h); i++) {
		if (i % 2 == 0)
			*p++ = 0;
		n = strlen(h[i]);
		*p++ = (uint8_t)n;
		memcpy(p, h[i], n);
		p += n;
	}
	*len = (uint8_t)(p - (len + 7));
	/* A length byte, then so many bytes, in one frame. */
	while (size > 0) {
		n = *data++;
		size--;
		if (n > size)
			n = size;
		memcpy(p, "\0\0\0\0\0\0\0\0\001", 9);
		p[2] = (uint8_t)n;
		memcpy(p + 9, data, n);
		p += 9 + n;
		data += n;
		size -= n;
	}
	fd = fz_open(&s);
	if ((fz_conn = grpc_server_new(fz_base, s, fz_methods, &fz_sops,
	    NULL)) == NULL)
		abort();
	fz_feed(fd, buf, (size_t)(p - buf));
	free(buf);
}
