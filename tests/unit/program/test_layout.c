/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* program_layout(): members of each type, their values as text and back. */
#include "program_fixture.h"

#include <bpf/btf.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "program/program_layout.h"

/* A program whose STATE is the type `id` of btf, which is freed. */
static struct program *program_of(struct btf *btf, int id, uint32_t state_bytes)
{
	static const struct bpf_insn code[] = {MOV_K(0, 0), EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "r", code),
					     FUNC(PROGRAM_COMBINE, "c", code)};
	struct program draft = {.n_funcs = 2,
				.funcs = funcs,
				.state_bytes = state_bytes,
				.state_type = (uint32_t)id};
	struct program *p = NULL;
	struct nf_error err = {0};

	assert_true(id > 0);
	draft.btf = btf__raw_data(btf, &draft.btf_bytes);
	if (program_create(&draft, &p, &err))
		fail_msg("%s: %s", err.where, err.text);
	btf__free(btf);
	return p;
}

#define AUTO_LAYOUT AUTO(layout_done) struct layout

static void expect_member(const struct layout *l, const char *name, const char *type_name,
			  enum layout_type type, uint32_t offset, uint32_t size)
{
	const struct layout_member *m = layout_find(l, name);

	if (!m)
		fail_msg("no member %s", name);
	assert_string_equal(m->type_name, type_name);
	assert_int_equal(m->type, type);
	assert_int_equal(m->offset_bytes, offset);
	assert_int_equal(m->size_bytes, size);
}

static void a_struct_of_everything(void **state)
{
	struct btf *btf = btf__new_empty();
	int u64_id = btf__add_int(btf, "unsigned long long", 8, 0);
	int u8_id = btf__add_int(btf, "unsigned char", 1, 0);
	int s32_id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int char_id = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	int bool_id = btf__add_int(btf, "_Bool", 1, BTF_INT_BOOL);
	int f64_id = btf__add_typedef(btf, "f64", btf__add_typedef(btf, "u64", u64_id));
	int f32_id = btf__add_float(btf, "float", 4);
	int text_id = btf__add_array(btf, u64_id, char_id, 6);
	int bytes_id = btf__add_array(btf, u64_id, u8_id, 2);
	int huge_id = btf__add_array(btf, u64_id, u8_id, 9000);
	int enum_id = btf__add_enum(btf, "colour", 4);
	btf__add_enum_value(btf, "RED", 1);
	int minus_id = btf__add_enum(btf, "minus", 4);
	btf__add_enum_value(btf, "NEGATIVE", -1);
	int ptr_id = btf__add_ptr(btf, 0);
	int inner_id = btf__add_struct(btf, "range", 8);
	btf__add_field(btf, "min", s32_id, 0, 0);
	btf__add_field(btf, "max", s32_id, 32, 0);
	int grid_id = btf__add_array(btf, u64_id, btf__add_array(btf, u64_id, inner_id, 2), 2);
	int union_id = btf__add_union(btf, "either", 8);
	btf__add_field(btf, "number", u64_id, 0, 0);
	btf__add_field(btf, "other", f64_id, 0, 0);
	int unnamed_id = btf__add_struct(btf, NULL, 8);
	btf__add_field(btf, "hidden", u64_id, 0, 0);
	int flexible_id = btf__add_array(btf, u64_id, u64_id, 0);
	const struct {
		const char *name;
		int type;
		uint32_t bytes;
	} fields[] = {{"count", u64_id, 8},   {"small", u8_id, 1},     {"text", text_id, 6},
		      {"ok", bool_id, 1},     {"delta", s32_id, 4},    {"ratio", f32_id, 4},
		      {"mean", f64_id, 8},    {"pair", bytes_id, 2},   {"huge", huge_id, 9000},
		      {"colour", enum_id, 4}, {"sign", minus_id, 4},   {"where", ptr_id, 8},
		      {"price", inner_id, 8}, {"grid", grid_id, 32},   {"one", union_id, 8},
		      {"", unnamed_id, 8},    {"tail", flexible_id, 0}};
	int id = btf__add_struct(btf, "state", 9200);
	AUTO_LAYOUT l = {0};
	uint32_t at[ARRAY_SIZE(fields)], offset = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		at[i] = offset;
		assert_int_equal(btf__add_field(btf, fields[i].name, fields[i].type, offset * 8, 0),
				 0);
		offset += fields[i].bytes;
	}
	AUTO_PROGRAM p = program_of(btf, btf__add_const(btf, btf__add_typedef(btf, "t", id)), 9200);
	assert_int_equal(program_layout(p, LAYOUT_OF_STATE, &l, NULL), 0);
	expect_member(&l, "count", "u64", LAYOUT_UNSIGNED, at[0], 8);
	expect_member(&l, "small", "u8", LAYOUT_UNSIGNED, at[1], 1);
	expect_member(&l, "text", "char[6]", LAYOUT_TEXT, at[2], 6);
	expect_member(&l, "ok", "bool", LAYOUT_BOOL, at[3], 1);
	expect_member(&l, "delta", "s32", LAYOUT_SIGNED, at[4], 4);
	expect_member(&l, "ratio", "f32", LAYOUT_FLOAT, at[5], 4);
	expect_member(&l, "mean", "f64", LAYOUT_FLOAT, at[6], 8);
	expect_member(&l, "pair[0]", "u8", LAYOUT_UNSIGNED, at[7], 1);
	expect_member(&l, "pair[1]", "u8", LAYOUT_UNSIGNED, at[7] + 1, 1);
	expect_member(&l, "huge", "array", LAYOUT_BYTES, at[8], 9000);
	expect_member(&l, "colour", "u32", LAYOUT_UNSIGNED, at[9], 4);
	expect_member(&l, "sign", "s32", LAYOUT_SIGNED, at[10], 4);
	expect_member(&l, "where", "pointer", LAYOUT_BYTES, at[11], 8);
	expect_member(&l, "price.min", "s32", LAYOUT_SIGNED, at[12], 4);
	expect_member(&l, "price.max", "s32", LAYOUT_SIGNED, at[12] + 4, 4);
	expect_member(&l, "grid[1][0].max", "s32", LAYOUT_SIGNED, at[13] + 20, 4);
	expect_member(&l, "one.number", "u64", LAYOUT_UNSIGNED, at[14], 8);
	assert_null(layout_find(&l, "one.other"));
	expect_member(&l, "hidden", "u64", LAYOUT_UNSIGNED, at[15], 8);
	assert_int_equal(l.n_members, 7 + 2 + 1 + 3 + 2 + 8 + 1 + 1);
}

