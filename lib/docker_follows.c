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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_follow.h"
#include "docker_process_int.h"
#include "follow.h"
#include "ipccheck.h"

/*
 * Follows as the engine asks for them, by its numbers.  It may ask for one to
 * end that has ended already, and give credit to it.
 */
struct dp_follow {
	TAILQ_ENTRY(dp_follow)	 fw_entry;
	uint32_t		 fw_id;
	char			 fw_container[DOCKER_NAME_MAXBYTES];
	struct docker_follow	*fw_follow;
	unsigned int		 fw_out;	/* messages without credit */
};

static void	 on_open(void *);
static void	 on_text(void *, int, const char *, uint64_t);
static const char *on_cause(void *);
static void	 on_end(void *, const char *, bool);

static TAILQ_HEAD(, dp_follow)	 follows = TAILQ_HEAD_INITIALIZER(follows);
static size_t			 nfollows;

static const struct docker_follow_cbs	cbs = {
	.fc_open = on_open,
	.fc_text = on_text,
	.fc_cause = on_cause,
	.fc_end = on_end
};

static struct dp_follow *
find(uint32_t id)
{
	struct dp_follow	*fw;

	TAILQ_FOREACH(fw, &follows, fw_entry) {
		if (fw->fw_id == id)
			return (fw);
	}
	return (NULL);
}

static void
forget(struct dp_follow *fw)
{
	TAILQ_REMOVE(&follows, fw, fw_entry);
	nfollows--;
	free(fw);
}

static void
tell(uint32_t id, bool open, Sentinel__Cluster__FollowLogsData *data)
{
	Sentinel__Ipc__DockerFollowed	 m;

	if (dp_engine() == NULL)
		return;
	sentinel__ipc__docker_followed__init(&m);
	m.open = open;
	m.data = data;
	peer_send_pb(dp_engine(), IMSG_DOCKER_FOLLOWED, id, &m.base);
}

static void
tell_end(uint32_t id, const char *why, bool failed)
{
	Sentinel__Cluster__FollowLogsData	 data;
	struct pbmem				 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	sentinel__cluster__follow_logs_data__init(&data);
	data.end = dp_text(&pm, why, DP_TEXT_MAXBYTES);
	data.failed = failed;
	tell(id, false, &data);
	pbmem_free(&pm);
}

static void
on_open(void *arg)
{
	struct dp_follow	*fw = arg;

	tell(fw->fw_id, true, NULL);
}

static void
on_text(void *arg, int stream, const char *text, uint64_t skipped)
{
	Sentinel__Cluster__FollowLogsData	 data;
	struct dp_follow			*fw = arg;

	sentinel__cluster__follow_logs_data__init(&data);
	/* protobuf-c has no const strings; packing does not write. */
	data.text = (char *)(uintptr_t)text;
	data.stream = (uint32_t)stream;
	data.skipped = skipped;
	fw->fw_out++;
	tell(fw->fw_id, false, &data);
}

/* An update stops what it replaces, and what depends on it. */
static const char *
on_cause(void *arg)
{
	struct dp_follow	*fw = arg;
	static char		 why[DOCKER_NAME_MAXBYTES + 96];

	if (dp->dp_updater == NULL ||
	    !updater_busy(dp->dp_updater, fw->fw_container))
		return (NULL);
	(void)snprintf(why, sizeof(why), "container \"%s\" was stopped by an "
	    "update that is under way: follow it again afterwards",
	    fw->fw_container);
	return (why);
}

static void
on_end(void *arg, const char *why, bool failed)
{
	struct dp_follow	*fw = arg;

	tell_end(fw->fw_id, why, failed);
	forget(fw);
}

void
dp_follow(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__DockerFollow	*m;
	struct docker_follow_opts	 fo;
	struct dp_follow		*fw;
	struct pbmem			 pm;
	uint32_t			 id = imsg_get_id(imsg);

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__docker_follow__descriptor, &pm);
	if (m == NULL || find(id) != NULL) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why : "follow twice");
		goto out;
	}
	if (nfollows >= FOLLOW_HOST_MAX ||
	    (fw = calloc(1, sizeof(*fw))) == NULL) {
		tell_end(id, "too many follows at a time", true);
		goto out;
	}
	fo.fo_name = m->container;
	fo.fo_lines = m->lines;
	fo.fo_since = m->since;
	fo.fo_streams = m->streams;
	fo.fo_timestamps = m->timestamps;
	fw->fw_id = id;
	(void)strlcpy(fw->fw_container, m->container,
	    sizeof(fw->fw_container));
	fw->fw_follow = docker_follow(proc_base(), dp->dp_docker, &fo, &cbs,
	    fw);
	if (fw->fw_follow == NULL) {
		tell_end(id, errno == EINVAL ? "bad container name" :
		    "too many operations at the same time", true);
		free(fw);
		goto out;
	}
	TAILQ_INSERT_TAIL(&follows, fw, fw_entry);
	nfollows++;
 out:
	pbmem_free(&pm);
}

/* u32 messages */
void
dp_follow_taken(struct peer *p, struct imsg *imsg)
{
	struct dp_follow	*fw;
	uint32_t		 n;

	if (ibuf_get_n32(imsg_get_ibuf(imsg), &n) == -1) {
		peer_broken(p, imsg, "bad DOCKER_TAKEN");
		return;
	}
	if ((fw = find(imsg_get_id(imsg))) == NULL)
		return;
	if (n > fw->fw_out) {
		peer_broken(p, imsg, "credit that was not taken");
		return;
	}
	fw->fw_out -= n;
	docker_follow_credit(fw->fw_follow, n);
}

/* empty */
void
dp_follow_stop(struct peer *p, struct imsg *imsg)
{
	struct dp_follow	*fw;

	(void)p;
	if ((fw = find(imsg_get_id(imsg))) == NULL)
		return;
	docker_follow_free(fw->fw_follow);
	forget(fw);
}
