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

#ifndef RELOAD_H
#define RELOAD_H

#include "compat.h"

#include "conf.h"
#include "daemon.h"
#include "proc.h"

/*
 * Another configuration at run time, for the parents of both daemons: SIGHUP
 * or RELOAD_ASK, read, compare, offer to all, and only when all accept is it
 * live.  Whatever fails leaves everything as it was.
 *
 * A key that cannot change at run time keeps its value and is named as one
 * that needs a restart; the others count at once (reload_is_live()).
 */
#define RELOAD_AGAIN_MSEC	500	/* SIGHUP while work is under way */
#define RELOAD_TEXT_SIZE	1000	/* of RELOAD_DONE */

enum reload_rc { RELOAD_OK = 0, RELOAD_REFUSED = 1, RELOAD_BUSY = 2 };
enum reload_origin { RELOAD_SIGNAL = 0, RELOAD_ASKED = 1 };

/* RELOAD_DONE, as the engine reads it. */
struct reload_done {
	enum reload_rc	 rd_rc;
	enum reload_origin rd_origin;
	uint32_t	 rd_uid;		/* RELOAD_ASKED: who */
	char		 rd_changed[RELOAD_TEXT_SIZE];	/* keys, or "" */
	char		 rd_text[RELOAD_TEXT_SIZE]; /* what else, or why not */
};

struct reload_ops {
	uint32_t	 ro_roles;	/* that get a part */
	/* The daemon's configuration; replaced here.  What other modules keep
	 * of the old one stays good only for keys that need a restart. */
	struct conf	**ro_conf;
	/*
	 * *ro_conf is the new one, nothing is offered yet: bind and open what
	 * it needs.  -1 and a line in why refuses it; may be NULL.
	 */
	int		(*ro_prepare)(const struct conf *old, char *why,
			    size_t);
	void		(*ro_pack)(enum role, uint32_t generation,
			    struct ibuf *);
	/* All have it: *ro_conf counts; old is freed afterwards. */
	void		(*ro_commit)(const struct conf *old);
	/* *ro_conf is the old one again. */
	void		(*ro_abort)(void);
};

/* mode: of the daemon, as for conf_load(). */
void	 reload_init(const struct daemon_opts *, enum conf_mode mode,
	    const struct reload_ops *);
/* op_hup. */
void	 reload_hup(void);
/* Row of the parent's handler table. */
void	 reload_ask(struct peer *, struct imsg *);

/* --- the engine (reload_msg.c) ------------------------------------------- */
/* Asks the parent, for a client with this uid. */
void	 reload_request(uint32_t id, uint32_t uid);
/* The body of RELOAD_DONE.  0, or -1 when it is broken. */
int	 reload_done_get(struct ibuf *, struct reload_done *);

/* --- conf_live.c: pure -------------------------------------------------- */
/* Whether a change of this key counts without a restart; -1 is no key. */
bool	 reload_is_live(int key);
/* A word of its list that is no key, or NULL: for the unit test. */
const char *reload_unknown(void);
/*
 * Compares two configurations.  Names of keys that differ, ", " between them,
 * go to changed (live ones) or stay (the others), each of size bytes.
 * Secrets are not compared.  Returns how many live ones differ, or -1 with
 * ENOMEM.
 */
int	 reload_compare(const struct conf *, const struct conf *,
	    char *changed, char *stay, size_t size);
/*
 * Every key that is not live changes places, with what it owns: next goes on
 * with the values of the one before, and whoever keeps a pointer to one keeps
 * a good one.  Twice is as never.
 */
void	 reload_exchange(struct conf *next, struct conf *before);

#endif /* RELOAD_H */
