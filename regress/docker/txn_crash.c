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

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "docker_update.h"
#include "log.h"
#include "relay.h"

/*
 * txn_crash SOCKET DIR PREFIX: updates of real containers that go wrong at
 * every possible place.  An updater in a process of its own works through a
 * relay; it is killed at a record of the journal (before it, half-written,
 * after it) or at a request (before Docker sees it, while Docker does it,
 * when it is done), or the request is refused or lost.  Then updaters follow
 * until one has recovered, and the container must be the old or the new one
 * as a whole, with nothing of the update left and one outcome told.
 *
 * Speaks TAP.  A sample; all of it with FULL=1 in the environment.  SEED=n
 * repeats one.  The images PREFIX:1, :2 (good) and :bad (ends at once) are
 * there, made by the scenario.
 */
#define LIVES_MAX	8
#define LIFE_SEC	60
#define SAMPLE		8
#define LOOK_BYTES	8192

/* What kind of container. */
enum world { W_RICH, W_PAUSED, W_STOPPED, W_DEAF, W_JOINED, W_HOST,
    W_AUTO, W_VPN, W_MAX };
static const char *const world_names[] = { "rich", "paused", "stopped",
    "deaf", "joined", "host", "auto", "vpn" };

/* W_VPN: who shares with it, and who shares with that one. */
#define USERS	2
static const char *const user_names[USERS] = { "u1", "u2" };

enum record_fate { REC_NONE, REC_BEFORE, REC_TORN, REC_AFTER };

struct attempt {
	enum world		 at_world;
	bool			 at_bad;	/* to an image that fails */
	enum record_fate	 at_rec;
	int			 at_nth;	/* record or request */
	enum relay_fate		 at_fate;
	bool			 at_again;	/* recovery dies, too */
};

struct look {
	char	 lk_id[72];
	char	 lk_image[80];
	char	 lk_sig[LOOK_BYTES];	/* all that must not change */
};

static const char	*docker_sock, *dir, *prefix;
static char		 relay_path[128], journal_path[128];
static struct event_base *base;
static struct relay	*relay;
static pid_t		 child = -1;
static char		 opid[32];		/* of this attempt */
static int		 failures, tests;

/* --- in the updater's process -------------------------------------- */

static int			 out_fd;
static enum record_fate		 rec_fate;
static int			 rec_nth, rec_count;
static struct docker		*life_docker;
static struct updater		*life_up;
static const struct update_request *life_request;
static struct event		*life_timer;

/* These two stand in for libc's: only the journal uses them. */
ssize_t
pwrite(int fd, const void *buf, size_t len, off_t off)
{
	rec_count++;
	if (rec_count == rec_nth && rec_fate == REC_BEFORE)
		raise(SIGKILL);
	if (rec_count == rec_nth && rec_fate == REC_TORN) {
		(void)syscall(SYS_pwrite64, fd, buf, len / 2, off);
		raise(SIGKILL);
	}
	return (syscall(SYS_pwrite64, fd, buf, len, off));
}

int
fsync(int fd)
{
	int	 rc = (int)syscall(SYS_fsync, fd);

	if (rec_count == rec_nth && rec_fate == REC_AFTER)
		raise(SIGKILL);
	return (rc);
}

static void
life_end(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	dprintf(out_fd, "end\n");
	_exit(0);
}

/* A little later, when the journal has been emptied. */
static void
life_exit(void)
{
	struct timeval	 tv = { 0, 80000 };

	dprintf(out_fd, "records %d\n", rec_count);
	evtimer_add(life_timer, &tv);
}

static void
life_done(void *arg, const struct update_result *ur)
{
	(void)arg;
	dprintf(out_fd, "done %s %s %d %s\n", ur->ur_opid,
	    update_outcome_name(ur->ur_outcome), ur->ur_harm, ur->ur_error);
	if (!ur->ur_recovered)
		life_exit();
}

static void
life_ready(void *arg)
{
	char	 why[256];

	(void)arg;
	if (life_request == NULL)
		life_exit();
	else if (updater_start(life_up, life_request, why, sizeof(why)) == -1) {
		dprintf(out_fd, "refused %s\n", why);
		life_exit();
	}
}

