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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "conf.h"
#include "conf_load.h"
#include "conf_set.h"

#define KEY_MAXLEN	64	/* longer than every key of the table */

struct load {
	yaml_parser_t	 l_parser;
	yaml_event_t	 l_event;	/* current, owned */
	struct conf	*l_conf;
	struct conf_errs *l_errs;
	const char	*l_name;
	const uint8_t	*l_text;
	bool		 l_dead;	/* the rest cannot be read */
	/* First line of each key and section, for duplicates. */
	unsigned int	 l_line[CONF_NKEYS];
	unsigned int	 l_section[CONF_NKEYS][CONF_DEPTH_MAX];
};

static void	 load_document(struct load *);
static void	 load_section(struct load *, const char *, int);
static void	 load_pair(struct load *, const char *, int, const char *,
		    yaml_mark_t);
static void	 load_subsection(struct load *, const char *, int, int,
		    yaml_mark_t);
static void	 load_key(struct load *, int, yaml_mark_t);
static void	 load_scalar(struct load *, int);
static void	 load_list(struct load *, int);
static const char *list_example(int);
static const char *scalar_text(struct load *, const char *);
static bool	 is_null(const yaml_event_t *);
static int	 section_find(const char *);
static void	 unknown_key(struct load *, const char *, const char *,
		    yaml_mark_t);
static const char *nearest_key(const char *, const char *, char *);
static const char *key_called(const char *, const char *);
static bool	 next(struct load *);
static void	 check_event(struct load *);
static void	 skip(struct load *);
static void	 report_parser(struct load *);
static void	 error_at(struct load *, yaml_mark_t, const char *, ...)
		    __printflike_(3, 4);

void
conf_yaml_parse(struct conf *c, const char *name, const uint8_t *text,
    size_t len, struct conf_errs *errs)
{
	struct load	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    !yaml_parser_initialize(&l->l_parser)) {
		conf_errs_add(errs, "%s: out of memory", name);
		free(l);
		return;
	}
	l->l_conf = c;
	l->l_errs = errs;
	l->l_name = name;
	l->l_text = text;
	yaml_parser_set_encoding(&l->l_parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&l->l_parser, text, len);
	if (next(l) && next(l) &&	/* stream start, then what it holds */
	    l->l_event.type != YAML_STREAM_END_EVENT)
		load_document(l);
	yaml_event_delete(&l->l_event);
	/* The text may hold an enrolment token. */
	explicit_bzero(l->l_parser.raw_buffer.start, (size_t)
	    (l->l_parser.raw_buffer.end - l->l_parser.raw_buffer.start));
	explicit_bzero(l->l_parser.buffer.start, (size_t)
	    (l->l_parser.buffer.end - l->l_parser.buffer.start));
	yaml_parser_delete(&l->l_parser);
	free(l);
}

static void
load_document(struct load *l)
{
	if (!next(l))
		return;
	if (l->l_event.type == YAML_MAPPING_START_EVENT)
		load_section(l, "", 0);
	else if (!is_null(&l->l_event)) {
		error_at(l, l->l_event.start_mark, "want keys and values, like "
		    "\"agent:\" and, indented below it, \"server: HOST:9443\"");
		skip(l);
	}
	if (l->l_dead || !next(l) || !next(l))	/* document end, and after */
		return;
	if (l->l_event.type != YAML_STREAM_END_EVENT)
		error_at(l, l->l_event.start_mark, "second document: one file "
		    "holds one configuration, remove the line \"---\"");
}

/* Current: mapping start.  Afterwards: its end, or dead. */
static void
load_section(struct load *l, const char *prefix, int depth)
{
	yaml_mark_t	 mark;
	char		 name[KEY_MAXLEN];
	bool		 plain;

	while (next(l) && l->l_event.type != YAML_MAPPING_END_EVENT) {
		mark = l->l_event.start_mark;
		plain = l->l_event.type == YAML_SCALAR_EVENT &&
		    strlen((char *)l->l_event.data.scalar.value) ==
		    l->l_event.data.scalar.length;
		if (!plain) {
			error_at(l, mark, "a key must be a word");
			skip(l);
			if (l->l_dead || !next(l))
				return;
			skip(l);
			if (l->l_dead)
				return;
			continue;
		}
		/* Cut, a name of the table can no longer be met. */
		(void)strlcpy(name, (char *)l->l_event.data.scalar.value,
		    sizeof(name));
		if (!next(l))
			return;
		load_pair(l, prefix, depth, name, mark);
		if (l->l_dead)
			return;
	}
}

