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

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ctl.h"
#include "json.h"

#define T0	1790000000	/* 2026-09-21 14:13:20 UTC */

static char	 out[65536];

/* Text of string literals that messages want without const. */
#define S(text)	((char[]){ text })

static void
show(const char *line, bool colour, Sentinel__Ipc__ControlItem *const *items,
    size_t n, enum control_code code)
{
	struct ctl_args	 a;
	struct show	*sh;
	FILE		*f;
	char		 copy[128], err[128], *argv[8], *p = copy;
	static char	 self[] = "sentinelctl";
	size_t		 i;
	int		 argc = 0;

	(void)strlcpy(copy, line, sizeof(copy));
	argv[argc++] = self;
	while ((argv[argc] = strsep(&p, " ")) != NULL)
		argc++;
	assert_int_equal(cmd_parse(&a, argc, argv, err, sizeof(err)), 0);
	memset(out, 0, sizeof(out));
	assert_non_null(f = fmemopen(out, sizeof(out) - 1, "w"));
	sh = show_new(&a, f, colour, false, 80);
	for (i = 0; i < n; i++)
		assert_int_equal(show_item(items[i], sh), 0);
	assert_int_equal(show_end(sh, code), 0);
	show_free(sh);
	(void)fclose(f);
}

static void
item_host(Sentinel__Ipc__ControlItem *item, Sentinel__Ipc__HostView *v)
{
	sentinel__ipc__control_item__init(item);
	item->item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_HOST;
	item->host = v;
}

static void
test_hosts(void **state)
{
	Sentinel__Ipc__ControlItem	 item[2], *items[2];
	Sentinel__Ipc__HostView		 v[2];
	char				*features[1], *labels[2];

	(void)state;
	sentinel__ipc__host_view__init(&v[0]);
	v[0].id = S("0123456789abcdef0123456789abcdef");
	v[0].name = S("gr\xc3\xbc" "n");
	v[0].raw_name = v[0].name;
	v[0].address = S("10.0.0.7");
	v[0].state = S("active");
	v[0].connected = true;
	v[0].enrolled_at = T0;
	v[0].last_seen = T0 + 1;
	v[0].agent_version = S("v1 \033[31mred");
	features[0] = S("list");
	v[0].features = features;
	v[0].n_features = 1;
	v[0].containers = 3;
	v[0].rtt_usec = 1234;
	labels[0] = S("env=prod");
	labels[1] = S("rule=a=b");
	v[0].labels = labels;
	v[0].n_labels = 2;
	sentinel__ipc__host_view__init(&v[1]);
	v[1].id = S("h2");
	v[1].name = S("b");
	v[1].state = S("paused");
	v[1].disconnect_at = T0;
	v[1].disconnect_err = S("reset \"by\" peer\n");
	v[1].disconnect_cat = S("network");
	v[1].decommissioned_at = T0;
	v[1].decommission_reason = S("removed");
	v[1].decommissioned_by = S("uid 0");
	item_host(&item[0], &v[0]);
	item_host(&item[1], &v[1]);
	items[0] = &item[0];
	items[1] = &item[1];

	show("host list", false, items, 2, CONTROL_OK);
	/* aligned by characters; what comes from a host cannot colour */
	assert_string_equal(out,
	    "NAME  STATE   CONNECTED  ADDRESS   CONTAINERS  "
	    "LAST SEEN            VERSION         ID\n"
	    "gr\xc3\xbcn  active  yes        10.0.0.7  3           "
	    "2026-09-21 14:13:21  v1 \\033[31mred  "
	    "0123456789abcdef0123456789abcdef\n"
	    "b     paused  no         -         0           "
	    "-                    -               h2\n");
	show("host list", true, items, 2, CONTROL_OK);
	assert_non_null(strstr(out, "\033[32myes\033[0m        10.0.0.7"));
	assert_null(strstr(out, "\033[31mred"));

	show("host list --json", true, items, 2, CONTROL_OK);
	assert_string_equal(out, "[\n"
	    "{\"id\":\"0123456789abcdef0123456789abcdef\","
	    "\"name\":\"gr\xc3\xbcn\",\"address\":\"10.0.0.7\","
	    "\"state\":\"active\",\"connected\":true,"
	    "\"enrolled_at\":\"2026-09-21T14:13:20Z\","
	    "\"last_seen\":\"2026-09-21T14:13:21Z\","
	    "\"agent_version\":\"v1 \\u001B[31mred\","
	    "\"features\":[\"list\"],\"containers\":3,"
	    "\"disconnect_at\":\"0001-01-01T00:00:00Z\","
	    "\"cert_not_after\":\"0001-01-01T00:00:00Z\","
	    "\"rtt_us\":1234,"
	    "\"labels\":{\"env\":\"prod\",\"rule\":\"a=b\"}},\n"
	    "{\"id\":\"h2\",\"name\":\"b\",\"address\":\"\","
	    "\"state\":\"paused\",\"connected\":false,"
	    "\"enrolled_at\":\"0001-01-01T00:00:00Z\","
	    "\"last_seen\":\"0001-01-01T00:00:00Z\",\"features\":[],"
	    "\"containers\":0,\"disconnect_at\":\"2026-09-21T14:13:20Z\","
	    "\"disconnect_err\":\"reset \\\"by\\\" peer\\n\","
	    "\"disconnect_cat\":\"network\","
	    "\"cert_not_after\":\"0001-01-01T00:00:00Z\","
	    "\"labels\":{},\"decommissioned_at\":\"2026-09-21T14:13:20Z\","
	    "\"decommission_reason\":\"removed\","
	    "\"decommissioned_by\":\"uid 0\"}\n]\n");
	show("host list --json", false, items, 0, CONTROL_OK);
	assert_string_equal(out, "[]\n");
	show("host list --json", false, items, 0, CONTROL_DENIED);
	assert_string_equal(out, "");
	/* one host is an object */
	show("host show b --json", false, &items[1], 1, CONTROL_OK);
	assert_int_equal(out[0], '{');
	show("host show b", false, &items[1], 1, CONTROL_OK);
	assert_non_null(strstr(out, "because           reset \"by\" peer\\n "
	    "(network)\n"));
	assert_non_null(strstr(out,
	    "removed           2026-09-21 14:13:20 by uid 0\n"));
	show("host show a", false, items, 1, CONTROL_OK);
	assert_non_null(strstr(out, "label             rule=a=b\n"));
	/* A change says nothing when it worked, but to a program. */
	show("host pause b", false, &items[1], 1, CONTROL_OK);
	assert_string_equal(out, "");
	show("host pause b --json", false, &items[1], 1, CONTROL_OK);
	assert_int_equal(out[0], '{');
}

