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

#ifndef SELFID_H
#define SELFID_H

#include "compat.h"

/*
 * Which container is this process in?  The parent looks once, at its start;
 * what it found is compared with what Docker says of a container that is to
 * be updated (docker_self.h).  Names, labels and the host name prove nothing:
 * anybody may choose those.
 *
 *   sf_id     from the mounts over /etc/hostname, /etc/hosts and
 *             /etc/resolv.conf: the engine keeps those files in a directory
 *             named after the container.  They are another container's when
 *             that one lends its network.
 *   sf_upper  end of the upper directory of an overlay that is our root:
 *             its name and "/diff", as in GraphDriver.Data.UpperDir
 */
#define SELFID_SIZE		65	/* 64 hex, NUL */
#define SELFID_UPPER_SIZE	192
#define SELFID_MAXBYTES		(256 * 1024)	/* of mountinfo */

struct selfid {
	char	 sf_id[SELFID_SIZE];		/* "": in no container */
	char	 sf_upper[SELFID_UPPER_SIZE];	/* "": unknown */
};

/* Of the text of mountinfo (proc(5)); never fails. */
void	 selfid_parse(struct selfid *, const char *mountinfo);
/* Of this process.  Process: parents, helper.  Source: selfid.c */
void	 selfid_find(struct selfid *);
/* The part of an upper directory's path that goes into sf_upper: its last
 * two components, or "" when there are none or they are too long. */
void	 selfid_upper(char [SELFID_UPPER_SIZE], const char *path, size_t len);

#endif /* SELFID_H */
