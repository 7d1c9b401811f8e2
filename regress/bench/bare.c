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

#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <event2/event.h>
#include <nghttp2/nghttp2.h>
#include <tls.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tlsconf.h"

/*
 * usage: bare mode port ca cert key
 *
 * What the plain libraries cost: a server of libtls, and nghttp2 as it comes,
 * with no checks, limits or other processes, on 127.0.0.1.
 *	tls	handshake, then wait for the end
 *	echo	handshake, then send back what comes
 *	h2	an HTTP/2 session; answers ReportState, keeps Channel open
 */
struct conn {
	struct tls	*c_tls;
	struct event	*c_event;
	nghttp2_session	*c_h2;
	int		 c_fd;
	bool		 c_up;
};

static struct event_base	*base;
static struct tls		*server;
static const char		*mode;
static nghttp2_session_callbacks *callbacks;

static void	 on_accept(int, short, void *);
static void	 on_event(int, short, void *);
static int	 work(struct conn *);
static int	 bytes(struct conn *, const uint8_t *, size_t);
static void	 conn_free(struct conn *);
static ssize_t	 h2_send(nghttp2_session *, const uint8_t *, size_t, int,
		    void *);
static int	 h2_frame(nghttp2_session *, const nghttp2_frame *, void *);
static ssize_t	 h2_ack(nghttp2_session *, int32_t, uint8_t *, size_t,
		    uint32_t *, nghttp2_data_source *, void *);
static ssize_t	 h2_never(nghttp2_session *, int32_t, uint8_t *, size_t,
		    uint32_t *, nghttp2_data_source *, void *);
static uint8_t	*load(const char *, size_t *);

int
main(int argc, char **argv)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	struct tlsconf		 tc = { .tc_alpn = TLSCONF_H2 };
	struct rlimit		 rl;
	char			 why[256];
	const int		 on = 1;
	int			 fd;

	if (argc != 6)
		errx(2, "usage: bare mode port ca cert key");
	mode = argv[1];
	(void)signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	tc.tc_ca = load(argv[3], &tc.tc_calen);
	tc.tc_cert = load(argv[4], &tc.tc_certlen);
	tc.tc_key = load(argv[5], &tc.tc_keylen);
	if (tlsconf_init() == -1 || (base = event_base_new()) == NULL)
		errx(1, "cannot start");
	if ((server = tlsconf_server(&tc, why, sizeof(why))) == NULL)
		errx(1, "%s", why);
	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		errx(1, "nghttp2");
	nghttp2_session_callbacks_set_send_callback(callbacks, h2_send);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
	    h2_frame);
	sin.sin_port = htons((uint16_t)strtonum(argv[2], 1, 65535, NULL));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 1024) == -1)
		err(1, "listen");
	(void)event_add(event_new(base, fd, EV_READ | EV_PERSIST, on_accept,
	    NULL), NULL);
	(void)event_base_dispatch(base);
	return (0);
}

static uint8_t *
load(const char *path, size_t *len)
{
	static const size_t	 max = 65536;
	uint8_t			*text = malloc(max);
	FILE			*f = fopen(path, "r");

	if (text == NULL || f == NULL)
		err(1, "%s", path);
	*len = fread(text, 1, max, f);
	(void)fclose(f);
	return (text);
}

static void
on_accept(int lfd, short what, void *arg)
{
	struct conn	*c;
	int		 fd;

	(void)what;
	(void)arg;
	if ((fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK)) == -1)
		return;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		err(1, NULL);
	c->c_fd = fd;
	if (tls_accept_socket(server, &c->c_tls, fd) == -1)
		errx(1, "%s", tls_error(server));
	c->c_event = event_new(base, fd, EV_READ | EV_PERSIST, on_event, c);
	(void)event_add(c->c_event, NULL);
}

static void
on_event(int fd, short what, void *arg)
{
	struct conn	*c = arg;

	(void)fd;
	(void)what;
	if (work(c) == -1)
		conn_free(c);
}

