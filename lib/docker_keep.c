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

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_item.h"
#include "docker_keep.h"

#define KEEP_ITEMS_MAX	1024	/* private names on a host */
#define KEEP_SHORT_MIN	12	/* digits of an id */

/* One private name of an image. */
struct keep_item {
	const struct keep_image	*it_image;
	const char		*it_tag;
	struct keep_name	 it_name;
};

static int	 keep_string(char ***, size_t *, const char *);
static void	 keep_strings_free(char ***, size_t *);

/* --- private names ----------------------------------------------------- */

int
keep_make_name(char *repo, char *tag, const char *container, const char *ref,
    int64_t now)
{
	char	 text[256];
	size_t	 len = 0, i;

	if (strlen(container) > KEEP_NAME_MAX || now < 0)
		return (-1);
	text[0] = '\0';
	for (i = 0; ref[i] != '\0'; i++) {
		/* Docker takes 255 bytes; without it there are other ways. */
		if (len > 255 - sizeof(KEEP_REPO "/r") - 3) {
			text[0] = '\0';
			break;
		}
		if (islower((unsigned char)ref[i]) ||
		    isdigit((unsigned char)ref[i]))
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%c", ref[i]);
		else
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "-%02x", (unsigned char)ref[i]);
	}
	snprintf(repo, DOCKER_REF_MAXBYTES, "%s/r%s", KEEP_REPO, text);
	snprintf(tag, KEEP_TAG_MAXBYTES, "%s.%010llx", container,
	    (unsigned long long)now & 0xffffffffffULL);
	return (0);
}

/* Lower-case, as they were written. */
static int
keep_digit(char c)
{
	return (c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ?
	    c - 'a' + 10 : -1);
}

static int
keep_parse_ref(char *dst, size_t size, const char *s, size_t len)
{
	size_t	 i, n = 0;
	int	 c, high, low;

	for (i = 0; i < len; i++) {
		c = (unsigned char)s[i];
		if (c == '-') {
			if (len - i < 3 || (high = keep_digit(s[i + 1])) == -1
			    || (low = keep_digit(s[i + 2])) == -1)
				return (-1);
			c = high << 4 | low;
			/* What we never write so is somebody else's name. */
			if (c <= ' ' || c >= 0x7f || islower(c) || isdigit(c))
				return (-1);
			i += 2;
		} else if (!islower(c) && !isdigit(c))
			return (-1);
		if (n + 1 >= size)
			return (-1);
		dst[n++] = (char)c;
	}
	dst[n] = '\0';
	return (0);
}

int
keep_parse_name(struct keep_name *kn, const char *name)
{
	const char	*p, *tag;
	size_t		 len;
	int		 i, digit;

	/* Podman puts a registry before it, and nothing more. */
	p = name;
	if (strncmp(p, KEEP_REPO "/r", sizeof(KEEP_REPO "/r") - 1) != 0 &&
	    ((p = strchr(name, '/')) == NULL || strncmp(++p, KEEP_REPO "/r",
	    sizeof(KEEP_REPO "/r") - 1) != 0))
		return (-1);
	p += sizeof(KEEP_REPO "/r") - 1;
	if ((tag = strchr(p, ':')) == NULL || keep_parse_ref(kn->kn_ref,
	    sizeof(kn->kn_ref), p, (size_t)(tag - p)) == -1)
		return (-1);
	tag++;
	len = strlen(tag);
	if (len < 12 || len - 11 > KEEP_NAME_MAX ||
	    tag[len - 11] != '.')
		return (-1);
	memcpy(kn->kn_container, tag, len - 11);
	kn->kn_container[len - 11] = '\0';
	kn->kn_time = 0;
	for (i = 10; i > 0; i--) {
		if ((digit = keep_digit(tag[len - (size_t)i])) == -1)
			return (-1);
		kn->kn_time = kn->kn_time << 4 | digit;
	}
	return (docker_name_ok(kn->kn_container) ? 0 : -1);
}

/* --- what there is ----------------------------------------------------- */

struct keep *
keep_new(void)
{
	struct keep	*kp;

	if ((kp = calloc(1, sizeof(*kp))) != NULL)
		TAILQ_INIT(&kp->kp_images);
	return (kp);
}

void
keep_free(struct keep *kp)
{
	if (kp == NULL)
		return;
	keep_reset_used(kp);
	keep_reset_images(kp);
	free(kp);
}

static int
keep_string(char ***list, size_t *n, const char *s)
{
	char	**p;

	if ((p = reallocarray(*list, *n + 1, sizeof(char *))) == NULL)
		return (-1);
	*list = p;
	if ((p[*n] = strdup(s)) == NULL)
		return (-1);
	(*n)++;
	return (0);
}

