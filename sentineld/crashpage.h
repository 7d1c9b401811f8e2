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

#ifndef CRASHPAGE_H
#define CRASHPAGE_H

#include "compat.h"

/*
 * The page in which cluster notes whose bytes it is working on, so that one
 * who crashes it can be named afterwards.  The parent makes a page for every
 * life of cluster and passes it on; after a death it copies the note out and
 * hands it to the engine unread.  Its size is sealed: nobody can cut it short
 * under a reader.
 *
 * Whoever owns cluster writes into it what he likes.  The reader takes it for
 * what it is: at most one address or one host id, checked.
 */
struct crash_note {
	uint32_t	 cr_busy;	/* 1: at work for it; host order */
	uint32_t	 cr_proven;	/* 1: cr_host is of its certificate */
	char		 cr_address[64];	/* without port */
	char		 cr_host[68];	/* common name, "" when not proven */
};
#define CRASHPAGE_BYTES		4096
#define CRASHPAGE_NOTE_LEN	sizeof(struct crash_note)

/* --- parent ------------------------------------------------------------- */
/* A fresh page; -1 with errno. */
int	 crashpage_make(void);
/* What is noted, raw; -1 with errno. */
int	 crashpage_copy(int fd, uint8_t note[CRASHPAGE_NOTE_LEN]);

/* --- cluster ------------------------------------------------------------ */
/* Maps the page; fd is taken.  -1 with errno: nothing will be noted. */
int	 crashpage_attach(int fd);
/*
 * From here to crashpage_leave() we work for this peer.  host: NULL until a
 * certificate of ours was shown.  False when somebody was noted already: then
 * it is his leave that counts.  crashpage_prove() adds the host meanwhile.
 */
bool	 crashpage_enter(const char *address, const char *host);
void	 crashpage_prove(const char *host);
void	 crashpage_leave(void);

/* --- engine ------------------------------------------------------------- */
/*
 * Checks a copied note: 1 and the note, its strings ended and of the right
 * form (an IP address; a host id, or nothing when there is none or it cannot
 * be one), 0 when nobody is in it, -1 when it is nonsense.
 */
int	 crashpage_read(const uint8_t *, size_t len, struct crash_note *);

/*
 * CLUSTER_HOLD, engine to cluster: whom to refuse.  u8 kind, bytes (16:
 * address, IPv6 cut to its /64; or the host id), u32 milliseconds
 */
#define HOLD_MAX		256	/* at a time; the oldest one goes */
enum hold_kind { HOLD_ADDRESS = 1, HOLD_HOST = 2 };

#endif /* CRASHPAGE_H */
