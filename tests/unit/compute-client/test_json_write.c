/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "compute-client/json_write.h"

struct capture {
	struct json json;
	char *text;
	size_t size;
};

static struct json *begin(struct capture *c)
{
	*c = (struct capture){0};
	c->json.out = open_memstream(&c->text, &c->size);
	assert_non_null(c->json.out);
	return &c->json;
}

static void end(struct capture *c, const char *want)
{
	fclose(c->json.out);
	assert_string_equal(c->text, want);
	free(c->text);
}

static void test_commas_come_by_themselves(void **state)
{
	struct capture c;
	struct json *j = begin(&c);

	(void)state;
	json_open(j, '{');
	json_key(j, "a");
	json_open(j, '[');
	json_close(j, ']');
	json_key(j, "b");
	json_open(j, '[');
	json_unsigned(j, 1);
	json_open(j, '{');
	json_close(j, '}');
	json_bool(j, true);
	json_close(j, ']');
	json_close(j, '}');
	end(&c, "{\"a\": [], \"b\": [1, {}, true]}");
}

static void test_strings_are_escaped(void **state)
{
	struct capture c;

	(void)state;
	json_string(begin(&c), "q\" b\\ n\n r\r t\t \x01 \x7f");
	end(&c, "\"q\\\" b\\\\ n\\n r\\r t\\t \\u0001 \\u007f\"");
	json_string(begin(&c), "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\x85");
	end(&c, "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \\u0085\"");
}

static void test_what_is_no_utf8_is_replaced(void **state)
{
	struct capture c;

	(void)state;
	/* a lone byte, an overlong '/', a surrogate, above U+10FFFF, cut short at the end */
	json_string(begin(&c), "\xff");
	end(&c, "\"\xef\xbf\xbd\"");
	json_string(begin(&c), "\xc0\xaf");
	end(&c, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	json_string(begin(&c), "\xed\xa0\x80");
	end(&c, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	json_string(begin(&c), "\xf4\x90\x80\x80x");
	end(&c, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\"");
	json_string(begin(&c), "a\xe2\x82");
	end(&c, "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_integers_beyond_a_double_are_strings(void **state)
{
	struct capture c;
	struct json *j = begin(&c);

	(void)state;
	json_open(j, '[');
	json_number_text(j, "9007199254740992");
	json_number_text(j, "-9007199254740992");
	json_number_text(j, "9007199254740993");
	json_number_text(j, "-9007199254740993");
	json_number_text(j, "170141183460469231731687303715884105727");
	json_unsigned(j, UINT64_MAX);
	json_unsigned(j, 0);
	json_close(j, ']');
	end(&c, "[9007199254740992, -9007199254740992, \"9007199254740993\", "
		"\"-9007199254740993\", \"170141183460469231731687303715884105727\", "
		"\"18446744073709551615\", 0]");
}

static void test_decimals(void **state)
{
	struct capture c;
	struct json *j = begin(&c);

	(void)state;
	json_open(j, '[');
	json_number_text(j, "0.500000");
	json_number_text(j, "-12.000001");
	json_number_text(j, "9007199254.740992");
	json_number_text(j, "9007199254.740993");
	json_null(j);
	json_close(j, ']');
	end(&c, "[0.500000, -12.000001, 9007199254.740992, \"9007199254.740993\", null]");
}

static void test_doubles_read_back_the_same(void **state)
{
	static const double values[] = {0.1, 1.0 / 3, 1e300, 5e-324, -2.5, 123456789.123, 0};
	struct capture c;
	struct json *j;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char text[32];

		json_double_text(values[i], text);
		if (values[i] == 5e-324)
			assert_string_equal(text, "5e-324");
		assert_true(strtod(text, NULL) == values[i]);
	}
	j = begin(&c);
	json_open(j, '[');
	json_double(j, 0.1);
	json_double(j, INFINITY);
	json_double(j, NAN);
	json_close(j, ']');
	end(&c, "[0.1, \"inf\", \"nan\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commas_come_by_themselves),
		cmocka_unit_test(test_strings_are_escaped),
		cmocka_unit_test(test_what_is_no_utf8_is_replaced),
		cmocka_unit_test(test_integers_beyond_a_double_are_strings),
		cmocka_unit_test(test_decimals),
		cmocka_unit_test(test_doubles_read_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
