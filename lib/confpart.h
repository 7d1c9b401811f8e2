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

#ifndef CONFPART_H
#define CONFPART_H

#include "compat.h"

#include "proc.h"
#include "selfid.h"

/*
 * Only the parent reads the configuration; each child gets its part.  A part
 * is a plain struct and a table of its fields, used by both ends: the parent
 * packs (CONF_OFFER), the child unpacks into a staged copy, checks it and
 * answers CONF_ACCEPT or CONF_REJECT; CONF_COMMIT makes it live.  Two-phase:
 * a reload changes nothing unless every child accepts.
 *
 * Layout of CONF_OFFER: u32 generation, then per field u16 key and bytes
 * value; numbers are 8 bytes in network order, strings carry no NUL.  Every
 * field of the table must be there exactly once, nothing else may be.
 */
enum confpart_type {
	CONFPART_NUMBER,	/* uint64_t */
	CONFPART_STRING		/* char[cp_size], NUL-terminated */
};

struct confpart_field {
	uint16_t	 cp_key;	/* of this part, from 1 */
	enum confpart_type cp_type;
	size_t		 cp_offset;
	size_t		 cp_size;	/* of the member */
};

#define CONFPART_NUM(key, st, member) \
	{ (key), CONFPART_NUMBER, offsetof(struct st, member), \
	    sizeof(((struct st *)0)->member) }
#define CONFPART_STR(key, st, member) \
	{ (key), CONFPART_STRING, offsetof(struct st, member), \
	    sizeof(((struct st *)0)->member) }

struct confpart {
	const struct confpart_field *cf_fields;
	size_t		 cf_nfields;
	size_t		 cf_size;	/* of the struct */
};

/* Parent.  Adds generation and fields to buf; fatal when out of memory. */
void	 confpart_pack(const struct confpart *, const void *,
	    uint32_t generation, struct ibuf *);
/* Child.  Returns 0, or -1 and a reason in why. */
int	 confpart_unpack(const struct confpart *, struct ibuf *, void *,
	    uint32_t *generation, char *why, size_t whylen);

/* --- child side --------------------------------------------------------- */
struct confpart_child {
	const struct confpart *cc_part;
	void		*cc_live;
	void		*cc_staged;	/* same size */
	/* Refuse values this process cannot use; may be NULL. */
	int		(*cc_check)(const void *staged, char *why, size_t);
	/* cc_live has just been replaced; first = at start. */
	void		(*cc_commit)(bool first);
};
/* Call in pr_start; keeps the pointer. */
void	 confpart_child_init(const struct confpart_child *);
/* Rows of a child's handler table. */
void	 confpart_offer(struct peer *, struct imsg *);
void	 confpart_commit(struct peer *, struct imsg *);
void	 confpart_abort(struct peer *, struct imsg *);
#define CONFPART_HANDLERS \
	{ IMSG_CONF_OFFER, confpart_offer }, \
	{ IMSG_CONF_COMMIT, confpart_commit }, \
	{ IMSG_CONF_ABORT, confpart_abort }

/* --- parent side -------------------------------------------------------- */
#define CONFPART_MSEC	5000	/* for all to accept */
/*
 * Offer to every role in the mask that runs; pack fills the part of a role
 * (generation included) into the buffer.  done() is called once: ok after
 * all have accepted and CONF_COMMIT is sent, else why says who refused, and
 * CONF_ABORT is sent.  -1 with EBUSY while a push is under way.
 */
int	 confpart_push(uint32_t roles,
	    void (*pack)(enum role, uint32_t generation, struct ibuf *),
	    void (*done)(bool ok, const char *why));
/*
 * For a role that was started again: offered to it alone or, while a push is
 * under way, within that one, whose done() is then the one called.
 */
int	 confpart_repush(enum role,
	    void (*pack)(enum role, uint32_t generation, struct ibuf *),
	    void (*done)(bool ok, const char *why));
/* A push is under way. */
bool	 confpart_is_busy(void);
/* Rows of the parent's handler table. */
void	 confpart_accept(struct peer *, struct imsg *);
void	 confpart_reject(struct peer *, struct imsg *);

/* --- parts -------------------------------------------------------------- */
/* The docker process of both daemons. */
struct docker_conf {
	uint64_t	 dc_enabled;	/* 0: no socket configured */
	uint64_t	 dc_gate_msec;
	uint64_t	 dc_pull_idle_msec;
	uint64_t	 dc_min_free_mib; /* 0: pull whatever is free */
	/* docker_self.h: which container is this, and what its helper needs */
	uint64_t	 dc_self_msec;
	uint64_t	 dc_schema;		/* of the database, 0: none */
	char		 dc_self_id[SELFID_SIZE];
	char		 dc_self_upper[SELFID_UPPER_SIZE];
	char		 dc_data[256];		/* data_dir */
	char		 dc_state[272];		/* the engine's directory */
	char		 dc_socket[108];
};
extern const struct confpart docker_confpart;

#endif /* CONFPART_H */
