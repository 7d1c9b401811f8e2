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

#include "engine_jlog.h"

#include <sys/stat.h>

#include <openssl/sha.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agentd.h"
#include "log.h"
#include "xmalloc.h"

#define JLOG_SUM	8
#define JLOG_STEP	(64 * 1024)	/* allocated at a time */

struct jlog {
	char		 jl_name[64];
	int		 jl_fd;
	off_t		 jl_end;	/* behind the last record */
	off_t		 jl_room;	/* allocated up to here */
	bool		 jl_broken;	/* only a new file helps */
};

static void	 head_make(uint8_t[JLOG_HEAD], const char *, size_t);
static size_t	 record_at(const uint8_t *, size_t);
static int	 write_all(int, const void *, size_t);
static int	 make_room(struct jlog *, size_t, bool);
static int	 reserve(int, off_t);
static uint8_t	*load(struct jlog *, size_t *);
static void	 put_aside(const char *);
static int	 sync_directory(void);

/* --- records ------------------------------------------------------------- */

static void
head_make(uint8_t head[JLOG_HEAD], const char *text, size_t len)
{
	uint8_t		 sum[SHA256_DIGEST_LENGTH];
	uint32_t	 be = htobe32((uint32_t)len);

	/* Another length is another text: the sum covers both. */
	SHA256((const uint8_t *)text, len, sum);
	memcpy(head, &be, sizeof(be));
	memcpy(head + sizeof(be), sum, JLOG_SUM);
}

/* Length of the text of a whole record that begins here, else 0. */
static size_t
record_at(const uint8_t *p, size_t left)
{
	uint8_t		 head[JLOG_HEAD];
	uint32_t	 be;
	size_t		 len;

	if (left < JLOG_HEAD + 2)
		return (0);
	memcpy(&be, p, sizeof(be));
	len = be32toh(be);
	/* The braces spare a hash at most places of a damaged stretch. */
	if (len < 2 || len > JLOG_REC_MAXBYTES || len > left - JLOG_HEAD ||
	    p[JLOG_HEAD] != '{' || p[JLOG_HEAD + len - 1] != '}')
		return (0);
	head_make(head, (const char *)p + JLOG_HEAD, len);
	return (memcmp(head, p, JLOG_HEAD) == 0 ? len : 0);
}

void
jlog_parse(const uint8_t *data, size_t size,
    void (*fn)(void *, const char *, size_t), void *arg,
    struct jlog_scan *js)
{
	size_t	 pos = 0, len;
	bool	 hole = false;

	memset(js, 0, sizeof(*js));
	while (pos < size) {
		if ((len = record_at(data + pos, size - pos)) == 0) {
			hole = true;
			pos++;
			continue;
		}
		js->js_holes += hole;
		hole = false;
		fn(arg, (const char *)data + pos + JLOG_HEAD, len);
		js->js_records++;
		pos += JLOG_HEAD + len;
		js->js_end = pos;
	}
}

/* --- the file ------------------------------------------------------------ */

struct jlog *
jlog_open(const char *name, void (*fn)(void *, const char *, size_t),
    void *arg, struct jlog_scan *js)
{
	struct jlog	*jl;
	struct stat	 st;
	uint8_t		*data;
	size_t		 len;
	int		 saved;

	jl = xcalloc(1, sizeof(*jl));
	(void)strlcpy(jl->jl_name, name, sizeof(jl->jl_name));
	jl->jl_fd = -1;
	if (lstat(name, &st) == 0 && (!S_ISREG(st.st_mode) ||
	    st.st_size > (off_t)JLOG_FILE_MAXBYTES))
		put_aside(name);
	jl->jl_fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK, 0600);
	if (jl->jl_fd == -1 || (data = load(jl, &len)) == NULL) {
		saved = errno;
		jlog_close(jl);
		errno = saved;
		return (NULL);
	}
	jlog_parse(data, len, fn, arg, js);
	free(data);
	jl->jl_end = (off_t)js->js_end;
	/* A torn tail must not stand before what is appended. */
	if (js->js_end < len && (ftruncate(jl->jl_fd, jl->jl_end) == -1 ||
	    fsync(jl->jl_fd) == -1))
		jl->jl_broken = true;
	jl->jl_room = jl->jl_end;
	if (reserve(jl->jl_fd, jl->jl_end + JLOG_RESERVE_BYTES) == 0)
		jl->jl_room = jl->jl_end + JLOG_RESERVE_BYTES;
	return (jl);
}

static uint8_t *
load(struct jlog *jl, size_t *len)
{
	return (passedfile_read(jl->jl_fd, JLOG_FILE_MAXBYTES, len));
}

static void
put_aside(const char *name)
{
	char	 bad[NAME_MAX];

	(void)snprintf(bad, sizeof(bad), "%s.bad", name);
	if (rename(name, bad) == -1)
		log_warn("state/%s: not a file of ours", name);
	else
		log_warnx("state/%s: not a file of ours, moved to %s", name,
		    bad);
}

