/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* program_create(): a good draft passes; each rule of program.h refuses a draft that breaks it. */
#include "program_fixture.h"

#include <bpf/btf.h>

/* A draft with one of everything; each test breaks one thing of its own copy. */
struct good {
	struct bpf_insn filter[4], key[3], reduce[6], combine[2], sub[2];
	struct program_line lines[2];
	struct program_func funcs[5];
	const char *files[1];
	uint8_t rodata[8], init[8];
	struct program draft;
};

enum { F_FILTER, F_KEY, F_REDUCE, F_COMBINE, F_SUB };

/* Heap: a test that breaks a count must not read beyond the arrays (address sanitizer looks). */
static struct good *good_new(void)
{
	struct good *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	*g = (struct good){
		.filter = {LD64(0, 0, 1, 0), JA(0), EXIT()},
		.key = {MOV_K(0, 0), JEQ_K(0, 1, -2), EXIT()},
		.reduce = {LD64(1, PROGRAM_PSEUDO_RODATA, 4, 0), CALL_SUB(F_SUB),
			   CALL_HELPER(0x10000), MOV_K(0, 0), EXIT()},
		.combine = {MOV_K(0, 0), EXIT()},
		.sub = {MOV_K(0, 0), EXIT()},
		.lines = {{0, 7, 3, 0, "int x;"}, {2, 8, 0, 0, "\treturn x; // \xc3\xa4"}},
		.files = {"sum.bpf.c"},
	};
	const struct program_func funcs[] = {
		FUNC(PROGRAM_FILTER, "keep", g->filter), FUNC(PROGRAM_KEY, "key_of", g->key),
		FUNC(PROGRAM_REDUCE, "sum", g->reduce),  FUNC(PROGRAM_COMBINE, "merge", g->combine),
		FUNC(PROGRAM_SUB, "helper_1", g->sub),
	};
	memcpy(g->funcs, funcs, sizeof(funcs));
	g->funcs[F_REDUCE].lines = g->lines;
	g->funcs[F_REDUCE].n_lines = 2;
	g->draft = (struct program){.n_funcs = 5,
				    .n_files = 1,
				    .funcs = g->funcs,
				    .files = g->files,
				    .record_bytes = 24,
				    .params_bytes = 8,
				    .key_bytes = 4,
				    .state_bytes = 8,
				    .rodata_bytes = 8,
				    .rodata = g->rodata,
				    .init_state = g->init};
	return g;
}

static void a_good_draft_is_copied(void **state)
{
	AUTO_FREE struct good *g = good_new();
	AUTO_PROGRAM p = NULL;
	char where[200];

	(void)state;
	g->init[3] = 77;
	assert_int_equal(program_create(&g->draft, &p, NULL), 0);
	memset(g, 0xff, sizeof(*g));
	assert_int_equal(p->n_funcs, 5);
	assert_string_equal(program_entry(p, PROGRAM_REDUCE, NULL)->name, "sum");
	assert_string_equal(p->files[0], "sum.bpf.c");
	assert_int_equal(p->init_state[3], 77);
	assert_string_equal(program_where(p, F_REDUCE, 1, where, sizeof(where)),
			    "sum.bpf.c:7 in reduce 'sum' (instruction 1)");
	assert_int_equal(program_line_at(p, F_REDUCE, 5)->line, 8);
	assert_string_equal(program_where(p, F_SUB, 1, where, sizeof(where)),
			    "sub 'helper_1' (instruction 1)");
	assert_null(program_line_at(p, F_SUB, 0));
	program_unref(program_ref(p));
	assert_string_equal(p->funcs[F_SUB].name, "helper_1");
}

static void expect_refused(const struct good *g, const char *where, const char *text)
{
	AUTO_PROGRAM p = NULL;
	struct nf_error err = {0};

	assert_int_equal(program_create(&g->draft, &p, &err), -EINVAL);
	assert_null(p);
	assert_int_equal(err.code, NF_INVALID_ARGUMENT);
	if (!strstr(err.where, where) || !strstr(err.text, text))
		fail_msg("wanted '%s: %s', got '%s: %s'", where, text, err.where, err.text);
}

/* A test per rule: NAME, what it breaks, what the message must say. */
#define REFUSED(name, breakage, where, text)           \
	static void name(void **state)                 \
	{                                              \
		AUTO_FREE struct good *g = good_new(); \
                                                       \
		(void)state;                           \
		breakage;                              \
		expect_refused(g, where, text);        \
	}

static char long_name[PROGRAM_MAX_NAME_BYTES + 2];

