/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_gen_real.c - doubles: their bits travel, helpers compute; PostgreSQL's checks are made here.
 */
#include "sql/sql_gen.h"

#include <math.h>
#include <string.h>

#define INFINITY_TWICE  UINT64_C(0xffe0000000000000) /* its bits without the sign, shifted left */
#define EXACT_IN_DOUBLE (INT64_C(1) << 53)

/* A double of the same value, from the bits of a float in r0. */
void sql_gen_widen(struct sql_gen *g)
{
	struct sql_asm *a = &g->a;
	sql_label small = sql_asm_label(a), finite = sql_asm_label(a);
	const double least = 0x1p-149;
	int64_t bits;
	unsigned depth = g->depth;
	int32_t sign = sql_gen_push(g, 1, -1);

	memcpy(&bits, &least, sizeof(bits));
	sql_asm_mov(a, 1, 0);
	sql_asm_alu_imm(a, BPF_RSH, 1, 31);
	sql_asm_alu_imm(a, BPF_LSH, 1, 63);
	sql_asm_store(a, 8, REG_STACK, sign, 1);
	sql_asm_alu_imm(a, BPF_AND, 0, 0x7fffffff);
	sql_asm_if_imm(a, BPF_JLT, 0, 0x00800000, small);
	sql_asm_mov(a, 1, 0);
	sql_asm_alu_imm(a, BPF_LSH, 0, 29);
	sql_asm_alu_imm(a, BPF_ADD, 0, INT64_C(896) << 52);
	sql_asm_if_imm(a, BPF_JLT, 1, 0x7f800000, finite);
	sql_asm_alu_imm(a, BPF_OR, 0, INT64_C(0x7ff) << 52);
	sql_asm_goto(a, finite);
	sql_asm_bind(a, small); /* so many times the least one, exactly */
	sql_asm_mov(a, 1, 0);
	sql_asm_call(a, "fold_f64_from_i64");
	sql_asm_mov(a, 1, 0);
	sql_asm_const(a, 2, bits);
	sql_asm_call(a, "fold_f64_mul");
	sql_asm_bind(a, finite);
	sql_asm_load(a, 8, 1, REG_STACK, sign);
	sql_asm_alu(a, BPF_OR, 0, 1);
	sql_gen_pop(g, depth);
}

void sql_gen_to_real(struct sql_gen *g, const struct sql_expr *e)
{
	struct sql_num n = sql_num_of(g, e->args[0]);
	struct sql_asm *a = &g->a;
	const double power = (double)sql_power_of_ten(n.scale);
	int64_t bits;

	if (n.scale > 0) {
		/* The quotient is right if both numbers are exact. */
		if (n.lo < -EXACT_IN_DOUBLE)
			sql_asm_if_imm(a, BPF_JSLT, 0, -EXACT_IN_DOUBLE,
				       sql_asm_failing(a, SQL_FAIL_NUMERIC));
		if (n.hi > EXACT_IN_DOUBLE)
			sql_asm_if_imm(a, BPF_JSGT, 0, EXACT_IN_DOUBLE,
				       sql_asm_failing(a, SQL_FAIL_NUMERIC));
	}
	sql_asm_mov(a, 1, 0);
	sql_asm_call(a, "fold_f64_from_i64");
	if (n.scale > 0) {
		memcpy(&bits, &power, sizeof(bits));
		sql_asm_mov(a, 1, 0);
		sql_asm_const(a, 2, bits);
		sql_asm_call(a, "fold_f64_div");
	}
}

int64_t sql_real_key(double d, bool ordered)
{
	int64_t bits;

	if (isnan(d))
		return INT64_C(0x7ff8) << 48;
	d += 0.0; /* -0 is 0 */
	memcpy(&bits, &d, sizeof(bits));
	return ordered ? bits ^ ((bits >> 63) & INT64_MAX) : bits;
}