static void
keep_strings_free(char ***list, size_t *n)
{
	while (*n > 0)
		free((*list)[--*n]);
	free(*list);
	*list = NULL;
}

static bool
keep_is_among(char **list, size_t n, const char *s)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return (true);
	return (false);
}

void
keep_reset_used(struct keep *kp)
{
	keep_strings_free(&kp->kp_used, &kp->kp_nused);
	keep_strings_free(&kp->kp_names, &kp->kp_nnames);
}

void
keep_reset_images(struct keep *kp)
{
	struct keep_image	*ki;

	while ((ki = TAILQ_FIRST(&kp->kp_images)) != NULL) {
		TAILQ_REMOVE(&kp->kp_images, ki, ki_entry);
		keep_strings_free(&ki->ki_tags, &ki->ki_ntags);
		free(ki);
	}
	keep_strings_free(&kp->kp_drops, &kp->kp_ndrops);
}

int
keep_add_used(struct keep *kp, const char *id)
{
	if (id[0] == '\0' || keep_is_among(kp->kp_used, kp->kp_nused, id))
		return (0);
	return (keep_string(&kp->kp_used, &kp->kp_nused, id));
}

bool
keep_has(const struct keep *kp, const char *id, const char *container)
{
	const struct keep_image	*ki;
	struct keep_name	 kn;
	size_t			 i;

	TAILQ_FOREACH(ki, &kp->kp_images, ki_entry)
		for (i = 0; strcmp(ki->ki_id, id) == 0 && i < ki->ki_ntags;
		    i++)
			if (keep_parse_name(&kn, ki->ki_tags[i]) == 0 &&
			    strcmp(kn.kn_container, container) == 0)
				return (true);
	return (false);
}

int
keep_add_container(struct keep *kp, const struct json_value *c)
{
	const struct json_value	*v = json_get(c, "Names");
	const char		*s;

	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if ((s = json_str(v)) != NULL && keep_string(&kp->kp_names,
		    &kp->kp_nnames, s + (*s == '/')) == -1)
			return (-1);
	return (keep_add_used(kp, json_get_str(c, "ImageID")));
}

int
keep_add_image(struct keep *kp, const struct json_value *image,
    const char *also)
{
	const struct json_value	*v = json_get(image, "RepoTags");
	struct keep_image	*ki;
	struct keep_name	 kn;
	const char		*s, *id = json_get_str(image, "Id");
	bool			 is_ours = strcmp(id, also) == 0;

	if (!docker_imageid_ok(id))
		return (0);
	if ((ki = calloc(1, sizeof(*ki))) == NULL)
		return (-1);
	TAILQ_INSERT_TAIL(&kp->kp_images, ki, ki_entry);
	strlcpy(ki->ki_id, id, sizeof(ki->ki_id));
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		/* Docker 20.10 calls those without a name so. */
		if ((s = json_str(v)) == NULL || s[0] == '<')
			continue;
		if (keep_string(&ki->ki_tags, &ki->ki_ntags, s) == -1)
			return (-1);
		is_ours |= keep_parse_name(&kn, s) == 0;
	}
	v = json_get(image, "RepoDigests");
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		ki->ki_ndigests += (s = json_str(v)) != NULL && s[0] != '<';
	if ((s = docker_image_digest(image)) != NULL)
		strlcpy(ki->ki_digest, s, sizeof(ki->ki_digest));
	if (!is_ours) {
		TAILQ_REMOVE(&kp->kp_images, ki, ki_entry);
		keep_strings_free(&ki->ki_tags, &ki->ki_ntags);
		free(ki);
	}
	return (0);
}

/* --- choice ------------------------------------------------------------ */

static int
keep_item_cmp(const void *x, const void *y)
{
	const struct keep_item	*a = x, *b = y;

	if (a->it_name.kn_time != b->it_name.kn_time)
		return (a->it_name.kn_time < b->it_name.kn_time ? 1 : -1);
	return (strcmp(b->it_tag, a->it_tag));
}

/* All private names of a container, NULL: of any; the newest first.  The
 * caller frees.  -1: ENOMEM. */
static int
keep_items(const struct keep *kp, const char *container,
    struct keep_item **items, size_t *n)
{
	const struct keep_image	*ki;
	struct keep_item	*it;
	size_t			 i;

	*n = 0;
	if ((*items = calloc(KEEP_ITEMS_MAX, sizeof(**items))) == NULL)
		return (-1);
	TAILQ_FOREACH(ki, &kp->kp_images, ki_entry)
		for (i = 0; i < ki->ki_ntags && *n < KEEP_ITEMS_MAX; i++) {
			it = &(*items)[*n];
			if (keep_parse_name(&it->it_name, ki->ki_tags[i]) ==
			    -1 || (container != NULL &&
			    strcmp(it->it_name.kn_container, container) != 0))
				continue;
			it->it_image = ki;
			it->it_tag = ki->ki_tags[i];
			(*n)++;
		}
	qsort(*items, *n, sizeof(**items), keep_item_cmp);
	return (0);
}

