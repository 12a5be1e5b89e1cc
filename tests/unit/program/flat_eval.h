/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* flat_eval.h - a tiny evaluator of flat code, for the tests of program_flatten(). */
#ifndef NF_FLAT_EVAL_H
#define NF_FLAT_EVAL_H

#include "program_fixture.h"

#include "program/program_flatten.h"

/*
 * Runs flat code: MOV, ADD, loads, stores, JA, gotol, JEQ, 64-bit immediates, exit. Addresses are
 * offsets into one stack block. Reading a register or slot never written fails the test, as the
 * verifier would refuse it.
 */
static inline uint64_t flat_run(const struct flat_code *c, uint64_t r1)
{
	uint64_t r[11] = {[1] = r1, [10] = c->stack_bytes}, stack[8192 / 8] = {0};
	bool known[11] = {[1] = true, [10] = true}, written[8192 / 8] = {0};
	uint32_t pc = 0;

	assert_true(c->stack_bytes <= sizeof(stack) && c->stack_bytes % 8 == 0);
	for (int steps = 0; steps < 100000; steps++) {
		assert_true(pc < c->n_insns);
		struct bpf_insn i = c->insns[pc++];
		uint64_t src = i.code & BPF_X ? r[i.src_reg] : (uint64_t)i.imm;
		uint64_t at = (BPF_CLASS(i.code) == BPF_LDX ? r[i.src_reg] : r[i.dst_reg]) +
			      (uint64_t)i.off;
		bool alu = BPF_CLASS(i.code) == BPF_ALU64;

		if (alu && (i.code & BPF_X))
			assert_true(known[i.src_reg]);
		switch (i.code) {
		case BPF_ALU64 | BPF_MOV | BPF_K:
		case BPF_ALU64 | BPF_MOV | BPF_X:
			r[i.dst_reg] = src;
			known[i.dst_reg] = true;
			break;
		case BPF_ALU64 | BPF_ADD | BPF_K:
		case BPF_ALU64 | BPF_ADD | BPF_X:
			assert_true(known[i.dst_reg]);
			r[i.dst_reg] += src;
			break;
		case BPF_LDX | BPF_MEM | BPF_DW:
			assert_true(at % 8 == 0 && at < c->stack_bytes && written[at / 8]);
			r[i.dst_reg] = stack[at / 8];
			known[i.dst_reg] = true;
			break;
		case BPF_STX | BPF_MEM | BPF_DW:
			assert_true(at % 8 == 0 && at < c->stack_bytes && known[i.src_reg]);
			stack[at / 8] = r[i.src_reg];
			written[at / 8] = true;
			break;
		case BPF_LD | BPF_IMM | BPF_DW:
			r[i.dst_reg] = (uint32_t)i.imm | (uint64_t)(uint32_t)c->insns[pc++].imm
								 << 32;
			known[i.dst_reg] = true;
			break;
		case BPF_JMP | BPF_JA:
			pc += (uint32_t)i.off;
			break;
		case BPF_JMP32 | BPF_JA:
			pc += (uint32_t)i.imm;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			assert_true(known[i.dst_reg]);
			pc += r[i.dst_reg] == (uint64_t)i.imm ? (uint32_t)i.off : 0;
			break;
		case BPF_JMP | BPF_JEQ | BPF_X:
			pc += r[i.dst_reg] == r[i.src_reg] ? (uint32_t)i.off : 0;
			break;
		case BPF_JMP | BPF_EXIT:
			assert_true(known[0]);
			return r[0];
		default:
			fail_msg("instruction %u has opcode %#x", pc - 1, i.code);
		}
	}
	fail_msg("does not end");
	return 0;
}

#endif
