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
 * Work of the keyholder that takes longer than a signature: key files and
 * certificates, queued and done one between two polls.
 */

#include "compat.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "ibuf.h"
#include "keyholder.h"
#include "keyholder_int.h"
#include "log.h"
#include "monotime.h"
#include "xmalloc.h"

#define KEY_LIMITED_MSEC 60000		/* between two log lines */

struct key_job {
	TAILQ_ENTRY(key_job) kj_entry;
	void		 (*kj_fn)(struct peer *, struct key_job *);
	enum role	 kj_role;	/* who asked, */
	uint64_t	 kj_channel;	/* gone when it differs */
	uint32_t	 kj_id;
	int		 kj_fd;		/* owned, or -1 */
	uint8_t		 kj_purpose;
	uint8_t		 kj_part;
	bool		 kj_create;
	uint8_t		 kj_slot;
	uint32_t	 kj_life;	/* seconds */
	char		 kj_subject[KEY_SUBJECT_MAXBYTES + 1];
	uint8_t		 kj_point[ECKEY_POINT_LEN];
	struct key_name	*kj_names;
	size_t		 kj_nnames;
};

struct key_jobs {
	struct event	*jq_work;
	TAILQ_HEAD(, key_job) jq_jobs;
	size_t		 jq_njobs;
	monotime_t	 jq_limited;	/* last log line about the limit */
};

/* Which files a daemon's keyholder has. */
struct key_file {
	enum role		 kf_role;
	enum keyholder_purpose	 kf_purpose;
	enum keyholder_part	 kf_part;
	enum keyholder_loaded	 (*kf_fn)(struct keyring *, int, bool, char *);
};

static void	 job_file(struct peer *, struct key_job *);
static void	 job_names(struct peer *, struct key_job *);
static void	 job_issue(struct peer *, struct key_job *);
static void	 job_csr(struct peer *, struct key_job *);
static struct key_job *job_new(struct peer *, struct imsg *,
		    void (*)(struct peer *, struct key_job *));
static void	 job_push(struct key_job *);
static void	 job_free(struct key_job *);
static void	 job_run(evutil_socket_t, short, void *);

static void	 file_queue(struct peer *, struct imsg *, bool);
static const struct key_file *file_find(uint8_t, uint8_t);
static int	 names_get(struct ibuf *, struct key_job *);
static int	 names_make(struct keyring *, struct key_job *, char *);
static void	 issue_answer(struct peer *, uint32_t, enum keyholder_rc,
		    const struct key_cert *, const char *);
static bool	 issue_admit(void);
static void	 send_ca(struct keyring *, enum keyholder_purpose);

static const struct key_file files[] = {
	{ ROLE_KEYHOLDER, KEY_PURPOSE_CA, KEY_PART_KEY, key_file_ca_key },
	{ ROLE_KEYHOLDER, KEY_PURPOSE_CA, KEY_PART_CERT, key_file_ca_cert },
	{ ROLE_KEYHOLDER, KEY_PURPOSE_CA_NEW, KEY_PART_KEY,
	    key_file_newca_key },
	{ ROLE_KEYHOLDER, KEY_PURPOSE_CA_NEW, KEY_PART_CERT,
	    key_file_newca_cert },
	{ ROLE_KEYHOLDER, KEY_PURPOSE_CA_NEW, KEY_PART_CROSS, key_file_cross },
	{ ROLE_KEYHOLDER, KEY_PURPOSE_HMAC, KEY_PART_SECRET, key_file_secret },
	{ ROLE_A_KEYHOLDER, KEY_PURPOSE_AGENT_TLS, KEY_PART_KEY,
	    key_file_agent },
};

static struct key_jobs	 jq;

void
key_jobs_init(struct event_base *base)
{
	TAILQ_INIT(&jq.jq_jobs);
	if ((jq.jq_work = evtimer_new(base, job_run, NULL)) == NULL)
		fatalx("keyholder: evtimer_new");
}

