/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_vm_isa.c - the instruction table: which encodings are there, and what they decode to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "vm/vm_isa.h"

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})

static const char *decode1(struct bpf_insn insn, struct vm_op *op)
{
	struct bpf_insn two[2] = {insn, INSN(0, 0, 0, 0, 0)};

	return vm_isa_decode(two, 2, 0, op);
}

static void accepts(struct bpf_insn insn, enum vm_opcode op, unsigned width, unsigned bytes)
{
	struct vm_op ret;
	const char *reason = decode1(insn, &ret);

	if (reason)
		fail_msg("opcode 0x%02x: %s", insn.code, reason);
	assert_int_equal(ret.op, op);
	assert_int_equal(ret.width, width);
	assert_int_equal(ret.bytes, bytes);
}

static void refuses(struct bpf_insn insn, const char *part)
{
	struct vm_op ret = {.op = 99};
	const char *reason = decode1(insn, &ret);

	if (!reason)
		fail_msg("opcode 0x%02x off %d imm %d is accepted", insn.code, insn.off, insn.imm);
	if (!strstr(reason, part))
		fail_msg("opcode 0x%02x: \"%s\" lacks \"%s\"", insn.code, reason, part);
	assert_int_equal(ret.op, 99); /* untouched */
}

/* Opcode bytes by the numbers of RFC 9669's appendix A, not by the header's macros. */
static void test_accepted(void **state)
{
	(void)state;
	accepts(INSN(0x07, 1, 0, 0, 5), VM_OP_ADD, 64, 0);
	accepts(INSN(0x0c, 1, 2, 0, 0), VM_OP_ADD, 32, 0);
	accepts(INSN(0x3f, 1, 2, 0, 0), VM_OP_DIV, 64, 0);
	accepts(INSN(0x3c, 1, 2, 1, 0), VM_OP_SDIV, 32, 0);
	accepts(INSN(0x97, 1, 0, 1, 3), VM_OP_SMOD, 64, 0);
	accepts(INSN(0x94, 1, 0, 0, 3), VM_OP_MOD, 32, 0);
	accepts(INSN(0x84, 1, 0, 0, 0), VM_OP_NEG, 32, 0);
	accepts(INSN(0x87, 1, 0, 0, 0), VM_OP_NEG, 64, 0);
	accepts(INSN(0xbf, 1, 2, 0, 0), VM_OP_MOV, 64, 0);
	accepts(INSN(0xbf, 1, 2, 32, 0), VM_OP_MOVSX, 64, 4);
	accepts(INSN(0xbc, 1, 2, 8, 0), VM_OP_MOVSX, 32, 1);
	accepts(INSN(0xd4, 1, 0, 0, 16), VM_OP_LE, 64, 2);
	accepts(INSN(0xdc, 1, 0, 0, 64), VM_OP_BE, 64, 8);
	accepts(INSN(0xd7, 1, 0, 0, 32), VM_OP_BSWAP, 64, 4);
	accepts(INSN(0x05, 0, 0, -3, 0), VM_OP_JA, 64, 0);
	accepts(INSN(0x06, 0, 0, 0, 70000), VM_OP_JA, 64, 0);
	accepts(INSN(0xde, 1, 2, 4, 0), VM_OP_JSLE, 32, 0);
	accepts(INSN(0x45, 1, 0, 4, 8), VM_OP_JSET, 64, 0);
	accepts(INSN(0x71, 1, 2, 4, 0), VM_OP_LOAD, 64, 1);
	accepts(INSN(0x81, 1, 2, 4, 0), VM_OP_LOAD, 64, 4);
	accepts(INSN(0x91, 1, 2, 4, 0), VM_OP_LOAD, 64, 1);
	accepts(INSN(0x7a, 10, 0, -8, 1), VM_OP_STORE, 64, 8);
	accepts(INSN(0x6b, 10, 1, -8, 0), VM_OP_STORE, 64, 2);
	accepts(INSN(0x18, 1, 0, 0, 7), VM_OP_IMM64, 64, 0);
	accepts(INSN(0x18, 1, 3, 0, 7), VM_OP_RODATA, 64, 0);
	accepts(INSN(0x85, 0, 0, 0, 0x10001), VM_OP_CALL, 64, 0);
	accepts(INSN(0x85, 0, 1, 0, 2), VM_OP_CALL_SUB, 64, 0);
	accepts(INSN(0x95, 0, 0, 0, 0), VM_OP_EXIT, 64, 0);
}

