/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_gen_cast.c - casts and parts of dates, over a record. */
#include "sql/sql_gen.h"

static void no_cast(struct sql_gen *g, const struct sql_expr *e)
{
	sql_gen_fail(
		g, NF_UNIMPLEMENTED, e->at,
		"a cast from %s to %s is not supported beside the data; cast what is aggregated",
		sql_type_name(e->args[0]->type), sql_type_name(e->type));
}

/* r0 = floor(r0 / d), r1 is what is left */
static void floor_divide(struct sql_gen *g, int64_t d)
{
	struct sql_asm *a = &g->a;
	sql_label end = sql_asm_label(a);

	sql_asm_const(a, 2, d);
	sql_asm_mov(a, 1, 0);
	sql_asm_sdiv(a, BPF_MOD, 1, 2);
	sql_asm_sdiv(a, BPF_DIV, 0, 2);
	sql_asm_if_imm(a, BPF_JSGE, 1, 0, end);
	sql_asm_alu(a, BPF_ADD, 1, 2);
	sql_asm_alu_imm(a, BPF_SUB, 0, 1);
	sql_asm_bind(a, end);
}

/* numeric(p, s): p digits at most. */
static void check_precision(struct sql_gen *g, struct sql_num n, const struct sql_expr *e)
{
	__int128 most;

	if (!e->precision || e->precision > SQL_RECORD_SCALE)
		return; /* what fits 64 bits and has more digits is refused for these */
	most = sql_power_of_ten(e->precision) - 1;
	if (n.lo < -most)
		sql_asm_if_imm(&g->a, BPF_JSLT, 0, (int64_t)-most,
			       sql_asm_failing(&g->a, SQL_FAIL_FIELD));
	if (n.hi > most)
		sql_asm_if_imm(&g->a, BPF_JSGT, 0, (int64_t)most,
			       sql_asm_failing(&g->a, SQL_FAIL_FIELD));
}

void sql_gen_cast(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	enum sql_type from = e->args[0]->type, to = e->type;
	struct sql_num n, ideal;
	struct sql_asm *a = &g->a;
	bool from_integer = from == SQL_INT2 || from == SQL_INT4 || from == SQL_INT8;
	bool to_integer = to == SQL_INT2 || to == SQL_INT4 || to == SQL_INT8;

	if (from == SQL_TEXT || to == SQL_TEXT || from == SQL_UNKNOWN) {
		no_cast(g, e);
		return;
	}
	sql_gen_value(g, e->args[0], null);
	sql_asm_at(a, e->at);
	if (from == to && (to != SQL_NUMERIC || e->scale == SQL_NO_SCALE))
		return;
	n = sql_num_of(g, e->args[0]);
	ideal = sql_num_ideal(g, e);
	if ((from_integer || from == SQL_BOOL) && to_integer) {
		sql_gen_bounds(g, n, to, e->at);
	} else if ((from_integer || from == SQL_NUMERIC) && to == SQL_NUMERIC) {
		if (ideal.scale < n.scale)
			sql_gen_round_off(g, n.scale - ideal.scale, SQL_HALF_AWAY);
		else
			sql_gen_scale_up(g, ideal, ideal.scale - n.scale, e->at);
		check_precision(g, ideal, e);
	} else if (from == SQL_NUMERIC && to_integer) {
		if (n.scale > 0)
			sql_gen_round_off(g, n.scale, SQL_HALF_AWAY);
		sql_gen_bounds(g, ideal, to, e->at);
	} else if ((from_integer || from == SQL_NUMERIC) && to == SQL_FLOAT8) {
		sql_gen_to_real(g, e);
	} else if (from_integer && to == SQL_BOOL) {
		sql_label zero = sql_asm_label(a);

		sql_asm_if_imm(a, BPF_JEQ, 0, 0, zero);
		sql_asm_const(a, 0, 1);
		sql_asm_bind(a, zero);
	} else if (from == SQL_DATE && to == SQL_TIMESTAMP) {
		int64_t first, last;

		sql_type_bounds(SQL_DATE, &first, &last);
		last = INT64_MAX / SQL_DAY_US - 1;
		if (n.lo < first)
			sql_asm_if_imm(a, BPF_JSLT, 0, first,
				       sql_asm_failing(a, SQL_FAIL_DATE_TO_TIMESTAMP));
		if (n.hi > last)
			sql_asm_if_imm(a, BPF_JSGT, 0, last,
				       sql_asm_failing(a, SQL_FAIL_DATE_TO_TIMESTAMP));
		sql_asm_alu_imm(a, BPF_MUL, 0, SQL_DAY_US);
	} else if (from == SQL_TIMESTAMP && to == SQL_DATE) {
		floor_divide(g, SQL_DAY_US);
	} else {
		no_cast(g, e);
	}
}

/*
 * Year, month and day of the day in r0: the calendar counted in eras of 400 years (146097 days)
 * from March, so that the day that comes and goes is a year's last. A multiple of eras is added
 * first, so that all is positive.
 */
