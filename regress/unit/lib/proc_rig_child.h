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

#ifndef PROC_RIG_CHILD_H
#define PROC_RIG_CHILD_H

/*
 * The children of proc_rig.h, and the orders that they understand.  To be
 * included by it only.
 */

static unsigned int	 engine_rtts;

static inline void __printflike_(1, 2)
child_report(const char *fmt, ...)
{
	struct ibuf	*b;
	va_list		 ap;
	char		 text[500];

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if ((b = ibuf_dynamic(8, 600)) == NULL || ibuf_add_n32(b, 0) == -1 ||
	    ibuf_add_string(b, text) == -1)
		fatal("child_report");
	(void)peer_send_ibuf(proc_peer(ROLE_PARENT), IMSG_CONF_REJECT, 0, -1,
	    b);
	ibuf_free(b);
}

static inline void
child_start(void)
{
	child_report("started");
}

/* Longer than the test's patience, shorter than ours. */
static inline void
child_slow_warmup(void)
{
	(void)sleep(5);
}

static inline void
child_stop(void)
{
	log_info("finishing");
	proc_exit(0);
}

static inline void
child_stop_never(void)
{
	log_info("not finishing");
}

static inline void
child_peer_up(struct peer *p)
{
	child_report("up %d channel %llu", (int)p->pe_role,
	    (unsigned long long)p->pe_channel);
}

static inline void
child_peer_lost(struct peer *p)
{
	child_report("lost %d, peer is %s", (int)p->pe_role,
	    proc_peer(p->pe_role) == NULL ? "gone" : "there");
}

/* Environment and descriptors that came along. */
static inline void
order_inherited(void)
{
	size_t	 n = 0;
	int	 fd, fds = 0;

	while (environ != NULL && environ[n] != NULL)
		n++;
	for (fd = 5; fd < 64; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			fds |= fd == 20;
	}
	child_report("secret %s, TZ %s, stray fd %s", getenv("SECRET") == NULL ?
	    "gone" : "there", getenv("TZ") != NULL ? getenv("TZ") : "gone",
	    fds ? "there" : "gone");
}

/* Blocking, as libtls does it: one question to the keyholder. */
static inline void
order_sign(void)
{
	struct imsgbuf	 ib;
	struct imsg	 m;
	struct ibuf	*b;
	uint8_t		 zero[65] = { 0 };
	int		 r;

	if (imsgbuf_init(&ib, proc_sync_fd()) == -1 ||
	    (b = ibuf_dynamic(101, 101)) == NULL ||
	    ibuf_add_bytes(b, zero, 65) == -1 ||
	    ibuf_add_bytes(b, zero, 32) == -1 ||
	    imsg_compose_ibuf(&ib, IMSG_KEY_SIGN, 7, -1, b) == -1 ||
	    imsgbuf_flush(&ib, 2000) == -1)
		fatal("order_sign");
	ibuf_free(b);
	r = imsgbuf_wait(&ib, &m, 2000);
	child_report("signed %s", r == 1 &&
	    imsg_get_type(&m) == IMSG_KEY_SIGNED && imsg_get_id(&m) == 7 ?
	    "yes" : "no");
	if (r == 1)
		imsg_free(&m);
	imsgbuf_clear(&ib);
}

static inline void
order_flood(void)
{
	struct peer	*p = proc_peer(ROLE_ENGINE);
	uint8_t		 rtt[4] = { 0 };
	int		 i;

	for (i = 0; i < 1000; i++)
		(void)peer_send(p, IMSG_AGENT_RTT, 1, -1, rtt, sizeof(rtt));
	child_report("credit %s", peer_has_credit(p) ? "yes" : "no");
}

/* Past the check on our side, as one who owns us would. */
static inline void
order_break(enum role to)
{
	struct peer	*p = proc_peer(to);

	if (imsg_compose(&p->pe_ibuf, IMSG_KEY_LOAD, 0, -1, "xx", 2) == -1 ||
	    imsgbuf_flush(&p->pe_ibuf, 1000) == -1)
		fatal("order_break");
}

static inline int
count_fds(void)
{
	int	 fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return (n);
}

static inline void
child_order(struct peer *p, struct imsg *m)
{
	char	 word[32] = "";
	size_t	 len = imsg_get_len(m);
	int	 fd;
	char	*argv[] = { NULL }, *env[] = { NULL };

	(void)p;
	if (len >= sizeof(word) || ibuf_get(imsg_get_ibuf(m), word, len) == -1)
		fatalx("child_order: too long");
	if (strcmp(word, "inherited") == 0)
		order_inherited();
	else if (strcmp(word, "sign") == 0)
		order_sign();
	else if (strcmp(word, "flood") == 0)
		order_flood();
	else if (strcmp(word, "break engine") == 0)
		order_break(ROLE_ENGINE);
	else if (strcmp(word, "break parent") == 0)
		order_break(ROLE_PARENT);
	else if (strcmp(word, "exit daemon") == 0)
		proc_exit(PROC_EXIT_DAEMON);
	else if (strcmp(word, "count") == 0) {
		log_info("open descriptors: %d", count_fds());
		child_report("counted");
	} else if (strcmp(word, "exec") == 0)
		(void)execve("/bin/true", argv, env);
	else if (strcmp(word, "abort") == 0)
		abort();
	else if (strcmp(word, "fatal") == 0)
		fatalx("these are the last words");
	else if (strcmp(word, "close") == 0)
		(void)shutdown(p->pe_ibuf.fd, SHUT_RDWR);
	else if (strcmp(word, "debug") == 0)
		log_debug("a line for debugging");
	else if (strcmp(word, "open") == 0)
		child_report("open: %d", open("/etc/passwd", O_RDONLY));
	else if (strcmp(word, "create") == 0) {
		fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0600);
		child_report("create: %d", fd == -1 || unlink("file") == -1 ||
		    close(fd) == -1 ? errno : 0);
	} else
		fatalx("child_order: %s?", word);
}

static inline void
child_listen(struct peer *p, struct imsg *m)
{
	struct stat	 st;
	int		 fd = imsg_get_fd(m);

	(void)p;
	child_report("descriptor %s", fd != -1 && fstat(fd, &st) == 0 &&
	    S_ISSOCK(st.st_mode) ? "came" : "lost");
	(void)close(fd);
}

static inline void
engine_rtt(struct peer *p, struct imsg *m)
{
	(void)m;
	if (++engine_rtts % 1000 == 0)
		child_report("rtts %u from %d", engine_rtts, (int)p->pe_role);
}

static inline void
key_sign(struct peer *p, struct imsg *m)
{
	const uint8_t	 answer[3] = { 0 };

	if (!p->pe_sync) {
		peer_broken(p, m, "not a signing channel");
		return;
	}
	(void)peer_send(p, IMSG_KEY_SIGNED, imsg_get_id(m), -1, answer,
	    sizeof(answer));
}

#endif
