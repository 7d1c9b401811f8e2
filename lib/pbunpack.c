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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipccheck.h"
#include "pbcheck.h"
#include "utf8.h"

/* For qsort(3): duplicates side by side, in the order they came. */
struct mapref {
	const char	*mr_key;
	size_t		 mr_index;
};

static int	 map_dedupe(ProtobufCMessage *, struct pbmem *);
static int	 map_dedupe_field(ProtobufCMessage **, size_t *,
		    struct pbmem *);
static bool	 map_is_entry(const ProtobufCMessageDescriptor *);
static int	 mapref_cmp(const void *, const void *);
static int	 repair_field(ProtobufCMessage *,
		    const ProtobufCFieldDescriptor *,
		    const struct pbcheck_field *, struct pbmem *);
static int	 repair_string(char **, const struct pbcheck_field *,
		    struct pbmem *);

/* --- access to a message by its descriptor ------------------------------ */

static void *
member(ProtobufCMessage *m, unsigned int offset)
{
	return ((uint8_t *)m + offset);
}

static size_t
field_count(ProtobufCMessage *m, const ProtobufCFieldDescriptor *fd)
{
	if (fd->label == PROTOBUF_C_LABEL_REPEATED)
		return (*(size_t *)member(m, fd->quantifier_offset));
	if (fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return (*(uint32_t *)member(m, fd->quantifier_offset) ==
		    fd->id);
	return (1);
}

/* The array of pointers (strings or messages) of a field. */
static void **
field_pointers(ProtobufCMessage *m, const ProtobufCFieldDescriptor *fd)
{
	if (fd->label == PROTOBUF_C_LABEL_REPEATED)
		return (*(void ***)member(m, fd->offset));
	return (member(m, fd->offset));
}

/* --- in ----------------------------------------------------------------- */

void *
pbcheck_unpack(const ProtobufCMessageDescriptor *desc, const uint8_t *data,
    size_t len, struct pbmem *pm, const char **why)
{
	ProtobufCMessage	*m;

	if (why != NULL)
		*why = pm->pm_why;
	if (pbcheck_scan(desc, data, len, pm->pm_why, sizeof(pm->pm_why)) ==
	    -1)
		return (NULL);
	m = protobuf_c_message_unpack(desc, &pm->pm_alloc, len, data);
	if (m == NULL || map_dedupe(m, pm) == -1) {
		/* The scan has passed: only memory is left as a reason. */
		(void)snprintf(pm->pm_why, sizeof(pm->pm_why),
		    "%s: needs more than %zu bytes or %zu allocations",
		    desc->short_name, pm->pm_maxbytes, pm->pm_maxallocs);
		errno = ENOMEM;
		return (NULL);
	}
	return (m);
}

void
pbcheck_strip(ProtobufCMessage *m)
{
	const ProtobufCFieldDescriptor	*fd;
	ProtobufCMessage		**sub;
	size_t				 i, n;
	unsigned int			 f;

	/* The arena owns the bytes. */
	m->n_unknown_fields = 0;
	m->unknown_fields = NULL;
	for (f = 0; f < m->descriptor->n_fields; f++) {
		fd = &m->descriptor->fields[f];
		if (fd->type != PROTOBUF_C_TYPE_MESSAGE ||
		    (n = field_count(m, fd)) == 0)
			continue;
		sub = (ProtobufCMessage **)field_pointers(m, fd);
		for (i = 0; i < n; i++)
			if (sub[i] != NULL)
				pbcheck_strip(sub[i]);
	}
}

void *
ipc_unpack(struct imsg *imsg, const ProtobufCMessageDescriptor *desc,
    struct pbmem *pm)
{
	struct ibuf	*buf;
	const uint8_t	*data;
	void		*m;
	size_t		 len;

	len = imsg_get_len(imsg);
	buf = imsg_get_ibuf(imsg);
	data = len == 0 ? (const uint8_t *)"" : ibuf_data(buf);
	m = pbcheck_unpack(desc, data, len, pm, NULL);
	(void)ibuf_skip(buf, len);
	return (m);
}

static int
map_dedupe(ProtobufCMessage *m, struct pbmem *pm)
{
	const ProtobufCFieldDescriptor	*fd;
	ProtobufCMessage		**sub;
	size_t				 i, n;
	unsigned int			 f;

	for (f = 0; f < m->descriptor->n_fields; f++) {
		fd = &m->descriptor->fields[f];
		if (fd->type != PROTOBUF_C_TYPE_MESSAGE ||
		    (n = field_count(m, fd)) == 0)
			continue;
		sub = (ProtobufCMessage **)field_pointers(m, fd);
		if (map_is_entry(fd->descriptor)) {
			if (map_dedupe_field(sub,
			    member(m, fd->quantifier_offset), pm) == -1)
				return (-1);
			continue;
		}
		for (i = 0; i < n; i++)
			if (sub[i] != NULL && map_dedupe(sub[i], pm) == -1)
				return (-1);
	}
	return (0);
}

/* The order of what stays is kept; the last of equal keys stays. */
static int
map_dedupe_field(ProtobufCMessage **entry, size_t *np, struct pbmem *pm)
{
	const ProtobufCFieldDescriptor	*key;
	struct mapref			*ref;
	size_t				 i, n = *np, out;

	if (n < 2)
		return (0);
	if ((ref = pbmem_alloc(pm, n * sizeof(*ref))) == NULL)
		return (-1);
	for (i = 0; i < n; i++) {
		key = &entry[i]->descriptor->fields[0];
		ref[i].mr_key = *(char **)member(entry[i], key->offset);
		ref[i].mr_index = i;
	}
	qsort(ref, n, sizeof(*ref), mapref_cmp);
	for (i = 0; i + 1 < n; i++)
		if (strcmp(ref[i].mr_key, ref[i + 1].mr_key) == 0)
			entry[ref[i].mr_index] = NULL;
	for (i = out = 0; i < n; i++)
		if (entry[i] != NULL)
			entry[out++] = entry[i];
	*np = out;
	return (0);
}

/* protoc-c does not mark them; a map is a message FooEntry {key, value}. */
static bool
map_is_entry(const ProtobufCMessageDescriptor *desc)
{
	size_t	 len = strlen(desc->short_name);

	return (desc->n_fields == 2 && len > 5 &&
	    strcmp(desc->short_name + len - 5, "Entry") == 0 &&
	    desc->fields[0].type == PROTOBUF_C_TYPE_STRING &&
	    strcmp(desc->fields[0].name, "key") == 0 &&
	    strcmp(desc->fields[1].name, "value") == 0);
}

static int
mapref_cmp(const void *a, const void *b)
{
	const struct mapref	*x = a, *y = b;
	int			 c;

	if ((c = strcmp(x->mr_key, y->mr_key)) != 0)
		return (c);
	return (x->mr_index < y->mr_index ? -1 : 1);
}

/* --- out ---------------------------------------------------------------- */

int
pbcheck_repair(ProtobufCMessage *m, struct pbmem *pm)
{
	const struct pbcheck_message	*rule;
	const struct pbcheck_field	*pf;
	const ProtobufCFieldDescriptor	*fd;
	unsigned int			 f;

	rule = pbcheck_find(m->descriptor);
	for (f = 0; f < m->descriptor->n_fields; f++) {
		fd = &m->descriptor->fields[f];
		pf = rule == NULL ? NULL : rule->pm_fields;
		while (pf != NULL && pf->pf_number != fd->id)
			pf = pf->pf_number == 0 ? NULL : pf + 1;
		if (repair_field(m, fd, pf, pm) == -1)
			return (-1);
	}
	return (0);
}

static int
repair_field(ProtobufCMessage *m, const ProtobufCFieldDescriptor *fd,
    const struct pbcheck_field *pf, struct pbmem *pm)
{
	void	**p;
	size_t	  i, n;

	if (fd->type != PROTOBUF_C_TYPE_STRING &&
	    fd->type != PROTOBUF_C_TYPE_MESSAGE)
		return (0);
	if ((n = field_count(m, fd)) == 0)
		return (0);
	p = field_pointers(m, fd);
	for (i = 0; i < n; i++) {
		if (p[i] == NULL)
			continue;
		if (fd->type == PROTOBUF_C_TYPE_MESSAGE) {
			if (pbcheck_repair(p[i], pm) == -1)
				return (-1);
		} else if (repair_string((char **)&p[i], pf, pm) == -1)
			return (-1);
	}
	return (0);
}

static int
repair_string(char **sp, const struct pbcheck_field *pf, struct pbmem *pm)
{
	char	*s;
	size_t	 len = strlen(*sp), max;

	max = pf == NULL ? len * 3 : (size_t)pf->pf_max;
	if (len <= max && utf8_is_valid(*sp, len) && (pf == NULL ||
	    pf->pf_set != PB_LINE || pbcheck_has_set(PB_LINE,
	    (const uint8_t *)*sp, len)))
		return (0);
	if ((s = pbmem_text(pm, *sp, len, max)) == NULL)
		return (-1);
	*sp = s;
	if (pf != NULL && pf->pf_set == PB_LINE)
		for (; *s != '\0'; s++)
			if (((unsigned char)*s < 0x20 && *s != '\t') ||
			    *s == 0x7f)
				*s = '?';
	return (0);
}

uint8_t *
pbcheck_pack(const ProtobufCMessage *m, size_t max, size_t *len)
{
	uint8_t	*p;
	size_t	 n;

	n = protobuf_c_message_get_packed_size(m);
	if (n > max) {
		errno = EMSGSIZE;
		return (NULL);
	}
	if ((p = malloc(n == 0 ? 1 : n)) == NULL)
		return (NULL);
	*len = protobuf_c_message_pack(m, p);
	return (p);
}