void
jlog_close(struct jlog *jl)
{
	if (jl == NULL)
		return;
	if (jl->jl_fd != -1)
		close(jl->jl_fd);
	free(jl);
}

size_t
jlog_size(const struct jlog *jl)
{
	return ((size_t)jl->jl_end);
}

static int
write_all(int fd, const void *data, size_t len)
{
	const uint8_t	*p = data;
	ssize_t		 n;

	while (len > 0) {
		if ((n = write(fd, p, len)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		p += n;
		len -= (size_t)n;
	}
	return (0);
}

/* Blocks up to this offset, the length of the file unchanged. */
static int
reserve(int fd, off_t upto)
{
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, upto) == 0)
		return (0);
	/* Without the call there is no room to be kept. */
	return (errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -1);
}

/* The reserve moves along with the end, except for what it is meant for. */
static int
make_room(struct jlog *jl, size_t len, bool important)
{
	off_t	 want = jl->jl_end + (off_t)len;

	if (want + JLOG_RESERVE_BYTES <= jl->jl_room)
		return (0);
	if (reserve(jl->jl_fd, want + JLOG_RESERVE_BYTES + JLOG_STEP) == 0) {
		jl->jl_room = want + JLOG_RESERVE_BYTES + JLOG_STEP;
		return (0);
	}
	if (reserve(jl->jl_fd, want + JLOG_RESERVE_BYTES) == 0) {
		jl->jl_room = want + JLOG_RESERVE_BYTES;
		return (0);
	}
	return (important ? 0 : -1);
}

int
jlog_append(struct jlog *jl, const char *text, size_t len, bool important)
{
	uint8_t	*rec;
	int	 rc, saved;

	if (len < 2 || len > JLOG_REC_MAXBYTES) {
		errno = EMSGSIZE;
		return (-1);
	}
	if (jl->jl_broken) {
		errno = EIO;
		return (-1);
	}
	if (make_room(jl, len + JLOG_HEAD, important) == -1)
		return (-1);
	rec = xmalloc(JLOG_HEAD + len);
	head_make(rec, text, len);
	memcpy(rec + JLOG_HEAD, text, len);
	rc = lseek(jl->jl_fd, jl->jl_end, SEEK_SET) == -1 ? -1 :
	    write_all(jl->jl_fd, rec, JLOG_HEAD + len);
	saved = errno;
	free(rec);
	if (rc == -1) {
		/* It frees the reserve behind it as well. */
		if (ftruncate(jl->jl_fd, jl->jl_end) == -1)
			jl->jl_broken = true;
		jl->jl_room = jl->jl_end;
		if (reserve(jl->jl_fd, jl->jl_end + JLOG_RESERVE_BYTES) == 0)
			jl->jl_room += JLOG_RESERVE_BYTES;
		errno = saved;
		return (-1);
	}
	jl->jl_end += (off_t)(JLOG_HEAD + len);
	return (0);
}

/* After a failure nobody knows what the disk holds. */
int
jlog_sync(struct jlog *jl)
{
	if (jl->jl_broken) {
		errno = EIO;
		return (-1);
	}
	if (fsync(jl->jl_fd) == 0)
		return (0);
	jl->jl_broken = true;
	return (-1);
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
jlog_rewrite(struct jlog *jl, const char *(*next)(void *, size_t *),
    void *arg)
{
	char		 tmp[NAME_MAX];
	uint8_t		 head[JLOG_HEAD];
	const char	*text;
	off_t		 end = 0;
	size_t		 len;
	int		 fd, saved;

	(void)snprintf(tmp, sizeof(tmp), "%s.new", jl->jl_name);
	fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return (-1);
	while ((text = next(arg, &len)) != NULL) {
		head_make(head, text, len);
		if (write_all(fd, head, sizeof(head)) == -1 ||
		    write_all(fd, text, len) == -1)
			goto fail;
		end += (off_t)(sizeof(head) + len);
	}
	/* The new file keeps the promise of the old one, or stays away. */
	if (reserve(fd, end + JLOG_RESERVE_BYTES) == -1 || fsync(fd) == -1 ||
	    rename(tmp, jl->jl_name) == -1)
		goto fail;
	close(jl->jl_fd);
	jl->jl_fd = fd;
	jl->jl_end = end;
	jl->jl_room = end + JLOG_RESERVE_BYTES;
	/* Either name is whole; which one a crash leaves does not matter as
	 * long as what follows is appended to the one that stays. */
	jl->jl_broken = sync_directory() == -1;
	return (jl->jl_broken ? -1 : 0);
 fail:
	saved = errno;
	close(fd);
	(void)unlink(tmp);
	errno = saved;
	return (-1);
}

int
jlog_clear(struct jlog *jl)
{
	if (ftruncate(jl->jl_fd, 0) == -1 || fsync(jl->jl_fd) == -1) {
		jl->jl_broken = true;
		return (-1);
	}
	jl->jl_end = jl->jl_room = 0;
	jl->jl_broken = false;
	if (reserve(jl->jl_fd, JLOG_RESERVE_BYTES) == 0)
		jl->jl_room = JLOG_RESERVE_BYTES;
	return (0);
}
