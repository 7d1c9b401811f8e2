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
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd_table.h"

#define WORDS_MAX	6

struct parse {
	struct ctl_args	*pa_args;
	bool		 pa_seen[64];		/* of ctl_opts */
	const char	*pa_word[WORDS_MAX];
	size_t		 pa_nwords;
	char		*pa_err;
	size_t		 pa_errlen;
};

static int	 parse_words(struct parse *, int, char **);
static const struct ctl_opt *parse_option(const char *, const char **);
static int	 parse_pair(struct parse *, const struct ctl_opt *,
		    const char *);
static int	 parse_value(struct parse *, const struct ctl_opt *,
		    const char *);
static const struct ctl_cmd *parse_find(const struct parse *, size_t *);
static int	 parse_unknown(struct parse *);
static int	 parse_command(struct parse *);
static int	 parse_allowed(struct parse *, const struct ctl_cmd *);
static int	 parse_operands(struct parse *, const struct ctl_cmd *, size_t);
static int	 parse_operand(struct parse *, const struct ctl_cmd *,
		    const char *, const char *);
static int	 parse_target(struct parse *, const char *);
static int	 parse_fail(struct parse *, const char *, ...)
		    __printflike_(2, 3);

int
cmd_parse(struct ctl_args *args, int argc, char **argv, char *err,
    size_t errlen)
{
	struct parse	 pa;

	memset(args, 0, sizeof(*args));
	args->ca_host = "";
	memset(&pa, 0, sizeof(pa));
	pa.pa_args = args;
	pa.pa_err = err;
	pa.pa_errlen = errlen;
	if (parse_words(&pa, argc, argv) == -1)
		return (-1);
	if (args->ca_help || args->ca_version)
		return (0);
	return (parse_command(&pa));
}

/* Options may stand anywhere; "--" ends them. */
static int
parse_words(struct parse *pa, int argc, char **argv)
{
	const struct ctl_opt	*co;
	const char		*value;
	bool			 plain = false;
	int			 i;

	for (i = 1; i < argc; i++) {
		if (!plain && strcmp(argv[i], "--") == 0) {
			plain = true;
			continue;
		}
		if (plain || argv[i][0] != '-' || argv[i][1] == '\0') {
			if (pa->pa_nwords == WORDS_MAX)
				return (parse_fail(pa, "too many words: "
				    "\"%s\"", argv[i]));
			pa->pa_word[pa->pa_nwords++] = argv[i];
			continue;
		}
		if ((co = parse_option(argv[i], &value)) == NULL)
			return (parse_fail(pa, "unknown option %s", argv[i]));
		if (co->co_value == NULL && value != NULL)
			return (parse_fail(pa, "%s: takes no value",
			    argv[i]));
		if (co->co_value != NULL && value == NULL) {
			if (++i == argc)
				return (parse_fail(pa, "%s: needs %s",
				    argv[i - 1], co->co_value));
			value = argv[i];
		}
		if (parse_value(pa, co, value) == -1)
			return (-1);
	}
	return (0);
}

/* -sVALUE, -s, --socket, --socket=VALUE; *value NULL when none is attached. */
static const struct ctl_opt *
parse_option(const char *arg, const char **value)
{
	const struct ctl_opt	*co;
	size_t			 len;

	*value = NULL;
	for (co = ctl_opts; co < ctl_opts + ctl_nopts; co++) {
		if (arg[1] != '-') {
			if (co->co_short == 0 || arg[1] != co->co_short)
				continue;
			if (arg[2] != '\0')
				*value = arg + 2;
			return (co);
		}
		len = strlen(co->co_long);
		if (strncmp(arg + 2, co->co_long, len) != 0)
			continue;
		if (arg[2 + len] == '=')
			*value = arg + 2 + len + 1;
		else if (arg[2 + len] != '\0')
			continue;
		return (co);
	}
	return (NULL);
}

/* May be given more than once. */
static int
parse_pair(struct parse *pa, const struct ctl_opt *co, const char *value)
{
	const char	**list = pa->pa_args->ca_labels;
	size_t		  n = 0;

	while (list[n] != NULL)
		n++;
	if (strchr(value, '=') == NULL)
		return (parse_fail(pa, "--%s: \"%s\" is not %s", co->co_long,
		    value, co->co_value));
	if (n == CTL_LABELS_MAX)
		return (parse_fail(pa, "--%s: more than %d of them",
		    co->co_long, CTL_LABELS_MAX));
	list[n] = value;
	return (0);
}

