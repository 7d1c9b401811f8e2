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

#include "agentd.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "monotime.h"

/*
 * uplink has no file system: what it needs to resolve names comes from here,
 * as bytes, and again when a file changes (DHCP, another network).
 */
struct names_file {
	const char	*nf_path;
	enum conf_file	 nf_kind;
	bool		 nf_sent;
	int		 nf_told;	/* errno of the last failure */
	struct stat	 nf_stat;	/* of what was sent */
};

static struct names_file	files[] = {
	{ .nf_path = "/etc/resolv.conf", .nf_kind = CONF_FILE_RESOLV },
	{ .nf_path = "/etc/hosts", .nf_kind = CONF_FILE_HOSTS },
};

static void	 on_timer(int, short, void *);
static void	 look(struct names_file *);
static void	 tell(struct names_file *, const char *);
static bool	 is_same(const struct stat *, const struct stat *);
static int	 copy_sealed(int);

void
parent_names_start(void)
{
	struct timeval	 tv = monotime_timeval(PARENT_NAMES_MSEC);
	struct event	*timer;

	timer = event_new(proc_base(), -1, EV_PERSIST, on_timer, NULL);
	if (timer == NULL || event_add(timer, &tv) == -1)
		fatal("parent_names_start");
	on_timer(-1, 0, NULL);
}

/* uplink was started again. */
void
parent_names_again(void)
{
	size_t	 i;

	for (i = 0; i < nitems(files); i++)
		files[i].nf_sent = false;
	on_timer(-1, 0, NULL);
}

static void
on_timer(int fd, short what, void *arg)
{
	size_t	 i;

	(void)fd;
	(void)what;
	(void)arg;
	for (i = 0; i < nitems(files); i++)
		look(&files[i]);
}

/* Once, not at every look. */
static void
tell(struct names_file *nf, const char *what)
{
	if (nf->nf_told == errno)
		return;
	nf->nf_told = errno;
	log_warn("%s: %s; uplink goes on with what it has", nf->nf_path,
	    what);
}

/* A symbolic link is followed: systemd-resolved makes one. */
static void
look(struct names_file *nf)
{
	struct stat	 st;
	uint8_t		 kind = (uint8_t)nf->nf_kind;
	int		 fd, copy;

	if ((fd = open(nf->nf_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) ==
	    -1) {
		if (errno != ENOENT)
			tell(nf, "cannot be opened");
		return;
	}
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return;
	}
	if (nf->nf_sent && is_same(&st, &nf->nf_stat)) {
		close(fd);
		return;
	}
	if ((copy = copy_sealed(fd)) == -1)
		tell(nf, errno == EFBIG ? "more than 256 KiB" :
		    "cannot be copied");
	else if (peer_send(proc_peer(ROLE_A_UPLINK), IMSG_CONF_FILE, 0, copy,
	    &kind, sizeof(kind)) == 0) {
		if (nf->nf_sent)
			log_info("%s has changed", nf->nf_path);
		nf->nf_sent = true;
		nf->nf_told = 0;
		nf->nf_stat = st;
	}
	close(fd);
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return (a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec);
}

/* A copy that nobody can change any more, positioned at its beginning. */
static int
copy_sealed(int from)
{
	uint8_t	*data;
	size_t	 len;
	int	 fd = -1, saved;

	if ((data = passedfile_read(from, PASSED_NAMES_MAXBYTES, &len)) ==
	    NULL)
		return (-1);
	if ((fd = memfd_create("names", MFD_CLOEXEC | MFD_ALLOW_SEALING)) ==
	    -1 || write(fd, data, len) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET) == -1 || fcntl(fd, F_ADD_SEALS,
	    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == -1) {
		saved = errno;
		if (fd != -1)
			close(fd);
		fd = -1;
		errno = saved;
	}
	free(data);
	return (fd);
}
