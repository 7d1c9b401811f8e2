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

#include "docker_process_int.h"
#include "log.h"

/*
 * Hooks as operations of the engine: one on its own, and what an update is
 * told of them.
 */
struct dp_hook {
	struct dp_op	*dh_op;
	struct hook	 dh_hook;	/* command NULL: of the label */
	enum hook_phase	 dh_phase;
};

static void	 dp_hook_inspected(void *, const struct docker_reply *);
static void	 dp_hook_done(void *, const struct docker_exec_result *);

static int
dp_hook_make(struct hook *hk, const Sentinel__Cluster__RunHookRequest *m,
    enum hook_phase *ph, char *why, size_t size)
{
	memset(hk, 0, sizeof(*hk));
	if (hook_phase_parse(m->phase, ph) == -1 || *ph == HOOK_GATE) {
		strlcpy(why, "unknown phase: want pre-update or post-update",
		    size);
		return (-1);
	}
	if (m->command[0] == '\0')
		return (0);
	if (hook_make(hk, m->command, m->timeout_seconds <= 0 ? 0 :
	    (unsigned int)m->timeout_seconds, why, size) == -1)
		return (-1);
	hk->hk_rollback = m->rollback;
	return (0);
}

int
dp_hooks_of(const Sentinel__Ipc__DockerOp *m, struct hook *pre,
    struct hook *post, char *why, size_t size)
{
	struct hook	 hk;
	enum hook_phase	 ph;
	size_t		 i;

	for (i = 0; i < m->n_hooks; i++) {
		if (dp_hook_make(&hk, m->hooks[i], &ph, why, size) == -1)
			return (-1);
		hook_free(ph == HOOK_PRE ? pre : post);
		*(ph == HOOK_PRE ? pre : post) = hk;	/* moved */
	}
	return (0);
}

/* --- one on its own ---------------------------------------------------- */

/* Ends before it began. */
static void
dp_hook_refuse(struct dp_hook *dh, const char *why)
{
	const struct docker_exec_result	 er = { .er_end = EXEC_FAILED,
		.er_code = -1, .er_error = why, .er_output = "" };

	dp_hook_done(dh, &er);
}

void
dp_hook(struct dp_op *op, const Sentinel__Ipc__DockerOp *m)
{
	struct dp_hook	*dh;
	char		 why[256] = "want one hook";

	if ((dh = calloc(1, sizeof(*dh))) == NULL) {
		dp_op_done(op, "out of memory");
		return;
	}
	dh->dh_op = op;
	if (m->n_hooks != 1 || dp_hook_make(&dh->dh_hook, m->hooks[0],
	    &dh->dh_phase, why, sizeof(why)) == -1)
		dp_hook_refuse(dh, why);
	else if (!docker_name_ok(op->do_container))
		dp_hook_refuse(dh, "bad container name");
	else if (dp->dp_updater == NULL)
		dp_hook_refuse(dh, DP_NOT_READY);
	else if (updater_busy(dp->dp_updater, op->do_container))
		dp_hook_refuse(dh, "the container is being updated");
	else if (docker_inspect(dp->dp_docker, op->do_container,
	    dp_hook_inspected, dh) == NULL)
		dp_hook_refuse(dh, "too many operations at the same time");
}

/* The label's command, when none was given. */
static bool
dp_hook_label(struct dp_hook *dh, const struct json_value *c, char *why,
    size_t size)
{
	int	 rc;

	if (dh->dh_hook.hk_command != NULL)
		return (true);
	rc = hook_from_labels(&dh->dh_hook, json_path(c, "Config.Labels"),
	    dh->dh_phase, why, size);
	if (rc == 0)
		(void)snprintf(why, size, "container \"%s\" has no %s hook: "
		    "give a command", dh->dh_op->do_container,
		    hook_phase_name(dh->dh_phase));
	return (rc == 1);
}

static int
dp_hook_run(struct dp_hook *dh, const char *id)
{
	char	 mark[HOOK_MARK_MAXBYTES];

	hook_mark(mark, dh->dh_op->do_request, dh->dh_phase);
	return (hook_run(proc_base(), dp->dp_docker, id, &dh->dh_hook, mark,
	    dp_hook_done, dh) == NULL ? -1 : 0);
}

static void
dp_hook_inspected(void *arg, const struct docker_reply *dr)
{
	struct dp_hook			*dh = arg;
	const struct json_value		*c;
	struct json			*js = NULL;
	const char			*name;
	char				 why[400] = "";

	if (dr->dr_end == DOCKER_OK)
		js = json_parse(dr->dr_body, dr->dr_len, NULL, 0);
	c = json_root(js);
	name = json_get_str(c, "Name");
	if (dr->dr_end != DOCKER_OK && dr->dr_status != 404)
		strlcpy(why, dr->dr_error, sizeof(why));
	else if (name[0] != '/' ||
	    strcmp(name + 1, dh->dh_op->do_container) != 0 ||
	    !docker_id_ok(json_get_str(c, "Id")))
		/* Docker also takes the beginning of an id for a name. */
		(void)snprintf(why, sizeof(why), "container \"%s\" not found",
		    dh->dh_op->do_container);
	else if (dp_hook_label(dh, c, why, sizeof(why)) &&
	    dp_hook_run(dh, json_get_str(c, "Id")) == -1)
		strlcpy(why, "too many operations at the same time",
		    sizeof(why));
	json_free(js);
	if (why[0] != '\0')
		dp_hook_refuse(dh, why);
}

/* error: "" for exit code 0, Docker's words, or those of the hook. */
static void
dp_hook_result(Sentinel__Ipc__DockerResult *r, enum hook_phase ph,
    const struct docker_exec_result *er, char text[HOOK_REASON_MAXBYTES])
{
	bool	 good = er->er_end == EXEC_EXITED && er->er_code == 0;

	text[0] = '\0';
	if (er->er_end == EXEC_EXITED && !good)
		hook_describe(ph, er, text, HOOK_REASON_MAXBYTES);
	else if (!good)
		strlcpy(text, er->er_error, HOOK_REASON_MAXBYTES);
	r->kind = SENTINEL__IPC__DOCKER_OP__KIND__HOOK;
	r->phase = dp_const(hook_phase_name(ph));
	r->outcome = dp_const(good ? "success" : "failed");
	r->error = text;
	r->exit_code = er->er_code;
	r->output = dp_const(er->er_output);
}

static void
dp_hook_done(void *arg, const struct docker_exec_result *er)
{
	struct dp_hook			*dh = arg;
	Sentinel__Ipc__DockerResult	 r;
	char				 text[HOOK_REASON_MAXBYTES];

	dp_result_init(&r, dh->dh_op, "");
	dp_hook_result(&r, dh->dh_phase, er, text);
	log_info("docker: %s hook of %s: %s%s%s", r.phase,
	    dh->dh_op->do_container, r.outcome, text[0] != '\0' ? ": " : "",
	    text);
	dp_send_result(&r);
	dp_op_end(dh->dh_op);
	hook_free(&dh->dh_hook);
	free(dh);
}

/* --- of an update ------------------------------------------------------ */

void
dp_update_hook(void *arg, const char *opid, const char *name,
    enum hook_phase ph, const struct docker_exec_result *er)
{
	Sentinel__Ipc__DockerResult	 r;
	char				 text[HOOK_REASON_MAXBYTES];

	(void)arg;
	sentinel__ipc__docker_result__init(&r);
	r.request_id = dp_const(opid);
	r.container = dp_const(name);
	r.of_update = true;
	dp_hook_result(&r, ph, er, text);
	dp_send_result(&r);
}
