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

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "txn_crash.h"

/* One point: its lives, and what must hold afterwards. */
#define LIVES_MAX	8
#define SETTLE_SEC	25	/* an engine that came back starts containers */

unsigned int	 attempt_broken;
bool		 attempt_late;
static char	 opid[32];	/* of this attempt */

bool
attempt_is_engine(const struct attempt *at)
{
	return (at->at_rec == REC_ENGINE || (at->at_rec == REC_NONE &&
	    at->at_nth > 0 && at->at_fate == RELAY_ENGINE));
}

void
attempt_text(const struct attempt *at, char *text, size_t size)
{
	static const char *const	 recs[] = { "", "killed before record",
		"killed within record", "killed after record",
		"engine killed at record" };
	static const char *const	 fates[] = { "nothing at request",
		"killed before request", "killed during request",
		"killed after request", "refused request",
		"refused done request", "lost request",
		"lost answer of request", "engine killed during request" };

	(void)snprintf(text, size, "%s to a %s image: %s %d%s%s%s",
	    world_names[at->at_world], at->at_bad ? "bad" : "good",
	    at->at_rec != REC_NONE ? recs[at->at_rec] : fates[at->at_fate],
	    at->at_nth, relay_line(relay)[0] != '\0' ? " " : "",
	    relay_line(relay), at->at_again ? ", and again in recovery" : "");
}

/* --- what must hold ------------------------------------------------ */

static bool
differs(char *why, size_t size, const char *what, const char *want,
    const char *got)
{
	if (strcmp(want, got) == 0)
		return (false);
	(void)snprintf(why, size, "%s: was\n%s\nis\n%s", what, want, got);
	return (true);
}

/* Where a line ends with that, or NULL. */
static char *
line_end(char *sig, const char *word)
{
	size_t	 len = strlen(word);
	char	*p;

	for (p = sig; (p = strstr(p, word)) != NULL; p += len)
		if (p[len] == '\n' || p[len] == '\0')
			return (p);
	return (NULL);
}

/* What is down through no fault of the update's. */
static void
excuse(struct look *lk)
{
	char	 rest[LOOK_BYTES], *p;

	if ((p = line_end(lk->lk_sig, " exited")) == NULL)
		return;
	strlcpy(rest, p + strlen(" exited"), sizeof(rest));
	*p = '\0';
	strlcat(lk->lk_sig, " running", sizeof(lk->lk_sig));
	strlcat(lk->lk_sig, rest, sizeof(lk->lk_sig));
}

/*
 * A dockerd that dies in the middle of a start leaves a task in containerd
 * that it cannot get rid of: that container never starts again (20.10), nor
 * what joins it; or it keeps the port.  The rest has to be right, and the
 * update must say so.
 */
static bool
is_broken(const struct attempt *at)
{
	char	 out[8192];

	if (!attempt_is_engine(at))
		return (false);
	(void)docker(out, sizeof(out), "d ps -aq --filter name=%s | while "
	    "read -r c; do d inspect -f '{{.State.Error}}' $c; done",
	    container(at->at_world));
	return (strstr(out, "already exists") != NULL ||
	    strstr(out, "port is already allocated") != NULL);
}

/* The same image and settings, and new ones only for a new provider. */
static void
verify_users(const struct look *now, const struct look was[USERS],
    bool renewed, bool excused, char *why, size_t size)
{
	static struct look	 is[USERS];
	size_t			 i;

	look_users(now, is);
	for (i = 0; i < USERS; i++) {
		if (excused)
			excuse(&is[i]);
		if (differs(why, size, user_names[i], was[i].lk_sig,
		    is[i].lk_sig) || differs(why, size, "image of a user",
		    was[i].lk_image, is[i].lk_image))
			return;
		if ((strcmp(was[i].lk_id, is[i].lk_id) != 0) == renewed)
			continue;
		(void)snprintf(why, size, "%s was %smade anew", user_names[i],
		    renewed ? "not " : "");
		return;
	}
}

/* Nothing but what was there, as it was. */
static bool
verify_left(const struct attempt *at, const struct look *old,
    struct look *now, bool excused, char *why, size_t size)
{
	const char	*c = container(at->at_world);
	char		 out[4096], all[256];

