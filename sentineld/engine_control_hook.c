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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_hook.h"
#include "engine_audit.h"
#include "engine_hook.h"
#include "engine_oplog.h"
#include "pbcheck.h"

/* Commands that show, set and run hooks. */
struct listing {
	struct client	*li_client;
	struct host	*li_host;
	size_t		 li_sent;
};

static bool	 phase_of(struct client *, const char *, enum hook_phase *);
static bool	 target_of(struct client *,
		    const Sentinel__Ipc__ControlRequest *, struct host **);
static size_t	 list_host(struct client *, struct host *);
static void	 more_hooks(struct client *);
static bool	 list_stored(const Sentinel__Store__Hook *, void *);
static size_t	 list_labels(struct listing *, const struct container *);
static bool	 label_hook(struct host *, const char *, const char *,
		    Sentinel__Ipc__HookView *, struct pbmem *);
static void	 on_run(struct op *, const struct op_result *, void *);

static char *
lend(const char *s)
{
	static char	 empty[1];

	return (s == NULL ? empty : (char *)(uintptr_t)s);
}

static bool
phase_of(struct client *cl, const char *word, enum hook_phase *ph)
{
	if (hook_phase_parse(word, ph) == 0 && *ph != HOOK_GATE)
		return (true);
	client_end(cl, CONTROL_USAGE, "\"%s\" is not pre-update or "
	    "post-update", word);
	return (false);
}

/* The host and a container's name that may be one. */
static bool
target_of(struct client *cl, const Sentinel__Ipc__ControlRequest *req,
    struct host **h)
{
	if ((*h = client_host(cl, req->host)) == NULL)
		return (false);
	if (docker_name_ok(req->container) && strlen(req->container) < 256)
		return (true);
	client_end(cl, CONTROL_USAGE, "want HOST/NAME");
	return (false);
}

/* --- list ---------------------------------------------------------------- */

static size_t
send_view(struct client *cl, Sentinel__Ipc__HookView *v)
{
	Sentinel__Ipc__ControlItem	 item;

	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_HOOK;
	item.hook = v;
	return (client_item(cl, &item));
}

/* What the labels of a container say of a phase, as its host has listed it. */
static bool
label_hook(struct host *h, const char *name, const char *phase,
    Sentinel__Ipc__HookView *v, struct pbmem *pm)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct container			*c;
	struct json_gen				*g;
	struct json				*js = NULL;
	struct hook				 hk;
	enum hook_phase				 ph;
	char					*text = NULL, why[256];
	size_t					 i, len;
	int					 rc = 0;

	if ((c = container_find(h, name)) == NULL ||
	    hook_phase_parse(phase, &ph) == -1 ||
	    (info = pbcheck_unpack(
	    &sentinel__cluster__container_info__descriptor, c->ct_blob,
	    c->ct_len, pm, NULL)) == NULL ||
	    (g = json_gen_new(JSON_DOC_MAXBYTES)) == NULL)
		return (false);
	json_gen_object(g);
	for (i = 0; i < info->n_labels; i++) {
		if (strncmp(info->labels[i]->key, "sentinel.", 9) != 0)
			continue;
		json_gen_key(g, info->labels[i]->key);
		json_gen_str(g, info->labels[i]->value);
	}
	json_gen_end_object(g);
	if ((text = json_gen_take(g, &len)) != NULL)
		js = json_parse(text, len, NULL, 0);
	json_gen_free(g);
	free(text);
	rc = hook_from_labels(&hk, json_root(js), ph, why, sizeof(why));
	json_free(js);
	if (rc == 0)
		return (false);
	v->origin = lend("label");
	v->error = pbmem_strndup(pm, rc == -1 ? why : "", rc == -1 ?
	    strlen(why) : 0);
	v->command = pbmem_strndup(pm, rc == 1 ? hk.hk_command : "",
	    rc == 1 ? strlen(hk.hk_command) : 0);
	if (rc == 1) {
		v->timeout_sec = hk.hk_msec / 1000;
		v->rollback = hk.hk_rollback;
		hook_free(&hk);
	}
	return (v->command != NULL && v->error != NULL);
}

static size_t
list_labels(struct listing *li, const struct container *c)
{
	static const char *const	 phases[] = { "pre-update",
		"post-update" };
	Sentinel__Ipc__HookView		 v;
	struct pbmem			 pm;
	size_t				 i, sent = 0;

	for (i = 0; i < nitems(phases); i++) {
		pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
		sentinel__ipc__hook_view__init(&v);
		v.host_id = li->li_host->h_id;
		v.host_name = li->li_host->h_name;
		v.container = lend(c->ct_name);
		v.phase = lend(phases[i]);
		if (label_hook(li->li_host, c->ct_name, phases[i], &v, &pm))
			sent += send_view(li->li_client, &v);
		pbmem_free(&pm);
	}
	return (sent);
}

