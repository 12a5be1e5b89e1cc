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
 * An image has one function for every record, and perhaps a quicker one; jit_fold() chooses:
 *	exact		any program; folds record after record, with guards and meter
 *	unmetered	exact without its meter, for records so short that the program's loops
 *			cannot use up the budget (vm_cost.h)
 *	bulk		branch-free, in vectors where that pays, for programs that vm_branchfree.h
 *			calls reductions. It folds many records into accumulators, which are merged
 *			with the state afterwards. If one of the records fails, the accumulators
 *			are dropped and exact does them again.
 *
 * Threads: images are immutable; a struct jit_ctx belongs to one thread.
 */
#ifndef NF_VM_JIT_H
#define NF_VM_JIT_H

#include "vm/vm.h"
#include "vm/vm_interp.h"

enum {
	JIT_ABI = 5,
	JIT_GROUP_CACHE = 4096,
	JIT_MAX_BOUNDS = 4,
	JIT_MAX_LANES = 16,
	JIT_MAX_ROWS = 256,
};

/* What a compiled function returns. */
enum jit_result {
	JIT_DONE = 0,
	JIT_STOP = 1,  /* FOLD_STOP */
	JIT_TRAP = 2,  /* ctx->trap, ctx->at */
	JIT_GROUP = 3, /* ctx->find_group() said no */
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
 *
 * bulk: n is a multiple of the image's step; it always returns JIT_DONE, does not look at ctx, and
 * writes its accumulators to state, whatever was there: rows of `lanes` 64-bit numbers, one for
 * each cell (ADD128: one of the lower halves, one of the upper), then, as the image says, how many
 * records matched, and last whether one failed (not 0).
 */
typedef int32_t (*jit_fn)(struct jit_ctx *ctx, const uint8_t *data, uint64_t n,
			  const uint32_t *starts, uint8_t *state, const uint8_t *params,
			  const uint8_t *rodata);

/* A record of no more than record_bytes takes no more than cost from the meter. */
struct jit_bound {
	uint64_t record_bytes, cost;
};

/* A piece of the state, and what merges a lane of its row with it. */
struct jit_cell {
	uint16_t offset;
	uint8_t bytes, merge; /* enum bf_merge (vm_branchfree.h), not NONE */
};

enum { JIT_NONE = UINT32_MAX };

/* jit_image.counter, if it is no cell's index */
enum { JIT_COUNTER_ROW = UINT32_MAX - 1, JIT_COUNTER_ALL = UINT32_MAX };

/* The head of an image; the code follows. Everything is checked by jit_image_map(). */
struct jit_image {
	uint32_t magic, abi;
	uint32_t bytes;                  /* of the code */
	uint32_t exact, unmetered, bulk; /* offsets into the code; JIT_NONE: there is none */
	uint32_t stride;                 /* bytes from record to record; lines: 0 */
	/* unmetered */
	uint32_t n_bounds;
	struct jit_bound bounds[JIT_MAX_BOUNDS]; /* ascending */
	/* bulk */
	uint32_t lanes, step; /* step: a multiple of lanes; lines: 1 */
	uint32_t counter;     /* the cell that counts what matches, or JIT_COUNTER_* */
	uint32_t fails;       /* 1: there is a row that says so */
	uint32_t n_cells;
	struct jit_cell cells[JIT_MAX_ROWS];
	uint8_t cpu[32]; /* hash of CPU name and features: code runs on that only */
	uint8_t code[];
};

struct jit_options {
	bool fixed;      /* records of one size, lying together; else lines */
	bool plain;      /* exact alone: for comparisons */
	uint64_t budget; /* that the bounds are looked for; 0: VM_DEFAULT_BUDGET */
	unsigned lanes;  /* 0: choose; a power of two up to JIT_MAX_LANES */
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
	jit_fn exact, unmetered, bulk; /* NULL: there is none */
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

/* Fold with the quickest function that is right. longest: no record has more bytes. Returns enum
 * jit_result. */
int jit_fold(const struct jit_code *code, struct jit_ctx *ctx, const uint8_t *data, uint64_t n,
	     uint32_t longest, const uint32_t *starts, uint8_t *state, const uint8_t *params,
	     const uint8_t *rodata);

#endif