/* Counts and sizes. */
REFUSED(too_few_functions, g->draft.n_funcs = 1, "n_funcs", "between 2 and 64")
REFUSED(too_many_functions, g->draft.n_funcs = 65, "n_funcs", "is 65")
REFUSED(too_many_files, g->draft.n_files = 65, "n_files", "is 65")
REFUSED(no_functions_pointer, g->draft.funcs = NULL, "funcs", "missing")
REFUSED(no_state, g->draft.state_bytes = 0, "state_bytes", "is 0")
REFUSED(large_state, g->draft.state_bytes = 65537, "state_bytes", "65537")
REFUSED(large_group_state, g->draft.state_bytes = 4097, "state_bytes", "with a key function")
REFUSED(large_key, g->draft.key_bytes = 65, "key_bytes", "is 65")
REFUSED(large_params, g->draft.params_bytes = 65537, "params_bytes", "65537")
REFUSED(large_record, g->draft.record_bytes = (1 << 20) + 1, "record_bytes", "1048577")
REFUSED(large_rodata, g->draft.rodata_bytes = (256 << 10) + 1, "rodata_bytes", "262145")
REFUSED(large_btf, g->draft.btf_bytes = (512 << 10) + 1, "btf_bytes", "524289")
REFUSED(no_rodata_pointer, g->draft.rodata = NULL, "rodata", "missing")
REFUSED(no_btf_pointer, g->draft.btf_bytes = 24, "btf", "missing")

/* Kinds. */
REFUSED(two_of_a_kind, g->funcs[F_FILTER].kind = PROGRAM_REDUCE, "sum", "second reduce")
REFUSED(kind_that_is_none, g->funcs[F_SUB].kind = (enum program_kind)5, "helper_1", "kind 5")
REFUSED(no_reduce, g->funcs[F_REDUCE].kind = PROGRAM_SUB, "funcs", "no reduce")
REFUSED(no_combine, g->funcs[F_COMBINE].kind = PROGRAM_SUB, "funcs", "no combine")
REFUSED(key_bytes_without_key, g->funcs[F_KEY].kind = PROGRAM_SUB, "key_bytes", "no key function")
REFUSED(key_without_key_bytes, g->draft.key_bytes = 0, "key_bytes", "there is a key function")

/* Names and lines. */
REFUSED(name_with_a_dot, g->funcs[F_SUB].name = "f.1", "function 4", "identifier")
REFUSED(name_that_begins_with_a_digit, g->funcs[F_SUB].name = "1f", "function 4", "identifier")
REFUSED(empty_name, g->funcs[F_SUB].name = "", "function 4", "identifier")
REFUSED(no_name, g->funcs[F_SUB].name = NULL, "function 4", "identifier")
REFUSED(long_function_name,
	(memset(long_name, 'a', sizeof(long_name) - 1), g->funcs[F_SUB].name = long_name),
	"function 4", "at most 255")
REFUSED(file_with_an_escape, g->files[0] = "\033[2J.c", "files", "printable")
REFUSED(file_that_is_no_utf8, g->files[0] = "\xc3(", "files", "printable")
REFUSED(line_out_of_order, g->lines[1].insn = 0, "sum", "row 1")
REFUSED(line_out_of_range, g->lines[1].insn = 6, "sum", "names instruction 6")
REFUSED(line_of_no_file, g->lines[1].file = 1, "sum", "file 1 of 1")
REFUSED(line_zero, g->lines[0].line = 0, "sum", "line 0")
REFUSED(line_text_with_newline, g->lines[0].text = "a\nb", "sum", "printable")
REFUSED(overlong_utf8, g->lines[0].text = "\xc0\x80", "sum", "printable")
REFUSED(surrogate_utf8, g->lines[0].text = "\xed\xa0\x80", "sum", "printable")
REFUSED(lines_missing, g->funcs[F_SUB].n_lines = 1, "helper_1", "missing")
REFUSED(too_many_lines, g->funcs[F_REDUCE].n_lines = 7, "sum", "more rows")

/* Instructions. */
REFUSED(no_instructions, g->funcs[F_SUB].n_insns = 0, "helper_1", "no instructions")
REFUSED(no_instruction_pointer, g->funcs[F_SUB].insns = NULL, "helper_1", "no instructions")
REFUSED(too_many_instructions, g->funcs[F_SUB].n_insns = 4097, "helper_1", "4097")
REFUSED(register_11, g->sub[0].dst_reg = 11, "function helper_1, instruction 0", "r11")
REFUSED(half_a_pair, g->filter[1].dst_reg = 1, "keep, instruction 0", "second slot")
REFUSED(pair_at_the_end, g->funcs[F_FILTER].n_insns = 1, "keep, instruction 0", "second slot")
REFUSED(pair_with_offset, g->filter[0].off = 1, "keep, instruction 0", "reserved")
REFUSED(map_reference, g->filter[0].src_reg = 1, "keep, instruction 0", "no maps")
REFUSED(rodata_outside, g->reduce[0].imm = 8, "sum, instruction 0 (sum.bpf.c:7)",
	"byte 8 of rodata")
