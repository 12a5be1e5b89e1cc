/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/scope.h"
#include "rpc/rpc_address.h"

static void test_good(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} rows[] = {
		{"127.0.0.1:0", "127.0.0.1", 0},
		{"localhost:7411", "localhost", 7411},
		{"[::1]:65535", "::1", 65535},
		{"[fe80::1%eth0]:1", "fe80::1%eth0", 1},
	};
	struct rpc_address a;
	struct nf_error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(rpc_address_parse(rows[i].text, &a, &err), 0);
		assert_false(a.is_unix);
		assert_string_equal(a.host, rows[i].host);
		assert_int_equal(a.port, rows[i].port);
	}
	assert_int_equal(rpc_address_parse("unix:/run/nearfold.sock", &a, &err), 0);
	assert_true(a.is_unix);
	assert_string_equal(a.path, "/run/nearfold.sock");
}

static void test_bad(void **state)
{
	static const char *const rows[] = {
		"",
		":",
		":7411",
		"localhost",
		"localhost:",
		"host:x",
		"host:65536",
		"host:-1",
		"host:+1",
		"host: 1",
		"::1:7411",
		"[::1]",
		"[::1:7411",
		"[]:7411",
		"[[::1]]:7411",
		"unix:",
		"unix:relative",
		"host:123456",
		"[::1]x:7411",
		"host:1 ",
		"http://host:1",
		"[http://host:1]:7411",
		"host/x:1",
		" host:1",
	};
	struct rpc_address a = {.port = 42};
	struct nf_error err;
	char text[600];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rpc_address_parse(rows[i], &a, &err) != -EINVAL)
			fail_msg("'%s' was taken", rows[i]);
		assert_int_equal(err.code, NF_INVALID_ARGUMENT);
		assert_string_equal(err.where, rows[i]);
		assert_non_null(strstr(err.text, "HOST:PORT"));
	}
	memset(text, 'a', sizeof(text));
	strcpy(text + 300, ":1");
	assert_int_equal(rpc_address_parse(text, &a, &err), -EINVAL);
	memcpy(text, "unix:/", 6);
	assert_int_equal(rpc_address_parse(text, &a, &err), -EINVAL);
	text[5 + 108] = '\0';
	assert_int_equal(rpc_address_parse(text, &a, &err), -EINVAL);
	assert_int_equal(a.port, 42);
	text[5 + 107] = '\0';
	assert_int_equal(rpc_address_parse(text, &a, &err), 0);
	assert_int_equal(strlen(a.path), 107);
}

static void test_resolve(void **state)
{
	struct rpc_address a;
	struct addrinfo *list;
	struct nf_error err;
	char text[128];

	(void)state;
	assert_int_equal(rpc_address_parse("127.0.0.1:7411", &a, &err), 0);
	assert_int_equal(rpc_address_resolve(&a, false, &list, &err), 0);
	rpc_address_format(list->ai_addr, list->ai_addrlen, text, sizeof(text));
	assert_string_equal(text, "127.0.0.1:7411");
	assert_true(rpc_address_is_loopback(list->ai_addr));
	freeaddrinfo(list);
	assert_int_equal(rpc_address_parse("[::1]:7411", &a, &err), 0);
	assert_int_equal(rpc_address_resolve(&a, false, &list, &err), 0);
	rpc_address_format(list->ai_addr, list->ai_addrlen, text, sizeof(text));
	assert_string_equal(text, "[::1]:7411");
	assert_true(rpc_address_is_loopback(list->ai_addr));
	freeaddrinfo(list);
	assert_int_equal(rpc_address_parse("no-such-host.invalid:1", &a, &err), 0);
	assert_int_equal(rpc_address_resolve(&a, false, &list, &err), -EAGAIN);
	assert_int_equal(err.code, NF_UNAVAILABLE);
	assert_string_equal(err.where, "no-such-host.invalid");
}

static void test_loopback(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	static const struct {
		const char *text;
		bool loopback;
	} rows[] = {
		{"127.0.0.1", true},
		{"127.255.0.9", true},
		{"128.0.0.1", false},
		{"0.0.0.0", false},
		{"::1", true},
		{"::", false},
		{"::ffff:127.0.0.1", true},
		{"::ffff:10.0.0.1", false},
		{"fe80::1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool is_6 = strchr(rows[i].text, ':');

		inet_pton(is_6 ? AF_INET6 : AF_INET, rows[i].text,
			  is_6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr);
		assert_int_equal(rpc_address_is_loopback(is_6 ? (struct sockaddr *)&in6
							      : (struct sockaddr *)&in),
				 rows[i].loopback);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
