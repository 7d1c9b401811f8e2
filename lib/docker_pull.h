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

#ifndef DOCKER_PULL_H
#define DOCKER_PULL_H

#include "compat.h"

#include "docker_api.h"

/*
 * Pulls of one engine stand in a line: DOCKER_PULLS_MAX go on at a time, the
 * others say that they wait.  Before each begins, a guard may be asked; who
 * has none set lets all of them go.
 */
#define DOCKER_PULLS_MAX	2	/* at a time */
#define DOCKER_PULLS_LINE_MAX	64	/* with those that wait */
#define DOCKER_PULL_WAIT_MSEC	5000	/* between two words of who waits */

/* Answers with docker_pull_answer() and this number, now or later. */
typedef void (*docker_pull_guard)(void *, uint64_t number);

void	 docker_pull_set_guard(struct docker *, docker_pull_guard, void *);
/* why: one line, and the pull fails with it; "": it begins.  Of a pull that
 * was cancelled meanwhile it means nothing. */
void	 docker_pull_answer(struct docker *, uint64_t number,
	    const char *why);
/* docker_free() */
void	 docker_pull_drop(struct docker *);

/* --- docker_pullop.c: an image, pulled and looked at --------------------- */
struct docker_pull_result {
	const char	*pr_error;	/* one line, "" on success */
	const char	*pr_id;		/* sha256:..., "" when unknown */
	const char	*pr_digest;	/* repository@sha256:..., or "" */
};
struct docker_pullop_cbs {
	/* As pc_progress. */
	void	(*po_progress)(void *, const char *what, uint64_t done,
		    uint64_t total);
	/* Exactly once, never from within docker_op_pull(). */
	void	(*po_done)(void *, const struct docker_pull_result *);
};
/*
 *   digest  "sha256:..." that the image must have, or ""; that of a reference
 *           with one is compared in any case
 * 0, or -1 with errno of docker_pull().
 */
int	 docker_op_pull(struct docker *, const char *ref, const char *digest,
	    const char *auth, unsigned int idle,
	    const struct docker_pullop_cbs *, void *);

#endif /* DOCKER_PULL_H */
