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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "conf_load.h"
#include "conf_set.h"
#include "utf8.h"

static void	 load_file(struct conf *, const struct conf_opts *, mode_t *,
		    struct conf_errs *);
static uint8_t	*read_all(int, const char *, size_t, size_t *,
		    struct conf_errs *);
static void	 load_flags(struct conf *, const struct conf_opts *,
		    struct conf_errs *);
static void	 set_defaults(struct conf *, struct conf_errs *);
static int	 expand(const struct conf *, const char *, char *, size_t);

const struct conf_key	conf_keys[CONF_NKEYS] = {
#define KEY(name, type, member, dflt, bounds, env, doc)			\
	{ name, CONF_T_##type, offsetof(struct conf, member), dflt, bounds, \
	    env, doc },
#include "conf_keys.def"
#undef KEY
};

struct conf *
conf_load(const struct conf_opts *co, struct conf_errs *errs)
{
	struct conf	*c;
	mode_t		 mode = 0;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		conf_errs_add(errs, "out of memory");
		return (NULL);
	}
	load_file(c, co, &mode, errs);
	conf_env_apply(c, co->co_environ, errs);
	load_flags(c, co, errs);
	set_defaults(c, errs);
	/* What follows would complain about values that were refused. */
	if (errs->ce_len == 0) {
		c->c_run = co->co_daemon == CONF_AGENT ? CONF_AGENT :
		    conf_mode(c, conf_is_enrolled(c));
		conf_check(c, mode, errs);
	}
	if (errs->ce_len != 0) {
		conf_free(c);
		return (NULL);
	}
	return (c);
}

void
conf_free(struct conf *c)
{
	int	 key;

	if (c == NULL)
		return;
	for (key = 0; key < CONF_NKEYS; key++)
		conf_set_clear(c, key);
	free(c->c_file);
	free(c);
}

int
conf_key_find(const char *name)
{
	int	 key;

	for (key = 0; key < CONF_NKEYS; key++)
		if (strcmp(conf_keys[key].ck_name, name) == 0)
			return (key);
	return (-1);
}

const char *
conf_from_text(const struct conf *c, int key, char *buf, size_t len)
{
	const struct conf_from	*from = &c->c_from[key];
	size_t			 n;

	switch (from->cf_origin) {
	case CONF_O_FILE:
		n = utf8_vis(buf, len, c->c_file, strlen(c->c_file));
		(void)snprintf(buf + n, len - n, ":%u", from->cf_line);
		break;
	case CONF_O_ENV:
		(void)snprintf(buf, len, "environment %s", from->cf_name);
		break;
	case CONF_O_FLAG:
		(void)snprintf(buf, len, "flag %s", from->cf_name);
		break;
	default:
		(void)strlcpy(buf, "default", len);
	}
	return (buf);
}

void
conf_errs_add(struct conf_errs *errs, const char *fmt, ...)
{
	va_list	 ap;
	char	*raw, *line = NULL;
	size_t	 size;
	int	 n;

	if (errs->ce_len == CONF_ERRS_MAX) {
		errs->ce_more++;
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&raw, fmt, ap);
	va_end(ap);
	/* File names and values come from outside, a terminal may show them. */
	if (n != -1) {
		size = 4 * (size_t)n + 1;
		if ((line = malloc(size)) != NULL)
			(void)utf8_vis(line, size, raw, (size_t)n);
		free(raw);
	}
	/* Without memory still an error: the caller looks at the number. */
	errs->ce_line[errs->ce_len++] = line;
}

void
conf_errs_key(struct conf_errs *errs, const struct conf *c, int key,
    const char *fmt, ...)
{
	const struct conf_from	*from = &c->c_from[key];
	char			 where[1100], *text;
	va_list			 ap;
	int			 n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n == -1) {
		conf_errs_add(errs, "out of memory");
		return;
	}
	if (from->cf_origin == CONF_O_DEFAULT)
		conf_errs_add(errs, "%s: %s", conf_keys[key].ck_name, text);
	else if (from->cf_origin == CONF_O_FILE)
		conf_errs_add(errs, "%s:%u:%u: %s: %s", c->c_file,
		    from->cf_line, from->cf_column, conf_keys[key].ck_name,
		    text);
	else
		conf_errs_add(errs, "%s: %s: %s", conf_from_text(c, key,
		    where, sizeof(where)), conf_keys[key].ck_name, text);
	free(text);
}

void
conf_errs_print(const struct conf_errs *errs, FILE *f)
{
	size_t	 i;

	for (i = 0; i < errs->ce_len; i++)
		(void)fprintf(f, "%s\n", errs->ce_line[i] == NULL ?
		    "out of memory" : errs->ce_line[i]);
	if (errs->ce_more > 0)
		(void)fprintf(f, "%zu more errors\n", errs->ce_more);
}