static bool
list_stored(const Sentinel__Store__Hook *hk, void *arg)
{
	Sentinel__Ipc__HookView	 v, label;
	struct listing		*li = arg;
	struct pbmem		 pm;

	sentinel__ipc__hook_view__init(&v);
	sentinel__ipc__hook_view__init(&label);
	v.host_id = li->li_host->h_id;
	v.host_name = li->li_host->h_name;
	v.container = hk->container;
	v.phase = hk->phase;
	v.command = hk->command;
	v.timeout_sec = hk->timeout_sec == 0 ? HOOK_DEFAULT_SEC :
	    hk->timeout_sec;
	v.rollback = hk->rollback;
	v.origin = lend("server");
	v.changed_at = hk->changed_at;
	v.changed_by = hk->changed_by;
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	v.unused = label_hook(li->li_host, hk->container, hk->phase, &label,
	    &pm);
	pbmem_free(&pm);
	li->li_sent += send_view(li->li_client, &v);
	return (true);
}

/* From cl_skip on, which is where it stopped; 0: it is through. */
static size_t
list_host(struct client *cl, struct host *h)
{
	struct listing	 li = { cl, h, 0 };
	struct container *c;
	size_t		 n = 0;

	TAILQ_FOREACH(c, &h->h_containers, ct_entry) {
		if (n++ < cl->cl_skip)
			continue;
		if (client_is_full(li.li_sent))
			return (li.li_sent);
		cl->cl_skip = n;
		if (cl->cl_container[0] == '\0' ||
		    strcmp(c->ct_name, cl->cl_container) == 0)
			li.li_sent += list_labels(&li, c);
	}
	(void)hooks_walk(h, cl->cl_container, list_stored, &li);
	cl->cl_skip = 0;
	return (li.li_sent);
}

/* From cl_at and cl_skip on. */
static void
more_hooks(struct client *cl)
{
	struct host	*h;
	size_t		 sent = 0;

	for (h = client_host_at(cl->cl_at); h != NULL;
	    h = RB_NEXT(host_tree, &eng->hosts, h)) {
		if (h->h_state == HOST_DECOMMISSIONED ||
		    (cl->cl_host[0] != '\0' &&
		    strcmp(cl->cl_host, h->h_id) != 0))
			continue;
		/* cl_skip is of the host that was named, if that is there. */
		if (strcmp(cl->cl_at, h->h_id) != 0)
			cl->cl_skip = 0;
		(void)strlcpy(cl->cl_at, h->h_id, sizeof(cl->cl_at));
		if (!client_is_full(sent)) {
			sent += list_host(cl, h);
			if (cl->cl_skip == 0)
				continue;
		}
		client_later(cl, more_hooks);
		return;
	}
	client_end_noerror(cl);
}

void
client_hook_list(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;

	if (req->container[0] != '\0' && !docker_name_ok(req->container)) {
		client_end(cl, CONTROL_USAGE, "want HOST or HOST/NAME");
		return;
	}
	if (req->host[0] != '\0' || req->container[0] != '\0') {
		if ((h = client_host(cl, req->host)) == NULL)
			return;
		(void)strlcpy(cl->cl_host, h->h_id, sizeof(cl->cl_host));
		(void)strlcpy(cl->cl_container, req->container,
		    sizeof(cl->cl_container));
	}
	more_hooks(cl);
}

/* --- set and remove ------------------------------------------------------ */

void
client_hook_set(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	Sentinel__Store__Hook	 hk;
	struct listing		 li = { .li_client = cl };
	const char		*fault;
	enum hook_phase		 ph;
	struct host		*h;
	struct hook		 check;
	char			 by[32], why[256];

	if (!phase_of(cl, req->phase, &ph) || !target_of(cl, req, &h))
		return;
	if (hook_make(&check, req->command_line, req->timeout_sec, why,
	    sizeof(why)) == -1) {
		client_end(cl, CONTROL_USAGE, "%s", why);
		return;
	}
	hook_free(&check);
	if (req->rollback && ph != HOOK_POST) {
		client_end(cl, CONTROL_USAGE, "--rollback goes with "
		    "post-update: a failing pre-update hook always keeps the "
		    "old container");
		return;
	}
	if (host_is_connected(h) && (fault = hooks_command_fault(h,
	    req->command_line)) != NULL) {
		client_end(cl, CONTROL_FAILED, "host %s: %s", h->h_name,
		    fault);
		return;
	}
	(void)snprintf(by, sizeof(by), "uid %u", req->uid);
	sentinel__store__hook__init(&hk);
	hk.host_id = h->h_id;
	hk.container = req->container;
	hk.phase = lend(hook_phase_name(ph));
	hk.command = req->command_line;
	hk.timeout_sec = req->timeout_sec;
	hk.rollback = req->rollback;
	hk.changed_at = time(NULL);
	hk.changed_by = by;
	if (hook_set(h, &hk) == -1) {
		client_end(cl, CONTROL_FAILED, errno == ENOSPC ?
		    "host %s: there are too many hooks already: remove some" :
		    "host %s: nothing was changed: the database failed, see "
		    "the log", h->h_name);
		return;
	}
	li.li_host = h;
	(void)list_stored(&hk, &li);
	client_end_noerror(cl);
}

