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

#include "docker_follow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_lines.h"
#include "follow.h"
#include "monotime.h"

/*
 * Texts wait in a queue for credit.  As soon as one waits, reading stands
 * still (docker_hold), so what the queue holds is what one read brought.  Who
 * stays without credit for FOLLOW_STALL_MSEC gets the queue, a count of the
 * lines that came after it, and then what is new.
 */
#define TEXT_MINBYTES	1024

struct text {
	TAILQ_ENTRY(text) tx_entry;
	int		 tx_stream;
	uint64_t	 tx_skipped;	/* lines before it */
	char		*tx_buf;
	size_t		 tx_len;
	size_t		 tx_size;
};

struct docker_follow {
	struct docker		*df_docker;
	struct docker_follow_cbs df_cbs;
	void			*df_arg;
	struct docker_follow_opts df_opts;	/* fo_name is df_name */
	char			 df_name[DOCKER_NAME_MAXBYTES];
	struct docker_req	*df_req;	/* NULL: Docker has ended */
	struct docker_lines	*df_lines;
	bool			 df_open;
	bool			 df_held;
	unsigned int		 df_credit;
	TAILQ_HEAD(text_list, text) df_texts;
	size_t			 df_bytes;	/* in them */
	bool			 df_stalled;	/* lines are counted */
	uint64_t		 df_skipped;	/* of those that were told */
	size_t			 df_read;	/* bytes, of one slice */
	struct event		*df_timer;	/* open, stall, slice */
	struct event		*df_later;	/* pump() on a fresh stack */
	bool			 df_failed;
	char			 df_why[DOCKER_ERROR_MAXBYTES];
};

static void	 on_inspected(void *, const struct docker_reply *);
static void	 on_head(void *);
static int	 on_data(void *, const uint8_t *, size_t);
static void	 on_done(void *, const struct docker_reply *);
static void	 on_line(void *, int, const char *, size_t);
static void	 on_timer(int, short, void *);
static void	 on_later(int, short, void *);
static void	 arm(struct docker_follow *, unsigned int);
static void	 pump(struct docker_follow *);
static void	 hold(struct docker_follow *, bool);
static void	 finish(struct docker_follow *, const char *, bool);

struct docker_follow *
docker_follow(struct event_base *base, struct docker *dk,
    const struct docker_follow_opts *opts,
    const struct docker_follow_cbs *cbs, void *arg)
{
	struct docker_follow	*df;

	if (!docker_name_ok(opts->fo_name)) {
		errno = EINVAL;
		return (NULL);
	}
	if ((df = calloc(1, sizeof(*df))) == NULL)
		return (NULL);
	TAILQ_INIT(&df->df_texts);
	df->df_docker = dk;
	df->df_cbs = *cbs;
	df->df_arg = arg;
	df->df_opts = *opts;
	(void)strlcpy(df->df_name, opts->fo_name, sizeof(df->df_name));
	df->df_opts.fo_name = df->df_name;
	df->df_credit = FOLLOW_WINDOW;
	df->df_timer = evtimer_new(base, on_timer, df);
	df->df_later = evtimer_new(base, on_later, df);
	if (df->df_timer == NULL || df->df_later == NULL) {
		docker_follow_free(df);
		errno = ENOMEM;
		return (NULL);
	}
	df->df_req = docker_inspect(dk, df->df_name, on_inspected, df);
	if (df->df_req == NULL) {
		docker_follow_free(df);
		errno = ENOBUFS;
		return (NULL);
	}
	return (df);
}

static void
text_free(struct docker_follow *df, struct text *tx)
{
	TAILQ_REMOVE(&df->df_texts, tx, tx_entry);
	df->df_bytes -= tx->tx_len;
	free(tx->tx_buf);
	free(tx);
}

void
docker_follow_free(struct docker_follow *df)
{
	struct text	*tx;

	if (df == NULL)
		return;
	docker_cancel(df->df_req);
	while ((tx = TAILQ_FIRST(&df->df_texts)) != NULL)
		text_free(df, tx);
	docker_lines_free(df->df_lines);
	if (df->df_timer != NULL)
		event_free(df->df_timer);
	if (df->df_later != NULL)
		event_free(df->df_later);
	free(df);
}

static void
arm(struct docker_follow *df, unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	(void)evtimer_add(df->df_timer, &tv);
}

/* --- Docker -------------------------------------------------------------- */

