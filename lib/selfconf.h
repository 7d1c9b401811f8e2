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

#ifndef SELFCONF_H
#define SELFCONF_H

#include "compat.h"

#include "conf.h"
#include "confpart.h"

/*
 * The docker process's part of the configuration: times, and who this program
 * is and where its things lie (docker_self.h).  What does not fit is left out
 * and makes a self update impossible, nothing else.
 *   state  directory of the engine
 * Process: parent.  Source: selfconf.c
 */
void		 selfconf_pack(struct docker_conf *, const struct conf_docker *,
		    const char *data_dir, const char *state);
/* The id of our own container, "" in none; looked for once. */
const char	*selfconf_id(void);

#endif /* SELFCONF_H */