void
client_hook_remove(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	enum hook_phase	 ph;
	struct host	*h;
	char		 by[32];

	if (!phase_of(cl, req->phase, &ph) || !target_of(cl, req, &h))
		return;
	(void)snprintf(by, sizeof(by), "uid %u", req->uid);
	if (hook_remove(h, req->container, hook_phase_name(ph), by) == 0) {
		client_end_noerror(cl);
		return;
	}
	if (errno == ENOENT)
		client_end(cl, CONTROL_NOSUCH, "host %s: no %s hook is set "
		    "for %s", h->h_name, hook_phase_name(ph), req->container);
	else
		client_end(cl, CONTROL_FAILED, "host %s: nothing was changed: "
		    "the database failed, see the log", h->h_name);
}

/* --- run ----------------------------------------------------------------- */

struct found {
	const char	*fo_phase;
	struct op	*fo_op;
};

static bool
run_stored(const Sentinel__Store__Hook *hk, void *arg)
{
	struct found	*fo = arg;

	if (strcmp(hk->phase, fo->fo_phase) != 0)
		return (true);
	(void)hooks_add(fo->fo_op, hk->phase, hk->command, hk->timeout_sec,
	    false);
	return (false);
}

/*
 * The command that was given; else, as in an update, that of the label; else
 * the one that is set here.
 */
static void
run_command(struct op *op, const Sentinel__Ipc__ControlRequest *req,
    const char *phase)
{
	Sentinel__Ipc__HookView	 v;
	struct found		 fo = { phase, op };
	struct pbmem		 pm;

	if (req->command_line[0] != '\0') {
		(void)hooks_add(op, phase, req->command_line,
		    req->timeout_sec, false);
		return;
	}
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	sentinel__ipc__hook_view__init(&v);
	if (label_hook(op->op_host, op->op_container, phase, &v, &pm) &&
	    v.command[0] != '\0')
		(void)hooks_add(op, phase, v.command, v.timeout_sec, false);
	pbmem_free(&pm);
	if (op->op_nhooks == 0)
		(void)hooks_walk(op->op_host, op->op_container, run_stored,
		    &fo);
	/* Not in our list: the agent has the last word. */
	if (op->op_nhooks == 0)
		(void)hooks_add(op, phase, "", 0, false);
	if (req->timeout_sec != 0)
		op->op_hooks[0].oh_sec = req->timeout_sec;
}

void
client_hook_run(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	const char	*fault = NULL;
	enum hook_phase	 ph;
	struct host	*h;
	struct op	*op;
	char		 by[32], subject[384];

	if (!phase_of(cl, req->phase, &ph) || !target_of(cl, req, &h))
		return;
	if (host_is_connected(h) && (fault = hooks_fault(h)) == NULL &&
	    req->command_line[0] != '\0')
		fault = hooks_command_fault(h, req->command_line);
	if (fault != NULL) {
		client_end(cl, CONTROL_FAILED, "host %s: %s", h->h_name,
		    fault);
		return;
	}
	if ((op = op_new(OP_HOOK, h)) == NULL) {
		client_end(cl, CONTROL_FAILED, "too many operations under way "
		    "on host %s; try again", h->h_name);
		return;
	}
	(void)strlcpy(op->op_container, req->container,
	    sizeof(op->op_container));
	run_command(op, req, hook_phase_name(ph));
	op->op_done = on_run;
	op->op_arg = cl;
	(void)snprintf(by, sizeof(by), "uid %u", req->uid);
	(void)snprintf(subject, sizeof(subject), "container %s/%s", h->h_name,
	    op->op_container);
	(void)audit_write(by, "hook.run", subject, AUDIT_OK, "asked for, "
	    "operation %s, %s: %s", op->op_id, hook_phase_name(ph),
	    op->op_hooks[0].oh_command);
	hooks_make_foreign(op);
	oplog_begin(op, req->uid);
	op_start(op);
}

static void
on_run(struct op *op, const struct op_result *r, void *arg)
{
	Sentinel__Ipc__HookView	 v;
	struct client		*cl = arg;
	char			 unknown[512];
	enum control_code	 code = CONTROL_FAILED;

	sentinel__ipc__hook_view__init(&v);
	v.host_id = op->op_host->h_id;
	v.host_name = op->op_host->h_name;
	v.container = op->op_container;
	v.phase = op->op_hooks[0].oh_phase;
	v.command = op->op_hooks[0].oh_command;
	v.request_id = op->op_id;
	v.outcome = lend(r->or_outcome);
	v.exit_code = r->or_end == OP_DONE ? r->or_exit_code : -1;
	v.output = lend(r->or_output);
	v.error = lend(r->or_error);
	(void)snprintf(unknown, sizeof(unknown), "container \"%s\" not found",
	    op->op_container);
	if (r->or_end == OP_TIMEOUT)
		code = CONTROL_TIMEOUT;
	else if (r->or_end == OP_GONE)
		code = CONTROL_UNREACH;
	else if (strcmp(r->or_outcome, "success") == 0)
		code = CONTROL_OK;
	else if (strcmp(v.error, unknown) == 0)
		code = CONTROL_NOSUCH;
	(void)send_view(cl, &v);
	client_end(cl, code, "%s", v.error);
}
