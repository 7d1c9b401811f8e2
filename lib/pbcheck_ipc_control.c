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

#include "compat.h"

#include "follow.h"
#include "ipc.pb-c.h"
#include "pbcheck_rule.h"

/*
 * proto/ipc.proto: what passes between sentinelctl, control and engine.
 * ControlRequest comes from people by way of sentinelctl.  A lowest length
 * above 0 makes a field required.
 */
static const struct pbcheck_field control_request[] = {
	/* Not required: another version is answered, not refused. */
	NUM(1, "version", 0, UINT32_MAX),
	ANY(2, "command"),
	ANY(3, "read_only"),
	STR(4, "host", 0, MAX_NAME, LINE),
	STR(5, "container", 0, MAX_NAME, LINE),
	STR(6, "token_id", 0, 64, LINE),
	NUM(7, "ttl_sec", 0, 36500LL * 86400),
	STR(8, "name", 0, MAX_NAME, LINE),
	STR(9, "action", 0, MAX_WORD, WORD),
	STR(10, "image", 0, MAX_REF, LINE),
	ANY(11, "lines"),
	ANY(12, "follow"),
	NUM(13, "uid", 0, UINT32_MAX),
	STR(14, "label", 0, 1024, LINE),
	ANY(15, "all"),
	NUM(17, "limit", 0, UINT32_MAX),
	NUM(18, "uses", 0, UINT32_MAX),
	STRS(19, "labels", MAX_LABELS, 1, 1024, LINE),
	STR(23, "token", 0, 1024, WORD),
	STR(28, "setting", 0, 64, LINE),
	STR(29, "value", 0, 4096, LINE),
	ANY(26, "force"),
	STR(44, "phase", 0, MAX_WORD, LINE),
	STR(45, "command_line", 0, 4095, TEXT),
	NUM(46, "timeout_sec", 0, 3601),
	ANY(47, "rollback"),
	ANY(48, "skip_hooks"),
	NUM(49, "streams", 0, 3),
	ANY(50, "timestamps"),
	STR(54, "registry_auth", 0, MAX_AUTH, BASE64URL),
	STR(55, "operation", 0, MAX_REQUEST, WORD),
	STR(42, "to", 0, 256, LINE),
	STR(62, "digest", 0, 256, LINE),
	NUM(64, "since_time", 0, MAX_TIME),
	NUM(65, "until_time", 0, MAX_TIME),
	END
};

static const struct pbcheck_field control_item[] = {
	MSG(1, "status"),
	MSG(2, "process"),
	MSG(3, "token"),
	MSG(4, "host"),
	MSG(5, "event"),
	MSG(6, "container"),
	MSG(7, "progress"),
	MSG(8, "logs"),
	MSG(9, "result"),
	MSG(10, "audit"),
	MSG(11, "cert"),
	MSG(13, "setting"),
	MSG(14, "policy"),
	MSG(15, "history"),
	MSG(12, "ca"),
	MSG(16, "check"),
	MSG(20, "plan"),
	MSG(22, "hook"),
	MSG(24, "follow"),
	MSG(25, "operation"),
	MSG(26, "detail"),
	MSG(31, "quarantine"),
	END
};

static const struct pbcheck_field control_end[] = {
	NUM(1, "code", 0, 255),
	STR(2, "error", 0, MAX_TEXT, TEXT),
	END
};

static const struct pbcheck_field follow_view[] = {
	STR(1, "host_name", 0, MAX_NAME, LINE),
	STR(2, "container", 0, MAX_NAME, LINE),
	STR(3, "text", 0, FOLLOW_TEXT_MAXBYTES, TEXT),
	NUM(4, "stream", 0, 2),
	ANY(5, "skipped"),
	END
};

static const struct pbcheck_field plan_view[] = {
	STR(1, "host_id", 0, MAX_HOSTID, NAME),
	STR(2, "host_name", 0, MAX_NAME, LINE),
	STR(3, "container", 0, MAX_NAME, LINE),
	MSG(4, "plan"),
	LIST(5, "quarantine", MAX_QUARANTINED),
	END
};

