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

/* A docker process that asks for sockets: how many it gets, and who holds. */
#include "unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dockersock.h"

static struct peer	 peer;
static unsigned int	 nsent, nfailed, nbroken;

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *body, size_t len)
{
	assert_int_equal(type, IMSG_DOCKER_SOCK);
	assert_int_not_equal(fd, -1);
	nsent++;
	return (imsg_compose(&p->pe_ibuf, type, id, fd, body, len));
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *b)
{
	assert_int_equal(type, IMSG_DOCKER_SOCK_FAIL);
	assert_int_equal(fd, -1);
	nfailed++;
	return (imsg_compose_ibuf(&p->pe_ibuf, type, id, fd, b));
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	assert_ptr_equal(p, &peer);
	assert_non_null(m);
	assert_non_null(why);
	nbroken++;
}

static void
ask(void)
{
	struct imsg	 m;

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_DOCKER_SOCK_ASK;
	dockersock_ask(&peer, &m);
}

static void
test_ask(void **state)
{
	struct sockaddr_un	 sun;
	char			 dir[] = "/tmp/snt.dsock.XXXXXX", path[64];
	size_t			 before;
	int			 fd, i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/docker.sock", dir);
	assert_int_equal(imsgbuf_init(&peer.pe_ibuf, -1), 0);
	dockersock_init(path);
	ask();
	assert_int_equal(nfailed, 1);	/* nobody there */
	imsgbuf_clear(&peer.pe_ibuf);

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 4096), 0);
	before = unit_count_fds();
	/* It never reads; even with time for more it gets no more. */
	for (i = 0; i < 3 * DOCKERSOCK_BURST && nbroken == 0; i++) {
		ask();
		(void)usleep(2 * 1000000 / DOCKERSOCK_RATE / 10);
	}
	assert_int_equal(nbroken, 1);
	assert_true(nsent <= DOCKERSOCK_BURST + 1);
	assert_int_equal(unit_count_fds(), before + nsent);
	imsgbuf_clear(&peer.pe_ibuf);
	assert_int_equal(unit_count_fds(), before);
	(void)close(fd);
	(void)unlink(path);
	(void)rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ask)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
