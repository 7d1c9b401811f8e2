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

#ifndef ENGINE_CAUSE_H
#define ENGINE_CAUSE_H

#include "compat.h"

#include "ipc.pb-c.h"

/*
 * Why an attempt or a session has ended, as an operator reads it: with the
 * phrase of the page's troubleshooting tables and what mends it.  Pure;
 * engine_cause.c.
 */
enum cause_class {
	CAUSE_CLASS_NETWORK,	/* may pass by itself */
	CAUSE_CLASS_REFUSED,	/* this host: revoked, not registered */
	CAUSE_CLASS_FOREIGN,	/* server of another CA */
	CAUSE_CLASS_LOCAL	/* closed by us */
};

enum cause_class cause_class(const Sentinel__Ipc__UplinkDown *);
enum cause_stage {
	CAUSE_STAGE_DIAL,	/* the server has not proven itself */
	CAUSE_STAGE_REPORT,	/* it has, and has seen our certificate */
	CAUSE_STAGE_SESSION
};
/* One line with phrase, facts and fix. */
void	 cause_text(const Sentinel__Ipc__UplinkDown *, enum cause_stage,
	    char *, size_t);
/* "; fix: ..." for the status and text of a refused Enroll, or "". */
const char *cause_enroll_fix(uint32_t status, const char *text);

#endif /* ENGINE_CAUSE_H */
