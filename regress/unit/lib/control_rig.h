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

#ifndef CONTROL_RIG_H
#define CONTROL_RIG_H

#include "unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "control.h"
#include "ipc.pb-c.h"
#include "ipccheck.h"
#include "monotime.h"

/*
 * The control process with a dummy engine: what it is sent is noted here, and
 * what it would answer is given to the handlers.  For one test file each.
 */
#define ASKED_MAX	64

struct asked {
	uint32_t	 type;
	uint32_t	 id;
	uint32_t	 uid;
	bool		 read_only;
	uint32_t	 items;		/* CONTROL_TAKEN */
	char		 host[64];
};

static struct {
	struct event_base	*base;
	struct peer		 peer;
	bool			 gone;		/* no engine */
	struct asked		 asked[ASKED_MAX];
	size_t			 nasked;
	char			 path[2][108];
} rig;

struct event_base *
proc_base(void)
{
	return (rig.base);
}

enum role
proc_self(void)
{
	return (ROLE_CONTROL);
}

struct peer *
proc_peer(enum role role)
{
	assert_int_equal(role, ROLE_ENGINE);
	return (rig.gone ? NULL : &rig.peer);
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *body, size_t len)
{
	uint32_t	 n;

	assert_int_equal(fd, -1);
	if (p == NULL)
		return (-1);
	assert_true(rig.nasked < ASKED_MAX);
	if (type == IMSG_CONTROL_TAKEN) {
		assert_int_equal(len, sizeof(n));
		memcpy(&n, body, sizeof(n));
		rig.asked[rig.nasked].items = ntohl(n);
	}
	rig.asked[rig.nasked].type = type;
	rig.asked[rig.nasked++].id = id;
	return (0);
}

int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *m)
{
	const Sentinel__Ipc__ControlRequest	*req =
	    (const Sentinel__Ipc__ControlRequest *)m;

	if (p == NULL)
		return (-1);
	rig.asked[rig.nasked].uid = req->uid;
	rig.asked[rig.nasked].read_only = req->read_only;
	(void)strlcpy(rig.asked[rig.nasked].host, req->host,
	    sizeof(rig.asked[0].host));
	return (peer_send(p, type, id, -1, NULL, 0));
}

void
peer_broken(struct peer *p, const struct imsg *imsg, const char *why)
{
	(void)p;
	(void)imsg;
	fail_msg("peer_broken: %s", why);
}

__dead void
proc_exit(int status)
{
	exit(status);
}

/* --- sibling's messages ------------------------------------------------- */

static inline void
handle(uint32_t type, uint32_t id, int fd, const void *body, size_t len)
{
	const struct proc_handler	*ph;
	struct imsg			 imsg;

	memset(&imsg, 0, sizeof(imsg));
	imsg.hdr.type = type;
	imsg.hdr.peerid = id;
	imsg.hdr.len = (uint32_t)(IMSG_HEADER_SIZE + len);
	assert_non_null(imsg.buf = ibuf_open(len));
	assert_int_equal(ibuf_add(imsg.buf, body, len), 0);
	if (fd != -1)
		ibuf_fd_set(imsg.buf, fd);
	for (ph = control_handlers; ph->ph_fn != NULL; ph++)
		if (ph->ph_type == type)
			break;
	assert_non_null(ph->ph_fn);
	ph->ph_fn(&rig.peer, &imsg);
	imsg_free(&imsg);
}

static inline void
answer(uint32_t id, uint32_t code)
{
	Sentinel__Ipc__ControlEnd	 end;
	uint8_t				 body[64];

	sentinel__ipc__control_end__init(&end);
	end.code = code;
	handle(IMSG_CONTROL_END, id, -1, body,
	    sentinel__ipc__control_end__pack(&end, body));
}

static inline void
spin(void)
{
	const struct timeval	 tv = { 0, 700 };
	int			 i;

	for (i = 0; i < 5; i++) {
		(void)event_base_loopexit(rig.base, &tv);
		(void)event_base_dispatch(rig.base);
	}
}

