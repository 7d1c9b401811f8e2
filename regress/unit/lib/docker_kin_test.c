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

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "docker_kin.h"
#include "fakedocker.h"
#include "monotime.h"

/* docker_kin.c in front of an engine that is not always there. */
static struct fk	 fk;
static struct kin	*kn;

static void
setup(void)
{
	memset(&fk, 0, sizeof(fk));
	fk.base = event_base_new();
	fk.api = "1.41";
	snprintf(fk.im[0].id, sizeof(fk.im[0].id), "sha256:%064d", 1);
	strlcpy(fk.im[0].tags[0], "app:1", sizeof(fk.im[0].tags[0]));
	assert_non_null(fk.docker = docker_new(fk.base, fk_need_fd, &fk));
	assert_non_null(kn = kin_new(fk.base, fk.docker));
}

static void
teardown(void)
{
	kin_free(kn);
	docker_free(fk.docker);
	fk_free(&fk);
	event_base_free(fk.base);
}

static struct fk_container *
add(const char *name, const char *host)
{
	struct fk_container	*ct;
	char			 body[512];

	(void)snprintf(body, sizeof(body), "{\"Image\":\"app:1\","
	    "\"HostConfig\":{%s}}", host);
	assert_non_null(ct = fk_make(&fk, name, body, strlen(body)));
	return (ct);
}

static void
remove_it(struct fk_container *ct)
{
	free(ct->body);
	memset(ct, 0, sizeof(*ct));
}

static void
wait_msec(unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	event_base_loopexit(fk.base, &tv);
	event_base_dispatch(fk.base);
}

/* How often was this container asked for? */
static int
looks(const char *id)
{
	const char	*p;
	int		 n = 0;

	for (p = fk.trace; (p = strstr(p, id)) != NULL; p++)
		n++;
	return (n);
}

static void
known(const char *id, const char *want)
{
	struct json	*js = kin_get(kn, id), *w;

	w = json_parse(want, strlen(want), NULL, 0);
	assert_non_null(w);
	if (js == NULL || !json_equal(json_root(js), json_root(w)))
		fail_msg("%s: %.*s, not %s", id, js == NULL ? 4 :
		    (int)json_root(js)->jv_rawlen, js == NULL ? "none" :
		    json_root(js)->jv_raw, want);
	json_free(js);
	json_free(w);
}

static void
unknown(const char *id)
{
	struct json	*js = kin_get(kn, id);

	assert_null(js);
}

/* An inspect answer that somebody has. */
static void
learn(const char *id, const char *host)
{
	struct json	*js;
	char		 text[512];

	(void)snprintf(text, sizeof(text), "{\"Id\":\"%s\"%s%s%s}", id,
	    host == NULL ? "" : ",\"HostConfig\":{", host == NULL ? "" : host,
	    host == NULL ? "" : "}");
	assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
	kin_learn(kn, json_root(js));
	json_free(js);
}

static const char *
nth(int n)
{
	static char	 id[DOCKER_ID_LEN + 1];

	(void)snprintf(id, sizeof(id), "%064x", n + 1);
	return (id);
}

/* Each is asked for once, and of the answer what says something is kept. */
static void
test_once(void **state)
{
	struct fk_container	*a, *b;
	char			 want[256];

	(void)state;
	setup();
	a = add("a", "\"NetworkMode\":\"bridge\",\"AutoRemove\":true,"
	    "\"IpcMode\":\"private\",\"Memory\":7,\"VolumesFrom\":[\"x:ro\"]");
	(void)snprintf(want, sizeof(want), "\"PidMode\":\"container:%s\"",
	    a->id);
	b = add("b", want);
	kin_see(kn, a->id);
	kin_see(kn, b->id);
	kin_see(kn, a->id);
	unknown(a->id);
	wait_msec(300);
	known(a->id, "{\"HostConfig\":{\"VolumesFrom\":[\"x:ro\"],"
	    "\"AutoRemove\":true}}");
	(void)snprintf(want, sizeof(want), "{\"HostConfig\":{\"PidMode\":"
	    "\"container:%s\"}}", a->id);
	known(b->id, want);
	kin_see(kn, a->id);
	wait_msec(100);
	assert_int_equal(looks(a->id), 1);
	assert_int_equal(looks(b->id), 1);
	teardown();
}

/* Gone before it is asked for, and while the answer is on its way. */
static void
test_vanishes(void **state)
{
	struct fk_container	*a, *b, *c;
	char			 id[3][DOCKER_ID_LEN + 1];
	int			 i;

	(void)state;
	setup();
	a = add("a", "");
	b = add("b", "");
	c = add("c", "\"AutoRemove\":true");
	strlcpy(id[0], a->id, sizeof(id[0]));
	strlcpy(id[1], b->id, sizeof(id[1]));
	strlcpy(id[2], c->id, sizeof(id[2]));
	for (i = 0; i < 3; i++)
		kin_see(kn, id[i]);
	remove_it(a);		/* and no event says so */
	while (looks(id[1]) == 0)
		event_base_loop(fk.base, EVLOOP_ONCE);
	kin_gone(kn, id[1]);	/* the answer is under way */
	wait_msec(300);
	unknown(id[0]);
	unknown(id[1]);
	known(id[2], "{\"HostConfig\":{\"AutoRemove\":true}}");
	kin_gone(kn, id[2]);
	unknown(id[2]);
	kin_gone(kn, id[2]);
	/* 404 is an answer: it is not asked again. */
	assert_int_equal(looks(id[0]), 1);
	/* Seen again, it is. */
	kin_see(kn, id[2]);
	wait_msec(200);
	known(id[2], "{\"HostConfig\":{\"AutoRemove\":true}}");
	assert_int_equal(looks(id[2]), 2);
	teardown();
}

