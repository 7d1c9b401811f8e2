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

#include <sys/ioctl.h>

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "follow.h"
#include "registry_auth.h"

/* A little longer than the control process waits, so that its word counts. */
#define MAIN_ASK_MSEC	(CONTROL_ASK_MSEC + 10000)
#define MAIN_WORK_MSEC	(CONTROL_WORK_MSEC + 10000)

static unsigned int	 main_msec(const struct ctl_args *);
static enum control_code main_run(struct ctl_args *);
static enum control_code main_doctor(const struct ctl_args *,
		    const Sentinel__Ipc__ControlRequest *, struct show *);
static enum control_code main_confirm(const struct ctl_args *);
static bool		 main_colour(void);
static int		 main_columns(void);
static void		 main_request(const struct ctl_args *,
			    Sentinel__Ipc__ControlRequest *);

int
main(int argc, char **argv)
{
	struct ctl_args	 args;
	enum control_code code;
	char		 err[256];

	(void)setlocale(LC_CTYPE, "");
	(void)signal(SIGPIPE, SIG_IGN);
	if (cmd_parse(&args, argc, argv, err, sizeof(err)) == -1) {
		(void)fprintf(stderr, "sentinelctl: ");
		text_print(stderr, err, false);
		(void)fputc('\n', stderr);
		return (CONTROL_USAGE);
	}
	if (args.ca_help) {
		cmd_usage(stdout);
		return (fflush(stdout) == EOF ? CONTROL_FAILED : CONTROL_OK);
	}
	if (args.ca_version) {
		(void)printf("sentinelctl %s\n", SENTINEL_VERSION);
		return (fflush(stdout) == EOF ? CONTROL_FAILED : CONTROL_OK);
	}
	if ((code = main_confirm(&args)) == CONTROL_OK)
		code = main_run(&args);
	return ((int)code);
}

/* What cannot be taken back is asked for, where there is somebody to ask. */
static enum control_code
main_confirm(const struct ctl_args *a)
{
	char	 text[512], line[16];

	if (!cmd_question(a, text, sizeof(text)))
		return (CONTROL_OK);
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) {
		(void)fprintf(stderr, "sentinelctl: %s: there is no terminal "
		    "to ask on: --yes does it\n", a->ca_cmd->cm_words);
		return (CONTROL_USAGE);
	}
	text_print(stderr, text, true);
	(void)fprintf(stderr, " [y/N] ");
	if (fgets(line, sizeof(line), stdin) != NULL &&
	    (strcasecmp(line, "y\n") == 0 || strcasecmp(line, "yes\n") == 0))
		return (CONTROL_OK);
	(void)fprintf(stderr, "sentinelctl: nothing was done\n");
	return (CONTROL_FAILED);
}

static enum control_code
main_run(struct ctl_args *args)
{
	Sentinel__Ipc__ControlRequest	 req;
	enum control_code		 code;
	struct show			*sh;
	char				 token[CTL_SECRET_SIZE] = "";
	char				 auth[REGISTRY_AUTH_SIZE] = "";
	char				 err[512];

	if (args->ca_cmd->cm_command ==
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__ENROLL &&
	    args->ca_token_file == NULL) {
		(void)fprintf(stderr, "sentinelctl: enroll: needs --token "
		    "FILE, - for standard input\n");
		return (CONTROL_USAGE);
	}
	if (args->ca_token_file != NULL && secret_read(args->ca_token_file,
	    token, err, sizeof(err)) == -1) {
		(void)fprintf(stderr, "sentinelctl: ");
		text_print(stderr, err, false);
		(void)fputc('\n', stderr);
		return (CONTROL_USAGE);
	}
	if (args->ca_auth_file != NULL && registry_auth_read(
	    args->ca_auth_file, args->ca_image, auth, err, sizeof(err)) ==
	    -1) {
		(void)fprintf(stderr, "sentinelctl: ");
		text_print(stderr, err, false);
		(void)fputc('\n', stderr);
		return (CONTROL_USAGE);
	}
	main_request(args, &req);
	req.token = token;
	req.registry_auth = auth;
	sh = show_new(args, stdout, main_colour(), isatty(STDERR_FILENO) == 1,
	    main_columns());
	if (req.command == SENTINEL__IPC__CONTROL_REQUEST__COMMAND__DOCTOR)
		code = main_doctor(args, &req, sh);
	else
		code = ctl_ask(args->ca_socket, &req, main_msec(args),
		    show_item, sh);
	if (show_end(sh, code) == -1) {
		(void)fprintf(stderr, "sentinelctl: cannot write the "
		    "output\n");
		if (code == CONTROL_OK)
			code = CONTROL_FAILED;
	}
	show_free(sh);
	explicit_bzero(token, sizeof(token));
	explicit_bzero(auth, sizeof(auth));
	return (code);
}

