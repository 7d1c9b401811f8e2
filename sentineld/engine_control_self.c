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

#include "engine_client.h"

#include <string.h>

#include "docker_self.h"
#include "docker_update.h"
#include "pbcheck.h"

/*
 * sentinelctl self update: which container of a host is Sentinel's is told by
 * the label that images of "make image" have.  Whether it really is the one
 * that its agent runs in, the agent itself knows better (selfid.h); a host
 * without such a container is asked all the same, because only there is known
 * what the agent is managed by instead.
 */
#define SELF_NAMES_BYTES	256

static bool	 has_label(const struct container *);
static bool	 is_put_aside(const char *);

static bool
has_label(const struct container *c)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct pbmem				 pm;
	size_t					 i;
	bool					 is = false;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	info = pbcheck_unpack(&sentinel__cluster__container_info__descriptor,
	    c->ct_blob, c->ct_len, &pm, NULL);
	for (i = 0; info != NULL && !is && i < info->n_labels; i++)
		is = strcmp(info->labels[i]->key, "sentinel.self") == 0 &&
		    strcmp(info->labels[i]->value, "true") == 0;
	pbmem_free(&pm);
	return (is);
}

/* The old or the new one of an update under way. */
static bool
is_put_aside(const char *name)
{
	static const char *const	 suffix[] = { UPDATE_SUFFIX_NEW,
		UPDATE_SUFFIX_OLD };
	size_t				 i, len = strlen(name), n;

	for (i = 0; i < nitems(suffix); i++) {
		n = strlen(suffix[i]);
		if (len > n && strcmp(name + len - n, suffix[i]) == 0)
			return (true);
	}
	return (false);
}

void
client_self_update(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	Sentinel__Ipc__ControlRequest	 want = *req;
	struct container		*c, *found = NULL;
	struct host			*h;
	char				 name[256], names[SELF_NAMES_BYTES];
	size_t				 n = 0;

	if ((h = client_host(cl, req->host)) == NULL)
		return;
	names[0] = '\0';
	TAILQ_FOREACH(c, &h->h_containers, ct_entry) {
		if (is_put_aside(c->ct_name) || !has_label(c))
			continue;
		(void)strlcat(names, n++ > 0 ? ", " : "", sizeof(names));
		(void)strlcat(names, c->ct_name, sizeof(names));
		found = c;
	}
	if (n > 1) {
		client_end(cl, CONTROL_FAILED, "host %s has %zu containers "
		    "with the label sentinel.self=true (%s): say which one "
		    "with container update", h->h_name, n, names);
		return;
	}
	(void)strlcpy(name, found != NULL ? found->ct_name : h->h_local ?
	    "sentinel-server" : "sentinel-agent", sizeof(name));
	if (found == NULL && container_find(h, name) != NULL) {
		client_end(cl, CONTROL_FAILED, "host %s has no container "
		    "with the label sentinel.self=true; is it \"%s\", then "
		    "use container update", h->h_name, name);
		return;
	}
	want.command =
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_UPDATE;
	want.container = name;
	client_container_op(cl, &want);
}
