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

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf.h"
#include "conf_load.h"
#include "conf_set.h"

#define GOLDEN_DIR	REGRESS_DIR "/conf"
#define TOKEN		"0123456789abcdef0123456789abcdef"

static char	 tmpdir[64];

/* --- helpers ------------------------------------------------------------ */

static const char *
tmp_write(const char *name, const char *text, size_t len, mode_t mode)
{
	static char	 path[256];
	FILE		*f;

	(void)snprintf(path, sizeof(path), "%s/%s", tmpdir, name);
	(void)unlink(path);
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
	return (path);
}

static char *
slurp(const char *path, size_t *len)
{
	struct stat	 st;
	FILE		*f;
	char		*text;

	if ((f = fopen(path, "r")) == NULL)
		return (NULL);
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_non_null(text = calloc(1, (size_t)st.st_size + 1));
	*len = fread(text, 1, (size_t)st.st_size, f);
	(void)fclose(f);
	return (text);
}

static struct conf *
load(enum conf_mode daemon, const char *file, char *const *env,
    struct conf_errs *errs)
{
	struct conf_opts	 co = { .co_daemon = daemon, .co_file = file,
				    .co_check = true, .co_environ = env };

	memset(errs, 0, sizeof(*errs));
	return (conf_load(&co, errs));
}

/* A text as file; the lines of errors, or NULL when it was accepted. */
static char *
errors_of(enum conf_mode daemon, const char *text, mode_t mode)
{
	struct conf_errs	 errs;
	struct conf		*c;
	char			*out = NULL;
	size_t			 len;
	FILE			*f;

	c = load(daemon, tmp_write("conf", text, strlen(text), mode), NULL,
	    &errs);
	if (c == NULL) {
		assert_non_null(f = open_memstream(&out, &len));
		conf_errs_print(&errs, f);
		(void)fclose(f);
	}
	conf_free(c);
	conf_errs_free(&errs);
	return (out);
}

static void
assert_refused(enum conf_mode daemon, const char *text, mode_t mode,
    const char *want)
{
	char	*out = errors_of(daemon, text, mode);

	assert_non_null(out);
	if (strstr(out, want) == NULL)
		fail_msg("\"%s\" not in: %s", want, out);
	free(out);
}

static char *
printed(const struct conf *c)
{
	char	*text;
	size_t	 len;
	FILE	*f;

	assert_non_null(f = open_memstream(&text, &len));
	assert_int_equal(conf_print(c, f), 0);
	(void)fclose(f);
	return (text);
}

static void
assert_same_values(const struct conf *a, const struct conf *b)
{
	char	*ta, *tb;
	int	 key;

	for (key = 0; key < CONF_NKEYS; key++) {
		assert_int_equal(conf_set_yaml(a, key, &ta), 0);
		assert_int_equal(conf_set_yaml(b, key, &tb), 0);
		if (ta == NULL || tb == NULL)
			assert_ptr_equal(ta, tb);
		else
			assert_string_equal(ta, tb);
		free(ta);
		free(tb);
	}
}

/* --- the table, the page and the example -------------------------------- */

static void
test_table(void **state)
{
	const struct conf_key	*k;
	char			 section[64] = "", last[64] = "", *dot;
	uint64_t		 lo, hi;
	int			 i, j;

	(void)state;
	for (i = 0; i < CONF_NKEYS; i++) {
		k = &conf_keys[i];
		assert_true(strlen(k->ck_name) < 64);
		assert_int_equal(conf_key_find(k->ck_name), i);
		assert_true(k->ck_offset < sizeof(struct conf));
		if (k->ck_type == CONF_T_NUMBER ||
		    k->ck_type == CONF_T_DURATION) {
			assert_int_equal(conf_value_bounds(k, &lo, &hi), 0);
			assert_true(lo < hi);
		}
		if (k->ck_type == CONF_T_NUMBER)
			assert_true(hi <= UINT32_MAX);
		for (j = 0; j < i; j++)	/* one member, one key */
			assert_int_not_equal(conf_keys[j].ck_offset,
			    k->ck_offset);
		/* A section's keys stand together, or it is printed twice. */
		(void)strlcpy(section, k->ck_name, sizeof(section));
		if ((dot = strrchr(section, '.')) == NULL)
			continue;
		dot[1] = '\0';
		if (strcmp(section, last) != 0)
			for (j = 0; j < i; j++)
				assert_true(strncmp(conf_keys[j].ck_name,
				    section, strlen(section)) != 0);
		(void)strlcpy(last, section, sizeof(last));
	}
	assert_int_equal(conf_key_find("server"), -1);
	assert_int_equal(conf_key_find(""), -1);
}

