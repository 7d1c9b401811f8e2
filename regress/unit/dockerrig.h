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

#ifndef DOCKERRIG_H
#define DOCKERRIG_H

#include "compat.h"

#include <sys/mman.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

#include "confpart.h"
#include "docker_process.h"
#include "docker_process_int.h"
#include "fakedocker.h"
#include "imsg_rule.h"
#include "log.h"

/*
 * The docker process with dummies for lib/proc: the parent answers for
 * sockets at once, what is sent to the engine is written down as text.
 */
static struct fk	 fk;
static struct peer	 engine, parent;
static bool		 credit;
static char		 said[65536];
static const char	*stop_at;	/* leave the loop at this message */
static int		 nbroken;

static void	 handle(uint32_t, uint32_t, int, const void *, size_t);
static void	 note(const char *, ...) __printflike_(1, 2);

static void
note(const char *fmt, ...)
{
	va_list	 ap;
	size_t	 n = strlen(said);

	va_start(ap, fmt);
	vsnprintf(said + n, sizeof(said) - n, fmt, ap);
	va_end(ap);
	if (stop_at != NULL && strstr(said + n, stop_at) != NULL)
		event_base_loopbreak(fk.base);
}

/* --- dummies ------------------------------------------------------------- */

struct event_base *
proc_base(void)
{
	return (fk.base);
}

struct peer *
proc_peer(enum role role)
{
	return (role == ROLE_A_ENGINE ? &engine :
	    role == ROLE_A_PARENT ? &parent : NULL);
}

bool
peer_has_credit(const struct peer *p)
{
	assert_ptr_equal(p, &engine);
	return (credit);
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)p;
	(void)m;
	(void)why;
	nbroken++;
}

void
proc_exit(int status)
{
	(void)status;
	abort();
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd, const void *body,
    size_t len)
{
	uint8_t	 fail[64] = { 0, 0, 0, ENOENT, 0, 7, 'n', 'o', 't', 'h', 'e',
		    'r', 'e' };

	(void)fd;
	(void)body;
	if (type == IMSG_DOCKER_SOCK_ASK && fk.away) {
		handle(IMSG_DOCKER_SOCK_FAIL, id, -1, fail, 13);
		return (0);
	}
	if (type == IMSG_DOCKER_SOCK_ASK) {
		assert_ptr_equal(p, &parent);
		handle(IMSG_DOCKER_SOCK, id, fk_socket(&fk), NULL, 0);
		return (0);
	}
	note("<%s %zu>", imsg_rule_name(type), len);
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *buf)
{
	return (peer_send(p, type, id, fd, ibuf_data(buf), ibuf_size(buf)));
}

static void
say_result(const Sentinel__Ipc__DockerResult *r)
{
	note("<result %d %s %s %s %s|%s|%s|%d|%s|%s>", r->kind, r->request_id,
	    r->container, r->action, r->outcome, r->error, r->logs, r->lines,
	    r->old_image, r->new_image);
}

static void
say_followed(uint32_t id, const Sentinel__Ipc__DockerFollowed *m)
{
	if (m->open)
		note("<open %u>", id);
	else if (m->data->end[0] != '\0')
		note("<over %u %d %s>", id, m->data->failed, m->data->end);
	else
		note("<text %u %s>", id, m->data->text);
}

static void
say_delta(const Sentinel__Ipc__DockerDelta *d)
{
	char	 events[1024] = "";
	size_t	 i;

	assert_int_equal(strlen(d->id), 64);
	for (i = 0; i < d->n_events; i++) {
		assert_true(d->events[i]->time_nsec > 0);
		strlcat(events, " ", sizeof(events));
		strlcat(events, d->events[i]->action, sizeof(events));
	}
	if (d->info == NULL)
		note("<gone %.12s%s>", d->id, events);
	else
		note("<delta %s %s%s%s %s%s>", d->info->name, d->info->state,
		    d->info->health[0] != '\0' ? "/" : "", d->info->health,
		    d->info->image_digest, events);
}

int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *m)
{
	const Sentinel__Cluster__ContainerInfo	*ci;
	const Sentinel__Ipc__ListEnd		*end;
	const Sentinel__Ipc__DockerState	*st;
	const Sentinel__Ipc__DockerProgress	*pr;

	assert_ptr_equal(p, &engine);
	/* What is sent must pass the receiver's rule. */
	assert_true(protobuf_c_message_get_packed_size(m) <=
	    imsg_rule_find(type)->ir_max);
	assert_true(protobuf_c_message_check(m));
	switch (type) {
	case IMSG_DOCKER_CONTAINER:
		ci = (const void *)m;
		note("<item %s %zu %zu>", ci->name, ci->n_labels, ci->n_ports);
		break;
	case IMSG_DOCKER_LIST_END:
		end = (const void *)m;
		note("<end %s %u %s>", end->request_id, end->count,
		    end->error);
		break;
	case IMSG_DOCKER_STATE:
		st = (const void *)m;
		note("<state %d %s %s %s%s>", st->available, st->engine_id,
		    st->api_version, st->error, st->live ? "live" : "");
		break;
	case IMSG_DOCKER_DELTA:
		say_delta((const void *)m);
		break;
	case IMSG_DOCKER_PROGRESS:
		pr = (const void *)m;
		assert_true(pr->percent <= 100);
		break;
	case IMSG_DOCKER_RESULT:
		say_result((const void *)m);
		break;
	case IMSG_DOCKER_FOLLOWED:
		say_followed(id, (const void *)m);
		break;
	default:
		fail_msg("message %s", imsg_rule_name(type));
	}
	return (0);
}

