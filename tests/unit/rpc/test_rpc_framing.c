/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "rpc/rpc_framing.h"

static void test_prefix(void **state)
{
	static const uint32_t sizes[] = {0, 1, 255, 256, 65536, 1u << 30, UINT32_MAX};
	uint8_t prefix[RPC_PREFIX_BYTES], flag;
	uint32_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		rpc_prefix_put(prefix, sizes[i]);
		rpc_prefix_get(prefix, &flag, &size);
		assert_int_equal(flag, 0);
		assert_int_equal(size, sizes[i]);
	}
	rpc_prefix_get((const uint8_t[]){1, 0, 0, 1, 2}, &flag, &size);
	assert_int_equal(flag, 1);
	assert_int_equal(size, 258);
}

static void test_percent_encoding(void **state)
{
	static const struct {
		const char *plain, *encoded;
	} rows[] = {
		{"", ""},
		{"plain text, ~!", "plain text, ~!"},
		{"100%", "100%25"},
		{"a\nb\x7f", "a%0Ab%7F"},
		{"\xc3\xa9", "%C3%A9"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(rpc_percent_encode(rows[i].plain, buf, sizeof(buf)),
				 strlen(rows[i].encoded));
		assert_string_equal(buf, rows[i].encoded);
		rpc_percent_decode(rows[i].encoded, strlen(rows[i].encoded), buf, sizeof(buf));
		assert_string_equal(buf, rows[i].plain);
	}
}

static void test_percent_encoding_cuts_at_a_character(void **state)
{
	static const char text[] = "ab\xc3\xa9\xe2\x82\xac%";
	char whole[64], buf[64];

	(void)state;
	rpc_percent_encode(text, whole, sizeof(whole));
	for (size_t size = 1; size < sizeof(whole); size++) {
		size_t n = rpc_percent_encode(text, buf, size);

		assert_true(n < size);
		assert_int_equal(strlen(buf), n);
		assert_memory_equal(buf, whole, n);
		/* a, ab, ab + 2 bytes, + 3 bytes, + '%' */
		assert_true(n <= 2 || n == 8 || n == 17 || n == 20);
	}
	assert_int_equal(rpc_percent_encode(text, buf, 0), 0);
}

static void test_percent_decoding_is_lenient(void **state)
{
	static const struct {
		const char *encoded, *plain;
	} rows[] = {
		{"%", "%"},       {"%4", "%4"},   {"%zz", "%zz"},
		{"%41%4", "A%4"}, {"%00x", "?x"}, {"%c3%A9", "\xc3\xa9"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rpc_percent_decode(rows[i].encoded, strlen(rows[i].encoded), buf, sizeof(buf));
		assert_string_equal(buf, rows[i].plain);
	}
	assert_int_equal(rpc_percent_decode("abcdef", 6, buf, 4), 3);
	assert_string_equal(buf, "abc");
}

static void test_base64(void **state)
{
	static const struct {
		const char *plain, *encoded;
	} rows[] = {
		/* RFC 4648 section 10, without padding */
		{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
		{"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
	};
	char text[RPC_BASE64_CHARS(300)];
	uint8_t data[300], back[300];
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rpc_base64_encode((const uint8_t *)rows[i].plain, strlen(rows[i].plain), text);
		assert_string_equal(text, rows[i].encoded);
	}
	assert_true(rpc_base64_decode("Zg==", 4, back, &size));
	assert_int_equal(size, 1);
	assert_true(rpc_base64_decode("Zm8=", 4, back, &size));
	assert_int_equal(size, 2);
	srand(1);
	for (size_t n = 0; n <= sizeof(data); n++) {
		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)rand();
		rpc_base64_encode(data, n, text);
		assert_int_equal(strlen(text) + 1, RPC_BASE64_CHARS(n));
		assert_true(rpc_base64_decode(text, strlen(text), back, &size));
		assert_int_equal(size, n);
		assert_memory_equal(back, data, n);
	}
}

static void test_base64_malformed(void **state)
{
	static const char *const rows[] = {
		"Z",      "Zm9vY", "Zg=", "Z===",     "====", "Zm 9",
		"Zm9v\n", "Zh",    "Zm9", "Zg==Zg==", "_-_-",
	};
	uint8_t back[64];
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rpc_base64_decode(rows[i], strlen(rows[i]), back, &size))
			fail_msg("'%s' was taken", rows[i]);
	assert_false(rpc_base64_decode("Zm\0v", 4, back, &size));
}

static void test_timeout_parse(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{"1n", 1},
		{"0S", 0},
		{"99999999u", 99999999000},
		{"20m", 20000000},
		{"5S", 5000000000},
		{"2M", 120000000000},
		{"1H", 3600000000000},
		{"99999999H", UINT64_MAX},
		{"5000000H", 18000000000000000000u},
	};
	static const char *const bad[] = {"",           "1",   "S",   "1s",  "-1S", "1.5S",
					  "123456789S", " 1S", "1 S", "1SS", "+1S"};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(rpc_timeout_parse(rows[i].text, strlen(rows[i].text), &ns));
		assert_int_equal(ns, rows[i].ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(rpc_timeout_parse(bad[i], strlen(bad[i]), &ns));
}

static void test_timeout_round_trip(void **state)
{
	char text[RPC_TIMEOUT_CHARS];
	uint64_t back;

	(void)state;
	for (unsigned shift = 0; shift < 64; shift++)
		for (int d = -1; d <= 1; d++) {
			uint64_t ns = (1ull << shift) + (uint64_t)d;

			rpc_timeout_format(ns, text);
			assert_true(rpc_timeout_parse(text, strlen(text), &back));
			/* Never shorter, and at most 1/99999 longer: units are a factor of 1000
			 * apart. */
			assert_true(back >= ns);
			assert_true(back == UINT64_MAX || back - ns <= ns / 99999 + 1);
		}
}

static void test_content_type(void **state)
{
	static const char *const good[] = {"application/grpc", "application/grpc+proto",
					   "application/grpc;charset=utf-8"};
	static const char *const bad[] = {"", "application/grp", "application/grpc-web",
					  "text/html", "application/json"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(rpc_content_type_ok(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(rpc_content_type_ok(bad[i], strlen(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_percent_encoding),
		cmocka_unit_test(test_percent_encoding_cuts_at_a_character),
		cmocka_unit_test(test_percent_decoding_is_lenient),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_malformed),
		cmocka_unit_test(test_timeout_parse),
		cmocka_unit_test(test_timeout_round_trip),
		cmocka_unit_test(test_content_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