static const struct pbcheck_field quarantine_view[] = {
	STR(1, "host_id", 0, MAX_HOSTID, NAME),
	STR(2, "host_name", 0, MAX_NAME, LINE),
	STR(3, "container", 0, MAX_NAME, WORD),
	STR(4, "digest", 0, MAX_REF, WORD),
	STR(5, "image", 0, MAX_REF, WORD),
	NUM(6, "time", 0, MAX_TIME),
	STR(7, "reason", 0, 1024, LINE),
	ANY(8, "applies"),
	END
};

static const struct pbcheck_field status_view[] = {
	STR(1, "daemon", 1, MAX_WORD, NAME),
	STR(2, "version", 0, MAX_VERSION, LINE),
	NUM(3, "started_at", 0, MAX_TIME),
	STR(4, "listen", 0, 128, WORD),
	NUM(5, "hosts", 0, UINT32_MAX),
	NUM(6, "hosts_connected", 0, UINT32_MAX),
	STR(7, "ca_fingerprint", 0, 64, HEX),
	NUM(8, "ca_not_after", 0, MAX_TIME),
	NUM(9, "server_not_after", 0, MAX_TIME),
	STR(10, "server", 0, 272, WORD),
	STR(11, "host_id", 0, MAX_HOSTID, NAME),
	STR(12, "host_name", 0, MAX_NAME, LINE),
	ANY(13, "connected"),
	STR(14, "last_error", 0, MAX_TEXT, TEXT),
	NUM(15, "cert_not_after", 0, MAX_TIME),
	ANY(16, "signed_commands"),
	STR(17, "engine_id", 0, MAX_ENGINE, WORD),
	ANY(18, "docker"),
	STR(19, "docker_error", 0, MAX_TEXT, TEXT),
	NUM(20, "containers", 0, UINT32_MAX),
	ANY(28, "autonomous"),
	NUM(29, "offline_since", 0, MAX_TIME),
	ANY(30, "journal_entries"),
	ANY(31, "journal_lost"),
	NUM(32, "server_heard_at", 0, MAX_TIME),
	ANY(33, "clock_skew_sec"),
	STR(25, "ca_phase", 0, MAX_WORD, NAME),
	MSG(40, "allow"),
	END
};

static const struct pbcheck_field check_view[] = {
	STR(1, "name", 1, 80, LINE),
	STR(2, "level", 1, MAX_WORD, NAME),
	STR(3, "text", 0, MAX_TEXT, TEXT),
	STR(4, "fix", 0, MAX_TEXT, TEXT),
	END
};

static const struct pbcheck_field allow_view[] = {
	ANY(1, "exec"),
	ANY(2, "read_only"),
	STRS(3, "actions", 32, 1, MAX_WORD, WORD),
	STRS(4, "images", 64, 1, 256, WORD),
	END
};

static const struct pbcheck_field process_view[] = {
	STR(1, "name", 1, MAX_WORD, NAME),
	NUM(2, "pid", 0, INT32_MAX),
	NUM(3, "uid", 0, UINT32_MAX),
	STR(4, "sandbox", 0, 512, LINE),
	NUM(5, "restarts", 0, UINT32_MAX),
	END
};

static const struct pbcheck_field token_view[] = {
	STR(1, "id", 1, 64, HEX),
	STR(2, "token", 0, 64, HEX),
	NUM(3, "created_at", 0, MAX_TIME),
	NUM(4, "expires_at", 0, MAX_TIME),
	NUM(5, "uses", 0, UINT32_MAX),
	NUM(6, "used", 0, UINT32_MAX),
	STR(7, "host_name", 0, MAX_NAME, LINE),
	STR(8, "state", 0, MAX_WORD, NAME),
	STR(9, "host_id", 0, MAX_HOSTID, NAME),
	STR(10, "ca_fingerprint", 0, 64, HEX),
	STR(11, "replaces", 0, MAX_HOSTID, NAME),
	STR(12, "replaces_name", 0, MAX_NAME, LINE),
	STRS(13, "labels", MAX_LABELS, 3, MAX_LABEL, LINE),
	STR(14, "creator", 0, 256, LINE),
	END
};

