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

#include "engine_journal.h"

#include <string.h>

#include "engine_hook.h"
#include "engine_plan.h"
#include "engine_result.h"
#include "log.h"
#include "utf8.h"

#define LOGS_MAXBYTES		(GRPC_SEND_MAXBYTES - 16384)

#define KIND(x)	SENTINEL__IPC__DOCKER_OP__KIND__##x
#define PAYLOAD(x) SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_##x

static void	 report_action(const Sentinel__Ipc__DockerResult *, bool);
static void	 report_logs(const Sentinel__Ipc__DockerResult *);
static void	 report_pull(const Sentinel__Ipc__DockerResult *, bool);
static void	 report_update(const Sentinel__Ipc__DockerResult *, bool);
static void	 on_list_after(const char *, void *);
static void	 keep(const Sentinel__Ipc__DockerResult *, const char *);
static char	*tail(const char *, size_t);

static uint32_t	 hold;		/* of the last update result */

/* began: false for what was refused before anything happened. */
void
result_report(const Sentinel__Ipc__DockerResult *m, bool began)
{
	switch (m->kind) {
	case KIND(ACTION):
		report_action(m, began);
		break;
	case KIND(LOGS):
		report_logs(m);
		break;
	case KIND(PULL):
		report_pull(m, began);
		break;
	case KIND(UPDATE):
	case KIND(ROLLBACK):
		report_update(m, began);
		break;
	case KIND(HOOK):
		report_hook(m, began);
		break;
	case KIND(PLAN):
		plan_report(m);
		break;
	case KIND(DETAIL):
		detail_report(m);
		break;
	default:
		break;
	}
}

/* What has happened is on disk before the server is told. */
static void
keep(const Sentinel__Ipc__DockerResult *m, const char *action)
{
	struct ojournal_entry	 je = {
		.je_action = action,
		.je_container = m->container,
		.je_old_image = m->old_image,
		.je_old_digest = m->old_digest,
		.je_new_image = m->new_image,
		.je_new_digest = m->new_digest,
		.je_outcome = m->outcome,
		.je_error = m->error,
		.je_nsec = m->duration_msec > INT64_MAX / 1000000 ? 0 :
		    (int64_t)m->duration_msec * 1000000,
	};

	(void)ojournal_add_result(m->request_id, &je);
}

/* The result first, then the list that shows it. */
static void
report_action(const Sentinel__Ipc__DockerResult *m, bool began)
{
	Sentinel__Cluster__AgentMessage			 msg;
	Sentinel__Cluster__ContainerActionResult	 r;

	if (began) {
		log_info("request %s: %s %s: %s%s%s", m->request_id,
		    m->action, m->container, m->outcome,
		    m->error[0] != '\0' ? ": " : "", m->error);
		event_add_line("container_state", m->container, "%s %s: %s",
		    m->action, m->container, m->outcome);
		keep(m, m->action);
	}
	sentinel__cluster__container_action_result__init(&r);
	r.request_id = m->request_id;
	r.container_name = m->container;
	r.action = m->action;
	r.outcome = m->outcome;
	r.error = m->error;
	sentinel__cluster__agent_message__init(&msg);
	msg.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_ACTION_RESULT;
	msg.container_action_result = &r;
	if (began)
		out_push_result(m->request_id, &msg, 0);
	else
		out_push(OUT_RESULT, &msg, 0);
	if (strcmp(m->outcome, "success") == 0)
		list_ask(true, NULL, NULL);
}

/* The last part of a text, whole characters only. */
static char *
tail(const char *text, size_t max)
{
	size_t	 len = strlen(text), skip;

	if (len <= max)
		return (engine_lend(text));
	for (skip = len - max; ((uint8_t)text[skip] & 0xc0) == 0x80; skip++)
		continue;
	return (engine_lend(text + skip));
}

static void
report_logs(const Sentinel__Ipc__DockerResult *m)
{
	Sentinel__Cluster__AgentMessage		 msg;
	Sentinel__Cluster__FetchLogsResult	 r;

	sentinel__cluster__fetch_logs_result__init(&r);
	r.request_id = m->request_id;
	r.container_name = m->container;
	r.logs = tail(m->logs, LOGS_MAXBYTES);
	r.lines = m->lines;
	r.error = m->error;
	sentinel__cluster__agent_message__init(&msg);
	msg.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_FETCH_LOGS_RESULT;
	msg.fetch_logs_result = &r;
	/* Nobody waits for logs any more after a disconnect. */
	out_push(OUT_PLAIN, &msg, 0);
}