void
key_jobs_forget(uint64_t channel)
{
	struct key_job	*job, *next;

	TAILQ_FOREACH_SAFE(job, &jq.jq_jobs, kj_entry, next) {
		if (job->kj_channel != channel)
			continue;
		TAILQ_REMOVE(&jq.jq_jobs, job, kj_entry);
		jq.jq_njobs--;
		job_free(job);
	}
}

void
keyholder_load(struct peer *p, struct imsg *imsg)
{
	file_queue(p, imsg, false);
}

void
keyholder_create(struct peer *p, struct imsg *imsg)
{
	file_queue(p, imsg, true);
}

static void
file_queue(struct peer *p, struct imsg *imsg, bool create)
{
	struct key_job	*job = job_new(p, imsg, job_file);
	struct ibuf	*b = imsg_get_ibuf(imsg);

	job->kj_create = create;
	if (p->pe_sync || job->kj_fd == -1 ||
	    ibuf_get_n8(b, &job->kj_purpose) == -1 ||
	    ibuf_get_n8(b, &job->kj_part) == -1 || ibuf_end(b) == -1 ||
	    file_find(job->kj_purpose, job->kj_part) == NULL) {
		job_free(job);
		peer_broken(p, imsg, "not a key file of this daemon");
		return;
	}
	job_push(job);
}

static const struct key_file *
file_find(uint8_t purpose, uint8_t part)
{
	size_t	 i;

	for (i = 0; i < nitems(files); i++)
		if (files[i].kf_role == proc_self() &&
		    files[i].kf_purpose == purpose && files[i].kf_part == part)
			return (&files[i]);
	return (NULL);
}

static void
job_file(struct peer *p, struct key_job *job)
{
	const struct key_file	*f = file_find(job->kj_purpose, job->kj_part);
	char			 why[KEY_WHY_SIZE] = "";
	struct ibuf		*b;
	enum keyholder_loaded	 rc;
	uint8_t			 slot;

	rc = f->kf_fn(keyholder_ring(), job->kj_fd, job->kj_create, why);
	b = key_answer(300);
	key_put8(b, job->kj_purpose);
	key_put8(b, job->kj_part);
	key_put8(b, (uint8_t)rc);
	key_put_bytes(b, why, rc >= KEY_LOADED_FAILED ? strlen(why) : 0);
	key_send(p, IMSG_KEY_LOADED, job->kj_id, b);
	if (rc >= KEY_LOADED_FAILED)
		return;
	slot = job->kj_create ? KEY_SLOT_NEW : KEY_SLOT_CURRENT;
	if (job->kj_purpose == KEY_PURPOSE_AGENT_TLS)
		key_send_info(KEY_PURPOSE_AGENT_TLS, slot,
		    &keyholder_ring()->kr_agent[slot], NULL);
	else if (job->kj_part == KEY_PART_CROSS)
		send_ca(keyholder_ring(), KEY_PURPOSE_CA_CROSS);
	else if (job->kj_purpose == KEY_PURPOSE_CA ||
	    job->kj_purpose == KEY_PURPOSE_CA_NEW)
		send_ca(keyholder_ring(), job->kj_purpose);
}

void
keyholder_names(struct peer *p, struct imsg *imsg)
{
	struct key_job	*job = job_new(p, imsg, job_names);
	struct ibuf	*b = imsg_get_ibuf(imsg);

	if (p->pe_sync || ibuf_get_n32(b, &job->kj_life) == -1 ||
	    job->kj_life < 1 || job->kj_life > KEY_LEAF_LIFE_MAXSEC ||
	    names_get(b, job) == -1) {
		job_free(job);
		peer_broken(p, imsg, "names of the server certificate");
		return;
	}
	job_push(job);
}

static int
names_get(struct ibuf *b, struct key_job *job)
{
	struct key_name	*kn;
	const uint8_t	*value;
	size_t		 len;

	job->kj_names = xcalloc(KEY_NAMES_MAX, sizeof(*job->kj_names));
	while (ibuf_size(b) > 0) {
		if (job->kj_nnames == KEY_NAMES_MAX)
			return (-1);
		kn = &job->kj_names[job->kj_nnames++];
		if (ibuf_get_n8(b, &kn->kn_type) == -1 ||
		    ibuf_get_bytes(b, sizeof(kn->kn_value), &value,
		    &len) == -1)
			return (-1);
		kn->kn_len = (uint8_t)len;
		memcpy(kn->kn_value, value, len);
		if (!key_name_valid(kn))
			return (-1);
	}
	return (job->kj_nnames == 0 ? -1 : 0);
}

