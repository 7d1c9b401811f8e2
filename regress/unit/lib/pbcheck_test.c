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

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc.pb-c.h"
#include "pbcheck.h"
#include "sentinel.pb-c.h"
#include "utf8.h"

/*
 * proto/golden: every wire message as bytes of another implementation of
 * protocol buffers (.bin) and as its text form (.txt).
 */
#define GOLDEN	REGRESS_DIR "/../proto/golden"
#define TEXT_MAX	65536

#define WIRE(name)	&sentinel__cluster__##name##__descriptor

/* --- text form ---------------------------------------------------------- */

struct text {
	char	 buf[TEXT_MAX];
	size_t	 len;
};

static void	 text_message(struct text *, const ProtobufCMessage *, int);

static void __printflike_(2, 3)
text_add(struct text *t, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof(t->buf) - t->len);
	t->len += (size_t)n;
}

static void
text_bytes(struct text *t, const uint8_t *p, size_t len, bool utf8)
{
	size_t	 i;

	text_add(t, "\"");
	for (i = 0; i < len; i++) {
		if (p[i] == '\n')
			text_add(t, "\\n");
		else if (p[i] == '\t')
			text_add(t, "\\t");
		else if (p[i] == '\r')
			text_add(t, "\\r");
		else if (p[i] == '"' || p[i] == '\\' || p[i] == '\'')
			text_add(t, "\\%c", p[i]);
		else if (p[i] < 0x20 || p[i] == 0x7f ||
		    (p[i] >= 0x80 && !utf8))
			text_add(t, "\\%03o", p[i]);
		else
			text_add(t, "%c", p[i]);
	}
	text_add(t, "\"\n");
}

static void
text_value(struct text *t, const ProtobufCFieldDescriptor *fd,
    const void *p, int indent)
{
	const ProtobufCBinaryData	*b;

	text_add(t, "%*s%s", indent, "", fd->name);
	switch (fd->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		text_add(t, " {\n");
		text_message(t, *(ProtobufCMessage *const *)p, indent + 2);
		text_add(t, "%*s}\n", indent, "");
		break;
	case PROTOBUF_C_TYPE_STRING:
		text_add(t, ": ");
		text_bytes(t, *(const uint8_t *const *)p,
		    strlen(*(const char *const *)p), true);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		b = p;
		text_add(t, ": ");
		text_bytes(t, b->data, b->len, false);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		text_add(t, ": true\n");
		break;
	case PROTOBUF_C_TYPE_INT64:
		text_add(t, ": %lld\n", (long long)*(const int64_t *)p);
		break;
	case PROTOBUF_C_TYPE_UINT64:
		text_add(t, ": %llu\n", (unsigned long long)
		    *(const uint64_t *)p);
		break;
	case PROTOBUF_C_TYPE_UINT32:
		text_add(t, ": %u\n", *(const uint32_t *)p);
		break;
	case PROTOBUF_C_TYPE_INT32:
		text_add(t, ": %d\n", *(const int32_t *)p);
		break;
	default:
		fail_msg("%s: type %d", fd->name, (int)fd->type);
	}
}

static bool
is_default(const ProtobufCFieldDescriptor *fd, const void *p)
{
	switch (fd->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return (*(ProtobufCMessage *const *)p == NULL);
	case PROTOBUF_C_TYPE_STRING:
		return (**(const char *const *)p == '\0');
	case PROTOBUF_C_TYPE_BYTES:
		return (((const ProtobufCBinaryData *)p)->len == 0);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		return (*(const int64_t *)p == 0);
	default:
		return (*(const int32_t *)p == 0);
	}
}

