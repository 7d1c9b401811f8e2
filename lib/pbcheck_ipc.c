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
 * proto/ipc.proto: what processes send one another.  The sender is ours or
 * taken over, so every field is narrow.  A lowest length above 0 makes a
 * field required.  What sentinelctl sees: pbcheck_ipc_control.c.
 */
#define POINT		65

static const struct pbcheck_field server_identity[] = {
	BYTES(1, "chain_pem", 1, 2 * MAX_PEM),
	BYTES(2, "ca_pem", 1, MAX_PEM),
	BYTES(3, "point", POINT, POINT),
	END
};

static const struct pbcheck_field enroll_ask[] = {
	STR(1, "token", 0, 1024, TEXT),
	STR(2, "host_name", 0, MAX_NAME, LINE),
	BYTES(3, "point", POINT, POINT),
	STR(4, "address", 1, MAX_ADDRESS, WORD),
	END
};

static const struct pbcheck_field enroll_answer[] = {
	NUM(1, "status", 0, 16),
	STR(2, "message", 0, MAX_TEXT, TEXT),
	MSG(3, "response"),
	END
};

static const struct pbcheck_field agent_open[] = {
	ANY(1, "kind"),
	STR(2, "host_id", 1, MAX_HOSTID, NAME),
	STR(3, "serial", 1, MAX_SERIAL, HEX),
	BYTES(4, "point", POINT, POINT),
	NUM(5, "not_before", 0, MAX_TIME),
	NUM(6, "not_after", 1, MAX_TIME),
	STR(7, "address", 1, MAX_ADDRESS, WORD),
	MSG(8, "report"),
	BYTES(9, "stream_id", 0, FOLLOW_ID_LEN),
	END
};

static const struct pbcheck_field agent_admit[] = {
	NUM(1, "status", 0, 16),
	STR(2, "message", 0, MAX_TEXT, TEXT),
	END
};

static const struct pbcheck_field list_end[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	NUM(2, "count", 0, 10000),
	STR(3, "error", 0, MAX_TEXT, TEXT),
	END
};

static const struct pbcheck_field report_ack[] = {
	NEED(1, "ack"),
	END
};

static const struct pbcheck_field agent_closed[] = {
	STR(1, "category", 0, MAX_WORD, WORD),
	STR(2, "text", 0, MAX_TEXT, TEXT),
	END
};

static const struct pbcheck_field agent_send[] = {
	BYTES(1, "message", 1, 1024 * 1024 + 65536),
	END
};

static const struct pbcheck_field agent_close[] = {
	NUM(1, "status", 0, 16),
	STR(2, "message", 0, MAX_TEXT, TEXT),
	END
};

static const struct pbcheck_field sent[] = {
	NUM(1, "count", 1, 65536),
	END
};

static const struct pbcheck_field cluster_stats[] = {
	NUM(1, "connections", 0, UINT32_MAX),
	ANY(2, "handshakes"),
	ANY(3, "handshake_failures"),
	STR(4, "listen", 0, 128, WORD),
	END
};

static const struct pbcheck_field uplink_connect[] = {
	STR(1, "server", 1, 272, WORD),
	STR(2, "server_name", 0, MAX_NAME, WORD),
	MSG(3, "enroll"),
	STR(4, "pin", 0, 32, HEX),
	ANY(5, "trust_first_use"),
	STR(6, "ca_pin", 0, 64, HEX),
	BYTES(7, "ca_pem", 0, MAX_PEM),
	BYTES(8, "cert_pem", 0, MAX_PEM),
	NUM(9, "connect_msec", 1, 3600000),
	END
};

static const struct pbcheck_field uplink_enrolled[] = {
	NUM(1, "status", 0, 16),
	STR(2, "message", 0, MAX_TEXT, TEXT),
	MSG(3, "response"),
	BYTES(4, "server_chain_pem", 0, 65536),
	END
};

static const struct pbcheck_field uplink_report[] = {
	BYTES(1, "report", 0, 1024 * 1024 + 65536),
	END
};

static const struct pbcheck_field uplink_ack[] = {
	NEED(1, "ack"),
	END
};

static const struct pbcheck_field uplink_send[] = {
	BYTES(1, "message", 1, 1024 * 1024 + 65536),
	END
};

static const struct pbcheck_field uplink_message[] = {
	BYTES(1, "message", 0, 4 * 1024 * 1024),
	END
};

static const struct pbcheck_field uplink_follow[] = {
	ANY(1, "attempt"),
	ANY(2, "open"),
	BYTES(3, "message", 0, FOLLOW_MESSAGE_MAXBYTES),
	ANY(4, "end"),
	END
};

static const struct pbcheck_field uplink_followed[] = {
	NUM(1, "sent", 0, 65536),
	ANY(2, "ended"),
	NUM(3, "status", 0, 16),
	STR(4, "text", 0, MAX_TEXT, TEXT),
	END
};

static const struct pbcheck_field uplink_down[] = {
	ANY(1, "cause"),
	NUM(2, "status", 0, 16),
	STR(3, "text", 0, MAX_TEXT, TEXT),
	END
};

