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

#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "imsg_rule.h"
#include "ipc.pb-c.h"
#include "ipccheck.h"

/* A body as it arrives from a sibling, through a real channel. */
static void
receive(struct imsg *imsg, const void *body, size_t len)
{
	struct imsgbuf	 out, in;
	int		 sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(imsgbuf_init(&out, sv[0]), 0);
	assert_int_equal(imsgbuf_init(&in, sv[1]), 0);
	assert_int_equal(imsg_compose(&out, IMSG_ENROLL_ASK, 7, -1, body,
	    len), 0);
	assert_int_equal(imsgbuf_flush(&out, 1000), 0);
	assert_int_equal(imsgbuf_wait(&in, imsg, 1000), 1);
	imsgbuf_clear(&out);
	imsgbuf_clear(&in);
	(void)close(sv[0]);
	(void)close(sv[1]);
}

static void
test_unpack(void **state)
{
	Sentinel__Ipc__EnrollAsk	 ask, *got;
	struct imsg			 imsg;
	struct pbmem			 pm;
	uint8_t				 point[65] = { 4 };
	char				 address[] = "10.0.0.7", name[] = "n1";
	uint8_t				*body;
	size_t				 len;

	(void)state;
	sentinel__ipc__enroll_ask__init(&ask);
	ask.address = address;
	ask.host_name = name;
	ask.point.data = point;
	ask.point.len = sizeof(point);
	assert_non_null(body = pbcheck_pack(&ask.base, 4096, &len));
	receive(&imsg, body, len);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	got = ipc_unpack(&imsg, &sentinel__ipc__enroll_ask__descriptor, &pm);
	assert_non_null(got);
	assert_string_equal(got->address, "10.0.0.7");
	assert_string_equal(got->token, "");
	assert_int_equal(got->point.len, 65);
	/* consumed */
	assert_int_equal(imsg_get_len(&imsg), 0);
	imsg_free(&imsg);
	pbmem_free(&pm);

	/* required field missing: one byte of the point */
	ask.point.len = 64;
	free(body);
	assert_non_null(body = pbcheck_pack(&ask.base, 4096, &len));
	receive(&imsg, body, len);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	assert_null(ipc_unpack(&imsg, &sentinel__ipc__enroll_ask__descriptor,
	    &pm));
	assert_int_equal(errno, EBADMSG);
	assert_string_equal(pm.pm_why,
	    "EnrollAsk.point: shorter than 65 bytes");
	imsg_free(&imsg);
	pbmem_free(&pm);
	free(body);
}

static void
test_empty(void **state)
{
	struct imsg	 imsg;
	struct pbmem	 pm;

	(void)state;
	receive(&imsg, NULL, 0);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	assert_null(ipc_unpack(&imsg, &sentinel__ipc__enroll_ask__descriptor,
	    &pm));
	assert_string_equal(pm.pm_why, "EnrollAsk.point: missing");
	assert_non_null(ipc_unpack(&imsg,
	    &sentinel__ipc__docker_state__descriptor, &pm));
	imsg_free(&imsg);
	pbmem_free(&pm);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_unpack),
		cmocka_unit_test(test_empty),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
