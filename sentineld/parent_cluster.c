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

#include "sentineld.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crashpage.h"
#include "listener.h"
#include "log.h"

/*
 * What cluster gets from us and loses when it dies.  The listener stays open
 * here: while there is no cluster the kernel keeps those who come, and they
 * are served by the next one.
 */
static void	 adopt(void);
static void	 send_page(struct peer *);
static void	 send_listener(struct peer *);

static int	 listen_fd = -1;
static int	 next_fd = -1;		/* bound by a reload, not in use yet */
static int	 page_fd = -1;

void
parent_cluster_text(const struct conf_addr *addr, char *text, size_t size)
{
	(void)snprintf(text, size, strchr(addr->a_host, ':') != NULL ?
	    "[%s]:%u" : "%s:%u", addr->a_host, addr->a_port);
}

/* The address of a reload is in use only when all have accepted it. */
int
parent_cluster_bind(const struct conf_addr *addr, char *err, size_t errlen)
{
	parent_cluster_unbind();
	next_fd = listener_tcp(addr->a_host, addr->a_port, err, errlen);
	return (next_fd == -1 ? -1 : 0);
}

void
parent_cluster_unbind(void)
{
	if (next_fd != -1)
		(void)close(next_fd);
	next_fd = -1;
}

/* What was bound takes the place of what was in use. */
static void
adopt(void)
{
	if (next_fd == -1)
		return;
	if (listen_fd != -1)
		(void)close(listen_fd);
	listen_fd = next_fd;
	next_fd = -1;
}

/* One for each life: what is left of the last one must not be read again. */
static void
send_page(struct peer *p)
{
	int	 fd;

	if (page_fd != -1)
		(void)close(page_fd);
	if ((page_fd = crashpage_make()) == -1 ||
	    (fd = fcntl(page_fd, F_DUPFD_CLOEXEC, 0)) == -1)
		log_warn("crash page: a connection that crashes cluster will "
		    "not be known");
	else
		(void)peer_send(p, IMSG_CONF_CRASHPAGE, 0, fd, NULL, 0);
}

static void
send_listener(struct peer *p)
{
	const uint8_t	 index = 0;
	int		 fd;

	if (listen_fd == -1)
		return;
	if ((fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0)) == -1)
		fatal("listener for cluster");
	(void)peer_send(p, IMSG_CONF_LISTEN, 0, fd, &index, sizeof(index));
}

void
parent_cluster_start(void)
{
	struct peer	*p = proc_peer(ROLE_CLUSTER);

	adopt();
	if (p == NULL)
		return;		/* we come back when it does */
	send_page(p);
	send_listener(p);
}

void
parent_cluster_move(void)
{
	struct peer	*p = proc_peer(ROLE_CLUSTER);

	if (next_fd == -1)
		return;
	adopt();
	if (p != NULL)
		send_listener(p);
}

void
parent_cluster_died(bool crashed)
{
	uint8_t		 note[CRASHPAGE_NOTE_LEN];
	size_t		 len = 0;
	struct ibuf	*buf;

	if (crashed && page_fd != -1) {
		if (crashpage_copy(page_fd, note) == 0)
			len = sizeof(note);
		else
			log_warn("crash page");
	}
	if (page_fd != -1)
		(void)close(page_fd);
	page_fd = -1;
	if ((buf = ibuf_dynamic(256, 600)) == NULL ||
	    ibuf_add_string(buf, proc_lastdeath(ROLE_CLUSTER)) == -1 ||
	    ibuf_add_bytes(buf, note, len) == -1)
		fatal("CLUSTER_DIED");
	(void)peer_send_ibuf(proc_peer(ROLE_ENGINE), IMSG_CLUSTER_DIED, 0, -1,
	    buf);
	ibuf_free(buf);
}