	(void)docker(out, sizeof(out), "d ps -a --filter name=%s --format "
	    "'{{.Names}}' | sort", c);
	strlcpy(all, c, sizeof(all));
	if (at->at_world == W_VPN)
		(void)snprintf(all, sizeof(all), "%s\n%s-u1\n%s-u2", c, c, c);
	if (differs(why, size, "containers", all, out))
		return (false);
	if (look(c, now) == -1) {
		(void)snprintf(why, size, "no look at %s", c);
		return (false);
	}
	if (excused)
		excuse(now);
	if (differs(why, size, "settings", old->lk_sig, now->lk_sig))
		return (false);
	if (docker(out, sizeof(out), "d image inspect %s:%.12s",
	    UPDATE_KEEP_REPO, old->lk_id) == 0) {
		(void)snprintf(why, size, "the private tag is left");
		return (false);
	}
	return (true);
}

/* One outcome, and of this operation; is it success? */
static bool
verify_told(const struct attempt *at, const char *told, bool excused,
    char *why, size_t size)
{
	const char	*done, *more, *outcome;

	if ((done = strstr(told, "done ")) == NULL) {
		/* Only when nothing was begun. */
		if (at->at_rec == REC_NONE || at->at_rec == REC_AFTER ||
		    at->at_rec == REC_ENGINE || at->at_nth != 1)
			(void)snprintf(why, size, "no outcome was told");
		return (false);
	}
	if (strncmp(done + 5, opid, strlen(opid)) != 0)
		(void)snprintf(why, size, "told of another operation");
	outcome = done + 5 + strlen(opid) + 1;
	/* Again, if it died too soon after; never another. */
	if ((more = strstr(done + 1, "\ndone ")) != NULL &&
	    strncmp(done, more + 1, strcspn(done, "\n") + 1) != 0)
		(void)snprintf(why, size, "two outcomes were told");
	if (strncmp(outcome + strcspn(outcome, " "), " 1 ", 3) == 0 &&
	    !excused)
		(void)snprintf(why, size, "it says something is left");
	return (strncmp(outcome, "success", 7) == 0);
}

/* At most once each, and none of them is left. */
static void
verify_hooks(const char *told, bool success, char *why, size_t size)
{
	int	 n[2];

	hooks_check(why, size, n);
	if (why[0] != '\0' || !success)
		return;
	if (n[0] != 1)
		(void)snprintf(why, size, "success without its pre hook");
	else if (n[1] != 1 && strstr(told, "post-update hook") == NULL)
		(void)snprintf(why, size, "no post hook, and no word of it");
}

/* What must hold afterwards; why is "" then. */
static void
verify(const struct attempt *at, const struct look *old,
    const struct look users[USERS], const char *target, const char *told,
    bool broken, char *why, size_t size)
{
	static struct look	 now;
	bool			 success;

	why[0] = '\0';
	if (!verify_left(at, old, &now, broken, why, size))
		return;
	success = verify_told(at, told, broken, why, size);
	if (why[0] != '\0')
		return;
	if (success && at->at_bad)
		(void)snprintf(why, size, "success with a bad image");
	else if (success)
		(void)differs(why, size, "image", target, now.lk_image);
	else if (at->at_world == W_AUTO)	/* it may be made again */
		(void)differs(why, size, "image", old->lk_image, now.lk_image);
	else
		(void)differs(why, size, "container", old->lk_id, now.lk_id);
	if (why[0] == '\0' && at->at_world == W_VPN)
		/* The engine starts all at once, and those that come before
		 * their provider not again: who has not been touched or has
		 * been told good-bye stays so. */
		verify_users(&now, users, success, broken || attempt_late ||
		    (attempt_is_engine(at) && strstr(told, " failed 0 ") !=
		    NULL), why, size);
	if (why[0] == '\0' && at->at_world == W_HOOK)
		verify_hooks(told, success, why, size);
}

/* When Docker, too, has come to an end with it. */
static void
verify_late(const struct attempt *at, const struct look *old,
    const struct look users[USERS], const char *target, const char *told,
    bool *broken, char *why, size_t size)
{
	time_t	 end = time(NULL) + SETTLE_SEC;

	/* What it was still at when the updater died. */
	if (at->at_world == W_DEAF && (at->at_rec != REC_NONE ||
	    strstr(relay_line(relay), "/stop") != NULL))
		sleep(2);
	if (strstr(relay_line(relay), "create") != NULL)
		sleep(1);
	*broken = false;
	verify(at, old, users, target, told, false, why, size);
	/* A new engine takes its time to start what it has to start. */
	while (attempt_is_engine(at) && why[0] != '\0' && time(NULL) < end) {
		usleep(500000);
		*broken = is_broken(at);
		verify(at, old, users, target, told, *broken, why, size);
	}
}

