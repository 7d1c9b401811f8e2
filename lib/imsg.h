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

#ifndef IMSG_H
#define IMSG_H

#include "compat.h"
#include "ibuf.h"

/*
 * Framed messages with at most one descriptor over a UNIX stream socket,
 * after imsg_init(3) of OpenBSD 7.7.  Header in host order: the peer is on
 * this machine.  The peer's pid field is never trusted.
 *
 * The top bit of len on the wire says that the message carries a descriptor;
 * it is stripped before anybody sees hdr.len.
 *
 * Linux loses a descriptor silently when the receiver has no free slot and
 * sets MSG_CTRUNC: the message is then delivered with imsg_fd_lost() true,
 * and the table check (imsg_rule.h) rejects it.  Surplus descriptors are
 * closed.  SIGPIPE must be ignored.
 */
#define IMSG_HEADER_SIZE	16
#define IMSG_MAXBODY		(4U * 1024 * 1024 + 65536)
#define IMSG_DEFAULT_MAXBODY	16384

struct imsg_hdr {
	uint32_t	 type;
	uint32_t	 len;		/* header and body */
	uint32_t	 peerid;	/* request, connection or 0 */
	uint32_t	 pid;		/* 0, ignored */
};

struct imsg {
	struct imsg_hdr	 hdr;
	struct ibuf	*buf;		/* body; owns the fd until taken */
	bool		 fd_lost;
};

TAILQ_HEAD(ibufqueue, ibuf);

struct imsgbuf {
	int		 fd;
	uint32_t	 maxbody;
	struct ibufqueue wq;
	size_t		 wq_len;	/* messages queued */
	size_t		 wq_bytes;
	uint8_t		*rbuf;		/* received, unparsed */
	size_t		 rsize;
	size_t		 rlen;
	size_t		 rpos;
	int		 rfds[16];	/* unclaimed, in order; -1: lost */
	size_t		 nrfds;
};

int	 imsgbuf_init(struct imsgbuf *, int fd);	/* fd stays caller's */
void	 imsgbuf_set_maxsize(struct imsgbuf *, uint32_t body);
void	 imsgbuf_clear(struct imsgbuf *);		/* closes queued fds */
size_t	 imsgbuf_queuelen(const struct imsgbuf *);
size_t	 imsgbuf_queuebytes(const struct imsgbuf *);
/*
 * 1 read or EAGAIN, 0 EOF, -1 error; one recvmsg(2) of at most 64 KiB, and none
 * while a whole message waits: who stops imsgbuf_get() before it returns 0 must
 * come back without waiting for the socket.
 */
int	 imsgbuf_read(struct imsgbuf *);
/* 0 written or EAGAIN (queue may remain), -1 error. */
int	 imsgbuf_write(struct imsgbuf *);
/* Writes all; polls up to msec when the socket is full.  -1 ETIMEDOUT. */
int	 imsgbuf_flush(struct imsgbuf *, int msec);
/* 1 and a message to imsg_free(), 0 none whole yet, -1 EBADMSG/EMSGSIZE. */
int	 imsgbuf_get(struct imsgbuf *, struct imsg *);
/* Blocking, for start-up and the signing channel: read until one message is
 * whole.  1, 0 EOF, -1 (ETIMEDOUT after msec). */
int	 imsgbuf_wait(struct imsgbuf *, struct imsg *, int msec);

void	 imsg_free(struct imsg *);
uint32_t imsg_get_type(const struct imsg *);
uint32_t imsg_get_id(const struct imsg *);	/* hdr.peerid */
size_t	 imsg_get_len(const struct imsg *);	/* unread body */
int	 imsg_get_fd(struct imsg *);		/* moves to caller, or -1 */
bool	 imsg_has_fd(const struct imsg *);
bool	 imsg_fd_lost(const struct imsg *);
struct ibuf *imsg_get_ibuf(struct imsg *);	/* lends the body */

/* Queues.  0, or -1 (ENOMEM, EMSGSIZE over maxbody).  An fd passed is taken in
 * every case, also on failure. */
int	 imsg_compose(struct imsgbuf *, uint32_t type, uint32_t id, int fd,
	    const void *, size_t);
int	 imsg_compose_ibuf(struct imsgbuf *, uint32_t type, uint32_t id,
	    int fd, const struct ibuf *);

#endif /* IMSG_H */
