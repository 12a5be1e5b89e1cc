/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_gen_body.h - the body of one random function, as an emitter with a model of what its registers
 * hold. Internal to vm_gen*.c.
 */
#ifndef NF_TESTS_VM_GEN_BODY_H
#define NF_TESTS_VM_GEN_BODY_H

#include "tests/support/vm_gen.h"
#include "vm/vm.h"
#include "vm/vm_isa.h"

enum { GEN_MAX_INSNS = 900, GEN_STACK_SLOTS = 12 };

enum gen_kind {
	GEN_NOTHING, /* not written */
	GEN_SCALAR,
	GEN_POINTER, /* to the start of `region` */
	GEN_KEPT,    /* a loop's counter: may be read, not written */
};

struct gen_value {
	uint8_t kind, region;
};

/* What is known on every way here. */
struct gen_model {
	struct gen_value reg[11];
	bool slot[GEN_STACK_SLOTS]; /* r10 - 8 * (i + 1) holds a scalar */
};

struct gen_body {
	uint64_t *seed;
	const struct vm_gen_options *options;
	struct bpf_insn insns[GEN_MAX_INSNS];
	uint32_t n, limit; /* beyond limit, nothing new is begun */
	struct gen_model model;
	uint32_t region_bytes[VM_REGIONS]; /* 0: not here */
	unsigned region_writable;          /* bit i: region i */
	bool in_loop, in_inner_loop;
	unsigned depth;
	unsigned n_subs, first_sub; /* that may be called */
	unsigned n_loops;
};

/* Fill with random statements up to about `insns` instructions. */
void gen_statements(struct gen_body *b, unsigned insns);

/* One instruction with these fields, found in the table. */
void gen_op(struct gen_body *b, const struct vm_op *op);

/* Shorthands: dst = src, dst = imm, dst OP= imm, load, store of a register. */
void gen_mov(struct gen_body *b, unsigned dst, unsigned src);
void gen_set(struct gen_body *b, unsigned dst, int64_t imm);
void gen_alu_imm(struct gen_body *b, unsigned op, unsigned dst, int64_t imm);
void gen_load(struct gen_body *b, unsigned bytes, unsigned dst, unsigned src, int off);
void gen_store(struct gen_body *b, unsigned bytes, unsigned dst, int off, unsigned src);

/* A register that holds a scalar; makes one when there is none. */
unsigned gen_scalar(struct gen_body *b);

/* A random number below n; with that chance in a hundred. */
unsigned gen_below(struct gen_body *b, unsigned n);
bool gen_chance(struct gen_body *b, unsigned percent);

/* An immediate that breaks things. */
int32_t gen_edge(struct gen_body *b);

#endif
