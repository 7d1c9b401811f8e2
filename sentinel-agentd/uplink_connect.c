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

#include "uplink.h"

#include <netinet/in.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "tcpalive.h"
#include "tlsconf.h"
#include "x509util.h"

/*
 * From a name to a connection whose other end has proven to be the server.
 * Addresses are tried one after the other, each with its share of the time
 * that is left.
 */
static void	 on_deadline(int, short, void *);
static void	 on_resolved(const struct resolv_addr *, size_t, const char *,
		    void *);
static void	 try_next(struct attempt *);
static int	 try_addr(struct attempt *, const struct resolv_addr *);
static void	 on_share(int, short, void *);
static void	 on_writable(int, short, void *);
static void	 failed(struct attempt *, const struct resolv_addr *, int);
static void	 drop_socket(struct attempt *);
static void	 begin_tls(struct attempt *);
static void	 on_up(struct stream *, void *);
static void	 on_read(struct stream *, struct evbuffer *, void *);
static void	 on_stream_end(struct stream *, enum stream_end,
		    const char *, void *);
static bool	 prove(struct attempt *, struct tls *);
static void	 arm(struct attempt *, event_callback_fn, int);

static const struct stream_ops	stream_ops = {
	.so_up = on_up,
	.so_read = on_read,
	.so_end = on_stream_end,
};

static void
arm(struct attempt *at, event_callback_fn fn, int msec)
{
	struct timeval	 tv = monotime_timeval((uint64_t)msec);

	event_del(at->at_timer);
	if (event_assign(at->at_timer, proc_base(), -1, 0, fn, at) == -1 ||
	    event_add(at->at_timer, &tv) == -1)
		fatal("uplink: timer");
}

void
connect_begin(struct attempt *at)
{
	arm(at, on_deadline, monotime_left(at->at_deadline));
	at->at_resolve = resolve_start(at->at_host, on_resolved, at);
}

void
connect_clear(struct attempt *at)
{
	event_del(at->at_timer);
	resolve_cancel(at->at_resolve);
	at->at_resolve = NULL;
	drop_socket(at);
	stream_free(at->at_stream);
	at->at_stream = NULL;
}

static void
drop_socket(struct attempt *at)
{
	if (at->at_connect != NULL)
		event_free(at->at_connect);
	at->at_connect = NULL;
	if (at->at_fd != -1)
		close(at->at_fd);
	at->at_fd = -1;
}

static void
on_deadline(int fd, short what, void *arg)
{
	struct attempt	*at = arg;

	(void)fd;
	(void)what;
	if (at->at_resolve != NULL)
		attempt_end(at, CAUSE(RESOLVE), 0, "%s: no name server "
		    "answers in time", at->at_host);
	else
		attempt_end(at, CAUSE(NETWORK), 0, "%s: no connection in "
		    "time%s%s", at->at_server, at->at_why[0] != '\0' ? ": " :
		    "", at->at_why);
}

static void
on_resolved(const struct resolv_addr *list, size_t n, const char *why,
    void *arg)
{
	struct attempt	*at = arg;

	at->at_resolve = NULL;
	if (at->at_ended)
		return;
	if (n == 0) {
		attempt_end(at, CAUSE(RESOLVE), 0, "%s: %s", at->at_host,
		    why);
		return;
	}
	memcpy(at->at_addr, list, n * sizeof(*list));
	at->at_naddrs = n;
	try_next(at);
}

static void
try_next(struct attempt *at)
{
	int	 left, share;

	while (at->at_next < at->at_naddrs) {
		left = monotime_left(at->at_deadline);
		share = left / (int)(at->at_naddrs - at->at_next);
		if (share < UPLINK_TRY_MIN_MSEC)
			share = left < UPLINK_TRY_MIN_MSEC ? left :
			    UPLINK_TRY_MIN_MSEC;
		if (try_addr(at, &at->at_addr[at->at_next++]) == 0) {
			arm(at, on_share, share);
			return;
		}
	}
	attempt_end(at, CAUSE(NETWORK), 0, "%s: %s", at->at_server,
	    at->at_why);
}

/* 0: under way. */
static int
try_addr(struct attempt *at, const struct resolv_addr *ra)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;

	len = resolv_sockaddr(ra, at->at_port, &ss);
	at->at_fd = socket(ra->ra_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (at->at_fd == -1 || (connect(at->at_fd, (struct sockaddr *)&ss,
	    len) == -1 && errno != EINPROGRESS)) {
		failed(at, ra, errno);
		return (-1);
	}
	if ((at->at_connect = event_new(proc_base(), at->at_fd, EV_WRITE,
	    on_writable, at)) == NULL || event_add(at->at_connect, NULL) == -1)
		fatal("uplink: connect");
	return (0);
}

static void
failed(struct attempt *at, const struct resolv_addr *ra, int error)
{
	char	 ip[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(ra->ra_family, ra->ra_ip, ip, sizeof(ip));
	(void)snprintf(at->at_why, sizeof(at->at_why), "%s: %s", ip,
	    strerror(error));
	drop_socket(at);
}

static void
on_share(int fd, short what, void *arg)
{
	struct attempt	*at = arg;

	(void)fd;
	(void)what;
	failed(at, &at->at_addr[at->at_next - 1], ETIMEDOUT);
	try_next(at);
}

static void
on_writable(int fd, short what, void *arg)
{
	struct attempt	*at = arg;
	socklen_t	 len = sizeof(int);
	int		 error = 0;

	(void)what;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		failed(at, &at->at_addr[at->at_next - 1], error);
		try_next(at);
		return;
	}
	tcpalive_set(fd, uplink_silence_msec());
	begin_tls(at);
}

