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
 * First byte chooses an inspect answer, of which the detail must pass the
 * rules of the wire, or a time.
 */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_detail.h"
#include "pbcheck.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
fuzz_detail(const char *text, size_t len)
{
	Sentinel__Cluster__Detail	 d;
	struct pbmem			 pm;
	struct json			*js;
	uint8_t				*out;
	size_t				 n;
	char				 why[192];

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	sentinel__cluster__detail__init(&d);
	/* What is cut to the lengths of the wire fits in the arena. */
	if (docker_detail_read(&d, &pm, json_root(js)) == -1 ||
	    d.restart_policy[0] == '\0')
		abort();
	if ((out = pbcheck_pack(&d.base, SIZE_MAX, &n)) != NULL &&
	    pbcheck_scan(d.base.descriptor, out, n, why, sizeof(why)) == -1)
		abort();
	free(out);
	pbmem_free(&pm);
	json_free(js);
}

static void
fuzz_time(const char *text)
{
	int64_t	 sec = docker_time(text);

	if (sec < 0 || sec > DOCKER_TIME_MAX)
		abort();
	/* What is a time ends where it ends. */
	if (sec != 0 && text[strlen(text) - 1] != 'Z' &&
	    (strlen(text) < 6 || strchr("+-", text[strlen(text) - 6]) ==
	    NULL))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	*text;

	if (len == 0 || (text = malloc(len)) == NULL)
		return (0);
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	if ((data[0] & 1) != 0)
		fuzz_detail(text, len - 1);
	else
		fuzz_time(text);
	free(text);
	return (0);
}
