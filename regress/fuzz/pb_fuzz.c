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

#include <stdlib.h>

#include "pbcheck.h"

/*
 * Any bytes as any message: the first byte chooses it.  What unpacks must
 * pack again, and the result must pass the same checks.
 */
int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const ProtobufCMessageDescriptor *
choose(unsigned int n)
{
	static const struct pbcheck_message *const tables[] = {
		pbcheck_wire, pbcheck_ipc, pbcheck_ipc_control, pbcheck_store
	};
	const struct pbcheck_message	*pm;
	unsigned int			 i;

	for (i = 0; i < nitems(tables); i++)
		for (pm = tables[i]; pm->pm_desc != NULL; pm++)
			if (n-- == 0)
				return (pm->pm_desc);
	return (pbcheck_wire[0].pm_desc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const ProtobufCMessageDescriptor	*desc;
	struct pbmem				 pm;
	ProtobufCMessage			*m;
	uint8_t					*out;
	size_t					 outlen;

	if (len < 1)
		return (0);
	desc = choose(data[0]);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 10000);
	m = pbcheck_unpack(desc, data + 1, len - 1, &pm, NULL);
	if (m != NULL) {
		if (pbcheck_repair(m, &pm) == 0 &&
		    (out = pbcheck_pack(m, SIZE_MAX, &outlen)) != NULL) {
			if (pbcheck_scan(desc, out, outlen, pm.pm_why,
			    sizeof(pm.pm_why)) == -1)
				abort();
			free(out);
		}
	}
	pbmem_free(&pm);
	return (0);
}
