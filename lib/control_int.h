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

#ifndef CONTROL_INT_H
#define CONTROL_INT_H

#include "compat.h"

#include <event2/event.h>

#include "control.h"
#include "imsg.h"
#include "ipc.pb-c.h"

/* Between control.c (sockets, routing) and control_client.c; for them only. */

struct control_client;

/* One question of a client, pending at the engine. */
struct control_request {
	uint32_t		 rq_id;		/* ours, at the engine */
	uint32_t		 rq_clientid;	/* the client's */
	struct control_client	*rq_client;
	TAILQ_ENTRY(control_request) rq_entry;	/* of the client */
	TAILQ_ENTRY(control_request) rq_all;
	unsigned int		 rq_msec;	/* 0: for ever */
	struct event		*rq_timer;
	bool			 rq_credit;	/* CONTROL_TAKEN is wanted */
	uint32_t		 rq_unsent;	/* items since the last one */
};
TAILQ_HEAD(control_requests, control_request);

/* Two buffers on one fd: what comes in is small, what goes out is not. */
struct control_client {
	uint64_t		 cl_id;		/* for the log */
	TAILQ_ENTRY(control_client) cl_entry;
	uid_t			 cl_uid;
	bool			 cl_readonly;
	int			 cl_fd;
	struct imsgbuf		 cl_in;
	struct imsgbuf		 cl_out;
	struct event		*cl_rev;
	struct event		*cl_wev;
	struct event		*cl_timer;	/* idle */
	struct control_requests	 cl_requests;
	size_t			 cl_nrequests;
};
TAILQ_HEAD(control_clients, control_client);

/* control.c */
/* Passes a checked request on; 0, or -1 when there is no engine. */
int	 control_ask(struct control_request *,
	    const Sentinel__Ipc__ControlRequest *);
/* Tells the engine that nobody waits any more. */
void	 control_gone(uint32_t id);
/* So many items of a request have left for its client. */
void	 control_taken(uint32_t id, uint32_t items);
/* A client went: a pause of accepting ends. */
void	 control_room(void);

/* control_client.c */
/* Takes fd. */
void	 control_client_accept(int fd, bool readonly);
void	 control_client_closeall(const char *why);
struct control_request *control_request_find(uint32_t id);
void	 control_request_item(struct control_request *, const struct imsg *);
/* Sends the end and forgets the request. */
void	 control_request_end(struct control_request *, const struct imsg *);

#endif /* CONTROL_INT_H */