/* --- its lives ----------------------------------------------------- */

static void
image_id(const char *tag, char *out, size_t size)
{
	if (docker(out, size, "d image inspect -f '{{.Id}}' %s:%s", prefix,
	    tag) != 0)
		errx(1, "image %s:%s: %s", prefix, tag, out);
}

/* The updates and, when it died, its successors.  Records of the first. */
static int
attempt_run(const struct attempt *at, const char *ref, char *told, size_t size)
{
	static unsigned int	 number;
	struct update_request	 uq = { .uq_opid = opid, .uq_image = ref,
		.uq_digest = "", .uq_nopull = true,
		.uq_hooks = at->at_world == W_HOOK };
	const char		*p;
	int			 lives, records = 0;

	uq.uq_name = container(at->at_world);
	told[0] = '\0';
	(void)snprintf(opid, sizeof(opid), "op-%u", ++number);
	relay_arm(relay, at->at_rec == REC_NONE ? at->at_nth : 0, at->at_fate,
	    (unsigned int)random() % (at->at_world == W_HOOK ? 300 : 40));
	(void)run_life(&uq, at->at_rec, at->at_nth, told, size);
	if ((p = strstr(told, "records ")) != NULL)
		records = (int)strtol(p + 8, NULL, 10);
	for (lives = 1; strstr(told, "end\n") == NULL; lives++) {
		if (lives == LIVES_MAX)
			break;
		if (at->at_again && lives < 3)
			(void)run_life(NULL, REC_AFTER, 1 + (int)random() % 8,
			    told, size);
		else
			(void)run_life(NULL, REC_NONE, 0, told, size);
	}
	return (records);
}

static void
print_lines(const char *title, const char *text)
{
	printf("# %s", title);
	for (; *text != '\0'; text++)
		printf(*text == '\n' ? "\n# " : "%c", *text);
	printf("\n");
}

/* Did the engine's death at an earlier point take something of it? */
static bool
is_whole(const struct attempt *at, struct look *old,
    struct look users[USERS])
{
	static bool	 engine_died;
	size_t		 i;

	if (attempt_is_engine(at))
		engine_died = true;
	if (!engine_died)
		return (true);
	if (!world_survives(at->at_world))
		return (false);
	for (i = 0; at->at_world == W_VPN && i < USERS; i++)
		if (line_end(users[i].lk_sig, " running") == NULL)
			return (false);
	return (line_end(old->lk_sig, " running") != NULL);
}

static void
attempt_prepare(const struct attempt *at, struct look *old,
    struct look users[USERS])
{
	const char	*c = container(at->at_world);
	bool		 anew;

	for (anew = false;; anew = true) {
		if (look(c, old) == -1 && anew)
			errx(1, "no container %s", c);
		if (at->at_world == W_VPN)
			look_users(old, users);
		if (anew || is_whole(at, old, users))
			break;
		world_make(at->at_world);
	}
	if (at->at_world == W_HOOK)
		hooks_forget();
	if (attempt_is_engine(at))
		engine_find();
}

bool
attempt(const struct attempt *at, int *records)
{
	static struct look	 old, users[USERS];
	char			 ids[2][80], told[4096], text[512], ref[64];
	static char		 why[3 * LOOK_BYTES];
	bool			 broken;
	int			 to, n;

	attempt_prepare(at, &old, users);
	image_id("1", ids[0], sizeof(ids[0]));
	image_id("2", ids[1], sizeof(ids[1]));
	to = strcmp(old.lk_image, ids[0]) == 0 ? 1 : 0;
	if (at->at_bad)
		(void)snprintf(ref, sizeof(ref), "%s:bad", prefix);
	else
		(void)snprintf(ref, sizeof(ref), "%s:%d", prefix, to + 1);
	n = attempt_run(at, ref, told, sizeof(told));
	if (records != NULL)
		*records = n;
	if (attempt_is_engine(at))
		engine_wait();
	verify_late(at, &old, users, ids[to], told, &broken, why, sizeof(why));
	attempt_text(at, text, sizeof(text));
	if (why[0] == '\0') {
		printf("ok - %s: %s%s\n", text, strstr(told, "success") !=
		    NULL ? "new" : "old", broken ?
		    ", which Docker cannot start any more" : "");
		if (broken) {
			attempt_broken++;
			world_make(at->at_world);
		}
		return (true);
	}
	printf("not ok - %s\n", text);
	print_lines("", why);
	print_lines("told: ", told);
	(void)unlink(journal_path);
	world_make(at->at_world);
	return (false);
}
