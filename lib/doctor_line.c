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
#include <time.h>

#include "utf8.h"

#define DISK_LOW_BYTES	(512ULL * 1024 * 1024)
#define DISK_FULL_BYTES	(32ULL * 1024 * 1024)
#define INODES_LOW	1000
#define MIB		(1024 * 1024)

static void	 ago(char *, size_t, int64_t);

const char *
doctor_level_name(enum doctor_level level)
{
	static const char *const names[] = { "ok", "warning", "FAILED" };

	return (names[level]);
}

static void __printflike_(5, 0)
vset(struct doctor_line *dl, enum doctor_level level, const char *name,
    const char *fix, const char *fmt, va_list ap)
{
	char	 text[DOCTOR_TEXT_SIZE];

	dl->dl_level = level;
	(void)strlcpy(dl->dl_name, name, sizeof(dl->dl_name));
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	/* Cut, a character may be left in two. */
	(void)utf8_repair(dl->dl_text, sizeof(dl->dl_text), text,
	    strlen(text));
	(void)utf8_repair(dl->dl_fix, sizeof(dl->dl_fix),
	    level == DOCTOR_OK ? "" : fix,
	    level == DOCTOR_OK ? 0 : strlen(fix));
}

void
doctor_set(struct doctor_line *dl, enum doctor_level level, const char *name,
    const char *fix, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vset(dl, level, name, fix, fmt, ap);
	va_end(ap);
}

void
doctor_set_told(struct doctor_line *dl, enum doctor_level level,
    const char *name, const char *told)
{
	static const char	 mark[] = "fix: ";
	const char		*fix = strstr(told, mark), *end;

	if (fix == NULL) {
		doctor_set(dl, level, name, "", "%s", told);
		return;
	}
	for (end = fix; end > told && strchr(" ;:", end[-1]) != NULL; end--)
		continue;
	doctor_set(dl, level, name, fix + sizeof(mark) - 1, "%.*s",
	    (int)(end - told), told);
}

static void
ago(char *text, size_t size, int64_t sec)
{
	static const struct {
		int64_t		 sec;
		const char	*unit;
	} units[] = {
		{ 86400, "days" }, { 3600, "hours" }, { 60, "minutes" },
		{ 1, "seconds" }
	};
	size_t	 i;

	for (i = 0; i + 1 < nitems(units) && sec < 2 * units[i].sec; i++)
		continue;
	(void)snprintf(text, size, "%lld %s",
	    (long long)(sec / units[i].sec), units[i].unit);
}

void
doctor_set_cert(struct doctor_line *dl, const char *name, int64_t from,
    int64_t to, int64_t now, const char *fix)
{
	char	 text[64];
	int64_t	 soon = DOCTOR_SOON_SEC;

	if (now < from) {
		ago(text, sizeof(text), from - now);
		doctor_set(dl, DOCTOR_FAILED, name, "synchronise the clocks "
		    "of both ends (NTP)", "not yet valid for %s: TLS "
		    "handshake failure: clock skew", text);
		return;
	}
	if (now > to) {
		ago(text, sizeof(text), now - to);
		doctor_set(dl, DOCTOR_FAILED, name, fix, "expired %s ago",
		    text);
		return;
	}
	ago(text, sizeof(text), to - now);
	/* Lives of seconds are for tests: a tenth of them is soon, too. */
	if (from > 0 && (to - from) / 10 < soon)
		soon = (to - from) / 10;
	doctor_set(dl, to - now < soon ? DOCTOR_WARNING : DOCTOR_OK, name,
	    fix, "valid for another %s", text);
}

void
doctor_set_process(struct doctor_line *dl, const char *name, uint32_t pid,
    uint32_t restarts, const char *sandbox)
{
	/* What every process confines itself with; a network namespace of its
	 * own has only who needs no network. */
	static const char *const want[] = { "landlock", "seccomp" };
	char	 full[DOCTOR_NAME_SIZE], missing[64] = "";
	size_t	 i;

	(void)snprintf(full, sizeof(full), "process %s", name);
	if (pid == 0) {
		doctor_set(dl, DOCTOR_FAILED, full, "its log says why it "
		    "ended", "not running");
		return;
	}
	if (sandbox[0] == '\0') {	/* the parent confines itself less */
		doctor_set(dl, DOCTOR_OK, full, "", "runs");
		return;
	}
	for (i = 0; i < nitems(want); i++) {
		if (strstr(sandbox, want[i]) == NULL) {
			(void)strlcat(missing, " ", sizeof(missing));
			(void)strlcat(missing, want[i], sizeof(missing));
		}
	}
	if (missing[0] != '\0')
		doctor_set(dl, DOCTOR_WARNING, full, "use a kernel and a "
		    "container runtime that offer it, and a build without "
		    "sanitizers", "runs without%s, confined by: %s", missing,
		    sandbox);
	else if (restarts > 0)
		doctor_set(dl, DOCTOR_WARNING, full, "look for the reason in "
		    "the log of the daemon", "was started again %u times",
		    restarts);
	else
		doctor_set(dl, DOCTOR_OK, full, "", "confined by: %s",
		    sandbox);
}

void
doctor_set_disk(struct doctor_line *dl, const char *what, const char *path,
    uint64_t left, uint64_t total, uint64_t inodes, uint64_t inodes_total)
{
	char	 full[DOCTOR_NAME_SIZE];

	(void)snprintf(full, sizeof(full), "disk %s", what);
	if (total != 0 && left < DISK_FULL_BYTES)
		doctor_set(dl, DOCTOR_FAILED, full, "make room there",
		    "%s: %llu MiB left of %llu", path,
		    (unsigned long long)(left / MIB),
		    (unsigned long long)(total / MIB));
	else if (inodes_total != 0 && inodes < INODES_LOW)
		doctor_set(dl, inodes == 0 ? DOCTOR_FAILED : DOCTOR_WARNING,
		    full, "remove files there", "%s: room for %llu more files",
		    path, (unsigned long long)inodes);
	else
		doctor_set(dl, total != 0 && left < DISK_LOW_BYTES ?
		    DOCTOR_WARNING : DOCTOR_OK, full, "make room there before "
		    "it is full", "%s: %llu MiB left of %llu", path,
		    (unsigned long long)(left / MIB),
		    (unsigned long long)(total / MIB));
}
