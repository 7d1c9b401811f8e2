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

/* The whole life in order: there is one process, and so one test. */
static void
start(void)
{
	fk.base = event_base_new();
	fk.api = "1.43";
	fk.pull_to = 1;
	credit = true;
	snprintf(fk.im[0].id, sizeof(fk.im[0].id), "sha256:%064d", 1);
	strlcpy(fk.im[0].tags[0], "app:latest", sizeof(fk.im[0].tags[0]));
	snprintf(fk.im[1].id, sizeof(fk.im[1].id), "sha256:%064d", 2);
	add("web", "app:latest");
	docker_process_warmup();
	docker_process_start();

	/* An operation that comes early is answered. */
	op(UPDATE, "r0", "web", "", "", 0);
	run("<result 4 r0 web  failed|starting, or this program "
	    "itself is being updated: try again later");
	op(ACTION, "r1", "web", "stop", "", 0);
	run("<result 1 r1 web stop failed|starting, or this program "
	    "itself is being updated: try again later");

	rig_begin();
	said[0] = '\0';
}

static void
test_life(void **state)
{
	static const char	 frame[] = "\1\0\0\0\0\0\0\3hi\n";

	(void)state;
	start();

	/* Lists come one after another, whole. */
	add("db", "app:latest");
	op(LIST, "l1", "", "", "", 0);
	op(LIST, "", "", "", "", 0);
	run("<end  2 >");
	assert_string_equal(said, "<item web 1 1><item db 1 1><end l1 2 >"
	    "<item web 1 1><item db 1 1><end  2 >");
	said[0] = '\0';

	op(ACTION, "a1", "db", "stop", "", 0);
	run("<result 1 a1 db stop success||");
	assert_false(fk_find(&fk, "db")->running);
	op(ACTION, "a2", "db", "explode", "", 0);
	run("<result 1 a2 db explode failed|unknown action: explode|");
	op(ACTION, "a3", "none", "start", "", 0);
	run("<result 1 a3 none start failed|container \"none\" not found|");

	fk.logs = frame;
	fk.logslen = sizeof(frame) - 1;
	op(LOGS, "g1", "web", "", "", 0);
	run("<result 2 g1 web  success||hi\n|50|");
	op(LOGS, "g2", "web", "", "", 100000);
	run("<result 2 g2 web  success||hi\n|500|");

	op(UPDATE, "u1", "web", "", "", 0);
	op(UPDATE, "u2", "web", "", "", 0);
	run("<result 4 u2 web  failed|the container is being updated already");
	op(ACTION, "a4", "web", "stop", "", 0);
	run("<result 1 a4 web stop failed|the container is being updated|");
	run("<result 4 u1 web  success|||0|app:latest|app:latest>");
	assert_string_equal(fk_find(&fk, "web")->image, fk.im[1].id);
	/* Not while it is being stopped. */
	op(ACTION, "a5", "web", "restart", "", 0);
	op(UPDATE, "u3", "web", "", "", 0);
	run("<result 4 u3 web  failed|the container is being stopped");
	run("<result 1 a5 web restart success||");

	op(PULL, "p1", "", "", "app:latest", 0);
	run("<result 3 p1   success|||0||app:latest>");
	op(PULL, "p2", "", "", "not valid", 0);
	assert_int_equal(nbroken, 1);	/* a space: the rules refuse it */
	op(PULL, "p3", "", "", "a:b:c", 0);
	run("<result 3 p3   ");
	op((Sentinel__Ipc__DockerOp__Kind)9, "x1", "", "", "", 0);
	assert_int_equal(nbroken, 2);
	handle(IMSG_DOCKER_OP, 0, -1, "\377\377", 2);
	assert_int_equal(nbroken, 3);

	/* The engine does not take more: the list says so, nothing grows. */
	credit = false;
	op(LIST, "l2", "", "", "", 0);
	run("<end l2 0 the engine does not take the list in time>");
	credit = true;

	/* Docker goes, and everybody hears why. */
	said[0] = '\0';
	fk.away = true;
	fk_drop_all(&fk);
	event_base_loop(fk.base, EVLOOP_NONBLOCK);
	op(LIST, "l3", "", "", "", 0);
	run("<end l3 0 nothere>");
	op(ACTION, "a6", "web", "stop", "", 0);
	run("<result 1 a6 web stop failed|nothere|");
	op(UPDATE, "u4", "web", "", "", 0);
	run("<result 4 u4 web  failed|nothere|");
	assert_int_equal(nbroken, 3);
	fk_free(&fk);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_life),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init("process_test", memfd_create("log", 0));
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