void
conf_errs_free(struct conf_errs *errs)
{
	size_t	 i;

	for (i = 0; i < errs->ce_len; i++)
		free(errs->ce_line[i]);
	memset(errs, 0, sizeof(*errs));
}

static void
load_file(struct conf *c, const struct conf_opts *co, mode_t *mode,
    struct conf_errs *errs)
{
	struct stat	 st;
	const char	*path = co->co_file != NULL ? co->co_file : CONF_PATH;
	uint8_t		*text;
	size_t		 len;
	int		 fd;

	/* A FIFO must not block us before fstat(2) tells it is one. */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1) {
		if (co->co_file != NULL || errno != ENOENT)
			conf_errs_add(errs, "%s: cannot read the "
			    "configuration: %s", path, strerror(errno));
		return;
	}
	if ((c->c_file = strdup(path)) == NULL)
		conf_errs_add(errs, "%s: out of memory", path);
	else if (conf_check_file(fd, path, !co->co_check, &st, errs) == 0 &&
	    (text = read_all(fd, path, (size_t)st.st_size, &len, errs)) !=
	    NULL) {
		*mode = st.st_mode;
		conf_yaml_parse(c, path, text, len, errs);
		freezero(text, (size_t)st.st_size + 1);
	}
	(void)close(fd);
}

/* Up to size bytes; what is appended meanwhile is not read. */
static uint8_t *
read_all(int fd, const char *path, size_t size, size_t *len,
    struct conf_errs *errs)
{
	uint8_t	*text;
	ssize_t	 n;

	if ((text = malloc(size + 1)) == NULL) {
		conf_errs_add(errs, "%s: out of memory", path);
		return (NULL);
	}
	for (*len = 0; *len < size; *len += (size_t)n) {
		n = read(fd, text + *len, size - *len);
		if (n == 0)
			break;
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1) {
			conf_errs_add(errs, "%s: %s", path, strerror(errno));
			freezero(text, size + 1);
			return (NULL);
		}
	}
	return (text);
}

static void
load_flags(struct conf *c, const struct conf_opts *co, struct conf_errs *errs)
{
	char				 why[CONF_WHY_MAXBYTES];
	const struct conf_flag		*fl;
	size_t				 i;
	int				 key;

	for (i = 0; i < co->co_nflags; i++) {
		fl = &co->co_flags[i];
		if ((key = conf_key_find(fl->fl_key)) == -1)
			conf_errs_add(errs, "flag %s: unknown key \"%s\", the "
			    "keys are in sentinel.conf(5)", fl->fl_name,
			    fl->fl_key);
		else if (conf_set_text(c, key, fl->fl_value, why) == -1)
			conf_errs_add(errs, "flag %s: %s: %s", fl->fl_name,
			    fl->fl_key, why);
		else {
			c->c_from[key].cf_origin = CONF_O_FLAG;
			c->c_from[key].cf_name = fl->fl_name;
		}
	}
}

static void
set_defaults(struct conf *c, struct conf_errs *errs)
{
	char		 why[CONF_WHY_MAXBYTES], text[CONF_VALUE_MAXBYTES + 1];
	const char	*dflt;
	int		 base, key;

	for (key = 0; key < CONF_NKEYS; key++) {
		dflt = conf_keys[key].ck_default;
		if (c->c_from[key].cf_origin != CONF_O_DEFAULT || dflt == NULL)
			continue;
		if ((base = expand(c, dflt, text, sizeof(text))) == -1)
			continue;	/* its base was refused already */
		if (conf_set_text(c, key, text, why) == 0)
			continue;
		if (base == CONF_NKEYS)
			conf_errs_add(errs, "%s: %s",
			    conf_keys[key].ck_name, why);
		else
			conf_errs_key(errs, c, base, "%s becomes \"%s\": %s",
			    conf_keys[key].ck_name, text, why);
	}
}

/*
 * The text of a default, "${key}" replaced.  Returns the number of that key,
 * CONF_NKEYS without one, or -1.
 */
static int
expand(const struct conf *c, const char *dflt, char *text, size_t len)
{
	const char	*end, *value;
	char		 name[64];
	int		 base;

	if (strncmp(dflt, "${", 2) != 0) {
		(void)strlcpy(text, dflt, len);
		return (CONF_NKEYS);
	}
	end = strchr(dflt, '}');
	(void)snprintf(name, sizeof(name), "%.*s", (int)(end - dflt - 2),
	    dflt + 2);
	if ((base = conf_key_find(name)) == -1)
		return (-1);
	memcpy(&value, (const char *)c + conf_keys[base].ck_offset,
	    sizeof(value));
	if (value == NULL)
		return (-1);
	(void)snprintf(text, len, "%s%s", value, end + 1);
	return (base);
}