static void
life_need_fd(void *arg)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd;

	(void)arg;
	strlcpy(sun.sun_path, relay_path, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sun,
	    sizeof(sun)) == -1)
		err(1, "connect");
	evutil_make_socket_nonblocking(fd);
	docker_give_fd(life_docker, fd);
}

/* Never returns. */
static void
life(void)
{
	static const struct update_config	 conf = {
		.uc_gate_running_msec = 300, .uc_gate_max_msec = 20000,
		.uc_poll_msec = 100, .uc_retry_msec = 100,
		.uc_pull_idle_msec = 5000, .uc_settle_msec = 800,
		.uc_told_msec = 50
	};
	static const struct update_ops		 ops = {
		.uo_done = life_done, .uo_ready = life_ready
	};
	struct event_base			*eb = event_base_new();
	struct journal				*jn;

	alarm(LIFE_SEC);
	life_timer = evtimer_new(eb, life_end, NULL);
	if ((life_docker = docker_new(eb, life_need_fd, NULL)) == NULL ||
	    (jn = journal_open(open(journal_path, O_RDWR | O_CREAT,
	    0600))) == NULL || (life_up = updater_new(eb, life_docker, jn,
	    &conf, &ops, NULL)) == NULL)
		err(1, "updater");
	updater_recover(life_up);
	event_base_dispatch(eb);
	errx(1, "the event loop ended");
}

/* --- the test's side ----------------------------------------------- */

static void
kill_child(void *arg)
{
	(void)arg;
	if (child != -1)
		kill(child, SIGKILL);
}

