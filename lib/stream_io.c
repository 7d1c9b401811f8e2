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
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stream_int.h"

#define STREAM_CHUNK	16384	/* one TLS record */
#define STREAM_FLUSH_MAXBYTES	(256 * 1024)	/* written in one wake-up */

/* What one attempt to move bytes came to, beside a count. */
#define IO_AGAIN	(-1)
#define IO_FAIL		(-2)

static ssize_t	 stream_pull(struct stream *, void *, size_t);
static ssize_t	 stream_push(struct stream *, const void *, size_t);
static enum stream_end stream_errno_end(int);
static void	 stream_fail_tls(struct stream *, const char *, int);
static void	 stream_linger(struct stream *);

void
stream_fail(struct stream *s, enum stream_end end, bool hold,
    const char *fmt, ...)
{
	va_list		 ap;

	if (s->st_failed)
		return;
	s->st_failed = true;
	s->st_hold = hold;
	s->st_end = end;
	va_start(ap, fmt);
	(void)vsnprintf(s->st_text, sizeof(s->st_text), fmt, ap);
	va_end(ap);
}

void
stream_handshake(struct stream *s)
{
	int		 rc;

	errno = 0;
	rc = tls_handshake(s->st_tls);
	if (rc == TLS_WANT_POLLIN) {
		s->st_hs = EV_READ;
		return;
	}
	if (rc == TLS_WANT_POLLOUT) {
		s->st_hs = EV_WRITE;
		return;
	}
	if (rc != 0) {
		stream_fail_tls(s, "TLS handshake", errno);
		return;
	}
	s->st_hs = 0;
	s->st_phase = ST_UP;
	/* The first record may have come with the last of the handshake. */
	s->st_more = true;
}

/*
 * libtls has no pending(): only a read that says WANT_POLLIN proves that
 * nothing is left inside it.  st_more remembers when we stopped before that.
 */
void
stream_read(struct stream *s)
{
	uint8_t		 buf[STREAM_CHUNK];
	size_t		 total = 0, have, room;
	ssize_t		 n;

	s->st_more = false;
	s->st_rd_out = false;
	while (!s->st_failed) {
		have = evbuffer_get_length(s->st_in);
		if (have >= STREAM_IN_MAXBYTES ||
		    total >= STREAM_READ_MAXBYTES) {
			s->st_more = true;
			break;
		}
		room = STREAM_IN_MAXBYTES - have;
		n = stream_pull(s, buf, room < sizeof(buf) ? room :
		    sizeof(buf));
		if (n == IO_AGAIN || n == IO_FAIL)
			break;
		if (n == 0) {
			s->st_eof = true;
			stream_fail(s, STREAM_END_EOF, true,
			    "closed by peer");
			break;
		}
		if (evbuffer_add(s->st_in, buf, (size_t)n) == -1) {
			stream_fail(s, STREAM_END_LOCAL, false,
			    "out of memory");
			break;
		}
		total += (size_t)n;
	}
	if (total > 0) {
		s->st_last = monotime_now();
		s->st_offer = true;
	}
}

void
stream_flush(struct stream *s)
{
	unsigned char	*p;
	size_t		 len, total = 0;
	ssize_t		 n;

	while ((len = evbuffer_get_length(s->st_out)) > 0 &&
	    total < STREAM_FLUSH_MAXBYTES) {
		if (len > STREAM_CHUNK)
			len = STREAM_CHUNK;
		/* A blocked tls_write wants the same bytes again. */
		if (s->st_repeat != 0)
			len = s->st_repeat;
		if ((p = evbuffer_pullup(s->st_out, (ev_ssize_t)len)) == NULL) {
			stream_fail(s, STREAM_END_LOCAL, false,
			    "out of memory");
			return;
		}
		n = stream_push(s, p, len);
		if (n == IO_AGAIN || n == IO_FAIL)
			break;
		(void)evbuffer_drain(s->st_out, (size_t)n);
		total += (size_t)n;
	}
	if (total > 0)
		s->st_last = monotime_now();
	if (evbuffer_get_length(s->st_out) == 0 && s->st_shut &&
	    !s->st_shut_done) {
		s->st_shut_done = true;
		(void)shutdown(s->st_fd, SHUT_WR);
	}
}

