/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_gen_integer.c - arithmetic of integers, dates and numerics, checked where the operands'
 * ranges do not show that the result fits.
 */
#include "sql/sql_gen.h"

#include <inttypes.h>

static enum sql_failure failure_of(enum sql_type type)
{
	switch (type) {
	case SQL_INT2:
		return SQL_FAIL_SMALLINT;
	case SQL_INT4:
		return SQL_FAIL_INTEGER;
	case SQL_INT8:
		return SQL_FAIL_BIGINT;
	case SQL_DATE:
		return SQL_FAIL_DATE;
	case SQL_TIMESTAMP:
		return SQL_FAIL_TIMESTAMP;
	default:
		return SQL_FAIL_NUMERIC;
	}
}

static bool in_64_bits(struct sql_num n)
{
	return n.lo >= INT64_MIN && n.hi <= INT64_MAX;
}

/* r0 is what n says; fail where that is beyond the type. */
void sql_gen_bounds(struct sql_gen *g, struct sql_num n, enum sql_type type, int32_t at)
{
	int64_t lo, hi;

	sql_type_bounds(type, &lo, &hi);
	sql_asm_at(&g->a, at);
	if (n.lo < lo)
		sql_asm_if_imm(&g->a, BPF_JSLT, 0, lo, sql_asm_failing(&g->a, failure_of(type)));
	if (n.hi > hi)
		sql_asm_if_imm(&g->a, BPF_JSGT, 0, hi, sql_asm_failing(&g->a, failure_of(type)));
}

/* r0 *= r1; checked if what comes out (n) may be beyond 64 bits. */
void sql_gen_times(struct sql_gen *g, struct sql_num n, enum sql_type type, int32_t at)
{
	struct sql_asm *a = &g->a;
	unsigned depth = g->depth;
	int32_t slot;

	sql_asm_at(a, at);
	if (in_64_bits(n)) {
		sql_asm_alu(a, BPF_MUL, 0, 1);
		return;
	}
	slot = sql_gen_push(g, 1, at);
	sql_asm_mov(a, 2, 1);
	sql_asm_mov(a, 1, 0);
	sql_asm_mov(a, 3, REG_STACK);
	sql_asm_alu_imm(a, BPF_ADD, 3, slot);
	sql_asm_call(a, "fold_mul_s64");
	sql_asm_if_imm(a, BPF_JNE, 0, 0, sql_asm_failing(a, failure_of(type)));
	sql_asm_load(a, 8, 0, REG_STACK, slot);
	sql_gen_pop(g, depth);
}

/* r0 *= 10^digits, which gives n. */
void sql_gen_scale_up(struct sql_gen *g, struct sql_num n, int32_t digits, int32_t at)
{
	if (digits > SQL_RECORD_SCALE || n.scale > SQL_RECORD_SCALE) {
		sql_gen_fail(g, NF_UNIMPLEMENTED, at,
			     "more than %d digits behind the point are not supported beside the "
			     "data",
			     SQL_RECORD_SCALE);
		return;
	}
	if (digits == 0)
		return;
	sql_asm_const(&g->a, 1, (int64_t)sql_power_of_ten(digits));
	sql_gen_times(g, n, SQL_NUMERIC, at);
}

/* r0 += r1 or r0 -= r1 where the result may be beyond 64 bits: the sign tells. */
static void add_checked(struct sql_gen *g, bool subtract, enum sql_type type)
{
	struct sql_asm *a = &g->a;

	sql_asm_mov(a, 2, 0);
	sql_asm_alu(a, subtract ? BPF_SUB : BPF_ADD, 0, 1);
	sql_asm_mov(a, 3, 0);
	sql_asm_alu(a, BPF_XOR, 3, 2);
	sql_asm_mov(a, 4, subtract ? 2 : 0);
	sql_asm_alu(a, BPF_XOR, 4, 1);
	sql_asm_alu(a, BPF_AND, 3, 4);
	sql_asm_if_imm(a, BPF_JSLT, 3, 0, sql_asm_failing(a, failure_of(type)));
}

void sql_gen_add(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	struct sql_num n = sql_num_ideal(g, e);

	sql_gen_two(g, e->args[0], n.scale, e->args[1], n.scale, null);
	sql_asm_at(&g->a, e->at);
	if (in_64_bits(n)) {
		sql_asm_alu(&g->a, e->op == SQL_SUB ? BPF_SUB : BPF_ADD, 0, 1);
		sql_gen_bounds(g, n, e->type, e->at);
	} else {
		add_checked(g, e->op == SQL_SUB, e->type);
		n.lo = n.lo < INT64_MIN ? INT64_MIN : n.lo;
		n.hi = n.hi > INT64_MAX ? INT64_MAX : n.hi;
		sql_gen_bounds(g, n, e->type, e->at);
	}
}

void sql_gen_multiply(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	struct sql_num n = sql_num_ideal(g, e);

	if (n.scale > SQL_RECORD_SCALE) {
		sql_gen_fail(g, NF_UNIMPLEMENTED, e->at,
			     "this product has %" PRId32
			     " digits behind the point; beside the data "
			     "there are at most %d",
			     n.scale, SQL_RECORD_SCALE);
		return;
	}
	sql_gen_two(g, e->args[0], sql_num_of(g, e->args[0]).scale, e->args[1],
		    sql_num_of(g, e->args[1]).scale, null);
	sql_gen_times(g, n, e->type, e->at);
	if (in_64_bits(n))
		sql_gen_bounds(g, n, e->type, e->at);
}

