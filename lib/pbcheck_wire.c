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
#include "pbcheck_rule.h"
#include "sentinel.pb-c.h"

/*
 * proto/sentinel.proto.  A foreign peer sends what Docker told it, so lengths
 * are generous and character sets no narrower than needed to keep control
 * characters out of names: one odd label must not cut off a host.
 */

/* Year 1 (what Go sends for "never") to 9999. */
static const struct pbcheck_field timestamp[] = {
	NUM(1, "seconds", -62135596800LL, 253402300799LL),
	NUM(2, "nanos", 0, 999999999),
	END
};

static const struct pbcheck_field duration[] = {
	NUM(1, "seconds", -315576000000LL, 315576000000LL),
	NUM(2, "nanos", -999999999, 999999999),
	END
};

static const struct pbcheck_field labels_entry[] = {
	STR(1, "key", 0, 4096, TEXT),
	STR(2, "value", 0, 256 * 1024, TEXT),
	END
};

static const struct pbcheck_field port_mapping[] = {
	STR(1, "host_ip", 0, 64, LINE),		/* Go: also "invalid IP" */
	NUM(2, "host_port", 0, 65535),
	NUM(3, "container_port", 0, 65535),
	STR(4, "protocol", 0, 16, WORD),
	END
};

static const struct pbcheck_field container_info[] = {
	STR(1, "id", 0, 128, WORD),
	STR(2, "name", 0, MAX_NAME, WORD),
	STR(3, "image", 0, MAX_REF, WORD),
	STR(4, "image_digest", 0, MAX_REF, WORD),
	STR(5, "state", 0, MAX_WORD, WORD),
	LIST(6, "labels", 2048),
	MSG(7, "created"),
	LIST(8, "ports", 16384),
	STR(100, "health", 0, MAX_WORD, WORD),
	END
};

static const struct pbcheck_field enroll_request[] = {
	/* The engine has texts of its own for what is wrong with a token. */
	STR(1, "token", 0, 1024, TEXT),
	STR(2, "host_name", 0, MAX_NAME, LINE),
	BYTES(3, "csr", 0, MAX_CSR),
	END
};

static const struct pbcheck_field enroll_response[] = {
	STR(1, "host_id", 1, MAX_HOSTID, NAME),
	BYTES(2, "ca_cert", 1, MAX_PEM),
	BYTES(3, "agent_cert", 1, MAX_PEM),
	END
};

static const struct pbcheck_field agent_message[] = {
	MSG(1, "heartbeat"),
	MSG(2, "container_list"),
	MSG(3, "update_result"),
	MSG(4, "hook_result"),
	MSG(5, "rollback_result"),
	MSG(6, "offline_journal"),
	MSG(7, "cert_renewal"),
	MSG(8, "container_action_result"),
	MSG(9, "fetch_logs_result"),
	MSG(100, "progress"),
	MSG(101, "pull_result"),
	MSG(102, "container_delta"),
	MSG(110, "plan_result"),
	MSG(122, "detail_result"),
	END
};

static const struct pbcheck_field server_message[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	MSG(2, "heartbeat"),
	MSG(3, "list_containers"),
	MSG(4, "update_container"),
	MSG(5, "pull_image"),
	MSG(6, "run_hook"),
	MSG(7, "rollback"),
	MSG(8, "policy_sync"),
	MSG(9, "settings_sync"),
	MSG(10, "cert_renewal_response"),
	MSG(11, "container_action"),
	MSG(12, "fetch_logs"),
	MSG(100, "signed_command"),
	MSG(101, "journal_ack"),
	MSG(110, "plan"),
	MSG(112, "follow_logs"),
	MSG(122, "detail"),
	END
};

static const struct pbcheck_field heartbeat[] = {
	MSG(1, "timestamp"),
	STR(2, "agent_version", 0, MAX_VERSION, LINE),
	STRS(3, "supported_features", MAX_FEATURES, 0, MAX_FEATURE, WORD),
	STR(4, "host_id", 0, MAX_HOSTID, LINE),
	STR(100, "engine_id", 0, MAX_ENGINE, WORD),
	STR(101, "docker_error", 0, 4096, TEXT),
	BYTES(102, "ca_pins", 0, 8 * 32),
	BYTES(103, "list_hash", 0, 32),
	END
};

