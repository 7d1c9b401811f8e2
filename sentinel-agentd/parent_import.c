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

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keyfile.h"
#include "log.h"

/*
 * Files that another implementation, or an earlier run, left in agent.dir for
 * the engine.  The engine cannot go there, so it gets a descriptor to read
 * from, and what it has taken over is removed here.  A file that it could not
 * use stays, and is offered again at the next start.
 */
struct import_file {
	const char	*im_name;
	enum conf_file	 im_kind;
	bool		 im_offered;
	dev_t		 im_dev;
	ino_t		 im_ino;
};

static struct import_file	files[] = {
	{ .im_name = "policy_cache.json", .im_kind = CONF_FILE_POLICY },
	{ .im_name = "offline_journal.json", .im_kind = CONF_FILE_JOURNAL },
};

static void	 offer(struct import_file *);
static void	 finish(struct import_file *);

static const char	*dir;		/* agent.dir */

void
parent_import_offer(const char *d)
{
	size_t	 i;

	dir = d;
	for (i = 0; i < nitems(files); i++)
		offer(&files[i]);
}

static void
offer(struct import_file *im)
{
	struct stat	 st;
	char		 path[PATH_MAX];
	uint8_t		 kind = (uint8_t)im->im_kind;
	int		 fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, im->im_name);
	if ((fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK))
	    == -1) {
		if (errno != ENOENT)
			log_warn("%s: not imported", path);
		return;
	}
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_nlink != 1 || st.st_size > PASSED_IMPORT_MAXBYTES) {
		log_warnx("%s: not imported: not a regular file of its own "
		    "with at most 16 MiB; move it away", path);
		close(fd);
		return;
	}
	im->im_dev = st.st_dev;
	im->im_ino = st.st_ino;
	im->im_offered = peer_send(proc_peer(ROLE_A_ENGINE), IMSG_CONF_FILE,
	    0, fd, &kind, sizeof(kind)) == 0;
}

/* u8 kind, u8 rc (0 taken over, 1 not) */
void
parent_import_done(struct peer *p, struct imsg *imsg)
{
	struct import_file	*im = NULL;
	uint8_t			 kind, rc;
	size_t			 i;

	if (ibuf_get_n8(imsg_get_ibuf(imsg), &kind) == -1 ||
	    ibuf_get_n8(imsg_get_ibuf(imsg), &rc) == -1 || rc > 1) {
		peer_broken(p, imsg, "bad IMPORT_DONE");
		return;
	}
	for (i = 0; i < nitems(files); i++) {
		if (files[i].im_kind == kind && files[i].im_offered)
			im = &files[i];
	}
	if (im == NULL) {
		peer_broken(p, imsg, "a file that was not offered");
		return;
	}
	im->im_offered = false;
	if (rc == 0)
		finish(im);
}

/* Only the file that was passed: another one may lie there by now. */
static void
finish(struct import_file *im)
{
	struct stat	 st;
	char		 path[PATH_MAX], err[KEYFILE_ERRLEN];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, im->im_name);
	if (lstat(path, &st) == -1 || st.st_dev != im->im_dev ||
	    st.st_ino != im->im_ino) {
		log_warnx("%s: another file than the one that was imported, "
		    "left alone", path);
		return;
	}
	if (unlink(path) == -1)
		log_warn("%s: imported, but still there", path);
	else if (keyfile_syncdir(path, err, sizeof(err)) == -1)
		log_warnx("%s", err);
	else
		log_info("%s: imported and removed", path);
}