/* Current: the value's first event.  Afterwards: its last. */
static void
load_pair(struct load *l, const char *prefix, int depth, const char *name,
    yaml_mark_t mark)
{
	char	 full[2 * KEY_MAXLEN];
	int	 key;

	(void)snprintf(full, sizeof(full), "%s%s", prefix, name);
	if (strchr(name, '.') == NULL) {
		if ((key = conf_key_find(full)) != -1) {
			load_key(l, key, mark);
			return;
		}
		if ((key = section_find(full)) != -1) {
			load_subsection(l, full, depth, key, mark);
			return;
		}
	}
	unknown_key(l, prefix, name, mark);
	skip(l);
}

static void
load_subsection(struct load *l, const char *full, int depth, int first,
    yaml_mark_t mark)
{
	char	 prefix[2 * KEY_MAXLEN + 1];

	if (l->l_section[first][depth] != 0) {
		error_at(l, mark, "section \"%s\" is there twice, first in "
		    "line %u: put its keys together", full,
		    l->l_section[first][depth]);
		skip(l);
		return;
	}
	l->l_section[first][depth] = (unsigned int)mark.line + 1;
	if (l->l_event.type == YAML_MAPPING_START_EVENT) {
		(void)snprintf(prefix, sizeof(prefix), "%s.", full);
		load_section(l, prefix, depth + 1);
	} else if (!is_null(&l->l_event)) {	/* all lines commented out */
		error_at(l, l->l_event.start_mark, "%s: is a section, want "
		    "its keys indented below it", full);
		skip(l);
	}
}

static void
load_key(struct load *l, int key, yaml_mark_t mark)
{
	struct conf_from	*from = &l->l_conf->c_from[key];
	yaml_mark_t		 at = l->l_event.start_mark;

	if (l->l_line[key] != 0) {
		error_at(l, mark, "%s: is there twice, first in line %u: "
		    "remove one", conf_keys[key].ck_name, l->l_line[key]);
		skip(l);
		return;
	}
	l->l_line[key] = (unsigned int)mark.line + 1;
	from->cf_origin = CONF_O_FILE;
	from->cf_line = (unsigned int)at.line + 1;
	from->cf_column = (unsigned int)at.column + 1;
	if (conf_set_is_list(conf_keys[key].ck_type))
		load_list(l, key);
	else
		load_scalar(l, key);
}

static void
load_scalar(struct load *l, int key)
{
	char		 why[CONF_WHY_MAXBYTES];
	const char	*name = conf_keys[key].ck_name, *text;

	if (l->l_event.type != YAML_SCALAR_EVENT) {
		if (l->l_event.type != YAML_ALIAS_EVENT)
			error_at(l, l->l_event.start_mark, "%s: want one "
			    "value, not a %s", name, l->l_event.type ==
			    YAML_SEQUENCE_START_EVENT ? "list" : "section");
		skip(l);
		return;
	}
	if ((text = scalar_text(l, name)) != NULL &&
	    conf_set_text(l->l_conf, key, text, why) == -1)
		error_at(l, l->l_event.start_mark, "%s: %s", name, why);
}

static const char *
list_example(int key)
{
	switch (conf_keys[key].ck_type) {
	case CONF_T_WORDS:
		return ("start, stop, restart");
	case CONF_T_IMAGES:
		return ("ghcr.io/acme/*");
	default:
		return ("100.64.0.5, sentinel.example.com");
	}
}

