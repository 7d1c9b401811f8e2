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

#include "engine_rig.h"

#include "engine_cluster.h"

/* What the engine does when cluster dies, and to whom who caused it. */
#define HOST_A	"0000000000000000000000000000000a"
#define HOST_B	"0000000000000000000000000000000b"

static struct host	*ha, *hb;
static unsigned int	 ended;

static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	eng->conf.ec_hold_off_msec = 1000;
	ha = rig_host(HOST_A, "alpha");
	hb = rig_host(HOST_B, "beta");
	ended = 0;
	return (0);
}

static void
on_end(struct op *op, const struct op_result *r, void *arg)
{
	(void)op;
	(void)arg;
	assert_int_equal(r->or_end, OP_GONE);
	assert_non_null(strstr(r->or_error, "unknown"));
	ended++;
}

static void
lose(uint32_t faulty)
{
	rig.peer[ROLE_CLUSTER].pe_faulty = faulty;
	rig.gone[ROLE_CLUSTER] = true;
	engine_peer_lost(&rig.peer[ROLE_CLUSTER]);
	rig.peer[ROLE_CLUSTER].pe_faulty = 0;
}

static void
come_back(void)
{
	rig.gone[ROLE_CLUSTER] = false;
	engine_peer_up(&rig.peer[ROLE_CLUSTER]);
}

/* The parent tells what it found in the page. */
static void
died(const char *address, const char *host)
{
	struct crash_note	 note;
	struct ibuf		*buf = ibuf_dynamic(64, 600);

	memset(&note, 0, sizeof(note));
	note.cr_busy = address != NULL;
	note.cr_proven = host != NULL;
	(void)strlcpy(note.cr_address, address != NULL ? address : "",
	    sizeof(note.cr_address));
	(void)strlcpy(note.cr_host, host != NULL ? host : "",
	    sizeof(note.cr_host));
	assert_int_equal(ibuf_add_string(buf, "killed by signal 11"), 0);
	assert_int_equal(ibuf_add_bytes(buf, &note, sizeof(note)), 0);
	rig_give_ibuf(ROLE_PARENT, IMSG_CLUSTER_DIED, 0, buf);
}

/* The next CLUSTER_HOLD; 0 when there is none. */
static uint8_t
held(char *key, uint32_t *msec)
{
	struct sent	*s;
	struct ibuf	 b;
	const uint8_t	*p;
	uint8_t		 kind;
	size_t		 len;

	if ((s = rig_take(IMSG_CLUSTER_HOLD, 0)) == NULL)
		return (0);
	ibuf_from_buffer(&b, s->st_body, s->st_len);
	assert_int_equal(ibuf_get_n8(&b, &kind), 0);
	assert_int_equal(ibuf_get_bytes(&b, 63, &p, &len), 0);
	memcpy(key, p, len);
	key[len] = '\0';
	assert_int_equal(ibuf_get_n32(&b, msec), 0);
	assert_int_equal(ibuf_end(&b), 0);
	rig_free(s);
	return (kind);
}

static void
test_lost(void **state)
{
	Sentinel__Cluster__StateReport	 r;
	struct op			*op;

	(void)state;
	rig_open(1, HOST_A, "0a", NULL);
	rig_open(2, HOST_B, "0b", NULL);
	/* A stream that was replaced, and a report half way. */
	rig_open(3, HOST_B, "0b", NULL);
	sentinel__cluster__state_report__init(&r);
	rig_open(4, HOST_A, "0a", &r);
	rig_container(4, "web", 0);
	assert_non_null(op = op_new(OP_ACTION, ha));
	op->op_done = on_end;
	(void)strlcpy(op->op_container, "web", sizeof(op->op_container));
	(void)strlcpy(op->op_action, "stop", sizeof(op->op_action));
	op_start(op);
	assert_int_equal(eng->nsessions, 4);
	(void)strlcpy(eng->listen, "[::]:9443", sizeof(eng->listen));

	lose(0);
	assert_int_equal(ended, 1);
	assert_int_equal(eng->nsessions, 0);
	assert_int_equal(eng->nops, 0);
	assert_int_equal(eng->list_bytes, 0);
	assert_false(host_is_connected(ha));
	assert_false(host_is_connected(hb));
	assert_string_equal(ha->h_disconnect_cat, "server");
	assert_non_null(strstr(hb->h_disconnect_err, "cluster process"));
	assert_string_equal(eng->listen, "");

	/* Its successor begins with the same numbers. */
	rig_forget();
	come_back();
	assert_int_equal(rig_count(IMSG_CLUSTER_HOLD), 0);
	rig_open(1, HOST_B, "0b", NULL);
	assert_true(host_is_connected(hb));
	assert_false(host_is_connected(ha));
	rig_closed(1);
	assert_int_equal(rig.broken, 0);
}

