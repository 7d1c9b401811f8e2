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

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "docker_spec.h"

/*
 * regress/docker/cases: what Docker says of a container and of its images,
 * and what is to come of it.  README there has a row for each of the known
 * ways in which a recreated container becomes another one.
 */
#define CASES		REGRESS_DIR "/docker/cases"
#define PITFALLS	38
#define FILE_MAXBYTES	(256 * 1024)

static char	 where[512];	/* case and version, for messages */

static char *
slurp(const char *path, size_t *len)
{
	char	*buf = malloc(FILE_MAXBYTES);
	ssize_t	 n;
	int	 fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_non_null(buf);
	if (fd == -1)
		fail_msg("%s: cannot be opened", path);
	assert_true((n = read(fd, buf, FILE_MAXBYTES)) >= 0 &&
	    n < FILE_MAXBYTES);
	buf[n] = '\0';
	*len = (size_t)n;
	close(fd);
	return (buf);
}

static struct json *
parse(const char *dir, const char *file)
{
	struct json	*js;
	char		 path[1024], err[256], *text;
	size_t		 len;

	(void)snprintf(path, sizeof(path), CASES "/%s/%s.json", dir, file);
	text = slurp(path, &len);
	if ((js = json_parse(text, len, err, sizeof(err))) == NULL)
		fail_msg("%s: %s", path, err);
	free(text);
	return (js);
}

/* null in the file: Docker has none. */
static const struct json_value *
root(const struct json *js)
{
	const struct json_value	*v = json_root(js);

	return (json_is(v, JSON_NULL) ? NULL : v);
}

static void
same(const struct json_value *want, const char *text, size_t len,
    const char *what)
{
	struct json	*js = json_parse(text, len, NULL, 0);

	if (js == NULL || !json_equal(want, json_root(js)))
		fail_msg("%s: %s:\n%.*s\nnot\n%.*s", where, what, (int)len,
		    text, (int)want->jv_rawlen, want->jv_raw);
	json_free(js);
}

/* Networks that are connected after the creation, in their order. */
static void
check_connect(const struct docker_spec *sp, const struct json_value *want)
{
	const struct json_value	*v;
	size_t			 i;

	assert_true(json_is(want, JSON_ARRAY));
	v = want->jv_child;
	for (i = 0; i < sp->sp_nnets; i++) {
		if (sp->sp_nets[i].nt_made)
			continue;
		if (v == NULL)
			fail_msg("%s: connects %s", where,
			    sp->sp_nets[i].nt_name);
		if (strcmp(json_get_str(v, "network"),
		    sp->sp_nets[i].nt_name) != 0)
			fail_msg("%s: connects %s, not %s", where,
			    sp->sp_nets[i].nt_name,
			    json_get_str(v, "network"));
		same(json_get(v, "config"), sp->sp_nets[i].nt_config,
		    strlen(sp->sp_nets[i].nt_config), sp->sp_nets[i].nt_name);
		v = v->jv_next;
	}
	if (v != NULL)
		fail_msg("%s: does not connect %s", where,
		    json_get_str(v, "network"));
}

static void
check_dropped(const struct docker_spec *sp, const struct json_value *want)
{
	const struct json_value	*v;
	size_t			 i;

	for (i = 0; i < sp->sp_ndrops; i++) {
		v = json_get(want, sp->sp_drops[i].dd_name);
		if (v == NULL)
			fail_msg("%s: drops %s: %s", where,
			    sp->sp_drops[i].dd_name, sp->sp_drops[i].dd_why);
		assert_string_equal(json_str(v), sp->sp_drops[i].dd_why);
	}
	if (json_count(want) != sp->sp_ndrops)
		fail_msg("%s: drops %zu things, not %zu", where,
		    sp->sp_ndrops, json_count(want));
}

static void
check_variant(const struct docker_spec_in *si, const struct json_value *want)
{
	struct docker_spec	 sp;
	char			 err[256];

	if (docker_spec_build(&sp, si, err, sizeof(err)) == -1)
		fail_msg("%s: %s", where, err);
	same(json_get(want, "body"), sp.sp_body, sp.sp_bodylen, "body");
	check_connect(&sp, json_get(want, "connect"));
	check_dropped(&sp, json_get(want, "dropped"));
	docker_spec_free(&sp);
}

