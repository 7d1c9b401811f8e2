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

#ifndef ENGINE_NEWKEY_H
#define ENGINE_NEWKEY_H

#include "compat.h"

#include "engine.h"

/*
 * A new key for this host and its certificate request, for enrolment and
 * renewal: the parent makes the file, the keyholder key and request.  One at
 * a time.  The engine process; engine_newkey.c.
 */
enum newkey_use {
	NEWKEY_ENROL,	/* the key left behind by an interrupted one is taken */
	NEWKEY_RENEW	/* what is left behind is thrown away */
};

struct newkey {
	const char	*nk_fault;	/* NULL: there it is */
	const uint8_t	*nk_point;	/* ECKEY_POINT_LEN */
	const uint8_t	*nk_csr;	/* DER */
	size_t		 nk_csrlen;
};
typedef void (*newkey_cb)(const struct newkey *);

/*
 * cb runs once, later; siblings that do not answer are broken (fatal).  The
 * one that is under way for another cb fails at once.
 *	cn	1 to KEY_SUBJECT_MAXBYTES characters of [A-Za-z0-9._-]
 */
void	 newkey_ask(enum newkey_use, const char *cn, newkey_cb cb);
/* From now on this key alone is ours: KEY_DROP. */
void	 newkey_keep(const uint8_t point[ECKEY_POINT_LEN]);

/* Rows of the handler table. */
void	 newkey_info(struct peer *, struct imsg *);
void	 newkey_made(struct peer *, struct imsg *);
void	 newkey_csr_done(struct peer *, struct imsg *);

#endif /* ENGINE_NEWKEY_H */
