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

#include "engine_cluster.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_identity.h"
#include "log.h"
#include "xmalloc.h"

struct hold {
	enum hold_kind	 ho_kind;
	uint8_t		 ho_net[16];	/* HOLD_ADDRESS */
	char		 ho_text[64];	/* address as noted, or host id */
	unsigned int	 ho_times;
	monotime_t	 ho_until;
	TAILQ_ENTRY(hold) ho_entry;	/* the last one to be blamed first */
};

static void	 blame_message(uint32_t);
static void	 blame_note(const uint8_t *, size_t);
static void	 hold_off(enum hold_kind, const char *);
static struct hold *hold_find(enum hold_kind, const char *);
static int	 set_net(uint8_t[16], const char *);
static uint64_t	 hold_msec(unsigned int);
static void	 hold_expire(void);
static void	 hold_send(struct peer *, const struct hold *, monotime_t);

static TAILQ_HEAD(hold_list, hold)	 holds = TAILQ_HEAD_INITIALIZER(holds);
static size_t			 nholds;

/* --- the process --------------------------------------------------------- */

/*
 * One event for all agents, not one for each: a commit per host would keep
 * them waiting when they come back together.
 */
void
cluster_lost(struct peer *p)
{
	unsigned int	 n;

	blame_message(p->pe_faulty);
	n = session_lose_all("the server's cluster process has ended");
	eng->listen[0] = '\0';
	log_warnx("cluster process lost: %u agents disconnected", n);
	event_publish("cluster_process", NULL, NULL,
	    "cluster process lost: %u agents disconnected", n);
}

/* Whom to refuse, then the certificate, without which nobody is accepted. */
void
cluster_up(struct peer *p)
{
	monotime_t	 now = monotime_now();
	struct hold	*ho;

	hold_expire();
	TAILQ_FOREACH(ho, &holds, ho_entry) {
		if (ho->ho_until > now)
			hold_send(p, ho, now);
	}
	identity_cluster_up();
}

/* str why, bytes note; comes before the next channel to a cluster */
void
cluster_died(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	const uint8_t	*note;
	char		 why[PROC_DEATH_SIZE];
	size_t		 len;

	if (ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_get_bytes(buf, CRASHPAGE_NOTE_LEN, &note, &len) == -1 ||
	    ibuf_end(buf) == -1) {
		peer_broken(p, imsg, "bad CLUSTER_DIED");
		return;
	}
	event_publish("cluster_process", NULL, NULL, "cluster process: %s",
	    why);
	if (len > 0)
		blame_note(note, len);
}

/* --- whose fault it was --------------------------------------------------- */

/* We found a message broken that came for a call: of its host. */
static void
blame_message(uint32_t call)
{
	struct session	 want, *s;

	want.se_call = call;
	if (call != 0 && (s = RB_FIND(session_tree, &eng->sessions,
	    &want)) != NULL)
		hold_off(HOLD_HOST, s->se_host->h_id);
}

/*
 * Written by a process that may have been taken over: it can hold off whoever
 * it names, and could have closed their connections as well.
 */
static void
blame_note(const uint8_t *data, size_t len)
{
	struct crash_note	 note;
	const struct host	*h;

	switch (crashpage_read(data, len, &note)) {
	case 1:
		break;
	case 0:
		log_info("cluster process: it worked for nobody when it died");
		return;
	default:
		log_warnx("cluster process: what it noted before it died "
		    "makes no sense");
		return;
	}
	h = note.cr_host[0] != '\0' ? host_find(note.cr_host) : NULL;
	if (h != NULL && !h->h_local)
		hold_off(HOLD_HOST, note.cr_host);
	else
		hold_off(HOLD_ADDRESS, note.cr_address);
}

