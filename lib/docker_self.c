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

#include "docker_self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_api.h"

#define BODY_MAXBYTES	(64 * 1024)

static bool	 is_beneath(const char *, const char *);
static bool	 is_mounted(const struct json_value *, const char *, bool);
static void	 put_strings(struct json_gen *, const char *,
		    const char *const *, size_t);
static bool	 is_destination(const struct json_value *, const char *);
static void	 put_mounts(struct json_gen *, const struct self_helper *);
static void	 put_host(struct json_gen *, const struct self_helper *);
static void	 put_command(struct json_gen *, const struct update_self *,
		    const char *, const char *);

/* --- proof ------------------------------------------------------------- */

size_t
self_proof_text(char *buf, const char *id)
{
	return ((size_t)snprintf(buf, SELF_PROOF_MAXBYTES, "container %s\n",
	    id));
}

bool
self_proof_is(const char *text, size_t len, const char *id)
{
	char	 want[SELF_PROOF_MAXBYTES];

	return (docker_id_ok(id) && len == self_proof_text(want, id) &&
	    memcmp(text, want, len) == 0);
}

/* --- who am I ---------------------------------------------------------- */

/*
 * The upper directory decides where both sides know it: the other mark is
 * somebody else's in a container that shares a network.
 */
bool
self_is(const struct update_self *us, const struct json_value *c)
{
	const char	*dir;
	char		 upper[SELFID_UPPER_SIZE];

	dir = json_get_str(json_path(c, "GraphDriver.Data"), "UpperDir");
	selfid_upper(upper, dir, strlen(dir));
	if (us->us_id.sf_upper[0] != '\0' && upper[0] != '\0')
		return (strcmp(us->us_id.sf_upper, upper) == 0);
	return (us->us_id.sf_id[0] != '\0' &&
	    strcmp(us->us_id.sf_id, json_get_str(c, "Id")) == 0);
}