static void
job_names(struct peer *p, struct key_job *job)
{
	char		 why[KEY_WHY_SIZE] = "";
	struct ibuf	*b;
	int		 rc;

	rc = names_make(keyholder_ring(), job, why);
	b = key_answer(300);
	key_put8(b, rc == 0 ? KEY_RC_OK : KEY_RC_FAILED);
	key_put_bytes(b, why, rc == 0 ? 0 : strlen(why));
	key_send(p, IMSG_KEY_NAMES_DONE, job->kj_id, b);
}

/*
 * Both certificates are made before the server's key is replaced.  When the
 * new key of an earlier change still waits for its KEY_DROP, it is the one
 * that gets the new leaf: cluster may be using either of the two.
 */
static int
names_make(struct keyring *kr, struct key_job *job, char *why)
{
	struct key	 server = { 0 }, *over = &server;
	struct key_cert	*kc = xcalloc(1, sizeof(*kc));
	time_t		 now = time(NULL);
	uint8_t		 slot;
	int		 ret = -1;

	slot = kr->kr_server[KEY_SLOT_CURRENT].k_pkey == NULL ?
	    KEY_SLOT_CURRENT : KEY_SLOT_NEW;
	if (kr->kr_server[slot].k_pkey != NULL)
		over = &kr->kr_server[slot];
	else if (key_make(&server) == -1) {
		strlcpy(why, "no random numbers", KEY_WHY_SIZE);
		goto done;
	}
	if (key_issue_server(kr, over, job->kj_life, job->kj_names,
	    job->kj_nnames, now, kc, why) == -1 ||
	    (key_command_is_due(kr, now) &&
	    key_command_make(kr, now, why) == -1))
		goto done;
	if (over == &server)
		key_move(&kr->kr_server[slot], &server);
	key_send_info(KEY_PURPOSE_SERVER_TLS, slot, &kr->kr_server[slot], kc);
	ret = 0;
done:
	key_clear(&server);
	free(kc);
	return (ret);
}

bool
key_command_is_due(const struct keyring *kr, time_t now)
{
	return (kr->kr_command.k_pkey == NULL ||
	    (int64_t)now >= kr->kr_command_renew);
}

int
key_command_make(struct keyring *kr, time_t now, char *why)
{
	struct key	 command = { 0 };
	struct key_cert	*kc = xcalloc(1, sizeof(*kc));
	int		 ret = -1;

	if (key_make(&command) == -1)
		strlcpy(why, "no random numbers", KEY_WHY_SIZE);
	else if (key_issue_command(kr, &command, kr->kr_command_life, now, kc,
	    why) == 0) {
		key_move(&kr->kr_command, &command);
		/* It may be shorter than asked for: the CA ends first. */
		kr->kr_command_renew = (int64_t)now +
		    (kc->kc_notafter - (int64_t)now) * 2 / 3;
		key_send_info(KEY_PURPOSE_COMMAND, KEY_SLOT_CURRENT,
		    &kr->kr_command, kc);
		ret = 0;
	}
	key_clear(&command);
	free(kc);
	return (ret);
}

void
keyholder_issue(struct peer *p, struct imsg *imsg)
{
	struct key_job	*job = job_new(p, imsg, job_issue);
	struct ibuf	*b = imsg_get_ibuf(imsg);
	uint8_t		 profile;

	if (p->pe_sync || ibuf_get_n8(b, &profile) == -1 ||
	    profile != KEY_PROFILE_AGENT ||
	    ibuf_get_string(b, job->kj_subject,
	    sizeof(job->kj_subject)) == -1 ||
	    key_get_exact(b, job->kj_point, sizeof(job->kj_point)) == -1 ||
	    ibuf_get_n32(b, &job->kj_life) == -1 || ibuf_end(b) == -1) {
		job_free(job);
		peer_broken(p, imsg, "request for a certificate");
		return;
	}
	if (!issue_admit()) {
		issue_answer(p, job->kj_id, KEY_RC_LIMITED, NULL,
		    "too many certificates at once");
		job_free(job);
		return;
	}
	job_push(job);
}