static void
test_hold(void **state)
{
	static const char	 net[] = "\0\0\0\0\0\0\0\0\0\0\0\0\300\0\2\7";
	char			 key[64];
	uint32_t		 msec;

	(void)state;
	/* Nobody: nobody is held off. */
	lose(0);
	died(NULL, NULL);
	come_back();
	assert_int_equal(held(key, &msec), 0);

	/* An address, twice as long each time. */
	lose(0);
	died("192.0.2.7", NULL);
	come_back();
	assert_int_equal(held(key, &msec), HOLD_ADDRESS);
	assert_memory_equal(key, net, 16);
	assert_in_range(msec, 900, 1000);
	lose(0);
	died("::ffff:192.0.2.7", NULL);
	assert_int_equal(hold_count(HOLD_ADDRESS, "192.0.2.7"), 2);
	come_back();
	assert_int_equal(held(key, &msec), HOLD_ADDRESS);
	assert_in_range(msec, 1900, 2000);
	assert_int_equal(held(key, &msec), 0);
	assert_int_equal(hold_count(HOLD_ADDRESS, "192.0.2.8"), 0);

	/* A host by its certificate: its address is not to blame. */
	lose(0);
	died("192.0.2.9", HOST_A);
	come_back();
	assert_int_equal(held(key, &msec), HOLD_HOST);
	assert_string_equal(key, HOST_A);
	assert_int_equal(hold_count(HOLD_ADDRESS, "192.0.2.9"), 0);
	/* The address of before is still in the table. */
	assert_int_equal(held(key, &msec), HOLD_ADDRESS);

	/* One that is not registered. */
	died("192.0.2.9", "ffffffffffffffffffffffffffffffff");
	assert_int_equal(hold_count(HOLD_ADDRESS, "192.0.2.9"), 1);
	/* All of a /64 are one. */
	died("2001:db8:0:1::1", NULL);
	died("2001:db8:0:1:ffff::2", NULL);
	assert_int_equal(hold_count(HOLD_ADDRESS, "2001:db8:0:1::3"), 2);
}

/* A message that only we find broken is blamed on the host of its call. */
static void
test_faulty(void **state)
{
	char		 key[64];
	uint32_t	 msec;

	(void)state;
	rig_open(7, HOST_B, "0b", NULL);
	lose(7);
	assert_int_equal(hold_count(HOLD_HOST, HOST_B), 1);
	lose(8);
	assert_int_equal(hold_count(HOLD_HOST, HOST_B), 1);
	rig_forget();
	come_back();
	assert_int_equal(held(key, &msec), HOLD_HOST);
	assert_string_equal(key, HOST_B);
}

/* A cluster that is owned time and again fills a table, not the memory. */
static void
test_bounded(void **state)
{
	struct sent	*s;
	char		 address[64];
	int		 i;

	(void)state;
	eng->conf.ec_hold_off_msec = 3600000;
	for (i = 0; i < HOLD_MAX + 50; i++) {
		(void)snprintf(address, sizeof(address), "10.0.%d.%d", i / 200,
		    i % 200);
		died(address, NULL);
	}
	died("10.0.1.1", NULL);
	died("10.0.1.1", NULL);
	assert_int_equal(hold_count(HOLD_ADDRESS, "10.0.0.0"), 0);
	assert_int_equal(hold_count(HOLD_ADDRESS, "10.0.1.1"), 3);
	rig_forget();
	come_back();
	assert_int_equal(rig_count(IMSG_CLUSTER_HOLD), HOLD_MAX);
	/* Never longer than an hour. */
	s = rig_take(IMSG_CLUSTER_HOLD, 0);
	assert_memory_equal(s->st_body + s->st_len - 4, "\0\66\356", 3);
	rig_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lost, up, rig_down),
		cmocka_unit_test_setup_teardown(test_hold, up, rig_down),
		cmocka_unit_test_setup_teardown(test_faulty, up, rig_down),
		cmocka_unit_test_setup_teardown(test_bounded, up, rig_down),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
