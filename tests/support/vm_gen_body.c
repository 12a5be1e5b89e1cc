/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_gen_body.c - random statements. Each keeps the model true: a register is read only where it
 * is written on every way; behind a branch or loop the model is what holds on both ways.
 *
 * r6..r8 hold the entry's pointers throughout; r0..r5 and r9 are scalars or pointers for a while.
 */
#include "tests/support/vm_gen_body.h"

#include <string.h>

#include "base/scope.h"
#include "tests/support/vm_asm.h"
#include "vm/vm_helper.h"

enum { MAX_DEPTH = 3, MAX_ROWS = 160, COUNTER_OFFSET = -8 * (GEN_STACK_SLOTS + 1) };

/* ---- chance ---------------------------------------------------------------------------------- */

unsigned gen_below(struct gen_body *b, unsigned n)
{
	return (unsigned)(vm_gen_random(b->seed) >> 11) % n;
}

bool gen_chance(struct gen_body *b, unsigned percent)
{
	return gen_below(b, 100) < percent;
}

int32_t gen_edge(struct gen_body *b)
{
	static const int32_t edges[] = {0,         1,  2,  3,  7,   8,   10,   16,      31,
					32,        63, 64, 65, 100, 127, 255,  0x7fff,  0xffff,
					INT32_MAX, -1, -2, -3, -8,  -64, -128, -0x8000, INT32_MIN};

	if (gen_chance(b, 15))
		return (int32_t)vm_gen_random(b->seed);
	return edges[gen_below(b, ARRAY_SIZE(edges))];
}

/* ---- emitting -------------------------------------------------------------------------------- */

static void put(struct gen_body *b, const struct bpf_insn *insns, unsigned n)
{
	if (b->n + n > GEN_MAX_INSNS)
		return; /* limit leaves ample room: see gen_statements() */
	memcpy(b->insns + b->n, insns, n * sizeof(*insns));
	b->n += n;
}

void gen_op(struct gen_body *b, const struct vm_op *op)
{
	struct bpf_insn insns[2];
	struct vm_op full = *op;

	full.kind = vm_op_infos[op->op].kind;
	put(b, insns, vm_encode(&full, insns));
}

void gen_mov(struct gen_body *b, unsigned dst, unsigned src)
{
	gen_op(b, &(struct vm_op){
			  .op = VM_OP_MOV, .width = 64, .dst = (uint8_t)dst, .src = (uint8_t)src});
	b->model.reg[dst] = b->model.reg[src];
}

void gen_set(struct gen_body *b, unsigned dst, int64_t imm)
{
	bool wide = imm != (int32_t)imm || gen_chance(b, 5);

	gen_op(b, &(struct vm_op){.op = wide ? VM_OP_IMM64 : VM_OP_MOV,
				  .width = 64,
				  .use_imm = true,
				  .dst = (uint8_t)dst,
				  .imm = imm});
	b->model.reg[dst] = (struct gen_value){.kind = GEN_SCALAR};
}

void gen_alu_imm(struct gen_body *b, unsigned op, unsigned dst, int64_t imm)
{
	gen_op(b, &(struct vm_op){.op = (uint8_t)op,
				  .width = 64,
				  .use_imm = true,
				  .dst = (uint8_t)dst,
				  .imm = imm});
}

void gen_load(struct gen_body *b, unsigned bytes, unsigned dst, unsigned src, int off)
{
	gen_op(b, &(struct vm_op){.op = VM_OP_LOAD,
				  .width = 64,
				  .bytes = (uint8_t)bytes,
				  .sign = bytes < 8 && gen_chance(b, 30),
				  .dst = (uint8_t)dst,
				  .src = (uint8_t)src,
				  .off = off});
	b->model.reg[dst] = (struct gen_value){.kind = GEN_SCALAR};
}

void gen_store(struct gen_body *b, unsigned bytes, unsigned dst, int off, unsigned src)
{
	bool imm = gen_chance(b, 15);

	gen_op(b, &(struct vm_op){.op = VM_OP_STORE,
				  .width = 64,
				  .bytes = (uint8_t)bytes,
				  .use_imm = imm,
				  .dst = (uint8_t)dst,
				  .src = (uint8_t)(imm ? 0 : src),
				  .off = off,
				  .imm = imm ? gen_edge(b) : 0});
}

