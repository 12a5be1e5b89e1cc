/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jit_bulk.c - the scan loop of programs that are reductions: the expression graph, emitted for
 * `lanes` records at once, with an accumulator of so many values for each cell.
 *
 *	entry		what does not depend on the record, once
 *	loop		their fields by jit_window.h (a gather costs four times as much). A step is
 *			one or more times lanes records; what is left of n is the caller's to give
 *			to exact (jit_fold): a second loop would cost as much time to compile as
 *			this one.
 *	end		the accumulators are stored. To merge lanes here would be half of the code
 *			of a large program; jit_fold() does it from the image's table.
 */
#include "jit_emit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "jit_bulk_plan.h"
#include "jit_window.h"

/* So few nodes leave a step of one vector too short for what a turn of the loop costs. */
enum { FEW_NODES = 12 };

struct lanes {
	unsigned n;             /* 1: scalars */
	LLVMTypeRef i64, i1;    /* types of a value and a condition */
	LLVMValueRef *values;   /* by node; NULL: not emitted (yet) */
	LLVMValueRef record;    /* address of the first lane's record */
	LLVMValueRef length;    /* lines: of the (one) record */
	LLVMValueRef *acc;      /* by cell: alloca of the accumulator */
	LLVMValueRef *acc_high; /* 128-bit sums in lanes: the high halves */
	LLVMValueRef matched;   /* alloca; with a counter nothing is in it */
	LLVMValueRef failed;    /* alloca of conditions */
	struct jit_windows windows;
};

struct bulk {
	struct jit_emit *e;
	const struct vm_branchfree *bf;
	struct bulk_plan plan;
	LLVMValueRef *once; /* by node: emitted at the entry */
};

static LLVMValueRef splat(struct jit_emit *e, LLVMValueRef v, LLVMTypeRef type)
{
	LLVMValueRef one, mask;

	if (LLVMGetTypeKind(type) != LLVMVectorTypeKind)
		return v;
	one = LLVMBuildInsertElement(e->b, LLVMGetPoison(type), v, LLVMConstInt(e->i32, 0, 0), "");
	mask = LLVMConstNull(LLVMVectorType(e->i32, LLVMGetVectorSize(type)));
	return LLVMBuildShuffleVector(e->b, one, LLVMGetPoison(type), mask, "");
}

/* Short records, end to end: one wide load, and a shuffle takes the field. */
static LLVMValueRef load_strided(struct bulk *f, const struct lanes *l, const struct bf_node *n)
{
	struct jit_emit *e = f->e;
	unsigned stride = e->vp->bounds.record_max_bytes / n->bytes;
	unsigned at = (unsigned)n->imm / n->bytes;
	LLVMTypeRef wide = LLVMVectorType(jit_int(e, n->bytes), l->n * stride);
	LLVMValueRef mask[JIT_MAX_LANES];

	for (unsigned i = 0; i < l->n; i++)
		mask[i] = LLVMConstInt(e->i32, at + i * stride, 0);
	return LLVMBuildShuffleVector(e->b, jit_load(e, wide, l->record), LLVMGetPoison(wide),
				      LLVMConstVector(mask, l->n), "");
}

static LLVMValueRef load_each(struct bulk *f, const struct lanes *l, const struct bf_node *n)
{
	struct jit_emit *e = f->e;
	LLVMTypeRef type = jit_int(e, n->bytes);
	LLVMValueRef v = LLVMGetPoison(LLVMVectorType(type, l->n));

	for (unsigned i = 0; i < l->n; i++) {
		int64_t at = (int64_t)n->imm + (int64_t)i * e->vp->bounds.record_max_bytes;
		LLVMValueRef one = jit_load(e, type, jit_at_const(e, l->record, at));

		v = LLVMBuildInsertElement(e->b, v, one, LLVMConstInt(e->i32, i, 0), "");
	}
	return v;
}

