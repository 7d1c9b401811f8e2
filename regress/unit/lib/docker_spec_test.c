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
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "docker_spec.h"

#define ID	"aaaabbbbcccc" "0000000000000000000000000000" \
		"000000000000000000000000"

/* One case of the rules: parts of an inspect answer, the body that comes. */
struct spec_case {
	const char	*config;
	const char	*host;
	const char	*mounts;
	const char	*nets;
	unsigned int	 api;
	const char	*body;
	const char	*image;		/* Config of the old image */
};

static struct json *
inspect(const struct spec_case *sc)
{
	struct json	*js;
	char		 buf[8192];

	snprintf(buf, sizeof(buf), "{\"Id\":\"%s\",\"Config\":{%s},"
	    "\"HostConfig\":{%s},\"Mounts\":[%s],\"NetworkSettings\":"
	    "{\"Networks\":{%s}}}", ID, sc->config, sc->host,
	    sc->mounts == NULL ? "" : sc->mounts,
	    sc->nets == NULL ? "" : sc->nets);
	js = json_parse(buf, strlen(buf), NULL, 0);
	assert_non_null(js);
	return (js);
}

static int
build(struct docker_spec *sp, const struct spec_case *sc)
{
	struct json		*js = inspect(sc), *image = NULL;
	struct docker_spec_in	 si = { .si_container = json_root(js),
		.si_ref = "app:2", .si_api = sc->api == 0 ? 41 : sc->api };
	char			 err[256] = "", text[1024];
	int			 rc;

	if (sc->image != NULL) {
		snprintf(text, sizeof(text), "{\"Config\":{%s}}", sc->image);
		image = json_parse(text, strlen(text), NULL, 0);
		assert_non_null(image);
		si.si_image = json_root(image);
	}
	rc = docker_spec_build(sp, &si, err, sizeof(err));
	assert_int_equal(rc == -1, err[0] != '\0');
	json_free(image);
	json_free(js);
	return (rc);
}

