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

#ifndef KEYHOLDER_INT_H
#define KEYHOLDER_INT_H

#include "compat.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "keyholder.h"
#include "monotime.h"

/*
 * Between the sources of the keyholder.  Workers know nothing of messages;
 * why is one line for the log of who asked, KEY_WHY_SIZE bytes.
 */
#define KEY_WHY_SIZE		256
#define KEY_ARENA_BYTES		(256 * 1024)

struct key {
	EVP_PKEY	*k_pkey;	/* NULL: no key */
	uint8_t		 k_point[ECKEY_POINT_LEN];
};

struct key_cert {
	uint8_t		 kc_der[KEY_CERT_MAXBYTES];
	size_t		 kc_len;
	uint8_t		 kc_serial[KEY_SERIAL_MAXBYTES];
	size_t		 kc_seriallen;
	int64_t		 kc_notbefore;	/* unix seconds */
	int64_t		 kc_notafter;
};

struct key_name {
	uint8_t		 kn_type;	/* KEY_NAME_* */
	uint8_t		 kn_len;
	uint8_t		 kn_value[253];
};

struct key_bucket {
	uint32_t	 kb_rate;	/* a second */
	uint32_t	 kb_burst;
	uint64_t	 kb_level;	/* thousandths of an issue */
	monotime_t	 kb_filled;
	uint64_t	 kb_limited;	/* refused so far */
};

/* What one slot of a purpose is; the keys of this process. */
#define KEY_SLOTS		2
struct keyring {
	struct key	 kr_ca;
	X509		*kr_cacert;
	struct key	 kr_newca;	/* while the CA is replaced */
	X509		*kr_newcacert;
	X509		*kr_cross;	/* the new CA, signed by the old */
	bool		 kr_use_new;	/* the new CA issues */
	struct key	 kr_server[KEY_SLOTS];
	struct key	 kr_agent[KEY_SLOTS];
	struct key	 kr_command;
	uint8_t		*kr_secret;	/* KEY_SECRET_LEN, in the arena */
	struct key_bucket kr_bucket;
	int64_t		 kr_ca_life;	/* seconds, of a CA to be made */
	int64_t		 kr_command_life;
	int64_t		 kr_command_renew;	/* unix seconds */
};

/* keyholder_sign.c: memory, slots, signatures */
void	 key_arena_init(void);
void	*key_arena_alloc(size_t);	/* fatal when the arena is full */
void	 key_arena_free(void *, size_t);	/* wipes */
void	 keyring_init(struct keyring *);
void	 keyring_clear(struct keyring *);
int	 key_make(struct key *);		/* new, in memory only */
int	 key_set(struct key *, const uint8_t scalar[ECKEY_SCALAR_LEN]);
void	 key_clear(struct key *);
void	 key_move(struct key *dst, struct key *src);
struct key *key_find(struct key slots[KEY_SLOTS],
	    const uint8_t point[ECKEY_POINT_LEN]);
/* -1 ENOENT: no key with this point. */
int	 key_drop(struct key slots[KEY_SLOTS],
	    const uint8_t point[ECKEY_POINT_LEN]);
int	 key_command_sign(struct keyring *, const uint8_t hash[32],
	    uint8_t *sig, size_t *siglen);
/* mac: 32 bytes; -1: no secret (ENOENT) */
int	 key_mac(struct keyring *, const void *, size_t, uint8_t *mac);
int	 key_maccheck(struct keyring *, const void *, size_t,
	    const uint8_t *mac, bool *equal);
void	 key_bucket_set(struct key_bucket *, uint32_t rate, uint32_t burst,
	    monotime_t now);
bool	 key_bucket_take(struct key_bucket *, monotime_t now);

/* keyholder_load.c: files.  fd is lent. */
enum keyholder_loaded key_file_ca_key(struct keyring *, int fd, bool create,
	    char *why);
enum keyholder_loaded key_file_ca_cert(struct keyring *, int fd, bool create,
	    char *why);
enum keyholder_loaded key_file_secret(struct keyring *, int fd, bool create,
	    char *why);
enum keyholder_loaded key_file_agent(struct keyring *, int fd, bool create,
	    char *why);
/* What several kinds of files share.  The buffer is key_arena_free()d by the
 * caller, KEY_FILE_MAXBYTES. */
enum keyholder_loaded key_file_key(struct key *, int fd, bool create,
	    char *why);
uint8_t	*key_file_read(int fd, size_t *len, char *why);
int	 key_file_write(int fd, const void *, size_t, char *why);
/* Writes x as PEM. */
int	 key_file_write_cert(int fd, X509 *, char *why);
/* The one certificate in a PEM text, or NULL and the reason. */
X509	*key_parse_cert(const uint8_t *, size_t, const char **fault);
/* A private key in PEM: SEC1 or PKCS#8, P-256.  NULL or the reason. */
const char *key_parse_pem(const uint8_t *, size_t, struct key *);
/* NULL when this can be our CA now (0: at some time), or the reason. */
const char *key_ca_fault(X509 *, const struct key *, time_t now);

