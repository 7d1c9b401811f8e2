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

#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "proc_internal.h"
#include "sdnotify.h"

/*
 * One child of a parent that is nothing but its watch: what is sent to it,
 * and what would kill it, comes to us.
 */
#define WATCH_MSEC	60	/* six turns of 10 ms */

static struct event_base	*base;
static struct parent		 pa;
static struct child		 children[2];
static struct peer		 peer;
static struct proc_row		 row = { .pr_name = "cluster" };
static uint32_t			 asked;		/* the last ping */
static unsigned int		 pings, kills, brokens;
static int			 answers;	/* how many we still give */
static pid_t			 pid;		/* of the child, if any */
static char			 logged[4096];

struct event_base *
proc_base(void)
{
	if (base == NULL)
		base = event_base_new();
	return (base);
}

static void
pong(uint32_t number)
{
	struct ibuf	*b;
	struct imsg	 m;

	memset(&m, 0, sizeof(m));
	assert_non_null(b = ibuf_dynamic(4, 8));
	assert_int_equal(ibuf_add_n32(b, number), 0);
	m.buf = b;
	watch_pong(&children[1], &m);
	ibuf_free(b);
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd, const void *data,
    size_t len)
{
	uint32_t	 number;

	assert_ptr_equal(p, &peer);
	assert_int_equal(type, IMSG_PROC_PING);
	assert_int_equal(id, 0);
	assert_int_equal(fd, -1);
	assert_int_equal(len, sizeof(number));
	memcpy(&number, data, sizeof(number));
	asked = ntohl(number);
	assert_int_not_equal(asked, 0);
	pings++;
	if (answers > 0) {
		answers--;
		pong(asked);
	}
	return (0);
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)m;
	assert_ptr_equal(p, &peer);
	assert_string_equal(why, "nobody asked");
	brokens++;
}

void
child_kill(struct child *ch, const char *why)
{
	assert_ptr_equal(ch, &children[1]);
	ch->ch_why = why;
	kills++;
}

static void
sink(int prio, const char *line, size_t len)
{
	(void)prio;
	(void)len;
	(void)strlcat(logged, line, sizeof(logged));
	(void)strlcat(logged, "\n", sizeof(logged));
}

static void
loop_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	(void)event_base_loopbreak(base);
}

/* Lets the watch run for so many turns and a half. */
static void
turns(unsigned int n)
{
	struct timeval	 tv = monotime_timeval(n * pa.pa_period +
			    pa.pa_period / 2);

	assert_int_equal(event_base_once(base, -1, EV_TIMEOUT, loop_end, NULL,
	    &tv), 0);
	assert_int_not_equal(event_base_dispatch(base), -1);
}

/* However slow this machine is. */
static void
until_pings(unsigned int n)
{
	monotime_t	 deadline = monotime_now() + 10000;

	while (pings < n && monotime_left(deadline) > 0)
		turns(1);
	assert_true(pings >= n);
}

static void
until_killed(void)
{
	monotime_t	 deadline = monotime_now() + 10000;

	while (kills == 0 && monotime_left(deadline) > 0)
		turns(1);
	assert_int_equal(kills, 1);
}

