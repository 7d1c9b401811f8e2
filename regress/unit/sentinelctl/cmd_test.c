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

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd_table.h"

#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name
#define ARGS_MAX	12

/* Splits line at single spaces; "~" is an empty word. */
static int
parse(struct ctl_args *a, const char *line, char *err, size_t errlen)
{
	static char	 copy[512];
	char		*argv[ARGS_MAX], *p = copy, *word;
	static char	 self[] = "sentinelctl", none[] = "";
	int		 argc = 0;

	(void)strlcpy(copy, line, sizeof(copy));
	argv[argc++] = self;
	while ((word = strsep(&p, " ")) != NULL && *word != '\0') {
		assert_true(argc < ARGS_MAX);
		argv[argc++] = strcmp(word, "~") == 0 ? none : word;
	}
	err[0] = '\0';
	return (cmd_parse(a, argc, argv, err, errlen));
}

static void
test_commands(void **state)
{
	static const struct {
		const char	*line;
		int		 command;
		const char	*host, *container, *action;
	} rows[] = {
		{ "status", C(STATUS), "", "", NULL },
		{ "token create", C(TOKEN_CREATE), "", "", NULL },
		{ "token list", C(TOKEN_LIST), "", "", NULL },
		{ "host list", C(HOST_LIST), "", "", NULL },
		{ "host show worker-1", C(HOST_SHOW), "worker-1", "", NULL },
		{ "host list --all", C(HOST_LIST), "", "", NULL },
		{ "host pause w", C(HOST_PAUSE), "w", "", NULL },
		{ "host resume w", C(HOST_RESUME), "w", "", NULL },
		{ "host rename w v", C(HOST_RENAME), "w", "", NULL },
		{ "host label w a=b", C(HOST_LABEL), "w", "", NULL },
		{ "host remove w", C(HOST_REMOVE), "w", "", NULL },
		{ "host revoke --yes w", C(HOST_REVOKE), "w", "", NULL },
		{ "settings get", C(SETTINGS_GET), "", "", NULL },
		{ "settings get a", C(SETTINGS_GET), "", "", NULL },
		{ "settings set a b", C(SETTINGS_SET), "", "", NULL },
		{ "settings unset a", C(SETTINGS_UNSET), "", "", NULL },
		{ "policy show", C(POLICY_SHOW), "", "", NULL },
		{ "policy show w", C(POLICY_SHOW), "w", "", NULL },
		{ "policy show w/web", C(POLICY_SHOW), "w", "web", NULL },
		{ "policy set w auto", C(POLICY_SET), "w", "", NULL },
		{ "policy set w/web auto", C(POLICY_SET), "w", "web", NULL },
		{ "policy default auto", C(POLICY_SET), "", "", NULL },
		{ "events -f", C(EVENTS), "", "", NULL },
		{ "container list --host w", C(CONTAINER_LIST), "w", "",
		    NULL },
		{ "self update w", C(SELF_UPDATE), "w", "", NULL },
		{ "container update w/web", C(CONTAINER_UPDATE), "w", "web",
		    NULL },
		{ "container update web", C(CONTAINER_UPDATE), "", "web",
		    NULL },
		{ "container stop w/web", C(CONTAINER_ACTION), "w", "web",
		    "stop" },
		{ "container start w/web", C(CONTAINER_ACTION), "w", "web",
		    "start" },
		{ "container restart w/web", C(CONTAINER_ACTION), "w", "web",
		    "restart" },
		{ "container logs -- -w/web", C(CONTAINER_LOGS), "-w", "web",
		    NULL },
	};
	struct ctl_args	 a;
	char		 err[256];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		if (parse(&a, rows[i].line, err, sizeof(err)) == -1)
			fail_msg("%s: %s", rows[i].line, err);
		assert_int_equal(a.ca_cmd->cm_command, rows[i].command);
		assert_string_equal(a.ca_host, rows[i].host);
		assert_string_equal(a.ca_container == NULL ? "" :
		    a.ca_container, rows[i].container);
		if (rows[i].action == NULL)
			assert_null(a.ca_cmd->cm_action);
		else
			assert_string_equal(a.ca_cmd->cm_action,
			    rows[i].action);
	}
}

