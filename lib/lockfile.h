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

#ifndef LOCKFILE_H
#define LOCKFILE_H

#include "compat.h"

#include <sys/types.h>

/*
 * One daemon per data directory: flock(2) on the file path (data_dir/lock),
 * made 0600 when absent, with our pid as decimal line for people to read.
 * The lock lasts as long as the descriptor; the file is never unlinked, since
 * that would let two daemons lock different files of one name.
 *
 * Returns the descriptor (close-on-exec), or -1 with errno: EWOULDBLOCK when
 * another process holds it (its pid in *holder, 0 when unknown), EPERM when
 * the file is not a regular file of ours with one link; else as open(2).
 * holder may be NULL.
 */
int	 lockfile_open(const char *path, pid_t *holder);

#endif /* LOCKFILE_H */
