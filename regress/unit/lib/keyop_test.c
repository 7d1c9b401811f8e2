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
 * The hook end to end: a forked keyholder (the real handlers) signs the
 * handshakes of a libtls server and client whose process has no private key.
 * monotime is a dummy that hurries, so that the time-outs come soon.
 */
#include "unit.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tls.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "ibuf.h"
#include "imsg.h"
#include "imsg_rule.h"
#include "keyholder.h"
#include "keyholder_int.h"
#include "keyop.h"
#include "log.h"
#include "monotime.h"
#include "pem.h"
#include "proc.h"
#include "tlsconf.h"
#include "x509util.h"

/* keyop and imsg each divide by it: 2000 ms become 125. */
#define HURRY		4
#define TIMEOUT_MSEC	(KEYOP_WAIT_MSEC / HURRY / HURRY)
#define HANDSHAKES	100
#define SECOND		1000000000LL

struct made {			/* what the keyholder made, over a pipe */
	uint8_t		 md_point[3][ECKEY_POINT_LEN];	/* server, agent, CA */
	char		 md_server[6000];	/* PEM: leaf, CA */
	char		 md_agent[6000];
	char		 md_ca[3000];
};

static enum role	 self = ROLE_CLUSTER;
static struct made	 made;
static pid_t		 keyholder_pid;

/* --- dummy neighbours ---------------------------------------------------- */

struct event_base *
proc_base(void)
{
	return (NULL);
}

enum role
proc_self(void)
{
	return (self);
}

struct peer *
proc_peer(enum role role)
{
	(void)role;
	return (NULL);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *b)
{
	if (p == NULL)
		return (-1);
	if (imsg_compose_ibuf(&p->pe_ibuf, type, id, fd, b) == -1 ||
	    imsgbuf_flush(&p->pe_ibuf, 1000) == -1)
		_exit(3);
	return (0);
}

void
proc_exit(int status)
{
	_exit(status);
}

void
peer_broken(struct peer *p, const struct imsg *imsg, const char *why)
{
	(void)p;
	(void)imsg;
	fprintf(stderr, "keyholder: broken: %s\n", why);
	_exit(2);
}