static void wide_integers_and_averages(void **state)
{
	struct btf *btf = btf__new_empty();
	int u64_id = btf__add_int(btf, "unsigned long long", 8, 0);
	int u128_id = btf__add_struct(btf, "u128", 16);
	btf__add_field(btf, "lo", u64_id, 0, 0);
	btf__add_field(btf, "hi", u64_id, 64, 0);
	int unnamed_id = btf__add_struct(btf, NULL, 16);
	btf__add_field(btf, "lo", u64_id, 0, 0);
	btf__add_field(btf, "hi", u64_id, 64, 0);
	int s128_id = btf__add_typedef(btf, "s128", unnamed_id);
	int average_id = btf__add_struct(btf, "avg_s64", 24);
	btf__add_field(btf, "count", u64_id, 0, 0);
	btf__add_field(btf, "sum", s128_id, 64, 0);
	int id = btf__add_struct(btf, "state", 56);
	btf__add_field(btf, "u", u128_id, 0, 0);
	btf__add_field(btf, "s", s128_id, 128, 0);
	btf__add_field(btf, "size", average_id, 256, 0);
	AUTO_LAYOUT l = {0};

	(void)state;
	AUTO_PROGRAM p = program_of(btf, id, 56);
	assert_int_equal(program_layout(p, LAYOUT_OF_STATE, &l, NULL), 0);
	assert_int_equal(l.n_members, 5);
	expect_member(&l, "u", "u128", LAYOUT_UNSIGNED, 0, 16);
	expect_member(&l, "s", "s128", LAYOUT_SIGNED, 16, 16);
	expect_member(&l, "size.count", "u64", LAYOUT_UNSIGNED, 32, 8);
	expect_member(&l, "size.sum", "s128", LAYOUT_SIGNED, 40, 16);
	expect_member(&l, "size.avg", "average", LAYOUT_AVERAGE_SIGNED, 32, 24);
}