static LLVMValueRef load_field(struct bulk *f, struct lanes *l, const struct bf_node *n)
{
	struct jit_emit *e = f->e;
	uint32_t record_bytes = e->vp->bounds.record_max_bytes;
	LLVMValueRef v;

	if (l->n == 1) {
		v = jit_load(e, jit_int(e, n->bytes), jit_at_const(e, l->record, (int64_t)n->imm));
	} else if (record_bytes <= 8 && record_bytes % n->bytes == 0 && n->imm % n->bytes == 0) {
		v = load_strided(f, l, n);
	} else {
		v = jit_windows_field(&l->windows, e, l->record, record_bytes, l->n,
				      (uint32_t)n->imm, n->bytes);
		if (v)
			return v;
		v = load_each(f, l, n);
	}
	return n->bytes == 8 ? v : LLVMBuildZExt(e->b, v, l->i64, "");
}

/* A node's value as 64 bits a lane; conditions are kept as i1. */
static LLVMValueRef value(struct bulk *f, const struct lanes *l, uint32_t i)
{
	LLVMValueRef v = l->values[i];

	if (LLVMTypeOf(v) == l->i1)
		v = LLVMBuildZExt(f->e->b, v, l->i64, "");
	return v;
}

static LLVMValueRef condition(struct bulk *f, const struct lanes *l, uint32_t i)
{
	LLVMValueRef v = l->values[i];

	if (LLVMTypeOf(v) != l->i1)
		v = LLVMBuildTrunc(f->e->b, v, l->i1, "");
	return v;
}

static LLVMTypeRef narrow_like(struct jit_emit *e, LLVMTypeRef type, unsigned bytes)
{
	return LLVMGetTypeKind(type) == LLVMVectorTypeKind
		       ? LLVMVectorType(jit_int(e, bytes), LLVMGetVectorSize(type))
		       : jit_int(e, bytes);
}

static LLVMValueRef overflows(struct jit_emit *e, const char *name, LLVMTypeRef type,
			      LLVMValueRef a, LLVMValueRef x)
{
	LLVMValueRef args[] = {a, x};

	return LLVMBuildExtractValue(e->b, jit_intrinsic(e, name, type, args, 2), 1, "");
}