static bool
issue_admit(void)
{
	struct key_bucket	*kb = &keyholder_ring()->kr_bucket;
	monotime_t		 now = monotime_now();

	if (jq.jq_njobs < KEY_ISSUE_QUEUE && key_bucket_take(kb, now))
		return (true);
	if (jq.jq_limited == 0 || now - jq.jq_limited > KEY_LIMITED_MSEC) {
		log_warnx("keyholder: certificates are asked for faster than "
		    "%u a second: refused, %llu so far", kb->kb_rate,
		    (unsigned long long)kb->kb_limited);
		jq.jq_limited = now;
	}
	return (false);
}

static void
job_issue(struct peer *p, struct key_job *job)
{
	char			 why[KEY_WHY_SIZE] = "";
	struct key_cert		*kc = xcalloc(1, sizeof(*kc));
	enum keyholder_rc	 rc;

	rc = key_issue_agent(keyholder_ring(), job->kj_subject, job->kj_point,
	    job->kj_life, time(NULL), kc, why);
	issue_answer(p, job->kj_id, rc, rc == KEY_RC_OK ? kc : NULL, why);
	free(kc);
}

static void
issue_answer(struct peer *p, uint32_t id, enum keyholder_rc rc,
    const struct key_cert *kc, const char *why)
{
	static const struct key_cert	 none;
	struct ibuf			*b = key_answer(4096);

	if (kc == NULL)
		kc = &none;
	key_put8(b, (uint8_t)rc);
	key_put_bytes(b, kc->kc_serial, kc->kc_seriallen);
	key_put64(b, kc->kc_notbefore);
	key_put64(b, kc->kc_notafter);
	key_put_bytes(b, kc->kc_der, kc->kc_len);
	key_put_bytes(b, why, rc == KEY_RC_OK ? 0 : strlen(why));
	key_send(p, IMSG_KEY_ISSUED, id, b);
}

void
keyholder_csr(struct peer *p, struct imsg *imsg)
{
	struct key_job	*job = job_new(p, imsg, job_csr);
	struct ibuf	*b = imsg_get_ibuf(imsg);

	if (p->pe_sync || ibuf_get_string(b, job->kj_subject,
	    sizeof(job->kj_subject)) == -1 ||
	    ibuf_get_n8(b, &job->kj_slot) == -1 || ibuf_end(b) == -1 ||
	    job->kj_slot >= KEY_SLOTS || jq.jq_njobs >= KEY_ISSUE_QUEUE) {
		job_free(job);
		peer_broken(p, imsg, "request for a CSR");
		return;
	}
	job_push(job);
}

static void
job_csr(struct peer *p, struct key_job *job)
{
	struct key	*key = &keyholder_ring()->kr_agent[job->kj_slot];
	char		 why[KEY_WHY_SIZE] = "";
	uint8_t		 der[KEY_CSR_MAXBYTES];
	struct ibuf	*b = key_answer(2048);
	size_t		 len = 0;
	int		 rc;

	rc = key_csr(key, job->kj_subject, der, &len, why);
	key_put8(b, rc == 0 ? KEY_RC_OK : KEY_RC_REFUSED);
	key_put_bytes(b, key->k_point, rc == 0 ? ECKEY_POINT_LEN : 0);
	key_put_bytes(b, der, rc == 0 ? len : 0);
	key_put_bytes(b, why, rc == 0 ? 0 : strlen(why));
	key_send(p, IMSG_KEY_CSR_DONE, job->kj_id, b);
}