static void a_type_that_is_no_struct_is_called_value(void **state)
{
	struct btf *btf = btf__new_empty();
	int u64_id = btf__add_int(btf, "unsigned long long", 8, 0);
	AUTO_LAYOUT l = {0};

	(void)state;
	AUTO_PROGRAM p = program_of(btf, btf__add_array(btf, u64_id, u64_id, 2), 16);
	assert_int_equal(program_layout(p, LAYOUT_OF_STATE, &l, NULL), 0);
	assert_int_equal(l.n_members, 2);
	expect_member(&l, "value[1]", "u64", LAYOUT_UNSIGNED, 8, 8);
}

static void without_types_it_is_bytes(void **state)
{
	static const struct bpf_insn code[] = {MOV_K(0, 0), EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "r", code),
					     FUNC(PROGRAM_COMBINE, "c", code)};
	struct program draft = {.n_funcs = 2, .funcs = funcs, .state_bytes = 3};
	AUTO_PROGRAM p = NULL;
	AUTO_LAYOUT l = {0};
	AUTO_LAYOUT none = {0};
	char text[20];

	(void)state;
	assert_int_equal(program_create(&draft, &p, NULL), 0);
	assert_int_equal(program_layout(p, LAYOUT_OF_STATE, &l, NULL), 0);
	assert_int_equal(l.n_members, 1);
	expect_member(&l, "state", "bytes", LAYOUT_BYTES, 0, 3);
	layout_format(&l.members[0], (const uint8_t *)"\x01\xab\x00", text, sizeof(text));
	assert_string_equal(text, "01ab00");
	assert_int_equal(program_layout(p, LAYOUT_OF_KEY, &none, NULL), 0);
	assert_int_equal(none.n_members, 0);
}

/* ---- types that lie
 * ------------------------------------------------------------------------------ */

static void expect_bad(struct btf *btf, int id, uint32_t bytes, const char *text)
{
	AUTO_PROGRAM p = program_of(btf, id, bytes);
	AUTO_LAYOUT l = {0};
	struct nf_error err = {0};

	assert_int_equal(program_layout(p, LAYOUT_OF_STATE, &l, &err), -EINVAL);
	assert_int_equal(l.n_members, 0);
	if (!strstr(err.text, text))
		fail_msg("wanted '%s', got '%s: %s'", text, err.where, err.text);
}

static void members_outside_of_their_struct(void **state)
{
	struct btf *btf = btf__new_empty();
	int u64_id = btf__add_int(btf, "u", 8, 0);
	int id = btf__add_struct(btf, "state", 8);

	(void)state;
	btf__add_field(btf, "far", u64_id, 64, 0);
	expect_bad(btf, id, 8, "outside");
}

static void structs_that_hold_themselves(void **state)
{
	struct btf *btf = btf__new_empty();
	int id = btf__add_struct(btf, "state", 8);

	(void)state;
	btf__add_field(btf, "again", id, 0, 0);
	expect_bad(btf, id, 8, "nested deeper");
}

static void arrays_of_nothing_without_end(void **state)
{
	struct btf *btf = btf__new_empty();
	int u64_id = btf__add_int(btf, "u", 8, 0);
	int empty = btf__add_struct(btf, "empty", 0);
	int id = btf__add_struct(btf, "state", 8);

	(void)state;
	/* Each level says 8 bytes and has 8000 empty elements of the one below. */
	btf__add_field(btf, "x", u64_id, 0, 0);
	int level = empty;
	for (int i = 0; i < 3; i++) {
		int fields = btf__add_struct(btf, "level", 1);

		for (int k = 0; k < 200; k++) {
			char name[16];

			snprintf(name, sizeof(name), "m%d", k);
			btf__add_field(btf, name, level, 0, 0);
		}
		level = fields;
	}
	int top = btf__add_struct(btf, "top", 8);
	btf__add_field(btf, "l", level, 0, 0);
	(void)id;
	expect_bad(btf, top, 8, "too many parts");
}

static void bit_fields_of_floats(void **state)
{
	struct btf *btf = btf__new_empty();
	int f64_id = btf__add_float(btf, "double", 8);
	int id = btf__add_struct(btf, "state", 8);

	(void)state;
	btf__add_field(btf, "x", f64_id, 0, 3);
	expect_bad(btf, id, 8, "bit-field");
}

