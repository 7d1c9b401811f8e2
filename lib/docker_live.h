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

#ifndef DOCKER_LIVE_H
#define DOCKER_LIVE_H

#include "compat.h"

#include "docker_process_int.h"

/*
 * The live view of the docker process, between docker_process.c,
 * docker_lists.c and docker_live.c.
 *
 * An event says that a container changed, Docker's list says what it is now:
 * each event leads to a look at just that container, many within
 * DP_LIVE_MSEC to one, and what was found goes to the engine (DOCKER_DELTA).
 * Lists and looks take turns: a look never overtakes a list or is overtaken
 * by one, so the engine may apply what it gets in the order it comes.
 * What may have been missed makes DOCKER_STALE, and the engine lists anew.
 */
#define DP_LIVE_MSEC	100	/* changes gathered */
/*
 * Docker tells some events before its list shows them.  A list that denies
 * what was just told is not believed at once; and every change is looked at a
 * second time.
 */
#define DP_LIVE_DENIED_MSEC 150
#define DP_LIVE_DENIED_MAX 5
#define DP_LIVE_AGAIN_MSEC 1000
#define DP_LIVE_MAX	1024	/* containers that wait */
#define DP_LIVE_EVENTS	16	/* kept of one container */

/* --- docker_live.c ----------------------------------------------------- */
void		 dp_live_start(void);
bool		 dp_live_is_up(void);
bool		 dp_live_is_reading(void);
/* Look at what is due, unless a list runs. */
void		 dp_live_go(void);
/* A list is about to begin: from here on nothing is missed. */
void		 dp_live_listing(void);
/* A full list has this one. */
void		 dp_live_listed(const struct docker_container *);

/* --- docker_lists.c ---------------------------------------------------- */
/* Fills ci and ts, which ci may use, with memory of pm. */
void		 dp_info(Sentinel__Cluster__ContainerInfo *ci,
		    Google__Protobuf__Timestamp *ts, struct pbmem *,
		    const struct docker_container *);
void		 dp_list(const Sentinel__Ipc__DockerOp *);
void		 dp_list_next(void);
bool		 dp_list_is_running(void);

#endif /* DOCKER_LIVE_H */
