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

#include "engine_import.h"

#include <stdlib.h>
#include <unistd.h>

#include "engine_journal.h"
#include "engine_policy.h"
#include "log.h"

/* A function returns 0 when what it took is on disk, -1 (logged) otherwise. */
static struct {
	enum conf_file	 kind;
	int		(*take)(const uint8_t *, size_t);
	bool		 held;
	int		 fd;
} imports[] = {
	{ CONF_FILE_POLICY, policy_import, false, -1 },
	{ CONF_FILE_JOURNAL, ojournal_import, false, -1 },
};

bool
import_hold(uint8_t kind, int fd)
{
	size_t	 i;

	for (i = 0; i < nitems(imports); i++) {
		if (imports[i].kind != kind || imports[i].held)
			continue;
		imports[i].held = true;
		imports[i].fd = fd;
		return (true);
	}
	close(fd);
	return (false);
}

void
import_run(void)
{
	uint8_t	*data, body[2];
	size_t	 i, len;

	for (i = 0; i < nitems(imports); i++) {
		if (!imports[i].held)
			continue;
		body[0] = (uint8_t)imports[i].kind;
		body[1] = 1;
		data = passedfile_read(imports[i].fd, PASSED_IMPORT_MAXBYTES,
		    &len);
		if (data == NULL)
			log_warn("%s: file %d: not imported",
			    eng->conf.ac_dir, imports[i].kind);
		else if (imports[i].take(data, len) == 0)
			body[1] = 0;
		peer_send(proc_peer(ROLE_A_PARENT), IMSG_IMPORT_DONE, 0, -1,
		    body, sizeof(body));
		free(data);
		close(imports[i].fd);
		imports[i].held = false;
	}
}
