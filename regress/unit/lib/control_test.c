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

/* --- tests -------------------------------------------------------------- */

static void
test_route(void **state)
{
	struct client	 a, b;
	uint32_t	 ida, idb;

	(void)state;
	client_open(&a, 0);
	client_open(&b, 1);
	/* The same number from two clients. */
	client_ask(&a, 5, CONTROL_VERSION, C(HOST_SHOW), "ha");
	client_ask(&b, 5, CONTROL_VERSION, C(HOST_SHOW), "hb");
	assert_int_equal(rig.nasked, 2);
	ida = rig.asked[0].id;
	idb = rig.asked[1].id;
	assert_int_not_equal(ida, idb);
	assert_string_equal(rig.asked[0].host, "ha");
	assert_int_equal(rig.asked[0].uid, getuid());
	assert_false(rig.asked[0].read_only);
	assert_true(rig.asked[1].read_only);
	assert_int_equal(rig.asked[1].uid, getuid());
	answer(idb, 3);
	client_end(&b, 5, 3, "");
	answer(ida, 0);
	client_end(&a, 5, 0, "");
	/* late, double, unknown: nothing happens */
	answer(ida, 0);
	answer(999999, 0);
	client_ask(&a, 6, CONTROL_VERSION, C(STATUS), "");
	assert_int_equal(rig.nasked, 3);
	/* the client goes: the engine hears it once */
	client_free(&a);
	assert_int_equal(rig.nasked, 4);
	assert_int_equal(rig.asked[3].type, IMSG_CONTROL_GONE);
	assert_int_equal(rig.asked[3].id, rig.asked[2].id);
	answer(rig.asked[2].id, 0);
	client_free(&b);
	assert_int_equal(rig.nasked, 4);
}

static void
test_items(void **state)
{
	struct client	 a;
	struct imsg	 imsg;

	(void)state;
	client_open(&a, 0);
	client_ask(&a, 1, CONTROL_VERSION, C(EVENTS), "");
	handle(IMSG_CONTROL_ITEM, rig.asked[0].id, -1, "abc", 3);
	spin();
	assert_int_equal(imsgbuf_wait(&a.ib, &imsg, 1000), 1);
	assert_int_equal(imsg_get_type(&imsg), IMSG_CONTROL_ITEM);
	assert_int_equal(imsg_get_id(&imsg), 1);
	assert_int_equal(imsg_get_len(&imsg), 3);
	imsg_free(&imsg);
	client_free(&a);
}

static void
test_refusals(void **state)
{
	static const int	 writes[] = {
		C(TOKEN_CREATE), C(TOKEN_REVOKE), C(CONTAINER_UPDATE),
		C(CONTAINER_ACTION), C(HOST_PAUSE), C(HOST_RESUME),
		C(HOST_REMOVE), C(HOST_REVOKE), C(HOST_RENAME), C(HOST_LABEL)
	};
	const ProtobufCEnumDescriptor	*all =
	    &sentinel__ipc__control_request__command__descriptor;
	struct client	 a, ro;
	size_t		 i;

	(void)state;
	client_open(&a, 0);
	client_open(&ro, 1);
	client_ask(&a, 1, CONTROL_VERSION + 1, C(STATUS), "");
	client_end(&a, 1, CONTROL_FAILED, "install both from one release");
	client_ask(&a, 2, CONTROL_VERSION, 9999, "");
	client_end(&a, 2, CONTROL_USAGE, "unknown value 9999");
	for (i = 0; i < nitems(writes); i++) {
		client_ask(&ro, (uint32_t)i, CONTROL_VERSION, writes[i], "");
		client_end(&ro, (uint32_t)i, CONTROL_DENIED,
		    "only answers questions");
	}
	assert_int_equal(rig.nasked, 0);
	rig.gone = true;
	client_ask(&a, 3, CONTROL_VERSION, C(STATUS), "");
	client_end(&a, 3, CONTROL_UNREACH, "engine");
	/* No command of the protocol is unknown here. */
	for (i = 0; i < all->n_values; i++) {
		client_ask(&a, (uint32_t)i, CONTROL_VERSION,
		    all->values[i].value, "");
		client_end(&a, (uint32_t)i, CONTROL_UNREACH, "engine");
	}
	rig.gone = false;
	client_free(&ro);

	/* too many at a time */
	for (i = 0; i < CONTROL_REQUESTS_MAX; i++)
		client_ask(&a, (uint32_t)i, CONTROL_VERSION, C(STATUS), "");
	assert_int_equal(rig.nasked, CONTROL_REQUESTS_MAX);
	client_ask(&a, 100, CONTROL_VERSION, C(STATUS), "");
	client_end(&a, 100, CONTROL_FAILED, "at a time");
	/* a number that is in use */
	client_ask(&a, 1, CONTROL_VERSION, C(STATUS), "");
	client_closed(&a);
	assert_int_equal(rig.nasked, 2 * CONTROL_REQUESTS_MAX);
	client_free(&a);
}

