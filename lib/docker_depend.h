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

#ifndef DOCKER_DEPEND_H
#define DOCKER_DEPEND_H

#include "compat.h"

#include "docker_api.h"
#include "json.h"

/*
 * Who depends on a container?  Fed with the entries of one list answer, then
 * with the inspect answer of each container that depend_next() names, it says
 * which containers an update of one of them also concerns:
 *
 *	shared		network_mode, ipc, pid "container:X" and volumes-from
 *			by id: dead once X is made anew, so they are, too
 *	ordered		volumes-from by name, the label sentinel.depends-on
 *			(names of containers, comma) and compose's depends_on
 *			(services of the same project and working directory,
 *			unless it says restart "false"): stopped before X,
 *			started after it
 *
 * Labels are written by anybody; everything is capped, and what cannot be
 * read is no dependency.  No I/O, no globals.  Source: docker_depend.c
 */
#define DEPEND_NODES_MAX	4096	/* containers of one host */
#define DEPEND_EDGES_MAX	64	/* names in one label */
#define DEPEND_USERS_MAX	24	/* that one update may concern */
#define DEPEND_LABEL_MAXBYTES	4096	/* longer ones are not read */
#define DEPEND_LABEL		"sentinel.depends-on"

enum depend_why {		/* bits of du_why */
	DEPEND_NETWORK	= 0x01,
	DEPEND_IPC	= 0x02,
	DEPEND_PID	= 0x04,
	DEPEND_VOLUMES	= 0x08,	/* volumes-from, by id */
	DEPEND_FROM	= 0x10,	/* volumes-from, by name */
	DEPEND_COMPOSE	= 0x20,
	DEPEND_LABELLED	= 0x40	/* sentinel.depends-on */
};
#define DEPEND_SHARED	(DEPEND_NETWORK | DEPEND_IPC | DEPEND_PID | \
			    DEPEND_VOLUMES)

struct depend_user {		/* lent by the struct depend */
	const char	*du_id;
	const char	*du_name;
	unsigned int	 du_why;	/* of all its direct providers here */
	bool		 du_remade;	/* else only stopped and started */
	bool		 du_running;	/* paused and restarting ones, too */
	bool		 du_paused;
	bool		 du_self;	/* label sentinel.self=true */
};

struct depend;

struct depend	*depend_new(void);			/* NULL: ENOMEM */
void		 depend_free(struct depend *);		/* NULL is fine */
/* An entry of /containers/json?all=1; entries without an id are passed over.
 * 0, or -1 with errno E2BIG (DEPEND_NODES_MAX), ENOMEM. */
int		 depend_add(struct depend *, const struct json_value *);
/* The id of a container whose inspect answer is wanted, or NULL. */
const char	*depend_next(struct depend *);
/* The answer for what depend_next() said; NULL: that container is gone.
 * 0, or -1 with errno ENOMEM. */
int		 depend_inspected(struct depend *, const struct json_value *);
/*
 * Whom does an update of this one concern?  ordered: also those that are only
 * stopped and started, of which those that do not run, those made with --rm
 * (nobody could start them again) and Sentinel itself are left out.
 * users: in the order of their start, each after all it depends on; the
 * container itself is not among them.
 * Number of users, or -1 with a line in err: a cycle (with the names) or more
 * than DEPEND_USERS_MAX.
 */
ssize_t		 depend_users(struct depend *, const char *id, bool ordered,
		    struct depend_user users[DEPEND_USERS_MAX], char *err,
		    size_t errsize);
/* Is there a container of this name?  Its id, or NULL. */
const char	*depend_named(const struct depend *, const char *name);
/* Was the container of this id never started? */
bool		 depend_is_fresh(const struct depend *, const char *id);
/* Does it run?  What "container:X" says: a name, an id or 12 digits of one. */
bool		 depend_runs(const struct depend *, const char *ref);
/* "network, ipc" for people; text is lent until the next call. */
const char	*depend_why_text(unsigned int why);

#endif /* DOCKER_DEPEND_H */