/* --- rig ----------------------------------------------------------------- */

static void
handle(uint32_t type, uint32_t id, int fd, const void *body, size_t len)
{
	const struct proc_handler	*ph;
	struct imsg			 m = { .hdr = { .type = type,
		.peerid = id } };
	struct peer			*from = &parent;

	assert_non_null(m.buf = ibuf_dynamic(len + 1, len + 1));
	if (len > 0)
		assert_int_equal(ibuf_add(m.buf, body, len), 0);
	ibuf_fd_set(m.buf, fd);
	if (type == IMSG_DOCKER_OP || type == IMSG_DOCKER_FOLLOW ||
	    type == IMSG_DOCKER_TAKEN || type == IMSG_DOCKER_UNFOLLOW)
		from = &engine;
	for (ph = docker_process_handlers; ph->ph_fn != NULL; ph++)
		if (ph->ph_type == type)
			break;
	assert_non_null(ph->ph_fn);
	ph->ph_fn(from, &m);
	ibuf_free(m.buf);
}

static void
too_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("\"%s\" was not said: %s", stop_at, said);
}

static void
run(const char *until)
{
	struct timeval	 tv = { 5, 0 };
	struct event	*ev = evtimer_new(fk.base, too_late, NULL);

	stop_at = until;
	if (strstr(said, until) == NULL) {
		evtimer_add(ev, &tv);
		event_base_dispatch(fk.base);
	}
	event_free(ev);
	stop_at = NULL;
}

static inline void
op(Sentinel__Ipc__DockerOp__Kind kind, const char *request,
    const char *container, const char *action, const char *image, int lines)
{
	Sentinel__Ipc__DockerOp	 m;
	uint8_t			 buf[1024];

	sentinel__ipc__docker_op__init(&m);
	m.kind = kind;
	m.request_id = (char *)(uintptr_t)request;
	m.container = (char *)(uintptr_t)container;
	m.action = (char *)(uintptr_t)action;
	m.image = (char *)(uintptr_t)image;
	m.lines = lines;
	handle(IMSG_DOCKER_OP, 0, -1, buf,
	    protobuf_c_message_pack(&m.base, buf));
}

#define LIST	SENTINEL__IPC__DOCKER_OP__KIND__LIST
#define ACTION	SENTINEL__IPC__DOCKER_OP__KIND__ACTION
#define LOGS	SENTINEL__IPC__DOCKER_OP__KIND__LOGS
#define PULL	SENTINEL__IPC__DOCKER_OP__KIND__PULL
#define UPDATE	SENTINEL__IPC__DOCKER_OP__KIND__UPDATE

static inline struct fk_container *
add(const char *name, const char *image)
{
	struct fk_container	*ct;
	char			 body[128];

	snprintf(body, sizeof(body), "{\"Image\":\"%s\",\"HostConfig\":{}}",
	    image);
	assert_non_null(ct = fk_make(&fk, name, body, strlen(body)));
	ct->made = false;
	ct->running = true;
	ct->created = false;
	return (ct);
}

/* Configuration and journal are there, Docker has answered. */
static void
rig_begin(void)
{
	struct docker_conf	 dc = { .dc_enabled = 1, .dc_gate_msec = 5,
		.dc_pull_idle_msec = 1000, .dc_self_msec = 1000 };
	struct ibuf		*buf;
	uint32_t		 gen = 1;
	uint8_t			 commit[4] = { 0, 0, 0, 1 };

	assert_non_null(buf = ibuf_dynamic(64, 16384));
	confpart_pack(&docker_confpart, &dc, gen, buf);
	handle(IMSG_CONF_OFFER, 0, -1, ibuf_data(buf), ibuf_size(buf));
	ibuf_free(buf);
	run("<CONF_ACCEPT 4>");
	handle(IMSG_CONF_COMMIT, 0, -1, commit, sizeof(commit));
	run("<state 1 ENGINE 1.43 ");
	handle(IMSG_DOCKER_JOURNAL, 0, memfd_create("journal", 0), NULL, 0);
	run("<DOCKER_RECOVERED 0>");
}

#endif /* DOCKERRIG_H */