static void
on_tick(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* One life of an updater, to its end.  What it said is added to told. */
static int
run_life(const struct update_request *uq, enum record_fate rf, int nth,
    char *told, size_t size)
{
	struct timeval	 tv = { 0, 3000 };
	struct event	*tick;
	int		 p[2], status;
	size_t		 len;
	ssize_t		 n;

	if (pipe2(p, O_CLOEXEC) == -1)
		err(1, "pipe");
	fflush(NULL);
	if ((child = fork()) == -1)
		err(1, "fork");
	if (child == 0) {
		rec_count = 0;
		rec_fate = rf;
		rec_nth = nth;
		life_request = uq;
		out_fd = p[1];
		life();
	}
	close(p[1]);
	tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	evtimer_add(tick, &tv);
	while (waitpid(child, &status, WNOHANG) == 0)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(tick);
	child = -1;
	relay_reset(relay);
	len = strlen(told);
	while (len < size - 1 && (n = read(p[0], told + len,
	    size - 1 - len)) > 0) {
		len += (size_t)n;
		told[len] = '\0';
	}
	close(p[0]);
	return (status);
}

/* --- the engine, by its own client --------------------------------- */

static int __printflike_(3, 4)
docker(char *out, size_t size, const char *fmt, ...)
{
	char	 args[2048], cmd[4096];
	FILE	*fp;
	va_list	 ap;
	size_t	 n;

	va_start(ap, fmt);
	(void)vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	snprintf(cmd, sizeof(cmd), "d() { docker -H unix://%s \"$@\"; }; %s "
	    "2>&1", docker_sock, args);
	if ((fp = popen(cmd, "r")) == NULL)
		err(1, "popen");
	n = fread(out, 1, size - 1, fp);
	out[n] = '\0';
	while (n > 0 && out[n - 1] == '\n')
		out[--n] = '\0';
	return (pclose(fp));
}

static void __printflike_(1, 2)
must(const char *fmt, ...)
{
	char	 args[2048], out[4096];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	if (docker(out, sizeof(out), "%s", args) != 0)
		errx(1, "%s: %s", args, out);
}

/*
 * Everything about the container that an update has to carry over, with its
 * own short id made neutral.
 */
static int
look(const char *name, struct look *lk)
{
	static const char	 format[] =
	    "{{.Id}}\\n{{.Image}}\\n"
	    "{{.HostConfig.RestartPolicy.Name}} {{.State.Status}}\\n"
	    "{{with .HostConfig}}{{.NetworkMode}} {{.IpcMode}} {{.PidMode}}"
	    "{{end}}\\n"
	    "{{range $k, $v := .NetworkSettings.Networks}}net {{$k}}"
	    "{{with $v.IPAMConfig}} {{.IPv4Address}}{{end}}"
	    "{{range $v.Aliases}} {{.}}{{end}}\\n{{end}}"
	    "{{range .Mounts}}mount {{.Name}} {{.Destination}} {{.RW}}\\n"
	    "{{end}}ports {{json .HostConfig.PortBindings}}\\n"
	    "host {{.Config.Hostname}} {{.HostConfig.Memory}}\\n"
	    "labels {{json .Config.Labels}}\\n";
	char			 out[LOOK_BYTES], *p, *line;

	if (docker(out, sizeof(out), "x=$(d inspect -f '%s' %s) && printf "
	    "'%%b\\n' \"$x\" | { read -r id; read -r im; echo $id; echo $im; "
	    "sed \"s/$(echo $id | cut -c 1-12)/SELF/; s/ created$/ exited/; "
	    "s/ports null/ports {}/\" | sort; }", format,
	    name) != 0)
		return (-1);
	p = out;
	line = strsep(&p, "\n");
	strlcpy(lk->lk_id, line, sizeof(lk->lk_id));
	if (p == NULL)
		return (-1);
	line = strsep(&p, "\n");
	strlcpy(lk->lk_image, line, sizeof(lk->lk_image));
	strlcpy(lk->lk_sig, p == NULL ? "" : p, sizeof(lk->lk_sig));
	return (strlen(lk->lk_id) == 64 ? 0 : -1);
}

static const char *
container(enum world w)
{
	static char	 name[64];

	snprintf(name, sizeof(name), "%s-%s", prefix, world_names[w]);
	return (name);
}

static void
world_user(size_t i, char *name, size_t size)
{
	snprintf(name, size, "%s-%s", container(W_VPN), user_names[i]);
}

static void
world_clear(const char *c)
{
	char	 out[4096];

	(void)docker(out, sizeof(out), "d rm -f %s %s%s %s%s", c, c,
	    UPDATE_SUFFIX_NEW, c, UPDATE_SUFFIX_OLD);
}

static void
world_make_vpn(void)
{
	const char	*c = container(W_VPN);
	char		 user[USERS][80];
	size_t		 i;

	for (i = USERS; i-- > 0;) {
		world_user(i, user[i], sizeof(user[i]));
		world_clear(user[i]);
	}
	must("d run -d --name %s --restart always --network %s-a "
	    "--ip 10.77.1.8 %s:1", c, prefix, prefix);
	must("d run -d --name %s --restart unless-stopped "
	    "--network container:%s -e MINE=kept -v /anonymous %s:1", user[0],
	    c, prefix);
	must("d run -d --name %s --network container:%s --pid container:%s "
	    "%s:1", user[1], c, user[0], prefix);
}

static void
world_make(enum world w)
{
	const char	*c = container(w);
	char		 out[4096];

	world_clear(c);
	switch (w) {
	case W_RICH:
		must("d create --name %s --network %s-a --ip 10.77.1.5 "
		    "--network-alias friend --restart always --label keep=me "
		    "-e MINE=kept -v %s-data:/data -v /anonymous -p "
		    "127.0.0.1:18097:80 --memory 32m %s:1", c, prefix, prefix,
		    prefix);
		must("d network connect --ip 10.77.2.5 --alias side %s-b %s",
		    prefix, c);
		must("d start %s", c);
		break;
	case W_PAUSED:
		must("d run -d --name %s --restart on-failure:3 %s:1", c,
		    prefix);
		must("d pause %s", c);
		break;
	case W_STOPPED:
		must("d run -d --name %s %s:1", c, prefix);
		must("d stop -t 0 %s", c);
		break;
	case W_DEAF:
		must("d run -d --name %s --restart unless-stopped "
		    "--stop-timeout 1 -e DEAF=1 %s:1", c, prefix);
		break;
	case W_JOINED:
		(void)docker(out, sizeof(out), "d rm -f %s-other", prefix);
		must("d run -d --name %s-other --ipc shareable %s:1", prefix,
		    prefix);
		must("d run -d --name %s --network container:%s-other "
		    "--ipc container:%s-other %s:1", c, prefix, prefix,
		    prefix);
		break;
	case W_HOST:
		must("d run -d --name %s --network host --pid host %s:1", c,
		    prefix);
		break;
	case W_AUTO:
		must("d run -d --rm --name %s --network %s-a --ip 10.77.1.7 "
		    "--network-alias friend -e MINE=kept -v /anonymous %s:1",
		    c, prefix, prefix);
		break;
	case W_VPN:
		world_make_vpn();
		break;
	case W_MAX:
		break;
	}
}

/* One id made neutral, so that what it stands in can be compared. */
static void
neutral(char *sig, const char *id)
{
	char	 text[16], *p;

	while (id[0] != '\0' && (p = strstr(sig, id)) != NULL)
		memset(p, '*', strlen(id));
	/* Its short form is the host's name for all who share with it. */
	(void)snprintf(text, sizeof(text), "%.12s", id);
	while (id[0] != '\0' && (p = strstr(sig, text)) != NULL)
		memset(p, '*', strlen(text));
}

/* All that share with it. */
static void
look_users(const struct look *lead, struct look users[USERS])
{
	char	 name[80];
	size_t	 i;

	for (i = 0; i < USERS; i++) {
		world_user(i, name, sizeof(name));
		if (look(name, &users[i]) == -1)
			memset(&users[i], 0, sizeof(users[i]));
		neutral(users[i].lk_sig, lead->lk_id);
		if (i > 0)
			neutral(users[i].lk_sig, users[0].lk_id);
	}
}

/* --- one attempt --------------------------------------------------- */

static void
attempt_text(const struct attempt *at, char *text, size_t size)
{
	static const char *const	 recs[] = { "", "before record",
		"within record", "after record" };
	static const char *const	 fates[] = { "nothing at request",
		"killed before request", "killed during request",
		"killed after request", "refused request",
		"refused done request", "lost request",
		"lost answer of request" };

	snprintf(text, size, "%s to a %s image: %s%s %d%s%s%s",
	    world_names[at->at_world], at->at_bad ? "bad" : "good",
	    at->at_rec != REC_NONE ? "killed " : "", at->at_rec != REC_NONE ?
	    recs[at->at_rec] : fates[at->at_fate], at->at_nth,
	    relay_line(relay)[0] != '\0' ? " " : "", relay_line(relay),
	    at->at_again ? ", and again in recovery" : "");
}

static bool
differs(char *why, size_t size, const char *what, const char *want,
    const char *got)
{
	if (strcmp(want, got) == 0)
		return (false);
	snprintf(why, size, "%s: was\n%s\nis\n%s", what, want, got);
	return (true);
}

/* The same image and settings, and new ones only for a new provider. */
static void
verify_users(const struct look *now, const struct look was[USERS], bool renewed,
    char *why, size_t size)
{
	struct look	 is[USERS];
	size_t		 i;

	look_users(now, is);
	for (i = 0; i < USERS; i++) {
		if (differs(why, size, user_names[i], was[i].lk_sig,
		    is[i].lk_sig) || differs(why, size, "image of a user",
		    was[i].lk_image, is[i].lk_image))
			return;
		if ((strcmp(was[i].lk_id, is[i].lk_id) != 0) == renewed)
			continue;
		snprintf(why, size, "%s was %smade anew", user_names[i],
		    renewed ? "not " : "");
		return;
	}
}

/* What must hold afterwards; why is "" then. */
static void
verify(const struct attempt *at, const struct look *old,
    const struct look users[USERS], const char *target, const char *told,
    char *why, size_t size)
{
	const char	*c = container(at->at_world), *done, *outcome, *more;
	struct look	 now;
	char		 out[4096], all[256];
	bool		 success;

	why[0] = '\0';
	/* What Docker was still at when the updater died. */
	if (at->at_world == W_DEAF && (at->at_rec != REC_NONE ||
	    strstr(relay_line(relay), "/stop") != NULL))
		sleep(2);
	if (strstr(relay_line(relay), "create") != NULL)
		sleep(1);
	(void)docker(out, sizeof(out), "d ps -a --filter name=%s --format "
	    "'{{.Names}}' | sort", c);
	strlcpy(all, c, sizeof(all));
	if (at->at_world == W_VPN)
		snprintf(all, sizeof(all), "%s\n%s-u1\n%s-u2", c, c, c);
	if (differs(why, size, "containers", all, out))
		return;
	if (look(c, &now) == -1) {
		snprintf(why, size, "no look at %s", c);
		return;
	}
	if (differs(why, size, "settings", old->lk_sig, now.lk_sig))
		return;
	if (docker(out, sizeof(out), "d image inspect %s:%.12s",
	    UPDATE_KEEP_REPO, old->lk_id) == 0) {
		snprintf(why, size, "the private tag is left");
		return;
	}
	if ((done = strstr(told, "done ")) == NULL) {
		/* Only when nothing was begun. */
		success = false;
		if (at->at_rec == REC_NONE || at->at_rec == REC_AFTER ||
		    at->at_nth != 1)
			snprintf(why, size, "no outcome was told");
	} else {
		if (strncmp(done + 5, opid, strlen(opid)) != 0)
			snprintf(why, size, "told of another operation");
		outcome = done + 5 + strlen(opid) + 1;
		success = strncmp(outcome, "success", 7) == 0;
		/* Again, if it died too soon after; never another. */
		if ((more = strstr(done + 1, "done ")) != NULL &&
		    strncmp(done, more, strcspn(done, "\n") + 1) != 0)
			snprintf(why, size, "two outcomes were told");
		if (strstr(done, " 1 ") != NULL)
			snprintf(why, size, "it says something is left");
	}
	if (why[0] != '\0')
		return;
	if (success && at->at_bad)
		snprintf(why, size, "success with a bad image");
	else if (success)
		(void)differs(why, size, "image", target, now.lk_image);
	else if (at->at_world == W_AUTO)	/* it may be made again */
		(void)differs(why, size, "image", old->lk_image, now.lk_image);
	else
		(void)differs(why, size, "container", old->lk_id, now.lk_id);
	if (why[0] == '\0' && at->at_world == W_VPN)
		verify_users(&now, users, success, why, size);
}

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
		.uq_digest = "", .uq_nopull = true };
	const char		*p;
	int			 lives, records = 0;

	uq.uq_name = container(at->at_world);
	told[0] = '\0';
	snprintf(opid, sizeof(opid), "op-%u", ++number);
	relay_arm(relay, at->at_rec == REC_NONE ? at->at_nth : 0, at->at_fate,
	    (unsigned int)random() % 40);
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

