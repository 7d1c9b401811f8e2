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

#ifndef REQTAB_H
#define REQTAB_H

#include "compat.h"

#include <event2/event.h>

#include "imsg.h"

/*
 * Requests that wait for a sibling's answer.  Each has an id (32 bit, never 0,
 * not reused while pending), the channel it was sent on, and a deadline.  The
 * callback runs exactly once: answer, time-out, or the end of the table.  None
 * is asked of a sibling that may be restarted, so losing one is not in it.
 * Unknown and late ids are dropped by the caller (reqtab_answer() == -1).
 */
enum req_end { REQ_ANSWER, REQ_TIMEOUT, REQ_LOST };

struct reqtab;
/* imsg is NULL unless REQ_ANSWER; borrowed. */
typedef void (*req_cb)(void *arg, enum req_end, struct imsg *);

/* Dies when out of memory.  The base must outlive the table. */
struct reqtab	*reqtab_new(struct event_base *, size_t max);
/* Pending ones get REQ_LOST; not from inside a callback. */
void		 reqtab_free(struct reqtab *);
/* Returns the id, or 0 (ENOBUFS when max requests are pending, ENOMEM). */
uint32_t	 reqtab_add(struct reqtab *, uint64_t channel,
		    unsigned int msec, req_cb, void *);
int		 reqtab_answer(struct reqtab *, uint64_t channel, uint32_t id,
		    struct imsg *);
size_t		 reqtab_len(const struct reqtab *);

#endif /* REQTAB_H */
