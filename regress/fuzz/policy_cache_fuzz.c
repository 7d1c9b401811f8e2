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
/* policy_cache.json: what is taken is printed and read again the same. */

#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "policy_cache.h"
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
/* The archive of the harnesses has lib/ only. */
#include "../../sentinel-agentd/policy_cache.c"
#endif

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct policy_cache	 pc, again;
	unsigned int		 skipped;
	char			*text, *text2, why[256];
	size_t			 n, n2;

	if (policy_cache_parse(&pc, data, len, &skipped, why, sizeof(why)) ==
	    -1) {
		if (why[0] == '\0' || pc.pc_entry != NULL)
			abort();
		return (0);
	}
	if ((text = policy_cache_print(&pc, &n)) == NULL ||
	    policy_cache_parse(&again, text, n, &skipped, why, sizeof(why)) ==
	    -1 || skipped != 0 ||
	    (text2 = policy_cache_print(&again, &n2)) == NULL || n != n2 ||
	    memcmp(text, text2, n) != 0)
		abort();
	free(text);
	free(text2);
	policy_cache_clear(&pc);
	policy_cache_clear(&again);
	return (0);
}
