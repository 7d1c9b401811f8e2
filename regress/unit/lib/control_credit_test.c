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

#include "control_rig.h"

/*
 * Credit for what has no end: the engine may send as many items of a followed
 * log again as have left for the client, and no sooner.
 */
static uint8_t	 item[60 * 1024];

/* What the engine was given in all, for this request. */
static unsigned int
taken(uint32_t id)
{
	unsigned int	 n = 0;
	size_t		 i;

	for (i = 0; i < rig.nasked; i++)
		if (rig.asked[i].type == IMSG_CONTROL_TAKEN &&
		    rig.asked[i].id == id)
			n += rig.asked[i].items;
	return (n);
}

static unsigned int
gone(uint32_t id)
{
	unsigned int	 n = 0;
	size_t		 i;

	for (i = 0; i < rig.nasked; i++)
		n += rig.asked[i].type == IMSG_CONTROL_GONE &&
		    rig.asked[i].id == id;
	return (n);
}

static void
give(uint32_t id, unsigned int n)
{
	while (n-- > 0)
		handle(IMSG_CONTROL_ITEM, id, -1, item, sizeof(item));
}

/* Reads messages until so many have come. */
static void
client_read_items(struct client *c, unsigned int n)
{
	struct imsg	 imsg;

	while (n > 0) {
		spin();
		assert_int_equal(imsgbuf_wait(&c->ib, &imsg, 1000), 1);
		assert_int_equal(imsg_get_type(&imsg), IMSG_CONTROL_ITEM);
		imsg_free(&imsg);
		n--;
	}
	spin();
}

static void
test_reader(void **state)
{
	struct client	 a;
	uint32_t	 id;

	(void)state;
	client_open(&a, 0);
	client_send(&a, 1, CONTROL_VERSION, C(CONTAINER_LOGS), "h", true);
	id = rig.asked[0].id;
	handle(IMSG_CONTROL_ITEM, id, -1, "abc", 3);
	handle(IMSG_CONTROL_ITEM, id, -1, "abc", 3);
	assert_int_equal(taken(id), 0);
	client_read_items(&a, 2);
	assert_int_equal(taken(id), 2);
	spin();
	assert_int_equal(taken(id), 2);
	client_free(&a);
	assert_int_equal(gone(id), 1);
}

/* More than its socket takes: nothing comes back until all has left. */
static void
test_stopped(void **state)
{
	struct client	 a;
	uint32_t	 id;
	unsigned int	 n = 40;

	(void)state;
	client_open(&a, 0);
	client_send(&a, 1, CONTROL_VERSION, C(CONTAINER_LOGS), "h", true);
	id = rig.asked[0].id;
	give(id, n);
	spin();
	spin();
	assert_int_equal(taken(id), 0);
	client_read_items(&a, n);
	assert_int_equal(taken(id), n);
	/* Half read, and away: the engine hears that, and of no credit. */
	give(id, n);
	client_read_items(&a, 2);
	assert_int_equal(taken(id), n);
	client_free(&a);
	assert_int_equal(gone(id), 1);
	assert_int_equal(taken(id), n);
	give(id, 1);	/* late: nobody's */
	spin();
	assert_int_equal(taken(id), n);
}

/* Who asked for an end is given no credit, nor what else it asked. */
static void
test_others(void **state)
{
	struct client	 a, b;
	uint32_t	 follow, list, events, other;

	(void)state;
	client_open(&a, 0);
	client_send(&a, 1, CONTROL_VERSION, C(CONTAINER_LOGS), "h", true);
	client_send(&a, 2, CONTROL_VERSION, C(CONTAINER_LIST), "h", false);
	client_send(&a, 3, CONTROL_VERSION, C(EVENTS), "", true);
	client_open(&b, 0);
	client_send(&b, 1, CONTROL_VERSION, C(CONTAINER_LOGS), "h", false);
	follow = rig.asked[0].id;
	list = rig.asked[1].id;
	events = rig.asked[2].id;
	other = rig.asked[3].id;
	give(list, 1);
	give(events, 1);
	give(follow, 1);
	give(other, 1);
	client_read_items(&a, 3);
	client_read_items(&b, 1);
	assert_int_equal(taken(follow), 1);
	assert_int_equal(taken(list), 0);
	assert_int_equal(taken(events), 0);
	assert_int_equal(taken(other), 0);
	/* Behind what it has not read yet comes the end, and no credit. */
	give(follow, 40);
	answer(follow, CONTROL_TIMEOUT);
	spin();
	client_read_items(&a, 40);
	client_end(&a, 1, CONTROL_TIMEOUT, "");
	assert_int_equal(taken(follow), 1);
	assert_int_equal(gone(follow), 0);
	client_free(&a);
	client_free(&b);
	assert_int_equal(gone(follow), 0);
	assert_int_equal(gone(list), 1);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
	};

	if ((rig.base = event_base_new()) == NULL)
		return (1);
	control_start();
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
