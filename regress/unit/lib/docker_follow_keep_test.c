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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_follow.h"
#include "follow.h"

/*
 * What a follow keeps without credit is bounded, however much comes in one
 * piece: the client of Docker is a dummy here that hands on as much as it is
 * told to, for no read of the real one is that long.
 */
#define LINE	64

static docker_cb	 inspected;
static void		*inspected_arg;
static struct docker_call call;
static int		 held, ntexts, ended;
static size_t		 nbytes;
static uint64_t		 nskipped;
static bool		 late_skip;	/* it was told behind the texts */
static uint8_t		 piece[1024 * 1024];
static int		 request;	/* its address is one */

/* --- dummies ------------------------------------------------------------- */

struct docker_req *
docker_inspect(struct docker *dk, const char *name, docker_cb cb, void *arg)
{
	(void)dk;
	assert_string_equal(name, "web");
	inspected = cb;
	inspected_arg = arg;
	return ((struct docker_req *)(void *)&request);
}

int
docker_path(char *path, size_t size, const char *fmt, ...)
{
	(void)fmt;
	(void)strlcpy(path, "/logs", size);
	return (0);
}

struct docker_req *
docker_call(struct docker *dk, const struct docker_call *dc)
{
	(void)dk;
	call = *dc;
	return ((struct docker_req *)(void *)&request);
}

void
docker_cancel(struct docker_req *dq)
{
	(void)dq;
}

void
docker_hold(struct docker_req *dq)
{
	assert_ptr_equal(dq, &request);
	held++;
}

void
docker_unhold(struct docker_req *dq)
{
	assert_ptr_equal(dq, &request);
	held--;
}

/* --- rig ----------------------------------------------------------------- */

static void
on_open(void *arg)
{
	(void)arg;
}

static void
on_text(void *arg, int stream, const char *text, uint64_t skipped)
{
	(void)arg;
	(void)stream;
	ntexts++;
	nbytes += strlen(text);
	nskipped += skipped;
	late_skip = text[0] == '\0' && skipped > 0;
}

static void
on_end(void *arg, const char *why, bool failed)
{
	(void)arg;
	(void)why;
	(void)failed;
	ended++;
}

static struct docker_follow *
begin(struct event_base *base)
{
	static const struct docker_follow_cbs	 cbs = {
		.fc_open = on_open, .fc_text = on_text, .fc_end = on_end
	};
	const struct docker_follow_opts		 fo = { "web", -1, 0,
	    FOLLOW_BOTH, false };
	struct docker_follow			*df;
	struct docker_reply			 dr;
	char					 body[256];

	assert_non_null(df = docker_follow(base, NULL, &fo, &cbs, NULL));
	(void)snprintf(body, sizeof(body), "{\"Id\":\"%064d\",\"Name\":"
	    "\"/web\",\"Config\":{\"Tty\":true}}", 1);
	memset(&dr, 0, sizeof(dr));
	dr.dr_end = DOCKER_OK;
	dr.dr_status = 200;
	dr.dr_body = body;
	dr.dr_len = strlen(body);
	inspected(inspected_arg, &dr);
	assert_non_null(call.dc_data);
	call.dc_head(call.dc_arg);
	return (df);
}

static void
feed(size_t len)
{
	assert_int_equal(call.dc_data(call.dc_arg, piece, len), 0);
}

/* --- tests --------------------------------------------------------------- */

static void
test_bound(void **state)
{
	struct event_base	*base = event_base_new();
	struct docker_follow	*df;
	int			 i;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	for (i = LINE - 1; i < (int)sizeof(piece); i += LINE)
		piece[i] = '\n';
	df = begin(base);
	for (i = 0; i < FOLLOW_WINDOW; i++)
		feed(FOLLOW_TEXT_MAXBYTES);
	assert_int_equal(ntexts, FOLLOW_WINDOW);
	assert_int_equal(nbytes, FOLLOW_WINDOW * FOLLOW_TEXT_MAXBYTES);
	assert_int_equal(nskipped, 0);
	assert_int_equal(held, 1);

	/* Nobody takes it, and it was read: four times what may be kept. */
	ntexts = 0;
	nbytes = 0;
	feed(sizeof(piece));
	assert_int_equal(ntexts, 0);
	assert_int_equal(held, 1);
	docker_follow_credit(df, 100);
	assert_int_equal(nbytes, FOLLOW_KEEP_MAXBYTES);
	assert_int_equal(nskipped, (sizeof(piece) - FOLLOW_KEEP_MAXBYTES) /
	    LINE);
	assert_true(late_skip);
	assert_int_equal(held, 0);

	/* There is room again. */
	feed(FOLLOW_TEXT_MAXBYTES);
	assert_int_equal(nbytes, FOLLOW_KEEP_MAXBYTES + FOLLOW_TEXT_MAXBYTES);
	assert_int_equal(nskipped, (sizeof(piece) - FOLLOW_KEEP_MAXBYTES) /
	    LINE);
	assert_int_equal(ended, 0);
	docker_follow_free(df);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_bound),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