/* Whether block says word; escapes of the page are left out before. */
static void
assert_says(const char *key, const char *block, const char *word)
{
	if (strstr(block, word) == NULL)
		fail_msg("sentinel.conf.5: %s: lacks \"%s\"", key, word);
}

static void
test_manual(void **state)
{
	const struct conf_key	*k;
	char			*page, *p, *q, *end, want[128], range[128];
	const char		*dots;
	size_t			 len, n = 0;
	int			 i;

	(void)state;
	page = slurp(REGRESS_DIR "/../man/sentinel.conf.5", &len);
	assert_non_null(page);
	for (p = q = page; *p != '\0';) {
		if (strncmp(p, "\\&", 2) == 0)
			p += 2;
		else
			*q++ = *p++;
	}
	*q = '\0';
	for (p = page; (p = strstr(p, "\n.It Ic ")) != NULL; p++)
		n++;
	assert_int_equal(n, CONF_NKEYS);	/* no key that is no more */
	for (i = 0; i < CONF_NKEYS; i++) {
		k = &conf_keys[i];
		(void)snprintf(want, sizeof(want), "\n.It Ic %s : ",
		    k->ck_name);
		if ((p = strstr(page, want)) == NULL) {
			fail_msg("sentinel.conf.5: lacks %s", k->ck_name);
			return;
		}
		p++;
		if ((end = strstr(p, "\n.It Ic ")) == NULL)
			end = strstr(p, "\n.Sh ");
		assert_non_null(end);
		*end = '\0';
		if (k->ck_default != NULL) {
			(void)snprintf(want, sizeof(want), "\n.Ql %s .",
			    k->ck_default);
			assert_says(k->ck_name, p, want);
		}
		if (k->ck_env != NULL)
			assert_says(k->ck_name, p, k->ck_env);
		if (k->ck_type == CONF_T_NAMES ||
		    k->ck_type == CONF_T_IMAGES)
			assert_says(k->ck_name, p, k->ck_bounds);
		if (k->ck_type == CONF_T_NUMBER ||
		    k->ck_type == CONF_T_DURATION) {
			dots = strstr(k->ck_bounds, "..");
			(void)snprintf(range, sizeof(range),
			    "Range: %.*s to %s.", (int)(dots - k->ck_bounds),
			    k->ck_bounds, dots + 2);
			assert_says(k->ck_name, p, range);
		}
		*end = '\n';
	}
	free(page);
}

/* The example parses, and so does it with every setting switched on. */
static void
test_example(void **state)
{
	char	*text, *p, *q, *out;
	size_t	 len;

	(void)state;
	text = slurp(REGRESS_DIR "/../etc/sentinel.conf", &len);
	assert_non_null(text);
	out = errors_of(CONF_SERVER, text, 0644);
	if (out != NULL)
		fail_msg("%s", out);
	for (p = q = text; *p != '\0'; p++)
		if (*p != '#' || (p != text && p[-1] != '\n') ||
		    !((p[1] >= 'a' && p[1] <= 'z') ||
		    strncmp(p + 1, "  ", 2) == 0))
			*q++ = *p;
	*q = '\0';
	assert_non_null(strstr(text, "\nagent:\n"));
	out = errors_of(CONF_AGENT, text, 0644);
	if (out != NULL)
		fail_msg("%s", out);
	free(text);
}

/* --- golden files ------------------------------------------------------- */