/* --- clients ------------------------------------------------------------ */

struct client {
	int		 fd;
	struct imsgbuf	 ib;
};

static inline void
client_open(struct client *c, int listener)
{
	struct sockaddr_un	 sun;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, rig.path[listener],
	    sizeof(sun.sun_path));
	c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(c->fd != -1);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&sun, sizeof(sun)),
	    0);
	assert_int_equal(imsgbuf_init(&c->ib, c->fd), 0);
	imsgbuf_set_maxsize(&c->ib, IMSG_MAXBODY);
	spin();
}

static inline void
client_free(struct client *c)
{
	imsgbuf_clear(&c->ib);
	(void)close(c->fd);
	spin();
}

static inline void
client_send(struct client *c, uint32_t id, uint32_t version, int command,
    const char *host, bool follow)
{
	Sentinel__Ipc__ControlRequest	 req;
	char				 text[64];
	uint8_t				 body[256];
	size_t				 len;

	sentinel__ipc__control_request__init(&req);
	(void)strlcpy(text, host, sizeof(text));
	req.version = version;
	req.command = (Sentinel__Ipc__ControlRequest__Command)command;
	req.host = text;
	req.uid = 4711;
	req.follow = follow;
	len = sentinel__ipc__control_request__pack(&req, body);
	assert_int_equal(imsg_compose(&c->ib, IMSG_CONTROL_REQUEST, id, -1,
	    body, len), 0);
	assert_int_equal(imsgbuf_flush(&c->ib, 1000), 0);
	spin();
}

static inline void
client_ask(struct client *c, uint32_t id, uint32_t version, int command,
    const char *host)
{
	client_send(c, id, version, command, host, false);
}

/* Expects one message: a CONTROL_END with a code and words in its text. */
static inline void
client_end(struct client *c, uint32_t id, uint32_t code, const char *words)
{
	Sentinel__Ipc__ControlEnd	*end;
	struct imsg			 imsg;
	struct pbmem			 pm;

	spin();
	assert_int_equal(imsgbuf_wait(&c->ib, &imsg, 1000), 1);
	assert_int_equal(imsg_get_type(&imsg), IMSG_CONTROL_END);
	assert_int_equal(imsg_get_id(&imsg), id);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 100);
	end = ipc_unpack(&imsg, &sentinel__ipc__control_end__descriptor, &pm);
	assert_non_null(end);
	assert_int_equal(end->code, code);
	if (words[0] != '\0' && strstr(end->error, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, end->error);
	pbmem_free(&pm);
	imsg_free(&imsg);
}

static inline void
client_closed(struct client *c)
{
	struct imsg	 imsg;

	spin();
	assert_int_equal(imsgbuf_wait(&c->ib, &imsg, 1000), 0);
}

/* --- set-up ------------------------------------------------------------- */

static inline int
setup(void **state)
{
	struct sockaddr_un	 sun;
	int			 fd, i;

	(void)state;
	rig.nasked = 0;
	rig.gone = false;
	for (i = 0; i < 2; i++) {
		(void)snprintf(rig.path[i], sizeof(rig.path[i]),
		    "/tmp/control_test.%d.%d", (int)getpid(), i);
		memset(&sun, 0, sizeof(sun));
		sun.sun_family = AF_UNIX;
		(void)strlcpy(sun.sun_path, rig.path[i],
		    sizeof(sun.sun_path));
		(void)unlink(rig.path[i]);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (fd == -1 ||
		    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
		    listen(fd, 64) == -1)
			return (-1);
		handle(IMSG_CONF_LISTEN, 0, fd, i == 0 ? "\0" : "\1", 1);
	}
	return (0);
}

static inline int
teardown(void **state)
{
	(void)state;
	(void)unlink(rig.path[0]);
	(void)unlink(rig.path[1]);
	return (0);
}

#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

#endif /* CONTROL_RIG_H */
