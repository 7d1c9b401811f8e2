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

#include "sentineld.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "keyfile.h"
#include "keyholder.h"
#include "log.h"
#include "monotime.h"
#include "parent_ca.h"

/*
 * Key files in order.  At the first start all are made: NAME.new by the
 * keyholder, synced, then renamed here one after the other, so that a crash
 * in between leaves a prefix of this list in place and the rest as .new.
 * What is there is never replaced: broken or missing files of a pair are a
 * refusal to start.
 */
static struct key_file {
	const char	*name;
	uint8_t		 purpose;
	uint8_t		 part;
	enum keyfile_kind kind;
	bool		 made;		/* .new waits for its rename */
} files[] = {
	{ "ca-key.pem",	KEY_PURPOSE_CA, KEY_PART_KEY, KEYFILE_SECRET, false },
	{ "ca.pem",	KEY_PURPOSE_CA, KEY_PART_CERT, KEYFILE_PUBLIC, false },
	{ "hmac-key.bin", KEY_PURPOSE_HMAC, KEY_PART_SECRET, KEYFILE_SECRET,
	    false },
};

#define KEYS_MSEC	10000	/* for the keyholder to answer each */

static void	 file_path(const struct key_file *, char *, size_t);
static void	 finish_interrupted(void);
static void	 refuse_new_ca(const char *);
static void	 load_files(bool);
static void	 next_file(void);
static void	 commit_files(void);
static void	 first_names(void);
static void	 send_limits(void);
static void	 on_timeout(int, short, void *);

static const struct conf	*conf;
static void			(*all_done)(void);
static struct event		*timer;
static size_t			 current;

static void
file_path(const struct key_file *kf, char *path, size_t len)
{
	if ((size_t)snprintf(path, len, "%s/%s", conf->c_server.cs_dir,
	    kf->name) >= len)
		fatalx("%s/%s: path too long", conf->c_server.cs_dir,
		    kf->name);
}

static void
on_timeout(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fatalx("keyholder did not answer within %d s", KEYS_MSEC / 1000);
}

void
parent_keys_load(const struct conf *c, void (*done)(void))
{
	conf = c;
	all_done = done;
	if ((timer = evtimer_new(proc_base(), on_timeout, NULL)) == NULL)
		fatal("parent_keys_load");
	send_limits();
	parent_ca_begin(c->c_server.cs_dir, load_files);
}

/* The first of them is left out when the CA's key is not used any more. */
static void
load_files(bool ca_key)
{
	finish_interrupted();
	current = ca_key ? 0 : 1;
	next_file();
}

/*
 * A crash between the two renames of the first start left ca-key.pem and
 * ca.pem.new: go on where it stopped.
 */
static void
finish_interrupted(void)
{
	char	 key[PATH_MAX], cert[PATH_MAX], tmp[PATH_MAX + 4];
	char	 err[KEYFILE_ERRLEN];

	file_path(&files[0], key, sizeof(key));
	file_path(&files[1], cert, sizeof(cert));
	snprintf(tmp, sizeof(tmp), "%s.new", cert);
	if (!keyfile_exists(key) || keyfile_exists(cert) ||
	    !keyfile_exists(tmp))
		return;
	if (keyfile_commit(cert, err, sizeof(err)) == -1)
		fatalx("%s", err);
	log_info("ca: first start was interrupted; finished it");
}

static void
send_limits(void)
{
	const struct conf_server	*cs = &conf->c_server;
	struct ibuf			*buf;

	if ((buf = ibuf_open(24)) == NULL ||
	    ibuf_add_n32(buf, cs->cs_issue_rate) == -1 ||
	    ibuf_add_n32(buf, cs->cs_issue_burst) == -1 ||
	    ibuf_add_n64(buf, cs->cs_ca_life_msec / 1000) == -1 ||
	    ibuf_add_n64(buf, cs->cs_command_life_msec / 1000) == -1)
		fatal("keyholder limits");
	peer_send_ibuf(proc_peer(ROLE_KEYHOLDER), IMSG_KEY_LIMITS, 0, -1, buf);
	ibuf_free(buf);
}

/*
 * Never a silent new CA: every agent would be orphaned.  The files of a first
 * start are renamed in order, so the last of them says that it is none.
 */
static void
refuse_new_ca(const char *path)
{
	char	 other[PATH_MAX];
	size_t	 i;

	for (i = 0; i < nitems(files); i++) {
		file_path(&files[i], other, sizeof(other));
		if (i == current || files[i].made || !keyfile_exists(other))
			continue;
		fatalx("%s is missing but %s is there: restore it from a "
		    "backup; to begin with a new CA, which orphans all "
		    "enrolled agents, move %s away", path, other,
		    conf->c_server.cs_dir);
	}
}