static int
parse_value(struct parse *pa, const struct ctl_opt *co, const char *value)
{
	char		*at = (char *)pa->pa_args + co->co_at;
	const char	*why;
	uint64_t	 sec;
	int64_t		 when;
	int32_t		 n;
	const bool	 yes = true;

	if (value != NULL && value[0] == '\0')
		return (parse_fail(pa, "--%s: empty", co->co_long));
	pa->pa_seen[co - ctl_opts] = true;
	switch (co->co_type) {
	case CTL_FLAG:
		memcpy(at, &yes, sizeof(yes));
		break;
	case CTL_STRING:
		memcpy(at, &value, sizeof(value));
		break;
	case CTL_PAIRS:
		return (parse_pair(pa, co, value));
	case CTL_NUMBER:
		n = (int32_t)strtonum(value, 1, co->co_max, &why);
		if (why != NULL)
			return (parse_fail(pa, "--%s: \"%s\" is not a number "
			    "from 1 to %d", co->co_long, value, co->co_max));
		memcpy(at, &n, sizeof(n));
		break;
	case CTL_DURATION:
		if (cmd_duration(value, &sec) == -1 || sec == 0)
			return (parse_fail(pa, "--%s: \"%s\" is not a "
			    "duration like 30m, 24h or 7d", co->co_long,
			    value));
		memcpy(at, &sec, sizeof(sec));
		break;
	case CTL_SINCE:
	case CTL_UNTIL:
		if (moment_parse(value, (int64_t)time(NULL),
		    co->co_type == CTL_UNTIL, &when) == -1)
			return (parse_fail(pa, "--%s: \"%s\" is neither a "
			    "time like 2026-11-22T09:30:00Z nor a duration "
			    "like 30m", co->co_long, value));
		memcpy(at, &when, sizeof(when));
		break;
	}
	return (0);
}

/* The command that the words begin with; *n of them are its name. */
static const struct ctl_cmd *
parse_find(const struct parse *pa, size_t *n)
{
	const struct ctl_cmd	*cm;
	const char		*p;
	size_t			 len;

	for (cm = ctl_cmds; cm < ctl_cmds + ctl_ncmds; cm++) {
		for (p = cm->cm_words, *n = 0; *p != '\0' &&
		    *n < pa->pa_nwords; (*n)++, p += len + (p[len] == ' ')) {
			len = strcspn(p, " ");
			if (strlen(pa->pa_word[*n]) != len ||
			    strncmp(p, pa->pa_word[*n], len) != 0)
				break;
		}
		if (*p == '\0')
			return (cm);
	}
	return (NULL);
}

static int
parse_unknown(struct parse *pa)
{
	bool	 noun = false;
	size_t	 i;

	for (i = 0; i < ctl_ncmds; i++)
		noun |= strncmp(ctl_cmds[i].cm_words, pa->pa_word[0],
		    strcspn(ctl_cmds[i].cm_words, " ")) == 0;
	noun &= pa->pa_nwords > 1;
	return (parse_fail(pa, "unknown command \"%s%s%s\": sentinelctl -h "
	    "lists them", pa->pa_word[0], noun ? " " : "",
	    noun ? pa->pa_word[1] : ""));
}

static int
parse_command(struct parse *pa)
{
	const struct ctl_cmd	*cm;
	size_t			 n;

	if (pa->pa_nwords == 0)
		return (parse_fail(pa, "no command: sentinelctl -h lists "
		    "them"));
	if ((cm = parse_find(pa, &n)) == NULL)
		return (parse_unknown(pa));
	if (parse_allowed(pa, cm) == -1)
		return (-1);
	pa->pa_args->ca_cmd = cm;
	return (parse_operands(pa, cm, n));
}

static int
parse_allowed(struct parse *pa, const struct ctl_cmd *cm)
{
	char	 word[32];
	size_t	 i;

	for (i = 0; i < ctl_nopts; i++) {
		if (ctl_opts[i].co_global || !pa->pa_seen[i])
			continue;
		(void)snprintf(word, sizeof(word), " %s ",
		    ctl_opts[i].co_long);
		if (strstr(cm->cm_opts, word) == NULL)
			return (parse_fail(pa, "%s has no option --%s",
			    cm->cm_words, ctl_opts[i].co_long));
	}
	return (0);
}

/* The words after the command's name against those of cm_arg. */
static int
parse_operands(struct parse *pa, const struct ctl_cmd *cm, size_t i)
{
	const char	*p = cm->cm_arg == NULL ? "" : cm->cm_arg;
	char		 name[32];
	size_t		 len;

	for (; *p != '\0'; p += len + (p[len] == ' ')) {
		len = strcspn(p, " ");
		if (i == pa->pa_nwords && *p == '[')
			continue;
		if (i == pa->pa_nwords)
			return (parse_fail(pa, "%s: needs %s", cm->cm_words,
			    cm->cm_arg));
		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)(*p == '[' ? len - 2 : len), p + (*p == '['));
		if (parse_operand(pa, cm, name, pa->pa_word[i++]) == -1)
			return (-1);
	}
	if (i < pa->pa_nwords)
		return (parse_fail(pa, "%s: too many words: \"%s\"",
		    cm->cm_words, pa->pa_word[pa->pa_nwords - 1]));
	return (0);
}

