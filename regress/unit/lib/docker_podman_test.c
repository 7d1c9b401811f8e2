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


#include "updaterig.h"

#include "docker_events.h"
#include "docker_item.h"
#include "docker_prepare.h"

/*
 * podman's service: what it says in other words, and what must not be asked
 * of it.  The create bodies are in regress/docker/cases, 40-podman*.
 */

/* --- refusals ---------------------------------------------------------- */

#define CMD(words) "{\"Config\":{\"Cmd\":[\"/bin/run\",\"--ip\",\"1\"]," \
	"\"CreateCommand\":[" words "]}}"

static void
test_check(void **state)
{
	static const struct {
		const char	*inspect, *why;
	} cases[] = {
		{ "{}", NULL },
		{ "{\"Config\":{\"CreateCommand\":5}}", NULL },
		/* Made by its Docker API. */
		{ CMD("\"podman\",\"system\",\"service\",\"--time=0\""), NULL },
		{ CMD("\"podman\",\"run\",\"-d\",\"app\""), NULL },
		{ CMD("\"podman\",\"run\",\"--ip\",\"10.0.0.5\",\"app\""),
		    "made with --ip," },
		{ CMD("\"podman\",\"run\",\"--ip=10.0.0.5\",\"app\""),
		    "made with --ip," },
		{ CMD("\"podman\",\"create\",\"--sysctl\",\"a=1\",\"app\""),
		    "made with --sysctl," },
		{ CMD("\"podman\",\"run\",\"--ipc\",\"host\",\"app\""), NULL },
		{ CMD("\"podman\",\"run\",\"--network\",\"n:ip=10.0.0.5\","
		    "\"app\""), "--network with an address" },
		{ CMD("\"podman\",\"run\",\"--net=n:alias=x,mac=02:0:0:0:0:1\","
		    "\"app\""), "--network with an address" },
		{ CMD("\"podman\",\"run\",\"--network=n:alias=x\",\"app\""),
		    NULL },
		{ CMD("\"podman\",\"run\",\"--network=container:ip\",\"app\""),
		    NULL },
		{ CMD("\"podman\",\"run\",\"--network\""), NULL },
		{ CMD("5,null,{},\"--ip\""), "made with --ip," },
		/* Options of the container's own command. */
		{ CMD("\"podman\",\"run\",\"app\",\"/bin/run\",\"--ip\",\"1\""),
		    NULL },
		{ CMD("\"podman\",\"run\",\"--ip\",\"::1\",\"app\","
		    "\"/bin/run\",\"--ip\",\"1\""), "made with --ip," },
		{ "{\"Pod\":\"0123\"}", "belongs to a pod" },
		{ "{\"Pod\":\"\"}", NULL },
		{ "{\"Config\":{\"Labels\":{\"PODMAN_SYSTEMD_UNIT\":"
		    "\"web.service\"}}}", "unit web.service makes" },
	};
	struct json	*js;
	char		 why[256];
	size_t		 i;
	bool		 ok;

	(void)state;
	for (i = 0; i < nitems(cases); i++) {
		js = json_parse(cases[i].inspect, strlen(cases[i].inspect),
		    NULL, 0);
		assert_non_null(js);
		why[0] = '\0';
		ok = prep_podman_check(json_root(js), why, sizeof(why));
		if (ok != (cases[i].why == NULL))
			fail_msg("%s: \"%s\"", cases[i].inspect, why);
		if (!ok && strstr(why, cases[i].why) == NULL)
			fail_msg("%s: \"%s\"", cases[i].inspect, why);
		json_free(js);
	}
}

/* --- an update --------------------------------------------------------- */

static const char	*own_container;

static const char *
own(const char *what, const char *id)
{
	(void)id;
	return (strcmp(what, "containers") == 0 ? own_container :
	    "{\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"]}}");
}

static void
podman_begin(const char *inspect)
{
	world_begin();
	life_end();
	fk.api = FK_PODMAN;
	fk.libpod = own;
	own_container = inspect;
	life_begin();
}

/* It cannot change a restart policy: nobody asks, forward or back. */
static void
test_update(void **state)
{
	(void)state;
	podman_begin("{\"Config\":{}}");
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_one(true, false);
	assert_image(2);
	assert_null(strstr(fk.trace, "/update"));
	assert_non_null(strstr(fk.trace, "/libpod/containers/"));
	assert_non_null(strstr(fk.trace, "/libpod/images/"));
	world_end();

	podman_begin("{\"Config\":{}}");
	fk.im[1].behave = FK_EXITS;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_ROLLBACK);
	assert_one(true, false);
	assert_image(1);
	assert_null(strstr(fk.trace, "/update"));
	world_end();
}