static void
test_broken(void **state)
{
	static const struct {
		uint32_t	 type;
		size_t		 len;
	} rows[] = {
		{ IMSG_CONTROL_ITEM, 0 },	/* the engine's */
		{ IMSG_CONF_OFFER, 8 },		/* the parent's */
		{ 0xffff, 0 },
		{ IMSG_CONTROL_REQUEST, CONTROL_REQUEST_MAXBYTES + 1 },
	};
	struct client	 a;
	uint8_t		 body[CONTROL_REQUEST_MAXBYTES + 1] = { 0 };
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		client_open(&a, 0);
		assert_int_equal(imsg_compose(&a.ib, rows[i].type, 1, -1,
		    body, rows[i].len), 0);
		assert_int_equal(imsgbuf_flush(&a.ib, 1000), 0);
		spin();
		client_closed(&a);
		client_free(&a);
	}
	/* bytes that are no message at all */
	client_open(&a, 0);
	assert_int_equal(write(a.fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	client_closed(&a);
	client_free(&a);
	/* a descriptor where none belongs */
	client_open(&a, 0);
	assert_int_equal(imsg_compose(&a.ib, IMSG_CONTROL_REQUEST, 1, dup(0),
	    "", 0), 0);
	assert_int_equal(imsgbuf_flush(&a.ib, 1000), 0);
	client_closed(&a);
	client_free(&a);
	assert_int_equal(rig.nasked, 0);
}

static void
test_caps(void **state)
{
	struct client	 c[CONTROL_CLIENTS_MAX], more;
	size_t		 i, max;

	(void)state;
	max = getuid() == 0 ? CONTROL_CLIENTS_MAX : CONTROL_UID_MAX;
	for (i = 0; i < max; i++)
		client_open(&c[i], (int)(i % 2));
	client_open(&more, 0);
	client_end(&more, 0, CONTROL_FAILED, "too many connections");
	client_closed(&more);
	client_free(&more);
	client_free(&c[0]);
	client_open(&c[0], 0);
	client_ask(&c[0], 1, CONTROL_VERSION, C(STATUS), "");
	assert_int_equal(rig.nasked, 1);
	for (i = 0; i < max; i++)
		client_free(&c[i]);
}

static void
test_slow(void **state)
{
	struct client	 a;
	static uint8_t	 body[1024 * 1024];
	size_t		 i;

	(void)state;
	client_open(&a, 0);
	client_ask(&a, 1, CONTROL_VERSION, C(CONTAINER_LIST), "");
	for (i = 0; i < CONTROL_CLIENT_MAXBYTES / sizeof(body) - 1; i++)
		handle(IMSG_CONTROL_ITEM, rig.asked[0].id, -1, body,
		    sizeof(body));
	assert_int_equal(rig.nasked, 1);
	for (i = 0; i < 2; i++)
		handle(IMSG_CONTROL_ITEM, rig.asked[0].id, -1, body,
		    sizeof(body));
	/* closed, and the engine told */
	assert_int_equal(rig.nasked, 2);
	assert_int_equal(rig.asked[1].type, IMSG_CONTROL_GONE);
	client_free(&a);
	/* its bytes do not count any more: twice the total would fit */
	for (i = 0; i < 3; i++) {
		client_open(&a, 0);
		client_ask(&a, 1, CONTROL_VERSION, C(CONTAINER_LIST), "");
		handle(IMSG_CONTROL_ITEM, rig.asked[rig.nasked - 1].id, -1,
		    body, sizeof(body));
		answer(rig.asked[rig.nasked - 1].id, 0);
		client_free(&a);
	}
	assert_int_equal(rig.nasked, 5);
}

/*
 * A descriptor with half a message would stay with us until the other half
 * comes: a few users of the read-only socket could take all we may have.
 */
static void
test_descriptor(void **state)
{
	struct client	 a;
	struct imsg_hdr	 hdr = { IMSG_CONTROL_REQUEST, 64, 1, 0 };
	struct msghdr	 msg;
	struct iovec	 iov;
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	} cmsg;
	size_t		 before;

	(void)state;
	client_open(&a, 1);
	before = unit_count_fds();
	memset(&msg, 0, sizeof(msg));
	memset(&cmsg, 0, sizeof(cmsg));
	iov.iov_base = &hdr;
	iov.iov_len = sizeof(hdr);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = &cmsg;
	msg.msg_controllen = sizeof(cmsg.buf);
	cmsg.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	cmsg.hdr.cmsg_level = SOL_SOCKET;
	cmsg.hdr.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&cmsg.hdr), &a.fd, sizeof(int));
	assert_int_equal(sendmsg(a.fd, &msg, 0), sizeof(hdr));
	client_closed(&a);
	/* And its own end of the connection. */
	assert_int_equal(unit_count_fds(), before - 1);
	client_free(&a);
}

/* The other socket is for everybody. */
static void
test_readonly(void **state)
{
	struct client	 a;

	(void)state;
	client_open(&a, 1);
	client_ask(&a, 1, CONTROL_VERSION, C(CONTAINER_LOGS), "h");
	client_end(&a, 1, CONTROL_DENIED, "only answers questions");
	client_ask(&a, 2, CONTROL_VERSION, C(CONTAINER_UPDATE), "h");
	client_end(&a, 2, CONTROL_DENIED, "only answers questions");
	client_ask(&a, 3, CONTROL_VERSION, C(CONTAINER_LIST), "");
	assert_int_equal(rig.nasked, 1);
	client_free(&a);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_route, setup, teardown),
		cmocka_unit_test_setup_teardown(test_items, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_caps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptor, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_readonly, setup,
		    teardown),
	};

	if ((rig.base = event_base_new()) == NULL)
		return (1);
	control_start();
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