/* Is path this directory or in it? */
static bool
is_beneath(const char *path, const char *dir)
{
	size_t	 len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	return (strncmp(path, dir, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0'));
}

/* A tmpfs is gone with its container and is no volume. */
static bool
is_mounted(const struct json_value *c, const char *path, bool writable)
{
	const struct json_value	*m = json_get(c, "Mounts");
	const char		*dst, *type;

	for (m = json_is(m, JSON_ARRAY) ? m->jv_child : NULL; m != NULL;
	    m = m->jv_next) {
		dst = json_get_str(m, "Destination");
		type = json_get_str(m, "Type");
		if (dst[0] == '/' && is_beneath(path, dst) &&
		    (strcmp(type, "volume") == 0 ||
		    strcmp(type, "bind") == 0) &&
		    (!writable || json_bool(json_get(m, "RW"))))
			return (true);
	}
	return (false);
}

bool
self_refuses(const struct update_self *us, const struct json_value *c,
    char *why, size_t size)
{
	const char	*sock = us->us_socket;

	if (json_bool(json_path(c, "HostConfig.AutoRemove")))
		snprintf(why, size, "this is the %s's own container, and it "
		    "was started with --rm: there would be nothing to go back "
		    "to", us->us_what);
	else if (strcmp(us->us_id.sf_id, json_get_str(c, "Id")) != 0)
		snprintf(why, size, "this is the %s's own container, and it "
		    "shares the network of another one: update it by hand",
		    us->us_what);
	else if (!is_mounted(c, us->us_data, true))
		snprintf(why, size, "this is the %s's own container, and its "
		    "data_dir %s is not on a volume: its successor would know "
		    "nothing; start it with -v NAME:%s", us->us_what,
		    us->us_data, us->us_data);
	/* Where /var/run is a link, the mount is beneath /run. */
	else if (!is_mounted(c, sock, false) &&
	    (strncmp(sock, "/var/run/", 9) != 0 ||
	    !is_mounted(c, sock + 4, false)))
		snprintf(why, size, "this is the %s's own container, and %s "
		    "is not mounted into it", us->us_what, sock);
	else
		return (false);
	return (true);
}

/*
 * The successor brings the database to its own format when it starts, and then
 * there is no way back for us.  An image that does not say is taken for one
 * with ours.
 */
bool
self_refuses_image(const struct update_self *us, const struct json_value *im,
    char *why, size_t size)
{
	const struct json_value	*labels = json_path(im, "Config.Labels");
	const char		*text, *errstr;
	uint64_t		 schema;

	if (strcmp(json_get_str(labels, "sentinel.self"), "true") != 0) {
		snprintf(why, size, "it has no label sentinel.self=true: it "
		    "is no image of this program");
		return (true);
	}
	text = json_get_str(labels, SELF_SCHEMA_LABEL);
	if (us->us_schema == 0 || text[0] == '\0')
		return (false);
	schema = (uint64_t)strtonum(text, 1, UINT32_MAX, &errstr);
	if (errstr == NULL && schema <= us->us_schema)
		return (false);
	snprintf(why, size, "its database has another format (%s, ours is "
	    "%llu), and there would be nothing to go back to: stop the %s, "
	    "copy its volume, and start the new image by hand",
	    errstr == NULL ? text : "unknown",
	    (unsigned long long)us->us_schema, us->us_what);
	return (true);
}

/* --- the helper -------------------------------------------------------- */

static void
put_strings(struct json_gen *jg, const char *key, const char *const *list,
    size_t n)
{
	size_t	 i;

	json_gen_key(jg, key);
	json_gen_array(jg);
	for (i = 0; i < n; i++)
		json_gen_str(jg, list[i]);
	json_gen_end_array(jg);
}

static bool
is_destination(const struct json_value *c, const char *path)
{
	const struct json_value	*m = json_get(c, "Mounts");

	for (m = json_is(m, JSON_ARRAY) ? m->jv_child : NULL; m != NULL;
	    m = m->jv_next)
		if (strcmp(json_get_str(m, "Destination"), path) == 0)
			return (true);
	return (false);
}

/*
 * Where the new image has a volume and the old container none, the helper
 * would get one of its own, and nobody would remove it.
 */
static void
put_mounts(struct json_gen *jg, const struct self_helper *sh)
{
	const struct json_value	*v;

	v = json_path(sh->sh_image, "Config.Volumes");
	json_gen_key(jg, "Mounts");
	json_gen_array(jg);
	for (v = json_is(v, JSON_OBJECT) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if (v->jv_key[0] != '/' ||
		    is_destination(sh->sh_old, v->jv_key))
			continue;
		json_gen_object(jg);
		json_gen_key(jg, "Type");
		json_gen_str(jg, "tmpfs");
		json_gen_key(jg, "Target");
		json_gen_str(jg, v->jv_key);
		json_gen_end_object(jg);
	}
	json_gen_end_array(jg);
}

/*
 * Root, for the journal and Docker's socket, with one capability, for the
 * proof, which belongs to the engine's user.  What the old one needed to reach
 * the socket at all comes along.
 */
static void
put_host(struct json_gen *jg, const struct self_helper *sh)
{
	static const char *const	 all[] = { "ALL" };
	static const char *const	 caps[] = { "DAC_OVERRIDE" };
	const char			*id = json_get_str(sh->sh_old, "Id");
	const struct json_value		*host, *v;

	json_gen_key(jg, "HostConfig");
	json_gen_object(jg);
	json_gen_key(jg, "NetworkMode");
	json_gen_str(jg, "none");
	put_strings(jg, "VolumesFrom", &id, 1);
	put_mounts(jg, sh);
	json_gen_key(jg, "RestartPolicy");
	json_gen_object(jg);
	json_gen_key(jg, "Name");
	json_gen_str(jg, "unless-stopped");
	json_gen_end_object(jg);
	put_strings(jg, "CapDrop", all, nitems(all));
	put_strings(jg, "CapAdd", caps, nitems(caps));
	json_gen_key(jg, "ReadonlyRootfs");
	json_gen_bool(jg, true);
	json_gen_key(jg, "PidsLimit");
	json_gen_int(jg, 16);
	host = json_get(sh->sh_old, "HostConfig");
	if (json_is(v = json_get(host, "SecurityOpt"), JSON_ARRAY))
		json_gen_member(jg, v);
	if (json_is(v = json_get(host, "UsernsMode"), JSON_STRING))
		json_gen_member(jg, v);
	json_gen_end_object(jg);
}

static void
put_command(struct json_gen *jg, const struct update_self *us,
    const char *opid, const char *name)
{
	static const char *const	 words[] = { "sentinel-agentd", "-P",
		"helper" };
	struct {
		const char	*key;
		const char	*value;
	}				 opt[] = {
		{ "what", us->us_what },
		{ "data", us->us_data },
		{ "state", us->us_state },
		{ "socket", us->us_socket },
		{ "operation", opid },
		{ "name", name },
	};
	char				 text[SELF_PATH_SIZE * 2];
	size_t				 i;

	put_strings(jg, "Entrypoint", words, nitems(words));
	json_gen_key(jg, "Cmd");
	json_gen_array(jg);
	for (i = 0; i < nitems(opt); i++) {
		snprintf(text, sizeof(text), "%s=%s", opt[i].key,
		    opt[i].value);
		json_gen_str(jg, "-o");
		json_gen_str(jg, text);
	}
	snprintf(text, sizeof(text), "proof=%u", us->us_proof_msec);
	json_gen_str(jg, "-o");
	json_gen_str(jg, text);
	json_gen_end_array(jg);
}

char *
self_helper_body(const struct update_self *us, const struct self_helper *sh,
    size_t *len)
{
	static const char *const	 none[] = { "NONE" };
	struct json_gen			*jg;
	char				*body;

	if ((jg = json_gen_new(BODY_MAXBYTES)) == NULL)
		return (NULL);
	json_gen_object(jg);
	json_gen_key(jg, "Image");
	json_gen_str(jg, sh->sh_id);
	json_gen_key(jg, "User");
	json_gen_str(jg, "0:0");
	put_command(jg, us, sh->sh_opid, sh->sh_name);
	/* The image says so of its containers; this is none of those. */
	json_gen_key(jg, "Labels");
	json_gen_object(jg);
	json_gen_key(jg, "sentinel.self");
	json_gen_str(jg, "false");
	json_gen_key(jg, SELF_LABEL);
	json_gen_str(jg, sh->sh_opid);
	json_gen_end_object(jg);
	json_gen_key(jg, "Healthcheck");
	json_gen_object(jg);
	put_strings(jg, "Test", none, nitems(none));
	json_gen_end_object(jg);
	put_host(jg, sh);
	json_gen_end_object(jg);
	body = json_gen_take(jg, len);
	json_gen_free(jg);
	return (body);
}