static void test_refused(void **state)
{
	(void)state;
	refuses(INSN(0xdb, 1, 2, 0, 0), "atomic");
	refuses(INSN(0xc3, 1, 2, 0, 0xe1), "atomic");
	refuses(INSN(0x20, 0, 0, 0, 4), "legacy packet");
	refuses(INSN(0x50, 0, 1, 0, 4), "legacy packet");
	refuses(INSN(0x18, 1, 1, 0, 4), "maps");
	refuses(INSN(0x18, 1, 2, 0, 4), "maps");
	refuses(INSN(0x18, 1, 4, 0, 4), "functions");
	refuses(INSN(0x18, 1, 5, 0, 4), "maps");
	refuses(INSN(0x18, 1, 7, 0, 4), "unknown variant");
	refuses(INSN(0x85, 0, 2, 0, 4), "kernel functions");
	refuses(INSN(0x8d, 1, 0, 0, 0), "callx");
	refuses(INSN(0xe5, 0, 0, 1, 0), "may_goto");
	refuses(INSN(0xbf, 1, 2, 1, 1), "arena");
	refuses(INSN(0xff, 1, 2, 0, 0), "unknown opcode");
	refuses(INSN(0x00, 0, 0, 0, 0), "unknown opcode");
	refuses(INSN(0x8f, 1, 2, 0, 0), "unknown opcode"); /* NEG has no X form */
	refuses(INSN(0xdf, 1, 0, 0, 16), "unknown opcode");
	refuses(INSN(0x99, 1, 2, 0, 0), "unknown opcode"); /* a 64-bit sign-extending load */
	refuses(INSN(0xd4, 1, 0, 0, 24), "byte swap");
	refuses(INSN(0x3f, 1, 2, 2, 0), "offset");
	refuses(INSN(0xbc, 1, 2, 32, 0), "offset");
	refuses(INSN(0xb7, 1, 0, 8, 0), "reserved field not zero: offset");
	refuses(INSN(0x07, 1, 2, 0, 5), "reserved field not zero: source");
	refuses(INSN(0x0f, 1, 2, 0, 5), "reserved field not zero: immediate");
	refuses(INSN(0x95, 1, 0, 0, 0), "reserved field not zero: destination");
	refuses(INSN(0x06, 0, 0, 1, 2), "reserved field not zero: offset");
	refuses(INSN(0x05, 0, 0, 1, 2), "reserved field not zero: immediate");
	refuses(INSN(0x07, 11, 0, 0, 5), "no such register");
	refuses(INSN(0x0f, 1, 15, 0, 0), "no such register");
	refuses(INSN(0x07, 10, 0, 0, 5), "r10");
	refuses(INSN(0x79, 10, 1, 0, 0), "r10");
	refuses(INSN(0xd7, 10, 0, 0, 16), "r10");
}

static void test_pair(void **state)
{
	struct bpf_insn insns[2] = {INSN(0x18, 3, 0, 0, -2), INSN(0, 0, 0, 0, 0x12345678)};
	struct vm_op op;

	(void)state;
	assert_null(vm_isa_decode(insns, 2, 0, &op));
	assert_true(op.imm == 0x12345678fffffffe);
	assert_int_equal(op.slots, 2);
	assert_non_null(strstr(vm_isa_decode(insns, 1, 0, &op), "missing"));
	insns[0].src_reg = 3;
	assert_non_null(strstr(vm_isa_decode(insns, 2, 0, &op), "rodata"));
	insns[1].dst_reg = 1;
	assert_non_null(strstr(vm_isa_decode(insns, 2, 0, &op), "must be zero"));
}

