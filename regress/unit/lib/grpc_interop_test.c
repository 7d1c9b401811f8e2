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

#include "wire_util.h"

#include <sys/wait.h>

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>

#include "grpc.h"

/*
 * grpc against an implementation that is not ours: python3-grpcio (gRPC core)
 * as client and as server, over TLS on loopback.
 */
#define PYTHON		"/usr/bin/python3"
#define SCRIPT(n)	REGRESS_DIR "/unit/lib/" n
#define FOREIGN_MSEC	60000

static const struct grpc_method	 methods[] = {
	{ "/t.S/Unary", GRPC_RECV_MAXBYTES, true },
	{ "/t.S/Slow", GRPC_RECV_MAXBYTES, true },
	{ "/t.S/Channel", GRPC_RECV_MAXBYTES, false },
	{ "/t.S/Big", GRPC_RECV_MAXBYTES, true },
	{ "/t.S/Fail", GRPC_RECV_MAXBYTES, true },
	{ "/t.S/Early", GRPC_RECV_MAXBYTES, false },
	{ "/t.S/Nope", GRPC_RECV_MAXBYTES, true },
	{ NULL, 0, false }
};
enum { M_UNARY, M_SLOW, M_CHANNEL, M_BIG, M_FAIL, M_EARLY, M_NOPE };

static struct event_base	*base;
static struct pem		 ca, server_pem, client_pem;
static char			 dir[] = "/tmp/snt-interop.XXXXXX";

/* Our server: as many connections as the foreign client makes. */
static struct tls		*server_ctx;
static int			 nup, nconns, nopen, nclosed, ncerts;

static enum grpc_status
s_open(struct grpc_call *call, const char **text, void *arg)
{
	(void)arg;
	if (grpc_call_method(call) > &methods[M_CHANNEL]) {
		*text = "not here";
		return (GRPC_UNIMPLEMENTED);
	}
	nopen++;
	return (GRPC_OK);
}

static void
s_message(struct grpc_call *call, const uint8_t *data, size_t len, void *arg)
{
	const struct grpc_method	*m = grpc_call_method(call);

	(void)arg;
	if (m == &methods[M_SLOW])
		return;
	if (m == &methods[M_CHANNEL] && len == 4 &&
	    memcmp(data, "quit", 4) == 0) {
		grpc_call_finish(call, GRPC_NOT_FOUND,
		    "host ID not registered: 100% \xc3\xa9");
		return;
	}
	assert_int_equal(grpc_call_send(call, data, len), 0);
	if (m->gm_unary)
		grpc_call_finish(call, GRPC_OK, NULL);
}

static void
s_half(struct grpc_call *call, void *arg)
{
	(void)arg;
	grpc_call_finish(call, GRPC_OK, NULL);
}

static void
s_closed(struct grpc_call *call, enum grpc_end end, void *arg)
{
	(void)call;
	(void)end;
	(void)arg;
	nclosed++;
}

static void
s_conn_closed(struct grpc_conn *conn, enum stream_end end, const char *text,
    void *arg)
{
	(void)conn;
	(void)arg;
	if (end != STREAM_END_EOF && end != STREAM_END_RESET)
		fail_msg("connection ended: %s", text);
	nconns--;
}

static const struct grpc_server_ops	 sops = {
	.gs_call_open = s_open,
	.gs_call_message = s_message,
	.gs_call_half_close = s_half,
	.gs_call_closed = s_closed,
	.gs_conn_closed = s_conn_closed
};

static void
s_up(struct stream *s, void *arg)
{
	(void)arg;
	assert_null(tlsconf_fault(stream_tls(s), "h2"));
	nup++;
	ncerts += tls_peer_cert_provided(stream_tls(s));
	assert_non_null(grpc_server_new(base, s, methods, &sops, NULL));
}

static void
s_end(struct stream *s, enum stream_end end, const char *text, void *arg)
{
	(void)s;
	(void)end;
	(void)arg;
	fail_msg("no handshake: %s", text);
}

static const struct stream_ops	 s_stream_ops = {
	.so_up = s_up,
	.so_end = s_end
};

static void
on_accept(evutil_socket_t lfd, short what, void *arg)
{
	struct tls	*conn;
	int		 fd;

	(void)what;
	(void)arg;
	if ((fd = accept(lfd, NULL, NULL)) == -1)
		return;
	assert_int_equal(tls_accept_socket(server_ctx, &conn, fd), 0);
	assert_non_null(stream_new(base, fd, conn, &s_stream_ops, NULL));
	nconns++;
}