static void
load_list(struct load *l, int key)
{
	char		 why[CONF_WHY_MAXBYTES];
	const char	*name = conf_keys[key].ck_name, *text;

	if (l->l_event.type != YAML_SEQUENCE_START_EVENT) {
		if (l->l_event.type != YAML_ALIAS_EVENT)
			error_at(l, l->l_event.start_mark, "%s: want a list, "
			    "like [ %s ]", name, list_example(key));
		skip(l);
		return;
	}
	conf_set_clear(l->l_conf, key);
	while (next(l) && l->l_event.type != YAML_SEQUENCE_END_EVENT) {
		if (l->l_event.type != YAML_SCALAR_EVENT) {
			if (l->l_event.type != YAML_ALIAS_EVENT)
				error_at(l, l->l_event.start_mark,
				    "%s: want one value per item", name);
			skip(l);
			if (l->l_dead)
				return;
			continue;
		}
		if ((text = scalar_text(l, name)) != NULL &&
		    conf_set_add_name(l->l_conf, key, text, why) == -1)
			error_at(l, l->l_event.start_mark, "%s: %s", name,
			    why);
	}
}

/* Lends the current scalar, or NULL and an error. */
static const char *
scalar_text(struct load *l, const char *name)
{
	const char	*s = (char *)l->l_event.data.scalar.value;

	if (is_null(&l->l_event)) {
		error_at(l, l->l_event.start_mark, "%s: has no value, write "
		    "one or remove the line", name);
		return (NULL);
	}
	if (strlen(s) != l->l_event.data.scalar.length) {
		error_at(l, l->l_event.start_mark, "%s: value holds a NUL",
		    name);
		return (NULL);
	}
	return (s);
}

static bool
is_null(const yaml_event_t *ev)
{
	const char	*s;

	if (ev->type != YAML_SCALAR_EVENT ||
	    ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return (false);
	s = (const char *)ev->data.scalar.value;
	return (*s == '\0' || strcmp(s, "~") == 0 || strcmp(s, "null") == 0);
}

/* First key of the section called full, or -1: also its number. */
static int
section_find(const char *full)
{
	size_t	 len = strlen(full);
	int	 i;

	for (i = 0; i < CONF_NKEYS; i++)
		if (strncmp(conf_keys[i].ck_name, full, len) == 0 &&
		    conf_keys[i].ck_name[len] == '.')
			return (i);
	return (-1);
}

static void
unknown_key(struct load *l, const char *prefix, const char *name,
    yaml_mark_t mark)
{
	char		 buf[KEY_MAXLEN];
	const char	*near;

	if (strchr(name, '.') != NULL)
		error_at(l, mark, "unknown key \"%s%s\": write the keys of a "
		    "section indented below it, not with dots", prefix, name);
	else if ((near = nearest_key(prefix, name, buf)) != NULL)
		error_at(l, mark, "unknown key \"%s%s\", did you mean "
		    "\"%s\"?", prefix, name, near);
	else
		error_at(l, mark, "unknown key \"%s%s\", the keys are in "
		    "sentinel.conf(5)", prefix, name);
}

/*
 * The key somebody may have meant by name: of that name further down, else
 * one of the same section by its spelling, else one of that name anywhere.
 * The full name, perhaps in buf, or NULL.
 */
static const char *
nearest_key(const char *prefix, const char *name, char *buf)
{
	size_t		 plen = strlen(prefix), len, best, d;
	const char	*key, *found;
	char		 child[KEY_MAXLEN];
	int		 i;

	if ((found = key_called(prefix, name)) != NULL)
		return (found);
	best = strlen(name) / 3 + 1;
	for (i = 0; i < CONF_NKEYS; i++) {
		key = conf_keys[i].ck_name;
		if (strncmp(key, prefix, plen) != 0)
			continue;
		len = strcspn(key + plen, ".");
		(void)snprintf(child, sizeof(child), "%.*s", (int)len,
		    key + plen);
		d = conf_value_distance(child, name, best);
		if (d < best || (d == best && found == NULL)) {
			best = d;
			(void)snprintf(buf, KEY_MAXLEN, "%s%s", prefix, child);
			found = buf;
		}
	}
	return (found != NULL ? found : key_called("", name));
}

/* The first key below prefix whose last part is name, or NULL. */
static const char *
key_called(const char *prefix, const char *name)
{
	const char	*key, *last;
	int		 i;

	for (i = 0; i < CONF_NKEYS; i++) {
		key = conf_keys[i].ck_name;
		last = strrchr(key, '.');
		if (strncmp(key, prefix, strlen(prefix)) == 0 &&
		    strcmp(last == NULL ? key : last + 1, name) == 0)
			return (key);
	}
	return (NULL);
}

/* Replaces the current event.  False: the rest cannot be read. */
static bool
next(struct load *l)
{
	if (l->l_dead)
		return (false);
	if (l->l_event.type == YAML_SCALAR_EVENT)	/* may be a token */
		explicit_bzero(l->l_event.data.scalar.value,
		    l->l_event.data.scalar.length);
	yaml_event_delete(&l->l_event);
	if (!yaml_parser_parse(&l->l_parser, &l->l_event)) {
		report_parser(l);
		l->l_dead = true;
		return (false);
	}
	check_event(l);
	return (true);
}

/* YAML's means to say one thing in another place have none here. */
static void
check_event(struct load *l)
{
	const yaml_event_t	*ev = &l->l_event;
	const yaml_char_t	*anchor = NULL, *tag = NULL;

	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		error_at(l, ev->start_mark, "alias \"*%s\" is not supported, "
		    "write the value out", (char *)ev->data.alias.anchor);
		break;
	case YAML_SCALAR_EVENT:
		anchor = ev->data.scalar.anchor;
		tag = ev->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = ev->data.sequence_start.anchor;
		tag = ev->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = ev->data.mapping_start.anchor;
		tag = ev->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor != NULL)
		error_at(l, ev->start_mark, "anchor \"&%s\" is not supported, "
		    "remove it", (const char *)anchor);
	if (tag != NULL)
		error_at(l, ev->start_mark, "tag \"%s\" is not supported, "
		    "remove it", (const char *)tag);
}