static void test_operands(void **state)
{
	struct vm_op op;

	(void)state;
	assert_null(decode1(INSN(0x0f, 1, 2, 0, 0), &op)); /* r1 += r2 */
	assert_int_equal(op.reads, 1 << 1 | 1 << 2);
	assert_int_equal(op.writes, 1 << 1);
	assert_false(op.use_imm);
	assert_null(decode1(INSN(0xb7, 4, 0, 0, -1), &op)); /* r4 = -1 */
	assert_int_equal(op.reads, 0);
	assert_int_equal(op.writes, 1 << 4);
	assert_true(op.use_imm && op.imm == -1);
	assert_null(decode1(INSN(0x91, 3, 10, -4, 0), &op)); /* r3 = *(s8 *)(r10 - 4) */
	assert_int_equal(op.reads, 1 << 10);
	assert_int_equal(op.writes, 1 << 3);
	assert_true(op.sign);
	assert_int_equal(op.off, -4);
	assert_null(decode1(INSN(0x7b, 10, 7, -8, 0), &op)); /* *(u64 *)(r10 - 8) = r7 */
	assert_int_equal(op.reads, 1 << 10 | 1 << 7);
	assert_int_equal(op.writes, 0);
	assert_null(decode1(INSN(0x2d, 1, 2, -5, 0), &op)); /* if r1 > r2 goto -5 */
	assert_int_equal(op.reads, 1 << 1 | 1 << 2);
	assert_int_equal(vm_isa_jump_target(&op, 10), 6);
	assert_true(vm_op_is_conditional(&op) && vm_op_falls_through(&op));
	assert_null(decode1(INSN(0x06, 0, 0, 0, 100000), &op));
	assert_int_equal(vm_isa_jump_target(&op, 1), 100002);
	assert_true(!vm_op_is_conditional(&op) && !vm_op_falls_through(&op));
	assert_null(decode1(INSN(0x85, 0, 0, 0, 0x1000e), &op));
	assert_int_equal(op.writes, 0x3f);
	assert_int_equal(op.imm, 0x1000e);
}

/* Each opcode byte: a row is refused with its reason or complete, a byte without rows is unknown; the
 * number of supported rows is RFC 9669's. That cases run them is test_vm_data's. */
static void test_rows(void **state)
{
	unsigned supported = 0;

	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		unsigned n;
		const struct vm_isa_row *rows = vm_isa_rows((uint8_t)code, &n);

		if (!n)
			refuses(INSN((uint8_t)code, 1, 2, 0, 0), "unknown opcode");
		for (unsigned i = 0; i < n; i++) {
			if (rows[i].refused) {
				struct bpf_insn insn = INSN((uint8_t)code, 1, 0, 0, 0);

				if (rows[i].select == VM_FIELD_SRC)
					insn.src_reg = rows[i].value & 15;
				else if (rows[i].select == VM_FIELD_OFF)
					insn.off = rows[i].value;
				else if (code == (BPF_JMP | BPF_CALL))
					insn.src_reg = 2; /* neither of the rows before it */
				refuses(insn, rows[i].refused);
				continue;
			}
			supported++;
			assert_true(rows[i].op < VM_OPCODES);
			assert_true(rows[i].width == 32 || rows[i].width == 64);
			assert_non_null(vm_op_infos[rows[i].op].name);
		}
	}
	/*
	 * ALU: 9 operations, division and modulo twice (signed), in 4 forms; NEG 2; MOV 4 and
	 * MOVSX 5; LE, BE and BSWAP of 3 sizes. Jumps: 11 in 4 forms, JA and gotol. Loads 4 + 3,
	 * stores 8. Two constants, two calls, exit.
	 */
	assert_int_equal(supported, (9 + 4) * 4 + 2 + 9 + 9 + 11 * 4 + 2 + 7 + 8 + 2 + 2 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_pair),     cmocka_unit_test(test_operands),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
