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
 * An element of Docker's list of containers: what becomes of it must pass the
 * rules of the message in which it goes to the engine.
 */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_item.h"
#include "docker_live.h"
#include "pbcheck.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const struct docker_container *ct)
{
	const struct docker_port	*pt = ct->ct_ports;
	size_t				 i;

	if (!docker_id_ok(ct->ct_id) || strchr(ct->ct_name, '/') != NULL ||
	    ct->ct_created < 0 || ct->ct_created > DOCKER_TIME_MAX ||
	    ct->ct_nlabels > DOCKER_LABELS_MAX ||
	    ct->ct_nports > DOCKER_PORTS_MAX)
		abort();
	/* In order, and none twice. */
	for (i = 0; i < ct->ct_nports; i++)
		if (pt[i].pt_public == 0 || pt[i].pt_private == 0 ||
		    (i > 0 && (pt[i].pt_private < pt[i - 1].pt_private ||
		    (pt[i].pt_private == pt[i - 1].pt_private &&
		    pt[i].pt_public == pt[i - 1].pt_public &&
		    strcmp(pt[i].pt_proto, pt[i - 1].pt_proto) == 0))))
			abort();
}

static void
on_item(void *arg, const struct docker_container *ct)
{
	Sentinel__Cluster__ContainerInfo	 ci;
	Google__Protobuf__Timestamp		 ts;
	struct pbmem				 pm;
	uint8_t					*out;
	size_t					 len;
	char					 why[192];

	*(bool *)arg = true;
	check(ct);
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	dp_info(&ci, &ts, &pm, ct);
	if ((out = pbcheck_pack(&ci.base, SIZE_MAX, &len)) != NULL &&
	    pbcheck_scan(ci.base.descriptor, out, len, why,
	    sizeof(why)) == -1)
		abort();
	free(out);
	pbmem_free(&pm);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct json	*js;
	const char	*digest, *error;
	bool		 seen = false;

	if ((js = json_parse(data, len, NULL, 0)) == NULL)
		return (0);
	digest = docker_image_digest(json_root(js));
	if (digest != NULL && (strchr(digest, '@') == NULL ||
	    !docker_imageid_ok(strchr(digest, '@') + 1)))
		abort();
	error = docker_item(json_root(js), digest == NULL ? "" : digest,
	    NULL, on_item, &seen);
	if (seen && error[0] != '\0')
		abort();
	json_free(js);
	return (0);
}