static size_t
check_case(const char *dir)
{
	struct json		*c = parse(dir, "container");
	struct json		*o = parse(dir, "old-image");
	struct json		*n = parse(dir, "new-image");
	struct json		*e = parse(dir, "expect");
	const struct json_value	*v, *api, *engine;
	struct docker_spec_in	 si = { 0 };
	int64_t			 minor;
	size_t			 did = 0;

	si.si_container = root(c);
	si.si_image = root(o);
	si.si_new = root(n);
	si.si_ref = json_get_str(root(e), "ref");
	engine = json_get(root(e), "engine");
	si.si_engine = json_str(engine);
	/* What podman's own API says of the image is at the top there. */
	si.si_podman = json_bool(json_get(root(e), "podman"));
	si.si_health = json_get(root(o), "Healthcheck");
	assert_true(json_get_str(root(e), "why")[0] != '\0');
	v = json_get(root(e), "variants");
	for (v = v->jv_child; v != NULL; v = v->jv_next) {
		for (api = json_get(v, "api")->jv_child; api != NULL;
		    api = api->jv_next, did++) {
			assert_int_equal(json_int(api, &minor), 0);
			si.si_api = (unsigned int)minor;
			(void)snprintf(where, sizeof(where), "%s, API 1.%u",
			    dir, si.si_api);
			check_variant(&si, v);
		}
	}
	json_free(c);
	json_free(o);
	json_free(n);
	json_free(e);
	return (did);
}

static void
test_cases(void **state)
{
	struct dirent	*de;
	DIR		*dir = opendir(CASES);
	size_t		 ncases = 0, nbodies = 0, n;

	(void)state;
	assert_non_null(dir);
	while ((de = readdir(dir)) != NULL) {
		if (de->d_name[0] < '0' || de->d_name[0] > '9')
			continue;
		n = check_case(de->d_name);
		assert_true(n > 0);
		ncases++;
		nbodies += n;
	}
	closedir(dir);
	print_message("%zu cases, %zu bodies\n", ncases, nbodies);
	assert_true(ncases >= 60);
}

/* Every case is in a row of README, and every file in a row is there. */
static void
check_row(char *row)
{
	char	 path[1024], *p, *end;
	size_t	 n = 0;

	for (p = strchr(row, '`'); p != NULL; p = strchr(end + 1, '`')) {
		if ((end = strchr(p + 1, '`')) == NULL)
			break;
		(void)snprintf(path, sizeof(path), REGRESS_DIR "/%.*s",
		    (int)(end - p - 1), p + 1);
		if (access(path, R_OK) == -1)
			fail_msg("README: %s: no such file", path);
		n++;
	}
	if (n == 0)
		fail_msg("README: no test in \"%s\"", row);
}

/*
 * The last column: a scenario on a real engine, or the version of the API,
 * newer than that engine's, which alone has it.
 */
static void
check_live(const char *row)
{
	const char	*cell, *only;
	char		*copy = strdup(row), *end;
	unsigned int	 minor;
	bool		 shown;

	assert_non_null(copy);
	if ((end = strrchr(copy, '|')) == NULL || end == copy)
		fail_msg("README: no columns in \"%s\"", row);
	*end = '\0';
	cell = strrchr(copy, '|');
	assert_non_null(cell);
	shown = strstr(cell, "`integration/t_") != NULL;
	if ((only = strstr(cell, "API 1.")) != NULL) {
		if (sscanf(only, "API 1.%2u (", &minor) != 1 || minor < 42 ||
		    strstr(only, "): table only") == NULL)
			fail_msg("README: \"%s\": not \"API 1.NN (what): "
			    "table only\" of a newer one than 1.41", only);
	} else if (!shown)
		fail_msg("README: nothing on a real engine in \"%s\"", row);
	free(copy);
}

static void
test_readme(void **state)
{
	struct dirent	*de;
	DIR		*dir = opendir(CASES);
	char		*text, *line, *next, name[300];
	int		 want = 1;
	size_t		 len;

	(void)state;
	assert_non_null(dir);
	text = slurp(CASES "/README", &len);
	while ((de = readdir(dir)) != NULL) {
		if (de->d_name[0] < '0' || de->d_name[0] > '9')
			continue;
		(void)snprintf(name, sizeof(name), "/%s`", de->d_name);
		if (strstr(text, name) == NULL)
			fail_msg("README does not name %s", de->d_name);
	}
	closedir(dir);
	for (line = text; line != NULL; line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		if (line[0] != '|' || line[2] < '0' || line[2] > '9')
			continue;
		if (want <= PITFALLS) {
			assert_int_equal(atoi(line + 2), want++);
			check_live(line);
		}
		check_row(line);
	}
	assert_int_equal(want, PITFALLS + 1);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_readme),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
