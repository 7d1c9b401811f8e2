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

#ifndef RESOLV_H
#define RESOLV_H

#include "compat.h"

#include <sys/socket.h>

/*
 * Host names without libc: uplink has no file system, so resolv.conf(5) and
 * hosts(5) come as bytes from the parent and are parsed here.  Pure: no
 * system call but inet_pton(3)'s arithmetic.  What does not parse is skipped,
 * as everywhere else.
 */
#define RESOLV_NS_MAX		3
#define RESOLV_SEARCH_MAX	6
#define RESOLV_NAME_MAXBYTES	253
#define RESOLV_NAME_SIZE	(RESOLV_NAME_MAXBYTES + 1)

struct resolv_addr {
	int		 ra_family;	/* AF_INET or AF_INET6 */
	uint8_t		 ra_ip[16];	/* network order; 4 or 16 count */
	uint32_t	 ra_zone;	/* interface, link-local; or 0 */
};

struct resolv_conf {
	/* As text, since evdns wants it; 127.0.0.1 when none is named. */
	char		 rc_ns[RESOLV_NS_MAX][48];
	size_t		 rc_nns;
	char		 rc_search[RESOLV_SEARCH_MAX][RESOLV_NAME_SIZE];
	size_t		 rc_nsearch;
	unsigned int	 rc_ndots;	/* 0..15 */
};

/*
 * "10.0.0.1", "fd00::1", "fe80::1%3".  A zone is a number: names of
 * interfaces need a system call.
 */
bool	 resolv_literal(const char *, struct resolv_addr *);
/* Text needs no NUL.  Always fills all of it. */
void	 resolv_conf_parse(struct resolv_conf *, const char *text, size_t len);
/*
 * Addresses of name in a hosts file, in its order, without duplicates;
 * letter case and a last dot do not count.  Returns how many, at most max.
 */
size_t	 resolv_hosts_find(const char *text, size_t len, const char *name,
	    struct resolv_addr *, size_t max);
/* Fills a socket address; port in host order. */
socklen_t resolv_sockaddr(const struct resolv_addr *, uint16_t port,
	    struct sockaddr_storage *);
/*
 * "host:port" and "[v6]:port" into its parts.  0, or -1 (EINVAL: no port,
 * too long, empty).
 */
int	 resolv_split(const char *server, char host[RESOLV_NAME_SIZE],
	    uint16_t *port);

#endif /* RESOLV_H */