static const struct spec_case cases[] = {
	/* what is not known passes as it was written */
	{ "\"Image\":\"app:1\",\"New\":{\"a\": 1.10e2}",
	    "\"NetworkMode\":\"none\",\"Memory\":18446744073709551615", NULL,
	    NULL, 0,
	    "{\"Image\":\"app:2\",\"New\":{\"a\": 1.10e2},\"HostConfig\":"
	    "{\"NetworkMode\":\"none\",\"Memory\":18446744073709551615,"
	    "\"Mounts\":[]}}", NULL },
	/* 5: the short id is no chosen host name */
	{ "\"Hostname\":\"aaaabbbbcccc\",\"Image\":\"x\"",
	    "\"NetworkMode\":\"none\"", NULL, NULL, 0,
	    "{\"Image\":\"app:2\",\"HostConfig\":{\"NetworkMode\":\"none\","
	    "\"Mounts\":[]}}", NULL },
	{ "\"Hostname\":\"aaaabbbbcccd\"", "\"NetworkMode\":\"none\"", NULL,
	    NULL, 0,
	    "{\"Hostname\":\"aaaabbbbcccd\",\"HostConfig\":{\"NetworkMode\":"
	    "\"none\",\"Mounts\":[]}}", NULL },
	/* 7: the network of another container leaves no room for these */
	{ "\"Hostname\":\"h\",\"Domainname\":\"d\",\"ExposedPorts\":{\"1/tcp\""
	    ":{}}", "\"NetworkMode\":\"container:x\",\"Dns\":[\"1.1.1.1\"],"
	    "\"ExtraHosts\":[\"a:b\"],\"PortBindings\":{},\"Links\":[\"/a:/b/c"
	    "\"],\"Init\":true", NULL, NULL, 0,
	    "{\"HostConfig\":{\"NetworkMode\":\"container:x\",\"Init\":true,"
	    "\"Mounts\":[]}}", NULL },
	/* 21: links */
	{ "", "\"NetworkMode\":\"none\",\"Links\":[\"/db:/web/database\"]",
	    NULL, NULL, 0,
	    "{\"HostConfig\":{\"NetworkMode\":\"none\",\"Links\":"
	    "[\"db:database\"],\"Mounts\":[]}}", NULL },
	/* 23: anonymous volumes keep their data */
	{ "\"Volumes\":{\"/data\":{}}", "\"NetworkMode\":\"none\",\"Binds\":"
	    "[\"named:/n:ro\",\"/srv:/s\",\"/anon\"],\"Mounts\":[{\"Type\":"
	    "\"volume\",\"Target\":\"/m\"},{\"Type\":\"tmpfs\",\"Target\":"
	    "\"/t\"}]",
	    "{\"Type\":\"volume\",\"Name\":\"named\",\"Destination\":\"/n\"},"
	    "{\"Type\":\"bind\",\"Source\":\"/srv\",\"Destination\":\"/s\"},"
	    "{\"Type\":\"volume\",\"Name\":\"v1\",\"Destination\":\"/anon\","
	    "\"RW\":true},"
	    "{\"Type\":\"volume\",\"Name\":\"v2\",\"Destination\":\"/m\","
	    "\"RW\":true},"
	    "{\"Type\":\"volume\",\"Name\":\"v3\",\"Destination\":\"/data\","
	    "\"RW\":false}", NULL, 0,
	    "{\"Volumes\":{\"/data\":{}},\"HostConfig\":{\"NetworkMode\":"
	    "\"none\",\"Binds\":[\"named:/n:ro\",\"/srv:/s\"],\"Mounts\":["
	    "{\"Type\":\"volume\",\"Target\":\"/m\",\"Source\":\"v2\"},"
	    "{\"Type\":\"tmpfs\",\"Target\":\"/t\"},"
	    "{\"Type\":\"volume\",\"Source\":\"v1\",\"Target\":\"/anon\","
	    "\"ReadOnly\":false},"
	    "{\"Type\":\"volume\",\"Source\":\"v3\",\"Target\":\"/data\","
	    "\"ReadOnly\":true}]}}", NULL },
	/* 26: "not set" is no value on cgroup v2 */
	{ "", "\"NetworkMode\":\"none\",\"MemorySwappiness\":-1", NULL, NULL, 0,
	    "{\"HostConfig\":{\"NetworkMode\":\"none\",\"Mounts\":[]}}", NULL },
	{ "", "\"NetworkMode\":\"none\",\"MemorySwappiness\":60", NULL, NULL, 0,
	    "{\"HostConfig\":{\"NetworkMode\":\"none\",\"MemorySwappiness\":60,"
	    "\"Mounts\":[]}}", NULL },
	/* 10 to 15: one endpoint, without what Docker made of it */
	{ "", "\"NetworkMode\":\"net2\"", NULL,
	    "\"net1\":{\"NetworkID\":\"n1\",\"IPAddress\":\"10.0.0.9\"},"
	    "\"net2\":{\"IPAMConfig\":{\"IPv4Address\":\"10.1.0.5\"},\"Links\":"
	    "null,\"Aliases\":[\"w\",\"aaaabbbbcccc\"],\"NetworkID\":\"n2\","
	    "\"EndpointID\":\"e\",\"Gateway\":\"10.1.0.1\",\"MacAddress\":"
	    "\"02:42:0a:01:00:05\",\"DriverOpts\":null}", 0,
	    "{\"HostConfig\":{\"NetworkMode\":\"net2\",\"Mounts\":[]},"
	    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"net2\":"
	    "{\"IPAMConfig\":{\"IPv4Address\":\"10.1.0.5\"},\"Aliases\":"
	    "[\"w\"]}}}}", NULL },
	{ "", "\"NetworkMode\":\"default\"", NULL,
	    "\"bridge\":{\"IPAMConfig\":null,\"Aliases\":null}", 0,
	    "{\"HostConfig\":{\"NetworkMode\":\"default\",\"Mounts\":[]},"
	    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"bridge\":{}}}}",
	    NULL },
	{ "", "\"NetworkMode\":\"host\"", NULL, "\"host\":{}", 0,
	    "{\"HostConfig\":{\"NetworkMode\":\"host\",\"Mounts\":[]}}", NULL },
	/* 18: the address of the hardware, in the place of the version */
	{ "\"MacAddress\":\"00:11:22:33:44:55\"", "\"NetworkMode\":\"n\"", NULL,
	    "\"n\":{}", 43,
	    "{\"MacAddress\":\"00:11:22:33:44:55\",\"HostConfig\":"
	    "{\"NetworkMode\":\"n\",\"Mounts\":[]},\"NetworkingConfig\":"
	    "{\"EndpointsConfig\":{\"n\":{}}}}", NULL },
	{ "\"MacAddress\":\"00:11:22:33:44:55\"", "\"NetworkMode\":\"n\"", NULL,
	    "\"n\":{}", 44,
	    "{\"HostConfig\":{\"NetworkMode\":\"n\",\"Mounts\":[]},"
	    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"MacAddress\":"
	    "\"00:11:22:33:44:55\"}}}}", NULL },
	{ "", "\"NetworkMode\":\"n\"", NULL,
	    "\"n\":{\"MacAddress\":\"02:42:0a:00:00:02\",\"IPAddress\":"
	    "\"10.0.0.2\"}", 47,
	    "{\"HostConfig\":{\"NetworkMode\":\"n\",\"Mounts\":[]},"
	    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{}}}}", NULL },
	/* 1 to 4: what came with the old image does not stay */
	{ "\"Env\":[\"A=1\",\"B=mine\",\"V=1\"],\"Labels\":{\"l\":\"1\",\"m\":"
	    "\"x\",\"n\":\"1\"},\"User\":\"app\",\"WorkingDir\":\"/mine\","
	    "\"Cmd\":[\"run\"],\"Entrypoint\":null,"
	    "\"Volumes\":{\"/v\":{},\"/w\":{}},"
	    "\"ExposedPorts\":{\"80/tcp\":{},\"81/tcp\":{}},\"Healthcheck\":"
	    "{\"Test\":[\"CMD\",\"x\"]},\"StopSignal\":\"SIGINT\"",
	    "\"NetworkMode\":\"none\"", NULL, NULL, 0,
	    "{\"Env\":[\"B=mine\"],\"Labels\":{\"m\":\"x\",\"n\":\"1\"},"
	    "\"WorkingDir\":\"/mine\",\"Volumes\":{\"/w\":{}},\"ExposedPorts\":"
	    "{\"81/tcp\":{}},\"StopSignal\":\"SIGINT\",\"HostConfig\":"
	    "{\"NetworkMode\":\"none\",\"Mounts\":[]}}",
	    "\"Env\":[\"V=1\",\"A=1\"],\"Labels\":{\"l\":\"1\",\"n\":\"2\"},"
	    "\"User\":\"app\",\"WorkingDir\":\"/\",\"Cmd\":[\"run\"],"
	    "\"Volumes\":{\"/v\":{}},\"ExposedPorts\":{\"80/tcp\":{}},"
	    "\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"]}" },
	/* 2: the user's entry point keeps an equal command */
	{ "\"Cmd\":[\"run\"],\"Entrypoint\":[\"/mine\"]",
	    "\"NetworkMode\":\"none\"", NULL, NULL, 0,
	    "{\"Cmd\":[\"run\"],\"Entrypoint\":[\"/mine\"],\"HostConfig\":"
	    "{\"NetworkMode\":\"none\",\"Mounts\":[]}}",
	    "\"Cmd\":[\"run\"],\"Entrypoint\":[\"/image\"]" },
	{ "\"Cmd\":[\"mine\"],\"Entrypoint\":[\"/image\"]",
	    "\"NetworkMode\":\"none\"", NULL, NULL, 0,
	    "{\"Cmd\":[\"mine\"],\"HostConfig\":"
	    "{\"NetworkMode\":\"none\",\"Mounts\":[]}}",
	    "\"Cmd\":[\"run\"],\"Entrypoint\":[\"/image\"]" },
	/* 29: an explicit "no health check" survives */
	{ "\"Healthcheck\":{\"Test\":[\"NONE\"]}", "\"NetworkMode\":\"none\"",
	    NULL, NULL, 0,
	    "{\"Healthcheck\":{\"Test\":[\"NONE\"]},\"HostConfig\":"
	    "{\"NetworkMode\":\"none\",\"Mounts\":[]}}",
	    "\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"]}" },
};

