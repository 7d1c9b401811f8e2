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

#include "docker_depend.h"

#define DEPEND_COMPOSE_LABEL	"com.docker.compose."
#define DEPEND_FROM_MAX		32	/* volumes-from of one container */
#define DEPEND_CYCLE_NAMES	8	/* in the message */

enum depend_ref { REF_NETWORK, REF_IPC, REF_PID, REF_MAX };

static const struct {
	const char		*dr_member;
	enum depend_why		 dr_why;
} depend_refs[REF_MAX] = {
	[REF_NETWORK] = { "NetworkMode", DEPEND_NETWORK },
	[REF_IPC] = { "IpcMode", DEPEND_IPC },
	[REF_PID] = { "PidMode", DEPEND_PID }
};

/* Labels that say something here; kept as text. */
enum depend_text { TEXT_LABELLED, TEXT_DEPENDS, TEXT_PROJECT, TEXT_WORKDIR,
    TEXT_SERVICE, TEXT_MAX };
static const char *const depend_texts[TEXT_MAX] = {
	[TEXT_LABELLED] = DEPEND_LABEL,
	[TEXT_DEPENDS] = DEPEND_COMPOSE_LABEL "depends_on",
	[TEXT_PROJECT] = DEPEND_COMPOSE_LABEL "project",
	[TEXT_WORKDIR] = DEPEND_COMPOSE_LABEL "project.working_dir",
	[TEXT_SERVICE] = DEPEND_COMPOSE_LABEL "service"
};

struct depend_node {
	char	 dn_id[DOCKER_ID_LEN + 1];
	char	 dn_name[DOCKER_NAME_MAXBYTES];
	char	*dn_ref[REF_MAX];	/* X of container:X, or NULL */
	char	*dn_text[TEXT_MAX];	/* or NULL */
	char	*dn_from[DEPEND_FROM_MAX];
	size_t	 dn_nfrom;
	bool	 dn_running;
	bool	 dn_paused;
	bool	 dn_fresh;	/* never started */
	bool	 dn_self;
	bool	 dn_auto;	/* --rm */
	bool	 dn_gone;

	/* while depend_users() works */
	bool		 dn_in;		/* concerned */
	bool		 dn_placed;	/* has its place in the order */
	bool		 dn_remade;
	unsigned int	 dn_why;
};

struct depend {
	struct depend_node	*dd_nodes;
	size_t			 dd_count;
	size_t			 dd_seen;	/* inspected so far */
};

struct depend *
depend_new(void)
{
	return (calloc(1, sizeof(struct depend)));
}

static void
node_clear(struct depend_node *dn)
{
	size_t	 i;

	for (i = 0; i < REF_MAX; i++)
		free(dn->dn_ref[i]);
	for (i = 0; i < TEXT_MAX; i++)
		free(dn->dn_text[i]);
	for (i = 0; i < dn->dn_nfrom; i++)
		free(dn->dn_from[i]);
}

void
depend_free(struct depend *dd)
{
	size_t	 i;

	if (dd == NULL)
		return;
	for (i = 0; i < dd->dd_count; i++)
		node_clear(&dd->dd_nodes[i]);
	free(dd->dd_nodes);
	free(dd);
}

/* --- what Docker says -------------------------------------------------- */

/* Links make further names, of the form "/other/alias". */
static const char *
item_name(const struct json_value *item)
{
	const struct json_value	*v = json_get(item, "Names");
	const char		*s;

	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if ((s = json_str(v)) == NULL)
			continue;
		s += *s == '/';
		if (strchr(s, '/') == NULL && docker_name_ok(s) &&
		    strlen(s) < DOCKER_NAME_MAXBYTES)
			return (s);
	}
	return ("");
}

static int
node_labels(struct depend_node *dn, const struct json_value *labels)
{
	const char	*s;
	size_t		 i;

	dn->dn_self = strcmp(json_get_str(labels, "sentinel.self"),
	    "true") == 0;
	/* What "compose run" made is not the service. */
	if (strcasecmp(json_get_str(labels, DEPEND_COMPOSE_LABEL "oneoff"),
	    "true") == 0)
		i = TEXT_LABELLED + 1;
	else
		i = TEXT_MAX;
	while (i-- > 0) {
		s = json_get_str(labels, depend_texts[i]);
		if (s[0] == '\0' || strlen(s) > DEPEND_LABEL_MAXBYTES)
			continue;
		if ((dn->dn_text[i] = strdup(s)) == NULL)
			return (-1);
	}
	return (0);
}

