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

#include "reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "confpart.h"
#include "log.h"
#include "monotime.h"
#include "sdnotify.h"

extern char	**environ;

static void	 begin(void);
static struct conf *read_conf(char *, size_t);
static void	 on_pushed(bool, const char *);
static void	 undo(void);
static void	 end(enum reload_rc, const char *);
static void	 answer(enum reload_rc, enum reload_origin, uint32_t, uint32_t,
		    const char *, const char *);
static void	 set_verbose(const struct conf *);
static void	 on_again(int, short, void *);

static struct {
	const struct daemon_opts *opts;
	const struct reload_ops	*ops;
	enum conf_mode		 mode;
	struct event		*again;		/* a SIGHUP that waits */
	bool			 busy;
	enum reload_origin	 origin;
	uint32_t		 asked;		/* the engine's id, or 0 */
	uint32_t		 uid;		/* whose request that is */
	struct conf		*old;		/* while it is offered */
	int			 nchanged;
	char			 changed[RELOAD_TEXT_SIZE - 80];
	char			 stay[RELOAD_TEXT_SIZE - 80];
} rl;

void
reload_init(const struct daemon_opts *opts, enum conf_mode mode,
    const struct reload_ops *ops)
{
	rl.opts = opts;
	rl.mode = mode;
	rl.ops = ops;
	if ((rl.again = evtimer_new(proc_base(), on_again, NULL)) == NULL)
		fatal("reload_init");
}

void
reload_hup(void)
{
	struct timeval	 tv = monotime_timeval(RELOAD_AGAIN_MSEC);

	if (rl.busy || confpart_is_busy()) {
		(void)evtimer_add(rl.again, &tv);
		return;
	}
	rl.origin = RELOAD_SIGNAL;
	rl.asked = rl.uid = 0;
	begin();
}

static void
on_again(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	reload_hup();
}

/* u32 uid; id = engine's request */
void
reload_ask(struct peer *p, struct imsg *imsg)
{
	uint32_t	 uid;

	if (ibuf_get_n32(imsg_get_ibuf(imsg), &uid) == -1 ||
	    ibuf_end(imsg_get_ibuf(imsg)) == -1) {
		peer_broken(p, imsg, "broken");
		return;
	}
	if (rl.busy || confpart_is_busy()) {
		answer(RELOAD_BUSY, RELOAD_ASKED, imsg_get_id(imsg), uid, "",
		    "");
		return;
	}
	rl.origin = RELOAD_ASKED;
	rl.asked = imsg_get_id(imsg);
	rl.uid = uid;
	begin();
}

static void
begin(void)
{
	struct conf	*next;
	char		 why[RELOAD_TEXT_SIZE];

	rl.busy = true;
	(void)sdnotify_reloading();
	if ((next = read_conf(why, sizeof(why))) == NULL) {
		end(RELOAD_REFUSED, why);
		return;
	}
	rl.nchanged = reload_compare(next, *rl.ops->ro_conf, rl.changed,
	    rl.stay, sizeof(rl.stay));
	if (rl.nchanged == -1) {
		conf_free(next);
		end(RELOAD_REFUSED, "out of memory");
		return;
	}
	rl.old = *rl.ops->ro_conf;
	*rl.ops->ro_conf = next;
	reload_exchange(next, rl.old);
	why[0] = '\0';
	if (rl.ops->ro_prepare != NULL &&
	    rl.ops->ro_prepare(rl.old, why, sizeof(why)) == -1) {
		undo();
		end(RELOAD_REFUSED, why);
		return;
	}
	if (confpart_push(rl.ops->ro_roles, rl.ops->ro_pack, on_pushed) == -1)
		fatal("reload");
}

