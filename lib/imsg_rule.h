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

#ifndef IMSG_RULE_H
#define IMSG_RULE_H

#include "compat.h"
#include "imsg.h"
#include "roles.h"

/*
 * The table of messages (imsg_types.def), and its enforcement.  Every message
 * is checked for sender, receiver, size and descriptor before any handler
 * runs.  Fixed-layout bodies are checked further by their handler; protobuf
 * bodies by ipccheck.h.
 */
enum imsg_fdrule { NOFD, FD };

enum imsg_type {
	IMSG_NONE = 0,
#define IMSG(name, num, from, to, min, max, fd)	IMSG_##name = num,
#include "imsg_types.def"
#undef IMSG
};

struct imsg_rule {
	uint32_t	 ir_type;
	const char	*ir_name;
	uint32_t	 ir_from;	/* ROLE_BIT mask */
	uint32_t	 ir_to;
	uint32_t	 ir_min;	/* body bytes */
	uint32_t	 ir_max;
	enum imsg_fdrule ir_fd;
};

const struct imsg_rule	*imsg_rule_find(uint32_t type);
const struct imsg_rule	*imsg_rule_at(size_t);	/* NULL past the end */
const char		*imsg_rule_name(uint32_t type);	/* never NULL */
/* NULL when the message may pass, else a static reason for the log. */
const char		*imsg_rule_check(const struct imsg *,
			    enum role from, enum role to);
/* Largest body that from may send to. */
uint32_t		 imsg_rule_maxbody(enum role from, enum role to);
/* SHA-256 over the whole table: both ends must be of one build. */
#define IMSG_RULE_HASHLEN	32
void			 imsg_rule_hash(uint8_t[IMSG_RULE_HASHLEN]);

#endif /* IMSG_RULE_H */
