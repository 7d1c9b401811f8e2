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

#include "engine_journal_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipccheck.h"
#include "log.h"

/*
 * offline_journal.json, by which a data directory changes hands: an array of
 * entries.  The parent opens, renames and removes it; it is read here, as
 * input from anybody, and written here.
 */
#define ELEMENT_MAXBYTES	(2 * 1024 * 1024)
#define EXPORT_MSEC		5000	/* the parent answers */

struct import {
	size_t		 im_taken;
	size_t		 im_broken;
	bool		 im_failed;	/* some are not on disk */
	const char	*im_why;
};

static int	 on_element(void *, const char *, size_t);
static int	 write_all(int, const char *, size_t);
static int	 write_file(int);
static void	 send_op(uint8_t);
static void	 finish(const char *);
static void	 on_timeout(int, short, void *);

static struct {
	bool		 ex_busy;
	bool		 ex_move;
	bool		 ex_committed;	/* the parent is asked to rename */
	size_t		 ex_entries;
	void		(*ex_done)(const char *, size_t, void *);
	void		*ex_arg;
	struct event	*ex_timer;
	bool		 ex_exists;	/* the file may be there */
} ex;

/* --- in ------------------------------------------------------------------ */

static int
on_element(void *arg, const char *text, size_t len)
{
	Sentinel__Cluster__JournalEntry	*m;
	struct import			*im = arg;
	struct pbmem			 pm;
	const char			*why;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	if ((m = jentry_read(text, len, &pm, &why)) == NULL) {
		im->im_broken++;
		im->im_why = why;
	} else
		switch (jent_put(m)) {
		case 1:
			im->im_taken++;
			break;
		case -1:
			im->im_failed = true;
			break;
		}
	pbmem_free(&pm);
	return (0);
}

int
ojournal_import(const uint8_t *data, size_t len)
{
	struct import		 im = { 0 };
	struct json_splitter	*sp;
	size_t			 lead = 0;
	bool			 bad;

	/* An empty file is an empty journal to the existing implementation. */
	while (lead < len && memchr(" \t\r\n", data[lead], 4) != NULL)
		lead++;
	if (lead == len)
		return (0);
	if ((sp = json_splitter_new(JSON_SPLIT_ARRAY, ELEMENT_MAXBYTES,
	    on_element, &im)) == NULL)
		return (-1);
	ojournal_hold();
	bad = json_splitter_feed(sp, data, len) == -1 ||
	    json_splitter_end(sp) == -1;
	im.im_failed = ojournal_release() == -1 || im.im_failed;
	json_splitter_free(sp);
	if (bad)
		log_warnx("offline_journal.json: not a JSON array from some "
		    "place on: the rest is not imported and the file stays; "
		    "mend it or move it away");
	if (im.im_broken > 0)
		log_warnx("offline_journal.json: %zu broken entries ignored: "
		    "%s", im.im_broken, im.im_why);
	log_info("offline_journal.json: %zu entries imported", im.im_taken);
	return (im.im_failed || bad ? -1 : 0);
}

/* --- out ----------------------------------------------------------------- */

static int
write_all(int fd, const char *p, size_t len)
{
	ssize_t	 n;

	while (len > 0) {
		if ((n = write(fd, p, len)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		p += n;
		len -= (size_t)n;
	}
	return (0);
}

static int
write_file(int fd)
{
	struct jent	*e;
	char		*text;
	size_t		 len;
	int		 rc;

	ex.ex_entries = 0;
	if (write_all(fd, "[\n", 2) == -1)
		return (-1);
	TAILQ_FOREACH(e, &journal_entries, e_entry) {
		if ((text = jentry_indent(e->e_text, e->e_len, &len)) == NULL)
			continue;
		rc = ex.ex_entries > 0 ? write_all(fd, ",\n", 2) : 0;
		if (rc == 0)
			rc = write_all(fd, text, len);
		free(text);
		if (rc == -1)
			return (-1);
		ex.ex_entries++;
	}
	if (write_all(fd, "\n]", 2) == -1)
		return (-1);
	return (fsync(fd));
}

static void
send_op(uint8_t op)
{
	peer_send(proc_peer(ROLE_A_PARENT), IMSG_JOURNAL_FILE_OP, 0, -1, &op,
	    sizeof(op));
}

void
ojournal_export(bool move, void (*done)(const char *, size_t, void *),
    void *arg)
{
	struct timeval	 tv = monotime_timeval(EXPORT_MSEC);

	if (ex.ex_busy) {
		done("an export is under way", 0, arg);
		return;
	}
	if (ojournal_count() == 0 && !ex.ex_exists && move) {
		done("", 0, arg);
		return;
	}
	if (ex.ex_timer == NULL && (ex.ex_timer = evtimer_new(proc_base(),
	    on_timeout, NULL)) == NULL)
		fatal("ojournal_export");
	ex.ex_busy = true;
	ex.ex_move = move;
	ex.ex_done = done;
	ex.ex_arg = arg;
	ex.ex_entries = 0;
	evtimer_add(ex.ex_timer, &tv);
	/* An old one would be replayed by whoever comes next. */
	ex.ex_committed = ojournal_count() == 0;
	send_op(ex.ex_committed ? JOURNAL_FILE_REMOVE : JOURNAL_FILE_OPEN);
}

static void
finish(const char *error)
{
	void	(*done)(const char *, size_t, void *) = ex.ex_done;

	evtimer_del(ex.ex_timer);
	ex.ex_busy = false;
	ex.ex_exists = true;
	/* They are in the file now: one place is the journal's. */
	if (error[0] == '\0' && ex.ex_move && jent_clear() == -1)
		log_warnx("journal: exported, and still in state/");
	done(error, ex.ex_entries, ex.ex_arg);
}

static void
on_timeout(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	finish("the parent does not answer");
}

/* empty; offline_journal.json.new */
void
ojournal_export_file(struct peer *p, struct imsg *imsg)
{
	int	 fd = imsg_get_fd(imsg), rc, saved;

	if (!ex.ex_busy || ex.ex_committed) {
		close(fd);
		if (!ex.ex_busy)
			return;	/* too late */
		peer_broken(p, imsg, "a file that was not asked for");
		return;
	}
	rc = write_file(fd);
	saved = errno;
	close(fd);
	if (rc == -1) {
		send_op(JOURNAL_FILE_DISCARD);
		finish(strerror(saved));
		return;
	}
	ex.ex_committed = true;
	send_op(JOURNAL_FILE_COMMIT);
}

/* u8 rc, str why */
void
ojournal_export_done(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 why[300];
	uint8_t		 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1) {
		peer_broken(p, imsg, "bad JOURNAL_FILE_DONE");
		return;
	}
	if (!ex.ex_busy)
		return;
	if (rc == 0 && !ex.ex_committed) {
		peer_broken(p, imsg, "done without a file");
		return;
	}
	finish(rc == 0 ? "" : why[0] != '\0' ? why : "failed");
}
