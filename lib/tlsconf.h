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

#ifndef TLSCONF_H
#define TLSCONF_H

#include "compat.h"

#include <tls.h>

/*
 * Contexts of libtls as this project wants them: TLS 1.3, P-256 keys, the
 * private key in another process, no resumption.  Cluster, uplink, web.
 */
#define TLSCONF_H2	"h2"

struct tlsconf {
	const char	*tc_alpn;	/* "h2"; NULL: none */
	const uint8_t	*tc_cert;	/* PEM, leaf first; NULL on a client:
					   no certificate is sent */
	size_t		 tc_certlen;
	const uint8_t	*tc_key;	/* PEM; NULL: the keyholder signs
					   (lib/keyop must be installed) */
	size_t		 tc_keylen;
	const uint8_t	*tc_ca;		/* PEM; server only: client
					   certificates are asked for, and
					   checked if given; NULL: not asked */
	size_t		 tc_calen;
};

/*
 * Once per process, before chroot and seccomp: reads nothing later.  Makes
 * every SSL object of the process free its buffers when idle and issue no
 * session tickets.  Returns -1 when libtls cannot start.
 */
int	 tlsconf_init(void);

/*
 * A configured context; the caller frees it with tls_free().  The server's
 * serves any number of tls_accept_socket(), the client's one connection.
 * Returns NULL and one line in err (at most errlen bytes).
 *
 * The server does not check the time of client certificates: an expired one
 * may still renew, and cluster's gate decides that per connection.
 * The client checks neither chain nor name: the caller must examine
 * tls_peer_cert_chain_pem() after the handshake (x509util) before it sends a
 * byte.  It alone can tell a wrong name from a foreign CA or a pin.
 */
struct tls *tlsconf_server(const struct tlsconf *, char *err, size_t errlen);
struct tls *tlsconf_client(const struct tlsconf *, char *err, size_t errlen);

/*
 * What must hold after every handshake: version TLS 1.3, the wanted ALPN, not
 * resumed (a resumed session shows a certificate nobody presented).  Returns
 * NULL, or what is wrong in words for the log; the caller closes then.
 */
const char *tlsconf_fault(struct tls *, const char *alpn);

#endif /* TLSCONF_H */