static const struct pbcheck_field container_list[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	LIST(2, "containers", 10000),
	STR(100, "error", 0, 4096, TEXT),
	END
};

static const struct pbcheck_field list_containers[] = { END };

static const struct pbcheck_field update_container[] = {
	STR(1, "container_name", 0, MAX_NAME, WORD),
	STR(2, "target_image", 0, MAX_REF, WORD),
	STR(3, "target_digest", 0, MAX_REF, WORD),
	ANY(4, "skip_hooks"),
	LIST(100, "hooks", 2),
	STR(105, "registry_auth", 0, MAX_AUTH, BASE64URL),
	STRS(106, "quarantined", MAX_QUARANTINED, 1, MAX_REF, WORD),
	END
};

static const struct pbcheck_field update_result[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "container_name", 0, MAX_NAME, WORD),
	STR(3, "old_image", 0, MAX_REF, WORD),
	STR(4, "old_digest", 0, MAX_REF, WORD),
	STR(5, "new_image", 0, MAX_REF, WORD),
	STR(6, "new_digest", 0, MAX_REF, WORD),
	STR(7, "outcome", 0, MAX_WORD, WORD),
	STR(8, "error", 0, MAX_ERROR, TEXT),
	MSG(9, "duration"),
	END
};

static const struct pbcheck_field plan_request[] = {
	STR(1, "container_name", 0, MAX_NAME, WORD),
	STR(2, "target_image", 0, MAX_REF, WORD),
	END
};

static const struct pbcheck_field plan_result[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "container_name", 0, MAX_NAME, WORD),
	STR(3, "error", 0, MAX_ERROR, TEXT),
	MSG(4, "plan"),
	END
};

static const struct pbcheck_field plan[] = {
	STR(1, "container_id", 0, 128, WORD),
	STR(2, "state", 0, MAX_WORD, WORD),
	STR(3, "old_image", 0, MAX_REF, WORD),
	STR(4, "old_image_id", 0, MAX_REF, WORD),
	STR(5, "old_digest", 0, MAX_REF, WORD),
	STR(6, "new_image", 0, MAX_REF, WORD),
	STR(7, "new_image_id", 0, MAX_REF, WORD),
	STR(8, "new_digest", 0, MAX_REF, WORD),
	ANY(9, "identical"),
	STR(10, "api_version", 0, MAX_WORD, WORD),
	NUM(11, "stop_seconds", 0, 86400),
	LIST(12, "items", 4096),
	LIST(13, "dropped", 4096),
	LIST(14, "dependants", 1024),
	STRS(15, "notes", 64, 0, MAX_TEXT, LINE),
	END
};

static const struct pbcheck_field plan_item[] = {
	STR(1, "kind", 1, MAX_WORD, WORD),
	STR(2, "name", 0, 1024, LINE),
	STR(3, "change", 1, MAX_WORD, WORD),
	STR(4, "now", 0, MAX_TEXT, LINE),
	STR(5, "then", 0, MAX_TEXT, LINE),
	END
};

static const struct pbcheck_field plan_drop[] = {
	STR(1, "name", 0, 1024, LINE),
	STR(2, "why", 0, 1024, LINE),
	END
};

static const struct pbcheck_field plan_dependant[] = {
	STR(1, "container_name", 0, MAX_NAME, WORD),
	STR(2, "how", 0, 256, LINE),
	STR(3, "what", 0, 1024, LINE),
	END
};

static const struct pbcheck_field detail_request[] = {
	STR(1, "container_name", 0, MAX_NAME, WORD),
	END
};

static const struct pbcheck_field detail_result[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "container_name", 0, MAX_NAME, WORD),
	STR(3, "error", 0, MAX_ERROR, TEXT),
	MSG(4, "detail"),
	END
};

