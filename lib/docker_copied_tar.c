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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_copied.h"

/*
 * Archives of one file, POSIX.1-1988 "ustar".  Docker's own hold it under its
 * last name, perhaps after records (pax) that count for more than its header:
 * of these the owner's are taken, the rest passed over; ours holds it under
 * its whole path, to be unpacked at "/", as compose does: Docker makes
 * directories that are missing.
 */
#define TAR_BLOCK	512U
#define TAR_NAME_LEN	100
#define TAR_PREFIX_LEN	155
#define TAR_TYPE	156
#define TAR_SUM		148
#define TAR_SUM_LEN	8
#define TAR_OCTAL_MAX	12
#define TAR_EXTRA_MAX	8	/* records before the file */

/* Where in a header, and how long. */
enum tar_number { TAR_MODE, TAR_UID, TAR_GID, TAR_SIZE, TAR_MTIME,
    TAR_NUMBERS };
static const struct {
	size_t	 at, len;
} tar_numbers[TAR_NUMBERS] = {
	[TAR_MODE] = { 100, 8 }, [TAR_UID] = { 108, 8 },
	[TAR_GID] = { 116, 8 }, [TAR_SIZE] = { 124, 12 },
	[TAR_MTIME] = { 136, 12 }
};

struct tar_found {
	const unsigned char	*tf_header;	/* of the file; it follows */
	uint64_t		 tf_size;
	uint64_t		 tf_owner[2];	/* uid, gid by a record */
	bool			 tf_owned[2];	/* there was one */
};