static void
text_message(struct text *t, const ProtobufCMessage *m, int indent)
{
	const ProtobufCFieldDescriptor	*fd;
	const uint8_t			*base = (const uint8_t *)m;
	const uint8_t			*p;
	size_t				 i, n, size;
	unsigned int			 f;

	for (f = 0; f < m->descriptor->n_fields; f++) {
		fd = &m->descriptor->fields[f];
		p = base + fd->offset;
		if (fd->label == PROTOBUF_C_LABEL_REPEATED) {
			n = *(const size_t *)(base + fd->quantifier_offset);
			size = sizeof(void *);
			p = *(const uint8_t *const *)p;
			for (i = 0; i < n; i++)
				text_value(t, fd, p + i * size, indent);
			continue;
		}
		if ((fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
		    *(const uint32_t *)(base + fd->quantifier_offset) !=
		    fd->id)
			continue;
		if (!is_default(fd, p))
			text_value(t, fd, p, indent);
	}
}

/* --- golden samples ----------------------------------------------------- */

struct golden {
	char	 name[64];
	uint8_t	*bin;
	size_t	 len;
	char	*txt;
	const ProtobufCMessageDescriptor *desc;
};

static uint8_t *
slurp(const char *name, const char *suffix, size_t *len)
{
	char	 path[PATH_MAX];
	FILE	*f;
	uint8_t	*p;

	(void)snprintf(path, sizeof(path), "%s/%s.%s", GOLDEN, name, suffix);
	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	assert_non_null(p = calloc(1, TEXT_MAX));
	*len = fread(p, 1, TEXT_MAX - 1, f);
	assert_int_equal(ferror(f), 0);
	(void)fclose(f);
	return (p);
}

static const ProtobufCMessageDescriptor *
find_desc(const char *name)
{
	const struct pbcheck_message	*pm;
	size_t				 len = strcspn(name, "-");

	for (pm = pbcheck_wire; pm->pm_desc != NULL; pm++)
		if (strncmp(pm->pm_desc->short_name, name, len) == 0 &&
		    pm->pm_desc->short_name[len] == '\0')
			return (pm->pm_desc);
	return (NULL);
}

static size_t
golden_each(void (*fn)(const struct golden *))
{
	struct golden	 g;
	struct dirent	*de;
	DIR		*d;
	size_t		 n = 0, len, txtlen;

	assert_non_null(d = opendir(GOLDEN));
	while ((de = readdir(d)) != NULL) {
		len = strlen(de->d_name);
		if (len < 5 || len >= sizeof(g.name) ||
		    strcmp(de->d_name + len - 4, ".bin") != 0)
			continue;
		memset(&g, 0, sizeof(g));
		(void)memcpy(g.name, de->d_name, len - 4);
		if ((g.desc = find_desc(g.name)) == NULL)
			fail_msg("%s: no such message", g.name);
		g.bin = slurp(g.name, "bin", &g.len);
		g.txt = (char *)slurp(g.name, "txt", &txtlen);
		fn(&g);
		free(g.bin);
		free(g.txt);
		n++;
	}
	(void)closedir(d);
	return (n);
}

static void
check_values(const struct golden *g)
{
	static struct text	 t;
	struct pbmem		 pm;
	ProtobufCMessage	*m;
	uint8_t			*out;
	const char		*why;
	size_t			 len;

	pbmem_init(&pm, PBMEM_SMALLBYTES, 10000);
	if ((m = pbcheck_unpack(g->desc, g->bin, g->len, &pm, &why)) == NULL)
		fail_msg("%s: %s", g->name, why);
	t.len = 0;
	t.buf[0] = '\0';
	text_message(&t, m, 0);
	assert_string_equal(t.buf, g->txt);
	assert_non_null(out = pbcheck_pack(m, SIZE_MAX, &len));
	if (len != g->len || memcmp(out, g->bin, len) != 0)
		fail_msg("%s: packs to other bytes", g->name);
	free(out);
	pbmem_free(&pm);
}

static void
test_golden(void **state)
{
	(void)state;
	/* Also counts what an empty directory would hide. */
	assert_true(golden_each(check_values) >= 57);
}

/* Every message has a sample, and every member of a oneof. */
static void
test_golden_complete(void **state)
{
	const struct pbcheck_message	*pm;
	const ProtobufCFieldDescriptor	*fd;
	char				 name[128], *p;
	uint8_t				*bin;
	size_t				 len;
	unsigned int			 f;

	(void)state;
	for (pm = pbcheck_wire; pm->pm_desc != NULL; pm++) {
		if (strcmp(pm->pm_desc->package_name, "sentinel.cluster") != 0)
			continue;	/* maps and well-known types */
		if (strstr(pm->pm_desc->name, "Entry") != NULL &&
		    strcmp(pm->pm_desc->short_name, "JournalEntry") != 0)
			continue;
		if (pm->pm_desc != WIRE(agent_message) &&
		    pm->pm_desc != WIRE(server_message)) {
			bin = slurp(pm->pm_desc->short_name, "bin", &len);
			free(bin);
			continue;
		}
		for (f = 0; f < pm->pm_desc->n_fields; f++) {
			fd = &pm->pm_desc->fields[f];
			if (!(fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
				continue;
			(void)snprintf(name, sizeof(name), "%s-%s",
			    pm->pm_desc->short_name, fd->name);
			for (p = name; *p != '\0'; p++)
				if (*p == '_')
					*p = '-';
			bin = slurp(name, "bin", &len);
			free(bin);
		}
	}
}

static void
try_bytes(const ProtobufCMessageDescriptor *desc, const uint8_t *data,
    size_t len)
{
	struct pbmem		 pm;
	ProtobufCMessage	*m;
	uint8_t			*out, *copy;
	size_t			 outlen;

	/* A copy of exact size, so that a sanitizer sees reads past it. */
	assert_non_null(copy = malloc(len == 0 ? 1 : len));
	memcpy(copy, data, len);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 10000);
	m = pbcheck_unpack(desc, copy, len, &pm, NULL);
	if (m != NULL) {
		assert_non_null(out = pbcheck_pack(m, SIZE_MAX, &outlen));
		free(out);
	} else
		assert_string_not_equal(pm.pm_why, "");
	pbmem_free(&pm);
	free(copy);
}

static void
check_mutations(const struct golden *g)
{
	uint8_t	*data;
	size_t	 i, bit;

	for (i = 0; i < g->len; i++)
		try_bytes(g->desc, g->bin, i);
	assert_non_null(data = malloc(g->len + 1));
	memcpy(data, g->bin, g->len);
	for (i = 0; i < g->len; i++)
		for (bit = 0; bit < 8; bit++) {
			data[i] ^= (uint8_t)(1 << bit);
			try_bytes(g->desc, data, g->len);
			data[i] ^= (uint8_t)(1 << bit);
		}
	free(data);
}

static void
test_mutations(void **state)
{
	(void)state;
	(void)golden_each(check_mutations);
}

/* --- the tables against the descriptors --------------------------------- */

static void
check_table(const struct pbcheck_message *table)
{
	const struct pbcheck_message	*pm;
	const struct pbcheck_field	*pf;
	const ProtobufCFieldDescriptor	*fd;
	unsigned int			 f, n;

	for (pm = table; pm->pm_desc != NULL; pm++) {
		assert_ptr_equal(pbcheck_find(pm->pm_desc), pm);
		for (n = 0; pm->pm_fields[n].pf_number != 0; n++) {
			pf = &pm->pm_fields[n];
			fd = protobuf_c_message_descriptor_get_field(
			    pm->pm_desc, pf->pf_number);
			if (fd == NULL || strcmp(fd->name, pf->pf_name) != 0)
				fail_msg("%s: rule %u \"%s\" fits no field",
				    pm->pm_desc->name, pf->pf_number,
				    pf->pf_name);
			if ((fd->label == PROTOBUF_C_LABEL_REPEATED) !=
			    (pf->pf_count > 0))
				fail_msg("%s.%s: count", pm->pm_desc->name,
				    pf->pf_name);
			if ((fd->type == PROTOBUF_C_TYPE_STRING) !=
			    (pf->pf_set != PB_NONE))
				fail_msg("%s.%s: set", pm->pm_desc->name,
				    pf->pf_name);
			assert_true(pf->pf_min <= pf->pf_max);
			if (fd->type == PROTOBUF_C_TYPE_MESSAGE)
				assert_non_null(pbcheck_find(fd->descriptor));
		}
		/* pbcheck.c: SCAN_FIELDS */
		assert_true(n <= 64);
		for (f = 0; f < pm->pm_desc->n_fields; f++) {
			for (n = 0; pm->pm_fields[n].pf_number != 0; n++)
				if (pm->pm_fields[n].pf_number ==
				    pm->pm_desc->fields[f].id)
					break;
			if (pm->pm_fields[n].pf_number == 0)
				fail_msg("%s.%s: no rule", pm->pm_desc->name,
				    pm->pm_desc->fields[f].name);
		}
	}
}

static void
test_tables(void **state)
{
	(void)state;
	check_table(pbcheck_wire);
	check_table(pbcheck_ipc);
	check_table(pbcheck_ipc_control);
	check_table(pbcheck_store);
}

/* --- single rules ------------------------------------------------------- */

struct refusal {
	const ProtobufCMessageDescriptor *desc;
	const char	*data;
	size_t		 len;
	const char	*why;		/* NULL: must pass */
};

#define D(s)	s, sizeof(s) - 1
static const struct refusal refusals[] = {
	{ WIRE(container_info), D("\x12\x03web"), NULL },
	{ WIRE(container_info), D(""), NULL },
	{ WIRE(container_info), D("\x12\x03w\x00" "b"),
	    "ContainerInfo.name: holds a NUL" },
	{ WIRE(container_info), D("\x12\x03w\xff" "b"),
	    "ContainerInfo.name: not UTF-8" },
	{ WIRE(container_info), D("\x12\x03w b"),
	    "ContainerInfo.name: not printable ASCII without space" },
	/* invalid UTF-8 and NUL in a map's key and value */
	{ WIRE(container_info), D("\x32\x06\x0a\x01\xc3\x12\x01v"),
	    "LabelsEntry.key: not UTF-8" },
	{ WIRE(container_info), D("\x32\x06\x0a\x01k\x12\x01\x00"),
	    "LabelsEntry.value: holds a NUL" },
	{ WIRE(container_info), D("\x32\x00"), NULL },
	/* CESU surrogate, overlong slash */
	{ WIRE(fetch_logs_result), D("\x1a\x03\xed\xa0\x80"),
	    "FetchLogsResult.logs: not UTF-8" },
	{ WIRE(fetch_logs_result), D("\x1a\x02\xc0\xaf"),
	    "FetchLogsResult.logs: not UTF-8" },
	{ WIRE(port_mapping), D("\x10\xff\xff\x03"), NULL },
	{ WIRE(port_mapping), D("\x10\x80\x80\x04"),
	    "PortMapping.host_port: 65536 is not within 0 and 65535" },
	/* as a string */
	{ WIRE(port_mapping), D("\x12\x01" "1"),
	    "PortMapping.host_port: wrong wire type" },
	{ WIRE(progress), D("\x12\x01" "c"),
	    "Progress.request_id: missing" },
	{ WIRE(progress), D("\x0a\x01r\x20\x65"),
	    "Progress.percent: 101 is not within 0 and 100" },
	{ WIRE(heartbeat), D("\x0a\x06\x10\x80\x94\xeb\xdc\x03"),
	    "Timestamp.nanos: 1000000000 is not within 0 and 999999999" },
	/* ten bytes of -1 */
	{ WIRE(hook_result),
	    D("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL },
	{ WIRE(hook_result),
	    D("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
	    "HookResult: broken number" },
	{ WIRE(hook_result),
	    D("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	    "HookResult: broken number" },
	/* unknown fields of each wire type */
	{ WIRE(progress), D("\x0a\x01r\xb8\x3e\x01\xba\x3e\x02\xff\x00"
	    "\xb9\x3e" "12345678" "\xbd\x3e" "1234"), NULL },
	{ WIRE(progress), D("\x0a\x01r\xbb\x3e"),
	    "Progress: group or unknown wire type" },
	{ WIRE(progress), D("\x0a\x01r\x00\x01"),
	    "Progress: field number out of range" },
	{ WIRE(progress), D("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01r"),
	    "Progress: truncated" },
	{ WIRE(progress), D("\x0a\xff\xff\xff\xff\x0fr"),
	    "Progress: truncated" },
	{ WIRE(enroll_response), D("\x0a\x02h1\x12\x01" "c"),
	    "EnrollResponse.agent_cert: missing" },
	{ WIRE(command_body), D("\x0a\x01h\x12\x02no\x1a\x01r\x22\x01m"),
	    "CommandBody.session_nonce: shorter than 16 bytes" },
	{ &sentinel__ipc__docker_op__descriptor, D("\x08\x04"), NULL },
	{ &sentinel__ipc__docker_op__descriptor, D("\x08\x64"),
	    "DockerOp.kind: unknown value 100" },
	{ &sentinel__ipc__container_view__descriptor, D("\x0a\x01h"),
	    "ContainerView.info: missing" },
	{ &sentinel__ipc__agent_open__descriptor,
	    D("\x12\x01h\x1a\x02" "AB"),
	    "AgentOpen.serial: not lower-case hexadecimal" },
};

static void
test_refusals(void **state)
{
	struct pbmem	 pm;
	const char	*why;
	void		*m;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(refusals); i++) {
		pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
		m = pbcheck_unpack(refusals[i].desc,
		    (const uint8_t *)refusals[i].data, refusals[i].len, &pm,
		    &why);
		if (refusals[i].why == NULL) {
			if (m == NULL)
				fail_msg("row %zu: %s", i, why);
		} else {
			assert_null(m);
			assert_int_equal(errno, EBADMSG);
			assert_string_equal(why, refusals[i].why);
		}
		pbmem_free(&pm);
	}
}

/* len bytes made of unit, checked and unpacked as desc. */
static const char *
flood(const ProtobufCMessageDescriptor *desc, const char *unit,
    size_t unitlen, size_t count, struct pbmem *pm)
{
	const char	*why;
	uint8_t		*data;
	void		*m;
	size_t		 i;

	assert_non_null(data = malloc(unitlen * count));
	for (i = 0; i < count; i++)
		memcpy(data + i * unitlen, unit, unitlen);
	m = pbcheck_unpack(desc, data, unitlen * count, pm, &why);
	free(data);
	return (m == NULL ? why : NULL);
}

static void
test_floods(void **state)
{
	struct pbmem	 pm;

	(void)state;
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	assert_null(flood(WIRE(container_list), "\x12\x00", 2, 10000, &pm));
	assert_string_equal(flood(WIRE(container_list), "\x12\x00", 2, 10001,
	    &pm), "ContainerList.containers: more than 10000 elements");
	assert_string_equal(flood(WIRE(container_info), "\x32\x00", 2, 2049,
	    &pm), "ContainerInfo.labels: more than 2048 elements");
	assert_string_equal(flood(WIRE(heartbeat), "\x1a\x00", 2, 129, &pm),
	    "Heartbeat.supported_features: more than 128 elements");
	assert_null(flood(WIRE(heartbeat), "\xb8\x3e\x00", 3, 1024, &pm));
	assert_string_equal(flood(WIRE(heartbeat), "\xb8\x3e\x00", 3, 1025,
	    &pm), "Heartbeat: too many unknown fields");
	assert_string_equal(flood(WIRE(heartbeat), "\x0a\x00", 2, 9, &pm),
	    "Heartbeat.timestamp: comes too often");
	/* 30 ports each in 10000 containers */
	assert_string_equal(flood(WIRE(container_list),
	    "\x12\x3e" "B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0"
	    "B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0B\0", 64, 10000, &pm),
	    "ContainerList: too many fields");
	pbmem_free(&pm);

	pbmem_init(&pm, 65536, 1000);
	assert_string_equal(flood(WIRE(container_list), "\x12\x00", 2, 10000,
	    &pm), "ContainerList: needs more than 65536 bytes or "
	    "1000 allocations");
	assert_int_equal(errno, ENOMEM);
	pbmem_free(&pm);
	assert_int_equal(pm.pm_bytes, 0);
}

static void
test_map_last_wins(void **state)
{
	static const uint8_t	 in[] =
	    "\x32\x06\x0a\x01" "a\x12\x01" "1"
	    "\x32\x06\x0a\x01" "b\x12\x01" "2"
	    "\x32\x06\x0a\x01" "a\x12\x01" "3"
	    "\x32\x03\x12\x01" "4"
	    "\x32\x06\x0a\x01" "c\x12\x01" "5"
	    "\x32\x06\x0a\x01" "b\x12\x01" "6";
	Sentinel__Cluster__ContainerInfo	*ci;
	struct pbmem	 pm;

	(void)state;
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	ci = pbcheck_unpack(WIRE(container_info), in, sizeof(in) - 1, &pm,
	    NULL);
	assert_non_null(ci);
	assert_int_equal(ci->n_labels, 4);
	assert_string_equal(ci->labels[0]->key, "a");
	assert_string_equal(ci->labels[0]->value, "3");
	assert_string_equal(ci->labels[1]->key, "");
	assert_string_equal(ci->labels[1]->value, "4");
	assert_string_equal(ci->labels[2]->key, "c");
	assert_string_equal(ci->labels[3]->key, "b");
	assert_string_equal(ci->labels[3]->value, "6");
	pbmem_free(&pm);
}

static void
test_repair(void **state)
{
	Sentinel__Cluster__ContainerInfo		 ci;
	Sentinel__Cluster__ContainerInfo__LabelsEntry	 le, *lep = &le;
	Sentinel__Cluster__Progress			 p;
	struct pbmem	 pm;
	char		 label[] = "caf\xe9", name[] = "web", text[5001];
	char		 id[] = "r";
	uint8_t		*out;
	size_t		 len;

	(void)state;
	sentinel__cluster__container_info__init(&ci);
	sentinel__cluster__container_info__labels_entry__init(&le);
	sentinel__cluster__progress__init(&p);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	le.key = label;
	le.value = name;
	ci.name = name;
	ci.n_labels = 1;
	ci.labels = &lep;
	assert_int_equal(pbcheck_repair(&ci.base, &pm), 0);
	assert_string_equal(le.key, "caf\xef\xbf\xbd");
	assert_ptr_equal(le.value, name);
	assert_non_null(out = pbcheck_pack(&ci.base, 1024, &len));
	assert_non_null(pbcheck_unpack(WIRE(container_info), out, len, &pm,
	    NULL));
	free(out);
	assert_null(pbcheck_pack(&ci.base, len - 1, &len));
	assert_int_equal(errno, EMSGSIZE);

	/* cut between characters; a line has no newline */
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text[0] = '\n';
	text[4095] = '\xc3';
	text[4096] = '\xa9';
	p.request_id = id;
	p.text = text;
	assert_int_equal(pbcheck_repair(&p.base, &pm), 0);
	assert_int_equal(strlen(p.text), 4095);
	assert_int_equal(p.text[0], '?');
	assert_non_null(out = pbcheck_pack(&p.base, 65536, &len));
	assert_non_null(pbcheck_unpack(WIRE(progress), out, len, &pm, NULL));
	free(out);
	pbmem_free(&pm);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_golden_complete),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_map_last_wins),
		cmocka_unit_test(test_repair),
		cmocka_unit_test(test_mutations),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
