/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_cfg.c - blocks, and the order in which the verifier walks them: every edge that goes
 * backwards in the order goes to the head of a component that holds its source.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "program/program.h"
#include "tests/support/vm_asm.h"
#include "vm/vm_cfg.h"

static struct bpf_insn insns[PROGRAM_MAX_FLAT_INSNS];
static uint32_t n_insns;

static void assemble(const char *text)
{
	char error[VM_ASM_ERROR_BYTES];
	int n = vm_asm(text, insns, ARRAY_SIZE(insns), NULL, NULL, error);

	if (n < 0)
		fail_msg("%s", error);
	n_insns = (uint32_t)n;
}

static void check_order(const struct vm_cfg *cfg)
{
	for (uint32_t place = 0; place < cfg->n_order; place++) {
		const struct vm_block *b = &cfg->blocks[cfg->order[place].block];
		uint32_t to[2] = {b->next, b->taken};

		assert_int_equal(b->place, place);
		for (unsigned i = 0; i < 2; i++) {
			const struct vm_block *target;

			if (to[i] == VM_CFG_NONE)
				continue;
			target = &cfg->blocks[to[i]];
			assert_true(target->place != VM_CFG_NONE);
			if (target->place > place)
				continue;
			assert_true(cfg->order[target->place].loop_end > place);
			assert_true(vm_cfg_loop_holds(cfg, target->place, place));
			assert_int_equal(target->loop, target->place);
		}
	}
}

static void build(const char *text, struct vm_cfg *cfg)
{
	const char *reason = "";
	uint32_t insn = 0;

	if (text)
		assemble(text);
	if (vm_cfg_init(cfg, insns, n_insns, &insn, &reason))
		fail_msg("instruction %u: %s", insn, reason);
	check_order(cfg);
}

static unsigned n_loops(const struct vm_cfg *cfg)
{
	unsigned n = 0;

	for (uint32_t place = 0; place < cfg->n_order; place++)
		n += cfg->order[place].loop_end != 0;
	return n;
}

static void test_straight_line_is_one_block(void **state)
{
	struct vm_cfg cfg;

	(void)state;
	build("r0 = 0\n r1 = 0x123456789 ll\n r0 += r1\n exit", &cfg);
	assert_int_equal(cfg.n_blocks, 1);
	assert_int_equal(cfg.blocks[0].end, 5);
	assert_int_equal(cfg.ops[2].slots, 0); /* the second slot of a pair */
	assert_int_equal(n_loops(&cfg), 0);
	vm_cfg_done(&cfg);
}

static void test_a_diamond_meets_after_both_ways(void **state)
{
	struct vm_cfg cfg;

	(void)state;
	build("if r1 == 0 goto a\n r0 = 1\n goto b\n a:\n r0 = 2\n b:\n exit", &cfg);
	assert_int_equal(cfg.n_blocks, 4);
	assert_int_equal(cfg.n_order, 4);
	assert_int_equal(cfg.blocks[3].place, 3);
	vm_cfg_done(&cfg);
}

static void test_loops_nest(void **state)
{
	struct vm_cfg cfg;
	uint32_t outer, inner;

	(void)state;
	build("r1 = 0\n outer:\n r2 = 0\n inner:\n r2 += 1\n if r2 < 9 goto inner\n r1 += 1\n"
	      "if r1 < 9 goto outer\n r0 = 0\n exit",
	      &cfg);
	assert_int_equal(n_loops(&cfg), 2);
	outer = cfg.blocks[cfg.block_of[1]].place;
	inner = cfg.blocks[cfg.block_of[2]].place;
	assert_int_equal(cfg.order[inner].outer, outer);
	assert_int_equal(cfg.order[outer].outer, VM_CFG_NONE);
	assert_true(vm_cfg_loop_holds(&cfg, outer, inner));
	assert_false(cfg.order[outer].irreducible || cfg.order[inner].irreducible);
	assert_false(vm_cfg_loop_holds(&cfg, outer, cfg.blocks[cfg.block_of[n_insns - 1]].place));
	vm_cfg_done(&cfg);
}

static void test_a_jump_to_itself_is_a_loop(void **state)
{
	struct vm_cfg cfg;

	(void)state;
	build("r0 = 0\n goto -1", &cfg);
	assert_int_equal(n_loops(&cfg), 1);
	assert_true(vm_cfg_is_back_jump(&cfg.ops[1]));
	vm_cfg_done(&cfg);
}

static void test_a_loop_with_two_ways_in_is_irreducible(void **state)
{
	struct vm_cfg cfg;
	unsigned irreducible = 0;

	(void)state;
	build("if r1 == 0 goto b\n a:\n r2 += 1\n b:\n r2 += 2\n if r2 < 9 goto a\n r0 = 0\n exit",
	      &cfg);
	assert_int_equal(n_loops(&cfg), 1);
	for (uint32_t place = 0; place < cfg.n_order; place++)
		irreducible += cfg.order[place].irreducible;
	assert_int_equal(irreducible, 1);
	vm_cfg_done(&cfg);
}

