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

#include <sys/timex.h>

#include <stdio.h>
#include <string.h>

#include "ctl.h"

/*
 * The part of doctor that needs no daemon: people run it when there is none.
 */
#define LEVEL_WIDTH	9
#define NAME_WIDTH	22
#define START_FIX	"start it: systemctl start sentineld (on an agent's " \
			"host sentinel-agentd); when it ends at once, its " \
			"log says why (journalctl -u sentineld), and " \
			"sentineld -n checks the configuration; -s names " \
			"another socket"

static bool	 here(ctl_item, void *, const char *, const char *,
		    const char *, const char *);

static void
paint(FILE *f, const char *level, bool colour)
{
	const char	*on = "";

	if (colour)
		on = strcmp(level, "ok") == 0 ? "\033[32m" :
		    strcmp(level, "warning") == 0 ? "\033[33m" : "\033[31m";
	(void)fprintf(f, "%s%-*s%s", on, LEVEL_WIDTH, level,
	    colour ? "\033[0m" : "");
}

void
text_check(FILE *f, const Sentinel__Ipc__CheckView *v, bool colour)
{
	size_t	 width = text_width(v->name);

	paint(f, v->level, colour);
	text_print(f, v->name, false);
	(void)fprintf(f, "%*s", width < NAME_WIDTH ?
	    (int)(NAME_WIDTH - width) : 1, "");
	text_print(f, v->text, false);
	if (v->fix[0] != '\0') {
		(void)fprintf(f, ": fix: ");
		text_print(f, v->fix, false);
	}
	(void)fputc('\n', f);
}

/* Strings are lent; whether it is no failure. */
static bool
here(ctl_item fn, void *arg, const char *level, const char *name,
    const char *text, const char *fix)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__CheckView	 v;

	sentinel__ipc__check_view__init(&v);
	v.name = (char *)(uintptr_t)name;
	v.level = (char *)(uintptr_t)level;
	v.text = (char *)(uintptr_t)text;
	v.fix = (char *)(uintptr_t)fix;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_CHECK;
	item.check = &v;
	(void)fn(&item, arg);
	return (strcmp(level, "FAILED") != 0);
}

/* No daemon may ask the kernel this: the same call sets the clock. */
bool
doctor_here(ctl_item fn, void *arg)
{
	struct timex	 tx;
	int		 state;

	memset(&tx, 0, sizeof(tx));
	state = adjtimex(&tx);
	if (state == -1 || state == TIME_ERROR ||
	    (tx.status & STA_UNSYNC) != 0)
		return (here(fn, arg, "warning", "system clock",
		    "not known to be synchronised: certificates depend on "
		    "it", "run a time service (NTP)"));
	return (here(fn, arg, "ok", "system clock", "synchronised", ""));
}

void
doctor_no_daemon(const struct ctl_args *args, enum control_code code,
    ctl_item fn, void *arg)
{
	char	 text[512];

	(void)snprintf(text, sizeof(text), "%s at %s", code == CONTROL_DENIED ?
	    "this user may not ask" : code == CONTROL_TIMEOUT ?
	    "does not answer in time" : code == CONTROL_UNREACH ?
	    "no daemon answers" : "does not know the question",
	    args->ca_socket != NULL ? args->ca_socket : "its socket");
	(void)here(fn, arg, "FAILED", "daemon", text,
	    code == CONTROL_DENIED ? "run sentinelctl as root" :
	    code == CONTROL_TIMEOUT ? "restart it, and look at its log" :
	    code == CONTROL_UNREACH ? START_FIX :
	    "use the sentinelctl of the same release");
}