/* NULL: every error is in the log, the first one in why. */
static struct conf *
read_conf(char *why, size_t size)
{
	struct conf_errs	 errs;
	struct conf_opts	 co;
	struct conf		*conf;
	size_t			 i;

	memset(&errs, 0, sizeof(errs));
	memset(&co, 0, sizeof(co));
	co.co_daemon = rl.mode;
	co.co_file = rl.opts->do_file;
	co.co_environ = environ;
	co.co_flags = rl.opts->do_flags;
	co.co_nflags = rl.opts->do_nflags;
	conf = conf_load(&co, &errs);
	/* end() tells the first one. */
	for (i = 1; conf == NULL && i < errs.ce_len; i++)
		log_warnx("%s", errs.ce_line[i] != NULL ? errs.ce_line[i] :
		    "out of memory");
	if (conf == NULL && errs.ce_len > 1)
		(void)snprintf(why, size, "%s (and %zu more, see the log)",
		    errs.ce_line[0] != NULL ? errs.ce_line[0] :
		    "out of memory", errs.ce_len - 1 + errs.ce_more);
	else if (conf == NULL)
		(void)strlcpy(why, errs.ce_len > 0 && errs.ce_line[0] != NULL ?
		    errs.ce_line[0] : "out of memory", size);
	conf_errs_free(&errs);
	/* At a start it may be missing; now somebody has lost it. */
	if (conf != NULL && conf->c_file == NULL &&
	    (*rl.ops->ro_conf)->c_file != NULL) {
		(void)snprintf(why, size, "%s: is not there any more",
		    (*rl.ops->ro_conf)->c_file);
		conf_free(conf);
		conf = NULL;
	}
	return (conf);
}

static void
on_pushed(bool ok, const char *why)
{
	char	 text[RELOAD_TEXT_SIZE];

	if (!ok) {
		(void)strlcpy(text, why, sizeof(text));
		undo();
		rl.ops->ro_abort();
		end(RELOAD_REFUSED, text);
		return;
	}
	set_verbose(*rl.ops->ro_conf);
	rl.ops->ro_commit(rl.old);
	conf_free(rl.old);
	rl.old = NULL;
	text[0] = '\0';
	if (rl.stay[0] != '\0')
		(void)snprintf(text, sizeof(text), "reloaded, but a restart "
		    "is needed for: %s", rl.stay);
	end(RELOAD_OK, text);
}

/* Values that were exchanged go back with the configuration. */
static void
undo(void)
{
	struct conf	*next = *rl.ops->ro_conf;

	reload_exchange(next, rl.old);
	*rl.ops->ro_conf = rl.old;
	rl.old = NULL;
	conf_free(next);
}

static void
end(enum reload_rc rc, const char *text)
{
	rl.busy = false;
	(void)sdnotify_ready();
	if (rc != RELOAD_OK)
		log_warnx("configuration not reloaded, nothing has changed: "
		    "%s", text);
	else {
		log_info("configuration reloaded: %s%s", rl.nchanged > 0 ?
		    "changed " : "no change", rl.changed);
		if (text[0] != '\0')
			log_warnx("configuration %s", text);
	}
	answer(rc, rl.origin, rl.asked, rl.uid, rc == RELOAD_OK ? rl.changed :
	    "", text);
}

/* The engine is told of a SIGHUP as well: it keeps the audit trail. */
static void
answer(enum reload_rc rc, enum reload_origin origin, uint32_t id, uint32_t uid,
    const char *changed, const char *text)
{
	struct ibuf	*buf;

	if ((buf = ibuf_dynamic(64, 2 * RELOAD_TEXT_SIZE)) == NULL ||
	    ibuf_add_n8(buf, (uint8_t)rc) == -1 ||
	    ibuf_add_n8(buf, (uint8_t)origin) == -1 ||
	    ibuf_add_n32(buf, uid) == -1 ||
	    ibuf_add_string(buf, changed) == -1 ||
	    ibuf_add_string(buf, text) == -1)
		fatal("RELOAD_DONE");
	(void)peer_send_ibuf(proc_peer(proc_self() == ROLE_PARENT ?
	    ROLE_ENGINE : ROLE_A_ENGINE), IMSG_RELOAD_DONE, id, -1, buf);
	ibuf_free(buf);
}

/* -v at the start stays. */
static void
set_verbose(const struct conf *conf)
{
	proc_parent_verbose(rl.opts->do_verbose > 0 ||
	    conf->c_log_level == CONF_DEBUG);
}