static void
assert_untouched(const char *why)
{
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_false(harm);
	if (strstr(error, why) == NULL)
		fail_msg("%s", error);
	assert_one(true, false);
	assert_image(1);
	assert_null(strstr(fk.trace, "POST "));
}

static void
test_refused(void **state)
{
	(void)state;
	podman_begin("{\"Pod\":\"0123\",\"Config\":{}}");
	start("", "");
	run();
	assert_untouched("belongs to a pod");
	world_end();

	podman_begin("not JSON");
	start("", "");
	run();
	assert_untouched("not valid JSON");
	world_end();

	podman_begin("");		/* its own API is not there */
	fk.libpod = NULL;
	start("", "");
	run();
	assert_untouched("page not found");
	world_end();
}

static char	user_id[65];

static const char *
own_user(const char *what, const char *id)
{
	/* "ID/json" */
	return (strcmp(what, "containers") == 0 &&
	    strncmp(id, user_id, 64) == 0 ? own_container : "{}");
}

/* Who shares its network is made anew with it: the same is asked of it. */
static void
test_user(void **state)
{
	static const char *const	 says[] = { "{}", "{\"Pod\":\"1\"}",
		"nonsense" };
	struct fk_container		*ct;
	char				 body[256];
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(says); i++) {
		podman_begin(says[i]);
		fk.libpod = own_user;
		(void)snprintf(body, sizeof(body), "{\"Image\":\"side:1\","
		    "\"HostConfig\":{\"NetworkMode\":\"container:%s\"}}",
		    fk_find(&fk, NAME)->id);
		(void)snprintf(fk.im[2].id, sizeof(fk.im[2].id),
		    "sha256:%064d", 3);
		(void)strlcpy(fk.im[2].tags[0], "side:1",
		    sizeof(fk.im[2].tags[0]));
		ct = add("user", body);
		ct->running = true;
		(void)strlcpy(user_id, ct->id, sizeof(user_id));
		start("", "");
		run();
		assert_int_equal(outcome, i == 0 ? UPDATE_SUCCESS :
		    UPDATE_FAILED);
		assert_int_equal(strstr(fk.trace, "/stop") != NULL, i == 0);
		assert_int_equal(strcmp(fk_find(&fk, "user")->id, user_id) ==
		    0, i != 0);
		if (i == 1)
			assert_non_null(strstr(error, "\"user\", which depends "
			    "on this one: the container belongs to a pod"));
		if (i == 2)
			assert_non_null(strstr(error, "not valid JSON"));
		world_end();
	}
}

/* --- lists ------------------------------------------------------------- */

static char	listed[512];

static void
on_item(void *arg, const struct docker_container *ct)
{
	(void)arg;
	(void)strlcat(listed, ct->ct_state, sizeof(listed));
	(void)strlcat(listed, " ", sizeof(listed));
	(void)strlcat(listed, ct->ct_health, sizeof(listed));
	(void)strlcat(listed, ";", sizeof(listed));
}

static void
on_listed(void *arg, const char *fault)
{
	(void)arg;
	(void)strlcat(listed, fault, sizeof(listed));
	ended = true;
	event_base_loopbreak(fk.base);
}

static const char *
own_list(const char *what, const char *id)
{
	static char	 text[512];

	(void)what;
	(void)id;
	(void)snprintf(text, sizeof(text), "[{\"Id\":\"%s\",\"Status\":"
	    "\"healthy\"},{\"Id\":\"../x\",\"Status\":\"healthy\"},5,"
	    "{\"Id\":\"%064d\",\"Status\":\"fine\"}]",
	    fk_find(&fk, NAME)->id, 7);
	return (text);
}

static const char *
own_nonsense(const char *what, const char *id)
{
	(void)what;
	(void)id;
	return ("[{]");
}

