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

#include "ctl.h"

#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

/* One row a command; the manual page has the same order. */
static const struct ctl_cmd	cmds[] = {
	{ "status", NULL, "", CTL_STATUS, C(STATUS), NULL,
	    "the daemon, its certificates and its processes" },
	{ "token create", NULL, " ttl name ", CTL_ONE, C(TOKEN_CREATE), NULL,
	    "make an enrolment token for a new host" },
	{ "token list", NULL, "", CTL_LIST, C(TOKEN_LIST), NULL,
	    "enrolment tokens and what became of them" },
	{ "token revoke", "ID", "", CTL_DONE, C(TOKEN_REVOKE), NULL,
	    "make an enrolment token useless" },
	{ "host list", NULL, " all ", CTL_LIST, C(HOST_LIST), NULL,
	    "enrolled hosts" },
	{ "host show", "HOST", "", CTL_ONE, C(HOST_SHOW), NULL,
	    "one host, by name or id" },
	{ "host pause", "HOST", "", CTL_DONE, C(HOST_PAUSE), NULL,
	    "no new updates there until it is resumed" },
	{ "host resume", "HOST", "", CTL_DONE, C(HOST_RESUME), NULL,
	    "updates again" },
	{ "host rename", "HOST NAME", "", CTL_DONE, C(HOST_RENAME), NULL,
	    "call it by another name" },
	{ "host label", "HOST KEY=VALUE", "", CTL_DONE, C(HOST_LABEL), NULL,
	    "set a label; KEY= takes it away" },
	{ "host remove", "HOST", " yes ", CTL_DONE, C(HOST_REMOVE), NULL,
	    "disconnect its agent and forget the host" },
	{ "host revoke", "HOST", " yes ", CTL_DONE, C(HOST_REVOKE), NULL,
	    "the same for one whose key may be stolen" },
	{ "events", NULL, " follow ", CTL_STREAM, C(EVENTS), NULL,
	    "what happened lately" },
	{ "container list", NULL, " host ", CTL_LIST, C(CONTAINER_LIST), NULL,
	    "containers of all hosts or of one" },
	{ "container update", "HOST/NAME", " image ", CTL_ONE,
	    C(CONTAINER_UPDATE), NULL,
	    "pull the image and replace the container" },
	{ "container stop", "HOST/NAME", "", CTL_ONE, C(CONTAINER_ACTION),
	    "stop", "stop a container" },
	{ "container start", "HOST/NAME", "", CTL_ONE, C(CONTAINER_ACTION),
	    "start", "start a container" },
	{ "container restart", "HOST/NAME", "", CTL_ONE, C(CONTAINER_ACTION),
	    "restart", "stop and start a container" },
	{ "container logs", "HOST/NAME", " lines ", CTL_ONE,
	    C(CONTAINER_LOGS), NULL, "last lines of a container's output" },
};
#undef C

enum opt { O_SOCKET, O_JSON, O_HELP, O_VERSION, O_TTL, O_NAME, O_HOST,
	O_IMAGE, O_LINES, O_FOLLOW, O_ALL, O_YES };

struct opt_row {
	enum opt	 op_opt;
	char		 op_short;	/* 0: none */
	const char	*op_long;
	const char	*op_value;	/* shown name, NULL: none */
	bool		 op_global;
};

static const struct opt_row	opts[] = {
	{ O_SOCKET,	's', "socket",	"SOCKET",	true },
	{ O_JSON,	0,   "json",	NULL,		true },
	{ O_HELP,	'h', "help",	NULL,		true },
	{ O_HELP,	'?', "help",	NULL,		true },
	{ O_VERSION,	'V', "version",	NULL,		true },
	{ O_TTL,	0,   "ttl",	"DURATION",	false },
	{ O_NAME,	0,   "name",	"NAME",		false },
	{ O_HOST,	0,   "host",	"HOST",		false },
	{ O_IMAGE,	0,   "image",	"REF",		false },
	{ O_LINES,	0,   "lines",	"N",		false },
	{ O_FOLLOW,	'f', "follow",	NULL,		false },
	{ O_ALL,	0,   "all",	NULL,		false },
	{ O_YES,	0,   "yes",	NULL,		false },
};

#define WORDS_MAX	4

struct parse {
	struct ctl_args	*pa_args;
	unsigned int	 pa_seen;		/* 1 << enum opt */
	const char	*pa_word[WORDS_MAX];
	size_t		 pa_nwords;
	char		*pa_err;
	size_t		 pa_errlen;
};

static int	 parse_words(struct parse *, int, char **);
static const struct opt_row *parse_option(const char *, const char **);
static int	 parse_value(struct parse *, const struct opt_row *,
		    const char *);
static int	 parse_number(const char *, int32_t *);
static int	 parse_command(struct parse *);
static int	 parse_second(struct parse *, const struct ctl_cmd *,
		    const char *);
static int	 parse_operand(struct parse *, const struct ctl_cmd *,
		    const char *);
