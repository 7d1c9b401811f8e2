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

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "txn_crash.h"

/* The containers, and the engine by its own client. */
#define ENGINE_SEC	60	/* for its successor to answer */
#define HOOK_END_MSEC	3000	/* for what was killed to be gone */

const char *const	 world_names[] = { "rich", "paused", "stopped", "deaf",
    "joined", "host", "auto", "vpn", "hook" };
const char *const	 user_names[USERS] = { "u1", "u2" };
static pid_t		 engine_pid = -1;

int
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

void
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
int
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

const char *
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
	must("d run -d --name %s --restart always --network container:%s "
	    "--pid container:%s %s:1", user[1], c, user[0], prefix);
}

/* Each hook adds a line to a file of its own, and may be made to stay. */
static void
world_make_hook(void)
{
	const char	*c = container(W_HOOK);

	must("d run -d --name %s --restart always -v %s-hook:/data "
	    "--label sentinel.hook.timeout=10s "
	    "--label 'sentinel.hook.pre=echo x >>/data/pre; sleep 0.3; "
	    "[ ! -e /data/hold ] || sleep 4711' "
	    "--label 'sentinel.hook.post=echo x >>/data/post; sleep 0.3; "
	    "[ ! -e /data/hold ] || sleep 4711' %s:1", c, prefix, prefix);
}

void
world_make(enum world w)
{
	/* Another one each time: an engine that was killed may keep it. */
	static unsigned int	 port = 18096;
	const char		*c = container(w);
	char			 out[4096];

	world_clear(c);
	switch (w) {
	case W_RICH:
		must("d create --name %s --network %s-a --ip 10.77.1.5 "
		    "--network-alias friend --restart always --label keep=me "
		    "-e MINE=kept -v %s-data:/data -v /anonymous -p "
		    "127.0.0.1:%u:80 --memory 32m %s:1", c, prefix, prefix,
		    ++port, prefix);
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
	case W_HOOK:
		world_make_hook();
		break;
	case W_MAX:
		break;
	}
}

/* One that withstands SIGTERM is not started again after dockerd's death. */
bool
world_survives(enum world w)
{
	return (w == W_RICH || w == W_VPN || w == W_HOOK);
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
void
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


/* --- hooks --------------------------------------------------------- */

static const char *
hooks_file(const char *name)
{
	static char	 path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/data/volumes/%s-hook/_data/%s",
	    lab_dir, prefix, name);
	return (path);
}

void
hooks_forget(void)
{
	(void)unlink(hooks_file("pre"));
	(void)unlink(hooks_file("post"));
	(void)unlink(hooks_file("hold"));
}

void
hooks_hold(void)
{
	int	 fd;

	if ((fd = open(hooks_file("hold"), O_CREAT | O_WRONLY, 0644)) == -1)
		err(1, "%s", hooks_file("hold"));
	close(fd);
}

void
hooks_check(char *why, size_t size, int counts[2])
{
	static const char *const	 names[] = { "pre", "post" };
	struct stat			 st;
	char				 out[8192];
	int				 i;

	why[0] = '\0';
	for (i = 0; i < 2; i++) {
		counts[i] = stat(hooks_file(names[i]), &st) == 0 ?
		    (int)(st.st_size / 2) : 0;
		if (counts[i] > 1)
			(void)snprintf(why, size, "the %s hook ran %d times",
			    names[i], counts[i]);
	}
	/* One that was still to begin when its updater died. */
	usleep(400000);
	for (i = 0; i < HOOK_END_MSEC; i += 100) {
		(void)docker(out, sizeof(out), "d top %s", container(W_HOOK));
		if (strstr(out, "sleep 4711") == NULL)
			return;
		usleep(100000);
	}
	(void)snprintf(why, size, "a hook runs on:\n%s", out);
}

/* --- the engine's own death ---------------------------------------- */

/* A child of the lab's first process; there are other engines around. */
static pid_t
engine_look(void)
{
	char	 path[PATH_MAX], name[32];
	FILE	*fp, *comm;
	long	 init = 0, pid, found = -1;

	(void)snprintf(path, sizeof(path), "%s/init.pid", lab_dir);
	if ((fp = fopen(path, "r")) == NULL || fscanf(fp, "%ld", &init) != 1)
		err(1, "%s", path);
	fclose(fp);
	(void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", init,
	    init);
	if ((fp = fopen(path, "r")) == NULL)
		err(1, "%s", path);
	while (found == -1 && fscanf(fp, "%ld", &pid) == 1) {
		(void)snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
		if ((comm = fopen(path, "r")) == NULL)
			continue;
		if (fscanf(comm, "%31s", name) == 1 &&
		    strcmp(name, "dockerd") == 0)
			found = pid;
		fclose(comm);
	}
	fclose(fp);
	return ((pid_t)found);
}

void
engine_find(void)
{
	if ((engine_pid = engine_look()) == -1)
		errx(1, "no dockerd");
}

void
engine_kill(void)
{
	if (engine_pid > 1)
		kill(engine_pid, SIGKILL);
}

void
engine_wait(void)
{
	char	 out[256];
	time_t	 end = time(NULL) + ENGINE_SEC;

	/* The old one, when the moment for its death did not come. */
	while (engine_look() == -1 || docker(out, sizeof(out),
	    "d ps -q >/dev/null") != 0) {
		if (time(NULL) > end)
			errx(1, "the engine does not come back");
		usleep(100000);
	}
}
