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

#include "confpart.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "monotime.h"

static const struct confpart_field	*field_find(const struct confpart *,
					    uint16_t);
static int	 field_set(const struct confpart_field *, void *,
		    const uint8_t *, size_t);
static void	 answer(struct peer *, bool, uint32_t, const char *);
static void	 push_offer(enum role);
static void	 push_timeout(int, short, void *);
static void	 push_end(bool, const char *);

static const struct confpart_field	docker_fields[] = {
	CONFPART_NUM(1, docker_conf, dc_enabled),
	CONFPART_NUM(2, docker_conf, dc_gate_msec),
	CONFPART_NUM(3, docker_conf, dc_pull_idle_msec),
	CONFPART_NUM(4, docker_conf, dc_min_free_mib),
	CONFPART_NUM(40, docker_conf, dc_self_msec),
	CONFPART_STR(41, docker_conf, dc_self_id),
	CONFPART_STR(42, docker_conf, dc_self_upper),
	CONFPART_STR(43, docker_conf, dc_data),
	CONFPART_STR(44, docker_conf, dc_state),
	CONFPART_STR(45, docker_conf, dc_socket),
	CONFPART_NUM(46, docker_conf, dc_schema),
};
const struct confpart	docker_confpart = {
	docker_fields, nitems(docker_fields), sizeof(struct docker_conf)
};

/* Child's state. */
static const struct confpart_child	*child;
static uint32_t				 staged_gen;
static bool				 has_staged;
static bool				 has_live;

/* Parent's push under way; pu_done NULL: none. */
static struct {
	uint32_t	 pu_gen;
	uint32_t	 pu_waiting;	/* roles that have not answered */
	uint32_t	 pu_roles;
	void		(*pu_pack)(enum role, uint32_t, struct ibuf *);
	struct event	*pu_timer;
	void		(*pu_done)(bool, const char *);
} push;

void
confpart_pack(const struct confpart *part, const void *src, uint32_t gen,
    struct ibuf *buf)
{
	const struct confpart_field	*f;
	const char			*member;
	uint64_t			 num;
	size_t				 i;
	int				 rc;

	if (ibuf_add_n32(buf, gen) == -1)
		fatal("confpart_pack");
	for (i = 0; i < part->cf_nfields; i++) {
		f = &part->cf_fields[i];
		member = (const char *)src + f->cp_offset;
		rc = ibuf_add_n16(buf, f->cp_key);
		if (f->cp_type == CONFPART_NUMBER) {
			memcpy(&num, member, sizeof(num));
			num = htobe64(num);
			if (rc == 0)
				rc = ibuf_add_bytes(buf, &num, sizeof(num));
		} else if (rc == 0)
			rc = ibuf_add_string(buf, member);
		if (rc == -1)
			fatal("confpart_pack: field %u", f->cp_key);
	}
}

static const struct confpart_field *
field_find(const struct confpart *part, uint16_t key)
{
	size_t	 i;

	for (i = 0; i < part->cf_nfields; i++) {
		if (part->cf_fields[i].cp_key == key)
			return (&part->cf_fields[i]);
	}
	return (NULL);
}

static int
field_set(const struct confpart_field *f, void *dst, const uint8_t *val,
    size_t len)
{
	char		*member = (char *)dst + f->cp_offset;
	uint64_t	 num;

	if (f->cp_type == CONFPART_NUMBER) {
		if (len != sizeof(num))
			return (-1);
		memcpy(&num, val, sizeof(num));
		num = be64toh(num);
		memcpy(member, &num, sizeof(num));
		return (0);
	}
	if (len >= f->cp_size || memchr(val, '\0', len) != NULL)
		return (-1);
	memcpy(member, val, len);
	member[len] = '\0';
	return (0);
}

int
confpart_unpack(const struct confpart *part, struct ibuf *buf, void *dst,
    uint32_t *gen, char *why, size_t whylen)
{
	const struct confpart_field	*f;
	const uint8_t			*val;
	uint64_t			 seen = 0;
	size_t				 len;
	uint16_t			 key;

	memset(dst, 0, part->cf_size);
	if (ibuf_get_n32(buf, gen) == -1) {
		snprintf(why, whylen, "no generation");
		return (-1);
	}
	while (ibuf_size(buf) > 0) {
		if (ibuf_get_n16(buf, &key) == -1 ||
		    ibuf_get_bytes(buf, ibuf_size(buf), &val, &len) == -1) {
			snprintf(why, whylen, "cut short");
			return (-1);
		}
		if ((f = field_find(part, key)) == NULL || key > 63 ||
		    (seen & (1ULL << key)) != 0) {
			snprintf(why, whylen, "field %u unknown or twice", key);
			return (-1);
		}
		seen |= 1ULL << key;
		if (field_set(f, dst, val, len) == -1) {
			snprintf(why, whylen, "field %u: bad value", key);
			return (-1);
		}
	}
	if ((size_t)__builtin_popcountll(seen) != part->cf_nfields) {
		snprintf(why, whylen, "fields missing");
		return (-1);
	}
	return (0);
}

/* --- child -------------------------------------------------------------- */

void
confpart_child_init(const struct confpart_child *cc)
{
	child = cc;
}

static void
answer(struct peer *p, bool ok, uint32_t gen, const char *why)
{
	struct ibuf	*buf;

	if ((buf = ibuf_dynamic(16, 600)) == NULL ||
	    ibuf_add_n32(buf, gen) == -1 ||
	    (!ok && ibuf_add_string(buf, why) == -1))
		fatal("confpart: answer");
	peer_send_ibuf(p, ok ? IMSG_CONF_ACCEPT : IMSG_CONF_REJECT, 0, -1, buf);
	ibuf_free(buf);
}

