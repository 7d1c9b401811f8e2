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

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "imsg_rule.h"

/* The harness, for deterministic mutations in the normal run. */
#include "../../fuzz/imsg_fuzz.c"

#define FD_MARK		0x80000000U

struct pair {
	struct imsgbuf	 tx;
	struct imsgbuf	 rx;
};

static void
pair_open(struct pair *p)
{
	int	 s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s),
	    0);
	assert_int_equal(imsgbuf_init(&p->tx, s[0]), 0);
	assert_int_equal(imsgbuf_init(&p->rx, s[1]), 0);
	imsgbuf_set_maxsize(&p->tx, IMSG_MAXBODY);
	imsgbuf_set_maxsize(&p->rx, IMSG_MAXBODY);
}

static void
pair_close(struct pair *p)
{
	imsgbuf_clear(&p->tx);
	imsgbuf_clear(&p->rx);
	(void)close(p->tx.fd);
	(void)close(p->rx.fd);
}

static int
open_null(void)
{
	int	 fd;

	assert_int_not_equal(fd = open("/dev/null", O_RDWR | O_CLOEXEC), -1);
	return (fd);
}

/* A file of its own, so that it can be told from others. */
static int
open_temp(ino_t *ino)
{
	struct stat	 st;
	char		 path[] = "/tmp/imsg_test.XXXXXX";
	int		 fd;

	assert_int_not_equal(fd = mkstemp(path), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fstat(fd, &st), 0);
	*ino = st.st_ino;
	return (fd);
}

/* Wire form of one message; to be freed. */
static uint8_t *
wire(uint32_t type, uint32_t mark, size_t body)
{
	uint32_t	 hdr[4];
	uint8_t		*buf;

	hdr[0] = type;
	hdr[1] = (uint32_t)(IMSG_HEADER_SIZE + body) | mark;
	hdr[2] = 7;
	hdr[3] = 0;
	assert_non_null(buf = malloc(IMSG_HEADER_SIZE + body));
	memcpy(buf, hdr, sizeof(hdr));
	memset(buf + IMSG_HEADER_SIZE, 0xa5, body);
	return (buf);
}

/* Read until a message or an error, without ever waiting. */
static int
receive(struct pair *p, struct imsg *m)
{
	int	 i, r;

	for (i = 0; i < 1000; i++) {
		if ((r = imsgbuf_get(&p->rx, m)) != 0)
			return (r);
		if (imsgbuf_write(&p->tx) == -1 || imsgbuf_read(&p->rx) != 1)
			return (0);
	}
	return (0);
}

static void
test_golden(void **state)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	static const uint8_t golden[] = {
		0x34, 0x12, 0, 0, 0x13, 0, 0, 0, 0xef, 0xbe, 0xad, 0xde,
		0, 0, 0, 0, 'a', 'b', 'c',
		0x35, 0x12, 0, 0, 0x10, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0
	};
	struct pair	 p;
	uint8_t		 buf[64];

	(void)state;
	pair_open(&p);
	assert_int_equal(imsg_compose(&p.tx, 0x1234, 0xdeadbeef, -1, "abc", 3),
	    0);
	assert_int_equal(imsg_compose(&p.tx, 0x1235, 0, open_null(), NULL, 0),
	    0);
	assert_int_equal(imsgbuf_queuelen(&p.tx), 2);
	assert_int_equal(imsgbuf_queuebytes(&p.tx), sizeof(golden));
	assert_int_equal(imsgbuf_write(&p.tx), 0);
	assert_int_equal(imsgbuf_queuelen(&p.tx), 0);
	assert_int_equal(imsgbuf_queuebytes(&p.tx), 0);
	/* Two calls: the descriptor ends the first. */
	assert_int_equal(read(p.rx.fd, buf, 19), 19);
	assert_int_equal(read(p.rx.fd, buf + 19, sizeof(buf) - 19), 16);
	assert_memory_equal(buf, golden, sizeof(golden));
	pair_close(&p);
#else
	(void)state;
	skip();
#endif
}

