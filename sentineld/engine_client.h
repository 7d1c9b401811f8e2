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

#ifndef ENGINE_CLIENT_H
#define ENGINE_CLIENT_H

#include "compat.h"

#include "db.h"
#include "engine.h"

/*
 * Requests of sentinelctl, between engine_control*.c; for them only.  control
 * has checked version, socket and caller and has given every request an id; a
 * handler answers with items and exactly one end, now or later.
 *
 * What is long is sent in pieces, CLIENT_PIECE_BYTES at a time and only while
 * control has credit, so that the queue to it stays small whatever hosts and
 * clients do.
 */
#define CLIENT_PIECE_BYTES	(256 * 1024)
#define CLIENT_PIECE_MSEC	10	/* to the next one */

struct client;
/* Sends the next piece of a long answer, or its end (the client is gone). */
typedef void (*client_more)(struct client *);

struct client {
	uint32_t	 cl_id;
	bool		 cl_follows;		/* events */
	RB_ENTRY(client) cl_entry;
	char		 cl_host[HOST_ID_SIZE];	/* container list: "" all */
	unsigned int	 cl_waiting;		/* lists being refreshed */
	bool		 cl_all;		/* host list: tombstones too */
	char		 cl_container[256];	/* history list: "" any */
	size_t		 cl_limit;
	uint64_t	 cl_next;		/* order of the next row */
	client_more	 cl_more;		/* NULL: all is sent */
	char		 cl_at[HOST_ID_SIZE];	/* host that comes next, */
	size_t		 cl_skip;		/* and how much of it went */
	struct db_audit_check cl_audit;		/* the audit trail, so far */
};

/* --- engine_control.c --------------------------------------------------- */
struct client *client_find(uint32_t id);
/* Makes the item fit its rules, and sends it.  Its size in bytes. */
size_t	 client_item(struct client *, Sentinel__Ipc__ControlItem *);
void	 client_end(struct client *, enum control_code, const char *, ...)
	    __printflike_(3, 4);
void	 client_end_noerror(struct client *);
/* Call more() again after CLIENT_PIECE_MSEC. */
void	 client_later(struct client *, client_more more);
/* Whether a piece of so many bytes is enough for now. */
bool	 client_is_full(size_t sent);
/* NULL: the client was told. */
struct host *client_host(struct client *, const char *id_or_name);
/* The host with this id, or the next one. */
struct host *client_host_at(const char *id);

/* Handlers of commands. */
typedef void client_command(struct client *,
	    const Sentinel__Ipc__ControlRequest *);
/* engine_control_show.c */
client_command	 client_status, client_events;
/* engine_control_token.c */
client_command	 client_token_create, client_token_list, client_token_revoke;
/* engine_control_host.c */
client_command	 client_host_list, client_host_show, client_host_pause,
	    client_host_end, client_host_rename, client_host_label,
	    client_host_unfreeze;
/* engine_control_cert.c */
client_command	 client_cert_list;
/* engine_control_history.c */
client_command	 client_history_list;
/* engine_control_ca.c */
client_command	 client_ca_status, client_ca_rotate;
/* engine_control_audit.c */
client_command	 client_audit_list, client_audit_verify;
/* engine_control_reload.c */
client_command	 client_reload;
/* engine_control_setting.c */
client_command	 client_settings_get, client_settings_change,
	    client_policy_show, client_policy_set;
/* engine_control_hook.c */
client_command	 client_hook_list, client_hook_set, client_hook_remove,
	    client_hook_run;
/* engine_control_quarantine.c */
client_command	 client_quarantine_list, client_quarantine_lift;
/* engine_control_op.c */
client_command	 client_container_list, client_container_op;
/* --- engine_control_self.c ---------------------------------------------- */
client_command	 client_self_update;
/* engine_control_operation.c */
client_command	 client_operation_list, client_operation_show;
/* engine_control_detail.c */
client_command	 client_container_show;

/* --- engine_control_setting.c -------------------------------------------- */
/* What is done with updates of a container, and who decided: lends from the
 * host, the info and the policies. */
void	 client_policy_view(const struct host *,
	    const Sentinel__Cluster__ContainerInfo *,
	    Sentinel__Ipc__PolicyView *);

#endif /* ENGINE_CLIENT_H */