int
depend_add(struct depend *dd, const struct json_value *item)
{
	struct depend_node	*dn;
	const char		*id = json_get_str(item, "Id"), *state;

	if (!docker_id_ok(id))
		return (0);
	if (dd->dd_count == DEPEND_NODES_MAX) {
		errno = E2BIG;
		return (-1);
	}
	if (dd->dd_count % 32 == 0) {
		dn = reallocarray(dd->dd_nodes, dd->dd_count + 32, sizeof(*dn));
		if (dn == NULL)
			return (-1);
		dd->dd_nodes = dn;
	}
	dn = &dd->dd_nodes[dd->dd_count++];
	memset(dn, 0, sizeof(*dn));
	strlcpy(dn->dn_id, id, sizeof(dn->dn_id));
	strlcpy(dn->dn_name, item_name(item), sizeof(dn->dn_name));
	state = json_get_str(item, "State");
	dn->dn_fresh = strcmp(state, "created") == 0;
	dn->dn_paused = strcmp(state, "paused") == 0;
	dn->dn_running = dn->dn_paused || strcmp(state, "running") == 0 ||
	    strcmp(state, "restarting") == 0;
	/* Nothing can be done with them, nor do they need anything. */
	dn->dn_gone = strcmp(state, "removing") == 0 ||
	    strcmp(state, "dead") == 0 || dn->dn_name[0] == '\0';
	return (node_labels(dn, json_get(item, "Labels")));
}

const char *
depend_next(struct depend *dd)
{
	while (dd->dd_seen < dd->dd_count && dd->dd_nodes[dd->dd_seen].dn_gone)
		dd->dd_seen++;
	return (dd->dd_seen < dd->dd_count ?
	    dd->dd_nodes[dd->dd_seen].dn_id : NULL);
}

int
depend_inspected(struct depend *dd, const struct json_value *c)
{
	const struct json_value	*host = json_get(c, "HostConfig"), *v;
	struct depend_node	*dn = &dd->dd_nodes[dd->dd_seen++];
	const char		*s;
	size_t			 i;

	if (c == NULL) {
		dn->dn_gone = true;
		return (0);
	}
	for (i = 0; i < REF_MAX; i++) {
		s = json_get_str(host, depend_refs[i].dr_member);
		if (strncmp(s, "container:", 10) != 0 || s[10] == '\0' ||
		    strlen(s) > DOCKER_NAME_MAXBYTES + 10)
			continue;
		if ((dn->dn_ref[i] = strdup(s + 10)) == NULL)
			return (-1);
	}
	dn->dn_auto = json_bool(json_get(host, "AutoRemove"));
	v = json_get(host, "VolumesFrom");
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL &&
	    dn->dn_nfrom < DEPEND_FROM_MAX; v = v->jv_next) {
		if ((s = json_str(v)) == NULL || s[0] == '\0')
			continue;
		/* "NAME:ro" */
		if ((dn->dn_from[dn->dn_nfrom] = strndup(s,
		    strcspn(s, ":"))) == NULL)
			return (-1);
		dn->dn_nfrom++;
	}
	return (0);
}

/* --- who depends on whom ----------------------------------------------- */

/* An id, or at least the twelve digits that Docker shows? */
static bool
ref_is_id(const struct depend_node *dn, const char *ref)
{
	size_t	 len = strlen(ref);

	return (len >= DOCKER_SHORTID_LEN && len <= DOCKER_ID_LEN &&
	    strncmp(dn->dn_id, ref, len) == 0);
}

static bool
ref_is(const struct depend_node *dn, const char *ref)
{
	if (ref[0] == '/')
		ref++;
	return ((dn->dn_name[0] != '\0' && strcmp(dn->dn_name, ref) == 0) ||
	    ref_is_id(dn, ref));
}

static bool
text_same(const struct depend_node *a, const struct depend_node *b,
    enum depend_text t)
{
	if (a->dn_text[t] == NULL || b->dn_text[t] == NULL)
		return (a->dn_text[t] == b->dn_text[t]);
	return (strcmp(a->dn_text[t], b->dn_text[t]) == 0);
}

/* One of the comma-separated names, blanks around them aside? */
static bool
list_has(const char *list, const char *name)
{
	size_t	 len, n;

	for (n = 0; *list != '\0' && n < DEPEND_EDGES_MAX; n++) {
		list += strspn(list, ", \t");
		len = strcspn(list, ",");
		while (len > 0 && (list[len - 1] == ' ' ||
		    list[len - 1] == '\t'))
			len--;
		if (len > 0 && strlen(name) == len &&
		    strncmp(list, name, len) == 0)
			return (true);
		list += strcspn(list, ",");
	}
	return (false);
}