static void
test_certs(void **state)
{
	Sentinel__Ipc__ControlItem	 item[2], *items[2];
	Sentinel__Ipc__CertView		 v[2];
	size_t				 i;

	(void)state;
	for (i = 0; i < 2; i++) {
		sentinel__ipc__cert_view__init(&v[i]);
		sentinel__ipc__control_item__init(&item[i]);
		item[i].item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_CERT;
		item[i].cert = &v[i];
		items[i] = &item[i];
	}
	v[0].kind = S("server");
	v[0].subject = S("sentinel-server");
	v[0].serial = S("4a5b6c7d8e9f0011");
	v[0].not_before = T0;
	v[0].not_after = T0 + 3;
	v[0].renew_at = T0 + 2;
	v[0].state = S("current");
	v[1].kind = S("agent");
	v[1].subject = v[1].host_id = S("0123456789abcdef0123456789abcdef");
	v[1].host_name = S("b\033");
	v[1].serial = S("0a");
	v[1].not_after = T0 + 1;
	v[1].state = S("revoked");
	v[1].revoked_at = T0;
	v[1].reason = S("removed");
	show("cert list", false, items, 2, CONTROL_OK);
	assert_string_equal(out,
	    "KIND    SUBJECT          STATE    SERIAL        NOT BEFORE     "
	    "      NOT AFTER            RENEWAL              WHY\n"
	    "server  sentinel-server  current  4a5b6c7d8e9f  "
	    "2026-09-21 14:13:20  2026-09-21 14:13:23  2026-09-21 14:13:22  "
	    "-\n"
	    "agent   b\\033            revoked  0a            -              "
	    "      2026-09-21 14:13:21  -                    removed\n");
	show("cert list --json", false, items, 2, CONTROL_OK);
	assert_string_equal(out, "[\n"
	    "{\"kind\":\"server\",\"subject\":\"sentinel-server\","
	    "\"serial\":\"4a5b6c7d8e9f0011\","
	    "\"not_before\":\"2026-09-21T14:13:20Z\","
	    "\"not_after\":\"2026-09-21T14:13:23Z\","
	    "\"renew_at\":\"2026-09-21T14:13:22Z\",\"state\":\"current\"},\n"
	    "{\"kind\":\"agent\","
	    "\"subject\":\"0123456789abcdef0123456789abcdef\","
	    "\"host_id\":\"0123456789abcdef0123456789abcdef\","
	    "\"host_name\":\"b\\u001B\",\"serial\":\"0a\","
	    "\"not_after\":\"2026-09-21T14:13:21Z\",\"state\":\"revoked\","
	    "\"revoked_at\":\"2026-09-21T14:13:20Z\","
	    "\"reason\":\"removed\"}\n]\n");
}

