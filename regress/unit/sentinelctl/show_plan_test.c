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

#include "ctl.h"
#include "view_json.h"

#define S(text)	((char *)(uintptr_t)(text))

static Sentinel__Cluster__PlanItem	 item[4], *items[4];
static Sentinel__Cluster__PlanDrop	 drop, *drops[1];
static Sentinel__Cluster__PlanDependant	 user, *users[1];
static Sentinel__Cluster__Plan		 pl;
static Sentinel__Ipc__PlanView		 view;
static char				*notes[1];

static void
set(size_t i, const char *kind, const char *name, const char *change,
    const char *now, const char *then)
{
	sentinel__cluster__plan_item__init(&item[i]);
	item[i].kind = S(kind);
	item[i].name = S(name);
	item[i].change = S(change);
	item[i].now = S(now);
	item[i].then = S(then);
	items[i] = &item[i];
}

static int
set_up(void **state)
{
	(void)state;
	sentinel__cluster__plan__init(&pl);
	sentinel__ipc__plan_view__init(&view);
	view.host_id = S("h");
	view.host_name = S("w1");
	view.container = S("web");
	view.plan = &pl;
	pl.container_id = S("c");
	pl.state = S("running");
	pl.old_image = S("app:1");
	pl.old_image_id = S("sha256:1");
	pl.new_image = S("app:2");
	pl.new_image_id = S("sha256:2");
	pl.api_version = S("1.41");
	pl.stop_seconds = 7;
	set(0, "env", "V", "changed", "1", "2");
	set(1, "env", "MINE", "same", "", "");
	set(2, "label", "x\033[2J", "same", "y", "y");
	set(3, "env", "NEW", "new", "", "n");
	pl.items = items;
	pl.n_items = nitems(item);
	sentinel__cluster__plan_drop__init(&drop);
	drop.name = S("Config.Hostname");
	drop.why = S("Docker made it");
	drops[0] = &drop;
	pl.dropped = drops;
	pl.n_dropped = 1;
	sentinel__cluster__plan_dependant__init(&user);
	user.container_name = S("side");
	user.how = S("network");
	user.what = S("is made anew");
	users[0] = &user;
	pl.dependants = users;
	pl.n_dependants = 1;
	notes[0] = S("the registry was not asked");
	pl.notes = notes;
	pl.n_notes = 1;
	return (0);
}

static char *
text(void)
{
	static char	 out[8192];
	FILE		*f = fmemopen(out, sizeof(out), "w");

	assert_non_null(f);
	text_plan(f, &view);
	assert_int_equal(fclose(f), 0);
	return (out);
}

static void
test_text(void **state)
{
	(void)state;
	assert_string_equal(text(),
	    "plan for     w1/web\n"
	    "image now    app:1  sha256:1\n"
	    "image then   app:2  sha256:2\n"
	    "container    running; it has 7 s to end, then the new one is "
	    "started\n"
	    "changes\n"
	    "  changed  env V: 1 -> 2\n"
	    "  new      env NEW: - -> n\n"
	    "stays\n"
	    "  same     env MINE\n"
	    "  same     label x\\033[2J: y\n"
	    "dropped\n"
	    "  Config.Hostname: Docker made it\n"
	    "dependants\n"
	    "  side (network) is made anew\n"
	    "note         the registry was not asked\n");
	pl.n_items = pl.n_dropped = pl.n_dependants = pl.n_notes = 0;
	pl.new_image_id = S("");
	pl.state = S("exited");
	pl.stop_seconds = 0;
	assert_string_equal(text(),
	    "plan for     w1/web\n"
	    "image now    app:1  sha256:1\n"
	    "image then   app:2  to be pulled\n"
	    "container    exited; the new one is not started\n"
	    "changes\n"
	    "  nothing but the image\n");
	pl.identical = true;
	assert_string_equal(text(),
	    "plan for     w1/web\n"
	    "image now    app:1  sha256:1\n"
	    "image then   app:2  the same\n"
	    "container    is not touched\n");
}

static void
test_json(void **state)
{
	struct json_gen	*g = json_gen_new(65536);
	struct json	*js;
	char		*out;
	size_t		 len;

	(void)state;
	view_json_plan(g, &view);
	assert_non_null(out = json_gen_take(g, &len));
	json_gen_free(g);
	assert_non_null(js = json_parse(out, len, NULL, 0));
	assert_string_equal(json_get_str(json_root(js), "name"), "web");
	assert_string_equal(json_get_str(json_root(js), "new_image_id"),
	    "sha256:2");
	assert_int_equal(json_count(json_get(json_root(js), "items")), 4);
	assert_string_equal(json_get_str(json_get(json_root(js),
	    "items")->jv_child, "then"), "2");
	assert_string_equal(json_get_str(json_get(json_root(js),
	    "dropped")->jv_child, "why"), "Docker made it");
	assert_string_equal(json_get_str(json_get(json_root(js),
	    "dependants")->jv_child, "name"), "side");
	assert_int_equal(json_count(json_get(json_root(js), "notes")), 1);
	json_free(js);
	free(out);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test_setup(test_text, set_up),
		cmocka_unit_test_setup(test_json, set_up),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
