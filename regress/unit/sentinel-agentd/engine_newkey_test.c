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

/* A new key: answers of parent and keyholder in any order, none too many, and
 * of two who want one the later. */
#include "unit.h"

#include <event2/event.h>

#include <string.h>

#include "engine_newkey.h"
#include "engine_renew.h"
#include "keyholder.h"

static struct engine	 state_;
struct engine		*eng = &state_;
static char		 did[64];
static unsigned int	 broken;
static char		 fault[2][128];	/* what the two callers heard */
static unsigned int	 heard[2];

static void
note(const char *what)
{
	assert_true(strlcat(did, what, sizeof(did)) < sizeof(did));
}

struct event_base *
proc_base(void)
{
	static struct event_base	*base;

	if (base == NULL)
		base = event_base_new();
	return (base);
}

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	assert_true(role == ROLE_A_PARENT || role == ROLE_A_KEYHOLDER);
	return (&p);
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)p;
	(void)m;
	(void)why;
	broken++;
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *data, size_t len)
{
	(void)p;
	(void)id;
	(void)fd;
	(void)data;
	assert_int_equal(len, 0);
	note(type == IMSG_IDENTITY_RENEWKEY ? "R" : "E");
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *buf)
{
	(void)p;
	(void)id;
	(void)fd;
	(void)buf;
	note(type == IMSG_KEY_CSR ? "c" : "d");
	return (0);
}

void
engine_begin(void)
{
	note("!");
}

void
renew_found_key(const uint8_t point[ECKEY_POINT_LEN])
{
	(void)point;
	note("f");
}

static void
told(int who, const struct newkey *nk)
{
	heard[who]++;
	(void)strlcpy(fault[who], nk->nk_fault == NULL ? "" : nk->nk_fault,
	    sizeof(fault[who]));
	if (nk->nk_fault == NULL) {
		assert_int_equal(nk->nk_point[0], 4);
		assert_int_equal(nk->nk_csrlen, 3);
	}
}

static void
first(const struct newkey *nk)
{
	told(0, nk);
}

static void
second(const struct newkey *nk)
{
	told(1, nk);
}

static void
made(uint8_t rc)
{
	struct imsg	 m = { .hdr.type = IMSG_IDENTITY_NEWKEY_DONE };

	assert_non_null(m.buf = ibuf_dynamic(8, 64));
	assert_int_equal(ibuf_add_n8(m.buf, rc), 0);
	assert_int_equal(ibuf_add_string(m.buf, rc == 0 ? "" : "no room"), 0);
	newkey_made(NULL, &m);
	ibuf_free(m.buf);
}

static void
info(uint8_t slot)
{
	struct imsg	 m = { .hdr.type = IMSG_KEY_INFO };
	uint8_t		 point[ECKEY_POINT_LEN] = { 4 };

	assert_non_null(m.buf = ibuf_dynamic(8, 200));
	assert_int_equal(ibuf_add_n8(m.buf, KEY_PURPOSE_AGENT_TLS), 0);
	assert_int_equal(ibuf_add_n8(m.buf, slot), 0);
	assert_int_equal(ibuf_add_bytes(m.buf, point, sizeof(point)), 0);
	assert_int_equal(ibuf_add_bytes(m.buf, "", 0), 0);
	assert_int_equal(ibuf_add_bytes(m.buf, "", 0), 0);
	assert_int_equal(ibuf_add_n64(m.buf, 0), 0);
	assert_int_equal(ibuf_add_n64(m.buf, 0), 0);
	newkey_info(NULL, &m);
	ibuf_free(m.buf);
}

static void
csr(uint8_t rc, size_t len)
{
	struct imsg	 m = { .hdr.type = IMSG_KEY_CSR_DONE };
	uint8_t		 point[ECKEY_POINT_LEN] = { 4 };

	assert_non_null(m.buf = ibuf_dynamic(8, 200));
	assert_int_equal(ibuf_add_n8(m.buf, rc), 0);
	assert_int_equal(ibuf_add_bytes(m.buf, point, rc == 0 ?
	    sizeof(point) : 0), 0);
	assert_int_equal(ibuf_add_bytes(m.buf, "csr", len), 0);
	assert_int_equal(ibuf_add_string(m.buf, rc == 0 ? "" : "refused"), 0);
	newkey_csr_done(NULL, &m);
	ibuf_free(m.buf);
}

