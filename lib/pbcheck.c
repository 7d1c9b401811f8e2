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

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pbcheck.h"
#include "utf8.h"

/* One message of the scan; fields of all levels count in scan_*. */
struct scan {
	char		*sc_why;
	size_t		 sc_whylen;
	unsigned int	 sc_fields;
	unsigned int	 sc_unknown;
	unsigned int	 sc_depth;
};

/* Descriptors have at most this many fields (checked in a unit test). */
#define SCAN_FIELDS	64
/* A message field that is not repeated may come again; protobuf-c then merges
 * both, in quadratic time. */
#define SCAN_MERGES	8

/* One field as it stands on the wire. */
struct wire {
	uint32_t	 w_number;
	uint32_t	 w_type;
	uint64_t	 w_value;	/* number, or length */
	const uint8_t	*w_data;
};

enum { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2, WIRE_32BIT = 5 };

static int	 scan_message(struct scan *,
		    const ProtobufCMessageDescriptor *, const uint8_t *,
		    size_t);
static int	 scan_missing(struct scan *, const struct pbcheck_message *,
		    const uint32_t *);
static int	 scan_known(struct scan *, const struct pbcheck_message *,
		    const ProtobufCFieldDescriptor *,
		    const struct pbcheck_field *, const struct wire *);
static int	 scan_string(struct scan *, const struct pbcheck_message *,
		    const struct pbcheck_field *, const struct wire *);
static int	 scan_number(struct scan *, const struct pbcheck_message *,
		    const ProtobufCFieldDescriptor *,
		    const struct pbcheck_field *, uint64_t);
static int	 scan_refuse(struct scan *, const struct pbcheck_message *,
		    const char *, const char *, ...) __printflike_(4, 5);
static const char *wire_next(const uint8_t **, const uint8_t *,
		    struct wire *);
static bool	 wire_varint(const uint8_t **, const uint8_t *, uint64_t *);

int
pbcheck_scan(const ProtobufCMessageDescriptor *desc, const uint8_t *data,
    size_t len, char *why, size_t whylen)
{
	struct scan	 sc;

	memset(&sc, 0, sizeof(sc));
	sc.sc_why = why;
	sc.sc_whylen = whylen;
	if (whylen > 0)
		why[0] = '\0';
	return (scan_message(&sc, desc, data, len));
}

const struct pbcheck_message *
pbcheck_find(const ProtobufCMessageDescriptor *desc)
{
	static const struct pbcheck_message *const tables[] = {
		pbcheck_wire, pbcheck_ipc, pbcheck_ipc_control, pbcheck_store
	};
	const struct pbcheck_message	*pm;
	size_t				 i;

	for (i = 0; i < nitems(tables); i++)
		for (pm = tables[i]; pm->pm_desc != NULL; pm++)
			if (pm->pm_desc == desc)
				return (pm);
	return (NULL);
}

static int
scan_message(struct scan *sc, const ProtobufCMessageDescriptor *desc,
    const uint8_t *data, size_t len)
{
	const struct pbcheck_message	*pm;
	const ProtobufCFieldDescriptor	*fd;
	const uint8_t			*p = data, *end = data + len;
	const char			*broken;
	struct wire			 w;
	uint32_t			 seen[SCAN_FIELDS] = { 0 };
	unsigned int			 i;

	if ((pm = pbcheck_find(desc)) == NULL) {
		(void)snprintf(sc->sc_why, sc->sc_whylen, "%s: no rules",
		    desc->short_name);
		errno = EBADMSG;
		return (-1);
	}
	if (++sc->sc_depth > PBCHECK_DEPTH_MAX)
		return (scan_refuse(sc, pm, NULL, "nested too deep"));
	while (p < end) {
		if ((broken = wire_next(&p, end, &w)) != NULL)
			return (scan_refuse(sc, pm, NULL, "%s", broken));
		if (++sc->sc_fields > PBCHECK_FIELDS_MAX)
			return (scan_refuse(sc, pm, NULL, "too many fields"));
		fd = protobuf_c_message_descriptor_get_field(desc,
		    w.w_number);
		if (fd == NULL) {
			if (++sc->sc_unknown > PBCHECK_UNKNOWN_MAX)
				return (scan_refuse(sc, pm, NULL,
				    "too many unknown fields"));
			continue;
		}
		for (i = 0; pm->pm_fields[i].pf_number != w.w_number; i++)
			if (pm->pm_fields[i].pf_number == 0)
				return (scan_refuse(sc, pm, fd->name,
				    "no rule"));
		if (scan_known(sc, pm, fd, &pm->pm_fields[i], &w) == -1)
			return (-1);
		if (fd->label == PROTOBUF_C_LABEL_REPEATED &&
		    seen[i] >= pm->pm_fields[i].pf_count)
			return (scan_refuse(sc, pm, fd->name,
			    "more than %u elements",
			    pm->pm_fields[i].pf_count));
		if (fd->type == PROTOBUF_C_TYPE_MESSAGE &&
		    pm->pm_fields[i].pf_count == 0 && seen[i] >= SCAN_MERGES)
			return (scan_refuse(sc, pm, fd->name,
			    "comes too often"));
		seen[i]++;
	}
	sc->sc_depth--;
	return (scan_missing(sc, pm, seen));
}