static const struct pbcheck_field detail[] = {
	STR(1, "container_id", 0, 128, WORD),
	STR(2, "image", 0, MAX_REF, WORD),
	STR(3, "image_id", 0, MAX_REF, WORD),
	STR(4, "image_digest", 0, MAX_REF, WORD),
	STR(5, "state", 0, MAX_WORD, WORD),
	STR(6, "health", 0, MAX_WORD, WORD),
	MSG(7, "created"),
	MSG(8, "started"),
	MSG(9, "finished"),
	ANY(10, "exit_code"),
	STR(11, "restart_policy", 0, MAX_WORD, WORD),
	ANY(12, "restart_max"),
	ANY(13, "restart_count"),
	ANY(14, "auto_remove"),
	LIST(15, "earlier", 64),
	END
};

static const struct pbcheck_field kept_image[] = {
	STR(1, "image_id", 1, 80, WORD),
	STR(2, "image", 0, MAX_REF, WORD),
	STR(3, "digest", 0, MAX_REF, WORD),
	MSG(4, "replaced"),
	END
};

static const struct pbcheck_field container_action[] = {
	STR(1, "container_name", 0, MAX_NAME, WORD),
	/* Any word: the agent answers "unknown action". */
	STR(2, "action", 0, 256, LINE),
	END
};

static const struct pbcheck_field container_action_result[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "container_name", 0, MAX_NAME, WORD),
	STR(3, "action", 0, 256, LINE),
	STR(4, "outcome", 0, MAX_WORD, WORD),
	STR(5, "error", 0, MAX_ERROR, TEXT),
	END
};

static const struct pbcheck_field fetch_logs[] = {
	STR(1, "container_name", 0, MAX_NAME, WORD),
	ANY(2, "lines"),			/* clamped by the agent */
	NUM(100, "since", 0, MAX_TIME),
	NUM(101, "streams", 0, 3),
	ANY(102, "timestamps"),
	NUM(120, "until", 0, MAX_TIME),
	END
};

static const struct pbcheck_field follow_logs[] = {
	STR(1, "container_name", 0, MAX_NAME, WORD),
	BYTES(2, "stream_id", 0, FOLLOW_ID_LEN),
	NUM(3, "lines", -1, INT32_MAX),
	NUM(4, "since", 0, MAX_TIME),
	NUM(5, "streams", 0, 3),
	ANY(6, "timestamps"),
	END
};

static const struct pbcheck_field follow_logs_data[] = {
	BYTES(1, "stream_id", 0, FOLLOW_ID_LEN),
	STR(2, "text", 0, FOLLOW_TEXT_MAXBYTES, TEXT),
	NUM(3, "stream", 0, 2),
	ANY(4, "skipped"),
	STR(5, "end", 0, MAX_TEXT, TEXT),
	ANY(6, "failed"),
	END
};

static const struct pbcheck_field follow_logs_end[] = { END };

static const struct pbcheck_field fetch_logs_result[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "container_name", 0, MAX_NAME, WORD),
	STR(3, "logs", 0, MAX_LOGS, TEXT),
	ANY(4, "lines"),
	STR(5, "error", 0, MAX_ERROR, TEXT),
	END
};

static const struct pbcheck_field pull_image[] = {
	STR(1, "image_ref", 0, MAX_REF, WORD),
	STR(100, "registry_auth", 0, MAX_AUTH, BASE64URL),
	END
};

static const struct pbcheck_field pull_result[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "image_ref", 0, MAX_REF, WORD),
	STR(3, "digest", 0, MAX_REF, WORD),
	STR(4, "outcome", 0, MAX_WORD, WORD),
	STR(5, "error", 0, MAX_ERROR, TEXT),
	END
};

static const struct pbcheck_field run_hook[] = {
	STR(1, "container_name", 0, MAX_NAME, WORD),
	STR(2, "phase", 0, MAX_WORD, WORD),
	STR(3, "command", 0, 65536, TEXT),
	ANY(4, "timeout_seconds"),		/* 0 and below: the default */
	ANY(100, "rollback"),
	END
};