static void
test_roundtrip(void **state)
{
	struct pair	 p;
	struct imsg	 m;
	struct stat	 st;
	size_t		 fds = unit_count_fds();
	ino_t		 ino;
	char		 body[4];
	int		 fd;

	(void)state;
	pair_open(&p);
	fd = open_temp(&ino);
	assert_int_equal(imsg_compose(&p.tx, 1, 2, -1, "abcd", 4), 0);
	assert_int_equal(imsg_compose(&p.tx, 3, 4, fd, NULL, 0), 0);
	assert_int_equal(imsg_compose(&p.tx, 5, 6, -1, NULL, 0), 0);
	assert_int_equal(receive(&p, &m), 1);
	assert_int_equal(imsg_get_type(&m), 1);
	assert_int_equal(imsg_get_id(&m), 2);
	assert_false(imsg_has_fd(&m));
	assert_int_equal(ibuf_get(imsg_get_ibuf(&m), body, 4), 0);
	assert_memory_equal(body, "abcd", 4);
	assert_int_equal(imsg_get_len(&m), 0);
	imsg_free(&m);
	assert_int_equal(receive(&p, &m), 1);
	assert_int_equal(imsg_get_type(&m), 3);
	assert_true(imsg_has_fd(&m));
	assert_int_not_equal(fd = imsg_get_fd(&m), -1);
	assert_int_equal(imsg_get_fd(&m), -1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_ino == ino);
	(void)close(fd);
	imsg_free(&m);
	assert_int_equal(receive(&p, &m), 1);
	assert_int_equal(imsg_get_type(&m), 5);
	imsg_free(&m);
	assert_int_equal(receive(&p, &m), 0);
	pair_close(&p);
	assert_int_equal(unit_count_fds(), fds);
}

/* Larger than any socket buffer: in many pieces, both directions of growth. */
static void
test_large(void **state)
{
	struct pair	 p;
	struct imsg	 m;
	uint8_t		*body;
	size_t		 i;

	(void)state;
	pair_open(&p);
	assert_non_null(body = malloc(IMSG_MAXBODY));
	arc4random_buf(body, IMSG_MAXBODY);
	for (i = 0; i < 2; i++) {
		assert_int_equal(imsg_compose(&p.tx, 1, 0, -1, body,
		    IMSG_MAXBODY), 0);
		assert_int_equal(imsg_compose(&p.tx, 2, 0, -1, "x", 1), 0);
		assert_int_equal(receive(&p, &m), 1);
		assert_int_equal(imsg_get_len(&m), IMSG_MAXBODY);
		assert_memory_equal(ibuf_data(imsg_get_ibuf(&m)), body,
		    IMSG_MAXBODY);
		imsg_free(&m);
		assert_int_equal(receive(&p, &m), 1);
		imsg_free(&m);
		assert_true(p.rx.rsize <= 128 * 1024);
	}
	assert_int_equal(imsg_compose(&p.tx, 1, 0, open_null(), body,
	    IMSG_MAXBODY + 1), -1);
	assert_int_equal(errno, EMSGSIZE);
	free(body);
	pair_close(&p);
}

static void
test_bad_header(void **state)
{
	struct pair	 p;
	struct imsg	 m;
	uint32_t	 hdr[4] = { 1, 0, 0, 0 };
	uint32_t	 len;

	(void)state;
	for (len = 0; len < IMSG_HEADER_SIZE; len++) {
		pair_open(&p);
		hdr[1] = len;
		assert_int_equal(write(p.tx.fd, hdr, sizeof(hdr)),
		    sizeof(hdr));
		assert_int_equal(imsgbuf_read(&p.rx), 1);
		assert_int_equal(imsgbuf_get(&p.rx, &m), -1);
		assert_int_equal(errno, EBADMSG);
		/* It does not go on collecting bytes either. */
		assert_int_equal(imsgbuf_read(&p.rx), -1);
		pair_close(&p);
	}
	pair_open(&p);
	imsgbuf_set_maxsize(&p.rx, 100);
	hdr[1] = IMSG_HEADER_SIZE + 101;
	assert_int_equal(write(p.tx.fd, hdr, sizeof(hdr)), sizeof(hdr));
	assert_int_equal(imsgbuf_read(&p.rx), 1);
	assert_int_equal(imsgbuf_get(&p.rx, &m), -1);
	assert_int_equal(errno, EMSGSIZE);
	pair_close(&p);
}

/* Every row, cut at every length: nothing comes out, then EOF. */
static void
test_truncated(void **state)
{
	const struct imsg_rule	*ir;
	struct pair		 p;
	struct imsg		 m;
	uint8_t			*buf;
	size_t			 i, k, len;

	(void)state;
	for (i = 0; (ir = imsg_rule_at(i)) != NULL; i++) {
		buf = wire(ir->ir_type, 0, ir->ir_min);
		len = IMSG_HEADER_SIZE + ir->ir_min;
		for (k = 0; k < len; k++) {
			pair_open(&p);
			assert_int_equal(write(p.tx.fd, buf, k), k);
			(void)shutdown(p.tx.fd, SHUT_WR);
			if (k > 0)
				assert_int_equal(imsgbuf_read(&p.rx), 1);
			assert_int_equal(imsgbuf_get(&p.rx, &m), 0);
			assert_int_equal(imsgbuf_read(&p.rx), 0);
			assert_int_equal(imsgbuf_get(&p.rx, &m), 0);
			pair_close(&p);
		}
		free(buf);
	}
}

