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
#ifndef SETTING_H
#define SETTING_H

#include "compat.h"

#include "conf.h"

/*
 * Keys of the configuration that can also be set at run time, kept in the
 * server's database.  Type, bounds, default and help are those of the key
 * (conf_keys.def), so that a value means the same wherever it was set.  One
 * that the configuration sets is locked.  Pure.
 */
#define SETTING_VALUE_SIZE	4097	/* of a value as text */
#define SETTING_WHY_SIZE	320	/* CONF_WHY_MAXBYTES */

enum setting {
	SETTING_DEFAULT_POLICY,
	SETTING_POLL_INTERVAL,
	SETTING_GRACE_PERIOD,
	SETTING_LATEST_AUTO_UPDATE,
	SETTING_IMAGE_CLEANUP,
	SETTING_HOOKS_ENABLED,
	SETTING_DEPENDENCY_AWARE,
	SETTING_ROLLBACK_POLICY,
	SETTING_GRACE_PERIOD_OFFLINE,
	SETTING_ADVERTISE,
	SETTING_MAX
};

/* "poll_interval", "cluster.advertise".  Static. */
const char *setting_name(enum setting);
/* SETTING_MAX when there is none of that name. */
enum setting setting_find(const char *name);
/* Its key of the configuration, for conf_keys[] and c_from[]. */
int	 setting_key(enum setting);
/*
 * Sets it in c, as text: 0, or -1, nothing changed, and a line in why
 * (SETTING_WHY_SIZE).  A NULL text is the default.
 */
int	 setting_set(struct conf *c, enum setting, const char *text,
	    char *why);
/*
 * The value in c as setting_set() takes it, in its shortest form; lends buf.
 * A list that does not fit in is cut behind an item and "..." added.
 */
const char *setting_text(const struct conf *c, enum setting, char *buf,
	    size_t size);

#endif /* SETTING_H */
