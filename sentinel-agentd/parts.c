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

#include "agentd.h"

/* What of the configuration each child gets. */
static const struct confpart_field	uplink_fields[] = {
	CONFPART_NUM(1, uplink_conf, uc_rpc_msec),
	CONFPART_NUM(2, uplink_conf, uc_ping_msec),
	CONFPART_NUM(3, uplink_conf, uc_pong_msec),
};
const struct confpart	uplink_confpart = {
	uplink_fields, nitems(uplink_fields), sizeof(struct uplink_conf)
};

static const struct confpart_field	agent_fields[] = {
	CONFPART_NUM(1, agent_conf, ac_enrolled),
	CONFPART_NUM(2, agent_conf, ac_docker),
	CONFPART_NUM(3, agent_conf, ac_trust_first_use),
	CONFPART_NUM(4, agent_conf, ac_signed),
	CONFPART_NUM(5, agent_conf, ac_heartbeat_msec),
	CONFPART_NUM(6, agent_conf, ac_reconnect_min_msec),
	CONFPART_NUM(7, agent_conf, ac_reconnect_max_msec),
	CONFPART_NUM(8, agent_conf, ac_connect_msec),
	CONFPART_NUM(9, agent_conf, ac_rpc_msec),
	CONFPART_STR(10, agent_conf, ac_server),
	CONFPART_STR(11, agent_conf, ac_server_name),
	CONFPART_STR(12, agent_conf, ac_name),
	CONFPART_STR(13, agent_conf, ac_ca_pin),
	CONFPART_STR(14, agent_conf, ac_dir),
	/* The engine wipes it once it is enrolled. */
	CONFPART_STR(15, agent_conf, ac_token),
	CONFPART_NUM(40, agent_conf, ac_allow_exec),
	CONFPART_NUM(41, agent_conf, ac_allow_read_only),
	CONFPART_NUM(42, agent_conf, ac_allow_actions),
	CONFPART_STR(43, agent_conf, ac_allow_images),
	CONFPART_STR(58, agent_conf, ac_self),
	CONFPART_NUM(59, agent_conf, ac_list_msec),
	CONFPART_NUM(60, agent_conf, ac_grace_msec),
	CONFPART_NUM(61, agent_conf, ac_grace_local),
	CONFPART_NUM(62, agent_conf, ac_journal_bytes),
	CONFPART_NUM(63, agent_conf, ac_journal_age_msec),
};
const struct confpart	agent_confpart = {
	agent_fields, nitems(agent_fields), sizeof(struct agent_conf)
};
