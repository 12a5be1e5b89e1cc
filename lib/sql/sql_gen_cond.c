/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_gen_cond.c - conditions over a record, as jumps: true, false, and unknown (NULL). */
#include "sql/sql_gen.h"

struct outcome {
	sql_label yes, no, null;
};

static enum sql_op mirrored(enum sql_op op)
{
	switch (op) {
	case SQL_LT:
		return SQL_GT;
	case SQL_LE:
		return SQL_GE;
	case SQL_GT:
		return SQL_LT;
	case SQL_GE:
		return SQL_LE;
	default:
		return op;
	}
}

static uint8_t jump_of(enum sql_op op)
{
	switch (op) {
	case SQL_EQ:
		return BPF_JEQ;
	case SQL_NE:
		return BPF_JNE;
	case SQL_LT:
		return BPF_JSLT;
	case SQL_LE:
		return BPF_JSLE;
	case SQL_GT:
		return BPF_JSGT;
	default:
		return BPF_JSGE;
	}
}

static void decide(struct sql_gen *g, const struct outcome *to, bool yes)
{
	sql_asm_goto(&g->a, yes ? to->yes : to->no);
}

static void compare_imm(struct sql_gen *g, enum sql_op op, int64_t imm, const struct outcome *to)
{
	sql_asm_if_imm(&g->a, jump_of(op), 0, imm, to->yes);
	sql_asm_goto(&g->a, to->no);
}

/*
 * x op c, where x is n / 10^x_scale and c any number, or one is a date and the other one a
 * timestamp: op on integers, exactly. If c lies between two of x's steps, < and <= both mean <= the
 * lower one. c beyond 64 bits: the answer is known, but x may still be NULL or fail.
 */
static void compare_const(struct sql_gen *g, enum sql_op op, const struct sql_expr *x,
			  const struct sql_value *c, const struct outcome *to)
{
	int32_t x_scale = sql_num_of(g, x).scale, c_scale = 0;
	bool between = false;
	mpz_t n, p;

	mpz_init(n);
	mpz_init(p);
	if (c->type == SQL_NUMERIC) {
		mpz_set(n, c->number);
		c_scale = c->scale;
	} else if (c->type == SQL_BOOL) {
		mpz_set_si(n, c->boolean);
	} else {
		mpz_set_si(n, c->integer);
	}
	if (x->type == SQL_TIMESTAMP && c->type == SQL_DATE) {
		mpz_mul_si(n, n, SQL_DAY_US);
	} else if (x->type == SQL_DATE && c->type == SQL_TIMESTAMP) {
		between = c->integer % SQL_DAY_US != 0;
		mpz_fdiv_q_ui(n, n, SQL_DAY_US);
	} else if (c_scale <= x_scale) {
		mpz_ui_pow_ui(p, 10, (unsigned long)(x_scale - c_scale));
		mpz_mul(n, n, p);
	} else {
		mpz_ui_pow_ui(p, 10, (unsigned long)(c_scale - x_scale));
		between = !mpz_divisible_p(n, p);
		mpz_fdiv_q(n, n, p);
	}
	sql_gen_value(g, x, to->null);
	sql_asm_at(&g->a, x->at);
	if (between && (op == SQL_EQ || op == SQL_NE)) {
		decide(g, to, op == SQL_NE);
	} else if (mpz_fits_slong_p(n)) {
		if (between)
			op = op == SQL_LT ? SQL_LE : op == SQL_GE ? SQL_GT : op;
		compare_imm(g, op, mpz_get_si(n), to);
	} else {
		bool above = mpz_sgn(n) > 0;

		decide(g, to,
		       op == SQL_NE || (above ? op == SQL_LT || op == SQL_LE
					      : op == SQL_GT || op == SQL_GE));
	}
	mpz_clear(n);
	mpz_clear(p);
}

/* Are all its values in 64 bits with that scale? */
static bool fits_scaled(const struct sql_gen *g, const struct sql_expr *e, int32_t scale)
{
	struct sql_num n = sql_num_of(g, e);
	__int128 p = sql_power_of_ten(scale - n.scale);

	return n.lo * p >= INT64_MIN && n.hi * p <= INT64_MAX;
}

/*
 * x op y, where y is counted in steps of x's unit, so many of them, and x might not fit if it were,
 * too: y is brought to x's unit. With f = floor(y), c = ceil(y):
 *
 *	x < y	is x < c	x <= y	is x <= f	x = y	is x = f, if y is whole
 *	x >= y	is x >= c	x > y	is x > f
 */
