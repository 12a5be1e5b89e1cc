/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_bound.c - verification ends, within VM_VERIFY_MAX_STEPS, whatever the code looks like,
 * and a step is a step: no shape makes them dear. Prints the steps and the processor's milliseconds
 * of each shape; only the steps are asserted.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/scope.h"
#include "program/program.h"
#include "vm/vm_beliefs.h"

static struct bpf_insn insns[PROGRAM_MAX_INSNS];
static uint32_t n_insns;
static uint32_t cuts[7]; /* where sub-functions begin */
static unsigned n_cuts;

static void add(uint8_t code, unsigned dst, unsigned src, int off, int32_t imm)
{
	assert_true(n_insns < ARRAY_SIZE(insns));
	insns[n_insns++] = (struct bpf_insn){.code = code,
					     .dst_reg = dst & 15,
					     .src_reg = src & 15,
					     .off = (int16_t)off,
					     .imm = imm};
}

#define MOV_K(dst, imm)      add(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define ADD_K(dst, imm)      add(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define XOR_X(dst, src)      add(BPF_ALU64 | BPF_XOR | BPF_X, dst, src, 0, 0)
#define LOAD(dst, src, off)  add(BPF_LDX | BPF_MEM | BPF_DW, dst, src, off, 0)
#define STORE(dst, off, src) add(BPF_STX | BPF_MEM | BPF_DW, dst, src, off, 0)
#define JLT_X(dst, src, off) add(BPF_JMP | BPF_JLT | BPF_X, dst, src, off, 0)
#define JEQ_K(dst, imm, off) add(BPF_JMP | BPF_JEQ | BPF_K, dst, 0, off, imm)
#define JNE_K(dst, imm, off) add(BPF_JMP | BPF_JNE | BPF_K, dst, 0, off, imm)
#define EXIT()               add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Instructions that the analysis went through in turns that count. */
static uint64_t visits;

static void count_visit(void *arg, enum program_kind entry, uint32_t insn, const struct vm_state *s)
{
	(void)arg;
	(void)entry;
	(void)insn;
	(void)s;
	visits++;
}

/* Verify what was added as a filter (r1 = record of 64 bytes). Returns the steps, 0 when it was too
 * complex or its loops nested too deeply; fails when it is refused for another reason. */
static uint64_t verify(const char *shape)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static const char *const subs[] = {"",     "sub1", "sub2", "sub3",
					   "sub4", "sub5", "sub6", "sub7"};
	struct program_func funcs[ARRAY_SIZE(subs) + 2];
	struct program draft = {
		.funcs = funcs, .n_funcs = n_cuts + 3, .record_bytes = 64, .state_bytes = 8};
	struct vm_bounds bounds = {64, 64};
	struct program *p = NULL;
	struct vm_program *vp = NULL;
	struct nf_error err = {0};
	uint64_t steps = 0;
	clock_t start;
	int rc;

	for (unsigned i = 0; i <= n_cuts; i++) {
		uint32_t first = i ? cuts[i - 1] : 0, end = i < n_cuts ? cuts[i] : n_insns;

		funcs[i] = (struct program_func){.kind = i ? PROGRAM_SUB : PROGRAM_FILTER,
						 .name = i ? subs[i] : "shape",
						 .insns = insns + first,
						 .n_insns = end - first};
	}
	funcs[n_cuts + 1] = (struct program_func){
		.kind = PROGRAM_REDUCE, .name = "reduce", .insns = nothing, .n_insns = 2};
	funcs[n_cuts + 2] = (struct program_func){
		.kind = PROGRAM_COMBINE, .name = "combine", .insns = nothing, .n_insns = 2};
	if (program_create(&draft, &p, &err))
		fail_msg("%s: %s: %s", shape, err.where, err.text);
	start = clock();
	visits = 0;
	rc = vm_verify_beliefs(p, &bounds, count_visit, NULL, &vp, &err);
	if (!rc)
		steps = vp->verify_steps;
	else if (!strstr(err.text, "too complex to verify") &&
		 !strstr(err.text, "nested too deeply"))
		fail_msg("%s: %s: %s", shape, err.where, err.text);
	print_message("%s: %u instructions, %lu steps%s, %lu ms\n", shape, n_insns, steps,
		      rc ? " (refused)" : "",
		      (unsigned long)((clock() - start) * 1000 / CLOCKS_PER_SEC));
	assert_true(steps <= VM_VERIFY_MAX_STEPS);
	vm_program_unref(vp);
	program_unref(p);
	n_insns = n_cuts = 0;
	return steps;
}

/* Loops in loops: the counter in slot i goes from 0 to what the record says, and the loops inside
 * begin anew each time. */
