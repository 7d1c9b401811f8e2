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

/* First line: a name; the rest: resolv.conf, hosts, and "host:port". */

#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "resolv.h"
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
/* The archive of the harnesses has lib/ only. */
#include "../../sentinel-agentd/resolv.c"
#endif

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sockaddr_storage	 ss;
	struct resolv_addr	 list[4], ra;
	struct resolv_conf	 rc;
	const uint8_t		*nl;
	char			 name[RESOLV_NAME_SIZE], host[RESOLV_NAME_SIZE];
	uint16_t		 port;
	size_t			 i, n;

	nl = len == 0 ? NULL : memchr(data, '\n', len);
	n = nl == NULL ? 0 : (size_t)(nl - data);
	if (n >= sizeof(name))
		n = 0;
	memcpy(name, data == NULL ? (const uint8_t *)"" : data, n);
	name[n] = '\0';

	resolv_conf_parse(&rc, (const char *)data, len);
	if (rc.rc_nns == 0 || rc.rc_nns > RESOLV_NS_MAX ||
	    rc.rc_nsearch > RESOLV_SEARCH_MAX || rc.rc_ndots > 15)
		abort();
	for (i = 0; i < rc.rc_nns; i++) {
		if (!resolv_literal(rc.rc_ns[i], &ra))
			abort();
	}
	n = resolv_hosts_find((const char *)data, len, name, list,
	    nitems(list));
	if (n > nitems(list))
		abort();
	for (i = 0; i < n; i++)
		(void)resolv_sockaddr(&list[i], 1, &ss);
	if (resolv_split(name, host, &port) == 0 &&
	    (port == 0 || host[0] == '\0'))
		abort();
	return (0);
}
