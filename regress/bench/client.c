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
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <openssl/ssl.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * usage: client handshakes port cert key seconds processes
 *	  client echo port cert key times
 *
 * A TLS client of libssl alone, so that it costs as little as one can, on
 * 127.0.0.1.  handshakes: as many complete ones as there are, one after the
 * other in each process; prints their number.  echo: round trips of 64 bytes;
 * prints the median and the 99th percentile in microseconds.
 */
static SSL_CTX	*ctx;

static SSL	*dial(const char *);
static int64_t	 usec(void);
static int	 compare(const void *, const void *);
static void	 handshakes(const char *, int, int);
static void	 echo(const char *, size_t);

int
main(int argc, char **argv)
{
	static const unsigned char	 alpn[] = "\002h2";

	if (argc < 6)
		errx(2, "usage: client handshakes|echo port cert key ...");
	(void)signal(SIGPIPE, SIG_IGN);
	if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL ||
	    SSL_CTX_use_certificate_chain_file(ctx, argv[3]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, argv[4], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1) != 0)
		errx(1, "TLS");
	if (strcmp(argv[1], "handshakes") == 0 && argc == 7)
		handshakes(argv[2], (int)strtonum(argv[5], 1, 600, NULL),
		    (int)strtonum(argv[6], 1, 64, NULL));
	else
		echo(argv[2], (size_t)strtonum(argv[5], 1, 1000000, NULL));
	return (0);
}

static int64_t
usec(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static SSL *
dial(const char *port)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	const int		 on = 1;
	SSL			*ssl;
	int			 fd;

	sin.sin_port = htons((uint16_t)strtonum(port, 1, 65535, NULL));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if ((ssl = SSL_new(ctx)) == NULL || SSL_set_fd(ssl, fd) != 1 ||
	    SSL_connect(ssl) != 1)
		errx(1, "handshake");
	return (ssl);
}

/*
 * In TLS 1.3 the client is done before the server has looked at its
 * certificate.  A FIN and the wait for the server's make sure that it has.
 */
static void
handshakes(const char *port, int seconds, int processes)
{
	int64_t	 end = usec() + (int64_t)seconds * 1000000;
	long	 n, total = 0;
	char	 buf[4096];
	SSL	*ssl;
	int	 p[2], i, fd;

	if (pipe(p) == -1)
		err(1, "pipe");
	for (i = 0; i < processes; i++) {
		if (fork() != 0)
			continue;
		for (n = 0; usec() < end; n++) {
			ssl = dial(port);
			fd = SSL_get_fd(ssl);
			(void)shutdown(fd, SHUT_WR);
			while (read(fd, buf, sizeof(buf)) > 0)
				;
			SSL_free(ssl);
			close(fd);
		}
		_exit(write(p[1], &n, sizeof(n)) != sizeof(n));
	}
	for (i = 0; i < processes; i++) {
		if (read(p[0], &n, sizeof(n)) != sizeof(n))
			errx(1, "a client failed");
		total += n;
	}
	while (wait(NULL) > 0)
		;
	(void)printf("%ld\n", total);
}

static int
compare(const void *a, const void *b)
{
	const int64_t	*x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

static void
echo(const char *port, size_t times)
{
	int64_t	*t, begin;
	char	 buf[64];
	size_t	 i;
	SSL	*ssl = dial(port);

	if ((t = calloc(times, sizeof(*t))) == NULL)
		err(1, NULL);
	memset(buf, 'x', sizeof(buf));
	for (i = 0; i < times; i++) {
		begin = usec();
		if (SSL_write(ssl, buf, sizeof(buf)) != sizeof(buf) ||
		    SSL_read(ssl, buf, sizeof(buf)) <= 0)
			errx(1, "echo");
		t[i] = usec() - begin;
	}
	qsort(t, times, sizeof(*t), compare);
	(void)printf("%lld %lld\n", (long long)t[times / 2],
	    (long long)t[times * 99 / 100]);
	free(t);
}
