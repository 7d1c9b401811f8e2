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

#include <openssl/sha.h>

#include "imsg_rule.h"
#include "log.h"

static const struct imsg_rule rules[] = {
#define IMSG(name, num, from, to, min, max, fd)				\
	{ num, #name, from, to, min, max, fd },
#include "imsg_types.def"
#undef IMSG
};

enum imsg_row {
#define IMSG(name, num, from, to, min, max, fd)	ROW_##name,
#include "imsg_types.def"
#undef IMSG
};

static bool	 rule_has_role(uint32_t, enum role);

/* The compiler refuses a number that is used twice. */
const struct imsg_rule *
imsg_rule_find(uint32_t type)
{
	switch (type) {
#define IMSG(name, num, from, to, min, max, fd)				\
	case num:							\
		return (&rules[ROW_##name]);
#include "imsg_types.def"
#undef IMSG
	default:
		return (NULL);
	}
}

const struct imsg_rule *
imsg_rule_at(size_t i)
{
	return (i < nitems(rules) ? &rules[i] : NULL);
}

const char *
imsg_rule_name(uint32_t type)
{
	const struct imsg_rule	*ir;

	ir = imsg_rule_find(type);
	return (ir != NULL ? ir->ir_name : "unknown");
}

static bool
rule_has_role(uint32_t mask, enum role r)
{
	return ((unsigned int)r < ROLE_MAX && (mask & ROLE_BIT(r)) != 0);
}

const char *
imsg_rule_check(const struct imsg *m, enum role from, enum role to)
{
	const struct imsg_rule	*ir;
	size_t			 len;

	if ((ir = imsg_rule_find(imsg_get_type(m))) == NULL)
		return ("unknown type");
	if (!rule_has_role(ir->ir_from, from))
		return ("wrong sender");
	if (!rule_has_role(ir->ir_to, to))
		return ("wrong receiver");
	len = imsg_get_len(m);
	if (len < ir->ir_min)
		return ("body too short");
	if (len > ir->ir_max)
		return ("body too long");
	if (imsg_fd_lost(m))
		return ("descriptor lost");
	if (ir->ir_fd == FD && !imsg_has_fd(m))
		return ("descriptor missing");
	if (ir->ir_fd == NOFD && imsg_has_fd(m))
		return ("unexpected descriptor");
	return (NULL);
}

uint32_t
imsg_rule_maxbody(enum role from, enum role to)
{
	uint32_t	 max = 0;
	size_t		 i;

	for (i = 0; i < nitems(rules); i++) {
		if (rule_has_role(rules[i].ir_from, from) &&
		    rule_has_role(rules[i].ir_to, to) &&
		    rules[i].ir_max > max)
			max = rules[i].ir_max;
	}
	return (max);
}

/*
 * Over the printed rows, so that it does not depend on padding or byte order.
 * Computed once: the first call makes libcrypto fetch the digest, which must
 * happen before confinement.
 */
void
imsg_rule_hash(uint8_t hash[IMSG_RULE_HASHLEN])
{
	static uint8_t	 cached[IMSG_RULE_HASHLEN];
	static bool	 done;
	char		 text[nitems(rules) * 96];
	size_t		 i, len = 0;
	int		 n;

	for (i = 0; i < nitems(rules) && !done; i++) {
		n = snprintf(text + len, sizeof(text) - len,
		    "%s %u %x %x %u %u %d\n", rules[i].ir_name,
		    rules[i].ir_type, rules[i].ir_from, rules[i].ir_to,
		    rules[i].ir_min, rules[i].ir_max, (int)rules[i].ir_fd);
		if (n < 0 || (size_t)n >= sizeof(text) - len)
			fatalx("imsg_rule_hash: table does not fit");
		len += (size_t)n;
	}
	if (!done && SHA256((unsigned char *)text, len, cached) == NULL)
		fatalx("imsg_rule_hash: SHA-256 failed");
	done = true;
	memcpy(hash, cached, sizeof(cached));
}
