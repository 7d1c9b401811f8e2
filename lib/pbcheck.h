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

#ifndef PBCHECK_H
#define PBCHECK_H

#include "compat.h"

#include <protobuf-c/protobuf-c.h>

#include "pbmem.h"

/*
 * Field checks for every message of proto/sentinel.proto, ipc.proto and
 * store.proto, on the bytes of the wire before protobuf-c sees them:
 * protobuf-c neither checks UTF-8 nor notices a NUL inside a string, has no
 * limit on counts, and multiplies memory.  Rules are tables, one line a field
 * (pbcheck_wire.c, pbcheck_ipc*.c, pbcheck_store.c); a unit test holds them
 * against the descriptors.
 *
 * Unknown fields are skipped, as the protocol wants, but counted.  Of a field
 * or map key that comes twice the last one counts.  A known field with a
 * foreign wire type, a group, and an overlong number are refused.
 */
#define PBCHECK_DEPTH_MAX	8	/* messages in messages */
#define PBCHECK_FIELDS_MAX	300000	/* in one message, all levels */
#define PBCHECK_UNKNOWN_MAX	1024	/* in one message, all levels */

/* What a string may hold; each is UTF-8 without NUL.  "" always passes the
 * character test; a lowest length above 0 refuses it. */
enum pbcheck_set {
	PB_NONE,	/* number, bool, message, bytes */
	PB_TEXT,	/* anything, also newlines: logs, labels */
	PB_LINE,	/* no control character but tab */
	PB_WORD,	/* printable ASCII without space */
	PB_NAME,	/* [A-Za-z0-9_.-] */
	PB_HEX,		/* [0-9a-f] */
	PB_BASE64URL	/* [A-Za-z0-9_=-] */
};

struct pbcheck_field {
	uint32_t	 pf_number;
	const char	*pf_name;
	int64_t		 pf_min;	/* bytes of string or bytes; value */
	int64_t		 pf_max;
	enum pbcheck_set pf_set;
	uint32_t	 pf_count;	/* repeated: most elements, else 0 */
};

/* Fields end with pf_number 0. */
struct pbcheck_message {
	const ProtobufCMessageDescriptor *pm_desc;
	const struct pbcheck_field	*pm_fields;
};

/* Tables end with pm_desc NULL. */
extern const struct pbcheck_message	pbcheck_wire[];
extern const struct pbcheck_message	pbcheck_ipc[];
extern const struct pbcheck_message	pbcheck_ipc_control[];
extern const struct pbcheck_message	pbcheck_store[];

/* NULL when there are no rules: such a message is never unpacked. */
const struct pbcheck_message *pbcheck_find(const ProtobufCMessageDescriptor *);

/*
 * Check without unpacking.
 *	why, whylen	out: "ContainerInfo.name: longer than 255 bytes"
 * Returns 0, or -1 with EBADMSG.
 */
int	 pbcheck_scan(const ProtobufCMessageDescriptor *, const uint8_t *,
	    size_t, char *why, size_t whylen);
/*
 * Check, unpack into the arena, drop earlier duplicates of map keys.
 *	why	out unless NULL: reason in pm->pm_why
 * Returns the message, which lives until pbmem_free(), or NULL with EBADMSG
 * (why says which field), or ENOMEM (a limit of the arena).
 */
void	*pbcheck_unpack(const ProtobufCMessageDescriptor *, const uint8_t *,
	    size_t, struct pbmem *, const char **why);

/*
 * Before packing anew what pbcheck_unpack() gave: forget the unknown fields,
 * on all levels, which protobuf-c keeps and would pack again.
 */
void	 pbcheck_strip(ProtobufCMessage *);

/* Whether every byte may stand in such a string; UTF-8 is not looked at. */
bool	 pbcheck_has_set(enum pbcheck_set, const uint8_t *, size_t);

/*
 * Before packing what holds strings from Docker or a file: every string that
 * is not valid UTF-8 or is longer than its rule allows is replaced by a
 * repaired, cut copy in the arena; characters of a PB_LINE that it may not
 * hold become '?'.  The pointers in the message change, so it must not be
 * freed by protobuf_c_message_free_unpacked().  Returns 0, or -1 with ENOMEM.
 */
int	 pbcheck_repair(ProtobufCMessage *, struct pbmem *);

/*
 * Serialise.  Returns malloc'd bytes (never NULL for an empty message), or
 * NULL with EMSGSIZE (more than max) or ENOMEM.
 */
uint8_t	*pbcheck_pack(const ProtobufCMessage *, size_t max, size_t *len);

#endif /* PBCHECK_H */
