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

#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "http.h"

/* One connection to a scripted peer at the other end of a socket pair. */
struct rig {
	struct event_base	*base;
	struct http_conn	*hc;
	int			 peer;
	int			 ndone;
	int			 nclosed;
	enum http_end		 end;
	char			 what[64];
	char			 body[4096];
	size_t			 len;
	int			 status;
	int			 abort_at;	/* body bytes; -1 never */
	int			 pause_at;
	bool			 free_in_data;
	char			 ctype[64];
};

static int
on_head(void *arg, struct http_conn *hc, int status)
{
	struct rig	*r = arg;
	const char	*s = http_conn_header(hc, "content-type");

	r->status = status;
	strlcpy(r->ctype, s == NULL ? "(none)" : s, sizeof(r->ctype));
	return (0);
}

static int
on_data(void *arg, const uint8_t *p, size_t len)
{
	struct rig	*r = arg;

	assert_true(len < sizeof(r->body) - r->len);
	memcpy(r->body + r->len, p, len);
	r->len += len;
	r->body[r->len] = '\0';
	if (r->free_in_data) {
		http_conn_free(r->hc);
		r->hc = NULL;
		return (0);
	}
	if (r->pause_at >= 0 && r->len >= (size_t)r->pause_at) {
		r->pause_at = -1;
		http_conn_pause(r->hc);
	}
	return (r->abort_at >= 0 && r->len >= (size_t)r->abort_at ? -1 : 0);
}

static void
on_done(void *arg, enum http_end end, const char *what)
{
	struct rig	*r = arg;

	r->ndone++;
	r->end = end;
	strlcpy(r->what, what, sizeof(r->what));
	event_base_loopbreak(r->base);
}

static void
on_closed(void *arg, struct http_conn *hc)
{
	struct rig	*r = arg;

	assert_ptr_equal(hc, r->hc);
	r->nclosed++;
	event_base_loopbreak(r->base);
}

static void
rig_open(struct rig *r)
{
	int	 sv[2];

	memset(r, 0, sizeof(*r));
	r->abort_at = r->pause_at = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	r->base = event_base_new();
	r->peer = sv[1];
	assert_non_null(r->hc = http_conn_new(r->base, sv[0], on_closed, r));
}

static void
rig_close(struct rig *r)
{
	http_conn_free(r->hc);
	if (r->peer != -1)
		close(r->peer);
	event_base_free(r->base);
}

static int
rig_send(struct rig *r, const char *method, size_t maxbody, unsigned int idle,
    unsigned int total)
{
	struct http_request	 hr = {
		.hr_method = method, .hr_path = "/x?y=1",
		.hr_maxbody = maxbody, .hr_idle_msec = idle,
		.hr_total_msec = total, .hr_head = on_head,
		.hr_data = on_data, .hr_done = on_done, .hr_arg = r
	};

	r->len = 0;
	r->body[0] = '\0';
	r->ndone = 0;
	return (http_request(r->hc, &hr));
}

static void
loop(struct rig *r)
{
	struct timeval	 tv = { 2, 0 };

	event_base_loopexit(r->base, &tv);
	event_base_dispatch(r->base);
}

static void
turn(struct rig *r)
{
	int	 i;

	for (i = 0; i < 4; i++)
		event_base_loop(r->base, EVLOOP_NONBLOCK);
}

/* Send a request, answer with text in pieces of step bytes. */
static void
exchange(struct rig *r, const char *method, const char *answer, size_t step,
    bool eof)
{
	size_t	 len = strlen(answer), i, n;
	char	 buf[512];

	assert_int_equal(rig_send(r, method, 1000, 1000, 0), 0);
	turn(r);
	/* Unread bytes would turn the peer's close into a reset. */
	assert_true(read(r->peer, buf, sizeof(buf)) > 0);
	for (i = 0; i < len && r->ndone == 0 && r->hc != NULL; i += n) {
		n = len - i < step ? len - i : step;
		assert_int_equal(write(r->peer, answer + i, n), n);
		turn(r);
	}
	if (eof) {
		close(r->peer);
		r->peer = -1;
	}
	if (r->ndone == 0 && r->hc != NULL)
		loop(r);
}

#define OK	"HTTP/1.1 200 OK\r\n"