/* "service:condition:restart,...": restart "false" wants no restart. */
static bool
compose_has(const char *list, const char *service)
{
	char	 entry[512], *p, *name, *restart;
	size_t	 len, n;

	for (n = 0; *list != '\0' && n < DEPEND_EDGES_MAX; n++) {
		len = strcspn(list, ",");
		if (len < sizeof(entry)) {
			memcpy(entry, list, len);
			entry[len] = '\0';
			p = entry;
			name = strsep(&p, ":");
			(void)strsep(&p, ":");
			restart = strsep(&p, ":");
			if (strcmp(name, service) == 0)
				return (restart == NULL ||
				    strcmp(restart, "false") != 0);
		}
		list += len + (list[len] == ',');
	}
	return (false);
}

/* Why user depends on provider; 0: it does not. */
static unsigned int
node_edge(const struct depend_node *user, const struct depend_node *provider)
{
	unsigned int	 why = 0;
	size_t		 i;

	if (user == provider || user->dn_gone || provider->dn_gone)
		return (0);
	for (i = 0; i < REF_MAX; i++)
		if (user->dn_ref[i] != NULL && ref_is(provider,
		    user->dn_ref[i]))
			why |= depend_refs[i].dr_why;
	for (i = 0; i < user->dn_nfrom; i++)
		if (ref_is(provider, user->dn_from[i]))
			why |= ref_is_id(provider, user->dn_from[i]) ?
			    DEPEND_VOLUMES : DEPEND_FROM;
	if (user->dn_text[TEXT_LABELLED] != NULL &&
	    provider->dn_name[0] != '\0' &&
	    list_has(user->dn_text[TEXT_LABELLED], provider->dn_name))
		why |= DEPEND_LABELLED;
	if (user->dn_text[TEXT_DEPENDS] != NULL &&
	    user->dn_text[TEXT_PROJECT] != NULL &&
	    provider->dn_text[TEXT_SERVICE] != NULL &&
	    text_same(user, provider, TEXT_PROJECT) &&
	    text_same(user, provider, TEXT_WORKDIR) &&
	    compose_has(user->dn_text[TEXT_DEPENDS],
	    provider->dn_text[TEXT_SERVICE]))
		why |= DEPEND_COMPOSE;
	return (why);
}

/* --- the users of one container ---------------------------------------- */

static unsigned int
edge(const struct depend_node *user, const struct depend_node *provider,
    bool ordered)
{
	return (node_edge(user, provider) & (ordered ? ~0U : DEPEND_SHARED));
}

/* Everybody who depends on it, or on one who does.  -1: too many. */
static int
users_collect(struct depend *dd, struct depend_node *lead, bool ordered,
    struct depend_node **set, size_t max, size_t *count)
{
	struct depend_node	*dn;
	size_t			 i, n = 0;

	for (i = 0; i < dd->dd_count; i++) {
		dn = &dd->dd_nodes[i];
		dn->dn_in = dn->dn_placed = dn->dn_remade = false;
		dn->dn_why = 0;
	}
	lead->dn_in = true;
	set[n++] = lead;
	for (*count = 0; *count < n; (*count)++)
		for (i = 0; i < dd->dd_count; i++) {
			dn = &dd->dd_nodes[i];
			if (dn->dn_in || edge(dn, set[*count], ordered) == 0)
				continue;
			if (n == max)
				return (-1);
			dn->dn_in = true;
			set[n++] = dn;
		}
	return (0);
}

/* All it depends on here is placed already. */
static bool
node_is_free(const struct depend_node *dn, struct depend_node **set,
    size_t count, bool ordered)
{
	size_t	 i;

	for (i = 0; i < count; i++)
		if (!set[i]->dn_placed && edge(dn, set[i], ordered) != 0)
			return (false);
	return (true);
}

/* No order: from somebody who is left, always on to one it depends on. */
static void
users_cycle(struct depend_node **set, size_t count, bool ordered, char *err,
    size_t size)
{
	struct depend_node	*dn = NULL, *path[DEPEND_USERS_MAX + 2] = {
				    NULL };
	size_t			 i, j, n = 0, len;

	for (i = 0; i < count && dn == NULL; i++)
		if (!set[i]->dn_placed)
			dn = set[i];
	for (;;) {
		for (i = 0; i < n; i++)
			if (path[i] == dn)
				break;
		path[n++] = dn;
		if (i < n - 1 || n == nitems(path))
			break;
		for (j = 0; j < count; j++)
			if (!set[j]->dn_placed &&
			    edge(dn, set[j], ordered) != 0)
				break;
		dn = set[j];	/* or it would have its place */
	}
	strlcpy(err, "containers depend on each other in a circle: ", size);
	for (j = 0; i < n; i++, j++) {
		if (j == DEPEND_CYCLE_NAMES) {
			strlcat(err, " -> ...", size);
			break;
		}
		len = strlen(err);
		(void)snprintf(err + len, size - len, "%s\"%s\"",
		    j > 0 ? " -> " : "", path[i]->dn_name);
	}
}

