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

/*
 * What a server presents, as PEM and as DER: a chain against its own last
 * certificate, its pins, its facts, a signed command, a bundle of CAs.
 */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "x509_bundle.h"
#include "x509util.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct x509_result	 xr;
	struct x509_facts	 xf;
	uint8_t			 pin[X509_PIN_LEN] = { 0 };
	struct x509_bundle_check bc = {
		.bc_trusted = data,
		.bc_trustedlen = size,
		.bc_now = 1
	};
	uint8_t			 pins[X509_PINS_MAXBYTES];
	char			 why[128] = "", *pem;
	size_t			 half = size / 2;

	if (x509_facts_der(data, size, &xf) == 0 &&
	    strnlen(xf.xf_cn, sizeof(xf.xf_cn)) == sizeof(xf.xf_cn))
		abort();
	(void)x509_facts_pem(data, size, &xf);
	(void)x509_pin_der(data, size, pin);
	(void)x509_bundle_has_pin(data, size, pin, sizeof(pin));
	(void)x509_check_server_chain(data, size, data, size, "a", 1, &xr);
	if (xr.xr_verdict != X509_VERDICT_OK && xr.xr_text[0] == '\0')
		abort();
	(void)x509_check_server_chain(data, half, data + half, size - half,
	    NULL, 0, &xr);
	(void)x509_check_pin(data, size, pin, sizeof(pin), NULL, 1, &xr);
	(void)x509_check_command(data, size, data, size, data, half,
	    data + half, size - half, 1, &xr);
	/* Nobody is believed who is not trusted already. */
	bc.bc_trustedlen = half;
	pem = x509_bundle_accept(&bc, data + half, size - half, why,
	    sizeof(why));
	if (pem == NULL ? why[0] == '\0' : x509_bundle_pins(
	    (const uint8_t *)pem, strlen(pem), pins) == 0)
		abort();
	free(pem);
	return (0);
}
