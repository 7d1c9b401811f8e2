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

#include <sys/uio.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <llhttp.h>

#include "http_int.h"
#include "stream.h"

enum http_state {
	HC_IDLE,		/* no request in flight */
	HC_HEAD,		/* status line and headers awaited */
	HC_BODY,
	HC_COMPLETE,		/* whole message parsed, hr_done to be called */
	HC_SPENT		/* never again */
};

struct http_conn {
	struct stream		*hc_stream;
	enum http_state		 hc_state;
	bool			 hc_paused;
	bool			 hc_keep;	/* peer keeps it open */
	bool			 hc_dead;	/* freed inside a callback */
	unsigned int		 hc_busy;	/* callbacks on the stack */
	llhttp_t		 hc_parser;
	struct http_request	 hc_req;	/* callbacks and limits */
	char			 hc_method[HTTP_METHOD_MAXBYTES];
	size_t			 hc_reqlen;	/* bytes of the request */
	size_t			 hc_bodylen;	/* of the answer, so far */
	const char		*hc_why;	/* what broke, static */
	enum http_end		 hc_end;	/* with hc_why */
	/* header fields: name NUL value NUL ... */
	char			 hc_head[HTTP_HEAD_MAXBYTES];
	size_t			 hc_headlen;
	size_t			 hc_linelen;	/* status line bytes */
	size_t			 hc_name;	/* offset of the current name */
	unsigned int		 hc_fields;
	bool			 hc_inname;
	bool			 hc_valueend;	/* value ended inside a chunk */
	const char		*hc_chunkend;
	/* owner */
	void			(*hc_closed)(void *, struct http_conn *);
	void			*hc_arg;
};

static void	 http_read(struct stream *, struct evbuffer *, void *);
static void	 http_ended(struct stream *, enum stream_end, const char *,
		    void *);
static int	 http_on_status(llhttp_t *, const char *, size_t);
static int	 http_on_field(llhttp_t *, const char *, size_t);
static int	 http_on_field_end(llhttp_t *);
static int	 http_on_value(llhttp_t *, const char *, size_t);
static int	 http_on_value_end(llhttp_t *);
static int	 http_on_headers(llhttp_t *);
static int	 http_on_body(llhttp_t *, const char *, size_t);
static int	 http_on_complete(llhttp_t *);

static const struct stream_ops http_stream_ops = {
	.so_read = http_read,
	.so_end = http_ended
};

static const llhttp_settings_t http_settings = {
	.on_status = http_on_status,
	.on_header_field = http_on_field,
	.on_header_field_complete = http_on_field_end,
	.on_header_value = http_on_value,
	.on_header_value_complete = http_on_value_end,
	.on_headers_complete = http_on_headers,
	.on_body = http_on_body,
	.on_message_complete = http_on_complete
};

struct http_conn *
http_conn_new(struct event_base *base, int fd,
    void (*closed)(void *, struct http_conn *), void *arg)
{
	struct http_conn	*hc;
	int			 error;

	if ((hc = calloc(1, sizeof(*hc))) == NULL)
		goto err;
	hc->hc_closed = closed;
	hc->hc_arg = arg;
	hc->hc_stream = stream_new(base, fd, NULL, &http_stream_ops, hc);
	if (hc->hc_stream == NULL)
		goto err;
	return (hc);
err:
	error = errno;
	free(hc);
	if (fd != -1)
		close(fd);
	errno = error;
	return (NULL);
}

void
http_conn_free(struct http_conn *hc)
{
	if (hc == NULL)
		return;
	stream_free(hc->hc_stream);
	hc->hc_stream = NULL;
	hc->hc_dead = true;
	hc->hc_state = HC_SPENT;
	if (hc->hc_busy == 0)
		free(hc);
}

/* Callbacks of the owner may free the connection: enter, call, leave. */
static void
http_enter(struct http_conn *hc)
{
	hc->hc_busy++;
}

/* True when the connection is gone. */
static bool
http_leave(struct http_conn *hc)
{
	bool	 dead = hc->hc_dead;

	if (--hc->hc_busy == 0 && dead)
		free(hc);
	return (dead);
}

bool
http_conn_usable(const struct http_conn *hc)
{
	return (hc->hc_state == HC_IDLE);
}

/* --- request ----------------------------------------------------------- */

