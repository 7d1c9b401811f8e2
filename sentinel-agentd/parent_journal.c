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

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keyfile.h"
#include "log.h"

#define NAME	"offline_journal.json"

static int	 open_new(const char *, int *);
static int	 remove_file(const char *);
static void	 answer(int, const char *);

static const char	*dir;		/* agent.dir */
static bool		 opened;	/* NAME.new is out */

void
parent_journal_init(const char *d)
{
	dir = d;
}

static int
open_new(const char *path, int *fd)
{
	char	 tmp[PATH_MAX];

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.new", path) >=
	    sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	/* What a crash left is half a file. */
	if (unlink(tmp) == -1 && errno != ENOENT)
		return (-1);
	*fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	return (*fd == -1 ? -1 : 0);
}

static int
remove_file(const char *path)
{
	char	 err[KEYFILE_ERRLEN];

	if (unlink(path) == -1)
		return (errno == ENOENT ? 0 : -1);
	return (keyfile_syncdir(path, err, sizeof(err)));
}

static void
answer(int rc, const char *why)
{
	struct ibuf	*buf;
	char		 text[256];

	(void)strlcpy(text, why, sizeof(text));
	if ((buf = ibuf_dynamic(64, 300)) == NULL ||
	    ibuf_add_n8(buf, rc == 0 ? 0 : 1) == -1 ||
	    ibuf_add_string(buf, text) == -1)
		fatal("journal: answer");
	peer_send_ibuf(proc_peer(ROLE_A_ENGINE), IMSG_JOURNAL_FILE_DONE, 0,
	    -1, buf);
	ibuf_free(buf);
}

/* u8 op */
void
parent_journal_op(struct peer *p, struct imsg *imsg)
{
	char	 path[PATH_MAX], tmp[PATH_MAX], err[KEYFILE_ERRLEN] = "";
	uint8_t	 op;
	int	 fd, rc = 0;

	if (ibuf_get_n8(imsg_get_ibuf(imsg), &op) == -1 ||
	    op < JOURNAL_FILE_OPEN || op > JOURNAL_FILE_REMOVE ||
	    ((op == JOURNAL_FILE_COMMIT || op == JOURNAL_FILE_DISCARD) &&
	    !opened)) {
		peer_broken(p, imsg, "bad JOURNAL_FILE_OP");
		return;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/" NAME, dir) >=
	    sizeof(path) || (size_t)snprintf(tmp, sizeof(tmp), "%s.new",
	    path) >= sizeof(tmp))
		fatalx("%s: path too long", dir);
	switch ((enum journal_file_op)op) {
	case JOURNAL_FILE_OPEN:
		opened = (rc = open_new(path, &fd)) == 0;
		if (opened) {
			peer_send(p, IMSG_JOURNAL_FILE, 0, fd, NULL, 0);
			return;
		}
		break;
	case JOURNAL_FILE_COMMIT:
		opened = false;
		rc = keyfile_commit(path, err, sizeof(err));
		break;
	case JOURNAL_FILE_DISCARD:
		opened = false;
		(void)unlink(tmp);
		return;
	case JOURNAL_FILE_REMOVE:
		rc = remove_file(path);
		break;
	}
	if (rc == -1 && err[0] == '\0')
		(void)snprintf(err, sizeof(err), "%s: %s", path,
		    strerror(errno));
	answer(rc, err);
}