monotime_t
monotime_now(void)
{
	struct timespec	 ts;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (((monotime_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000) * HURRY);
}

int
monotime_left(monotime_t deadline)
{
	monotime_t	 left = (deadline - monotime_now()) / HURRY;

	return (left < 0 ? 0 : (int)left);
}

struct timeval
monotime_timeval(uint64_t msec)
{
	return ((struct timeval){ (time_t)(msec / 1000), 0 });
}

/* --- keyholder ----------------------------------------------------------- */

static void
join(char *dst, size_t size, const struct key_cert *leaf,
    const struct key_cert *ca)
{
	char	*a = pem_encode_cert(leaf->kc_der, leaf->kc_len);
	char	*b = pem_encode_cert(ca->kc_der, ca->kc_len);

	snprintf(dst, size, "%s%s", a, b);
	free(a);
	free(b);
}

static void
keyholder_make(void)
{
	static struct key_cert	 ca, leaf;
	struct keyring		*kr = keyholder_ring();
	struct key_name		 name = { KEY_NAME_DNS, 9, "localhost" };
	char			 why[KEY_WHY_SIZE], *pem;
	time_t			 now = time(NULL);

	if (key_make(&kr->kr_ca) == -1 || key_make(&kr->kr_server[0]) == -1 ||
	    key_make(&kr->kr_agent[0]) == -1 ||
	    (kr->kr_cacert = key_ca_selfsign(&kr->kr_ca, 86400, now)) == NULL ||
	    key_cert_export(kr->kr_cacert, &ca) == -1)
		_exit(4);
	pem = pem_encode_cert(ca.kc_der, ca.kc_len);
	strlcpy(made.md_ca, pem, sizeof(made.md_ca));
	free(pem);
	memcpy(made.md_point[2], kr->kr_ca.k_point, ECKEY_POINT_LEN);
	if (key_issue_server(kr, &kr->kr_server[0], 3600, &name, 1, now, &leaf,
	    why) == -1)
		_exit(4);
	join(made.md_server, sizeof(made.md_server), &leaf, &ca);
	memcpy(made.md_point[0], kr->kr_server[0].k_point, ECKEY_POINT_LEN);
	if (key_issue_agent(kr, "0123456789abcdef", kr->kr_agent[0].k_point,
	    3600, now, &leaf, why) != KEY_RC_OK)
		_exit(4);
	join(made.md_agent, sizeof(made.md_agent), &leaf, &ca);
	memcpy(made.md_point[1], kr->kr_agent[0].k_point, ECKEY_POINT_LEN);
}

/*
 * Serves until EOF.  One channel stands for cluster's and uplink's, so that
 * one process can play server and client: the key asked for tells which.
 */
static __dead void
keyholder_main(int s, int out)
{
	struct keyring	*kr = keyholder_ring();
	struct peer	 p = { .pe_sync = true };
	struct imsg	 imsg;
	const uint8_t	*body;
	const struct proc_handler *h;

	self = ROLE_KEYHOLDER;
	keyholder_warmup();
	keyholder_make();
	if (write(out, &made, sizeof(made)) != (ssize_t)sizeof(made))
		_exit(4);
	close(out);
	if (imsgbuf_init(&p.pe_ibuf, s) == -1)
		_exit(4);
	while (imsgbuf_wait(&p.pe_ibuf, &imsg, 240000) == 1) {
		if (imsg_rule_check(&imsg, ROLE_CLUSTER,
		    ROLE_KEYHOLDER) != NULL)
			_exit(5);
		body = ibuf_data(imsg_get_ibuf(&imsg));
		p.pe_role = memcmp(body + 2, kr->kr_agent[0].k_point,
		    ECKEY_POINT_LEN) == 0 ? ROLE_A_UPLINK : ROLE_CLUSTER;
		for (h = keyholder_handlers; h->ph_fn != NULL; h++)
			if (h->ph_type == imsg_get_type(&imsg))
				h->ph_fn(&p, &imsg);
		imsg_free(&imsg);
	}
	keyring_clear(kr);
	_exit(0);
}

static int
setup(void **state)
{
	int	 s[2], out[2];
	size_t	 got;
	ssize_t	 n;

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == -1 ||
	    pipe2(out, O_CLOEXEC) == -1)
		return (-1);
	if ((keyholder_pid = fork()) == 0) {
		close(s[0]);
		close(out[0]);
		keyholder_main(s[1], out[1]);
	}
	close(s[1]);
	close(out[1]);
	for (got = 0; got < sizeof(made); got += (size_t)n)
		if ((n = read(out[0], (char *)&made + got,
		    sizeof(made) - got)) <= 0)
			return (-1);
	close(out[0]);
	if (tlsconf_init() == -1)
		return (-1);
	keyop_init(s[0]);
	return (0);
}

/* --- handshakes ---------------------------------------------------------- */

static bool
step(struct tls *t, bool *done)
{
	int	 n;

	if (*done)
		return (true);
	if ((n = tls_handshake(t)) == 0)
		*done = true;
	return (n == 0 || n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT);
}

static bool
handshake(struct tls *server, struct tls *client)
{
	struct tls	*conn = NULL;
	bool		 a = false, b = false, ok = true;
	char		 byte = 0;
	int		 s[2], i;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s),
	    0);
	assert_int_equal(tls_accept_socket(server, &conn, s[0]), 0);
	assert_int_equal(tls_connect_socket(client, s[1], "localhost"), 0);
	for (i = 0; i < 20 && ok && (!a || !b); i++)
		ok = step(client, &a) && step(conn, &b);
	ok = ok && a && b && tls_write(conn, "x", 1) == 1;
	for (i = 0; i < 20 && ok; i++)
		if (tls_read(client, &byte, 1) == 1)
			break;
	ok = ok && byte == 'x' && tls_peer_cert_provided(conn) &&
	    tlsconf_fault(conn, TLSCONF_H2) == NULL;
	tls_free(conn);
	tls_free(client);
	close(s[0]);
	close(s[1]);
	return (ok);
}

