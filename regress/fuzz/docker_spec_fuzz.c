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

/* What Docker says of a container and of two images, as a create body. */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_spec.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What comes out is JSON, whatever came in. */
static void
check(const char *text, size_t len)
{
	struct json	*js;

	if (text == NULL || strlen(text) != len ||
	    (js = json_parse(text, len, NULL, 0)) == NULL)
		abort();
	json_free(js);
}

/* {"container": ..., "old": ..., "new": ...} after a byte for the version. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct docker_spec_in	 si = { .si_ref = "app:2",
		.si_engine = "host" };
	struct docker_spec	 sp;
	struct json		*js;
	char			 err[256], *connect;
	size_t			 i, clen;

	if (len == 0 || (js = json_parse(data + 1, len - 1, NULL, 0)) == NULL)
		return (0);
	si.si_api = 41 + data[0] % 16;
	si.si_podman = (data[0] & 0x10) != 0;
	si.si_container = json_get(json_root(js), "container");
	si.si_image = json_get(json_root(js), "old");
	si.si_health = json_get(si.si_image, "Healthcheck");
	si.si_new = json_get(json_root(js), "new");
	if (docker_spec_build(&sp, &si, err, sizeof(err)) == 0) {
		check(sp.sp_body, sp.sp_bodylen);
		for (i = 0; i < sp.sp_nnets; i++) {
			connect = docker_spec_connect("id",
			    sp.sp_nets[i].nt_config, &clen);
			check(connect, clen);
			free(connect);
		}
		for (i = 0; i < sp.sp_ndrops; i++)
			if (sp.sp_drops[i].dd_name == NULL ||
			    sp.sp_drops[i].dd_why == NULL)
				abort();
		docker_spec_free(&sp);
	} else if (err[0] == '\0')
		abort();
	json_free(js);
	return (0);
}