static int
attempt(const struct attempt *at)
{
	const char	*c = container(at->at_world);
	static struct look	 old, users[USERS];
	char		 ids[2][80], told[4096], text[512], ref[64];
	char		 why[3 * LOOK_BYTES], *p;
	int		 records, to;

	if (look(c, &old) == -1)
		errx(1, "no container %s", c);
	if (at->at_world == W_VPN)
		look_users(&old, users);
	image_id("1", ids[0], sizeof(ids[0]));
	image_id("2", ids[1], sizeof(ids[1]));
	to = strcmp(old.lk_image, ids[0]) == 0 ? 1 : 0;
	if (at->at_bad)
		snprintf(ref, sizeof(ref), "%s:bad", prefix);
	else
		snprintf(ref, sizeof(ref), "%s:%d", prefix, to + 1);
	records = attempt_run(at, ref, told, sizeof(told));
	verify(at, &old, users, ids[to], told, why, sizeof(why));
	attempt_text(at, text, sizeof(text));
	tests++;
	if (why[0] == '\0') {
		printf("ok - %s: %s\n", text, strstr(told, "success") != NULL ?
		    "new" : "old");
		return (records);
	}
	failures++;
	printf("not ok - %s\n# ", text);
	for (p = why; *p != '\0'; p++)
		printf(*p == '\n' ? "\n# " : "%c", *p);
	printf("\n# told: ");
	for (p = told; *p != '\0'; p++)
		printf(*p == '\n' ? "\n# " : "%c", *p);
	printf("\n");
	(void)unlink(journal_path);
	world_make(at->at_world);
	return (records);
}

