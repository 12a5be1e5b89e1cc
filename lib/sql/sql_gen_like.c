/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_gen_like.c - LIKE with a constant pattern over a char(n). What is one text, one beginning or
 * one text somewhere becomes comparisons or a search; everything else the loop of sql_like.c: after
 * a mismatch the last % takes one character more.
 */
#include "sql/sql_gen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

/* An element of a pattern: a byte, or one of these. */
enum { ANY = 0x100, PERCENT = 0x200, END = 0x300 };

struct pattern {
	uint16_t *elements; /* END is the last one */
	uint32_t n;         /* without END */
	uint32_t n_percents, n_any;
};

static int parse(struct sql_gen *g, const struct sql_expr *e, struct pattern *ret)
{
	const struct sql_value *v = &e->value;
	struct pattern p = {.elements = calloc(v->text.n + 1, sizeof(uint16_t))};

	if (!p.elements) {
		g->a.error = -ENOMEM;
		return -ENOMEM;
	}
	for (size_t i = 0; i < v->text.n; i++) {
		unsigned char c = (unsigned char)v->text.bytes[i];

		if (c == '%') {
			if (p.n && p.elements[p.n - 1] == PERCENT)
				continue;
			p.n_percents++;
			p.elements[p.n++] = PERCENT;
		} else if (c == '_') {
			p.n_any++;
			p.elements[p.n++] = ANY;
		} else if (c == '\\' && ++i == v->text.n) {
			free(p.elements);
			sql_gen_fail(g, NF_INVALID_ARGUMENT, e->at,
				     "LIKE pattern must not end with escape character");
			return -EINVAL;
		} else {
			p.elements[p.n++] = (unsigned char)v->text.bytes[i];
		}
	}
	p.elements[p.n] = END;
	*ret = p;
	return 0;
}

/* Elements [from, to), which are bytes. */
static void literal(const struct pattern *p, uint32_t from, uint32_t to, uint8_t *ret)
{
	for (uint32_t i = from; i < to; i++)
		ret[i - from] = (uint8_t)p->elements[i];
}

/* The column's first n bytes are these; whole: and the text ends there. */
static void beginning(struct sql_gen *g, const struct sql_column *c, const uint8_t *bytes,
		      uint32_t n, bool whole, sql_label if_true, sql_label if_false)
{
	struct sql_asm *a = &g->a;
	unsigned piece;

	if (n > c->bytes) {
		sql_asm_goto(a, if_false);
		return;
	}
	for (uint32_t at = 0; at < n; at += piece) {
		uint64_t v = 0;

		piece = n - at >= 8 ? 8 : n - at >= 4 ? 4 : n - at >= 2 ? 2 : 1;
		memcpy(&v, bytes + at, piece);
		sql_asm_load(a, piece, 0, REG_RECORD, (int32_t)(c->offset + at));
		sql_asm_if_imm(a, BPF_JNE, 0, (int64_t)v, if_false);
	}
	if (whole && n < c->bytes) {
		sql_asm_load(a, 1, 0, REG_RECORD, (int32_t)(c->offset + n));
		sql_asm_if_imm(a, BPF_JNE, 0, 0, if_false);
	}
	sql_asm_goto(a, if_true);
}

static void call_find(struct sql_gen *g, const struct sql_column *c, uint32_t needle, uint32_t n)
{
	struct sql_asm *a = &g->a;

	sql_asm_mov(a, 1, REG_RECORD);
	sql_asm_alu_imm(a, BPF_ADD, 1, c->offset);
	sql_asm_rodata(a, 3, needle);
	sql_asm_const(a, 4, n);
	sql_asm_call(a, "fold_find");
}

/* The bytes are somewhere before the first NUL. */
static void somewhere(struct sql_gen *g, const struct sql_column *c, const uint8_t *bytes,
		      uint32_t n, sql_label if_true, sql_label if_false)
{
	struct sql_asm *a = &g->a;
	sql_label found = sql_asm_label(a), full = sql_asm_label(a);
	unsigned depth = g->depth;
	int32_t slot = sql_gen_push(g, 1, -1);

	if (n > c->bytes) {
		sql_asm_goto(a, if_false);
		return;
	}
	sql_asm_const(a, 2, c->bytes);
	call_find(g, c, sql_gen_rodata(g, bytes, n), n);
	sql_asm_if_imm(a, BPF_JSGE, 0, 0, found);
	sql_asm_goto(a, if_false);
	sql_asm_bind(a, found); /* does it lie before the end? */
	sql_asm_store(a, 8, REG_STACK, slot, 0);
	sql_asm_const(a, 2, c->bytes);
	call_find(g, c, sql_gen_rodata(g, "", 1), 1);
	sql_asm_if_imm(a, BPF_JSLT, 0, 0, full);
	sql_asm_load(a, 8, 1, REG_STACK, slot);
	sql_asm_if(a, BPF_JSLT, 1, 0, if_true);
	sql_asm_goto(a, if_false);
	sql_asm_bind(a, full);
	sql_asm_goto(a, if_true);
	sql_gen_pop(g, depth);
}

/* reg: index into the text, one character on. Uses r0 and r5. */
static void next_character(struct sql_gen *g, unsigned reg, uint32_t bytes)
{
	struct sql_asm *a = &g->a;
	sql_label again = sql_asm_label(a), end = sql_asm_label(a);

	sql_asm_bind(a, again);
	sql_asm_alu_imm(a, BPF_ADD, reg, 1);
	sql_asm_if_imm(a, BPF_JGE, reg, bytes, end);
	sql_asm_mov(a, 0, 8);
	sql_asm_alu(a, BPF_ADD, 0, reg);
	sql_asm_load(a, 1, 0, 0, 0);
	sql_asm_alu_imm(a, BPF_AND, 0, 0xc0);
	sql_asm_if_imm(a, BPF_JEQ, 0, 0x80, again);
	sql_asm_bind(a, end);
}