static int	 parse_fail(struct parse *, const char *, ...)
		    __printflike_(2, 3);

int
cmd_parse(struct ctl_args *args, int argc, char **argv, char *err,
    size_t errlen)
{
	struct parse	 pa;

	memset(args, 0, sizeof(*args));
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
	const struct opt_row	*op;
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
		if ((op = parse_option(argv[i], &value)) == NULL)
			return (parse_fail(pa, "unknown option %s", argv[i]));
		if (op->op_value == NULL && value != NULL)
			return (parse_fail(pa, "%s: takes no value",
			    argv[i]));
		if (op->op_value != NULL && value == NULL) {
			if (++i == argc)
				return (parse_fail(pa, "%s: needs %s",
				    argv[i - 1], op->op_value));
			value = argv[i];
		}
		if (parse_value(pa, op, value) == -1)
			return (-1);
	}
	return (0);
}

/* -sVALUE, -s, --socket, --socket=VALUE; *value NULL when none is attached. */
static const struct opt_row *
parse_option(const char *arg, const char **value)
{
	size_t	 i, len;

	*value = NULL;
	for (i = 0; i < nitems(opts); i++) {
		if (arg[1] != '-') {
			if (opts[i].op_short == 0 ||
			    arg[1] != opts[i].op_short)
				continue;
			if (arg[2] != '\0')
				*value = arg + 2;
			return (&opts[i]);
		}
		len = strlen(opts[i].op_long);
		if (strncmp(arg + 2, opts[i].op_long, len) != 0)
			continue;
		if (arg[2 + len] == '=')
			*value = arg + 2 + len + 1;
		else if (arg[2 + len] != '\0')
			continue;
		return (&opts[i]);
	}
	return (NULL);
}

static int
parse_value(struct parse *pa, const struct opt_row *op, const char *value)
{
	struct ctl_args	*a = pa->pa_args;

	if (value != NULL && value[0] == '\0')
		return (parse_fail(pa, "--%s: empty", op->op_long));
	pa->pa_seen |= 1U << op->op_opt;
	switch (op->op_opt) {
	case O_SOCKET:
		a->ca_socket = value;
		break;
	case O_JSON:
		a->ca_json = true;
		break;
	case O_HELP:
		a->ca_help = true;
		break;
	case O_VERSION:
		a->ca_version = true;
		break;
	case O_TTL:
		if (cmd_duration(value, &a->ca_ttl_sec) == -1 ||
		    a->ca_ttl_sec == 0)
			return (parse_fail(pa, "--ttl: \"%s\" is not a "
			    "duration like 30m, 24h or 7d", value));
		break;
	case O_NAME:
		a->ca_name = value;
		break;
	case O_HOST:
		if (strlcpy(a->ca_host, value, sizeof(a->ca_host)) >=
		    sizeof(a->ca_host))
			return (parse_fail(pa, "--host: too long"));
		break;
	case O_IMAGE:
		a->ca_image = value;
		break;
	case O_LINES:
		if (parse_number(value, &a->ca_lines) == -1)
			return (parse_fail(pa, "--lines: \"%s\" is not a "
			    "number from 1 to 500", value));
		break;
	case O_FOLLOW:
		a->ca_follow = true;
		break;
	case O_ALL:
		a->ca_all = true;
		break;
	case O_YES:
		a->ca_yes = true;
		break;
	}
	return (0);
}

static int
parse_number(const char *text, int32_t *n)
{
	const char	*why;

	*n = (int32_t)strtonum(text, 1, 500, &why);
	return (why == NULL ? 0 : -1);
}

static int
parse_command(struct parse *pa)
{
	const struct ctl_cmd	*cm = NULL;
	char			 words[64];
	const char		*noun = NULL;
	size_t			 i, n = 0, nargs;

	if (pa->pa_nwords == 0)
		return (parse_fail(pa, "no command: sentinelctl -h lists "
		    "them"));
	for (i = 0; i < nitems(cmds) && cm == NULL; i++) {
		n = strchr(cmds[i].cm_words, ' ') == NULL ? 1 : 2;
		if (n > pa->pa_nwords)
			continue;
		(void)snprintf(words, sizeof(words), "%s%s%s",
		    pa->pa_word[0], n == 2 ? " " : "",
		    n == 2 ? pa->pa_word[1] : "");
		if (strcmp(words, cmds[i].cm_words) == 0)
			cm = &cmds[i];
	}
	if (cm == NULL) {
		for (i = 0; i < nitems(cmds); i++)
			if (strncmp(cmds[i].cm_words, pa->pa_word[0],
			    strcspn(cmds[i].cm_words, " ")) == 0)
				noun = pa->pa_word[0];
		return (parse_fail(pa, "unknown command \"%s%s%s\": "
		    "sentinelctl -h lists them", pa->pa_word[0],
		    noun != NULL && pa->pa_nwords > 1 ? " " : "",
		    noun != NULL && pa->pa_nwords > 1 ? pa->pa_word[1] : ""));
	}
	for (i = 0; i < nitems(opts); i++) {
		if (opts[i].op_global ||
		    (pa->pa_seen & (1U << opts[i].op_opt)) == 0)
			continue;
		(void)snprintf(words, sizeof(words), " %s ",
		    opts[i].op_long);
		if (strstr(cm->cm_opts, words) == NULL)
			return (parse_fail(pa, "%s has no option --%s",
			    cm->cm_words, opts[i].op_long));
	}
	pa->pa_args->ca_cmd = cm;
	nargs = cm->cm_arg == NULL ? 0 : strchr(cm->cm_arg, ' ') == NULL ? 1 :
	    2;
	if (pa->pa_nwords < n + nargs)
		return (parse_fail(pa, "%s: needs %s", cm->cm_words,
		    cm->cm_arg));
	if (pa->pa_nwords > n + nargs)
		return (parse_fail(pa, "%s: too many words: \"%s\"",
		    cm->cm_words, pa->pa_word[pa->pa_nwords - 1]));
	if (nargs == 2 && parse_second(pa, cm, pa->pa_word[n + 1]) == -1)
		return (-1);
	return (nargs == 0 ? 0 : parse_operand(pa, cm, pa->pa_word[n]));
}

