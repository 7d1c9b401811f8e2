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

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "conf_load.h"
#include "imagerule.h"
#include "roles.h"

static void	 check_common(const struct conf *, struct conf_errs *);
static void	 check_server(const struct conf *, struct conf_errs *);
static void	 check_agent(const struct conf *, mode_t, struct conf_errs *);
static void	 check_dir(const struct conf *, const char *, const char *,
		    const char *, const char *, struct conf_errs *);
static void	 check_controls(const struct conf *, const char *,
		    const char *, const char *, struct conf_errs *);
static void	 check_images(const struct conf *, const struct conf_names *,
		    struct conf_errs *);
static int	 key_of(const char *);

int
conf_check_file(int fd, const char *name, bool owner, struct stat *st,
    struct conf_errs *errs)
{
	if (fstat(fd, st) == -1) {
		conf_errs_add(errs, "%s: fstat failed", name);
		return (-1);
	}
	if (!S_ISREG(st->st_mode)) {
		conf_errs_add(errs, "%s: is not a regular file", name);
		return (-1);
	}
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		conf_errs_add(errs, "%s: group or others may write it, run "
		    "chmod go-w %s", name, name);
		return (-1);
	}
	if (owner && st->st_uid != 0 && st->st_uid != geteuid()) {
		conf_errs_add(errs, "%s: belongs to user %u, run chown root "
		    "%s", name, (unsigned int)st->st_uid, name);
		return (-1);
	}
	if (st->st_size > CONF_FILE_MAXBYTES) {
		conf_errs_add(errs, "%s: is longer than %d bytes", name,
		    CONF_FILE_MAXBYTES);
		return (-1);
	}
	return (0);
}

void
conf_check(const struct conf *c, mode_t mode, struct conf_errs *errs)
{
	check_common(c, errs);
	if (c->c_run == CONF_SERVER)
		check_server(c, errs);
	else
		check_agent(c, mode, errs);
}

enum conf_mode
conf_mode(const struct conf *c, bool enrolled)
{
	const struct conf_agent	*ca = &c->c_agent;

	if (c->c_mode != CONF_AUTO)
		return (c->c_mode);
	/* A file with both parts, for two daemons on one host, is a server. */
	if (c->c_server.cs_cluster || ca->ca_server.a_host == NULL)
		return (CONF_SERVER);
	if (ca->ca_token != NULL || ca->ca_token_file != NULL || enrolled)
		return (CONF_AGENT);
	return (CONF_SERVER);
}

bool
conf_is_enrolled(const struct conf *c)
{
	static const char *const names[] = {
		"host-id", "ca.pem", "agent-key.pem", "agent.pem"
	};
	char	 path[1100];
	size_t	 i;

	for (i = 0; i < nitems(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", c->c_agent.ca_dir,
		    names[i]);
		if (access(path, F_OK) == -1)
			return (false);
	}
	return (true);
}

static void
check_common(const struct conf *c, struct conf_errs *errs)
{
	uint64_t	 first = c->c_uid_base, last = first + ROLE_MAX - 1;

	if (strlen(c->c_run_dir) + strlen("/empty") > CONF_SOCKET_MAXBYTES)
		conf_errs_key(errs, c, key_of("run_dir"), "is %zu bytes, at "
		    "most %zu fit: use a shorter path", strlen(c->c_run_dir),
		    CONF_SOCKET_MAXBYTES - strlen("/empty"));
	/* nobody, and what the kernel shows for ids it cannot map */
	if (first <= 65535 && last >= 65534)
		conf_errs_key(errs, c, key_of("uid_base"), "ids %llu to %llu "
		    "contain 65534 or 65535, which have a meaning of their "
		    "own: use another base", (unsigned long long)first,
		    (unsigned long long)last);
}

