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

#include "sentineld.h"

/* What of the configuration each child gets. */
static const struct confpart_field	cluster_fields[] = {
	CONFPART_NUM(1, cluster_conf, cc_handshake_msec),
	CONFPART_NUM(2, cluster_conf, cc_ping_msec),
	CONFPART_NUM(3, cluster_conf, cc_pong_msec),
	CONFPART_NUM(4, cluster_conf, cc_max_agents),
	CONFPART_STR(5, cluster_conf, cc_listen),
};
const struct confpart	cluster_confpart = {
	cluster_fields, nitems(cluster_fields), sizeof(struct cluster_conf)
};

#define SETTING_LOCK(key, st) \
	CONFPART_STR((key), engine_conf, ec_setting[st].sl_from), \
	CONFPART_STR((key) + 1, engine_conf, ec_setting[st].sl_value)

static const struct confpart_field	engine_fields[] = {
	CONFPART_NUM(1, engine_conf, ec_cluster),
	CONFPART_NUM(2, engine_conf, ec_docker),
	CONFPART_NUM(3, engine_conf, ec_agent_life_sec),
	CONFPART_NUM(4, engine_conf, ec_token_life_sec),
	CONFPART_NUM(5, engine_conf, ec_enroll_failures),
	CONFPART_NUM(6, engine_conf, ec_enroll_window_msec),
	CONFPART_NUM(7, engine_conf, ec_heartbeat_msec),
	CONFPART_NUM(8, engine_conf, ec_list_msec),
	CONFPART_NUM(9, engine_conf, ec_action_msec),
	CONFPART_NUM(10, engine_conf, ec_logs_msec),
	CONFPART_NUM(11, engine_conf, ec_update_msec),
	CONFPART_NUM(12, engine_conf, ec_last_seen_msec),
	CONFPART_NUM(13, engine_conf, ec_checkpoint_msec),
	CONFPART_STR(14, engine_conf, ec_listen),
	CONFPART_STR(15, engine_conf, ec_hostname),
	CONFPART_NUM(16, engine_conf, ec_grace_sec),
	CONFPART_NUM(17, engine_conf, ec_identity_sum),
	CONFPART_NUM(18, engine_conf, ec_hold_off_msec),
	CONFPART_STR(19, engine_conf, ec_self),
	CONFPART_NUM(39, engine_conf, ec_beat_msec),
	CONFPART_NUM(60, engine_conf, ec_follow_idle_msec),
	SETTING_LOCK(40, SETTING_DEFAULT_POLICY),
	SETTING_LOCK(42, SETTING_POLL_INTERVAL),
	SETTING_LOCK(44, SETTING_GRACE_PERIOD),
	SETTING_LOCK(46, SETTING_LATEST_AUTO_UPDATE),
	SETTING_LOCK(48, SETTING_IMAGE_CLEANUP),
	SETTING_LOCK(50, SETTING_HOOKS_ENABLED),
	SETTING_LOCK(52, SETTING_DEPENDENCY_AWARE),
	SETTING_LOCK(54, SETTING_ROLLBACK_POLICY),
	SETTING_LOCK(56, SETTING_GRACE_PERIOD_OFFLINE),
	SETTING_LOCK(58, SETTING_ADVERTISE),
};
const struct confpart	engine_confpart = {
	engine_fields, nitems(engine_fields), sizeof(struct engine_conf)
};
