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

/*
 * Server: what a client may send on a connection, from the first byte after
 * the preface on.
 */
int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char	 preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
			    "\0\0\0\004\0\0\0\0";

static enum grpc_status
fz_call_open(struct grpc_call *call, const char **text, void *arg)
{
	(void)call;
	(void)text;
	(void)arg;
	fz_calls++;
	return (GRPC_OK);
}

static void
fz_call_message(struct grpc_call *call, const uint8_t *data, size_t len,
    void *arg)
{
	(void)arg;
	if (len > grpc_call_method(call)->gm_max_message)
		abort();
	(void)grpc_call_send(call, data, len);
	if (grpc_call_method(call)->gm_unary)
		grpc_call_finish(call, GRPC_OK, NULL);
	else if (len > 0 && data[0] == 'p') {
		grpc_call_pause(call);
		grpc_call_resume(call);
	} else if (len > 0 && data[0] == 'c') {
		fz_calls--;
		grpc_call_cancel(call);
	}
}

static void
fz_half_close(struct grpc_call *call, void *arg)
{
	(void)arg;
	grpc_call_finish(call, GRPC_NOT_FOUND, "done\n\xff");
}

static void
fz_call_closed(struct grpc_call *call, enum grpc_end end, void *arg)
{
	(void)call;
	(void)end;
	(void)arg;
	fz_calls--;
}

static const struct grpc_server_ops	 fz_ops = {
	.gs_call_open = fz_call_open,
	.gs_call_message = fz_call_message,
	.gs_call_half_close = fz_half_close,
	.gs_call_closed = fz_call_closed,
	.gs_conn_closed = fz_conn_closed
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream	*s;
	uint8_t		*buf;
	int		 fd;

	if (size > FUZZ_MAXBYTES)
		return (0);
	fd = fz_open(&s);
	if ((fz_conn = grpc_server_new(fz_base, s, fz_methods, &fz_ops,
	    NULL)) == NULL)
		abort();
	if ((buf = malloc(sizeof(preface) - 1 + size)) == NULL)
		abort();
	memcpy(buf, preface, sizeof(preface) - 1);
	memcpy(buf + sizeof(preface) - 1, data, size);
	fz_feed(fd, buf, sizeof(preface) - 1 + size);
	free(buf);
	return (0);
}
