/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* program_fixture.h - small programs for the tests of lib/program. */
#ifndef NF_PROGRAM_FIXTURE_H
#define NF_PROGRAM_FIXTURE_H

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "program/program.h"

#define INSN(c, d, s, o, i)                                                         \
	{                                                                           \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) \
	}
#define MOV_K(d, i)        INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV_X(d, s)        INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD_K(d, i)        INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define ADD_X(d, s)        INSN(BPF_ALU64 | BPF_ADD | BPF_X, d, s, 0, 0)
#define LOAD(d, s, o)      INSN(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)
#define STORE(d, o, s)     INSN(BPF_STX | BPF_MEM | BPF_DW, d, s, o, 0)
#define CALL_SUB(i)        INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, i)
#define CALL_HELPER(i)     INSN(BPF_JMP | BPF_CALL, 0, 0, 0, i)
#define JEQ_K(d, i, o)     INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, i)
#define JA(o)              INSN(BPF_JMP | BPF_JA, 0, 0, o, 0)
#define GOTOL(o)           INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, o)
#define LD64(d, s, lo, hi) INSN(BPF_LD | BPF_IMM | BPF_DW, d, s, 0, lo), INSN(0, 0, 0, 0, hi)
#define EXIT()             INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define FUNC(k, nm, code)                                   \
	{                                                   \
		.kind = (k), .name = (nm), .insns = (code), \
		.n_insns = sizeof(code) / sizeof((code)[0]) \
	}

static inline void free_program(struct program **p)
{
	program_unref(*p);
}
#define AUTO_PROGRAM AUTO(free_program) struct program *

#endif
