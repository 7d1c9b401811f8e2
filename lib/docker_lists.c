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
#include <stdlib.h>
#include <string.h>

#include "docker_live.h"
#include "log.h"

/* Containers as messages, and the lists that the engine asks for. */
#define DP_INFO_MAXBYTES 1000000	/* of one packed ContainerInfo */
#define DP_LABEL_MAXKEY	4096
#define DP_LABEL_MAXVALUE	(64U * 1024)

static void
dp_info_labels(Sentinel__Cluster__ContainerInfo *ci, struct pbmem *pm,
    const struct docker_container *ct)
{
	Sentinel__Cluster__ContainerInfo__LabelsEntry	*e;
	size_t						 i;

	if ((ci->labels = pbmem_alloc(pm, (ct->ct_nlabels + 1) *
	    sizeof(*ci->labels))) == NULL)
		fatalx("docker: out of memory");
	for (i = 0; i < ct->ct_nlabels; i++) {
		if ((e = pbmem_alloc(pm, sizeof(*e))) == NULL)
			fatalx("docker: out of memory");
		sentinel__cluster__container_info__labels_entry__init(e);
		e->key = pbmem_text(pm, ct->ct_labels[i].lb_key,
		    strlen(ct->ct_labels[i].lb_key), DP_LABEL_MAXKEY);
		e->value = pbmem_text(pm, ct->ct_labels[i].lb_value,
		    strlen(ct->ct_labels[i].lb_value), DP_LABEL_MAXVALUE);
		if (e->key == NULL || e->value == NULL)
			return;	/* arena full: the rest is left out */
		ci->labels[ci->n_labels++] = e;
	}
}

static void
dp_info_ports(Sentinel__Cluster__ContainerInfo *ci, struct pbmem *pm,
    const struct docker_container *ct)
{
	Sentinel__Cluster__PortMapping	*pt;
	size_t				 i;

	if ((ci->ports = pbmem_alloc(pm, (ct->ct_nports + 1) *
	    sizeof(*ci->ports))) == NULL)
		fatalx("docker: out of memory");
	for (i = 0; i < ct->ct_nports; i++) {
		if ((pt = pbmem_alloc(pm, sizeof(*pt))) == NULL)
			return;
		sentinel__cluster__port_mapping__init(pt);
		pt->host_ip = dp_word(pm, ct->ct_ports[i].pt_ip, 64);
		pt->host_port = ct->ct_ports[i].pt_public;
		pt->container_port = ct->ct_ports[i].pt_private;
		pt->protocol = dp_word(pm, ct->ct_ports[i].pt_proto, 16);
		ci->ports[ci->n_ports++] = pt;
	}
}

void
dp_info(Sentinel__Cluster__ContainerInfo *ci, Google__Protobuf__Timestamp *ts,
    struct pbmem *pm, const struct docker_container *ct)
{
	sentinel__cluster__container_info__init(ci);
	google__protobuf__timestamp__init(ts);
	ci->id = dp_word(pm, ct->ct_id, 128);
	ci->name = dp_word(pm, ct->ct_name, 255);
	ci->image = dp_word(pm, ct->ct_image, 1024);
	ci->image_digest = dp_word(pm, ct->ct_digest, 1024);
	ci->state = dp_word(pm, ct->ct_state, 32);
	ci->health = dp_word(pm, ct->ct_health, 32);
	if (ct->ct_created > 0) {
		ts->seconds = ct->ct_created;
		ci->created = ts;
	}
	dp_info_ports(ci, pm, ct);
	dp_info_labels(ci, pm, ct);
	if (protobuf_c_message_get_packed_size(&ci->base) > DP_INFO_MAXBYTES) {
		log_warnx("docker: container %s: its labels are too long and "
		    "left out", ct->ct_name);
		ci->n_labels = 0;
	}
}

static void
dp_list_item(void *arg, const struct docker_container *ct)
{
	struct dp_list				*dl = arg;
	Sentinel__Cluster__ContainerInfo	 ci;
	Google__Protobuf__Timestamp		 ts;
	struct pbmem				 pm;

	dp_live_listed(ct);
	if (dl->dl_choked || dp_engine() == NULL ||
	    !peer_has_credit(dp_engine())) {
		dl->dl_choked = true;
		return;
	}
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	dp_info(&ci, &ts, &pm, ct);
	peer_send_pb(dp_engine(), IMSG_DOCKER_CONTAINER, 0, &ci.base);
	dl->dl_count++;
	pbmem_free(&pm);
}

static void
dp_send_list_end(const char *request, uint32_t count, const char *error)
{
	Sentinel__Ipc__ListEnd	 end;
	struct pbmem		 pm;

	if (dp_engine() == NULL)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	sentinel__ipc__list_end__init(&end);
	end.request_id = dp_const(request);
	end.count = count;
	end.error = dp_text(&pm, error, DP_TEXT_MAXBYTES);
	peer_send_pb(dp_engine(), IMSG_DOCKER_LIST_END, 0, &end.base);
	pbmem_free(&pm);
}

static void
dp_list_done(void *arg, const char *error)
{
	struct timeval	 now = { 0, 0 };
	struct dp_list	*dl = arg;

	if (error[0] == '\0' && dl->dl_choked)
		error = "the engine does not take the list in time";
	dp_send_list_end(dl->dl_request, dl->dl_count, error);
	/* Is Docker still there?  No timer: the question is under way. */
	if (error[0] != '\0' && evtimer_pending(dp->dp_watch, NULL))
		evtimer_add(dp->dp_watch, &now);
	TAILQ_REMOVE(&dp->dp_lists, dl, dl_entry);
	dp->dp_nlists--;
	free(dl);
	/* Those that changed meanwhile have their turn first. */
	dp_live_go();
	dp_list_next();
}

bool
dp_list_is_running(void)
{
	return (!TAILQ_EMPTY(&dp->dp_lists) &&
	    TAILQ_FIRST(&dp->dp_lists)->dl_running);
}

void
dp_list_next(void)
{
	static const struct docker_list_cbs	 cbs = {
		.lc_item = dp_list_item, .lc_done = dp_list_done
	};
	struct dp_list				*dl;

	while ((dl = TAILQ_FIRST(&dp->dp_lists)) != NULL && !dl->dl_running &&
	    !dp_live_is_reading()) {
		dl->dl_running = true;
		dp_live_listing();
		if (docker_list(dp->dp_docker, &cbs, dl) == 0)
			return;
		dp_send_list_end(dl->dl_request, 0, strerror(errno));
		TAILQ_REMOVE(&dp->dp_lists, dl, dl_entry);
		dp->dp_nlists--;
		free(dl);
	}
}

void
dp_list(const Sentinel__Ipc__DockerOp *m)
{
	struct dp_list	*dl;

	if (dp->dp_nlists >= DP_LISTS_MAX ||
	    (dl = calloc(1, sizeof(*dl))) == NULL) {
		dp_send_list_end(m->request_id, 0, "too many lists asked for");
		return;
	}
	strlcpy(dl->dl_request, m->request_id, sizeof(dl->dl_request));
	TAILQ_INSERT_TAIL(&dp->dp_lists, dl, dl_entry);
	dp->dp_nlists++;
	dp_list_next();
}
