/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_expr.c - the value of an expression over a row: what compiled queries are compared with. */
#include "sql/sql_expr.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql_plan.h"

enum { MAX_STRICT_ARGS = 2 };

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* ---- what fails says where ------------------------------------------------------------------- */

static int failed_at(const struct sql_expr *e, const struct sql_row *row, int r,
		     struct nf_error *err)
{
	if (r && err)
		sql_where(row ? row->text : NULL, e->at, err->where, sizeof(err->where));
	return r;
}

/* ---- operations whose operands are not NULL -------------------------------------------------- */

static bool compare_holds(enum sql_op op, int order)
{
	switch (op) {
	case SQL_EQ:
		return order == 0;
	case SQL_NE:
		return order != 0;
	case SQL_LT:
		return order < 0;
	case SQL_LE:
		return order <= 0;
	case SQL_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static int negate(const struct sql_value *a, struct sql_value *ret, struct nf_error *err)
{
	const struct sql_interval *i = &a->interval;

	if (a->type != SQL_INTERVAL)
		return sql_value_negate(a, ret, err);
	if (i->months == INT32_MIN || i->days == INT32_MIN || i->us == INT64_MIN)
		return nf_error_set(err, NF_OUT_OF_RANGE, NULL, "interval out of range");
	*ret = (struct sql_value){.type = SQL_INTERVAL, .interval = {-i->months, -i->days, -i->us}};
	return 0;
}

static bool is_negative(const struct sql_value *a)
{
	if (a->type == SQL_NUMERIC)
		return mpz_sgn(a->number) < 0;
	return a->type == SQL_FLOAT8 ? signbit(a->real) != 0 : a->integer < 0;
}

static int round_double(enum sql_op op, double d, struct sql_value *ret)
{
	*ret = sql_value_real(op == SQL_ROUND   ? nearbyint(d)
			      : op == SQL_TRUNC ? trunc(d)
			      : op == SQL_FLOOR ? floor(d)
						: ceil(d));
	return 0;
}

/* Down or up from what is cut off. */
static int floor_number(bool up, const struct sql_value *a, struct sql_value *ret,
			struct nf_error *err)
{
	struct sql_value whole = {0};
	int r = sql_value_round(a, 0, true, &whole, err), order;

	if (r)
		return r;
	order = sql_value_compare(&whole, a);
	if (up && order < 0)
		mpz_add_ui(whole.number, whole.number, 1);
	if (!up && order > 0)
		mpz_sub_ui(whole.number, whole.number, 1);
	*ret = whole;
	return 0;
}

static int round_value(enum sql_op op, const struct sql_value *v, uint32_t n, struct sql_value *ret,
		       struct nf_error *err)
{
	if (v[0].type == SQL_FLOAT8)
		return round_double(op, v[0].real, ret);
	if (op == SQL_FLOOR || op == SQL_CEIL)
		return floor_number(op == SQL_CEIL, &v[0], ret, err);
	return sql_value_round(&v[0], n > 1 ? (int32_t)v[1].integer : 0, op == SQL_TRUNC, ret, err);
}

static int extract(enum sql_field field, const struct sql_value *v, struct sql_value *ret)
{
	bool date = v->type == SQL_DATE; /* which microseconds may not reach */
	int64_t days = date ? v->integer : floor_div(v->integer, SQL_DAY_US), year;
	int64_t minutes = date ? 0 : (v->integer - days * SQL_DAY_US) / 60000000;
	unsigned month, day;

	sql_civil_from_days(days, &year, &month, &day);
	if (field == SQL_YEAR) /* there is no year 0: before year 1 is 1 BC, which is -1 */
		*ret = sql_value_number(year > 0 ? year : year - 1, 0);
	else if (field == SQL_MONTH)
		*ret = sql_value_number(month, 0);
	else if (field == SQL_DAY)
		*ret = sql_value_number(day, 0);
	else
		*ret = sql_value_number(field == SQL_HOUR ? minutes / 60 : minutes % 60, 0);
	return 0;
}

static int check_precision(const struct sql_expr *e, const struct sql_value *v,
			   struct nf_error *err)
{
	mpz_t limit;
	bool over;

	if (v->type != SQL_NUMERIC || !e->precision)
		return 0;
	mpz_init(limit);
	mpz_ui_pow_ui(limit, 10, e->precision);
	over = mpz_cmpabs(v->number, limit) >= 0;
	mpz_clear(limit);
	if (!over)
		return 0;
	return nf_error_set(err, NF_OUT_OF_RANGE, NULL,
			    "numeric field overflow: a field with precision %u, scale %d must "
			    "round to an absolute value less than 10^%d",
			    e->precision, e->scale, e->precision - e->scale);
}

static int cast(const struct sql_expr *e, const struct sql_value *v, struct sql_value *ret,
		struct nf_error *err)
{
	struct sql_value to = {0};
	int r = sql_value_cast(v, e->type, e->scale, &to, err);

	if (!r)
		r = check_precision(e, &to, err);
	if (r)
		sql_value_done(&to);
	else
		*ret = to;
	return r;
}

static int apply(const struct sql_expr *e, const struct sql_value *v, struct sql_value *ret,
		 struct nf_error *err)
{
	switch (e->op) {
	case SQL_NEG:
		return negate(&v[0], ret, err);
	case SQL_ADD:
	case SQL_SUB:
	case SQL_MUL:
	case SQL_DIV:
	case SQL_MOD:
		return sql_value_arith((enum sql_arith)(SQL_PLUS + (e->op - SQL_ADD)), &v[0], &v[1],
				       ret, err);
	case SQL_EQ:
	case SQL_NE:
	case SQL_LT:
	case SQL_LE:
	case SQL_GT:
	case SQL_GE:
		*ret = sql_value_bool(compare_holds(e->op, sql_value_compare(&v[0], &v[1])));
		return 0;
	case SQL_NOT:
		*ret = sql_value_bool(!v[0].boolean);
		return 0;
	case SQL_LIKE:
		*ret = sql_value_bool(
			sql_like(v[0].text.bytes, v[0].text.n, v[1].text.bytes, v[1].text.n));
		return 0;
	case SQL_CAST:
		return cast(e, &v[0], ret, err);
	case SQL_EXTRACT:
		return extract(e->field, &v[0], ret);
	case SQL_ABS:
		if (is_negative(&v[0]))
			return negate(&v[0], ret, err);
		return sql_value_copy(&v[0], ret, err);
	case SQL_ROUND:
	case SQL_TRUNC:
	case SQL_FLOOR:
	case SQL_CEIL:
		return round_value(e->op, v, e->n_args, ret, err);
	default:
		return nf_error_set(err, NF_INTERNAL, NULL, "operation %d has no value", e->op);
	}
}

/* NULL if an operand is; all of them are looked at first, as PostgreSQL does. */
static int eval_strict(const struct sql_expr *e, const struct sql_row *row, struct sql_value *ret,
		       struct nf_error *err)
{
	struct sql_value v[MAX_STRICT_ARGS] = {0};
	bool null = false;
	int r = e->n_args > MAX_STRICT_ARGS ? -EINVAL : 0;

	for (uint32_t i = 0; !r && i < e->n_args; i++) {
		r = sql_expr_eval(e->args[i], row, &v[i], err);
		null |= v[i].null;
	}
	if (!r && null)
		*ret = sql_value_null(e->type);
	else if (!r)
		r = failed_at(e, row, apply(e, v, ret, err), err);
	for (uint32_t i = 0; i < MAX_STRICT_ARGS; i++)
		sql_value_done(&v[i]);
	return r;
}

/* ---- those that look no further than they must ----------------------------------------------- */

/* AND is decided by false, OR by true; NULL leaves it open. */
static int eval_and_or(const struct sql_expr *e, const struct sql_row *row, struct sql_value *ret,
		       struct nf_error *err)
{
	bool decides = e->op == SQL_OR, null = false;

	for (uint32_t i = 0; i < e->n_args; i++) {
		struct sql_value v;
		int r = sql_expr_eval(e->args[i], row, &v, err);

		if (r)
			return r;
		if (!v.null && v.boolean == decides) {
			*ret = v;
			return 0;
		}
		null |= v.null;
	}
	*ret = null ? sql_value_null(SQL_BOOL) : sql_value_bool(!decides);
	return 0;
}

static int eval_case(const struct sql_expr *e, const struct sql_row *row, struct sql_value *ret,
		     struct nf_error *err)
{
	for (uint32_t i = 0; i + 1 < e->n_args; i += 2) {
		struct sql_value v;
		int r = sql_expr_eval(e->args[i], row, &v, err);

		if (r)
			return r;
		if (!v.null && v.boolean)
			return sql_expr_eval(e->args[i + 1], row, ret, err);
	}
	return sql_expr_eval(e->args[e->n_args - 1], row, ret, err);
}

static int eval_coalesce(const struct sql_expr *e, const struct sql_row *row, struct sql_value *ret,
			 struct nf_error *err)
{
	for (uint32_t i = 0; i < e->n_args; i++) {
		struct sql_value v = {0};
		int r = sql_expr_eval(e->args[i], row, &v, err);

		if (r)
			return r;
		if (!v.null) {
			*ret = v;
			return 0;
		}
	}
	*ret = sql_value_null(e->type);
	return 0;
}

static int eval_is_null(const struct sql_expr *e, const struct sql_row *row, struct sql_value *ret,
			struct nf_error *err)
{
	struct sql_value v = {0};
	bool null;
	int r = sql_expr_eval(e->args[0], row, &v, err);

	if (r)
		return r;
	null = v.null;
	sql_value_done(&v);
	*ret = sql_value_bool(null);
	return 0;
}

int sql_expr_eval(const struct sql_expr *e, const struct sql_row *row, struct sql_value *ret,
		  struct nf_error *err)
{
	switch (e->op) {
	case SQL_CONST:
		return sql_value_copy(&e->value, ret, err);
	case SQL_COLUMN:
	case SQL_KEY:
	case SQL_AGGREGATE:
		return row->get(row, e, ret, err);
	case SQL_AND:
	case SQL_OR:
		return eval_and_or(e, row, ret, err);
	case SQL_CASE:
		return eval_case(e, row, ret, err);
	case SQL_COALESCE:
		return eval_coalesce(e, row, ret, err);
	case SQL_IS_NULL:
		return eval_is_null(e, row, ret, err);
	default:
		return eval_strict(e, row, ret, err);
	}
}

/* ---- the same? ------------------------------------------------------------------------------- */

/* Stricter than =: 1.0 is not 1.00 and 0 is not -0, for what is made of them may differ. */
static bool value_same(const struct sql_value *a, const struct sql_value *b)
{
	if (a->type != b->type || a->null != b->null)
		return false;
	if (a->null)
		return true;
	switch (a->type) {
	case SQL_BOOL:
		return a->boolean == b->boolean;
	case SQL_NUMERIC:
		return a->scale == b->scale && mpz_cmp(a->number, b->number) == 0;
	case SQL_FLOAT8:
		return memcmp(&a->real, &b->real, sizeof(a->real)) == 0;
	case SQL_TEXT:
	case SQL_UNKNOWN:
		return a->text.n == b->text.n &&
		       (!a->text.n || memcmp(a->text.bytes, b->text.bytes, a->text.n) == 0);
	case SQL_INTERVAL:
		return a->interval.months == b->interval.months &&
		       a->interval.days == b->interval.days && a->interval.us == b->interval.us;
	default:
		return a->integer == b->integer;
	}
}

bool sql_expr_equal(const struct sql_expr *a, const struct sql_expr *b)
{
	if (a->op != b->op || a->type != b->type || a->n_args != b->n_args ||
	    a->index != b->index || a->scale != b->scale || a->precision != b->precision ||
	    a->field != b->field)
		return false;
	if (a->op == SQL_CONST)
		return value_same(&a->value, &b->value);
	for (uint32_t i = 0; i < a->n_args; i++)
		if (!sql_expr_equal(a->args[i], b->args[i]))
			return false;
	return true;
}

void sql_expr_free(struct sql_expr *e)
{
	if (!e)
		return;
	for (uint32_t i = 0; i < e->n_args; i++)
		sql_expr_free(e->args[i]);
	free(e->args);
	sql_value_done(&e->value);
	free(e);
}