static void store_register(struct gen_body *b, int off, unsigned src)
{
	gen_op(b, &(struct vm_op){.op = VM_OP_STORE,
				  .width = 64,
				  .bytes = 8,
				  .dst = 10,
				  .src = (uint8_t)src,
				  .off = off});
}

/* ---- choosing registers ---------------------------------------------------------------------- */

static bool is_readable_scalar(const struct gen_body *b, unsigned r)
{
	return b->model.reg[r].kind == GEN_SCALAR || b->model.reg[r].kind == GEN_KEPT;
}

static bool may_become_scalar(const struct gen_body *b, unsigned r)
{
	return r != 10 && (r < 6 || r > 8) && b->model.reg[r].kind != GEN_KEPT;
}

static unsigned pick(struct gen_body *b, bool (*ok)(const struct gen_body *, unsigned))
{
	unsigned start = gen_below(b, 11);

	for (unsigned i = 0; i < 11; i++) {
		if (ok(b, (start + i) % 11))
			return (start + i) % 11;
	}
	return 11;
}

unsigned gen_scalar(struct gen_body *b)
{
	unsigned r = pick(b, is_readable_scalar);

	if (r == 11) {
		r = 0;
		gen_set(b, r, gen_edge(b));
	}
	return r;
}

static unsigned writable(struct gen_body *b)
{
	return pick(b, may_become_scalar); /* r0 to r5 always may */
}

static unsigned pointer_to(const struct gen_body *b, unsigned region)
{
	if (region == VM_REGION_STACK)
		return 10;
	for (unsigned r = 6; r <= 8; r++) {
		if (b->model.reg[r].kind == GEN_POINTER && b->model.reg[r].region == region)
			return r;
	}
	return 11;
}

static unsigned some_region(struct gen_body *b, bool for_write, uint32_t min_bytes)
{
	unsigned start = gen_below(b, VM_REGIONS);

	for (unsigned i = 0; i < VM_REGIONS; i++) {
		unsigned region = (start + i) % VM_REGIONS;

		if (b->region_bytes[region] >= min_bytes && region != VM_REGION_STACK &&
		    (!for_write || b->region_writable & 1u << region) &&
		    (region == VM_REGION_RODATA || pointer_to(b, region) < 11))
			return region;
	}
	return VM_REGION_NONE;
}

/* ---- ALU ------------------------------------------------------------------------------------- */

/* The table's supported rows of one kind, so that a new row is tested without a change here. */
struct row_list {
	const struct vm_isa_row *row[MAX_ROWS];
	uint8_t code[MAX_ROWS];
	unsigned n;
};

static void collect(enum vm_op_kind kind, struct row_list *ret)
{
	ret->n = 0;
	for (unsigned code = 0; code < 256; code++) {
		unsigned n;
		const struct vm_isa_row *rows = vm_isa_rows((uint8_t)code, &n);

		for (unsigned i = 0; i < n; i++) {
			if (rows[i].refused || vm_op_infos[rows[i].op].kind != kind ||
			    ret->n == MAX_ROWS)
				continue;
			ret->row[ret->n] = &rows[i];
			ret->code[ret->n++] = (uint8_t)code;
		}
	}
}

static void alu(struct gen_body *b)
{
	static __thread struct row_list rows;
	struct bpf_insn insns[2];
	struct vm_op op = {0};
	unsigned i;
	bool copies;

	if (!rows.n)
		collect(VM_KIND_ALU, &rows);
	i = gen_below(b, rows.n);
	op.imm = gen_edge(b);
	op.src = (uint8_t)gen_scalar(b);
	copies = rows.row[i]->op == VM_OP_MOV || rows.row[i]->op == VM_OP_MOVSX;
	op.dst = (uint8_t)writable(b);
	if (!copies && b->model.reg[op.dst].kind != GEN_SCALAR)
		gen_set(b, op.dst, gen_edge(b));
	put(b, insns, vm_encode_row(rows.row[i], rows.code[i], &op, insns));
	b->model.reg[op.dst] = (struct gen_value){.kind = GEN_SCALAR};
}