/* Is the image of one of the first n the same? */
static bool
keep_is_seen(const struct keep_item *items, size_t n,
    const struct keep_image *ki)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (items[i].it_image == ki)
			return (true);
	return (false);
}

static const char *
keep_hex(const char *to)
{
	return (strncmp(to, "sha256:", 7) == 0 ? to + 7 : to);
}

/* "" the newest, a number, or an id. */
bool
keep_to_ok(const char *to)
{
	const char	*s = keep_hex(to), *errstr;
	size_t		 len = strlen(s);

	if (to[0] == '\0')
		return (true);
	if (s == to && len < 3) {
		(void)strtonum(s, 1, KEEP_COUNT_MAX, &errstr);
		return (errstr == NULL && isdigit((unsigned char)s[0]));
	}
	return (len >= KEEP_SHORT_MIN && len <= 64 &&
	    strspn(s, "0123456789abcdef") == len);
}

bool
keep_to_is_id(const char *to)
{
	return (strlen(keep_hex(to)) >= KEEP_SHORT_MIN);
}

static bool
keep_matches(const struct keep_item *it, size_t place, const char *to)
{
	const char	*s = keep_hex(to), *errstr;

	if (to[0] == '\0')
		return (place == 1);
	if (s == to && strlen(s) < 3)
		return (strtonum(s, 1, KEEP_COUNT_MAX, &errstr) ==
		    (long long)place);
	return (strncmp(it->it_image->ki_id + 7, s, strlen(s)) == 0);
}

static void
keep_append(char *text, size_t size, size_t place,
    const struct keep_item *it)
{
	size_t	 len = strlen(text);

	if (size - len > 100)
		snprintf(text + len, size - len, "%s%zu: %.19s (%.60s)",
		    place == 1 ? "there are " : ", ", place,
		    it->it_image->ki_id, it->it_name.kn_ref[0] != '\0' ?
		    it->it_name.kn_ref : "without a name");
}

/* Those of a container, without the image that it has now, each once. */
static int
keep_earlier(const struct keep *kp, const char *container,
    const char *current, struct keep_item **items, size_t *n)
{
	size_t	 i, all;

	*n = 0;
	if (keep_items(kp, container, items, &all) == -1)
		return (-1);
	for (i = 0; i < all; i++)
		if (strcmp((*items)[i].it_image->ki_id, current) != 0 &&
		    !keep_is_seen(*items, *n, (*items)[i].it_image))
			(*items)[(*n)++] = (*items)[i];
	return (0);
}

ssize_t
keep_list(const struct keep *kp, const char *container, const char *current,
    struct keep_choice *list, size_t max)
{
	struct keep_item	*items;
	size_t			 n, i;

	if (keep_earlier(kp, container, current, &items, &n) == -1)
		return (-1);
	for (i = 0; i < n && i < max; i++) {
		list[i].kc_id = items[i].it_image->ki_id;
		list[i].kc_digest = items[i].it_image->ki_digest;
		list[i].kc_name = items[i].it_name;
	}
	free(items);
	return ((ssize_t)i);
}

int
keep_choose(const struct keep *kp, const char *container, const char *current,
    const char *to, char id[80], struct keep_name *kn, char *err,
    size_t errsize)
{
	struct keep_item	*items, *found = NULL;
	char			 have[512] = "";
	size_t			 n, i, nfound = 0;

	if (keep_earlier(kp, container, current, &items, &n) == -1) {
		strlcpy(err, "out of memory", errsize);
		return (-1);
	}
	for (i = 0; i < n; i++) {
		keep_append(have, sizeof(have), i + 1, &items[i]);
		if (keep_matches(&items[i], i + 1, to)) {
			found = &items[i];
			nfound++;
		}
	}
	if (nfound == 1) {
		strlcpy(id, found->it_image->ki_id, 80);
		*kn = found->it_name;
	} else if (n == 0)
		snprintf(err, errsize, "no earlier image of this container is "
		    "kept on the host");
	else
		snprintf(err, errsize, "%s %s of this container: %s",
		    to, nfound > 1 ? "is more than one earlier image" :
		    "is no earlier image", have);
	free(items);
	return (nfound == 1 ? 0 : -1);
}

/* --- clean-up ---------------------------------------------------------- */

static bool
keep_is_old(const struct keep_item *it, int64_t now, unsigned int days)
{
	return (days != 0 &&
	    now - it->it_name.kn_time > (int64_t)days * 86400);
}

