/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jit.h - compiled programs. The compiler is a module of its own (nearfold-jit.so, lib/vm/jit, on
 * LLVM's C API) that is loaded on demand; this header is what it and its users share, and has no
 * LLVM in it.
 *
 * The compiler makes an *image*: position-independent machine code without any reference to the
 * outside. It can be copied, kept and mapped into another process of the same machine; what the
 * code needs (memory, helpers, the group table) reaches it through struct jit_ctx.
 *
 * An image has up to two functions:
 *	exact	any program; folds record after record, with guards and meter
 *	fast	what does the same for less, under conditions that jit_fold() looks after:
 *		- branch-free, in vectors where that pays, for programs that vm_branchfree.h
 *		  calls reductions. It keeps the state in registers, and writes it only when it
 *		  has folded all records. When one of them must be looked at more closely it
 *		  leaves the state alone and returns JIT_REDO: exact does the span again.
 *		- exact without its meter, for records so short that the program's loops cannot
 *		  use up the budget (vm_cost.h).
 *
 * Threads: images are immutable; a struct jit_ctx belongs to one thread.
 */
#ifndef NF_VM_JIT_H
#define NF_VM_JIT_H

#include "vm/vm.h"
#include "vm/vm_interp.h"

enum { JIT_ABI = 3, JIT_MAX_WIDE_CELLS = 32, JIT_GROUP_CACHE = 4096 };

/* What a compiled function returns. */
enum jit_result {
	JIT_DONE = 0,
	JIT_STOP = 1,  /* FOLD_STOP */
	JIT_TRAP = 2,  /* ctx->trap, ctx->at */
	JIT_GROUP = 3, /* ctx->find_group() said no */
	JIT_REDO = 4,  /* fast, branch-free */
};

/* One entry of the group cache: the last key seen with this hash, and its state. */
struct jit_group {
	uint64_t key[8]; /* zero-extended to whole words */
	uint8_t *state;  /* NULL: empty */
};

struct jit_ctx {
	const void *const *helpers; /* vm_helpers[i].fn */
	uint64_t budget;
	uint64_t records, matched; /* added to */
	uint64_t at;               /* STOP, TRAP, GROUP: index of the record in the call */
	struct vm_trap trap;
	/* Grouped: the state of a key. Called when the cache does not have it; the callee empties
	 * the cache when states have moved. NULL: refused. */
	uint8_t *(*find_group)(struct jit_ctx *ctx, const uint8_t *key);
	struct jit_group *cache; /* JIT_GROUP_CACHE entries */
	uint8_t **dense;         /* key_bytes <= 2: state by key; 65536 entries */
	void *owner;
};

/*
 * Fold n records. fixed: record i is at data + i * record_bytes, starts is NULL. Otherwise it is at
 * data + starts[i] and ends one byte (the newline) before starts[i + 1].
 */
typedef int32_t (*jit_fn)(struct jit_ctx *ctx, const uint8_t *data, uint64_t n,
			  const uint32_t *starts, uint8_t *state, const uint8_t *params,
			  const uint8_t *rodata);

/* The head of an image; the code follows. Everything is checked by jit_image_map(). */
struct jit_image {
	uint32_t magic, abi;
	uint32_t bytes;       /* of the code */
	uint32_t exact, fast; /* offsets into the code; fast UINT32_MAX: there is none */
	uint32_t lanes;       /* of fast: it takes multiples of so many records */
	uint32_t stride;      /* bytes from record to record; lines: 0, and lanes is 1 */
	uint64_t fast_cost;   /* fast: what a record takes from the meter at most; 0: nothing */
	uint32_t fast_bytes;  /* ... if it is no longer than that */
	uint32_t n_wide;      /* 16-byte cells for which fast needs headroom (vm_branchfree.h) */
	uint32_t wide[JIT_MAX_WIDE_CELLS]; /* offsets into the state */
	uint8_t cpu[32]; /* hash of CPU name and features: code runs on that only */
	uint8_t code[];
};

struct jit_options {
	bool fixed;     /* records of one size, lying together; else lines */
	bool plain;     /* leave out fast: for comparisons */
	unsigned lanes; /* 0: choose */
};

/* What the module exports under the name "nearfold_jit". */
struct jit_module {
	uint32_t abi;
	/* Which CPU the code is for: 32 bytes for struct jit_image and for keys of caches. */
	int (*cpu)(uint8_t ret[32], struct nf_error *err);
	/* *ret is malloc()ed. FAILED_PRECONDITION with the reason when it cannot compile it. May be
	 * called from any thread; several wait for each other. */
	int (*compile)(const struct vm_program *vp, const struct jit_options *options,
		       struct jit_image **ret, struct nf_error *err);
};

/* Load the module: path, or NULL: beside this program or library, or in its installation's
 * lib/nearfold. *ret stays valid for the life of the process. UNAVAILABLE with the reason. */
int jit_module_load(const char *path, const struct jit_module **ret, struct nf_error *err);

/* Executable memory (written, then made executable; never both). */
struct jit_code {
	jit_fn exact, fast;            /* fast may be NULL */
	const struct jit_image *image; /* borrowed */
	void *map;
	size_t map_bytes;
};

/* Is it whole: sizes and offsets, not what the code does. size: how many bytes there are. */
bool jit_image_check(const struct jit_image *image, size_t size);

/* Check and map an image; it must outlive the code. size: how many bytes there are at image. */
int jit_image_map(const struct jit_image *image, size_t size, struct jit_code *ret,
		  struct nf_error *err);
void jit_code_unmap(struct jit_code *code); /* takes a zeroed one */

/* The table for ctx->helpers. */
const void *const *jit_helper_table(void);

/* Fold with fast where that is right, with exact where not. longest: no record has more bytes.
 * Returns enum jit_result, never REDO. */
int jit_fold(const struct jit_code *code, struct jit_ctx *ctx, const uint8_t *data, uint64_t n,
	     uint32_t longest, const uint32_t *starts, uint8_t *state, const uint8_t *params,
	     const uint8_t *rodata);

#endif
