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

#include "engine_jentry.h"

#include <openssl/sha.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "pbcheck.h"

#define JENTRY_MAXBYTES	(1024 * 1024)
#define NSEC_PER_SEC	1000000000

static int64_t	 days_from_civil(int64_t, unsigned int, unsigned int);
static int	 digits(const char **, unsigned int, unsigned int *);
static int	 zone(const char *, int *);
static bool	 member(const struct json_value *, const char *, char **,
		    struct pbmem *, const char **);
static bool	 read_times(const struct json_value *, struct pbmem *,
		    Sentinel__Cluster__JournalEntry *, const char **);
static int	 to_word(char **, struct pbmem *);
static bool	 need_id(Sentinel__Cluster__JournalEntry *, const char *,
		    size_t, struct pbmem *);

/* --- time ---------------------------------------------------------------- */

/* Of the proleptic Gregorian calendar, from 1970-01-01. */
static int64_t
days_from_civil(int64_t y, unsigned int m, unsigned int d)
{
	int64_t		 era;
	unsigned int	 yoe, doy, doe;

	y -= m <= 2;
	era = y / 400;			/* years are 1 and later */
	yoe = (unsigned int)(y - era * 400);
	doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return (era * 146097 + (int64_t)doe - 719468);
}

void
jentry_time_make(int64_t sec, int32_t nsec, char *dst, size_t size)
{
	struct tm	 tm;
	time_t		 t = (time_t)sec;

	dst[0] = '\0';
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1899 ||
	    tm.tm_year > 8099)
		return;
	(void)snprintf(dst, size, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, (int)nsec);
}

static int
digits(const char **p, unsigned int n, unsigned int *out)
{
	for (*out = 0; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return (-1);
		*out = *out * 10 + (unsigned int)(**p - '0');
	}
	return (0);
}

static int
zone(const char *p, int *sec)
{
	unsigned int	 h, m;
	int		 sign;

	*sec = 0;
	if (strcmp(p, "Z") == 0 || strcmp(p, "z") == 0)
		return (0);
	if (*p != '+' && *p != '-')
		return (-1);
	sign = *p++ == '-' ? -1 : 1;
	if (digits(&p, 2, &h) == -1 || *p++ != ':' ||
	    digits(&p, 2, &m) == -1 || *p != '\0' || h > 23 || m > 59)
		return (-1);
	*sec = sign * (int)(h * 3600 + m * 60);
	return (0);
}

int
jentry_time_read(const char *p, int64_t *sec, int32_t *nsec)
{
	unsigned int	 y, mon, d, h, min, s, digit;
	int32_t		 scale = NSEC_PER_SEC / 10;
	int		 off;

	*nsec = 0;
	if (digits(&p, 4, &y) == -1 || *p++ != '-' ||
	    digits(&p, 2, &mon) == -1 || *p++ != '-' ||
	    digits(&p, 2, &d) == -1 || (*p != 'T' && *p != 't'))
		return (-1);
	p++;
	if (digits(&p, 2, &h) == -1 || *p++ != ':' ||
	    digits(&p, 2, &min) == -1 || *p++ != ':' ||
	    digits(&p, 2, &s) == -1)
		return (-1);
	if (*p == '.') {
		if (p++, digits(&p, 1, &digit) == -1)
			return (-1);
		do {
			*nsec += (int32_t)digit * scale;
			scale /= 10;
		} while (digits(&p, 1, &digit) == 0);
	}
	if (zone(p, &off) == -1 || y < 1 || mon < 1 || mon > 12 || d < 1 ||
	    d > 31 || h > 23 || min > 59 || s > 60)
		return (-1);
	*sec = days_from_civil(y, mon, d) * 86400 + (int64_t)h * 3600 +
	    (int64_t)min * 60 + (int64_t)s - off;
	return (0);
}

/* --- writing ------------------------------------------------------------- */

