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

#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include "compat.h"

#include "ctl.h"

/*
 * The grammar of sentinelctl as three tables: commands, their options, their
 * operands.  A new command is rows here, and nothing in the parser (cmd.c).
 */
enum ctl_type {
	CTL_FLAG,	/* bool */
	CTL_STRING,	/* const char *, not empty */
	CTL_NUMBER,	/* int32_t, 1 to co_max */
	CTL_PAIRS,	/* one more of ca_labels */
	CTL_DURATION,	/* uint64_t seconds, not 0 */
	CTL_SINCE,	/* int64_t, unix seconds: a moment (moment.c) */
	CTL_UNTIL	/* the same, up to the whole second */
};

struct ctl_opt {
	const char	*co_long;
	char		 co_short;	/* 0: none */
	const char	*co_value;	/* shown name, NULL: a flag */
	enum ctl_type	 co_type;
	size_t		 co_at;		/* in struct ctl_args */
	int32_t		 co_max;
	bool		 co_global;	/* goes with every command */
};

enum ctl_form {
	CTL_WORD,	/* as it is */
	CTL_PAIR,	/* holds a '=' */
	CTL_TARGET,	/* HOST/NAME into ca_host, ca_container */
	CTL_SCOPE	/* the same, but one word is a host */
};

/* A word of cm_arg. */
struct ctl_operand {
	const char	*cw_name;
	size_t		 cw_at;		/* of a const char * or ca_host */
	enum ctl_form	 cw_form;
};

extern const struct ctl_cmd	ctl_cmds[];
extern const struct ctl_opt	ctl_opts[];
extern const struct ctl_operand	ctl_operands[];
extern const size_t		ctl_ncmds, ctl_nopts, ctl_noperands;

#endif /* CMD_TABLE_H */
