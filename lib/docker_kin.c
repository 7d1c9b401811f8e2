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

#include <stdlib.h>
#include <string.h>

#include "docker_kin.h"
#include "monotime.h"

#define KIN_MAXBYTES	16384	/* JSON of one; longer ones are not kept */

struct kin_one {
	char			 ki_id[DOCKER_ID_LEN + 1];
	RB_ENTRY(kin_one)	 ki_entry;
	TAILQ_ENTRY(kin_one)	 ki_line;	/* while ki_text is NULL */
	char			*ki_text;	/* JSON; NULL: not known */
	size_t			 ki_len;
};
RB_HEAD(kin_tree, kin_one);

struct kin {
	struct docker		*kn_docker;
	struct kin_tree		 kn_ones;
	size_t			 kn_count;
	TAILQ_HEAD(, kin_one)	 kn_line;
	struct event		*kn_timer;
	struct docker_req	*kn_req;
	char			 kn_asked[DOCKER_ID_LEN + 1];
};

static void	 kin_tick(int, short, void *);
static void	 kin_looked(void *, const struct docker_reply *);
static int	 kin_cmp(const struct kin_one *, const struct kin_one *);

RB_PROTOTYPE_STATIC(kin_tree, kin_one, ki_entry, kin_cmp)
RB_GENERATE_STATIC(kin_tree, kin_one, ki_entry, kin_cmp)

static int
kin_cmp(const struct kin_one *a, const struct kin_one *b)
{
	return (strcmp(a->ki_id, b->ki_id));
}

struct kin *
kin_new(struct event_base *base, struct docker *dk)
{
	struct kin	*kn;

	if ((kn = calloc(1, sizeof(*kn))) == NULL)
		return (NULL);
	RB_INIT(&kn->kn_ones);
	TAILQ_INIT(&kn->kn_line);
	kn->kn_docker = dk;
	if ((kn->kn_timer = evtimer_new(base, kin_tick, kn)) == NULL) {
		free(kn);
		return (NULL);
	}
	return (kn);
}

static struct kin_one *
kin_find(struct kin *kn, const char *id)
{
	struct kin_one	 want;

	strlcpy(want.ki_id, id, sizeof(want.ki_id));
	return (RB_FIND(kin_tree, &kn->kn_ones, &want));
}

static void
kin_drop(struct kin *kn, struct kin_one *ki)
{
	if (ki->ki_text == NULL)
		TAILQ_REMOVE(&kn->kn_line, ki, ki_line);
	RB_REMOVE(kin_tree, &kn->kn_ones, ki);
	kn->kn_count--;
	free(ki->ki_text);
	free(ki);
}

static void
kin_clear(struct kin *kn)
{
	struct kin_one	*ki;

	while ((ki = RB_ROOT(&kn->kn_ones)) != NULL)
		kin_drop(kn, ki);
}

void
kin_free(struct kin *kn)
{
	if (kn == NULL)
		return;
	docker_cancel(kn->kn_req);
	kin_clear(kn);
	event_free(kn->kn_timer);
	free(kn);
}

/* Unless a look is under way, which does it at its end. */
static void
kin_arm(struct kin *kn, unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	if (kn->kn_req == NULL && !TAILQ_EMPTY(&kn->kn_line) &&
	    !evtimer_pending(kn->kn_timer, NULL))
		evtimer_add(kn->kn_timer, &tv);
}

static struct kin_one *
kin_add(struct kin *kn, const char *id)
{
	struct kin_one	*ki;

	if (!docker_id_ok(id))
		return (NULL);
	if ((ki = kin_find(kn, id)) != NULL)
		return (ki);
	if (kn->kn_count == KIN_MAX)
		kin_clear(kn);
	if ((ki = calloc(1, sizeof(*ki))) == NULL)
		return (NULL);
	strlcpy(ki->ki_id, id, sizeof(ki->ki_id));
	RB_INSERT(kin_tree, &kn->kn_ones, ki);
	kn->kn_count++;
	TAILQ_INSERT_TAIL(&kn->kn_line, ki, ki_line);
	return (ki);
}

