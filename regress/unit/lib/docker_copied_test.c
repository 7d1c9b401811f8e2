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
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "docker_copied.h"

/* Which files of a container has compose copied into it? */
#define MADE	"2026-03-01T10:00:00.5Z"	/* the container */
#define OLD	"2025-01-01T00:00:00Z"		/* an image of last year */

static struct copied *
copied(const char *mounts, const char *image)
{
	struct json	*js, *im;
	struct copied	*cp;
	char		 text[512];

	(void)snprintf(text, sizeof(text), "{\"Created\":\"" MADE "\","
	    "\"Mounts\":%s}", mounts);
	assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
	(void)snprintf(text, sizeof(text), "{\"Created\":\"%s\"}", image);
	assert_non_null(im = json_parse(text, strlen(text), NULL, 0));
	assert_non_null(cp = copied_new(json_root(js), json_root(im)));
	json_free(js);
	json_free(im);
	return (cp);
}

static int
add(struct copied *cp, const char *path, int kind)
{
	struct json	*js;
	char		 text[1024];
	int		 rc;

	(void)snprintf(text, sizeof(text), "{\"Path\":\"%s\",\"Kind\":%d}",
	    path, kind);
	assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
	rc = copied_add(cp, json_root(js));
	json_free(js);
	return (rc);
}

static void
looked(struct copied *cp, long size, const char *mode, const char *mtime)
{
	char		 text[256];
	unsigned char	 b64[512];

	(void)snprintf(text, sizeof(text), "{\"name\":\"x\",\"size\":%ld,"
	    "\"mode\":%s,\"mtime\":\"%s\",\"linkTarget\":\"\"}", size, mode,
	    mtime);
	(void)EVP_EncodeBlock(b64, (const unsigned char *)text,
	    (int)strlen(text));
	copied_looked(cp, (const char *)b64);
}

/* One file of this time in a container of an image of that time. */
static bool
is_it(const char *path, const char *mtime, const char *image)
{
	struct copied	*cp = copied("[]", image);
	bool		 it;

	assert_int_equal(add(cp, path, 1), 0);
	assert_string_equal(copied_next(cp), path);
	looked(cp, 3, "256", mtime);
	assert_null(copied_next(cp));
	it = copied_count(cp) == 1 &&
	    strcmp(copied_path(cp, 0), path) == 0;
	copied_free(cp);
	return (it);
}