static const struct pbcheck_field host_view[] = {
	STR(1, "id", 1, MAX_HOSTID, NAME),
	STR(2, "name", 0, MAX_NAME, LINE),
	STR(3, "raw_name", 0, MAX_NAME, LINE),
	STR(4, "address", 0, MAX_ADDRESS, WORD),
	STR(5, "state", 0, MAX_WORD, NAME),
	ANY(6, "connected"),
	NUM(7, "enrolled_at", 0, MAX_TIME),
	NUM(8, "last_seen", 0, MAX_TIME),
	STR(9, "agent_version", 0, MAX_VERSION, LINE),
	STRS(10, "features", MAX_FEATURES, 0, MAX_FEATURE, WORD),
	NUM(11, "containers", 0, UINT32_MAX),
	NUM(12, "disconnect_at", 0, MAX_TIME),
	STR(13, "disconnect_err", 0, MAX_TEXT, TEXT),
	STR(14, "disconnect_cat", 0, MAX_WORD, WORD),
	STR(15, "engine_id", 0, MAX_ENGINE, WORD),
	STR(16, "cert_serial", 0, MAX_SERIAL, HEX),
	NUM(17, "cert_not_after", 0, MAX_TIME),
	STR(18, "docker_error", 0, MAX_TEXT, TEXT),
	NUM(19, "rtt_usec", 0, UINT32_MAX),
	STRS(20, "labels", MAX_LABELS, 3, MAX_LABEL, LINE),
	NUM(21, "decommissioned_at", 0, MAX_TIME),
	STR(22, "decommission_reason", 0, MAX_WORD, WORD),
	STR(23, "decommissioned_by", 0, 256, LINE),
	STR(24, "frozen", 0, 512, LINE),
	NUM(25, "cert_not_before", 0, MAX_TIME),
	NUM(26, "cert_renew_at", 0, MAX_TIME),
	STR(27, "pending_serial", 0, MAX_SERIAL, HEX),
	NUM(28, "pending_not_after", 0, MAX_TIME),
	STR(30, "ca_missing", 0, 256, LINE),
	END
};

static const struct pbcheck_field cert_view[] = {
	STR(1, "kind", 1, MAX_WORD, NAME),
	STR(2, "subject", 0, MAX_NAME, LINE),
	STR(3, "host_id", 0, MAX_HOSTID, NAME),
	STR(4, "host_name", 0, MAX_NAME, LINE),
	STR(5, "serial", 0, MAX_SERIAL, HEX),
	NUM(6, "not_before", 0, MAX_TIME),
	NUM(7, "not_after", 0, MAX_TIME),
	NUM(8, "renew_at", 0, MAX_TIME),
	STR(9, "state", 1, MAX_WORD, NAME),
	NUM(10, "revoked_at", 0, MAX_TIME),
	STR(11, "reason", 0, MAX_TEXT, LINE),
	END
};

static const struct pbcheck_field event_view[] = {
	ANY(1, "id"),
	NUM(2, "time_msec", 0, MAX_TIME * 1000),
	STR(3, "type", 0, 64, NAME),
	STR(4, "host_id", 0, MAX_HOSTID, NAME),
	STR(5, "host_name", 0, MAX_NAME, LINE),
	STR(6, "container", 0, MAX_NAME, WORD),
	STR(7, "message", 0, 65536, TEXT),
	END
};

static const struct pbcheck_field history_view[] = {
	STR(1, "host_id", 0, MAX_HOSTID, NAME),
	STR(2, "host_name", 0, MAX_NAME, LINE),
	STR(3, "id", 0, 256, LINE),
	NUM(4, "time_msec", 0, MAX_TIME * 1000),
	STR(5, "origin", 0, MAX_WORD, NAME),
	STR(6, "container", 0, MAX_NAME, WORD),
	STR(7, "action", 0, 256, LINE),
	STR(8, "old_image", 0, MAX_REF, WORD),
	STR(9, "new_image", 0, MAX_REF, WORD),
	STR(10, "old_digest", 0, MAX_REF, WORD),
	STR(11, "new_digest", 0, MAX_REF, WORD),
	STR(12, "outcome", 0, MAX_WORD, WORD),
	STR(13, "error", 0, 65536, TEXT),
	ANY(14, "duration_msec"),
	NUM(15, "stored_msec", 0, MAX_TIME * 1000),
	END
};

