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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_keep.h"
#include "docker_prepare.h"
#include "docker_rollback.h"
#include "docker_steps.h"
#include "imagerule.h"
#include "log.h"

static int	 roll_on_image(struct txn *, const struct json_value *);
static void	 roll_listed(void *, const struct docker_reply *);
static void	 roll_judged(void *, const struct docker_reply *);
static void	 roll_chosen(struct txn *);
static void	 roll_named(void *, const struct docker_reply *);

/* --- preparation ------------------------------------------------------- */

/* Of those that it was rolled back from; NULL: it is another one. */
static const char *
roll_find_bad(const struct txn *tx, const struct json_value *image)
{
	size_t	 i;

	for (i = 0; i < tx->tx_nbad; i++)
		if (docker_image_has_digest(image, tx->tx_bad[i]))
			return (tx->tx_bad[i]);
	return (NULL);
}

static void
roll_fail(struct txn *tx, const char *why)
{
	txn_error(tx, "%s", why);
	prep_fail(tx);
}

void
roll_prepare(struct txn *tx)
{
	if (tx->tx_earlier == NULL && (tx->tx_earlier = keep_new()) == NULL) {
		roll_fail(tx, "out of memory");
		return;
	}
	prep_sent(tx, sweep_list(tx, "/images/json", roll_on_image,
	    roll_listed));
}

static int
roll_on_image(struct txn *tx, const struct json_value *image)
{
	return (keep_add_image(tx->tx_earlier, image, ""));
}

static void
roll_listed(void *arg, const struct docker_reply *dr)
{
	struct txn		*tx = arg;
	struct keep_name	 kn;
	const char		*why = sweep_ended(tx);
	char			 text[UPDATE_ERROR_MAXBYTES];

	tx->tx_req = NULL;
	if (why[0] != '\0' || dr->dr_end != DOCKER_OK) {
		roll_fail(tx, why[0] != '\0' ? why : dr->dr_error);
		return;
	}
	if (keep_choose(tx->tx_earlier, tx->tx_name, tx->tx_old_image,
	    tx->tx_to, tx->tx_new_image, &kn, text, sizeof(text)) == -1)
		roll_fail(tx, text);
	else {
		strlcpy(tx->tx_new_ref, kn.kn_ref, sizeof(tx->tx_new_ref));
		/* Before any hook runs in the container. */
		if (tx->tx_nbad > 0)
			prep_sent(tx, docker_image_inspect(
			    tx->tx_updater->up_docker, tx->tx_new_image,
			    roll_judged, tx));
		else
			roll_chosen(tx);
	}
}

/* Which others there are, by the numbers that --to takes. */
static void
roll_others(const struct txn *tx, char *text, size_t size)
{
	struct keep_choice	 list[KEEP_COUNT_MAX];
	size_t			 len;
	ssize_t			 i, n;

	text[0] = '\0';
	n = keep_list(tx->tx_earlier, tx->tx_name, tx->tx_old_image, list,
	    nitems(list));
	for (i = 0; i < n; i++) {
		len = strlen(text);
		if (strcmp(list[i].kc_id, tx->tx_new_image) != 0 &&
		    size - len > 100)
			(void)snprintf(text + len, size - len, "%s%zd: %.19s "
			    "(%.60s)", len > 0 ? ", " : "", i + 1,
			    list[i].kc_id, list[i].kc_name.kn_ref[0] != '\0' ?
			    list[i].kc_name.kn_ref : "without a name");
	}
}

/* Going back twice must not bring what was left the first time. */
static void
roll_judged(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	const char	*bad;
	char		 others[512];

	if ((js = prep_json(tx, dr, NULL)) == NULL)
		return;
	bad = roll_find_bad(tx, json_root(js));
	json_free(js);
	if (bad == NULL) {
		roll_chosen(tx);
		return;
	}
	roll_others(tx, others, sizeof(others));
	txn_error(tx, "it would go to %.19s (%.200s), which is in quarantine: "
	    "the container was rolled back from it; its id with --to, or "
	    "--force, takes it all the same; %s%s", tx->tx_new_image,
	    tx->tx_new_ref[0] != '\0' ? tx->tx_new_ref : "without a name",
	    others[0] != '\0' ? "others for --to: " : "no other is kept",
	    others);
	prep_fail(tx);
}

/*
 * The container is to have the reference again that it had then, so that a
 * later update knows what to look for.
 */
static void
roll_chosen(struct txn *tx)
{
	struct docker_ref	 rf;
	bool			 is_known;

	is_known = docker_ref_parse(&rf, tx->tx_new_ref) == 0 &&
	    !docker_imageid_ok(tx->tx_new_ref);
	if (!is_known)
		strlcpy(tx->tx_new_ref, tx->tx_new_image,
		    sizeof(tx->tx_new_ref));
	if (tx->tx_rule != NULL &&
	    !imagerule_allows(tx->tx_rule, tx->tx_new_ref)) {
		txn_error(tx, "%s: not allowed by agent.allow.images on this "
		    "host", tx->tx_new_ref);
		prep_fail(tx);
		return;
	}
	if (is_known)
		prep_sent(tx, docker_image_inspect(tx->tx_updater->up_docker,
		    tx->tx_new_ref, roll_named, tx));
	else
		prep_chosen(tx);
}