/* Is the constant, or every value, other than zero? */
static bool never(struct sql_num n, int64_t v)
{
	return n.lo > v || n.hi < v;
}

void sql_gen_divide(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	struct sql_asm *a = &g->a;
	struct sql_num x = sql_num_of(g, e->args[0]), y = sql_num_of(g, e->args[1]);
	struct sql_num n = sql_num_ideal(g, e);
	int32_t scale = x.scale > y.scale ? x.scale : y.scale;

	if (e->type == SQL_NUMERIC && e->op == SQL_DIV) {
		sql_gen_fail(
			g, NF_UNIMPLEMENTED, e->at,
			"numerics are not divided beside the data: divide what is "
			"aggregated (sum(a) / sum(b)), or use double precision (a::float8 / b)");
		return;
	}
	sql_gen_two(g, e->args[0], scale, e->args[1], scale, null);
	sql_asm_at(a, e->at);
	if (!never(y, 0))
		sql_asm_if_imm(a, BPF_JEQ, 1, 0, sql_asm_failing(a, SQL_FAIL_DIVISION));
	if (e->op == SQL_MOD) {
		sql_asm_sdiv(a, BPF_MOD, 0, 1);
		return;
	}
	if (!in_64_bits(n) && !never(y, -1)) { /* the least number by -1 */
		sql_label fine = sql_asm_label(a);

		sql_asm_if_imm(a, BPF_JNE, 1, -1, fine);
		sql_asm_const(a, 2, INT64_MIN);
		sql_asm_if(a, BPF_JEQ, 0, 2, sql_asm_failing(a, failure_of(e->type)));
		sql_asm_bind(a, fine);
	}
	sql_asm_sdiv(a, BPF_DIV, 0, 1);
	if (in_64_bits(n) && !never(y, -1))
		sql_gen_bounds(g, n, e->type, e->at);
}

void sql_gen_negate(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	struct sql_asm *a = &g->a;
	struct sql_num n = sql_num_ideal(g, e);
	sql_label end = sql_asm_label(a);

	sql_gen_value(g, e->args[0], null);
	sql_asm_at(a, e->at);
	if (e->op == SQL_ABS)
		sql_asm_if_imm(a, BPF_JSGE, 0, 0, end);
	if (!in_64_bits(n)) {
		sql_asm_const(a, 1, INT64_MIN);
		sql_asm_if(a, BPF_JEQ, 0, 1, sql_asm_failing(a, failure_of(e->type)));
	}
	sql_asm_insn(a, BPF_ALU64 | BPF_NEG, 0, 0, 0, 0);
	if (e->op == SQL_ABS)
		sql_asm_bind(a, end);
	if (in_64_bits(n))
		sql_gen_bounds(g, n, e->type, e->at);
}

/* r0 /= 10^digits */
void sql_gen_round_off(struct sql_gen *g, int32_t digits, enum sql_rounding how)
{
	struct sql_asm *a = &g->a;
	sql_label end = sql_asm_label(a);
	int64_t p;

	if (digits > SQL_RECORD_SCALE) { /* nothing is left but a carry, which cannot be */
		digits = SQL_RECORD_SCALE;
	}
	p = (int64_t)sql_power_of_ten(digits);
	sql_asm_const(a, 2, p);
	sql_asm_mov(a, 1, 0);
	sql_asm_sdiv(a, BPF_MOD, 1, 2);
	sql_asm_sdiv(a, BPF_DIV, 0, 2);
	switch (how) {
	case SQL_HALF_AWAY: {
		sql_label up = sql_asm_label(a);

		sql_asm_if_imm(a, BPF_JSGE, 1, p / 2, up);
		sql_asm_if_imm(a, BPF_JSGT, 1, -(p / 2), end);
		sql_asm_alu_imm(a, BPF_SUB, 0, 1);
		sql_asm_goto(a, end);
		sql_asm_bind(a, up);
		sql_asm_alu_imm(a, BPF_ADD, 0, 1);
		break;
	}
	case SQL_DOWN:
		sql_asm_if_imm(a, BPF_JSGE, 1, 0, end);
		sql_asm_alu_imm(a, BPF_SUB, 0, 1);
		break;
	case SQL_UP:
		sql_asm_if_imm(a, BPF_JSLE, 1, 0, end);
		sql_asm_alu_imm(a, BPF_ADD, 0, 1);
		break;
	default:
		break;
	}
	sql_asm_bind(a, end);
}

void sql_gen_round(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	struct sql_num x, n;
	enum sql_rounding how = e->op == SQL_ROUND   ? SQL_HALF_AWAY
				: e->op == SQL_FLOOR ? SQL_DOWN
				: e->op == SQL_CEIL  ? SQL_UP
						     : SQL_TO_ZERO;

	if (e->type == SQL_FLOAT8 ||
	    (e->n_args > 1 && (e->args[1]->op != SQL_CONST || e->args[1]->value.null ||
			       e->args[1]->value.integer < 0))) {
		sql_gen_fail(g, NF_UNIMPLEMENTED, e->at,
			     "beside the data only numerics are rounded, to a constant number of "
			     "digits behind the point");
		return;
	}
	x = sql_num_of(g, e->args[0]);
	n = sql_num_ideal(g, e);
	sql_gen_value(g, e->args[0], null);
	sql_asm_at(&g->a, e->at);
	if (n.scale < x.scale)
		sql_gen_round_off(g, x.scale - n.scale, how);
	else
		sql_gen_scale_up(g, n, n.scale - x.scale, e->at);
}