/* The directives of run.sh: "#daemon", "#chmod", "#env"; cuts text. */
static char **
directives(char *text, enum conf_mode *daemon, mode_t *mode)
{
	static char	*env[32];
	char		*line;
	size_t		 n = 0;

	*daemon = CONF_SERVER;
	*mode = 0644;
	while ((line = strsep(&text, "\n")) != NULL) {
		if (strcmp(line, "#daemon agent") == 0)
			*daemon = CONF_AGENT;
		else if (strncmp(line, "#chmod ", 7) == 0)
			*mode = (mode_t)strtoul(line + 7, NULL, 8);
		else if (strncmp(line, "#env ", 5) == 0 && n < 31)
			env[n++] = line + 5;
	}
	env[n] = NULL;
	return (env);
}

static void
golden(const char *name)
{
	struct conf_errs	 errs;
	struct conf		*c, *again;
	enum conf_mode		 daemon;
	mode_t			 mode;
	char			 path[512], in[160], *text, *copy, **env, *want,
				*got;
	size_t			 len, wlen;
	FILE			*f;

	(void)snprintf(in, sizeof(in), "%s.in", name);
	(void)snprintf(path, sizeof(path), GOLDEN_DIR "/%s", in);
	assert_non_null(text = slurp(path, &len));
	assert_non_null(copy = malloc(len + 1));
	memcpy(copy, text, len + 1);
	env = directives(copy, &daemon, &mode);
	(void)tmp_write(in, text, len, mode);
	c = load(daemon, in, env, &errs);	/* relative, as run.sh does */
	(void)snprintf(path, sizeof(path), GOLDEN_DIR "/%s.%s", name,
	    c == NULL ? "err" : "ok");
	if ((want = slurp(path, &wlen)) == NULL) {
		conf_errs_print(&errs, stderr);
		fail_msg("%s: %s, not expected", name, c == NULL ? "refused" :
		    "accepted");
	}
	if (c == NULL) {
		assert_non_null(f = open_memstream(&got, &len));
		conf_errs_print(&errs, f);
		(void)fclose(f);
	} else
		got = printed(c);
	assert_string_equal(got, want);
	if (c != NULL) {
		assert_int_equal(errs.ce_len, 0);
		again = load(daemon, tmp_write("again", got, strlen(got),
		    0600), env, &errs);
		assert_non_null(again);
		assert_same_values(c, again);
		conf_free(again);
	}
	conf_errs_free(&errs);
	conf_free(c);
	free(got);
	free(want);
	free(copy);
	free(text);
}

static void
test_golden(void **state)
{
	struct dirent	*de;
	char		 name[128], cwd[512];
	size_t		 len, n = 0;
	DIR		*dir;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(tmpdir), 0);
	assert_non_null(dir = opendir(GOLDEN_DIR));
	while ((de = readdir(dir)) != NULL) {
		len = strlcpy(name, de->d_name, sizeof(name));
		if (len < 4 || strcmp(name + len - 3, ".in") != 0)
			continue;
		name[len - 3] = '\0';
		golden(name);
		n++;
	}
	(void)closedir(dir);
	assert_int_equal(chdir(cwd), 0);
	assert_true(n > 30);
}

/* --- files -------------------------------------------------------------- */

