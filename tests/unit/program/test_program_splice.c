/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Labels and holes of program_splice.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "program/program_splice.h"

static void free_splice(struct splice **s)
{
	splice_free(*s);
}

struct filler {
	const char *seen[4];
	unsigned n;
};

static int number(void *arg, const char *symbol, uint64_t *ret, uint8_t *ret_src_reg)
{
	struct filler *f = arg;

	f->seen[f->n++] = symbol;
	*ret = 0x1122334455667788;
	*ret_src_reg = 0;
	return 0;
}

/* Three instructions where there was one call. */
static int call(void *arg, struct splice *s, const char *symbol)
{
	struct filler *f = arg;

	f->seen[f->n++] = symbol;
	if (!strcmp(symbol, "refuse"))
		return -5;
	splice_origin(s, 42);
	for (int i = 0; i < 3; i++)
		splice_emit(s, SPLICE_MOV_K(BPF_REG_0, i));
	return 0;
}

/* r1 = NUMBER ll; L: call HOLE; if r0 != 0 goto L; if r1 == 0 goto end; r1 = 1; end: exit */
static const struct bpf_insn insns[] = {
	{.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1},
	{0},
	{.code = BPF_JMP | BPF_CALL, .src_reg = 1, .imm = -1},
	{.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 0, .off = -2},
	{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 1, .off = 1},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1},
	{.code = BPF_JMP | BPF_EXIT},
};
static const struct splice_reloc relocs[] = {{2, "HOLE"}, {0, "NUMBER"}};
static const struct splice_func template = {"template", insns, relocs, 7, 2, 0};

static void holes_are_filled_and_jumps_follow(void **state)
{
	AUTO(free_splice) struct splice *s = splice_new();
	struct filler f = {0};
	struct splice_ops ops = {number, call, &f};
	AUTO_FREE struct bpf_insn *out = NULL;
	AUTO_FREE uint32_t *origins = NULL;
	uint32_t n;

	(void)state;
	assert_int_equal(splice_function(s, &template, &ops, NULL), 0);
	assert_int_equal(splice_finish(s, &out, &origins, &n, NULL), 0);
	assert_int_equal(n, 9);
	assert_string_equal(f.seen[0], "NUMBER");
	assert_string_equal(f.seen[1], "HOLE");
	assert_int_equal(out[0].imm, 0x55667788);
	assert_int_equal(out[1].imm, 0x11223344);
	assert_int_equal(out[5].off, -4); /* to the first instruction in the hole */
	assert_int_equal(out[6].off, 1);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(origins[i], i >= 2 && i <= 4 ? 42 : 0);
}

static void a_callback_may_refuse(void **state)
{
	static const struct splice_reloc refusing[] = {{2, "refuse"}, {0, "NUMBER"}};
	struct splice_func f = template;
	AUTO(free_splice) struct splice *s = splice_new();
	struct filler filler = {0};
	struct splice_ops ops = {number, call, &filler};

	(void)state;
	f.relocs = refusing;
	assert_int_equal(splice_function(s, &f, &ops, NULL), -5);
}

static void calls_reach_code_that_comes_later(void **state)
{
	AUTO(free_splice) struct splice *s = splice_new();
	AUTO_FREE struct bpf_insn *out = NULL;
	AUTO_FREE uint32_t *origins = NULL;
	splice_label f = splice_label_new(s);
	uint32_t n;

	(void)state;
	splice_call(s, f);
	splice_emit(s, SPLICE_EXIT);
	splice_bind(s, f);
	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 7));
	splice_emit(s, SPLICE_EXIT);
	assert_int_equal(splice_position(s, f), 2);
	assert_int_equal(splice_finish(s, &out, &origins, &n, NULL), 0);
	assert_int_equal(out[0].src_reg, BPF_PSEUDO_CALL);
	assert_int_equal(out[0].imm, 1);
}

static void what_cannot_be_is_an_error(void **state)
{
	AUTO(free_splice) struct splice *nowhere = splice_new();
	AUTO(free_splice) struct splice *large = splice_new();
	AUTO_FREE struct bpf_insn *out = NULL;
	AUTO_FREE uint32_t *origins = NULL;
	struct nf_error err;
	uint32_t n;

	(void)state;
	splice_jump(nowhere, SPLICE_JA, splice_label_new(nowhere));
	splice_emit(nowhere, SPLICE_EXIT);
	assert_true(splice_finish(nowhere, &out, &origins, &n, &err) < 0);
	assert_int_equal(err.code, NF_INTERNAL);
	for (uint32_t i = 0; i <= SPLICE_MAX_INSNS; i++)
		splice_emit(large, SPLICE_MOV_K(BPF_REG_0, 0));
	assert_true(splice_finish(large, &out, &origins, &n, &err) < 0);
	assert_int_equal(err.code, NF_FAILED_PRECONDITION);
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_are_filled_and_jumps_follow),
		cmocka_unit_test(a_callback_may_refuse),
		cmocka_unit_test(calls_reach_code_that_comes_later),
		cmocka_unit_test(what_cannot_be_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