static void
test_settings(void **state)
{
	Sentinel__Ipc__ControlItem	 item[2], *items[2];
	Sentinel__Ipc__SettingView	 v[2];
	size_t				 i;

	(void)state;
	for (i = 0; i < 2; i++) {
		sentinel__ipc__setting_view__init(&v[i]);
		sentinel__ipc__control_item__init(&item[i]);
		item[i].item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_SETTING;
		item[i].setting = &v[i];
		items[i] = &item[i];
	}
	v[0].name = S("poll_interval");
	v[0].value = S("2h");
	v[0].origin = S("database");
	v[0].from = S("uid 0");
	v[0].default_value = S("6h");
	v[0].bounds = S("1s..30d");
	v[0].help = S("how often");
	v[0].changed_at = T0;
	v[1].name = S("cluster.advertise");
	v[1].origin = S("file");
	v[1].from = S("/etc/a.conf:3");
	v[1].locked = true;
	show("settings get", false, items, 2, CONTROL_OK);
	assert_string_equal(out,
	    "SETTING            VALUE  FROM                                  "
	    "DEFAULT\n"
	    "poll_interval      2h     database, uid 0, 2026-09-21 14:13:20  "
	    "6h\n"
	    "cluster.advertise  -      /etc/a.conf:3 (locked)                "
	    "-\n");
	show("settings get --json", false, items, 2, CONTROL_OK);
	assert_string_equal(out, "[\n"
	    "{\"name\":\"poll_interval\",\"value\":\"2h\","
	    "\"origin\":\"database\",\"from\":\"uid 0\",\"locked\":false,"
	    "\"default\":\"6h\",\"bounds\":\"1s..30d\","
	    "\"help\":\"how often\","
	    "\"changed_at\":\"2026-09-21T14:13:20Z\"},\n"
	    "{\"name\":\"cluster.advertise\",\"value\":\"\","
	    "\"origin\":\"file\",\"from\":\"/etc/a.conf:3\","
	    "\"locked\":true,\"default\":\"\",\"help\":\"\"}\n]\n");
	show("settings set a b", false, items, 1, CONTROL_OK);
	assert_string_equal(out, "");
}

