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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_exec.h"
#include "log.h"
#include "monotime.h"
#include "utf8.h"

#define EXEC_SHELL	"/bin/sh"
#define EXEC_POLL_MSEC	200		/* the stream is over, it runs */
#define EXEC_LOST_MAX	25		/* looks at an engine that is away */
#define EXEC_SLACK_MSEC	(60U * 1000)	/* of the stream: signals, looks */

/* One exec of Docker's and, for its end, some more. */
struct docker_exec {
	struct event_base	*ex_base;
	struct docker		*ex_docker;
	char			 ex_container[DOCKER_NAME_MAXBYTES];
	char			*ex_argv[EXEC_ARGS_MAX];
	size_t			 ex_argc;
	bool			 ex_shell;
	char			*ex_env;	/* or NULL */
	unsigned int		 ex_msec;
	docker_exec_cb		 ex_cb;
	void			*ex_arg;

	/* state */
	char			 ex_id[DOCKER_ID_LEN + 1];	/* "" none */
	char			 ex_kill_id[DOCKER_ID_LEN + 1];
	bool			 ex_wrapped;	/* begun by the shell */
	monotime_t		 ex_deadline;
	bool			 ex_over;	/* that was reached */
	unsigned int		 ex_signals;	/* sent */
	monotime_t		 ex_signalled;	/* the last of them */
	unsigned int		 ex_lost;	/* looks without an answer */

	/* resources */
	struct exec_out		*ex_out;
	struct docker_req	*ex_stream;
	struct docker_req	*ex_req;	/* anything else */
	struct event		*ex_timer;	/* end of the time, next look */
	char			 ex_error[DOCKER_ERROR_MAXBYTES];
};

/* TERM first: what it holds may be worth an orderly end. */
static const struct {
	const char	*sg_name;
	const char	*sg_user;	/* NULL: the container's */
} signals[] = {
	{ "TERM", NULL },
	{ "KILL", NULL },
	{ "KILL", "0" },	/* it has changed its user */
};

static int	 exec_create(struct docker_exec *);
static void	 exec_command(struct docker_exec *, struct json_gen *);
static void	 exec_created(void *, const struct docker_reply *);
static int	 exec_on_data(void *, const uint8_t *, size_t);
static void	 exec_streamed(void *, const struct docker_reply *);
static void	 exec_look(struct docker_exec *);
static void	 exec_looked(void *, const struct docker_reply *);
static void	 exec_signal(struct docker_exec *);
static void	 exec_signal_made(void *, const struct docker_reply *);
static void	 exec_signal_sent(void *, const struct docker_reply *);
static void	 exec_on_timer(int, short, void *);
static void	 exec_end(struct docker_exec *, enum docker_exec_end, int,
		    const char *, ...) __printflike_(4, 5);

static void
exec_free(struct docker_exec *ex)
{
	size_t	 i;

	docker_cancel(ex->ex_stream);
	docker_cancel(ex->ex_req);
	if (ex->ex_timer != NULL)
		event_free(ex->ex_timer);
	exec_out_free(ex->ex_out);
	for (i = 0; i < ex->ex_argc; i++)
		free(ex->ex_argv[i]);
	free(ex->ex_env);
	free(ex);
}

struct docker_exec *
docker_exec(struct event_base *base, struct docker *dk,
    const struct docker_exec_req *eq, docker_exec_cb cb, void *arg)
{
	struct docker_exec	*ex;
	int			 saved;

	if (eq->eq_argc == 0 || eq->eq_argc > EXEC_ARGS_MAX ||
	    (eq->eq_shell && eq->eq_argc != 1) || eq->eq_msec == 0 ||
	    eq->eq_msec > EXEC_MAX_MSEC) {
		errno = EINVAL;
		return (NULL);
	}
	if ((ex = calloc(1, sizeof(*ex))) == NULL)
		return (NULL);
	ex->ex_base = base;
	ex->ex_docker = dk;
	strlcpy(ex->ex_container, eq->eq_container, sizeof(ex->ex_container));
	ex->ex_shell = eq->eq_shell;
	ex->ex_msec = eq->eq_msec;
	ex->ex_cb = cb;
	ex->ex_arg = arg;
	ex->ex_wrapped = true;
	if (eq->eq_env != NULL && (ex->ex_env = strdup(eq->eq_env)) == NULL)
		goto err;
	while (ex->ex_argc < eq->eq_argc) {
		if ((ex->ex_argv[ex->ex_argc] =
		    strdup(eq->eq_argv[ex->ex_argc])) == NULL)
			goto err;
		ex->ex_argc++;
	}
	if ((ex->ex_timer = evtimer_new(base, exec_on_timer, ex)) == NULL ||
	    exec_create(ex) == -1)
		goto err;
	return (ex);
 err:
	saved = errno != 0 ? errno : ENOMEM;
	exec_free(ex);
	errno = saved;
	return (NULL);
}