static struct docker_req *
ask(struct docker_follow *df, const char *id)
{
	const struct docker_follow_opts	*fo = &df->df_opts;
	struct docker_call		 dc = { .dc_method = "GET",
		.dc_total_msec = FOLLOW_LIFE_MSEC, .dc_head = on_head,
		.dc_data = on_data, .dc_done = on_done, .dc_arg = df };
	char				 path[DOCKER_PATH_MAXBYTES];
	char				 tail[16] = "all", since[24];

	if (fo->fo_lines >= 0)
		(void)snprintf(tail, sizeof(tail), "%d", fo->fo_lines);
	(void)snprintf(since, sizeof(since), "%lld", (long long)fo->fo_since);
	if (docker_path(path, sizeof(path), "/containers/%s/logs?follow=1&"
	    "stdout=%u&stderr=%u&timestamps=%u&since=%s&tail=%s", id,
	    (fo->fo_streams & FOLLOW_STDOUT) != 0 ? 1U : 0U,
	    (fo->fo_streams & FOLLOW_STDERR) != 0 ? 1U : 0U,
	    fo->fo_timestamps ? 1U : 0U, since, tail) == -1)
		return (NULL);
	dc.dc_path = path;
	return (docker_call(df->df_docker, &dc));
}

/* Docker also takes an id or the beginning of one for a name. */
static void
on_inspected(void *arg, const struct docker_reply *dr)
{
	struct docker_follow		*df = arg;
	const struct json_value		*root;
	struct json			*js = NULL;
	const char			*name;
	char				 text[DOCKER_NAME_MAXBYTES + 32];
	bool				 tty;

	df->df_req = NULL;
	if (dr->dr_end != DOCKER_OK && dr->dr_status != 404) {
		finish(df, dr->dr_error, true);
		return;
	}
	if (dr->dr_end == DOCKER_OK &&
	    (js = json_parse(dr->dr_body, dr->dr_len, NULL, 0)) == NULL) {
		finish(df, "Docker's answer is not valid JSON", true);
		return;
	}
	root = json_root(js);
	name = json_get_str(root, "Name");
	if (name[0] != '/' || strcmp(name + 1, df->df_name) != 0 ||
	    !docker_id_ok(json_get_str(root, "Id"))) {
		(void)snprintf(text, sizeof(text),
		    "container \"%s\" not found", df->df_name);
		finish(df, text, true);
	} else {
		tty = json_bool(json_path(root, "Config.Tty"));
		df->df_lines = docker_lines_new(tty, on_line, df);
		if (df->df_lines == NULL || (df->df_req = ask(df,
		    json_get_str(root, "Id"))) == NULL)
			finish(df, "too many requests to Docker", true);
		else
			arm(df, FOLLOW_OPEN_MSEC);
	}
	json_free(js);
}

static void
on_head(void *arg)
{
	struct docker_follow	*df = arg;

	(void)evtimer_del(df->df_timer);
	df->df_open = true;
	df->df_cbs.fc_open(df->df_arg);
}

static int
on_data(void *arg, const uint8_t *p, size_t len)
{
	struct docker_follow	*df = arg;

	struct timeval		 now = { 0, 0 };

	if (docker_lines_feed(df->df_lines, p, len) == -1)
		return (-1);
	/* Docker writes line by line; what came together goes together. */
	if (df->df_bytes >= FOLLOW_TEXT_MAXBYTES / 2)
		pump(df);
	else if (!evtimer_pending(df->df_later, NULL))
		(void)evtimer_add(df->df_later, &now);
	if (df->df_stalled && (df->df_read += len) > FOLLOW_SKIP_MAXBYTES)
		hold(df, true);
	return (0);
}

static void
on_done(void *arg, const struct docker_reply *dr)
{
	struct docker_follow	*df = arg;
	const char		*cause = NULL;
	char			 text[DOCKER_NAME_MAXBYTES + 32];

	df->df_req = NULL;
	docker_lines_end(df->df_lines);
	if (dr->dr_end == DOCKER_OK && df->df_cbs.fc_cause != NULL)
		cause = df->df_cbs.fc_cause(df->df_arg);
	if (cause != NULL)
		finish(df, cause, true);
	else if (dr->dr_end == DOCKER_OK) {
		(void)snprintf(text, sizeof(text),
		    "container \"%s\" has ended", df->df_name);
		finish(df, text, false);
	} else
		finish(df, dr->dr_end == DOCKER_ABORTED ?
		    "Docker's log stream is broken" : dr->dr_error, true);
}

/* Docker has no more; the queue leaves first. */
static void
finish(struct docker_follow *df, const char *why, bool failed)
{
	struct timeval	 now = { 0, 0 };

	(void)strlcpy(df->df_why, why, sizeof(df->df_why));
	df->df_failed = failed;
	(void)evtimer_del(df->df_timer);
	(void)evtimer_add(df->df_later, &now);
}

/* --- lines --------------------------------------------------------------- */