/* --- all of them, or a sample -------------------------------------- */

static struct attempt	*plan;
static size_t		 nplan;

static void
plan_add(struct attempt at)
{
	struct attempt	*p;

	if ((p = reallocarray(plan, nplan + 1, sizeof(*plan))) == NULL)
		err(1, "plan");
	plan = p;
	at.at_again = random() % 4 == 0 && (at.at_rec != REC_NONE ||
	    (at.at_fate >= RELAY_KILL_BEFORE && at.at_fate <=
	    RELAY_KILL_DONE));
	plan[nplan++] = at;
}

/*
 * A run without harm says how many records and requests there are.  One world
 * has them all, the others what differs there.
 */
static void
plan_world(enum world w, bool bad)
{
	struct attempt	 at = { .at_world = w, .at_bad = bad };
	enum relay_fate	 last = w == W_RICH ? RELAY_LOSE_DONE :
			    RELAY_KILL_DONE;
	int		 records, requests, i;

	records = attempt(&at);
	requests = relay_count(relay);
	for (i = 1; i <= records; i++) {
		at.at_nth = i;
		for (at.at_rec = w == W_RICH ? REC_BEFORE : REC_AFTER;
		    at.at_rec <= REC_AFTER; at.at_rec++)
			plan_add(at);
	}
	at.at_rec = REC_NONE;
	for (i = 1; i <= requests; i++) {
		at.at_nth = i;
		for (at.at_fate = RELAY_KILL_BEFORE; at.at_fate <= last;
		    at.at_fate++)
			plan_add(at);
	}
}

