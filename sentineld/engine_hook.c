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

#include "engine_hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_hook.h"
#include "engine_settings.h"
#include "log.h"
#include "xmalloc.h"

static bool	 attach_one(const Sentinel__Store__Hook *, void *);
static const struct op_hook *hook_of(const struct op *, enum hook_phase);
static struct op *foreign_op(const struct op *, const struct op_hook *);
static void	 on_before(struct op *, const struct op_result *, void *);

/* --- with an update ------------------------------------------------------ */

bool
hooks_add(struct op *op, const char *phase, const char *command, uint32_t sec,
    bool rollback)
{
	struct op_hook	*oh;

	if (op->op_nhooks == OP_HOOKS_MAX)
		return (false);
	oh = &op->op_hooks[op->op_nhooks++];
	(void)strlcpy(oh->oh_phase, phase, sizeof(oh->oh_phase));
	oh->oh_command = xstrdup(command);
	oh->oh_sec = sec;
	oh->oh_rollback = rollback;
	return (true);
}

void
hooks_free(struct op *op)
{
	while (op->op_nhooks > 0)
		free(op->op_hooks[--op->op_nhooks].oh_command);
}

static bool
attach_one(const Sentinel__Store__Hook *hk, void *arg)
{
	return (hooks_add(arg, hk->phase, hk->command, hk->timeout_sec,
	    hk->rollback));
}

const char *
hooks_fault(const struct host *h)
{
	if (!settings_now()->ct_hooks)
		return ("hooks are switched off: settings set hooks_enabled "
		    "true");
	if (!h->h_local && !host_has_feature(h, "hooks"))
		return ("the agent there is too old for this: it runs no "
		    "hooks");
	return (NULL);
}

/* The existing agent cuts a command at its blanks and knows no quotes. */
const char *
hooks_command_fault(const struct host *h, const char *command)
{
	static char	 why[256];
	char		*argv[EXEC_ARGS_MAX];
	const char	*p;
	bool		 shell, plain = true;
	int		 i, n;

	if ((n = hook_argv(command, argv, &shell, why, sizeof(why))) == -1)
		return (why);
	for (i = 0; i < n; i++)
		for (p = argv[i], plain = plain && *p != '\0'; *p != '\0'; p++)
			plain = plain && (unsigned char)*p > ' ' &&
			    (unsigned char)*p < 0x7f;
	hook_argv_free(argv, n);
	if (h->h_local || host_has_feature(h, "update-hooks"))
		return (NULL);
	if (shell)
		return ("the agent there has no shell for hooks: give the "
		    "command as an array of words");
	return (plain ? NULL : "the agent there cuts commands at blanks: "
	    "words of the array must not be empty or hold any");
}

int
hooks_attach(struct op *op, bool skip, char *why, size_t len)
{
	const struct host	*h = op->op_host;
	const char		*fault;
	size_t			 i;

	op->op_skip_hooks = skip || !settings_now()->ct_hooks;
	if (op->op_skip_hooks)
		return (0);
	if (hooks_walk(h, op->op_container, attach_one, op) == -1) {
		(void)strlcpy(why, "the database failed, see the log", len);
		return (-1);
	}
	if (op->op_nhooks == 0)
		return (0);
	op->op_foreign = !h->h_local && !host_has_feature(h, "update-hooks");
	/* Of a host that is away there are no words yet; op_start() says so. */
	if (!host_is_connected(h))
		return (0);
	fault = hooks_fault(h);
	for (i = 0; i < op->op_nhooks && fault == NULL; i++)
		fault = hooks_command_fault(h, op->op_hooks[i].oh_command);
	if (fault == NULL)
		return (0);
	(void)snprintf(why, len, "host %s: a hook is set for %s: %s "
	    "(--skip-hooks updates without it)", h->h_name, op->op_container,
	    fault);
	return (-1);
}

size_t
hooks_to_wire(const struct op *op, struct hook_list *hl)
{
	Sentinel__Cluster__RunHookRequest	*r;
	size_t					 i;

	for (i = 0; i < op->op_nhooks; i++) {
		r = hl->hl_list[i] = &hl->hl_hook[i];
		sentinel__cluster__run_hook_request__init(r);
		/* protobuf-c has no const strings. */
		r->container_name = (char *)(uintptr_t)op->op_container;
		r->phase = (char *)(uintptr_t)op->op_hooks[i].oh_phase;
		r->command = op->op_hooks[i].oh_command;
		r->timeout_seconds = (int32_t)op->op_hooks[i].oh_sec;
		r->rollback = op->op_hooks[i].oh_rollback;
	}
	return (op->op_nhooks);
}

/* --- around the update of an agent that runs none by itself -------------- */

static const struct op_hook *
hook_of(const struct op *op, enum hook_phase want)
{
	enum hook_phase	 ph;
	size_t		 i;

	for (i = 0; i < op->op_nhooks; i++)
		if (hook_phase_parse(op->op_hooks[i].oh_phase, &ph) == 0 &&
		    ph == want)
			return (&op->op_hooks[i]);
	return (NULL);
}

