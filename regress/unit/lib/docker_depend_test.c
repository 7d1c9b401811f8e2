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

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "docker_depend.h"

/*
 * docker_depend.c: hosts of a few containers as text, one line each:
 *	name state labels hostconfig
 * The id of the n-th is its number in 64 digits.
 */
struct host {
	const char	*name;
	const char	*state;
	const char	*labels;	/* JSON members */
	const char	*config;	/* JSON members of HostConfig */
};
#define ID(n)	"00000000000000000000000000000000000000000000000000000000000" \
		    "0000" n
#define COMPOSE(svc) "\"com.docker.compose.project\":\"p\"," \
    "\"com.docker.compose.project.working_dir\":\"/p\"," \
    "\"com.docker.compose.service\":\"" svc "\""
#define DEPENDS(list) ",\"com.docker.compose.depends_on\":\"" list "\""

static char	 err[256];

static struct depend *
host_read(const struct host *h, size_t n)
{
	struct depend	*dd;
	struct json	*js;
	const char	*id;
	char		 text[32768];
	size_t		 i;

	assert_non_null(dd = depend_new());
	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "{\"Id\":\"%064zu\",\"Names\":"
		    "[\"/x/alias\",\"/%s\"],\"State\":\"%s\",\"Labels\":{%s}}",
		    i, h[i].name, h[i].state, h[i].labels);
		assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
		assert_int_equal(depend_add(dd, json_root(js)), 0);
		json_free(js);
	}
	while ((id = depend_next(dd)) != NULL) {
		i = strtoul(id, NULL, 10);
		assert_true(i < n);
		snprintf(text, sizeof(text), "{\"HostConfig\":{%s}}",
		    h[i].config);
		assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
		assert_int_equal(depend_inspected(dd, json_root(js)), 0);
		json_free(js);
	}
	return (dd);
}

/* "name name! ..." of the users of the first: ! is made anew. */
static const char *
users_of(const struct host *h, size_t n, bool ordered)
{
	static char		 text[4096];
	struct depend_user	 du[DEPEND_USERS_MAX];
	struct depend		*dd = host_read(h, n);
	char			 id[65];
	ssize_t			 i, count;

	snprintf(id, sizeof(id), "%064d", 0);
	text[0] = err[0] = '\0';
	count = depend_users(dd, id, ordered, du, err, sizeof(err));
	if (count == -1)
		strlcpy(text, "refused", sizeof(text));
	for (i = 0; i < count; i++) {
		strlcat(text, i > 0 ? " " : "", sizeof(text));
		strlcat(text, du[i].du_name, sizeof(text));
		strlcat(text, du[i].du_remade ? "!" : "", sizeof(text));
		assert_int_not_equal(du[i].du_why, 0);
	}
	depend_free(dd);
	return (text);
}
#define USERS(h, ordered)	users_of(h, nitems(h), ordered)

static void
test_shared(void **state)
{
	static const struct host	 h[] = {
		{ "vpn", "running", "", "\"IpcMode\":\"shareable\"" },
		{ "z", "running", "",
		    "\"NetworkMode\":\"container:" ID("0") "\"" },
		{ "b", "exited", "", "\"NetworkMode\":\"container:vpn\"" },
		{ "c", "paused", "", "\"IpcMode\":\"container:vpn\"" },
		{ "d", "running", "", "\"PidMode\":\"container:" ID("1") "\"" },
		{ "a", "running", "", "\"IpcMode\":\"container:d\"" },
		{ "e", "running", "", "\"VolumesFrom\":[\"vpn:ro\"]" },
		{ "f", "running", "", "\"VolumesFrom\":[\"" ID("0") ":ro\"]" },
		{ "g", "running", "", "\"NetworkMode\":\"vpn\"" },
		{ "h", "removing", "", "\"NetworkMode\":\"container:vpn\"" }
	};

	(void)state;
	assert_string_equal(USERS(h, false), "b! c! f! z! d! a!");
	assert_string_equal(USERS(h, true), "b! c! e f! z! d! a!");
}

static void
test_ordered(void **state)
{
	static const struct host	 h[] = {
		{ "db", "running", COMPOSE("db"), "" },
		{ "app", "running", COMPOSE("app") DEPENDS(
		    "cache:service_started:true,db:service_healthy:true"), "" },
		{ "web", "running", COMPOSE("web") DEPENDS(
		    "app:service_started:true"), "" },
		{ "calm", "running", COMPOSE("calm") DEPENDS(
		    "db:service_started:false"), "" },
		{ "old", "running", COMPOSE("old") DEPENDS("db"), "" },
		{ "stopped", "exited", COMPOSE("x") DEPENDS("db"), "" },
		{ "other", "running", "\"com.docker.compose.project\":\"q\""
		    DEPENDS("db::true"), "" },
		{ "label", "running",
		    "\"sentinel.depends-on\":\"x, old ,, web\"", "" },
		{ "agent", "running", "\"sentinel.self\":\"true\","
		    "\"sentinel.depends-on\":\"db\"", "" },
		{ "once", "running", "\"com.docker.compose.oneoff\":\"True\","
		    COMPOSE("y") DEPENDS("db"), "" },
		/* It is only started again, but its network is another. */
		{ "side", "running", "", "\"NetworkMode\":\"container:app\"" }
	};

	(void)state;
	assert_string_equal(USERS(h, false), "");
	assert_string_equal(USERS(h, true), "app old side web label");
}

