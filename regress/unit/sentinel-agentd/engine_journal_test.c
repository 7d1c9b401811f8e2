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

/*
 * The offline journal: kept until the server must have it, bounded with a
 * count of what is missing, in batches, in and out of the file by which a
 * data directory changes hands.
 */
#include "unit.h"

#include <sys/stat.h>

#include <event2/event.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine_journal_int.h"
#include "engine_jlog.h"
#include "pbcheck.h"

/* --- neighbours ---------------------------------------------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static char		 dir[] = "/tmp/journal_test.XXXXXX";
static monotime_t	 clock_ = 1000000;
static bool		 open_, knows_acks, is_signed;
static char		 batch[65536];	/* ids of the last one, "a,b," */
static size_t		 nbatch;	/* entries in it */
static unsigned int	 nbatches;
static char		 ops[16];	/* asked of the parent */
static unsigned int	 broken;

monotime_t
monotime_now(void)
{
	return (clock_);
}

int
monotime_left(monotime_t deadline)
{
	return (deadline > clock_ ? (int)(deadline - clock_) : 0);
}

struct timeval
monotime_timeval(uint64_t msec)
{
	struct timeval	 tv = { (time_t)(msec / 1000), 0 };

	return (tv);
}

struct event_base *
proc_base(void)
{
	static struct event_base	*base;

	if (base == NULL)
		base = event_base_new();
	return (base);
}

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	assert_int_equal(role, ROLE_A_PARENT);
	return (&p);
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *data, size_t len)
{
	char	 op[2] = { (char)('0' + *(const uint8_t *)data), '\0' };

	(void)p;
	(void)id;
	assert_int_equal(type, IMSG_JOURNAL_FILE_OP);
	assert_int_equal(fd, -1);
	assert_int_equal(len, 1);
	(void)strlcat(ops, op, sizeof(ops));
	return (0);
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)p;
	(void)m;
	(void)why;
	broken++;
}

bool
session_is_open(void)
{
	return (open_);
}

bool
session_has_feature(const char *word)
{
	assert_string_equal(word, "journal-ack");
	return (knows_acks);
}

bool
command_must_be_signed(void)
{
	return (is_signed);
}

char *
engine_lend(const char *s)
{
	static char	 empty[1];

	return (s == NULL ? empty : (char *)(uintptr_t)s);
}

void
out_push_packed(enum out_kind kind, uint8_t *data, size_t len, uint32_t hold)
{
	Sentinel__Cluster__AgentMessage	*m;
	struct pbmem			 pm;
	size_t				 i;

	assert_int_equal(kind, OUT_JOURNAL);
	assert_int_equal(hold, 0);
	assert_true(len < GRPC_SEND_MAXBYTES);
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(&sentinel__cluster__agent_message__descriptor,
	    data, len, &pm, NULL);
	assert_non_null(m);
	batch[0] = '\0';
	nbatch = m->offline_journal->n_entries;
	for (i = 0; i < nbatch; i++) {
		(void)strlcat(batch, m->offline_journal->entries[i]->id,
		    sizeof(batch));
		(void)strlcat(batch, ",", sizeof(batch));
	}
	nbatches++;
	pbmem_free(&pm);
	free(data);
}

/* --- helpers ------------------------------------------------------------- */

static bool
add(const char *id)
{
	struct ojournal_entry	 je = { .je_id = id, .je_action = "state",
				    .je_container = "web",
				    .je_outcome = "exited" };

	return (ojournal_add(&je));
}

static bool
add_result(const char *request)
{
	struct ojournal_entry	 je = { .je_action = "update",
				    .je_container = "web",
				    .je_outcome = "success" };

	return (ojournal_add_result(request, &je));
}

static void
ack(const char *a, const char *b)
{
	Sentinel__Cluster__JournalAck	 m;
	char				*ids[] = { engine_lend(a),
					    engine_lend(b) };

	sentinel__cluster__journal_ack__init(&m);
	m.ids = ids;
	m.n_ids = b == NULL ? 1 : 2;
	ojournal_ack(&m);
}