/* Loopback takes what we send, so only reading ever waits. */
static int
work(struct conn *c)
{
	uint8_t	 buf[16384];
	ssize_t	 n;

	if (!c->c_up) {
		if ((n = tls_handshake(c->c_tls)) != 0)
			return (n == TLS_WANT_POLLIN ? 0 : -1);
		c->c_up = true;
		if (strcmp(mode, "h2") == 0 && (nghttp2_session_server_new(
		    &c->c_h2, callbacks, c) != 0 || nghttp2_submit_settings(
		    c->c_h2, NGHTTP2_FLAG_NONE, NULL, 0) != 0))
			return (-1);
	}
	while ((n = tls_read(c->c_tls, buf, sizeof(buf))) > 0)
		if (bytes(c, buf, (size_t)n) == -1)
			return (-1);
	return (n == TLS_WANT_POLLIN ? 0 : -1);
}

static int
bytes(struct conn *c, const uint8_t *buf, size_t len)
{
	if (c->c_h2 == NULL)
		return (strcmp(mode, "echo") != 0 ||
		    tls_write(c->c_tls, buf, len) == (ssize_t)len ? 0 : -1);
	if (nghttp2_session_mem_recv(c->c_h2, buf, len) < 0)
		return (-1);
	return (nghttp2_session_send(c->c_h2) == 0 ? 0 : -1);
}

static void
conn_free(struct conn *c)
{
	event_free(c->c_event);
	nghttp2_session_del(c->c_h2);
	(void)tls_close(c->c_tls);
	tls_free(c->c_tls);
	close(c->c_fd);
	free(c);
}

static ssize_t
h2_send(nghttp2_session *h2, const uint8_t *buf, size_t len, int flags,
    void *arg)
{
	struct conn	*c = arg;

	(void)h2;
	(void)flags;
	return (tls_write(c->c_tls, buf, len) == (ssize_t)len ?
	    (ssize_t)len : NGHTTP2_ERR_CALLBACK_FAILURE);
}

/* A gRPC message of StateAck {accepted: true}, then the status. */
static ssize_t
h2_ack(nghttp2_session *h2, int32_t id, uint8_t *buf, size_t len,
    uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	static const uint8_t	 ack[] = { 0, 0, 0, 0, 2, 0x08, 1 };
	static uint8_t		 name[] = "grpc-status", value[] = "0";
	nghttp2_nv		 nv = { name, value, sizeof(name) - 1,
				    sizeof(value) - 1, NGHTTP2_NV_FLAG_NONE };

	(void)len;
	(void)source;
	(void)arg;
	memcpy(buf, ack, sizeof(ack));
	*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
	if (nghttp2_submit_trailer(h2, id, &nv, 1) != 0)
		return (NGHTTP2_ERR_CALLBACK_FAILURE);
	return (sizeof(ack));
}

static ssize_t
h2_never(nghttp2_session *h2, int32_t id, uint8_t *buf, size_t len,
    uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	(void)h2;
	(void)id;
	(void)buf;
	(void)len;
	(void)flags;
	(void)source;
	(void)arg;
	return (NGHTTP2_ERR_DEFERRED);
}

/* ReportState ends its request, Channel's headers do not. */
static int
h2_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	static uint8_t		 s[] = ":status", ok[] = "200", t[] =
				    "content-type", g[] = "application/grpc";
	const nghttp2_nv	 nv[] = {
		{ s, ok, sizeof(s) - 1, sizeof(ok) - 1, 0 },
		{ t, g, sizeof(t) - 1, sizeof(g) - 1, 0 }
	};
	nghttp2_data_provider	 ack = { .read_callback = h2_ack },
				 never = { .read_callback = h2_never };
	bool			 end;

	(void)arg;
	if (frame->hd.type != NGHTTP2_DATA && frame->hd.type !=
	    NGHTTP2_HEADERS)
		return (0);
	end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	if (end)
		return (nghttp2_submit_response(h2, frame->hd.stream_id, nv,
		    2, &ack));
	/* The second stream of a connection is the Channel. */
	if (frame->hd.type == NGHTTP2_HEADERS && frame->hd.stream_id > 1)
		return (nghttp2_submit_response(h2, frame->hd.stream_id, nv,
		    2, &never));
	return (0);
}
