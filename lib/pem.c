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

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pem.h"

#define PEM_LINE	64
#define PEM_BEGIN	"-----BEGIN "
#define PEM_END		"-----END "
#define PEM_DASHES	"-----"

static const char	 digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz0123456789+/";

static const char	*pem_find_line(const struct pem *, size_t *);
static void		 pem_skip(struct pem *, size_t);
static int		 pem_label(const char *, size_t, const char *,
			    char[PEM_LABEL_SIZE]);
static int		 pem_body(struct pem *, uint8_t *, size_t, size_t *);
static int		 pem_digit(char);

void
pem_init(struct pem *p, const void *text, size_t len)
{
	p->p_text = text;
	p->p_left = len;
}

int
pem_next(struct pem *p, char label[PEM_LABEL_SIZE], uint8_t *der, size_t size,
    size_t *len)
{
	char		 end[PEM_LABEL_SIZE];
	const char	*line;
	size_t		 n;

	*len = 0;
	for (;;) {
		if ((line = pem_find_line(p, &n)) == NULL)
			return (0);
		pem_skip(p, n);
		if (pem_label(line, n, PEM_BEGIN, label) == 0)
			break;
	}
	if (pem_body(p, der, size, len) == -1)
		return (-1);
	/* pem_body() stopped before the line that begins with a dash. */
	line = pem_find_line(p, &n);
	if (line == NULL || pem_label(line, n, PEM_END, end) == -1 ||
	    strcmp(label, end) != 0) {
		errno = EBADMSG;
		return (-1);
	}
	pem_skip(p, n);
	return (1);
}

/* Lends the line at the position; *n includes its newline, if any. */
static const char *
pem_find_line(const struct pem *p, size_t *n)
{
	const char	*nl;

	if (p->p_left == 0)
		return (NULL);
	nl = memchr(p->p_text, '\n', p->p_left);
	*n = nl == NULL ? p->p_left : (size_t)(nl - p->p_text) + 1;
	return (p->p_text);
}

static void
pem_skip(struct pem *p, size_t n)
{
	p->p_text += n;
	p->p_left -= n;
}

/* Is this line "-----BEGIN label-----"?  Blanks after it are forgiven. */
static int
pem_label(const char *line, size_t n, const char *lead,
    char label[PEM_LABEL_SIZE])
{
	size_t	 leadlen = strlen(lead), dashes = strlen(PEM_DASHES);

	while (n > 0 && strchr(" \t\r\n", line[n - 1]) != NULL &&
	    line[n - 1] != '\0')
		n--;
	if (n < leadlen + dashes || memcmp(line, lead, leadlen) != 0 ||
	    memcmp(line + n - dashes, PEM_DASHES, dashes) != 0)
		return (-1);
	line += leadlen;
	n -= leadlen + dashes;
	if (n >= PEM_LABEL_SIZE || memchr(line, '\0', n) != NULL)
		return (-1);
	memcpy(label, line, n);
	label[n] = '\0';
	return (0);
}

/*
 * Base64 up to the next dash.  No state but one group of four digits, so
 * that a private key leaves no copy here.
 */
static int
pem_body(struct pem *p, uint8_t *der, size_t size, size_t *len)
{
	uint32_t	 group = 0;
	unsigned int	 have = 0, pad = 0;
	int		 v;
	char		 c;

	for (; p->p_left > 0 && *p->p_text != '-'; pem_skip(p, 1)) {
		c = *p->p_text;
		if (c == '\n' || c == '\r' || c == ' ' || c == '\t')
			continue;
		if (c == '=') {
			if (have + pad < 2 || have + pad >= 4)
				goto broken;
			pad++;
			continue;
		}
		if (pad > 0 || (v = pem_digit(c)) == -1)
			goto broken;
		group = group << 6 | (uint32_t)v;
		if (++have < 4)
			continue;
		if (size - *len < 3)
			goto large;
		der[(*len)++] = group >> 16 & 0xff;
		der[(*len)++] = group >> 8 & 0xff;
		der[(*len)++] = group & 0xff;
		group = 0;
		have = 0;
	}
	if (have == 0 && pad == 0 && *len > 0)
		return (0);
	/* Left-over bits must be zero: one encoding per value. */
	if (have + pad != 4 || pad == 0 ||
	    (group & (have == 2 ? 0xf : 0x3)) != 0)
		goto broken;
	if (size - *len < have - 1)
		goto large;
	group <<= 6 * pad;
	der[(*len)++] = group >> 16 & 0xff;
	if (have == 3)
		der[(*len)++] = group >> 8 & 0xff;
	explicit_bzero(&group, sizeof(group));
	return (0);
broken:
	errno = EBADMSG;
	return (-1);
large:
	errno = EMSGSIZE;
	return (-1);
}

static int
pem_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	if (c == '+')
		return (62);
	return (c == '/' ? 63 : -1);
}

size_t
pem_size(const char *label, size_t len)
{
	size_t	 b64 = (len + 2) / 3 * 4;

	return (strlen(PEM_BEGIN) + strlen(PEM_END) + 2 * strlen(label) +
	    2 * strlen(PEM_DASHES) + 2 + b64 +
	    (b64 + PEM_LINE - 1) / PEM_LINE + 1);
}

size_t
pem_encode(char *dst, const char *label, const uint8_t *der, size_t len)
{
	char		*q = dst;
	uint32_t	 group;
	size_t		 i, col = 0;

	q = stpcpy(stpcpy(stpcpy(q, PEM_BEGIN), label), PEM_DASHES "\n");
	for (i = 0; i < len; i += 3) {
		group = (uint32_t)der[i] << 16;
		if (i + 1 < len)
			group |= (uint32_t)der[i + 1] << 8;
		if (i + 2 < len)
			group |= der[i + 2];
		*q++ = digits[group >> 18];
		*q++ = digits[group >> 12 & 63];
		*q++ = i + 1 < len ? digits[group >> 6 & 63] : '=';
		*q++ = i + 2 < len ? digits[group & 63] : '=';
		if ((col += 4) == PEM_LINE || i + 3 >= len) {
			*q++ = '\n';
			col = 0;
		}
	}
	q = stpcpy(stpcpy(stpcpy(q, PEM_END), label), PEM_DASHES "\n");
	explicit_bzero(&group, sizeof(group));
	return ((size_t)(q - dst));
}

char *
pem_encode_cert(const uint8_t *der, size_t len)
{
	char	*pem;

	if (len > 65536 ||
	    (pem = malloc(pem_size(PEM_LABEL_CERT, len))) == NULL)
		return (NULL);
	(void)pem_encode(pem, PEM_LABEL_CERT, der, len);
	return (pem);
}
