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

#ifndef IPCCHECK_H
#define IPCCHECK_H

#include "compat.h"

#include "imsg.h"
#include "pbcheck.h"

/*
 * Unpack the body of a message between processes (proto/ipc.proto) with the
 * rules of pbcheck_ipc.c; required fields are those with a lowest length or
 * value above 0.  The whole unread body is consumed.
 *
 * Returns the message, alive until pbmem_free(), or NULL with EBADMSG or
 * ENOMEM and the reason in pm->pm_why, for peer_broken().
 */
void	*ipc_unpack(struct imsg *, const ProtobufCMessageDescriptor *,
	    struct pbmem *);

#endif /* IPCCHECK_H */