static void
test_options(void **state)
{
	struct ctl_args	 a;
	char		 err[256];

	(void)state;
	assert_int_equal(parse(&a, "--json token -s /a/b create --ttl 1h30m "
	    "--name=worker-1", err, sizeof(err)), 0);
	assert_true(a.ca_json);
	assert_string_equal(a.ca_socket, "/a/b");
	assert_int_equal(a.ca_ttl_sec, 5400);
	assert_string_equal(a.ca_name, "worker-1");
	assert_int_equal(parse(&a, "-s/x container logs a/b --lines 500", err,
	    sizeof(err)), 0);
	assert_string_equal(a.ca_socket, "/x");
	assert_int_equal(a.ca_lines, 500);
	assert_int_equal(parse(&a, "container update a/b --image=r/i:2", err,
	    sizeof(err)), 0);
	assert_string_equal(a.ca_image, "r/i:2");
	assert_int_equal(parse(&a, "token revoke 1a2b3c4d", err,
	    sizeof(err)), 0);
	assert_string_equal(a.ca_id, "1a2b3c4d");
	assert_int_equal(parse(&a, "events --follow", err, sizeof(err)), 0);
	assert_true(a.ca_follow);
	assert_int_equal(parse(&a, "host rename w v", err, sizeof(err)), 0);
	assert_string_equal(a.ca_name, "v");
	assert_int_equal(parse(&a, "host label w a/b=", err, sizeof(err)), 0);
	assert_string_equal(a.ca_label, "a/b=");
	/* help needs no command */
	assert_int_equal(parse(&a, "-h", err, sizeof(err)), 0);
	assert_true(a.ca_help);
	assert_int_equal(parse(&a, "nonsense --version", err, sizeof(err)),
	    0);
	assert_true(a.ca_version);
}

/* What is asked for, and what is not. */
static void
test_question(void **state)
{
	static const struct {
		const char	*line;
		bool		 asks;
	} rows[] = {
		{ "host remove w", true }, { "host revoke w", true },
		{ "host remove w --yes", false },
		{ "host revoke --yes w", false }, { "host pause w", false },
		{ "token revoke 1a2b3c4d", false },
		{ "container stop w/web", false },
	};
	struct ctl_args	 a;
	char		 text[256];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		assert_int_equal(parse(&a, rows[i].line, text, sizeof(text)),
		    0);
		assert_int_equal(cmd_question(&a, text, sizeof(text)),
		    rows[i].asks);
	}
	assert_int_equal(parse(&a, "host remove w", text, sizeof(text)), 0);
	assert_true(cmd_question(&a, text, sizeof(text)));
	assert_non_null(strstr(text, "host remove w: "));
}

