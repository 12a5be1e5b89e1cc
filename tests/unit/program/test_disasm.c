/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* disasm_insn(): one line per form of RFC 9669; disasm_program(): the frame around it. */
#include "program_fixture.h"

#include <stdio.h>

#include "program/program_disasm.h"

static const char *names(int32_t number)
{
	return number == 0x1000e ? "fold_find" : NULL;
}

static const struct {
	struct bpf_insn insn[2];
	const char *text;
} cases[] = {
	{{MOV_K(1, -5)}, "r1 = -5"},
	{{INSN(BPF_ALU | BPF_MOV | BPF_X, 1, 2, 0, 0)}, "w1 = w2"},
	{{INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 2, 8, 0)}, "r1 = (s8)r2"},
	{{INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 2, 32, 0)}, "r1 = (s32)r2"},
	{{INSN(BPF_ALU | BPF_MOV | BPF_X, 1, 2, 16, 0)}, "w1 = (s16)w2"},
	{{ADD_X(1, 2)}, "r1 += r2"},
	{{INSN(BPF_ALU | BPF_ARSH | BPF_K, 3, 0, 0, 4)}, "w3 s>>= 4"},
	{{INSN(BPF_ALU64 | BPF_DIV | BPF_X, 1, 2, 0, 0)}, "r1 /= r2"},
	{{INSN(BPF_ALU64 | BPF_DIV | BPF_X, 1, 2, 1, 0)}, "r1 s/= r2"},
	{{INSN(BPF_ALU64 | BPF_MOD | BPF_K, 1, 0, 1, 7)}, "r1 s%= 7"},
	{{INSN(BPF_ALU64 | BPF_NEG, 1, 0, 0, 0)}, "r1 = -r1"},
	{{INSN(BPF_ALU | BPF_END | BPF_X, 1, 0, 0, 16)}, "r1 = be16 r1"},
	{{INSN(BPF_ALU | BPF_END | BPF_K, 1, 0, 0, 64)}, "r1 = le64 r1"},
	{{INSN(BPF_ALU64 | BPF_END | BPF_K, 1, 0, 0, 32)}, "r1 = bswap32 r1"},
	{{LOAD(1, 10, -8)}, "r1 = *(u64 *)(r10 - 8)"},
	{{INSN(BPF_LDX | BPF_MEM | BPF_W, 1, 2, 12, 0)}, "r1 = *(u32 *)(r2 + 12)"},
	{{INSN(BPF_LDX | 0x80 | BPF_B, 1, 2, 0, 0)}, "r1 = *(s8 *)(r2 + 0)"},
	{{STORE(1, 4, 2)}, "*(u64 *)(r1 + 4) = r2"},
	{{INSN(BPF_ST | BPF_MEM | BPF_H, 1, 0, 2, 9)}, "*(u16 *)(r1 + 2) = 9"},
	{{INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 1, 2, 8, BPF_ADD)}, "lock *(u64 *)(r1 + 8) += r2"},
	{{INSN(BPF_STX | BPF_ATOMIC | BPF_W, 1, 2, 8, BPF_OR | BPF_FETCH)},
	 "w2 = atomic_fetch_or((u32 *)(r1 + 8), w2)"},
	{{INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 1, 2, 8, BPF_XCHG)},
	 "r2 = xchg((u64 *)(r1 + 8), r2)"},
	{{INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 1, 2, 8, BPF_CMPXCHG)},
	 "r0 = cmpxchg((u64 *)(r1 + 8), r0, r2)"},
	{{JEQ_K(1, 5, 3)}, "if r1 == 5 goto +3"},
	{{INSN(BPF_JMP32 | BPF_JSLT | BPF_X, 1, 2, -4, 0)}, "if w1 s< w2 goto -4"},
	{{INSN(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1, 8)}, "if r1 & 8 goto +1"},
	{{JA(-2)}, "goto -2"},
	{{GOTOL(70000)}, "gotol +70000"},
	{{INSN(BPF_JMP | 0xe0, 0, 0, 5, 0)}, "may_goto +5"},
	{{CALL_SUB(2)}, "call function 2"},
	{{CALL_HELPER(0x1000e)}, "call fold_find"},
	{{CALL_HELPER(0x10099)}, "call 0x10099"},
	{{EXIT()}, "exit"},
	{{LD64(1, 0, -1, 1)}, "r1 = 0x1ffffffff ll"},
	{{LD64(1, 3, 16, 0)}, "r1 = rodata + 16"},
	/* What is none. */
	{{INSN(0, 0, 0, 0, 0)}, ".byte 0x00, 0x00, 0x0000, 0x00000000"},
	{{INSN(BPF_ALU64 | BPF_ADD | BPF_X, 1, 2, 1, 0)}, ".byte 0x0f, 0x21, 0x0001, 0x00000000"},
	{{INSN(BPF_ALU | BPF_END | BPF_K, 1, 0, 0, 24)}, ".byte 0xd4, 0x01, 0x0000, 0x00000018"},
	{{INSN(BPF_ALU64 | 0xe0, 1, 0, 0, 0)}, ".byte 0xe7, 0x01, 0x0000, 0x00000000"},
	{{INSN(BPF_JMP | 0xf0, 1, 0, 0, 0)}, ".byte 0xf5, 0x01, 0x0000, 0x00000000"},
	{{INSN(BPF_LDX | 0x80 | BPF_DW, 1, 2, 0, 0)}, ".byte 0x99, 0x21, 0x0000, 0x00000000"},
	{{INSN(BPF_STX | BPF_ATOMIC | BPF_B, 1, 2, 0, 0)}, ".byte 0xd3, 0x21, 0x0000, 0x00000000"},
	{{INSN(BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, 4)}, ".byte 0x20, 0x00, 0x0000, 0x00000004"},
};