/* Octal digits, blanks around them, or GNU's base 256 for large ones. */
static int
tar_get(const unsigned char *block, enum tar_number which, uint64_t *out)
{
	const unsigned char	*p = block + tar_numbers[which].at;
	size_t			 i = 0, len = tar_numbers[which].len;
	uint64_t		 v = 0;

	if ((p[0] & 0x80) != 0) {
		if (p[0] != 0x80)
			return (-1);	/* negative, or more than 64 bits */
		for (i = 1; i < len; i++) {
			if (v > UINT64_MAX >> 8)
				return (-1);
			v = v << 8 | p[i];
		}
		*out = v;
		return (0);
	}
	while (i < len && p[i] == ' ')
		i++;
	for (; i < len && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0');
	if (i < len && p[i] != '\0' && p[i] != ' ')
		return (-1);
	*out = v;
	return (0);
}

static int
tar_put(unsigned char *block, enum tar_number which, uint64_t v)
{
	unsigned char	*p = block + tar_numbers[which].at;
	size_t		 i, len = tar_numbers[which].len;

	if (v >> (3 * (len - 1)) == 0) {
		(void)snprintf((char *)p, len, "%0*llo", (int)len - 1,
		    (unsigned long long)v);
		return (0);
	}
	/* An id above 2097151: as GNU and Go write and read it. */
	for (i = len - 1; i > 0; i--, v >>= 8)
		p[i] = (unsigned char)v;
	p[0] = 0x80;
	return (v == 0 ? 0 : -1);
}

static unsigned int
tar_sum(const unsigned char *block)
{
	unsigned int	 sum = 0;
	size_t		 i;

	for (i = 0; i < TAR_BLOCK; i++)
		sum += i >= TAR_SUM && i < TAR_SUM + TAR_SUM_LEN ? ' ' :
		    block[i];
	return (sum);
}

static bool
tar_is_header(const unsigned char *block)
{
	char	 text[TAR_SUM_LEN + 1], *end;

	memcpy(text, block + TAR_SUM, TAR_SUM_LEN);
	text[TAR_SUM_LEN] = '\0';
	return (strtoul(text, &end, 8) == tar_sum(block) && end != text);
}

/* The path without its "/", cut at one where it is too long for one field. */
static int
tar_name(unsigned char *block, const char *path)
{
	const char	*cut;
	size_t		 len;

	path++;
	len = strlen(path);
	if (len <= TAR_NAME_LEN) {
		memcpy(block, path, len);
		return (0);
	}
	for (cut = path + len - 1; cut > path; cut--)
		if (*cut == '/' && (size_t)(cut - path) <= TAR_PREFIX_LEN)
			break;
	len = strlen(cut + 1);
	if (cut == path || len == 0 || len > TAR_NAME_LEN)
		return (-1);
	memcpy(block, cut + 1, len);
	memcpy(block + 345, path, (size_t)(cut - path));
	return (0);
}

/* "LENGTH key=value\n"...  -1: damaged. */
static int
tar_records(struct tar_found *tf, const char *p, size_t len)
{
	const char	*value, *end, *errstr;
	char		 text[24];
	size_t		 n, i;

	for (; len > 0; p += n, len -= n) {
		for (n = i = 0; i < len && i < 8 && p[i] >= '0' &&
		    p[i] <= '9'; i++)
			n = n * 10 + (size_t)(p[i] - '0');
		if (n > len || n < i + 3 || p[i] != ' ' || p[n - 1] != '\n')
			return (-1);
		end = p + n - 1;
		value = memchr(p + i, '=', n - i);
		if (value == NULL)
			return (-1);
		value++;
		if ((strncmp(p + i, " uid=", 5) != 0 &&
		    strncmp(p + i, " gid=", 5) != 0) || value != p + i + 5)
			continue;
		if ((size_t)(end - value) >= sizeof(text))
			return (-1);
		memcpy(text, value, (size_t)(end - value));
		text[end - value] = '\0';
		i = p[i + 1] == 'u' ? 0 : 1;
		tf->tf_owner[i] = (uint64_t)strtonum(text, 0, UINT32_MAX,
		    &errstr);
		tf->tf_owned[i] = true;
		if (errstr != NULL)
			return (-1);
	}
	return (0);
}

/* Finds the header of the regular file in the archive.  -1: there is none. */
static int
tar_file(struct tar_found *tf, const unsigned char *p, size_t len)
{
	uint64_t	 size;
	size_t		 n;

	for (n = 0; n <= TAR_EXTRA_MAX && len >= TAR_BLOCK; n++) {
		if (!tar_is_header(p) || tar_get(p, TAR_SIZE, &size) == -1 ||
		    size > len - TAR_BLOCK)
			return (-1);
		if (p[TAR_TYPE] == '0' || p[TAR_TYPE] == '\0') {
			tf->tf_header = p;
			tf->tf_size = size;
			return (size <= COPIED_FILE_MAXBYTES ? 0 : -1);
		}
		if ((p[TAR_TYPE] != 'x' && p[TAR_TYPE] != 'g') ||
		    tar_records(tf, (const char *)p + TAR_BLOCK, size) == -1)
			return (-1);
		size = TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK *
		    TAR_BLOCK;
		if (size > len)
			return (-1);
		p += size;
		len -= size;
	}
	return (-1);
}

static int
tar_header(unsigned char *to, const struct tar_found *tf, const char *path,
    time_t made)
{
	uint64_t	 v[TAR_NUMBERS];
	unsigned int	 i;

	if (tar_name(to, path) == -1 ||
	    tar_get(tf->tf_header, TAR_MODE, &v[TAR_MODE]) == -1 ||
	    tar_get(tf->tf_header, TAR_UID, &v[TAR_UID]) == -1 ||
	    tar_get(tf->tf_header, TAR_GID, &v[TAR_GID]) == -1)
		return (-1);
	v[TAR_MODE] &= 07777;
	if (tf->tf_owned[0])
		v[TAR_UID] = tf->tf_owner[0];
	if (tf->tf_owned[1])
		v[TAR_GID] = tf->tf_owner[1];
	v[TAR_SIZE] = tf->tf_size;
	v[TAR_MTIME] = (uint64_t)made;
	for (i = 0; i < TAR_NUMBERS; i++)
		if (tar_put(to, i, v[i]) == -1)
			return (-1);
	to[TAR_TYPE] = '0';
	memcpy(to + 257, "ustar\00000", 8);
	(void)snprintf((char *)to + TAR_SUM, TAR_SUM_LEN, "%06o",
	    tar_sum(to));
	to[TAR_SUM + 7] = ' ';
	return (0);
}

char *
copied_tar(const char *path, time_t made, const char *tar, size_t len,
    size_t *outlen, const char **why)
{
	struct tar_found	 tf = { 0 };
	char			*out;

	if (tar_file(&tf, (const unsigned char *)tar, len) == -1) {
		*why = "Docker's archive of the file is damaged or holds no "
		    "regular file";
		return (NULL);
	}
	/* Two empty blocks end it. */
	*outlen = TAR_BLOCK + (tf.tf_size + TAR_BLOCK - 1) / TAR_BLOCK *
	    TAR_BLOCK + 2 * TAR_BLOCK;
	if ((out = calloc(1, *outlen)) == NULL) {
		*why = "out of memory";
		return (NULL);
	}
	if (tar_header((unsigned char *)out, &tf, path, made) == -1) {
		*why = "the name or owner of the file is too long for an "
		    "archive";
		freezero(out, *outlen);
		return (NULL);
	}
	memcpy(out + TAR_BLOCK, tf.tf_header + TAR_BLOCK, tf.tf_size);
	return (out);
}
