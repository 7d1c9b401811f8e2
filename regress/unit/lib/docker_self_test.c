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

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_api.h"
#include "docker_self.h"
#include "docker_txn.h"

#define A	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define UP(dir)	",\"GraphDriver\":{\"Data\":{\"UpperDir\":\"" dir "\"}}"
#define SELF	",\"Config\":{\"Labels\":{\"sentinel.self\":\"true\"}}"
#define MOUNT(type, at, rw) "{\"Type\":\"" type "\",\"Destination\":\"" at \
	"\",\"RW\":" rw "}"
#define SOCK	MOUNT("bind", "/var/run/docker.sock", "false")
#define DATA	MOUNT("volume", "/data", "true")

static struct update_self
who(const char *id, const char *upper)
{
	struct update_self	 us = { .us_what = "agent", .us_data = "/data",
		.us_state = "/data/state", .us_socket = "/var/run/docker.sock",
		.us_proof_msec = 120000 };

	strlcpy(us.us_id.sf_id, id, sizeof(us.us_id.sf_id));
	strlcpy(us.us_id.sf_upper, upper, sizeof(us.us_id.sf_upper));
	return (us);
}

static const struct {
	const char	*what;
	const char	*id;
	const char	*upper;
	const char	*seen;
	bool		 is;
} owns[] = {
	{ "on a host", "", "", "{\"Id\":\"" A "\"" SELF "}", false },
	{ "the label of another", B, "", "{\"Id\":\"" A "\"" SELF "}", false },
	{ "its id, without the label", A, "", "{\"Id\":\"" A "\"}", true },
	{ "both marks", A, "u/diff", "{\"Id\":\"" A "\"" UP("/o/u/diff") "}",
	    true },
	{ "another's network: its files, our root", A, "u/diff",
	    "{\"Id\":\"" B "\"" UP("/o/u/diff") "}", true },
	{ "another's network: that other", A, "u/diff",
	    "{\"Id\":\"" A "\"" UP("/o/v/diff") "}", false },
	{ "no upper directory here", A, "", "{\"Id\":\"" A "\""
	    UP("/o/v/diff") "}", true },
	{ "no upper directory there", A, "u/diff", "{\"Id\":\"" A "\"}",
	    true },
	{ "neither", "", "u/diff", "{\"Id\":\"\"}", false },
};

static void
test_is(void **state)
{
	struct update_self	 us;
	struct json		*js;
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(owns); i++) {
		us = who(owns[i].id, owns[i].upper);
		js = json_parse(owns[i].seen, strlen(owns[i].seen), NULL, 0);
		assert_non_null(js);
		if (self_is(&us, json_root(js)) != owns[i].is)
			fail_msg("%s", owns[i].what);
		json_free(js);
	}
}

static const struct {
	const char	*seen;		/* after the id */
	const char	*why;		/* part of it, NULL: none */
} refusals[] = {
	{ "\"Mounts\":[" DATA "," SOCK "]", NULL },
	{ "\"Mounts\":[" MOUNT("bind", "/", "true") "]", NULL },
	{ "\"Mounts\":[" DATA "," MOUNT("bind", "/run", "false") "]", NULL },
	{ "\"Mounts\":[" SOCK "]", "not on a volume" },
	{ "\"Mounts\":null", "not on a volume" },
	{ "\"Mounts\":[" MOUNT("tmpfs", "/data", "true") "," SOCK "]",
	    "not on a volume" },
	{ "\"Mounts\":[" MOUNT("volume", "/data", "false") "," SOCK "]",
	    "not on a volume" },
	{ "\"Mounts\":[" MOUNT("volume", "/dat", "true") "," SOCK "]",
	    "not on a volume" },
	{ "\"Mounts\":[" MOUNT("volume", "/data/state", "true") "," SOCK "]",
	    "not on a volume" },
	{ "\"Mounts\":[" DATA "]", "docker.sock is not mounted" },
	{ "\"Mounts\":[" DATA "," SOCK "],\"HostConfig\":{\"AutoRemove\":"
	    "true}", "--rm" },
};

static void
test_refuses(void **state)
{
	struct update_self	 us = who(A, "");
	struct json		*js;
	char			 text[2048], why[512];
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(refusals); i++) {
		snprintf(text, sizeof(text), "{\"Id\":\"" A "\",%s}",
		    refusals[i].seen);
		assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
		why[0] = '\0';
		if (self_refuses(&us, json_root(js), why, sizeof(why)) !=
		    (refusals[i].why != NULL) || (refusals[i].why != NULL &&
		    strstr(why, refusals[i].why) == NULL))
			fail_msg("%s: \"%s\"", refusals[i].seen, why);
		json_free(js);
	}
	snprintf(text, sizeof(text), "{\"Id\":\"" B "\",%s}",
	    refusals[0].seen);
	assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
	assert_true(self_refuses(&us, json_root(js), why, sizeof(why)));
	assert_non_null(strstr(why, "network of another"));
	json_free(js);
	/* A server's is no other case; all of its state is in data_dir. */
	us.us_what = "server";
	snprintf(text, sizeof(text), "{\"Id\":\"" A "\",%s}",
	    refusals[0].seen);
	assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
	assert_false(self_refuses(&us, json_root(js), why, sizeof(why)));
	json_free(js);
	snprintf(text, sizeof(text), "{\"Id\":\"" A "\",\"Mounts\":[" SOCK
	    "]}");
	assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
	assert_true(self_refuses(&us, json_root(js), why, sizeof(why)));
	assert_non_null(strstr(why, "the server's own container, and its "
	    "data_dir"));
	json_free(js);
}