void
docker_exec_cancel(struct docker_exec *ex)
{
	if (ex != NULL)
		exec_free(ex);
}

static void
exec_end(struct docker_exec *ex, enum docker_exec_end end, int code,
    const char *fmt, ...)
{
	struct docker_exec_result	 er = { .er_end = end,
		.er_code = code, .er_output = "" };
	char				*text = NULL, raw[600], error[600];
	va_list				 ap;

	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	utf8_repair(error, sizeof(error), raw, strlen(raw));
	er.er_error = error;
	if (ex->ex_out != NULL && (text = exec_out_take(ex->ex_out,
	    &er.er_len)) != NULL)
		er.er_output = text;
	ex->ex_cb(ex->ex_arg, &er);
	free(text);
	exec_free(ex);
}

static void
exec_after(struct docker_exec *ex, unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	if (evtimer_add(ex->ex_timer, &tv) == -1)
		fatalx("docker exec: timer");
}

/* --- begin ------------------------------------------------------------- */

static struct docker_req *
exec_post(struct docker_exec *ex, const char *path, struct json_gen *jg,
    docker_cb cb)
{
	struct docker_call	 dc = { .dc_method = "POST", .dc_path = path,
		.dc_done = cb, .dc_arg = ex };
	struct docker_req	*dq;
	char			*body;

	if ((body = json_gen_take(jg, &dc.dc_bodylen)) == NULL)
		return (NULL);
	dc.dc_body = body;
	dq = docker_call(ex->ex_docker, &dc);
	freezero(body, dc.dc_bodylen);
	return (dq);
}

/* cmd: its command; user NULL: the container's. */
static int
exec_make(struct docker_exec *ex, void (*cmd)(struct docker_exec *,
    struct json_gen *), const char *user, docker_cb cb)
{
	struct json_gen	*jg;
	char		 path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/%s/exec",
	    ex->ex_container) == -1 ||
	    (jg = json_gen_new(DOCKER_BODY_MAXBYTES)) == NULL)
		return (-1);
	json_gen_object(jg);
	json_gen_key(jg, "AttachStdout");
	json_gen_bool(jg, true);
	json_gen_key(jg, "AttachStderr");
	json_gen_bool(jg, true);
	if (user != NULL) {
		json_gen_key(jg, "User");
		json_gen_str(jg, user);
	}
	/* Not for the signals. */
	if (ex->ex_env != NULL && cmd == exec_command) {
		json_gen_key(jg, "Env");
		json_gen_array(jg);
		json_gen_str(jg, ex->ex_env);
		json_gen_end_array(jg);
	}
	json_gen_key(jg, "Cmd");
	json_gen_array(jg);
	cmd(ex, jg);
	json_gen_end_array(jg);
	json_gen_end_object(jg);
	ex->ex_req = exec_post(ex, path, jg, cb);
	json_gen_free(jg);
	return (ex->ex_req == NULL ? -1 : 0);
}

static void
exec_command(struct docker_exec *ex, struct json_gen *jg)
{
	size_t	 i;

	if (ex->ex_wrapped) {
		json_gen_str(jg, EXEC_SHELL);
		json_gen_str(jg, "-c");
		json_gen_str(jg, ex->ex_shell ?
		    "echo $$; exec " EXEC_SHELL " -c \"$1\"" :
		    "echo $$; exec \"$@\"");
		json_gen_str(jg, "sentinel-hook");
	}
	for (i = 0; i < ex->ex_argc; i++)
		json_gen_str(jg, ex->ex_argv[i]);
}

static int
exec_create(struct docker_exec *ex)
{
	exec_out_free(ex->ex_out);
	if ((ex->ex_out = exec_out_new(ex->ex_wrapped,
	    EXEC_OUTPUT_MAXBYTES)) == NULL)
		return (-1);
	ex->ex_id[0] = '\0';
	ex->ex_error[0] = '\0';
	return (exec_make(ex, exec_command, NULL, exec_created));
}