static void test_unreachable_blocks_have_no_place(void **state)
{
	struct vm_cfg cfg;

	(void)state;
	build("r0 = 0\n goto out\n dead:\n r0 = 1\n goto dead\n out:\n exit", &cfg);
	assert_int_equal(cfg.n_order, 2);
	assert_int_equal(cfg.blocks[cfg.block_of[2]].place, VM_CFG_NONE);
	vm_cfg_done(&cfg);
}

static void test_fold_fail_does_not_go_on(void **state)
{
	struct vm_cfg cfg;

	(void)state;
	build("r1 = 1\n call fold_fail\n r0 = 0\n exit", &cfg);
	assert_int_equal(cfg.n_order, 1);
	vm_cfg_done(&cfg);
}

static void refused(const char *text, const char *want)
{
	struct vm_cfg cfg;
	const char *reason = NULL;
	uint32_t insn;

	if (text)
		assemble(text);
	assert_int_equal(vm_cfg_init(&cfg, insns, n_insns, &insn, &reason), -EINVAL);
	if (!strstr(reason, want))
		fail_msg("refused because: %s", reason);
	assert_null(cfg.ops);
}

static void test_bad_code_is_refused(void **state)
{
	(void)state;
	refused("r0 = 0", "runs past");
	refused("goto +5\n exit", "out of the function");
	refused("goto -2\n exit", "out of the function");
	refused("goto +1\n r0 = 5 ll\n exit", "into the middle");
}

static void make_nest(unsigned depth)
{
	n_insns = 0;
	for (unsigned i = 0; i < depth; i++)
		insns[n_insns++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K};
	for (unsigned i = 0; i < depth; i++)
		insns[n_insns++] = (struct bpf_insn){.code = BPF_JMP | BPF_JNE | BPF_K,
						     .off = (int16_t)(-2 * (int)i - 2),
						     .imm = 9};
	insns[n_insns++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
}

static void test_the_depth_of_loops_is_limited(void **state)
{
	struct vm_cfg cfg;

	(void)state;
	make_nest(VM_CFG_MAX_DEPTH);
	build(NULL, &cfg);
	assert_int_equal(n_loops(&cfg), VM_CFG_MAX_DEPTH);
	vm_cfg_done(&cfg);
	make_nest(VM_CFG_MAX_DEPTH + 1);
	refused(NULL, "nested too deeply");
}

/* A chain of blocks as long as a function may be must not need a deep stack. */
static void test_a_long_chain(void **state)
{
	struct vm_cfg cfg;

	(void)state;
	n_insns = PROGRAM_MAX_FLAT_INSNS;
	for (uint32_t i = 0; i + 1 < n_insns; i++)
		insns[i] = (struct bpf_insn){.code = BPF_JMP | BPF_JNE | BPF_K, .imm = (int)i};
	insns[n_insns - 1] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	build(NULL, &cfg);
	assert_int_equal(cfg.n_order, n_insns);
	vm_cfg_done(&cfg);
}

static void test_random_graphs_are_ordered(void **state)
{
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct vm_cfg cfg;
		const char *reason = "";
		uint32_t insn;

		n_insns = 3 + round % 40;
		for (uint32_t i = 0; i + 1 < n_insns; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			insns[i] =
				(struct bpf_insn){.code = seed & 3 ? BPF_JMP | BPF_JNE | BPF_K
								   : BPF_ALU64 | BPF_MOV | BPF_K};
			if (seed & 3)
				insns[i].off = (int16_t)((int64_t)(seed >> 8) % n_insns - i - 1);
		}
		insns[n_insns - 1] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
		if (!vm_cfg_init(&cfg, insns, n_insns, &insn, &reason)) {
			check_order(&cfg);
			vm_cfg_done(&cfg);
		} else if (!strstr(reason, "nested too deeply")) {
			fail_msg("%s", reason);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_straight_line_is_one_block),
		cmocka_unit_test(test_a_diamond_meets_after_both_ways),
		cmocka_unit_test(test_loops_nest),
		cmocka_unit_test(test_a_jump_to_itself_is_a_loop),
		cmocka_unit_test(test_a_loop_with_two_ways_in_is_irreducible),
		cmocka_unit_test(test_unreachable_blocks_have_no_place),
		cmocka_unit_test(test_fold_fail_does_not_go_on),
		cmocka_unit_test(test_bad_code_is_refused),
		cmocka_unit_test(test_the_depth_of_loops_is_limited),
		cmocka_unit_test(test_a_long_chain),
		cmocka_unit_test(test_random_graphs_are_ordered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