static void nest(unsigned depth)
{
	for (unsigned i = 0; i < depth; i++) {
		MOV_K(2, 0);
		STORE(10, -8 * (int)i - 8, 2);
	}
	for (unsigned i = depth; i-- > 0;) {
		LOAD(2, 10, -8 * (int)i - 8);
		ADD_K(2, 1);
		STORE(10, -8 * (int)i - 8, 2);
		LOAD(3, 1, 8 * (int)i);
		JLT_X(2, 3, -(int)(n_insns + 1 - 2 * (i + 1)));
	}
	MOV_K(0, 0);
	EXIT();
}

static void test_nested_loops(void **state)
{
	char name[32];

	(void)state;
	for (unsigned depth = 1; depth <= 7; depth++) {
		uint64_t steps;

		nest(depth);
		snprintf(name, sizeof(name), "%u nested loops", depth);
		steps = verify(name);
		if (depth <= 4)
			assert_true(steps > 0);
	}
}

/* 2^1000 ways: the cost must be that of the code's length. */
static void test_many_branches(void **state)
{
	uint32_t n;
	uint64_t steps;

	(void)state;
	LOAD(2, 1, 0);
	MOV_K(0, 0);
	while (n_insns + 4 < PROGRAM_MAX_INSNS - 8) {
		JEQ_K(2, (int)n_insns, 1);
		XOR_X(0, 2);
		ADD_K(2, 3);
	}
	EXIT();
	n = n_insns;
	steps = verify("branches one after another");
	assert_true(steps > 0 && steps < 8 * n);
}

static void test_branches_that_write_the_stack(void **state)
{
	uint64_t steps;

	(void)state;
	LOAD(2, 1, 0);
	for (int slot = 1; slot <= 64; slot++)
		STORE(10, -8 * slot, 2);
	while (n_insns + 4 < PROGRAM_MAX_INSNS - 8) {
		JEQ_K(2, (int)n_insns, 1);
		STORE(10, -8 * (1 + (int)(n_insns % 64)), 2);
		ADD_K(2, 3);
	}
	MOV_K(0, 0);
	EXIT();
	steps = verify("branches that write the stack");
	assert_true(steps > 0);
}

/* Eight frames, each written whole, and in the last one branches in a loop that write. */
static void test_a_deep_stack(void **state)
{
	(void)state;
	for (unsigned frame = 0; frame < 8; frame++) {
		LOAD(2, 1, 0);
		for (int slot = 1; slot <= 64; slot++)
			STORE(10, -8 * slot, 2);
		if (frame < 7) {
			add(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, (int)frame + 1);
			MOV_K(0, 0);
			EXIT();
			cuts[n_cuts++] = n_insns;
		}
	}
	MOV_K(3, 0);
	for (int i = 0; i < 1000; i++) {
		JEQ_K(2, i, 1);
		STORE(10, -8 * (1 + i % 64), 3);
	}
	ADD_K(3, 1);
	JLT_X(3, 2, -2002);
	MOV_K(0, 0);
	EXIT();
	(void)verify("a deep stack, branches in a loop");
}

/* Every way is waited for at the end: many states at once. */
static void test_jumps_to_one_far_place_each(void **state)
{
	uint64_t steps;

	(void)state;
	LOAD(2, 1, 0);
	MOV_K(0, 0);
	for (int i = 0; i < 1000; i++) {
		STORE(10, -8 * (1 + i % 64), 2);
		JEQ_K(2, i, 1997 - i); /* to its place among the additions below */
	}
	for (int i = 0; i < 2000; i++)
		ADD_K(0, 1);
	EXIT();
	steps = verify("jumps to a far place each");
	assert_true(steps > 0);
}

static void test_a_loop_around_everything(void **state)
{
	(void)state;
	LOAD(2, 1, 0);
	MOV_K(3, 0);
	MOV_K(0, 0);
	while (n_insns < 4000)
		XOR_X(0, 2);
	ADD_K(3, 1);
	JLT_X(3, 2, -(int)(n_insns + 1 - 3));
	EXIT();
	assert_true(verify("a loop of 4000 instructions") > 0);
}

static void test_a_loop_that_counts_far(void **state)
{
	(void)state;
	MOV_K(0, 0);
	ADD_K(0, 1);
	JNE_K(0, 2000000000, -2);
	EXIT();
	assert_true(verify("a loop that counts to 2000000000") > 0);
}

/*
 * Thousands of blocks inside of a loop that nothing enters (r0 is 0): they cost no instruction, but
 * the search walks over their places in each turn, and their jumps are thresholds of its widening.
 */
static void dead_blocks(int back_to)
{
	JNE_K(0, 0, 1);
	add(BPF_JMP | BPF_JA, 0, 0, 3900, 0);
	for (int i = 0; i < 3900; i++)
		JEQ_K(7, 3 * i, back_to - (int)n_insns - 1);
}

