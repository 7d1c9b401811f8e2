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

/* Plans: what they say, and that they do nothing. */
#include "compat.h"

#include "docker_plan.h"
#include "updaterig.h"

#include "docker_txn.h"

static int			 nplans;
static char			 why[UPDATE_ERROR_MAXBYTES];
static struct pbmem		 mem;
static Sentinel__Cluster__Plan	*got;

static void
on_plan(void *arg, const char *text, const struct plan_facts *pf)
{
	assert_ptr_equal(arg, &nplans);
	nplans++;
	strlcpy(why, text, sizeof(why));
	assert_int_equal(pf == NULL, text[0] != '\0');
	got = NULL;
	if (pf != NULL)
		assert_non_null(got = plan_view(pf, &mem));
	ended = true;
	event_base_loopbreak(fk.base);
}

static int
ask(const char *opid, const char *image, char *err)
{
	struct update_request	 uq = { .uq_opid = opid, .uq_name = NAME,
		.uq_image = image, .uq_digest = "", .uq_rule = rule,
		.uq_ordered = true };

	return (updater_plan(up, &uq, on_plan, &nplans, err, 256));
}

/* The world as it was, but for being looked at; and only looks. */
static void
plan(const char *image)
{
	struct fk_container	 before[FK_MAX];
	char			 err[256] = "";
	int			 i, n = nplans;

	memcpy(before, fk.ct, sizeof(before));
	fk.trace[0] = '\0';
	pbmem_free(&mem);
	if (ask(OPID, image, err) == -1)
		fail_msg("refused: %s", err);
	/* Nobody is kept from it meanwhile. */
	assert_false(updater_busy(up, NAME));
	run();
	assert_int_equal(nplans, n + 1);
	for (i = 0; i < FK_MAX; i++) {
		before[i].looks = fk.ct[i].looks;
		assert_memory_equal(&before[i], &fk.ct[i], sizeof(before[i]));
	}
	if (strstr(fk.trace, "POST") != NULL ||
	    strstr(fk.trace, "DELETE") != NULL)
		fail_msg("it did something:\n%s", fk.trace);
	assert_int_equal(lseek(jfd, 0, SEEK_END), 0);
	assert_int_equal(updater_nopen(up), 0);
	assert_int_equal(ndone, 0);
	assert_string_equal(stages, "");
}

static const Sentinel__Cluster__PlanItem *
item(const char *kind, const char *name)
{
	size_t	 i;

	for (i = 0; i < got->n_items; i++)
		if (strcmp(got->items[i]->kind, kind) == 0 &&
		    strcmp(got->items[i]->name, name) == 0)
			return (got->items[i]);
	fail_msg("no %s %s", kind, name);
	return (NULL);
}

static void
assert_item(const char *kind, const char *name, const char *change,
    const char *now, const char *then)
{
	const Sentinel__Cluster__PlanItem	*it = item(kind, name);

	assert_string_equal(it->change, change);
	assert_string_equal(it->now, now);
	assert_string_equal(it->then, then);
}

static bool
noted(const char *text)
{
	size_t	 i;

	for (i = 0; i < got->n_notes; i++)
		if (strstr(got->notes[i], text) != NULL)
			return (true);
	return (false);
}

/* --- by the transaction ------------------------------------------------ */

static void
test_plan(void **state)
{
	(void)state;
	world_begin();
	fk_tag(&fk, &fk.im[1], "app:2");
	plan("app:2");
	assert_string_equal(why, "");
	assert_false(got->identical);
	assert_string_equal(got->state, "running");
	assert_string_equal(got->old_image, "app:latest");
	assert_string_equal(got->old_image_id, fk.im[0].id);
	assert_string_equal(got->new_image, "app:2");
	assert_string_equal(got->new_image_id, fk.im[1].id);
	assert_string_equal(got->new_digest, fk.im[1].digest);
	assert_string_equal(got->api_version, "1.41");
	assert_int_equal(got->stop_seconds, DOCKER_STOP_SEC);
	assert_item("env", "A", "same", "", "");
	assert_item("label", "x", "same", "y", "y");
	assert_item("setting", "NetworkMode", "same", "net1", "net1");
	assert_non_null(strstr(item("network", "net1")->then, "10.0.0.5"));
	assert_non_null(strstr(item("network", "net2")->then, "side"));
	assert_int_equal(got->n_dropped, 1);
	assert_string_equal(got->dropped[0]->name, "Config.Hostname");
	assert_int_equal(got->n_dependants, 0);
	assert_true(noted("registry was not asked"));

	/* Not on the host: not pulled, and said so. */
	plan("app:3");
	assert_string_equal(got->new_image_id, "");
	assert_true(noted("app:3 is not on this host"));

	/* The one that it has; the tag would move with a pull. */
	plan("");
	assert_true(got->identical);
	assert_string_equal(got->new_image_id, fk.im[0].id);
	/* Stopped: nothing to wait for. */
	fk_find(&fk, NAME)->running = false;
	plan("app:2");
	assert_string_equal(got->state, "exited");
	assert_int_equal(got->stop_seconds, 0);
	world_end();
}