char *
jentry_make(const Sentinel__Cluster__JournalEntry *m, size_t *len)
{
	const struct {
		const char	*key;
		const char	*value;
	} optional[] = {
		{ "old_image", m->old_image },
		{ "new_image", m->new_image },
		{ "old_digest", m->old_digest },
		{ "new_digest", m->new_digest },
	};
	struct json_gen	*g;
	char		 when[64], *text;
	int64_t		 nsec = 0;
	size_t		 i;

	if ((g = json_gen_new(JENTRY_MAXBYTES)) == NULL)
		return (NULL);
	jentry_time_make(m->timestamp == NULL ? 0 : m->timestamp->seconds,
	    m->timestamp == NULL ? 0 : m->timestamp->nanos, when,
	    sizeof(when));
	if (m->duration != NULL)
		nsec = m->duration->seconds * NSEC_PER_SEC +
		    m->duration->nanos;
	json_gen_object(g);
	json_gen_key(g, "id");
	json_gen_str(g, m->id);
	json_gen_key(g, "timestamp");
	json_gen_str(g, when);
	json_gen_key(g, "action");
	json_gen_str(g, m->action);
	json_gen_key(g, "container");
	json_gen_str(g, m->container);
	for (i = 0; i < nitems(optional); i++) {
		if (optional[i].value[0] == '\0')
			continue;
		json_gen_key(g, optional[i].key);
		json_gen_str(g, optional[i].value);
	}
	json_gen_key(g, "outcome");
	json_gen_str(g, m->outcome);
	if (m->error[0] != '\0') {
		json_gen_key(g, "error");
		json_gen_str(g, m->error);
	}
	json_gen_key(g, "duration");
	json_gen_int(g, nsec);
	json_gen_end_object(g);
	text = json_gen_take(g, len);
	json_gen_free(g);
	return (text);
}

char *
jentry_indent(const char *text, size_t len, size_t *outlen)
{
	const struct json_value	*v, *root;
	struct json		*js;
	char			*buf = NULL;
	FILE			*f;
	bool			 first = true;

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return (NULL);
	root = json_root(js);
	if (!json_is(root, JSON_OBJECT) ||
	    (f = open_memstream(&buf, outlen)) == NULL) {
		json_free(js);
		return (NULL);
	}
	(void)fputs(JENTRY_FILE_INDENT "{", f);
	for (v = root->jv_child; v != NULL; v = v->jv_next) {
		/* Keys are ours: nothing in them needs an escape. */
		(void)fprintf(f, "%s\n" JENTRY_FILE_INDENT JENTRY_FILE_INDENT
		    "\"%s\": ", first ? "" : ",", v->jv_key);
		(void)fwrite(v->jv_raw, 1, v->jv_rawlen, f);
		first = false;
	}
	(void)fputs("\n" JENTRY_FILE_INDENT "}", f);
	if (fclose(f) == EOF) {
		free(buf);
		buf = NULL;
	}
	json_free(js);
	return (buf);
}

/* --- reading ------------------------------------------------------------- */

/* A string, or nothing. */
static bool
member(const struct json_value *obj, const char *key, char **dst,
    struct pbmem *pm, const char **why)
{
	const struct json_value	*v = json_get(obj, key);

	if (v == NULL || json_is(v, JSON_NULL))
		return (true);
	if (json_str(v) == NULL) {
		*why = key;
		return (false);
	}
	*dst = pbmem_strndup(pm, v->jv_str, v->jv_strlen);
	return (*dst != NULL);
}

static bool
read_times(const struct json_value *obj, struct pbmem *pm,
    Sentinel__Cluster__JournalEntry *m, const char **why)
{
	const struct json_value	*v;
	int64_t			 nsec = 0;

	m->timestamp = pbmem_alloc(pm, sizeof(*m->timestamp));
	m->duration = pbmem_alloc(pm, sizeof(*m->duration));
	if (m->timestamp == NULL || m->duration == NULL)
		return (false);
	google__protobuf__timestamp__init(m->timestamp);
	google__protobuf__duration__init(m->duration);
	v = json_get(obj, "timestamp");
	if (v != NULL && !json_is_zero(v) && (json_str(v) == NULL ||
	    jentry_time_read(json_str(v), &m->timestamp->seconds,
	    &m->timestamp->nanos) == -1)) {
		*why = "timestamp";
		return (false);
	}
	/* The zero time of the other implementation is none. */
	if (m->timestamp->seconds < 0)
		m->timestamp->seconds = m->timestamp->nanos = 0;
	v = json_get(obj, "duration");
	if (v != NULL && !json_is(v, JSON_NULL) && json_int(v, &nsec) == -1) {
		*why = "duration";
		return (false);
	}
	if (nsec > 0) {
		m->duration->seconds = nsec / NSEC_PER_SEC;
		m->duration->nanos = (int32_t)(nsec % NSEC_PER_SEC);
	}
	return (true);
}