/* An absent scalar or string is 0 or "", which the rule may not allow. */
static int
scan_missing(struct scan *sc, const struct pbcheck_message *pm,
    const uint32_t *seen)
{
	const struct pbcheck_field	*pf;
	size_t				 i;

	for (i = 0; (pf = &pm->pm_fields[i])->pf_number != 0; i++)
		if (seen[i] == 0 && pf->pf_count == 0 && pf->pf_min > 0)
			return (scan_refuse(sc, pm, pf->pf_name, "missing"));
	return (0);
}

static int
scan_known(struct scan *sc, const struct pbcheck_message *pm,
    const ProtobufCFieldDescriptor *fd, const struct pbcheck_field *pf,
    const struct wire *w)
{
	uint32_t	 want;

	switch (fd->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		want = WIRE_BYTES;
		break;
	default:
		want = WIRE_VARINT;	/* the only numbers we have */
		break;
	}
	if (w->w_type != want)
		return (scan_refuse(sc, pm, pf->pf_name, "wrong wire type"));
	switch (fd->type) {
	case PROTOBUF_C_TYPE_STRING:
		return (scan_string(sc, pm, pf, w));
	case PROTOBUF_C_TYPE_BYTES:
		if (w->w_value > (uint64_t)pf->pf_max)
			return (scan_refuse(sc, pm, pf->pf_name,
			    "longer than %lld bytes", (long long)pf->pf_max));
		if (w->w_value < (uint64_t)pf->pf_min)
			return (scan_refuse(sc, pm, pf->pf_name,
			    "shorter than %lld bytes",
			    (long long)pf->pf_min));
		return (0);
	case PROTOBUF_C_TYPE_MESSAGE:
		return (scan_message(sc, fd->descriptor, w->w_data,
		    (size_t)w->w_value));
	default:
		return (scan_number(sc, pm, fd, pf, w->w_value));
	}
}