/* What has no effect is said; what a label holds does no harm. */
static void
test_policies(void **state)
{
	Sentinel__Ipc__ControlItem	 item[3], *items[3];
	Sentinel__Ipc__PolicyView	 v[3];
	static char			 manual[] = "manual",
					 dflt[] = "default",
					 pinned[] = "pinned";
	size_t				 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		sentinel__ipc__policy_view__init(&v[i]);
		v[i].policy = manual;
		v[i].origin = dflt;
		sentinel__ipc__control_item__init(&item[i]);
		item[i].item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_POLICY;
		item[i].policy = &v[i];
		items[i] = &item[i];
	}
	v[1].host_name = v[2].host_name = S("worker-1");
	v[1].host_id = v[2].host_id = S("0a");
	v[1].container = S("web");
	v[1].label = S("all\033");
	v[1].label_ignored = true;
	v[2].container = S("db");
	v[2].policy = v[2].label = pinned;
	v[2].origin = S("label");
	v[2].override = S("auto");
	v[2].absent = true;
	show("policy show", false, items, 3, CONTROL_OK);
	assert_string_equal(out,
	    "HOST      CONTAINER  POLICY  FROM     NOTE\n"
	    "-         -          manual  default  -\n"
	    "worker-1  web        manual  default  "
	    "label \"all\\033\" is no policy, ignored\n"
	    "worker-1  db         pinned  label    "
	    "auto is set, but the label counts; not in the last list\n");
	show("policy show --json", false, items, 3, CONTROL_OK);
	assert_non_null(strstr(out, "{\"policy\":\"manual\","
	    "\"origin\":\"default\"},\n"));
	assert_non_null(strstr(out, "\"name\":\"db\",\"policy\":\"pinned\","
	    "\"origin\":\"label\",\"label\":\"pinned\","
	    "\"override\":\"auto\",\"absent\":true}"));
	assert_non_null(strstr(out, "\"label\":\"all\\u001B\","
	    "\"label_ignored\":true"));
}

static void
test_status(void **state)
{
	Sentinel__Ipc__ControlItem	 item[3], *items[3];
	Sentinel__Ipc__StatusView	 v;
	Sentinel__Ipc__ProcessView	 p[2];
	struct json			*j;
	char				 err[128];
	size_t				 i;

	(void)state;
	sentinel__ipc__status_view__init(&v);
	v.daemon = S("sentineld");
	v.version = S("0.1.0");
	v.started_at = T0;
	v.listen = S("[::]:9443");
	v.hosts = 2;
	v.hosts_connected = 1;
	v.ca_not_after = 1;
	for (i = 0; i < 3; i++) {
		sentinel__ipc__control_item__init(&item[i]);
		items[i] = &item[i];
	}
	item[0].item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_STATUS;
	item[0].status = &v;
	for (i = 0; i < 2; i++) {
		sentinel__ipc__process_view__init(&p[i]);
		item[i + 1].item_case =
		    SENTINEL__IPC__CONTROL_ITEM__ITEM_PROCESS;
		item[i + 1].process = &p[i];
	}
	p[0].name = S("keyholder");
	p[0].pid = 41;
	p[0].uid = 59201;
	p[0].sandbox = S("seccomp landlock");
	p[1].name = S("docker");

	show("status", false, items, 3, CONTROL_OK);
	assert_non_null(strstr(out, "hosts             2, 1 connected\n"));
	assert_non_null(strstr(out,
	    "ca expires        1970-01-01 00:00:01 (expired)\n"));
	assert_non_null(strstr(out,
	    "\nPROCESS    PID          UID    RESTARTS  SANDBOX\n"
	    "keyholder  41           59201  0         seccomp landlock\n"
	    "docker     not running  0      0         -\n"));
	show("status --json", false, items, 3, CONTROL_OK);
	assert_non_null(j = json_parse(out, strlen(out), err, sizeof(err)));
	assert_string_equal(json_get_str(json_root(j), "listen"),
	    "[::]:9443");
	assert_int_equal(json_count(json_get(json_root(j), "processes")), 2);
	json_free(j);
}

