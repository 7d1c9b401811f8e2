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

#include "uplink.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ipccheck.h"
#include "log.h"

/*
 * sentinelctl doctor wants to know what a connection comes to: name,
 * addresses, TLS and the proof of the server, then it is closed.  Beside the
 * session, without a certificate of ours and without a byte of HTTP/2, so that
 * it disturbs nothing.
 */
static struct attempt	*probe;		/* NULL: none */
static monotime_t	 began;

void
probe_start(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__UplinkConnect	*m;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_connect__descriptor, &pm);
	if (m == NULL || m->enroll != NULL)
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "a probe that enrols");
	else {
		/* The engine no longer waits for the one before. */
		probe_stop();
		began = monotime_now();
		probe = attempt_probe(imsg_get_id(imsg), m);
	}
	pbmem_free(&pm);
}

void
probe_stop(void)
{
	if (probe == NULL)
		return;
	connect_clear(probe);
	attempt_free(probe);
	probe = NULL;
}

/* From a fresh stack: the attempt is over, well or not. */
void
probe_end(struct attempt *at)
{
	Sentinel__Ipc__UplinkProbed	 m;
	char				 list[1024] = "";
	char				 ip[INET6_ADDRSTRLEN] = "";
	size_t				 i;

	sentinel__ipc__uplink_probed__init(&m);
	for (i = 0; i < at->at_naddrs; i++) {
		if (inet_ntop(at->at_addr[i].ra_family, at->at_addr[i].ra_ip,
		    ip, sizeof(ip)) == NULL)
			continue;
		if (list[0] != '\0')
			(void)strlcat(list, " ", sizeof(list));
		(void)strlcat(list, ip, sizeof(list));
	}
	m.stage = at->at_up ? SENTINEL__IPC__UPLINK_PROBED__STAGE__PROVEN :
	    at->at_is_connected ?
	    SENTINEL__IPC__UPLINK_PROBED__STAGE__CONNECTED :
	    at->at_naddrs > 0 ? SENTINEL__IPC__UPLINK_PROBED__STAGE__RESOLVED :
	    SENTINEL__IPC__UPLINK_PROBED__STAGE__START;
	ip[0] = '\0';
	if (at->at_is_connected)
		(void)inet_ntop(at->at_addr[at->at_next - 1].ra_family,
		    at->at_addr[at->at_next - 1].ra_ip, ip, sizeof(ip));
	m.cause = at->at_cause;
	m.text = at->at_text;
	m.addresses = list;
	m.address = ip;
	if (at->at_seen.xf_notafter > 0 && at->at_seen.xf_notbefore >= 0) {
		m.not_before = at->at_seen.xf_notbefore;
		m.not_after = at->at_seen.xf_notafter;
	}
	m.msec = (uint32_t)(monotime_now() - began);
	uplink_send(at, IMSG_UPLINK_PROBED, &m.base);
	probe_stop();
}
