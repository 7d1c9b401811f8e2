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

#include "pbcheck_rule.h"
#include "store.pb-c.h"

/* proto/store.proto: a database may come from a backup or a broken disk. */
#define MAX_TIME	253402300799LL		/* unix seconds, year 9999 */
#define POINT_MAX	65
#define CERT_MAX	3584
#define MAX_USES	1000		/* of a token */
#define HASH		32		/* SHA-256 */

static const struct pbcheck_field schema[] = {
	NUM(1, "version", 1, UINT32_MAX),
	END
};

static const struct pbcheck_field host[] = {
	STR(1, "id", 1, MAX_HOSTID, NAME),
	STR(2, "name", 1, MAX_NAME, NAME),
	STR(3, "raw_name", 0, MAX_NAME, LINE),
	STR(4, "address", 0, 64, WORD),
	STR(5, "state", 1, MAX_WORD, NAME),
	STR(6, "cert_serial", 0, 64, HEX),
	NUM(7, "cert_not_after", 0, MAX_TIME),
	BYTES(8, "point", 0, POINT_MAX),
	NUM(9, "enrolled_at", 0, MAX_TIME),
	NUM(10, "last_seen", 0, MAX_TIME),
	STR(11, "agent_version", 0, MAX_VERSION, LINE),
	STRS(12, "features", MAX_FEATURES, 0, MAX_FEATURE, WORD),
	STR(13, "engine_id", 0, MAX_ENGINE, WORD),
	NUM(14, "disconnect_at", 0, MAX_TIME),
	STR(15, "disconnect_err", 0, 4096, TEXT),
	STR(16, "disconnect_cat", 0, MAX_WORD, WORD),
	STR(17, "docker_error", 0, 4096, TEXT),
	STRS(18, "labels", MAX_LABELS, 3, MAX_LABEL, LINE),
	NUM(19, "decommissioned_at", 0, MAX_TIME),
	STR(20, "decommission_reason", 0, MAX_WORD, WORD),
	STR(21, "decommissioned_by", 0, 256, LINE),
	STR(22, "replace_serial", 0, 64, HEX),
	NUM(23, "replace_not_after", 0, MAX_TIME),
	STR(24, "frozen", 0, 512, LINE),
	BYTES(25, "pending_cert", 0, CERT_MAX),
	NUM(26, "cert_not_before", 0, MAX_TIME),
	BYTES(30, "ca_pins", 0, 8 * 32),
	STR(31, "ca_serial", 0, 64, HEX),
	BYTES(32, "ca_pin", 0, 32),
	END
};

static const struct pbcheck_field token_use[] = {
	BYTES(1, "point", 0, POINT_MAX),
	STR(2, "host_id", 1, MAX_HOSTID, NAME),
	STR(3, "serial", 0, 64, HEX),
	NUM(4, "not_after", 0, MAX_TIME),
	NUM(5, "consumed_at", 0, MAX_TIME),
	ANY(6, "seen"),
	END
};

static const struct pbcheck_field token[] = {
	STR(1, "id", 8, 8, HEX),
	BYTES(2, "mac", 32, 32),
	NUM(3, "created_at", 0, MAX_TIME),
	NUM(4, "expires_at", 1, MAX_TIME),
	NUM(5, "uses", 1, UINT32_MAX),
	NUM(6, "used", 0, UINT32_MAX),
	STR(7, "host_name", 0, MAX_NAME, LINE),
	ANY(8, "revoked"),
	STR(9, "creator", 0, 256, LINE),
	BYTES(10, "point", 0, POINT_MAX),
	STR(11, "host_id", 0, MAX_HOSTID, NAME),
	STR(12, "serial", 0, 64, HEX),
	NUM(13, "consumed_at", 0, MAX_TIME),
	ANY(14, "seen"),
	LIST(15, "enrolled", MAX_USES),
	STR(16, "replaces", 0, MAX_HOSTID, NAME),
	STRS(17, "labels", MAX_LABELS, 3, MAX_LABEL, LINE),
	ANY(18, "expiry_told"),
	END
};

static const struct pbcheck_field event[] = {
	NUM(1, "id", 1, INT64_MAX),
	NUM(2, "time_msec", 0, MAX_TIME * 1000),
	STR(3, "type", 1, 64, NAME),
	STR(4, "host_id", 0, MAX_HOSTID, NAME),
	STR(5, "host_name", 0, MAX_NAME, LINE),
	STR(6, "container", 0, MAX_NAME, WORD),
	STR(7, "message", 0, 65536, TEXT),
	END
};