/* One node. NULL: there is no form for it here. */
static LLVMValueRef emit_node(struct bulk *f, struct lanes *l, uint32_t i)
{
	struct jit_emit *e = f->e;
	LLVMBuilderRef b = e->b;
	const struct bf_node *n = &f->bf->nodes[i];
	LLVMValueRef a = NULL, x = NULL;

	if (n->wide || n->op == BF_CELL || n->op == BF_OVER128 || n->op == BF_OVERSUM128)
		return NULL;
	switch (n->op) {
	case BF_NOT:
		return LLVMBuildNot(b, condition(f, l, n->a), "");
	case BF_BOTH:
		return LLVMBuildAnd(b, condition(f, l, n->a), condition(f, l, n->b), "");
	case BF_EITHER:
		return LLVMBuildOr(b, condition(f, l, n->a), condition(f, l, n->b), "");
	case BF_SELECT:
		return LLVMBuildSelect(b, condition(f, l, n->a), value(f, l, n->b),
				       value(f, l, n->c), "");
	case BF_LEN:
		return l->length;
	case BF_LOAD:
		if (n->region == VM_REGION_RECORD)
			return load_field(f, l, n);
		a = jit_load(e, jit_int(e, n->bytes),
			     jit_at_const(e, n->region == VM_REGION_PARAMS ? e->params : e->rodata,
					  (int64_t)n->imm));
		return n->bytes == 8 ? a : LLVMBuildZExt(b, a, e->i64, "");
	case BF_CONST:
		return jit_splat_like(e, n->imm, l->i64);
	default:
		break;
	}
	if (n->a != BF_NONE)
		a = value(f, l, n->a);
	if (n->b != BF_NONE)
		x = value(f, l, n->b);
	switch (n->op) {
	case BF_ADD:
		return LLVMBuildAdd(b, a, x, "");
	case BF_SUB:
		return LLVMBuildSub(b, a, x, "");
	case BF_MUL:
		return LLVMBuildMul(b, a, x, "");
	case BF_UDIV:
		return jit_divide(e, a, x, false, false);
	case BF_SDIV:
		return jit_divide(e, a, x, true, false);
	case BF_UMOD:
		return jit_divide(e, a, x, false, true);
	case BF_SMOD:
		return jit_divide(e, a, x, true, true);
	case BF_AND:
		return LLVMBuildAnd(b, a, x, "");
	case BF_OR:
		return LLVMBuildOr(b, a, x, "");
	case BF_XOR:
		return LLVMBuildXor(b, a, x, "");
	case BF_SHL:
		return LLVMBuildShl(b, a, x, "");
	case BF_SHR:
		return LLVMBuildLShr(b, a, x, "");
	case BF_SAR:
		return LLVMBuildAShr(b, a, x, "");
	case BF_ZEXT:
		return LLVMBuildZExt(b, LLVMBuildTrunc(b, a, narrow_like(e, l->i64, n->bytes), ""),
				     l->i64, "");
	case BF_SEXT:
		return LLVMBuildSExt(b, LLVMBuildTrunc(b, a, narrow_like(e, l->i64, n->bytes), ""),
				     l->i64, "");
	case BF_BSWAP: {
		LLVMTypeRef type = narrow_like(e, l->i64, n->bytes);
		LLVMValueRef part = n->bytes == 8 ? a : LLVMBuildTrunc(b, a, type, "");

		part = jit_intrinsic(e, "llvm.bswap", type, &part, 1);
		return n->bytes == 8 ? part : LLVMBuildZExt(b, part, l->i64, "");
	}
	case BF_EQ:
		return LLVMBuildICmp(b, LLVMIntEQ, a, x, "");
	case BF_ULT:
		return LLVMBuildICmp(b, LLVMIntULT, a, x, "");
	case BF_SLT:
		return LLVMBuildICmp(b, LLVMIntSLT, a, x, "");
	case BF_ADDOVER:
		return overflows(e, "llvm.sadd.with.overflow", l->i64, a, x);
	case BF_MULOVER:
		return overflows(e, "llvm.smul.with.overflow", l->i64, a, x);
	case BF_CALL:
		return jit_inline_helper(e, (int32_t)n->imm, a, x);
	default:
		return NULL;
	}
}

/* The needed nodes that do not vary, at the entry. */
static int emit_once(struct bulk *f, struct lanes *entry)
{
	for (uint32_t i = 0; i < f->bf->n_nodes; i++) {
		if (!f->plan.needed[i] || f->plan.varies[i])
			continue;
		f->once[i] = entry->values[i] = emit_node(f, entry, i);
		if (!f->once[i])
			return -ENOTSUP;
	}
	return 0;
}

static bool is_minmax(enum bf_merge m)
{
	return m >= BF_MERGE_UMIN && m <= BF_MERGE_SMAX;
}

/* A cell's bytes, extended to 64 bits as its merge compares them. */
static LLVMValueRef extend(struct jit_emit *e, const struct bf_cell *cell, LLVMValueRef v,
			   LLVMTypeRef type)
{
	bool is_signed = cell->merge == BF_MERGE_SMIN || cell->merge == BF_MERGE_SMAX;

	if (cell->bytes >= 8 || !is_minmax(cell->merge))
		return v;
	v = LLVMBuildTrunc(e->b, v, narrow_like(e, type, cell->bytes), "");
	return is_signed ? LLVMBuildSExt(e->b, v, type, "") : LLVMBuildZExt(e->b, v, type, "");
}

/* The value that an accumulator begins with. */
static LLVMValueRef neutral(const struct lanes *l, struct jit_emit *e, enum bf_merge m)
{
	switch (m) {
	case BF_MERGE_ADD128:
		return l->n == 1 ? LLVMConstNull(e->i128) : LLVMConstNull(l->i64);
	case BF_MERGE_AND:
	case BF_MERGE_UMIN:
		return LLVMConstAllOnes(l->i64);
	case BF_MERGE_SMIN:
		return jit_splat_like(e, INT64_MAX, l->i64);
	case BF_MERGE_SMAX:
		return jit_splat_like(e, (uint64_t)INT64_MIN, l->i64);
	default:
		return LLVMConstNull(l->i64);
	}
}

