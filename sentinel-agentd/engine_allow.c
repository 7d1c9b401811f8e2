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

#include "engine_allow.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "imagerule.h"
#include "xmalloc.h"

#define PAYLOAD(x) SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_##x
#define BIT(action)	(1ULL << (action))
#define EVERYTHING	(BIT(ALLOW_NONE) - 1)

/* Words of agent.allow.actions, in the order of enum allow_action. */
static const struct {
	const char	*name;
	bool		 changes;	/* not with read_only */
	const char	*refused;	/* when it is not among the actions */
} actions[] = {
#define ACTION(name, changes) \
	{ name, changes, "not allowed by agent.allow.actions on this host: " \
	    name }
	[ALLOW_UPDATE] =	ACTION("update", true),
	[ALLOW_START] =		ACTION("start", true),
	[ALLOW_STOP] =		ACTION("stop", true),
	[ALLOW_RESTART] =	ACTION("restart", true),
	[ALLOW_PULL] =		ACTION("pull", true),
	[ALLOW_LOGS] =		ACTION("logs", false),
	[ALLOW_LIST] =		ACTION("list", false),
	[ALLOW_HOOK] =		ACTION("hook", true),
	[ALLOW_ROLLBACK] =	ACTION("rollback", true),
	[ALLOW_PLAN] =		ACTION("plan", false),
#undef ACTION
};

uint64_t
allow_mask(char *const *words, size_t n)
{
	uint64_t	 mask = 0;
	size_t		 i, j;

	for (i = 0; i < n; i++) {
		if (strcasecmp(words[i], "all") == 0)
			return (EVERYTHING);
		for (j = 0; j < nitems(actions); j++) {
			if (strcasecmp(words[i], actions[j].name) == 0)
				mask |= BIT(j);
		}
	}
	return (mask);
}

enum allow_action
allow_action(const Sentinel__Cluster__ServerMessage *m, const char **image)
{
	const char	*word;

	*image = NULL;
	switch (m->payload_case) {
	case PAYLOAD(LIST_CONTAINERS):
	case PAYLOAD(DETAIL):
		return (ALLOW_LIST);
	case PAYLOAD(UPDATE_CONTAINER):
		*image = m->update_container->target_image;
		return (ALLOW_UPDATE);
	case PAYLOAD(PLAN):
		*image = m->plan->target_image;
		return (ALLOW_PLAN);
	case PAYLOAD(PULL_IMAGE):
		*image = m->pull_image->image_ref;
		return (ALLOW_PULL);
	case PAYLOAD(FETCH_LOGS):
	case PAYLOAD(FOLLOW_LOGS):
		return (ALLOW_LOGS);
	case PAYLOAD(RUN_HOOK):
		return (ALLOW_HOOK);
	case PAYLOAD(ROLLBACK):
		return (ALLOW_ROLLBACK);
	case PAYLOAD(CONTAINER_ACTION):
		word = m->container_action->action;
		return (strcmp(word, "start") == 0 ? ALLOW_START :
		    strcmp(word, "stop") == 0 ? ALLOW_STOP :
		    strcmp(word, "restart") == 0 ? ALLOW_RESTART :
		    ALLOW_NONE);
	default:
		return (ALLOW_NONE);
	}
}

const char *
allow_container(const Sentinel__Cluster__ServerMessage *m)
{
	switch (m->payload_case) {
	case PAYLOAD(UPDATE_CONTAINER):
		return (m->update_container->container_name);
	case PAYLOAD(PLAN):
		return (m->plan->container_name);
	case PAYLOAD(DETAIL):
		return (m->detail->container_name);
	case PAYLOAD(FETCH_LOGS):
		return (m->fetch_logs->container_name);
	case PAYLOAD(FOLLOW_LOGS):
		return (m->follow_logs->container_name);
	case PAYLOAD(RUN_HOOK):
		return (m->run_hook->container_name);
	case PAYLOAD(ROLLBACK):
		return (m->rollback->container_name);
	case PAYLOAD(CONTAINER_ACTION):
		return (m->container_action->container_name);
	default:
		return ("");
	}
}

const char *
allow_name(enum allow_action action)
{
	return (actions[action].name);
}

const char *
allow_fault(const struct agent_conf *ac, enum allow_action action,
    const char *image)
{
	bool	 is_current;

	if (action >= ALLOW_NONE)
		return (NULL);		/* refused, or no command at all */
	if (ac->ac_allow_read_only != 0 && actions[action].changes)
		return ("not allowed by agent.allow.read_only on this host");
	if (ac->ac_allow_exec == 0 && action == ALLOW_HOOK)
		return ("not allowed by agent.allow.exec on this host");
	if ((ac->ac_allow_actions & BIT(action)) == 0)
		return (actions[action].refused);
	is_current = (action == ALLOW_UPDATE || action == ALLOW_PLAN) &&
	    image != NULL && image[0] == '\0';
	if (image != NULL && (is_current ? ac->ac_allow_images[0] == '\0' :
	    !imagerule_allows(ac->ac_allow_images, image)))
		return ("not allowed by agent.allow.images on this host");
	return (NULL);
}

bool
allow_has_images(const struct agent_conf *ac)
{
	return (strcmp(ac->ac_allow_images, "*") != 0);
}

bool
allow_view(const struct agent_conf *ac, Sentinel__Ipc__AllowView *v)
{
	const char	*p;
	size_t		 i, len;

	sentinel__ipc__allow_view__init(v);
	if (ac->ac_allow_exec != 0 && ac->ac_allow_read_only == 0 &&
	    (ac->ac_allow_actions & EVERYTHING) == EVERYTHING &&
	    !allow_has_images(ac))
		return (false);
	v->exec = ac->ac_allow_exec != 0;
	v->read_only = ac->ac_allow_read_only != 0;
	v->actions = xcalloc(nitems(actions), sizeof(char *));
	for (i = 0; i < nitems(actions); i++) {
		if ((ac->ac_allow_actions & BIT(i)) != 0)
			v->actions[v->n_actions++] = xstrdup(actions[i].name);
	}
	/* At most one more pattern than there are spaces. */
	for (i = 1, p = ac->ac_allow_images; *p != '\0'; p++)
		i += *p == ' ';
	v->images = xcalloc(i, sizeof(char *));
	for (p = ac->ac_allow_images; *p != '\0'; p += strspn(p, " ")) {
		len = strcspn(p, " ");
		if (len > 0) {
			v->images[v->n_images] = xcalloc(1, len + 1);
			memcpy(v->images[v->n_images++], p, len);
		}
		p += len;
	}
	return (true);
}

void
allow_view_free(Sentinel__Ipc__AllowView *v)
{
	size_t	 i;

	for (i = 0; i < v->n_actions; i++)
		free(v->actions[i]);
	for (i = 0; i < v->n_images; i++)
		free(v->images[i]);
	free(v->actions);
	free(v->images);
	sentinel__ipc__allow_view__init(v);
}