static void
test_answers(void **state)
{
	static const struct {
		const char	*method, *text, *body;
		bool		 eof, usable;
	} t[] = {
		{ "GET", OK "Content-Length: 5\r\nContent-Type: a/b\r\n\r\n"
		    "hello", "hello", false, true },
		{ "GET", OK "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc"
		    "\r\n2\r\nde\r\n0\r\nTrail: er\r\n\r\n", "abcde",
		    false, true },
		{ "GET", OK "\r\nuntil the end", "until the end", true, false },
		{ "GET", OK "Connection: close\r\nContent-Length: 1\r\n\r\nx",
		    "x", false, false },
		{ "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "x",
		    false, false },
		{ "POST", "HTTP/1.1 204 No Content\r\nEmpty:\r\nB: c\r\n\r\n",
		    "", false, true },
		{ "HEAD", OK "Content-Length: 99999\r\n\r\n", "", false, true },
		{ "GET", "HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" OK
		    "Content-Length: 2\r\n\r\nok", "ok", false, true },
		{ "GET", "HTTP/1.1 304 Not Modified\r\n\r\n", "", false, true },
	};
	struct rig	 r;
	size_t		 i, step;

	(void)state;
	for (i = 0; i < nitems(t); i++)
		for (step = 1; step < 200; step += step < 4 ? 1 : 97) {
			rig_open(&r);
			exchange(&r, t[i].method, t[i].text, step, t[i].eof);
			assert_int_equal(r.ndone, 1);
			assert_string_equal(r.what, "");
			assert_int_equal(r.end, HTTP_DONE);
			assert_string_equal(r.body, t[i].body);
			assert_int_equal(http_conn_usable(r.hc), t[i].usable);
			rig_close(&r);
		}
}

static void
test_refused(void **state)
{
	static const struct { const char *text, *why; } t[] = {
		{ "HTTP/2.0 200 OK\r\n\r\n", "HTTP version is not 1.0 or 1.1" },
		{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		    "Transfer-Encoding in HTTP/1.0" },
		{ OK "Transfer-Encoding: gzip\r\n\r\n",
		    "unknown Transfer-Encoding" },
		{ OK "Transfer-Encoding: gzip, chunked\r\n\r\n",
		    "unknown Transfer-Encoding" },
		{ OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		    "answer is not valid HTTP" },
		{ OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		    "answer is not valid HTTP" },
		{ OK "A: b\r\n folded\r\n\r\n", "folded header field" },
		{ OK ": b\r\n\r\n", "header field without a name" },
		{ OK "Content-Length: 1001\r\n\r\n", "answer too long" },
		{ OK "A b: c\r\n\r\n", "answer is not valid HTTP" },
		{ "HTTP/1.1 101 S\r\nUpgrade: tcp\r\nConnection: upgrade\r\n"
		    "\r\n", "unexpected change of protocol" },
		{ "HTTP/1.1 999 No\r\n\r\n", "HTTP status out of range" },
		{ "garbage\r\n\r\n", "answer is not valid HTTP" },
	};
	struct rig	 r;
	size_t		 i, step;

	(void)state;
	for (i = 0; i < nitems(t); i++)
		for (step = 1; step < 200; step += 150) {
			rig_open(&r);
			exchange(&r, "GET", t[i].text, step, false);
			assert_int_equal(r.ndone, 1);
			assert_string_equal(r.what, t[i].why);
			assert_int_equal(r.end, HTTP_BROKEN);
			assert_false(http_conn_usable(r.hc));
			rig_close(&r);
		}
}

static void
test_limits(void **state)
{
	struct rig	 r;
	char		*buf;
	int		 i;

	(void)state;
	assert_non_null(buf = calloc(1, 40000));
	strlcpy(buf, OK, 40000);
	for (i = 0; i <= HTTP_FIELDS_MAX; i++)
		strlcat(buf, "a: b\r\n", 40000);
	rig_open(&r);
	exchange(&r, "GET", buf, 40000, false);
	assert_string_equal(r.what, "too many header fields");
	rig_close(&r);

	memset(buf, 'a', 20000);
	memcpy(buf, OK "A: ", strlen(OK "A: "));
	rig_open(&r);
	exchange(&r, "GET", buf, 40000, false);
	assert_string_equal(r.what, "header too long");
	rig_close(&r);

	/* A body that only grows. */
	strlcpy(buf, OK "Transfer-Encoding: chunked\r\n\r\n", 40000);
	for (i = 0; i < 101; i++)
		strlcat(buf, "a\r\n0123456789\r\n", 40000);
	rig_open(&r);
	exchange(&r, "GET", buf, 40000, false);
	assert_string_equal(r.what, "answer too long");
	assert_true(r.len <= 1000);
	rig_close(&r);
	free(buf);
}