static void
test_byte_by_byte(void **state)
{
	struct pair	 p;
	struct imsg	 m;
	uint8_t		*buf;
	size_t		 k;

	(void)state;
	pair_open(&p);
	buf = wire(9, 0, 20);
	for (k = 0; k < IMSG_HEADER_SIZE + 20; k++) {
		assert_int_equal(imsgbuf_get(&p.rx, &m), 0);
		assert_int_equal(write(p.tx.fd, buf + k, 1), 1);
		assert_int_equal(imsgbuf_read(&p.rx), 1);
	}
	assert_int_equal(imsgbuf_get(&p.rx, &m), 1);
	assert_memory_equal(ibuf_data(imsg_get_ibuf(&m)),
	    buf + IMSG_HEADER_SIZE, 20);
	imsg_free(&m);
	free(buf);
	pair_close(&p);
}

/* A message marked, no descriptor sent; and one sent, no message marked. */
static void
test_fd_missing_surplus(void **state)
{
	/* Long whichever byte order this machine has. */
	static const uint8_t	 endless[32] = { [5] = 0x10, [6] = 0x10 };
	struct pair		 p;
	struct imsg		 m;
	uint8_t			*buf;
	size_t			 fds = unit_count_fds();
	int			 i;

	(void)state;
	pair_open(&p);
	buf = wire(1, FD_MARK, 0);
	fuzz_send(p.tx.fd, buf, IMSG_HEADER_SIZE, -1);
	assert_int_equal(receive(&p, &m), 1);
	assert_true(imsg_fd_lost(&m));
	assert_int_equal(imsg_get_fd(&m), -1);
	imsg_free(&m);
	free(buf);

	/* Any number of them: closed, not collected. */
	buf = wire(1, 0, 0);
	for (i = 0; i < 50; i++) {
		fuzz_send(p.tx.fd, buf, IMSG_HEADER_SIZE, STDERR_FILENO);
		assert_int_equal(receive(&p, &m), 1);
		assert_false(imsg_has_fd(&m));
		assert_false(imsg_fd_lost(&m));
		imsg_free(&m);
	}
	assert_int_equal(unit_count_fds(), fds + 2 + 1);

	/* With a message that never ends: an error, not a heap of them. */
	(void)imsgbuf_read(&p.rx);
	assert_int_equal(unit_count_fds(), fds + 2);
	for (i = 0; i < (int)sizeof(endless); i++) {
		fuzz_send(p.tx.fd, endless + i, 1, STDERR_FILENO);
		if (imsgbuf_read(&p.rx) == -1)
			break;
	}
	assert_int_equal(i, nitems(p.rx.rfds));
	assert_int_equal(errno, EBADMSG);
	free(buf);
	pair_close(&p);
	assert_int_equal(unit_count_fds(), fds);
}

/* Several in one control block: the first counts, the rest is closed. */
static void
test_fd_many(void **state)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int) * 8)];
	} cmsg;
	struct iovec	 iov;
	struct msghdr	 msg;
	struct pair	 p;
	struct imsg	 m;
	uint8_t		*buf;
	size_t		 i, fds = unit_count_fds();
	int		 two = STDERR_FILENO;

	(void)state;
	pair_open(&p);
	buf = wire(1, FD_MARK, 0);
	memset(&msg, 0, sizeof(msg));
	memset(&cmsg, 0, sizeof(cmsg));
	iov.iov_base = buf;
	iov.iov_len = IMSG_HEADER_SIZE;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = &cmsg;
	msg.msg_controllen = sizeof(cmsg.buf);
	cmsg.hdr.cmsg_len = CMSG_LEN(sizeof(int) * 8);
	cmsg.hdr.cmsg_level = SOL_SOCKET;
	cmsg.hdr.cmsg_type = SCM_RIGHTS;
	for (i = 0; i < 8; i++)
		memcpy(CMSG_DATA(&cmsg.hdr) + i * sizeof(two), &two,
		    sizeof(two));
	assert_int_equal(sendmsg(p.tx.fd, &msg, 0), IMSG_HEADER_SIZE);
	assert_int_equal(receive(&p, &m), 1);
	assert_true(imsg_has_fd(&m));
	assert_int_equal(unit_count_fds(), fds + 2 + 1);
	imsg_free(&m);
	free(buf);
	pair_close(&p);
	assert_int_equal(unit_count_fds(), fds);
}

/*
 * No slot is free when the first descriptor comes: it is lost, and the next
 * message still gets its own.
 */
