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

#ifndef DOCKER_API_H
#define DOCKER_API_H

#include "compat.h"

#include "docker_client.h"
#include "json.h"

/*
 * The calls of the Docker Engine API that Sentinel makes, typed.  Containers
 * and images are named by id wherever one is known; names come from people
 * and are matched exactly, never as an id prefix.
 */
#define DOCKER_ID_LEN		64	/* hex */
#define DOCKER_SHORTID_LEN	12
#define DOCKER_NAME_MAXBYTES	256	/* container name, with NUL */
#define DOCKER_REF_MAXBYTES	512	/* image reference, with NUL */
#define DOCKER_TIME_MAX	253402300799LL	/* the last of 9999, as on the wire */
#define DOCKER_ITEMS_MAX	10000	/* containers, images */
#define DOCKER_ITEM_MAXBYTES	(1024U * 1024)	/* JSON of one in a list */
#define DOCKER_LABELS_MAX	512	/* of one container */
#define DOCKER_PORTS_MAX	1024
#define DOCKER_LOGS_MAXLINES	500
#define DOCKER_LOGS_MAXBYTES	(1024U * 1024)
#define DOCKER_LOGS_MSEC	15000
#define DOCKER_STOP_SEC		10	/* when Config.StopTimeout is unset */
#define DOCKER_STOP_MAXSEC	3600
#define DOCKER_PULL_IDLE_MSEC	120000

typedef void (*docker_cb)(void *, const struct docker_reply *);

/* --- docker_api.c: single calls ---------------------------------------- */
/* All return what docker_call() returns. */
struct docker_req *docker_stop(struct docker *, const char *id,
		    unsigned int sec, docker_cb, void *);
struct docker_req *docker_start(struct docker *, const char *id, docker_cb,
		    void *);
struct docker_req *docker_restart(struct docker *, const char *id,
		    unsigned int sec, docker_cb, void *);
struct docker_req *docker_pause(struct docker *, const char *id, docker_cb,
		    void *);
struct docker_req *docker_rename(struct docker *, const char *id,
		    const char *name, docker_cb, void *);
/* Never removes volumes. */
struct docker_req *docker_remove(struct docker *, const char *id, bool force,
		    docker_cb, void *);
/* By force, and with the anonymous volumes that were made with it; what it
 * has by name, or another container has too, stays. */
struct docker_req *docker_discard(struct docker *, const char *id, docker_cb,
		    void *);
struct docker_req *docker_create(struct docker *, const char *name,
		    const char *body, size_t, docker_cb, void *);
/* body: JSON such as {"RestartPolicy":...} */
struct docker_req *docker_reconfigure(struct docker *, const char *id,
		    const char *body, size_t, docker_cb, void *);
struct docker_req *docker_net_connect(struct docker *, const char *net,
		    const char *body, size_t, docker_cb, void *);
struct docker_req *docker_net_disconnect(struct docker *, const char *net,
		    const char *id, docker_cb, void *);
struct docker_req *docker_image_tag(struct docker *, const char *id,
		    const char *repo, const char *tag, docker_cb, void *);
/* Drops the name only; layers of other images stay. */
struct docker_req *docker_image_untag(struct docker *, const char *ref,
		    docker_cb, void *);
struct docker_req *docker_inspect(struct docker *, const char *idorname,
		    docker_cb, void *);
struct docker_req *docker_image_inspect(struct docker *, const char *idorref,
		    docker_cb, void *);
struct docker_req *docker_net_inspect(struct docker *, const char *net,
		    docker_cb, void *);
struct docker_req *docker_info(struct docker *, docker_cb, void *);

/* Files of a container; paths are absolute.  What has changed since it was
 * made, in pieces of a JSON array, or null. */
struct docker_req *docker_changes(struct docker *, const char *id,
		    int (*data)(void *, const uint8_t *, size_t), docker_cb,
		    void *);
/* dr_field: what is there, base64 of JSON; NULL: not known. */
struct docker_req *docker_path_stat(struct docker *, const char *id,
		    const char *path, docker_cb, void *);
/* dr_body: an archive of it, of at most maxbytes. */
struct docker_req *docker_path_get(struct docker *, const char *id,
		    const char *path, size_t maxbytes, docker_cb, void *);
/* An archive, unpacked at "/" with the owners that it says. */
struct docker_req *docker_path_put(struct docker *, const char *id,
		    const char *tar, size_t, docker_cb, void *);

/* --- docker_ref.c: image references ------------------------------------ */
struct docker_ref {
	char	 rf_repo[DOCKER_REF_MAXBYTES];	/* "localhost:5000/app" */
	char	 rf_tag[130];			/* "" when only a digest */
	char	 rf_digest[80];			/* "sha256:..." or "" */
};
/* No tag and no digest becomes tag "latest".  0, or -1 (EINVAL). */
int		 docker_ref_parse(struct docker_ref *, const char *);
bool		 docker_id_ok(const char *);	/* 64 lower-case hex */
bool		 docker_imageid_ok(const char *);	/* sha256: + 64 hex */
/* Of an image that was inspected: the digest under which ref's repository
 * knows it, or any, or "". */