static void
check_server(const struct conf *c, struct conf_errs *errs)
{
	static const char *const leaves[] = {
		"server.cluster.server_lifetime",
		"server.cluster.agent_lifetime",
		"server.cluster.command_lifetime"
	};
	const struct conf_server	*cs = &c->c_server;
	uint64_t			 life[nitems(leaves)];
	size_t				 i;

	check_controls(c, "server.control_ro", cs->cs_control,
	    cs->cs_control_ro, errs);
	check_dir(c, "server.cluster.dir", cs->cs_dir, cs->cs_data_dir, "/db",
	    errs);
	life[0] = cs->cs_server_life_msec;
	life[1] = cs->cs_agent_life_msec;
	life[2] = cs->cs_command_life_msec;
	for (i = 0; i < nitems(leaves); i++)
		if (life[i] > cs->cs_ca_life_msec)
			conf_errs_key(errs, c, key_of(leaves[i]), "outlives "
			    "the CA: use at most server.cluster.ca_lifetime");
}

static void
check_agent(const struct conf *c, mode_t mode, struct conf_errs *errs)
{
	const struct conf_agent	*ca = &c->c_agent;
	int			 file = key_of("agent.enroll_token_file");
	int			 token = key_of("agent.enroll_token");

	if (ca->ca_server.a_host == NULL)
		conf_errs_key(errs, c, key_of("agent.server"), "not set: "
		    "write the server's HOST:9443 there, or into "
		    "SENTINEL_SERVER_ADDR");
	check_controls(c, "agent.control_ro", ca->ca_control,
	    ca->ca_control_ro, errs);
	check_dir(c, "agent.dir", ca->ca_dir, ca->ca_data_dir, "/state", errs);
	check_images(c, &ca->ca_allow_images, errs);
	if (ca->ca_reconnect_min_msec > ca->ca_reconnect_max_msec)
		conf_errs_key(errs, c, key_of("agent.timers.reconnect_min"),
		    "is more than agent.timers.reconnect_max");
	if (ca->ca_token != NULL && ca->ca_token_file != NULL &&
	    c->c_from[token].cf_origin == c->c_from[file].cf_origin)
		conf_errs_key(errs, c, file, "agent.enroll_token is set, too: "
		    "remove one");
	if (ca->ca_token != NULL &&
	    c->c_from[token].cf_origin == CONF_O_FILE &&
	    (mode & (S_IRGRP | S_IROTH)))
		conf_errs_key(errs, c, token, "group or others may read the "
		    "file: run chmod go-r %s, or use enroll_token_file",
		    c->c_file);
}

/* They travel to the engine as one string. */
static void
check_images(const struct conf *c, const struct conf_names *images,
    struct conf_errs *errs)
{
	size_t	 i, len = 0;

	for (i = 0; i < images->n_len; i++)
		len += strlen(images->n_name[i]) + 1;
	if (len > IMAGERULE_LIST_SIZE)
		conf_errs_key(errs, c, key_of("agent.allow.images"), "all "
		    "patterns together are longer than %d bytes: use wider "
		    "ones", IMAGERULE_LIST_SIZE);
}

/* Whoever may write a directory may replace the keys in it. */
static void
check_dir(const struct conf *c, const char *key, const char *dir,
    const char *data_dir, const char *sub, struct conf_errs *errs)
{
	size_t	 len = strlen(data_dir), slen = strlen(sub);

	if (strncmp(dir, data_dir, len) != 0)
		return;
	dir += len;
	if (*dir == '\0' || (strncmp(dir, sub, slen) == 0 &&
	    (dir[slen] == '\0' || dir[slen] == '/')))
		conf_errs_key(errs, c, key_of(key), "keys may not share a "
		    "directory with other data: use %s/cluster or one outside "
		    "of %s", data_dir, data_dir);
}

static void
check_controls(const struct conf *c, const char *key, const char *rw,
    const char *ro, struct conf_errs *errs)
{
	if (ro != NULL && strcmp(rw, ro) == 0)
		conf_errs_key(errs, c, key_of(key), "is the path of control, "
		    "too: use another, or none");
}

/* For names in this file, which a unit test finds in the table. */
static int
key_of(const char *name)
{
	return (conf_key_find(name));
}
