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

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl.h"
#include "imsg_rule.h"
#include "ipccheck.h"

/* A daemon of one answer, in a child process; stderr of the client is kept. */
enum act { ACT_ITEMS, ACT_REFUSE, ACT_CLOSE, ACT_SILENT, ACT_WRONG_TYPE,
	ACT_BROKEN, ACT_ROLLBACK };

static char	 path[108], errpath[108], err[4096];
static size_t	 nitems_seen;

static void
send_end(struct imsgbuf *ib, uint32_t id, uint32_t code, const char *text)
{
	Sentinel__Ipc__ControlEnd	 end;
	char				 copy[128];
	uint8_t				 body[256];

	sentinel__ipc__control_end__init(&end);
	(void)strlcpy(copy, text, sizeof(copy));
	end.code = code;
	end.error = copy;
	(void)imsg_compose(ib, IMSG_CONTROL_END, id, -1, body,
	    sentinel__ipc__control_end__pack(&end, body));
}

static void
daemon_act(int fd, enum act act)
{
	struct imsgbuf	 ib;
	struct imsg	 imsg;
	uint32_t	 id;

	(void)imsgbuf_init(&ib, fd);
	imsgbuf_set_maxsize(&ib, IMSG_MAXBODY);
	if (act == ACT_REFUSE) {
		/* Before the request, as when there are too many clients. */
		send_end(&ib, 0, CONTROL_FAILED, "too many connections");
		(void)imsgbuf_flush(&ib, 1000);
		_exit(0);
	}
	if (imsgbuf_wait(&ib, &imsg, 5000) != 1)
		_exit(1);
	id = imsg_get_id(&imsg);
	switch (act) {
	case ACT_ITEMS:
		(void)imsg_compose(&ib, IMSG_CONTROL_ITEM, id, -1, "", 0);
		(void)imsg_compose(&ib, IMSG_CONTROL_ITEM, id, -1, "", 0);
		send_end(&ib, id, CONTROL_OK, "");
		break;
	case ACT_ROLLBACK:
		send_end(&ib, id, CONTROL_ROLLBACK, "exit 1\033[2J");
		break;
	case ACT_WRONG_TYPE:
		(void)imsg_compose(&ib, IMSG_CONTROL_GONE, id, -1, "", 0);
		break;
	case ACT_BROKEN:
		(void)imsg_compose(&ib, IMSG_CONTROL_ITEM, id, -1, "\xff", 1);
		break;
	case ACT_SILENT:
		(void)usleep(500000);
		break;
	default:
		break;
	}
	(void)imsgbuf_flush(&ib, 1000);
	_exit(0);
}

static int
on_item(const Sentinel__Ipc__ControlItem *item, void *arg)
{
	(void)item;
	(void)arg;
	nitems_seen++;
	return (0);
}

static enum control_code
ask(const char *sock, int command, unsigned int msec)
{
	Sentinel__Ipc__ControlRequest	 req;
	enum control_code		 code;
	FILE				*f;
	int				 saved;

	nitems_seen = 0;
	sentinel__ipc__control_request__init(&req);
	req.version = CONTROL_VERSION;
	req.command = (Sentinel__Ipc__ControlRequest__Command)command;
	assert_true((saved = dup(STDERR_FILENO)) != -1);
	assert_non_null(freopen(errpath, "w", stderr));
	code = ctl_ask(sock, &req, msec, on_item, NULL);
	(void)fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) != -1);
	(void)close(saved);
	assert_non_null(f = fopen(errpath, "r"));
	err[fread(err, 1, sizeof(err) - 1, f)] = '\0';
	(void)fclose(f);
	return (code);
}

static enum control_code
ask_act(enum act act, int command)
{
	enum control_code	 code;
	struct sockaddr_un	 sun;
	pid_t			 pid;
	int			 lfd, fd, status;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	(void)unlink(path);
	assert_true((lfd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	assert_int_equal(bind(lfd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(lfd, 1), 0);
	assert_true((pid = fork()) != -1);
	if (pid == 0) {
		if ((fd = accept(lfd, NULL, NULL)) == -1)
			_exit(1);
		daemon_act(fd, act);
	}
	(void)close(lfd);
	code = ask(path, command, act == ACT_SILENT ? 100 : 5000);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return (code);
}

#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

static void
expect_err(const char *words)
{
	if (strstr(err, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, err);
}

static void
test_answers(void **state)
{
	(void)state;
	assert_int_equal(ask_act(ACT_ITEMS, C(HOST_LIST)), CONTROL_OK);
	assert_int_equal(nitems_seen, 2);
	assert_string_equal(err, "");
	assert_int_equal(ask_act(ACT_REFUSE, C(HOST_LIST)), CONTROL_FAILED);
	assert_string_equal(err, "sentinelctl: too many connections\n");
	/* what a container said does not reach the terminal */
	assert_int_equal(ask_act(ACT_ROLLBACK, C(CONTAINER_UPDATE)),
	    CONTROL_ROLLBACK);
	assert_string_equal(err, "sentinelctl: exit 1\\033[2J\n");
}

static void
test_failures(void **state)
{
	(void)state;
	assert_int_equal(ask_act(ACT_CLOSE, C(STATUS)), CONTROL_UNREACH);
	expect_err("connection to the daemon lost");
	assert_int_equal(ask_act(ACT_CLOSE, C(CONTAINER_ACTION)),
	    CONTROL_TIMEOUT);
	expect_err("whether it was done is unknown");
	assert_int_equal(ask_act(ACT_SILENT, C(STATUS)), CONTROL_TIMEOUT);
	expect_err("no answer within 0 seconds");
	assert_int_equal(ask_act(ACT_WRONG_TYPE, C(STATUS)), CONTROL_FAILED);
	expect_err("CONTROL_GONE from the daemon: wrong");
	assert_int_equal(ask_act(ACT_BROKEN, C(STATUS)), CONTROL_FAILED);
	expect_err("broken answer: ControlItem: broken tag");
}

static void
test_connect(void **state)
{
	char	 longpath[200];

	(void)state;
	(void)unlink(path);
	assert_int_equal(ask(path, C(STATUS), 1000), CONTROL_UNREACH);
	expect_err("No such file or directory: is the daemon running?");
	memset(longpath, 'x', sizeof(longpath) - 1);
	longpath[sizeof(longpath) - 1] = '\0';
	assert_int_equal(ask(longpath, C(STATUS), 1000), CONTROL_USAGE);
	expect_err("at most 107 bytes");
	/* the environment, when there is no -s */
	assert_int_equal(setenv(CTL_ENV, "/nonexistent/x.sock", 1), 0);
	assert_int_equal(ask(NULL, C(STATUS), 1000), CONTROL_UNREACH);
	expect_err("/nonexistent/x.sock: No such file");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_connect),
	};
	int			 failed;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(path, sizeof(path), "/tmp/client_test.%d",
	    (int)getpid());
	(void)snprintf(errpath, sizeof(errpath), "/tmp/client_test.%d.err",
	    (int)getpid());
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	(void)unlink(errpath);
	return (failed);
}
