/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_splice.h - puts BPF code together: a template with holes, and what goes into them.
 *
 * The kernel engine's scan loop is compiled by clang at build time (bpf/scan.bpf.c) and embedded as
 * a table of struct splice_func. At load time splice_function() copies one of them into a list
 * of instructions and asks its caller at each hole:
 *
 *	rX = NAME ll    which number (or map)?                 splice_ops.number
 *	call NAME       which code goes here, in line?         splice_ops.call
 *
 * Whoever fills a hole appends with splice_emit() and splice_jump(). Jumps go to labels, so that
 * code may be inserted anywhere; splice_finish() resolves them. The function's registers follow
 * the calling convention at a hole: r1..r5 are arguments and may be clobbered, r0 is the result,
 *r6..r9 and the stack above r10 - stack_bytes belong to the template.
 *
 * Errors are kept (out of memory, more than SPLICE_MAX_INSNS) and returned by splice_finish(), so
 * that emitters need no checks. One thread at a time.
 */
#ifndef NF_PROGRAM_SPLICE_H
#define NF_PROGRAM_SPLICE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum {
	/* Everything together: jumps have 16 bits. */
	SPLICE_MAX_INSNS = 32000,
	/* Opcodes that Debian 12's linux/bpf.h predates. */
	SPLICE_OP_MAY_GOTO = BPF_JMP | 0xe0,
	SPLICE_CAST_OFF = 1, /* `off` of a MOV that is addr_space_cast(dst, 0, 1): imm 1 */
};

struct splice_reloc {
	uint32_t insn;
	const char *symbol;
};

struct splice_func {
	const char *name;
	const struct bpf_insn *insns;
	const struct splice_reloc *relocs; /* not sorted */
	uint32_t n_insns, n_relocs;
	uint32_t stack_bytes; /* what it uses below r10 */
};

typedef uint32_t splice_label;
struct splice;

struct splice_ops {
	/* The number of symbol, or of a map: *ret_src_reg BPF_PSEUDO_MAP_FD. */
	int (*number)(void *arg, const char *symbol, uint64_t *ret, uint8_t *ret_src_reg);
	/* Emit what stands for `call symbol`. */
	int (*call)(void *arg, struct splice *s, const char *symbol);
	void *arg;
};

struct splice *splice_new(void); /* NULL: no memory */
void splice_free(struct splice *s);

/* Where following instructions come from, for splice_finish(); 0: from the template. */
void splice_origin(struct splice *s, uint32_t origin);

splice_label splice_label_new(struct splice *s);
splice_label splice_labels_new(struct splice *s, uint32_t count); /* in a row; returns the first */
void splice_bind(struct splice *s, splice_label label);           /* to the next instruction */
void splice_emit(struct splice *s, struct bpf_insn insn);
void splice_jump(struct splice *s, struct bpf_insn insn,
		 splice_label to); /* its offset is set later */
void splice_load64(struct splice *s, uint8_t dst, uint64_t value, uint8_t src_reg);
void splice_cast(struct splice *s, uint8_t reg); /* reg = addr_space_cast(reg, 0, 1) */

/* Append a function, holes filled. Its `exit`s stay what they are. Errors are the callbacks'. */
int splice_function(struct splice *s, const struct splice_func *f, const struct splice_ops *ops,
		    struct nf_error *err);

/* A call to code that is appended under `label` (a function of its own, with its own frame). */
void splice_call(struct splice *s, splice_label label);

/* Where a bound label is. */
uint32_t splice_position(const struct splice *s, splice_label label);

/*
 * The whole: *ret_insns and *ret_origins have *ret_n elements, the caller frees both.
 * -ENOMEM; -E2BIG (err: FAILED_PRECONDITION) more than SPLICE_MAX_INSNS.
 */
int splice_finish(struct splice *s, struct bpf_insn **ret_insns, uint32_t **ret_origins,
		  uint32_t *ret_n, struct nf_error *err);

/* The function of that name in a table that ends with an empty row, or NULL. */
const struct splice_func *splice_find(const struct splice_func *unit, const char *name);

/* Instructions by name, so that emitters read like assembly. */
#define SPLICE_INSN(c, d, s, o, i) \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define SPLICE_MOV(d, s)        SPLICE_INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define SPLICE_MOV_K(d, k)      SPLICE_INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, k)
#define SPLICE_ALU(op, d, s)    SPLICE_INSN(BPF_ALU64 | (op) | BPF_X, d, s, 0, 0)
#define SPLICE_ALU_K(op, d, k)  SPLICE_INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, k)
#define SPLICE_LDX(sz, d, s, o) SPLICE_INSN(BPF_LDX | BPF_MEM | (sz), d, s, o, 0)
#define SPLICE_STX(sz, d, o, s) SPLICE_INSN(BPF_STX | BPF_MEM | (sz), d, s, o, 0)
#define SPLICE_ST(sz, d, o, k)  SPLICE_INSN(BPF_ST | BPF_MEM | (sz), d, 0, o, k)
#define SPLICE_JA               SPLICE_INSN(BPF_JMP | BPF_JA, 0, 0, 0, 0)
#define SPLICE_JMP_K(op, d, k)  SPLICE_INSN(BPF_JMP | (op) | BPF_K, d, 0, 0, k)
#define SPLICE_JMP(op, d, s)    SPLICE_INSN(BPF_JMP | (op) | BPF_X, d, s, 0, 0)
#define SPLICE_MAY_GOTO         SPLICE_INSN(SPLICE_OP_MAY_GOTO, 0, 0, 0, 0)
#define SPLICE_EXIT             SPLICE_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#endif