static int
setup(void **state)
{
	(void)state;
	memset(&pa, 0, sizeof(pa));
	memset(children, 0, sizeof(children));
	memset(&peer, 0, sizeof(peer));
	logged[0] = '\0';
	pings = kills = brokens = 0;
	answers = 0;
	pid = 0;
	pa.pa_opts.po_watch_msec = WATCH_MSEC;
	pa.pa_children = children;
	pa.pa_nchildren = 2;
	children[1].ch_parent = &pa;
	children[1].ch_row = &row;
	children[1].ch_peer = &peer;
	children[1].ch_pid = getpid();
	children[1].ch_state = CHILD_UP;
	log_init("parent", -1);
	log_setsink(sink);
	watch_reset(&children[1]);
	watch_start(&pa);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	log_setsink(NULL);
	event_free(pa.pa_watch);
	event_base_free(base);
	base = NULL;
	if (pid != 0) {
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	sdnotify_close();
	return (0);
}

static void
test_answers(void **state)
{
	(void)state;
	answers = 1000;
	until_pings(15);
	assert_int_equal(kills, 0);
	assert_int_equal(brokens, 0);
	assert_string_equal(logged, "");
}

/* One that has answered before; and never more than one question. */
static void
test_hangs(void **state)
{
	(void)state;
	answers = 1;
	until_pings(2);
	assert_int_equal(kills, 0);
	until_killed();
	turns(10);
	assert_int_equal(pings, 2);
	assert_int_equal(kills, 1);
	assert_true(children[1].ch_hung);
	assert_non_null(strstr(logged, "cluster, pid "));
	assert_non_null(strstr(logged, "hangs: no answer for 0 s (state R), "
	    "killed"));
}

/* What it does before its first answer may take ten times as long. */
static void
test_first(void **state)
{
	(void)state;
	turns(30);
	assert_int_equal(pings, 1);
	assert_int_equal(kills, 0);
	until_killed();
}

/* Turns that did not happen in time count for nobody. */
static void
test_parent_slept(void **state)
{
	unsigned int	 i;

	(void)state;
	answers = 1;
	until_pings(2);
	for (i = 0; i < 20; i++) {
		(void)usleep(30 * 1000);
		turns(0);
	}
	assert_int_equal(kills, 0);
	until_killed();
}

/* Only one that is in its event loop is asked. */
static void
test_states(void **state)
{
	enum child_state	 s;

	(void)state;
	for (s = CHILD_OFF; s <= CHILD_GONE; s++) {
		children[1].ch_state = s;
		pings = 0;
		answers = 100;
		if (s == CHILD_UP)
			until_pings(1);
		else
			turns(3);
		assert_int_equal(pings > 0, s == CHILD_UP);
	}
	children[1].ch_state = CHILD_UP;
	children[1].ch_peer = NULL;
	pings = 0;
	turns(2);
	assert_int_equal(pings, 0);
}

static void
test_stopping(void **state)
{
	(void)state;
	answers = 1;
	until_pings(2);
	pings = 0;
	pa.pa_stopping = true;
	turns(10);
	assert_int_equal(pings, 0);
	assert_int_equal(kills, 0);
}

/* A debugger may take its time; without it the time begins anew. */
static void
test_traced(void **state)
{
	siginfo_t	 si;
	unsigned int	 i;

	(void)state;
	if ((pid = fork()) == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		for (;;)
			(void)pause();
	}
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitid(P_PID, (id_t)pid, &si, WSTOPPED), 0);
	children[1].ch_pid = pid;
	answers = 1;
	for (i = 0; i < 100 && strstr(logged, "traced") == NULL; i++)
		turns(2);
	turns(15);
	assert_int_equal(kills, 0);
	assert_non_null(strstr(logged, "but it is traced (state t): not "
	    "killed"));
	/* Once, not every minute. */
	assert_null(strstr(strstr(logged, "traced") + 1, "traced"));
	pong(asked);
	assert_non_null(strstr(logged, "answers again"));
	assert_int_equal(brokens, 0);
	assert_int_equal(ptrace(PTRACE_DETACH, pid, NULL, 0), 0);
	until_killed();
	assert_true(children[1].ch_hung);
}

/* Stopped by somebody's SIGSTOP is no excuse. */
static void
test_stopped(void **state)
{
	siginfo_t	 si;

	(void)state;
	if ((pid = fork()) == 0) {
		for (;;)
			(void)raise(SIGSTOP);
	}
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitid(P_PID, (id_t)pid, &si, WSTOPPED), 0);
	children[1].ch_pid = pid;
	answers = 1;
	until_killed();
	assert_non_null(strstr(logged, "(state T)"));
}

/* Twice, unasked, another number, none: broken, and nothing is forgiven. */
static void
test_pongs(void **state)
{
	(void)state;
	pong(1);
	assert_int_equal(brokens, 1);
	until_pings(1);
	pong(asked + 1);
	pong(0);
	assert_int_equal(brokens, 3);
	assert_false(children[1].ch_answered);
	assert_int_equal(children[1].ch_ping, asked);
	pong(asked);
	assert_int_equal(brokens, 3);
	pong(asked);
	assert_int_equal(brokens, 4);
	pong(0);
	assert_int_equal(brokens, 5);
}

static void
test_wrap(void **state)
{
	(void)state;
	pa.pa_ping = UINT32_MAX;
	answers = 5;
	until_pings(3);
	assert_true(pa.pa_ping >= 1 && pa.pa_ping < 10);
	assert_int_equal(brokens, 0);
}

/* systemd waits for less than we do: it is told three times as often, and the
 * child has the same time as before. */
static void
test_manager(void **state)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	char			 buf[64];
	socklen_t		 len;
	int			 s, n;

	(void)state;
	event_free(pa.pa_watch);
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "@watch_test.%d",
	    (int)getpid());
	(void)setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	(void)setenv("WATCHDOG_USEC", "15000", 1);
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(sun.sun_path));
	sun.sun_path[0] = '\0';
	assert_int_not_equal(s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK,
	    0), -1);
	assert_int_equal(bind(s, (struct sockaddr *)&sun, len), 0);
	assert_int_equal(sdnotify_init(), 0);
	watch_start(&pa);
	assert_int_equal(pa.pa_period, 5);
	answers = 1;
	turns(8);
	assert_int_equal(kills, 0);
	until_killed();
	for (n = 0; recv(s, buf, sizeof(buf), 0) > 0; n++)
		assert_memory_equal(buf, "WATCHDOG=1", 10);
	/* As many as a queue takes that nobody reads. */
	assert_true(n >= 5);
	(void)close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hangs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parent_slept, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopping, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_traced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pongs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_manager, setup, teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