/* The id in the answer to a creation. */
static bool
exec_keep_id(const struct docker_reply *dr, char *dst, size_t size)
{
	struct json	*js = NULL;
	const char	*id;
	bool		 ok;

	if (dr->dr_end == DOCKER_OK)
		js = json_parse(dr->dr_body, dr->dr_len, NULL, 0);
	id = json_get_str(json_root(js), "Id");
	ok = docker_id_ok(id) && strlcpy(dst, id, size) < size;
	json_free(js);
	return (ok);
}

static void
exec_created(void *arg, const struct docker_reply *dr)
{
	static const char	 body[] = "{\"Detach\":false,\"Tty\":false}";
	struct docker_exec	*ex = arg;
	struct docker_call	 dc = { .dc_method = "POST", .dc_body = body,
		.dc_bodylen = sizeof(body) - 1, .dc_data = exec_on_data,
		.dc_done = exec_streamed, .dc_arg = ex };
	char			 path[DOCKER_PATH_MAXBYTES];

	ex->ex_req = NULL;
	if (!exec_keep_id(dr, ex->ex_id, sizeof(ex->ex_id))) {
		exec_end(ex, EXEC_FAILED, -1, "%s", dr->dr_end == DOCKER_OK ?
		    "Docker's answer is not valid JSON" : dr->dr_error);
		return;
	}
	(void)docker_path(path, sizeof(path), "/exec/%s/start", ex->ex_id);
	dc.dc_path = path;
	dc.dc_total_msec = ex->ex_msec + EXEC_SLACK_MSEC;
	if ((ex->ex_stream = docker_call(ex->ex_docker, &dc)) == NULL) {
		exec_end(ex, EXEC_FAILED, -1, "too many requests to Docker");
		return;
	}
	ex->ex_deadline = monotime_now() + ex->ex_msec;
	exec_after(ex, ex->ex_msec);
}

static int
exec_on_data(void *arg, const uint8_t *p, size_t len)
{
	struct docker_exec	*ex = arg;

	return (exec_out_feed(ex->ex_out, p, len));
}

/* --- what became of it ------------------------------------------------- */

/* The stream is over; only a look says what became of the process. */
static void
exec_streamed(void *arg, const struct docker_reply *dr)
{
	struct docker_exec	*ex = arg;

	ex->ex_stream = NULL;
	if (dr->dr_end == DOCKER_UNSENT) {
		exec_end(ex, EXEC_FAILED, -1, "%s", dr->dr_error);
		return;
	}
	if (dr->dr_end != DOCKER_OK)
		strlcpy(ex->ex_error, dr->dr_error, sizeof(ex->ex_error));
	/* A signal is on its way: the look after it tells as much. */
	if (ex->ex_req == NULL)
		exec_look(ex);
}

static void
exec_look(struct docker_exec *ex)
{
	struct docker_call	 dc = { .dc_method = "GET",
		.dc_done = exec_looked, .dc_arg = ex };
	char			 path[DOCKER_PATH_MAXBYTES];

	(void)docker_path(path, sizeof(path), "/exec/%s/json", ex->ex_id);
	dc.dc_path = path;
	if ((ex->ex_req = docker_call(ex->ex_docker, &dc)) == NULL)
		exec_after(ex, EXEC_POLL_MSEC);
}

/* It has ended, or never begun. */
static void
exec_ended(struct docker_exec *ex, const struct json_value *seen)
{
	int64_t	 code = -1, pid = 0;

	(void)json_int(json_get(seen, "ExitCode"), &code);
	(void)json_int(json_get(seen, "Pid"), &pid);
	if (pid == 0 && ex->ex_wrapped && exec_out_pid(ex->ex_out) == 0) {
		/* The image has no shell. */
		if (ex->ex_shell)
			exec_end(ex, EXEC_FAILED, -1, "the image has no "
			    EXEC_SHELL ": give the command as an array");
		else {
			ex->ex_wrapped = false;
			if (exec_create(ex) == -1)
				exec_end(ex, EXEC_FAILED, -1, "too many "
				    "requests to Docker");
		}
		return;
	}
	if (ex->ex_over && ex->ex_signals > 0)
		exec_end(ex, EXEC_TIMEOUT, -1, "it did not end within %u s "
		    "and was ended", ex->ex_msec / 1000);
	else if (code < 0 || code > 255)
		exec_end(ex, EXEC_FAILED, -1, "%s", ex->ex_error[0] != '\0' ?
		    ex->ex_error : "Docker tells no exit code");
	else
		exec_end(ex, EXEC_EXITED, (int)code, "%s", "");
}

