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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_hook.h"
#include "utf8.h"

#define HOOK_LABEL_MAXBYTES	64
#define HOOK_LINE_MAXBYTES	200	/* of its output in a result */

static const struct {
	const char	*ph_name;
	const char	*ph_short;
	const char	*ph_label[2];	/* the first that is there counts */
	unsigned int	 ph_sec;
} phases[] = {
	[HOOK_PRE] = { "pre-update", "pre",
	    { "sentinel.hook.pre", "sentinel.hook.pre-update" },
	    HOOK_DEFAULT_SEC },
	[HOOK_POST] = { "post-update", "post",
	    { "sentinel.hook.post", "sentinel.hook.post-update" },
	    HOOK_DEFAULT_SEC },
	[HOOK_GATE] = { "gate", "gate", { "sentinel.gate.exec", NULL },
	    HOOK_GATE_SEC }
};

const char *
hook_phase_name(enum hook_phase ph)
{
	return (phases[ph].ph_name);
}

int
hook_phase_parse(const char *s, enum hook_phase *ph)
{
	size_t	 i;

	for (i = 0; i < nitems(phases); i++)
		if (strcmp(s, phases[i].ph_name) == 0 ||
		    strcmp(s, phases[i].ph_short) == 0) {
			*ph = (enum hook_phase)i;
			return (0);
		}
	return (-1);
}

void
hook_free(struct hook *hk)
{
	free(hk->hk_command);
	hk->hk_command = NULL;
}

/* --- labels ------------------------------------------------------------ */

/* "90", "90s", "5m", "1h" */
static int
hook_seconds(const char *s, unsigned int *sec)
{
	unsigned long long	 n = 0;
	const char		*p;

	for (p = s; *p >= '0' && *p <= '9' && p - s < 6; p++)
		n = n * 10 + (unsigned long long)(*p - '0');
	if (p == s)
		return (-1);
	if (strcmp(p, "m") == 0)
		n *= 60;
	else if (strcmp(p, "h") == 0)
		n *= 3600;
	else if (*p != '\0' && strcmp(p, "s") != 0)
		return (-1);
	if (n == 0 || n > HOOK_MAX_SEC)
		return (-1);
	*sec = (unsigned int)n;
	return (0);
}

/* The value of PREFIX[0]SUFFIX or PREFIX[1]SUFFIX; NULL: neither. */
static const char *
hook_label(const struct json_value *labels, enum hook_phase ph,
    const char *suffix, char name[HOOK_LABEL_MAXBYTES])
{
	const char	*v;
	size_t		 i;

	for (i = 0; i < nitems(phases[ph].ph_label); i++) {
		if (phases[ph].ph_label[i] == NULL)
			continue;
		(void)snprintf(name, HOOK_LABEL_MAXBYTES, "%s%s",
		    phases[ph].ph_label[i], suffix);
		if ((v = json_str(json_get(labels, name))) != NULL &&
		    v[0] != '\0')
			return (v);
	}
	return (NULL);
}

static int
hook_label_time(const struct json_value *labels, enum hook_phase ph,
    unsigned int *sec, char *why, size_t size)
{
	char		 name[HOOK_LABEL_MAXBYTES];
	const char	*v;

	if (ph == HOOK_GATE) {
		strlcpy(name, "sentinel.gate.timeout", sizeof(name));
		v = json_str(json_get(labels, name));
	} else if ((v = hook_label(labels, ph, ".timeout", name)) == NULL) {
		strlcpy(name, "sentinel.hook.timeout", sizeof(name));
		v = json_str(json_get(labels, name));
	}
	*sec = phases[ph].ph_sec;
	if (v == NULL || v[0] == '\0' || hook_seconds(v, sec) == 0)
		return (0);
	(void)snprintf(why, size, "label %s: want 1s to 1h", name);
	return (-1);
}

int
hook_from_labels(struct hook *hk, const struct json_value *labels,
    enum hook_phase ph, char *why, size_t size)
{
	char		 name[HOOK_LABEL_MAXBYTES], text[256];
	const char	*v, *back;
	unsigned int	 sec;

	memset(hk, 0, sizeof(*hk));
	if ((v = hook_label(labels, ph, "", name)) == NULL)
		return (0);
	if (hook_label_time(labels, ph, &sec, why, size) == -1)
		return (-1);
	if (hook_make(hk, v, sec, text, sizeof(text)) == -1) {
		(void)snprintf(why, size, "label %s: %s", name, text);
		return (-1);
	}
	hk->hk_label = true;
	back = hook_label(labels, ph, ".rollback", name);
	hk->hk_rollback = ph == HOOK_POST && back != NULL &&
	    strcasecmp(back, "true") == 0;
	return (1);
}

/* --- commands ---------------------------------------------------------- */

