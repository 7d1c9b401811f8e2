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

#ifndef BENCH_H
#define BENCH_H

#include "compat.h"

#include <event2/event.h>

#include "grpc.h"
#include "monotime.h"

/*
 * Many agents in one process, for "make bench": the wire layers of lib/ with
 * an agent behind them that has one container and answers every command at
 * once.  It signs nothing off: signatures of commands are not verified here,
 * but the server has to make them.  Everything ends the process on a failure,
 * with a line: a figure of a broken run is none.
 */
#define BENCH_PEM_MAXBYTES	4096
#define BENCH_CONTAINER		"web"

enum agent_state {
	AGENT_IDLE, AGENT_CONNECTING, AGENT_REPORTING, AGENT_OPEN
};

struct agent {
	char		 ag_id[65];	/* host id */
	char		 ag_key[BENCH_PEM_MAXBYTES];
	char		 ag_cert[BENCH_PEM_MAXBYTES];
	enum agent_state ag_state;
	struct tls	*ag_tls;	/* prepared, not yet connected */
	struct stream	*ag_stream;
	struct grpc_conn *ag_conn;
	struct grpc_call *ag_channel;
};

struct bench {
	struct event_base *b_base;
	const char	*b_host;	/* address in digits */
	const char	*b_port;
	const char	*b_ctl;		/* control socket */
	struct agent	*b_agents;
	size_t		 b_nagents;
	size_t		 b_open;	/* with a Channel */
};
extern struct bench	bench;

/* enrol.c: as many agents as there is room for, known to the server. */
void	 bench_enrol(size_t n);

/* agents.c; agents_loop() with until NULL runs for the whole time. */
int	 bench_connect(size_t n);	/* a TCP connection of the nth agent */
void	 agents_prepare(void);		/* keys and certificates parsed */
void	 agents_connect(void);		/* all at once */
void	 agents_close(void);
void	 agents_loop(unsigned int msec, bool (*until)(void));
#endif /* BENCH_H */
