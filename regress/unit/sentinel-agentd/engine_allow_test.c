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

/* agent.allow: every action against every rule. */
#include "unit.h"

#include <string.h>

#include "conf.h"
#include "engine_allow.h"

static const char *const	names[] = {
	"update", "start", "stop", "restart", "pull", "logs", "list", "hook",
	"rollback", "plan"
};

static void
everything(struct agent_conf *ac)
{
	static char	 all[] = "all";
	char		*words[] = { all };

	memset(ac, 0, sizeof(*ac));
	ac->ac_allow_exec = 1;
	ac->ac_allow_actions = allow_mask(words, 1);
	(void)strlcpy(ac->ac_allow_images, "*", sizeof(ac->ac_allow_images));
}

static const char *
image_of(int a)
{
	return (a == ALLOW_UPDATE || a == ALLOW_PLAN ? "" :
	    a == ALLOW_PULL ? "nginx" : NULL);
}

/* Which of them are refused, as a mask. */
static unsigned int
refused(const struct agent_conf *ac, const char *rule)
{
	const char	*why;
	unsigned int	 mask = 0;
	int		 a;

	for (a = 0; a < ALLOW_NONE; a++) {
		why = allow_fault(ac, (enum allow_action)a, image_of(a));
		if (why == NULL)
			continue;
		mask |= 1U << a;
		if (strstr(why, rule) == NULL ||
		    strstr(why, "on this host") == NULL)
			fail_msg("%s: \"%s\"", names[a], why);
	}
	assert_null(allow_fault(ac, ALLOW_NONE, NULL));
	return (mask);
}

#define B(x)	(1U << ALLOW_##x)
#define ALL	(B(NONE) - 1)

static void
test_rules(void **state)
{
	struct agent_conf	 ac;
	char			 word[16], *words[] = { word, word };
	size_t			 i;

	(void)state;
	everything(&ac);
	assert_int_equal(refused(&ac, ""), 0);
	ac.ac_allow_exec = 0;
	assert_int_equal(refused(&ac, "agent.allow.exec"), B(HOOK));
	everything(&ac);
	ac.ac_allow_read_only = 1;
	assert_int_equal(refused(&ac, "agent.allow.read_only"),
	    ALL & ~(B(LOGS) | B(LIST) | B(PLAN)));
	/* Each word allows its own action and no other. */
	for (i = 0; i < nitems(names); i++) {
		everything(&ac);
		(void)strlcpy(word, names[i], sizeof(word));
		word[0] = (char)(word[0] - 'a' + 'A');
		ac.ac_allow_actions = allow_mask(words, 2);
		assert_int_equal(refused(&ac, "agent.allow.actions"),
		    ALL & ~(1U << i));
	}
	everything(&ac);
	ac.ac_allow_actions = allow_mask(NULL, 0);
	assert_int_equal(refused(&ac, "agent.allow.actions"), ALL);
	everything(&ac);
	ac.ac_allow_images[0] = '\0';
	assert_int_equal(refused(&ac, "agent.allow.images"),
	    B(UPDATE) | B(PULL) | B(PLAN));
	(void)strlcpy(ac.ac_allow_images, "ghcr.io/acme/*",
	    sizeof(ac.ac_allow_images));
	/* An update to the current reference is judged where that is known. */
	assert_int_equal(refused(&ac, "agent.allow.images"), B(PULL));
	assert_true(allow_has_images(&ac));
	assert_non_null(allow_fault(&ac, ALLOW_UPDATE, "nginx"));
	assert_non_null(allow_fault(&ac, ALLOW_PLAN, "nginx"));
	assert_non_null(allow_fault(&ac, ALLOW_PULL, ""));
	assert_null(allow_fault(&ac, ALLOW_UPDATE, "ghcr.io/acme/web:2"));
	assert_null(allow_fault(&ac, ALLOW_PULL, "ghcr.io/acme/web"));
	/* The strictest rule counts, whatever the others say. */
	ac.ac_allow_read_only = 1;
	assert_non_null(allow_fault(&ac, ALLOW_PULL, "ghcr.io/acme/web"));
}