static void compare_coarse(struct sql_gen *g, enum sql_op op, const struct sql_expr *x,
			   const struct sql_expr *y, int64_t steps, const struct outcome *to)
{
	struct sql_asm *a = &g->a;
	sql_label whole = sql_asm_label(a);

	sql_gen_two(g, x, sql_num_of(g, x).scale, y, sql_num_of(g, y).scale, to->null);
	sql_asm_at(a, x->at);
	sql_asm_const(a, 2, steps);
	sql_asm_mov(a, 3, 1);
	sql_asm_sdiv(a, BPF_MOD, 3, 2);
	sql_asm_sdiv(a, BPF_DIV, 1, 2);
	if (op == SQL_EQ || op == SQL_NE) {
		sql_asm_if_imm(a, BPF_JNE, 3, 0, op == SQL_NE ? to->yes : to->no);
	} else if (op == SQL_LT || op == SQL_GE) {
		sql_asm_if_imm(a, BPF_JSLE, 3, 0, whole);
		sql_asm_alu_imm(a, BPF_ADD, 1, 1);
	} else {
		sql_asm_if_imm(a, BPF_JSGE, 3, 0, whole);
		sql_asm_alu_imm(a, BPF_SUB, 1, 1);
	}
	sql_asm_bind(a, whole);
	sql_asm_if(a, jump_of(op), 0, 1, to->yes);
	sql_asm_goto(a, to->no);
}

static void compare_real(struct sql_gen *g, enum sql_op op, const struct sql_expr *a,
			 const struct sql_expr *b, const struct outcome *to)
{
	bool ordered = op != SQL_EQ && op != SQL_NE;
	unsigned depth = g->depth;
	int32_t slot;

	sql_gen_value(g, a, to->null);
	sql_gen_real_key(g, ordered);
	if (b->op == SQL_CONST && !b->value.null) {
		compare_imm(g, op, sql_real_key(b->value.real, ordered), to);
		return;
	}
	slot = sql_gen_push(g, 1, b->at);
	sql_asm_store(&g->a, 8, REG_STACK, slot, 0);
	sql_gen_value(g, b, to->null);
	sql_gen_real_key(g, ordered);
	sql_asm_mov(&g->a, 1, 0);
	sql_asm_load(&g->a, 8, 0, REG_STACK, slot);
	sql_asm_if(&g->a, jump_of(op), 0, 1, to->yes);
	sql_asm_goto(&g->a, to->no);
	sql_gen_pop(g, depth);
}

static void compare(struct sql_gen *g, const struct sql_expr *e, const struct outcome *to)
{
	const struct sql_expr *a = e->args[0], *b = e->args[1];
	enum sql_op op = e->op;
	int32_t a_scale, b_scale, scale;

	if (a->type == SQL_TEXT || b->type == SQL_TEXT) {
		sql_gen_text_compare(g, e, to->yes, to->no, to->null);
		return;
	}
	if (a->op == SQL_CONST && b->op != SQL_CONST) {
		a = e->args[1];
		b = e->args[0];
		op = mirrored(op);
	}
	if (b->op == SQL_CONST && b->value.null) {
		sql_asm_goto(&g->a, to->null);
		return;
	}
	if (a->type == SQL_FLOAT8) {
		compare_real(g, op, a, b, to);
		return;
	}
	if (b->op == SQL_CONST) {
		compare_const(g, op, a, &b->value, to);
		return;
	}
	a_scale = sql_num_of(g, a).scale;
	b_scale = sql_num_of(g, b).scale;
	scale = a_scale > b_scale ? a_scale : b_scale;
	if (a->type == SQL_DATE && b->type == SQL_TIMESTAMP) {
		compare_coarse(g, op, a, b, SQL_DAY_US, to);
		return;
	}
	if (a->type == SQL_TIMESTAMP && b->type == SQL_DATE) {
		compare_coarse(g, mirrored(op), b, a, SQL_DAY_US, to);
		return;
	}
	if (scale <= SQL_RECORD_SCALE && !fits_scaled(g, a, scale)) {
		compare_coarse(g, op, a, b, (int64_t)sql_power_of_ten(scale - a_scale), to);
		return;
	}
	if (scale <= SQL_RECORD_SCALE && !fits_scaled(g, b, scale)) {
		compare_coarse(g, mirrored(op), b, a, (int64_t)sql_power_of_ten(scale - b_scale),
			       to);
		return;
	}
	sql_gen_two(g, a, scale, b, scale, to->null);
	sql_asm_at(&g->a, e->at);
	sql_asm_if(&g->a, jump_of(op), 0, 1, to->yes);
	sql_asm_goto(&g->a, to->no);
}