static void
begin(bool acks)
{
	ojournal_session_lost();
	open_ = true;
	knows_acks = acks;
	nbatches = 0;
	batch[0] = '\0';
	ojournal_session();
}

static void
on_record(void *arg, const char *text, size_t len)
{
	char	 id[300], *out = arg;

	assert_int_equal(sscanf(text, "{\"id\":\"%299[^\"]\"", id), 1);
	assert_true(len > 2);
	(void)strlcat(out, id, 65536);
	(void)strlcat(out, ",", 65536);
}

/* Ids that the next life would find. */
static const char *
on_disk(void)
{
	static char		 ids[65536];
	static uint8_t		 data[1024 * 1024];
	struct jlog_scan	 js;
	int			 fd = open("journal.log", O_RDONLY);
	ssize_t			 n;

	assert_int_not_equal(fd, -1);
	n = read(fd, data, sizeof(data));
	assert_true(n >= 0);
	close(fd);
	ids[0] = '\0';
	jlog_parse(data, (size_t)n, on_record, ids, &js);
	assert_int_equal(js.js_holes, 0);
	return (ids);
}

static const char *
gap_text(void)
{
	struct jent	*e = TAILQ_FIRST(&journal_entries);

	return (e == NULL ? "" : e->e_text);
}

static int
setup(void **state)
{
	(void)state;
	(void)strlcpy(eng->id.id_host, "0123456789abcdef0123456789abcdef",
	    sizeof(eng->id.id_host));
	eng->conf.ac_journal_bytes = 64 * 1024;
	eng->conf.ac_journal_age_msec = 3600 * 1000;
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return (-1);
	ojournal_init();
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink("journal.log");
	(void)unlink("file");
	return (chdir("/") == -1 ? -1 : rmdir(dir));
}

/* --- tests --------------------------------------------------------------- */

static void
test_ack(void **state)
{
	struct jent	*a, *b;

	(void)state;
	assert_true(add("one"));
	assert_true(add("two"));
	assert_true(add("one"));
	assert_int_equal(ojournal_count(), 2);
	assert_string_equal(on_disk(), "one,two,");
	/* Nobody has it yet. */
	ack("one", NULL);
	assert_int_equal(ojournal_count(), 2);
	begin(true);
	assert_string_equal(batch, "one,two,");
	ojournal_batch_sent();
	/* One batch at a time; what comes meanwhile waits. */
	assert_true(add("three"));
	assert_int_equal(nbatches, 1);
	/* Heartbeats prove nothing here. */
	ojournal_beat();
	ojournal_beat();
	ojournal_beat();
	assert_int_equal(ojournal_count(), 3);
	ack("two", "nonsense");
	assert_int_equal(nbatches, 1);
	ack("one", NULL);
	assert_int_equal(nbatches, 2);
	assert_string_equal(batch, "three,");
	/* The session ends before the answer: all of it again. */
	open_ = false;
	begin(true);
	assert_string_equal(batch, "three,");
	ojournal_batch_sent();
	ack("three", NULL);
	assert_int_equal(ojournal_count(), 0);
	assert_string_equal(on_disk(), "");
	/* Ids of its own differ. */
	open_ = false;
	assert_true(add(""));
	assert_true(add(NULL));
	a = TAILQ_FIRST(&journal_entries);
	b = TAILQ_NEXT(a, e_entry);
	assert_string_not_equal(a->e_id, b->e_id);
	assert_memory_equal(a->e_id, eng->id.id_host, 32);
	begin(true);
	ack(a->e_id, b->e_id);
	assert_int_equal(ojournal_count(), 0);
}

/* A server that acknowledges nothing: a later heartbeat has to do. */
static void
test_beats(void **state)
{
	(void)state;
	open_ = false;
	assert_true(add("one"));
	begin(false);
	assert_string_equal(batch, "one,");
	ojournal_beat();
	ojournal_beat();
	assert_int_equal(ojournal_count(), 1);
	ojournal_batch_sent();
	ojournal_beat();
	assert_int_equal(ojournal_count(), 1);
	ojournal_beat();
	assert_int_equal(ojournal_count(), 0);
	/* Who demands signatures does not fall for a server without words. */
	is_signed = true;
	open_ = false;
	assert_true(add("two"));
	begin(false);
	ojournal_batch_sent();
	ojournal_beat();
	ojournal_beat();
	ojournal_beat();
	assert_int_equal(ojournal_count(), 1);
	ack("two", NULL);
	is_signed = false;
	assert_int_equal(ojournal_count(), 0);
}

