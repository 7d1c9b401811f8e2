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

#include "ctl.h"
#include "pbcheck.h"
#include "view_json.h"
#include "xmalloc.h"

#define SHOW_OBJECT_MAXBYTES	(16 * 1024 * 1024)	/* JSON of one item */
#define SHOW_PROCS_MAX		32

struct show {
	const struct ctl_args		*sh_args;
	FILE				*sh_out;
	bool				 sh_colour;
	size_t				 sh_items;	/* of JSON list */
	struct table			*sh_table;
	struct progress			*sh_progress;
	/* status: kept until all processes are there */
	struct pbmem			 sh_mem;
	Sentinel__Ipc__StatusView	*sh_status;
	Sentinel__Ipc__ProcessView	*sh_procs[SHOW_PROCS_MAX];
	size_t				 sh_nprocs;
};

static void	*show_keep(struct show *, const ProtobufCMessage *);
static int	 show_json(struct show *, const Sentinel__Ipc__ControlItem *);
static void	 show_text(struct show *, const Sentinel__Ipc__ControlItem *);
static int	 show_print_json(struct show *, struct json_gen *);
static struct table *show_table(struct show *, const char *const *);

struct show *
show_new(const struct ctl_args *args, FILE *out, bool colour, bool errtty,
    int columns)
{
	struct show	*sh;

	sh = xcalloc(1, sizeof(*sh));
	sh->sh_args = args;
	sh->sh_out = out;
	sh->sh_colour = colour;
	sh->sh_progress = progress_new(stderr, errtty, columns);
	pbmem_init(&sh->sh_mem, PBMEM_SMALLBYTES, 10000);
	return (sh);
}

void
show_free(struct show *sh)
{
	if (sh == NULL)
		return;
	table_free(sh->sh_table);
	progress_free(sh->sh_progress);
	pbmem_free(&sh->sh_mem);
	free(sh);
}

int
show_item(const Sentinel__Ipc__ControlItem *item, void *arg)
{
	struct show	*sh = arg;

	switch (item->item_case) {
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_PROGRESS:
		if (!sh->sh_args->ca_json)
			progress_step(sh->sh_progress, item->progress);
		return (0);
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_STATUS:
		sh->sh_status = show_keep(sh, &item->status->base);
		return (0);
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_PROCESS:
		if (sh->sh_nprocs < SHOW_PROCS_MAX && (sh->sh_procs[
		    sh->sh_nprocs] = show_keep(sh, &item->process->base)) !=
		    NULL)
			sh->sh_nprocs++;
		return (0);
	default:
		break;
	}
	progress_clear(sh->sh_progress);
	if (sh->sh_args->ca_json) {
		if (show_json(sh, item) == -1)
			return (-1);
	} else
		show_text(sh, item);
	if ((sh->sh_args->ca_cmd->cm_shape == CTL_STREAM ||
	    sh->sh_args->ca_follow) &&
	    fflush(sh->sh_out) == EOF)
		return (-1);
	return (ferror(sh->sh_out) ? -1 : 0);
}

/* A copy that outlives the message it came in. */
static void *
show_keep(struct show *sh, const ProtobufCMessage *m)
{
	uint8_t	*body;
	void	*copy;
	size_t	 len;

	if ((body = pbcheck_pack(m, PBMEM_SMALLBYTES, &len)) == NULL)
		return (NULL);
	copy = pbcheck_unpack(m->descriptor, body, len, &sh->sh_mem, NULL);
	free(body);
	return (copy);
}

int
show_end(struct show *sh, enum control_code code)
{
	const enum ctl_shape	 shape = sh->sh_args->ca_cmd->cm_shape;
	struct json_gen		*g;

	progress_clear(sh->sh_progress);
	if (sh->sh_status != NULL && sh->sh_args->ca_json) {
		if ((g = json_gen_new(SHOW_OBJECT_MAXBYTES)) == NULL)
			return (-1);
		view_json_status(g, sh->sh_status, sh->sh_procs,
		    sh->sh_nprocs);
		if (show_print_json(sh, g) == -1)
			return (-1);
	} else if (sh->sh_status != NULL)
		text_status(sh->sh_out, sh->sh_status, sh->sh_procs,
		    sh->sh_nprocs, sh->sh_colour);
	/* A list that broke off is still an array; the exit code tells. */
	if (sh->sh_args->ca_json && shape == CTL_LIST) {
		if (sh->sh_items > 0)
			(void)fprintf(sh->sh_out, "\n]\n");
		else if (code == CONTROL_OK)
			(void)fprintf(sh->sh_out, "[]\n");
	}
	if (sh->sh_table != NULL)
		table_print(sh->sh_table, sh->sh_out);
	return (fflush(sh->sh_out) == EOF || ferror(sh->sh_out) ? -1 : 0);
}

/* --- JSON --------------------------------------------------------------- */

/* What is said of containers; false for another kind of item. */
static bool
json_container(struct json_gen *g, const Sentinel__Ipc__ControlItem *item)
{
	switch (item->item_case) {
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_CONTAINER:
		view_json_container(g, item->container);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_LOGS:
		view_json_logs(g, item->logs);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_RESULT:
		view_json_result(g, item->result);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_PLAN:
		view_json_plan(g, item->plan);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_HOOK:
		view_json_hook(g, item->hook);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_QUARANTINE:
		view_json_quarantine(g, item->quarantine);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_OPERATION:
		view_json_operation(g, item->operation);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_DETAIL:
		view_json_detail(g, item->detail);
		break;
	default:
		return (false);
	}
	return (true);
}