/* 0 or 1, whatever is wrong: also that there is nobody to ask. */
static enum control_code
main_doctor(const struct ctl_args *args,
    const Sentinel__Ipc__ControlRequest *req, struct show *sh)
{
	enum control_code	 code;
	bool			 good;

	good = doctor_here(show_item, sh);
	code = ctl_ask(args->ca_socket, req, main_msec(args), show_item, sh);
	if (code != CONTROL_OK && code != CONTROL_FAILED)
		doctor_no_daemon(args, code, show_item, sh);
	return (good && code == CONTROL_OK ? CONTROL_OK : CONTROL_FAILED);
}

/* The strings are borrowed; the request is only packed. */
static char *
lend(const char *s)
{
	char	*p;

	if (s == NULL)
		s = "";
	memcpy(&p, &s, sizeof(p));
	return (p);
}

static void
main_request(const struct ctl_args *a, Sentinel__Ipc__ControlRequest *req)
{
	static char	*labels[CTL_LABELS_MAX];
	size_t		 n;

	sentinel__ipc__control_request__init(req);
	req->version = CONTROL_VERSION;
	req->command = a->ca_cmd->cm_command;
	req->host = lend(a->ca_host);
	req->container = lend(a->ca_container);
	if (req->command ==
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__OPERATION_SHOW)
		req->operation = lend(a->ca_id);
	else
		req->token_id = lend(a->ca_id);
	req->ttl_sec = a->ca_ttl_sec;
	req->name = lend(a->ca_name);
	req->action = lend(a->ca_cmd->cm_action);
	req->image = lend(a->ca_image);
	req->to = lend(a->ca_to);
	req->digest = lend(a->ca_digest);
	req->lines = a->ca_lines;
	req->follow = a->ca_follow;
	req->timestamps = a->ca_timestamps;
	req->streams = (a->ca_stdout ? FOLLOW_STDOUT : 0U) |
	    (a->ca_stderr ? FOLLOW_STDERR : 0U);
	req->label = lend(a->ca_label);
	req->setting = lend(a->ca_setting);
	req->value = lend(a->ca_value);
	req->all = a->ca_all;
	req->uses = (uint32_t)a->ca_uses;
	for (n = 0; a->ca_labels[n] != NULL; n++)
		labels[n] = lend(a->ca_labels[n]);
	req->labels = labels;
	req->n_labels = n;
	req->force = a->ca_force;
	req->phase = lend(a->ca_phase);
	req->command_line = lend(a->ca_command);
	/* Too long is the daemon's to say. */
	req->timeout_sec = a->ca_timeout_sec > 3600 ? 3601 :
	    (uint32_t)a->ca_timeout_sec;
	req->rollback = a->ca_rollback;
	req->skip_hooks = a->ca_skip_hooks;
	req->since_time = a->ca_since;
	req->until_time = a->ca_until;
	req->limit = (uint32_t)a->ca_limit;
}

static unsigned int
main_msec(const struct ctl_args *a)
{
	switch (a->ca_cmd->cm_command) {
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_UPDATE:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_ROLLBACK:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__SELF_UPDATE:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_PULL:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_ACTION:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__HOOK_RUN:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__ENROLL:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CA_PREPARE:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CA_ISSUE:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CA_DRAIN:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CA_DROP:
	case SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CA_ABORT:
		return (MAIN_WORK_MSEC);
	default:
		return (a->ca_follow ? 0 : MAIN_ASK_MSEC);
	}
}

static bool
main_colour(void)
{
	const char	*no = getenv("NO_COLOR"), *term = getenv("TERM");

	return (isatty(STDOUT_FILENO) == 1 && (no == NULL || *no == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0);
}

static int
main_columns(void)
{
	struct winsize	 ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == -1)
		return (0);
	return (ws.ws_col);
}
