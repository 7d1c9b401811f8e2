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

#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "ipccheck.h"
#include "keyholder.h"
#include "log.h"
#include "xmalloc.h"

struct key_info {
	uint8_t		 purpose;
	uint8_t		 slot;
	const uint8_t	*point;
	const uint8_t	*der;
	size_t		 derlen;
	uint64_t	 not_after;
};

static int	 key_info_parse(struct ibuf *, struct key_info *);
static void	 take_ca(const struct key_info *);
static void	 send_identity(void);

char *
engine_pem(const uint8_t *der, size_t len)
{
	static const char	 head[] = "-----BEGIN CERTIFICATE-----\n";
	static const char	 tail[] = "-----END CERTIFICATE-----\n";
	char			*pem, *p;
	size_t			 n;

	/* 48 bytes make a line of 64 characters and a newline. */
	pem = xmalloc(sizeof(head) + sizeof(tail) + (len / 48 + 1) * 66);
	p = pem + strlcpy(pem, head, sizeof(head));
	while (len > 0) {
		n = len > 48 ? 48 : len;
		p += EVP_EncodeBlock((unsigned char *)p, der, (int)n);
		*p++ = '\n';
		der += n;
		len -= n;
	}
	memcpy(p, tail, sizeof(tail));
	return (pem);
}

static int
key_info_parse(struct ibuf *buf, struct key_info *ki)
{
	const uint8_t	*serial;
	uint64_t	 not_before;
	size_t		 pointlen, seriallen;

	if (ibuf_get_n8(buf, &ki->purpose) == -1 ||
	    ibuf_get_n8(buf, &ki->slot) == -1 ||
	    ibuf_get_bytes(buf, ECKEY_POINT_LEN, &ki->point, &pointlen) ==
	    -1 || ibuf_get_bytes(buf, KEY_CERT_MAXBYTES, &ki->der,
	    &ki->derlen) == -1 || ibuf_get_bytes(buf, KEY_SERIAL_MAXBYTES,
	    &serial, &seriallen) == -1 ||
	    ibuf_get_n64(buf, &not_before) == -1 ||
	    ibuf_get_n64(buf, &ki->not_after) == -1 || ibuf_end(buf) == -1)
		return (-1);
	if (pointlen != ECKEY_POINT_LEN || ki->derlen == 0 || ki->slot > 1 ||
	    ki->not_after > INT64_MAX)
		return (-1);
	return (0);
}

static void
take_ca(const struct key_info *ki)
{
	uint8_t	 pin[X509_PIN_LEN];

	if (x509_pin_der(ki->der, ki->derlen, pin) == -1)
		fatalx("the CA certificate from the keyholder is broken");
	free(eng->ca_der);
	free(eng->ca_pem);
	eng->ca_der = xmemdup(ki->der, ki->derlen);
	eng->ca_derlen = ki->derlen;
	eng->ca_pem = engine_pem(ki->der, ki->derlen);
	eng->ca_not_after = (int64_t)ki->not_after;
	(void)hex_encode(eng->ca_pin, sizeof(eng->ca_pin), pin, sizeof(pin));
}

/* The keyholder has a new key or certificate. */
void
engine_key_info(struct peer *p, struct imsg *imsg)
{
	struct key_info	 ki;

	if (key_info_parse(imsg_get_ibuf(imsg), &ki) == -1) {
		peer_broken(p, imsg, "bad KEY_INFO");
		return;
	}
	switch (ki.purpose) {
	case KEY_PURPOSE_CA:
		take_ca(&ki);
		break;
	case KEY_PURPOSE_SERVER_TLS:
		free(eng->server_der);
		eng->server_der = xmemdup(ki.der, ki.derlen);
		eng->server_derlen = ki.derlen;
		memcpy(eng->server_point, ki.point, ECKEY_POINT_LEN);
		eng->server_not_after = (int64_t)ki.not_after;
		eng->cluster_ready = false;
		break;
	case KEY_PURPOSE_COMMAND:
		free(eng->command_der);
		eng->command_der = xmemdup(ki.der, ki.derlen);
		eng->command_derlen = ki.derlen;
		return;
	default:
		peer_broken(p, imsg, "KEY_INFO for an unknown purpose");
		return;
	}
	send_identity();
}

/* cluster gets the chain and what to verify agents against. */
static void
send_identity(void)
{
	Sentinel__Ipc__ServerIdentity	 si;
	char				*chain, *leaf;

	if (eng->ca_pem == NULL || eng->server_der == NULL ||
	    proc_peer(ROLE_CLUSTER) == NULL)
		return;
	/* Leaf, then CA: our agents look for the pinned CA in the chain. */
	leaf = engine_pem(eng->server_der, eng->server_derlen);
	xasprintf(&chain, "%s%s", leaf, eng->ca_pem);
	free(leaf);
	sentinel__ipc__server_identity__init(&si);
	si.chain_pem.data = (uint8_t *)chain;
	si.chain_pem.len = strlen(chain);
	si.ca_pem.data = (uint8_t *)eng->ca_pem;
	si.ca_pem.len = strlen(eng->ca_pem);
	si.point.data = eng->server_point;
	si.point.len = ECKEY_POINT_LEN;
	peer_send_pb(proc_peer(ROLE_CLUSTER), IMSG_CLUSTER_IDENTITY, 0,
	    &si.base);
	free(chain);
}

/* Only when cluster uses the new key may the old one go. */
void
engine_cluster_identity_ok(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg), *drop;
	const uint8_t	*point;
	size_t		 len;

	if (ibuf_get_bytes(buf, ECKEY_POINT_LEN, &point, &len) == -1 ||
	    ibuf_end(buf) == -1 || len != ECKEY_POINT_LEN) {
		peer_broken(p, imsg, "bad CLUSTER_IDENTITY_OK");
		return;
	}
	/* A newer one is on its way, or it was said before. */
	if (eng->server_der == NULL || eng->cluster_ready ||
	    memcmp(point, eng->server_point, len) != 0)
		return;
	eng->cluster_ready = true;
	if ((drop = ibuf_open(68)) == NULL ||
	    ibuf_add_n8(drop, KEY_PURPOSE_SERVER_TLS) == -1 ||
	    ibuf_add_bytes(drop, point, len) == -1)
		fatal("KEY_DROP");
	peer_send_ibuf(proc_peer(ROLE_KEYHOLDER), IMSG_KEY_DROP, 0, -1, drop);
	ibuf_free(drop);
}

void
engine_cluster_stats(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ClusterStats	*cs;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	cs = ipc_unpack(imsg, &sentinel__ipc__cluster_stats__descriptor, &pm);
	if (cs == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else
		(void)strlcpy(eng->listen, cs->listen, sizeof(eng->listen));
	pbmem_free(&pm);
}
