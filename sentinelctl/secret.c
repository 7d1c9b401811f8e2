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

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "hex.h"

#define TOKEN_LEN	64	/* of an enrolment token */

static int	 secret_get(int, const char *, char *, char *, size_t);

int
secret_read(const char *path, char secret[CTL_SECRET_SIZE], char *err,
    size_t errlen)
{
	int	 fd, rc;

	if (strcmp(path, "-") == 0)
		return (secret_get(STDIN_FILENO, "standard input", secret,
		    err, errlen));
	/* Somebody will try; not to be taught that this works. */
	if (hex_is_valid(path, TOKEN_LEN)) {
		(void)snprintf(err, errlen, "--token takes a file, or - for "
		    "standard input: every user can read a command line");
		return (-1);
	}
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return (-1);
	}
	rc = secret_get(fd, path, secret, err, errlen);
	close(fd);
	return (rc);
}

static int
secret_get(int fd, const char *name, char *secret, char *err, size_t errlen)
{
	size_t	 len = 0, skip;
	ssize_t	 n;

	while ((n = read(fd, secret + len, CTL_SECRET_SIZE - 1 - len)) > 0)
		len += (size_t)n;
	if (n == -1) {
		(void)snprintf(err, errlen, "%s: %s", name, strerror(errno));
		explicit_bzero(secret, CTL_SECRET_SIZE);
		return (-1);
	}
	while (len > 0 && memchr(" \t\r\n", secret[len - 1], 4) != NULL)
		len--;
	secret[len] = '\0';
	skip = strspn(secret, " \t\r\n");
	memmove(secret, secret + skip, len - skip + 1);
	if (len == skip || len == CTL_SECRET_SIZE - 1 ||
	    strlen(secret) != len - skip ||
	    strpbrk(secret, " \t\r\n") != NULL) {
		(void)snprintf(err, errlen, "%s: want the token and nothing "
		    "else", name);
		explicit_bzero(secret, CTL_SECRET_SIZE);
		return (-1);
	}
	return (0);
}
