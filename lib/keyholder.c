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

/*
 * The keyholder process: messages in, answers out.
 *
 * Promises (the row of each daemon's process table requests them):
 *	stdio	channels, memory, clock, random numbers
 *	recvfd	key files from the parent, read at an offset
 *	fsync	a new key or CA is written, truncated when torn, and synced
 *
 * A handler checks its message and either answers at once (hash, signature:
 * microseconds) or queues a job (file, certificate).  One job is done between
 * two polls, and lib/proc gives synchronous channels the highest priority, so
 * that a handshake of cluster never waits behind the enrolment of a fleet.
 */

#include "compat.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/crypto.h>

#include "ibuf.h"
#include "keyholder.h"
#include "keyholder_int.h"
#include "log.h"
#include "monotime.h"
#include "xmalloc.h"

#define KEY_RATE_MAX	1000000

static void	 keyholder_limits(struct peer *, struct imsg *);
static void	 keyholder_drop(struct peer *, struct imsg *);
static void	 keyholder_mac(struct peer *, struct imsg *);
static void	 keyholder_maccheck(struct peer *, struct imsg *);
static void	 keyholder_command(struct peer *, struct imsg *);
static void	 keyholder_command_new(struct peer *, struct imsg *);
static void	 command_renew(time_t);
static void	 keyholder_sign(struct peer *, struct imsg *);

static void	 rehearse(void);

const struct proc_handler keyholder_handlers[] = {
	{ IMSG_KEY_LIMITS,	keyholder_limits },
	{ IMSG_KEY_LOAD,	keyholder_load },
	{ IMSG_KEY_CREATE,	keyholder_create },
	{ IMSG_KEY_NAMES,	keyholder_names },
	{ IMSG_KEY_CA_USE,	keyholder_ca_use },
	{ IMSG_KEY_ISSUE,	keyholder_issue },
	{ IMSG_KEY_DROP,	keyholder_drop },
	{ IMSG_KEY_MAC,		keyholder_mac },
	{ IMSG_KEY_MACCHECK,	keyholder_maccheck },
	{ IMSG_KEY_COMMAND,	keyholder_command },
	{ IMSG_KEY_COMMAND_NEW,	keyholder_command_new },
	{ IMSG_KEY_SIGN,	keyholder_sign },
	{ 0, NULL }
};

const struct proc_handler keyholder_agent_handlers[] = {
	{ IMSG_KEY_LOAD,	keyholder_load },
	{ IMSG_KEY_CREATE,	keyholder_create },
	{ IMSG_KEY_CSR,		keyholder_csr },
	{ IMSG_KEY_DROP,	keyholder_drop },
	{ IMSG_KEY_SIGN,	keyholder_sign },
	{ 0, NULL }
};

static struct keyring	 ring;

void
keyholder_warmup(void)
{
	/* gmtime_r(3) reads the zone file the first time. */
	tzset();
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		fatalx("keyholder: libcrypto does not start");
	key_arena_init();
	keyring_init(&ring);
	rehearse();
}

/* Everything once, so that libcrypto has fetched what it fetches lazily. */
static void
rehearse(void)
{
	struct keyring	*kr = xcalloc(1, sizeof(*kr));
	struct key	*leaf = &kr->kr_server[KEY_SLOT_CURRENT];
	struct key_cert	*kc = xcalloc(1, sizeof(*kc));
	struct key_name	 name = { KEY_NAME_DNS, 1, { 'x' } };
	uint8_t		 sig[ECKEY_SIG_MAXBYTES], hash[32] = { 0 };
	uint8_t		 csr[KEY_CSR_MAXBYTES];
	char		 why[KEY_WHY_SIZE] = "no random numbers";
	size_t		 len;
	time_t		 now = time(NULL);

	keyring_init(kr);
	kr->kr_secret = key_arena_alloc(KEY_SECRET_LEN);
	if (key_make(&kr->kr_ca) == -1 || key_make(leaf) == -1 ||
	    key_make(&kr->kr_command) == -1 ||
	    (kr->kr_cacert = key_ca_selfsign(&kr->kr_ca,
	    kr->kr_ca_life, now)) == NULL ||
	    key_ca_fault(kr->kr_cacert, &kr->kr_ca, now) != NULL ||
	    key_issue_server(kr, leaf, 60, &name, 1, now, kc, why) == -1 ||
	    key_issue_agent(kr, "x", leaf->k_point, 60, now, kc, why) !=
	    KEY_RC_OK || key_csr(leaf, "x", csr, &len, why) == -1 ||
	    key_command_sign(kr, hash, sig, &len) == -1 ||
	    key_mac(kr, hash, sizeof(hash), hash) == -1)
		fatalx("keyholder: libcrypto does not work: %s", why);
	keyring_clear(kr);
	free(kr);
	free(kc);
}

void
keyholder_start(void)
{
	key_jobs_init(proc_base());
}

void
keyholder_peer_lost(struct peer *p)
{
	key_jobs_forget(p->pe_channel);
}

struct keyring *
keyholder_ring(void)
{
	return (&ring);
}

static void
keyholder_limits(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*b = imsg_get_ibuf(imsg);
	uint64_t	 ca_life, command_life;
	uint32_t	 rate, burst;

	if (p->pe_sync || ibuf_get_n32(b, &rate) == -1 ||
	    ibuf_get_n32(b, &burst) == -1 ||
	    ibuf_get_n64(b, &ca_life) == -1 ||
	    ibuf_get_n64(b, &command_life) == -1 || ibuf_end(b) == -1 ||
	    ca_life < 1 || ca_life > KEY_LEAF_LIFE_MAXSEC * 10 ||
	    command_life < 1 || command_life > KEY_LEAF_LIFE_MAXSEC ||
	    rate < 1 || rate > KEY_RATE_MAX || burst < 1 ||
	    burst > KEY_RATE_MAX) {
		peer_broken(p, imsg, "limits out of range");
		return;
	}
	ring.kr_ca_life = (int64_t)ca_life;
	ring.kr_command_life = (int64_t)command_life;
	key_bucket_set(&ring.kr_bucket, rate, burst, monotime_now());
}