void
confpart_offer(struct peer *p, struct imsg *imsg)
{
	char		 why[256] = "";
	uint32_t	 gen = 0;

	if (child == NULL)
		fatalx("confpart: offer before start");
	has_staged = false;	/* it is about to be overwritten */
	if (confpart_unpack(child->cc_part, imsg_get_ibuf(imsg),
	    child->cc_staged, &gen, why, sizeof(why)) == -1) {
		/* The parent packed it: both ends share the table. */
		peer_broken(p, imsg, why);
		return;
	}
	if (child->cc_check != NULL &&
	    child->cc_check(child->cc_staged, why, sizeof(why)) == -1) {
		answer(p, false, gen, why);
		return;
	}
	staged_gen = gen;
	has_staged = true;
	answer(p, true, gen, NULL);
}

void
confpart_commit(struct peer *p, struct imsg *imsg)
{
	uint32_t	 gen;
	bool		 first = !has_live;

	if (ibuf_get_n32(imsg_get_ibuf(imsg), &gen) == -1 || !has_staged ||
	    gen != staged_gen) {
		peer_broken(p, imsg, "commit of what was not offered");
		return;
	}
	memcpy(child->cc_live, child->cc_staged, child->cc_part->cf_size);
	explicit_bzero(child->cc_staged, child->cc_part->cf_size);
	has_staged = false;
	has_live = true;
	child->cc_commit(first);
}

void
confpart_abort(struct peer *p, struct imsg *imsg)
{
	(void)p;
	(void)imsg;
	if (child != NULL)
		explicit_bzero(child->cc_staged, child->cc_part->cf_size);
	has_staged = false;
}

/* --- parent ------------------------------------------------------------- */

int
confpart_push(uint32_t roles,
    void (*pack)(enum role, uint32_t, struct ibuf *),
    void (*done)(bool, const char *))
{
	struct timeval	 tv = monotime_timeval(CONFPART_MSEC);
	int		 r;

	if (push.pu_done != NULL) {
		errno = EBUSY;
		return (-1);
	}
	push.pu_gen++;
	push.pu_roles = push.pu_waiting = 0;
	push.pu_done = done;
	push.pu_pack = pack;
	for (r = 0; r < ROLE_MAX; r++) {
		if ((roles & ROLE_BIT(r)) != 0)
			push_offer((enum role)r);
	}
	if (push.pu_timer == NULL &&
	    (push.pu_timer = evtimer_new(proc_base(), push_timeout,
	    NULL)) == NULL)
		fatal("confpart_push");
	evtimer_add(push.pu_timer, &tv);
	return (0);
}

bool
confpart_is_busy(void)
{
	return (push.pu_done != NULL);
}

static void
push_offer(enum role r)
{
	struct ibuf	*buf;
	struct peer	*p;

	if ((p = proc_peer(r)) == NULL)
		return;
	if ((buf = ibuf_dynamic(512, 16384)) == NULL)
		fatal("confpart_push");
	push.pu_pack(r, push.pu_gen, buf);
	peer_send_ibuf(p, IMSG_CONF_OFFER, 0, -1, buf);
	ibuf_free(buf);
	push.pu_roles |= ROLE_BIT(r);
	push.pu_waiting |= ROLE_BIT(r);
}

int
confpart_repush(enum role r,
    void (*pack)(enum role, uint32_t, struct ibuf *),
    void (*done)(bool, const char *))
{
	if (push.pu_done == NULL)
		return (confpart_push(ROLE_BIT(r), pack, done));
	push_offer(r);
	return (0);
}

/* One that died meanwhile is not waited for: it asks again when it is up. */
static void
push_timeout(int fd, short what, void *arg)
{
	int	 r;

	(void)fd;
	(void)what;
	(void)arg;
	for (r = 0; r < ROLE_MAX; r++) {
		if ((push.pu_waiting & ROLE_BIT(r)) != 0 &&
		    proc_peer((enum role)r) == NULL) {
			push.pu_waiting &= ~ROLE_BIT(r);
			push.pu_roles &= ~ROLE_BIT(r);
		}
	}
	if (push.pu_waiting == 0)
		push_end(true, NULL);
	else
		push_end(false, "a process did not answer in time");
}

static void
push_end(bool ok, const char *why)
{
	void		(*done)(bool, const char *) = push.pu_done;
	struct ibuf	*buf;
	int		 r;

	if (done == NULL)
		return;
	push.pu_done = NULL;
	evtimer_del(push.pu_timer);
	if ((buf = ibuf_open(4)) == NULL ||
	    ibuf_add_n32(buf, push.pu_gen) == -1)
		fatal("confpart: push");
	for (r = 0; r < ROLE_MAX; r++) {
		if ((push.pu_roles & ROLE_BIT(r)) != 0)
			peer_send_ibuf(proc_peer((enum role)r), ok ?
			    IMSG_CONF_COMMIT : IMSG_CONF_ABORT, 0, -1, buf);
	}
	ibuf_free(buf);
	done(ok, why);
}

void
confpart_accept(struct peer *p, struct imsg *imsg)
{
	uint32_t	 gen;

	if (ibuf_get_n32(imsg_get_ibuf(imsg), &gen) == -1 ||
	    push.pu_done == NULL || gen != push.pu_gen)
		return;		/* late answer to a push given up */
	push.pu_waiting &= ~ROLE_BIT(p->pe_role);
	if (push.pu_waiting == 0)
		push_end(true, NULL);
}

void
confpart_reject(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 why[512];
	uint32_t	 gen;

	if (ibuf_get_n32(buf, &gen) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1) {
		peer_broken(p, imsg, "bad CONF_REJECT");
		return;
	}
	if (push.pu_done != NULL && gen == push.pu_gen)
		push_end(false, why);
}