static void names_that_are_none(void **state)
{
	struct btf *btf = btf__new_empty();
	int u64_id = btf__add_int(btf, "u", 8, 0);
	int id = btf__add_struct(btf, "state", 8);

	(void)state;
	btf__add_field(btf, "a\033[2J", u64_id, 0, 0);
	expect_bad(btf, id, 8, "not an identifier");
}

/* ---- values
 * ---------------------------------------------------------------------------------------- */

static const struct value {
	const char *text;
	enum layout_type type;
	uint32_t size;
	uint8_t bit_offset, bit_size;
	const char *bytes; /* what it is in memory */
	bool one_way;      /* another text parses to the same bytes, or none does */
} values[] = {
	{"0", LAYOUT_UNSIGNED, 1, 0, 0, "\0", 0},
	{"255", LAYOUT_UNSIGNED, 1, 0, 0, "\xff", 0},
	{"-1", LAYOUT_SIGNED, 1, 0, 0, "\xff", 0},
	{"-128", LAYOUT_SIGNED, 1, 0, 0, "\x80", 0},
	{"258", LAYOUT_UNSIGNED, 2, 0, 0, "\2\1", 0},
	{"-2147483648", LAYOUT_SIGNED, 4, 0, 0, "\0\0\0\x80", 0},
	{"18446744073709551615", LAYOUT_UNSIGNED, 8, 0, 0, "\xff\xff\xff\xff\xff\xff\xff\xff", 0},
	{"-9223372036854775808", LAYOUT_SIGNED, 8, 0, 0, "\0\0\0\0\0\0\0\x80", 0},
	{"340282366920938463463374607431768211455", LAYOUT_UNSIGNED, 16, 0, 0,
	 "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 0},
	{"-170141183460469231731687303715884105728", LAYOUT_SIGNED, 16, 0, 0,
	 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80", 0},
	{"18446744073709551616", LAYOUT_SIGNED, 16, 0, 0, "\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 0},
	{"5", LAYOUT_UNSIGNED, 1, 2, 3, "\x14", 0},
	{"-3", LAYOUT_SIGNED, 1, 2, 3, "\x14", 0},
	{"18446744073709551615", LAYOUT_UNSIGNED, 9, 7, 64, "\x80\xff\xff\xff\xff\xff\xff\xff\x7f",
	 0},
	{"true", LAYOUT_BOOL, 1, 0, 0, "\1", 0},
	{"false", LAYOUT_BOOL, 1, 0, 0, "\0", 0},
	{"true", LAYOUT_BOOL, 1, 0, 0, "\x80", 1},
	{"0.1", LAYOUT_FLOAT, 8, 0, 0, "\x9a\x99\x99\x99\x99\x99\xb9\x3f", 0},
	{"0.30000000000000004", LAYOUT_FLOAT, 8, 0, 0, "\x34\x33\x33\x33\x33\x33\xd3\x3f", 0},
	{"3", LAYOUT_FLOAT, 8, 0, 0, "\0\0\0\0\0\0\x08\x40", 0},
	{"-inf", LAYOUT_FLOAT, 8, 0, 0, "\0\0\0\0\0\0\xf0\xff", 0},
	{"nan", LAYOUT_FLOAT, 8, 0, 0, "\0\0\0\0\0\0\xf8\x7f", 0},
	{"nan", LAYOUT_FLOAT, 8, 0, 0, "\1\0\0\0\0\0\xf8\xff", 1},
	{"5e-324", LAYOUT_FLOAT, 8, 0, 0, "\1\0\0\0\0\0\0\0", 0},
	{"1e-45", LAYOUT_FLOAT, 4, 0, 0, "\1\0\0\0", 0},
	{"1e-300", LAYOUT_FLOAT, 8, 0, 0, "\x59\xf3\xf8\xc2\x1f\x6e\xa5\x01", 0},
	{"0.1", LAYOUT_FLOAT, 4, 0, 0, "\xcd\xcc\xcc\x3d", 0},
	{"abc", LAYOUT_TEXT, 6, 0, 0, "abc\0\0\0", 0},
	{"abcdef", LAYOUT_TEXT, 6, 0, 0, "abcdef", 0},
	{"abc", LAYOUT_TEXT, 6, 0, 0, "abc\0zz", 1},
	{"\xc3\xa4\tz", LAYOUT_TEXT, 6, 0, 0, "\xc3\xa4\tz\0\0", 0},
	{"a\xef\xbf\xbd"
	 "b",
	 LAYOUT_TEXT, 3, 0, 0,
	 "a\xff"
	 "b",
	 1},
	{"a\xef\xbf\xbd", LAYOUT_TEXT, 2, 0, 0, "a\xc3", 1},
	{"\xef\xbf\xbd[2J", LAYOUT_TEXT, 4, 0, 0, "\033[2J", 1},
	{"00ff10", LAYOUT_BYTES, 3, 0, 0, "\0\xff\x10", 0},
	{"null", LAYOUT_AVERAGE_UNSIGNED, 24, 0, 0,
	 "\0\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 1},
	{"2.500000", LAYOUT_AVERAGE_UNSIGNED, 24, 0, 0,
	 "\2\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 1},
	{"0.333333", LAYOUT_AVERAGE_UNSIGNED, 24, 0, 0,
	 "\3\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 1},
	{"0.666667", LAYOUT_AVERAGE_SIGNED, 24, 0, 0,
	 "\3\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 1},
	{"-0.666667", LAYOUT_AVERAGE_SIGNED, 24, 0, 0,
	 "\3\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1},
	/* 1 / 2000000 is half a millionth: away from zero. */
	{"0.000001", LAYOUT_AVERAGE_SIGNED, 24, 0, 0,
	 "\x80\x84\x1e\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 1},
	{"-0.000001", LAYOUT_AVERAGE_SIGNED, 24, 0, 0,
	 "\x80\x84\x1e\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	 1},
	/* -1 / 2^32 rounds to zero, which has no sign. */
	{"0.000000", LAYOUT_AVERAGE_SIGNED, 24, 0, 0,
	 "\0\0\0\0\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1},
	/* (2^64 - 2) / (2^64 - 1) carries into the whole part. */
	{"1.000000", LAYOUT_AVERAGE_UNSIGNED, 24, 0, 0,
	 "\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 1},
	{"170141183460469231731687303715884105728.000000", LAYOUT_AVERAGE_UNSIGNED, 24, 0, 0,
	 "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80", 1},
};

static struct layout_member member_of(const struct value *v)
{
	return (struct layout_member){.name = (char *)"m",
				      .type_name = (char *)"type",
				      .type = v->type,
				      .offset_bytes = 2,
				      .size_bytes = v->size,
				      .bit_offset = v->bit_offset,
				      .bit_size = v->bit_size};
}

static void values_print_and_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const struct value *v = &values[i];
		struct layout_member m = member_of(v);
		uint8_t bytes[32], back[32] = {0};
		char text[64];
		struct nf_error err = {0};

		memset(bytes, 0xa5, sizeof(bytes));
		memcpy(bytes + 2, v->bytes, v->size);
		assert_int_equal(layout_format(&m, bytes, text, sizeof(text)), strlen(v->text));
		assert_string_equal(text, v->text);
		if (v->one_way)
			continue;
		if (layout_parse(&m, v->text, back, &err))
			fail_msg("%s: %s", v->text, err.text);
		assert_memory_equal(back + 2, v->bytes, v->size);
		assert_int_equal(back[1] | back[2 + v->size], 0);
	}
}

static void a_short_buffer_gets_what_fits(void **state)
{
	const struct value v = {"255", LAYOUT_UNSIGNED, 1, 0, 0, "", 0};
	struct layout_member m = member_of(&v);
	const uint8_t bytes[3] = {0, 0, 255};
	char text[3] = "zz";

	(void)state;
	assert_int_equal(layout_format(&m, bytes, text, sizeof(text)), 3);
	assert_string_equal(text, "25");
	assert_int_equal(layout_format(&m, bytes, NULL, 0), 3);
}

/* Setting one bit-field leaves its neighbours alone. */
static void bit_fields_keep_their_neighbours(void **state)
{
	const struct value v = {"", LAYOUT_UNSIGNED, 2, 6, 5, "", 0};
	struct layout_member m = member_of(&v);
	uint8_t bytes[4] = {0, 0, 0xff, 0xff};

	(void)state;
	assert_int_equal(layout_parse(&m, "0", bytes, NULL), 0);
	assert_int_equal(bytes[2], 0x3f);
	assert_int_equal(bytes[3], 0xf8);
}

static void what_does_not_parse_changes_nothing(void **state)
{
	static const struct {
		const char *text;
		enum layout_type type;
		uint32_t size;
		const char *reason;
	} bad[] = {
		{"", LAYOUT_UNSIGNED, 4, "no number"},
		{"-", LAYOUT_SIGNED, 4, "no number"},
		{"12a", LAYOUT_UNSIGNED, 4, "no number"},
		{"0x", LAYOUT_UNSIGNED, 4, "no number"},
		{"256", LAYOUT_UNSIGNED, 1, "between 0 and 255"},
		{"-1", LAYOUT_UNSIGNED, 1, "between 0 and 255"},
		{"128", LAYOUT_SIGNED, 1, "between -128 and 127"},
		{"-129", LAYOUT_SIGNED, 1, "between -128 and 127"},
		{"0x100", LAYOUT_UNSIGNED, 1, "between 0 and 255"},
		{"99999999999999999999999999999999999999999", LAYOUT_UNSIGNED, 16, "does not fit"},
		{"340282366920938463463374607431768211456", LAYOUT_UNSIGNED, 16, "does not fit"},
		{"1.5x", LAYOUT_FLOAT, 8, "no number"},
		{" 1.5", LAYOUT_FLOAT, 8, "no number"},
		{"", LAYOUT_FLOAT, 8, "no number"},
		{"yes", LAYOUT_BOOL, 1, "true or false"},
		{"abcde", LAYOUT_TEXT, 4, "has 5 bytes; 4 fit"},
		{"abc", LAYOUT_BYTES, 2, "4 hexadecimal digits"},
		{"abcg", LAYOUT_BYTES, 2, "4 hexadecimal digits"},
		{"1", LAYOUT_AVERAGE_SIGNED, 24, "computed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct layout_member m = {.name = (char *)"m",
					  .type_name = (char *)"t",
					  .type = bad[i].type,
					  .size_bytes = bad[i].size};
		uint8_t bytes[24], before[24];
		struct nf_error err = {0};

		memset(bytes, 0x5a, sizeof(bytes));
		memset(before, 0x5a, sizeof(before));
		assert_int_equal(layout_parse(&m, bad[i].text, bytes, &err), -EINVAL);
		assert_memory_equal(bytes, before, sizeof(bytes));
		if (!strstr(err.text, bad[i].reason))
			fail_msg("'%s': wanted '%s', got '%s'", bad[i].text, bad[i].reason,
				 err.text);
	}
}

/* Few machines have one with a decimal comma installed: made here, in a folder of ours. */
static bool comma_locale(void)
{
	char folder[] = "/tmp/nearfold-locale.XXXXXX", command[160];
	bool found;

	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof(command),
		 "localedef -f UTF-8 -i de_DE %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
	found = system(command) == 0 && setenv("LOCPATH", folder, 1) == 0 &&
		setlocale(LC_ALL, "de_DE.UTF-8");
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	return found;
}

/* A process with a decimal comma prints and reads points. */
static void the_locale_does_not_matter(void **state)
{
	const struct value v = {"", LAYOUT_FLOAT, 8, 0, 0, "", 0};
	struct layout_member m = member_of(&v);
	uint8_t bytes[10];
	char text[64];

	(void)state;
	if (!comma_locale()) {
		printf("SKIP: localedef makes no locale with a decimal comma (package locales)\n");
		skip();
	}
	snprintf(text, sizeof(text), "%.1f", 1.5);
	assert_string_equal(text, "1,5");
	assert_int_equal(layout_parse(&m, "1.5", bytes, NULL), 0);
	layout_format(&m, bytes, text, sizeof(text));
	setlocale(LC_ALL, "C");
	assert_string_equal(text, "1.5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_struct_of_everything),
		cmocka_unit_test(wide_integers_and_averages),
		cmocka_unit_test(a_type_that_is_no_struct_is_called_value),
		cmocka_unit_test(without_types_it_is_bytes),
		cmocka_unit_test(members_outside_of_their_struct),
		cmocka_unit_test(structs_that_hold_themselves),
		cmocka_unit_test(arrays_of_nothing_without_end),
		cmocka_unit_test(bit_fields_of_floats),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(values_print_and_parse),
		cmocka_unit_test(a_short_buffer_gets_what_fits),
		cmocka_unit_test(bit_fields_keep_their_neighbours),
		cmocka_unit_test(what_does_not_parse_changes_nothing),
		cmocka_unit_test(the_locale_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