static const struct pbcheck_field container_view[] = {
	STR(1, "host_id", 0, MAX_HOSTID, NAME),
	STR(2, "host_name", 0, MAX_NAME, LINE),
	NEED(3, "info"),
	NUM(4, "state_age_sec", 0, MAX_TIME),
	ANY(5, "stale"),
	STRS(6, "quarantine", MAX_QUARANTINED, 1, MAX_REF, WORD),
	END
};

static const struct pbcheck_field progress_view[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "phase", 0, MAX_WORD, WORD),
	NUM(3, "percent", 0, 100),
	STR(4, "text", 0, MAX_TEXT, LINE),
	END
};

static const struct pbcheck_field logs_view[] = {
	STR(1, "host_name", 0, MAX_NAME, LINE),
	STR(2, "container", 0, MAX_NAME, WORD),
	STR(3, "logs", 0, 1024 * 1024, TEXT),
	ANY(4, "lines"),
	ANY(5, "remote"),
	END
};

static const struct pbcheck_field result_view[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "host_name", 0, MAX_NAME, LINE),
	STR(3, "container", 0, MAX_NAME, WORD),
	STR(4, "action", 0, 256, LINE),
	STR(5, "outcome", 0, MAX_WORD, WORD),
	STR(6, "error", 0, 65536, TEXT),
	STR(7, "old_image", 0, MAX_REF, WORD),
	STR(8, "old_digest", 0, MAX_REF, WORD),
	STR(9, "new_image", 0, MAX_REF, WORD),
	STR(10, "new_digest", 0, MAX_REF, WORD),
	ANY(11, "duration_msec"),
	END
};

static const struct pbcheck_field operation_view[] = {
	STR(1, "id", 0, MAX_REQUEST, WORD),
	STR(2, "host_id", 0, MAX_HOSTID, NAME),
	STR(3, "host_name", 0, MAX_NAME, LINE),
	STR(4, "container", 0, MAX_NAME, LINE),
	STR(5, "kind", 0, MAX_WORD, LINE),
	STR(6, "image", 0, MAX_REF, LINE),
	STR(7, "phase", 0, MAX_WORD, LINE),
	NUM(8, "percent", 0, 100),
	STR(9, "text", 0, MAX_TEXT, LINE),
	ANY(10, "started_msec"),
	STR(11, "by", 0, MAX_WORD, LINE),
	STR(12, "outcome", 0, MAX_WORD, LINE),
	STR(13, "error", 0, 65536, TEXT),
	ANY(14, "ended_msec"),
	END
};

static const struct pbcheck_field detail_view[] = {
	NEED(1, "container"),
	MSG(2, "policy"),
	LIST(3, "operations", 64),
	LIST(4, "history", 64),
	MSG(5, "detail"),
	STR(6, "detail_error", 0, MAX_TEXT, TEXT),
	LIST(7, "quarantine", MAX_QUARANTINED),
	END
};

static const struct pbcheck_field audit_view[] = {
	MSG(1, "entry"),
	MSG(2, "chain"),
	END
};

static const struct pbcheck_field audit_entry_view[] = {
	NUM(1, "seq", 1, INT64_MAX),
	NUM(2, "time_msec", 0, MAX_TIME * 1000),
	STR(3, "actor", 0, 320, LINE),
	STR(4, "action", 0, 64, NAME),
	STR(5, "subject", 0, 512, LINE),
	STR(6, "outcome", 0, MAX_WORD, NAME),
	STR(7, "text", 0, 1024, LINE),
	STR(8, "hash", 64, 64, HEX),
	STR(9, "previous", 64, 64, HEX),
	END
};

static const struct pbcheck_field audit_chain_view[] = {
	NUM(1, "records", 0, INT64_MAX),
	NUM(2, "first", 0, INT64_MAX),
	NUM(3, "newest", 0, INT64_MAX),
	STR(4, "hash", 0, 64, HEX),
	NUM(5, "broken", 0, INT64_MAX),
	STR(6, "why", 0, 256, LINE),
	END
};

