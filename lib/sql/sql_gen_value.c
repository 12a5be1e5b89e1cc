/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_gen_value.c - the value of an expression over a record, in r0: columns, constants, choices.
 */
#include "sql/sql_gen.h"

#include <string.h>

static bool column_is_checked(const struct sql_column *c)
{
	return c->storage == SQL_STORED_U64 || c->storage == SQL_STORED_DECIMAL;
}

/* dst = the column's bytes, extended. */
static void load_column(struct sql_gen *g, const struct sql_column *c, unsigned dst)
{
	unsigned bytes = c->bytes;

	sql_asm_load(&g->a, bytes, dst, REG_RECORD, (int32_t)c->offset);
	switch (c->storage) {
	case SQL_STORED_I8:
	case SQL_STORED_I16:
	case SQL_STORED_I32:
	case SQL_STORED_DATE:
		sql_asm_alu_imm(&g->a, BPF_LSH, dst, 64 - 8 * bytes);
		sql_asm_alu_imm(&g->a, BPF_ARSH, dst, 64 - 8 * bytes);
		break;
	default:
		break;
	}
}

static void gen_column(struct sql_gen *g, const struct sql_expr *e)
{
	const struct sql_column *c = &g->plan->schema->columns[e->index];
	struct sql_asm *a = &g->a;
	int64_t most;

	load_column(g, c, 0);
	switch (c->storage) {
	case SQL_STORED_U64:
		sql_asm_if_imm(a, BPF_JSLT, 0, 0, sql_asm_failing(a, SQL_FAIL_U64));
		break;
	case SQL_STORED_DECIMAL: /* -most <= r0 <= most, in one comparison */
		most = (int64_t)sql_power_of_ten(c->precision) - 1;
		sql_asm_mov(a, 1, 0);
		sql_asm_alu_imm(a, BPF_ADD, 1, most);
		sql_asm_if_imm(a, BPF_JGT, 1, 2 * most, sql_asm_failing(a, SQL_FAIL_PRECISION));
		break;
	case SQL_STORED_BOOL: {
		sql_label end = sql_asm_label(a);

		sql_asm_if_imm(a, BPF_JEQ, 0, 0, end);
		sql_asm_const(a, 0, 1);
		sql_asm_bind(a, end);
		break;
	}
	case SQL_STORED_F32:
		sql_gen_widen(g);
		break;
	default:
		break;
	}
}

/* The 64 bits of a constant, with that scale. */
static int64_t const_bits(struct sql_gen *g, const struct sql_expr *e, int32_t scale)
{
	const struct sql_value *v = &e->value;
	int64_t bits = 0;

	switch (v->type) {
	case SQL_BOOL:
		return v->boolean;
	case SQL_FLOAT8:
		memcpy(&bits, &v->real, sizeof(bits));
		return bits;
	case SQL_NUMERIC: {
		mpz_t n;

		mpz_init(n);
		mpz_ui_pow_ui(n, 10, (unsigned long)(scale - v->scale));
		mpz_mul(n, n, v->number);
		if (mpz_fits_slong_p(n))
			bits = mpz_get_si(n);
		else
			sql_gen_fail(g, NF_UNIMPLEMENTED, e->at,
				     "a number of this many digits is more than 64 bits hold; "
				     "beside the data there are no longer ones");
		mpz_clear(n);
		return bits;
	}
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
	case SQL_DATE:
	case SQL_TIMESTAMP:
		return v->integer;
	default:
		sql_gen_fail(g, NF_UNIMPLEMENTED, e->at,
			     v->type == SQL_INTERVAL
				     ? "intervals are not added beside the data, nor subtracted: "
				       "put them on the side of the constants (x > date '...' + "
				       "interval '...')"
				     : "a constant of this type is not supported here");
		return 0;
	}
}

/* Can it be had in any register, without a check and without another register? */
static bool is_simple(const struct sql_gen *g, const struct sql_expr *e, int32_t scale)
{
	const struct sql_column *c;

	if (e->op == SQL_CONST)
		return !e->value.null;
	if (e->op != SQL_COLUMN || sql_num_of(g, e).scale != scale)
		return false;
	c = &g->plan->schema->columns[e->index];
	return !column_is_checked(c) && c->storage != SQL_STORED_BOOL &&
	       c->storage != SQL_STORED_F32;
}

void sql_gen_two(struct sql_gen *g, const struct sql_expr *a, int32_t a_scale,
		 const struct sql_expr *b, int32_t b_scale, sql_label null)
{
	unsigned depth = g->depth;
	int32_t slot;

	sql_gen_scaled(g, a, a_scale, null);
	if (is_simple(g, b, b_scale)) {
		sql_asm_at(&g->a, b->at);
		if (b->op == SQL_CONST)
			sql_asm_const(&g->a, 1, const_bits(g, b, b_scale));
		else
			load_column(g, &g->plan->schema->columns[b->index], 1);
		return;
	}
	slot = sql_gen_push(g, 1, b->at);
	sql_asm_store(&g->a, 8, REG_STACK, slot, 0);
	sql_gen_scaled(g, b, b_scale, null);
	sql_asm_mov(&g->a, 1, 0);
	sql_asm_load(&g->a, 8, 0, REG_STACK, slot);
	sql_gen_pop(g, depth);
}