/* acc += high:x where keep holds. In lanes the halves are apart. */
static void add128(struct bulk *f, struct lanes *l, uint32_t c, LLVMValueRef x, LLVMValueRef high,
		   LLVMValueRef keep)
{
	struct jit_emit *e = f->e;
	LLVMValueRef low, carry, wide;

	if (keep) {
		x = LLVMBuildSelect(e->b, keep, x, LLVMConstNull(l->i64), "");
		high = LLVMBuildSelect(e->b, keep, high, LLVMConstNull(l->i64), "");
	}
	if (l->n == 1) {
		wide = LLVMBuildShl(e->b, LLVMBuildZExt(e->b, high, e->i128, ""),
				    LLVMConstInt(e->i128, 64, 0), "");
		wide = LLVMBuildOr(e->b, wide, LLVMBuildZExt(e->b, x, e->i128, ""), "");
		wide = LLVMBuildAdd(e->b, LLVMBuildLoad2(e->b, e->i128, l->acc[c], ""), wide, "");
		LLVMBuildStore(e->b, wide, l->acc[c]);
		return;
	}
	low = LLVMBuildAdd(e->b, LLVMBuildLoad2(e->b, l->i64, l->acc[c], ""), x, "");
	carry = LLVMBuildZExt(e->b, LLVMBuildICmp(e->b, LLVMIntULT, low, x, ""), l->i64, "");
	high = LLVMBuildAdd(e->b, LLVMBuildLoad2(e->b, l->i64, l->acc_high[c], ""), high, "");
	LLVMBuildStore(e->b, low, l->acc[c]);
	LLVMBuildStore(e->b, LLVMBuildAdd(e->b, high, carry, ""), l->acc_high[c]);
}

/* Merge the operand of a cell with its accumulator, if the record counts. */
static void accumulate(struct bulk *f, struct lanes *l, uint32_t c, LLVMValueRef keep)
{
	static const LLVMIntPredicate better_if[] = {
		[BF_MERGE_UMIN] = LLVMIntULT,
		[BF_MERGE_UMAX] = LLVMIntUGT,
		[BF_MERGE_SMIN] = LLVMIntSLT,
		[BF_MERGE_SMAX] = LLVMIntSGT,
	};
	static const LLVMOpcode opcode[] = {
		[BF_MERGE_ADD] = LLVMAdd,
		[BF_MERGE_OR] = LLVMOr,
		[BF_MERGE_AND] = LLVMAnd,
		[BF_MERGE_XOR] = LLVMXor,
	};
	struct jit_emit *e = f->e;
	const struct bf_cell *cell = &f->bf->cells[c];
	LLVMTypeRef type = l->i64;
	LLVMValueRef x = extend(e, cell, value(f, l, cell->operand), type), acc;

	if (cell->when != BF_NONE) {
		LLVMValueRef when = condition(f, l, cell->when);

		keep = keep ? LLVMBuildAnd(e->b, keep, when, "") : when;
	}
	if (cell->merge == BF_MERGE_ADD128) {
		add128(f, l, c, x, value(f, l, cell->high), keep);
		return;
	}
	acc = LLVMBuildLoad2(e->b, type, l->acc[c], "");
	if (is_minmax(cell->merge)) {
		LLVMValueRef better = LLVMBuildICmp(e->b, better_if[cell->merge], x, acc, "");

		x = LLVMBuildSelect(e->b, better, x, acc, "");
		x = keep ? LLVMBuildSelect(e->b, keep, x, acc, "") : x;
	} else {
		if (keep)
			x = LLVMBuildSelect(e->b, keep, x, neutral(l, e, cell->merge), "");
		x = LLVMBuildBinOp(e->b, opcode[cell->merge], acc, x, "");
	}
	LLVMBuildStore(e->b, x, l->acc[c]);
}

