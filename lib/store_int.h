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

#ifndef STORE_INT_H
#define STORE_INT_H

#include "compat.h"

#include <db.h>

#include "monotime.h"
#include "store.h"

/* For store*.c only. */
#define STORE_FILE	"sentinel.db"	/* one file, one part per table */
#define STORE_BALLAST	"ballast"
#define STORE_FREE_BYTES (2ULL * STORE_LOG_BYTES) /* less: disk is full */
#define STORE_ERR_LINES	10		/* of Berkeley DB, per window */
#define STORE_ERR_MSEC	10000

struct store {
	DB_ENV		*st_env;
	DB		*st_db[STORE_NTABLES];
	bool		 st_busy;	/* a transaction is open */
	bool		 st_full;
	bool		 st_ballast;	/* present, so writes are accepted */
	unsigned int	 st_errs;	/* lines in this window */
	monotime_t	 st_errwindow;
};

struct store_txn {
	struct store	*tx_store;
	DB_TXN		*tx_txn;
	bool		 tx_write;
	int		 tx_errno;	/* of a failed operation: no commit */
};

extern const char *const store_tables[STORE_NTABLES];

/* store_env.c.  All return 0 or -1 with errno, logged. */
int	 store_env_open(struct store *);
void	 store_env_close(struct store *);
/* Makes the ballast unless it is there; sets st_ballast. */
int	 store_ballast_make(struct store *);
/* Whether an error can come from lack of space. */
bool	 store_disk_full(void);
void	 store_set_full(struct store *, bool);

/* store.c: result of Berkeley DB to errno.  Returns -1; logs what is not
 * expected; dies on DB_RUNRECOVERY.  table may be NULL. */
int	 store_fail(struct store *, int rc, const char *what,
	    const char *table);

#endif /* STORE_INT_H */
