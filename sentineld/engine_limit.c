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

#include "engine.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"

/*
 * Failed enrolments per source address.  Only failures count, so a fleet
 * behind one address can enrol; IPv6 counts by /64 as that is what one
 * machine can choose from.  Bounded: when the table is full the oldest entry
 * goes.
 */
#define LIMIT_MAX	4096

struct source {
	char		 so_key[64];
	unsigned int	 so_failures;
	bool		 so_told;	/* that it is over the limit */
	monotime_t	 so_since;
	RB_ENTRY(source) so_entry;
	TAILQ_ENTRY(source) so_order;
};

static int		 source_cmp(const struct source *,
			    const struct source *);
static struct source	*find(const char *);

RB_HEAD(source_tree, source);
RB_PROTOTYPE_STATIC(source_tree, source, so_entry, source_cmp)
RB_GENERATE_STATIC(source_tree, source, so_entry, source_cmp)

static struct source_tree	 sources = RB_INITIALIZER(&sources);
static TAILQ_HEAD(, source)	 order = TAILQ_HEAD_INITIALIZER(order);
static size_t			 nsources;

static int
source_cmp(const struct source *a, const struct source *b)
{
	return (strcmp(a->so_key, b->so_key));
}

/* The text of an address has many forms; its bytes have one. */
void
limit_source(const char *address, char *key, size_t len)
{
	struct in6_addr	 in6;

	if (inet_pton(AF_INET6, address, &in6) != 1) {
		(void)strlcpy(key, address, len);
		return;
	}
	if (IN6_IS_ADDR_V4MAPPED(&in6)) {
		(void)inet_ntop(AF_INET, &in6.s6_addr[12], key,
		    (socklen_t)len);
		return;
	}
	memset(&in6.s6_addr[8], 0, 8);
	(void)inet_ntop(AF_INET6, &in6, key, (socklen_t)len);
}

static struct source *
find(const char *address)
{
	struct source	 want;

	limit_source(address, want.so_key, sizeof(want.so_key));
	return (RB_FIND(source_tree, &sources, &want));
}

enum limit
limit_check(const char *address)
{
	struct source	*s;

	if ((s = find(address)) == NULL)
		return (LIMIT_FREE);
	if (monotime_now() - s->so_since >
	    (monotime_t)eng->conf.ec_enroll_window_msec) {
		s->so_failures = 0;
		s->so_told = false;
		return (LIMIT_FREE);
	}
	if (s->so_failures < eng->conf.ec_enroll_failures)
		return (LIMIT_FREE);
	if (s->so_told)
		return (LIMIT_OVER);
	s->so_told = true;
	return (LIMIT_REACHED);
}

/* Many sources, or one that goes through many addresses. */
static bool
is_few(void)
{
	if (monotime_now() - eng->enroll_since >
	    (monotime_t)eng->conf.ec_enroll_window_msec) {
		eng->enroll_failed = 0;
		eng->enroll_since = monotime_now();
	}
	return (++eng->enroll_failed <=
	    LIMIT_TOTAL * eng->conf.ec_enroll_failures);
}

bool
limit_count_failure(const char *address)
{
	struct source	*s;

	if ((s = find(address)) == NULL) {
		if (nsources == LIMIT_MAX) {
			s = TAILQ_FIRST(&order);
			TAILQ_REMOVE(&order, s, so_order);
			RB_REMOVE(source_tree, &sources, s);
			nsources--;
			free(s);
		}
		s = xcalloc(1, sizeof(*s));
		limit_source(address, s->so_key, sizeof(s->so_key));
		RB_INSERT(source_tree, &sources, s);
		TAILQ_INSERT_TAIL(&order, s, so_order);
		nsources++;
	}
	if (s->so_failures == 0)
		s->so_since = monotime_now();
	s->so_failures++;
	return (is_few());
}

/* What was spent is a point in time; the past is what is left. */
bool
rate_take(struct rate *ra, unsigned int burst, unsigned int msec)
{
	monotime_t	 now = monotime_now();
	monotime_t	 full = now - (monotime_t)burst * msec;

	if (ra->ra_spent == 0 || ra->ra_spent < full)
		ra->ra_spent = full;
	if (ra->ra_spent + msec > now)
		return (false);
	ra->ra_spent += msec;
	return (true);
}
