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

#ifndef VIEW_JSON_H
#define VIEW_JSON_H

#include "compat.h"

#include "ipc.pb-c.h"
#include "json.h"

/*
 * What the engine shows (proto/ipc.proto, ...View) as the objects of the REST
 * API, for sentinelctl --json and for the web process.  Each writes one value
 * where the generator stands.  Times are RFC 3339 in UTC; a time that never
 * came is "0001-01-01T00:00:00Z", as existing clients of that API expect.
 * Members marked ? are left out when empty.
 */

/* sentineld: daemon version started_at listen? hosts hosts_connected
 * ca_fingerprint? ca_not_after? server_cert_not_after?; sentinel-agentd:
 * daemon version started_at server host_id? host_name? connected last_error?
 * cert_not_after? signed_commands server_heard_at?
 * clock_skew? (seconds) autonomous offline_since? journal_entries
 * journal_lost; both: engine_id? docker docker_error?
 * containers, and processes: [{name pid uid sandbox restarts}]. */
void	 view_json_status(struct json_gen *,
	    const Sentinel__Ipc__StatusView *,
	    Sentinel__Ipc__ProcessView *const *, size_t nprocs);
/* token? id created_at expires_at uses used host_name? state host_id?
 * ca_fingerprint? replaces? replaces_name? labels {} creator? */
void	 view_json_token(struct json_gen *, const Sentinel__Ipc__TokenView *);
/* id name raw_name? address state connected enrolled_at last_seen
 * agent_version? features containers disconnect_at disconnect_err?
 * disconnect_cat? engine_id? cert_serial? cert_not_after docker_error?
 * rtt_us? labels {} frozen? decommissioned_at? decommission_reason?
 * decommissioned_by? */
void	 view_json_host(struct json_gen *, const Sentinel__Ipc__HostView *);
/* id time type host_id? host_name? container? message? */
void	 view_json_event(struct json_gen *, const Sentinel__Ipc__EventView *);
/* id name image image_digest? state host_id? host_name? stack? state_age
 * (seconds) stale created labels {} ports [{host_ip host_port container_port
 * protocol}] */
void	 view_json_container(struct json_gen *,
	    const Sentinel__Ipc__ContainerView *);
/* view_json_operation.c: id host_id? host_name? container? kind image? running
 * phase? percent (of a running one) text? started_at by? outcome? error?
 * ended_at? */
void	 view_json_operation(struct json_gen *,
	    const Sentinel__Ipc__OperationView *);
/* container {} policy {}? quarantine [] operations [] history [] */
void	 view_json_detail(struct json_gen *,
	    const Sentinel__Ipc__ContainerDetailView *);
/* logs lines remote */
void	 view_json_logs(struct json_gen *, const Sentinel__Ipc__LogsView *);
/* stream (stdout stderr) line; with NULL: skipped, how many were left out. */
void	 view_json_follow(struct json_gen *, const Sentinel__Ipc__FollowView *,
	    const char *line);
/* id kind host_name? name outcome error? old_image? old_digest? new_image?
 * new_digest? duration_ms */
void	 view_json_result(struct json_gen *,
	    const Sentinel__Ipc__ResultView *);

/* host_id host_name name container_id state old_image old_image_id old_digest
 * new_image new_image_id ("": not on the host) new_digest identical
 * api_version stop_seconds items [{kind name change now then}] dropped
 * [{name why}] dependants [{name how what}] notes [] */
void	 view_json_plan(struct json_gen *, const Sentinel__Ipc__PlanView *);

/* id time host_id? host_name? container? action old_image? new_image?
 * old_digest? new_digest? outcome? error? duration_ms origin? stored_at? */
void	 view_json_history(struct json_gen *,
	    const Sentinel__Ipc__HistoryView *);
/* kind subject host_id? host_name? serial not_before? not_after? renew_at?
 * state revoked_at? reason? */
void	 view_json_cert(struct json_gen *, const Sentinel__Ipc__CertView *);
/* seq time actor action subject? outcome text? hash previous; or records
 * first newest hash? broken? why? */
void	 view_json_audit(struct json_gen *, const Sentinel__Ipc__AuditView *);

/* name level (ok warning FAILED) text fix? */
void	 view_json_check(struct json_gen *, const Sentinel__Ipc__CheckView *);

/* name value origin from? locked default bounds? help changed_at? */
void	 view_json_setting(struct json_gen *,
	    const Sentinel__Ipc__SettingView *);
/* host_id? host_name? name? policy origin label? label_ignored? override?
 * host_policy? absent? changed_at? changed_by? */
void	 view_json_policy(struct json_gen *,
	    const Sentinel__Ipc__PolicyView *);

/* host_id? host_name? name phase command? timeout_seconds? rollback? origin?
 * unused? changed_at? changed_by? error?; of one that was run also request_id
 * outcome exit_code output */
void	 view_json_hook(struct json_gen *, const Sentinel__Ipc__HookView *);
/* view_json_quarantine.c: host_id? host_name? container? digest? since image?
 * reason? */
void	 view_json_quarantine(struct json_gen *,
	    const Sentinel__Ipc__QuarantineView *);
/* An array of them; of a plan also with "refused". */
void	 view_json_quarantines(struct json_gen *,
	    Sentinel__Ipc__QuarantineView *const *, size_t n, bool plan);
/* phase since? by? fingerprint not_after new_fingerprint? new_not_after?
 * cross_signed? hosts waiting missing[] of id name connected missing */
void	 view_json_ca(struct json_gen *, const Sentinel__Ipc__CaView *);

#endif /* VIEW_JSON_H */