/* The nodes that are early, or those that are not. */
static int emit_nodes(struct bulk *f, struct lanes *l, bool early)
{
	for (uint32_t i = 0; i < f->bf->n_nodes; i++) {
		if (!f->plan.needed[i] || f->plan.early[i] != early)
			continue;
		if (f->once[i])
			l->values[i] = splat(f->e, f->once[i],
					     LLVMTypeOf(f->once[i]) == f->e->i1 ? l->i1 : l->i64);
		else
			l->values[i] = emit_node(f, l, i);
		if (!l->values[i])
			return -ENOTSUP;
	}
	return 0;
}

static void note_failure(struct bulk *f, struct lanes *l)
{
	LLVMValueRef bad = condition(f, l, f->bf->reduce_fails);
	LLVMValueRef failed = LLVMBuildLoad2(f->e->b, l->i1, l->failed, "");

	LLVMBuildStore(f->e->b, LLVMBuildOr(f->e->b, failed, bad, ""), l->failed);
}

static void count_matches(struct jit_emit *e, struct lanes *l, LLVMValueRef keep)
{
	LLVMValueRef matched = LLVMBuildLoad2(e->b, l->i64, l->matched, "");
	LLVMValueRef count = LLVMBuildZExt(e->b, keep, l->i64, "");

	LLVMBuildStore(e->b, LLVMBuildAdd(e->b, matched, count, ""), l->matched);
}

/* Is the condition true in any lane? */
static LLVMValueRef in_any(struct jit_emit *e, const struct lanes *l, LLVMValueRef v)
{
	if (l->n == 1)
		return v;
	v = LLVMBuildBitCast(e->b, v, LLVMIntTypeInContext(e->context, l->n), "");
	return LLVMBuildIsNotNull(e->b, v, "");
}

/* The body of a loop: `lanes` records at l->record. */
static int emit_records(struct bulk *f, struct lanes *l)
{
	struct jit_emit *e = f->e;
	const struct vm_branchfree *bf = f->bf;
	LLVMBasicBlockRef next = NULL;
	LLVMValueRef keep;
	bool late_failures = f->plan.only_matches_fail;
	int err;

	jit_windows_next(&l->windows);
	err = emit_nodes(f, l, true);
	if (err)
		return err;
	keep = bf->match == BF_NONE ? NULL : condition(f, l, bf->match);
	if (!late_failures)
		note_failure(f, l);
	if (f->plan.heavy) {
		LLVMBasicBlockRef some = jit_block(e, "some");

		next = jit_block(e, "none");
		LLVMBuildCondBr(e->b, in_any(e, l, keep), some, next);
		LLVMPositionBuilderAtEnd(e->b, some);
	}
	err = emit_nodes(f, l, false);
	if (err)
		return err;
	for (uint32_t c = 0; c < bf->n_cells; c++)
		if (bf->cells[c].merge != BF_MERGE_NONE)
			accumulate(f, l, c, keep);
	if (keep && f->plan.counter == BF_NONE)
		count_matches(e, l, keep);
	if (late_failures && bf->reduce_fails != BF_NONE)
		note_failure(f, l);
	if (next) {
		LLVMBuildBr(e->b, next);
		LLVMPositionBuilderAtEnd(e->b, next);
	}
	return 0;
}

static int lanes_init(struct bulk *f, struct lanes *l, unsigned n)
{
	struct jit_emit *e = f->e;

	*l = (struct lanes){
		.n = n,
		.i64 = n == 1 ? e->i64 : LLVMVectorType(e->i64, n),
		.i1 = n == 1 ? e->i1 : LLVMVectorType(e->i1, n),
		.values = calloc(f->bf->n_nodes, sizeof(LLVMValueRef)),
	};
	return l->values ? 0 : -ENOMEM;
}