int
hook_make(struct hook *hk, const char *command, unsigned int sec, char *why,
    size_t size)
{
	char	*argv[EXEC_ARGS_MAX];
	bool	 shell;
	int	 n;

	memset(hk, 0, sizeof(*hk));
	if (sec > HOOK_MAX_SEC) {
		strlcpy(why, "want a time of 1s to 1h", size);
		return (-1);
	}
	if ((n = hook_argv(command, argv, &shell, why, size)) == -1)
		return (-1);
	hook_argv_free(argv, n);
	if ((hk->hk_command = strdup(command)) == NULL) {
		strlcpy(why, "out of memory", size);
		return (-1);
	}
	hk->hk_msec = (sec == 0 ? HOOK_DEFAULT_SEC : sec) * 1000;
	return (0);
}

void
hook_argv_free(char *argv[EXEC_ARGS_MAX], int n)
{
	while (n-- > 0)
		free(argv[n]);
}

/* An array of strings, and nothing else. */
static int
hook_argv_json(const struct json_value *v, char *argv[EXEC_ARGS_MAX])
{
	const char	*s;
	int		 n = 0;

	for (v = v->jv_child; v != NULL; v = v->jv_next) {
		if ((s = json_str(v)) == NULL || n == EXEC_ARGS_MAX ||
		    (n == 0 && s[0] == '\0') ||
		    (argv[n] = strdup(s)) == NULL) {
			hook_argv_free(argv, n);
			return (-1);
		}
		n++;
	}
	return (n == 0 ? -1 : n);
}

int
hook_argv(const char *command, char *argv[EXEC_ARGS_MAX], bool *shell,
    char *why, size_t size)
{
	const char	*p = command + strspn(command, " \t");
	struct json	*js;
	int		 n;

	if (*p == '\0' || strlen(command) >= EXEC_COMMAND_MAXBYTES) {
		strlcpy(why, *p == '\0' ? "empty command" :
		    "the command is longer than 4095 bytes", size);
		return (-1);
	}
	/* "[ -f x ]" is a line for a shell, "[1]" is a mistake. */
	*shell = *p != '[' || (js = json_parse(p, strlen(p), NULL, 0)) == NULL;
	if (*shell) {
		if ((argv[0] = strdup(command)) == NULL) {
			strlcpy(why, "out of memory", size);
			return (-1);
		}
		return (1);
	}
	if ((n = hook_argv_json(json_root(js), argv)) == -1)
		(void)snprintf(why, size, "want an array of 1 to %d strings",
		    EXEC_ARGS_MAX);
	json_free(js);
	return (n);
}

void
hook_mark(char mark[HOOK_MARK_MAXBYTES], const char *opid, enum hook_phase ph)
{
	(void)snprintf(mark, HOOK_MARK_MAXBYTES, HOOK_MARK "=%s:%s", opid,
	    hook_phase_name(ph));
}

struct docker_exec *
hook_run(struct event_base *base, struct docker *dk, const char *container,
    const struct hook *hk, const char *mark, docker_exec_cb cb, void *arg)
{
	struct docker_exec_req	 eq = { .eq_container = container,
		.eq_env = mark, .eq_msec = hk->hk_msec };
	struct docker_exec	*ex;
	char			*argv[EXEC_ARGS_MAX], why[64];
	int			 n, saved;

	if ((n = hook_argv(hk->hk_command, argv, &eq.eq_shell, why,
	    sizeof(why))) == -1) {
		errno = EINVAL;
		return (NULL);
	}
	eq.eq_argv = argv;
	eq.eq_argc = (size_t)n;
	ex = docker_exec(base, dk, &eq, cb, arg);
	saved = errno;
	hook_argv_free(argv, n);
	errno = saved;
	return (ex);
}

/* --- words ------------------------------------------------------------- */

/* The last line with anything on it, for people. */
static void
hook_last_line(const char *text, size_t len, char line[HOOK_LINE_MAXBYTES])
{
	const char	*end = text + len, *p;
	char		 raw[HOOK_LINE_MAXBYTES];
	size_t		 i, n;

	while (end > text && (unsigned char)end[-1] <= ' ')
		end--;
	for (p = end; p > text && p[-1] != '\n'; p--)
		continue;
	n = (size_t)(end - p);
	if (n >= sizeof(raw))
		n = sizeof(raw) - 1;
	for (i = 0; i < n; i++)
		raw[i] = (unsigned char)p[i] < ' ' || p[i] == 0x7f ? ' ' : p[i];
	/* May have been cut inside a character. */
	(void)utf8_repair(line, HOOK_LINE_MAXBYTES, raw, n);
}

void
hook_describe(enum hook_phase ph, const struct docker_exec_result *er,
    char *text, size_t size)
{
	const char	*what = ph == HOOK_GATE ? "sentinel.gate.exec" :
			    ph == HOOK_PRE ? "pre-update hook" :
			    "post-update hook";
	char		 line[HOOK_LINE_MAXBYTES];

	hook_last_line(er->er_output, er->er_len, line);
	if (er->er_end != EXEC_EXITED)
		(void)snprintf(text, size, "%s: %s%s%s", what, er->er_error,
		    line[0] != '\0' ? ": " : "", line);
	else
		(void)snprintf(text, size, "%s: exit code %d%s%s", what,
		    er->er_code, line[0] != '\0' ? ": " : "", line);
}
