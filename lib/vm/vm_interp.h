/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_interp.h - the reference interpreter. Runs one entry function of a verified program.
 *
 * It defines the semantics that the JIT and the kernel engine are tested against.
 */
#ifndef NF_VM_INTERP_H
#define NF_VM_INTERP_H

#include "vm/vm.h"

/* The memory of one call. Pointers of regions that the function lacks may be NULL. */
struct vm_memory {
	const uint8_t *record;
	uint32_t record_bytes;
	const uint8_t *params;
	uint8_t *state;
	const uint8_t *from;
	uint8_t *key;
};

enum vm_trap_kind {
	VM_TRAP_NONE,
	VM_TRAP_BOUNDS, /* a guarded access outside its region */
	VM_TRAP_BUDGET, /* the meter ran out */
	VM_TRAP_FAIL,   /* the program called fold_fail(code) */
};

/* Why a run ended early. Also what the other engines report. */
struct vm_trap {
	enum vm_trap_kind kind;
	enum program_kind entry;
	uint32_t insn;  /* flat instruction */
	uint8_t region; /* BOUNDS: enum vm_region */
	uint32_t access_bytes;
	int64_t offset; /* BOUNDS: into the region */
	uint64_t region_bytes;
	uint32_t code;   /* FAIL */
	uint64_t budget; /* BUDGET: how large it was */
};

/* Fill err from a trap: OUT_OF_RANGE, where = source line and `record` (e.g. "trades.bin, record at
 * byte 4096"; may be NULL), text = what happened. Returns the negative errno. */
int vm_trap_error(const struct vm_program *vp, const struct vm_trap *trap, const char *record,
		  struct nf_error *err);
/* The code of a VM_TRAP_FAIL from the text that vm_trap_error() wrote, which may have come from a
 * node. False: it is another text. */
bool vm_trap_fail_code(const char *text, uint32_t *ret);

/*
 * A machine: stack and meter of one thread. Holds a reference to vp. budget 0: VM_DEFAULT_BUDGET.
 * -ENOMEM; -EINVAL when vp was not made by vm_verify().
 */
struct vm_machine;
int vm_machine_new(const struct vm_program *vp, uint64_t budget, struct vm_machine **ret);
void vm_machine_free(struct vm_machine *m);

/* Refill the meter; call it before each record and before each combine. */
void vm_machine_refill(struct vm_machine *m);

/*
 * Run. Returns true and the value of r0, or false and *trap. On a trap the state may hold a part
 * of the record's effect: the query has failed.
 */
bool vm_interp(struct vm_machine *m, enum program_kind entry, const struct vm_memory *mem,
	       uint64_t *ret_r0, struct vm_trap *trap);

/*
 * For tests and debuggers: fn sees the machine before each instruction. A machine that nobody
 * observes pays nothing. fn NULL ends it. `origin` is the address that a region's offsets count
 * from: its first byte, of the stack r10.
 */
struct vm_view {
	enum program_kind entry;
	uint32_t insn;       /* flat instruction about to run */
	const uint64_t *reg; /* r0..r10 */
	uint64_t origin[VM_REGIONS];
	uint64_t region_bytes[VM_REGIONS];
};
typedef void (*vm_observe_fn)(void *arg, const struct vm_view *view);
void vm_machine_observe(struct vm_machine *m, vm_observe_fn fn, void *arg);

#endif