static void
test_results(void **state)
{
	(void)state;
	begin(true);
	/* Live: a message of its own first. */
	assert_true(add_result("r1"));
	ojournal_result_queued("r1");
	assert_int_equal(nbatches, 0);
	ojournal_result_sent("r1");
	assert_true(add_result("r1"));
	assert_string_equal(on_disk(), "request:r1,");
	ack("request:r1", NULL);
	assert_int_equal(ojournal_count(), 0);
	/* It was dropped on the way: the journal brings it. */
	assert_true(add_result("r2"));
	ojournal_result_queued("r2");
	ojournal_result_unsent("r2");
	assert_string_equal(batch, "request:r2,");
	ojournal_batch_sent();
	ack("request:r2", NULL);
	/* Without an answer, again after a while; not before. */
	assert_true(add_result("r3"));
	ojournal_result_queued("r3");
	ojournal_result_sent("r3");
	nbatches = 0;
	replay_tick();
	assert_int_equal(nbatches, 0);
	clock_ += OJOURNAL_RETRY_MSEC;
	replay_tick();
	assert_string_equal(batch, "request:r3,");
	ojournal_batch_sent();
	ack("request:r3", NULL);
	/* In the next session it is an entry. */
	assert_true(add_result("r4"));
	ojournal_result_queued("r4");
	ojournal_result_sent("r4");
	begin(true);
	assert_string_equal(batch, "request:r4,");
	ack("request:r4", NULL);
	assert_int_equal(ojournal_count(), 0);
}

static void
test_batches(void **state)
{
	char	 id[16];
	size_t	 i, left = 3 * OJOURNAL_BATCH_MAX + 5;

	(void)state;
	open_ = false;
	ojournal_hold();
	for (i = 0; i < left; i++) {
		(void)snprintf(id, sizeof(id), "b%zu", i);
		assert_true(add(id));
	}
	assert_int_equal(ojournal_release(), 0);
	begin(false);
	for (i = 0; i < 4; i++) {
		assert_int_equal(nbatches, i + 1);
		assert_int_equal(nbatch, i < 3 ? OJOURNAL_BATCH_MAX : 5);
		ojournal_batch_sent();
	}
	assert_int_equal(nbatches, 4);
	ojournal_beat();
	ojournal_beat();
	assert_int_equal(ojournal_count(), 0);
}

static void
test_bounds(void **state)
{
	char		 id[16];
	struct stat	 st;
	int		 i;

	(void)state;
	open_ = false;
	assert_true(add_result("keep"));
	for (i = 0; i < 2000; i++) {
		(void)snprintf(id, sizeof(id), "n%d", i);
		assert_true(add(id));
		assert_int_equal(stat("journal.log", &st), 0);
		assert_true(st.st_size <= 2 * 64 * 1024 + 64 * 1024 + 1024);
	}
	/* The gap first, with what is missing; results stay. */
	assert_non_null(strstr(gap_text(), "\"action\":\"gap\""));
	assert_int_equal(ojournal_count() + ojournal_lost(), 2002);
	(void)snprintf(id, sizeof(id), "\"%d ", (int)ojournal_lost());
	assert_non_null(strstr(gap_text(), id));
	assert_non_null(jent_find("request:keep"));
	assert_non_null(jent_find("n1999"));
	assert_null(jent_find("n0"));
	assert_non_null(strstr(on_disk(), "n1999,"));
	assert_int_equal(jent_clear(), 0);
	assert_string_equal(on_disk(), "");
}

/* Entries taken; broken: the file is to stay. */
static size_t
import(const char *text, bool is_broken)
{
	size_t	 before = ojournal_count();

	assert_int_equal(ojournal_import((const uint8_t *)text,
	    strlen(text)), is_broken ? -1 : 0);
	return (ojournal_count() - before);
}