static int
listener(struct sockaddr_in *sin)
{
	socklen_t	 len = sizeof(*sin);
	int		 fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)sin, sizeof(*sin)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)sin, &len), 0);
	return (fd);
}

static pid_t
spawn(const char *script, const char *arg, const char *arg2, int in, int out)
{
	pid_t		 pid;

	assert_true((pid = fork()) != -1);
	if (pid == 0) {
		if (in != -1)
			(void)dup2(in, STDIN_FILENO);
		if (out != -1)
			(void)dup2(out, STDOUT_FILENO);
		(void)execl(PYTHON, PYTHON, script, arg, arg2, (char *)NULL);
		_exit(127);
	}
	return (pid);
}

static int
reap(pid_t pid)
{
	monotime_t	 end = monotime_now() + FOREIGN_MSEC;
	int		 status;

	for (;;) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return (WIFEXITED(status) ? WEXITSTATUS(status) :
			    128 + WTERMSIG(status));
		if (monotime_now() > end) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return (-1);
		}
		loop_for(base, 20);
	}
}

static void
test_foreign_client(void **state)
{
	struct sockaddr_in	 sin;
	struct event		*ev;
	char			 port[8];
	int			 fd;

	(void)state;
	server_ctx = tls_context(true, &server_pem, &ca, "h2");
	fd = listener(&sin);
	ev = event_new(base, fd, EV_READ | EV_PERSIST, on_accept, NULL);
	(void)event_add(ev, NULL);
	(void)snprintf(port, sizeof(port), "%u", ntohs(sin.sin_port));
	assert_int_equal(reap(spawn(SCRIPT("grpc_interop_client.py"), port,
	    dir, -1, -1)), 0);
	loop_for(base, 100);
	assert_int_equal(nup, 2);
	assert_int_equal(ncerts, 1);
	assert_int_equal(nconns, 0);
	assert_true(nopen > 200);
	assert_int_equal(nopen, nclosed);
	event_free(ev);
	(void)close(fd);
	tls_free(server_ctx);
}

struct client {
	struct grpc_conn	*conn;
	bool			 up, closed, done, ponged, goaway;
	enum grpc_status	 status;
	char			 text[GRPC_TEXT_MAXBYTES + 1];
	int			 nmsg;
	size_t			 bytes;
};

static void
c_message(struct grpc_call *call, const uint8_t *data, size_t len, void *arg)
{
	struct client	*c = arg;

	(void)call;
	(void)data;
	c->nmsg++;
	c->bytes += len;
}

static void
c_status(struct grpc_call *call, enum grpc_status status, const char *text,
    void *arg)
{
	struct client	*c = arg;

	(void)call;
	c->done = true;
	c->status = status;
	(void)strlcpy(c->text, text, sizeof(c->text));
}

static void
c_goaway(struct grpc_conn *conn, const char *text, void *arg)
{
	struct client	*c = arg;

	(void)conn;
	(void)text;
	c->goaway = true;
}

static void
c_closed(struct grpc_conn *conn, enum stream_end end, const char *text,
    void *arg)
{
	struct client	*c = arg;

	(void)conn;
	(void)text;
	assert_int_equal(end, STREAM_END_EOF);
	c->closed = true;
}

static const struct grpc_client_ops	 cops = {
	.gc_call_message = c_message,
	.gc_call_status = c_status,
	.gc_conn_goaway = c_goaway,
	.gc_conn_closed = c_closed
};

static void
c_up(struct stream *s, void *arg)
{
	struct client	*c = arg;

	assert_null(tlsconf_fault(stream_tls(s), "h2"));
	c->conn = grpc_client_new(base, s, "localhost", &cops, c);
	c->up = true;
}

static const struct stream_ops	 c_stream_ops = {
	.so_up = c_up,
	.so_end = s_end
};

static void
pong(struct grpc_conn *conn, int rtt, void *arg)
{
	struct client	*c = arg;

	(void)conn;
	assert_true(rtt >= 0);
	c->ponged = true;
}

/* A call with one message, to its status. */
static struct grpc_call *
call(struct client *c, int m, const void *data, size_t len,
    unsigned int timeout)
{
	struct grpc_call	*gc;

	c->done = false;
	c->nmsg = 0;
	c->bytes = 0;
	gc = grpc_call_start(c->conn, &methods[m], timeout, NULL);
	assert_non_null(gc);
	assert_int_equal(grpc_call_send(gc, data, len), 0);
	if (methods[m].gm_unary)
		loop_until(base, &c->done);
	return (gc);
}