static void
test_container(void **state)
{
	Sentinel__Cluster__ContainerInfo__LabelsEntry	 le, *labels[1];
	Sentinel__Cluster__PortMapping			 pm, *ports[1];
	Sentinel__Cluster__ContainerInfo		 ci;
	Sentinel__Ipc__ContainerView			 v;
	Sentinel__Ipc__ControlItem			 item, *items[1];
	char						 digest[80];

	(void)state;
	sentinel__cluster__container_info__labels_entry__init(&le);
	sentinel__cluster__port_mapping__init(&pm);
	sentinel__cluster__container_info__init(&ci);
	sentinel__ipc__container_view__init(&v);
	sentinel__ipc__control_item__init(&item);
	(void)strlcpy(digest, "nginx@sha256:0123456789abcdef",
	    sizeof(digest));
	le.key = S("com.docker.compose.project");
	le.value = S("shop");
	labels[0] = &le;
	pm.host_ip = S("0.0.0.0");
	pm.host_port = 8080;
	pm.container_port = 80;
	pm.protocol = S("tcp");
	ports[0] = &pm;
	ci.id = S("c1");
	ci.name = S("web");
	ci.image = S("nginx:1");
	ci.image_digest = digest;
	ci.state = S("exited");
	ci.labels = labels;
	ci.n_labels = 1;
	ci.ports = ports;
	ci.n_ports = 1;
	v.info = &ci;
	v.host_name = S("w1");
	v.state_age_sec = 130;
	v.stale = true;
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_CONTAINER;
	item.container = &v;
	items[0] = &item;
	show("container list", false, items, 1, CONTROL_OK);
	assert_string_equal(out,
	    "HOST  NAME  STATE   IMAGE    DIGEST        SEEN\n"
	    "w1    web   exited  nginx:1  0123456789ab  2m ago, host away\n");
	show("container list --json", false, items, 1, CONTROL_OK);
	assert_string_equal(out, "[\n{\"id\":\"c1\",\"name\":\"web\","
	    "\"image\":\"nginx:1\","
	    "\"image_digest\":\"nginx@sha256:0123456789abcdef\","
	    "\"state\":\"exited\",\"host_name\":\"w1\",\"stack\":\"shop\","
	    "\"state_age\":130,\"stale\":true,"
	    "\"created\":\"0001-01-01T00:00:00Z\","
	    "\"labels\":{\"com.docker.compose.project\":\"shop\"},"
	    "\"ports\":[{\"host_ip\":\"0.0.0.0\",\"host_port\":8080,"
	    "\"container_port\":80,\"protocol\":\"tcp\"}]}\n]\n");
	ci.state = S("running");
	ci.health = S("unhealthy");
	v.stale = false;
	show("container list", false, items, 1, CONTROL_OK);
	assert_string_equal(out, "HOST  NAME  STATE                "
	    "IMAGE    DIGEST        SEEN\n"
	    "w1    web   running (unhealthy)  nginx:1  0123456789ab  2m ago\n");
	show("container list --json", false, items, 1, CONTROL_OK);
	assert_non_null(strstr(out, "\"state\":\"running\",\"health\":"
	    "\"unhealthy\",\"host_name\""));
}

static void
test_result(void **state)
{
	Sentinel__Ipc__ControlItem	 item, *items[1];
	Sentinel__Ipc__ResultView	 v;

	(void)state;
	sentinel__ipc__control_item__init(&item);
	sentinel__ipc__result_view__init(&v);
	v.host_name = S("w1");
	v.container = S("web");
	v.action = S("update");
	v.outcome = S("success");
	v.old_image = S("nginx:1");
	v.new_image = S("nginx:2");
	v.duration_msec = 12345;
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_RESULT;
	item.result = &v;
	items[0] = &item;
	show("container update w1/web", false, items, 1, CONTROL_OK);
	assert_string_equal(out,
	    "w1/web: updated: nginx:1 -> nginx:2 in 12.3 s\n");
	v.old_digest = S("sha256:00112233445566");
	show("container update w1/web", false, items, 1, CONTROL_OK);
	assert_string_equal(out,
	    "w1/web: updated: nginx:1 (001122334455) -> nginx:2 in 12.3 s\n");
	v.outcome = S("rollback");
	v.old_image = v.new_image = v.old_digest = S("");
	v.duration_msec = 0;
	show("container update w1/web", false, items, 1, CONTROL_ROLLBACK);
	assert_string_equal(out, "w1/web: failed and rolled back\n");
	show("container update w1/web --json", false, items, 1,
	    CONTROL_ROLLBACK);
	assert_string_equal(out, "{\"id\":\"\",\"kind\":\"update\","
	    "\"host_name\":\"w1\",\"name\":\"web\","
	    "\"outcome\":\"rollback\",\"duration_ms\":0}\n");
}

