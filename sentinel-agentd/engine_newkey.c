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

#include "engine_newkey.h"

#include <stdio.h>
#include <string.h>

#include "engine_renew.h"
#include "keyholder.h"
#include "log.h"

/*
 *	parent: IDENTITY_NEWKEY or _RENEWKEY -> the keyholder's KEY_INFO and the
 *	parent's IDENTITY_NEWKEY_DONE, in any order -> KEY_CSR -> KEY_CSR_DONE
 */
enum step {
	STEP_NONE,
	STEP_KEY,
	STEP_CSR
};

struct wish {
	enum newkey_use	 w_use;
	char		 w_cn[KEY_SUBJECT_MAXBYTES + 1];
	newkey_cb	 w_cb;		/* NULL: nobody waits */
};

static void	 go(enum step);
static void	 on_timer(int, short, void *);
static void	 begin(void);
static void	 ask_csr(void);
static bool	 is_superseded(void);
static void	 tell(const char *, const uint8_t *, const uint8_t *, size_t);

static struct event	*timer;
static enum step	 step;
static struct wish	 current, next;
static bool		 made, known;	/* NEWKEY_DONE, KEY_INFO */

void
newkey_ask(enum newkey_use use, const char *cn, newkey_cb cb)
{
	struct newkey	 nk = { .nk_fault = "another key is made instead" };
	newkey_cb	 old = current.w_cb;

	next.w_use = use;
	next.w_cb = cb;
	(void)strlcpy(next.w_cn, cn, sizeof(next.w_cn));
	current.w_cb = NULL;
	if (old != NULL)
		old(&nk);
	if (step == STEP_NONE)
		begin();
}

void
newkey_keep(const uint8_t point[ECKEY_POINT_LEN])
{
	struct ibuf	*buf;

	if ((buf = ibuf_open(68)) == NULL ||
	    ibuf_add_n8(buf, KEY_PURPOSE_AGENT_TLS) == -1 ||
	    ibuf_add_bytes(buf, point, ECKEY_POINT_LEN) == -1)
		fatal("KEY_DROP");
	peer_send_ibuf(proc_peer(ROLE_A_KEYHOLDER), IMSG_KEY_DROP, 0, -1, buf);
	ibuf_free(buf);
}

static void
go(enum step to)
{
	struct timeval	 tv = monotime_timeval(ENGINE_SIBLING_MSEC);

	if (timer == NULL &&
	    (timer = evtimer_new(proc_base(), on_timer, NULL)) == NULL)
		fatal("newkey: timer");
	step = to;
	if (to == STEP_NONE)
		evtimer_del(timer);
	else
		evtimer_add(timer, &tv);
}

static void
on_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fatalx("a new key: no answer from the %s", step == STEP_CSR || made ?
	    "keyholder" : "parent");
}

static void
begin(void)
{
	current = next;
	next.w_cb = NULL;
	made = known = false;
	go(STEP_KEY);
	peer_send(proc_peer(ROLE_A_PARENT), current.w_use == NEWKEY_RENEW ?
	    IMSG_IDENTITY_RENEWKEY : IMSG_IDENTITY_NEWKEY, 0, -1, NULL, 0);
}

/* Somebody else wants a key since: this one is nobody's. */
static bool
is_superseded(void)
{
	if (next.w_cb == NULL)
		return (false);
	begin();
	return (true);
}

static void
tell(const char *fault, const uint8_t *point, const uint8_t *csr, size_t len)
{
	struct newkey	 nk = {
		.nk_fault = fault,
		.nk_point = point,
		.nk_csr = csr,
		.nk_csrlen = len,
	};
	newkey_cb	 cb = current.w_cb;

	go(STEP_NONE);
	current.w_cb = NULL;
	if (cb != NULL)
		cb(&nk);
}

/* u8 rc, str why */
void
newkey_made(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 why[256], text[400];
	uint8_t		 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || step != STEP_KEY || made) {
		peer_broken(p, imsg, "unexpected IDENTITY_NEWKEY_DONE");
		return;
	}
	if (rc == 0) {
		made = true;
		if (known && !is_superseded())
			ask_csr();
	} else if (!is_superseded()) {
		(void)snprintf(text, sizeof(text), "no key for this host: %s",
		    why);
		tell(text, NULL, NULL, 0);
	}
}

/* u8 purpose, u8 slot, bytes point, bytes certificate, bytes serial, u64
 * notbefore, u64 notafter; the last four say nothing for an agent's key */
void
newkey_info(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	const uint8_t	*point, *cert, *serial;
	uint64_t	 from, to;
	size_t		 len, certlen, seriallen;
	uint8_t		 purpose, slot;

	if (ibuf_get_n8(buf, &purpose) == -1 ||
	    ibuf_get_n8(buf, &slot) == -1 ||
	    ibuf_get_bytes(buf, ECKEY_POINT_LEN, &point, &len) == -1 ||
	    ibuf_get_bytes(buf, KEY_CERT_MAXBYTES, &cert, &certlen) == -1 ||
	    ibuf_get_bytes(buf, KEY_SERIAL_MAXBYTES, &serial, &seriallen) ==
	    -1 || ibuf_get_n64(buf, &from) == -1 ||
	    ibuf_get_n64(buf, &to) == -1 || ibuf_end(buf) == -1 ||
	    purpose != KEY_PURPOSE_AGENT_TLS || len != ECKEY_POINT_LEN) {
		peer_broken(p, imsg, "bad KEY_INFO");
		return;
	}
	if (slot == KEY_SLOT_CURRENT) {
		memcpy(eng->id.id_point, point, len);
		eng->id.id_has_point = true;
		engine_begin();
	} else if (step == STEP_KEY) {
		known = true;
		if (made && !is_superseded())
			ask_csr();
	} else if (!eng->id.id_has_point)
		renew_found_key(point);
	else
		peer_broken(p, imsg, "a key that nobody asked for");
}

static void
ask_csr(void)
{
	struct ibuf	*buf;

	go(STEP_CSR);
	if ((buf = ibuf_dynamic(16, 70)) == NULL ||
	    ibuf_add_string(buf, current.w_cn) == -1 ||
	    ibuf_add_n8(buf, KEY_SLOT_NEW) == -1)
		fatal("KEY_CSR");
	peer_send_ibuf(proc_peer(ROLE_A_KEYHOLDER), IMSG_KEY_CSR, 0, -1, buf);
	ibuf_free(buf);
}

/* u8 rc, bytes point, bytes CSR, str why */
void
newkey_csr_done(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	const uint8_t	*point, *der;
	size_t		 pointlen, derlen;
	char		 why[256], text[400];
	uint8_t		 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_bytes(buf, ECKEY_POINT_LEN, &point, &pointlen) == -1 ||
	    ibuf_get_bytes(buf, 2048, &der, &derlen) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || step != STEP_CSR || (rc == 0 &&
	    (pointlen != ECKEY_POINT_LEN || derlen == 0))) {
		peer_broken(p, imsg, "unexpected KEY_CSR_DONE");
		return;
	}
	if (is_superseded())
		return;
	if (rc == 0) {
		tell(NULL, point, der, derlen);
		return;
	}
	(void)snprintf(text, sizeof(text), "no certificate request: %s", why);
	tell(text, NULL, NULL, 0);
}
