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

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listener.h"

static char	dir[64], path[128], err[512];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/listener_test.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return (-1);
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	err[0] = '\0';
	return (0);
}

static int
teardown(void **state)
{
	char	 cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return (system(cmd) == 0 ? 0 : -1);
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	return (ntohs(ss.ss_family == AF_INET ?
	    ((struct sockaddr_in *)&ss)->sin_port :
	    ((struct sockaddr_in6 *)&ss)->sin6_port));
}

static void
has_option(int fd, int level, int name, int value)
{
	socklen_t	 len = sizeof(int);
	int		 have = -1;

	assert_int_equal(getsockopt(fd, level, name, &have, &len), 0);
	assert_int_equal(have, value);
}

static void
is_ready(int fd)
{
	assert_int_not_equal(fd, -1);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	has_option(fd, SOL_SOCKET, SO_ACCEPTCONN, 1);
}

/* --- TCP ---------------------------------------------------------------- */

static void
test_tcp(void **state)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	char			 word[64];
	int			 fd, c, a;
	size_t			 fds = unit_count_fds();

	(void)state;
	fd = listener_tcp("127.0.0.1", 0, err, sizeof(err));
	is_ready(fd);
	/* In use: said, with the way out. */
	assert_int_equal(listener_tcp("127.0.0.1", port_of(fd), err,
	    sizeof(err)), -1);
	(void)snprintf(word, sizeof(word), "127.0.0.1:%u:", port_of(fd));
	assert_non_null(strstr(err, word));
	assert_non_null(strstr(err, "cluster.listen"));
	assert_null(strchr(err, '['));
	/* Who accepts may not set options: they come with the socket. */
	sin.sin_port = htons(port_of(fd));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c, (struct sockaddr *)&sin, sizeof(sin)), 0);
	a = accept(fd, NULL, NULL);
	assert_int_not_equal(a, -1);
	has_option(a, SOL_SOCKET, SO_KEEPALIVE, 1);
	has_option(a, IPPROTO_TCP, TCP_NODELAY, 1);
	has_option(a, IPPROTO_TCP, TCP_KEEPIDLE, 15);
	has_option(a, IPPROTO_TCP, TCP_KEEPINTVL, 5);
	has_option(a, IPPROTO_TCP, TCP_USER_TIMEOUT, 20000);
	close(a);
	close(c);
	close(fd);
	assert_int_equal(listener_tcp("localhost", 0, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "not an address"));
	assert_int_equal(unit_count_fds(), fds);
}

static void
test_tcp6(void **state)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	char			 word[64];
	int			 fd, c;

	(void)state;
	if ((fd = socket(AF_INET6, SOCK_STREAM, 0)) == -1)
		skip();
	close(fd);
	fd = listener_tcp("::", 0, err, sizeof(err));
	is_ready(fd);
	sin.sin_port = htons(port_of(fd));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c, (struct sockaddr *)&sin, sizeof(sin)), 0);
	close(c);
	assert_int_equal(listener_tcp("::", port_of(fd), err, sizeof(err)),
	    -1);
	(void)snprintf(word, sizeof(word), "[::]:%u:", port_of(fd));
	assert_non_null(strstr(err, word));
	close(fd);
}

/* --- UNIX --------------------------------------------------------------- */

static void
test_unix_mode(void **state)
{
	static const mode_t	 modes[] = { 0660, 0666 };
	struct stat		 st;
	mode_t			 old;
	size_t			 i;
	int			 fd;

	(void)state;
	for (i = 0; i < nitems(modes); i++) {
		old = umask(i == 0 ? 0 : 077);
		fd = listener_unix(path, modes[i], err, sizeof(err));
		assert_int_equal(umask(old), i == 0 ? 0 : 077);
		is_ready(fd);
		assert_int_equal(lstat(path, &st), 0);
		assert_true(S_ISSOCK(st.st_mode));
		assert_int_equal(st.st_mode & 07777, modes[i]);
		close(fd);	/* stale for the next one */
	}
}

static void
test_unix_taken(void **state)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	struct stat		 st;
	int			 fd, c;
	size_t			 fds = unit_count_fds();

	(void)state;
	fd = listener_unix(path, 0660, err, sizeof(err));
	is_ready(fd);
	assert_int_equal(listener_unix(path, 0660, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "another daemon"));
	/* It still answers. */
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(c, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(c);
	close(fd);
	assert_int_equal(unlink(path), 0);
	/* What is no socket is left alone, a link to one as well. */
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	assert_int_equal(listener_unix(path, 0660, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "not a socket"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/nosuch", path), 0);
	assert_int_equal(listener_unix(path, 0660, err, sizeof(err)), -1);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink(path), 0);
	/* A socket that refuses for another reason is not ours to remove. */
	c = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(c, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listener_unix(path, 0660, err, sizeof(err)), -1);
	assert_int_equal(lstat(path, &st), 0);
	close(c);
	assert_int_equal(unit_count_fds(), fds);
}

static void
test_unix_path(void **state)
{
	char	 longer[200];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	longer[0] = '/';
	assert_int_equal(listener_unix(longer, 0660, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "longer than 107 bytes"));
	assert_int_equal(listener_unix("/nosuch/dir/sock", 0660, err,
	    sizeof(err)), -1);
	assert_non_null(strstr(err, "/nosuch/dir/sock"));
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_tcp),
		T(test_tcp6),
		T(test_unix_mode),
		T(test_unix_taken),
		T(test_unix_path),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