static void
test_keepalive(void **state)
{
	struct rig	 r;
	int		 i;

	(void)state;
	rig_open(&r);
	for (i = 0; i < 50; i++) {
		exchange(&r, "GET", OK "Content-Length: 2\r\n\r\nok", 100,
		    false);
		assert_int_equal(r.end, HTTP_DONE);
		assert_true(http_conn_usable(r.hc));
	}
	/* Bytes that nobody asked for end it. */
	assert_int_equal(write(r.peer, "x", 1), 1);
	loop(&r);
	assert_int_equal(r.nclosed, 1);
	assert_false(http_conn_usable(r.hc));
	assert_int_equal(rig_send(&r, "GET", 10, 0, 0), -1);
	assert_int_equal(errno, EPIPE);
	rig_close(&r);

	/* More than one answer to one request. */
	rig_open(&r);
	exchange(&r, "GET", OK "Content-Length: 2\r\n\r\nokHTTP/1.1 200", 100,
	    false);
	assert_int_equal(r.end, HTTP_DONE);
	assert_string_equal(r.body, "ok");
	assert_false(http_conn_usable(r.hc));
	rig_close(&r);
}

static void
test_ends(void **state)
{
	struct rig	 r;

	(void)state;
	rig_open(&r);		/* peer gone before the request */
	close(r.peer);
	r.peer = -1;
	assert_int_equal(rig_send(&r, "GET", 10, 0, 0), 0);
	loop(&r);
	assert_int_equal(r.ndone, 1);
	assert_int_equal(r.end, HTTP_UNSENT);
	rig_close(&r);

	rig_open(&r);		/* answer cut */
	exchange(&r, "GET", OK "Content-Length: 5\r\n\r\nhe", 100, true);
	assert_int_equal(r.end, HTTP_LOST);
	rig_close(&r);

	rig_open(&r);		/* nothing comes */
	assert_int_equal(rig_send(&r, "GET", 10, 20, 0), 0);
	loop(&r);
	assert_int_equal(r.end, HTTP_TIMEOUT);
	rig_close(&r);

	rig_open(&r);		/* absolute deadline in spite of bytes */
	assert_int_equal(rig_send(&r, "GET", 10, 0, 30), 0);
	assert_int_equal(write(r.peer, "HTTP/1.1", 8), 8);
	loop(&r);
	assert_int_equal(r.end, HTTP_TIMEOUT);
	rig_close(&r);

	rig_open(&r);		/* aborted by the reader */
	r.abort_at = 2;
	exchange(&r, "GET", OK "Content-Length: 5\r\n\r\nhello", 1, false);
	assert_int_equal(r.end, HTTP_ABORTED);
	rig_close(&r);

	rig_open(&r);		/* freed inside a callback */
	r.free_in_data = true;
	exchange(&r, "GET", OK "Content-Length: 5\r\n\r\nhello", 100, false);
	assert_int_equal(r.ndone, 0);
	rig_close(&r);

	rig_open(&r);		/* idle end */
	close(r.peer);
	r.peer = -1;
	loop(&r);
	assert_int_equal(r.nclosed, 1);
	rig_close(&r);
}

static void
test_pause(void **state)
{
	struct rig	 r;
	static const char text[] = OK "Content-Length: 10\r\n\r\n0123456789";
	size_t		 cut = sizeof(text) - 1 - 6;

	(void)state;
	rig_open(&r);
	r.pause_at = 1;
	assert_int_equal(rig_send(&r, "GET", 100, 20, 0), 0);
	turn(&r);
	assert_int_equal(write(r.peer, text, cut), cut);
	turn(&r);
	assert_string_equal(r.body, "0123");
	assert_int_equal(write(r.peer, text + cut, 6), 6);
	turn(&r);
	usleep(40000);		/* longer than the idle deadline, which rests */
	turn(&r);
	assert_string_equal(r.body, "0123");
	assert_int_equal(r.ndone, 0);
	http_conn_resume(r.hc);
	loop(&r);
	assert_int_equal(r.end, HTTP_DONE);
	assert_string_equal(r.body, "0123456789");
	assert_true(http_conn_usable(r.hc));
	rig_close(&r);
}