static void test_a_loop_of_dead_blocks(void **state)
{
	(void)state;
	MOV_K(6, 0);
	MOV_K(0, 0);
	ADD_K(6, 1);
	dead_blocks(2);
	JNE_K(6, 2000000000, 2 - (int)n_insns - 1);
	EXIT();
	assert_true(verify("a loop with thousands of dead blocks") > 10 * visits);
}

static void test_dead_blocks_in_an_inner_loop(void **state)
{
	(void)state;
	LOAD(2, 1, 0);
	MOV_K(6, 0);
	MOV_K(0, 0);
	ADD_K(6, 1);
	LOAD(7, 1, 8);
	dead_blocks(4);
	JLT_X(7, 2, 4 - (int)n_insns - 1);
	JNE_K(6, 2000000000, 3 - (int)n_insns - 1);
	EXIT();
	assert_true(verify("an inner loop with thousands of dead blocks") > 10 * visits);
}

/* Each round of widening moves a bound of each slot on by one threshold. */
static void test_a_deep_stack_that_widens(void **state)
{
	(void)state;
	LOAD(2, 1, 0);
	MOV_K(6, 0);
	MOV_K(0, 0);
	MOV_K(3, 0);
	for (int slot = 1; slot <= 64; slot++)
		STORE(10, -8 * slot, 3);
	uint32_t head = n_insns;
	ADD_K(3, 1);
	for (int slot = 1; slot <= 32; slot++)
		STORE(10, -8 * slot, 3);
	JNE_K(0, 0, 1);
	add(BPF_JMP | BPF_JA, 0, 0, 3900, 0);
	for (int i = 0; i < 3900; i++)
		JEQ_K(7, 3 * i, (int)head - (int)n_insns - 1);
	JLT_X(3, 2, (int)head - (int)n_insns - 1);
	ADD_K(6, 1);
	JNE_K(6, 2000000000, 3 - (int)n_insns - 1);
	EXIT();
	(void)verify("a stack that widens by thousands of thresholds");
}

/* Eight frames, and stores that may go anywhere in them: each looks at every byte. */
static void test_stores_anywhere_in_a_deep_stack(void **state)
{
	uint64_t steps;

	(void)state;
	LOAD(2, 1, 0);
	add(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 4095);
	add(BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0);
	ADD_K(3, -4096);
	add(BPF_ALU64 | BPF_ADD | BPF_X, 3, 2, 0, 0);
	MOV_K(4, 0);
	for (int i = 0; i < 3900; i++)
		add(BPF_STX | BPF_MEM | BPF_B, 3, 4, 0, 0);
	ADD_K(4, 1);
	JLT_X(4, 2, -3902);
	add(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1);
	MOV_K(0, 0);
	EXIT();
	for (int frame = 1; frame < 8; frame++) {
		cuts[n_cuts++] = n_insns;
		if (frame < 7)
			add(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, frame + 1);
		MOV_K(0, 0);
		EXIT();
	}
	steps = verify("stores anywhere in a deep stack");
	assert_true(!steps || steps > 10 * visits);
}

/* Jumps from everywhere to everywhere. */
static void test_mazes(void **state)
{
	uint64_t seed = 7;
	char name[32];

	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		uint32_t n = round < 20 ? 40 : 4000;

		for (unsigned reg = 2; reg < 10; reg++)
			LOAD(reg, 1, 0);
		MOV_K(0, 0);
		while (n_insns < n) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			unsigned a = 2 + (unsigned)(seed >> 40) % 8,
				 b = 2 + (unsigned)(seed >> 50) % 8;

			switch (seed >> 33 & 3) {
			case 0:
				ADD_K(a, (int32_t)(seed >> 56));
				break;
			case 1:
				XOR_X(a, b);
				break;
			case 2:
				STORE(10, -8 - 8 * (int)(seed >> 58), a);
				break;
			default:
				JLT_X(a, b, (int)((seed >> 20) % (n - 9)) + 9 - (int)n_insns - 1);
			}
		}
		EXIT();
		snprintf(name, sizeof(name), "maze %u", round);
		(void)verify(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested_loops),
		cmocka_unit_test(test_many_branches),
		cmocka_unit_test(test_branches_that_write_the_stack),
		cmocka_unit_test(test_a_deep_stack),
		cmocka_unit_test(test_jumps_to_one_far_place_each),
		cmocka_unit_test(test_a_loop_around_everything),
		cmocka_unit_test(test_a_loop_that_counts_far),
		cmocka_unit_test(test_a_loop_of_dead_blocks),
		cmocka_unit_test(test_dead_blocks_in_an_inner_loop),
		cmocka_unit_test(test_a_deep_stack_that_widens),
		cmocka_unit_test(test_stores_anywhere_in_a_deep_stack),
		cmocka_unit_test(test_mazes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
