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

#include <event2/dns.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "xmalloc.h"

/*
 * Names: literals, then the hosts file, then name servers by evdns, which is
 * told them one by one (its own parser would open files).  AAAA and A are
 * asked at the same time; when one family has answered, the other gets a
 * short grace.  Answers are not trusted: the certificate decides.
 */
struct resolve {
	resolve_cb	 rs_cb;		/* NULL: cancelled */
	void		*rs_arg;
	struct evdns_base *rs_dns;
	struct event	*rs_timer;	/* finish, from a fresh stack */
	unsigned int	 rs_pending;	/* questions under way */
	struct resolv_addr rs_v6[UPLINK_ADDRS_MAX];
	size_t		 rs_nv6;
	struct resolv_addr rs_v4[UPLINK_ADDRS_MAX];
	size_t		 rs_nv4;
	char		 rs_why[128];
};

static void	 ask(struct resolve *, const char *);
static void	 on_answer(int, char, int, int, void *, void *);
static void	 on_finish(int, short, void *);
static void	 add_addr(struct resolve *, const struct resolv_addr *);
static size_t	 merge(const struct resolve *, struct resolv_addr *);
static void	 finish_in(struct resolve *, unsigned int);
static void	 resolve_free(struct resolve *);
static void	 on_dns_log(int, const char *);

static struct {
	uint8_t	*text;
	size_t	 len;
} names_file[2];		/* resolv.conf, hosts */

void
resolve_set_file(enum conf_file kind, uint8_t *text, size_t len)
{
	int	 i = kind == CONF_FILE_RESOLV ? 0 : 1;

	free(names_file[i].text);
	names_file[i].text = text;
	names_file[i].len = len;
}

struct resolve *
resolve_start(const char *host, resolve_cb cb, void *arg)
{
	struct resolve		*r;
	struct resolv_addr	 list[UPLINK_ADDRS_MAX];
	size_t			 i, n = 0;

	r = xcalloc(1, sizeof(*r));
	r->rs_cb = cb;
	r->rs_arg = arg;
	if ((r->rs_timer = evtimer_new(proc_base(), on_finish, r)) == NULL)
		fatal("resolve_start");
	if (resolv_literal(host, &list[0]))
		n = 1;
	else if (names_file[1].text != NULL)
		n = resolv_hosts_find((const char *)names_file[1].text,
		    names_file[1].len, host, list, nitems(list));
	if (n == 0 && strcasecmp(host, "localhost") == 0) {
		(void)resolv_literal("::1", &list[0]);
		(void)resolv_literal("127.0.0.1", &list[1]);
		n = 2;
	}
	if (n == 0) {
		ask(r, host);
		return (r);
	}
	for (i = 0; i < n; i++)
		add_addr(r, &list[i]);
	finish_in(r, 0);
	return (r);
}

static void
on_dns_log(int is_warning, const char *msg)
{
	if (is_warning)
		log_debug("dns: %s", msg);
}

static void
ask(struct resolve *r, const char *host)
{
	struct resolv_conf	 rc;
	char			 num[16];
	size_t			 i;

	resolv_conf_parse(&rc, names_file[0].text == NULL ? "" :
	    (const char *)names_file[0].text, names_file[0].len);
	evdns_set_log_fn(on_dns_log);
	/* Knows nothing by itself: no file is read, no socket opened yet. */
	if ((r->rs_dns = evdns_base_new(proc_base(),
	    EVDNS_BASE_DISABLE_WHEN_INACTIVE)) == NULL)
		fatal("evdns_base_new");
	for (i = 0; i < rc.rc_nns; i++) {
		if (evdns_base_nameserver_ip_add(r->rs_dns, rc.rc_ns[i]) != 0)
			log_debug("dns: name server %s not usable",
			    rc.rc_ns[i]);
	}
	/* evdns puts each domain in front of those it has. */
	evdns_base_search_clear(r->rs_dns);
	for (i = rc.rc_nsearch; i > 0; i--)
		evdns_base_search_add(r->rs_dns, rc.rc_search[i - 1]);
	evdns_base_search_ndots_set(r->rs_dns, (int)rc.rc_ndots);
	(void)snprintf(num, sizeof(num), "%d", UPLINK_DNS_SEC);
	(void)evdns_base_set_option(r->rs_dns, "timeout:", num);
	(void)snprintf(num, sizeof(num), "%d", UPLINK_DNS_TRIES);
	(void)evdns_base_set_option(r->rs_dns, "attempts:", num);
	/* Some home routers answer mixed case with rubbish. */
	(void)evdns_base_set_option(r->rs_dns, "randomize-case:", "0");

	(void)snprintf(r->rs_why, sizeof(r->rs_why), "no name server can be "
	    "reached");
	/* No AI_ADDRCONFIG: an interface may come up at any time. */
	r->rs_pending = 2;
	if (evdns_base_resolve_ipv6(r->rs_dns, host, 0, on_answer, r) == NULL)
		r->rs_pending--;
	if (evdns_base_resolve_ipv4(r->rs_dns, host, 0, on_answer, r) == NULL)
		r->rs_pending--;
	if (r->rs_pending == 0)
		finish_in(r, 0);
}

