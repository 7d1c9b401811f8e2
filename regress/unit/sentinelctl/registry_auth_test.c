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

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registry_auth.h"

/* Credentials as people have them, and what is sent of them. */
static void
test_forms(void **state)
{
	static const struct { const char *text, *image, *want; } t[] = {
		/* {"username":"joe","password":"a:b"} */
		{ "joe:a:b\n", NULL,
		    "eyJ1c2VybmFtZSI6ImpvZSIsInBhc3N3b3JkIjoiYTpiIn0=" },
		/* {"username":"u","password":"p","serveraddress":"r:1"} */
		{ "{\"auths\":{\"r:1\":{\"auth\":\"dTpw\"}}}", NULL,
		    "eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAiLCJzZXJ2ZXJhZGRy"
		    "ZXNzIjoicjoxIn0=" },
		{ "{\"auths\":{\"x:1\":{\"auth\":\"eDp5\"},\"r:1\":"
		    "{\"username\":\"u\",\"password\":\"p\"}}}", "r:1/a/b:2",
		    "eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAiLCJzZXJ2ZXJhZGRy"
		    "ZXNzIjoicjoxIn0=" },
		/* {"identitytoken":"t","serveraddress":"https://r:1/v2/"} */
		{ "{\"auths\":{\"https://r:1/v2/\":{\"identitytoken\":"
		    "\"t\"}}}", "r:1/a",
		    "eyJpZGVudGl0eXRva2VuIjoidCIsInNlcnZlcmFkZHJlc3MiOiJodHRw"
		    "czovL3I6MS92Mi8ifQ==" },
	};
	char	 auth[REGISTRY_AUTH_SIZE], err[256];
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		assert_int_equal(registry_auth_make(t[i].text,
		    strlen(t[i].text), t[i].image, auth, err, sizeof(err)),
		    0);
		assert_string_equal(auth, t[i].want);
	}
}

/* Docker's own registry has many names, and images that name none. */
static void
test_hub(void **state)
{
	static const char	 text[] = "{\"auths\":{\"r:1\":{\"auth\":"
				    "\"eDp5\"},\"https://index.docker.io/v1/"
				    "\":{\"auth\":\"dTpw\"}}}";
	static const char *const images[] = { "nginx", "nginx:1", "me/app:2",
				    "docker.io/me/app", "local/app",
				    "l/app" };
	char	 auth[REGISTRY_AUTH_SIZE], err[256];
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(images); i++)
		assert_int_equal(registry_auth_make(text, sizeof(text) - 1,
		    images[i], auth, err, sizeof(err)), 0);
}

static void
test_refused(void **state)
{
	static const struct { const char *text, *image, *why; } t[] = {
		{ "", NULL, "want one line" },
		{ "joe", NULL, "want one line" },
		{ ":secret", NULL, "want one line" },
		{ "joe:a\njim:b\n", NULL, "want one line" },
		{ "{", NULL, "not JSON" },
		{ "{}", NULL, "none in \"auths\"" },
		{ "{\"auths\":[1]}", NULL, "none in \"auths\"" },
		{ "{\"auths\":{\"a:1\":{},\"b:1\":{}}}", NULL,
		    "say --image" },
		{ "{\"auths\":{\"a:1\":{\"auth\":\"dTpw\"}}}", "b:1/x",
		    "registry b:1" },
		{ "{\"auths\":{\"a:1\":{}}}", NULL, "helper" },
		{ "{\"auths\":{\"a:1\":{\"auth\":\"!!\"}}}", NULL,
		    "helper" },
		{ "{\"auths\":{\"localhost\":{}}}", "localhost/a",
		    "helper" },
		/* one line, whatever the file calls its entries */
		{ "{\"auths\":{\"a\\n\\u001b[2J\":{}}}", NULL,
		    "entry a\\n\\033[2J holds" },
	};
	char	 auth[REGISTRY_AUTH_SIZE], err[256];
	char	 big[REGISTRY_AUTH_SIZE];
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		assert_int_equal(registry_auth_make(t[i].text,
		    strlen(t[i].text), t[i].image, auth, err, sizeof(err)),
		    -1);
		assert_non_null(strstr(err, t[i].why));
	}
	memset(big, 'x', sizeof(big));
	big[1] = ':';
	assert_int_equal(registry_auth_make(big, sizeof(big), NULL, auth,
	    err, sizeof(err)), -1);
	assert_non_null(strstr(err, "too long"));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_hub),
		cmocka_unit_test(test_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