static void
test_events(void **state)
{
	Sentinel__Ipc__ControlItem	 item, *items[2];
	Sentinel__Ipc__EventView	 v;

	(void)state;
	sentinel__ipc__control_item__init(&item);
	sentinel__ipc__event_view__init(&v);
	v.id = 7;
	v.time_msec = (int64_t)T0 * 1000 + 45;
	v.type = S("container");
	v.host_name = S("w1");
	v.container = S("web");
	v.message = S("two\nlines");
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_EVENT;
	item.event = &v;
	items[0] = items[1] = &item;
	show("events", false, items, 1, CONTROL_OK);
	assert_string_equal(out,
	    "2026-09-21 14:13:20 container w1/web: two\\nlines\n");
	show("events --json", false, items, 2, CONTROL_OK);
	assert_string_equal(out,
	    "{\"id\":7,\"time\":\"2026-09-21T14:13:20.045Z\","
	    "\"type\":\"container\",\"host_name\":\"w1\","
	    "\"container\":\"web\",\"message\":\"two\\nlines\"}\n"
	    "{\"id\":7,\"time\":\"2026-09-21T14:13:20.045Z\","
	    "\"type\":\"container\",\"host_name\":\"w1\","
	    "\"container\":\"web\",\"message\":\"two\\nlines\"}\n");
}

static void
step(struct progress *pg, const char *phase, uint32_t percent,
    const char *text)
{
	Sentinel__Ipc__ProgressView	 v;
	char				 a[64], b[128];

	sentinel__ipc__progress_view__init(&v);
	(void)strlcpy(a, phase, sizeof(a));
	(void)strlcpy(b, text, sizeof(b));
	v.phase = a;
	v.text = b;
	v.percent = percent;
	progress_step(pg, &v);
}

static void
test_progress(void **state)
{
	struct progress	*pg;
	FILE		*f;

	(void)state;
	memset(out, 0, sizeof(out));
	assert_non_null(f = fmemopen(out, sizeof(out) - 1, "w"));
	pg = progress_new(f, true, 20);
	step(pg, "pull", 7, "layer 1 of 12, 30 MB");
	step(pg, "gate", 0, "");
	step(pg, "gate", 0, "");
	progress_free(pg);
	(void)fclose(f);
	assert_string_equal(out, "\rpull   7%: layer 1 \033[K\rgate\033[K"
	    "\r\033[K");

	memset(out, 0, sizeof(out));
	assert_non_null(f = fmemopen(out, sizeof(out) - 1, "w"));
	pg = progress_new(f, false, 0);
	step(pg, "pull", 7, "layer 1");
	step(pg, "pull", 8, "layer 2");
	step(pg, "ga\033te", 0, "");
	progress_free(pg);
	(void)fclose(f);
	assert_string_equal(out, "pull\nga\\033te\n");

	/* Where to look for the end is not written over. */
	memset(out, 0, sizeof(out));
	assert_non_null(f = fmemopen(out, sizeof(out) - 1, "w"));
	pg = progress_new(f, true, 20);
	step(pg, "handover", 0, "operation show 0123456789abcdef");
	step(pg, "gate", 0, "");
	progress_free(pg);
	(void)fclose(f);
	assert_string_equal(out, "\r\033[Khandover: operation show "
	    "0123456789abcdef\n\rgate\033[K\r\033[K");

	memset(out, 0, sizeof(out));
	assert_non_null(f = fmemopen(out, sizeof(out) - 1, "w"));
	pg = progress_new(f, false, 0);
	step(pg, "handover", 0, "look");
	progress_free(pg);
	(void)fclose(f);
	assert_string_equal(out, "handover: look\n");
}

static void
test_text(void **state)
{
	char	 text[TEXT_TIME_SIZE], cut[] = "gr\xc3\xbc" "n";

	(void)state;
	assert_int_equal(text_width("gr\xc3\xbc" "n"), 4);
	text_cut(cut, 3);
	assert_string_equal(cut, "gr\xc3\xbc");
	text_age(text, 99);
	assert_string_equal(text, "99s");
	text_age(text, 47 * 3600);
	assert_string_equal(text, "47h");
	text_age(text, -5);
	assert_string_equal(text, "0s");
	text_time(text, 0);
	assert_string_equal(text, "-");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_certs),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_text),
	};

	(void)setenv("TZ", "UTC", 1);
	tzset();
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
