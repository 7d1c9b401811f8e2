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

#include "crashpage.h"

#include <sys/mman.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hex.h"

#define HOST_ID_LEN	32

static void	 set_text(char *, size_t, const char *);

static struct crash_note	*page;	/* cluster's; NULL: none */

int
crashpage_make(void)
{
	int	 fd, saved;

	if ((fd = memfd_create("crashpage", MFD_CLOEXEC |
	    MFD_ALLOW_SEALING)) == -1)
		return (-1);
	if (ftruncate(fd, CRASHPAGE_BYTES) == 0 && fcntl(fd, F_ADD_SEALS,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return (fd);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return (-1);
}

int
crashpage_copy(int fd, uint8_t note[CRASHPAGE_NOTE_LEN])
{
	ssize_t	 n;

	n = pread(fd, note, CRASHPAGE_NOTE_LEN, 0);
	if (n == (ssize_t)CRASHPAGE_NOTE_LEN)
		return (0);
	if (n != -1)
		errno = EIO;
	return (-1);
}

int
crashpage_attach(int fd)
{
	void	*map;
	int	 saved;

	map = mmap(NULL, CRASHPAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	saved = errno;
	(void)close(fd);
	errno = saved;
	if (map == MAP_FAILED)
		return (-1);
	if (page != NULL)
		(void)munmap(page, CRASHPAGE_BYTES);
	page = map;
	return (0);
}

static void
set_text(char *dst, size_t size, const char *src)
{
	(void)strlcpy(dst, src == NULL ? "" : src, size);
}

/* The crash comes in this thread: only the order of the stores matters. */
bool
crashpage_enter(const char *address, const char *host)
{
	if (page == NULL || page->cr_busy == 1)
		return (false);
	set_text(page->cr_address, sizeof(page->cr_address), address);
	set_text(page->cr_host, sizeof(page->cr_host), host);
	page->cr_proven = host != NULL;
	__atomic_store_n(&page->cr_busy, 1, __ATOMIC_SEQ_CST);
	return (true);
}

void
crashpage_prove(const char *host)
{
	if (page == NULL || page->cr_busy != 1)
		return;
	set_text(page->cr_host, sizeof(page->cr_host), host);
	__atomic_store_n(&page->cr_proven, 1, __ATOMIC_SEQ_CST);
}

void
crashpage_leave(void)
{
	if (page != NULL)
		__atomic_store_n(&page->cr_busy, 0, __ATOMIC_SEQ_CST);
}

int
crashpage_read(const uint8_t *data, size_t len, struct crash_note *note)
{
	struct in6_addr	 addr;

	if (len != CRASHPAGE_NOTE_LEN)
		return (-1);
	memcpy(note, data, CRASHPAGE_NOTE_LEN);
	if (note->cr_busy == 0)
		return (0);
	if (note->cr_busy != 1 || note->cr_proven > 1 ||
	    memchr(note->cr_address, '\0', sizeof(note->cr_address)) ==
	    NULL || (inet_pton(AF_INET, note->cr_address, &addr) != 1 &&
	    inet_pton(AF_INET6, note->cr_address, &addr) != 1))
		return (-1);
	if (note->cr_proven == 0 ||
	    memchr(note->cr_host, '\0', sizeof(note->cr_host)) == NULL ||
	    !hex_is_valid(note->cr_host, HOST_ID_LEN))
		note->cr_host[0] = '\0';
	return (1);
}
