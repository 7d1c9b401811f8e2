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
 * Names of images: the private ones, which say of which container they are,
 * and references as people and labels write them.
 */
#include "compat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_keep.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What is taken for one of ours is what we would make of it. */
static void
fuzz_name(const char *text)
{
	struct keep_name	 kn;
	char			 repo[DOCKER_REF_MAXBYTES];
	char			 tag[KEEP_TAG_MAXBYTES], full[2048];

	/* Docker takes no longer ones, and we make none. */
	if (strcspn(text, ":") > 240 || keep_parse_name(&kn, text) == -1)
		return;
	if (!docker_name_ok(kn.kn_container) ||
	    strlen(kn.kn_ref) >= sizeof(kn.kn_ref))
		abort();
	if (keep_make_name(repo, tag, kn.kn_container, kn.kn_ref,
	    kn.kn_time) == -1)
		abort();
	(void)snprintf(full, sizeof(full), "%s:%s", repo, tag);
	if (strcmp(full, text) != 0 && ((text = strchr(text, '/')) == NULL ||
	    strcmp(full, text + 1) != 0))
		abort();
}

static void
fuzz_ref(const char *text)
{
	struct docker_ref	 rf;

	if (docker_ref_parse(&rf, text) == -1)
		return;
	if (rf.rf_repo[0] == '\0' ||
	    (rf.rf_tag[0] == '\0' && rf.rf_digest[0] == '\0'))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	*text;

	if ((text = malloc(len + 1)) == NULL)
		return (0);
	memcpy(text, data, len);
	text[len] = '\0';
	fuzz_name(text);
	fuzz_ref(text);
	free(text);
	return (0);
}
