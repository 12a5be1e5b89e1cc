/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_program.h - a fuzzer's bytes become a program.
 *
 * Input: entry kind and sizes (8 bytes), then instructions of 8 bytes as in an ELF object, so that
 * sections of real programs are seeds. What no instruction is becomes one: registers are folded
 * into r0..r10, unknown opcodes into the table of encodings, jumps into the function. Opcode 0xff
 * begins a sub-function. Every function gets "r0 = 0; exit" at its end.
 */
#ifndef NF_TESTS_FUZZ_PROGRAM_H
#define NF_TESTS_FUZZ_PROGRAM_H

#include "vm/vm.h"

struct fuzz_program {
	struct program *program; /* the caller's to unref */
	struct vm_bounds bounds; /* that it is to be verified for */
	enum program_kind kind;  /* the function that the bytes are; the others do nothing */
};

/* 0, or non-zero when the bytes are too few or make no program. Not for two threads. */
int fuzz_program(const uint8_t *data, size_t size, struct fuzz_program *ret);

#endif
