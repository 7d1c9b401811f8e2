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

#include "dockerspace.h"

#include <stdio.h>
#include <string.h>

#include "docker_process_int.h"
#include "docker_progress.h"
#include "docker_pull.h"
#include "log.h"

#define SPACE_ASK_MSEC	5000

static void	 space_answered(void *, enum req_end, struct imsg *);
static void	 space_unknown(const char *);

static struct peer *
space_parent(void)
{
	struct peer	*p = proc_peer(ROLE_A_PARENT);

	return (p != NULL ? p : proc_peer(ROLE_PARENT));
}

void
dockerspace_guard(void *arg, uint64_t number)
{
	struct peer	*p = space_parent();
	uint32_t	 id = 0;

	(void)arg;
	if (dp->dp_conf.dc_min_free_mib != 0 && p != NULL)
		id = reqtab_add(dp->dp_asks, p->pe_channel, SPACE_ASK_MSEC,
		    space_answered, (void *)(uintptr_t)number);
	if (id != 0)
		peer_send(p, IMSG_DOCKER_SPACE_ASK, id, -1, NULL, 0);
	else
		docker_pull_answer(dp->dp_docker, number, "");
}

void
dockerspace_answer(struct peer *p, struct imsg *imsg)
{
	if (reqtab_answer(dp->dp_asks, p->pe_channel, imsg_get_id(imsg),
	    imsg) == -1)
		log_debug("docker: late answer about free space");
}

/* Once, not with every pull. */
static void
space_unknown(const char *why)
{
	static bool	 told;

	if (!told)
		log_warnx("docker: free space is not looked at before a pull: "
		    "%s", why);
	told = true;
}

int
dockerspace_parse(struct ibuf *buf, struct dockerspace *ds)
{
	uint8_t	 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_n64(buf, &ds->ds_total) == -1 ||
	    ibuf_get_n64(buf, &ds->ds_avail) == -1 ||
	    ibuf_get_string(buf, ds->ds_text, sizeof(ds->ds_text)) == -1 ||
	    ibuf_end(buf) == -1)
		return (-1);
	ds->ds_known = rc == 0;
	return (0);
}

void
dockerspace_why(const struct dockerspace *ds, uint64_t least,
    char why[DOCKERSPACE_WHY_MAXBYTES])
{
	char	 has[DOCKER_SIZE_MAXBYTES], wants[DOCKER_SIZE_MAXBYTES];

	why[0] = '\0';
	if (ds->ds_known && ds->ds_avail < least)
		(void)snprintf(why, DOCKERSPACE_WHY_MAXBYTES, "not enough "
		    "free space: %s of %s, and docker_min_free wants %s: "
		    "remove images, or enlarge it",
		    docker_pull_size(ds->ds_avail, has), ds->ds_text,
		    docker_pull_size(least, wants));
}

static void
space_answered(void *arg, enum req_end end, struct imsg *m)
{
	struct dockerspace	 ds;
	uint64_t		 number = (uint64_t)(uintptr_t)arg;
	char			 why[DOCKERSPACE_WHY_MAXBYTES];

	if (end != REQ_ANSWER) {
		space_unknown("no answer");
		docker_pull_answer(dp->dp_docker, number, "");
		return;
	}
	if (dockerspace_parse(imsg_get_ibuf(m), &ds) == -1)
		fatalx("docker: bad message from the parent");
	if (!ds.ds_known)
		space_unknown(ds.ds_text);
	dockerspace_why(&ds, dp->dp_conf.dc_min_free_mib * 1024 * 1024, why);
	docker_pull_answer(dp->dp_docker, number, why);
}