static void
test_errors(void **state)
{
	static const struct {
		const char	*line, *err;
	} rows[] = {
		{ "", "no command: sentinelctl -h lists them" },
		{ "host", "unknown command \"host\": sentinelctl -h lists "
		    "them" },
		{ "host lits", "unknown command \"host lits\": sentinelctl -h "
		    "lists them" },
		{ "host show", "host show: needs HOST" },
		{ "host show a b", "host show: too many words: \"b\"" },
		{ "status now", "status: too many words: \"now\"" },
		{ "a b c d e f g", "too many words: \"g\"" },
		{ "status --ttl 5", "status has no option --ttl" },
		{ "status --frob", "unknown option --frob" },
		{ "status -x", "unknown option -x" },
		{ "status --jsonx", "unknown option --jsonx" },
		{ "status --json=1", "--json=1: takes no value" },
		{ "status -s", "-s: needs SOCKET" },
		{ "status -s ~", "--socket: empty" },
		{ "token create --ttl 0", "--ttl: \"0\" is not a duration "
		    "like 30m, 24h or 7d" },
		{ "container logs a/b --lines 501", "--lines: \"501\" is not "
		    "a number from 1 to 500" },
		{ "container logs a/b --lines 0", "--lines: \"0\" is not "
		    "a number from 1 to 500" },
		{ "container stop /web", "container stop: \"/web\" is not "
		    "HOST/NAME" },
		{ "container stop w/", "container stop: \"w/\" is not "
		    "HOST/NAME" },
		{ "container stop a/b/c", "container stop: \"a/b/c\" is not "
		    "HOST/NAME" },
		{ "host show ~", "host show: empty HOST" },
		{ "host rename a", "host rename: needs HOST NAME" },
		{ "host rename a ~", "host rename: empty NAME" },
		{ "host label a b", "host label: \"b\" is not KEY=VALUE" },
		{ "settings set a", "settings set: needs KEY VALUE" },
		{ "settings set a ~", "settings set: empty VALUE" },
		{ "settings get a b", "settings get: too many words: \"b\"" },
		{ "policy set w", "policy set: needs HOST[/NAME] POLICY" },
		{ "policy set w/ auto",
		    "policy set: \"w/\" is not HOST[/NAME]" },
		{ "policy show /web", "policy show: \"/web\" is not "
		    "HOST[/NAME]" },
		{ "host pause a b", "host pause: too many words: \"b\"" },
		{ "host pause a --yes", "host pause has no option --yes" },
	};
	struct ctl_args	 a;
	char		 err[256];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		assert_int_equal(parse(&a, rows[i].line, err, sizeof(err)),
		    -1);
		assert_string_equal(err, rows[i].err);
	}
}

static void
test_duration(void **state)
{
	static const struct {
		const char	*text;
		int64_t		 sec;		/* -1: refused */
	} rows[] = {
		{ "90", 90 }, { "90s", 90 }, { "5m", 300 }, { "24h", 86400 },
		{ "7d", 604800 }, { "1d2h3m4s", 93784 }, { "36500d",
		    3153600000 }, { "", -1 }, { "h", -1 }, { "1w", -1 },
		{ "-1", -1 }, { "1 h", -1 }, { "1.5h", -1 },
		{ "36501d", -1 }, { "99999999999999999999", -1 },
	};
	uint64_t	 sec;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		if (rows[i].sec == -1) {
			assert_int_equal(cmd_duration(rows[i].text, &sec),
			    -1);
			continue;
		}
		assert_int_equal(cmd_duration(rows[i].text, &sec), 0);
		assert_int_equal(sec, rows[i].sec);
	}
}

/* The manual page has every command of the usage. */
static void
test_manual(void **state)
{
	static char	 usage[8192], page[65536];
	char		 want[64], *line, *p = usage;
	FILE		*f;
	size_t		 len, n = 0;

	(void)state;
	assert_non_null(f = fmemopen(usage, sizeof(usage) - 1, "w"));
	cmd_usage(f);
	(void)fclose(f);
	assert_non_null(f = fopen(REGRESS_DIR "/../man/sentinelctl.8", "r"));
	len = fread(page, 1, sizeof(page) - 1, f);
	page[len] = '\0';
	(void)fclose(f);
	while ((line = strsep(&p, "\n")) != NULL) {
		if (strncmp(line, "  ", 2) != 0)
			continue;
		/* words of lower case up to an option, an operand or help */
		for (len = 2; (line[len] >= 'a' && line[len] <= 'z') ||
		    (line[len] == ' ' && line[len + 1] >= 'a' &&
		    line[len + 1] <= 'z'); len++)
			;
		(void)snprintf(want, sizeof(want), ".It Cm %.*s",
		    (int)len - 2, line + 2);
		if (strstr(page, want) == NULL)
			fail_msg("sentinelctl(8) lacks \"%s\"", want);
		n++;
	}
	assert_int_equal(n, ctl_ncmds);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_manual),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