static struct tls *
client_new(void)
{
	struct tlsconf	 tc = { .tc_alpn = TLSCONF_H2 };
	struct tls	*t;
	char		 err[256];

	tc.tc_cert = (const uint8_t *)made.md_agent;
	tc.tc_certlen = strlen(made.md_agent);
	if ((t = tlsconf_client(&tc, err, sizeof(err))) == NULL)
		fail_msg("%s", err);
	return (t);
}

static struct tls *
server_new(void)
{
	struct tlsconf	 tc = { .tc_alpn = TLSCONF_H2 };
	struct tls	*t;
	char		 err[256];

	tc.tc_cert = (const uint8_t *)made.md_server;
	tc.tc_certlen = strlen(made.md_server);
	tc.tc_ca = (const uint8_t *)made.md_ca;
	tc.tc_calen = strlen(made.md_ca);
	if ((t = tlsconf_server(&tc, err, sizeof(err))) == NULL)
		fail_msg("%s", err);
	return (t);
}

static void
test_registered(void **state)
{
	uint8_t	 bad[ECKEY_POINT_LEN] = { 4 };

	(void)state;
	assert_int_equal(keyop_add(bad), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(keyop_add(made.md_point[0]), 0);
	assert_int_equal(keyop_add(made.md_point[0]), 0);
	assert_int_equal(keyop_add(made.md_point[1]), 0);
	assert_int_equal(keyop_add(made.md_point[2]), -1);
	assert_int_equal(errno, ENOSPC);
	keyop_del(made.md_point[0]);
	assert_false(keyop_has(made.md_point[0]));
	assert_int_equal(keyop_add(made.md_point[2]), 0);
	keyop_del(made.md_point[1]);
	keyop_del(made.md_point[2]);
}

static void
test_selftest(void **state)
{
	(void)state;
	/* Not registered: nobody is asked. */
	assert_int_equal(keyop_selftest(made.md_point[0]), -1);
	assert_int_equal(keyop_signatures(), 0);
	assert_int_equal(keyop_add(made.md_point[0]), 0);
	assert_int_equal(keyop_selftest(made.md_point[0]), 0);
	assert_int_equal(keyop_signatures(), 1);
	keyop_del(made.md_point[0]);
	/* Registered by us, but the CA's key is not for this. */
	assert_int_equal(keyop_add(made.md_point[2]), 0);
	assert_int_equal(keyop_selftest(made.md_point[2]), -1);
	assert_int_equal(keyop_signatures(), 1);
	keyop_del(made.md_point[2]);
}

static void
test_handshakes(void **state)
{
	struct tls	*server;
	struct timespec	 a, b;
	uint64_t	 before = keyop_signatures();
	int		 i;

	(void)state;
	assert_int_equal(keyop_add(made.md_point[0]), 0);
	assert_int_equal(keyop_add(made.md_point[1]), 0);
	server = server_new();
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < HANDSHAKES; i++)
		if (!handshake(server, client_new()))
			fail_msg("handshake %d", i);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	print_message("%d handshakes, both keys away: %lld us each\n",
	    HANDSHAKES, ((b.tv_sec - a.tv_sec) * SECOND + b.tv_nsec -
	    a.tv_nsec) / 1000 / HANDSHAKES);
	/* Two signatures each: server and client. */
	assert_int_equal(keyop_signatures() - before, 2 * HANDSHAKES);
	/* Without the key the handshake fails, and the next one works. */
	keyop_del(made.md_point[0]);
	assert_false(handshake(server, client_new()));
	assert_int_equal(keyop_add(made.md_point[0]), 0);
	assert_true(handshake(server, client_new()));
	tls_free(server);
}

/* Keys with a private number sign as ever. */
static void
test_local_keys(void **state)
{
	uint8_t		 scalar[ECKEY_SCALAR_LEN], point[ECKEY_POINT_LEN];
	uint8_t		 digest[32] = { 3 }, sig[ECKEY_SIG_MAXBYTES];
	EVP_PKEY	*priv, *pub;
	uint64_t	 before = keyop_signatures();
	size_t		 len;

	(void)state;
	assert_int_equal(eckey_generate(scalar), 0);
	priv = eckey_private(scalar, point);
	pub = eckey_public(point);
	assert_int_equal(eckey_sign(priv, digest, sig, &len), 0);
	assert_true(eckey_verify(pub, digest, sig, len));
	assert_int_equal(keyop_signatures(), before);
	EVP_PKEY_free(priv);
	EVP_PKEY_free(pub);
}