void		 docker_image_digest_of(const struct json_value *image,
		    const char *ref, char *, size_t);
/* Is one of its digests, or its id, the one that is wanted ("": any is)? */
bool		 docker_image_has_digest(const struct json_value *image,
		    const char *want);
bool		 docker_name_ok(const char *);	/* [A-Za-z0-9][A-Za-z0-9_.-]+ */

/* --- docker_list.c ----------------------------------------------------- */
struct docker_port {
	char		 pt_ip[64];	/* "" when Docker gave none */
	uint16_t	 pt_public;
	uint16_t	 pt_private;
	char		 pt_proto[8];
};

struct docker_label {
	const char	*lb_key;
	const char	*lb_value;
};

/* Everything lent for the time of the callback. */
struct docker_container {
	const char	*ct_id;
	const char	*ct_name;	/* no leading slash; "" when none */
	const char	*ct_image;	/* reference as Docker lists it */
	const char	*ct_imageid;	/* sha256:... */
	const char	*ct_digest;	/* repo@sha256:..., image id, or "" */
	const char	*ct_state;	/* running, exited, ... */
	const char	*ct_health;	/* starting healthy unhealthy, or "" */
	/* Seconds since 1970, at most DOCKER_TIME_MAX; 0: not known. */
	int64_t		 ct_created;
	const struct docker_label *ct_labels;
	size_t		 ct_nlabels;
	const struct docker_port *ct_ports;	/* published, no duplicates */
	size_t		 ct_nports;
};

struct docker_list_cbs {
	void	(*lc_item)(void *, const struct docker_container *);
	/* Once, after the last item; error "" when the list is complete. */
	void	(*lc_done)(void *, const char *error);
};
/* All containers in every state, swarm tasks left out.  0, or -1 with
 * errno of docker_call(). */
int		 docker_list(struct docker *, const struct docker_list_cbs *,
		    void *);

/* --- docker_op.c: operations by name ----------------------------------- */
enum docker_action { DOCKER_ACT_STOP, DOCKER_ACT_START, DOCKER_ACT_RESTART };

/* error "" on success; else one line for people. */
typedef void (*docker_op_cb)(void *, const char *error);
int		 docker_op_action(struct docker *, const char *name,
		    enum docker_action, docker_op_cb, void *);
/* Seconds between the stop signal and the kill: Config.StopTimeout of an
 * inspect answer, or DOCKER_STOP_SEC. */
unsigned int	 docker_stop_sec(const struct docker *,
		    const struct json_value *);
/* text is UTF-8 without NUL, at most DOCKER_LOGS_MAXBYTES, newest kept. */
typedef void (*docker_logs_cb)(void *, const char *error, const char *text,
		    size_t len);
struct docker_logs_opts {
	unsigned int	 dl_lines;	/* 1..DOCKER_LOGS_MAXLINES, clamped */
	int64_t		 dl_since;	/* unix seconds, 0: no bound */
	int64_t		 dl_until;	/* the same */
	unsigned int	 dl_streams;	/* follow.h; 0: both */
	bool		 dl_timestamps;
};
int		 docker_op_logs(struct docker *, const char *name,
		    const struct docker_logs_opts *, docker_logs_cb, void *);

/* --- docker_pull.c ----------------------------------------------------- */
struct docker_pull;
struct docker_pull_cbs {
	/* At most 4 a second.  what: layers and bytes in words, or why it
	 * waits; then the bytes of all layers known so far. */
	void	(*pc_progress)(void *, const char *what, uint64_t done,
		    uint64_t total);
	/* Exactly once. */
	void	(*pc_done)(void *, const char *error);
};
/*
 *   ref   image reference; auth  X-Registry-Auth or NULL (wiped after use)
 *   idle  milliseconds without a byte; there is no total limit
 * It may have to wait for its turn (docker_pull.h).  NULL with errno ENOBUFS
 * (too many wait), EINVAL (bad reference), ENOMEM.
 */
struct docker_pull *docker_pull(struct docker *, const char *ref,
		    const char *auth, unsigned int idle,
		    const struct docker_pull_cbs *, void *);
void		 docker_pull_cancel(struct docker_pull *); /* no callback */

/* --- docker_logs.c: the multiplexed stream ----------------------------- */
struct docker_demux;
/* tty: the stream has no frames. */
struct docker_demux *docker_demux_new(bool tty, size_t maxbytes);
void		 docker_demux_free(struct docker_demux *);
int		 docker_demux_feed(struct docker_demux *, const uint8_t *,
		    size_t);		/* -1 EINVAL: bad frame, ENOMEM */
/* Repaired to UTF-8, cut to maxbytes at a line, caller frees. */
char		*docker_demux_take(struct docker_demux *, size_t *);

#endif /* DOCKER_API_H */