double sql_real_of_key(int64_t key)
{
	int64_t bits = key ^ ((key >> 63) & INT64_MAX);
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

/* x + 0 is x, but for -0, which it makes 0, and NaN, of which it makes the one. So does x + -0,
 * which leaves -0. */
static void add_zero(struct sql_gen *g, int64_t zero)
{
	sql_asm_mov(&g->a, 1, 0);
	sql_asm_const(&g->a, 2, zero);
	sql_asm_call(&g->a, "fold_f64_add");
}

static void order_bits(struct sql_gen *g)
{
	struct sql_asm *a = &g->a;

	sql_asm_mov(a, 1, 0);
	sql_asm_alu_imm(a, BPF_ARSH, 1, 63);
	sql_asm_alu_imm(a, BPF_AND, 1, INT64_MAX);
	sql_asm_alu(a, BPF_XOR, 0, 1);
}

void sql_gen_real_key(struct sql_gen *g, bool ordered)
{
	add_zero(g, 0);
	if (ordered)
		order_bits(g);
}

void sql_gen_real_extreme(struct sql_gen *g)
{
	add_zero(g, SQL_MINUS_ZERO);
	order_bits(g);
}

/* Goes on if the double at the slot is infinite, else to finite. Uses r1; r2 is INFINITY_TWICE. */
static void unless_infinite(struct sql_gen *g, int32_t slot, sql_label infinite)
{
	sql_asm_load(&g->a, 8, 1, REG_STACK, slot);
	sql_asm_alu_imm(&g->a, BPF_LSH, 1, 1);
	sql_asm_if(&g->a, BPF_JEQ, 1, 2, infinite);
}

void sql_gen_real(struct sql_gen *g, enum sql_op op, int32_t at)
{
	static const char *const helper[] = {
		[SQL_ADD] = "fold_f64_add",
		[SQL_SUB] = "fold_f64_sub",
		[SQL_MUL] = "fold_f64_mul",
		[SQL_DIV] = "fold_f64_div",
	};
	struct sql_asm *a = &g->a;
	unsigned depth = g->depth;
	int32_t x = sql_gen_push(g, 1, at), y = sql_gen_push(g, 1, at);
	sql_label fine = sql_asm_label(a), not_zero = sql_asm_label(a);

	sql_asm_at(a, at);
	sql_asm_store(a, 8, REG_STACK, x, 0);
	sql_asm_store(a, 8, REG_STACK, y, 1);
	if (op == SQL_DIV) { /* 0 or -0, unless NaN is divided */
		sql_asm_mov(a, 2, 1);
		sql_asm_alu_imm(a, BPF_LSH, 2, 1);
		sql_asm_if_imm(a, BPF_JNE, 2, 0, not_zero);
		sql_asm_mov(a, 2, 0);
		sql_asm_alu_imm(a, BPF_LSH, 2, 1);
		sql_asm_const(a, 3, (int64_t)INFINITY_TWICE);
		sql_asm_if(a, BPF_JLE, 2, 3, sql_asm_failing(a, SQL_FAIL_DIVISION));
		sql_asm_bind(a, not_zero);
	}
	sql_asm_mov(a, 2, 1);
	sql_asm_mov(a, 1, 0);
	sql_asm_call(a, helper[op]);
	sql_asm_mov(a, 3, 0);
	sql_asm_alu_imm(a, BPF_LSH, 3, 1);
	sql_asm_const(a, 2, (int64_t)INFINITY_TWICE);
	if (op == SQL_MUL || op == SQL_DIV) { /* 0 of what is not */
		sql_label some = sql_asm_label(a);

		sql_asm_if_imm(a, BPF_JNE, 3, 0, some);
		sql_asm_load(a, 8, 1, REG_STACK, x);
		sql_asm_alu_imm(a, BPF_LSH, 1, 1);
		sql_asm_if_imm(a, BPF_JEQ, 1, 0, fine);
		if (op == SQL_MUL) {
			sql_asm_load(a, 8, 1, REG_STACK, y);
			sql_asm_alu_imm(a, BPF_LSH, 1, 1);
			sql_asm_if_imm(a, BPF_JEQ, 1, 0, fine);
		} else {
			unless_infinite(g, y, fine);
		}
		sql_asm_goto(a, sql_asm_failing(a, SQL_FAIL_UNDERFLOW));
		sql_asm_bind(a, some);
	}
	sql_asm_if(a, BPF_JNE, 3, 2, fine);
	unless_infinite(g, x, fine);
	if (op != SQL_DIV)
		unless_infinite(g, y, fine);
	sql_asm_goto(a, sql_asm_failing(a, SQL_FAIL_OVERFLOW));
	sql_asm_bind(a, fine);
	sql_gen_pop(g, depth);
}

void sql_gen_real_operation(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	struct sql_asm *a = &g->a;

	if (e->op == SQL_NEG || e->op == SQL_ABS) {
		sql_gen_value(g, e->args[0], null);
		sql_asm_at(a, e->at);
		sql_asm_alu_imm(a, e->op == SQL_NEG ? BPF_XOR : BPF_AND, 0,
				e->op == SQL_NEG ? INT64_MIN : INT64_MAX);
		return;
	}
	if (e->op == SQL_MOD) {
		sql_gen_fail(g, NF_UNIMPLEMENTED, e->at, "%% of doubles is not supported");
		return;
	}
	sql_gen_two(g, e->args[0], 0, e->args[1], 0, null);
	sql_gen_real(g, e->op, e->at);
}
