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

#ifndef DOCKER_KEEP_H
#define DOCKER_KEEP_H

#include "compat.h"

#include "docker_api.h"

/*
 * Earlier images of a container, for rollbacks: after an update the image
 * that was replaced keeps a private name, which holds all there is to know,
 *	sentinel-keep/rREF:CONTAINER.TIME
 * REF is the reference that the container was made from ("-" and two hex
 * digits for what is no lower-case letter or digit), TIME when it was
 * replaced, ten hex digits.  So what can be brought back is what Docker has,
 * and nothing else has to be remembered.  Pure.
 */
#define KEEP_REPO		"sentinel-keep"
#define KEEP_LABEL_COUNT	"sentinel.rollback.keep"
#define KEEP_LABEL_DAYS		"sentinel.rollback.days"
#define KEEP_COUNT		2	/* images of a container, */
#define KEEP_COUNT_MAX		20
#define KEEP_DAYS		30	/* not longer than; 0: for ever */
#define KEEP_DAYS_MAX		3650
#define KEEP_NAME_MAX		117	/* longer names keep nothing */
#define KEEP_TAG_MAXBYTES	129
#define KEEP_TO_MAXBYTES	80	/* sha256: and 64 digits, with NUL */
#define KEEP_DROPS_MAX		256	/* names dropped in one clean-up */

struct keep_name {
	char		 kn_container[DOCKER_NAME_MAXBYTES];
	char		 kn_ref[DOCKER_REF_MAXBYTES];
	int64_t		 kn_time;	/* seconds since 1970 */
};

/* An image that has a private name, or is the one that was replaced. */
struct keep_image {
	TAILQ_ENTRY(keep_image) ki_entry;
	char		 ki_id[80];
	char		**ki_tags;	/* all its names */
	size_t		 ki_ntags;
	size_t		 ki_ndigests;
	char		 ki_digest[DOCKER_REF_MAXBYTES + 80]; /* one, or "" */
};
TAILQ_HEAD(keep_images, keep_image);

/* What a clean-up looks at, and what it is to do then. */
struct keep {
	struct keep_images kp_images;
	char		**kp_used;	/* image ids of all containers */
	size_t		 kp_nused;
	char		**kp_names;	/* names of all containers */
	size_t		 kp_nnames;
	char		**kp_drops;	/* in order: names, then ids */
	size_t		 kp_ndrops;
};

/* How a clean-up judges. */
struct keep_rule {
	const char	*kr_container;
	const char	*kr_image;	/* id that it has now */
	const char	*kr_old_image;	/* id that it had */
	const char	*kr_old_ref;	/* and the reference of that */
	unsigned int	 kr_count;
	unsigned int	 kr_days;
	bool		 kr_cleanup;	/* images go, not only private names */
	int64_t		 kr_now;
};

struct keep	*keep_new(void);	/* NULL: ENOMEM */
void		 keep_free(struct keep *);
/* Forget what was gathered: containers, or images. */
void		 keep_reset_used(struct keep *);
void		 keep_reset_images(struct keep *);
/* An element of /containers/json; of /images/json, taken when it has a
 * private name or is the image also.  0, or -1 ENOMEM. */
int		 keep_add_container(struct keep *, const struct json_value *);
int		 keep_add_image(struct keep *, const struct json_value *,
		    const char *also);
/* Has this image a private name of the container? */
bool		 keep_has(const struct keep *, const char *id,
		    const char *container);
/* One more that must not go. */
int		 keep_add_used(struct keep *, const char *id);

/* repo of DOCKER_REF_MAXBYTES, tag of KEEP_TAG_MAXBYTES.  -1: the container's
 * name is too long for it. */
int		 keep_make_name(char *repo, char *tag, const char *container,
		    const char *ref, int64_t now);
/* -1: it is none of ours. */
int		 keep_parse_name(struct keep_name *, const char *);

/* One to go back to; lent by the struct keep. */
struct keep_choice {
	const char		*kc_id;
	const char		*kc_digest;	/* or "" */
	struct keep_name	 kc_name;
};

/* All of them in the order that keep_choose() counts in, max at most; their
 * number, -1: ENOMEM. */
ssize_t		 keep_list(const struct keep *, const char *container,
		    const char *current, struct keep_choice *, size_t max);
/*
 * The image to go back to: to "" the newest, "1".."20" counted from there, or
 * an id or its first 12 digits or more.  The image that the container has now
 * does not count.  0 with id and what is known of it; -1 and a line that says
 * what there is.
 */
int		 keep_choose(const struct keep *, const char *container,
		    const char *current, const char *to, char id[80],
		    struct keep_name *, char *err, size_t errsize);
/* Is it well-formed?  Is it an id, so not counted? */
bool		 keep_to_ok(const char *to);
bool		 keep_to_is_id(const char *to);
/* Fills kp_drops.  0, or -1 ENOMEM. */
int		 keep_decide(struct keep *, const struct keep_rule *);

#endif /* DOCKER_KEEP_H */