static void civil(struct sql_gen *g, enum sql_field field)
{
	enum { ERAS = 14700, ERA_DAYS = 146097, TO_MARCH_0000 = 719468 };
	struct sql_asm *a = &g->a;
	sql_label early = sql_asm_label(a);

	sql_asm_alu_imm(a, BPF_ADD, 0, TO_MARCH_0000 + (int64_t)ERAS * ERA_DAYS);
	sql_asm_mov(a, 1, 0);
	sql_asm_alu_imm(a, BPF_DIV, 1, ERA_DAYS); /* r1: era */
	sql_asm_alu_imm(a, BPF_MOD, 0, ERA_DAYS); /* r0: day of the era */
	/* r2: year of the era = (doe - doe/1460 + doe/36524 - doe/146096) / 365 */
	sql_asm_mov(a, 2, 0);
	sql_asm_mov(a, 3, 0);
	sql_asm_alu_imm(a, BPF_DIV, 3, 1460);
	sql_asm_alu(a, BPF_SUB, 2, 3);
	sql_asm_mov(a, 3, 0);
	sql_asm_alu_imm(a, BPF_DIV, 3, 36524);
	sql_asm_alu(a, BPF_ADD, 2, 3);
	sql_asm_mov(a, 3, 0);
	sql_asm_alu_imm(a, BPF_DIV, 3, 146096);
	sql_asm_alu(a, BPF_SUB, 2, 3);
	sql_asm_alu_imm(a, BPF_DIV, 2, 365);
	/* r0: day of the year, from March 1st = doe - (365 yoe + yoe/4 - yoe/100) */
	sql_asm_mov(a, 3, 2);
	sql_asm_alu_imm(a, BPF_MUL, 3, 365);
	sql_asm_alu(a, BPF_SUB, 0, 3);
	sql_asm_mov(a, 3, 2);
	sql_asm_alu_imm(a, BPF_DIV, 3, 4);
	sql_asm_alu(a, BPF_SUB, 0, 3);
	sql_asm_mov(a, 3, 2);
	sql_asm_alu_imm(a, BPF_DIV, 3, 100);
	sql_asm_alu(a, BPF_ADD, 0, 3);
	/* r3: month from March = (5 doy + 2) / 153 */
	sql_asm_mov(a, 3, 0);
	sql_asm_alu_imm(a, BPF_MUL, 3, 5);
	sql_asm_alu_imm(a, BPF_ADD, 3, 2);
	sql_asm_alu_imm(a, BPF_DIV, 3, 153);
	if (field == SQL_DAY) { /* doy - (153 mp + 2) / 5 + 1 */
		sql_asm_alu_imm(a, BPF_MUL, 3, 153);
		sql_asm_alu_imm(a, BPF_ADD, 3, 2);
		sql_asm_alu_imm(a, BPF_DIV, 3, 5);
		sql_asm_alu(a, BPF_SUB, 0, 3);
		sql_asm_alu_imm(a, BPF_ADD, 0, 1);
		return;
	}
	sql_asm_alu_imm(a, BPF_ADD, 3, 3); /* month, January and February of the year after */
	if (field == SQL_MONTH) {
		sql_asm_mov(a, 0, 3);
		sql_asm_if_imm(a, BPF_JLE, 0, 12, early);
		sql_asm_alu_imm(a, BPF_SUB, 0, 12);
		sql_asm_bind(a, early);
		return;
	}
	sql_asm_mov(a, 0, 1);
	sql_asm_alu_imm(a, BPF_MUL, 0, 400);
	sql_asm_alu(a, BPF_ADD, 0, 2);
	sql_asm_if_imm(a, BPF_JLE, 3, 12, early);
	sql_asm_alu_imm(a, BPF_ADD, 0, 1);
	sql_asm_bind(a, early);
	sql_asm_alu_imm(a, BPF_SUB, 0, ERAS * 400);
	early = sql_asm_label(a); /* there is no year 0: PostgreSQL calls 1 BC -1 */
	sql_asm_if_imm(a, BPF_JSGT, 0, 0, early);
	sql_asm_alu_imm(a, BPF_SUB, 0, 1);
	sql_asm_bind(a, early);
}

void sql_gen_extract(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	struct sql_asm *a = &g->a;
	bool of_day = e->field == SQL_HOUR || e->field == SQL_MINUTE;

	sql_gen_value(g, e->args[0], null);
	sql_asm_at(a, e->at);
	if (e->args[0]->type == SQL_TIMESTAMP) {
		floor_divide(g, SQL_DAY_US);
		if (of_day) {
			sql_asm_mov(a, 0, 1);
			sql_asm_alu_imm(a, BPF_DIV, 0,
					e->field == SQL_HOUR ? INT64_C(3600000000) : 60000000);
			if (e->field == SQL_MINUTE)
				sql_asm_alu_imm(a, BPF_MOD, 0, 60);
			return;
		}
	} else if (of_day) {
		sql_asm_const(a, 0, 0);
		return;
	}
	civil(g, e->field);
}
