/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_gen_text.c - text over a record. A char(n) is the bytes up to its first NUL; what lies behind
 * it is nobody's business. Compared with a constant, which has no NUL, the bytes decide before
 * anything behind the NUL is looked at; elsewhere a copy is made that is padded with zeroes, so
 * that equal texts have equal bytes. Order is that of the bytes (collation "C").
 */
#include "sql/sql_gen.h"

#include <inttypes.h>
#include <string.h>

#define BYTE_ONES UINT64_C(0x0101010101010101)

/* The largest power of two, up to 8, that fits in what is left. */
static unsigned piece(uint32_t left)
{
	return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

static uint64_t const_piece(const char *bytes, unsigned n)
{
	uint64_t v = 0;

	memcpy(&v, bytes, n);
	return v;
}

static uint64_t big_endian_piece(const char *bytes, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v << 8 | (unsigned char)bytes[i];
	return v;
}

static void to_big_endian(struct sql_gen *g, unsigned reg, unsigned bytes)
{
	if (bytes > 1)
		sql_asm_insn(&g->a, BPF_ALU | BPF_END | BPF_TO_BE, reg, 0, 0, (int32_t)(8 * bytes));
}

static const struct sql_column *column_of(const struct sql_gen *g, const struct sql_expr *e)
{
	return e->op == SQL_COLUMN ? &g->plan->schema->columns[e->index] : NULL;
}

uint32_t sql_text_bytes(struct sql_gen *g, const struct sql_expr *e)
{
	uint32_t most = 1;

	switch (e->op) {
	case SQL_CONST:
		return e->value.null || !e->value.text.n ? 1 : (uint32_t)e->value.text.n;
	case SQL_COLUMN:
		return column_of(g, e)->bytes;
	case SQL_CASE:
	case SQL_COALESCE:
		for (uint32_t i = 0; i < e->n_args; i++) {
			uint32_t n;

			if (e->op == SQL_CASE && i % 2 == 0 && i + 1 < e->n_args)
				continue;
			n = sql_text_bytes(g, e->args[i]);
			most = n > most ? n : most;
		}
		return most;
	default:
		sql_gen_fail(g, NF_UNIMPLEMENTED, e->at,
			     "text is not made beside the data; what there is are columns, "
			     "constants, CASE and COALESCE");
		return 1;
	}
}

/* ---- copies ---------------------------------------------------------------------------------- */

/*
 * The column's bytes up to the first NUL. In a word w, (w - 0x01..) & ~w & 0x80.. has its lowest
 * bit at the first byte that is zero (Hacker's Delight, 6-1); what is below that bit's byte is
 * kept.
 */
static void copy_column(struct sql_gen *g, const struct sql_column *c, unsigned base, int32_t off)
{
	struct sql_asm *a = &g->a;
	bool in_pieces = piece(c->bytes) < c->bytes;
	unsigned n;

	if (in_pieces)
		sql_asm_const(a, 3, -1); /* zero when the text has ended */
	for (uint32_t at = 0; at < c->bytes; at += n) {
		uint64_t ones;

		n = piece(c->bytes - at);
		ones = BYTE_ONES >> (64 - 8 * n);
		sql_asm_load(a, n, 0, REG_RECORD, (int32_t)(c->offset + at));
		if (in_pieces)
			sql_asm_alu(a, BPF_AND, 0, 3);
		if (n > 1) {
			sql_asm_mov(a, 1, 0);
			sql_asm_alu_imm(a, BPF_SUB, 1, (int64_t)ones);
			sql_asm_mov(a, 2, 0);
			sql_asm_alu_imm(a, BPF_XOR, 2, -1);
			sql_asm_alu(a, BPF_AND, 1, 2);
			sql_asm_alu_imm(a, BPF_AND, 1, (int64_t)(ones << 7));
			sql_asm_mov(a, 2, 1);
			sql_asm_insn(a, BPF_ALU64 | BPF_NEG, 2, 0, 0, 0);
			sql_asm_alu(a, BPF_AND, 1, 2);
			sql_asm_alu_imm(a, BPF_RSH, 1, 7);
			sql_asm_alu_imm(a, BPF_SUB, 1, 1);
			sql_asm_alu(a, BPF_AND, 0, 1);
			if (at + n < c->bytes) {
				sql_label goes_on = sql_asm_label(a);

				sql_asm_if_imm(a, BPF_JEQ, 1, -1, goes_on);
				sql_asm_const(a, 3, 0);
				sql_asm_bind(a, goes_on);
			}
		} else if (at + n < c->bytes) {
			sql_label goes_on = sql_asm_label(a);

			sql_asm_if_imm(a, BPF_JNE, 0, 0, goes_on);
			sql_asm_const(a, 3, 0);
			sql_asm_bind(a, goes_on);
		}
		sql_asm_store(a, n, base, off + (int32_t)at, 0);
	}
}

static void copy_const(struct sql_gen *g, const struct sql_value *v, unsigned base, int32_t off)
{
	unsigned n;

	for (uint32_t at = 0; at < v->text.n; at += n) {
		n = piece((uint32_t)v->text.n - at);
		sql_asm_const(&g->a, 0, (int64_t)const_piece(v->text.bytes + at, n));
		sql_asm_store(&g->a, n, base, off + (int32_t)at, 0);
	}
}

void sql_gen_text(struct sql_gen *g, const struct sql_expr *e, unsigned base, int32_t off,
		  uint32_t bytes, sql_label null)
{
	struct sql_asm *a = &g->a;
	sql_label end;
	uint32_t i;

	if (g->error)
		return;
	sql_asm_at(a, e->at);
	switch (e->op) {
	case SQL_CONST:
		if (e->value.null)
			sql_asm_goto(a, null);
		else if (bytes)
			copy_const(g, &e->value, base, off);
		return;
	case SQL_COLUMN:
		if (bytes)
			copy_column(g, column_of(g, e), base, off);
		return;
	case SQL_CASE:
		end = sql_asm_label(a);
		for (i = 0; i + 1 < e->n_args; i += 2) {
			sql_label next = sql_asm_label(a), then = sql_asm_label(a);

			sql_gen_cond(g, e->args[i], then, next, next);
			sql_asm_bind(a, then);
			sql_gen_text(g, e->args[i + 1], base, off, bytes, null);
			sql_asm_goto(a, end);
			sql_asm_bind(a, next);
		}
		if (i < e->n_args)
			sql_gen_text(g, e->args[i], base, off, bytes, null);
		else
			sql_asm_goto(a, null);
		sql_asm_bind(a, end);
		return;
	case SQL_COALESCE:
		end = sql_asm_label(a);
		for (i = 0; i < e->n_args; i++) {
			sql_label next = i + 1 < e->n_args ? sql_asm_label(a) : null;

			sql_gen_text(g, e->args[i], base, off, bytes, next);
			if (i + 1 < e->n_args) {
				sql_asm_goto(a, end);
				sql_asm_bind(a, next);
			}
		}
		sql_asm_bind(a, end);
		return;
	default:
		sql_text_bytes(g, e); /* refuses */
		return;
	}
}

/* ---- comparisons ----------------------------------------------------------------------------- */

void sql_gen_text_order(struct sql_gen *g, unsigned x, int32_t x_off, unsigned y, int32_t y_off,
			uint32_t bytes, sql_label less, sql_label equal, sql_label greater)
{
	struct sql_asm *a = &g->a;

	for (uint32_t at = 0; at < bytes; at += 8) {
		sql_asm_load(a, 8, 0, x, x_off + (int32_t)at);
		sql_asm_load(a, 8, 1, y, y_off + (int32_t)at);
		to_big_endian(g, 0, 8);
		to_big_endian(g, 1, 8);
		sql_asm_if(a, BPF_JLT, 0, 1, less);
		sql_asm_if(a, BPF_JGT, 0, 1, greater);
	}
	sql_asm_goto(a, equal);
}

/* A column and a constant that has no NUL: less, equal or greater. */
static void order_const(struct sql_gen *g, const struct sql_column *c, const struct sql_value *v,
			sql_label less, sql_label equal, sql_label greater)
{
	struct sql_asm *a = &g->a;
	uint32_t both = v->text.n < c->bytes ? (uint32_t)v->text.n : c->bytes;
	unsigned n;

	for (uint32_t at = 0; at < both; at += n) {
		int64_t k;

		n = piece(both - at);
		sql_asm_load(a, n, 0, REG_RECORD, (int32_t)(c->offset + at));
		if (less == greater) { /* only whether it is equal */
			sql_asm_if_imm(a, BPF_JNE, 0, (int64_t)const_piece(v->text.bytes + at, n),
				       less);
			continue;
		}
		to_big_endian(g, 0, n);
		k = (int64_t)big_endian_piece(v->text.bytes + at, n);
		sql_asm_const(a, 1, k);
		sql_asm_if(a, BPF_JLT, 0, 1, less);
		sql_asm_if(a, BPF_JGT, 0, 1, greater);
	}
	if (both < v->text.n) {
		sql_asm_goto(a, less);
		return;
	}
	if (both < c->bytes) {
		sql_asm_load(a, 1, 0, REG_RECORD, (int32_t)(c->offset + both));
		sql_asm_if_imm(a, BPF_JNE, 0, 0, greater);
	}
	sql_asm_goto(a, equal);
}

/* Both as copies on the stack. */
static void order_copies(struct sql_gen *g, const struct sql_expr *e, sql_label less,
			 sql_label equal, sql_label greater, sql_label null)
{
	uint32_t x = sql_text_bytes(g, e->args[0]), y = sql_text_bytes(g, e->args[1]);
	uint32_t words = ((x > y ? x : y) + 7) / 8;
	unsigned depth = g->depth;
	int32_t slot[2];

	for (unsigned i = 0; i < 2; i++) {
		slot[i] = sql_gen_push(g, words, e->at);
		for (uint32_t w = 0; w < words && !g->error; w++)
			sql_asm_store_imm(&g->a, 8, REG_STACK, slot[i] + 8 * (int32_t)w, 0);
		sql_gen_text(g, e->args[i], REG_STACK, slot[i], 8 * words, null);
	}
	sql_asm_at(&g->a, e->at);
	if (!g->error)
		sql_gen_text_order(g, REG_STACK, slot[0], REG_STACK, slot[1], 8 * words, less,
				   equal, greater);
	sql_gen_pop(g, depth);
}

void sql_gen_text_compare(struct sql_gen *g, const struct sql_expr *e, sql_label if_true,
			  sql_label if_false, sql_label if_null)
{
	const struct sql_expr *x = e->args[0], *y = e->args[1];
	bool lt = e->op == SQL_LT || e->op == SQL_LE || e->op == SQL_NE;
	bool eq = e->op == SQL_EQ || e->op == SQL_LE || e->op == SQL_GE;
	bool gt = e->op == SQL_GT || e->op == SQL_GE || e->op == SQL_NE;
	sql_label less = lt ? if_true : if_false, equal = eq ? if_true : if_false;
	sql_label greater = gt ? if_true : if_false;

	if (x->op == SQL_CONST && y->op == SQL_COLUMN) {
		x = e->args[1];
		y = e->args[0];
		less = gt ? if_true : if_false;
		greater = lt ? if_true : if_false;
	}
	if ((x->op == SQL_CONST && x->value.null) || (y->op == SQL_CONST && y->value.null)) {
		sql_asm_goto(&g->a, if_null);
		return;
	}
	if (x->op == SQL_COLUMN && y->op == SQL_CONST)
		order_const(g, column_of(g, x), &y->value, less, equal, greater);
	else
		order_copies(g, e, less, equal, greater, if_null);
}
