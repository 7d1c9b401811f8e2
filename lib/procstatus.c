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

#include "procstatus.h"

#include <unistd.h>

#include "log.h"

static void	 send_row(struct peer *, uint32_t, const struct proc_row *);

static const struct proc_table	*table;

void
procstatus_init(const struct proc_table *pt)
{
	table = pt;
}

static void
send_row(struct peer *p, uint32_t id, const struct proc_row *row)
{
	bool		 self = row->pr_role == proc_self();
	struct ibuf	*buf;

	if ((buf = ibuf_dynamic(64, 400)) == NULL ||
	    ibuf_add_string(buf, row->pr_name) == -1 ||
	    ibuf_add_n32(buf, (uint64_t)(self ? getpid() :
	    proc_pid(row->pr_role))) == -1 ||
	    ibuf_add_n32(buf, self ? getuid() : proc_uid(row->pr_role)) ==
	    -1 || ibuf_add_n32(buf, self ? 0 :
	    proc_restarts(row->pr_role)) == -1 ||
	    ibuf_add_string(buf, self ? "" : proc_sandbox(row->pr_role)) == -1)
		fatal("procstatus");
	peer_send_ibuf(p, IMSG_STATUS_PROC, id, -1, buf);
	ibuf_free(buf);
}

void
procstatus_ask(struct peer *p, struct imsg *imsg)
{
	const struct proc_row	*row;
	size_t			 i;

	for (i = 0; table != NULL && i < table->pt_nrows; i++) {
		row = &table->pt_rows[i];
		if (row->pr_role == proc_self() || proc_pid(row->pr_role) != 0)
			send_row(p, imsg_get_id(imsg), row);
	}
	peer_send(p, IMSG_STATUS_END, imsg_get_id(imsg), -1, NULL, 0);
}