static void
test_rules(void **state)
{
	struct docker_spec	 sp;
	struct json		*js;
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(cases); i++) {
		assert_int_equal(build(&sp, &cases[i]), 0);
		assert_string_equal(sp.sp_body, cases[i].body);
		assert_int_equal(sp.sp_bodylen, strlen(sp.sp_body));
		assert_non_null(js = json_parse(sp.sp_body, sp.sp_bodylen,
		    NULL, 0));
		json_free(js);
		docker_spec_free(&sp);
	}
}

static void
test_networks(void **state)
{
	static const struct spec_case	 sc = { "", "\"NetworkMode\":\"m\"",
		NULL, "\"z\":{\"IPAMConfig\":{\"IPv6Address\":\"fd00::1\"}},"
		"\"m\":{\"GwPriority\":5},\"a\":{\"IPAMConfig\":{}}", 0, NULL,
		NULL };
	static const struct spec_case	 byid = { "",
		"\"NetworkMode\":\"0123456789abcdef\"", NULL,
		"\"b\":{},\"c\":{\"NetworkID\":\"0123456789abcdef00\"}", 0,
		NULL, NULL };
	struct docker_spec		 sp;
	char				*body;
	size_t				 len;

	(void)state;
	assert_int_equal(build(&sp, &sc), 0);
	assert_string_equal(sp.sp_primary, "m");
	assert_int_equal(sp.sp_nnets, 3);
	assert_string_equal(sp.sp_nets[0].nt_name, "m");
	assert_string_equal(sp.sp_nets[0].nt_config, "{\"GwPriority\":5}");
	assert_string_equal(sp.sp_nets[1].nt_name, "a");
	assert_string_equal(sp.sp_nets[1].nt_config, "{}");
	assert_string_equal(sp.sp_nets[2].nt_name, "z");
	assert_false(sp.sp_nets[0].nt_fixed);
	assert_false(sp.sp_nets[1].nt_fixed);
	assert_true(sp.sp_nets[2].nt_fixed);
	assert_non_null(body = docker_spec_connect("cid",
	    sp.sp_nets[2].nt_config, &len));
	assert_string_equal(body, "{\"Container\":\"cid\",\"EndpointConfig\":"
	    "{\"IPAMConfig\":{\"IPv6Address\":\"fd00::1\"}}}");
	free(body);
	docker_spec_free(&sp);

	assert_int_equal(build(&sp, &byid), 0);
	assert_string_equal(sp.sp_primary, "c");
	docker_spec_free(&sp);
}

