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

#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "conf_load.h"
#include "conf_set.h"

static bool	 is_repeated(int);
static const char *env_get(char *const *, const char *);
static void	 env_port(struct conf *, const char *, struct conf_errs *);

/* A variable for a part of server.cluster.listen. */
static const char	 env_port_name[] = "SENTINEL_CLUSTER_PORT";

/*
 * An empty variable counts as not set: container tools pass every variable
 * they know, filled or not.
 */
void
conf_env_apply(struct conf *c, char *const *env, struct conf_errs *errs)
{
	char		 why[CONF_WHY_MAXBYTES];
	const char	*name, *text;
	int		 key;

	for (key = 0; key < CONF_NKEYS; key++) {
		if ((name = conf_keys[key].ck_env) == NULL ||
		    (text = env_get(env, name)) == NULL)
			continue;
		if (conf_set_text(c, key, text, why) == -1) {
			if (!is_repeated(key))
				conf_errs_add(errs, "environment %s: %s", name,
				    why);
			continue;
		}
		c->c_from[key].cf_origin = CONF_O_ENV;
		c->c_from[key].cf_name = name;
	}
	if ((text = env_get(env, env_port_name)) != NULL)
		env_port(c, text, errs);
}

void
conf_env_wipe(char *const *env)
{
	char	*value;
	size_t	 len;
	int	 key;

	for (; *env != NULL; env++)
		for (key = 0; key < CONF_NKEYS; key++) {
			if (conf_keys[key].ck_type != CONF_T_SECRET ||
			    conf_keys[key].ck_env == NULL)
				continue;
			len = strlen(conf_keys[key].ck_env);
			if (strncmp(*env, conf_keys[key].ck_env, len) != 0
			    || (*env)[len] != '=')
				continue;
			value = *env + len + 1;
			explicit_bzero(value, strlen(value));
		}
}

/* Some variables belong to a key of each daemon. */
static bool
is_repeated(int key)
{
	int	 i;

	for (i = 0; i < key; i++)
		if (conf_keys[i].ck_env != NULL && strcmp(conf_keys[i].ck_env,
		    conf_keys[key].ck_env) == 0)
			return (true);
	return (false);
}

/* The first of a name counts, as for getenv(3); NULL also when empty. */
static const char *
env_get(char *const *env, const char *name)
{
	size_t	 len = strlen(name);

	for (; env != NULL && *env != NULL; env++)
		if (strncmp(*env, name, len) == 0 &&
		    (*env)[len] == '=')
			return ((*env)[len + 1] == '\0' ? NULL :
			    *env + len + 1);
	return (NULL);
}

/* Replaces the port only: the address of the file or the default stays. */
static void
env_port(struct conf *c, const char *text, struct conf_errs *errs)
{
	char			 why[CONF_WHY_MAXBYTES], addr[512];
	struct conf_addr	*a = &c->c_server.cs_listen;
	struct conf_from	*from;
	const char		*errstr;
	int			 key, v6;

	key = conf_key_find("server.cluster.listen");
	(void)strtonum(text, 1, 65535, &errstr);
	if (errstr != NULL || strspn(text, "0123456789") != strlen(text)) {
		conf_errs_add(errs, "environment %s: \"%.20s\" is no port, "
		    "want a number from 1 to 65535", env_port_name, text);
		return;
	}
	if (a->a_host == NULL &&
	    conf_set_text(c, key, conf_keys[key].ck_default, why) == -1)
		goto err;
	v6 = strchr(a->a_host, ':') != NULL;
	(void)snprintf(addr, sizeof(addr), "%s%s%s:%s", v6 ? "[" : "",
	    a->a_host, v6 ? "]" : "", text);
	if (conf_set_text(c, key, addr, why) == -1)
		goto err;
	from = &c->c_from[key];
	from->cf_origin = CONF_O_ENV;
	from->cf_name = env_port_name;
	return;
err:
	conf_errs_add(errs, "environment %s: %s", env_port_name, why);
}