static void
foreign_calls(struct client *c)
{
	struct grpc_call	*gc;
	char			*big = calloc(1, GRPC_SEND_MAXBYTES);
	int			 i;

	(void)call(c, M_UNARY, "ping", 4, 0);
	assert_int_equal(c->status, GRPC_OK);
	assert_int_equal(c->bytes, 4);
	(void)call(c, M_UNARY, big, GRPC_SEND_MAXBYTES, 5000);
	assert_int_equal(c->status, GRPC_OK);
	assert_int_equal(c->bytes, GRPC_SEND_MAXBYTES);
	(void)call(c, M_FAIL, "x", 1, 0);
	assert_int_equal(c->status, GRPC_NOT_FOUND);
	assert_string_equal(c->text, "host: 100% \xc3\xa9\\n");
	(void)call(c, M_NOPE, "x", 1, 0);
	assert_int_equal(c->status, GRPC_UNIMPLEMENTED);
	(void)call(c, M_SLOW, "x", 1, 100);
	assert_int_equal(c->status, GRPC_DEADLINE_EXCEEDED);
	(void)call(c, M_BIG, "x", 1, 5000);
	assert_int_equal(c->status, GRPC_RESOURCE_EXHAUSTED);
	assert_int_equal(c->nmsg, 0);

	gc = call(c, M_CHANNEL, "hello", 5, 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(grpc_call_send(gc, big, 300000), 0);
	while (c->nmsg < 11)
		(void)event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(c->bytes, 3000005);
	assert_int_equal(grpc_conn_ping(c->conn, 2000, pong, c), 0);
	loop_until(base, &c->ponged);
	assert_int_equal(grpc_call_half_close(gc), 0);
	loop_until(base, &c->done);
	assert_int_equal(c->status, GRPC_OK);

	(void)call(c, M_EARLY, "x", 1, 0);
	loop_until(base, &c->done);
	assert_int_equal(c->status, GRPC_PERMISSION_DENIED);
	assert_string_equal(c->text, "no more");
	assert_int_equal(c->nmsg, 1);
	free(big);
}

static void
test_foreign_server(void **state)
{
	struct sockaddr_in	 sin;
	struct client		 c;
	struct tls		*tls;
	char			 port[16] = "";
	pid_t			 pid;
	int			 in[2], out[2], fd;

	(void)state;
	memset(&c, 0, sizeof(c));
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = spawn(SCRIPT("grpc_interop_server.py"), dir, NULL, in[0],
	    out[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	assert_true(read(out[0], port, sizeof(port) - 1) > 0);
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)atoi(port));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)),
	    0);
	tls = tls_context(false, &client_pem, NULL, "h2");
	assert_int_equal(tls_connect_socket(tls, fd, "localhost"), 0);
	assert_non_null(stream_new(base, fd, tls, &c_stream_ops, &c));
	loop_until(base, &c.up);
	foreign_calls(&c);
	/* The server stops: GOAWAY, then the end. */
	(void)close(in[1]);
	loop_until(base, &c.closed);
	assert_true(c.goaway);
	assert_int_equal(reap(pid), 0);
	(void)close(out[0]);
}

static void
save(const char *name, const char *text)
{
	char		 path[128];
	FILE		*fp;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_non_null(fp = fopen(path, "w"));
	assert_true(fputs(text, fp) >= 0);
	assert_int_equal(fclose(fp), 0);
}

static const char *const	 files[] = {
	"ca.pem", "server.pem", "server.key", "client.pem", "client.key"
};

static int
setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	pem_make(&ca, "CA", NULL, NULL, -60, 3600);
	pem_make(&server_pem, "server", &ca, "serverAuth", -60, 3600);
	pem_make(&client_pem, "host", &ca, "clientAuth", -60, 3600);
	assert_non_null(mkdtemp(dir));
	save(files[0], ca.pm_cert);
	save(files[1], server_pem.pm_cert);
	save(files[2], server_pem.pm_key);
	save(files[3], client_pem.pm_cert);
	save(files[4], client_pem.pm_key);
	return (0);
}

static int
teardown(void **state)
{
	char		 path[128];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
	pem_free(&ca);
	pem_free(&server_pem);
	pem_free(&client_pem);
	loop_for(base, STREAM_LINGER_MSEC + 100);
	event_base_free(base);
	libevent_global_shutdown();
	return (0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_foreign_client),
		cmocka_unit_test(test_foreign_server)
	};

	return (cmocka_run_group_tests_name("grpc_interop", tests, setup,
	    teardown));
}
