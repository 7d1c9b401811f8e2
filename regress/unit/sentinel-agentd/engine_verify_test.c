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

/* Signed commands: whose, for whom, for which session, how often changed. */
#include "world.h"

#include <openssl/sha.h>

#include <stdio.h>

#include "engine.h"
#include "pbcheck.h"

static struct world	*ours, *theirs;
static time_t		 now;
static const uint8_t	 nonce[16] = "0123456789abcde";

/* A command as the server's engine makes it; each field may be changed. */
struct made {
	uint8_t	*m_body;
	size_t	 m_bodylen;
	uint8_t	 m_sig[ECKEY_SIG_MAXBYTES];
	size_t	 m_siglen;
};

static int
setup(void **state)
{
	(void)state;
	now = time(NULL);
	ours = world_new(now);
	theirs = world_new(now);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	world_free(ours);
	world_free(theirs);
	return (0);
}

static uint8_t *
pack_inner(const char *id, const char *container, bool nested, size_t *len)
{
	Sentinel__Cluster__ServerMessage		 m;
	Sentinel__Cluster__ContainerActionRequest	 r;
	Sentinel__Cluster__SignedCommand		 s;
	uint8_t						 bytes[8] = { 1 };

	sentinel__cluster__server_message__init(&m);
	m.request_id = engine_lend(id);
	sentinel__cluster__container_action_request__init(&r);
	r.container_name = engine_lend(container);
	r.action = engine_lend("stop");
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_CONTAINER_ACTION;
	m.container_action = &r;
	if (nested) {
		sentinel__cluster__signed_command__init(&s);
		s.body.data = s.signature.data = s.certificate.data = bytes;
		s.body.len = s.signature.len = s.certificate.len = 8;
		m.payload_case =
		    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_SIGNED_COMMAND;
		m.signed_command = &s;
	}
	return (pbcheck_pack(&m.base, 65536, len));
}

static void
make(struct made *c, struct world *signer, const char *host,
    const uint8_t n[16], const char *id, uint8_t *inner, size_t len)
{
	Sentinel__Cluster__CommandBody	 body;
	uint8_t				 hash[32];

	sentinel__cluster__command_body__init(&body);
	body.host_id = engine_lend(host);
	body.session_nonce.data = (uint8_t *)(uintptr_t)n;
	body.session_nonce.len = 16;
	body.request_id = engine_lend(id);
	body.message.data = inner;
	body.message.len = len;
	c->m_body = pbcheck_pack(&body.base, 65536, &c->m_bodylen);
	assert_non_null(c->m_body);
	SHA256(c->m_body, c->m_bodylen, hash);
	assert_int_equal(key_command_sign(&signer->w_ring, hash, c->m_sig,
	    &c->m_siglen), 0);
	free(inner);
}

static enum verify_verdict
check(const struct made *c, const struct key_cert *cert, time_t when,
    struct pbmem *pm, Sentinel__Cluster__ServerMessage **m)
{
	Sentinel__Cluster__SignedCommand	 cmd;
	struct verify_facts			 vf = {
		.vf_ca = (const uint8_t *)ours->w_capem,
		.vf_calen = strlen(ours->w_capem),
		.vf_host = WORLD_HOST,
		.vf_nonce = nonce,
		.vf_now = when,
	};
	char					 why[300];

	sentinel__cluster__signed_command__init(&cmd);
	cmd.body.data = c->m_body;
	cmd.body.len = c->m_bodylen;
	cmd.signature.data = (uint8_t *)(uintptr_t)c->m_sig;
	cmd.signature.len = c->m_siglen;
	cmd.certificate.data = (uint8_t *)(uintptr_t)cert->kc_der;
	cmd.certificate.len = cert->kc_len;
	return (verify_command(&vf, &cmd, pm, m, why, sizeof(why)));
}

static enum verify_verdict
verdict(const struct made *c, const struct key_cert *cert, time_t when)
{
	Sentinel__Cluster__ServerMessage	*m;
	struct pbmem				 pm;
	enum verify_verdict			 v;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	v = check(c, cert, when, &pm, &m);
	/* Only what is answered gives its message away. */
	assert_true((m != NULL) == (v == VERIFY_OK || v == VERIFY_STALE));
	pbmem_free(&pm);
	return (v);
}