static void
test_refused(void **state)
{
	struct spec_case	 sc = { "", "", NULL, NULL, 0, NULL, NULL };
	struct docker_spec	 sp;
	struct docker_spec_in	 si = { .si_ref = "a", .si_api = 41 };
	struct json		*js;
	char			 err[128], nets[2048] = "";
	int			 i;

	(void)state;
	js = json_parse("{\"Id\":\"x\",\"Config\":{},\"HostConfig\":{}}", 38,
	    NULL, 0);
	si.si_container = json_root(js);
	assert_int_equal(docker_spec_build(&sp, &si, err, sizeof(err)), -1);
	json_free(js);
	for (i = 0; i <= DOCKER_NETS_MAX; i++)
		snprintf(nets + strlen(nets), sizeof(nets) - strlen(nets),
		    "%s\"n%d\":{}", i > 0 ? "," : "", i);
	sc.nets = nets;
	assert_int_equal(build(&sp, &sc), -1);
}

/* Whatever Docker says, what comes out is JSON or a refusal. */
static void
test_mutations(void **state)
{
	struct json		*js, *out;
	struct docker_spec	 sp;
	struct docker_spec_in	 si = { .si_ref = "app:2", .si_api = 47 };
	char			 whole[4096], bad[4096], err[128];
	size_t			 i, len, ngood = 0;

	(void)state;
	js = inspect(&cases[5]);
	len = json_root(js)->jv_rawlen;
	assert_true(len < sizeof(whole));
	memcpy(whole, json_root(js)->jv_raw, len);
	json_free(js);
	for (i = 0; i < len * 8; i++) {
		memcpy(bad, whole, len);
		bad[i / 8] = (char)(bad[i / 8] ^ (1 << (i % 8)));
		if ((js = json_parse(bad, len, NULL, 0)) == NULL)
			continue;
		si.si_container = json_root(js);
		if (docker_spec_build(&sp, &si, err, sizeof(err)) == 0) {
			ngood++;
			out = json_parse(sp.sp_body, sp.sp_bodylen, NULL, 0);
			assert_non_null(out);
			json_free(out);
			docker_spec_free(&sp);
		}
		json_free(js);
	}
	assert_true(ngood > 100);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_mutations),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
