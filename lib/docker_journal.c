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
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "docker_journal.h"
#include "log.h"

#define JOURNAL_HEAD	8	/* length, checksum */
#define JOURNAL_FIXED	13	/* kind, transaction, time */
#define JOURNAL_WORK_MAX (8U * JOURNAL_MAXBYTES) /* checksums of one parse */

struct journal {
	int		 jn_fd;
	off_t		 jn_end;	/* next record goes here */
	uint32_t	 jn_last;	/* highest transaction number */
	uint32_t	 jn_open[JOURNAL_OPEN_MAX];
	size_t		 jn_nopen;
	uint8_t		*jn_old;	/* what journal_open() read */
	size_t		 jn_oldlen;
	size_t		 jn_whole;	/* of it in whole records */
};

/* CRC-32 of ISO 3309, bit by bit: records are few and small. */
uint32_t
journal_crc32(const void *data, size_t len)
{
	const uint8_t	*p = data;
	uint32_t	 crc = 0xffffffffU;
	int		 bit;

	while (len-- > 0) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
	}
	return (~crc);
}

static uint32_t
journal_get32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3]);
}

static void
journal_put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* --- reading ----------------------------------------------------------- */

/*
 * One record whose checksum is right.  Fields are copied to text so that each
 * ends with a NUL.  -1 when it is not one of ours.
 */
static int
journal_unpack(const uint8_t *p, size_t len, struct journal_rec *jr,
    char *text)
{
	struct journal_field	*jf;
	size_t			 pos = JOURNAL_FIXED, n;

	memset(jr, 0, sizeof(*jr));
	if (p[0] < DJ_BEGIN || p[0] > DJ_LAST)
		return (-1);
	jr->jr_kind = p[0];
	jr->jr_txn = journal_get32(p + 1);
	jr->jr_time = (int64_t)((uint64_t)journal_get32(p + 5) << 32 |
	    journal_get32(p + 9));
	if (jr->jr_txn == 0)
		return (-1);
	while (pos < len) {
		if (len - pos < 2 || jr->jr_nfields == JOURNAL_FIELDS_MAX)
			return (-1);
		n = (size_t)p[pos] << 8 | p[pos + 1];
		pos += 2;
		if (len - pos < n)
			return (-1);
		jf = &jr->jr_fields[jr->jr_nfields++];
		memcpy(text, p + pos, n);
		text[n] = '\0';
		jf->jf_data = text;
		jf->jf_len = n;
		text += n + 1;
		pos += n;
	}
	return (0);
}

/* Length of a whole record that begins here, or 0.  work: bytes looked at. */
static size_t
journal_whole(const uint8_t *p, size_t size, size_t *work)
{
	size_t	 len;

	if (size < JOURNAL_HEAD + JOURNAL_FIXED)
		return (0);
	len = journal_get32(p);
	if (len < JOURNAL_FIXED || len > JOURNAL_REC_MAXBYTES ||
	    len > size - JOURNAL_HEAD || p[JOURNAL_HEAD] < DJ_BEGIN ||
	    p[JOURNAL_HEAD] > DJ_LAST)
		return (0);
	*work += len;
	return (journal_crc32(p + JOURNAL_HEAD, len) == journal_get32(p + 4) ?
	    len : 0);
}

/*
 * A damaged record must not hide those behind it: an open transaction among
 * them is a container that is down.
 */
size_t
journal_parse(const uint8_t *data, size_t size,
    void (*fn)(void *, const struct journal_rec *), void *arg)
{
	struct journal_rec	 jr;
	size_t			 pos = 0, end = 0, work = 0, len;
	char			*text;

	/* Every field lost two bytes of length and gains one NUL. */
	if ((text = malloc(JOURNAL_REC_MAXBYTES)) == NULL)
		return (0);
	while (pos < size && work < JOURNAL_WORK_MAX) {
		len = journal_whole(data + pos, size - pos, &work);
		if (len == 0 || journal_unpack(data + pos + JOURNAL_HEAD, len,
		    &jr, text) == -1) {
			pos++;
			continue;
		}
		if (fn != NULL)
			fn(arg, &jr);
		pos += JOURNAL_HEAD + len;
		end = pos;
	}
	free(text);
	return (end);
}

