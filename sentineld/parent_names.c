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

#include "sentineld.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <ifaddrs.h>
#include <string.h>
#include <strings.h>

#include "log.h"

enum name_type { NAME_DNS = 1, NAME_IP = 2 };

struct names {
	struct ibuf	*buf;
	size_t		 count;
	/* What was added, to leave out duplicates. */
	struct {
		uint8_t	 value[16];
		size_t	 len;
	} ip[PARENT_NAMES_MAX];
	size_t		 nips;
	const char	*dns[PARENT_NAMES_MAX];
	size_t		 ndns;
};

static int	 add(struct names *, enum name_type, const void *, size_t);
static int	 add_ip(struct names *, const void *, size_t);
static int	 add_text(struct names *, const char *);
static bool	 is_private(const struct sockaddr *, const void **, size_t *);

static int
add(struct names *n, enum name_type type, const void *value, size_t len)
{
	if (n->count == PARENT_NAMES_MAX ||
	    ibuf_size(n->buf) + 3 + len > PARENT_NAMES_MAXBYTES) {
		log_warnx("server certificate: more than %d names or %d bytes "
		    "of them, one is left out", PARENT_NAMES_MAX,
		    PARENT_NAMES_MAXBYTES);
		return (0);
	}
	n->count++;
	if (ibuf_add_n8(n->buf, type) == -1)
		return (-1);
	return (ibuf_add_bytes(n->buf, value, len));
}

static int
add_ip(struct names *n, const void *value, size_t len)
{
	size_t	 i;

	for (i = 0; i < n->nips; i++) {
		if (n->ip[i].len == len &&
		    memcmp(n->ip[i].value, value, len) == 0)
			return (0);
	}
	if (n->nips < PARENT_NAMES_MAX) {
		memcpy(n->ip[n->nips].value, value, len);
		n->ip[n->nips++].len = len;
	}
	return (add(n, NAME_IP, value, len));
}

/* An address literal or a DNS name; conf has checked which characters. */
static int
add_text(struct names *n, const char *text)
{
	uint8_t	 addr[16];
	size_t	 i;

	if (inet_pton(AF_INET, text, addr) == 1)
		return (add_ip(n, addr, 4));
	if (inet_pton(AF_INET6, text, addr) == 1)
		return (add_ip(n, addr, 16));
	for (i = 0; i < n->ndns; i++) {
		if (strcasecmp(n->dns[i], text) == 0)
			return (0);
	}
	if (n->ndns < PARENT_NAMES_MAX)
		n->dns[n->ndns++] = text;
	return (add(n, NAME_DNS, text, strlen(text)));
}

static bool
is_private(const struct sockaddr *sa, const void **value, size_t *len)
{
	const struct sockaddr_in	*sin;
	const struct sockaddr_in6	*sin6;
	uint32_t			 a;

	if (sa->sa_family == AF_INET) {
		sin = (const struct sockaddr_in *)(const void *)sa;
		a = ntohl(sin->sin_addr.s_addr);
		*value = &sin->sin_addr;
		*len = 4;
		return ((a >> 24) == 10 || (a >> 20) == 0xac1 ||
		    (a >> 16) == 0xc0a8);
	}
	if (sa->sa_family == AF_INET6) {
		sin6 = (const struct sockaddr_in6 *)(const void *)sa;
		*value = &sin6->sin6_addr;
		*len = 16;
		return ((sin6->sin6_addr.s6_addr[0] & 0xfe) == 0xfc);
	}
	return (false);
}

int
parent_names_pack(const struct conf_names *advertise, struct ibuf *buf)
{
	static const char *const always[] = { "localhost", "127.0.0.1",
	    "::1" };
	struct names		 n = { .buf = buf };
	struct ifaddrs		*all, *ifa;
	const void		*value;
	size_t			 i, len;
	int			 rc = 0;

	for (i = 0; i < nitems(always) && rc == 0; i++)
		rc = add_text(&n, always[i]);
	/* What the operator named comes before what was found. */
	for (i = 0; i < advertise->n_len && rc == 0; i++)
		rc = add_text(&n, advertise->n_name[i]);
	if (getifaddrs(&all) == -1) {
		log_warn("server certificate: addresses of this machine");
		return (rc);
	}
	for (ifa = all; ifa != NULL && rc == 0; ifa = ifa->ifa_next) {
		if (ifa->ifa_addr != NULL &&
		    is_private(ifa->ifa_addr, &value, &len))
			rc = add_ip(&n, value, len);
	}
	freeifaddrs(all);
	return (rc);
}
