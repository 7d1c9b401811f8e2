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
 * The update journal as found on disk.  The first byte chooses: records as
 * they are, or records whose checksums are made right first, so that what
 * lies behind the checksum is reached.
 */
#include "compat.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "docker_client.h"
#include "docker_update.h"
#include "log.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t	 nrecs;

static void
on_record(void *arg, const struct journal_rec *jr)
{
	size_t	 i;

	(void)arg;
	nrecs++;
	if (jr->jr_txn == 0 || jr->jr_nfields > JOURNAL_FIELDS_MAX)
		abort();
	for (i = 0; i < jr->jr_nfields; i++)
		if (jr->jr_fields[i].jf_data[jr->jr_fields[i].jf_len] != '\0')
			abort();
}

static void
fix(uint8_t *buf, size_t size)
{
	size_t		 pos = 0, len;
	uint32_t	 crc;
	int		 i;

	while (size - pos > 8) {
		len = (size_t)buf[pos + 3] + 13;
		if (len > size - pos - 8)
			len = size - pos - 8;
		crc = journal_crc32(buf + pos + 8, len);
		for (i = 0; i < 4; i++) {
			buf[pos + i] = (uint8_t)(len >> (24 - 8 * i));
			buf[pos + 4 + i] = (uint8_t)(crc >> (24 - 8 * i));
		}
		pos += 8 + len;
	}
}

static void
on_done(void *arg, const struct update_result *ur)
{
	(void)arg;
	if (ur->ur_opid[0] == '\0' && ur->ur_outcome == UPDATE_SUCCESS)
		abort();
}

static void
need_fd(void *arg)
{
	docker_no_fd(*(struct docker **)arg, "no Docker here");
}

static void
recover(const uint8_t *data, size_t size)
{
	static const struct update_config	 conf = UPDATE_CONFIG_DEFAULT;
	static const struct update_ops		 ops = { .uo_done = on_done };
	struct event_base			*base = event_base_new();
	struct docker				*dk = NULL;
	struct journal				*jn;
	struct updater				*up;
	int					 fd, i;

	if ((fd = memfd_create("journal", 0)) == -1 ||
	    write(fd, data, size) != (ssize_t)size)
		abort();
	if ((dk = docker_new(base, need_fd, &dk)) == NULL ||
	    (jn = journal_open(fd)) == NULL ||
	    (up = updater_new(base, dk, jn, &conf, &ops, NULL)) == NULL)
		abort();
	updater_recover(up);
	for (i = 0; i < 10; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	updater_free(up);
	docker_free(dk);
	event_base_free(base);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool	 quiet;
	uint8_t		*buf;
	size_t		 good;

	if (size == 0 || size > 65536)
		return (0);
	if (!quiet) {
		log_init("fuzz", memfd_create("log", 0));
		quiet = true;
	}
	if ((buf = malloc(size)) == NULL)
		return (0);
	memcpy(buf, data + 1, size - 1);
	if (data[0] & 1)
		fix(buf, size - 1);
	nrecs = 0;
	good = journal_parse(buf, size - 1, on_record, NULL);
	if (good > size - 1 || good < nrecs * 21)
		abort();
	recover(buf, size - 1);
	free(buf);
	return (0);
}