void sql_gen_scaled(struct sql_gen *g, const struct sql_expr *e, int32_t scale, sql_label null)
{
	struct sql_num n, up;

	if (e->type != SQL_NUMERIC && scale == 0) {
		sql_gen_value(g, e, null);
		return;
	}
	if (e->op == SQL_CONST && e->type == SQL_NUMERIC && !e->value.null) {
		sql_asm_at(&g->a, e->at);
		sql_asm_const(&g->a, 0, const_bits(g, e, scale));
		return;
	}
	n = sql_num_of(g, e);
	sql_gen_value(g, e, null);
	if (scale == n.scale || g->error)
		return;
	up = (struct sql_num){.scale = scale};
	if (scale - n.scale <= SQL_RECORD_SCALE) {
		up.lo = n.lo * sql_power_of_ten(scale - n.scale);
		up.hi = n.hi * sql_power_of_ten(scale - n.scale);
	}
	sql_gen_scale_up(g, up, scale - n.scale, e->at);
}

static void gen_case(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	struct sql_asm *a = &g->a;
	bool is_number = e->type != SQL_FLOAT8 && e->type != SQL_BOOL;
	int32_t scale = is_number ? sql_num_of(g, e).scale : 0;
	sql_label end = sql_asm_label(a);
	uint32_t i;

	for (i = 0; i + 1 < e->n_args; i += 2) {
		sql_label next = sql_asm_label(a), then = sql_asm_label(a);

		sql_gen_cond(g, e->args[i], then, next, next);
		sql_asm_bind(a, then);
		sql_gen_scaled(g, e->args[i + 1], scale, null);
		sql_asm_goto(a, end);
		sql_asm_bind(a, next);
	}
	if (i < e->n_args)
		sql_gen_scaled(g, e->args[i], scale, null);
	else
		sql_asm_goto(a, null);
	sql_asm_bind(a, end);
}

static void gen_coalesce(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	struct sql_asm *a = &g->a;
	bool is_number = e->type != SQL_FLOAT8 && e->type != SQL_BOOL;
	int32_t scale = is_number ? sql_num_of(g, e).scale : 0;
	sql_label end = sql_asm_label(a);

	for (uint32_t i = 0; i < e->n_args; i++) {
		sql_label next = i + 1 < e->n_args ? sql_asm_label(a) : null;

		sql_gen_scaled(g, e->args[i], scale, next);
		if (i + 1 < e->n_args) {
			sql_asm_goto(a, end);
			sql_asm_bind(a, next);
		}
	}
	sql_asm_bind(a, end);
}

/* A condition as a value. */
static void gen_truth(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	struct sql_asm *a = &g->a;
	sql_label yes = sql_asm_label(a), no = sql_asm_label(a), end = sql_asm_label(a);

	sql_gen_cond(g, e, yes, no, null);
	sql_asm_bind(a, yes);
	sql_asm_const(a, 0, 1);
	sql_asm_goto(a, end);
	sql_asm_bind(a, no);
	sql_asm_const(a, 0, 0);
	sql_asm_bind(a, end);
}

void sql_gen_value(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	if (g->error)
		return;
	sql_asm_at(&g->a, e->at);
	switch (e->op) {
	case SQL_CONST:
		if (e->value.null)
			sql_asm_goto(&g->a, null);
		else
			sql_asm_const(
				&g->a, 0,
				const_bits(g, e, e->type == SQL_NUMERIC ? e->value.scale : 0));
		return;
	case SQL_COLUMN:
		gen_column(g, e);
		return;
	case SQL_CASE:
		gen_case(g, e, null);
		return;
	case SQL_COALESCE:
		gen_coalesce(g, e, null);
		return;
	case SQL_CAST:
		sql_gen_cast(g, e, null);
		return;
	case SQL_EXTRACT:
		sql_gen_extract(g, e, null);
		return;
	case SQL_ROUND:
	case SQL_TRUNC:
	case SQL_FLOOR:
	case SQL_CEIL:
		sql_gen_round(g, e, null);
		return;
	default:
		break;
	}
	if (e->type == SQL_BOOL) {
		gen_truth(g, e, null);
		return;
	}
	if (e->type == SQL_FLOAT8) {
		sql_gen_real_operation(g, e, null);
		return;
	}
	switch (e->op) {
	case SQL_ADD:
	case SQL_SUB:
		sql_gen_add(g, e, null);
		return;
	case SQL_MUL:
		sql_gen_multiply(g, e, null);
		return;
	case SQL_DIV:
	case SQL_MOD:
		sql_gen_divide(g, e, null);
		return;
	case SQL_NEG:
	case SQL_ABS:
		sql_gen_negate(g, e, null);
		return;
	default:
		sql_gen_fail(g, NF_UNIMPLEMENTED, e->at, "this is not supported beside the data");
	}
}
