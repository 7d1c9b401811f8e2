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

#include <sys/resource.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <string.h>

#include "log.h"

/*
 * What only the parent can see: the file systems, and what the machine lets
 * processes lock.
 */
#define WATCH_MAX	8

static void	 send_line(struct peer *, uint32_t,
		    const struct doctor_line *);
static void	 check_dir(struct doctor_line *, const char *, const char *);
static void	 check_memlock(struct doctor_line *);

static struct watch {
	char	 wa_what[32];
	char	 wa_path[1024];
} watches[WATCH_MAX];
static size_t	nwatches;

void
doctor_watch(const char *what, const char *path)
{
	struct watch	*wa = &watches[nwatches];

	if (nwatches == WATCH_MAX)
		fatalx("doctor_watch: too many");
	(void)strlcpy(wa->wa_what, what, sizeof(wa->wa_what));
	(void)strlcpy(wa->wa_path, path, sizeof(wa->wa_path));
	nwatches++;
}

/* u8 level, str name, str text, str fix */
static void
send_line(struct peer *p, uint32_t id, const struct doctor_line *dl)
{
	struct ibuf	*buf;

	if ((buf = ibuf_dynamic(128, 4096)) == NULL ||
	    ibuf_add_n8(buf, (uint64_t)dl->dl_level) == -1 ||
	    ibuf_add_string(buf, dl->dl_name) == -1 ||
	    ibuf_add_string(buf, dl->dl_text) == -1 ||
	    ibuf_add_string(buf, dl->dl_fix) == -1)
		fatal("doctor");
	peer_send_ibuf(p, IMSG_DOCTOR_FACT, id, -1, buf);
	ibuf_free(buf);
}

/* empty */
void
doctor_ask(struct peer *p, struct imsg *imsg)
{
	struct doctor_line	 dl;
	size_t			 i;

	for (i = 0; i < nwatches; i++) {
		check_dir(&dl, watches[i].wa_what, watches[i].wa_path);
		send_line(p, imsg_get_id(imsg), &dl);
	}
	check_memlock(&dl);
	send_line(p, imsg_get_id(imsg), &dl);
	peer_send(p, IMSG_DOCTOR_END, imsg_get_id(imsg), -1, NULL, 0);
}

static void
check_dir(struct doctor_line *dl, const char *what, const char *path)
{
	struct statvfs	 sv;
	char		 name[DOCTOR_NAME_SIZE] = "disk ";

	if (statvfs(path, &sv) == 0) {
		doctor_set_disk(dl, what, path,
		    (uint64_t)sv.f_bavail * sv.f_frsize,
		    (uint64_t)sv.f_blocks * sv.f_frsize, sv.f_favail,
		    sv.f_files);
		return;
	}
	(void)strlcat(name, what, sizeof(name));
	doctor_set(dl, DOCTOR_WARNING, name, "correct the path in the "
	    "configuration, or mount it", "%s: %s", path, strerror(errno));
}

static void
check_memlock(struct doctor_line *dl)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_MEMLOCK, &rl) == 0 &&
	    rl.rlim_cur == RLIM_INFINITY)
		doctor_set(dl, DOCTOR_OK, "locked memory", "", "keys cannot "
		    "reach the swap");
	else
		doctor_set(dl, DOCTOR_WARNING, "locked memory",
		    "LimitMEMLOCK=infinity for a unit of systemd, --ulimit "
		    "memlock=-1 for a container, or no swap", "limited: keys "
		    "may reach the swap");
}
