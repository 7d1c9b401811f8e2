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

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "conf_value.h"
#include "log.h"
#include "monotime.h"

/*
 * The engine decides when the server's certificate is replaced, the parent
 * what names are in it: the engine is confined and sees no interfaces, and
 * whoever owns it shall not choose names freely.  One at a time.
 */
#define RENEW_MSEC	10000	/* for the keyholder */
#define RENEW_NAMES_MAX	64

enum renewed { RENEWED = 0, RENEW_FAILED = 1, RENEW_REFUSED = 2 };

struct list {
	struct conf_names li_names;
	char		*li_name[RENEW_NAMES_MAX];
	char		 li_text[RENEW_NAMES_MAX][254];
};

static int	 list_get(struct ibuf *, struct list *);
static const char *list_fault(const struct list *, char *, size_t);
static void	 answer(uint32_t, enum renewed, const char *);
static void	 on_timeout(int, short, void *);

static struct {
	struct event	*timer;
	uint32_t	 asked;		/* the engine's id, 0: none */
	uint32_t	 id;		/* last one towards the keyholder */
	bool		 busy;
} renew;

/* u8 with names, str name ... */
void
parent_renew_ask(struct peer *p, struct imsg *imsg)
{
	const struct conf_names	*configured = parent_keys_advertise();
	static struct list	 list;	/* 16 kB */
	struct timeval		 tv = monotime_timeval(RENEW_MSEC);
	struct ibuf		*buf = imsg_get_ibuf(imsg);
	const char		*fault;
	char			 why[CONF_WHY_MAXBYTES];
	uint8_t			 with;

	if (ibuf_get_n8(buf, &with) == -1 || with > 1 ||
	    list_get(buf, &list) == -1 ||
	    (with == 0 && list.li_names.n_len > 0)) {
		peer_broken(p, imsg, "bad SERVER_RENEW");
		return;
	}
	if (configured == NULL || renew.busy) {
		answer(imsg_get_id(imsg), RENEW_FAILED, configured == NULL ?
		    "the keys are not loaded yet" :
		    "another one is under way");
		return;
	}
	if (with == 1 && (fault = configured->n_len > 0 ?
	    "server.cluster.advertise is set in the configuration" :
	    list_fault(&list, why, sizeof(why))) != NULL) {
		answer(imsg_get_id(imsg), RENEW_REFUSED, fault);
		return;
	}
	if (renew.timer == NULL && (renew.timer = evtimer_new(proc_base(),
	    on_timeout, NULL)) == NULL)
		fatal("parent_renew_ask");
	renew.busy = true;
	renew.asked = imsg_get_id(imsg);
	if (++renew.id == 0)	/* that is the one of the start */
		renew.id = 1;
	parent_keys_names(with == 1 ? &list.li_names : configured, renew.id);
	evtimer_add(renew.timer, &tv);
}

static int
list_get(struct ibuf *buf, struct list *li)
{
	size_t	 n;

	for (n = 0; ibuf_size(buf) > 0; n++) {
		if (n == RENEW_NAMES_MAX || ibuf_get_string(buf,
		    li->li_text[n], sizeof(li->li_text[n])) == -1)
			return (-1);
		li->li_name[n] = li->li_text[n];
	}
	li->li_names.n_name = li->li_name;
	li->li_names.n_len = n;
	return (0);
}

static const char *
list_fault(const struct list *li, char *why, size_t len)
{
	size_t	 i;

	for (i = 0; i < li->li_names.n_len; i++) {
		if (conf_value_is_literal(li->li_name[i]) ||
		    conf_value_is_dns(li->li_name[i]))
			continue;
		(void)snprintf(why, len, "\"%.80s\" is neither an address nor "
		    "a DNS name", li->li_name[i]);
		return (why);
	}
	return (NULL);
}

void
parent_renew_done(uint32_t id, bool ok, const char *why)
{
	if (!renew.busy || id != renew.id) {
		log_debug("keyholder: late answer to KEY_NAMES %u", id);
		return;
	}
	evtimer_del(renew.timer);
	renew.busy = false;
	answer(renew.asked, ok ? RENEWED : RENEW_FAILED, why);
}

static void
on_timeout(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	renew.busy = false;
	answer(renew.asked, RENEW_FAILED, "the keyholder did not answer");
}

static void
answer(uint32_t id, enum renewed rc, const char *why)
{
	struct ibuf	*buf;

	if ((buf = ibuf_open(600)) == NULL || ibuf_add_n8(buf, rc) == -1 ||
	    ibuf_add_string(buf, why) == -1)
		fatal("SERVER_RENEWED");
	peer_send_ibuf(proc_peer(ROLE_ENGINE), IMSG_SERVER_RENEWED, id, -1,
	    buf);
	ibuf_free(buf);
}

/* FNV-1a: to notice a change, not to withstand anybody. */
uint64_t
parent_renew_sum(const struct conf_server *cs)
{
	const char	*p;
	uint64_t	 sum = 0xcbf29ce484222325ULL;
	size_t		 i;

	for (i = 0; i < cs->cs_advertise.n_len; i++) {
		/* The NUL too, so that a list is not its joined names. */
		p = cs->cs_advertise.n_name[i];
		do
			sum = (sum ^ (uint8_t)*p) * 0x100000001b3ULL;
		while (*p++ != '\0');
	}
	return ((sum ^ cs->cs_server_life_msec) * 0x100000001b3ULL);
}