REFUSED(rodata_negative, g->reduce[0].imm = -1, "sum, instruction 0", "byte -1 of rodata")
REFUSED(rodata_second_half, g->reduce[1].imm = 1, "sum, instruction 0", "second half")
REFUSED(jump_too_far, g->filter[2].off = 1, "keep, instruction 2", "outside")
REFUSED(jump_too_far_back, g->filter[2].off = -4, "keep, instruction 2", "outside")
REFUSED(jump_into_a_pair, g->filter[2].off = -2, "keep, instruction 2", "second half")
REFUSED(gotol_outside, g->filter[2] = ((struct bpf_insn)GOTOL(0x7fffffff)), "keep", "outside")
REFUSED(off_the_end, g->sub[1] = ((struct bpf_insn)MOV_K(0, 0)), "helper_1", "runs off its end")
REFUSED(off_the_end_by_a_branch, g->sub[1] = ((struct bpf_insn)JEQ_K(0, 0, -1)), "helper_1",
	"runs off")
REFUSED(kernel_helper, g->reduce[3].imm = 1, "sum, instruction 3 (sum.bpf.c:8)",
	"kernel's helper 1")
REFUSED(call_of_another_kind, g->reduce[2].src_reg = 2, "sum, instruction 2", "src_reg 2")
REFUSED(call_of_no_function, g->reduce[2].imm = 5, "sum, instruction 2", "function 5 of 5")
REFUSED(call_of_a_negative_one, g->reduce[2].imm = -1, "sum, instruction 2", "function -1")
REFUSED(call_of_an_entry, g->reduce[2].imm = F_KEY, "sum, instruction 2", "is the key function")
REFUSED(call_with_reserved_field, g->reduce[2].off = 1, "sum, instruction 2", "reserved")
REFUSED(exit_with_reserved_field, g->sub[1].imm = 1, "helper_1, instruction 1", "reserved")
REFUSED(recursion, g->sub[0] = ((struct bpf_insn)CALL_SUB(F_SUB)), "helper_1, instruction 0",
	"recursive")

static void all_functions_count_together(void **state)
{
	AUTO_FREE struct good *g = good_new();
	AUTO_FREE struct bpf_insn *many = calloc(4096, sizeof(*many));

	(void)state;
	for (int i = 0; i < 4095; i++)
		many[i] = (struct bpf_insn)MOV_K(0, 0);
	many[4095] = (struct bpf_insn)EXIT();
	g->funcs[F_SUB].insns = many;
	g->funcs[F_SUB].n_insns = 4096;
	expect_refused(g, "funcs", "together");
}

/* f2 -> f3 -> ... : eight frames pass, nine do not. */
static void calls_nest_eight_deep(void **state)
{
	struct bpf_insn code[9][2], combine[] = {EXIT()};
	struct program_func funcs[10] = {[1] = FUNC(PROGRAM_COMBINE, "merge", combine)};
	struct good g = {.draft = {.funcs = funcs, .state_bytes = 8}};
	AUTO_PROGRAM p = NULL;

	(void)state;
	for (int i = 0; i < 9; i++) {
		code[i][0] = (struct bpf_insn)CALL_SUB(i + 2);
		code[i][1] = (struct bpf_insn)EXIT();
		funcs[i ? i + 1 : 0] =
			(struct program_func)FUNC(i ? PROGRAM_SUB : PROGRAM_REDUCE, "f", code[i]);
	}
	g.draft.n_funcs = 9;
	code[7][0] = (struct bpf_insn)MOV_K(0, 0);
	assert_int_equal(program_create(&g.draft, &p, NULL), 0);
	code[7][0] = (struct bpf_insn)CALL_SUB(9);
	code[8][0] = (struct bpf_insn)MOV_K(0, 0);
	g.draft.n_funcs = 10;
	expect_refused(&g, "function f, instruction 0", "9 functions deep");
}

/* ---- type information ------------------------------------------------------------------------ */

