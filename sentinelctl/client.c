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
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "imsg_rule.h"
#include "ipccheck.h"

#define CLIENT_CONNECT_SEC	5
#define CLIENT_SEND_MSEC	5000
#define CLIENT_ID		1

static const char *socket_path(const char *);
static int	 client_connect(const char *, enum control_code *);
static enum control_code client_loop(struct imsgbuf *, bool, unsigned int,
		    ctl_item, void *);
static int	 client_wait(struct imsgbuf *, struct imsg *, unsigned int);
static int	 client_message(struct imsg *, ctl_item, void *,
		    enum control_code *);
static void	 complain(const char *, ...) __printflike_(1, 2);

enum control_code
ctl_ask(const char *path, const Sentinel__Ipc__ControlRequest *req,
    unsigned int msec, ctl_item fn, void *arg)
{
	struct imsgbuf		 ib;
	enum control_code	 code;
	uint8_t			*body;
	size_t			 len;
	bool			 work;
	int			 fd;

	if ((fd = client_connect(socket_path(path), &code)) == -1)
		return (code);
	/* Of these it matters that nobody knows whether they were done. */
	work = req->command ==
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_UPDATE ||
	    req->command ==
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_ROLLBACK ||
	    req->command ==
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__SELF_UPDATE ||
	    req->command ==
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_PULL ||
	    req->command ==
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_ACTION;
	code = CONTROL_FAILED;
	body = pbcheck_pack(&req->base, CONTROL_REQUEST_MAXBYTES, &len);
	if (imsgbuf_init(&ib, fd) == -1 || body == NULL) {
		complain("the request is too long");
	} else {
		imsgbuf_set_maxsize(&ib, IMSG_MAXBODY);
		/* When the daemon closed at once, it has said why. */
		if (imsg_compose(&ib, IMSG_CONTROL_REQUEST, CLIENT_ID, -1,
		    body, len) == -1 ||
		    (imsgbuf_flush(&ib, CLIENT_SEND_MSEC) == -1 &&
		    errno != EPIPE))
			complain("cannot send: %s", strerror(errno));
		else
			code = client_loop(&ib, work, msec, fn, arg);
		imsgbuf_clear(&ib);
	}
	if (body != NULL)
		freezero(body, len);
	(void)close(fd);
	return (code);
}

static const char *
socket_path(const char *path)
{
	const char	*env;
	struct stat	 sb;

	if (path != NULL)
		return (path);
	if ((env = getenv(CTL_ENV)) != NULL && env[0] != '\0')
		return (env);
	if (stat(CTL_PATH_SERVER, &sb) == -1 && errno == ENOENT &&
	    stat(CTL_PATH_AGENT, &sb) == 0)
		return (CTL_PATH_AGENT);
	return (CTL_PATH_SERVER);
}

static int
client_connect(const char *path, enum control_code *code)
{
	const struct timeval	 tv = { CLIENT_CONNECT_SEC, 0 };
	struct sockaddr_un	 sun;
	int			 fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		complain("%s: path of a socket has at most %zu bytes", path,
		    sizeof(sun.sun_path) - 1);
		*code = CONTROL_USAGE;
		return (-1);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 &&
	    /* connect(2) waits while the daemon's queue is full. */
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0 &&
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return (fd);
	*code = errno == EACCES || errno == EPERM ? CONTROL_DENIED :
	    CONTROL_UNREACH;
	complain("%s: %s: %s", path, strerror(errno),
	    *code == CONTROL_DENIED ? "run sentinelctl as root" :
	    "is the daemon running?  -s or " CTL_ENV " names another socket");
	if (fd != -1)
		(void)close(fd);
	return (-1);
}

static enum control_code
client_loop(struct imsgbuf *ib, bool work, unsigned int msec, ctl_item fn,
    void *arg)
{
	enum control_code	 code;
	struct imsg		 imsg;
	int			 n;

	for (;;) {
		if ((n = client_wait(ib, &imsg, msec)) != 1)
			break;
		n = client_message(&imsg, fn, arg, &code);
		imsg_free(&imsg);
		if (n != 1)
			return (code);
	}
	if (n == -1 && errno == ETIMEDOUT) {
		complain("no answer within %u seconds%s", msec / 1000,
		    work ? ": whether it was done is unknown" : "");
		return (CONTROL_TIMEOUT);
	}
	/* Without a limit we may have been stopped longer than it waits. */
	complain("connection to the daemon lost%s%s%s",
	    n == -1 ? ": " : "", n == -1 ? strerror(errno) :
	    msec == 0 ? ": it has ended, or nothing was read here for long" :
	    "", work ? ": whether it was done is unknown" : "");
	return (work ? CONTROL_TIMEOUT : CONTROL_UNREACH);
}

static int
client_wait(struct imsgbuf *ib, struct imsg *imsg, unsigned int msec)
{
	int	 n;

	do {
		n = imsgbuf_wait(ib, imsg, msec == 0 ? INT_MAX : (int)msec);
	} while (n == -1 && errno == ETIMEDOUT && msec == 0);
	return (n);
}

/* 1 go on, 0 the end with *code, -1 given up with *code. */
static int
client_message(struct imsg *imsg, ctl_item fn, void *arg,
    enum control_code *code)
{
	Sentinel__Ipc__ControlItem	*item;
	Sentinel__Ipc__ControlEnd	*end;
	struct pbmem			 pm;
	const char			*why;
	int				 ret = -1;

	*code = CONTROL_FAILED;
	if ((why = imsg_rule_check(imsg, ROLE_CONTROL, ROLE_CLIENT)) != NULL) {
		complain("%s from the daemon: %s: is it of the same release?",
		    imsg_rule_name(imsg_get_type(imsg)), why);
		return (-1);
	}
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	if (imsg_get_type(imsg) == IMSG_CONTROL_ITEM) {
		item = ipc_unpack(imsg,
		    &sentinel__ipc__control_item__descriptor, &pm);
		if (item != NULL)
			ret = fn(item, arg) == -1 ? -1 : 1;
		else
			why = pm.pm_why;
	} else {
		end = ipc_unpack(imsg,
		    &sentinel__ipc__control_end__descriptor, &pm);
		if (end != NULL) {
			*code = (enum control_code)end->code;
			if (end->error[0] != '\0')
				complain("%s", end->error);
			else if (end->code != CONTROL_OK &&
			    end->code != CONTROL_WOULD)
				complain("failed without a reason");
			ret = 0;
		} else
			why = pm.pm_why;
	}
	if (why != NULL)
		complain("broken answer: %s: is the daemon of the same "
		    "release?", why);
	pbmem_free(&pm);
	return (ret);
}

/* The text may come from a host, so it is made safe first. */
static void
complain(const char *fmt, ...)
{
	char	 text[8192];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* A progress line may stand there. */
	(void)fflush(stdout);
	(void)fprintf(stderr, "%ssentinelctl: ",
	    isatty(STDERR_FILENO) ? "\r\033[K" : "");
	text_print(stderr, text, true);
	(void)fputc('\n', stderr);
}
