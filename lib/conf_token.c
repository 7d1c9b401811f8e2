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

#include "compat.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "conf_load.h"
#include "conf_set.h"

static int	 token_read(int, const char *, char *, struct conf_errs *);
static int	 token_copy(char *, size_t, const char *, char *,
		    struct conf_errs *);

/* White space a file may have around the token. */
#define TOKEN_SLACK	64

int
conf_token(const struct conf *c, char *token, struct conf_errs *errs)
{
	const struct conf_agent	*ca = &c->c_agent;
	const char		*path = ca->ca_token_file;
	struct stat		 st;
	int			 fd, rv = -1;

	/* Set in both places: the one that comes first in precedence. */
	if (ca->ca_token != NULL && (path == NULL ||
	    c->c_from[conf_key_find("agent.enroll_token")].cf_origin >
	    c->c_from[conf_key_find("agent.enroll_token_file")].cf_origin)) {
		(void)strlcpy(token, ca->ca_token, CONF_TOKEN_MAXBYTES + 1);
		return (1);
	}
	if (path == NULL)
		return (0);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1) {
		if (errno == ENOENT)
			return (0);
		conf_errs_add(errs, "%s: cannot read the enrolment token: %s",
		    path, strerror(errno));
		return (-1);
	}
	if (conf_check_file(fd, path, true, &st, errs) == 0) {
		if (st.st_mode & (S_IRGRP | S_IROTH))
			conf_errs_add(errs, "%s: group or others may read the "
			    "enrolment token, run chmod 600 %s", path, path);
		else
			rv = token_read(fd, path, token, errs);
	}
	(void)close(fd);
	return (rv);
}

void
conf_token_wipe(struct conf *c)
{
	conf_set_clear(c, conf_key_find("agent.enroll_token"));
}

static int
token_read(int fd, const char *path, char *token, struct conf_errs *errs)
{
	char	 buf[CONF_TOKEN_MAXBYTES + TOKEN_SLACK + 1];
	ssize_t	 n;
	int	 rv = -1;

	if ((n = read(fd, buf, sizeof(buf))) == -1)
		conf_errs_add(errs, "%s: cannot read the enrolment token: %s",
		    path, strerror(errno));
	else
		rv = token_copy(buf, (size_t)n, path, token, errs);
	explicit_bzero(buf, sizeof(buf));
	return (rv);
}

static int
token_copy(char *buf, size_t len, const char *path, char *token,
    struct conf_errs *errs)
{
	size_t	 i, start = 0;

	while (len > 0 && memchr(" \t\r\n", buf[len - 1], 4) != NULL)
		len--;
	while (start < len && memchr(" \t\r\n", buf[start], 4) != NULL)
		start++;
	buf += start;
	len -= start;
	for (i = 0; i < len; i++)
		if (buf[i] <= 0x20 || buf[i] >= 0x7f)
			break;
	if (len == 0 || len > CONF_TOKEN_MAXBYTES || i < len) {
		conf_errs_add(errs, "%s: want the enrolment token and nothing "
		    "else, one word of at most %d bytes", path,
		    CONF_TOKEN_MAXBYTES);
		return (-1);
	}
	memcpy(token, buf, len);
	token[len] = '\0';
	return (1);
}