/* Nothing of a former container of that id; but the first answer stays. */
static void
test_again(void **state)
{
	(void)state;
	setup();
	learn(nth(1), "\"IpcMode\":\"container:x\"");
	learn(nth(1), "\"IpcMode\":\"container:y\"");
	known(nth(1), "{\"HostConfig\":{\"IpcMode\":\"container:x\"}}");
	kin_gone(kn, nth(1));
	unknown(nth(1));
	learn(nth(1), "\"IpcMode\":\"container:z\"");
	known(nth(1), "{\"HostConfig\":{\"IpcMode\":\"container:z\"}}");
	assert_int_equal(fk.nreq, 0);
	teardown();
}

/* What cannot be read is not known, and nobody else is harmed. */
static void
test_damaged(void **state)
{
	char	*text, id[DOCKER_ID_LEN + 1];
	struct json *js;

	(void)state;
	setup();
	learn("short", "");
	unknown("short");
	unknown("");
	kin_see(kn, "");
	kin_see(kn, "../../x");
	kin_gone(kn, "");
	learn(nth(1), NULL);
	unknown(nth(1));
	/* Longer than what is kept. */
	strlcpy(id, nth(2), sizeof(id));
	assert_true(asprintf(&text, "{\"Id\":\"%s\",\"HostConfig\":"
	    "{\"VolumesFrom\":[\"%020000d\"]}}", id, 7) > 20000);
	assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
	kin_learn(kn, json_root(js));
	unknown(id);
	json_free(js);
	free(text);
	learn(nth(3), "\"AutoRemove\":true");
	known(nth(3), "{\"HostConfig\":{\"AutoRemove\":true}}");
	wait_msec(100);
	assert_int_equal(fk.nreq, 0);
	kin_learn(NULL, NULL);
	assert_null(kin_get(NULL, nth(3)));
	kin_free(NULL);
	teardown();
}

/* Refused is an answer; a lost one is asked for again, later. */
static void
test_engine(void **state)
{
	static const enum fk_fate	 fates[] = { FK_LOSE, FK_LOSE_AFTER,
		FK_ERROR };
	struct fk_container		*a, *b;
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(fates); i++) {
		setup();
		a = add("a", "\"AutoRemove\":true");
		b = add("b", "\"AutoRemove\":true");
		fk.fail_what = a->id;
		fk.fate = fates[i];
		kin_see(kn, a->id);
		kin_see(kn, b->id);
		wait_msec(300);
		unknown(a->id);
		/* The client asks a second time by itself. */
		assert_true(looks(a->id) <= 2);
		if (fates[i] == FK_ERROR) {
			known(b->id, "{\"HostConfig\":{\"AutoRemove\":true}}");
			fk.fail_what = NULL;
			kin_see(kn, a->id);
		} else {
			/* One at a time, so the other one waits, too. */
			assert_int_equal(looks(b->id), 0);
			fk.fail_what = NULL;
			wait_msec(KIN_AGAIN_MSEC);
			known(b->id, "{\"HostConfig\":{\"AutoRemove\":true}}");
		}
		wait_msec(200);
		known(a->id, "{\"HostConfig\":{\"AutoRemove\":true}}");
		teardown();
	}
}

/* No engine at all: nothing is lost, and nothing is tried again at once. */
static void
test_away(void **state)
{
	struct fk_container	*a;

	(void)state;
	setup();
	a = add("a", "\"AutoRemove\":true");
	fk.away = true;
	kin_see(kn, a->id);
	wait_msec(300);
	unknown(a->id);
	assert_int_equal(fk.nreq, 0);
	/* Somebody else's answer is as good, and ends the line. */
	learn(a->id, "\"AutoRemove\":true");
	fk.away = false;
	known(a->id, "{\"HostConfig\":{\"AutoRemove\":true}}");
	teardown();
	/* Freed in the middle of a look. */
	setup();
	a = add("a", "");
	kin_see(kn, a->id);
	while (looks(a->id) == 0)
		event_base_loop(fk.base, EVLOOP_ONCE);
	teardown();
}

/* One more than the cap, and all begin anew; the line goes with them. */
static void
test_cap(void **state)
{
	int	 i;

	(void)state;
	setup();
	fk.away = true;
	for (i = 0; i < KIN_MAX; i++)
		learn(nth(i), "\"AutoRemove\":true");
	known(nth(0), "{\"HostConfig\":{\"AutoRemove\":true}}");
	known(nth(KIN_MAX - 1), "{\"HostConfig\":{\"AutoRemove\":true}}");
	/* One that is known needs no place. */
	kin_see(kn, nth(0));
	known(nth(1), "{\"HostConfig\":{\"AutoRemove\":true}}");
	for (i = KIN_MAX; i < 5000; i++)
		learn(nth(i), "\"AutoRemove\":true");
	unknown(nth(0));
	unknown(nth(KIN_MAX - 1));
	known(nth(KIN_MAX), "{\"HostConfig\":{\"AutoRemove\":true}}");
	known(nth(4999), "{\"HostConfig\":{\"AutoRemove\":true}}");
	/* A flood of such as are only seen. */
	for (i = 0; i < 3 * KIN_MAX; i++)
		kin_see(kn, nth(i));
	wait_msec(50);
	teardown();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_vanishes),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_engine),
		cmocka_unit_test(test_away),
		cmocka_unit_test(test_cap)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
