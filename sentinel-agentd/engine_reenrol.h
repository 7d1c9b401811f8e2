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

#ifndef ENGINE_REENROL_H
#define ENGINE_REENROL_H

#include "compat.h"

#include "engine.h"

/*
 * Enrolment of a host that is enrolled: with a new token from the
 * configuration when the server has refused the identity, or when
 * "sentinelctl enroll" asks.  The old identity stays in use until the new one
 * is on disk, and is kept in retired-TIME/.  engine_reenrol.c.
 */
/* Looks at the token that came with the configuration of an enrolled host. */
void	 reenrol_init(void);
/*
 * The server has refused this host.  True: a new enrolment begins, and
 * session_resume() follows it.
 */
bool	 reenrol_refused(void);
/* "sentinelctl enroll" and its end. */
void	 reenrol_request(uint32_t id,
	    const Sentinel__Ipc__ControlRequest *);
void	 reenrol_client_gone(uint32_t id);

#endif /* ENGINE_REENROL_H */