static void
plan_shuffle(void)
{
	struct attempt	 tmp;
	size_t		 i, j;

	for (i = nplan; i > 1; i--) {
		j = (size_t)random() % i;
		tmp = plan[i - 1];
		plan[i - 1] = plan[j];
		plan[j] = tmp;
	}
}

int
main(int argc, char *argv[])
{
	/* Killed while a slow stop is under way: always. */
	static const struct attempt	 slow = { .at_world = W_DEAF,
	    .at_nth = 3, .at_fate = RELAY_KILL_SENT };
	const char	*seed = getenv("SEED"), *full = getenv("FULL");
	const char	*only = getenv("ONLY_WORLD");
	unsigned int	 n;
	size_t		 i, count;
	int		 w, fd;

	if (argc != 4)
		errx(2, "usage: txn_crash socket dir prefix");
	docker_sock = argv[1];
	dir = argv[2];
	prefix = argv[3];
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	n = seed != NULL ? (unsigned int)strtoul(seed, NULL, 10) :
	    (unsigned int)(time(NULL) ^ getpid()) % 100000;
	srandom(n);
	printf("# SEED=%u\n", n);
	snprintf(relay_path, sizeof(relay_path), "%s/relay.sock", dir);
	snprintf(journal_path, sizeof(journal_path), "%s/journal", dir);
	if ((fd = open("/dev/null", O_WRONLY)) == -1)
		err(1, "/dev/null");
	if (getenv("VERBOSE") == NULL)
		log_init("txn", fd);
	base = event_base_new();
	relay = relay_new(base, relay_path, docker_sock, kill_child, NULL);
	for (w = 0; w < W_MAX; w++) {
		if (only != NULL && strcmp(only, world_names[w]) != 0)
			continue;
		world_make((enum world)w);
		plan_world((enum world)w, false);
		/* A stopped one never finds out that its image is bad. */
		if (w != W_STOPPED && w != W_HOST)
			plan_world((enum world)w, true);
	}
	plan_shuffle();
	count = full != NULL && strcmp(full, "1") == 0 ? nplan :
	    nplan < SAMPLE ? nplan : SAMPLE;
	if (only == NULL)
		(void)attempt(&slow);
	for (i = 0; i < count; i++)
		(void)attempt(&plan[i]);
	printf("# %zu of %zu places, %d failed\n", count, nplan, failures);
	relay_free(relay);
	event_base_free(base);
	free(plan);
	return (failures > 0);
}