/* What an update says before it touches anything, in the same words. */
static void
test_refused(void **state)
{
	char	 err[256];

	(void)state;
	world_begin();
	fk.nets[1] = NULL;
	plan("app:2");
	assert_string_equal(why, "network \"net2\" of the container does not "
	    "exist any more");
	fk.nets[1] = "net2";
	rule = "ghcr.io/acme/*";
	plan("");
	assert_non_null(strstr(why, "agent.allow.images"));
	rule = NULL;
	add(NAME ".sentinel-prev", "{\"Image\":\"app:latest\"}");
	plan("");
	assert_non_null(strstr(why, "is in the way"));
	assert_int_equal(ask(OPID, "NOT//valid::", err), -1);
	assert_string_equal(err, "bad image reference");
	world_end();

	/* One that vanishes when it stops. */
	world_begin();
	fk_tag(&fk, &fk.im[1], "app:2");
	fk_find(&fk, NAME)->running = true;
	free(fk_find(&fk, NAME)->body);
	fk_find(&fk, NAME)->body = strdup("{\"Image\":\"app:latest\","
	    "\"HostConfig\":{\"NetworkMode\":\"net1\",\"AutoRemove\":"
	    "true}}");
	plan("app:2");
	assert_string_equal(why, "");
	assert_true(noted("--rm"));
	world_end();

	/* A stray of ours is swept by the update, not by the plan. */
	world_begin();
	fk_tag(&fk, &fk.im[1], "app:2");
	add(NAME ".sentinel-next", "{\"Image\":\"app:latest\"}");
	plan("app:2");
	assert_non_null(strstr(why, "is in the way"));
	stray_expect(up, NAME ".sentinel-next");
	plan("app:2");
	assert_string_equal(why, "");
	world_end();
}

static void
test_users(void **state)
{
	char	 body[512];
	size_t	 i;

	(void)state;
	world_begin();
	fk_tag(&fk, &fk.im[1], "app:2");
	snprintf(body, sizeof(body), "{\"Image\":\"app:latest\",\"HostConfig\":"
	    "{\"NetworkMode\":\"container:%s\"}}", fk_find(&fk, NAME)->id);
	add("vpn-user", body)->running = true;
	for (i = 0; i < 2; i++) {
		/* Also when the new image is not there. */
		plan(i == 0 ? "app:2" : "app:3");
		assert_string_equal(why, "");
		assert_int_equal(got->n_dependants, 1);
		assert_string_equal(got->dependants[0]->container_name,
		    "vpn-user");
		assert_string_equal(got->dependants[0]->how, "network");
		assert_non_null(strstr(got->dependants[0]->what,
		    "made anew and started"));
	}
	world_end();
}

/* While an update runs there is nothing to plan; the other way round there
 * is no harm. */
static void
test_beside(void **state)
{
	char	 err[256];

	(void)state;
	world_begin();
	start("", "");
	assert_int_equal(ask("op-2", "", err), -1);
	assert_string_equal(err, "the container is being updated already");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_one(true, false);
	assert_int_equal(ask("op-3", "", err), 0);
	start("", "");
	while (ndone < 2)
		run();
	assert_int_equal(outcome, UPDATE_IDENTICAL);
	world_end();

	/* Everybody who asked is told when it stops. */
	world_begin();
	nplans = 0;
	assert_int_equal(ask("op-4", "", err), 0);
	updater_stop(up);
	assert_int_equal(nplans, 1);
	assert_non_null(strstr(why, "shutdown"));
	world_end();
}

/* --- what it says ------------------------------------------------------ */

#define ID	"aaaabbbbcccc" "0000000000000000000000000000" \
		"000000000000000000000000"

static const char container[] = "{\"Id\":\"" ID "\",\"State\":{\"Status\":"
    "\"running\",\"Running\":true},\"Image\":\"sha256:1\",\"Config\":{"
    "\"Image\":\"app:1\",\"Hostname\":\"aaaabbbbcccc\",\"Env\":[\"SECRET=hush"
    "\",\"V=1\",\"OLD=x\",\"BOTH=mine\"],\"Cmd\":[\"serve\"],\"Entrypoint\":"
    "null,\"User\":\"app\",\"Labels\":{\"mine\":\"m\",\"ver\":\"1\",\"bad\":"
    "\"a\\nb\"},\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":9}},"
    "\"HostConfig\":{\"NetworkMode\":\"none\",\"MemorySwappiness\":-1},"
    "\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"v\",\"Destination\":\"/z\"},"
    "{\"Type\":\"volume\",\"Name\":\"w\",\"Destination\":\"/a\"}],"
    "\"NetworkSettings\":{\"Networks\":{}}}";
