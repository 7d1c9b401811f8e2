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

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "dockerjournal.h"

/* The update journal and its lock, on the way to the docker process. */
static char			 dir[64], journal[128];
static struct event_base	*base;

static struct {
	struct peer	 peer;
	bool		 gone;
	unsigned int	 sent;
	int		 fd;
} rig;

struct peer *
proc_peer(enum role role)
{
	assert_int_equal(role, ROLE_A_DOCKER);
	return (rig.gone ? NULL : &rig.peer);
}

struct event_base *
proc_base(void)
{
	return (base);
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *body, size_t len)
{
	(void)body;
	assert_ptr_equal(p, &rig.peer);
	assert_int_equal(type, IMSG_DOCKER_JOURNAL);
	assert_int_equal(id, 0);
	assert_int_equal(len, 0);
	assert_int_equal(rig.fd, -1);
	rig.fd = fd;
	rig.sent++;
	return (0);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/dockerjournal_test.XXXXXX");
	if (mkdtemp(dir) == NULL || (base = event_base_new()) == NULL)
		return (-1);
	(void)snprintf(journal, sizeof(journal), "%s/update.journal", dir);
	memset(&rig, 0, sizeof(rig));
	rig.fd = -1;
	return (0);
}

static int
teardown(void **state)
{
	char	 cmd[128];

	(void)state;
	if (rig.fd != -1)
		close(rig.fd);
	event_base_free(base);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return (system(cmd));
}

static void
test_open(void **state)
{
	struct stat	 st;
	char		 other[128], longer[PATH_MAX];
	char		 err[PATH_MAX + 256] = "";
	size_t		 fds = unit_count_fds();
	int		 fd;

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(dockerjournal_open(dir, false, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "update.journal"));
	fd = dockerjournal_open(dir, true, err, sizeof(err));
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	/* What is in it stays. */
	fd = dockerjournal_open(dir, false, err, sizeof(err));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 1);
	close(fd);
	assert_int_equal(chmod(journal, 0640), 0);
	assert_int_equal(dockerjournal_open(dir, true, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "update.journal"));
	assert_int_equal(chmod(journal, 0600), 0);
	assert_int_equal(link(journal, other), 0);
	assert_int_equal(dockerjournal_open(dir, true, err, sizeof(err)), -1);
	assert_int_equal(unlink(journal), 0);
	assert_int_equal(symlink(other, journal), 0);
	assert_int_equal(dockerjournal_open(dir, true, err, sizeof(err)), -1);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(dockerjournal_open(longer, true, err, sizeof(err)),
	    -1);
	assert_non_null(strstr(err, "too long"));
	assert_int_equal(unit_count_fds(), fds);
}

/* Is the journal locked, as somebody else sees it? */
static bool
is_locked(void)
{
	bool	 locked;
	int	 fd;

	assert_int_not_equal(fd = open(journal, O_RDWR | O_CLOEXEC), -1);
	locked = flock(fd, LOCK_EX | LOCK_NB) == -1;
	if (locked)
		assert_int_equal(errno, EWOULDBLOCK);
	close(fd);
	return (locked);
}

static void
turn(unsigned int msec)
{
	struct timeval	 tv = { msec / 1000, msec % 1000 * 1000 };

	assert_int_equal(event_base_loopexit(base, &tv), 0);
	assert_int_equal(event_base_dispatch(base), 0);
}

/* The lock goes with the descriptor, and ends with it. */
static void
test_lock(void **state)
{
	int	 other;

	(void)state;
	dockerjournal_init(ROLE_A_DOCKER, dir);
	rig.gone = true;
	dockerjournal_send();
	assert_int_equal(rig.sent, 0);
	rig.gone = false;
	dockerjournal_send();
	assert_int_equal(rig.sent, 1);
	assert_true(is_locked());
	close(rig.fd);
	rig.fd = -1;
	assert_false(is_locked());
	/* The helper has it: not now, and later by itself. */
	assert_int_not_equal(other = open(journal, O_RDWR | O_CLOEXEC), -1);
	assert_int_equal(flock(other, LOCK_EX), 0);
	dockerjournal_send();
	assert_int_equal(rig.sent, 1);
	turn(DOCKERJOURNAL_RETRY_MSEC + 200);
	assert_int_equal(rig.sent, 1);
	close(other);
	turn(DOCKERJOURNAL_RETRY_MSEC + 200);
	assert_int_equal(rig.sent, 2);
	assert_true(is_locked());
	/* Given away: the helper has time to come. */
	close(rig.fd);
	rig.fd = -1;
	dockerjournal_ask(&rig.peer, NULL);
	turn(DOCKERJOURNAL_RETRY_MSEC + 200);
	assert_int_equal(rig.sent, 2);
	/* A docker process that was started again gets it at once, and once. */
	dockerjournal_send();
	assert_int_equal(rig.sent, 3);
	turn(50);
	assert_int_equal(event_base_get_num_events(base,
	    EVENT_BASE_COUNT_ADDED), 0);
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_open),
		T(test_lock),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
