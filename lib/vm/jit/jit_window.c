/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "jit_window.h"

#include <string.h>

enum { WINDOW = 16, HALF = 8 };

/* The half of a window at `at` that the field lies in, or -1. */
static int half_of(uint32_t at, uint32_t offset, unsigned bytes)
{
	if (offset >= at && offset + bytes <= at + HALF)
		return 0;
	if (offset >= at + HALF && offset + bytes <= at + WINDOW)
		return 1;
	return -1;
}

static int find(const struct jit_windows *w, uint32_t offset, unsigned bytes, int *half)
{
	for (uint32_t i = 0; i < w->n; i++) {
		*half = half_of(w->at[i], offset, bytes);
		if (*half >= 0)
			return (int)i;
	}
	return -1;
}

/* Where a window begins that holds the field, with what comes behind it if possible; record_bytes:
 * there is none. */
static uint32_t place(uint32_t offset, unsigned bytes, uint32_t record_bytes)
{
	uint32_t last = record_bytes - WINDOW;
	const uint32_t wanted[] = {offset / HALF * HALF, offset, last, 0};

	for (unsigned i = 0; i < 4; i++)
		if (wanted[i] <= last && half_of(wanted[i], offset, bytes) >= 0)
			return wanted[i];
	return record_bytes;
}

void jit_windows_init(struct jit_windows *w, const struct vm_branchfree *bf, const bool *needed,
		      uint32_t record_bytes)
{
	uint32_t from = 0;

	*w = (struct jit_windows){0};
	while (record_bytes >= WINDOW && w->n < JIT_MAX_WINDOWS) {
		uint32_t first = UINT32_MAX, at;
		unsigned bytes = 0;
		int half;

		/* The first field from there on that no window has. */
		for (uint32_t i = 0; i < bf->n_nodes; i++) {
			const struct bf_node *n = &bf->nodes[i];

			if (needed[i] && n->op == BF_LOAD && n->region == VM_REGION_RECORD &&
			    n->imm >= from && n->imm < first &&
			    find(w, (uint32_t)n->imm, n->bytes, &half) < 0) {
				first = (uint32_t)n->imm;
				bytes = n->bytes;
			}
		}
		if (first == UINT32_MAX)
			return;
		at = place(first, bytes, record_bytes);
		if (at < record_bytes)
			w->at[w->n++] = at;
		else
			from = first + 1;
	}
}

void jit_windows_next(struct jit_windows *w)
{
	memset(w->half, 0, sizeof(w->half));
}

static LLVMValueRef shuffle(struct jit_emit *e, LLVMValueRef a, LLVMValueRef b,
			    const unsigned *lanes, unsigned n)
{
	LLVMValueRef mask[JIT_MAX_LANES];

	for (unsigned i = 0; i < n; i++)
		mask[i] = LLVMConstInt(e->i32, lanes[i], 0);
	return LLVMBuildShuffleVector(e->b, a, b, LLVMConstVector(mask, n), "");
}

/* n (a power of two) vectors, end to end. Uses v up. */
static LLVMValueRef concat(struct jit_emit *e, LLVMValueRef *v, unsigned n)
{
	for (; n > 1; n /= 2) {
		unsigned lanes[JIT_MAX_LANES], both = 2 * LLVMGetVectorSize(LLVMTypeOf(v[0]));

		for (unsigned i = 0; i < both; i++)
			lanes[i] = i;
		for (unsigned i = 0; i < n / 2; i++)
			v[i] = shuffle(e, v[2 * i], v[2 * i + 1], lanes, both);
	}
	return v[0];
}

static void load(struct jit_windows *w, uint32_t window, struct jit_emit *e, LLVMValueRef record,
		 uint32_t record_bytes, unsigned lanes)
{
	unsigned each = e->vector_bytes / HALF, step;
	LLVMTypeRef type = LLVMVectorType(e->i64, 2);
	LLVMValueRef low[JIT_MAX_LANES], high[JIT_MAX_LANES];

	if (each > lanes)
		each = lanes;
	for (step = 0; step < lanes / each; step++) {
		LLVMValueRef even[JIT_MAX_LANES], odd[JIT_MAX_LANES];
		unsigned interleaved[2][JIT_MAX_LANES];

		for (unsigned i = 0; i < each; i++) {
			uint32_t nth = step * each + i;
			LLVMValueRef at = jit_at_const(e, record,
						       (int64_t)nth * record_bytes + w->at[window]);

			*(i % 2 ? &odd[i / 2] : &even[i / 2]) = jit_load(e, type, at);
			interleaved[0][i] = (i % 2) * each + i / 2 * 2;
			interleaved[1][i] = interleaved[0][i] + 1;
		}
		even[0] = concat(e, even, each / 2);
		odd[0] = concat(e, odd, each / 2);
		low[step] = shuffle(e, even[0], odd[0], interleaved[0], each);
		high[step] = shuffle(e, even[0], odd[0], interleaved[1], each);
	}
	w->half[window][0] = concat(e, low, step);
	w->half[window][1] = concat(e, high, step);
}

LLVMValueRef jit_windows_field(struct jit_windows *w, struct jit_emit *e, LLVMValueRef record,
			       uint32_t record_bytes, unsigned lanes, uint32_t offset,
			       unsigned bytes)
{
	int half, window = find(w, offset, bytes, &half);
	LLVMTypeRef type;
	LLVMValueRef v;
	unsigned shift;

	if (window < 0)
		return NULL;
	if (!w->half[window][half])
		load(w, (uint32_t)window, e, record, record_bytes, lanes);
	v = w->half[window][half];
	type = LLVMTypeOf(v);
	shift = 8 * (offset - w->at[window] - (unsigned)half * HALF);
	if (shift)
		v = LLVMBuildLShr(e->b, v, jit_splat_like(e, shift, type), "");
	if (shift + 8 * bytes < 64)
		v = LLVMBuildAnd(e->b, v, jit_splat_like(e, (1ull << 8 * bytes) - 1, type), "");
	return v;
}
