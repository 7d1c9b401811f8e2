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

/*
 * The offline journal as found on disk, and offline_journal.json as left by
 * anybody.  The first byte chooses: records as they are, records whose
 * checksums are made right first, or the file.
 */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "engine_jentry.h"
#include "engine_jlog.h"
#include "pbcheck.h"
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
/* The archive of the harnesses has lib/ only. */
#include "../../sentinel-agentd/passedfile.c"
#include "../../sentinel-agentd/engine_jentry.c"
#include "../../sentinel-agentd/engine_jlog.c"
#endif

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What is read fits the wire, and reads the same when written again. */
static void
on_text(void *arg, const char *text, size_t len)
{
	Sentinel__Cluster__JournalEntry	*m, *again;
	struct pbmem			 pm, pm2;
	const char			*why;
	uint8_t				*data;
	char				*out, *nice;
	size_t				 n, outlen;

	(void)arg;
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	if ((m = jentry_read(text, len, &pm, &why)) == NULL) {
		pbmem_free(&pm);
		return;
	}
	if (m->id[0] == '\0' || m->duration->seconds < 0 ||
	    (data = pbcheck_pack(&m->base, 1 << 20, &n)) == NULL ||
	    pbcheck_scan(m->base.descriptor, data, n, NULL, 0) == -1)
		abort();
	if ((out = jentry_make(m, &outlen)) == NULL ||
	    outlen > JLOG_REC_MAXBYTES)
		abort();
	pbmem_init(&pm2, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	if ((again = jentry_read(out, outlen, &pm2, &why)) == NULL ||
	    strcmp(again->id, m->id) != 0 ||
	    strcmp(again->error, m->error) != 0)
		abort();
	if ((nice = jentry_indent(out, outlen, &n)) == NULL)
		abort();
	free(nice);
	free(out);
	free(data);
	pbmem_free(&pm2);
	pbmem_free(&pm);
}

static int
on_element(void *arg, const char *text, size_t len)
{
	on_text(arg, text, len);
	return (0);
}

static void
fix(uint8_t *buf, size_t size)
{
	size_t	 pos = 0, len;

	while (size - pos > JLOG_HEAD + 2) {
		len = (size_t)buf[pos + 3] + 2;
		if (len > size - pos - JLOG_HEAD)
			len = size - pos - JLOG_HEAD;
		buf[pos + JLOG_HEAD] = '{';
		buf[pos + JLOG_HEAD + len - 1] = '}';
		head_make(buf + pos, (char *)buf + pos + JLOG_HEAD, len);
		pos += JLOG_HEAD + len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_splitter	*sp;
	struct jlog_scan	 js;
	uint8_t			*copy;

	if (size < 2 || size > 65536)
		return (0);
	if (data[0] % 3 == 2) {
		sp = json_splitter_new(JSON_SPLIT_ARRAY, 1 << 20, on_element,
		    NULL);
		if (sp != NULL && json_splitter_feed(sp, data + 1,
		    size - 1) == 0)
			(void)json_splitter_end(sp);
		json_splitter_free(sp);
		return (0);
	}
	if ((copy = malloc(size - 1)) == NULL)
		return (0);
	memcpy(copy, data + 1, size - 1);
	if (data[0] % 3 == 1)
		fix(copy, size - 1);
	jlog_parse(copy, size - 1, on_text, NULL, &js);
	if (js.js_end > size - 1 || js.js_holes > js.js_records)
		abort();
	free(copy);
	return (0);
}
