/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* program_disasm.h - instructions as text, in the pseudo-C that llvm-objdump and the kernel print.
 */
#ifndef NF_PROGRAM_DISASM_H
#define NF_PROGRAM_DISASM_H

#include <stdio.h>

#include "program/program.h"

/* Names a helper for the text, e.g. "fold_find"; may return NULL. */
typedef const char *(*disasm_helper_name)(int32_t number);

/* One instruction, "r1 = *(u32 *)(r2 + 12)", into buf. LD_IMM64 reads insn[1] too. Returns how many
 * slots it took: 1 or 2. An opcode that is none prints as ".byte ...". */
unsigned disasm_insn(const struct bpf_insn *insn, disasm_helper_name names, char *buf, size_t size);

/* All functions, with source lines between. */
void disasm_program(const struct program *p, disasm_helper_name names, FILE *out);

#endif