/* Existing file: load.  Missing: make, unless its partner is there. */
static void
next_file(void)
{
	struct timeval		 tv = monotime_timeval(KEYS_MSEC);
	struct key_file		*kf = &files[current];
	char			 path[PATH_MAX];
	char			 err[KEYFILE_ERRLEN];
	uint8_t			 body[2];
	int			 fd;

	file_path(kf, path, sizeof(path));
	fd = keyfile_open(path, kf->kind, err, sizeof(err));
	if (fd == -1 && errno != ENOENT)
		fatalx("%s", err);
	kf->made = fd == -1;
	if (kf->purpose == KEY_PURPOSE_CA && kf->made)
		refuse_new_ca(path);
	if (kf->made &&
	    (fd = keyfile_create(path, err, sizeof(err))) == -1)
		fatalx("%s", err);
	body[0] = kf->purpose;
	body[1] = kf->part;
	peer_send(proc_peer(ROLE_KEYHOLDER), kf->made ? IMSG_KEY_CREATE :
	    IMSG_KEY_LOAD, 0, fd, body, sizeof(body));
	evtimer_add(timer, &tv);
}

/* u8 purpose, u8 part, u8 rc, str why */
void
parent_keys_loaded(struct peer *p, struct imsg *imsg)
{
	struct ibuf		*buf = imsg_get_ibuf(imsg);
	const struct key_file	*kf = &files[current];
	char			 path[PATH_MAX], why[256];
	uint8_t			 purpose, part, rc;

	if (imsg_get_id(imsg) != 0) {
		parent_ca_loaded(p, imsg);
		return;
	}
	if (ibuf_get_n8(buf, &purpose) == -1 || ibuf_get_n8(buf, &part) == -1 ||
	    ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || current >= nitems(files) ||
	    purpose != kf->purpose || part != kf->part || rc > 2) {
		peer_broken(p, imsg, "unexpected KEY_LOADED");
		return;
	}
	evtimer_del(timer);
	file_path(kf, path, sizeof(path));
	if (rc == 2)
		fatalx("%s%s: %s", path, kf->made ? ".new" : "", why);
	if (++current < nitems(files)) {
		next_file();
		return;
	}
	commit_files();
	parent_ca_finish(first_names);
}

static void
first_names(void)
{
	struct timeval	 tv = monotime_timeval(KEYS_MSEC);

	parent_keys_names(&conf->c_server.cs_advertise, 0);
	evtimer_add(timer, &tv);
}

static void
commit_files(void)
{
	char	 path[PATH_MAX], err[KEYFILE_ERRLEN];
	size_t	 i;

	for (i = 0; i < nitems(files); i++) {
		if (!files[i].made)
			continue;
		file_path(&files[i], path, sizeof(path));
		if (keyfile_commit(path, err, sizeof(err)) == -1)
			fatalx("%s", err);
		log_info("first start: made %s", path);
	}
}

void
parent_keys_names(const struct conf_names *advertise, uint32_t id)
{
	struct ibuf	*buf;

	if ((buf = ibuf_dynamic(512, PARENT_NAMES_MAXBYTES)) == NULL ||
	    ibuf_add_n32(buf, conf->c_server.cs_server_life_msec / 1000) ==
	    -1 || parent_names_pack(advertise, buf) == -1)
		fatal("names of the server certificate");
	peer_send_ibuf(proc_peer(ROLE_KEYHOLDER), IMSG_KEY_NAMES, id, -1, buf);
	ibuf_free(buf);
}

void
parent_keys_conf(const struct conf *c)
{
	conf = c;
	if (c->c_server.cs_cluster)
		send_limits();
}

const struct conf_names *
parent_keys_advertise(void)
{
	return (all_done == NULL && conf != NULL ?
	    &conf->c_server.cs_advertise : NULL);
}

/* u8 rc, str why */
void
parent_keys_names_done(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 why[256];
	uint8_t		 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 ||
	    (imsg_get_id(imsg) == 0 && all_done == NULL)) {
		peer_broken(p, imsg, "unexpected KEY_NAMES_DONE");
		return;
	}
	if (imsg_get_id(imsg) != 0) {
		parent_renew_done(imsg_get_id(imsg), rc == 0, why);
		return;
	}
	evtimer_del(timer);
	if (rc != 0)
		fatalx("server certificate: %s", why);
	all_done();
	all_done = NULL;
}