static void
journal_on_old(void *arg, const struct journal_rec *jr)
{
	struct journal	*jn = arg;
	size_t		 i;

	if (jr->jr_txn > jn->jn_last)
		jn->jn_last = jr->jr_txn;
	jn->jn_whole += JOURNAL_HEAD + JOURNAL_FIXED;
	for (i = 0; i < jr->jr_nfields; i++)
		jn->jn_whole += 2 + jr->jr_fields[i].jf_len;
}

static int
journal_read(struct journal *jn)
{
	struct stat	 st;
	ssize_t		 n;

	if (fstat(jn->jn_fd, &st) == -1)
		return (-1);
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return (-1);
	}
	if (st.st_size == 0)
		return (0);
	if (st.st_size > (off_t)JOURNAL_MAXBYTES)
		st.st_size = JOURNAL_MAXBYTES;
	if ((jn->jn_old = malloc((size_t)st.st_size)) == NULL)
		return (-1);
	while (jn->jn_oldlen < (size_t)st.st_size) {
		n = pread(jn->jn_fd, jn->jn_old + jn->jn_oldlen,
		    (size_t)st.st_size - jn->jn_oldlen, (off_t)jn->jn_oldlen);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		if (n == 0)
			break;
		jn->jn_oldlen += (size_t)n;
	}
	return (0);
}

struct journal *
journal_open(int fd)
{
	struct journal	*jn;
	size_t		 good;
	int		 error;

	if ((jn = calloc(1, sizeof(*jn))) == NULL) {
		close(fd);
		errno = ENOMEM;
		return (NULL);
	}
	jn->jn_fd = fd;
	if (journal_read(jn) == -1)
		goto err;
	good = journal_parse(jn->jn_old, jn->jn_oldlen, journal_on_old, jn);
	if (good < jn->jn_oldlen)
		log_warnx("update journal: %zu bytes at its end are no record:"
		    " dropped", jn->jn_oldlen - good);
	if (jn->jn_whole < good)
		log_warnx("update journal: %zu bytes in it are damaged: passed "
		    "over", good - jn->jn_whole);
	jn->jn_oldlen = good;
	jn->jn_end = (off_t)good;
	/* What comes next must follow the last good record. */
	if (ftruncate(fd, jn->jn_end) == -1)
		goto err;
	return (jn);
err:
	error = errno;
	journal_close(jn);
	errno = error;
	return (NULL);
}

void
journal_close(struct journal *jn)
{
	if (jn == NULL)
		return;
	close(jn->jn_fd);
	free(jn->jn_old);
	free(jn);
}

void
journal_replay(struct journal *jn,
    void (*fn)(void *, const struct journal_rec *), void *arg)
{
	(void)journal_parse(jn->jn_old, jn->jn_oldlen, fn, arg);
	free(jn->jn_old);
	jn->jn_old = NULL;
	jn->jn_oldlen = 0;
}

size_t
journal_nopen(const struct journal *jn)
{
	return (jn->jn_nopen);
}

/* --- writing ----------------------------------------------------------- */

/* Room for the rest of every open transaction and n more. */
static int
journal_reserve(struct journal *jn, size_t n)
{
	off_t	 len = (off_t)((jn->jn_nopen + n) * JOURNAL_TXN_BYTES);

	if (jn->jn_end + len > (off_t)JOURNAL_MAXBYTES) {
		errno = EBUSY;
		return (-1);
	}
	if (fallocate(jn->jn_fd, FALLOC_FL_KEEP_SIZE, jn->jn_end, len) == -1) {
		/* Some file systems cannot reserve: then it may still run
		 * full, and the first record that does not fit refuses. */
		if (errno != EOPNOTSUPP)
			return (-1);
	}
	return (0);
}

uint32_t
journal_begin(struct journal *jn)
{
	if (jn->jn_nopen == JOURNAL_OPEN_MAX) {
		errno = EBUSY;
		return (0);
	}
	if (journal_reserve(jn, 1) == -1)
		return (0);
	jn->jn_open[jn->jn_nopen++] = ++jn->jn_last;
	return (jn->jn_last);
}