/*
 * Somebody stops reading with the last byte of a body, or in the middle of
 * what one read has brought: that is still handed over, and the end with it.
 * The connection is not used again, since the pause may last.
 */
static void
test_pause_end(void **state)
{
	static const struct {
		const char	*text;
		int		 at;
	} t[] = {
		{ OK "Content-Length: 10\r\n\r\n0123456789", 10 },
		{ OK "Content-Length: 10\r\n\r\n0123456789", 1 },
		{ OK "Transfer-Encoding: chunked\r\n\r\n"
		    "4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n", 4 },
		{ OK "Transfer-Encoding: chunked\r\n\r\n"
		    "a\r\n0123456789\r\n0\r\n\r\n", 10 },
	};
	struct rig	 r;
	size_t		 i, len;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		rig_open(&r);
		r.pause_at = t[i].at;
		assert_int_equal(rig_send(&r, "GET", 100, 1000, 0), 0);
		turn(&r);
		len = strlen(t[i].text);
		assert_int_equal(write(r.peer, t[i].text, len), len);
		turn(&r);
		if (r.ndone != 1 || r.end != HTTP_DONE ||
		    strcmp(r.body, "0123456789") != 0 ||
		    http_conn_usable(r.hc))
			fail_msg("row %zu: done %d, end %d, \"%s\"", i,
			    r.ndone, (int)r.end, r.body);
		rig_close(&r);
	}
}

static void
test_request(void **state)
{
	struct rig		 r;
	struct http_request	 hr = {
		.hr_method = "POST", .hr_path = "/a", .hr_body = "{}",
		.hr_bodylen = 2, .hr_ctype = "application/json",
		.hr_headers = "X-A: b\r\n", .hr_done = on_done, .hr_arg = &r
	};
	char			 buf[512];
	ssize_t			 n;

	(void)state;
	rig_open(&r);
	hr.hr_path = "/a b";
	assert_int_equal(http_request(r.hc, &hr), -1);
	hr.hr_path = "/a\r\nX: y";
	assert_int_equal(http_request(r.hc, &hr), -1);
	hr.hr_path = "/a";
	hr.hr_headers = "X-A: b";
	assert_int_equal(http_request(r.hc, &hr), -1);
	hr.hr_headers = "X-A: b\nY: z\r\n";
	assert_int_equal(http_request(r.hc, &hr), -1);
	assert_int_equal(errno, EINVAL);
	hr.hr_headers = "X-A: b\r\n";
	assert_int_equal(http_request(r.hc, &hr), 0);
	assert_int_equal(http_request(r.hc, &hr), -1);
	assert_int_equal(errno, EBUSY);
	turn(&r);
	n = read(r.peer, buf, sizeof(buf) - 1);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_string_equal(buf, "POST /a HTTP/1.1\r\nHost: docker\r\n"
	    "User-Agent: sentinel\r\nX-A: b\r\n"
	    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
	rig_close(&r);

	strlcpy(buf, "/c/", sizeof(buf));
	assert_int_equal(http_escape(buf, sizeof(buf), "a/b c%?\xc3~"), 0);
	assert_string_equal(buf, "/c/a%2Fb%20c%25%3F%C3~");
	assert_int_equal(http_escape(buf, strlen(buf) + 3, "x"), -1);
}

static const char golden[] = "HTTP/1.1 100 C\r\n\r\n" OK
    "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n0\r\n\r\n";

/* Whatever comes, there is exactly one end and it comes in time. */
static void
test_mutations(void **state)
{
	struct rig	 r;
	char		 buf[sizeof(golden)];
	size_t		 i, len = sizeof(golden) - 1;

	(void)state;
	for (i = 0; i <= len; i++) {
		rig_open(&r);
		memcpy(buf, golden, sizeof(buf));
		buf[i] = '\0';
		exchange(&r, "GET", buf, 1000, true);
		assert_int_equal(r.ndone, 1);
		assert_int_equal(r.end == HTTP_DONE, i == len);
		rig_close(&r);
	}
	for (i = 0; i < len * 8; i++) {
		rig_open(&r);
		memcpy(buf, golden, sizeof(buf));
		buf[i / 8] = (char)(buf[i / 8] ^ (1 << (i % 8)));
		exchange(&r, "GET", buf, 1000, true);
		assert_int_equal(r.ndone, 1);
		rig_close(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_pause_end),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_mutations),
	};

	signal(SIGPIPE, SIG_IGN);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