static const struct pbcheck_field setting_view[] = {
	STR(1, "name", 1, 64, NAME),
	STR(2, "value", 0, 4096, LINE),
	STR(3, "origin", 1, MAX_WORD, NAME),
	STR(4, "from", 0, 1024, LINE),
	ANY(5, "locked"),
	STR(6, "default_value", 0, 4096, LINE),
	STR(7, "bounds", 0, 256, LINE),
	STR(8, "help", 0, 512, LINE),
	NUM(9, "changed_at", 0, MAX_TIME),
	END
};

static const struct pbcheck_field policy_view[] = {
	STR(1, "host_id", 0, MAX_HOSTID, NAME),
	STR(2, "host_name", 0, MAX_NAME, LINE),
	STR(3, "container", 0, MAX_NAME, WORD),
	STR(4, "policy", 0, MAX_WORD, NAME),
	STR(5, "origin", 1, MAX_WORD, LINE),
	/* From whoever made the container: cut and repaired. */
	STR(6, "label", 0, 64, LINE),
	ANY(7, "label_ignored"),
	STR(8, "override", 0, MAX_WORD, NAME),
	STR(9, "host_policy", 0, MAX_WORD, NAME),
	ANY(10, "absent"),
	NUM(11, "changed_at", 0, MAX_TIME),
	STR(12, "changed_by", 0, 256, LINE),
	END
};

static const struct pbcheck_field hook_view[] = {
	STR(1, "host_id", 0, MAX_HOSTID, NAME),
	STR(2, "host_name", 0, MAX_NAME, LINE),
	STR(3, "container", 0, MAX_NAME, WORD),
	STR(4, "phase", 0, MAX_WORD, WORD),
	STR(5, "command", 0, 4095, TEXT),
	NUM(6, "timeout_sec", 0, UINT32_MAX),
	ANY(7, "rollback"),
	STR(8, "origin", 0, MAX_WORD, NAME),
	ANY(9, "unused"),
	NUM(10, "changed_at", 0, MAX_TIME),
	STR(11, "changed_by", 0, 256, LINE),
	STR(12, "request_id", 0, MAX_REQUEST, WORD),
	STR(13, "outcome", 0, MAX_WORD, WORD),
	ANY(14, "exit_code"),
	STR(15, "output", 0, 1024 * 1024, TEXT),
	STR(16, "error", 0, 65536, TEXT),
	END
};

static const struct pbcheck_field ca_view[] = {
	STR(1, "phase", 1, MAX_WORD, NAME),
	NUM(2, "since", 0, MAX_TIME),
	STR(3, "by", 0, 256, LINE),
	STR(4, "fingerprint", 0, 64, HEX),
	NUM(5, "not_after", 0, MAX_TIME),
	STR(6, "new_fingerprint", 0, 64, HEX),
	NUM(7, "new_not_after", 0, MAX_TIME),
	ANY(8, "cross"),
	NUM(9, "hosts", 0, UINT32_MAX),
	NUM(10, "waiting", 0, UINT32_MAX),
	LIST(11, "missing", 500),
	END
};

static const struct pbcheck_field ca_host_view[] = {
	STR(1, "id", 1, MAX_HOSTID, NAME),
	STR(2, "name", 0, MAX_NAME, LINE),
	ANY(3, "connected"),
	STR(4, "missing", 0, 256, LINE),
	END
};

#define M(name)	{ &sentinel__ipc__##name##__descriptor, name }
const struct pbcheck_message pbcheck_ipc_control[] = {
	M(container_view),
	M(host_view),
	M(cert_view),
	M(event_view),
	M(control_item),
	M(control_request),
	M(control_end),
	M(status_view),
	M(allow_view),
	M(check_view),
	M(process_view),
	M(token_view),
	M(progress_view),
	M(logs_view),
	M(result_view),
	M(operation_view),
	{ &sentinel__ipc__container_detail_view__descriptor, detail_view },
	M(plan_view),
	M(quarantine_view),
	M(follow_view),
	M(history_view),
	M(audit_view),
	M(hook_view),
	M(ca_view),
	M(ca_host_view),
	M(audit_entry_view),
	M(audit_chain_view),
	M(setting_view),
	M(policy_view),
	{ NULL, NULL }
};