/* ---- memory ---------------------------------------------------------------------------------- */

static unsigned some_bytes(struct gen_body *b, uint32_t at_most)
{
	unsigned bytes = 1u << gen_below(b, 4);

	while (bytes > at_most)
		bytes /= 2;
	return bytes;
}

/* Two scratch registers, a pointer and a scalar, for an address of the program's own making. */
static void two_scratch(struct gen_body *b, unsigned *p, unsigned *s)
{
	*p = writable(b);
	do {
		*s = writable(b);
	} while (*s == *p);
}

/* p = region's pointer + (a scalar, masked or not); returns the displacement for the access. */
static int computed_address(struct gen_body *b, unsigned region, uint32_t bytes, unsigned p,
			    unsigned s)
{
	uint32_t room = b->region_bytes[region] - bytes;
	uint32_t mask = 1;
	int back = gen_chance(b, 20) ? (int)gen_below(b, 8) : 0;

	while (mask * 2 + 1 <= room && gen_chance(b, 80))
		mask = mask * 2 + 1;
	if (mask > room)
		mask = 0;
	if (!b->options->no_guards && gen_chance(b, 12))
		mask = mask * 4 + 3; /* beyond the end: to be guarded, may trap */
	gen_mov(b, s, gen_scalar(b));
	gen_alu_imm(b, VM_OP_AND, s, mask);
	if (region == VM_REGION_RODATA)
		gen_op(b, &(struct vm_op){.op = VM_OP_RODATA,
					  .width = 64,
					  .use_imm = true,
					  .dst = (uint8_t)p});
	else
		gen_mov(b, p, pointer_to(b, region));
	gen_op(b,
	       &(struct vm_op){.op = VM_OP_ADD, .width = 64, .dst = (uint8_t)p, .src = (uint8_t)s});
	if (back)
		gen_alu_imm(b, VM_OP_ADD, p, -back);
	b->model.reg[p] = (struct gen_value){0};
	b->model.reg[s] = (struct gen_value){.kind = GEN_SCALAR};
	return back;
}

/* reg = a pointer to the start of the region; of the stack, to somewhere in it. */
static void some_pointer(struct gen_body *b, unsigned region, unsigned reg)
{
	if (region == VM_REGION_RODATA)
		gen_op(b, &(struct vm_op){.op = VM_OP_RODATA,
					  .width = 64,
					  .use_imm = true,
					  .dst = (uint8_t)reg});
	else
		gen_mov(b, reg, pointer_to(b, region));
	if (region == VM_REGION_STACK)
		gen_alu_imm(b, VM_OP_ADD, reg, -8 * (int)gen_below(b, GEN_STACK_SLOTS));
}

/* Two pointers into one region, in front of it and behind it, too: their distance, or a number that
 * says how they compare. */
static void compare_pointers(struct gen_body *b)
{
	static const uint8_t compares[] = {VM_OP_JEQ,  VM_OP_JNE, VM_OP_JGT,  VM_OP_JGE,
					   VM_OP_JLT,  VM_OP_JLE, VM_OP_JSGT, VM_OP_JSGE,
					   VM_OP_JSLT, VM_OP_JSLE};
	unsigned region = gen_chance(b, 25) ? VM_REGION_STACK : some_region(b, false, 1), p, s;
	bool distance = gen_chance(b, 50);

	if (region == VM_REGION_NONE)
		return;
	two_scratch(b, &p, &s);
	gen_mov(b, s, gen_scalar(b));
	gen_alu_imm(b, VM_OP_AND, s, gen_chance(b, 50) ? 15 : 0x7fff);
	if (distance && gen_chance(b, 10))
		gen_alu_imm(b, VM_OP_LSH, s, 33);
	some_pointer(b, region, p);
	gen_op(b, &(struct vm_op){.op = gen_chance(b, 50) ? VM_OP_ADD : VM_OP_SUB,
				  .width = 64,
				  .dst = (uint8_t)p,
				  .src = (uint8_t)s});
	some_pointer(b, region, s);
	if (gen_chance(b, 50))
		gen_alu_imm(b, VM_OP_ADD, s, (int)gen_below(b, 16) - 8);
	if (distance) {
		gen_op(b,
		       &(struct vm_op){
			       .op = VM_OP_SUB, .width = 64, .dst = (uint8_t)p, .src = (uint8_t)s});
		gen_set(b, s, gen_edge(b));
	} else {
		/* p is a number on both ways: what it is says which was taken. */
		gen_op(b, &(struct vm_op){.op = compares[gen_below(b, ARRAY_SIZE(compares))],
					  .width = 64,
					  .dst = (uint8_t)p,
					  .src = (uint8_t)s,
					  .off = 2});
		gen_op(b, &(struct vm_op){.op = VM_OP_MOV,
					  .width = 64,
					  .use_imm = true,
					  .dst = (uint8_t)p,
					  .imm = gen_edge(b)});
		gen_op(b, &(struct vm_op){.op = VM_OP_JA, .width = 64, .use_imm = true, .off = 1});
		gen_op(b, &(struct vm_op){.op = VM_OP_MOV,
					  .width = 64,
					  .use_imm = true,
					  .dst = (uint8_t)p,
					  .imm = gen_edge(b)});
		gen_set(b, s, gen_edge(b));
	}
	b->model.reg[p] = (struct gen_value){.kind = GEN_SCALAR};
}