static const char old_image[] = "{\"Config\":{\"Env\":[\"V=1\",\"OLD=x\","
    "\"BOTH=old\"],\"Cmd\":[\"serve\"],\"User\":\"app\",\"Labels\":{\"ver\":"
    "\"1\"},\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":5}}}";
static const char new_image[] = "{\"Id\":\"sha256:2\",\"Config\":{\"Env\":"
    "[\"V=2\",\"BOTH=new\",\"NEW=n\"],\"Cmd\":[\"run\"],\"User\":\"app\","
    "\"Labels\":{\"ver\":\"2\",\"more\":\"q\"},\"Volumes\":{\"/a\":{},\"/n\":"
    "{}},\"Healthcheck\":{\"Test\":[\"CMD\",\"y\"],\"Interval\":5}}}";

static void
view(const char *text, const char *new)
{
	struct json		*c, *o, *n;
	struct docker_spec_in	 si = { .si_ref = "app:2", .si_api = 41 };
	struct docker_spec	 sp;
	struct plan_facts	 pf = { .pf_old_image = "app:1",
		.pf_old_digest = "", .pf_new_image = "app:2",
		.pf_new_digest = "", .pf_api = 41 };
	char			 err[256];

	pbmem_free(&mem);
	assert_non_null(c = json_parse(text, strlen(text), NULL, 0));
	assert_non_null(o = json_parse(old_image, strlen(old_image), NULL, 0));
	n = new == NULL ? NULL : json_parse(new, strlen(new), NULL, 0);
	si.si_container = pf.pf_container = json_root(c);
	si.si_image = pf.pf_old = json_root(o);
	si.si_new = pf.pf_new = json_root(n);
	pf.pf_spec = &sp;
	if (docker_spec_build(&sp, &si, err, sizeof(err)) == -1)
		fail_msg("%s", err);
	assert_non_null(got = plan_view(&pf, &mem));
	docker_spec_free(&sp);
	json_free(c);
	json_free(o);
	json_free(n);
}

static void
test_view(void **state)
{
	(void)state;
	view(container, new_image);
	assert_item("env", "SECRET", "same", "", "");
	assert_item("env", "BOTH", "same", "", "");
	assert_item("env", "V", "changed", "1", "2");
	assert_item("env", "OLD", "gone", "x", "");
	assert_item("env", "NEW", "new", "", "n");
	assert_item("label", "mine", "same", "m", "m");
	assert_item("label", "ver", "changed", "1", "2");
	assert_item("label", "more", "new", "", "q");
	assert_item("label", "bad", "same", "a b", "a b");
	assert_item("command", "Cmd", "changed", "[\"serve\"]", "[\"run\"]");
	assert_item("setting", "User", "same", "app", "app");
	assert_item("setting", "Healthcheck.Test", "changed",
	    "[\"CMD\",\"x\"]", "[\"CMD\",\"y\"]");
	assert_item("setting", "Healthcheck.Interval", "same", "9", "9");
	assert_item("mount", "/a", "same", "w", "w");
	assert_item("mount", "/z", "same", "v", "v");
	assert_item("mount", "/n", "new", "", "a new volume");
	/* Without the image. */
	view(container, NULL);
	assert_item("env", "V", "unknown", "1", "");
	assert_item("env", "SECRET", "same", "", "");
	assert_item("command", "Cmd", "unknown", "[\"serve\"]", "");
	assert_item("label", "ver", "unknown", "1", "");
	assert_item("setting", "Healthcheck.Test", "unknown",
	    "[\"CMD\",\"x\"]", "");
}

/* The answer fits into a message, whatever is in the container. */
static void
test_large(void **state)
{
	char	*text, *p;
	size_t	 i, size = 3 * 1024 * 1024;

	(void)state;
	assert_non_null(text = malloc(size));
	p = text + snprintf(text, size, "{\"Id\":\"" ID "\",\"Config\":{"
	    "\"Labels\":{");
	for (i = 0; i < 900; i++)
		p += snprintf(p, size - (size_t)(p - text), "%s\"l%zu\":"
		    "\"%01000zu\"", i > 0 ? "," : "", i, i);
	snprintf(p, size - (size_t)(p - text), "}},\"HostConfig\":{"
	    "\"NetworkMode\":\"none\"}}");
	view(text, new_image);
	free(text);
	assert_true(protobuf_c_message_get_packed_size(&got->base) <
	    1024 * 1024 - 65536);
	assert_true(got->n_items > 200 && got->n_items < 900);
	assert_true(noted("more lines would be too long"));
}

static int
set_up(void **state)
{
	(void)state;
	pbmem_init(&mem, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	nplans = 0;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	pbmem_free(&mem);
	return (0);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test_setup_teardown(test_plan, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_beside, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_view, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_large, set_up, tear_down),
	};
	int	 fd;

	signal(SIGPIPE, SIG_IGN);
	if (getenv("VERBOSE") == NULL && (fd = open("/dev/null",
	    O_WRONLY)) != -1)
		log_init("plan_test", fd);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
