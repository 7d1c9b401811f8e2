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

#ifndef PBCHECK_RULE_H
#define PBCHECK_RULE_H

#include "pbcheck.h"

/* Rows of the tables of pbcheck_*.c; for those files only. */
#define STR(n, name, min, max, set)	{ n, name, min, max, PB_##set, 0 }
#define STRS(n, name, count, min, max, set) \
					{ n, name, min, max, PB_##set, count }
#define BYTES(n, name, min, max)	{ n, name, min, max, PB_NONE, 0 }
#define NUM(n, name, min, max)		{ n, name, min, max, PB_NONE, 0 }
#define ANY(n, name)			{ n, name, INT64_MIN, INT64_MAX, \
					    PB_NONE, 0 } /* bool, enum too */
#define MSG(n, name)			{ n, name, 0, 0, PB_NONE, 0 }
#define NEED(n, name)			{ n, name, 1, 1, PB_NONE, 0 }
#define LIST(n, name, count)		{ n, name, 0, 0, PB_NONE, count }
#define END				{ 0, NULL, 0, 0, PB_NONE, 0 }

/* Lengths that several tables share. */
#define MAX_TIME	253402300799LL	/* unix seconds, year 9999 */
#define MAX_ADDRESS	64
#define MAX_TEXT	4096
#define MAX_SERIAL	64		/* hex */
#define MAX_REQUEST	128		/* request_id */
#define MAX_HOSTID	64
#define MAX_NAME	255		/* container, host */
#define MAX_REF		1024		/* image reference or digest */
#define MAX_TO		79		/* "sha256:" and 64 digits */
#define MAX_QUARANTINED	64
#define MAX_WORD	32		/* state, action, outcome, phase */
#define MAX_VERSION	256
#define MAX_FEATURE	64
#define MAX_FEATURES	128
#define MAX_ENGINE	128
#define MAX_LABEL	319		/* "key=value" of a host */
#define MAX_LABELS	32
#define MAX_ERROR	(1024 * 1024)	/* Go agents pass on what Docker says */
#define MAX_LOGS	(4 * 1024 * 1024)
#define MAX_CSR		8192
#define MAX_PEM		32768
#define MAX_AUTH	6144		/* X-Registry-Auth */
#define MAX_NONCE	16

#endif /* PBCHECK_RULE_H */
