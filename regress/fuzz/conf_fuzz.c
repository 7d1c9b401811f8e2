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

/* The configuration file's text, and the file again as printed. */

#include "compat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_load.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct conf_errs	 errs;
	struct conf		*c;
	char			*text = NULL;
	size_t			 tlen;
	FILE			*f;

	if (len > CONF_FILE_MAXBYTES)
		return (0);
	memset(&errs, 0, sizeof(errs));
	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->c_file = strdup("fuzz")) == NULL)
		abort();
	conf_yaml_parse(c, "fuzz", data, len, &errs);
	if ((f = open_memstream(&text, &tlen)) == NULL ||
	    conf_print(c, f) == -1 || fclose(f) == EOF)
		abort();
	free(text);
	conf_errs_free(&errs);
	conf_free(c);
	return (0);
}