static int
begin(void **state)
{
	(void)state;
	did[0] = '\0';
	broken = heard[0] = heard[1] = 0;
	return (0);
}

static void
test_way(void **state)
{
	(void)state;
	newkey_ask(NEWKEY_ENROL, "worker", first);
	made(0);
	assert_string_equal(did, "E");
	info(KEY_SLOT_NEW);
	assert_string_equal(did, "Ec");
	csr(0, 3);
	assert_int_equal(heard[0], 1);
	assert_string_equal(fault[0], "");
	/* The keyholder may be the faster one. */
	newkey_ask(NEWKEY_RENEW, "worker", first);
	info(KEY_SLOT_NEW);
	made(0);
	csr(0, 3);
	assert_string_equal(did, "EcRc");
	assert_int_equal(heard[0], 2);
	assert_int_equal(broken, 0);
}

static void
test_failures(void **state)
{
	(void)state;
	newkey_ask(NEWKEY_RENEW, "worker", first);
	made(1);
	assert_string_equal(fault[0], "no key for this host: no room");
	newkey_ask(NEWKEY_RENEW, "worker", first);
	info(KEY_SLOT_NEW);
	made(0);
	csr(KEY_RC_REFUSED, 0);
	assert_string_equal(fault[0], "no certificate request: refused");
	assert_int_equal(heard[0], 2);
}

/* Who begins later needs it more; both are told, each once. */
static void
test_superseded(void **state)
{
	(void)state;
	newkey_ask(NEWKEY_RENEW, "worker", first);
	newkey_ask(NEWKEY_ENROL, "worker", second);
	assert_int_equal(heard[0], 1);
	assert_string_equal(fault[0], "another key is made instead");
	/* The parent is at the first one still. */
	assert_string_equal(did, "R");
	made(0);
	assert_string_equal(did, "R");
	info(KEY_SLOT_NEW);
	assert_string_equal(did, "RE");
	info(KEY_SLOT_NEW);
	made(0);
	csr(0, 3);
	assert_string_equal(did, "REc");
	assert_int_equal(heard[1], 1);
	assert_string_equal(fault[1], "");

	/* While the request is made. */
	newkey_ask(NEWKEY_RENEW, "worker", first);
	info(KEY_SLOT_NEW);
	made(0);
	newkey_ask(NEWKEY_ENROL, "worker", second);
	csr(0, 3);
	made(1);
	assert_int_equal(heard[0], 2);
	assert_int_equal(heard[1], 2);
	assert_string_equal(fault[1], "no key for this host: no room");
	/* And after one that has failed. */
	newkey_ask(NEWKEY_RENEW, "worker", first);
	newkey_ask(NEWKEY_ENROL, "worker", second);
	did[0] = '\0';
	made(1);
	assert_string_equal(did, "E");
	made(1);
	assert_int_equal(heard[1], 3);
	assert_int_equal(broken, 0);
}

static void
test_broken(void **state)
{
	(void)state;
	made(0);
	csr(0, 3);
	assert_int_equal(broken, 2);
	/* The key in use, and one that a renewal has left, at start. */
	info(KEY_SLOT_NEW);
	info(KEY_SLOT_CURRENT);
	assert_string_equal(did, "f!");
	assert_true(eng->id.id_has_point);
	info(KEY_SLOT_NEW);
	assert_int_equal(broken, 3);
	newkey_ask(NEWKEY_RENEW, "worker", first);
	made(0);
	made(0);
	assert_int_equal(broken, 4);
	info(KEY_SLOT_NEW);
	csr(0, 0);
	assert_int_equal(broken, 5);
	csr(0, 3);
	assert_int_equal(heard[0], 1);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_way, begin),
		cmocka_unit_test_setup(test_failures, begin),
		cmocka_unit_test_setup(test_superseded, begin),
		cmocka_unit_test_setup(test_broken, begin),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
