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

#include <string.h>

#include "policy.h"

static struct policy_result
resolve(const char *label, enum policy override, enum policy host,
    enum policy dflt)
{
	struct policy_facts	 pf = {
		.pf_label = label,
		.pf_image = "example/web:1",
		.pf_override = override,
		.pf_host = host,
		.pf_default = dflt,
	};
	struct policy_result	 pr;

	policy_resolve(&pf, &pr);
	return (pr);
}

/* Every set of what is set against the order of the page. */
static void
test_order(void **state)
{
	struct policy_result	 pr;
	unsigned int		 set;

	(void)state;
	for (set = 0; set < 16; set++) {
		/* The label says pinned, each other one auto. */
		pr = resolve(set & 8 ? "pinned" : NULL,
		    set & 4 ? POLICY_AUTO : POLICY_NONE,
		    set & 2 ? POLICY_AUTO : POLICY_NONE,
		    set & 1 ? POLICY_AUTO : POLICY_NONE);
		assert_false(pr.pr_label_ignored);
		assert_int_equal(pr.pr_policy, set & 8 ? POLICY_PINNED :
		    set != 0 ? POLICY_AUTO : POLICY_MANUAL);
		assert_int_equal(pr.pr_origin, set & 8 ? POLICY_O_LABEL :
		    set & 4 ? POLICY_O_OVERRIDE : set & 2 ? POLICY_O_HOST :
		    set & 1 ? POLICY_O_DEFAULT : POLICY_O_FALLBACK);
	}
}

static void
test_hostile_label(void **state)
{
	static const char *const bad[] = { "", " auto", "auto ", "always",
	    "auto\nmanual", "\xff\xfe", "manual\x1b[2J", "none" };
	char			 huge[70000];
	struct policy_result	 pr;
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		pr = resolve(bad[i], POLICY_NONE, POLICY_PINNED, POLICY_AUTO);
		assert_int_equal(pr.pr_policy, POLICY_PINNED);
		assert_int_equal(pr.pr_origin, POLICY_O_HOST);
		assert_true(pr.pr_label_ignored);
	}
	memset(huge, 'a', sizeof(huge));
	huge[sizeof(huge) - 1] = '\0';
	pr = resolve(huge, POLICY_NONE, POLICY_NONE, POLICY_NONE);
	assert_int_equal(pr.pr_policy, POLICY_MANUAL);
	assert_int_equal(pr.pr_origin, POLICY_O_FALLBACK);
	assert_true(pr.pr_label_ignored);
	pr = resolve("PinneD", POLICY_AUTO, POLICY_AUTO, POLICY_AUTO);
	assert_int_equal(pr.pr_policy, POLICY_PINNED);
	assert_false(pr.pr_label_ignored);
}

static void
test_latest(void **state)
{
	static const struct {
		const char	*image;
		bool		 is_latest;
	} rows[] = {
		{ "web", true },
		{ "web:latest", true },
		{ "localhost:5000/web", true },
		{ "localhost:5000/web:latest", true },
		{ "web:1", false },
		{ "web@sha256:0123456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef", false },
		{ "web:latest@sha256:0123456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef", false },
		{ "::", false },
		{ "", false },
		{ NULL, false },
	};
	struct policy_facts	 pf = { .pf_latest_auto = true,
				     .pf_host = POLICY_PINNED };
	struct policy_result	 pr;
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		pf.pf_image = rows[i].image;
		policy_resolve(&pf, &pr);
		assert_int_equal(pr.pr_origin, rows[i].is_latest ?
		    POLICY_O_LATEST : POLICY_O_HOST);
		assert_int_equal(pr.pr_policy, rows[i].is_latest ?
		    POLICY_AUTO : POLICY_PINNED);
	}
	/* It is weaker than what was said about this container. */
	pf.pf_image = "web";
	pf.pf_override = POLICY_MANUAL;
	policy_resolve(&pf, &pr);
	assert_int_equal(pr.pr_origin, POLICY_O_OVERRIDE);
	pf.pf_override = POLICY_NONE;
	pf.pf_latest_auto = false;
	policy_resolve(&pf, &pr);
	assert_int_equal(pr.pr_origin, POLICY_O_HOST);
}

static void
test_label(void **state)
{
	Sentinel__Cluster__ContainerInfo__LabelsEntry	 e[3];
	Sentinel__Cluster__ContainerInfo__LabelsEntry	*list[3];
	Sentinel__Cluster__ContainerInfo		 info;
	char	 key[] = "sentinel.policy", other[] = "sentinel.policy2",
		 a[] = "auto", p[] = "pinned";
	size_t	 i;

	(void)state;
	sentinel__cluster__container_info__init(&info);
	assert_null(policy_label(&info));
	for (i = 0; i < nitems(e); i++) {
		sentinel__cluster__container_info__labels_entry__init(&e[i]);
		e[i].key = other;
		e[i].value = a;
		list[i] = &e[i];
	}
	info.labels = list;
	info.n_labels = nitems(list);
	assert_null(policy_label(&info));
	e[0].key = key;
	assert_string_equal(policy_label(&info), "auto");
	e[2].key = key;
	e[2].value = p;
	assert_string_equal(policy_label(&info), "pinned");
}

static void
test_names(void **state)
{
	int	 i;

	(void)state;
	for (i = POLICY_AUTO; i <= POLICY_PINNED; i++)
		assert_int_equal(policy_parse(policy_name((enum policy)i)), i);
	assert_int_equal(policy_parse(NULL), POLICY_NONE);
	assert_int_equal(policy_parse(""), POLICY_NONE);
	assert_string_equal(policy_name(POLICY_NONE), "");
	for (i = POLICY_O_LABEL; i <= POLICY_O_FALLBACK; i++)
		assert_true(strlen(policy_origin_name(
		    (enum policy_origin)i)) > 3);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_hostile_label),
		cmocka_unit_test(test_latest),
		cmocka_unit_test(test_label),
		cmocka_unit_test(test_names),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