static void
on_answer(int result, char type, int count, int ttl, void *data, void *arg)
{
	struct resolve		*r = arg;
	struct resolv_addr	 ra;
	size_t			 len = type == DNS_IPv4_A ? 4 : 16;
	int			 i;

	(void)ttl;
	r->rs_pending--;
	if (r->rs_cb == NULL) {
		if (r->rs_pending == 0)
			free(r);
		return;
	}
	if (result == DNS_ERR_NONE &&
	    (type == DNS_IPv4_A || type == DNS_IPv6_AAAA)) {
		for (i = 0; i < count; i++) {
			memset(&ra, 0, sizeof(ra));
			ra.ra_family = type == DNS_IPv4_A ? AF_INET :
			    AF_INET6;
			memcpy(ra.ra_ip, (const uint8_t *)data +
			    (size_t)i * len, len);
			add_addr(r, &ra);
		}
	} else if (result != DNS_ERR_NONE)
		(void)snprintf(r->rs_why, sizeof(r->rs_why), "%s",
		    result == DNS_ERR_TIMEOUT ? "no name server answers" :
		    evdns_err_to_string(result));
	if (r->rs_pending == 0)
		finish_in(r, 0);
	else if (r->rs_nv4 + r->rs_nv6 > 0)
		finish_in(r, UPLINK_DNS_GRACE_MSEC);
}

static void
add_addr(struct resolve *r, const struct resolv_addr *ra)
{
	if (ra->ra_family == AF_INET6 && r->rs_nv6 < nitems(r->rs_v6))
		r->rs_v6[r->rs_nv6++] = *ra;
	else if (ra->ra_family == AF_INET && r->rs_nv4 < nitems(r->rs_v4))
		r->rs_v4[r->rs_nv4++] = *ra;
}

/* Families take turns, so that a dead one costs one attempt (RFC 8305). */
static size_t
merge(const struct resolve *r, struct resolv_addr *list)
{
	size_t	 i, n = 0;

	for (i = 0; i < UPLINK_ADDRS_MAX && n < UPLINK_ADDRS_MAX; i++) {
		if (i < r->rs_nv6)
			list[n++] = r->rs_v6[i];
		if (i < r->rs_nv4 && n < UPLINK_ADDRS_MAX)
			list[n++] = r->rs_v4[i];
	}
	return (n);
}

static void
finish_in(struct resolve *r, unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	evtimer_add(r->rs_timer, &tv);
}

static void
on_finish(int fd, short what, void *arg)
{
	struct resolve		*r = arg;
	struct resolv_addr	 list[UPLINK_ADDRS_MAX];
	resolve_cb		 cb = r->rs_cb;
	char			 why[sizeof(r->rs_why)];
	void			*cb_arg = r->rs_arg;
	size_t			 n;

	(void)fd;
	(void)what;
	n = merge(r, list);
	(void)strlcpy(why, r->rs_why, sizeof(why));
	resolve_free(r);
	cb(list, n, why, cb_arg);
}

void
resolve_cancel(struct resolve *r)
{
	if (r != NULL)
		resolve_free(r);
}

/* evdns answers every open question when its base goes: the last one frees. */
static void
resolve_free(struct resolve *r)
{
	r->rs_cb = NULL;
	event_free(r->rs_timer);
	r->rs_timer = NULL;
	r->rs_pending++;	/* whether it answers now or later */
	if (r->rs_dns != NULL)
		evdns_base_free(r->rs_dns, 1);
	r->rs_dns = NULL;
	if (--r->rs_pending == 0)
		free(r);
}
