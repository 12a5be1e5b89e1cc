/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jit_window.h - fields of several records as vectors, a lane a record.
 *
 * A window is 16 bytes at the same place of every record. Two loads bring the windows of records
 * 0, 2 and of 1, 3 into a register each, and interleaving their halves gives a vector of the first
 * eight bytes of all four and one of the last: three instructions a vector, whatever the records'
 * length. A field that lies in a half is a shift and a mask from there.
 */
#ifndef NF_VM_JIT_WINDOW_H
#define NF_VM_JIT_WINDOW_H

#include "jit_emit.h"

enum { JIT_MAX_WINDOWS = 8 };

struct jit_windows {
	uint32_t n, at[JIT_MAX_WINDOWS]; /* offsets into the record */
	/* Of the records being folded; NULL: not loaded yet. */
	LLVMValueRef half[JIT_MAX_WINDOWS][2];
};

/* Windows for those fields of the record that bf reads and needed (by node) names. Fields that do
 * not fit any, and those beyond the number of windows, stay without. */
void jit_windows_init(struct jit_windows *w, const struct vm_branchfree *bf, const bool *needed,
		      uint32_t record_bytes);

/* The builder is at the next records. */
void jit_windows_next(struct jit_windows *w);

/* The field of `lanes` records (a multiple of the vector register's lanes), the first one at
 * `record`, zero-extended to <lanes x i64>. NULL: it is in no window. */
LLVMValueRef jit_windows_field(struct jit_windows *w, struct jit_emit *e, LLVMValueRef record,
			       uint32_t record_bytes, unsigned lanes, uint32_t offset,
			       unsigned bytes);

#endif