/* --- keyholders that do not behave --------------------------------------- */

enum manner { SILENT, LATE, GONE, RUBBISH, REFUSING, WRONG };

static void
bad_keyholder(int s, enum manner manner)
{
	struct imsgbuf	 ib;
	struct imsg	 imsg;
	struct ibuf	*b = ibuf_open(128);
	struct key	 k = { 0 };
	uint8_t		 sig[ECKEY_SIG_MAXBYTES], digest[32] = { 0 };
	size_t		 len;
	int		 n;

	if (manner == GONE)
		_exit(0);
	(void)imsgbuf_init(&ib, s);
	(void)key_make(&k);
	(void)eckey_sign(k.k_pkey, digest, sig, &len);
	(void)ibuf_add_n8(b, manner == REFUSING ? KEY_RC_REFUSED : KEY_RC_OK);
	(void)ibuf_add_bytes(b, sig, manner == REFUSING ? 0 : len);
	if (manner == RUBBISH)
		(void)ibuf_add_n8(b, 0);
	for (n = 0; imsgbuf_wait(&ib, &imsg, 20000) == 1; n++) {
		if (manner == SILENT)
			continue;
		if (manner == LATE && n == 0)
			(void)usleep((TIMEOUT_MSEC + 50) * 1000);
		(void)imsg_compose_ibuf(&ib, IMSG_KEY_SIGNED,
		    imsg_get_id(&imsg), -1, b);
		(void)imsgbuf_flush(&ib, 1000);
	}
	_exit(0);
}

/*
 * In a child with a hook of its own: how many of the signatures asked for came
 * (exit 10 + n), or 1 or PROC_EXIT_DAEMON when the process ended itself.
 */
static int
with_manner(enum manner manner, int signatures)
{
	uint8_t		 digest[32] = { 1 }, sig[ECKEY_SIG_MAXBYTES];
	EVP_PKEY	*pub;
	size_t		 len;
	pid_t		 pid, kid;
	int		 s[2], status, n = 0;

	if ((pid = fork()) == 0) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == -1)
			_exit(2);
		if ((kid = fork()) == 0) {
			close(s[0]);
			bad_keyholder(s[1], manner);
		}
		close(s[1]);
		keyop_init(s[0]);
		pub = eckey_public(made.md_point[0]);
		(void)keyop_add(made.md_point[0]);
		while (signatures-- > 0)
			if (eckey_sign(pub, digest, sig, &len) == 0)
				n++;
		if (manner == WRONG && keyop_selftest(made.md_point[0]) == 0)
			n += 100;
		_exit(10 + n);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

static void
test_bad_keyholders(void **state)
{
	(void)state;
	assert_int_equal(with_manner(SILENT, 1), 10);
	assert_int_equal(with_manner(SILENT, 2), PROC_EXIT_DAEMON);
	/* The first times out, its late answer is not taken for the second. */
	assert_int_equal(with_manner(LATE, 3), 12);
	assert_int_equal(with_manner(GONE, 1), 1);
	assert_int_equal(with_manner(RUBBISH, 1), 1);
	assert_int_equal(with_manner(REFUSING, 3), 10);
	assert_int_equal(with_manner(WRONG, 1), 11);
}

int
main(void)
{
	const struct CMUnitTest bad[] = {
		cmocka_unit_test(test_bad_keyholders),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registered),
		cmocka_unit_test(test_selftest),
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_local_keys),
	};
	struct key	 k = { 0 };
	int		 failed;

	(void)signal(SIGPIPE, SIG_IGN);
	/* Any point will do; before the process has its own hook. */
	if (key_make(&k) == -1)
		return (1);
	memcpy(made.md_point[0], k.k_point, ECKEY_POINT_LEN);
	key_clear(&k);
	failed = cmocka_run_group_tests(bad, NULL, NULL);
	return (failed + cmocka_run_group_tests(tests, setup, NULL));
}
