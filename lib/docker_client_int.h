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

#ifndef DOCKER_CLIENT_INT_H
#define DOCKER_CLIENT_INT_H

#include "docker_client.h"
#include "http.h"

/*
 * Between docker_client.c (calls and connections) and docker_answer.c (what
 * came back); nobody else includes it.
 */
struct docker_conn {
	struct docker			*dn_docker;
	TAILQ_ENTRY(docker_conn)	 dn_entry;
	struct http_conn		*dn_http;
	struct docker_req		*dn_req;	/* NULL: idle */
	bool				 dn_used;	/* served a request */
};

struct docker_req {
	struct docker			*dq_docker;
	TAILQ_ENTRY(docker_req)		 dq_entry;	/* waiting or sent */
	struct docker_conn		*dq_conn;	/* NULL: waiting */
	uint64_t			 dq_seq;
	bool				 dq_ping;
	bool				 dq_retried;
	struct docker_call		 dq_call;	/* strings are ours */
	struct event			*dq_timer;	/* for a connection */
	int				 dq_status;
	char				*dq_field;	/* dc_field or NULL */
	char				*dq_buf;	/* collected body */
	size_t				 dq_len;
	size_t				 dq_size;
};

TAILQ_HEAD(docker_reqs, docker_req);

TAILQ_HEAD(docker_pulls, docker_pull);

struct docker {
	struct event_base		*dk_base;
	TAILQ_HEAD(, docker_conn)	 dk_conns;
	struct docker_reqs		 dk_waiting;
	struct docker_reqs		 dk_sent;
	size_t				 dk_nconns;
	size_t				 dk_nasked;	/* unanswered */
	size_t				 dk_nreqs;
	uint64_t			 dk_seq;	/* last request's */
	unsigned int			 dk_losses;
	unsigned int			 dk_api;	/* minor, 0 unknown */
	unsigned int			 dk_offer;	/* said by the ping */
	bool				 dk_podman;	/* likewise */
	bool				 dk_pinging;
	struct event			*dk_kick;
	/* docker_pull.c */
	struct docker_pulls		 dk_pulls;	/* in line */
	struct event			*dk_pull_kick;	/* NULL: none yet */
	uint64_t			 dk_pull_number;
	void				(*dk_guard)(void *, uint64_t);
	void				*dk_guard_arg;
	void				(*dk_need_fd)(void *);
	void				*dk_arg;
};

/* docker_client.c */
void	 docker_conn_free(struct docker_conn *);
/* Docker ended it: another one may listen there the next time. */
void	 docker_conn_lost(struct docker_conn *);
void	 docker_req_free(struct docker_req *);
/* Put it in the line for a connection. */
void	 docker_wait(struct docker_req *, bool first);
/* End every call that waits now; callbacks may make and cancel calls. */
void	 docker_fail_waiting(struct docker *, const char *text);

/* docker_answer.c: the end of a request (hr_done, arg is the docker_req). */
void	 docker_http_done(void *, enum http_end, const char *);

#endif /* DOCKER_CLIENT_INT_H */
