/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_branchfree.h - filter + reduce as one expression graph without control flow.
 *
 * What limits a filter-reduce engine is the mispredicted branch per record. Our functions are pure
 * and a record is wholly readable, so a loop-free program can be evaluated symbolically: jumps
 * become conditions, merges become selects, and what is left is, for every piece of the state
 * that reduce writes (a cell), one expression over the record, the parameters and the cells'
 * old values. Both compiled engines emit that graph: the JIT in scalar or vector form, the kernel
 * engine as masked updates.
 *
 * Where the new value of a cell is its old value combined with an expression free of the state
 * (sum, minimum, maximum, bitwise), the update is a *reduction*: lanes may accumulate apart and be
 * merged later, with the same bits as one record after the other, because the operation is
 * associative and commutative modulo 2^n. `all_reductions` says that every cell is one.
 *
 * The graph is hash-consed: equal expressions are one node, operands come before their users, so a
 * single pass in index order evaluates it. All values are 64 bits unless the node says 128.
 * Immutable after vm_branchfree_new(); any thread.
 */
#ifndef NF_VM_BRANCHFREE_H
#define NF_VM_BRANCHFREE_H

#include "vm/vm.h"

enum { BF_NONE = UINT32_MAX, BF_MAX_NODES = 4096, BF_MAX_CELLS = 256 };

enum bf_op {
	BF_CONST, /* imm */
	BF_LOAD,  /* `bytes` at imm of region (record, params, rodata), zero-extended */
	BF_LEN,   /* the record's length */
	BF_CELL,  /* old value of the state's cell at imm, `bytes` long, zero-extended; 16: 128 bits
		   */
	/* a OP b, modulo 2^64; RFC 9669's rules for division and shifts */
	BF_ADD,
	BF_SUB,
	BF_MUL,
	BF_UDIV,
	BF_SDIV,
	BF_UMOD,
	BF_SMOD,
	BF_AND,
	BF_OR,
	BF_XOR,
	BF_SHL,
	BF_SHR,
	BF_SAR,   /* b is below 64 already */
	BF_ZEXT,  /* the low `bytes` bytes of a, zero-extended */
	BF_SEXT,  /* the same, sign-extended */
	BF_BSWAP, /* of the low `bytes` bytes of a, zero-extended */
	/* conditions: 0 or 1 */
	BF_EQ,
	BF_ULT,
	BF_SLT,  /* a OP b */
	BF_NOT,  /* of a condition */
	BF_BOTH, /* a and b, conditions */
	BF_EITHER,
	BF_SELECT, /* condition a ? b : c; 64 or 128 bits as b and c */
	BF_CALL,   /* helper number imm, scalar arguments a and b (b may be BF_NONE), pure */
	/* 128 bits */
	BF_ADD128,  /* 128 bits a + sign-extended 64 bits b */
	BF_OVER128, /* would that overflow? a condition */
	BF_SUM128,  /* 128 bits a + 128 bits b */
	BF_OVERSUM128,
	BF_MUL128,  /* 64 x 64 bits, signed: 128 bits */
	BF_MULOVER, /* does the signed product of a and b not fit 64 bits? */
	BF_ADDOVER, /* the same for the sum */
};

struct bf_node {
	uint8_t op; /* enum bf_op */
	uint8_t bytes;
	uint8_t region; /* BF_LOAD: enum vm_region */
	bool wide;      /* 128 bits */
	bool state;     /* depends on an old value of the state */
	bool cond;      /* 0 or 1 */
	uint32_t a, b, c;
	uint64_t imm;
};

enum bf_merge {
	BF_MERGE_NONE,
	BF_MERGE_ADD,
	BF_MERGE_UMIN,
	BF_MERGE_UMAX,
	BF_MERGE_SMIN,
	BF_MERGE_SMAX,
	BF_MERGE_OR,
	BF_MERGE_AND,
	BF_MERGE_XOR,
	BF_MERGE_ADD128
};

/* A piece of the state that reduce reads or writes. Cells do not overlap. */
struct bf_cell {
	uint32_t offset, bytes; /* 1, 2, 4, 8, 16 */
	uint32_t value;         /* node: what the cell holds after the record, if it was kept */
	bool written;
	/* A reduction: cell = cell MERGE operand where `when` holds (BF_NONE: always). MIN and MAX
	 * compare `bytes` bytes, sign- or zero-extended. ADD128 adds the 128-bit number
	 * high:operand to the 16 bytes at offset: a cell of 16 bytes, or two of 8 of which the
	 * upper one then has merge NONE and `upper` set. */
	enum bf_merge merge;
	uint32_t operand, high, when;
	bool upper;
};

struct vm_branchfree {
	struct bf_node *nodes;
	uint32_t n_nodes, n_cells;
	struct bf_cell *cells;
	uint32_t match; /* condition: the filter keeps the record; BF_NONE: always */
	uint32_t fails; /* condition: this record ends in fold_fail, whatever the filter says;
			 * BF_NONE: never */
	bool all_reductions;
	/* For reductions. `reduce_fails` is `fails` without the overflow of 128-bit sums, and free
	 * of the state. needs_headroom: it and the cells' merges assume that no such sum overflows,
	 * which holds while every 16-byte cell is within +-2^125 before and fewer than 2^32
	 * records are added. `value` and `fails` assume nothing. */
	uint32_t reduce_fails;
	bool needs_headroom;
};

/*
 * Evaluate filter and reduce. 0 and *ret (free with vm_branchfree_free), or -ENOTSUP with the
 * reason in *ret_why (static text): it has a loop, a guarded access, a key function, may return
 * FOLD_STOP, addresses memory by a computed offset, calls a helper that has no expression, or is
 * too large. -ENOMEM.
 */
int vm_branchfree_new(const struct vm_program *vp, struct vm_branchfree **ret,
		      const char **ret_why);
void vm_branchfree_free(struct vm_branchfree *bf);

/* The index of a cell of 8 bytes that goes up by one for every record that matches, so that nobody
 * need count them beside it; BF_NONE: there is none. */
uint32_t vm_branchfree_counter(const struct vm_branchfree *bf);

#endif