static void
test_file(void **state)
{
	struct conf_errs	 errs;
	struct conf		*c;
	char			*big, path[128];
	char			 agentname[] = "SENTINEL_SERVER_ADDR=a.b:1";
	char			*env[] = { agentname, NULL };

	(void)state;
	assert_refused(CONF_SERVER, "mode: auto\n", 0666, "may write it");
	assert_refused(CONF_SERVER, "mode: auto\n", 0620, "may write it");
	assert_null(errors_of(CONF_SERVER, "mode: auto\n", 0644));
	assert_refused(CONF_AGENT, "agent:\n  server: \"a.b:1\"\n"
	    "  enroll_token: " TOKEN "\n", 0640, "may read the file");

	assert_null(load(CONF_SERVER, "/nonexistent/sentinel.conf", NULL,
	    &errs));
	assert_int_equal(errs.ce_len, 1);
	assert_non_null(strstr(errs.ce_line[0], "/nonexistent/sentinel.conf"));
	conf_errs_free(&errs);

	assert_null(load(CONF_SERVER, tmpdir, NULL, &errs));
	assert_non_null(strstr(errs.ce_line[0], "not a regular file"));
	conf_errs_free(&errs);

	(void)snprintf(path, sizeof(path), "%s/fifo", tmpdir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(load(CONF_SERVER, path, NULL, &errs));
	assert_non_null(strstr(errs.ce_line[0], "not a regular file"));
	conf_errs_free(&errs);

	assert_non_null(big = malloc(CONF_FILE_MAXBYTES + 1));
	memset(big, '\n', CONF_FILE_MAXBYTES + 1);
	c = load(CONF_SERVER, tmp_write("big", big, CONF_FILE_MAXBYTES, 0600),
	    NULL, &errs);
	assert_non_null(c);
	conf_free(c);
	assert_null(load(CONF_SERVER, tmp_write("big", big,
	    CONF_FILE_MAXBYTES + 1, 0600), NULL, &errs));
	assert_non_null(strstr(errs.ce_line[0], "longer than"));
	conf_errs_free(&errs);
	free(big);

	if (access(CONF_PATH, F_OK) == -1) {
		c = load(CONF_AGENT, NULL, env, &errs);
		assert_non_null(c);
		assert_null(c->c_file);
		conf_free(c);
	}
}

static void
test_errors_capped(void **state)
{
	struct conf_errs	 errs;
	char			*text;
	size_t			 i, n = CONF_ERRS_MAX + 7;

	(void)state;
	assert_non_null(text = malloc(n * 5 + 1));
	for (i = 0; i < n; i++)
		memcpy(text + i * 5, "x: 1\n", 6);
	assert_null(load(CONF_SERVER, tmp_write("many", text, n * 5, 0600),
	    NULL, &errs));
	assert_int_equal(errs.ce_len, CONF_ERRS_MAX);
	assert_int_equal(errs.ce_more, 7);
	conf_errs_free(&errs);
	free(text);
}

/* --- precedence and origins --------------------------------------------- */

static void
test_precedence(void **state)
{
	static const char	 text[] = "agent:\n  name: from-file\n"
				    "  server: \"file.example:1\"\n"
				    "  grace_period_offline: 1h\n";
	char			 e1[] = "SENTINEL_HOST_NAME=from-env";
	char			 e2[] = "SENTINEL_SERVER_ADDR=env.example:2";
	char			 e3[] = "SENTINEL_GRACE_PERIOD_OFFLINE=";
	char			*env[] = { e1, e2, e3, NULL };
	struct conf_flag	 flags[] = {
		{ "agent.name", "from-flag", "-o" },
		{ "server.cluster.advertise", "a.example, 10.0.0.1", "-o" }
	};
	struct conf_opts	 co = { .co_daemon = CONF_AGENT,
				    .co_check = true, .co_environ = env,
				    .co_flags = flags, .co_nflags = 2 };
	struct conf_errs	 errs;
	struct conf		*c;
	char			 buf[256], want[256];

	(void)state;
	memset(&errs, 0, sizeof(errs));
	co.co_file = tmp_write("conf", text, strlen(text), 0644);
	assert_non_null(c = conf_load(&co, &errs));
	assert_string_equal(c->c_agent.ca_name, "from-flag");
	assert_string_equal(c->c_agent.ca_server.a_host, "env.example");
	assert_true(c->c_agent.ca_grace_msec == 3600000);
	assert_true(c->c_agent.ca_connect_msec == 20000);
	assert_int_equal(c->c_server.cs_advertise.n_len, 2);
	assert_string_equal(conf_from_text(c, conf_key_find("agent.name"), buf,
	    sizeof(buf)), "flag -o");
	assert_string_equal(conf_from_text(c, conf_key_find("agent.server"),
	    buf, sizeof(buf)), "environment SENTINEL_SERVER_ADDR");
	(void)snprintf(want, sizeof(want), "%s:4", co.co_file);
	assert_string_equal(conf_from_text(c,
	    conf_key_find("agent.grace_period_offline"), buf, sizeof(buf)),
	    want);
	assert_string_equal(conf_from_text(c, conf_key_find("agent.docker"),
	    buf, sizeof(buf)), "default");
	conf_free(c);

	flags[1].fl_key = "agent.nmae";
	flags[0].fl_value = "a/b";
	assert_null(conf_load(&co, &errs));
	assert_int_equal(errs.ce_len, 2);
	assert_non_null(strstr(errs.ce_line[0], "flag -o: agent.name: "));
	assert_non_null(strstr(errs.ce_line[1], "unknown key \"agent.nmae\""));
	conf_errs_free(&errs);
}

static void
test_mode(void **state)
{
	static char		 host[] = "a", token[] = "t", file[] = "/f";
	struct conf		 c;

	(void)state;
	memset(&c, 0, sizeof(c));
	assert_int_equal(conf_mode(&c, false), CONF_SERVER);
	assert_int_equal(conf_mode(&c, true), CONF_SERVER);
	c.c_agent.ca_token = token;
	assert_int_equal(conf_mode(&c, true), CONF_SERVER);
	c.c_agent.ca_server.a_host = host;
	assert_int_equal(conf_mode(&c, false), CONF_AGENT);
	c.c_agent.ca_token = NULL;
	assert_int_equal(conf_mode(&c, false), CONF_SERVER);
	assert_int_equal(conf_mode(&c, true), CONF_AGENT);
	c.c_agent.ca_token_file = file;
	assert_int_equal(conf_mode(&c, false), CONF_AGENT);
	c.c_server.cs_cluster = true;
	assert_int_equal(conf_mode(&c, true), CONF_SERVER);
	c.c_mode = CONF_AGENT;
	assert_int_equal(conf_mode(&c, false), CONF_AGENT);
	c.c_server.cs_cluster = false;
	c.c_mode = CONF_SERVER;
	assert_int_equal(conf_mode(&c, true), CONF_SERVER);
}

static void
test_enrolled(void **state)
{
	static const char *const names[] = {
		"host-id", "ca.pem", "agent-key.pem", "agent.pem"
	};
	struct conf	 c;
	size_t		 i;

	(void)state;
	memset(&c, 0, sizeof(c));
	c.c_agent.ca_dir = tmpdir;
	for (i = 0; i < nitems(names); i++) {
		assert_false(conf_is_enrolled(&c));
		(void)tmp_write(names[i], "x", 1, 0600);
	}
	assert_true(conf_is_enrolled(&c));
}

/* --- secrets ------------------------------------------------------------ */

static void
test_token(void **state)
{
	char			 e1[] = "SENTINEL_SERVER_ADDR=a.b:1";
	char			 e2[] = "SENTINEL_ENROLL_TOKEN=" TOKEN;
	char			*env[] = { e1, e2, NULL };
	char			 got[CONF_TOKEN_MAXBYTES + 1], long_[400];
	struct conf_errs	 errs;
	struct conf		*c;
	const char		*path;
	char			*text;

	(void)state;
	c = load(CONF_AGENT, tmp_write("conf", "", 0, 0644), env, &errs);
	assert_non_null(c);
	assert_int_equal(conf_token(c, got, &errs), 1);
	assert_string_equal(got, TOKEN);
	text = printed(c);
	assert_null(strstr(text, TOKEN));
	assert_non_null(strstr(text, "# enroll_token: set, not shown"));
	free(text);
	conf_env_wipe(env);
	assert_string_equal(e2, "SENTINEL_ENROLL_TOKEN=");
	assert_string_equal(e1, "SENTINEL_SERVER_ADDR=a.b:1");
	conf_token_wipe(c);
	assert_null(c->c_agent.ca_token);
	assert_int_equal(conf_token(c, got, &errs), 0);

	path = tmp_write("token", " \n" TOKEN "\r\n", strlen(TOKEN) + 4, 0600);
	c->c_agent.ca_token_file = strdup(path);
	assert_int_equal(conf_token(c, got, &errs), 1);
	assert_string_equal(got, TOKEN);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(conf_token(c, got, &errs), -1);
	assert_non_null(strstr(errs.ce_line[0], "chmod 600"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(conf_token(c, got, &errs), 0);
	(void)tmp_write("token", "two words\n", 10, 0600);
	assert_int_equal(conf_token(c, got, &errs), -1);
	assert_null(strstr(errs.ce_line[1], "two words"));
	(void)tmp_write("token", "\n\n", 2, 0600);
	assert_int_equal(conf_token(c, got, &errs), -1);
	(void)tmp_write("token", "a\0b", 3, 0600);
	assert_int_equal(conf_token(c, got, &errs), -1);
	memset(long_, 'a', sizeof(long_));
	(void)tmp_write("token", long_, CONF_TOKEN_MAXBYTES, 0600);
	assert_int_equal(conf_token(c, got, &errs), 1);
	assert_int_equal(strlen(got), CONF_TOKEN_MAXBYTES);
	(void)tmp_write("token", long_, CONF_TOKEN_MAXBYTES + 1, 0600);
	assert_int_equal(conf_token(c, got, &errs), -1);
	conf_errs_free(&errs);
	conf_free(c);

	/* A refused value may be what its owner meant to keep secret. */
	text = errors_of(CONF_AGENT, "agent:\n  enroll_token: \"s3cr3t x\"\n",
	    0600);
	assert_non_null(text);
	assert_null(strstr(text, "s3cr3t"));
	free(text);
}

/* --- hostile text ------------------------------------------------------- */

/* What is accepted must come out in a form that is accepted as the same. */
static void
feed(const uint8_t *text, size_t len)
{
	struct conf_errs	 errs;
	struct conf		*a, *b;
	char			*out;

	memset(&errs, 0, sizeof(errs));
	assert_non_null(a = calloc(1, sizeof(*a)));
	assert_non_null(b = calloc(1, sizeof(*b)));
	a->c_file = strdup("a");
	b->c_file = strdup("b");
	conf_yaml_parse(a, "a", text, len, &errs);
	if (errs.ce_len == 0) {
		/* Values of zero are out of range: fill in what is missing. */
		conf_free(a);
		a = load(CONF_SERVER, tmp_write("feed", (const char *)text,
		    len, 0600), NULL, &errs);
		if (a != NULL) {
			out = printed(a);
			conf_yaml_parse(b, "b", (uint8_t *)out, strlen(out),
			    &errs);
			assert_int_equal(errs.ce_len, 0);
			assert_same_values(a, b);
			free(out);
		}
	}
	conf_errs_free(&errs);
	conf_free(a);
	conf_free(b);
}

static void
test_mutations(void **state)
{
	static const char *const samples[] = { "server", "words", "anchors" };
	uint8_t		*text;
	char		 path[512];
	size_t		 i, j, len;
	int		 bit;

	(void)state;
	for (i = 0; i < nitems(samples); i++) {
		(void)snprintf(path, sizeof(path), GOLDEN_DIR "/%s.in",
		    samples[i]);
		assert_non_null(text = (uint8_t *)slurp(path, &len));
		for (j = 0; j <= len; j++)
			feed(text, j);
		for (j = 0; j < len; j++)
			for (bit = 0; bit < 8; bit++) {
				text[j] ^= (uint8_t)(1 << bit);
				feed(text, len);
				text[j] ^= (uint8_t)(1 << bit);
			}
		free(text);
	}
}

static void
test_deep(void **state)
{
	static const char *const units[] = { "[", "{", "- ", "? ", "{a: ",
	    "a:\n " };
	char	*text, *p;
	size_t	 i, j, n;

	(void)state;
	for (i = 0; i < nitems(units); i++) {
		n = 200000 / strlen(units[i]);
		assert_non_null(text = malloc(n * strlen(units[i]) + 8));
		p = text + strlcpy(text, "x: ", 8);
		for (j = 0; j < n; j++, p += strlen(units[i]))
			memcpy(p, units[i], strlen(units[i]));
		feed((uint8_t *)text, (size_t)(p - text));
		free(text);
	}
}

static int
setup(void **state)
{
	(void)state;
	(void)strlcpy(tmpdir, "/tmp/conf_test.XXXXXX", sizeof(tmpdir));
	return (mkdtemp(tmpdir) == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	struct dirent	*de;
	DIR		*dir;

	(void)state;
	if ((dir = opendir(tmpdir)) == NULL)
		return (-1);
	while ((de = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), de->d_name, 0);
	(void)closedir(dir);
	return (rmdir(tmpdir));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_errors_capped),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_enrolled),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_deep)
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
