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

#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "compat.h"

#include "conf.h"

/*
 * Single values as a person writes them: for the configuration and for the
 * arguments of sentinelctl.  No process state, nothing is kept.
 *	why	CONF_WHY_MAXBYTES, filled on failure: what is wrong and what
 *		to write instead
 */
#define CONF_WHY_MAXBYTES	320
#define CONF_DURATION_MAXLEN	48

/*
 * "90d", "1h30m", "10s", "250ms": numbers with units d h m s ms, each at most
 * once, larger units first.  0, or -1 with errno EINVAL or ERANGE.
 */
int	 conf_value_duration(const char *, uint64_t *msec);
/* The shortest exact text; buf of CONF_DURATION_MAXLEN. */
const char *conf_value_duration_text(uint64_t msec, char *buf);
/*
 * "host:port" or "[v6]:port".  With literal, the host must be an address, and
 * an empty one is any address ("::").  0 and a malloc'd host, or -1, why.
 */
int	 conf_value_addr(const char *, bool literal, struct conf_addr *,
	    char *why);

bool	 conf_value_is_literal(const char *);	/* IPv4 or IPv6 address */
bool	 conf_value_is_dns(const char *);	/* letters, digits, hyphens */
bool	 conf_value_is_host(const char *);	/* 1..63 of [A-Za-z0-9._-] */
/* UTF-8 without control characters. */
bool	 conf_value_is_text(const char *);

/*
 * The bounds of a NUMBER or DURATION key (conf_keys.def); 0 or -1 when the
 * table is wrong, which a unit test shows.
 */
int	 conf_value_bounds(const struct conf_key *, uint64_t *lo,
	    uint64_t *hi);
/* Edit distance of two words, or more than max. */
size_t	 conf_value_distance(const char *, const char *, size_t max);

#endif /* CONF_VALUE_H */
