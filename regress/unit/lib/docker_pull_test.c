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

#include "unit.h"

#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_pull.h"
#include "monotime.h"

/*
 * A pull in time: how often its progress is told, how long silence may last,
 * and that nothing limits the whole.  The engine here writes a line of progress
 * every so many milliseconds, so many times, and then ends or is silent.
 */
#define NCONNS	4

static struct event_base	*base;
static struct docker		*dk;
static struct bufferevent	*bevs[NCONNS];
static size_t			 nbevs;
static struct bufferevent	*puller;
static struct event		*tick;
static unsigned int		 every, left;
static bool			 then_ends;
static unsigned int		 told;
static bool			 over;
static char			 error[256];

static void	 arm(void);

static void
chunk(const char *text)
{
	struct evbuffer	*out = bufferevent_get_output(puller);

	evbuffer_add_printf(out, "%zx\r\n%s\r\n", strlen(text), text);
}

static void
on_tick(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (left > 0) {
		left--;
		chunk("{\"status\":\"Downloading\",\"id\":\"a1\","
		    "\"progressDetail\":{\"current\":5,\"total\":9}}\r\n");
		arm();
	} else if (then_ends) {
		chunk("{\"status\":\"Status: Downloaded\"}\r\n");
		evbuffer_add_printf(bufferevent_get_output(puller),
		    "0\r\n\r\n");
	}
}

static void
arm(void)
{
	struct timeval	 tv = monotime_timeval(every);

	evtimer_add(tick, &tv);
}

static void
on_request(struct bufferevent *bev, void *arg)
{
	struct evbuffer	*in = bufferevent_get_input(bev);
	struct evbuffer	*out = bufferevent_get_output(bev);
	char		*line;

	(void)arg;
	line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT);
	assert_non_null(line);
	evbuffer_drain(in, evbuffer_get_length(in));
	if (strstr(line, "/_ping") != NULL)
		evbuffer_add_printf(out, "HTTP/1.1 200 OK\r\n"
		    "Api-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK");
	else {
		assert_non_null(strstr(line, "/images/create?"));
		evbuffer_add_printf(out, "HTTP/1.1 200 OK\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n");
		puller = bev;
		arm();
	}
	free(line);
}

static void
need_fd(void *arg)
{
	int	 sv[2];

	(void)arg;
	assert_true(nbevs < NCONNS);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    sv), 0);
	bevs[nbevs] = bufferevent_socket_new(base, sv[1],
	    BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(bevs[nbevs], on_request, NULL, NULL, NULL);
	bufferevent_enable(bevs[nbevs], EV_READ | EV_WRITE);
	nbevs++;
	docker_give_fd(dk, sv[0]);
}

static void
on_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	assert_string_equal(what, "0 of 1 layers, 0.0 kB of 0.0 kB");
	assert_int_equal(done, 5);
	assert_int_equal(total, 9);
	told++;
}

static void
on_done(void *arg, const char *why)
{
	(void)arg;
	over = true;
	(void)strlcpy(error, why, sizeof(error));
	event_base_loopbreak(base);
}

static int
up(void **state)
{
	(void)state;
	nbevs = 0;
	puller = NULL;
	told = 0;
	over = false;
	error[0] = '\0';
	base = event_base_new();
	tick = evtimer_new(base, on_tick, NULL);
	assert_non_null(dk = docker_new(base, need_fd, NULL));
	return (0);
}

static int
down(void **state)
{
	(void)state;
	docker_free(dk);
	while (nbevs > 0)
		bufferevent_free(bevs[--nbevs]);
	event_free(tick);
	event_base_free(base);
	return (0);
}

/* Returns how many milliseconds it took. */
static monotime_t
pull(unsigned int idle, unsigned int msec, unsigned int lines, bool ends)
{
	static const struct docker_pull_cbs	 cbs = { on_progress,
						    on_done };
	struct timeval				 tv = { 8, 0 };
	monotime_t				 began = monotime_now();

	every = msec;
	left = lines;
	then_ends = ends;
	assert_non_null(docker_pull(dk, "app:1", NULL, idle, &cbs, NULL));
	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
	assert_true(over);
	return (monotime_now() - began);
}

/* Four times a second, however much the engine says. */
static void
test_throttle(void **state)
{
	monotime_t	 msec;

	(void)state;
	msec = pull(2000, 5, 200, true);
	assert_string_equal(error, "");
	if (told < 3 || told > (unsigned int)(msec / 250) + 1)
		fail_msg("told %u times in %lld ms", told, (long long)msec);
}

/* Longer than the limit of silence, but never silent. */
static void
test_no_total(void **state)
{
	(void)state;
	assert_true(pull(400, 100, 12, true) >= 1200);
	assert_string_equal(error, "");
}

/* Silent in the middle, and from the beginning on. */
static void
test_idle(void **state)
{
	monotime_t	 msec;

	msec = pull(300, 20, 5, false);
	assert_string_not_equal(error, "");
	if (msec < 300 || msec > 2000)
		fail_msg("ended after %lld ms: %s", (long long)msec, error);
	assert_int_equal(left, 0);
	down(state);
	up(state);
	msec = pull(300, 5000, 1, false);
	assert_string_not_equal(error, "");
	if (msec < 300 || msec > 2000)
		fail_msg("ended after %lld ms: %s", (long long)msec, error);
	assert_int_equal(told, 0);
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, down)
	const struct CMUnitTest	 tests[] = {
		T(test_throttle),
		T(test_no_total),
		T(test_idle),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