static void access_region(struct gen_body *b, bool store)
{
	unsigned region = some_region(b, store, 1);
	unsigned bytes, p, s, src;

	if (region == VM_REGION_NONE)
		return;
	bytes = some_bytes(b, b->region_bytes[region]);
	src = gen_scalar(b);
	if (region == VM_REGION_RODATA || gen_chance(b, 30)) {
		int off;

		two_scratch(b, &p, &s);
		off = computed_address(b, region, bytes, p, s);
		if (store) {
			gen_store(b, bytes, p, off, s);
			gen_set(b, p, gen_edge(b)); /* it may have to be a scalar: see loop() */
		} else {
			gen_load(b, bytes, p, p, off); /* a scalar again */
		}
		return;
	}
	p = pointer_to(b, region);
	s = gen_below(b, b->region_bytes[region] - bytes + 1);
	if (store)
		gen_store(b, bytes, p, (int)s, src);
	else
		gen_load(b, bytes, writable(b), p, (int)s);
}

static void access_stack(struct gen_body *b)
{
	unsigned slot = gen_below(b, GEN_STACK_SLOTS);
	int off = -8 * (int)(slot + 1);

	if (b->model.slot[slot] && gen_chance(b, 60)) {
		unsigned bytes = some_bytes(b, 8);

		gen_load(b, bytes, writable(b), 10, off + (int)(gen_below(b, 8 / bytes) * bytes));
	} else if (b->model.slot[slot] && gen_chance(b, 30)) {
		unsigned bytes = some_bytes(b, 4);

		gen_store(b, bytes, 10, off + (int)gen_below(b, 5), gen_scalar(b));
	} else {
		gen_store(b, 8, 10, off, gen_scalar(b));
		b->model.slot[slot] = true;
	}
}

/* ---- branches and loops
 * -------------------------------------------------------------------------- */

static void merge(struct gen_model *into, const struct gen_model *other)
{
	for (unsigned r = 0; r < 11; r++) {
		const struct gen_value *v = &other->reg[r];

		if (into->reg[r].kind != v->kind || into->reg[r].region != v->region)
			into->reg[r] = (struct gen_value){0};
	}
	for (unsigned i = 0; i < GEN_STACK_SLOTS; i++)
		into->slot[i] = into->slot[i] && other->slot[i];
}

/* A conditional jump with its distance left open; returns where it stands. */
static uint32_t open_jump(struct gen_body *b)
{
	static __thread struct row_list rows;
	struct bpf_insn insns[2];
	struct vm_op op = {0};
	unsigned i;

	if (!rows.n)
		collect(VM_KIND_JUMP, &rows);
	do {
		i = gen_below(b, rows.n);
	} while (rows.row[i]->op == VM_OP_JA);
	op.dst = (uint8_t)gen_scalar(b);
	op.src = (uint8_t)gen_scalar(b);
	op.imm = gen_edge(b);
	put(b, insns, vm_encode_row(rows.row[i], rows.code[i], &op, insns));
	return b->n - 1;
}