/* A word is all that the wire takes there. */
static int
to_word(char **sp, struct pbmem *pm)
{
	char	*p;

	if (pbcheck_has_set(PB_WORD, (const uint8_t *)*sp, strlen(*sp)))
		return (0);
	if ((*sp = pbmem_strndup(pm, *sp, strlen(*sp))) == NULL)
		return (-1);
	for (p = *sp; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			*p = '?';
	}
	return (0);
}

int
jentry_clean(Sentinel__Cluster__JournalEntry *m, struct pbmem *pm)
{
	size_t	 len = strlen(m->error);

	if (len > JENTRY_ERROR_MAXBYTES && (m->error = pbmem_text(pm,
	    m->error, len, JENTRY_ERROR_MAXBYTES)) == NULL)
		return (-1);
	if (pbcheck_repair(&m->base, pm) == -1 ||
	    to_word(&m->container, pm) == -1 ||
	    to_word(&m->old_image, pm) == -1 ||
	    to_word(&m->new_image, pm) == -1 ||
	    to_word(&m->old_digest, pm) == -1 ||
	    to_word(&m->new_digest, pm) == -1 ||
	    to_word(&m->outcome, pm) == -1)
		return (-1);
	return (0);
}

/* The same entry gets the same id, however often it is read. */
static bool
need_id(Sentinel__Cluster__JournalEntry *m, const char *text, size_t len,
    struct pbmem *pm)
{
	uint8_t	 hash[SHA256_DIGEST_LENGTH];
	char	*id;

	if (m->id[0] != '\0')
		return (true);
	SHA256((const uint8_t *)text, len, hash);
	if ((id = pbmem_alloc(pm, 48)) == NULL)
		return (false);
	(void)strlcpy(id, "imported-", 48);
	(void)hex_encode(id + 9, 48 - 9, hash, 16);
	m->id = id;
	return (true);
}

Sentinel__Cluster__JournalEntry *
jentry_read(const char *text, size_t len, struct pbmem *pm, const char **why)
{
	Sentinel__Cluster__JournalEntry	*m;
	const struct json_value		*root;
	struct json			*js;
	bool				 ok;

	*why = "out of memory";
	if ((m = pbmem_alloc(pm, sizeof(*m))) == NULL)
		return (NULL);
	sentinel__cluster__journal_entry__init(m);
	if ((js = json_parse(text, len, NULL, 0)) == NULL ||
	    !json_is(root = json_root(js), JSON_OBJECT)) {
		*why = "not a JSON object";
		json_free(js);
		return (NULL);
	}
	ok = member(root, "id", &m->id, pm, why) &&
	    member(root, "action", &m->action, pm, why) &&
	    member(root, "container", &m->container, pm, why) &&
	    member(root, "old_image", &m->old_image, pm, why) &&
	    member(root, "new_image", &m->new_image, pm, why) &&
	    member(root, "old_digest", &m->old_digest, pm, why) &&
	    member(root, "new_digest", &m->new_digest, pm, why) &&
	    member(root, "outcome", &m->outcome, pm, why) &&
	    member(root, "error", &m->error, pm, why) &&
	    read_times(root, pm, m, why);
	json_free(js);
	if (!ok || !need_id(m, text, len, pm))
		return (NULL);
	*why = "out of memory";
	return (jentry_clean(m, pm) == -1 ? NULL : m);
}
