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

#ifndef CTL_H
#define CTL_H

#include "compat.h"

#include <stdio.h>

#include "control.h"
#include "ipc.pb-c.h"

/*
 * sentinelctl: one command, one request, one exit code (enum control_code).
 * main.c runs it, cmd_table.c is the grammar, cmd.c its parser, client.c the
 * connection, show.c the output, show_text.c what people read, table.c its
 * columns, text.c its words.
 */
#define CTL_PATH_SERVER	"/run/sentinel/sentineld.sock"
#define CTL_PATH_AGENT	"/run/sentinel/sentinel-agentd.sock"
#define CTL_ENV		"SENTINEL_CONTROL"

/* --- cmd.c -------------------------------------------------------------- */
struct ctl_cmd;

/* The command line, checked.  Strings are those of argv. */
#define CTL_LABELS_MAX	32

struct ctl_args {
	const struct ctl_cmd *ca_cmd;
	const char	*ca_socket;	/* -s, or NULL */
	bool		 ca_json;
	bool		 ca_help;	/* -h */
	bool		 ca_version;	/* -V */
	const char	*ca_host;	/* HOST of HOST/NAME, --host, HOST */
	char		 ca_hostbuf[256];
	const char	*ca_container;	/* NAME */
	const char	*ca_id;
	const char	*ca_image;
	const char	*ca_to;		/* image id or number */
	const char	*ca_digest;	/* DIGEST, "": all */
	const char	*ca_name;	/* --name, NAME */
	const char	*ca_label;	/* KEY=VALUE */
	const char	*ca_setting;	/* KEY */
	const char	*ca_value;	/* VALUE, POLICY */
	const char	*ca_token_file;	/* "-": standard input */
	const char	*ca_auth_file;	/* the same; credentials */
	uint64_t	 ca_ttl_sec;	/* 0: the daemon's default */
	int32_t		 ca_lines;	/* 0: the daemon's default */
	bool		 ca_follow;
	bool		 ca_timestamps;
	bool		 ca_stdout;	/* neither is both */
	bool		 ca_stderr;
	const char	*ca_labels[CTL_LABELS_MAX + 1];	/* ends with NULL */
	int32_t		 ca_uses;	/* 0: the daemon's default */
	int64_t		 ca_since;	/* unix seconds, 0: no bound */
	int64_t		 ca_until;	/* the same */
	int32_t		 ca_limit;	/* 0: the daemon's default */
	bool		 ca_all;
	bool		 ca_yes;
	bool		 ca_force;
	const char	*ca_phase;	/* PHASE */
	const char	*ca_command;	/* COMMAND, --command */
	uint64_t	 ca_timeout_sec;	/* 0: the default */
	bool		 ca_rollback;
	bool		 ca_skip_hooks;
};

/* How the answer of a command is shown. */
enum ctl_shape {
	CTL_STATUS,	/* one object with processes */
	CTL_LIST,	/* table, or an array */
	CTL_ONE,	/* one object */
	CTL_STREAM,	/* line by line as it comes */
	CTL_DONE	/* nothing, unless it fails; --json: an object */
};

struct ctl_cmd {
	const char	*cm_words;	/* "container update" */
	const char	*cm_arg;	/* "HOST [NAME]": names of operands,
					 * [optional]; or NULL */
	const char	*cm_opts;	/* " image lines ", or "" */
	enum ctl_shape	 cm_shape;
	Sentinel__Ipc__ControlRequest__Command cm_command;
	const char	*cm_action;	/* ControlRequest.action, or NULL */
	const char	*cm_help;	/* one line */
	const char	*cm_question;	/* asked without --yes, or NULL */
};

/* 0, or -1 with one line for the user in err. */
int	 cmd_parse(struct ctl_args *, int argc, char **argv, char *err,
	    size_t errlen);
void	 cmd_usage(FILE *);
/*
 * The question to ask before this is done; false: just do it.  Commands with
 * the option --yes are those that cannot be taken back.
 */
bool	 cmd_question(const struct ctl_args *, char *text, size_t len);
/* "1h30m", "7d", "90": seconds.  0, or -1. */
int	 cmd_duration(const char *, uint64_t *);

/* --- moment.c ------------------------------------------------------------ */
/*
 * A moment as Docker takes it: "2026-11-22", "2026-11-22T09:30",
 * "2026-11-22T09:30:00.5Z", "...+02:00", local time without a zone; unix
 * seconds "1795000000.25", ten digits at least; or how long before now:
 * "90", "1h30m".  A blank does for the T.
 *	up	the next whole second, not the last one
 * 0 with unix seconds above 0, or -1.
 */
int	 moment_parse(const char *, int64_t now, bool up, int64_t *);

/* --- secret.c ------------------------------------------------------------ */
#define CTL_SECRET_SIZE	1025
/*
 * One word from a file, or from standard input ("-"): what must not be on a
 * command line, where every user of the machine can read it.
 * 0, or -1 with one line in err.
 */
int	 secret_read(const char *path, char secret[CTL_SECRET_SIZE],
	    char *err, size_t errlen);

/* --- client.c ----------------------------------------------------------- */
/* Borrows the item.  0, or -1: the output is gone, stop. */
typedef int (*ctl_item)(const Sentinel__Ipc__ControlItem *, void *);

/*
 * Ask and wait for the end; complaints go to stderr.
 *	path	of the socket, NULL: environment or default
 *	msec	longest silence, 0: for ever
 */
enum control_code ctl_ask(const char *path,
	    const Sentinel__Ipc__ControlRequest *, unsigned int msec,
	    ctl_item, void *);

/* --- show.c ------------------------------------------------------------- */
struct show;

/* errtty: progress may write over its line on stderr, columns wide. */
struct show	*show_new(const struct ctl_args *, FILE *out, bool colour,
		    bool errtty, int columns);
