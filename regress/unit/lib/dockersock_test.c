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

#include "unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dockersock.h"

/* Docker's socket from the parent. */
static char	dir[64], path[128];

static struct {
	struct peer	 peer;
	uint32_t	 type;
	uint32_t	 id;
	int		 fd;		/* the last one, or -1 */
	uint32_t	 error;
	char		 why[512];
} rig = { .fd = -1 };

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *body, size_t len)
{
	(void)body;
	assert_int_equal(len, 0);
	if (rig.fd != -1)
		close(rig.fd);
	rig.fd = -1;
	if (p == NULL) {
		close(fd);
		return (-1);
	}
	rig.type = type;
	rig.id = id;
	rig.fd = fd;
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *buf)
{
	struct ibuf	 in;

	(void)p;
	assert_int_equal(fd, -1);
	rig.type = type;
	rig.id = id;
	ibuf_from_buffer(&in, ibuf_data(buf), ibuf_size(buf));
	assert_int_equal(ibuf_get_n32(&in, &rig.error), 0);
	assert_int_equal(ibuf_get_string(&in, rig.why, sizeof(rig.why)), 0);
	assert_int_equal(ibuf_end(&in), 0);
	return (0);
}

/* dockersock_flood_test.c is about that. */
void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)p;
	(void)m;
	fail_msg("peer_broken: %s", why);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/dockersock_test.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return (-1);
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	return (0);
}

static int
teardown(void **state)
{
	char	 cmd[128];

	(void)state;
	if (rig.fd != -1)
		close(rig.fd);
	rig.fd = -1;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return (system(cmd) == 0 ? 0 : -1);
}

static void
ask(uint32_t id)
{
	struct imsg	 m;

	memset(&m, 0, sizeof(m));
	m.hdr.peerid = id;
	m.buf = ibuf_dynamic(1, 1);
	rig.type = rig.error = 0;
	dockersock_ask(&rig.peer, &m);
	assert_int_equal(rig.id, id);
	imsg_free(&m);
}

static void
test_connect(void **state)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	char			 longer[200];
	int			 fd, i, n;

	(void)state;
	dockersock_init(NULL);
	ask(1);
	assert_int_equal(rig.type, IMSG_DOCKER_SOCK_FAIL);
	assert_int_equal(rig.error, ENOTSUP);
	dockersock_init(path);
	ask(2);
	assert_int_equal(rig.type, IMSG_DOCKER_SOCK_FAIL);
	assert_int_equal(rig.error, ENOENT);
	assert_non_null(strstr(rig.why, path));
	/* Cut short it would be another socket. */
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	dockersock_init(longer);
	ask(3);
	assert_int_equal(rig.error, ENAMETOOLONG);
	/* One that answers; never more than the burst at once. */
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 128), 0);
	dockersock_init(path);
	for (i = n = 0; i < 4 * DOCKERSOCK_BURST; i++) {
		ask(10 + (uint32_t)i);
		if (rig.type == IMSG_DOCKER_SOCK) {
			n++;
			assert_true((fcntl(rig.fd, F_GETFL) & O_NONBLOCK) !=
			    0);
		} else
			assert_int_equal(rig.error, EAGAIN);
	}
	assert_true(n >= 8 && n <= DOCKERSOCK_BURST + DOCKERSOCK_RATE);
	close(fd);
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_connect),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
