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

#ifndef ENGINE_IMPORT_H
#define ENGINE_IMPORT_H

#include "compat.h"

/*
 * Files from agent.dir that the parent has passed (parent_import.c), until
 * the engine is ready for them.  A new kind is a row in engine_import.c and
 * one in parent_import.c.
 */
/* Keeps what CONF_FILE brought; takes fd.  False: no such kind, or twice. */
bool	 import_hold(uint8_t kind, int fd);
/* Once, when policies and journal are there: takes each over, or says why
 * not, and tells the parent, who then removes the file. */
void	 import_run(void);

#endif /* ENGINE_IMPORT_H */
