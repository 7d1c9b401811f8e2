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

#include "engine_oplog.h"

#include <sys/time.h>

#include <stdio.h>
#include <string.h>

#include "utf8.h"

#define TEXT(s)	((char *)(uintptr_t)(s))

static struct oplog_row	rows[OPLOG_MAX];	/* a ring */
static size_t		nrows, first;

static int64_t
now_msec(void)
{
	struct timeval	 tv;

	gettimeofday(&tv, NULL);
	return ((int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000);
}

const char *
oplog_kind(const struct op *op)
{
	switch (op->op_kind) {
	case OP_LIST:
		return ("list");
	case OP_LOGS:
		return ("logs");
	case OP_UPDATE:
		return ("update");
	case OP_PULL:
		return ("pull");
	case OP_DETAIL:
		return ("detail");
	case OP_PLAN:
		return ("plan");
	case OP_HOOK:
		return ("hook");
	case OP_ROLLBACK:
		return ("rollback");
	default:
		return (op->op_action);
	}
}

void
oplog_begin(struct op *op, uint32_t uid)
{
	op->op_began = now_msec();
	(void)snprintf(op->op_by, sizeof(op->op_by), "uid %u", uid);
}

void
oplog_progress(struct op *op, const char *phase, uint32_t percent,
    const char *text)
{
	Sentinel__Ipc__EventView	 v;
	char				 type[] = "progress", line[640];

	/* Cut off in the middle of a character it could not be shown. */
	(void)utf8_repair(op->op_phase, sizeof(op->op_phase), phase,
	    strlen(phase));
	(void)utf8_repair(op->op_text, sizeof(op->op_text), text,
	    strlen(text));
	op->op_percent = percent > 100 ? 100 : percent;
	if (op->op_by[0] == '\0')
		return;
	(void)snprintf(line, sizeof(line), "%s %s: %s%s%s", oplog_kind(op),
	    op->op_kind == OP_PULL ? op->op_id : op->op_container,
	    op->op_phase, op->op_text[0] != '\0' ? ": " : "", op->op_text);
	sentinel__ipc__event_view__init(&v);
	v.time_msec = now_msec();
	v.type = type;
	v.host_id = op->op_host->h_id;
	v.host_name = op->op_host->h_name;
	v.container = op->op_container;
	v.message = line;
	client_event(&v);
}

/* The oldest goes when there is no more room. */
static struct oplog_row *
new_row(void)
{
	struct oplog_row	*ol;

	ol = &rows[(first + nrows) % OPLOG_MAX];
	if (nrows == OPLOG_MAX)
		first = (first + 1) % OPLOG_MAX;
	else
		nrows++;
	memset(ol, 0, sizeof(*ol));
	return (ol);
}

void
oplog_late(const struct host *h, const char *id, const char *container,
    const char *kind, const char *image, uint64_t msec, const char *outcome,
    const char *error)
{
	struct oplog_row	*ol = NULL;
	size_t			 n;

	for (n = 0; n < nrows; n++) {
		ol = &rows[(first + n) % OPLOG_MAX];
		if (strcmp(ol->ol_id, id) == 0 &&
		    strcmp(ol->ol_host, h->h_id) == 0)
			break;
	}
	if (n == nrows) {
		if (!h->h_local || strlen(id) >= sizeof(ol->ol_id) ||
		    id[0] == '\0')
			return;
		ol = new_row();
		(void)strlcpy(ol->ol_id, id, sizeof(ol->ol_id));
		(void)strlcpy(ol->ol_host, h->h_id, sizeof(ol->ol_host));
		(void)strlcpy(ol->ol_host_name, h->h_name,
		    sizeof(ol->ol_host_name));
		(void)strlcpy(ol->ol_container, container,
		    sizeof(ol->ol_container));
		(void)strlcpy(ol->ol_kind, kind, sizeof(ol->ol_kind));
		(void)strlcpy(ol->ol_image, image, sizeof(ol->ol_image));
		ol->ol_began = now_msec();
		if (msec < (uint64_t)ol->ol_began)
			ol->ol_began -= (int64_t)msec;
	} else if (strcmp(ol->ol_outcome, "unknown") != 0)
		return;
	(void)utf8_repair(ol->ol_outcome, sizeof(ol->ol_outcome), outcome,
	    strlen(outcome));
	(void)utf8_repair(ol->ol_error, sizeof(ol->ol_error), error,
	    strlen(error));
	ol->ol_ended = now_msec();
}

void
oplog_ended(const struct op *op, const struct op_result *r)
{
	struct oplog_row	*ol;

	if (op->op_by[0] == '\0')
		return;
	ol = new_row();
	(void)strlcpy(ol->ol_id, op->op_id, sizeof(ol->ol_id));
	(void)strlcpy(ol->ol_host, op->op_host->h_id, sizeof(ol->ol_host));
	(void)strlcpy(ol->ol_host_name, op->op_host->h_name,
	    sizeof(ol->ol_host_name));
	(void)strlcpy(ol->ol_container, op->op_container,
	    sizeof(ol->ol_container));
	(void)strlcpy(ol->ol_kind, oplog_kind(op), sizeof(ol->ol_kind));
	(void)strlcpy(ol->ol_image, op->op_image, sizeof(ol->ol_image));
	(void)strlcpy(ol->ol_by, op->op_by, sizeof(ol->ol_by));
	(void)strlcpy(ol->ol_outcome, r->or_end == OP_TIMEOUT ||
	    r->or_end == OP_GONE ? "unknown" : r->or_outcome,
	    sizeof(ol->ol_outcome));
	if (r->or_error != NULL)
		(void)utf8_repair(ol->ol_error, sizeof(ol->ol_error),
		    r->or_error, strlen(r->or_error));
	ol->ol_began = op->op_began;
	ol->ol_ended = now_msec();
}

const struct oplog_row *
oplog_row(size_t n)
{
	return (n < nrows ? &rows[(first + n) % OPLOG_MAX] : NULL);
}

void
oplog_view_op(struct op *op, Sentinel__Ipc__OperationView *v)
{
	sentinel__ipc__operation_view__init(v);
	v->id = op->op_id;
	v->host_id = op->op_host->h_id;
	v->host_name = op->op_host->h_name;
	v->container = op->op_container;
	v->kind = TEXT(oplog_kind(op));
	v->image = op->op_image;
	v->phase = op->op_phase;
	v->percent = op->op_percent;
	v->text = op->op_text;
	v->started_msec = op->op_began;
	v->by = op->op_by;
}

void
oplog_view_row(const struct oplog_row *ol, Sentinel__Ipc__OperationView *v)
{
	sentinel__ipc__operation_view__init(v);
	v->id = TEXT(ol->ol_id);
	v->host_id = TEXT(ol->ol_host);
	v->host_name = TEXT(ol->ol_host_name);
	v->container = TEXT(ol->ol_container);
	v->kind = TEXT(ol->ol_kind);
	v->image = TEXT(ol->ol_image);
	v->started_msec = ol->ol_began;
	v->by = TEXT(ol->ol_by);
	v->outcome = TEXT(ol->ol_outcome);
	v->error = TEXT(ol->ol_error);
	v->ended_msec = ol->ol_ended;
}
