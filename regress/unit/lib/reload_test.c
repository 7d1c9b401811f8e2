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

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confpart.h"
#include "ibuf.h"
#include "reload.h"
#include "xmalloc.h"

/* The order of a reload, and that what fails leaves everything as it was. */
static struct event_base *base;
static struct conf	*conf;
static char		 path[] = "/tmp/reload_test.XXXXXX";
static struct daemon_opts opts;
static bool		 busy, refuse;
static unsigned int	 prepared, committed, aborted, pushed, verbose, broken;
static int		 answer_rc;
static int		 answer_origin;
static uint32_t		 answer_id, answer_uid;
static char		 answer_text[RELOAD_TEXT_SIZE];
static char		 answer_changed[RELOAD_TEXT_SIZE];
static uint8_t		 asked[4];
static void		(*push_done)(bool, const char *);

/* --- dummy neighbours ---------------------------------------------------- */

struct event_base *
proc_base(void)
{
	return (base);
}

enum role
proc_self(void)
{
	return (ROLE_PARENT);
}

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	p.pe_role = role;
	return (&p);
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd, const void *body,
    size_t len)
{
	struct reload_done	 rd;
	struct ibuf		 b;
	size_t			 i;

	assert_non_null(p);
	assert_int_equal(fd, -1);
	if (type == IMSG_RELOAD_ASK) {
		assert_int_equal(len, 4);
		memcpy(asked, body, len);
		return (0);
	}
	assert_int_equal(type, IMSG_RELOAD_DONE);
	/* Cut anywhere it is none. */
	for (i = 0; i < len; i++) {
		ibuf_from_buffer(&b, (void *)(uintptr_t)body, i);
		assert_int_equal(reload_done_get(&b, &rd), -1);
	}
	ibuf_from_buffer(&b, (void *)(uintptr_t)body, len);
	assert_int_equal(reload_done_get(&b, &rd), 0);
	(void)strlcpy(answer_text, rd.rd_text, sizeof(answer_text));
	(void)strlcpy(answer_changed, rd.rd_changed, sizeof(answer_changed));
	answer_rc = rd.rd_rc;
	answer_origin = rd.rd_origin;
	answer_uid = rd.rd_uid;
	answer_id = id;
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *b)
{
	return (peer_send(p, type, id, fd, ibuf_data(b), ibuf_size(b)));
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)p;
	(void)m;
	(void)why;
	broken++;
}

void
proc_parent_verbose(int level)
{
	verbose = (unsigned int)level;
}

bool
confpart_is_busy(void)
{
	return (busy);
}

int
confpart_push(uint32_t roles, void (*pack)(enum role, uint32_t, struct ibuf *),
    void (*done)(bool, const char *))
{
	assert_int_equal(roles, ROLE_BIT(ROLE_ENGINE));
	assert_non_null(pack);
	pushed++;
	push_done = done;
	return (0);
}

/* --- the daemon ----------------------------------------------------------- */

static int
prepare(const struct conf *old, char *why, size_t size)
{
	assert_ptr_not_equal(old, conf);
	prepared++;
	if (!refuse)
		return (0);
	(void)snprintf(why, size, "the port is in use");
	return (-1);
}

static void
pack(enum role role, uint32_t generation, struct ibuf *buf)
{
	(void)role;
	(void)generation;
	(void)buf;
}

static void
commit(const struct conf *old)
{
	assert_ptr_not_equal(old, conf);
	committed++;
}

static void
undone(void)
{
	aborted++;
}

static const struct reload_ops	ops = {
	.ro_roles = ROLE_BIT(ROLE_ENGINE),
	.ro_conf = &conf,
	.ro_prepare = prepare,
	.ro_pack = pack,
	.ro_commit = commit,
	.ro_abort = undone,
};