static void close_jump(struct gen_body *b, uint32_t at)
{
	b->insns[at].off = (int16_t)(b->n - at - 1);
}

static void branch(struct gen_body *b)
{
	struct gen_model before;
	uint32_t jump = open_jump(b), over;
	bool two_armed = gen_chance(b, 50);

	before = b->model;
	b->depth++;
	gen_statements(b, 1 + gen_below(b, 12));
	if (two_armed) {
		struct gen_model taken = b->model;

		gen_op(b, &(struct vm_op){.op = VM_OP_JA, .width = 64, .use_imm = true});
		over = b->n - 1;
		close_jump(b, jump);
		b->model = before;
		gen_statements(b, 1 + gen_below(b, 12));
		close_jump(b, over);
		merge(&b->model, &taken);
	} else {
		close_jump(b, jump);
		merge(&b->model, &before);
	}
	b->depth--;
}

/*
 * do { ... } while (--counter != 0): 1 to 16 rounds, a constant or from a scalar. The counter is
 * r9, or of a loop in a loop a slot of the stack. What is a scalar at the loop's head must be one
 * at its end; what is nothing may become anything.
 */
static void loop(struct gen_body *b)
{
	bool inner = b->model.reg[9].kind == GEN_KEPT;
	bool in_loop_before = b->in_loop;
	unsigned counter = inner ? 0 : 9;
	struct gen_model head;
	uint32_t start;

	if (inner && b->in_inner_loop)
		return;
	if (gen_chance(b, 50)) {
		gen_set(b, counter, 1 + gen_below(b, 16));
	} else {
		gen_mov(b, counter, gen_scalar(b));
		gen_alu_imm(b, VM_OP_AND, counter, 15);
		gen_alu_imm(b, VM_OP_ADD, counter, 1);
		b->model.reg[counter].kind = GEN_SCALAR;
	}
	if (inner)
		store_register(b, COUNTER_OFFSET, counter);
	else
		b->model.reg[9].kind = GEN_KEPT;
	head = b->model;
	start = b->n;
	b->in_loop = true;
	b->in_inner_loop = inner;
	b->depth++;
	gen_statements(b, 2 + gen_below(b, 16));
	b->depth--;
	b->in_inner_loop = false;
	b->in_loop = in_loop_before;
	b->model = head;
	if (inner)
		gen_op(b, &(struct vm_op){.op = VM_OP_LOAD,
					  .width = 64,
					  .bytes = 8,
					  .dst = 0,
					  .src = 10,
					  .off = COUNTER_OFFSET});
	gen_alu_imm(b, VM_OP_SUB, counter, 1);
	if (inner)
		store_register(b, COUNTER_OFFSET, counter);
	gen_op(b, &(struct vm_op){.op = gen_chance(b, 50) ? VM_OP_JNE : VM_OP_JSGT,
				  .width = gen_chance(b, 50) ? 64 : 32,
				  .use_imm = true,
				  .dst = (uint8_t)counter,
				  .off = (int)start - (int)b->n - 1});
	b->model.reg[counter].kind = GEN_SCALAR;
	b->n_loops++;
}

/* ---- calls
 * --------------------------------------------------------------------------------------- */

static void lose_arguments(struct gen_body *b)
{
	for (unsigned r = 1; r <= 5; r++)
		b->model.reg[r] = (struct gen_value){0};
	b->model.reg[0] = (struct gen_value){.kind = GEN_SCALAR};
}

/* In a loop, what was a scalar at its head must be one at its end. */
static void restore_scalars(struct gen_body *b, const struct gen_model *before)
{
	for (unsigned r = 1; b->in_loop && r <= 5; r++) {
		if (before->reg[r].kind == GEN_SCALAR)
			gen_set(b, r, gen_edge(b));
	}
}

static bool is_double_helper(const struct vm_helper *h)
{
	return strstr(h->name, "f64") != NULL;
}