int
http_request(struct http_conn *hc, const struct http_request *hr)
{
	struct evbuffer	*out;
	size_t		 len;

	if (hc->hc_state != HC_IDLE) {
		errno = hc->hc_state == HC_SPENT ? EPIPE : EBUSY;
		return (-1);
	}
	if (!http_request_ok(hr)) {
		errno = EINVAL;
		return (-1);
	}
	if ((out = evbuffer_new()) == NULL || http_compose(out, hr) == -1) {
		if (out != NULL)
			evbuffer_free(out);
		errno = ENOMEM;
		return (-1);
	}
	len = evbuffer_get_length(out);
	if (stream_write_buf(hc->hc_stream, out) == -1) {
		evbuffer_free(out);
		hc->hc_state = HC_SPENT;
		errno = EPIPE;
		return (-1);
	}
	evbuffer_free(out);

	llhttp_init(&hc->hc_parser, HTTP_RESPONSE, &http_settings);
	hc->hc_parser.data = hc;
	hc->hc_req = *hr;
	hc->hc_req.hr_method = hc->hc_method;
	strlcpy(hc->hc_method, hr->hr_method, sizeof(hc->hc_method));
	hc->hc_req.hr_path = hc->hc_req.hr_headers = hc->hc_req.hr_ctype = NULL;
	hc->hc_req.hr_body = NULL;
	hc->hc_reqlen = len;
	hc->hc_bodylen = 0;
	hc->hc_why = NULL;
	hc->hc_headlen = hc->hc_linelen = 0;
	hc->hc_fields = 0;
	hc->hc_inname = hc->hc_valueend = false;
	hc->hc_state = HC_HEAD;
	stream_set_idle(hc->hc_stream, hr->hr_idle_msec);
	stream_set_deadline(hc->hc_stream, hr->hr_total_msec);
	return (0);
}

/* --- end of a request -------------------------------------------------- */

/* Tell the owner; true when the connection is gone. */
static bool
http_finish(struct http_conn *hc, enum http_end end, const char *what)
{
	struct http_request	 hr = hc->hc_req;

	memset(&hc->hc_req, 0, sizeof(hc->hc_req));
	hc->hc_paused = false;
	stream_set_idle(hc->hc_stream, 0);
	stream_set_deadline(hc->hc_stream, 0);
	hc->hc_state = end == HTTP_DONE && hc->hc_keep ? HC_IDLE : HC_SPENT;
	http_enter(hc);
	if (hr.hr_done != NULL)
		hr.hr_done(hr.hr_arg, end, what);
	return (http_leave(hc));
}

static void
http_ended(struct stream *s, enum stream_end end, const char *text, void *arg)
{
	struct http_conn	*hc = arg;
	enum http_state		 st = hc->hc_state;

	(void)text;
	if (st == HC_IDLE || st == HC_SPENT) {
		hc->hc_state = HC_SPENT;
		http_enter(hc);
		hc->hc_closed(hc->hc_arg, hc);
		(void)http_leave(hc);
		return;
	}
	hc->hc_keep = false;
	if (end == STREAM_END_TIMEOUT) {
		(void)http_finish(hc, HTTP_TIMEOUT, "no answer in time");
		return;
	}
	if (st == HC_HEAD && stream_queued(s) >= hc->hc_reqlen) {
		(void)http_finish(hc, HTTP_UNSENT, "connection closed");
		return;
	}
	/* A body without a length ends with the connection. */
	if (end == STREAM_END_EOF && st == HC_BODY) {
		http_enter(hc);
		(void)llhttp_finish(&hc->hc_parser);
		if (http_leave(hc))
			return;
		if (hc->hc_state == HC_COMPLETE) {
			(void)http_finish(hc, HTTP_DONE, "");
			return;
		}
	}
	(void)http_finish(hc, HTTP_LOST, "connection closed before the answer");
}

/* --- answer ------------------------------------------------------------ */

static int
http_break(struct http_conn *hc, enum http_end end, const char *why)
{
	if (hc->hc_why == NULL) {
		hc->hc_end = end;
		hc->hc_why = why;
	}
	return (HPE_USER);
}

/* Feed one contiguous piece; bytes taken. */
static size_t
http_feed(struct http_conn *hc, const char *data, size_t len)
{
	llhttp_errno_t	 e;
	const char	*pos;

	hc->hc_chunkend = data + len;
	e = llhttp_execute(&hc->hc_parser, data, len);
	if (e == HPE_OK)
		return (len);
	if (e == HPE_PAUSED) {
		pos = llhttp_get_error_pos(&hc->hc_parser);
		return ((size_t)(pos - data));
	}
	if (hc->hc_why == NULL)
		(void)http_break(hc, HTTP_BROKEN, "answer is not valid HTTP");
	return (len);
}