static void
test_fd_ctrunc(void **state)
{
	struct rlimit	 old, rl;
	struct pair	 p;
	struct imsg	 m;
	struct stat	 st;
	uint8_t		*buf;
	ino_t		 ino1, ino2;
	size_t		 fds = unit_count_fds();
	int		 fd1, fd2, probe, r;

	(void)state;
	pair_open(&p);
	fd1 = open_temp(&ino1);
	fd2 = open_temp(&ino2);
	buf = wire(1, FD_MARK, 0);
	/* In two parts, so that both descriptors are queued at once. */
	fuzz_send(p.tx.fd, buf, 10, fd1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_not_equal(probe = dup(0), -1);
	(void)close(probe);
	rl = old;
	rl.rlim_cur = (rlim_t)probe;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	r = imsgbuf_read(&p.rx);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(r, 1);

	fuzz_send(p.tx.fd, buf + 10, IMSG_HEADER_SIZE - 10, -1);
	fuzz_send(p.tx.fd, buf, IMSG_HEADER_SIZE, fd2);
	assert_int_equal(imsgbuf_read(&p.rx), 1);
	assert_int_equal(imsgbuf_get(&p.rx, &m), 1);
	assert_true(imsg_fd_lost(&m));
	assert_false(imsg_has_fd(&m));
	imsg_free(&m);
	assert_int_equal(imsgbuf_get(&p.rx, &m), 1);
	assert_false(imsg_fd_lost(&m));
	(void)close(fd1);
	(void)close(fd2);
	assert_int_not_equal(fd2 = imsg_get_fd(&m), -1);
	assert_int_equal(fstat(fd2, &st), 0);
	assert_true(st.st_ino == ino2);
	(void)close(fd2);
	imsg_free(&m);
	free(buf);
	pair_close(&p);
	assert_int_equal(unit_count_fds(), fds);
}

static void
test_wait_flush(void **state)
{
	struct pair	 p;
	struct imsg	 m;
	uint8_t		*body;

	(void)state;
	pair_open(&p);
	assert_int_equal(imsgbuf_wait(&p.rx, &m, 20), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_non_null(body = calloc(1, IMSG_MAXBODY));
	assert_int_equal(imsg_compose(&p.tx, 8, 0, -1, body, IMSG_MAXBODY), 0);
	assert_int_equal(imsgbuf_flush(&p.tx, 20), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(receive(&p, &m), 1);
	imsg_free(&m);
	assert_int_equal(imsgbuf_flush(&p.tx, 20), 0);
	assert_int_equal(imsg_compose(&p.tx, 9, 0, -1, NULL, 0), 0);
	assert_int_equal(imsgbuf_flush(&p.tx, 20), 0);
	assert_int_equal(imsgbuf_wait(&p.rx, &m, 20), 1);
	assert_int_equal(imsg_get_type(&m), 9);
	imsg_free(&m);
	(void)shutdown(p.tx.fd, SHUT_WR);
	assert_int_equal(imsgbuf_wait(&p.rx, &m, 20), 0);
	/* The reader is gone: an error, no signal. */
	(void)shutdown(p.rx.fd, SHUT_RDWR);
	assert_int_equal(imsg_compose(&p.tx, 9, 0, -1, NULL, 0), 0);
	assert_int_equal(imsgbuf_write(&p.tx), -1);
	free(body);
	pair_close(&p);
}

/* A golden message of each row: truncated, and every bit flipped. */
static void
test_mutations(void **state)
{
	const struct imsg_rule	*ir;
	uint8_t			*w, *in;
	size_t			 i, k, len, fds = unit_count_fds();

	(void)state;
	for (i = 0; (ir = imsg_rule_at(i)) != NULL; i++) {
		w = wire(ir->ir_type, ir->ir_fd == FD ? FD_MARK : 0,
		    ir->ir_min);
		len = 3 + IMSG_HEADER_SIZE + ir->ir_min;
		assert_non_null(in = malloc(len));
		in[0] = (uint8_t)(ffs((int)ir->ir_from) - 1);
		in[1] = (uint8_t)(ffs((int)ir->ir_to) - 1);
		in[2] = ir->ir_fd == FD ? 0x80 : 5;
		memcpy(in + 3, w, len - 3);
		for (k = 0; k <= len; k++)
			(void)LLVMFuzzerTestOneInput(in, k);
		/* The body is not looked into here: its first bytes suffice. */
		for (k = 0; k < len * 8 && k < (3 + 16 + 8) * 8; k++) {
			in[k / 8] ^= (uint8_t)(1U << (k % 8));
			(void)LLVMFuzzerTestOneInput(in, len);
			in[k / 8] ^= (uint8_t)(1U << (k % 8));
		}
		free(in);
		free(w);
	}
	assert_int_equal(unit_count_fds(), fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_roundtrip),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_bad_header),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_fd_missing_surplus),
		cmocka_unit_test(test_fd_many),
		cmocka_unit_test(test_fd_ctrunc),
		cmocka_unit_test(test_wait_flush),
		cmocka_unit_test(test_mutations),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