static void
keyholder_drop(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*b = imsg_get_ibuf(imsg);
	struct key	*slots = NULL;
	uint8_t		 purpose, point[ECKEY_POINT_LEN];

	if (ibuf_get_n8(b, &purpose) == 0) {
		if (purpose == KEY_PURPOSE_SERVER_TLS &&
		    proc_self() == ROLE_KEYHOLDER)
			slots = ring.kr_server;
		else if (purpose == KEY_PURPOSE_AGENT_TLS &&
		    proc_self() == ROLE_A_KEYHOLDER)
			slots = ring.kr_agent;
	}
	if (p->pe_sync || slots == NULL ||
	    key_get_exact(b, point, sizeof(point)) == -1 || ibuf_end(b) == -1) {
		peer_broken(p, imsg, "key to be dropped");
		return;
	}
	/* Late when the key was replaced meanwhile: no reason to lose one. */
	if (key_drop(slots, point) == -1)
		log_warnx("keyholder: key that should stay is not known, "
		    "none dropped");
}

static void
keyholder_mac(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*b = imsg_get_ibuf(imsg);
	const uint8_t	*data;
	uint8_t		 mac[32];
	size_t		 len;

	if (p->pe_sync || ibuf_get_bytes(b, 128, &data, &len) == -1 ||
	    len == 0 || ibuf_end(b) == -1 ||
	    key_mac(&ring, data, len, mac) == -1) {
		peer_broken(p, imsg, "question for a MAC, or no secret loaded");
		return;
	}
	b = key_answer(2 + sizeof(mac));
	key_put_bytes(b, mac, sizeof(mac));
	key_send(p, IMSG_KEY_MACED, imsg_get_id(imsg), b);
}

static void
keyholder_maccheck(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*b = imsg_get_ibuf(imsg);
	const uint8_t	*data;
	uint8_t		 mac[32];
	size_t		 len;
	bool		 equal;

	if (p->pe_sync || ibuf_get_bytes(b, 128, &data, &len) == -1 ||
	    len == 0 || key_get_exact(b, mac, sizeof(mac)) == -1 ||
	    ibuf_end(b) == -1 ||
	    key_maccheck(&ring, data, len, mac, &equal) == -1) {
		peer_broken(p, imsg, "MAC to check, or no secret loaded");
		return;
	}
	b = key_answer(1);
	key_put8(b, equal);
	key_send(p, IMSG_KEY_MACCHECKED, imsg_get_id(imsg), b);
}

/* Due at two thirds of its life; the old one still signs meanwhile. */
static void
command_renew(time_t now)
{
	char	 why[KEY_WHY_SIZE];

	if (key_command_is_due(&ring, now) &&
	    key_command_make(&ring, now, why) == -1)
		log_warnx("keyholder: command key not renewed: %s", why);
}

/* Whoever asks too often gets no more keys: only one that is due is made. */
static void
keyholder_command_new(struct peer *p, struct imsg *imsg)
{
	if (p->pe_sync || ring.kr_command.k_pkey == NULL) {
		peer_broken(p, imsg, "new command key, or none before");
		return;
	}
	command_renew(time(NULL));
}

static void
keyholder_command(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*b = imsg_get_ibuf(imsg);
	uint8_t		 hash[32], sig[ECKEY_SIG_MAXBYTES];
	size_t		 len = 0;
	int		 rc;

	if (p->pe_sync || key_get_exact(b, hash, sizeof(hash)) == -1 ||
	    ibuf_end(b) == -1) {
		peer_broken(p, imsg, "command to be signed");
		return;
	}
	if (ring.kr_command.k_pkey != NULL)
		command_renew(time(NULL));
	rc = key_command_sign(&ring, hash, sig, &len);
	key_send_signature(p, IMSG_KEY_COMMAND_SIGNED, imsg_get_id(imsg), rc,
	    sig, len);
}

/*
 * The one question that signs a digest of somebody else's choice.  The
 * channel alone decides which keys may answer.
 */
static void
keyholder_sign(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*b = imsg_get_ibuf(imsg);
	struct key	*slots = NULL, *key;
	uint8_t		 point[ECKEY_POINT_LEN], digest[ECKEY_DIGEST_LEN];
	uint8_t		 sig[ECKEY_SIG_MAXBYTES];
	size_t		 len = 0;
	int		 rc = -1;

	if (p->pe_sync && p->pe_role == ROLE_CLUSTER)
		slots = ring.kr_server;
	else if (p->pe_sync && p->pe_role == ROLE_A_UPLINK)
		slots = ring.kr_agent;
	if (slots == NULL || key_get_exact(b, point, sizeof(point)) == -1 ||
	    key_get_exact(b, digest, sizeof(digest)) == -1 ||
	    ibuf_end(b) == -1) {
		peer_broken(p, imsg, "digest to be signed");
		return;
	}
	if ((key = key_find(slots, point)) != NULL)
		rc = eckey_sign(key->k_pkey, digest, sig, &len);
	key_send_signature(p, IMSG_KEY_SIGNED, imsg_get_id(imsg), rc, sig, len);
}
