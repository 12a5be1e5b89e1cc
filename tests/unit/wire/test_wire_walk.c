/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_wire_walk.c - raw bytes that are refused before anything is unpacked, and where they say. */
#include "wire_test.h"

#include <errno.h>

#include "wire/wire_walk.h"

#define EXECUTE (&nearfold__v1__execute_request__descriptor)

static void refused(const ProtobufCMessageDescriptor *type, const struct test_bytes *b,
		    const char *where, const char *text)
{
	struct nf_error err = {0};

	assert_int_equal(wire_walk(type, b->data, b->size, &err), -EINVAL);
	assert_int_equal(err.code, NF_INVALID_ARGUMENT);
	if (strcmp(err.where, where) != 0 || !strstr(err.text, text))
		fail_msg("'%s: %s', not '%s: ...%s...'", err.where, err.text, where, text);
	assert_null(wire_unpack(type, b->data, b->size, &err));
}

static void raw(const void *data, size_t size, const char *where, const char *text)
{
	struct test_bytes b = {.size = 0};

	test_put(&b, data, size);
	refused(EXECUTE, &b, where, text);
}

#define RAW(bytes, where, text) raw(bytes, sizeof(bytes) - 1, where, text)

static void test_malformed(void **state)
{
	(void)state;
	RAW("\x80", "ExecuteRequest", "key");                     /* cut short */
	RAW("\x02\x00", "ExecuteRequest", "key");                 /* field 0 */
	RAW("\xff\xff\xff\xff\x7f", "ExecuteRequest", "key");     /* above 32 bits */
	RAW("\xff\xff\xff\xff\xff\x01", "ExecuteRequest", "key"); /* too long */
	RAW("\x30", "threads", "cut short");
	RAW("\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", "threads", "64 bits");
	RAW("\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "threads", "64 bits");
	RAW("\x30\x80\x80\x80\x80\x10", "threads", "4294967296 does not fit");
	RAW("\x0a\x05"
	    "abcd",
	    "dataset", "5 bytes are announced, 4 are left");
	RAW("\x0a\xff\xff\xff\xff\x0f", "dataset", "are left");
	RAW("\x0a\x80\x80\x80\x80\x80\x01", "dataset", "overlong");
	RAW("\x0a", "dataset", "overlong");
	RAW("\x51\x01\x02\x03", "generation", "8 bytes are announced, 3 are left");
	RAW("\x0b\x0c", "dataset", "groups");
	RAW("\x0f\x00", "dataset", "wire type 7");
	RAW("\x08\x01", "dataset", "wire type 0 where this field has 2");
	RAW("\x32\x00", "threads", "wire type 2 where this field has 0");
	RAW("\x50\x01", "generation", "wire type 0 where this field has 1");
	RAW("\xa3\x06", "ExecuteRequest", "groups"); /* field 100 */
}

static void test_twice(void **state)
{
	(void)state;
	RAW("\x0a\x01"
	    "a\x0a\x01"
	    "b",
	    "dataset", "twice");
	RAW("\x30\x01\x30\x01", "threads", "twice");
	RAW("\x12\x01"
	    "a\x1a\x00",
	    "program", "oneof"); /* program_id and program */
	RAW("\x1a\x00\x1a\x00", "program", "twice");
}

static void test_text(void **state)
{
	static const char *const good[] = {"",
					   "plain",
					   "\xc3\xa9",
					   "\xe2\x82\xac",
					   "\xf0\x9f\x98\x80",
					   "\xef\xbf\xbf",
					   "\xf4\x8f\xbf\xbf",
					   "\xed\x9f\xbf"};
	static const struct {
		const char *text;
		size_t size;
	} bad[] = {
		{"a\0b", 3},
		{"\x80", 1},
		{"\xc3", 1},
		{"\xc0\xaf", 2},
		{"\xe0\x80\xaf", 3},
		{"\xed\xa0\x80", 3},
		{"\xf4\x90\x80\x80", 4},
		{"\xf8\x88\x80\x80", 4},
		{"\xe2\x82", 2},
		{"a\xffz", 3},
		{"\xf0\x8f\xbf\xbf", 4},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(wire_is_text((const uint8_t *)good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct test_bytes b = {.size = 0};

		assert_false(wire_is_text((const uint8_t *)bad[i].text, bad[i].size));
		test_put_bytes(&b, 1, bad[i].text, bad[i].size);
		refused(EXECUTE, &b, "dataset", "UTF-8");
	}
}

/* In a Program: a good function, then one whose third line has a broken text. */
static void test_path(void **state)
{
	struct test_bytes line = {.size = 0}, function = {.size = 0}, program = {.size = 0},
			  request = {.size = 0};

	(void)state;
	test_put_bytes(&line, 5, "\xff", 1);
	test_put_bytes(&function, 4, "", 0);
	test_put_bytes(&function, 2, "name", 4);
	test_put_bytes(&function, 4, "", 0);
	test_put_bytes(&function, 4, line.data, line.size);
	test_put_bytes(&program, 1, "", 0);
	test_put_bytes(&program, 1, function.data, function.size);
	test_put_bytes(&request, 1, "d", 1);
	test_put_bytes(&request, 3, program.data, program.size);
	refused(EXECUTE, &request, "program.functions[1].lines[2].text", "UTF-8");
}

static void test_counts(void **state)
{
	struct test_bytes function = {.size = 0}, program = {.size = 0};
	const ProtobufCMessageDescriptor *type = &nearfold__v1__program__descriptor;
	struct nf_error err;

	(void)state;
	for (int i = 0; i < PROGRAM_MAX_FUNCS; i++)
		test_put_bytes(&program, 1, "", 0);
	assert_int_equal(wire_walk(type, program.data, program.size, &err), 0);
	test_put_bytes(&program, 1, "", 0);
	refused(type, &program, "functions[64]", "more than 64 elements");

	/* The lines of all functions count together. */
	program.size = 0;
	for (int i = 0; i < PROGRAM_MAX_INSNS / 2; i++)
		test_put_bytes(&function, 4, "", 0);
	test_put_bytes(&program, 1, function.data, function.size);
	test_put_bytes(&program, 1, function.data, function.size);
	assert_int_equal(wire_walk(type, program.data, program.size, &err), 0);
	test_put_bytes(&program, 1, "\x22\x00", 2);
	refused(type, &program, "functions[2].lines[0]", "more than 4096 elements");

	program.size = 0;
	for (int i = 0; i < PROGRAM_MAX_FILES; i++)
		test_put_bytes(&program, 2, "", 0);
	assert_int_equal(wire_walk(type, program.data, program.size, &err), 0);
	test_put_bytes(&program, 2, "", 0);
	assert_int_equal(wire_walk(type, program.data, program.size, &err), -EINVAL);
}

static void test_unknown_fields(void **state)
{
	struct test_bytes b = {.size = 0};
	struct nf_error err;

	(void)state;
	/* From a newer peer: numbers, bytes, fixed ones. */
	test_put_number(&b, 1000, UINT64_MAX);
	test_put_bytes(&b, 1001, "\xff\0x", 3);
	test_put(&b,
		 "\xd1\x3e"
		 "12345678",
		 10);
	test_put(&b,
		 "\xd5\x3e"
		 "1234",
		 6);
	ProtobufCMessage *m = wire_unpack(EXECUTE, b.data, b.size, &err);
	assert_non_null(m);
	protobuf_c_message_free_unpacked(m, NULL);
	for (int i = 4; i < WALK_MAX_UNKNOWN_FIELDS; i++)
		test_put_number(&b, 1000, 1);
	assert_int_equal(wire_walk(EXECUTE, b.data, b.size, &err), 0);
	test_put_number(&b, 1000, 1);
	refused(EXECUTE, &b, "ExecuteRequest", "unknown fields");
}

/* Every repeated field of the schema has its limit, or no message with one would ever pass. */
static void check_limits(const ProtobufCMessageDescriptor *type)
{
	struct test_bytes b = {.size = 0};
	struct nf_error err;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];

		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			check_limits(f->descriptor);
		if (f->label != PROTOBUF_C_LABEL_REPEATED)
			continue;
		b.size = 0;
		test_put_bytes(&b, f->id, "", 0);
		if (wire_walk(type, b.data, b.size, &err))
			fail_msg("%s.%s: %s", type->name, f->name, err.text);
	}
}

static void test_every_field_has_a_limit(void **state)
{
	const ProtobufCServiceDescriptor *service = &nearfold__v1__nearfold__descriptor;

	(void)state;
	for (unsigned i = 0; i < service->n_methods; i++) {
		check_limits(service->methods[i].input);
		check_limits(service->methods[i].output);
	}
	check_limits(&nearfold__v1__error_detail__descriptor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_unknown_fields),
		cmocka_unit_test(test_every_field_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