/* The second half of AND and OR where the first may be NULL and all three outcomes matter: whether
 * it was waits on the stack. Code for both cases would double with every level. */
static void second_after_null(struct sql_gen *g, const struct sql_expr *e, const struct outcome *to,
			      sql_label known, sql_label unknown)
{
	struct sql_asm *a = &g->a;
	bool is_and = e->op == SQL_AND;
	sql_label second = sql_asm_label(a), open = sql_asm_label(a);
	unsigned depth = g->depth;
	int32_t slot = sql_gen_push(g, 1, e->at);

	sql_asm_bind(a, known);
	sql_asm_store_imm(a, 8, REG_STACK, slot, 0);
	sql_asm_goto(a, second);
	sql_asm_bind(a, unknown);
	sql_asm_store_imm(a, 8, REG_STACK, slot, 1);
	sql_asm_bind(a, second);
	sql_gen_cond(g, e->args[1], is_and ? open : to->yes, is_and ? to->no : open, to->null);
	sql_asm_bind(a, open);
	sql_asm_load(a, 8, 0, REG_STACK, slot);
	sql_asm_if_imm(a, BPF_JNE, 0, 0, to->null);
	sql_asm_goto(a, is_and ? to->yes : to->no);
	sql_gen_pop(g, depth);
}

/*
 * a AND b is false if either is, whatever the other one is; else NULL if either is. For OR the same
 * with true. `end`: where that value goes; `other`: where the other one goes.
 *
 * Where NULL goes to one of the two places, as in WHERE, a NULL on the left is that value: to
 * `other` it leaves the decision to the right side.
 */
static void both(struct sql_gen *g, const struct sql_expr *e, const struct outcome *to)
{
	struct sql_asm *a = &g->a;
	bool is_and = e->op == SQL_AND;
	sql_label end = is_and ? to->no : to->yes, other = is_and ? to->yes : to->no;
	sql_label next = sql_asm_label(a), unknown = end;
	bool waits = e->args[0]->nullable && to->null != end && to->null != other;

	if (waits)
		unknown = sql_asm_label(a);
	else if (to->null == other)
		unknown = next;
	sql_gen_cond(g, e->args[0], is_and ? next : end, is_and ? end : next, unknown);
	if (waits) {
		second_after_null(g, e, to, next, unknown);
		return;
	}
	sql_asm_bind(a, next);
	sql_gen_cond(g, e->args[1], to->yes, to->no, to->null);
}

static void is_null(struct sql_gen *g, const struct sql_expr *x, const struct outcome *to)
{
	if (x->type == SQL_BOOL) {
		sql_gen_cond(g, x, to->no, to->no, to->yes);
		return;
	}
	if (x->type == SQL_TEXT)
		sql_gen_text(g, x, REG_STACK, 0, 0, to->yes);
	else
		sql_gen_value(g, x, to->yes);
	sql_asm_goto(&g->a, to->no);
}

void sql_gen_cond(struct sql_gen *g, const struct sql_expr *e, sql_label if_true,
		  sql_label if_false, sql_label if_null)
{
	const struct outcome to = {if_true, if_false, if_null};

	if (g->error)
		return;
	sql_asm_at(&g->a, e->at);
	switch (e->op) {
	case SQL_CONST:
		sql_asm_goto(&g->a, e->value.null      ? if_null
				    : e->value.boolean ? if_true
						       : if_false);
		return;
	case SQL_AND:
	case SQL_OR:
		both(g, e, &to);
		return;
	case SQL_NOT:
		sql_gen_cond(g, e->args[0], if_false, if_true, if_null);
		return;
	case SQL_IS_NULL:
		is_null(g, e->args[0], &to);
		return;
	case SQL_EQ:
	case SQL_NE:
	case SQL_LT:
	case SQL_LE:
	case SQL_GT:
	case SQL_GE:
		compare(g, e, &to);
		return;
	case SQL_LIKE:
		sql_gen_like(g, e, if_true, if_false, if_null);
		return;
	default:
		sql_gen_value(g, e, if_null);
		sql_asm_if_imm(&g->a, BPF_JNE, 0, 0, if_true);
		sql_asm_goto(&g->a, if_false);
		return;
	}
}