void
kin_see(struct kin *kn, const char *id)
{
	if (kin_add(kn, id) != NULL)
		kin_arm(kn, KIN_MSEC);
}

void
kin_gone(struct kin *kn, const char *id)
{
	struct kin_one	*ki;

	if ((ki = kin_find(kn, id)) != NULL)
		kin_drop(kn, ki);
}

/* --- one container ----------------------------------------------------- */

/* The members that docker_depend.c reads, and of these what says something. */
static char *
kin_text(const struct json_value *inspect, size_t *len)
{
	static const char *const	 members[] = { "NetworkMode",
		"IpcMode", "PidMode", "VolumesFrom", "AutoRemove" };
	const struct json_value		*host = json_get(inspect,
					    "HostConfig"), *v;
	struct json_gen			*jg;
	char				*text;
	size_t				 i;

	if (!json_is(host, JSON_OBJECT) ||
	    (jg = json_gen_new(KIN_MAXBYTES)) == NULL)
		return (NULL);
	json_gen_object(jg);
	json_gen_key(jg, "HostConfig");
	json_gen_object(jg);
	for (i = 0; i < nitems(members); i++) {
		v = json_get(host, members[i]);
		if (json_is_zero(v) || (json_is(v, JSON_STRING) &&
		    strncmp(v->jv_str, "container:", 10) != 0))
			continue;
		json_gen_key(jg, members[i]);
		json_gen_value(jg, v);
	}
	json_gen_end_object(jg);
	json_gen_end_object(jg);
	text = json_gen_take(jg, len);
	json_gen_free(jg);
	return (text);
}

void
kin_learn(struct kin *kn, const struct json_value *inspect)
{
	struct kin_one	*ki;

	if (kn == NULL || (ki = kin_add(kn, json_get_str(inspect,
	    "Id"))) == NULL || ki->ki_text != NULL)
		return;
	if ((ki->ki_text = kin_text(inspect, &ki->ki_len)) != NULL)
		TAILQ_REMOVE(&kn->kn_line, ki, ki_line);
	else
		kin_drop(kn, ki);	/* to be inspected when it matters */
}

struct json *
kin_get(struct kin *kn, const char *id)
{
	struct kin_one	*ki;

	if (kn == NULL || (ki = kin_find(kn, id)) == NULL ||
	    ki->ki_text == NULL)
		return (NULL);
	return (json_parse(ki->ki_text, ki->ki_len, NULL, 0));
}

/* --- the looks --------------------------------------------------------- */

static void
kin_tick(int fd, short what, void *arg)
{
	struct kin	*kn = arg;
	struct kin_one	*ki = TAILQ_FIRST(&kn->kn_line);

	(void)fd;
	(void)what;
	if (ki == NULL || kn->kn_req != NULL)
		return;
	strlcpy(kn->kn_asked, ki->ki_id, sizeof(kn->kn_asked));
	kn->kn_req = docker_inspect(kn->kn_docker, ki->ki_id, kin_looked, kn);
	if (kn->kn_req == NULL)
		kin_arm(kn, KIN_AGAIN_MSEC);
}

static void
kin_looked(void *arg, const struct docker_reply *dr)
{
	struct kin	*kn = arg;
	struct kin_one	*ki;
	struct json	*js = NULL;
	unsigned int	 wait = KIN_MSEC;

	kn->kn_req = NULL;
	if (dr->dr_end == DOCKER_OK)
		js = json_parse(dr->dr_body, dr->dr_len, NULL, 0);
	/* Gone while the answer was under way: nobody would drop it again. */
	if (js != NULL && kin_find(kn, kn->kn_asked) != NULL)
		kin_learn(kn, json_root(js));
	else if (dr->dr_end != DOCKER_OK && dr->dr_end != DOCKER_REFUSED)
		wait = KIN_AGAIN_MSEC;	/* Docker is away, perhaps */
	json_free(js);
	/* Gone, or not understood: an update that needs it will say so. */
	if (wait == KIN_MSEC && (ki = kin_find(kn, kn->kn_asked)) != NULL &&
	    ki->ki_text == NULL)
		kin_drop(kn, ki);
	kin_arm(kn, wait);
}
