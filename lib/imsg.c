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
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "monotime.h"

#define IMSG_FD_MARK	0x80000000U	/* in len: a descriptor comes along */
#define IMSG_READ_BYTES	(64U * 1024)	/* one recvmsg(2) */
#define IMSG_WRITE_MAX	16		/* sendmsg(2) per imsgbuf_write() */
#define IMSG_IOV_MAX	32
/*
 * Room in the control buffer.  One descriptor is ours; a few more are taken so
 * that they can be closed; the kernel drops what is beyond.
 */
#define IMSG_CMSG_FDS	4

static int	 imsgbuf_peek(const struct imsgbuf *, struct imsg_hdr *);
static int	 imsgbuf_room(struct imsgbuf *);
static void	 imsgbuf_recvfds(struct imsgbuf *, struct msghdr *);
static void	 imsgbuf_dropfds(struct imsgbuf *);
static void	 imsgbuf_consume(struct imsgbuf *, size_t);
static ssize_t	 imsgbuf_send(struct imsgbuf *);
static void	 imsgbuf_drain(struct imsgbuf *, size_t);
static int	 imsg_poll(int, short, monotime_t);

int
imsgbuf_init(struct imsgbuf *ib, int fd)
{
	memset(ib, 0, sizeof(*ib));
	ib->fd = fd;
	ib->maxbody = IMSG_DEFAULT_MAXBODY;
	TAILQ_INIT(&ib->wq);
	return (0);
}

void
imsgbuf_set_maxsize(struct imsgbuf *ib, uint32_t body)
{
	ib->maxbody = body < IMSG_MAXBODY ? body : IMSG_MAXBODY;
}

void
imsgbuf_clear(struct imsgbuf *ib)
{
	struct ibuf	*b;

	while ((b = TAILQ_FIRST(&ib->wq)) != NULL) {
		TAILQ_REMOVE(&ib->wq, b, entry);
		ibuf_free(b);
	}
	ib->wq_len = ib->wq_bytes = 0;
	imsgbuf_dropfds(ib);
	freezero(ib->rbuf, ib->rsize);
	ib->rbuf = NULL;
	ib->rsize = ib->rlen = ib->rpos = 0;
}

size_t
imsgbuf_queuelen(const struct imsgbuf *ib)
{
	return (ib->wq_len);
}

size_t
imsgbuf_queuebytes(const struct imsgbuf *ib)
{
	return (ib->wq_bytes);
}

/*
 * Header of the message at the read position, the mark still in len.
 * 1 the message is whole, 0 not yet, -1 it can never be one.
 */
static int
imsgbuf_peek(const struct imsgbuf *ib, struct imsg_hdr *hdr)
{
	size_t		 avail = ib->rlen - ib->rpos;
	uint32_t	 len;

	if (avail < IMSG_HEADER_SIZE)
		return (0);
	memcpy(hdr, ib->rbuf + ib->rpos, sizeof(*hdr));
	len = hdr->len & ~IMSG_FD_MARK;
	if (len < IMSG_HEADER_SIZE) {
		errno = EBADMSG;
		return (-1);
	}
	if (len - IMSG_HEADER_SIZE > ib->maxbody) {
		errno = EMSGSIZE;
		return (-1);
	}
	return (avail >= len);
}

/*
 * Make room for one recvmsg(2).  The buffer grows with what has arrived, never
 * with what a header announces.  What is received stays below one message and
 * one read, as the caller of this made sure that no message is whole.
 */
static int
imsgbuf_room(struct imsgbuf *ib)
{
	uint8_t	*nb;
	size_t	 left = ib->rlen - ib->rpos, nsize;

	if (ib->rsize - ib->rlen >= IMSG_READ_BYTES)
		return (0);
	if (ib->rpos > 0) {
		memmove(ib->rbuf, ib->rbuf + ib->rpos, left);
		explicit_bzero(ib->rbuf + left, ib->rpos);
		ib->rlen = left;
		ib->rpos = 0;
	}
	if (ib->rsize - ib->rlen >= IMSG_READ_BYTES)
		return (0);
	nsize = ib->rsize == 0 ? IMSG_READ_BYTES : ib->rsize * 2;
	if ((nb = recallocarray(ib->rbuf, ib->rsize, nsize, 1)) == NULL)
		return (-1);
	ib->rbuf = nb;
	ib->rsize = nsize;
	return (0);
}

