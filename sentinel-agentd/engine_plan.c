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
#include "engine.h"
#include "engine_plan.h"

void
plan_report(const Sentinel__Ipc__DockerResult *m)
{
	Sentinel__Cluster__AgentMessage	 msg;
	Sentinel__Cluster__PlanResult	 r;

	sentinel__cluster__plan_result__init(&r);
	r.request_id = m->request_id;
	r.container_name = m->container;
	r.error = m->plan != NULL || m->error[0] != '\0' ? m->error :
	    engine_lend("the docker process made no plan");
	r.plan = m->plan;
	sentinel__cluster__agent_message__init(&msg);
	msg.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_PLAN_RESULT;
	msg.plan_result = &r;
	out_push(OUT_PLAIN, &msg, 0);
}

void
detail_report(const Sentinel__Ipc__DockerResult *m)
{
	Sentinel__Cluster__AgentMessage	 msg;
	Sentinel__Cluster__DetailResult	 r;

	sentinel__cluster__detail_result__init(&r);
	r.request_id = m->request_id;
	r.container_name = m->container;
	r.error = m->detail != NULL || m->error[0] != '\0' ? m->error :
	    engine_lend("the docker process tells nothing of it");
	r.detail = m->detail;
	sentinel__cluster__agent_message__init(&msg);
	msg.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_DETAIL_RESULT;
	msg.detail_result = &r;
	out_push(OUT_PLAIN, &msg, 0);
}