static void
http_read(struct stream *s, struct evbuffer *in, void *arg)
{
	struct http_conn	*hc = arg;
	struct evbuffer_iovec	 v;
	size_t			 n;

	(void)s;
	while (!hc->hc_paused &&
	    evbuffer_peek(in, -1, NULL, &v, 1) > 0 && v.iov_len > 0) {
		if (hc->hc_state != HC_HEAD && hc->hc_state != HC_BODY) {
			/* Nobody asked: it cannot be used again. */
			hc->hc_keep = false;
			hc->hc_state = HC_SPENT;
			evbuffer_drain(in, evbuffer_get_length(in));
			http_enter(hc);
			hc->hc_closed(hc->hc_arg, hc);
			(void)http_leave(hc);
			return;
		}
		http_enter(hc);
		n = http_feed(hc, v.iov_base, v.iov_len);
		if (http_leave(hc))
			return;
		evbuffer_drain(in, n);
		if (hc->hc_why != NULL) {
			hc->hc_keep = false;
			(void)http_finish(hc, hc->hc_end, hc->hc_why);
			return;
		}
		if (hc->hc_state == HC_COMPLETE) {
			if (evbuffer_get_length(in) > 0)
				hc->hc_keep = false;
			if (http_finish(hc, HTTP_DONE, ""))
				return;
		}
	}
}

static int
http_on_status(llhttp_t *p, const char *at, size_t len)
{
	struct http_conn	*hc = p->data;

	(void)at;
	hc->hc_linelen += len;
	if (hc->hc_linelen > HTTP_HEAD_MAXBYTES)
		return (http_break(hc, HTTP_BROKEN, "status line too long"));
	return (0);
}

/* Room is kept for the NUL of name and value. */
static int
http_head_add(struct http_conn *hc, const char *at, size_t len)
{
	if (len > sizeof(hc->hc_head) - hc->hc_headlen ||
	    sizeof(hc->hc_head) - hc->hc_headlen - len < 2)
		return (http_break(hc, HTTP_BROKEN, "header too long"));
	memcpy(hc->hc_head + hc->hc_headlen, at, len);
	hc->hc_headlen += len;
	return (0);
}

static int
http_on_field(llhttp_t *p, const char *at, size_t len)
{
	struct http_conn	*hc = p->data;
	size_t			 i;

	if (hc->hc_state != HC_HEAD)
		return (0);	/* trailers are not kept */
	if (!hc->hc_inname) {
		if (++hc->hc_fields > HTTP_FIELDS_MAX)
			return (http_break(hc, HTTP_BROKEN,
			    "too many header fields"));
		hc->hc_inname = true;
		hc->hc_name = hc->hc_headlen;
	}
	if (http_head_add(hc, at, len) != 0)
		return (HPE_USER);
	for (i = hc->hc_headlen - len; i < hc->hc_headlen; i++)
		hc->hc_head[i] = (char)tolower((unsigned char)hc->hc_head[i]);
	return (0);
}

static int
http_on_field_end(llhttp_t *p)
{
	struct http_conn	*hc = p->data;

	if (hc->hc_state != HC_HEAD)
		return (0);
	if (!hc->hc_inname || hc->hc_headlen == hc->hc_name)
		return (http_break(hc, HTTP_BROKEN,
		    "header field without a name"));
	hc->hc_inname = hc->hc_valueend = false;
	return (http_head_add(hc, "", 1));
}

static int
http_on_value(llhttp_t *p, const char *at, size_t len)
{
	struct http_conn	*hc = p->data;

	if (hc->hc_state != HC_HEAD)
		return (0);
	/* llhttp hands out a folded value as one more piece. */
	if (hc->hc_valueend)
		return (http_break(hc, HTTP_BROKEN, "folded header field"));
	hc->hc_valueend = at + len != hc->hc_chunkend;
	return (http_head_add(hc, at, len));
}

static int
http_on_value_end(llhttp_t *p)
{
	struct http_conn	*hc = p->data;

	if (hc->hc_state != HC_HEAD)
		return (0);
	hc->hc_valueend = false;
	return (http_head_add(hc, "", 1));
}