static const struct pbcheck_field revoked[] = {
	NUM(1, "revoked_at", 0, MAX_TIME),
	STR(2, "host_id", 0, MAX_HOSTID, NAME),
	STR(3, "reason", 0, 4096, LINE),
	NUM(4, "not_after", 0, MAX_TIME),
	END
};

static const struct pbcheck_field audit_record[] = {
	NUM(1, "seq", 1, INT64_MAX),
	NUM(2, "time_msec", 0, MAX_TIME * 1000),
	STR(3, "actor", 1, 320, LINE),
	STR(4, "action", 1, 64, NAME),
	STR(5, "subject", 0, 512, LINE),
	STR(6, "outcome", 1, MAX_WORD, NAME),
	STR(7, "text", 0, 1024, LINE),
	BYTES(8, "previous", HASH, HASH),
	END
};

static const struct pbcheck_field audit_chain[] = {
	NUM(1, "first", 1, INT64_MAX),
	BYTES(2, "before", HASH, HASH),
	NUM(3, "newest", 1, INT64_MAX),
	BYTES(4, "hash", HASH, HASH),
	END
};

static const struct pbcheck_field setting[] = {
	STR(1, "value", 0, 4096, LINE),
	NUM(2, "changed_at", 0, MAX_TIME),
	STR(3, "changed_by", 0, 256, LINE),
	END
};

static const struct pbcheck_field hook[] = {
	STR(1, "host_id", 1, MAX_HOSTID, NAME),
	STR(2, "container", 1, MAX_NAME, WORD),
	STR(3, "phase", 1, MAX_WORD, WORD),
	STR(4, "command", 1, 4095, TEXT),
	NUM(5, "timeout_sec", 0, 3600),
	ANY(6, "rollback"),
	NUM(7, "changed_at", 0, MAX_TIME),
	STR(8, "changed_by", 0, 256, LINE),
	END
};

static const struct pbcheck_field policy[] = {
	STR(1, "host_id", 1, MAX_HOSTID, NAME),
	STR(2, "container", 0, MAX_NAME, NAME),
	STR(3, "policy", 1, MAX_WORD, NAME),
	NUM(4, "changed_at", 0, MAX_TIME),
	STR(5, "changed_by", 0, 256, LINE),
	END
};

static const struct pbcheck_field quarantine[] = {
	STR(1, "host_id", 1, MAX_HOSTID, NAME),
	STR(2, "container", 1, MAX_NAME, NAME),
	LIST(3, "items", MAX_QUARANTINED),
	END
};

static const struct pbcheck_field quarantine_item[] = {
	STR(1, "digest", 1, 80, WORD),
	STR(2, "image", 0, MAX_REF, WORD),
	NUM(3, "time", 0, MAX_TIME),
	STR(4, "reason", 0, 1024, LINE),
	END
};

static const struct pbcheck_field history_row[] = {
	BYTES(1, "id_hash", 20, 20),
	NUM(2, "stored_msec", 0, MAX_TIME * 1000),
	ANY(3, "order"),
	STR(4, "id", 0, 256, LINE),
	NUM(5, "time_msec", 0, MAX_TIME * 1000),
	STR(6, "origin", 0, MAX_WORD, NAME),
	STR(7, "host_name", 0, MAX_NAME, LINE),
	STR(8, "container", 0, MAX_NAME, WORD),
	STR(9, "action", 0, 256, LINE),
	STR(10, "old_image", 0, MAX_REF, WORD),
	STR(11, "new_image", 0, MAX_REF, WORD),
	STR(12, "old_digest", 0, MAX_REF, WORD),
	STR(13, "new_digest", 0, MAX_REF, WORD),
	STR(14, "outcome", 0, MAX_WORD, WORD),
	STR(15, "error", 0, 4096, TEXT),
	ANY(16, "duration_msec"),
	END
};

static const struct pbcheck_field ca_state[] = {
	NUM(1, "phase", 0, 4),
	NUM(2, "since", 0, MAX_TIME),
	STR(3, "by", 0, 256, LINE),
	NUM(4, "time", 0, MAX_TIME),
	END
};

#define M(name)	{ &sentinel__store__##name##__descriptor, name }
const struct pbcheck_message pbcheck_store[] = {
	M(event),
	M(history_row),
	M(audit_record),
	M(audit_chain),
	M(host),
	M(token),
	M(token_use),
	M(revoked),
	M(schema),
	M(setting),
	M(policy),
	M(hook),
	M(quarantine),
	M(quarantine_item),
	M(ca_state),
	{ NULL, NULL }
};