int
imsgbuf_read(struct imsgbuf *ib)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int) * IMSG_CMSG_FDS)];
	} cmsg;
	struct imsg_hdr	 hdr;
	struct msghdr	 msg;
	struct iovec	 iov;
	ssize_t		 n;
	int		 r;

	/* Only what has been taken out makes room for more. */
	if ((r = imsgbuf_peek(ib, &hdr)) != 0)
		return (r);
	if (ib->rpos == ib->rlen)
		imsgbuf_dropfds(ib);
	if (ib->nrfds == nitems(ib->rfds)) {
		errno = EBADMSG;
		return (-1);
	}
	if (imsgbuf_room(ib) == -1)
		return (-1);

	memset(&msg, 0, sizeof(msg));
	iov.iov_base = ib->rbuf + ib->rlen;
	iov.iov_len = IMSG_READ_BYTES;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = &cmsg;
	msg.msg_controllen = sizeof(cmsg.buf);
	do {
		n = recvmsg(ib->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return (errno == EAGAIN || errno == EWOULDBLOCK ? 1 : -1);
	imsgbuf_recvfds(ib, &msg);
	if (n == 0)
		return (0);
	ib->rlen += (size_t)n;
	return (1);
}

/*
 * A read stops after the data that descriptors came with (unix(7)), so one
 * read brings the descriptor of one message at most, and the queue of them is
 * in the order of the marked messages.  A lost one must keep its place: the
 * next message would otherwise get a descriptor that is not its own.
 */
static void
imsgbuf_recvfds(struct imsgbuf *ib, struct msghdr *msg)
{
	struct cmsghdr	*c;
	size_t		 i, n;
	int		 fd, first = -1;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int),
			    sizeof(fd));
			if (first == -1)
				first = fd;
			else
				(void)close(fd);
		}
	}
	if (first != -1 || (msg->msg_flags & MSG_CTRUNC) != 0)
		ib->rfds[ib->nrfds++] = first;
}

static void
imsgbuf_dropfds(struct imsgbuf *ib)
{
	size_t	 i;

	for (i = 0; i < ib->nrfds; i++) {
		if (ib->rfds[i] != -1)
			(void)close(ib->rfds[i]);
	}
	ib->nrfds = 0;
}

int
imsgbuf_get(struct imsgbuf *ib, struct imsg *m)
{
	uint32_t	 len;
	int		 r;

	memset(m, 0, sizeof(*m));
	if ((r = imsgbuf_peek(ib, &m->hdr)) != 1)
		return (r);
	len = m->hdr.len & ~IMSG_FD_MARK;
	if ((m->buf = ibuf_open(len - IMSG_HEADER_SIZE)) == NULL)
		return (-1);
	/* The size fits: it was opened with it. */
	(void)ibuf_add(m->buf, ib->rbuf + ib->rpos + IMSG_HEADER_SIZE,
	    len - IMSG_HEADER_SIZE);
	if ((m->hdr.len & IMSG_FD_MARK) != 0) {
		if (ib->nrfds > 0) {
			ibuf_fd_set(m->buf, ib->rfds[0]);
			ib->nrfds--;
			memmove(&ib->rfds[0], &ib->rfds[1],
			    ib->nrfds * sizeof(ib->rfds[0]));
		}
		m->fd_lost = !ibuf_fd_avail(m->buf);
	}
	m->hdr.len = len;
	imsgbuf_consume(ib, len);
	return (1);
}

/* Wipe what was read, and give a large buffer back once it is empty. */
static void
imsgbuf_consume(struct imsgbuf *ib, size_t len)
{
	explicit_bzero(ib->rbuf + ib->rpos, len);
	ib->rpos += len;
	if (ib->rpos < ib->rlen)
		return;
	ib->rpos = ib->rlen = 0;
	if (ib->rsize > IMSG_READ_BYTES) {
		free(ib->rbuf);
		ib->rbuf = NULL;
		ib->rsize = 0;
	}
}

int
imsgbuf_wait(struct imsgbuf *ib, struct imsg *m, int msec)
{
	monotime_t	 deadline = monotime_now() + msec;
	int		 r;

	for (;;) {
		if ((r = imsgbuf_get(ib, m)) != 0)
			return (r);
		if (imsg_poll(ib->fd, POLLIN, deadline) == -1)
			return (-1);
		if ((r = imsgbuf_read(ib)) != 1)
			return (r);
	}
}

static int
imsg_poll(int fd, short events, monotime_t deadline)
{
	struct pollfd	 pfd;
	int		 r;

	pfd.fd = fd;
	pfd.events = events;
	do {
		r = poll(&pfd, 1, monotime_left(deadline));
	} while (r == -1 && errno == EINTR);
	if (r == 0)
		errno = ETIMEDOUT;
	return (r > 0 ? 0 : -1);
}

int
imsgbuf_write(struct imsgbuf *ib)
{
	ssize_t	 n;
	int	 i;

	for (i = 0; i < IMSG_WRITE_MAX && !TAILQ_EMPTY(&ib->wq); i++) {
		if ((n = imsgbuf_send(ib)) == -1) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN || errno == EWOULDBLOCK ||
			    errno == ENOBUFS)
				return (0);
			return (-1);
		}
		imsgbuf_drain(ib, (size_t)n);
	}
	return (0);
}