void
stream_farewell(struct stream *s)
{
	int		 rc;

	if (s->st_phase == ST_FLUSH) {
		stream_flush(s);
		if (s->st_broken) {
			s->st_phase = ST_DEAD;
			return;
		}
		if (evbuffer_get_length(s->st_out) > 0)
			return;
		s->st_phase = ST_NOTIFY;
	}
	if (s->st_phase == ST_NOTIFY) {
		if (s->st_tls != NULL) {
			rc = tls_close(s->st_tls);
			if (rc == TLS_WANT_POLLIN || rc == TLS_WANT_POLLOUT) {
				s->st_hs = rc == TLS_WANT_POLLIN ? EV_READ :
				    EV_WRITE;
				return;
			}
		}
		s->st_hs = 0;
		if (shutdown(s->st_fd, SHUT_WR) == -1 || s->st_eof) {
			s->st_phase = ST_DEAD;
			return;
		}
		s->st_phase = ST_LINGER;
	}
	if (s->st_phase == ST_LINGER)
		stream_linger(s);
}

static ssize_t
stream_pull(struct stream *s, void *buf, size_t len)
{
	ssize_t		 n;

	errno = 0;
	if (s->st_tls == NULL) {
		if ((n = read(s->st_fd, buf, len)) != -1)
			return (n);
		if (errno == EAGAIN || errno == EINTR)
			return (IO_AGAIN);
		stream_fail(s, stream_errno_end(errno), true, "read: %s",
		    strerror(errno));
		return (IO_FAIL);
	}
	n = tls_read(s->st_tls, buf, len);
	if (n >= 0)
		return (n);
	if (n == TLS_WANT_POLLIN)
		return (IO_AGAIN);
	if (n == TLS_WANT_POLLOUT) {
		s->st_rd_out = true;
		return (IO_AGAIN);
	}
	stream_fail_tls(s, "TLS", errno);
	return (IO_FAIL);
}

static ssize_t
stream_push(struct stream *s, const void *buf, size_t len)
{
	ssize_t		 n;
	int		 saved;

	errno = 0;
	s->st_wr_in = false;
	if (s->st_tls == NULL) {
		n = write(s->st_fd, buf, len);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return (IO_AGAIN);
	} else {
		n = tls_write(s->st_tls, buf, len);
		if (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT) {
			s->st_repeat = len;
			s->st_wr_in = n == TLS_WANT_POLLIN;
			return (IO_AGAIN);
		}
		s->st_repeat = 0;
		/*
		 * Once the peer has sent close_notify, OpenSSL calls every
		 * write that fails an end, and libtls calls that 0.
		 */
		if (n == 0) {
			errno = EPIPE;
			n = -1;
		}
	}
	if (n >= 0)
		return (n);
	saved = errno;
	s->st_broken = true;
	/*
	 * The peer's reason (an alert, a last answer) may still lie in the
	 * receive queue: it says more than "broken pipe".
	 */
	if (s->st_phase == ST_UP && !s->st_paused)
		stream_read(s);
	if (s->st_tls == NULL)
		stream_fail(s, stream_errno_end(saved), true, "write: %s",
		    strerror(saved));
	else
		stream_fail_tls(s, "TLS", saved);
	return (IO_FAIL);
}

static enum stream_end
stream_errno_end(int error)
{
	return (error == ETIMEDOUT ? STREAM_END_TIMEOUT : STREAM_END_RESET);
}

/*
 * libtls gives text only.  OpenSSL 3 calls a FIN without close_notify an
 * error; grpc implementations end like that every day, so it is an end.
 */
static void
stream_fail_tls(struct stream *s, const char *what, int error)
{
	/* What the network says; errno itself seldom survives libtls. */
	static const int lost[] = { ECONNRESET, EPIPE, ETIMEDOUT,
			    EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN };
	enum stream_end	 end = STREAM_END_TLS;
	const char	*text;
	size_t		 i;

	if ((text = tls_error(s->st_tls)) == NULL)
		text = error != 0 ? strerror(error) : "unknown error";
	if (strcasestr(text, "unexpected eof") != NULL) {
		s->st_eof = true;
		end = STREAM_END_EOF;
		text = "closed by peer without close_notify";
	} else {
		for (i = 0; i < nitems(lost); i++)
			if (strstr(text, strerror(lost[i])) != NULL)
				end = stream_errno_end(lost[i]);
	}
	stream_fail(s, end, true, "%s: %s", what, text);
}

/*
 * Closing with unread input makes the kernel send a reset, which destroys
 * what we said last on the peer's side.  Raw bytes: nobody reads them, and a
 * peer that goes on sending does not listen either.
 */
static void
stream_linger(struct stream *s)
{
	uint8_t		 buf[STREAM_CHUNK];
	ssize_t		 n;
	int		 i;

	for (i = 0; i < STREAM_READ_MAXBYTES / STREAM_CHUNK; i++) {
		n = read(s->st_fd, buf, sizeof(buf));
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0)
			s->st_dropped += (size_t)n;
		if (n <= 0 || s->st_dropped > STREAM_LINGER_MAXBYTES) {
			s->st_phase = ST_DEAD;
			return;
		}
	}
}