static const struct {
	uint64_t	 schema;
	const char	*labels;
	const char	*why;
} images[] = {
	{ 2, "\"sentinel.self\":\"true\"", NULL },
	{ 2, "\"sentinel.self\":\"true\",\"sentinel.schema\":\"2\"", NULL },
	{ 2, "\"sentinel.self\":\"true\",\"sentinel.schema\":\"1\"", NULL },
	{ 2, "\"sentinel.self\":\"true\",\"sentinel.schema\":\"3\"",
	    "another format (3, ours is 2)" },
	{ 2, "\"sentinel.self\":\"true\",\"sentinel.schema\":\"x\"",
	    "another format (unknown" },
	/* An agent has none. */
	{ 0, "\"sentinel.self\":\"true\",\"sentinel.schema\":\"3\"", NULL },
	{ 2, "\"sentinel.self\":\"false\"", "no label sentinel.self" },
	{ 2, "\"sentinel.schema\":\"2\"", "no label sentinel.self" },
};

static void
test_image(void **state)
{
	struct update_self	 us = who(A, "");
	struct json		*js;
	char			 text[512], why[512];
	size_t			 i;

	(void)state;
	us.us_what = "server";
	for (i = 0; i < nitems(images); i++) {
		us.us_schema = images[i].schema;
		snprintf(text, sizeof(text), "{\"Config\":{\"Labels\":{%s}}}",
		    images[i].labels);
		assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
		why[0] = '\0';
		if (self_refuses_image(&us, json_root(js), why, sizeof(why)) !=
		    (images[i].why != NULL) || (images[i].why != NULL &&
		    strstr(why, images[i].why) == NULL))
			fail_msg("%s: \"%s\"", images[i].labels, why);
		json_free(js);
	}
}

static void
test_proof(void **state)
{
	char	 text[SELF_PROOF_MAXBYTES];
	size_t	 len, i;

	(void)state;
	len = self_proof_text(text, A);
	assert_true(self_proof_is(text, len, A));
	assert_false(self_proof_is(text, len, B));
	for (i = 0; i < len; i++)
		assert_false(self_proof_is(text, i, A));
	text[len] = 'x';
	assert_false(self_proof_is(text, len + 1, A));
	for (i = 0; i < len; i++) {
		text[i] ^= 1;
		assert_false(self_proof_is(text, len, A));
		text[i] ^= 1;
	}
	/* An id that never was is no proof of anything. */
	len = self_proof_text(text, "");
	assert_false(self_proof_is(text, len, ""));
}

/* What could be turned against the host is in this body. */
static void
test_body(void **state)
{
	static const char	 old[] = "{\"Id\":\"" A "\",\"HostConfig\":{"
	    "\"Privileged\":true,\"CapAdd\":[\"SYS_ADMIN\"],\"NetworkMode\":"
	    "\"host\",\"SecurityOpt\":[\"label=disable\"],\"UsernsMode\":"
	    "\"host\",\"PortBindings\":{\"80/tcp\":[{}]}},\"Mounts\":["
	    DATA "]}";
	/* Only where the old one has nothing there would be a volume. */
	static const char	 image[] = "{\"Config\":{\"Volumes\":{"
	    "\"/data\":{},\"/new\":{}}}}";
	static const char	 want[] = "{\"Image\":\"sha256:1\",\"User\":"
	    "\"0:0\",\"Entrypoint\":[\"sentinel-agentd\",\"-P\",\"helper\"],"
	    "\"Cmd\":[\"-o\",\"what=agent\",\"-o\",\"data=/data\",\"-o\","
	    "\"state=/data/state\",\"-o\",\"socket=/var/run/docker.sock\","
	    "\"-o\",\"operation=op\\\"1\",\"-o\",\"name=a.sentinel-helper\","
	    "\"-o\",\"proof=120000\"],\"Labels\":{\"sentinel.self\":\"false\","
	    "\"sentinel.helper\":\"op\\\"1\"},\"Healthcheck\":{\"Test\":["
	    "\"NONE\"]},\"HostConfig\":{\"NetworkMode\":\"none\","
	    "\"VolumesFrom\":[\"" A "\"],\"Mounts\":[{\"Type\":\"tmpfs\","
	    "\"Target\":\"/new\"}],\"RestartPolicy\":{\"Name\":"
	    "\"unless-stopped\"},\"CapDrop\":[\"ALL\"],\"CapAdd\":["
	    "\"DAC_OVERRIDE\"],\"ReadonlyRootfs\":true,\"PidsLimit\":16,"
	    "\"SecurityOpt\":[\"label=disable\"],\"UsernsMode\":\"host\"}}";
	struct update_self	 us = who(A, "");
	struct self_helper	 sh = { .sh_id = "sha256:1",
		.sh_opid = "op\"1", .sh_name = "a.sentinel-helper" };
	struct json		*js, *im;
	char			*body;
	size_t			 len;

	(void)state;
	assert_non_null(js = json_parse(old, strlen(old), NULL, 0));
	assert_non_null(im = json_parse(image, strlen(image), NULL, 0));
	sh.sh_old = json_root(js);
	sh.sh_image = json_root(im);
	body = self_helper_body(&us, &sh, &len);
	assert_non_null(body);
	assert_int_equal(len, strlen(body));
	assert_string_equal(body, want);
	free(body);
	json_free(im);
	json_free(js);
}

/* On a host there is no container of ours to be found. */
static void
test_hint(void **state)
{
	struct updater	 up;

	(void)state;
	memset(&up, 0, sizeof(up));
	assert_string_equal(self_hint(&up, "sentinel-agent"), "");
	up.up_self = who("", "");
	assert_non_null(strstr(self_hint(&up, "sentinel-agent"),
	    "managed by the package manager"));
	assert_string_equal(self_hint(&up, "web"), "");
	up.up_self = who(A, "");
	assert_string_equal(self_hint(&up, "sentinel-agent"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_hint),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