/* The health is in its own list alone. */
static void
test_health(void **state)
{
	static const struct docker_list_cbs	 cbs = { on_item, on_listed };
	static struct docker_digests		*ds;
	const char				*ids[1];

	(void)state;
	podman_begin("{}");
	fk.libpod = own_list;
	assert_non_null(ds = docker_digests_new());
	(void)add("other", "{\"Image\":\"app:latest\"}");
	listed[0] = '\0';
	assert_int_equal(docker_list(fk.docker, &cbs, NULL), 0);
	run();
	assert_string_equal(listed, "running healthy;created ;");

	listed[0] = '\0';
	ids[0] = fk_find(&fk, NAME)->id;
	assert_int_equal(docker_look(fk.docker, ds, ids, 1, &cbs, NULL), 0);
	run();
	assert_string_equal(listed, "running healthy;");

	listed[0] = '\0';
	fk.libpod = own_nonsense;
	assert_int_equal(docker_list(fk.docker, &cbs, NULL), 0);
	run();
	assert_non_null(strstr(listed, "not valid JSON"));
	listed[0] = '\0';
	assert_int_equal(docker_look(fk.docker, ds, ids, 1, &cbs, NULL), 0);
	run();
	assert_non_null(strstr(listed, "not valid JSON"));
	world_end();
}

static void
test_states(void **state)
{
	static const char *const	 cases[][2] = {
		{ "configured", "created " }, { "initialized", "created " },
		{ "stopped", "exited " }, { "stopping", "running " },
		{ "running", "running " }, { "exited", "exited " },
		{ "new-word", "new-word " }
	};
	struct json			*js;
	char				 text[256];
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(cases); i++) {
		(void)snprintf(text, sizeof(text), "{\"Id\":\"%064d\","
		    "\"State\":\"%s\"}", 1, cases[i][0]);
		assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
		listed[0] = '\0';
		assert_string_equal(docker_item(json_root(js), "", "", on_item,
		    NULL), "");
		assert_string_equal(strtok(listed, ";"), cases[i][1]);
		json_free(js);
	}
}

/* --- events ------------------------------------------------------------ */

/* As podman 4.3.1 writes them; "status" is Docker's word there at best. */
#define EVENT	"{\"status\":\"%s\",\"id\":\"%064d\",\"from\":\"app:1\"," \
	"\"Type\":\"%s\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"%064d\"," \
	"\"Attributes\":{\"containerExitCode\":\"0\",\"image\":\"app:1\"," \
	"\"name\":\"web\",\"podId\":\"\"}},\"scope\":\"local\"," \
	"\"time\":1795361631,\"timeNano\":1795361631964642827%s}"

static void
test_events(void **state)
{
	static const struct {
		const char	*type, *action, *more, *word;
		bool		 each;
	} cases[] = {
		{ "container", "died", "", "die", false },
		{ "container", "remove", "", "destroy", false },
		{ "container", "start", "", "start", false },
		{ "container", "health_status", ",\"HealthStatus\":\"healthy\"",
		    "health_status: healthy", true },
		{ "container", "health_status", ",\"HealthStatus\":\"odd\"",
		    "health_status", false },
		{ "container", "health_status", "", "health_status", false },
		{ "container", "health_status", ",\"HealthStatus\":5",
		    "health_status", false },
		{ "image", "remove", "", "destroy", false },
	};
	struct docker_event	 ev;
	char			 text[1024];
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(cases); i++) {
		(void)snprintf(text, sizeof(text), EVENT, cases[i].action, 5,
		    cases[i].type, cases[i].action, 5, cases[i].more);
		assert_true(docker_event_parse(text, strlen(text), &ev));
		assert_string_equal(ev.ev_action, cases[i].word);
		assert_int_equal(ev.ev_each, cases[i].each);
		assert_int_equal(ev.ev_image,
		    strcmp(cases[i].type, "image") == 0);
		assert_int_equal(ev.ev_nsec, 1795361631964642827);
	}
}

/* --- stop -------------------------------------------------------------- */

/* "Not set" by its Docker API reads 0 there: nobody asked for a kill. */
static void
test_stop(void **state)
{
	static const char	 text[] = "{\"Config\":{\"StopTimeout\":0}}";
	struct json		*js = json_parse(text, strlen(text), NULL, 0);

	(void)state;
	world_begin();
	start("", "");
	run();
	assert_false(docker_is_podman(fk.docker));
	assert_int_equal(docker_stop_sec(fk.docker, json_root(js)), 0);
	world_end();
	podman_begin("{}");
	start("", "");
	run();
	assert_true(docker_is_podman(fk.docker));
	assert_int_equal(docker_stop_sec(fk.docker, json_root(js)),
	    DOCKER_STOP_SEC);
	json_free(js);
	world_end();
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_stop),
	};

	int	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd != -1)
		log_init("podman_test", fd);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