const char *
http_conn_header(const struct http_conn *hc, const char *name)
{
	const char	*p = hc->hc_head, *end = p + hc->hc_headlen, *value;

	while (p < end) {
		value = p + strlen(p) + 1;
		if (value >= end)
			return (NULL);
		if (strcmp(p, name) == 0)
			return (value);
		p = value + strlen(value) + 1;
	}
	return (NULL);
}

/* What llhttp lets through and we do not: NULL when fine. */
static const char *
http_head_check(struct http_conn *hc, const llhttp_t *p)
{
	const char	*coding;
	bool		 te = (p->flags & F_TRANSFER_ENCODING) != 0;

	if (p->http_major != 1 || p->http_minor > 1)
		return ("HTTP version is not 1.0 or 1.1");
	if (p->status_code < 100 || p->status_code > 599)
		return ("HTTP status out of range");
	if (p->status_code == 101)
		return ("unexpected change of protocol");
	if (te && p->http_minor == 0)
		return ("Transfer-Encoding in HTTP/1.0");
	if (te && (p->flags & F_CONTENT_LENGTH) != 0)
		return ("both Transfer-Encoding and Content-Length");
	if (te && ((p->flags & F_CHUNKED) == 0 || (coding =
	    http_conn_header(hc, "transfer-encoding")) == NULL ||
	    strcasecmp(coding, "chunked") != 0))
		return ("unknown Transfer-Encoding");
	if ((p->flags & F_CONTENT_LENGTH) != 0 &&
	    strcmp(hc->hc_method, "HEAD") != 0 &&
	    p->content_length > hc->hc_req.hr_maxbody)
		return ("answer too long");
	return (NULL);
}

static int
http_on_headers(llhttp_t *p)
{
	struct http_conn	*hc = p->data;
	const char		*why;

	if ((why = http_head_check(hc, p)) != NULL) {
		(void)http_break(hc, HTTP_BROKEN, why);
		return (-1);
	}
	if (p->status_code < 200)
		return (0);
	hc->hc_state = HC_BODY;
	if (hc->hc_req.hr_head != NULL && hc->hc_req.hr_head(hc->hc_req.hr_arg,
	    hc, p->status_code) == -1) {
		(void)http_break(hc, HTTP_ABORTED, "stopped");
		return (-1);
	}
	if (hc->hc_dead)
		return (-1);
	return (strcmp(hc->hc_method, "HEAD") == 0 ? 1 : 0);
}

static int
http_on_body(llhttp_t *p, const char *at, size_t len)
{
	struct http_conn	*hc = p->data;

	if (len > hc->hc_req.hr_maxbody - hc->hc_bodylen)
		return (http_break(hc, HTTP_BROKEN, "answer too long"));
	hc->hc_bodylen += len;
	if (hc->hc_req.hr_data != NULL && hc->hc_req.hr_data(hc->hc_req.hr_arg,
	    (const uint8_t *)at, len) == -1)
		return (http_break(hc, HTTP_ABORTED, "stopped"));
	/*
	 * A pause counts from the next read on: a parser that stops after the
	 * last byte of a body would wait for one more to see the end.
	 */
	return (hc->hc_dead ? HPE_USER : 0);
}

static int
http_on_complete(llhttp_t *p)
{
	struct http_conn	*hc = p->data;

	if (hc->hc_state == HC_HEAD) {
		/* 1xx: the real answer follows. */
		hc->hc_headlen = hc->hc_linelen = 0;
		hc->hc_inname = hc->hc_valueend = false;
		if (++hc->hc_fields > HTTP_FIELDS_MAX)
			return (http_break(hc, HTTP_BROKEN,
			    "too many interim answers"));
		return (0);
	}
	/* Whoever stopped reading is not asked to go on for the next one. */
	hc->hc_keep = llhttp_should_keep_alive(p) != 0 && !hc->hc_paused;
	hc->hc_state = HC_COMPLETE;
	/* One message ends the loop: the next one needs a request first. */
	return (HPE_PAUSED);
}

void
http_conn_pause(struct http_conn *hc)
{
	if (hc->hc_paused || hc->hc_stream == NULL)
		return;
	hc->hc_paused = true;
	stream_pause(hc->hc_stream);
	stream_set_idle(hc->hc_stream, 0);
}

void
http_conn_resume(struct http_conn *hc)
{
	if (!hc->hc_paused || hc->hc_stream == NULL)
		return;
	hc->hc_paused = false;
	stream_set_idle(hc->hc_stream, hc->hc_req.hr_idle_msec);
	stream_resume(hc->hc_stream);
}