/* What the reference names now. */
static void
roll_named(void *arg, const struct docker_reply *dr)
{
	struct txn		*tx = arg;
	struct docker_ref	 rf;
	struct json		*js;
	bool			 gone;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	if (js != NULL)
		strlcpy(tx->tx_ref_was, json_get_str(json_root(js), "Id"),
		    sizeof(tx->tx_ref_was));
	json_free(js);
	tx->tx_retag = strcmp(tx->tx_ref_was, tx->tx_new_image) != 0;
	if (tx->tx_retag && (docker_ref_parse(&rf, tx->tx_new_ref) == -1 ||
	    rf.rf_digest[0] != '\0')) {
		/* A digest cannot be given away: the image has only its id. */
		tx->tx_retag = false;
		strlcpy(tx->tx_new_ref, tx->tx_new_image,
		    sizeof(tx->tx_new_ref));
	}
	prep_chosen(tx);
}

/* A label, or what holds without one. */
static unsigned int
roll_label(struct txn *tx, const struct json_value *labels, const char *key,
    unsigned int max, unsigned int unset)
{
	const char	*s = json_get_str(labels, key), *errstr;
	unsigned int	 n;

	if (s[0] == '\0')
		return (unset);
	n = (unsigned int)strtonum(s, 0, max, &errstr);
	if (errstr == NULL)
		return (n);
	log_warnx("update %s: container %s: label %s is %s: %u is used",
	    tx->tx_opid, tx->tx_name, key, errstr, unset);
	return (unset);
}

void
roll_labels(struct txn *tx, const struct json_value *c)
{
	const struct json_value	*labels = json_path(c, "Config.Labels");

	tx->tx_keep_count = roll_label(tx, labels, KEEP_LABEL_COUNT,
	    KEEP_COUNT_MAX, KEEP_COUNT);
	tx->tx_keep_days = roll_label(tx, labels, KEEP_LABEL_DAYS,
	    KEEP_DAYS_MAX, KEEP_DAYS);
	/* Its private name may be the only one that it has left. */
	if (!tx->tx_cleanup && tx->tx_keep_count == 0)
		tx->tx_keep_count = 1;
}

bool
roll_is_bad(struct txn *tx, const struct json_value *image)
{
	const char	*bad;

	if ((bad = roll_find_bad(tx, image)) == NULL)
		return (false);
	txn_error(tx, "%s is %s still, which this container was rolled back "
	    "from: it is in quarantine until there is a newer one; --force "
	    "tries it again", tx->tx_new_ref, bad);
	return (true);
}

/* --- in the journal ---------------------------------------------------- */

void
roll_note_put(const struct txn *tx, char note[ROLL_NOTE_MAXBYTES])
{
	snprintf(note, ROLL_NOTE_MAXBYTES, ";keep=%u;days=%u%s%s%s%s",
	    tx->tx_keep_count, tx->tx_keep_days,
	    tx->tx_cleanup ? ";cleanup" : "", tx->tx_retag ? ";retag" : "",
	    tx->tx_ref_was[0] != '\0' ? ";was=" : "", tx->tx_ref_was);
}

static unsigned int
roll_number(const char *s, unsigned int max)
{
	const char	*errstr;

	return ((unsigned int)strtonum(s, 0, max, &errstr));
}

/* A plan of an earlier version has none: then nothing is kept or cleaned. */
void
roll_note_get(struct txn *tx, const char *note)
{
	char	 text[ROLL_NOTE_MAXBYTES], *p = text, *word;

	strlcpy(text, note, sizeof(text));
	while ((word = strsep(&p, ";")) != NULL) {
		if (strncmp(word, "keep=", 5) == 0)
			tx->tx_keep_count = roll_number(word + 5,
			    KEEP_COUNT_MAX);
		else if (strncmp(word, "days=", 5) == 0)
			tx->tx_keep_days = roll_number(word + 5,
			    KEEP_DAYS_MAX);
		else if (strcmp(word, "cleanup") == 0)
			tx->tx_cleanup = true;
		else if (strcmp(word, "retag") == 0)
			tx->tx_retag = true;
		else if (strncmp(word, "was=", 4) == 0 &&
		    docker_imageid_ok(word + 4))
			strlcpy(tx->tx_ref_was, word + 4,
			    sizeof(tx->tx_ref_was));
	}
}

/* --- steps ------------------------------------------------------------- */

static enum txn_act
roll_tag(struct txn *tx, const char *id)
{
	struct docker_ref	 rf;

	if (docker_ref_parse(&rf, tx->tx_new_ref) == -1) {
		txn_error(tx, "%s: bad image reference \"%s\"",
		    tx->tx_step->st_name, tx->tx_new_ref);
		return (ACT_FAIL);
	}
	return (step_sent(tx, docker_image_tag(step_docker(tx), id,
	    rf.rf_repo, rf.rf_tag, txn_replied, tx)));
}

enum txn_act
roll_retag(struct txn *tx, const struct json_value *seen)
{
	(void)seen;
	return (tx->tx_retag ? roll_tag(tx, tx->tx_new_image) : ACT_DONE);
}

/* When it came to nothing: as if nobody had asked. */
enum txn_act
roll_tagback(struct txn *tx, const struct json_value *seen)
{
	(void)seen;
	if (!tx->tx_retag)
		return (ACT_DONE);
	if (tx->tx_ref_was[0] != '\0')
		return (roll_tag(tx, tx->tx_ref_was));
	return (step_sent(tx, docker_image_untag(step_docker(tx),
	    tx->tx_new_ref, txn_replied, tx)));
}