static void
report_pull(const Sentinel__Ipc__DockerResult *m, bool began)
{
	Sentinel__Cluster__AgentMessage	 msg;
	Sentinel__Cluster__PullResult	 r;

	if (began)
		log_info("request %s: pull %s: %s%s%s", m->request_id,
		    m->new_image, m->outcome, m->error[0] != '\0' ? ": " : "",
		    m->error);
	if (session_is_open() && !session_has_feature("pull-result"))
		return;		/* the protocol has no answer there */
	if (began)
		keep(m, "pull");
	sentinel__cluster__pull_result__init(&r);
	r.request_id = m->request_id;
	r.image_ref = m->new_image;
	r.digest = m->new_digest;
	r.outcome = m->outcome;
	r.error = m->error;
	sentinel__cluster__agent_message__init(&msg);
	msg.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_PULL_RESULT;
	msg.pull_result = &r;
	if (began)
		out_push_result(m->request_id, &msg, 0);
	else if (session_is_open())
		out_push(OUT_RESULT, &msg, 0);
}

static void
fill_update(const Sentinel__Ipc__DockerResult *m,
    Sentinel__Cluster__UpdateResult *r, Google__Protobuf__Duration *d,
    char *error)
{
	sentinel__cluster__update_result__init(r);
	r->request_id = m->request_id;
	r->container_name = m->container;
	r->old_image = m->old_image;
	r->old_digest = m->old_digest;
	r->new_image = m->new_image;
	r->new_digest = m->new_digest;
	r->outcome = m->outcome;
	r->error = error;
	r->duration = d;
}

static void
fill_rollback(const Sentinel__Ipc__DockerResult *m,
    Sentinel__Cluster__RollbackResult *r, Google__Protobuf__Duration *d,
    char *error)
{
	sentinel__cluster__rollback_result__init(r);
	r->request_id = m->request_id;
	r->container_name = m->container;
	r->old_image = m->old_image;
	r->old_digest = m->old_digest;
	r->new_image = m->new_image;
	r->new_digest = m->new_digest;
	r->outcome = m->outcome;
	r->error = error;
	r->duration = d;
}

/* The list first, then the result: whoever waits for it sees both. */
static void
report_update(const Sentinel__Ipc__DockerResult *m, bool began)
{
	Sentinel__Cluster__AgentMessage		 msg;
	Sentinel__Cluster__UpdateResult		 update;
	Sentinel__Cluster__RollbackResult	 rollback;
	Google__Protobuf__Duration		 d;
	const char				*what;
	char					 error[ENGINE_ERROR_MAXBYTES];

	what = m->kind == KIND(ROLLBACK) ? "rollback" : "update";
	if (began) {
		log_info("request %s: %s %s: %s%s%s%s", m->request_id, what,
		    m->container, m->outcome, m->recovered ?
		    " (after a restart)" : "", m->error[0] != '\0' ? ": " :
		    "", m->error);
		event_add_line("container_update", m->container,
		    "%s %s: %s%s%s", what, m->container, m->outcome,
		    m->error[0] != '\0' ? ": " : "", m->error);
	}
	google__protobuf__duration__init(&d);
	d.seconds = (int64_t)(m->duration_msec / 1000);
	d.nanos = (int32_t)(m->duration_msec % 1000) * 1000000;
	/* What a foreign server would take for a failure is not for it. */
	(void)utf8_repair(error, sizeof(error), m->error, strlen(m->error));
	if (strcmp(m->outcome, "success") == 0 &&
	    !session_has_feature("update-hooks"))
		error[0] = '\0';
	sentinel__cluster__agent_message__init(&msg);
	if (m->kind == KIND(ROLLBACK)) {
		fill_rollback(m, &rollback, &d, error);
		msg.payload_case = PAYLOAD(ROLLBACK_RESULT);
		msg.rollback_result = &rollback;
	} else {
		fill_update(m, &update, &d, error);
		msg.payload_case = PAYLOAD(UPDATE_RESULT);
		msg.update_result = &update;
	}
	if (!began) {
		/* No container changed, and nothing is to be kept. */
		out_push(OUT_RESULT, &msg, 0);
		return;
	}
	keep(m, what);
	if (++hold == 0)
		hold = 1;
	out_push_result(m->request_id, &msg, hold);
	list_ask(true, on_list_after, (void *)(uintptr_t)hold);
}

static void
on_list_after(const char *error, void *arg)
{
	(void)error;
	out_release((uint32_t)(uintptr_t)arg);
}
