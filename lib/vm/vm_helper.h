/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_helper.h - the helper table: the functions a program may call, one row each. The verifier,
 * each engine, bpf/nearfold.bpf.h (tested against it) and docs/program-abi.md read this table.
 *
 * Helpers are pure functions of their arguments: same arguments, same bits, on every engine.
 * Numbers begin at VM_HELPER_BASE and are never reused. Doubles travel as the bit pattern in a u64
 * (IEEE 754 binary64, round to nearest even; a NaN result is always the canonical quiet NaN
 * 0x7ff8000000000000, so that every engine gives the same bits).
 */
#ifndef NF_VM_HELPER_H
#define NF_VM_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM_HELPER_BASE 0x10000

enum { VM_HELPER_BYTES_PER_CHARGE = 16 }; /* see vm.h, metering */

enum vm_arg {
	VM_ARG_NONE,
	VM_ARG_SCALAR,
	VM_ARG_MEM_READ,    /* pointer to readable memory; the next argument is its size in bytes */
	VM_ARG_SIZE,        /* the size of the argument before; any u64 below 2^31 */
	VM_ARG_READ_FIXED,  /* pointer to `fixed_bytes` readable bytes */
	VM_ARG_WRITE_FIXED, /* pointer to `fixed_bytes` bytes that the helper reads and writes; on
			     * the stack they need not be written before if the row says write_only
			     */
};

struct vm_helper_ctx; /* engine's context: fold_fail needs it */
typedef uint64_t (*vm_helper_fn)(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);

struct vm_helper {
	const char *name;      /* "fold_f64_add" */
	const char *prototype; /* as nearfold.bpf.h has it */
	const char *what;      /* one line for the documentation */
	vm_helper_fn fn;       /* NULL: ends the query (fold_fail), each engine does it itself */
	uint8_t arg[5];        /* enum vm_arg */
	uint8_t fixed_bytes;
	uint8_t write_only;
	/* The range of the result, for the verifier; ret_max < ret_min: any 64-bit value. */
	int64_t ret_min, ret_max;
};

extern const struct vm_helper vm_helpers[]; /* number VM_HELPER_BASE + index */
extern const size_t vm_n_helpers;

/* Does a call cost what it reads (vm.h, metering): has it a VM_ARG_MEM_READ? */
bool vm_helper_is_metered(const struct vm_helper *h);

/* NULL when there is no such number. */
const struct vm_helper *vm_helper_by_number(int32_t number);
const char *vm_helper_name(int32_t number); /* for program_disasm.h */

#endif