/* What the word after HOST is; the daemon knows the rules. */
static int
parse_second(struct parse *pa, const struct ctl_cmd *cm, const char *word)
{
	const char	*what = strchr(cm->cm_arg, ' ') + 1;

	if (word[0] == '\0')
		return (parse_fail(pa, "%s: empty %s", cm->cm_words, what));
	if (strcmp(what, "NAME") == 0)
		pa->pa_args->ca_name = word;
	else if (strchr(word, '=') == NULL)
		return (parse_fail(pa, "%s: \"%s\" is not %s", cm->cm_words,
		    word, what));
	else
		pa->pa_args->ca_label = word;
	return (0);
}

/* Neither host nor container names hold a slash.  Without one the target is
 * the daemon's own Docker Engine. */
static int
parse_operand(struct parse *pa, const struct ctl_cmd *cm, const char *word)
{
	struct ctl_args	*a = pa->pa_args;
	const char	*slash = strchr(word, '/');
	size_t		 len;

	if (word[0] == '\0')
		return (parse_fail(pa, "%s: empty %s", cm->cm_words,
		    cm->cm_arg));
	if (strcmp(cm->cm_arg, "ID") == 0) {
		a->ca_id = word;
		return (0);
	}
	if (strcmp(cm->cm_arg, "HOST") == 0 ||
	    strncmp(cm->cm_arg, "HOST ", 5) == 0)
		slash = word + strlen(word);
	len = slash == NULL ? 0 : (size_t)(slash - word);
	if (len >= sizeof(a->ca_host) || (slash != NULL && len == 0) ||
	    (slash != NULL && slash[0] == '/' && (slash[1] == '\0' ||
	    strchr(slash + 1, '/') != NULL)))
		return (parse_fail(pa, "%s: \"%s\" is not %s", cm->cm_words,
		    word, cm->cm_arg));
	memcpy(a->ca_host, word, len);
	a->ca_host[len] = '\0';
	a->ca_container = slash == NULL ? word : slash + (*slash == '/');
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
	if (a->ca_yes || strstr(a->ca_cmd->cm_opts, " yes ") == NULL)
		return (false);
	(void)snprintf(text, len, "%s %s: its agent is disconnected and its "
	    "certificate revoked;\nit comes back only with a new token.  Go "
	    "on?", a->ca_cmd->cm_words, a->ca_host);
	return (true);
}

void
cmd_usage(FILE *f)
{
	const struct opt_row	*op;
	char			 line[160], word[24];
	size_t			 i, j;

	(void)fprintf(f, "usage: sentinelctl [-hV] [-s socket] [--json] "
	    "command\n\n");
	for (i = 0; i < nitems(cmds); i++) {
		(void)snprintf(line, sizeof(line), "%s%s%s", cmds[i].cm_words,
		    cmds[i].cm_arg == NULL ? "" : " ",
		    cmds[i].cm_arg == NULL ? "" : cmds[i].cm_arg);
		for (j = 0; j < nitems(opts); j++) {
			op = &opts[j];
			(void)snprintf(word, sizeof(word), " %s ",
			    op->op_long);
			if (op->op_global ||
			    strstr(cmds[i].cm_opts, word) == NULL)
				continue;
			(void)strlcat(line, " [", sizeof(line));
			if (op->op_short != 0)
				(void)snprintf(word, sizeof(word), "-%c",
				    op->op_short);
			else if (op->op_value == NULL)
				(void)snprintf(word, sizeof(word), "--%s",
				    op->op_long);
			else
				(void)snprintf(word, sizeof(word), "--%s %s",
				    op->op_long, op->op_value);
			(void)strlcat(line, word, sizeof(line));
			(void)strlcat(line, "]", sizeof(line));
		}
		(void)fprintf(f, "  %-44s %s\n", line, cmds[i].cm_help);
	}
}
