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

#ifndef RELAY_H
#define RELAY_H

/*
 * Between an updater under test and a real Docker Engine: passes bytes both
 * ways, counts the requests that change something, and does one thing to one
 * of them.  To kill somebody is left to its user.
 */
#include "compat.h"

#include <event2/event.h>

enum relay_fate {
	RELAY_PASS,
	/* The updater is killed ... */
	RELAY_KILL_BEFORE,	/* and Docker never sees the request */
	RELAY_KILL_SENT,	/* while Docker carries it out */
	RELAY_KILL_DONE,	/* and Docker has done it */
	/* It lives, but ... */
	RELAY_REFUSE,		/* is told 500; Docker never sees it */
	RELAY_REFUSE_DONE,	/* is told 500 although Docker did it */
	RELAY_LOSE,		/* loses the connection; Docker sees nothing */
	RELAY_LOSE_DONE,	/* loses the answer */
	/* It lives, but the engine ... */
	RELAY_ENGINE		/* is killed while it carries it out */
};

struct relay;

struct relay	*relay_new(struct event_base *, const char *path,
		    const char *docker, void (*kill_fn)(void *), void *);
void		 relay_free(struct relay *);
/* From now on: the nth request (from 1; 0 none) meets this. */
void		 relay_arm(struct relay *, int nth, enum relay_fate,
		    unsigned int delay_msec);
int		 relay_count(const struct relay *);	/* since relay_arm() */
const char	*relay_line(const struct relay *);	/* of the one hit, "" */
/* The updater is dead: drop its connections. */
void		 relay_reset(struct relay *);

#endif /* RELAY_H */