static const struct pbcheck_field uplink_probed[] = {
	ANY(1, "stage"),
	ANY(2, "cause"),
	STR(3, "text", 0, MAX_TEXT, TEXT),
	STR(4, "addresses", 0, 1024, LINE),
	STR(5, "address", 0, MAX_ADDRESS, WORD),
	NUM(6, "not_before", 0, MAX_TIME),
	NUM(7, "not_after", 0, MAX_TIME),
	NUM(8, "msec", 0, UINT32_MAX),
	END
};

static const struct pbcheck_field docker_state[] = {
	ANY(1, "available"),
	STR(2, "error", 0, MAX_TEXT, TEXT),
	STR(3, "engine_id", 0, MAX_ENGINE, WORD),
	STR(4, "engine_version", 0, 128, LINE),
	STR(5, "api_version", 0, 32, WORD),
	STR(6, "engine_name", 0, MAX_NAME, LINE),
	ANY(10, "live"),
	END
};

static const struct pbcheck_field docker_event[] = {
	STR(1, "action", 1, MAX_WORD, LINE),
	NUM(2, "time_nsec", 0, INT64_MAX),
	END
};

static const struct pbcheck_field docker_delta[] = {
	STR(1, "id", 1, 128, WORD),
	MSG(2, "info"),
	LIST(3, "events", 64),
	END
};

static const struct pbcheck_field docker_op[] = {
	ANY(1, "kind"),
	STR(2, "request_id", 0, MAX_REQUEST, WORD),
	STR(3, "container", 0, MAX_NAME, WORD),
	STR(4, "action", 0, 256, LINE),
	ANY(5, "lines"),
	STR(6, "image", 0, MAX_REF, WORD),
	STR(7, "digest", 0, MAX_REF, WORD),
	ANY(13, "ordered"),
	STR(16, "to", 0, MAX_TO, WORD),
	STRS(17, "quarantined", MAX_QUARANTINED, 1, MAX_REF, WORD),
	ANY(18, "cleanup"),
	STR(20, "image_rule", 0, 4096, LINE),
	ANY(21, "run_hooks"),
	STR(22, "exec_fault", 0, 256, LINE),
	LIST(23, "hooks", 2),
	NUM(28, "since", 0, MAX_TIME),
	NUM(60, "until", 0, MAX_TIME),
	NUM(29, "streams", 0, 3),
	ANY(30, "timestamps"),
	STR(34, "registry_auth", 0, MAX_AUTH, BASE64URL),
	END
};

static const struct pbcheck_field docker_follow[] = {
	STR(1, "container", 1, MAX_NAME, WORD),
	NUM(2, "lines", -1, INT32_MAX),
	NUM(3, "since", 0, MAX_TIME),
	NUM(4, "streams", 1, 3),
	ANY(5, "timestamps"),
	END
};

static const struct pbcheck_field docker_followed[] = {
	ANY(1, "open"),
	MSG(2, "data"),
	END
};

static const struct pbcheck_field docker_progress[] = {
	STR(1, "request_id", 0, MAX_REQUEST, WORD),
	STR(2, "container", 0, MAX_NAME, WORD),
	STR(3, "phase", 0, MAX_WORD, WORD),
	NUM(4, "percent", 0, 100),
	STR(5, "text", 0, MAX_TEXT, LINE),
	END
};

static const struct pbcheck_field docker_result[] = {
	ANY(1, "kind"),
	STR(2, "request_id", 0, MAX_REQUEST, WORD),
	STR(3, "container", 0, MAX_NAME, WORD),
	STR(4, "outcome", 1, MAX_WORD, WORD),
	STR(5, "error", 0, 65536, TEXT),
	STR(6, "action", 0, 256, LINE),
	STR(7, "logs", 0, 1024 * 1024, TEXT),
	ANY(8, "lines"),
	STR(9, "old_image", 0, MAX_REF, WORD),
	STR(10, "old_digest", 0, MAX_REF, WORD),
	STR(11, "new_image", 0, MAX_REF, WORD),
	STR(12, "new_digest", 0, MAX_REF, WORD),
	ANY(13, "duration_msec"),
	ANY(14, "recovered"),
	MSG(20, "plan"),
	STR(33, "phase", 0, MAX_WORD, WORD),
	ANY(34, "exit_code"),
	STR(35, "output", 0, 128 * 1024, TEXT),
	ANY(36, "of_update"),
	STR(41, "image_id", 0, MAX_REF, WORD),
	MSG(64, "detail"),
	END
};

#define M(name)	{ &sentinel__ipc__##name##__descriptor, name }
const struct pbcheck_message pbcheck_ipc[] = {
	M(sent),
	M(agent_send),
	M(uplink_send),
	M(uplink_message),
	M(list_end),
	M(server_identity),
	M(enroll_ask),
	M(enroll_answer),
	M(agent_open),
	M(agent_admit),
	M(report_ack),
	M(agent_closed),
	M(agent_close),
	M(cluster_stats),
	M(uplink_connect),
	M(uplink_enrolled),
	M(uplink_report),
	M(uplink_ack),
	M(uplink_down),
	M(uplink_follow),
	M(uplink_followed),
	M(uplink_probed),
	M(docker_state),
	M(docker_event),
	M(docker_delta),
	M(docker_op),
	M(docker_follow),
	M(docker_followed),
	M(docker_progress),
	M(docker_result),
	{ NULL, NULL }
};