static struct text *
text_new(struct docker_follow *df, int stream)
{
	struct text	*tx;

	if ((tx = calloc(1, sizeof(*tx))) == NULL)
		return (NULL);
	tx->tx_stream = stream;
	TAILQ_INSERT_TAIL(&df->df_texts, tx, tx_entry);
	return (tx);
}

/* Room for a line, its end and a NUL. */
static int
text_grow(struct text *tx, size_t len)
{
	size_t	 size = tx->tx_size == 0 ? TEXT_MINBYTES : tx->tx_size;
	char	*buf;

	while (size < tx->tx_len + len + 2)
		size *= 2;
	if (size == tx->tx_size)
		return (0);
	if ((buf = realloc(tx->tx_buf, size)) == NULL)
		return (-1);
	tx->tx_buf = buf;
	tx->tx_size = size;
	return (0);
}

/* A line that there is no room for is one that was left out. */
static void
on_line(void *arg, int stream, const char *line, size_t len)
{
	struct docker_follow	*df = arg;
	struct text		*tx;

	if (df->df_stalled || df->df_bytes + len > FOLLOW_KEEP_MAXBYTES) {
		df->df_skipped++;
		return;
	}
	tx = TAILQ_LAST(&df->df_texts, text_list);
	if (tx == NULL || tx->tx_stream != stream || df->df_skipped > 0 ||
	    tx->tx_len + len + 1 > FOLLOW_TEXT_MAXBYTES) {
		if ((tx = text_new(df, stream)) == NULL) {
			df->df_skipped++;
			return;
		}
		tx->tx_skipped = df->df_skipped;
		df->df_skipped = 0;
	}
	if (text_grow(tx, len) == -1) {
		df->df_skipped++;
		return;
	}
	memcpy(tx->tx_buf + tx->tx_len, line, len);
	tx->tx_buf[tx->tx_len + len] = '\n';
	tx->tx_buf[tx->tx_len + len + 1] = '\0';
	tx->tx_len += len + 1;
	df->df_bytes += len + 1;
}

/* --- credit -------------------------------------------------------------- */

static void
hold(struct docker_follow *df, bool on)
{
	if (df->df_req == NULL || df->df_held == on)
		return;
	df->df_held = on;
	if (on)
		docker_hold(df->df_req);
	else
		docker_unhold(df->df_req);
}

/* Hand on what there is credit for; what to do when something is left. */
static void
pump(struct docker_follow *df)
{
	struct text	*tx;

	while (df->df_credit > 0 &&
	    (tx = TAILQ_FIRST(&df->df_texts)) != NULL) {
		df->df_credit--;
		df->df_cbs.fc_text(df->df_arg, tx->tx_stream,
		    tx->tx_buf == NULL ? "" : tx->tx_buf, tx->tx_skipped);
		text_free(df, tx);
	}
	if (df->df_credit > 0) {
		/* Nothing waits any more. */
		if (df->df_skipped > 0) {
			df->df_credit--;
			df->df_cbs.fc_text(df->df_arg, FOLLOW_STDOUT, "",
			    df->df_skipped);
			df->df_skipped = 0;
		}
		df->df_stalled = false;
		if (df->df_open && df->df_why[0] == '\0')
			(void)evtimer_del(df->df_timer);
		hold(df, false);
	} else if (!df->df_stalled && df->df_req != NULL && !df->df_held) {
		hold(df, true);
		arm(df, FOLLOW_STALL_MSEC);
	}
}

void
docker_follow_credit(struct docker_follow *df, unsigned int n)
{
	struct timeval	 now = { 0, 0 };

	df->df_credit += n;
	pump(df);
	if (df->df_why[0] != '\0')
		(void)evtimer_add(df->df_later, &now);
	/* Slow is not too slow. */
	if (df->df_held && !df->df_stalled)
		arm(df, FOLLOW_STALL_MSEC);
}

static void
on_later(int fd, short what, void *arg)
{
	struct docker_follow	*df = arg;

	(void)fd;
	(void)what;
	pump(df);
	if (df->df_why[0] == '\0' || !TAILQ_EMPTY(&df->df_texts) ||
	    df->df_skipped > 0)
		return;
	df->df_cbs.fc_end(df->df_arg, df->df_why, df->df_failed);
	docker_follow_free(df);
}

/* No answer in time; no credit in time; the next slice of lines to count. */
static void
on_timer(int fd, short what, void *arg)
{
	struct docker_follow	*df = arg;

	(void)fd;
	(void)what;
	if (!df->df_open) {
		docker_cancel(df->df_req);
		df->df_req = NULL;
		finish(df, "Docker did not answer in time", true);
		return;
	}
	if (df->df_req == NULL)
		return;
	df->df_stalled = true;
	df->df_read = 0;
	arm(df, FOLLOW_SKIP_MSEC);
	hold(df, false);
}
