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

#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "compat.h"

#include <sys/stat.h>

#include "conf.h"

/* Private to lib/conf*.c: the steps of conf_load(), in their order. */

/*
 * The file's text into c, with its origins in c_from.  Every error of the
 * text is added as "name:line:column: what"; after an error of YAML itself
 * the rest cannot be read.
 *	name	for messages
 *	text	len bytes, not NUL-terminated; at most CONF_FILE_MAXBYTES
 * Source: conf_yaml.c
 */
void	 conf_yaml_parse(struct conf *, const char *name, const uint8_t *text,
	    size_t len, struct conf_errs *);

/* Environment into c, over the file's values.  Source: conf_env.c */
void	 conf_env_apply(struct conf *, char *const *env,
	    struct conf_errs *);

/*
 * The opened file itself: regular, not too long, not for others to write.
 *	owner	whether it must belong to root or the caller
 * Returns 0 and what fstat(2) says, or -1 and an error.  Source: conf_check.c
 */
int	 conf_check_file(int fd, const char *name, bool owner, struct stat *,
	    struct conf_errs *);
/*
 * Checks across keys, once every value is there.
 *	mode	of the file, 0 without one
 */
void	 conf_check(const struct conf *, mode_t mode, struct conf_errs *);

/* Adds "where: key: text", where being the origin of key. */
void	 conf_errs_key(struct conf_errs *, const struct conf *, int key,
	    const char *, ...) __printflike_(4, 5);

#endif /* CONF_LOAD_H */