/* The same for what a daemon and its hosts have. */
static bool
json_daemon(struct json_gen *g, const Sentinel__Ipc__ControlItem *item)
{
	switch (item->item_case) {
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_TOKEN:
		view_json_token(g, item->token);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_HOST:
		view_json_host(g, item->host);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_EVENT:
		view_json_event(g, item->event);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_CERT:
		view_json_cert(g, item->cert);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_HISTORY:
		view_json_history(g, item->history);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_SETTING:
		view_json_setting(g, item->setting);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_POLICY:
		view_json_policy(g, item->policy);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_CHECK:
		view_json_check(g, item->check);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_AUDIT:
		view_json_audit(g, item->audit);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_CA:
		view_json_ca(g, item->ca);
		break;
	default:
		return (false);
	}
	return (true);
}

static int
show_json(struct show *sh, const Sentinel__Ipc__ControlItem *item)
{
	struct json_gen	*g;

	if (item->item_case == SENTINEL__IPC__CONTROL_ITEM__ITEM_FOLLOW)
		return (json_follow(sh->sh_out, item->follow));
	if ((g = json_gen_new(SHOW_OBJECT_MAXBYTES)) == NULL)
		return (-1);
	if (json_container(g, item) || json_daemon(g, item))
		return (show_print_json(sh, g));
	json_gen_free(g);
	return (0);
}

/* Takes the generator. */
static int
show_print_json(struct show *sh, struct json_gen *g)
{
	char	*text;
	size_t	 len;

	text = json_gen_take(g, &len);
	json_gen_free(g);
	if (text == NULL) {
		(void)fprintf(stderr, "sentinelctl: JSON: %s\n",
		    strerror(errno));
		return (-1);
	}
	if (sh->sh_args->ca_cmd->cm_shape == CTL_LIST)
		(void)fprintf(sh->sh_out, "%s%s",
		    sh->sh_items == 0 ? "[\n" : ",\n", text);
	else
		(void)fprintf(sh->sh_out, "%s\n", text);
	sh->sh_items++;
	free(text);
	return (0);
}

/* --- text --------------------------------------------------------------- */

/* What is said of containers; false for another kind of item. */
static bool
text_container(struct show *sh, const Sentinel__Ipc__ControlItem *item)
{
	bool	 list = sh->sh_args->ca_cmd->cm_shape == CTL_LIST;

	switch (item->item_case) {
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_CONTAINER:
		row_container(show_table(sh, heads_container),
		    item->container);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_LOGS:
		text_logs(sh->sh_out, item->logs);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_FOLLOW:
		text_follow(sh->sh_out, item->follow);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_RESULT:
		text_result(sh->sh_out, item->result);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_PLAN:
		text_plan(sh->sh_out, item->plan);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_HOOK:
		if (list)
			row_hook(show_table(sh, heads_hook), item->hook);
		else
			text_hook(sh->sh_out, item->hook);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_QUARANTINE:
		row_quarantine(show_table(sh, heads_quarantine),
		    item->quarantine);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_OPERATION:
		if (list)
			row_operation(show_table(sh, heads_operation),
			    item->operation);
		else
			text_operation(sh->sh_out, item->operation);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_DETAIL:
		text_detail(sh->sh_out, item->detail, sh->sh_colour);
		break;
	default:
		return (false);
	}
	return (true);
}

/* The same for what a daemon and its hosts have. */
static bool
text_daemon(struct show *sh, const Sentinel__Ipc__ControlItem *item)
{
	bool	 list = sh->sh_args->ca_cmd->cm_shape == CTL_LIST;

	switch (item->item_case) {
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_TOKEN:
		if (list)
			row_token(show_table(sh, heads_token), item->token);
		else
			text_token(sh->sh_out, item->token);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_HOST:
		if (list)
			row_host(show_table(sh, heads_host), item->host);
		else
			text_host(sh->sh_out, item->host);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_EVENT:
		text_event(sh->sh_out, item->event);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_CERT:
		row_cert(show_table(sh, heads_cert), item->cert);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_HISTORY:
		row_history(show_table(sh, heads_history), item->history);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_SETTING:
		row_setting(show_table(sh, heads_setting), item->setting);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_POLICY:
		row_policy(show_table(sh, heads_policy), item->policy);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_CHECK:
		text_check(sh->sh_out, item->check, sh->sh_colour);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_AUDIT:
		if (item->audit->entry != NULL)
			row_audit(show_table(sh, heads_audit),
			    item->audit->entry);
		else if (item->audit->chain != NULL)
			text_chain(sh->sh_out, item->audit->chain);
		break;
	case SENTINEL__IPC__CONTROL_ITEM__ITEM_CA:
		text_ca(sh->sh_out, item->ca, sh->sh_colour);
		break;
	default:
		return (false);
	}
	return (true);
}

static void
show_text(struct show *sh, const Sentinel__Ipc__ControlItem *item)
{
	if (sh->sh_args->ca_cmd->cm_shape != CTL_DONE &&
	    !text_container(sh, item))
		(void)text_daemon(sh, item);
}

static struct table *
show_table(struct show *sh, const char *const *heads)
{
	if (sh->sh_table == NULL)
		sh->sh_table = table_new(heads, sh->sh_colour);
	return (sh->sh_table);
}