static void
exec_still_there(struct docker_exec *ex)
{
	monotime_t	 now = monotime_now();

	if (now >= ex->ex_deadline)
		ex->ex_over = true;
	if (!ex->ex_over || (ex->ex_signals > 0 &&
	    now - ex->ex_signalled < EXEC_KILL_MSEC)) {
		exec_after(ex, EXEC_POLL_MSEC);
		return;
	}
	if (exec_out_pid(ex->ex_out) == 0)
		exec_end(ex, EXEC_LEFT, -1, "it did not end within %u s and "
		    "cannot be ended%s: it may still run", ex->ex_msec / 1000,
		    ex->ex_wrapped ? "" : " (the image has no " EXEC_SHELL
		    ")");
	else if (ex->ex_signals == nitems(signals))
		exec_end(ex, EXEC_LEFT, -1, "it did not end within %u s and "
		    "withstood every signal: it may still run",
		    ex->ex_msec / 1000);
	else
		exec_signal(ex);
}

static void
exec_looked(void *arg, const struct docker_reply *dr)
{
	struct docker_exec	*ex = arg;
	struct json		*js = NULL;

	ex->ex_req = NULL;
	if (dr->dr_end == DOCKER_OK)
		js = json_parse(dr->dr_body, dr->dr_len, NULL, 0);
	if (js == NULL && (dr->dr_status == 404 ||
	    ++ex->ex_lost == EXEC_LOST_MAX)) {
		exec_end(ex, EXEC_UNKNOWN, -1, "Docker was lost while it ran, "
		    "so what became of it is unknown: %s", dr->dr_end ==
		    DOCKER_OK ? "its answer is not valid JSON" : dr->dr_error);
		return;
	}
	if (js == NULL)
		exec_after(ex, EXEC_POLL_MSEC);
	else if (json_bool(json_get(json_root(js), "Running")))
		exec_still_there(ex);
	else
		exec_ended(ex, json_root(js));
	json_free(js);
}

/* --- its end ----------------------------------------------------------- */

static void
exec_on_timer(int fd, short what, void *arg)
{
	struct docker_exec	*ex = arg;

	(void)fd;
	(void)what;
	if (ex->ex_req == NULL)
		exec_look(ex);
}

static void
exec_kill_command(struct docker_exec *ex, struct json_gen *jg)
{
	char	 line[64];

	(void)snprintf(line, sizeof(line), "kill -%s -%ld",
	    signals[ex->ex_signals].sg_name, exec_out_pid(ex->ex_out));
	json_gen_str(jg, EXEC_SHELL);
	json_gen_str(jg, "-c");
	json_gen_str(jg, line);
}

static void
exec_signal(struct docker_exec *ex)
{
	int	 rc;

	rc = exec_make(ex, exec_kill_command, signals[ex->ex_signals].sg_user,
	    exec_signal_made);
	ex->ex_signals++;
	ex->ex_signalled = monotime_now();
	if (rc == -1)
		exec_after(ex, EXEC_KILL_MSEC);
}

static void
exec_signal_made(void *arg, const struct docker_reply *dr)
{
	struct docker_exec	*ex = arg;
	struct json_gen		*jg;
	char			 path[DOCKER_PATH_MAXBYTES];

	ex->ex_req = NULL;
	if (exec_keep_id(dr, ex->ex_kill_id, sizeof(ex->ex_kill_id)) &&
	    (jg = json_gen_new(256)) != NULL) {
		(void)docker_path(path, sizeof(path), "/exec/%s/start",
		    ex->ex_kill_id);
		json_gen_object(jg);
		json_gen_key(jg, "Detach");
		json_gen_bool(jg, true);
		json_gen_end_object(jg);
		ex->ex_req = exec_post(ex, path, jg, exec_signal_sent);
		json_gen_free(jg);
	}
	if (ex->ex_req == NULL)
		exec_after(ex, EXEC_KILL_MSEC);
}

static void
exec_signal_sent(void *arg, const struct docker_reply *dr)
{
	struct docker_exec	*ex = arg;

	(void)dr;
	ex->ex_req = NULL;
	/* Mostly it ends at once, and its stream with it. */
	if (ex->ex_stream == NULL)
		exec_look(ex);
	else
		exec_after(ex, EXEC_KILL_MSEC);
}
