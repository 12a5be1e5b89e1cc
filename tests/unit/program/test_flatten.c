/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* program_flatten(): what flat code computes, checked by a tiny evaluator, and what is refused. */
#include "flat_eval.h"
#include "program_fixture.h"

#include "program/program_flatten.h"

static void done(struct flat_code *c)
{
	flat_code_done(c);
}
#define AUTO_FLAT AUTO(done) struct flat_code

/* Flattens funcs[0], a reduce; funcs[1] must be the combine. */
static int flatten(const struct program_func *funcs, uint32_t n_funcs, struct flat_code *ret,
		   struct nf_error *err)
{
	static const uint8_t rodata[16];
	struct program draft = {.n_funcs = n_funcs,
				.funcs = funcs,
				.state_bytes = 8,
				.rodata = rodata,
				.rodata_bytes = sizeof(rodata)};
	AUTO_PROGRAM p = NULL;

	if (program_create(&draft, &p, err))
		fail_msg("%s: %s", err->where, err->text);
	return program_flatten(p, PROGRAM_REDUCE, ret, err);
}

static const struct bpf_insn combine[] = {EXIT()};
#define COMBINE FUNC(PROGRAM_COMBINE, "combine", combine)

#define FLATTEN(c, funcs)                                          \
	do {                                                       \
		struct nf_error err_ = {0};                        \
		if (flatten(funcs, ARRAY_SIZE(funcs), c, &err_))   \
			fail_msg("%s: %s", err_.where, err_.text); \
	} while (0)

static void without_calls_it_is_the_same_code(void **state)
{
	const struct bpf_insn main[] = {MOV_X(0, 1), LD64(2, 0, -1, 7), ADD_X(0, 2), EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "main", main), COMBINE};
	AUTO_FLAT c = {0};

	(void)state;
	FLATTEN(&c, funcs);
	assert_int_equal(c.n_insns, ARRAY_SIZE(main));
	assert_memory_equal(c.insns, main, sizeof(main));
	assert_int_equal(c.stack_bytes, 512);
	assert_int_equal(flat_run(&c, 5), 5 + 0x7ffffffffull);
	for (uint32_t i = 0; i < c.n_insns; i++) {
		assert_int_equal(c.origin[i].func, 0);
		assert_int_equal(c.origin[i].insn, i);
	}
}

static void a_missing_function_is_enoent(void **state)
{
	const struct bpf_insn main[] = {EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "main", main), COMBINE};
	struct program draft = {.n_funcs = 2, .funcs = funcs, .state_bytes = 8};
	AUTO_PROGRAM p = NULL;
	AUTO_FLAT c = {0};

	(void)state;
	assert_int_equal(program_create(&draft, &p, NULL), 0);
	assert_int_equal(program_flatten(p, PROGRAM_FILTER, &c, NULL), -ENOENT);
}

/* main(x) = f(x) + 100 with x kept in r6 over the call; f clobbers r6 and returns in mid-body. */
static void a_call_keeps_what_its_caller_needs(void **state)
{
	const struct bpf_insn main[] = {MOV_X(6, 1), CALL_SUB(2), ADD_X(0, 6), EXIT()};
	const struct bpf_insn f[] = {MOV_K(6, 1000), MOV_X(0, 6), JEQ_K(1, 7, 1),
				     EXIT(),         ADD_K(0, 1), EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "main", main), COMBINE,
					     FUNC(PROGRAM_SUB, "f", f)};
	AUTO_FLAT c = {0};

	(void)state;
	FLATTEN(&c, funcs);
	assert_int_equal(flat_run(&c, 5), 1000 + 5);
	assert_int_equal(flat_run(&c, 7), 1001 + 7);
	assert_int_equal(c.stack_bytes, 2 * 512 + 2 * 32);
	assert_int_equal(c.insns[1].code, BPF_STX | BPF_MEM | BPF_DW); /* one register only */
	assert_int_equal(c.insns[2].code, BPF_ALU64 | BPF_MOV | BPF_K);
	assert_int_equal(c.origin[1].func, 0);
	assert_int_equal(c.origin[1].insn, 1);
	assert_int_equal(c.origin[2].func, 2);
}

/* r6 holds nothing in main: saving it would read a register never written. */
static void registers_that_hold_nothing_are_not_saved(void **state)
{
	const struct bpf_insn main[] = {CALL_SUB(2), EXIT()};
	const struct bpf_insn f[] = {MOV_K(6, 9), MOV_X(0, 6), EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "main", main), COMBINE,
					     FUNC(PROGRAM_SUB, "f", f)};
	AUTO_FLAT c = {0};

	(void)state;
	FLATTEN(&c, funcs);
	assert_int_equal(flat_run(&c, 0), 9);
	assert_int_equal(c.n_insns, 3); /* the callee's exit falls through to ours */
}