/* From the current event to the last one of its node. */
static void
skip(struct load *l)
{
	int	 depth = 0;

	for (;;) {
		switch (l->l_event.type) {
		case YAML_SEQUENCE_START_EVENT:
		case YAML_MAPPING_START_EVENT:
			if (++depth <= CONF_DEPTH_MAX)
				break;
			error_at(l, l->l_event.start_mark, "nested more than "
			    "%d deep", CONF_DEPTH_MAX);
			l->l_dead = true;
			return;
		case YAML_SEQUENCE_END_EVENT:
		case YAML_MAPPING_END_EVENT:
			depth--;
			break;
		default:
			break;
		}
		if (depth == 0 || !next(l))
			return;
	}
}

/* The reader knows only a byte offset; the scanner and parser a mark. */
static void
report_parser(struct load *l)
{
	const yaml_parser_t	*p = &l->l_parser;
	yaml_mark_t		 mark = p->problem_mark;
	size_t			 i;

	if (p->error == YAML_MEMORY_ERROR) {
		conf_errs_add(l->l_errs, "%s: out of memory", l->l_name);
		return;
	}
	if (p->error == YAML_READER_ERROR) {
		mark.line = mark.column = 0;
		for (i = 0; i < p->problem_offset; i++) {
			mark.column++;
			if (l->l_text[i] == '\n') {
				mark.line++;
				mark.column = 0;
			}
		}
	}
	if (p->context != NULL)
		error_at(l, mark, "not YAML: %s, %s (line %zu); check "
		    "indentation (no tabs), brackets and quotes", p->problem,
		    p->context, p->context_mark.line + 1);
	else
		error_at(l, mark, "not YAML: %s; check indentation (no tabs), "
		    "brackets and quotes", p->problem);
}

static void
error_at(struct load *l, yaml_mark_t mark, const char *fmt, ...)
{
	char	*text;
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n == -1)
		conf_errs_add(l->l_errs, "%s: out of memory", l->l_name);
	else {
		conf_errs_add(l->l_errs, "%s:%zu:%zu: %s", l->l_name,
		    mark.line + 1, mark.column + 1, text);
		free(text);
	}
}