static void
test_times(void **state)
{
	static const struct {
		const char	*mtime, *image;
		bool		 it;
	}	 rows[] = {
		{ "2026-03-01T10:00:01Z", OLD, true },
		{ "2026-03-01T10:00:01.000Z", OLD, true },
		{ "2026-03-01T11:00:01+01:00", OLD, true },
		{ "2026-03-01T05:30:01-04:30", OLD, true },
		{ "2026-03-01T10:00:01.000000001Z", OLD, false },
		{ "2026-03-01T10:00:01+01:00", OLD, false },
		/* the clock of who ran compose */
		{ "2026-03-01T09:51:00Z", OLD, true },
		{ "2026-03-01T10:09:00Z", OLD, true },
		{ "2026-03-01T09:49:00Z", OLD, false },
		{ "2026-03-01T10:11:00Z", OLD, false },
		/* a copy of what an image of five minutes ago has */
		{ "2026-03-01T09:55:00Z", "2026-03-01T09:55:00.9Z", false },
		{ "2026-03-01T09:55:01Z", "2026-03-01T09:55:00.9Z", true },
		{ "2026-03-01T09:59:58Z", "2026-03-01T09:59:59Z", true },
		{ "2026-03-01T09:59:57Z", "2026-03-01T09:59:59Z", false },
		/* it does not say when it was built */
		{ "2026-03-01T09:55:00Z", "0001-01-01T00:00:00Z", true },
		{ "2026-03-01T09:55:00Z", "", true },
		{ "", OLD, false }, { "yesterday", OLD, false },
		{ "2026-03-01T10:00:01", OLD, false },
		{ "2026-03-01T10:00:01.Zx", OLD, false },
		{ "2026-03-01T10:00:01+0100", OLD, false },
		{ "2026-03-01T10:00:01+99:00", OLD, false }
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		if (is_it("/web.conf", rows[i].mtime, rows[i].image) !=
		    rows[i].it)
			fail_msg("%s, image %s", rows[i].mtime, rows[i].image);
	/* There nobody else writes. */
	assert_true(is_it("/run/secrets/a", "2020-01-01T00:00:00.5Z", OLD));
	assert_false(is_it("/run/secret", "2020-01-01T00:00:00.5Z", OLD));
}

/* Directories are there for what is in them; secrets come first. */
static void
test_paths(void **state)
{
	struct copied	*cp = copied("[{\"Destination\":\"/data\"},"
			    "{\"Destination\":\"/run/secrets/file/\"},"
			    "{\"Destination\":7}]", OLD);
	static const struct {
		const char	*path;
		int		 kind;
	}		 rows[] = {
		{ "/etc", 0 }, { "/etc/app", 1 }, { "/etc/app/x.yml", 1 },
		{ "/etc-x", 1 }, { "/etc.d", 1 }, { "/gone", 2 },
		{ "/data", 1 }, { "/data/x", 1 }, { "/datax", 0 },
		{ "/run", 0 }, { "/run/secrets", 1 },
		{ "/run/secrets/file", 1 }, { "/run/secrets/tok", 1 },
		{ "relative", 1 }, { "/", 1 }, { "/a/../b", 1 }, { "/a/.", 1 },
		{ "/a//b", 1 }, { "/a/", 1 }, { "/a\\nb", 1 }, { "/odd", 3 },
		{ "/..c", 1 }
	};
	static const char *const want[] = { "/run/secrets/tok", "/..c",
	    "/datax", "/etc-x", "/etc.d", "/etc/app/x.yml" };
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		assert_int_equal(add(cp, rows[i].path, rows[i].kind), 0);
	for (i = 0; i < nitems(want); i++) {
		assert_non_null(copied_next(cp));
		assert_string_equal(copied_next(cp), want[i]);
		/* gone; what Docker does not say; a directory; a link */
		if (i == 1)
			copied_looked(cp, NULL);
		else if (i == 2)
			copied_looked(cp, "no base64");
		else
			looked(cp, 3, i == 3 ? "2147484141" : i == 4 ?
			    "134218239" : "420", "2026-03-01T10:00:00Z");
	}
	assert_null(copied_next(cp));
	assert_int_equal(copied_count(cp), 2);
	assert_string_equal(copied_path(cp, 0), want[0]);
	assert_string_equal(copied_path(cp, 1), want[5]);
	assert_null(copied_trouble(cp));
	copied_free(cp);
	assert_int_equal(copied_count(NULL), 0);
	assert_null(copied_trouble(NULL));
}

static void
test_limits(void **state)
{
	struct copied	*cp = copied("[]", OLD);
	char		 path[COPIED_PATH_MAXBYTES + 8];
	int		 i, rc = 0;

	(void)state;
	for (i = 0; i < COPIED_CHANGES_MAX && rc == 0; i++) {
		(void)snprintf(path, sizeof(path), "/f%d", i);
		rc = add(cp, path, 1);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(add(cp, "/more", 1), -1);
	assert_int_equal(errno, E2BIG);
	for (i = 0; copied_next(cp) != NULL; i++)
		looked(cp, i == 0 ? COPIED_FILE_MAXBYTES + 1 : 3, "420",
		    "2026-03-01T10:00:00Z");
	assert_int_equal(i, COPIED_LOOKS_MAX);
	assert_int_equal(copied_count(cp), COPIED_MAX);
	assert_non_null(strstr(copied_trouble(cp), "more than 64 files"));
	copied_free(cp);

	cp = copied("[]", OLD);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[COPIED_PATH_MAXBYTES] = '\0';
	assert_int_equal(add(cp, path, 1), 0);
	assert_null(copied_next(cp));
	copied_free(cp);

	cp = copied("[]", OLD);
	assert_int_equal(add(cp, "/big", 1), 0);
	assert_non_null(copied_next(cp));
	looked(cp, COPIED_FILE_MAXBYTES + 1, "420", "2026-03-01T10:00:00Z");
	assert_int_equal(copied_count(cp), 0);
	assert_non_null(strstr(copied_trouble(cp), "/big may be"));
	copied_free(cp);
}

/* --- archives ---------------------------------------------------------- */

#define BLOCK	512

static void
seal(char *block)
{
	unsigned int	 sum = 0;
	size_t		 i;

	memset(block + 148, ' ', 8);
	for (i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	(void)snprintf(block + 148, 8, "%06o", sum);
}

/* One member; the archive is as long as len says afterwards. */
static void
member(char *tar, size_t *len, char type, const char *name, const char *text,
    const char *mode)
{
	char	*block = tar + *len;

	memset(block, 0, BLOCK);
	(void)strlcpy(block, name, 100);
	(void)strlcpy(block + 100, mode, 8);
	(void)strlcpy(block + 108, "0001750", 8);
	(void)strlcpy(block + 116, "0000144", 8);
	(void)snprintf(block + 124, 12, "%011o",
	    (unsigned int)strlen(text) & 07777);
	(void)strlcpy(block + 136, "14000000000", 12);
	block[156] = type;
	memcpy(block + 257, "ustar\00000", 8);
	seal(block);
	*len += BLOCK;
	memset(tar + *len, 0, BLOCK);
	memcpy(tar + *len, text, strlen(text));
	*len += strlen(text) > 0 ? BLOCK : 0;
}

static void
test_tar(void **state)
{
	char		 tar[8 * BLOCK], path[400], *out;
	const char	*why = NULL;
	size_t		 len = 0, outlen, i;

	(void)state;
	member(tar, &len, 'x', "PaxHeaders/x", "27 SCHILY.xattr.user.a=b c\n"
	    "15 uid=4000000\n12 gid=12345\n", "0000644");
	member(tar, &len, '0', "token", "s3cr3t", "0100400");
	memset(tar + len, 0, 2 * BLOCK);
	len += 2 * BLOCK;
	/* "12 gid=12345" is 13 bytes: damaged. */
	assert_null(copied_tar("/run/secrets/token", 1, tar, len, &outlen,
	    &why));
	assert_non_null(strstr(why, "damaged"));
	memcpy(strstr(tar + BLOCK, "12 gid"), "13", 2);
	assert_non_null(out = copied_tar("/run/secrets/token", 0777, tar, len,
	    &outlen, &why));
	assert_int_equal(outlen, 4 * BLOCK);
	assert_string_equal(out, "run/secrets/token");
	assert_string_equal(out + 100, "0000400");
	assert_memory_equal(out + 108, "\x80\0\0\0\0\x3d\x09\0", 8);
	assert_string_equal(out + 116, "0030071");
	assert_string_equal(out + 124, "00000000006");
	assert_string_equal(out + 136, "00000000777");
	assert_int_equal(out[156], '0');
	assert_string_equal(out + BLOCK, "s3cr3t");
	/* It can be read again, and what came out is what was meant. */
	freezero(out, outlen);
	assert_non_null(out = copied_tar("/x", 1, tar + 2 * BLOCK, 2 * BLOCK,
	    &outlen, &why));
	assert_string_equal(out + 108, "0001750");
	freezero(out, outlen);

	/* Long paths are split where that is possible. */
	memset(path, 'd', sizeof(path));
	path[0] = path[140] = '/';
	path[241] = '\0';
	assert_non_null(out = copied_tar(path, 1, tar + 2 * BLOCK, 2 * BLOCK,
	    &outlen, &why));
	assert_memory_equal(out, path + 141, 100);
	assert_memory_equal(out + 345, path + 1, 139);
	freezero(out, outlen);
	path[140] = 'd';
	assert_null(copied_tar(path, 1, tar + 2 * BLOCK, 2 * BLOCK, &outlen,
	    &why));
	assert_non_null(strstr(why, "too long"));

	/* Cut at every length. */
	for (i = 0; i < 3 * BLOCK + 6; i++)
		assert_null(copied_tar("/x", 1, tar, i, &outlen, &why));
	/* No directory, no link, no header that was changed. */
	len = 0;
	member(tar, &len, '5', "dir", "", "0000755");
	assert_null(copied_tar("/x", 1, tar, len, &outlen, &why));
	len = 0;
	member(tar, &len, '0', "f", "x", "0000755");
	tar[0] = 'g';
	assert_null(copied_tar("/x", 1, tar, len, &outlen, &why));
	/* More of it than there is, and than is taken. */
	tar[0] = 'f';
	(void)strlcpy(tar + 124, "00000010000", 12);
	seal(tar);
	assert_null(copied_tar("/x", 1, tar, len, &outlen, &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_tar)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