/* The words of an array with a blank between them. */
static void
foreign_line(const char *command, char *line, size_t size)
{
	char	*argv[EXEC_ARGS_MAX], why[128];
	bool	 shell;
	int	 i, n;

	line[0] = '\0';
	if ((n = hook_argv(command, argv, &shell, why, sizeof(why))) <= 0)
		return;
	for (i = 0; i < n; i++) {
		(void)strlcat(line, i == 0 ? "" : " ", size);
		(void)strlcat(line, argv[i], size);
	}
	hook_argv_free(argv, n);
}

void
hooks_make_foreign(struct op *op)
{
	const struct host	*h = op->op_host;
	struct op_hook		*oh = &op->op_hooks[0];
	char			 line[EXEC_COMMAND_MAXBYTES];

	if (h->h_local || host_has_feature(h, "update-hooks"))
		return;
	foreign_line(oh->oh_command, line, sizeof(line));
	free(oh->oh_command);
	oh->oh_command = xstrdup(line);
	op->op_foreign = true;
}

static struct op *
foreign_op(const struct op *update, const struct op_hook *oh)
{
	struct op	*op;

	if ((op = op_new(OP_HOOK, update->op_host)) == NULL)
		return (NULL);
	(void)strlcpy(op->op_container, update->op_container,
	    sizeof(op->op_container));
	(void)hooks_add(op, oh->oh_phase, oh->oh_command, oh->oh_sec, false);
	hooks_make_foreign(op);
	return (op);
}

bool
hooks_before(struct op *update)
{
	const struct op_hook	*oh = hook_of(update, HOOK_PRE);
	struct op		*op;

	if (update->op_kind != OP_UPDATE || !update->op_foreign ||
	    update->op_pre_done || oh == NULL)
		return (false);
	if ((op = foreign_op(update, oh)) == NULL) {
		op_fail(update, OP_FAILED, "host %s: too many operations "
		    "under way for its hook", update->op_host->h_name);
		return (true);
	}
	op->op_done = on_before;
	op->op_arg = xstrdup(update->op_id);
	op_start(op);
	return (true);
}

static void
on_before(struct op *op, const struct op_result *r, void *arg)
{
	struct op_result	 skipped = { .or_end = OP_DONE };
	struct op		*update = op_find(arg);
	char			 text[HOOK_REASON_MAXBYTES];

	(void)op;
	free(arg);
	if (update == NULL)
		return;		/* its host has gone */
	if (r->or_end == OP_DONE && strcmp(r->or_outcome, "success") == 0) {
		update->op_pre_done = true;
		op_start(update);
		return;
	}
	(void)snprintf(text, sizeof(text), "pre-update hook: %s",
	    r->or_error);
	if (r->or_end == OP_DONE && r->or_exit_code == HOOK_SKIP) {
		skipped.or_outcome = "skipped";
		skipped.or_error = text;
		op_finish(update, &skipped);
	} else
		op_fail(update, r->or_end, "%s", text);
}

void
hooks_after(const struct op *update, const struct op_result *r)
{
	const struct op_hook	*oh = hook_of(update, HOOK_POST);
	struct op		*op;

	if (update->op_kind != OP_UPDATE || !update->op_foreign ||
	    oh == NULL || r->or_end != OP_DONE ||
	    strcmp(r->or_outcome, "success") != 0)
		return;
	/* Its result is an event and a row of the history. */
	if ((op = foreign_op(update, oh)) != NULL)
		op_start(op);
	else
		log_warnx("host %s: post-update hook of %s not run: too many "
		    "operations under way", update->op_host->h_id,
		    update->op_container);
}

/* --- results ------------------------------------------------------------- */

void
hooks_result(struct host *h, const Sentinel__Cluster__HookResult *m,
    bool is_new)
{
	struct op_result	 r = { .or_end = OP_DONE };
	struct op		*op;
	char			 text[64] = "";
	bool			 good;

	good = m->exit_code == 0 && m->error[0] == '\0';
	if (!good && m->error[0] == '\0')
		(void)snprintf(text, sizeof(text), "exit code %d",
		    m->exit_code);
	r.or_outcome = good ? "success" : "failed";
	r.or_error = text[0] != '\0' ? text : m->error;
	r.or_exit_code = m->exit_code;
	r.or_output = m->output;
	if (is_new)
		event_publish("container_hook", h, m->container_name, good ?
		    "%s hook of %s: %s" : "%s hook of %s: %s: %s", m->phase,
		    m->container_name, r.or_outcome, r.or_error);
	/* One of an update ends nothing. */
	if (m->of_update || (op = op_find(m->request_id)) == NULL ||
	    op->op_host != h || !op->op_sent)
		return;
	if (op->op_kind == OP_HOOK)
		op_finish(op, &r);
	else
		op_fail(op, OP_FAILED, "host %s answered with another kind of "
		    "result", h->h_name);
}
