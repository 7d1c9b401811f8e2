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

#ifndef DOCKERSPACE_H
#define DOCKERSPACE_H

#include "compat.h"

#include "proc.h"

/*
 * Free space where Docker keeps images: the docker process cannot see the file
 * system, so the parent looks at the *configured* directory, and at no other.
 */

/* --- dockerspace.c: the parent ------------------------------------------ */
/* root is kept by reference; NULL: none configured. */
void	 dockerspace_init(const char *root);
/* Row of the parent's handler table. */
void	 dockerspace_ask(struct peer *, struct imsg *);

/* --- dockerspace_guard.c: the docker process ----------------------------- */
/* Guard of docker_pull.h: asks the parent, and refuses a pull that would begin
 * with less than dc_min_free_mib free.  What cannot be known is no reason to
 * refuse. */
void	 dockerspace_guard(void *, uint64_t number);
/* What the parent says. */
struct dockerspace {
	bool		 ds_known;
	uint64_t	 ds_total;	/* bytes */
	uint64_t	 ds_avail;
	char		 ds_text[600];	/* the directory, or why not known */
};
#define DOCKERSPACE_WHY_MAXBYTES	800
/* 0, or -1: too short, too long, or not of this form. */
int	 dockerspace_parse(struct ibuf *, struct dockerspace *);
/* Why a pull must not begin when least bytes are wanted, or "". */
void	 dockerspace_why(const struct dockerspace *, uint64_t least,
	    char why[DOCKERSPACE_WHY_MAXBYTES]);
/* DOCKER_SPACE */
void	 dockerspace_answer(struct peer *, struct imsg *);

#endif /* DOCKERSPACE_H */
