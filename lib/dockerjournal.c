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

#include "dockerjournal.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "keyfile.h"
#include "log.h"
#include "monotime.h"
#include "xmalloc.h"

static void	 try_later(unsigned int);
static void	 on_timer(int, short, void *);

static struct {
	enum role	 role;
	const char	*dir;
	struct event	*timer;
	bool		 waiting;	/* said so */
} dj;

void
dockerjournal_init(enum role role, const char *data_dir)
{
	dj.role = role;
	dj.dir = xstrdup(data_dir);
}

int
dockerjournal_open(const char *data_dir, bool create, char *err, size_t errlen)
{
	struct stat	 st;
	char		 path[PATH_MAX];
	int		 fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/update.journal",
	    data_dir) >= sizeof(path)) {
		snprintf(err, errlen, "%s: path too long", data_dir);
		return (-1);
	}
	fd = open(path, O_RDWR | (create ? O_CREAT : 0) | O_NOFOLLOW |
	    O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd == -1 || fstat(fd, &st) == -1) {
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		if (fd != -1)
			close(fd);
		return (-1);
	}
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		snprintf(err, errlen, "%s: must be a regular file with one "
		    "link, mode 0600, owned by uid %u", path, geteuid());
		close(fd);
		return (-1);
	}
	/* Its records are synced by who writes them, its name here. */
	if (create && keyfile_syncdir(path, err, errlen) == -1) {
		close(fd);
		return (-1);
	}
	return (fd);
}

void
dockerjournal_send(void)
{
	struct peer	*p = proc_peer(dj.role);
	char		 err[PATH_MAX + 256];
	int		 fd;

	if (p == NULL)
		return;
	if ((fd = dockerjournal_open(dj.dir, true, err, sizeof(err))) == -1)
		fatalx("%s", err);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK)
			fatal("%s/update.journal: flock", dj.dir);
		close(fd);
		if (!dj.waiting)
			log_info("update journal: in use by another process: "
			    "no updates until it has ended");
		dj.waiting = true;
		try_later(DOCKERJOURNAL_RETRY_MSEC);
		return;
	}
	dj.waiting = false;
	if (dj.timer != NULL)
		evtimer_del(dj.timer);
	/* A docker process that has just died asks again when it is back. */
	(void)peer_send(p, IMSG_DOCKER_JOURNAL, 0, fd, NULL, 0);
}

static void
try_later(unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	if (dj.timer == NULL && (dj.timer = evtimer_new(proc_base(), on_timer,
	    NULL)) == NULL)
		fatalx("update journal: timer");
	if (evtimer_add(dj.timer, &tv) == -1)
		fatalx("update journal: timer");
}

static void
on_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	dockerjournal_send();
}

/*
 * It closed what it had, for somebody else to take.  One that lies gets a
 * second descriptor of a file whose lock it holds itself: never.
 */
void
dockerjournal_ask(struct peer *p, struct imsg *imsg)
{
	(void)p;
	(void)imsg;
	try_later(DOCKERJOURNAL_HAND_MSEC);
}
