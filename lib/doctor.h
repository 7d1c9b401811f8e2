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

#ifndef DOCTOR_H
#define DOCTOR_H

#include "compat.h"

#include "control.h"
#include "ipc.pb-c.h"
#include "proc.h"

/*
 * sentinelctl doctor: one line per check, with what it means and what to do.
 * The engine collects: what it knows itself, what the parent sees of the
 * machine (DOCTOR_ASK), the processes (STATUS_ASK), and on an agent what a
 * connection to the server comes to.  One examination at a time; what does
 * not answer within DOCTOR_MSEC is a failure of its own.
 */
#define DOCTOR_MSEC		20000
#define DOCTOR_NAME_SIZE	80
#define DOCTOR_TEXT_SIZE	1024
#define DOCTOR_SOON_SEC		(14 * 86400)	/* certificates */

enum doctor_level { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAILED };

struct doctor_line {
	enum doctor_level dl_level;
	char		 dl_name[DOCTOR_NAME_SIZE];
	char		 dl_text[DOCTOR_TEXT_SIZE];
	char		 dl_fix[DOCTOR_TEXT_SIZE];	/* "": none needed */
};

/* --- doctor_line.c: single checks; pure ---------------------------------- */
/* fix may be "", and is kept only when the level is not OK. */
void	 doctor_set(struct doctor_line *, enum doctor_level, const char *name,
	    const char *fix, const char *, ...) __printflike_(5, 6);
/* A log line of ours: what follows "fix: " in it becomes the fix. */
void	 doctor_set_told(struct doctor_line *, enum doctor_level,
	    const char *name, const char *told);
/* Life of a certificate; seconds of the system's clock, from 0: not known. */
void	 doctor_set_cert(struct doctor_line *, const char *name, int64_t from,
	    int64_t to, int64_t now, const char *fix);
void	 doctor_set_process(struct doctor_line *, const char *name,
	    uint32_t pid, uint32_t restarts, const char *sandbox);
/* Bytes and inodes; total 0: the file system does not tell. */
void	 doctor_set_disk(struct doctor_line *, const char *what,
	    const char *path, uint64_t left, uint64_t total, uint64_t inodes,
	    uint64_t inodes_total);
const char *doctor_level_name(enum doctor_level);

/* --- doctor_parent.c ------------------------------------------------------ */
/* A directory whose room counts; both are copied.  Parent, before it runs. */
void	 doctor_watch(const char *what, const char *path);
/* Row of the parent's handler table, for DOCTOR_ASK. */
void	 doctor_ask(struct peer *, struct imsg *);

/* --- doctor_run.c: the engine of both daemons ---------------------------- */
#define DOCTOR_WAIT_PARENT	0x01	/* DOCTOR_FACTs */
#define DOCTOR_WAIT_PROCS	0x02	/* STATUS_PROCs */
#define DOCTOR_WAIT_PROBE	0x04

struct doctor_ops {
	enum role	 do_parent;
	void		(*do_item)(uint32_t id, Sentinel__Ipc__ControlItem *);
	/* code and text for sentinelctl; the examination is over. */
	void		(*do_end)(uint32_t id, enum control_code, const char *);
};
/* Begins and asks the parent; -1: one is under way. */
int	 doctor_begin(const struct doctor_ops *, uint32_t id,
	    unsigned int waits);
bool	 doctor_is(uint32_t id);
/* Sends a line. */
void	 doctor_add(const struct doctor_line *);
/* As doctor_set() and doctor_add(). */
void	 doctor_say(enum doctor_level, const char *name, const char *fix,
	    const char *, ...) __printflike_(4, 5);
/* One of waits has come; after the last one it ends. */
void	 doctor_got(unsigned int wait);
/* The client has gone: what still comes is dropped. */
void	 doctor_gone(uint32_t id);
/* Rows of the engine's handler table. */
void	 doctor_fact(struct peer *, struct imsg *);
void	 doctor_fact_end(struct peer *, struct imsg *);

#endif /* DOCTOR_H */