static const struct pbcheck_field hook_result[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "container_name", 0, MAX_NAME, WORD),
	STR(3, "phase", 0, MAX_WORD, WORD),
	ANY(4, "exit_code"),
	STR(5, "output", 0, MAX_LOGS, TEXT),
	STR(6, "error", 0, MAX_ERROR, TEXT),
	ANY(100, "of_update"),
	END
};

static const struct pbcheck_field rollback[] = {
	STR(1, "container_name", 0, MAX_NAME, WORD),
	STR(100, "to", 0, MAX_TO, WORD),
	STRS(101, "quarantined", MAX_QUARANTINED, 1, MAX_REF, WORD),
	END
};

static const struct pbcheck_field rollback_result[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "container_name", 0, MAX_NAME, WORD),
	STR(3, "outcome", 0, MAX_WORD, WORD),
	STR(4, "error", 0, MAX_ERROR, TEXT),
	STR(100, "old_image", 0, MAX_REF, WORD),
	STR(101, "old_digest", 0, MAX_REF, WORD),
	STR(102, "new_image", 0, MAX_REF, WORD),
	STR(103, "new_digest", 0, MAX_REF, WORD),
	MSG(104, "duration"),
	END
};

static const struct pbcheck_field progress[] = {
	STR(1, "request_id", 1, MAX_REQUEST, WORD),
	STR(2, "container_name", 0, MAX_NAME, WORD),
	STR(3, "phase", 0, MAX_WORD, WORD),
	NUM(4, "percent", 0, 100),
	STR(5, "text", 0, 4096, LINE),
	END
};

static const struct pbcheck_field container_delta[] = {
	/* Each is looked for in a list: more of them are sent as one. */
	LIST(1, "changed", 512),
	STRS(2, "removed", 512, 1, 128, WORD),
	END
};

static const struct pbcheck_field state_report[] = {
	STR(1, "host_id", 0, MAX_HOSTID, LINE),
	LIST(2, "containers", 10000),
	MSG(3, "timestamp"),
	STR(4, "agent_version", 0, MAX_VERSION, LINE),
	STRS(5, "supported_features", MAX_FEATURES, 0, MAX_FEATURE, WORD),
	STR(6, "engine_id", 0, MAX_ENGINE, WORD),
	BYTES(100, "session_nonce", 0, MAX_NONCE),
	STR(101, "docker_error", 0, 4096, TEXT),
	END
};

static const struct pbcheck_field state_ack[] = {
	ANY(1, "accepted"),
	STR(2, "message", 0, 4096, TEXT),
	ANY(100, "signed_commands"),
	STRS(101, "supported_features", MAX_FEATURES, 0, MAX_FEATURE, WORD),
	END
};

static const struct pbcheck_field policies_entry[] = {
	STR(1, "key", 0, 512, LINE),
	STR(2, "value", 0, MAX_WORD, WORD),
	END
};

static const struct pbcheck_field policy_sync[] = {
	LIST(1, "policies", 20000),
	STR(2, "default_policy", 0, MAX_WORD, WORD),
	ANY(100, "revision"),
	ANY(101, "host_default"),
	END
};

static const struct pbcheck_field settings_sync[] = {
	MSG(1, "poll_interval"),
	MSG(2, "grace_period"),
	ANY(3, "latest_auto_update"),
	ANY(4, "image_cleanup"),
	ANY(5, "hooks_enabled"),
	ANY(6, "dependency_aware"),
	STR(7, "rollback_policy", 0, MAX_WORD, WORD),
	ANY(100, "revision"),
	MSG(101, "grace_period_offline"),
	END
};

static const struct pbcheck_field journal_entry[] = {
	STR(1, "id", 0, 256, LINE),
	MSG(2, "timestamp"),
	STR(3, "action", 0, 256, LINE),
	STR(4, "container", 0, MAX_NAME, WORD),
	STR(5, "old_image", 0, MAX_REF, WORD),
	STR(6, "new_image", 0, MAX_REF, WORD),
	STR(7, "old_digest", 0, MAX_REF, WORD),
	STR(8, "new_digest", 0, MAX_REF, WORD),
	STR(9, "outcome", 0, MAX_WORD, WORD),
	STR(10, "error", 0, MAX_ERROR, TEXT),
	MSG(11, "duration"),
	END
};