/* keyholder_ca.c: a second CA */
enum keyholder_loaded key_file_newca_key(struct keyring *, int fd, bool create,
	    char *why);
enum keyholder_loaded key_file_newca_cert(struct keyring *, int fd,
	    bool create, char *why);
enum keyholder_loaded key_file_cross(struct keyring *, int fd, bool create,
	    char *why);
/* 0, or -1 and why: a part that this needs is not loaded. */
int	 key_ca_use(struct keyring *, enum key_ca_use, char *why);
/* The CA that issues; NULL when a part of it is missing. */
struct key *key_ca_signer(struct keyring *, X509 **cert);

/* keyholder_issue.c: certificates and requests */
X509	*key_ca_selfsign(struct key *, int64_t life, time_t now);
/* As above for a CA that follows another: its name has a part of its key
 * identifier, so that no verifier takes one for the other. */
X509	*key_ca_next(struct key *, int64_t life, time_t now);
/* kr_newca's certificate once more, signed by kr_ca; NULL: it cannot be. */
X509	*key_ca_cross(struct keyring *, time_t now);
int	 key_cert_export(X509 *, struct key_cert *);
bool	 key_name_valid(const struct key_name *);
/* KEY_RC_OK, REFUSED (EINVAL: subject, point, life) or FAILED. */
enum keyholder_rc key_issue_agent(struct keyring *, const char *subject,
	    const uint8_t point[ECKEY_POINT_LEN], int64_t life, time_t now,
	    struct key_cert *, char *why);
/* Leaf of the server over key; -1 and why. */
int	 key_issue_server(struct keyring *, struct key *, int64_t life,
	    const struct key_name *, size_t, time_t now, struct key_cert *,
	    char *why);
int	 key_issue_command(struct keyring *, struct key *, int64_t life,
	    time_t now, struct key_cert *, char *why);
/* PKCS#10 over key; der: KEY_CSR_MAXBYTES. */
#define KEY_CSR_MAXBYTES	1024
int	 key_csr(struct key *, const char *subject, uint8_t *der,
	    size_t *len, char *why);

/* keyholder_ext.c: 0, or -1 out of memory or not to be encoded. */
#define KEY_SKI_LEN	20
#define KEY_USAGE_SIGN	0		/* digitalSignature, RFC 5280 4.2.1.3 */
#define KEY_USAGE_CERT	5
#define KEY_USAGE_CRL	6
int	 key_add_subject(X509_NAME *, const char *cn);
/* 126 random bits, always 16 bytes, never negative. */
int	 key_add_serial(X509 *);
int	 key_add_basic(X509 *, bool ca, long pathlen);
/* Bit b is -1 when there is one bit only. */
int	 key_add_usage(X509 *, int a, int b);
int	 key_add_extusage(X509 *, const char *const *oids);
/* RFC 7093 2: the leftmost 160 bits of SHA-256. */
void	 key_ski(const struct key *, uint8_t ski[KEY_SKI_LEN]);
int	 key_add_ski(X509 *, const struct key *);
/* An adopted CA may have no SKI; then its leaves have no AKI. */
int	 key_add_aki(X509 *, X509 *ca);
int	 key_add_names(X509 *, const struct key_name *, size_t);

/* keyholder.c */
struct keyring	*keyholder_ring(void);

/* keyholder_job.c: handlers that queue, and their queue */
void	 keyholder_load(struct peer *, struct imsg *);
void	 keyholder_create(struct peer *, struct imsg *);
void	 keyholder_names(struct peer *, struct imsg *);
void	 keyholder_issue(struct peer *, struct imsg *);
void	 keyholder_csr(struct peer *, struct imsg *);
void	 keyholder_ca_use(struct peer *, struct imsg *);
void	 key_jobs_init(struct event_base *);
void	 key_jobs_forget(uint64_t channel);
bool	 key_command_is_due(const struct keyring *, time_t now);
/* A new command key and certificate, told to the engine; -1 and why. */
int	 key_command_make(struct keyring *, time_t now, char *why);

/* keyholder_msg.c: fields of messages */
int	 key_get_exact(struct ibuf *, uint8_t *, size_t want);
struct ibuf *key_answer(size_t max);
void	 key_put8(struct ibuf *, uint8_t);
void	 key_put64(struct ibuf *, int64_t);
void	 key_put_bytes(struct ibuf *, const void *, size_t);
/* Takes the ibuf. */
void	 key_send(struct peer *, uint32_t type, uint32_t id, struct ibuf *);
void	 key_send_signature(struct peer *, uint32_t type, uint32_t id, int rc,
	    const uint8_t *sig, size_t len);
/* To the engine; cert NULL for an agent's key, whose we do not have. */
void	 key_send_info(enum keyholder_purpose, uint8_t slot,
	    const struct key *, const struct key_cert *);

#endif /* KEYHOLDER_INT_H */