static void
test_import(void **state)
{
	(void)state;
	assert_int_equal(import("", false), 0);
	assert_int_equal(import(" \n", false), 0);
	assert_int_equal(import("[]", false), 0);
	assert_int_equal(import("{\"id\":\"x\"}", true), 0);
	assert_int_equal(import("[{\"id\":\"i1\",\"timestamp\":"
	    "\"2026-01-01T00:00:00.5Z\",\"action\":\"update\"},\n"
	    "{\"id\":7}, {\"id\":\"i2\"},{\"id\":\"i1\"}]", false), 2);
	assert_string_equal(on_disk(), "i1,i2,");
	assert_int_equal(import("[{\"id\":\"i1\"},{\"id\":\"i3\"}", true),
	    1);
	assert_int_equal(import("[{\"id\":\"i4\"} rubbish", true), 1);
	assert_int_equal(import("[[[[[[{\"id\":\"i5\"}]]]]]]", false), 0);
	assert_int_equal(ojournal_count(), 4);
}

static char	 exported[200];

static void
on_exported(const char *error, size_t entries, void *arg)
{
	assert_null(arg);
	(void)snprintf(exported, sizeof(exported), "%s%zu", error, entries);
}

static void
give_file(void)
{
	struct imsg	 m = { .hdr.type = 1 };
	int		 fd;

	assert_non_null(m.buf = ibuf_dynamic(1, 1));

	fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(fd, -1);
	ibuf_fd_set(m.buf, fd);
	ojournal_export_file(NULL, &m);
	ibuf_free(m.buf);
}

static void
answer(uint8_t rc, const char *why)
{
	struct imsg	 m = { .hdr.type = 1 };

	assert_non_null(m.buf = ibuf_dynamic(8, 400));
	assert_int_equal(ibuf_add_n8(m.buf, rc), 0);
	assert_int_equal(ibuf_add_string(m.buf, why), 0);
	ojournal_export_done(NULL, &m);
	ibuf_free(m.buf);
}

static void
test_export(void **state)
{
	char	 text[8192];
	ssize_t	 n;
	int	 fd;

	(void)state;
	/* Four are left of the import. */
	ops[0] = '\0';
	ojournal_export(false, on_exported, NULL);
	assert_string_equal(ops, "1");
	ojournal_export(false, on_exported, NULL);
	assert_string_equal(exported, "an export is under way0");
	exported[0] = '\0';
	give_file();
	assert_string_equal(ops, "12");
	assert_string_equal(exported, "");
	answer(0, "");
	assert_string_equal(exported, "4");
	assert_int_equal(ojournal_count(), 4);
	/* The disk is full there. */
	ojournal_export(true, on_exported, NULL);
	answer(1, "no room");
	assert_string_equal(exported, "no room0");
	assert_int_equal(ojournal_count(), 4);
	/* Moved: it is the file's now, and can come back. */
	ojournal_export(true, on_exported, NULL);
	give_file();
	answer(0, "");
	assert_string_equal(exported, "4");
	assert_int_equal(ojournal_count(), 0);
	assert_string_equal(on_disk(), "");
	assert_int_not_equal(fd = open("file", O_RDONLY), -1);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	assert_memory_equal(text, "[\n  {\n    \"id\": \"i1\",\n", 22);
	assert_string_equal(text + n - 3, "}\n]");
	assert_int_equal(import(text, false), 4);
	assert_string_equal(on_disk(), "i1,i2,i3,i4,");
	/* Nothing is left: nor may the old file be. */
	assert_int_equal(jent_clear(), 0);
	ops[0] = '\0';
	ojournal_export(true, on_exported, NULL);
	assert_string_equal(ops, "4");
	answer(0, "");
	assert_string_equal(exported, "0");
	/* A parent that says what was not asked for. */
	answer(0, "");
	assert_int_equal(broken, 0);
	add("again");
	ojournal_export(false, on_exported, NULL);
	answer(0, "");
	assert_int_equal(broken, 1);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_ack),
		cmocka_unit_test(test_beats),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_export),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
