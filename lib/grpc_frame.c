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

#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "grpc_int.h"

/*
 * Length-prefixed messages: one may span many DATA frames, several may share
 * one.  The announced length is checked before anything is allocated, and the
 * buffer grows with what really came, not with what was announced.
 */
#define GRPC_FIRST_ALLOC	(16 * 1024)

static int	 grpc_frame_begin(struct grpc_call *);
static int	 grpc_frame_room(struct grpc_call *, size_t);

size_t
grpc_frame_feed(struct grpc_call *call, const uint8_t *data, size_t len)
{
	size_t		 used = 0, n;

	while (used < len && !call->gc_paused) {
		if (call->gc_phase != GC_OPEN)
			return (len);
		if (call->gc_whole) {
			grpc_refuse(call, GRPC_INTERNAL,
			    "grpc: more than one message in a unary call");
			return (len);
		}
		if (call->gc_prefixlen < GRPC_PREFIX_BYTES) {
			call->gc_prefix[call->gc_prefixlen++] = data[used++];
			if (call->gc_prefixlen < GRPC_PREFIX_BYTES)
				continue;
			if (grpc_frame_begin(call) == -1)
				return (len);
		}
		n = call->gc_msglen - call->gc_msghave;
		if (n > len - used)
			n = len - used;
		if (n > 0) {
			if (grpc_frame_room(call, n) == -1)
				return (len);
			memcpy(call->gc_msg + call->gc_msghave, data + used,
			    n);
			call->gc_msghave += n;
			used += n;
		}
		if (call->gc_msghave < call->gc_msglen)
			continue;
		/* A unary request is handed over when its stream ends. */
		if (call->gc_method->gm_unary && call->gc_conn->gn_server)
			call->gc_whole = true;
		else
			grpc_frame_deliver(call);
	}
	return (used);
}

/* The message leaves the call before the callback, which may end the call. */
void
grpc_frame_deliver(struct grpc_call *call)
{
	static const uint8_t	 none[1];
	struct grpc_conn	*conn = call->gc_conn;
	uint8_t			*msg = call->gc_msg;
	size_t			 len = call->gc_msghave;

	conn->gn_assembling -= call->gc_msgcap;
	call->gc_msg = NULL;
	call->gc_msgcap = 0;
	grpc_frame_reset(call);
	if (!conn->gn_server && call->gc_method->gm_unary)
		call->gc_whole = true;
	if (conn->gn_server)
		conn->gn_sops->gs_call_message(call, msg != NULL ? msg : none,
		    len, conn->gn_arg);
	else
		conn->gn_cops->gc_call_message(call, msg != NULL ? msg : none,
		    len, conn->gn_arg);
	/* It may hold a token, or the credentials of a registry. */
	if (msg != NULL)
		freezero(msg, len);
}

bool
grpc_frame_is_partial(const struct grpc_call *call)
{
	return (call->gc_prefixlen > 0 && !call->gc_whole);
}

void
grpc_frame_reset(struct grpc_call *call)
{
	call->gc_conn->gn_assembling -= call->gc_msgcap;
	if (call->gc_msg != NULL)
		freezero(call->gc_msg, call->gc_msghave);
	call->gc_msg = NULL;
	call->gc_msgcap = call->gc_msghave = call->gc_msglen = 0;
	call->gc_prefixlen = 0;
}

static int
grpc_frame_begin(struct grpc_call *call)
{
	const uint8_t	*p = call->gc_prefix;
	size_t		 max = call->gc_method->gm_max_message;

	if (p[0] == 1) {
		grpc_refuse(call, call->gc_conn->gn_server ?
		    GRPC_UNIMPLEMENTED : GRPC_INTERNAL,
		    "grpc: compressed messages are not supported");
		return (-1);
	}
	if (p[0] != 0) {
		grpc_refuse(call, GRPC_INTERNAL,
		    "grpc: unknown message flag %u", p[0]);
		return (-1);
	}
	call->gc_msglen = (size_t)p[1] << 24 | (size_t)p[2] << 16 |
	    (size_t)p[3] << 8 | p[4];
	call->gc_msghave = 0;
	if (call->gc_msglen > max) {
		grpc_refuse(call, GRPC_RESOURCE_EXHAUSTED,
		    "grpc: received message larger than max (%zu vs. %zu)",
		    call->gc_msglen, max);
		return (-1);
	}
	return (0);
}

/* Doubles, up to the announced length. */
static int
grpc_frame_room(struct grpc_call *call, size_t n)
{
	struct grpc_conn	*conn = call->gc_conn;
	size_t			 want = call->gc_msghave + n, cap;
	uint8_t			*msg;

	if (want <= call->gc_msgcap)
		return (0);
	cap = call->gc_msgcap == 0 ? GRPC_FIRST_ALLOC : 2 * call->gc_msgcap;
	if (cap < want)
		cap = want;
	if (cap > call->gc_msglen)
		cap = call->gc_msglen;
	if (conn->gn_assembling + (cap - call->gc_msgcap) >
	    GRPC_ASSEMBLE_MAXBYTES) {
		grpc_refuse(call, GRPC_RESOURCE_EXHAUSTED,
		    "too many large messages at a time");
		return (-1);
	}
	if ((msg = recallocarray(call->gc_msg, call->gc_msgcap, cap, 1)) ==
	    NULL) {
		grpc_refuse(call, GRPC_RESOURCE_EXHAUSTED, "out of memory");
		return (-1);
	}
	conn->gn_assembling += cap - call->gc_msgcap;
	call->gc_msg = msg;
	call->gc_msgcap = cap;
	return (0);
}