void
journal_adopt(struct journal *jn, uint32_t txn)
{
	if (jn->jn_nopen < JOURNAL_OPEN_MAX)
		jn->jn_open[jn->jn_nopen++] = txn;
	/* Room was reserved when it began; a new file system may refuse. */
	(void)journal_reserve(jn, 0);
}

static int
journal_write(struct journal *jn, const uint8_t *buf, size_t len)
{
	size_t	 done = 0;
	ssize_t	 n;
	int	 error;

	while (done < len) {
		n = pwrite(jn->jn_fd, buf + done, len - done,
		    jn->jn_end + (off_t)done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			goto err;
		done += (size_t)n;
	}
	if (fsync(jn->jn_fd) == -1)
		goto err;
	jn->jn_end += (off_t)len;
	return (0);
err:
	/* The record does not count; the next one is written over it. */
	error = errno;
	if (ftruncate(jn->jn_fd, jn->jn_end) == -1)
		log_warn("update journal: truncate");
	errno = error;
	return (-1);
}

int
journal_addv(struct journal *jn, uint32_t txn, enum docker_rec kind,
    const struct journal_field *jf, size_t n)
{
	uint8_t		*buf;
	uint64_t	 now = (uint64_t)time(NULL);
	size_t		 len = JOURNAL_FIXED, pos, i;
	int		 rc;

	for (i = 0; i < n; i++) {
		if (jf[i].jf_len > UINT16_MAX) {
			errno = E2BIG;
			return (-1);
		}
		len += 2 + jf[i].jf_len;
	}
	if (n > JOURNAL_FIELDS_MAX || len > JOURNAL_REC_MAXBYTES) {
		errno = E2BIG;
		return (-1);
	}
	if (jn->jn_end + (off_t)(JOURNAL_HEAD + len) >
	    (off_t)JOURNAL_MAXBYTES) {
		errno = ENOSPC;
		return (-1);
	}
	if ((buf = malloc(JOURNAL_HEAD + len)) == NULL)
		return (-1);
	pos = JOURNAL_HEAD;
	buf[pos] = (uint8_t)kind;
	journal_put32(buf + pos + 1, txn);
	journal_put32(buf + pos + 5, (uint32_t)(now >> 32));
	journal_put32(buf + pos + 9, (uint32_t)now);
	pos += JOURNAL_FIXED;
	for (i = 0; i < n; i++) {
		buf[pos++] = (uint8_t)(jf[i].jf_len >> 8);
		buf[pos++] = (uint8_t)jf[i].jf_len;
		if (jf[i].jf_len > 0)
			memcpy(buf + pos, jf[i].jf_data, jf[i].jf_len);
		pos += jf[i].jf_len;
	}
	journal_put32(buf, (uint32_t)len);
	journal_put32(buf + 4, journal_crc32(buf + JOURNAL_HEAD, len));
	rc = journal_write(jn, buf, JOURNAL_HEAD + len);
	free(buf);
	return (rc);
}

int
journal_add(struct journal *jn, uint32_t txn, enum docker_rec kind, ...)
{
	struct journal_field	 jf[JOURNAL_FIELDS_MAX] = { { NULL, 0 } };
	const char		*s;
	va_list			 ap;
	size_t			 n = 0;

	va_start(ap, kind);
	while ((s = va_arg(ap, const char *)) != NULL &&
	    n < JOURNAL_FIELDS_MAX) {
		jf[n].jf_data = s;
		jf[n].jf_len = strlen(s);
		n++;
	}
	va_end(ap);
	return (journal_addv(jn, txn, kind, jf, n));
}

void
journal_finish(struct journal *jn, uint32_t txn)
{
	size_t	 i;

	for (i = 0; i < jn->jn_nopen; i++)
		if (jn->jn_open[i] == txn)
			break;
	if (i == jn->jn_nopen)
		return;
	jn->jn_open[i] = jn->jn_open[--jn->jn_nopen];
}

bool
journal_trim(struct journal *jn)
{
	if (jn->jn_nopen > 0)
		return (false);
	/* Also gives back what was reserved. */
	if (ftruncate(jn->jn_fd, 0) == -1 || fsync(jn->jn_fd) == -1) {
		log_warn("update journal: truncate");
		return (false);
	}
	jn->jn_end = 0;
	return (true);
}
