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

#ifndef POLICY_H
#define POLICY_H

#include "compat.h"

#include "sentinel.pb-c.h"

/*
 * What is done when an update of a container is found, and who decided it.
 * One function for both daemons, so that an agent that is on its own decides
 * as its server would.  Pure; nothing is kept.
 */
#define POLICY_LABEL	"sentinel.policy"

enum policy {
	POLICY_NONE,	/* not set here: ask the next one */
	POLICY_AUTO,	/* update without asking */
	POLICY_MANUAL,	/* queue it for a person */
	POLICY_PINNED	/* keep what runs */
};

/* Who decided, strongest first. */
enum policy_origin {
	POLICY_O_LABEL,		/* of the container */
	POLICY_O_OVERRIDE,	/* set for this container on the server */
	POLICY_O_LATEST,	/* latest_auto_update, and the tag is latest */
	POLICY_O_HOST,		/* the host's default */
	POLICY_O_DEFAULT,
	POLICY_O_FALLBACK	/* nobody: manual */
};

struct policy_facts {
	const char	*pf_label;	/* NULL: no such label */
	const char	*pf_image;	/* as created from; may be NULL */
	enum policy	 pf_override;
	enum policy	 pf_host;
	enum policy	 pf_default;
	bool		 pf_latest_auto;
};

struct policy_result {
	enum policy	 pr_policy;	/* never POLICY_NONE */
	enum policy_origin pr_origin;
	bool		 pr_label_ignored; /* its value is no policy */
};

void	 policy_resolve(const struct policy_facts *, struct policy_result *);
/* Letter case is ignored; POLICY_NONE for NULL and any other word. */
enum policy policy_parse(const char *);
/* "auto", "manual", "pinned"; "" for POLICY_NONE.  Static. */
const char *policy_name(enum policy);
/* "label", "override", "latest", "host default", "default", "fallback". */
const char *policy_origin_name(enum policy_origin);
/* Value of POLICY_LABEL, lent; NULL when there is none.  Of two labels with
 * this key the last one counts. */
const char *policy_label(const Sentinel__Cluster__ContainerInfo *);

#endif /* POLICY_H */
