/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_gen.h - random programs from the instruction table, for differential tests of the engines and
 * for testing what the verifier believes.
 *
 * Programs are mostly well-formed: registers are written before they are read, offsets are in
 * bounds (constant, masked, or, where allowed, computed and to be guarded), loops count to a
 * small number. The same seed and options give the same program on every machine.
 */
#ifndef NF_TESTS_VM_GEN_H
#define NF_TESTS_VM_GEN_H

#include "program/program.h"

struct vm_gen_options {
	uint32_t record_bytes; /* 0: 1 to 96, by the seed */
	bool any_length;       /* program.record_bytes 0: records have any length */
	bool no_filter, no_key;
	bool no_helpers;
	bool no_doubles; /* no fold_f64_* and no fold_parse_f64 */
	bool no_guards;  /* every access can be proven */
	bool no_loops;
	bool no_subs;
	bool no_fail;  /* no fold_fail */
	bool pointers; /* two pointers are compared and subtracted, too */
	/*
	 * reduce only adds to 64-bit words of the state what it computes from record and
	 * parameters, and combine adds the words: the answer depends neither on the order of the
	 * records nor on how they are divided.
	 */
	bool additive;
	unsigned mutate_percent; /* of the programs: one instruction is replaced by random bytes */
	unsigned max_insns;      /* of a function, about; 0: 60 */
};

struct vm_gen;
struct vm_gen *vm_gen_new(uint64_t seed,
			  const struct vm_gen_options *options); /* NULL: no memory */
void vm_gen_free(struct vm_gen *g);

/* For program_create(); lives as long as g. */
const struct program *vm_gen_draft(const struct vm_gen *g);

/* splitmix64 (Steele, Lea, Flood 2014): the next number of a sequence. */
uint64_t vm_gen_random(uint64_t *state);

/* Bytes that tests find things in: small numbers, digits, edge values, noise. */
void vm_gen_bytes(uint64_t *state, uint8_t *p, size_t n);

#endif