static const struct pbcheck_field offline_journal[] = {
	LIST(1, "entries", 20000),
	END
};

static const struct pbcheck_field journal_ack[] = {
	STRS(1, "ids", 20000, 1, 256, LINE),
	END
};

static const struct pbcheck_field cert_renewal_csr[] = {
	BYTES(1, "csr", 1, MAX_CSR),
	END
};

static const struct pbcheck_field cert_renewal_response[] = {
	BYTES(1, "agent_cert", 0, MAX_PEM),
	BYTES(100, "ca_cert", 0, MAX_PEM),
	END
};

static const struct pbcheck_field signed_command[] = {
	BYTES(1, "body", 1, 1024 * 1024 + 4096),
	BYTES(2, "signature", 8, 80),		/* DER, two integers */
	BYTES(3, "certificate", 1, 8192),
	END
};

static const struct pbcheck_field command_body[] = {
	STR(1, "host_id", 1, MAX_HOSTID, NAME),
	BYTES(2, "session_nonce", MAX_NONCE, MAX_NONCE),
	STR(3, "request_id", 1, MAX_REQUEST, WORD),
	BYTES(4, "message", 1, 1024 * 1024),
	END
};

/* What comes in thousands stands first: the search is linear. */
#define M(name)	&sentinel__cluster__##name##__descriptor
const struct pbcheck_message pbcheck_wire[] = {
	{ M(container_info__labels_entry),	labels_entry },
	{ M(port_mapping),			port_mapping },
	{ M(container_info),			container_info },
	{ &google__protobuf__timestamp__descriptor, timestamp },
	{ &google__protobuf__duration__descriptor, duration },
	{ M(policy_sync__policies_entry),	policies_entry },
	{ M(journal_entry),			journal_entry },
	{ M(agent_message),			agent_message },
	{ M(server_message),			server_message },
	{ M(heartbeat),				heartbeat },
	{ M(progress),				progress },
	{ M(enroll_request),			enroll_request },
	{ M(enroll_response),			enroll_response },
	{ M(container_list),			container_list },
	{ M(list_containers_request),		list_containers },
	{ M(update_container_request),		update_container },
	{ M(update_result),			update_result },
	{ M(plan_item),				plan_item },
	{ M(plan_drop),				plan_drop },
	{ M(plan_dependant),			plan_dependant },
	{ M(plan_request),			plan_request },
	{ M(plan_result),			plan_result },
	{ M(plan),				plan },
	{ M(detail_request),			detail_request },
	{ M(detail_result),			detail_result },
	{ M(detail),				detail },
	{ M(kept_image),			kept_image },
	{ M(container_action_request),		container_action },
	{ M(container_action_result),		container_action_result },
	{ M(fetch_logs_request),		fetch_logs },
	{ M(fetch_logs_result),			fetch_logs_result },
	{ M(follow_logs_request),		follow_logs },
	{ M(follow_logs_data),			follow_logs_data },
	{ M(follow_logs_end),			follow_logs_end },
	{ M(pull_image_request),		pull_image },
	{ M(pull_result),			pull_result },
	{ M(run_hook_request),			run_hook },
	{ M(hook_result),			hook_result },
	{ M(rollback_request),			rollback },
	{ M(rollback_result),			rollback_result },
	{ M(container_delta),			container_delta },
	{ M(state_report),			state_report },
	{ M(state_ack),				state_ack },
	{ M(policy_sync),			policy_sync },
	{ M(settings_sync),			settings_sync },
	{ M(offline_journal),			offline_journal },
	{ M(journal_ack),			journal_ack },
	{ M(cert_renewal_csr),			cert_renewal_csr },
	{ M(cert_renewal_response),		cert_renewal_response },
	{ M(signed_command),			signed_command },
	{ M(command_body),			command_body },
	{ NULL,					NULL }
};
