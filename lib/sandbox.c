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
#include <string.h>

#include "log.h"
#include "sandbox.h"

static const struct {
	const char	*name;
	unsigned int	 bit;
} words[] = {
	{ "stdio",	SANDBOX_STDIO },
	{ "recvfd",	SANDBOX_RECVFD },
	{ "fsync",	SANDBOX_FSYNC },
	{ "accept",	SANDBOX_ACCEPT },
	{ "inet",	SANDBOX_INET },
	{ "unix",	SANDBOX_UNIX },
	{ "rpath",	SANDBOX_RPATH },
	{ "wpath",	SANDBOX_WPATH },
	{ "cpath",	SANDBOX_CPATH }
};

static char	 status[128];

int
sandbox_parse(const char *promises, unsigned int *bits)
{
	const char	*p = promises;
	size_t		 i, len;

	*bits = 0;
	for (;;) {
		p += strspn(p, " ");
		if (*p == '\0')
			return (0);
		len = strcspn(p, " ");
		for (i = 0; i < nitems(words); i++) {
			if (strlen(words[i].name) == len &&
			    strncmp(words[i].name, p, len) == 0)
				break;
		}
		if (i == nitems(words)) {
			errno = EINVAL;
			return (-1);
		}
		*bits |= words[i].bit;
		p += len;
	}
}

int
sandbox_enter(const char *promises, const char *dir, bool trap, int logfd)
{
	unsigned int	 bits;
	int		 r;

	if (sandbox_parse(promises, &bits) == -1)
		return (-1);
	/* Without a directory the path words would mean the whole tree. */
	if ((bits & SANDBOX_STDIO) == 0 ||
	    ((bits & SANDBOX_PATH) != 0) != (dir != NULL)) {
		errno = EINVAL;
		return (-1);
	}
	if ((r = sandbox_landlock(bits, dir)) == -1)
		return (-1);
	if (r == 0)
		sandbox_note("landlock");
	if ((r = sandbox_seccomp(bits, trap, logfd)) == -1)
		return (-1);
	if (r == 0)
		sandbox_note("seccomp");
	return (0);
}

void
sandbox_note(const char *word)
{
	size_t	 len;

	len = strlen(status);
	if (len + strlen(word) + 2 > sizeof(status))
		fatalx("sandbox_note: %s does not fit", word);
	if (len > 0)
		(void)strlcat(status, " ", sizeof(status));
	(void)strlcat(status, word, sizeof(status));
}

const char *
sandbox_status(void)
{
	return (status);
}
