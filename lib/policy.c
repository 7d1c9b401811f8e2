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

#include "policy.h"

#include <string.h>
#include <strings.h>

#include "docker_api.h"

static bool	 is_latest(const char *);

static const char *const	names[] = {
	[POLICY_NONE] = "",
	[POLICY_AUTO] = "auto",
	[POLICY_MANUAL] = "manual",
	[POLICY_PINNED] = "pinned",
};

static const char *const	origins[] = {
	[POLICY_O_LABEL] = "label",
	[POLICY_O_OVERRIDE] = "override",
	[POLICY_O_LATEST] = "latest",
	[POLICY_O_HOST] = "host default",
	[POLICY_O_DEFAULT] = "default",
	[POLICY_O_FALLBACK] = "fallback",
};

enum policy
policy_parse(const char *word)
{
	size_t	 i;

	for (i = POLICY_AUTO; word != NULL && i < nitems(names); i++) {
		if (strcasecmp(word, names[i]) == 0)
			return ((enum policy)i);
	}
	return (POLICY_NONE);
}

const char *
policy_name(enum policy p)
{
	return (names[p]);
}

const char *
policy_origin_name(enum policy_origin o)
{
	return (origins[o]);
}

const char *
policy_label(const Sentinel__Cluster__ContainerInfo *info)
{
	size_t	 i;

	for (i = info->n_labels; i > 0; i--) {
		if (strcmp(info->labels[i - 1]->key, POLICY_LABEL) == 0)
			return (info->labels[i - 1]->value);
	}
	return (NULL);
}

/* A digest without a tag says exactly what is wanted. */
static bool
is_latest(const char *image)
{
	struct docker_ref	 rf;

	return (image != NULL && docker_ref_parse(&rf, image) == 0 &&
	    rf.rf_digest[0] == '\0' && strcmp(rf.rf_tag, "latest") == 0);
}

/* A label comes from whoever made the container: only known words count. */
void
policy_resolve(const struct policy_facts *pf, struct policy_result *pr)
{
	enum policy	 label = policy_parse(pf->pf_label);
	const struct {
		enum policy		 policy;
		enum policy_origin	 origin;
	} order[] = {
		{ label,		POLICY_O_LABEL },
		{ pf->pf_override,	POLICY_O_OVERRIDE },
		{ pf->pf_latest_auto && is_latest(pf->pf_image) ?
		    POLICY_AUTO : POLICY_NONE, POLICY_O_LATEST },
		{ pf->pf_host,		POLICY_O_HOST },
		{ pf->pf_default,	POLICY_O_DEFAULT },
		{ POLICY_MANUAL,	POLICY_O_FALLBACK },
	};
	size_t	 i = 0;

	pr->pr_label_ignored = pf->pf_label != NULL && label == POLICY_NONE;
	while (order[i].policy == POLICY_NONE)
		i++;
	pr->pr_policy = order[i].policy;
	pr->pr_origin = order[i].origin;
}