/* The daemon knows the rules of names; here only the form counts. */
static int
parse_operand(struct parse *pa, const struct ctl_cmd *cm, const char *name,
    const char *word)
{
	const struct ctl_operand	*cw = ctl_operands;
	bool				 target, ok = true;

	while (strcmp(cw->cw_name, name) != 0)
		cw++;
	target = cw->cw_form == CTL_TARGET ||
	    (cw->cw_form == CTL_SCOPE && strchr(word, '/') != NULL);
	if (word[0] == '\0')
		return (parse_fail(pa, "%s: empty %s", cm->cm_words, name));
	if (target)
		ok = parse_target(pa, word) == 0;
	else if (cw->cw_form == CTL_PAIR)
		ok = strchr(word, '=') != NULL;
	if (!ok)
		return (parse_fail(pa, "%s: \"%s\" is not %s", cm->cm_words,
		    word, name));
	if (!target)
		memcpy((char *)pa->pa_args + cw->cw_at, &word, sizeof(word));
	return (0);
}

/* Neither host nor container names hold a slash.  Without one the target is
 * the daemon's own Docker Engine. */
static int
parse_target(struct parse *pa, const char *word)
{
	struct ctl_args	*a = pa->pa_args;
	const char	*slash = strchr(word, '/');
	size_t		 len;

	if (slash == NULL) {
		a->ca_container = word;
		return (0);
	}
	len = (size_t)(slash - word);
	if (len == 0 || len >= sizeof(a->ca_hostbuf) || slash[1] == '\0' ||
	    strchr(slash + 1, '/') != NULL)
		return (-1);
	memcpy(a->ca_hostbuf, word, len);
	a->ca_hostbuf[len] = '\0';
	a->ca_host = a->ca_hostbuf;
	a->ca_container = slash + 1;
	return (0);
}

static int
parse_fail(struct parse *pa, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(pa->pa_err, pa->pa_errlen, fmt, ap);
	va_end(ap);
	return (-1);
}

int
cmd_duration(const char *text, uint64_t *sec)
{
	static const struct {
		char		 unit;
		uint64_t	 sec;
	} units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }
	};
	uint64_t	 n, total = 0;
	size_t		 i;

	if (*text == '\0')
		return (-1);
	while (*text != '\0') {
		if (*text < '0' || *text > '9')
			return (-1);
		for (n = 0; *text >= '0' && *text <= '9'; text++)
			if ((n = n * 10 + (uint64_t)(*text - '0')) > INT_MAX)
				return (-1);
		for (i = 0; i < nitems(units); i++)
			if (*text == units[i].unit)
				break;
		if (*text == '\0')
			i = 0;		/* seconds */
		else
			text++;
		if (i == nitems(units))
			return (-1);
		total += n * units[i].sec;
		if (total > 36500ULL * 86400)
			return (-1);
	}
	*sec = total;
	return (0);
}

bool
cmd_question(const struct ctl_args *a, char *text, size_t len)
{
	if (a->ca_yes || a->ca_cmd->cm_question == NULL)
		return (false);
	(void)snprintf(text, len, "%s%s%s: %s", a->ca_cmd->cm_words,
	    a->ca_host[0] == '\0' ? "" : " ", a->ca_host,
	    a->ca_cmd->cm_question);
	return (true);
}

static void
usage_options(const struct ctl_cmd *cm, char *line, size_t len)
{
	const struct ctl_opt	*co;
	char			 word[32];

	for (co = ctl_opts; co < ctl_opts + ctl_nopts; co++) {
		(void)snprintf(word, sizeof(word), " %s ", co->co_long);
		if (co->co_global || strstr(cm->cm_opts, word) == NULL)
			continue;
		if (co->co_short != 0)
			(void)snprintf(word, sizeof(word), " [-%c]",
			    co->co_short);
		else
			(void)snprintf(word, sizeof(word), " [--%s%s%s]",
			    co->co_long, co->co_value == NULL ? "" : " ",
			    co->co_value == NULL ? "" : co->co_value);
		(void)strlcat(line, word, len);
	}
}

void
cmd_usage(FILE *f)
{
	const struct ctl_cmd	*cm;
	char			 line[160];

	(void)fprintf(f, "usage: sentinelctl [-hV] [-s socket] [--json] "
	    "command\n\n");
	for (cm = ctl_cmds; cm < ctl_cmds + ctl_ncmds; cm++) {
		(void)snprintf(line, sizeof(line), "%s%s%s", cm->cm_words,
		    cm->cm_arg == NULL ? "" : " ",
		    cm->cm_arg == NULL ? "" : cm->cm_arg);
		usage_options(cm, line, sizeof(line));
		(void)fprintf(f, "  %-44s %s\n", line, cm->cm_help);
	}
}