/*
 * r1 index into the text, r2 into the pattern, r3 the pattern's behind the last % (-1: none), r4
 * where that one has come to in the text; r8 text, r9 pattern; r0 byte (0: the end), r5 element.
 */
static void any_pattern(struct sql_gen *g, const struct sql_column *c, const struct pattern *p,
			sql_label if_true, sql_label if_false)
{
	struct sql_asm *a = &g->a;
	sql_label loop = sql_asm_label(a), have = sql_asm_label(a), back = sql_asm_label(a);
	sql_label not_percent = sql_asm_label(a), not_end = sql_asm_label(a);
	sql_label one = sql_asm_label(a);
	uint32_t at = sql_gen_rodata(g, p->elements, (p->n + 1) * sizeof(uint16_t));

	sql_asm_mov(a, 8, REG_RECORD);
	sql_asm_alu_imm(a, BPF_ADD, 8, c->offset);
	sql_asm_rodata(a, 9, at);
	sql_asm_const(a, 1, 0);
	sql_asm_const(a, 2, 0);
	sql_asm_const(a, 3, -1);
	sql_asm_const(a, 4, 0);

	sql_asm_bind(a, loop);
	sql_asm_const(a, 0, 0);
	sql_asm_if_imm(a, BPF_JGE, 1, c->bytes, have);
	sql_asm_mov(a, 0, 8);
	sql_asm_alu(a, BPF_ADD, 0, 1);
	sql_asm_load(a, 1, 0, 0, 0);
	sql_asm_bind(a, have);
	sql_asm_mov(a, 5, 2);
	sql_asm_alu(a, BPF_ADD, 5, 2);
	sql_asm_alu(a, BPF_ADD, 5, 9);
	sql_asm_load(a, 2, 5, 5, 0);
	sql_asm_if_imm(a, BPF_JNE, 5, PERCENT, not_percent);
	sql_asm_alu_imm(a, BPF_ADD, 2, 1);
	sql_asm_mov(a, 3, 2);
	sql_asm_mov(a, 4, 1);
	sql_asm_goto(a, loop);
	sql_asm_bind(a, not_percent);
	sql_asm_if_imm(a, BPF_JNE, 5, END, not_end);
	sql_asm_if_imm(a, BPF_JEQ, 0, 0, if_true);
	sql_asm_goto(a, back);
	sql_asm_bind(a, not_end);
	sql_asm_if_imm(a, BPF_JEQ, 0, 0, if_false);
	sql_asm_if_imm(a, BPF_JEQ, 5, ANY, one);
	sql_asm_if(a, BPF_JNE, 5, 0, back);
	sql_asm_alu_imm(a, BPF_ADD, 1, 1);
	sql_asm_alu_imm(a, BPF_ADD, 2, 1);
	sql_asm_goto(a, loop);
	sql_asm_bind(a, one);
	next_character(g, 1, c->bytes);
	sql_asm_alu_imm(a, BPF_ADD, 2, 1);
	sql_asm_goto(a, loop);
	sql_asm_bind(a, back);
	sql_asm_if_imm(a, BPF_JSLT, 3, 0, if_false);
	next_character(g, 4, c->bytes);
	sql_asm_mov(a, 1, 4);
	sql_asm_mov(a, 2, 3);
	sql_asm_goto(a, loop);
}

static void match(struct sql_gen *g, const struct sql_column *c, const struct pattern *p,
		  sql_label if_true, sql_label if_false)
{
	AUTO_FREE uint8_t *bytes = malloc(p->n + 1);
	bool first = p->n && p->elements[0] == PERCENT;
	bool last = p->n && p->elements[p->n - 1] == PERCENT;

	if (!bytes) {
		g->a.error = -ENOMEM;
		return;
	}
	if (p->n == 1 && first) {
		sql_asm_goto(&g->a, if_true);
	} else if (!p->n_any && (!p->n_percents || (p->n_percents == 1 && last))) {
		literal(p, 0, p->n - p->n_percents, bytes);
		beginning(g, c, bytes, p->n - p->n_percents, !p->n_percents, if_true, if_false);
	} else if (!p->n_any && p->n_percents == 2 && first && last) {
		literal(p, 1, p->n - 1, bytes);
		somewhere(g, c, bytes, p->n - 2, if_true, if_false);
	} else {
		any_pattern(g, c, p, if_true, if_false);
	}
}

void sql_gen_like(struct sql_gen *g, const struct sql_expr *e, sql_label if_true,
		  sql_label if_false, sql_label if_null)
{
	const struct sql_expr *text = e->args[0], *like = e->args[1];
	struct pattern p;

	if (like->op == SQL_CONST && like->value.null) {
		sql_asm_goto(&g->a, if_null);
		return;
	}
	if (text->op != SQL_COLUMN || like->op != SQL_CONST) {
		sql_gen_fail(g, NF_UNIMPLEMENTED, e->at,
			     "beside the data LIKE compares a column with a constant pattern");
		return;
	}
	if (parse(g, like, &p))
		return;
	match(g, &g->plan->schema->columns[text->index], &p, if_true, if_false);
	free(p.elements);
}
