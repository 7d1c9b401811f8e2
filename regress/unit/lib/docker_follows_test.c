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

#include "dockerrig.h"

#include "follow.h"

/*
 * The docker process does not rely on the engine for how many follows there
 * are, nor for whose turn it is.
 */
static void
follow(uint32_t id, const char *container)
{
	Sentinel__Ipc__DockerFollow	 m;
	uint8_t				 buf[1024];

	sentinel__ipc__docker_follow__init(&m);
	m.container = (char *)(uintptr_t)container;
	m.lines = -1;
	m.streams = FOLLOW_BOTH;
	handle(IMSG_DOCKER_FOLLOW, id, -1, buf,
	    protobuf_c_message_pack(&m.base, buf));
}

static void
taken(uint32_t id, uint8_t n)
{
	const uint8_t	 body[4] = { 0, 0, 0, n };

	handle(IMSG_DOCKER_TAKEN, id, -1, body, sizeof(body));
}

/* So that Docker has been asked for all that it was to be asked for. */
static void
settle(const char *request)
{
	char	 until[64];

	op(LIST, request, "", "", "", 0);
	(void)snprintf(until, sizeof(until), "<end %s 1 >", request);
	run(until);
}

static int
count(const char *what)
{
	const char	*p;
	int		 n = 0;

	for (p = said; (p = strstr(p, what)) != NULL; p++)
		n++;
	return (n);
}

/* One process, and so one test. */
static void
test_limit(void **state)
{
	static const char	 frame[] = "\1\0\0\0\0\0\0\3hi\n";
	uint32_t		 id;

	(void)state;
	fk.base = event_base_new();
	fk.api = "1.43";
	credit = true;
	snprintf(fk.im[0].id, sizeof(fk.im[0].id), "sha256:%064d", 1);
	strlcpy(fk.im[0].tags[0], "app:1", sizeof(fk.im[0].tags[0]));
	add("web", "app:1");
	docker_process_warmup();
	docker_process_start();
	rig_begin();

	/* Docker has nothing to say: they stay. */
	fk.fail_what = "/logs?";
	fk.fate = FK_HANG;
	for (id = 1; id <= FOLLOW_HOST_MAX; id++)
		follow(id, "web");
	settle("s1");
	assert_int_equal(count("<over "), 0);
	follow(id, "web");
	assert_int_equal(count("<over "), 1);
	assert_non_null(strstr(said, "<over 7 1 too many follows at a "
	    "time>"));
	assert_int_equal(nbroken, 0);

	/* One has ended: there is room for one, and no more. */
	handle(IMSG_DOCKER_UNFOLLOW, 3, -1, NULL, 0);
	handle(IMSG_DOCKER_UNFOLLOW, 3, -1, NULL, 0);
	follow(8, "web");
	follow(9, "web");
	settle("s2");
	assert_int_equal(count("<over "), 2);
	assert_non_null(strstr(said, "<over 9 1 too many"));

	/* So it is with those that Docker ends. */
	handle(IMSG_DOCKER_UNFOLLOW, 8, -1, NULL, 0);
	fk.fail_what = NULL;
	fk.logs = frame;
	fk.logslen = sizeof(frame) - 1;
	for (id = 10; id < 10 + 2 * FOLLOW_HOST_MAX; id++) {
		said[0] = '\0';
		follow(id, "web");
		run("<over ");
		assert_non_null(strstr(said, "0 container \"web\" has "
		    "ended>"));
		assert_int_equal(count("<open "), 1);
		assert_int_equal(count("hi\n>"), 1);
	}

	/* The number of one that is there; credit for what was not sent, and
	 * for one that is there no more. */
	follow(1, "web");
	assert_int_equal(nbroken, 1);
	taken(1, 1);
	assert_int_equal(nbroken, 2);
	taken(10, 1);
	assert_int_equal(nbroken, 2);
	fk_free(&fk);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_limit),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init("follows_test", memfd_create("log", 0));
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
