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

#ifndef PARENT_IDENTITY_H
#define PARENT_IDENTITY_H

#include "compat.h"

#include "agentd.h"

/*
 * The files of the identity, between the parent's sources that handle them.
 * A host that enrols again writes the new ones into next/ beneath agent.dir;
 * when they are whole the old ones move to retired-TIME/ and the new ones up
 * (parent_retire.c).  A renewal has NAME.new beside key and certificate in
 * use (parent_renew.c).
 */

/* In the order of their renames: the last of the identity is agent.pem, so
 * its presence says that the others are there. */
enum identity_file { ID_HOSTID, ID_CA, ID_KEY, ID_CERT, ID_SPENT, ID_MAX };

enum identity_place {
	PLACE_LIVE,		/* agent.dir */
	PLACE_NEXT		/* agent.dir/next */
};
#define IDENTITY_NEXT	"next"

extern const char	*identity_dir;	/* agent.dir */
const char *identity_name(enum identity_file);
/* fatal when it is longer than PATH_MAX */
void	 identity_path(enum identity_place, enum identity_file, bool is_new,
	    char *path, size_t len);
bool	 identity_has(enum identity_place, enum identity_file, bool is_new);
/* Gone, and the directory synced; also when it was not there.  -1 and err
 * (KEYFILE_ERRLEN). */
int	 identity_remove(enum identity_place, enum identity_file,
	    bool is_new, char *err);
/* The same; dies when it fails. */
void	 identity_discard(enum identity_place, enum identity_file,
	    bool is_new);
/* Answer to the engine: u8 rc, str why. */
void	 identity_answer(uint32_t type, int rc, const char *why);
/* Makes agent-key.pem.new there, or takes the one that is there, and gives it
 * to the keyholder, who answers to parent_identity_loaded().  -1 and err. */
int	 identity_make_key(enum identity_place, char *err);
bool	 identity_is_busy(void);	/* with a key */

/* parent_retire.c */
/*
 * PLACE_NEXT is whole: the old files to retired-TIME/, the new ones in their
 * place.  May be killed and called again at any point.  -1 and err.
 */
int	 identity_retire(char *err);

#endif /* PARENT_IDENTITY_H */
