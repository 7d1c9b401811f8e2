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

/*
 * Bytes of a broken sibling through imsgbuf_read(), imsgbuf_get() and the table
 * check.  Byte 0: sender, byte 1: receiver, byte 2: where the stream is cut in
 * two, and whether a descriptor comes with the second half.
 */
#include "compat.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "imsg_rule.h"

#define FUZZ_MAXBYTES	32768

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
fuzz_send(int s, const uint8_t *data, size_t len, int fd)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	} cmsg;
	struct iovec	 iov;
	struct msghdr	 msg;
	uint8_t		 copy[FUZZ_MAXBYTES];

	if (len == 0)
		return;
	memcpy(copy, data, len);
	memset(&msg, 0, sizeof(msg));
	iov.iov_base = copy;
	iov.iov_len = len;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	if (fd != -1) {
		memset(&cmsg, 0, sizeof(cmsg));
		msg.msg_control = &cmsg;
		msg.msg_controllen = sizeof(cmsg.buf);
		cmsg.hdr.cmsg_len = CMSG_LEN(sizeof(int));
		cmsg.hdr.cmsg_level = SOL_SOCKET;
		cmsg.hdr.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&cmsg.hdr), &fd, sizeof(int));
	}
	if (sendmsg(s, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len)
		abort();
}

/* What passes the check must keep the promise of its row. */
static void
fuzz_message(struct imsg *m, enum role from, enum role to)
{
	const struct imsg_rule	*ir;
	size_t			 len = imsg_get_len(m);

	if (m->hdr.len != len + IMSG_HEADER_SIZE)
		abort();
	if (imsg_rule_check(m, from, to) != NULL)
		return;
	if ((ir = imsg_rule_find(imsg_get_type(m))) == NULL ||
	    len < ir->ir_min || len > ir->ir_max || imsg_fd_lost(m) ||
	    imsg_has_fd(m) != (ir->ir_fd == FD))
		abort();
}

static void
fuzz_read(struct imsgbuf *ib, enum role from, enum role to)
{
	struct imsg	 m;
	int		 r;

	do {
		while ((r = imsgbuf_get(ib, &m)) == 1) {
			fuzz_message(&m, from, to);
			imsg_free(&m);
		}
		if (r == -1)
			return;
	} while (imsgbuf_read(ib) == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imsgbuf	 ib;
	enum role	 from, to;
	size_t		 cut;
	int		 s[2], fd = -1;

	if (size < 4 || size > FUZZ_MAXBYTES)
		return (0);
	from = (enum role)(data[0] % ROLE_MAX);
	to = (enum role)(data[1] % ROLE_MAX);
	cut = data[2] & 0x7f;
	if ((data[2] & 0x80) != 0)
		fd = STDERR_FILENO;
	data += 3;
	size -= 3;
	if (cut > size)
		cut = size;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == -1)
		abort();
	if (imsgbuf_init(&ib, s[1]) == -1)
		abort();
	imsgbuf_set_maxsize(&ib, imsg_rule_maxbody(from, to));
	fuzz_send(s[0], data, cut, -1);
	if (cut > 0)
		(void)imsgbuf_read(&ib);
	fuzz_send(s[0], data + cut, size - cut, fd);
	(void)close(s[0]);	/* the reader ends at EOF */
	fuzz_read(&ib, from, to);
	imsgbuf_clear(&ib);
	(void)close(s[1]);
	return (0);
}