static void types_must_exist_and_have_their_size(void **state)
{
	AUTO_FREE struct good *g = good_new();
	struct btf *btf = btf__new_empty();
	uint32_t size;
	AUTO_PROGRAM p = NULL;
	int u64_id = btf__add_int(btf, "u64", 8, 0);
	int array = btf__add_array(btf, u64_id, u64_id, 3);

	(void)state;
	g->draft.btf = btf__raw_data(btf, &size);
	g->draft.btf_bytes = size;
	g->draft.state_type = (uint32_t)u64_id;
	g->draft.record_type = (uint32_t)array; /* 3 * 8 */
	assert_int_equal(program_create(&g->draft, &p, NULL), 0);
	g->draft.params_type = 3;
	expect_refused(g, "params_type", "no such type");
	g->draft.params_type = 0;
	g->draft.record_type = (uint32_t)u64_id;
	expect_refused(g, "record_type", "has 8 bytes, the program says 24");
	g->draft.record_type = 0;
	g->draft.record_bytes = 0;
	g->draft.record_type = (uint32_t)u64_id;
	expect_refused(g, "record_type", "nothing that has it");
	g->draft.record_type = 0;
	g->draft.btf_bytes = 0;
	expect_refused(g, "state_type", "no such type");
	btf__free(btf);
}

/* Any single byte of BTF changed, or the end cut off: accepted or refused, never a fault. */
static void broken_btf_does_no_harm(void **state)
{
	AUTO_FREE struct good *g = good_new();
	struct btf *btf = btf__new_empty();
	uint32_t size;
	int u64_id = btf__add_int(btf, "u64", 8, 0);
	int s = btf__add_struct(btf, "state", 8);

	(void)state;
	btf__add_field(btf, "sum", u64_id, 0, 0);
	btf__add_enum(btf, "e", 4);
	btf__add_enum_value(btf, "one", 1);
	int proto = btf__add_func_proto(btf, u64_id);
	btf__add_func_param(btf, "x", s);
	btf__add_func(btf, "f", BTF_FUNC_STATIC, proto);
	btf__add_array(btf, u64_id, s, 4);
	const void *raw = btf__raw_data(btf, &size);
	g->draft.state_type = (uint32_t)s;
	for (uint32_t at = 0; at <= size; at++) {
		for (unsigned v = 0; v < 256; v += at < size ? 15 : 256) {
			AUTO_FREE uint8_t *copy = malloc(at < size ? size : size / 2);
			AUTO_PROGRAM p = NULL;

			g->draft.btf_bytes = at < size ? size : size / 2;
			memcpy(copy, raw, g->draft.btf_bytes);
			if (at < size)
				copy[at] = (uint8_t)v;
			g->draft.btf = copy;
			program_create(&g->draft, &p, NULL);
		}
	}
	AUTO_FREE uint8_t *copy = malloc(size);
	memcpy(copy, raw, size);
	g->draft.btf = copy;
	g->draft.btf_bytes = size;
	copy[0] = 0xeb; /* 9F EB, backwards */
	copy[1] = 0x9f;
	expect_refused(g, "btf", "other byte order");
	btf__free(btf);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_good_draft_is_copied),
		T(too_few_functions),
		T(too_many_functions),
		T(too_many_files),
		T(no_functions_pointer),
		T(no_state),
		T(large_state),
		T(large_group_state),
		T(large_key),
		T(large_params),
		T(large_record),
		T(large_rodata),
		T(large_btf),
		T(no_rodata_pointer),
		T(no_btf_pointer),
		T(two_of_a_kind),
		T(kind_that_is_none),
		T(no_reduce),
		T(no_combine),
		T(key_bytes_without_key),
		T(key_without_key_bytes),
		T(name_with_a_dot),
		T(name_that_begins_with_a_digit),
		T(empty_name),
		T(no_name),
		T(long_function_name),
		T(file_with_an_escape),
		T(file_that_is_no_utf8),
		T(line_out_of_order),
		T(line_out_of_range),
		T(line_of_no_file),
		T(line_zero),
		T(line_text_with_newline),
		T(overlong_utf8),
		T(surrogate_utf8),
		T(lines_missing),
		T(too_many_lines),
		T(no_instructions),
		T(no_instruction_pointer),
		T(too_many_instructions),
		T(register_11),
		T(half_a_pair),
		T(pair_at_the_end),
		T(pair_with_offset),
		T(map_reference),
		T(rodata_outside),
		T(rodata_negative),
		T(rodata_second_half),
		T(jump_too_far),
		T(jump_too_far_back),
		T(jump_into_a_pair),
		T(gotol_outside),
		T(off_the_end),
		T(off_the_end_by_a_branch),
		T(kernel_helper),
		T(call_of_another_kind),
		T(call_of_no_function),
		T(call_of_a_negative_one),
		T(call_of_an_entry),
		T(call_with_reserved_field),
		T(exit_with_reserved_field),
		T(recursion),
		T(all_functions_count_together),
		T(calls_nest_eight_deep),
		T(types_must_exist_and_have_their_size),
		T(broken_btf_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