/* While enrolling no certificate is shown: there is none. */
static void
begin_tls(struct attempt *at)
{
	struct tlsconf	 tc = {
		.tc_alpn = TLSCONF_H2,
		.tc_cert = at->at_cert,
		.tc_certlen = at->at_certlen,
	};
	struct tls	*tls;
	char		 err[256];

	at->at_is_connected = true;
	event_del(at->at_timer);
	event_free(at->at_connect);
	at->at_connect = NULL;
	if ((tls = tlsconf_client(&tc, err, sizeof(err))) == NULL) {
		attempt_end(at, CAUSE(TLS), 0, "%s", err);
		return;
	}
	if (tls_connect_socket(tls, at->at_fd, at->at_name) == -1 ||
	    (at->at_stream = stream_new(proc_base(), at->at_fd, tls,
	    &stream_ops, at)) == NULL) {
		attempt_end(at, CAUSE(TLS), 0, "%s: %s", at->at_server,
		    tls_error(tls) != NULL ? tls_error(tls) :
		    strerror(errno));
		tls_free(tls);
		return;
	}
	at->at_fd = -1;
	stream_set_handshake(at->at_stream, (unsigned int)
	    monotime_left(at->at_deadline) + 1);
}

static void
on_stream_end(struct stream *st, enum stream_end end, const char *text,
    void *arg)
{
	struct attempt	*at = arg;

	(void)st;
	attempt_end(at, end == STREAM_END_TLS ? CAUSE(TLS) : CAUSE(NETWORK),
	    0, "%s: handshake: %s", at->at_server, text);
}

/*
 * A server speaks first, also one that has failed the proof: until the attempt
 * is gone its bytes lie where they are, bounded by the stream.
 */
static void
on_read(struct stream *st, struct evbuffer *in, void *arg)
{
	(void)in;
	(void)arg;
	stream_pause(st);
}

static void
on_up(struct stream *st, void *arg)
{
	struct attempt	*at = arg;
	const char	*fault;

	if ((fault = tlsconf_fault(stream_tls(st), TLSCONF_H2)) != NULL) {
		attempt_end(at, CAUSE(PROTOCOL), 0, "%s: %s", at->at_server,
		    fault);
		return;
	}
	if (!prove(at, stream_tls(st)))
		return;
	at->at_up = true;
	if (at->at_is_probe)
		attempt_end(at, CAUSE(LOCAL), 0, "%s", "");
	else
		call_begin(at);
}

/*
 * The one place that decides whether the other end is the server.  Nothing
 * but the handshake has left so far.
 */
static bool
prove(struct attempt *at, struct tls *tls)
{
	struct x509_result	 xr;
	const uint8_t		*chain;
	size_t			 len = 0;

	if ((chain = tls_peer_cert_chain_pem(tls, &len)) == NULL || len == 0) {
		attempt_end(at, CAUSE(TLS), 0, "%s shows no certificate",
		    at->at_server);
		return (false);
	}
	if (at->at_is_probe &&
	    x509_facts_pem(chain, len, &at->at_seen) == -1)
		memset(&at->at_seen, 0, sizeof(at->at_seen));
	if (at->at_is_enroll) {
		if (x509_check_pin(chain, len, at->at_pin, at->at_pinlen,
		    at->at_name, time(NULL), &xr))
			return (true);
		/* The engine checks this chain against the CA that comes
		 * with the answer. */
		if (xr.xr_verdict == X509_VERDICT_NO_CA &&
		    at->at_trust_first_use) {
			log_warnx("%s shows no CA certificate: its identity is "
			    "taken on trust (trust_first_use)", at->at_server);
			return (true);
		}
	} else if (x509_check_server_chain(chain, len, at->at_ca,
	    at->at_calen, at->at_name, time(NULL), &xr))
		return (true);
	switch (xr.xr_verdict) {
	case X509_VERDICT_NO_CA:
		attempt_end(at, CAUSE(PIN), 0, "%s", xr.xr_text);
		break;
	case X509_VERDICT_FOREIGN:
		if (at->at_is_enroll)
			attempt_end(at, CAUSE(PIN), 0, "pin mismatch: %s",
			    xr.xr_text);
		else
			attempt_end(at, CAUSE(CA_MISMATCH), 0, "%s",
			    xr.xr_text);
		break;
	case X509_VERDICT_NAME:
		attempt_end(at, CAUSE(NAME), 0, "%s was dialled, but %s",
		    at->at_name, xr.xr_text);
		break;
	case X509_VERDICT_PURPOSE:
		attempt_end(at, CAUSE(PURPOSE), 0, "wrong purpose: %s",
		    xr.xr_text);
		break;
	case X509_VERDICT_EXPIRED:
		attempt_end(at, CAUSE(EXPIRED), 0, "%s", xr.xr_text);
		break;
	case X509_VERDICT_NOT_YET:
		attempt_end(at, CAUSE(NOT_YET_VALID), 0, "%s", xr.xr_text);
		break;
	default:
		attempt_end(at, CAUSE(TLS), 0, "%s", xr.xr_text);
		break;
	}
	return (false);
}