/* Takes the message's descriptor. */
static struct key_job *
job_new(struct peer *p, struct imsg *imsg,
    void (*fn)(struct peer *, struct key_job *))
{
	struct key_job	*job = xcalloc(1, sizeof(*job));

	job->kj_fn = fn;
	job->kj_role = p->pe_role;
	job->kj_channel = p->pe_channel;
	job->kj_id = imsg_get_id(imsg);
	job->kj_fd = imsg_get_fd(imsg);
	return (job);
}

static void
job_push(struct key_job *job)
{
	static const struct timeval	 now = { 0, 0 };

	TAILQ_INSERT_TAIL(&jq.jq_jobs, job, kj_entry);
	jq.jq_njobs++;
	if (!evtimer_pending(jq.jq_work, NULL))
		evtimer_add(jq.jq_work, &now);
}

static void
job_free(struct key_job *job)
{
	if (job->kj_fd != -1)
		close(job->kj_fd);
	free(job->kj_names);
	free(job);
}

/* A timer of zero, since it comes back only after the next poll. */
static void
job_run(evutil_socket_t fd, short event, void *arg)
{
	static const struct timeval	 now = { 0, 0 };
	struct key_job			*job;
	struct peer			*p;

	(void)fd;
	(void)event;
	(void)arg;
	if ((job = TAILQ_FIRST(&jq.jq_jobs)) == NULL)
		return;
	TAILQ_REMOVE(&jq.jq_jobs, job, kj_entry);
	jq.jq_njobs--;
	p = proc_peer(job->kj_role);
	if (p != NULL && p->pe_channel == job->kj_channel)
		job->kj_fn(p, job);
	job_free(job);
	if (!TAILQ_EMPTY(&jq.jq_jobs))
		evtimer_add(jq.jq_work, &now);
}

/* --- the CA, and a second one ------------------------------------------- */

/* u8 enum key_ca_use */
void
keyholder_ca_use(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*b = imsg_get_ibuf(imsg);
	char		 why[KEY_WHY_SIZE] = "";
	uint8_t		 use;
	int		 rc;

	if (p->pe_sync || ibuf_get_n8(b, &use) == -1 || ibuf_end(b) == -1 ||
	    use < KEY_CA_USE_NEW || use > KEY_CA_USE_DISCARD) {
		peer_broken(p, imsg, "use of a CA");
		return;
	}
	rc = key_ca_use(keyholder_ring(), (enum key_ca_use)use, why);
	if (rc == 0 && use == KEY_CA_USE_PROMOTE)
		send_ca(keyholder_ring(), KEY_PURPOSE_CA);
	b = key_answer(300);
	key_put8(b, rc == 0 ? KEY_RC_OK : KEY_RC_REFUSED);
	key_put_bytes(b, why, rc == 0 ? 0 : strlen(why));
	key_send(p, IMSG_KEY_CA_USED, imsg_get_id(imsg), b);
}

/*
 * The CA is told as soon as its certificate is there: of one that only ends
 * the trust in it, the key is not loaded any more.
 */
static void
send_ca(struct keyring *kr, enum keyholder_purpose purpose)
{
	struct key	 key = { 0 };
	struct key_cert	*kc;
	X509		*x;
	uint8_t		 slot = KEY_SLOT_NEW;

	if (purpose == KEY_PURPOSE_CA) {
		slot = KEY_SLOT_CURRENT;
		x = kr->kr_ca.k_pkey == NULL && !kr->kr_use_new ? NULL :
		    kr->kr_cacert;
	} else
		x = purpose == KEY_PURPOSE_CA_NEW ? kr->kr_newcacert :
		    kr->kr_cross;
	if (x == NULL || eckey_point(X509_get0_pubkey(x), key.k_point) == -1)
		return;
	kc = xcalloc(1, sizeof(*kc));
	if (key_cert_export(x, kc) == -1)
		log_warnx("keyholder: CA certificate has more than %d bytes or "
		    "an odd serial number", KEY_CERT_MAXBYTES);
	else
		key_send_info(purpose == KEY_PURPOSE_CA_NEW ? KEY_PURPOSE_CA :
		    purpose, slot, &key, kc);
	free(kc);
}