bool
pbcheck_has_set(enum pbcheck_set set, const uint8_t *s, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++) {
		switch (set) {
		case PB_NONE:
		case PB_TEXT:
			return (true);
		case PB_LINE:
			if ((s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
				return (false);
			break;
		case PB_WORD:
			if (s[i] <= 0x20 || s[i] >= 0x7f)
				return (false);
			break;
		case PB_NAME:
			if (!(s[i] >= 'a' && s[i] <= 'z') &&
			    !(s[i] >= 'A' && s[i] <= 'Z') &&
			    !(s[i] >= '0' && s[i] <= '9') &&
			    s[i] != '_' && s[i] != '.' && s[i] != '-')
				return (false);
			break;
		case PB_HEX:
			if (!(s[i] >= 'a' && s[i] <= 'f') &&
			    !(s[i] >= '0' && s[i] <= '9'))
				return (false);
			break;
		case PB_BASE64URL:
			if (!(s[i] >= 'a' && s[i] <= 'z') &&
			    !(s[i] >= 'A' && s[i] <= 'Z') &&
			    !(s[i] >= '0' && s[i] <= '9') &&
			    s[i] != '_' && s[i] != '=' && s[i] != '-')
				return (false);
			break;
		}
	}
	return (true);
}

static int
scan_string(struct scan *sc, const struct pbcheck_message *pm,
    const struct pbcheck_field *pf, const struct wire *w)
{
	static const char *const names[] = {
		[PB_NONE] = "text", [PB_TEXT] = "text",
		[PB_LINE] = "one line of text",
		[PB_WORD] = "printable ASCII without space",
		[PB_NAME] = "only letters, digits, '_', '.' and '-'",
		[PB_HEX] = "lower-case hexadecimal",
		[PB_BASE64URL] = "base64 in letters for URLs"
	};
	size_t	 len;

	if (w->w_value > (uint64_t)pf->pf_max)
		return (scan_refuse(sc, pm, pf->pf_name,
		    "longer than %lld bytes", (long long)pf->pf_max));
	len = (size_t)w->w_value;
	if (len < (size_t)pf->pf_min)
		return (scan_refuse(sc, pm, pf->pf_name,
		    "shorter than %lld bytes", (long long)pf->pf_min));
	if (!utf8_is_valid(w->w_data, len))
		return (scan_refuse(sc, pm, pf->pf_name, "%s",
		    memchr(w->w_data, '\0', len) != NULL ?
		    "holds a NUL" : "not UTF-8"));
	if (!pbcheck_has_set(pf->pf_set, w->w_data, len))
		return (scan_refuse(sc, pm, pf->pf_name, "not %s",
		    names[pf->pf_set]));
	return (0);
}

static int
scan_number(struct scan *sc, const struct pbcheck_message *pm,
    const ProtobufCFieldDescriptor *fd, const struct pbcheck_field *pf,
    uint64_t value)
{
	int64_t	 v;

	/* Cut as protobuf-c and Go do: a negative int32 has ten bytes. */
	switch (fd->type) {
	case PROTOBUF_C_TYPE_BOOL:
		return (0);
	case PROTOBUF_C_TYPE_INT32:
		v = (int32_t)(uint32_t)value;
		break;
	case PROTOBUF_C_TYPE_UINT32:
		v = (uint32_t)value;
		break;
	case PROTOBUF_C_TYPE_INT64:
		v = (int64_t)value;
		break;
	case PROTOBUF_C_TYPE_UINT64:
		v = value > INT64_MAX ? INT64_MAX : (int64_t)value;
		break;
	case PROTOBUF_C_TYPE_ENUM:
		v = (int32_t)(uint32_t)value;
		if (protobuf_c_enum_descriptor_get_value(fd->descriptor,
		    (int)v) == NULL)
			return (scan_refuse(sc, pm, pf->pf_name,
			    "unknown value %lld", (long long)v));
		return (0);
	default:
		return (scan_refuse(sc, pm, pf->pf_name, "unknown type"));
	}
	if (v < pf->pf_min || v > pf->pf_max)
		return (scan_refuse(sc, pm, pf->pf_name,
		    "%lld is not within %lld and %lld", (long long)v,
		    (long long)pf->pf_min, (long long)pf->pf_max));
	return (0);
}

static int
scan_refuse(struct scan *sc, const struct pbcheck_message *pm,
    const char *field, const char *fmt, ...)
{
	va_list	 ap;
	size_t	 n = 0;
	int	 ret;

	if (sc->sc_whylen > 0) {
		ret = snprintf(sc->sc_why, sc->sc_whylen, "%s%s%s: ",
		    pm->pm_desc->short_name, field == NULL ? "" : ".",
		    field == NULL ? "" : field);
		if (ret > 0)
			n = (size_t)ret < sc->sc_whylen ? (size_t)ret :
			    sc->sc_whylen - 1;
		va_start(ap, fmt);
		(void)vsnprintf(sc->sc_why + n, sc->sc_whylen - n, fmt, ap);
		va_end(ap);
	}
	errno = EBADMSG;
	return (-1);
}

/* NULL, or why the bytes are no field. */
static const char *
wire_next(const uint8_t **pp, const uint8_t *end, struct wire *w)
{
	uint64_t	 tag;
	size_t		 n = 0;

	if (!wire_varint(pp, end, &tag))
		return ("broken tag");
	if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return ("field number out of range");
	w->w_number = (uint32_t)(tag >> 3);
	w->w_type = (uint32_t)(tag & 7);
	w->w_value = 0;
	switch (w->w_type) {
	case WIRE_VARINT:
		if (!wire_varint(pp, end, &w->w_value))
			return ("broken number");
		w->w_data = *pp;
		return (NULL);
	case WIRE_64BIT:
		n = 8;
		break;
	case WIRE_32BIT:
		n = 4;
		break;
	case WIRE_BYTES:
		if (!wire_varint(pp, end, &w->w_value))
			return ("broken length");
		if (w->w_value > (uint64_t)(end - *pp))
			return ("truncated");
		n = (size_t)w->w_value;
		break;
	default:
		return ("group or unknown wire type");
	}
	if ((size_t)(end - *pp) < n)
		return ("truncated");
	w->w_data = *pp;
	*pp += n;
	return (NULL);
}

static bool
wire_varint(const uint8_t **pp, const uint8_t *end, uint64_t *v)
{
	const uint8_t	*p = *pp;
	unsigned int	 shift;

	*v = 0;
	for (shift = 0; shift < 70 && p < end; shift += 7) {
		/* The tenth byte has room for one bit. */
		if (shift == 63 && *p > 1)
			return (false);
		*v |= (uint64_t)(*p & 0x7f) << shift;
		if ((*p++ & 0x80) == 0) {
			*pp = p;
			return (true);
		}
	}
	return (false);
}
