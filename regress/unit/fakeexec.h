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

#ifndef FAKEEXEC_H
#define FAKEEXEC_H

/*
 * The exec part of the engine in fakedocker.h, which includes this.  What a
 * command does is said beforehand in struct fk_execs; one that hangs goes on
 * until the signal it gives in to.
 */
#define FKE_MAX		32
#define FKE_PID		7	/* in the container */

struct fk_exec {
	char		 container[65];
	char		 cmd[1024];	/* JSON of Cmd */
	char		 env[256];	/* of Env, "" none */
	char		 user[16];
	bool		 running;
	bool		 begun;
	int		 code;
	struct bufferevent *bev;	/* its stream, while it hangs */
};

struct fk_execs {
	struct fk_exec	 ex[FKE_MAX];
	int		 n;
	/* what commands do */
	int		 code;
	const char	*out;		/* stdout, NULL none */
	const char	*err;
	int		 hang;		/* 0; 1 ends at TERM, 2 KILL, 3 KILL of
					 * root, 4 nothing helps */
	bool		 noshell;	/* the image has none */
	int		 later;		/* so many fail before one succeeds */
	char		 trace[8192];	/* "CMD\n" of all but signals */
	int		 signals;
};

static inline void
fke_frame(struct bufferevent *bev, int stream, const char *text)
{
	uint8_t	 head[8] = { 0 };
	size_t	 len = text == NULL ? 0 : strlen(text);

	if (len == 0)
		return;
	head[0] = (uint8_t)stream;
	head[6] = (uint8_t)(len >> 8);
	head[7] = (uint8_t)len;
	bufferevent_write(bev, head, sizeof(head));
	bufferevent_write(bev, text, len);
}

static inline void
fke_flushed(struct bufferevent *bev, void *arg)
{
	(void)arg;
	(void)shutdown(bufferevent_getfd(bev), SHUT_WR);
}

/* The stream of Docker ends with the connection. */
static inline void
fke_end(struct fk_exec *ex, struct bufferevent *bev, int code)
{
	bufferevent_event_cb	 event;
	void			*arg;

	ex->running = false;
	ex->code = code;
	ex->bev = NULL;
	bufferevent_getcb(bev, NULL, NULL, &event, &arg);
	bufferevent_setcb(bev, NULL, fke_flushed, event, arg);
	bufferevent_enable(bev, EV_WRITE);
	if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		fke_flushed(bev, NULL);
}

static inline void
fke_signal(struct fk_execs *fx, const char *cmd, const char *user)
{
	int	 i, need;

	fx->signals++;
	need = strstr(cmd, "-TERM") != NULL ? 1 : user[0] == '\0' ? 2 : 3;
	for (i = 0; i < FKE_MAX; i++)
		if (fx->ex[i].bev != NULL && fx->hang <= need)
			fke_end(&fx->ex[i], fx->ex[i].bev, 137);
}

/* POST /containers/ID/exec */
static inline int
fke_create(struct fk_execs *fx, const char *container, const char *body,
    size_t len, struct evbuffer *out)
{
	struct json			*js = json_parse(body, len, NULL, 0);
	const struct json_value		*cmd = json_get(json_root(js), "Cmd");
	struct fk_exec			*ex;

	if (cmd == NULL)
		abort();
	ex = &fx->ex[fx->n++ % FKE_MAX];	/* the oldest is forgotten */
	memset(ex, 0, sizeof(*ex));
	strlcpy(ex->container, container, sizeof(ex->container));
	snprintf(ex->cmd, sizeof(ex->cmd), "%.*s", (int)cmd->jv_rawlen,
	    cmd->jv_raw);
	if ((cmd = json_get(json_root(js), "Env")) != NULL)
		snprintf(ex->env, sizeof(ex->env), "%.*s",
		    (int)cmd->jv_rawlen, cmd->jv_raw);
	strlcpy(ex->user, json_get_str(json_root(js), "User"),
	    sizeof(ex->user));
	json_free(js);
	evbuffer_add_printf(out, "{\"Id\":\"%064d\"}", fx->n);
	return (201);
}

static inline struct fk_exec *
fke_find(struct fk_execs *fx, const char *id)
{
	int	 n = atoi(id + strspn(id, "0"));

	return (n < 1 || n > fx->n ? NULL : &fx->ex[(n - 1) % FKE_MAX]);
}

/* GET /exec/ID/json */
static inline int
fke_inspect(struct fk_execs *fx, const char *id, struct evbuffer *out)
{
	struct fk_exec	*ex = fke_find(fx, id);

	if (ex == NULL)
		return (404);
	evbuffer_add_printf(out, "{\"Running\":%s,\"Pid\":%d,\"ExitCode\":",
	    ex->running ? "true" : "false", ex->begun ? 4711 : 0);
	if (ex->running)
		evbuffer_add_printf(out, "null}");
	else
		evbuffer_add_printf(out, "%d}", ex->code);
	return (200);
}

/* POST /exec/ID/start: answers by itself unless it is a signal. */
static inline int
fke_start(struct fk_execs *fx, const char *id, struct bufferevent *bev)
{
	static const char	 head[] = "HTTP/1.1 200 OK\r\nContent-Type: "
				    "application/vnd.docker.raw-stream\r\n\r\n";
	struct fk_exec		*ex = fke_find(fx, id);
	char			 pid[16];
	bool			 shell;

	if (ex == NULL)
		return (404);
	if (strstr(ex->cmd, "\"kill -") != NULL) {
		fke_signal(fx, ex->cmd, ex->user);
		return (200);
	}
	strlcat(fx->trace, ex->cmd, sizeof(fx->trace));
	strlcat(fx->trace, "\n", sizeof(fx->trace));
	shell = strncmp(ex->cmd, "[\"/bin/sh\"", 10) == 0;
	bufferevent_write(bev, head, sizeof(head) - 1);
	if (shell && fx->noshell) {
		fke_frame(bev, 1, "OCI runtime exec failed: stat /bin/sh: no "
		    "such file or directory\r\n");
		fke_end(ex, bev, 126);
		return (-1);
	}
	ex->begun = ex->running = true;
	/* Errors may overtake the line of the shell. */
	fke_frame(bev, 2, fx->err);
	snprintf(pid, sizeof(pid), "%d\n", FKE_PID);
	if (shell)
		fke_frame(bev, 1, pid);
	fke_frame(bev, 1, fx->out);
	if (fx->hang != 0)
		ex->bev = bev;
	else
		fke_end(ex, bev, fx->later-- > 0 ? 1 : fx->code);
	return (-1);
}

#endif /* FAKEEXEC_H */