/* The next in the order: by name, so that it is always the same one. */
static struct depend_node *
users_pick(struct depend_node **set, size_t count, bool ordered)
{
	struct depend_node	*best = NULL;
	size_t			 i;

	for (i = 0; i < count; i++)
		if (!set[i]->dn_placed && (best == NULL ||
		    strcmp(set[i]->dn_name, best->dn_name) < 0) &&
		    node_is_free(set[i], set, count, ordered))
			best = set[i];
	return (best);
}

/* Who shares something with one that is made anew is made anew, too. */
static void
node_judge(struct depend_node *dn, struct depend_node **set, size_t count,
    bool ordered)
{
	unsigned int	 why;
	size_t		 i;

	for (i = 0; i < count; i++) {
		why = edge(dn, set[i], ordered);
		dn->dn_why |= why;
		if (set[i]->dn_remade && (why & DEPEND_SHARED) != 0)
			dn->dn_remade = true;
	}
}

static struct depend_node *
depend_find(const struct depend *dd, const char *id)
{
	size_t	 i;

	for (i = 0; i < dd->dd_count; i++)
		if (strcmp(dd->dd_nodes[i].dn_id, id) == 0)
			return (&dd->dd_nodes[i]);
	return (NULL);
}

ssize_t
depend_users(struct depend *dd, const char *id, bool ordered,
    struct depend_user users[DEPEND_USERS_MAX], char *err, size_t errsize)
{
	struct depend_node	*set[DEPEND_USERS_MAX + 1], *dn;
	struct depend_node	*lead = depend_find(dd, id);
	struct depend_user	*du;
	size_t			 i, count;
	ssize_t			 n = 0;

	if (lead == NULL)
		return (0);
	if (users_collect(dd, lead, ordered, set, nitems(set), &count) == -1) {
		(void)snprintf(err, errsize, "more than %d containers depend "
		    "on \"%s\"", DEPEND_USERS_MAX, lead->dn_name);
		return (-1);
	}
	for (i = 0; i < count; i++) {
		if ((dn = users_pick(set, count, ordered)) == NULL) {
			users_cycle(set, count, ordered, err, errsize);
			return (-1);
		}
		dn->dn_placed = true;
		node_judge(dn, set, count, ordered);
		if (dn == lead)
			dn->dn_remade = true;
		if (dn == lead || (!dn->dn_remade &&
		    (!dn->dn_running || dn->dn_self || dn->dn_auto)))
			continue;
		du = &users[n++];
		du->du_id = dn->dn_id;
		du->du_name = dn->dn_name;
		du->du_why = dn->dn_why;
		du->du_remade = dn->dn_remade;
		du->du_running = dn->dn_running;
		du->du_paused = dn->dn_paused;
		du->du_self = dn->dn_self;
	}
	return (n);
}

const char *
depend_named(const struct depend *dd, const char *name)
{
	size_t	 i;

	for (i = 0; i < dd->dd_count; i++)
		if (strcmp(dd->dd_nodes[i].dn_name, name) == 0)
			return (dd->dd_nodes[i].dn_id);
	return (NULL);
}

bool
depend_is_fresh(const struct depend *dd, const char *id)
{
	const struct depend_node	*dn = depend_find(dd, id);

	return (dn != NULL && dn->dn_fresh);
}

bool
depend_runs(const struct depend *dd, const char *ref)
{
	size_t	 i;

	for (i = 0; i < dd->dd_count; i++)
		if (ref_is(&dd->dd_nodes[i], ref))
			return (dd->dd_nodes[i].dn_running);
	return (false);
}

const char *
depend_why_text(unsigned int why)
{
	static const struct {
		unsigned int	 bit;
		const char	*text;
	} words[] = {
		{ DEPEND_NETWORK, "network" }, { DEPEND_IPC, "ipc" },
		{ DEPEND_PID, "pid" },
		{ DEPEND_VOLUMES | DEPEND_FROM, "volumes-from" },
		{ DEPEND_COMPOSE, "compose depends_on" },
		{ DEPEND_LABELLED, DEPEND_LABEL }
	};
	static char	 text[128];
	size_t		 i;

	text[0] = '\0';
	for (i = 0; i < nitems(words); i++)
		if ((why & words[i].bit) != 0) {
			if (text[0] != '\0')
				strlcat(text, ", ", sizeof(text));
			strlcat(text, words[i].text, sizeof(text));
		}
	return (text);
}