static void each_form_has_its_text(void **state)
{
	char text[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool pair = cases[i].insn[0].code == (BPF_LD | BPF_IMM | BPF_DW);

		assert_int_equal(disasm_insn(cases[i].insn, names, text, sizeof(text)),
				 pair ? 2 : 1);
		assert_string_equal(text, cases[i].text);
	}
}

/* Every opcode byte with every source register: some text, no fault. */
static void no_opcode_does_harm(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++) {
		for (int reg = 0; reg < 16; reg++) {
			struct bpf_insn insn[2] = {INSN((uint8_t)code, 15, reg & 15, -1, reg), {0}};
			char text[160] = "";

			disasm_insn(insn, NULL, text, sizeof(text));
			assert_true(text[0]);
		}
	}
}

static void a_program_has_lines_between(void **state)
{
	const struct bpf_insn reduce[] = {LD64(0, 0, 1, 0), MOV_K(0, 0), EXIT()};
	const struct bpf_insn combine[] = {EXIT()};
	const struct program_line lines[] = {{0, 4, 1, 0, "s->n = 1;"}, {2, 5, 1, 0, "return 0;"}};
	struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "sum", reduce),
				       FUNC(PROGRAM_COMBINE, "merge", combine)};
	const char *files[] = {"a.c"};
	struct program draft = {
		.n_funcs = 2, .funcs = funcs, .n_files = 1, .files = files, .state_bytes = 8};
	AUTO_PROGRAM p = NULL;
	AUTO_FREE char *text = NULL;
	size_t size;

	(void)state;
	funcs[0].lines = lines;
	funcs[0].n_lines = 2;
	assert_int_equal(program_create(&draft, &p, NULL), 0);
	FILE *out = open_memstream(&text, &size);
	disasm_program(p, names, out);
	fclose(out);
	assert_string_equal(text, "function 0: reduce sum\n"
				  "; a.c:4  s->n = 1;\n"
				  "     0:  r0 = 0x1 ll\n"
				  "; a.c:5  return 0;\n"
				  "     2:  r0 = 0\n"
				  "     3:  exit\n"
				  "\n"
				  "function 1: combine merge\n"
				  "     0:  exit\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_has_its_text),
		cmocka_unit_test(no_opcode_does_harm),
		cmocka_unit_test(a_program_has_lines_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