static void
test_cycles(void **state)
{
	static const struct host	 self[] = {
		{ "a", "running", "\"sentinel.depends-on\":\"a\"", "" }
	};
	static const struct host	 lead[] = {
		{ "a", "running", "\"sentinel.depends-on\":\"b\"", "" },
		{ "b", "running", "", "\"NetworkMode\":\"container:a\"" }
	};
	static const struct host	 users[] = {
		{ "a", "running", "", "" },
		{ "b", "running", "\"sentinel.depends-on\":\"a,d\"", "" },
		{ "c", "running", "\"sentinel.depends-on\":\"b\"", "" },
		{ "d", "running", "\"sentinel.depends-on\":\"c\"", "" },
		{ "e", "running", "\"sentinel.depends-on\":\"d\"", "" }
	};

	(void)state;
	assert_string_equal(USERS(self, true), "");
	assert_string_equal(USERS(lead, false), "b!");
	assert_string_equal(USERS(lead, true), "refused");
	assert_string_equal(err, "containers depend on each other in a circle:"
	    " \"a\" -> \"b\" -> \"a\"");
	assert_string_equal(USERS(users, false), "");
	assert_string_equal(USERS(users, true), "refused");
	assert_string_equal(err, "containers depend on each other in a circle:"
	    " \"b\" -> \"d\" -> \"c\" -> \"b\"");
}

/* What a label can do is limited. */
static void
test_hostile(void **state)
{
	static char	 many[2 * DEPEND_LABEL_MAXBYTES];
	static char	 quoted[3 * DEPEND_LABEL_MAXBYTES];
	static char	 names[DEPEND_USERS_MAX + 2][16];
	struct host	 h[DEPEND_USERS_MAX + 2] = {
		{ "a", "running", "", "" },
		{ "b", "running", quoted, "" },
	};
	size_t		 i;

	(void)state;
	/* Too many names: the last is not read.  Too long: nothing is. */
	for (i = 0; i < DEPEND_EDGES_MAX; i++)
		strlcat(many, "x,", sizeof(many));
	snprintf(quoted, sizeof(quoted), "\"sentinel.depends-on\":\"%sa\"",
	    many);
	assert_string_equal(users_of(h, 2, true), "");
	snprintf(quoted, sizeof(quoted), "\"sentinel.depends-on\":\"a,%s\"",
	    many);
	assert_string_equal(users_of(h, 2, true), "b");
	while (strlen(many) < DEPEND_LABEL_MAXBYTES)
		strlcat(many, "x,", sizeof(many));
	snprintf(quoted, sizeof(quoted), "\"sentinel.depends-on\":\"a,%s\"",
	    many);
	assert_string_equal(users_of(h, 2, true), "");
	strlcpy(quoted, "\"sentinel.depends-on\":[\"a\"],"
	    "\"com.docker.compose.depends_on\":\":::,,:\"", sizeof(quoted));
	assert_string_equal(users_of(h, 2, true), "");
	for (i = 1; i < nitems(h); i++) {
		snprintf(names[i], sizeof(names[i]), "u%zu", i);
		h[i] = (struct host){ names[i], "running", "",
		    "\"PidMode\":\"container:a\"" };
	}
	assert_string_equal(users_of(h, nitems(h), true), "refused");
	assert_string_equal(err, "more than 24 containers depend on \"a\"");
	assert_string_not_equal(users_of(h, nitems(h) - 1, true), "refused");
}

static void
test_lookups(void **state)
{
	static const struct host	 h[] = {
		{ "a", "running", "", "" }, { "b", "exited", "", "" }
	};
	struct depend			*dd;
	struct depend_user		 du[DEPEND_USERS_MAX];

	(void)state;
	dd = host_read(h, nitems(h));
	assert_string_equal(depend_named(dd, "b"), ID("1"));
	assert_null(depend_named(dd, "c"));
	assert_true(depend_runs(dd, "a"));
	assert_true(depend_runs(dd, ID("0")));
	assert_false(depend_runs(dd, "b"));
	assert_false(depend_runs(dd, "c"));
	assert_int_equal(depend_users(dd, ID("7"), true, du, err,
	    sizeof(err)), 0);
	assert_string_equal(depend_why_text(DEPEND_NETWORK | DEPEND_LABELLED),
	    "network, sentinel.depends-on");
	depend_free(dd);
	depend_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_ordered),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_lookups)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
