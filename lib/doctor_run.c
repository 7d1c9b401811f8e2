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

#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ipccheck.h"
#include "log.h"
#include "monotime.h"

static void	 finish(void);
static void	 on_late(int, short, void *);

/* The examination under way. */
static struct {
	const struct doctor_ops *ru_ops;	/* NULL: none */
	uint32_t	 ru_id;
	unsigned int	 ru_waits;
	unsigned int	 ru_failed;
	struct event	*ru_timer;
} run;

int
doctor_begin(const struct doctor_ops *ops, uint32_t id, unsigned int waits)
{
	struct timeval	 tv = monotime_timeval(DOCTOR_MSEC);
	struct peer	*parent = proc_peer(ops->do_parent);

	if (run.ru_ops != NULL)
		return (-1);
	if (run.ru_timer == NULL && (run.ru_timer = evtimer_new(proc_base(),
	    on_late, NULL)) == NULL)
		fatal("doctor_begin");
	run.ru_ops = ops;
	run.ru_id = id;
	run.ru_waits = waits;
	run.ru_failed = 0;
	evtimer_add(run.ru_timer, &tv);
	peer_send(parent, IMSG_DOCTOR_ASK, id, -1, NULL, 0);
	peer_send(parent, IMSG_STATUS_ASK, id, -1, NULL, 0);
	return (0);
}

bool
doctor_is(uint32_t id)
{
	return (run.ru_ops != NULL && run.ru_id == id);
}

void
doctor_gone(uint32_t id)
{
	if (!doctor_is(id))
		return;
	evtimer_del(run.ru_timer);
	run.ru_ops = NULL;
}

void
doctor_add(const struct doctor_line *dl)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__CheckView	 v;

	if (run.ru_ops == NULL)
		return;
	run.ru_failed += dl->dl_level == DOCTOR_FAILED;
	sentinel__ipc__check_view__init(&v);
	/* protobuf-c has no const strings; nothing writes through these. */
	v.name = (char *)(uintptr_t)dl->dl_name;
	v.level = (char *)(uintptr_t)doctor_level_name(dl->dl_level);
	v.text = (char *)(uintptr_t)dl->dl_text;
	v.fix = (char *)(uintptr_t)dl->dl_fix;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_CHECK;
	item.check = &v;
	run.ru_ops->do_item(run.ru_id, &item);
}

void
doctor_say(enum doctor_level level, const char *name, const char *fix,
    const char *fmt, ...)
{
	struct doctor_line	 dl;
	char			 text[DOCTOR_TEXT_SIZE];
	va_list			 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	doctor_set(&dl, level, name, fix, "%s", text);
	doctor_add(&dl);
}

void
doctor_got(unsigned int wait)
{
	if (run.ru_ops == NULL)
		return;
	run.ru_waits &= ~wait;
	if (run.ru_waits == 0)
		finish();
}

static void
finish(void)
{
	const struct doctor_ops	*ops = run.ru_ops;
	char			 text[64] = "";

	evtimer_del(run.ru_timer);
	run.ru_ops = NULL;
	if (run.ru_failed > 0)
		(void)snprintf(text, sizeof(text), "%u check%s failed",
		    run.ru_failed, run.ru_failed == 1 ? "" : "s");
	ops->do_end(run.ru_id, run.ru_failed > 0 ? CONTROL_FAILED :
	    CONTROL_OK, text);
}

static void
on_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if ((run.ru_waits & (DOCTOR_WAIT_PARENT | DOCTOR_WAIT_PROCS)) != 0)
		doctor_say(DOCTOR_FAILED, "process parent", "restart the "
		    "daemon", "does not answer");
	if ((run.ru_waits & DOCTOR_WAIT_PROBE) != 0)
		doctor_say(DOCTOR_FAILED, "connect", "look at the process "
		    "uplink above", "the process uplink does not answer");
	finish();
}

/* --- from the parent ------------------------------------------------------ */

/* u8 level, str name, str text, str fix */
void
doctor_fact(struct peer *p, struct imsg *imsg)
{
	struct doctor_line	 dl;
	struct ibuf		*buf = imsg_get_ibuf(imsg);
	uint8_t			 level;

	if (ibuf_get_n8(buf, &level) == -1 || level > DOCTOR_FAILED ||
	    ibuf_get_string(buf, dl.dl_name, sizeof(dl.dl_name)) == -1 ||
	    ibuf_get_string(buf, dl.dl_text, sizeof(dl.dl_text)) == -1 ||
	    ibuf_get_string(buf, dl.dl_fix, sizeof(dl.dl_fix)) == -1 ||
	    ibuf_end(buf) == -1) {
		peer_broken(p, imsg, "bad DOCTOR_FACT");
		return;
	}
	dl.dl_level = (enum doctor_level)level;
	if (doctor_is(imsg_get_id(imsg)))
		doctor_add(&dl);
}

/* empty */
void
doctor_fact_end(struct peer *p, struct imsg *imsg)
{
	(void)p;
	if (doctor_is(imsg_get_id(imsg)))
		doctor_got(DOCTOR_WAIT_PARENT);
}
