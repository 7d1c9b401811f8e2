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

#include "engine_client.h"

#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "engine_doctor.h"
#include "engine_token.h"

/* sentinelctl doctor on the server. */
#define HOSTS_SHOWN	10		/* of those that are away */
#define CA_FIX		"roll it over: sentinelctl ca rotate prepare"
#define SERVER_FIX	"the server renews it by itself: look at its log"

static void	 do_item(uint32_t, Sentinel__Ipc__ControlItem *);
static void	 do_end(uint32_t, enum control_code, const char *);
static void	 check_database(void);
static void	 check_listener(void);
static void	 check_certificates(void);
static void	 check_docker(void);
static void	 check_hosts(void);
static void	 check_host(const struct host *);

static const struct doctor_ops	ops = {
	.do_parent = ROLE_PARENT,
	.do_item = do_item,
	.do_end = do_end,
};

void
client_doctor(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	(void)req;
	if (doctor_begin(&ops, cl->cl_id, DOCTOR_WAIT_PARENT |
	    DOCTOR_WAIT_PROCS) == -1) {
		client_end(cl, CONTROL_FAILED, "another examination is under "
		    "way: try again");
		return;
	}
	doctor_say(DOCTOR_OK, "daemon", "", "sentineld %s runs",
	    SENTINEL_VERSION);
	check_database();
	check_listener();
	check_certificates();
	check_docker();
	check_hosts();
}

static void
do_item(uint32_t id, Sentinel__Ipc__ControlItem *item)
{
	struct client	*cl;

	if ((cl = client_find(id)) != NULL)
		(void)client_item(cl, item);
}

static void
do_end(uint32_t id, enum control_code code, const char *text)
{
	struct client	*cl;

	if ((cl = client_find(id)) != NULL)
		client_end(cl, code, "%s", text);
}

struct token_count {
	unsigned int	 tc_open;
	unsigned int	 tc_all;
};

static bool
count_token(const Sentinel__Store__Token *t, void *arg)
{
	struct token_count	*tc = arg;

	tc->tc_all++;
	tc->tc_open += strcmp(token_state(t, time(NULL)), "open") == 0;
	return (true);
}

static int
count_tokens(struct store_txn *txn, void *arg)
{
	return (db_token_walk(txn, count_token, arg) == -1 ? -1 : 0);
}

static void
check_database(void)
{
	struct token_count	 tc = { 0, 0 };

	if (store_view(eng->store, count_tokens, &tc) == -1) {
		doctor_say(DOCTOR_FAILED, "database", "look at the log of the "
		    "daemon and make room on its disk; then restart it", "it "
		    "cannot be read");
		return;
	}
	doctor_say(DOCTOR_OK, "database", "", "answers");
	doctor_say(DOCTOR_OK, "tokens", "", "%u of %u can still enrol a host",
	    tc.tc_open, tc.tc_all);
}

static void
check_listener(void)
{
	if (eng->listen[0] != '\0')
		doctor_say(DOCTOR_OK, "listener", "", "agents connect to %s",
		    eng->listen);
	else if (proc_peer(ROLE_CLUSTER) == NULL)
		doctor_say(DOCTOR_FAILED, "listener", "set "
		    "SENTINEL_CLUSTER=true or server.cluster.enabled: true, "
		    "and restart", "agents get \"connection refused\": the "
		    "cluster listener is off");
	else
		doctor_say(DOCTOR_FAILED, "listener", "look at the log of the "
		    "process cluster", "agents cannot connect: the server's "
		    "certificate is not ready");
}

static void
check_certificates(void)
{
	struct doctor_line	 dl;
	int64_t			 now = time(NULL);

	if (eng->ca_not_after != 0) {
		doctor_set_cert(&dl, "CA certificate", 0, eng->ca_not_after,
		    now, CA_FIX);
		doctor_add(&dl);
	}
	if (eng->server_not_after != 0) {
		doctor_set_cert(&dl, "server certificate", 0,
		    eng->server_not_after, now, SERVER_FIX);
		doctor_add(&dl);
	}
}

static void
check_docker(void)
{
	const struct host	*h = eng->local;

	if (h == NULL)
		doctor_say(DOCTOR_OK, "docker", "", "none is configured for "
		    "the server itself");
	else if (h->h_docker_up)
		doctor_say(DOCTOR_OK, "docker", "", "answers, engine %s, %zu "
		    "containers", h->h_engine_id, h->h_ncontainers);
	else
		doctor_say(DOCTOR_FAILED, "docker", "see that Docker runs and "
		    "that server.docker is its socket", "%s",
		    h->h_docker_error);
}

static void
check_hosts(void)
{
	struct host	*h;
	unsigned int	 all = 0, away = 0;

	RB_FOREACH(h, host_tree, &eng->hosts) {
		if (h->h_local || h->h_state == HOST_DECOMMISSIONED)
			continue;
		all++;
		if (h->h_session == NULL && away++ < HOSTS_SHOWN)
			check_host(h);
	}
	doctor_say(away == 0 ? DOCTOR_OK : DOCTOR_WARNING, "hosts",
	    "run sentinelctl doctor on those hosts", "%u of %u connected",
	    all - away, all);
}

/* The categories of the page, and what each asks for. */
static void
check_host(const struct host *h)
{
	const char	*cat = h->h_disconnect_cat, *fix;
	char		 name[DOCTOR_NAME_SIZE];

	if (h->h_frozen[0] != '\0')
		fix = "find the second machine with this certificate, then "
		    "sentinelctl host unfreeze";
	else if (strcmp(cat, "cert") == 0)
		fix = "re-enroll it with a new token (sentinelctl enroll "
		    "there)";
	else if (strcmp(cat, "server") == 0)
		fix = "it comes back by itself; if not, look at its log";
	else
		fix = "check that its agent runs, firewalls, MTU, and "
		    "connectivity between agent and server";
	(void)snprintf(name, sizeof(name), "host %s", h->h_name);
	if (h->h_frozen[0] != '\0')
		doctor_say(DOCTOR_WARNING, name, fix, "frozen: %s",
		    h->h_frozen);
	else
		doctor_say(DOCTOR_WARNING, name, fix, "disconnected%s%s%s%s",
		    cat[0] != '\0' ? ": " : "", cat,
		    h->h_disconnect_err[0] != '\0' ? ": " : "",
		    h->h_disconnect_err);
}