/* main keeps x in r7 over f, f keeps y in r8 over g, g writes r7 and r8: each level saves its own.
 */
static void a_callee_of_a_callee_clobbers(void **state)
{
	const struct bpf_insn main[] = {MOV_X(7, 1), CALL_SUB(2), ADD_X(0, 7), EXIT()};
	const struct bpf_insn f[] = {MOV_K(8, 20), CALL_SUB(3), ADD_X(0, 8), EXIT()};
	const struct bpf_insn g[] = {MOV_K(7, 1), MOV_K(8, 2), MOV_X(0, 7), ADD_X(0, 8), EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "main", main), COMBINE,
					     FUNC(PROGRAM_SUB, "f", f), FUNC(PROGRAM_SUB, "g", g)};
	AUTO_FLAT c = {0};

	(void)state;
	FLATTEN(&c, funcs);
	assert_int_equal(flat_run(&c, 300), 323);
}

/* Each depth adds x to what the one below returns, with x stored in its own frame at r10-8. */
static void eight_frames_do_not_overlap(void **state)
{
	struct bpf_insn deep[8][6];
	struct program_func funcs[9] = {[1] = COMBINE};
	AUTO_FLAT c = {0};

	(void)state;
	for (int d = 0; d < 8; d++) {
		/* frame = r1; r1 += 1; r0 = next(r1); r0 += frame */
		const struct bpf_insn code[6] = {STORE(10, -8, 1), ADD_K(1, 1), CALL_SUB(d + 2),
						 LOAD(1, 10, -8),  ADD_X(0, 1), EXIT()};
		const struct bpf_insn last[6] = {STORE(10, -8, 1), MOV_K(0, 0), JA(0),
						 LOAD(1, 10, -8),  ADD_X(0, 1), EXIT()};

		memcpy(deep[d], d == 7 ? last : code, sizeof(code));
		funcs[d ? d + 1 : 0] = (struct program_func)FUNC(PROGRAM_SUB, "f", deep[d]);
	}
	funcs[0].kind = PROGRAM_REDUCE;
	FLATTEN(&c, funcs);
	assert_int_equal(c.stack_bytes, 8 * 512);
	assert_int_equal(flat_run(&c, 10), 10 + 11 + 12 + 13 + 14 + 15 + 16 + 17);
}

/* Addresses taken in a callee, by copy and by every rarer use of r10, point into its frame. */
static void addresses_in_a_callee_move_with_its_frame(void **state)
{
	const struct bpf_insn main[] = {MOV_K(0, 1),     STORE(10, -8, 0), CALL_SUB(2),
					LOAD(1, 10, -8), ADD_X(0, 1),      EXIT()};
	const struct bpf_insn f[] = {MOV_X(2, 10),
				     ADD_K(2, -8),
				     MOV_K(3, 40),
				     STORE(2, 0, 3),  /* frame[-8] = 40 */
				     LOAD(0, 10, -8), /* 40 */
				     MOV_K(4, -8),
				     ADD_X(4, 10),
				     LOAD(4, 4, 0),
				     ADD_X(0, 4), /* + 40 */
				     STORE(10, -16, 10),
				     LOAD(4, 10, -16),
				     LOAD(4, 4, -8),
				     ADD_X(0, 4), /* + 40 */
				     MOV_X(4, 10),
				     INSN(BPF_JMP | BPF_JEQ | BPF_X, 4, 10, 1, 0),
				     ADD_K(0, 1000), /* not taken */
				     INSN(BPF_JMP | BPF_JEQ | BPF_X, 10, 4, 1, 0),
				     ADD_K(0, 1000),
				     EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "main", main), COMBINE,
					     FUNC(PROGRAM_SUB, "f", f)};
	AUTO_FLAT c = {0};

	(void)state;
	FLATTEN(&c, funcs);
	assert_int_equal(flat_run(&c, 0), 121);
}

/* A loop round a call, and jumps over it, forwards and back, 16 and 32 bits. */
static void jumps_find_their_targets(void **state)
{
	const struct bpf_insn main[] = {MOV_K(6, 0), MOV_X(7, 1), JEQ_K(7, 0, 5), /* to the end */
					MOV_X(1, 7), CALL_SUB(2), ADD_X(6, 0),    ADD_K(7, -1),
					GOTOL(-6),   MOV_X(0, 6), EXIT()};
	const struct bpf_insn f[] = {LD64(6, 0, 5, 0), MOV_K(0, 0), JEQ_K(6, 0, 3), ADD_X(0, 1),
				     ADD_K(6, -1),     JA(-4),      EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "main", main), COMBINE,
					     FUNC(PROGRAM_SUB, "f", f)};
	AUTO_FLAT c = {0};

	(void)state;
	FLATTEN(&c, funcs);
	assert_int_equal(flat_run(&c, 4), 5 * (4 + 3 + 2 + 1));
}

