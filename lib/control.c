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

#include <sys/socket.h>

#include <arpa/inet.h>

#include <errno.h>
#include <unistd.h>

#include "control_int.h"
#include "ipccheck.h"
#include "log.h"
#include "monotime.h"

#define CONTROL_LISTENERS	2	/* read-write, read-only */
#define CONTROL_ACCEPT_MAX	8	/* per wake-up */
#define CONTROL_PAUSE_MSEC	1000	/* after running out of descriptors */

static void	 control_listen(struct peer *, struct imsg *);
static void	 control_item(struct peer *, struct imsg *);
static void	 control_end(struct peer *, struct imsg *);
static void	 control_accept(evutil_socket_t, short, void *);
static void	 control_resume(evutil_socket_t, short, void *);
static struct peer *control_engine(void);

const struct proc_handler control_handlers[] = {
	{ IMSG_CONF_LISTEN,	control_listen },
	{ IMSG_CONTROL_ITEM,	control_item },
	{ IMSG_CONTROL_END,	control_end },
	{ 0,			NULL }
};

static struct {
	int		 fd[CONTROL_LISTENERS];
	struct event	*ev[CONTROL_LISTENERS];
	struct event	*pause;
	uint32_t	 lastid;
} control;

void
control_start(void)
{
	size_t	 i;

	for (i = 0; i < CONTROL_LISTENERS; i++)
		control.fd[i] = -1;
	control.pause = evtimer_new(proc_base(), control_resume, NULL);
	if (control.pause == NULL)
		fatalx("control_start: evtimer_new");
}

void
control_stop(void)
{
	size_t	 i;

	for (i = 0; i < CONTROL_LISTENERS; i++) {
		if (control.ev[i] == NULL)
			continue;
		event_free(control.ev[i]);
		control.ev[i] = NULL;
		(void)close(control.fd[i]);
		control.fd[i] = -1;
	}
	control_client_closeall("the daemon is stopping");
	proc_exit(0);
}

/* --- listeners ---------------------------------------------------------- */

static void
control_listen(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	uint8_t		 i;
	int		 fd;

	if (ibuf_get_n8(buf, &i) == -1 || ibuf_end(buf) == -1 ||
	    i >= CONTROL_LISTENERS) {
		peer_broken(p, imsg, "index of a listener");
		return;
	}
	fd = imsg_get_fd(imsg);
	if (control.ev[i] != NULL) {
		event_free(control.ev[i]);
		(void)close(control.fd[i]);
	}
	control.fd[i] = fd;
	control.ev[i] = event_new(proc_base(), fd, EV_READ | EV_PERSIST,
	    control_accept, &control.fd[i]);
	if (control.ev[i] == NULL || event_add(control.ev[i], NULL) == -1)
		fatalx("control_listen: event");
}

static void
control_accept(evutil_socket_t lfd, short what, void *arg)
{
	const struct timeval	 tv = monotime_timeval(CONTROL_PAUSE_MSEC);
	bool			 readonly = arg == &control.fd[1];
	int			 fd, i;

	(void)what;
	for (i = 0; i < CONTROL_ACCEPT_MAX; i++) {
		fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			control_client_accept(fd, readonly);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		/* The loop would spin on a listener that stays readable. */
		log_warn("control: accept");
		(void)event_del(control.ev[readonly ? 1 : 0]);
		(void)evtimer_add(control.pause, &tv);
		return;
	}
}

static void
control_resume(evutil_socket_t fd, short what, void *arg)
{
	size_t	 i;

	(void)fd;
	(void)what;
	(void)arg;
	for (i = 0; i < CONTROL_LISTENERS; i++)
		if (control.ev[i] != NULL)
			(void)event_add(control.ev[i], NULL);
}

void
control_room(void)
{
	if (control.pause != NULL && evtimer_pending(control.pause, NULL)) {
		(void)evtimer_del(control.pause);
		control_resume(-1, 0, NULL);
	}
}

/* --- engine ------------------------------------------------------------- */

static struct peer *
control_engine(void)
{
	return (proc_peer(proc_self() == ROLE_A_CONTROL ? ROLE_A_ENGINE :
	    ROLE_ENGINE));
}

int
control_ask(struct control_request *rq,
    const Sentinel__Ipc__ControlRequest *req)
{
	/* Not the client's number: it could be that of another client. */
	do {
		if (++control.lastid == 0)
			control.lastid = 1;
	} while (control_request_find(control.lastid) != NULL);
	rq->rq_id = control.lastid;
	return (peer_send_pb(control_engine(), IMSG_CONTROL_REQUEST,
	    rq->rq_id, &req->base));
}

void
control_gone(uint32_t id)
{
	(void)peer_send(control_engine(), IMSG_CONTROL_GONE, id, -1, NULL, 0);
}

void
control_taken(uint32_t id, uint32_t items)
{
	uint32_t	 body = htonl(items);

	(void)peer_send(control_engine(), IMSG_CONTROL_TAKEN, id, -1, &body,
	    sizeof(body));
}

/* The engine's bodies go on as they are; sentinelctl checks them. */
static void
control_item(struct peer *p, struct imsg *imsg)
{
	struct control_request	*rq;

	(void)p;
	/* Late ones are normal: the client went while it was under way. */
	if ((rq = control_request_find(imsg_get_id(imsg))) != NULL)
		control_request_item(rq, imsg);
}

static void
control_end(struct peer *p, struct imsg *imsg)
{
	struct control_request	*rq;

	(void)p;
	if ((rq = control_request_find(imsg_get_id(imsg))) != NULL)
		control_request_end(rq, imsg);
}