/* What a loop has, and the entry does not need: accumulators and windows. */
static int loop_init(struct bulk *f, struct lanes *l)
{
	struct jit_emit *e = f->e;
	const struct vm_branchfree *bf = f->bf;

	l->acc = calloc(bf->n_cells + 1, sizeof(LLVMValueRef));
	l->acc_high = calloc(bf->n_cells + 1, sizeof(LLVMValueRef));
	if (!l->acc || !l->acc_high)
		return -ENOMEM;
	jit_windows_init(&l->windows, bf, f->plan.needed,
			 l->n > 1 ? e->vp->bounds.record_max_bytes : 0);
	l->matched = LLVMBuildAlloca(e->b, l->i64, "");
	l->failed = LLVMBuildAlloca(e->b, l->i1, "");
	LLVMBuildStore(e->b, LLVMConstNull(l->i64), l->matched);
	LLVMBuildStore(e->b, LLVMConstNull(l->i1), l->failed);
	for (uint32_t c = 0; c < bf->n_cells; c++) {
		LLVMValueRef v;

		if (bf->cells[c].merge == BF_MERGE_NONE)
			continue;
		v = neutral(l, e, bf->cells[c].merge);
		l->acc[c] = LLVMBuildAlloca(e->b, LLVMTypeOf(v), "");
		LLVMBuildStore(e->b, v, l->acc[c]);
		if (bf->cells[c].merge == BF_MERGE_ADD128 && l->n > 1) {
			l->acc_high[c] = LLVMBuildAlloca(e->b, l->i64, "");
			LLVMBuildStore(e->b, v, l->acc_high[c]);
		}
	}
	return 0;
}

static void lanes_done(struct lanes *l)
{
	free(l->values);
	free(l->acc);
	free(l->acc_high);
}

/* for (; index + step <= n; index += step) */
static int emit_loop(struct bulk *f, struct lanes *l, LLVMValueRef index, unsigned step)
{
	struct jit_emit *e = f->e;
	uint32_t bytes = e->vp->bounds.record_max_bytes;
	LLVMBasicBlockRef loop = jit_block(e, "loop"), body = jit_block(e, "body");
	LLVMBasicBlockRef end = jit_block(e, "end");
	LLVMValueRef i, next;
	int err;

	LLVMBuildBr(e->b, loop);
	LLVMPositionBuilderAtEnd(e->b, loop);
	i = LLVMBuildLoad2(e->b, e->i64, index, "");
	next = LLVMBuildAdd(e->b, i, jit_const(e, step), "");
	LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntULE, next, e->n, ""), body, end);
	LLVMPositionBuilderAtEnd(e->b, body);
	if (e->options->fixed) {
		l->record = jit_at(e, e->data, LLVMBuildMul(e->b, i, jit_const(e, bytes), ""));
		jit_emit_prefetch(e, l->record, step, f->plan.n_needed <= FEW_NODES);
	} else {
		LLVMValueRef at = LLVMBuildGEP2(e->b, e->i32, e->starts, &i, 1, "");
		LLVMValueRef after = LLVMBuildGEP2(e->b, e->i32, e->starts, &next, 1, "");

		at = LLVMBuildZExt(e->b, LLVMBuildLoad2(e->b, e->i32, at, ""), e->i64, "");
		after = LLVMBuildZExt(e->b, LLVMBuildLoad2(e->b, e->i32, after, ""), e->i64, "");
		l->record = jit_at(e, e->data, at);
		l->length =
			LLVMBuildSub(e->b, LLVMBuildSub(e->b, after, at, ""), jit_const(e, 1), "");
	}
	err = emit_records(f, l);
	for (unsigned done = l->n; !err && done < step; done += l->n) {
		l->record = jit_at_const(e, l->record, (int64_t)l->n * bytes);
		err = emit_records(f, l);
	}
	LLVMBuildStore(e->b, next, index);
	LLVMBuildBr(e->b, loop);
	LLVMPositionBuilderAtEnd(e->b, end);
	return err;
}