int
imsgbuf_flush(struct imsgbuf *ib, int msec)
{
	monotime_t	 deadline = monotime_now() + msec;

	for (;;) {
		if (imsgbuf_write(ib) == -1)
			return (-1);
		if (TAILQ_EMPTY(&ib->wq))
			return (0);
		if (imsg_poll(ib->fd, POLLOUT, deadline) == -1)
			return (-1);
	}
}

/*
 * One sendmsg(2).  A descriptor goes with the first byte of its message, so a
 * message that has one starts a call of its own.
 */
static ssize_t
imsgbuf_send(struct imsgbuf *ib)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	} cmsg;
	struct iovec	 iov[IMSG_IOV_MAX];
	struct msghdr	 msg;
	struct ibuf	*b, *first = TAILQ_FIRST(&ib->wq);
	size_t		 niov = 0;

	memset(&msg, 0, sizeof(msg));
	TAILQ_FOREACH(b, &ib->wq, entry) {
		if (niov == nitems(iov) || (b != first && ibuf_fd_avail(b)))
			break;
		iov[niov].iov_base = ibuf_data(b);
		iov[niov].iov_len = ibuf_size(b);
		niov++;
	}
	msg.msg_iov = iov;
	msg.msg_iovlen = niov;
	if (ibuf_fd_avail(first)) {
		memset(&cmsg, 0, sizeof(cmsg));
		msg.msg_control = &cmsg;
		msg.msg_controllen = sizeof(cmsg.buf);
		cmsg.hdr.cmsg_len = CMSG_LEN(sizeof(int));
		cmsg.hdr.cmsg_level = SOL_SOCKET;
		cmsg.hdr.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&cmsg.hdr), &first->fd, sizeof(int));
	}
	return (sendmsg(ib->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/* len bytes of the queue are sent, and with the first of them its fd. */
static void
imsgbuf_drain(struct imsgbuf *ib, size_t len)
{
	struct ibuf	*b;
	size_t		 n;

	ib->wq_bytes -= len;
	if (len > 0)
		ibuf_fd_set(TAILQ_FIRST(&ib->wq), -1);
	while (len > 0) {
		b = TAILQ_FIRST(&ib->wq);
		n = ibuf_size(b);
		if (n > len) {
			(void)ibuf_skip(b, len);
			return;
		}
		len -= n;
		TAILQ_REMOVE(&ib->wq, b, entry);
		ibuf_free(b);
		ib->wq_len--;
	}
}

void
imsg_free(struct imsg *m)
{
	ibuf_free(m->buf);
	m->buf = NULL;
}

uint32_t
imsg_get_type(const struct imsg *m)
{
	return (m->hdr.type);
}

uint32_t
imsg_get_id(const struct imsg *m)
{
	return (m->hdr.peerid);
}

size_t
imsg_get_len(const struct imsg *m)
{
	return (m->buf != NULL ? ibuf_size(m->buf) : 0);
}

int
imsg_get_fd(struct imsg *m)
{
	return (m->buf != NULL ? ibuf_fd_get(m->buf) : -1);
}

bool
imsg_has_fd(const struct imsg *m)
{
	return (m->buf != NULL && ibuf_fd_avail(m->buf));
}

bool
imsg_fd_lost(const struct imsg *m)
{
	return (m->fd_lost);
}

struct ibuf *
imsg_get_ibuf(struct imsg *m)
{
	return (m->buf);
}

int
imsg_compose(struct imsgbuf *ib, uint32_t type, uint32_t id, int fd,
    const void *data, size_t len)
{
	struct imsg_hdr	 hdr;
	struct ibuf	*b;

	if (len > ib->maxbody) {
		if (fd != -1)
			(void)close(fd);
		errno = EMSGSIZE;
		return (-1);
	}
	if ((b = ibuf_open(IMSG_HEADER_SIZE + len)) == NULL) {
		if (fd != -1)
			(void)close(fd);
		errno = ENOMEM;
		return (-1);
	}
	hdr.type = type;
	hdr.len = (uint32_t)(IMSG_HEADER_SIZE + len);
	if (fd != -1)
		hdr.len |= IMSG_FD_MARK;
	hdr.peerid = id;
	hdr.pid = 0;
	/* Both fit: it was opened with their sizes. */
	(void)ibuf_add(b, &hdr, sizeof(hdr));
	(void)ibuf_add(b, data, len);
	ibuf_fd_set(b, fd);
	TAILQ_INSERT_TAIL(&ib->wq, b, entry);
	ib->wq_len++;
	ib->wq_bytes += ibuf_size(b);
	return (0);
}

int
imsg_compose_ibuf(struct imsgbuf *ib, uint32_t type, uint32_t id, int fd,
    const struct ibuf *body)
{
	return (imsg_compose(ib, type, id, fd, ibuf_data(body),
	    ibuf_size(body)));
}
