/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_check.h - the validator behind program_create(). For lib/program only.
 *
 * Reads a draft that may come from anyone: each count is checked before what it counts is
 * touched. Pointers must be good for their counts; that is all it takes on trust.
 */
#ifndef NF_PROGRAM_CHECK_H
#define NF_PROGRAM_CHECK_H

#include <stddef.h>

#include "program/program.h"

/* 0, or -EINVAL with the reasons of program_create(); -ENOMEM. */
int program_check(const struct program *draft, struct nf_error *err);

/* Its parts: the instructions of all functions with their call graph; the BTF and type ids. */
int program_check_code(const struct program *draft, struct nf_error *err);
int program_check_types(const struct program *draft, struct nf_error *err);

/* An identifier of C, at most PROGRAM_MAX_NAME_BYTES long. */
bool program_is_identifier(const char *s);

/* The bytes of the UTF-8 character (RFC 3629) at text, which ends in NUL; 0 when it is none or a
 * control character. */
unsigned program_utf8_length(const char *text);

/* Is insn the first half of a 64-bit immediate load; a call to a sub-function? */
static inline bool insn_is_ld_imm64(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static inline bool insn_is_sub_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}

/*
 * Does insn jump? Then how far from the next instruction goes to *ret. Counts every opcode of the
 * jump classes but call and exit, the undefined ones too.
 */
static inline bool insn_jump(const struct bpf_insn *insn, int64_t *ret)
{
	uint8_t class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	if ((class != BPF_JMP && class != BPF_JMP32) || op == BPF_CALL || op == BPF_EXIT)
		return false;
	*ret = class == BPF_JMP32 && op == BPF_JA ? insn->imm : insn->off;
	return true;
}

/* Does control never go from insn to the one behind it? */
static inline bool insn_ends(const struct bpf_insn *insn)
{
	uint8_t class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP && (op == BPF_JA || op == BPF_EXIT)) ||
	       (class == BPF_JMP32 && op == BPF_JA);
}

#endif