/* Of the container in question: the newest ones, each image once.  Of a
 * container that is gone: for a while.  Of others: their own updates see to
 * it.  Items that go lose their tag's claim: false. */
static void
keep_judge(const struct keep *kp, const struct keep_rule *kr,
    const struct keep_item *items, size_t n, bool *stays)
{
	const struct keep_item	*it;
	size_t			 i, j;
	unsigned int		 count = 0;

	for (i = 0; i < n; i++) {
		it = &items[i];
		if (strcmp(it->it_name.kn_container, kr->kr_container) != 0) {
			stays[i] = keep_is_among(kp->kp_names, kp->kp_nnames,
			    it->it_name.kn_container) ||
			    !keep_is_old(it, kr->kr_now, KEEP_DAYS);
			continue;
		}
		stays[i] = strcmp(it->it_image->ki_id, kr->kr_image) != 0 &&
		    count < kr->kr_count &&
		    !keep_is_old(it, kr->kr_now, kr->kr_days);
		for (j = 0; stays[i] && j < i; j++)
			if (stays[j] && items[j].it_image == it->it_image &&
			    strcmp(items[j].it_name.kn_container,
			    kr->kr_container) == 0)
				stays[i] = false;
		count += stays[i];
	}
}

static int
keep_drop(struct keep *kp, const char *name)
{
	if (kp->kp_ndrops >= KEEP_DROPS_MAX)
		return (0);
	return (keep_string(&kp->kp_drops, &kp->kp_ndrops, name));
}

/* The name that a container was made from, if the image still has it. */
static int
keep_drop_ref(struct keep *kp, const struct keep_image *ki, const char *ref,
    size_t *left)
{
	struct docker_ref	 rf;
	char			 name[DOCKER_REF_MAXBYTES + 136];

	if (docker_ref_parse(&rf, ref) == -1 || rf.rf_tag[0] == '\0')
		return (0);
	snprintf(name, sizeof(name), "%s:%s", rf.rf_repo, rf.rf_tag);
	if (!keep_is_among(ki->ki_tags, ki->ki_ntags, name) ||
	    keep_is_among(kp->kp_drops, kp->kp_ndrops, name))
		return (0);
	(*left)--;
	return (keep_drop(kp, name));
}

/*
 * Private names that are wanted no more, and when nobody needs the image the
 * names it was known by, and the image.  Docker deletes an image with its last
 * name, and refuses that while a container uses it.
 */
static int
keep_decide_image(struct keep *kp, const struct keep_rule *kr,
    const struct keep_image *ki, const struct keep_item *items, size_t n,
    const bool *stays)
{
	size_t	 i, left = ki->ki_ntags, mine = 0, gone = 0;
	bool	 used, ours;

	for (i = 0; i < n; i++)
		if (items[i].it_image == ki) {
			mine++;
			gone += !stays[i];
		}
	used = keep_is_among(kp->kp_used, kp->kp_nused, ki->ki_id);
	ours = gone > 0 || strcmp(ki->ki_id, kr->kr_old_image) == 0;
	if (!ours || gone < mine)
		used = true;		/* or somebody may need it */
	/* Whether or not: never the last name of one that is to stay. */
	if ((used || !kr->kr_cleanup) && gone == ki->ki_ntags &&
	    ki->ki_ndigests == 0)
		return (0);
	for (i = 0; i < n; i++) {
		if (items[i].it_image != ki || stays[i])
			continue;
		if (!used && kr->kr_cleanup && keep_drop_ref(kp, ki,
		    items[i].it_name.kn_ref, &left) == -1)
			return (-1);
		left--;
		if (keep_drop(kp, items[i].it_tag) == -1)
			return (-1);
	}
	if (used || !kr->kr_cleanup)
		return (0);
	if (mine == 0 && keep_drop_ref(kp, ki, kr->kr_old_ref, &left) == -1)
		return (-1);
	return (left == 0 ? keep_drop(kp, ki->ki_id) : 0);
}

int
keep_decide(struct keep *kp, const struct keep_rule *kr)
{
	const struct keep_image	*ki;
	struct keep_item	*items;
	bool			 stays[KEEP_ITEMS_MAX];
	size_t			 n;
	int			 rc = 0;

	keep_strings_free(&kp->kp_drops, &kp->kp_ndrops);
	if (keep_items(kp, NULL, &items, &n) == -1)
		return (-1);
	keep_judge(kp, kr, items, n, stays);
	TAILQ_FOREACH(ki, &kp->kp_images, ki_entry)
		if (rc == 0)
			rc = keep_decide_image(kp, kr, ki, items, n, stays);
	free(items);
	return (rc);
}