/* Store the accumulators, a row each, in the order that jit.h tells; list the cells. */
static void emit_end(struct bulk *f, const struct lanes *l, struct jit_image *head)
{
	struct jit_emit *e = f->e;
	const struct vm_branchfree *bf = f->bf;
	int64_t row_bytes = 8 * l->n;
	LLVMValueRef to = e->state;

	for (uint32_t c = 0; c < bf->n_cells; c++) {
		const struct bf_cell *cell = &bf->cells[c];

		if (cell->merge == BF_MERGE_NONE)
			continue;
		if (c == f->plan.counter)
			head->counter = head->n_cells;
		head->cells[head->n_cells++] = (struct jit_cell){
			.offset = (uint16_t)cell->offset,
			.bytes = (uint8_t)cell->bytes,
			.merge = (uint8_t)cell->merge,
		};
		jit_store(e, LLVMBuildLoad2(e->b, LLVMGetAllocatedType(l->acc[c]), l->acc[c], ""),
			  to);
		if (l->acc_high[c])
			jit_store(e, LLVMBuildLoad2(e->b, l->i64, l->acc_high[c], ""),
				  jit_at_const(e, to, row_bytes));
		to = jit_at_const(e, to, row_bytes * (cell->merge == BF_MERGE_ADD128 ? 2 : 1));
	}
	if (bf->match != BF_NONE && f->plan.counter == BF_NONE) {
		head->counter = JIT_COUNTER_ROW;
		jit_store(e, LLVMBuildLoad2(e->b, l->i64, l->matched, ""), to);
		to = jit_at_const(e, to, row_bytes);
	}
	if (bf->reduce_fails != BF_NONE) {
		LLVMValueRef failed = LLVMBuildLoad2(e->b, l->i1, l->failed, "");

		head->fails = 1;
		jit_store(e, LLVMBuildZExt(e->b, failed, l->i64, ""), to);
	}
	LLVMBuildRet(e->b, LLVMConstInt(e->i32, JIT_DONE, 0));
}

/* A vector register of lanes: more of them at once are too many values for the registers. */
static unsigned choose_lanes(const struct jit_emit *e)
{
	if (!e->options->fixed)
		return 1;
	if (e->options->lanes)
		return e->options->lanes;
	return e->vector_bytes < 32 ? 1 : e->vector_bytes / 8;
}

static unsigned choose_step(const struct bulk *f, unsigned lanes)
{
	return lanes > 1 && f->plan.n_needed <= FEW_NODES ? 2 * lanes : lanes;
}

static bool fits(const struct vm_branchfree *bf)
{
	uint32_t rows = 2;

	for (uint32_t c = 0; c < bf->n_cells; c++)
		rows += bf->cells[c].merge == BF_MERGE_NONE     ? 0
			: bf->cells[c].merge == BF_MERGE_ADD128 ? 2
								: 1;
	return rows <= JIT_MAX_ROWS;
}

int jit_emit_bulk(struct jit_emit *e, const struct vm_branchfree *bf, struct jit_image *head)
{
	struct bulk f = {
		.e = e,
		.bf = bf,
		.once = calloc(bf->n_nodes, sizeof(LLVMValueRef)),
	};
	struct lanes entry = {0}, body = {0};
	LLVMValueRef index;
	bool begun = false;
	int err = -ENOMEM;

	if (!f.once || bulk_plan_init(&f.plan, bf))
		goto out;
	err = -ENOTSUP;
	if (!fits(bf))
		goto out;
	head->lanes = choose_lanes(e);
	head->step = choose_step(&f, head->lanes);
	head->counter = JIT_COUNTER_ALL;
	jit_emit_function(e, "bulk");
	begun = true;
	index = LLVMBuildAlloca(e->b, e->i64, "index");
	LLVMBuildStore(e->b, jit_const(e, 0), index);
	err = lanes_init(&f, &entry, 1);
	if (!err)
		err = emit_once(&f, &entry);
	if (!err)
		err = lanes_init(&f, &body, head->lanes);
	if (!err)
		err = loop_init(&f, &body);
	if (!err)
		err = emit_loop(&f, &body, index, head->step);
	if (!err)
		emit_end(&f, &body, head);
out:
	if (err && begun) /* with its open blocks */
		LLVMDeleteFunction(e->fn);
	lanes_done(&entry);
	lanes_done(&body);
	free(f.once);
	bulk_plan_done(&f.plan);
	return err;
}