/* The words of the configuration are those of the table, in its order. */
static void
test_words(void **state)
{
	int	 key = conf_key_find("agent.allow.actions");
	char	 text[256] = "all";
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(names); i++) {
		(void)strlcat(text, "|", sizeof(text));
		(void)strlcat(text, names[i], sizeof(text));
	}
	assert_int_not_equal(key, -1);
	assert_string_equal(conf_keys[key].ck_bounds, text);
	assert_int_equal(nitems(names), ALLOW_NONE);
}

static char *
lend(const char *s)
{
	return ((char *)(uintptr_t)s);
}

static void
test_messages(void **state)
{
	Sentinel__Cluster__ServerMessage		 m;
	Sentinel__Cluster__UpdateContainerRequest	 u;
	Sentinel__Cluster__PullImageRequest		 p;
	Sentinel__Cluster__PlanRequest			 plan;
	Sentinel__Cluster__DetailRequest		 detail;
	Sentinel__Cluster__ContainerActionRequest	 a;
	const char					*image;
	size_t						 i;
	int						 kind;

	(void)state;
	sentinel__cluster__server_message__init(&m);
	assert_int_equal(allow_action(&m, &image), ALLOW_NONE);
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_UPDATE_CONTAINER;
	sentinel__cluster__update_container_request__init(&u);
	u.target_image = lend("x:1");
	m.update_container = &u;
	assert_int_equal(allow_action(&m, &image), ALLOW_UPDATE);
	assert_string_equal(image, "x:1");
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_PLAN;
	sentinel__cluster__plan_request__init(&plan);
	plan.target_image = lend("x:2");
	plan.container_name = lend("web");
	m.plan = &plan;
	assert_int_equal(allow_action(&m, &image), ALLOW_PLAN);
	assert_string_equal(image, "x:2");
	assert_string_equal(allow_container(&m), "web");
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_DETAIL;
	sentinel__cluster__detail_request__init(&detail);
	detail.container_name = lend("web");
	m.detail = &detail;
	assert_int_equal(allow_action(&m, &image), ALLOW_LIST);
	assert_null(image);
	assert_string_equal(allow_container(&m), "web");
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_PULL_IMAGE;
	sentinel__cluster__pull_image_request__init(&p);
	p.image_ref = lend("y:1");
	m.pull_image = &p;
	assert_int_equal(allow_action(&m, &image), ALLOW_PULL);
	assert_string_equal(image, "y:1");
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_CONTAINER_ACTION;
	sentinel__cluster__container_action_request__init(&a);
	m.container_action = &a;
	for (i = 0; i < nitems(names); i++) {
		a.action = lend(names[i]);
		kind = allow_action(&m, &image);
		assert_int_equal(kind, i >= ALLOW_START && i <= ALLOW_RESTART ?
		    (int)i : ALLOW_NONE);
		assert_null(image);
	}
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_RUN_HOOK;
	assert_int_equal(allow_action(&m, &image), ALLOW_HOOK);
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_ROLLBACK;
	assert_int_equal(allow_action(&m, &image), ALLOW_ROLLBACK);
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_FETCH_LOGS;
	assert_int_equal(allow_action(&m, &image), ALLOW_LOGS);
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_LIST_CONTAINERS;
	assert_int_equal(allow_action(&m, &image), ALLOW_LIST);
}

static void
test_view(void **state)
{
	Sentinel__Ipc__AllowView	 v;
	struct agent_conf		 ac;
	char				 word[] = "logs", *words[] = { word };

	(void)state;
	everything(&ac);
	assert_false(allow_view(&ac, &v));
	allow_view_free(&v);
	ac.ac_allow_exec = 0;
	ac.ac_allow_actions = allow_mask(words, 1);
	(void)strlcpy(ac.ac_allow_images, "ghcr.io/a/* quay.io/b",
	    sizeof(ac.ac_allow_images));
	assert_true(allow_view(&ac, &v));
	assert_false(v.exec);
	assert_false(v.read_only);
	assert_int_equal(v.n_actions, 1);
	assert_string_equal(v.actions[0], "logs");
	assert_int_equal(v.n_images, 2);
	assert_string_equal(v.images[0], "ghcr.io/a/*");
	assert_string_equal(v.images[1], "quay.io/b");
	allow_view_free(&v);
	ac.ac_allow_images[0] = '\0';
	assert_true(allow_view(&ac, &v));
	assert_int_equal(v.n_images, 0);
	allow_view_free(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_view),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