/* A helper may take fewer than five arguments: r2 is not handed to it just because it could be. */
static void arguments_of_helpers_are_not_taken_for_sure(void **state)
{
	const struct bpf_insn main[] = {MOV_X(6, 1), CALL_SUB(2), MOV_X(1, 6), CALL_SUB(2), EXIT()};
	const struct bpf_insn f[] = {CALL_HELPER(0x10008), EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "main", main), COMBINE,
					     FUNC(PROGRAM_SUB, "f", f)};
	AUTO_FLAT c = {0};

	(void)state;
	FLATTEN(&c, funcs);
	assert_int_equal(c.n_insns, 5);
}

/* ... but it may take all: none of r1..r5 serves as the temporary before it. */
static void arguments_of_helpers_are_not_overwritten(void **state)
{
	const struct bpf_insn main[] = {CALL_SUB(2), EXIT()};
	const struct bpf_insn f[] = {MOV_K(4, 1), INSN(BPF_ALU64 | BPF_AND | BPF_X, 4, 10, 0, 0),
				     CALL_HELPER(0x10008), EXIT()};
	const struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "main", main), COMBINE,
					     FUNC(PROGRAM_SUB, "f", f)};
	AUTO_FLAT c = {0};

	(void)state;
	FLATTEN(&c, funcs);
	assert_int_equal(c.insns[1].dst_reg, 0);
}

static void refused(const struct program_func *funcs, uint32_t n, const char *where,
		    const char *text)
{
	AUTO_FLAT c = {0};
	struct nf_error err = {0};

	assert_int_equal(flatten(funcs, n, &c, &err), -EINVAL);
	if (!strstr(err.where, where) || !strstr(err.text, text))
		fail_msg("said '%s: %s'", err.where, err.text);
}

static void calls_that_multiply_are_refused(void **state)
{
	struct bpf_insn level[4][16];
	struct program_func funcs[5] = {[1] = COMBINE};

	(void)state;
	for (int d = 0; d < 4; d++) {
		for (int i = 0; i < 15; i++)
			level[d][i] = (struct bpf_insn)CALL_SUB(d + 2);
		level[d][15] = (struct bpf_insn)EXIT();
		funcs[d ? d + 1 : 0] = (struct program_func)FUNC(PROGRAM_SUB, "f", level[d]);
	}
	for (int i = 0; i < 15; i++)
		level[3][i] = (struct bpf_insn)MOV_K(0, 0);
	funcs[0].kind = PROGRAM_REDUCE;
	refused(funcs, 5, "reduce 'f'", "more than 16384 instructions");
}

static void breaches_of_the_calling_convention_are_refused(void **state)
{
	const struct bpf_insn after[] = {MOV_K(2, 1), CALL_SUB(2), MOV_X(0, 2), EXIT()};
	const struct bpf_insn plain[] = {MOV_K(0, 1), EXIT()};
	const struct bpf_insn call[] = {MOV_K(6, 1), CALL_SUB(2), EXIT()};
	const struct bpf_insn steals[] = {MOV_X(0, 6), EXIT()};
	const struct bpf_insn outside[] = {STORE(10, -32700, 1), MOV_K(0, 0), EXIT()};
	struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "main", after), COMBINE,
				       FUNC(PROGRAM_SUB, "f", plain)};

	(void)state;
	refused(funcs, 3, "reduce 'main' (instruction 1)", "r2 is read after the call of 'f'");
	funcs[0] = (struct program_func)FUNC(PROGRAM_REDUCE, "main", call);
	funcs[2] = (struct program_func)FUNC(PROGRAM_SUB, "f", steals);
	refused(funcs, 3, "sub 'f'", "reads r6 before writing it");
	funcs[2] = (struct program_func)FUNC(PROGRAM_SUB, "f", outside);
	refused(funcs, 3, "sub 'f' (instruction 0)", "outside of the stack frame");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_calls_it_is_the_same_code),
		cmocka_unit_test(a_missing_function_is_enoent),
		cmocka_unit_test(a_call_keeps_what_its_caller_needs),
		cmocka_unit_test(registers_that_hold_nothing_are_not_saved),
		cmocka_unit_test(a_callee_of_a_callee_clobbers),
		cmocka_unit_test(eight_frames_do_not_overlap),
		cmocka_unit_test(addresses_in_a_callee_move_with_its_frame),
		cmocka_unit_test(jumps_find_their_targets),
		cmocka_unit_test(arguments_of_helpers_are_not_taken_for_sure),
		cmocka_unit_test(arguments_of_helpers_are_not_overwritten),
		cmocka_unit_test(calls_that_multiply_are_refused),
		cmocka_unit_test(breaches_of_the_calling_convention_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
