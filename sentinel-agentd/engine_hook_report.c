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
#include <string.h>

#include "engine_allow.h"
#include "engine_journal.h"
#include "engine_policy.h"
#include "log.h"

#define KIND(x)	SENTINEL__IPC__DOCKER_OP__KIND__##x

void
hook_to_op(struct command *c, struct hook_list *hl, Sentinel__Ipc__DockerOp *m)
{
	Sentinel__Cluster__RunHookRequest	*r;
	size_t					 i;

	/* A plan is refused for the hooks of an update, and runs none. */
	if (c->cm_kind != KIND(UPDATE) && c->cm_kind != KIND(HOOK) &&
	    c->cm_kind != KIND(PLAN) && c->cm_kind != KIND(ROLLBACK))
		return;
	for (i = 0; i < c->cm_nhooks; i++) {
		r = hl->hl_list[i] = &hl->hl_hook[i];
		sentinel__cluster__run_hook_request__init(r);
		r->phase = c->cm_hooks[i].ch_phase;
		r->command = c->cm_hooks[i].ch_command;
		r->timeout_seconds = c->cm_hooks[i].ch_sec;
		r->rollback = c->cm_hooks[i].ch_rollback;
	}
	m->hooks = hl->hl_list;
	m->n_hooks = c->cm_nhooks;
	if (c->cm_kind == KIND(HOOK))
		return;
	m->run_hooks = policy_cache_now()->pc_hooks_enabled &&
	    !c->cm_skip_hooks;
	m->exec_fault = engine_lend(allow_fault(&eng->conf, ALLOW_HOOK, NULL));
}

/*
 * In the journal as a result of its own, also when its update goes on; false
 * when the update's id is too long to be told from it.
 */
static bool
keep_hook(const Sentinel__Ipc__DockerResult *m, char id[REQUEST_ID_SIZE])
{
	struct ojournal_entry	 je = {
		.je_container = m->container,
		.je_outcome = m->outcome,
		.je_error = m->error,
		.je_nsec = m->duration_msec > INT64_MAX / 1000000 ? 0 :
		    (int64_t)m->duration_msec * 1000000,
	};
	char			 action[64];

	(void)snprintf(action, sizeof(action), "hook %s", m->phase);
	je.je_action = action;
	if ((size_t)snprintf(id, REQUEST_ID_SIZE, "%s%s%s", m->request_id,
	    m->of_update ? "/" : "", m->of_update ? m->phase : "") >=
	    REQUEST_ID_SIZE)
		return (false);
	(void)ojournal_add_result(id, &je);
	return (true);
}

void
report_hook(const Sentinel__Ipc__DockerResult *m, bool began)
{
	Sentinel__Cluster__AgentMessage	 msg;
	Sentinel__Cluster__HookResult	 r;
	char				 id[REQUEST_ID_SIZE];

	sentinel__cluster__hook_result__init(&r);
	r.request_id = m->request_id;
	r.container_name = m->container;
	r.phase = m->phase;
	r.exit_code = m->exit_code;
	r.output = m->output;
	r.error = m->error;
	r.of_update = m->of_update;
	sentinel__cluster__agent_message__init(&msg);
	msg.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HOOK_RESULT;
	msg.hook_result = &r;
	if (!began) {
		out_push(OUT_RESULT, &msg, 0);
		return;
	}
	log_info("request %s: %s hook of %s: %s%s%s", m->request_id, m->phase,
	    m->container, m->outcome, m->error[0] != '\0' ? ": " : "",
	    m->error);
	event_add_line("container_hook", m->container, "%s hook of %s: %s",
	    m->phase, m->container, m->outcome);
	if (keep_hook(m, id))
		out_push_result(id, &msg, 0);
	else
		out_push(OUT_RESULT, &msg, 0);
}
