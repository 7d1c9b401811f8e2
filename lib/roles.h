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

#ifndef ROLES_H
#define ROLES_H

/*
 * Every process of both daemons has a fixed number, never reused: it orders
 * uid_base ids (uid = uid_base + number) and names senders and receivers in
 * imsg_types.def.  Server 0-15, agent 16-31.  doc/architecture.md, section 3.
 */
enum role {
	ROLE_PARENT	= 0,	/* sentineld */
	ROLE_KEYHOLDER	= 1,
	ROLE_CLUSTER	= 2,
	ROLE_ENGINE	= 3,
	ROLE_DOCKER	= 4,
	ROLE_WEB	= 5,	/* reserved: web UI and REST */
	ROLE_AUTH	= 6,	/* reserved: password hashing */
	ROLE_FETCH	= 7,	/* reserved: outbound HTTPS */
	ROLE_CONTROL	= 8,

	ROLE_A_PARENT	= 16,	/* sentinel-agentd */
	ROLE_A_KEYHOLDER = 17,
	ROLE_A_UPLINK	= 18,
	ROLE_A_ENGINE	= 19,
	ROLE_A_DOCKER	= 20,
	ROLE_A_CONTROL	= 21,

	ROLE_CLIENT	= 31,	/* sentinelctl, outside both daemons */
	ROLE_MAX	= 32
};

#define ROLE_BIT(r)	(1U << (r))

#endif /* ROLES_H */
