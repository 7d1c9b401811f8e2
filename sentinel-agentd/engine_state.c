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

#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "docker_self.h"
#include "log.h"

/*
 * The engine's own files, beneath its root directory.  Small, written whole:
 * a crash leaves the old one or the new one.
 */
#define SERVER_MAXBYTES	1024

static int	 sync_directory(void);
static int	 write_all(int, const uint8_t *, size_t);

static int
write_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t	 n;

	while (len > 0) {
		if ((n = write(fd, data, len)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		data += n;
		len -= (size_t)n;
	}
	return (0);
}

static int
sync_directory(void)
{
	int	 fd, rc;

	if ((fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	rc = fsync(fd);
	close(fd);
	return (rc);
}

int
state_write(const char *name, const void *data, size_t len)
{
	char	 tmp[NAME_MAX];
	int	 fd;

	(void)snprintf(tmp, sizeof(tmp), "%s.new", name);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1 || write_all(fd, data, len) == -1 || fsync(fd) == -1) {
		log_warn("state/%s", tmp);
		if (fd != -1) {
			close(fd);
			/* On a full disk it would only be in the way. */
			(void)unlink(tmp);
		}
		return (-1);
	}
	close(fd);
	if (rename(tmp, name) == -1 || sync_directory() == -1) {
		log_warn("state/%s", name);
		return (-1);
	}
	return (0);
}

uint8_t *
state_read(const char *name, size_t max, size_t *len)
{
	uint8_t	*data;
	int	 fd, saved;

	fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1) {
		if (errno != ENOENT) {
			saved = errno;
			log_warn("state/%s", name);
			errno = saved;
		}
		return (NULL);
	}
	if ((data = passedfile_read(fd, max, len)) == NULL) {
		saved = errno;
		log_warn("state/%s", name);
		/* Not to be taken for a file that is not there. */
		errno = saved == ENOENT ? EIO : saved;
	}
	close(fd);
	return (data);
}

void
state_prove(const char *self)
{
	static bool	 done;
	char		 text[SELF_PROOF_MAXBYTES];
	size_t		 len;

	if (done || self[0] == '\0')
		return;
	len = self_proof_text(text, self);
	/* In the next session again. */
	done = state_write(SELF_PROOF_NAME, text, len) == 0;
}

bool
state_parse_server(const char *text, const char *hostid,
    struct known_server *ks)
{
	char	 host[AGENTD_HOSTID_SIZE], ours[4], is_signed[4], pinned[4];

	memset(ks, 0, sizeof(*ks));
	if (sscanf(text, "host %32[0-9a-f]\nours %3[a-z]\nsigned %3[a-z]\n"
	    "pinned %3[a-z]\n", host, ours, is_signed, pinned) != 4) {
		/* Breaking the file must not turn it into less. */
		ks->ks_ours = ks->ks_signed = ks->ks_pinned = true;
		return (true);
	}
	if (strcmp(host, hostid) != 0)
		return (false);
	ks->ks_ours = strcmp(ours, "no") != 0;
	ks->ks_signed = strcmp(is_signed, "no") != 0;
	ks->ks_pinned = strcmp(pinned, "no") != 0;
	return (true);
}

void
state_load_server(const char *hostid, struct known_server *ks)
{
	uint8_t	*text;
	size_t	 len;

	memset(ks, 0, sizeof(*ks));
	if ((text = state_read("server", SERVER_MAXBYTES, &len)) == NULL) {
		if (errno != ENOENT)
			ks->ks_ours = ks->ks_signed = ks->ks_pinned = true;
		return;
	}
	if (!state_parse_server((const char *)text, hostid, ks))
		log_debug("state/server: of another host id");
	free(text);
}

int
state_save_server(const char *hostid, const struct known_server *ks)
{
	char	 text[128];
	int	 n;

	n = snprintf(text, sizeof(text), "host %s\nours %s\nsigned %s\n"
	    "pinned %s\n", hostid, ks->ks_ours ? "yes" : "no",
	    ks->ks_signed ? "yes" : "no", ks->ks_pinned ? "yes" : "no");
	return (state_write("server", text, (size_t)n));
}