/* reg = pointer to `bytes` bytes; false when there is no such memory. */
static bool memory_argument(struct gen_body *b, unsigned reg, uint32_t bytes, bool write)
{
	unsigned region = some_region(b, write, bytes);
	unsigned slots = (bytes + 7) / 8;

	if (region == VM_REGION_NONE || gen_chance(b, 30)) {
		unsigned first = gen_below(b, GEN_STACK_SLOTS - slots + 1);

		for (unsigned i = 0; i < slots; i++) {
			gen_store(b, 8, 10, -8 * (int)(first + i + 1), gen_scalar(b));
			b->model.slot[first + i] = true;
		}
		gen_mov(b, reg, 10);
		gen_alu_imm(b, VM_OP_ADD, reg, -8 * (int)(first + slots));
		return true;
	}
	if (region == VM_REGION_RODATA)
		gen_op(b, &(struct vm_op){.op = VM_OP_RODATA,
					  .width = 64,
					  .use_imm = true,
					  .dst = (uint8_t)reg});
	else
		gen_mov(b, reg, pointer_to(b, region));
	if (b->region_bytes[region] > bytes)
		gen_alu_imm(b, VM_OP_ADD, reg, gen_below(b, b->region_bytes[region] - bytes + 1));
	return true;
}

static void call_helper(struct gen_body *b)
{
	struct gen_model before = b->model;
	unsigned row = gen_below(b, (unsigned)vm_n_helpers);
	const struct vm_helper *h = &vm_helpers[row];
	uint32_t bytes = 1;

	if (b->options->no_helpers || (b->options->no_doubles && is_double_helper(h)) ||
	    (!h->fn && (b->options->no_fail || !gen_chance(b, 10))))
		return;
	for (unsigned i = 0; i < 5; i++) {
		unsigned reg = i + 1;

		switch (h->arg[i]) {
		case VM_ARG_SCALAR:
			gen_mov(b, reg, gen_scalar(b));
			break;
		case VM_ARG_MEM_READ:
			bytes = 1 + gen_below(b, 12);
			memory_argument(b, reg, bytes, false);
			break;
		case VM_ARG_SIZE:
			if (!b->options->no_guards && gen_chance(b, 10)) {
				gen_mov(b, reg, gen_scalar(b));
				gen_alu_imm(b, VM_OP_AND, reg, 31);
			} else {
				gen_set(b, reg, gen_below(b, bytes + 1));
			}
			break;
		case VM_ARG_READ_FIXED:
			memory_argument(b, reg, h->fixed_bytes, false);
			break;
		case VM_ARG_WRITE_FIXED:
			memory_argument(b, reg, h->fixed_bytes, true);
			break;
		default:
			break;
		}
		if (h->arg[i] != VM_ARG_NONE) /* not to be touched until the call */
			b->model.reg[reg] = (struct gen_value){.kind = GEN_NOTHING};
	}
	gen_op(b, &(struct vm_op){.op = VM_OP_CALL,
				  .width = 64,
				  .use_imm = true,
				  .imm = VM_HELPER_BASE + (int)row});
	lose_arguments(b);
	restore_scalars(b, &before);
}

/* Sub-functions take two scalars and return one. */
static void call_sub(struct gen_body *b)
{
	struct gen_model before = b->model;

	if (!b->n_subs)
		return;
	gen_mov(b, 1, gen_scalar(b));
	gen_mov(b, 2, gen_scalar(b));
	gen_op(b, &(struct vm_op){.op = VM_OP_CALL_SUB,
				  .width = 64,
				  .use_imm = true,
				  .imm = b->first_sub + gen_below(b, b->n_subs)});
	lose_arguments(b);
	restore_scalars(b, &before);
}

void gen_statements(struct gen_body *b, unsigned insns)
{
	uint32_t end = b->n + insns < b->limit ? b->n + insns : b->limit;

	while (b->n < end) {
		if (b->options->pointers && gen_chance(b, 8)) {
			compare_pointers(b);
			continue;
		}

		unsigned what = gen_below(b, 100);

		if (what < 45)
			alu(b);
		else if (what < 62)
			access_region(b, false);
		else if (what < 70)
			access_region(b, true);
		else if (what < 78)
			access_stack(b);
		else if (what < 88 && b->depth < MAX_DEPTH)
			branch(b);
		else if (what < 91 && b->depth < MAX_DEPTH && !b->options->no_loops)
			loop(b);
		else if (what < 98)
			call_helper(b);
		else
			call_sub(b);
	}
}