int		 show_item(const Sentinel__Ipc__ControlItem *, void *show);
/* What was kept for the end (tables, brackets).  -1: nobody reads. */
int		 show_end(struct show *, enum control_code);
void		 show_free(struct show *);

/* --- show_text.c: for people -------------------------------------------- */
struct table;

void	 text_status(FILE *, const Sentinel__Ipc__StatusView *,
	    Sentinel__Ipc__ProcessView *const *, size_t nprocs, bool colour);
void	 text_token(FILE *, const Sentinel__Ipc__TokenView *);
void	 text_host(FILE *, const Sentinel__Ipc__HostView *);
void	 text_event(FILE *, const Sentinel__Ipc__EventView *);
void	 text_logs(FILE *, const Sentinel__Ipc__LogsView *);
void	 text_result(FILE *, const Sentinel__Ipc__ResultView *);
/* show_plan.c */
void	 text_plan(FILE *, const Sentinel__Ipc__PlanView *);
/* show_follow.c */
void	 text_follow(FILE *, const Sentinel__Ipc__FollowView *);
/* An object a line.  0, or -1 with errno. */
int	 json_follow(FILE *, const Sentinel__Ipc__FollowView *);
/* show_cert.c */
/* --- doctor.c ------------------------------------------------------------ */
void	 text_check(FILE *, const Sentinel__Ipc__CheckView *, bool colour);
/* What can be seen from here, before the daemon is asked.  Shown by fn.
 * Returns whether none of it failed. */
bool	 doctor_here(ctl_item fn, void *);
/* Nobody answers at the socket, or not us. */
void	 doctor_no_daemon(const struct ctl_args *, enum control_code,
	    ctl_item fn, void *);

extern const char *const	heads_cert[];
void	 row_cert(struct table *, const Sentinel__Ipc__CertView *);
/* show_history.c */
extern const char *const	heads_history[];
void	 row_history(struct table *, const Sentinel__Ipc__HistoryView *);
/* show_audit.c */
void	 text_chain(FILE *, const Sentinel__Ipc__AuditChainView *);
extern const char *const	heads_audit[];
void	 row_audit(struct table *, const Sentinel__Ipc__AuditEntryView *);
/* Rows of the tables; the heads go with table_new(). */
extern const char *const	heads_token[];
extern const char *const	heads_host[];
extern const char *const	heads_container[];
void	 row_token(struct table *, const Sentinel__Ipc__TokenView *);
void	 row_host(struct table *, const Sentinel__Ipc__HostView *);
void	 row_container(struct table *, const Sentinel__Ipc__ContainerView *);

/* --- show_setting.c ------------------------------------------------------ */
extern const char *const	heads_setting[];
extern const char *const	heads_policy[];
void	 row_setting(struct table *, const Sentinel__Ipc__SettingView *);
void	 row_policy(struct table *, const Sentinel__Ipc__PolicyView *);

/* --- show_hook.c --------------------------------------------------------- */
extern const char *const	heads_hook[];
void	 row_hook(struct table *, const Sentinel__Ipc__HookView *);
/* What became of one that was run. */
void	 text_hook(FILE *, const Sentinel__Ipc__HookView *);
/* --- show_quarantine.c --------------------------------------------------- */
extern const char *const	heads_quarantine[];
void	 row_quarantine(struct table *, const Sentinel__Ipc__QuarantineView *);
/* A line each, of one container. */
void	 text_quarantine(FILE *, Sentinel__Ipc__QuarantineView *const *,
	    size_t);

/* --- show_operation.c ---------------------------------------------------- */
extern const char *const	heads_operation[];
void	 row_operation(struct table *, const Sentinel__Ipc__OperationView *);
void	 text_operation(FILE *, const Sentinel__Ipc__OperationView *);
/* A name and what it is, unless that is "". */
void	 text_line(FILE *, const char *name, const char *text);
/* show_detail.c */
void	 text_detail(FILE *, const Sentinel__Ipc__ContainerDetailView *,
	    bool colour);

/* --- show_ca.c ---------------------------------------------------------- */
void	 text_ca(FILE *, const Sentinel__Ipc__CaView *, bool colour);

/* --- progress.c --------------------------------------------------------- */
/* One line that is written over on a terminal, else a line per change. */
struct progress;

struct progress	*progress_new(FILE *, bool tty, int columns);
void		 progress_step(struct progress *,
		    const Sentinel__Ipc__ProgressView *);
void		 progress_clear(struct progress *);
void		 progress_free(struct progress *);

/* --- table.c ------------------------------------------------------------ */
enum tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_DIM };

/* heads ends with NULL; strings are copied. */
struct table	*table_new(const char *const *heads, bool colour);
/* Next cell, row by row; text is made safe for a terminal (utf8_vis). */
void		 table_add(struct table *, enum tone, const char *);
void		 table_addf(struct table *, enum tone, const char *, ...)
		    __printflike_(3, 4);
void		 table_print(struct table *, FILE *);
void		 table_free(struct table *);

/* --- text.c ------------------------------------------------------------- */
#define TEXT_TIME_SIZE	32
/* Columns that a safe UTF-8 text takes. */
size_t	 text_width(const char *);
/* Cuts at a character so that text_width() <= columns. */
void	 text_cut(char *, size_t columns);
/* Local time "2026-11-22 09:00:00", or "-" for 0. */
void	 text_time(char[TEXT_TIME_SIZE], int64_t sec);
/* "3s" "5m" "2h" "9d" */
void	 text_age(char[TEXT_TIME_SIZE], int64_t sec);
/* Prints made safe; newline and tab stay when multi is set. */
void	 text_print(FILE *, const char *, bool multi);

#endif /* CTL_H */