static void
write_conf(const char *text)
{
	FILE	*f;

	assert_non_null(f = fopen(path, "w"));
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
ask(uint32_t id)
{
	struct imsg	 m;

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_RELOAD_ASK;
	m.hdr.peerid = id;
	reload_request(id, 1000 + id);
	assert_non_null(m.buf = ibuf_dynamic(4, 4));
	assert_int_equal(ibuf_add(m.buf, asked, sizeof(asked)), 0);
	answer_rc = -1;
	reload_ask(proc_peer(ROLE_ENGINE), &m);
	ibuf_free(m.buf);
}

static int
up(void **state)
{
	struct conf_opts	 co;
	struct conf_errs	 errs;

	(void)state;
	busy = refuse = false;
	prepared = committed = aborted = pushed = 0;
	push_done = NULL;
	write_conf("mode: server\n");
	memset(&co, 0, sizeof(co));
	memset(&errs, 0, sizeof(errs));
	co.co_daemon = CONF_SERVER;
	co.co_file = path;
	co.co_environ = (char *[]){ NULL };
	conf = conf_load(&co, &errs);
	return (conf == NULL ? -1 : 0);
}

static int
down(void **state)
{
	(void)state;
	conf_free(conf);
	return (0);
}

static void
test_good(void **state)
{
	struct conf	*before = conf;

	(void)state;
	write_conf("mode: server\nlog: { level: debug }\nuid_base: 70000\n");
	ask(7);
	assert_int_equal(prepared, 1);
	assert_int_equal(pushed, 1);
	/* What is offered is the new one; nobody was answered yet. */
	assert_ptr_not_equal(conf, before);
	assert_int_equal(answer_rc, -1);
	/* Not two at a time. */
	ask(8);
	assert_int_equal(answer_rc, RELOAD_BUSY);
	assert_int_equal(answer_id, 8);
	assert_int_equal(answer_uid, 1008);
	assert_int_equal(answer_origin, RELOAD_ASKED);
	push_done(true, NULL);
	assert_int_equal(committed, 1);
	assert_int_equal(aborted, 0);
	assert_int_equal(answer_rc, RELOAD_OK);
	assert_int_equal(answer_id, 7);
	assert_int_equal(answer_uid, 1007);
	assert_int_equal(answer_origin, RELOAD_ASKED);
	assert_string_equal(answer_changed, "log.level");
	assert_non_null(strstr(answer_text, "uid_base"));
	assert_int_equal(conf->c_log_level, CONF_DEBUG);
	assert_int_equal(conf->c_uid_base, 59200);
	assert_int_equal(verbose, 1);
	/* By signal: nobody to answer, but the engine is told. */
	write_conf("mode: server\n");
	answer_rc = -1;
	reload_hup();
	assert_int_equal(pushed, 2);
	push_done(true, NULL);
	assert_int_equal(answer_rc, RELOAD_OK);
	assert_int_equal(answer_origin, RELOAD_SIGNAL);
	assert_int_equal(answer_id, 0);
	assert_int_equal(answer_uid, 0);
	assert_string_equal(answer_changed, "log.level");
	assert_string_equal(answer_text, "");
	assert_int_equal(verbose, 0);
	write_conf("mode: loud\n");
	reload_hup();
	assert_int_equal(answer_rc, RELOAD_REFUSED);
	assert_int_equal(answer_origin, RELOAD_SIGNAL);
	assert_string_equal(answer_changed, "");
	assert_non_null(strstr(answer_text, ":1:7: mode"));
}

static void
test_refused(void **state)
{
	struct conf	*before = conf;
	char		*dir = conf->c_server.cs_data_dir;

	(void)state;
	write_conf("mode: server\nlog: { level: loud }\n");
	ask(1);
	assert_int_equal(answer_rc, RELOAD_REFUSED);
	assert_non_null(strstr(answer_text, ":2:15: log.level"));
	assert_int_equal(prepared, 0);

	write_conf("mode: server\nserver: { data_dir: /var/x }\n");
	refuse = true;
	ask(2);
	assert_int_equal(answer_rc, RELOAD_REFUSED);
	assert_string_equal(answer_text, "the port is in use");
	assert_int_equal(pushed, 0);
	assert_ptr_equal(conf, before);
	assert_ptr_equal(conf->c_server.cs_data_dir, dir);

	refuse = false;
	ask(3);
	assert_ptr_equal(conf->c_server.cs_data_dir, dir);
	push_done(false, "engine says no");
	assert_int_equal(answer_rc, RELOAD_REFUSED);
	assert_string_equal(answer_text, "engine says no");
	assert_int_equal(aborted, 1);
	assert_int_equal(committed, 0);
	assert_ptr_equal(conf, before);
	assert_ptr_equal(conf->c_server.cs_data_dir, dir);

	assert_int_equal(unlink(path), 0);
	ask(4);
	assert_int_equal(answer_rc, RELOAD_REFUSED);
	assert_ptr_equal(conf, before);
}

/* An engine that was taken over asks otherwise. */
static void
test_broken(void **state)
{
	struct imsg	 m;

	(void)state;
	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_RELOAD_ASK;
	assert_non_null(m.buf = ibuf_dynamic(3, 8));
	assert_int_equal(ibuf_add(m.buf, "abc", 3), 0);
	broken = 0;
	reload_ask(proc_peer(ROLE_ENGINE), &m);
	assert_int_equal(broken, 1);
	ibuf_free(m.buf);
	assert_non_null(m.buf = ibuf_dynamic(5, 8));
	assert_int_equal(ibuf_add(m.buf, "abcde", 5), 0);
	reload_ask(proc_peer(ROLE_ENGINE), &m);
	assert_int_equal(broken, 2);
	ibuf_free(m.buf);
	assert_int_equal(prepared, 0);
}

/* A push after a restart comes first; the signal is not lost. */
static void
test_busy(void **state)
{
	struct timeval	 tv = { 0, RELOAD_AGAIN_MSEC * 1000 + 200000 };

	(void)state;
	busy = true;
	ask(1);
	assert_int_equal(answer_rc, RELOAD_BUSY);
	reload_hup();
	reload_hup();
	assert_int_equal(prepared, 0);
	busy = false;
	(void)event_base_loopexit(base, &tv);
	(void)event_base_dispatch(base);
	assert_int_equal(prepared, 1);
	push_done(true, NULL);
	assert_int_equal(committed, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, up, down),
		cmocka_unit_test_setup_teardown(test_refused, up, down),
		cmocka_unit_test_setup_teardown(test_broken, up, down),
		cmocka_unit_test_setup_teardown(test_busy, up, down),
	};
	int	 fd, failed;

	if ((fd = mkstemp(path)) == -1 || (base = event_base_new()) == NULL)
		return (1);
	(void)close(fd);
	opts.do_file = path;
	reload_init(&opts, CONF_SERVER, &ops);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return (failed);
}