static void
test_good(void **state)
{
	Sentinel__Cluster__ServerMessage	*m;
	struct made				 c;
	struct pbmem				 pm;
	uint8_t					*inner;
	size_t					 len;

	(void)state;
	inner = pack_inner("", "web", false, &len);
	make(&c, ours, WORLD_HOST, nonce, "r1", inner, len);
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	assert_int_equal(check(&c, &ours->w_command, now, &pm, &m), VERIFY_OK);
	assert_string_equal(m->request_id, "r1");
	assert_string_equal(m->container_action->container_name, "web");
	pbmem_free(&pm);
	free(c.m_body);
}

static void
test_wrong(void **state)
{
	static const uint8_t	 other[16] = "another session";
	struct made		 c;
	uint8_t			*inner;
	size_t			 len;

	(void)state;
	inner = pack_inner("r1", "web", false, &len);
	make(&c, ours, WORLD_HOST, nonce, "r1", inner, len);
	assert_int_equal(verdict(&c, &ours->w_command, now), VERIFY_OK);
	assert_int_equal(verdict(&c, &theirs->w_command, now), VERIFY_FORGED);
	assert_int_equal(verdict(&c, &ours->w_agent, now), VERIFY_FORGED);
	assert_int_equal(verdict(&c, &ours->w_server, now), VERIFY_FORGED);
	assert_int_equal(verdict(&c, &ours->w_command, now + 11 * WORLD_DAY),
	    VERIFY_FORGED);
	free(c.m_body);

	/* Signed by a stranger, shown with our certificate. */
	inner = pack_inner("r1", "web", false, &len);
	make(&c, theirs, WORLD_HOST, nonce, "r1", inner, len);
	assert_int_equal(verdict(&c, &ours->w_command, now), VERIFY_FORGED);
	free(c.m_body);

	inner = pack_inner("r1", "web", false, &len);
	make(&c, ours, "00000000000000000000000000000000", nonce, "r1", inner,
	    len);
	assert_int_equal(verdict(&c, &ours->w_command, now), VERIFY_FOREIGN);
	free(c.m_body);

	inner = pack_inner("r1", "web", false, &len);
	make(&c, ours, WORLD_HOST, other, "r1", inner, len);
	assert_int_equal(verdict(&c, &ours->w_command, now), VERIFY_STALE);
	free(c.m_body);

	inner = pack_inner("r2", "web", false, &len);
	make(&c, ours, WORLD_HOST, nonce, "r1", inner, len);
	assert_int_equal(verdict(&c, &ours->w_command, now), VERIFY_BROKEN);
	free(c.m_body);

	inner = pack_inner("r1", "", true, &len);
	make(&c, ours, WORLD_HOST, nonce, "r1", inner, len);
	assert_int_equal(verdict(&c, &ours->w_command, now), VERIFY_BROKEN);
	free(c.m_body);

	/* Rubbish, properly signed. */
	inner = pack_inner("r1", "web\n", false, &len);
	make(&c, ours, WORLD_HOST, nonce, "r1", inner, len);
	assert_int_equal(verdict(&c, &ours->w_command, now), VERIFY_BROKEN);
	free(c.m_body);
}

/* Whatever is changed or cut off, the command is not carried out. */
static void
test_mutations(void **state)
{
	struct made	 c;
	uint8_t		*inner;
	size_t		 len, i, full;

	(void)state;
	inner = pack_inner("r1", "web", false, &len);
	make(&c, ours, WORLD_HOST, nonce, "r1", inner, len);
	for (i = 0; i < c.m_bodylen * 8; i++) {
		c.m_body[i / 8] ^= (uint8_t)(1U << (i % 8));
		assert_int_equal(verdict(&c, &ours->w_command, now),
		    VERIFY_FORGED);
		c.m_body[i / 8] ^= (uint8_t)(1U << (i % 8));
	}
	full = c.m_bodylen;
	for (c.m_bodylen = 0; c.m_bodylen < full; c.m_bodylen++)
		assert_int_equal(verdict(&c, &ours->w_command, now),
		    VERIFY_FORGED);
	for (i = 0; i < c.m_siglen * 8; i++) {
		c.m_sig[i / 8] ^= (uint8_t)(1U << (i % 8));
		assert_int_equal(verdict(&c, &ours->w_command, now),
		    VERIFY_FORGED);
		c.m_sig[i / 8] ^= (uint8_t)(1U << (i % 8));
	}
	full = c.m_siglen;
	for (c.m_siglen = 0; c.m_siglen < full; c.m_siglen++)
		assert_int_equal(verdict(&c, &ours->w_command, now),
		    VERIFY_FORGED);
	assert_int_equal(verdict(&c, &ours->w_command, now), VERIFY_OK);
	free(c.m_body);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_mutations),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