static void
hold_off(enum hold_kind kind, const char *text)
{
	struct host	*h = NULL;
	struct hold	*ho;
	char		 who[160];
	uint64_t	 msec;

	hold_expire();
	if ((ho = hold_find(kind, text)) == NULL) {
		if (nholds == HOLD_MAX) {
			ho = TAILQ_LAST(&holds, hold_list);
			TAILQ_REMOVE(&holds, ho, ho_entry);
			nholds--;
			free(ho);
		}
		ho = xcalloc(1, sizeof(*ho));
		ho->ho_kind = kind;
		(void)strlcpy(ho->ho_text, text, sizeof(ho->ho_text));
		if (kind == HOLD_ADDRESS)
			(void)set_net(ho->ho_net, text);
		nholds++;
	} else
		TAILQ_REMOVE(&holds, ho, ho_entry);
	TAILQ_INSERT_HEAD(&holds, ho, ho_entry);
	msec = hold_msec(ho->ho_times++);
	ho->ho_until = monotime_now() + (monotime_t)msec;
	if (kind == HOLD_HOST && (h = host_find(text)) != NULL)
		(void)snprintf(who, sizeof(who), "host %s (%s)", h->h_id,
		    h->h_name);
	else
		(void)snprintf(who, sizeof(who), "address %s", text);
	log_warnx("cluster process: it died while it worked for %s: held off "
	    "for %llu s, time %u", who, (unsigned long long)msec / 1000,
	    ho->ho_times);
	event_publish("cluster_process", h, NULL, "%s crashed the cluster "
	    "process: held off for %llu s", who,
	    (unsigned long long)msec / 1000);
}

/* --- the table ------------------------------------------------------------ */

static int
set_net(uint8_t net[16], const char *address)
{
	struct in6_addr	 in6;
	struct in_addr	 in4;

	memset(net, 0, 16);
	if (inet_pton(AF_INET, address, &in4) == 1) {
		memcpy(net + 12, &in4, 4);
		return (0);
	}
	if (inet_pton(AF_INET6, address, &in6) != 1)
		return (-1);
	if (IN6_IS_ADDR_V4MAPPED(&in6))
		memcpy(net + 12, &in6.s6_addr[12], 4);
	else
		memcpy(net, in6.s6_addr, 8);
	return (0);
}

static struct hold *
hold_find(enum hold_kind kind, const char *text)
{
	struct hold	*ho;
	uint8_t		 net[16];

	if (kind == HOLD_ADDRESS && set_net(net, text) == -1)
		return (NULL);
	TAILQ_FOREACH(ho, &holds, ho_entry) {
		if (ho->ho_kind == kind && (kind == HOLD_ADDRESS ?
		    memcmp(ho->ho_net, net, sizeof(net)) == 0 :
		    strcmp(ho->ho_text, text) == 0))
			return (ho);
	}
	return (NULL);
}

unsigned int
hold_count(enum hold_kind kind, const char *text)
{
	const struct hold	*ho;

	return ((ho = hold_find(kind, text)) != NULL ? ho->ho_times : 0);
}

static uint64_t
hold_msec(unsigned int times)
{
	uint64_t	 msec = eng->conf.ec_hold_off_msec;

	while (times-- > 0 && msec < HOLD_LONGEST_MSEC)
		msec *= 2;
	return (msec < HOLD_LONGEST_MSEC ? msec : HOLD_LONGEST_MSEC);
}

static void
hold_expire(void)
{
	monotime_t	 now = monotime_now();
	struct hold	*ho, *next;

	TAILQ_FOREACH_SAFE(ho, &holds, ho_entry, next) {
		if (now - ho->ho_until < HOLD_FORGET_MSEC)
			continue;
		TAILQ_REMOVE(&holds, ho, ho_entry);
		nholds--;
		free(ho);
	}
}

static void
hold_send(struct peer *p, const struct hold *ho, monotime_t now)
{
	bool		 host = ho->ho_kind == HOLD_HOST;
	struct ibuf	*buf;

	if ((buf = ibuf_dynamic(32, 64)) == NULL ||
	    ibuf_add_n8(buf, ho->ho_kind) == -1 ||
	    ibuf_add_bytes(buf, host ? (const void *)ho->ho_text :
	    ho->ho_net, host ? strlen(ho->ho_text) :
	    sizeof(ho->ho_net)) == -1 ||
	    ibuf_add_n32(buf, (uint64_t)(ho->ho_until - now)) == -1)
		fatal("CLUSTER_HOLD");
	peer_send_ibuf(p, IMSG_CLUSTER_HOLD, 0, -1, buf);
	ibuf_free(buf);
}
