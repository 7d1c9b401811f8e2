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

#include "selfconf.h"

#include <stdio.h>
#include <string.h>

#include "selfid.h"

static const struct selfid	*self(void);

static const struct selfid *
self(void)
{
	static struct selfid	 si;
	static bool		 found;

	if (!found)
		selfid_find(&si);
	found = true;
	return (&si);
}

const char *
selfconf_id(void)
{
	return (self()->sf_id);
}

void
selfconf_pack(struct docker_conf *dc, const struct conf_docker *cd,
    const char *data_dir, const char *state)
{
	dc->dc_enabled = 1;
	dc->dc_gate_msec = cd->cd_gate_msec;
	dc->dc_pull_idle_msec = cd->cd_pull_idle_msec;
	dc->dc_min_free_mib = cd->cd_min_free_mib;
	dc->dc_self_msec = cd->cd_self_msec;
	if (cd->cd_socket == NULL ||
	    strlen(cd->cd_socket) >= sizeof(dc->dc_socket) ||
	    strlen(data_dir) >= sizeof(dc->dc_data))
		return;
	(void)strlcpy(dc->dc_self_id, self()->sf_id, sizeof(dc->dc_self_id));
	(void)strlcpy(dc->dc_self_upper, self()->sf_upper,
	    sizeof(dc->dc_self_upper));
	(void)strlcpy(dc->dc_data, data_dir, sizeof(dc->dc_data));
	(void)snprintf(dc->dc_state, sizeof(dc->dc_state), "%s/%s", data_dir,
	    state);
	(void)strlcpy(dc->dc_socket, cd->cd_socket, sizeof(dc->dc_socket));
}
