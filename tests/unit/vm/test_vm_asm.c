/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_asm.c - every row of the instruction table, encoded, printed by the disassembler and read
 * by the tests' assembler, is the same instruction again: the three agree on what it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "program/program_disasm.h"
#include "tests/support/vm_asm.h"
#include "vm/vm_helper.h"

static int sub_by_name(void *arg, const char *name)
{
	unsigned index;

	(void)arg;
	return sscanf(name, "sub%u", &index) == 1 ? (int)index : -1;
}

static unsigned check_row(const struct vm_isa_row *row, uint8_t code, int32_t imm, int16_t off)
{
	struct vm_op op = {.dst = 3, .src = 7, .imm = imm, .off = off}, decoded;
	struct bpf_insn want[2], got[4];
	char text[160], error[VM_ASM_ERROR_BYTES] = "";
	unsigned slots = vm_encode_row(row, code, &op, want);
	const char *reason = vm_isa_decode(want, slots, 0, &decoded);
	int n;

	if (reason)
		fail_msg("opcode 0x%02x, encoded, does not decode: %s", code, reason);
	assert_int_equal(decoded.op, row->op);
	assert_int_equal(decoded.slots, slots);
	assert_int_equal(disasm_insn(want, vm_helper_name, text, sizeof(text)), slots);
	n = vm_asm(text, got, ARRAY_SIZE(got), sub_by_name, NULL, error);
	if (n != (int)slots || memcmp(got, want, slots * sizeof(want[0])))
		fail_msg("opcode 0x%02x prints as \"%s\", which assembles to 0x%02x (%d) %s", code,
			 text, got[0].code, n, error);
	return 1;
}

static void test_round_trip(void **state)
{
	unsigned checked = 0;

	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		unsigned n;
		const struct vm_isa_row *rows = vm_isa_rows((uint8_t)code, &n);

		for (unsigned i = 0; i < n; i++) {
			if (rows[i].refused)
				continue;
			if (rows[i].op == VM_OP_CALL) {
				checked += check_row(&rows[i], (uint8_t)code, 0x10001, 0);
			} else if (rows[i].op == VM_OP_CALL_SUB) {
				checked += 1; /* by name in assembly, by number in the listing */
			} else if (vm_op_infos[rows[i].op].kind == VM_KIND_CONST) {
				checked += check_row(&rows[i], (uint8_t)code, 24, 0);
			} else {
				checked += check_row(&rows[i], (uint8_t)code, 5, 2);
				checked += check_row(&rows[i], (uint8_t)code, -5, -2);
			}
		}
	}
	assert_true(checked > 250);
}

static void assembles(const char *text, const char *complaint)
{
	struct bpf_insn insns[8];
	char error[VM_ASM_ERROR_BYTES] = "";
	int n = vm_asm(text, insns, ARRAY_SIZE(insns), NULL, NULL, error);

	if (!complaint)
		assert_true(n > 0);
	else if (n >= 0 || !strstr(error, complaint))
		fail_msg("\"%s\": %d, %s", text, n, error);
}

static void test_complaints(void **state)
{
	(void)state;
	assembles("a: goto a\nexit", NULL);
	assembles("r1 = 5\ngoto nowhere\nexit", "line 2: no label nowhere");
	assembles("r1 += w2", "r and w registers");
	assembles("r1 ~= 2", "unknown operation");
	assembles("r1 = 0x123456789", "32 bits");
	assembles("r1 = *(u128 *)(r2 + 0)", "expected");
	assembles("call nothing", "no helper or sub-function nothing");
	assembles("exit exit", "too much on the line");
	assembles("r1 = 1\nr1 = 1\nr1 = 1\nr1 = 1\nr1 = 1\nr1 = 1\nr1 = 1\nr1 = 1\nexit",
		  "too many instructions");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_complaints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
