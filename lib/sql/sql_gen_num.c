/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_gen_num.c - scales and ranges: what shows that a result fits, so that nothing need be
 * checked. The rules are those of intervals; every value that code computes is in 64 bits.
 */
#include "sql/sql_gen.h"

enum { MAX_POWER = 38 };
enum { FIRST_DAY = -2440588, LAST_DAY = 2145042905 }; /* PostgreSQL's: 4714-11-24 BC .. 5874897 */

__int128 sql_power_of_ten(int32_t n)
{
	__int128 p = 1;

	if (n > MAX_POWER) /* of a scale that is refused */
		n = MAX_POWER;
	while (n-- > 0)
		p *= 10;
	return p;
}

void sql_type_bounds(enum sql_type type, int64_t *ret_lo, int64_t *ret_hi)
{
	*ret_lo = INT64_MIN;
	*ret_hi = INT64_MAX;
	switch (type) {
	case SQL_BOOL:
		*ret_lo = 0;
		*ret_hi = 1;
		break;
	case SQL_INT2:
		*ret_lo = INT16_MIN;
		*ret_hi = INT16_MAX;
		break;
	case SQL_INT4:
		*ret_lo = INT32_MIN;
		*ret_hi = INT32_MAX;
		break;
	case SQL_DATE:
		*ret_lo = FIRST_DAY;
		*ret_hi = LAST_DAY;
		break;
	case SQL_TIMESTAMP:
		*ret_lo = FIRST_DAY * SQL_DAY_US;
		break;
	default:
		break;
	}
}

static struct sql_num clamp(struct sql_num n, enum sql_type type)
{
	int64_t lo, hi;

	sql_type_bounds(type, &lo, &hi);
	if (n.lo < lo)
		n.lo = lo;
	if (n.hi > hi)
		n.hi = hi;
	if (n.lo > hi) /* always fails */
		n.lo = hi;
	if (n.hi < lo)
		n.hi = lo;
	return n;
}

static struct sql_num column_num(const struct sql_column *c)
{
	__int128 most;

	switch (c->storage) {
	case SQL_STORED_I8:
		return (struct sql_num){INT8_MIN, INT8_MAX, 0};
	case SQL_STORED_I16:
		return (struct sql_num){INT16_MIN, INT16_MAX, 0};
	case SQL_STORED_I32:
	case SQL_STORED_DATE:
		return (struct sql_num){INT32_MIN, INT32_MAX, 0};
	case SQL_STORED_U8:
		return (struct sql_num){0, UINT8_MAX, 0};
	case SQL_STORED_U16:
		return (struct sql_num){0, UINT16_MAX, 0};
	case SQL_STORED_U32:
		return (struct sql_num){0, UINT32_MAX, 0};
	case SQL_STORED_U64:
		return (struct sql_num){0, INT64_MAX, 0};
	case SQL_STORED_BOOL:
		return (struct sql_num){0, 1, 0};
	case SQL_STORED_DECIMAL:
		most = sql_power_of_ten(c->precision) - 1;
		return (struct sql_num){-most, most, c->scale};
	default:
		return (struct sql_num){INT64_MIN, INT64_MAX, 0};
	}
}

static struct sql_num const_num(const struct sql_value *v)
{
	struct sql_num n = {INT64_MIN, INT64_MAX, 0};

	if (v->null)
		return (struct sql_num){0, 0, 0};
	switch (v->type) {
	case SQL_NUMERIC:
		n.scale = v->scale;
		if (mpz_fits_slong_p(v->number))
			n.lo = n.hi = mpz_get_si(v->number);
		return n;
	case SQL_BOOL:
		n.lo = n.hi = v->boolean;
		return n;
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
	case SQL_DATE:
	case SQL_TIMESTAMP:
		n.lo = n.hi = v->integer;
		return n;
	default:
		return n;
	}
}

static struct sql_num rescaled(struct sql_num n, int32_t scale)
{
	__int128 p;

	if (scale > n.scale && scale - n.scale <= 19) { /* beyond, it is refused elsewhere */
		p = sql_power_of_ten(scale - n.scale);
		n.lo *= p;
		n.hi *= p;
	}
	if (scale > n.scale)
		n.scale = scale;
	return n;
}

static struct sql_num join(struct sql_num a, struct sql_num b)
{
	a = rescaled(a, b.scale);
	b = rescaled(b, a.scale);
	return (struct sql_num){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi, a.scale};
}

static struct sql_num product(struct sql_num a, struct sql_num b)
{
	__int128 all[4] = {a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi};
	struct sql_num n = {all[0], all[0], a.scale + b.scale};

	for (unsigned i = 1; i < 4; i++) {
		if (all[i] < n.lo)
			n.lo = all[i];
		if (all[i] > n.hi)
			n.hi = all[i];
	}
	return n;
}

/* The results of CASE and COALESCE: every argument that can be one. */
static struct sql_num branches(const struct sql_gen *g, const struct sql_expr *e)
{
	struct sql_num n = {0, 0, 0};
	bool first = true;

	for (uint32_t i = 0; i < e->n_args; i++) {
		struct sql_num one;

		if (e->op == SQL_CASE && i % 2 == 0 && i + 1 < e->n_args)
			continue;
		if (e->args[i]->op == SQL_CONST && e->args[i]->value.null)
			continue;
		one = sql_num_of(g, e->args[i]);
		n = first ? one : join(n, one);
		first = false;
	}
	return n;
}

static struct sql_num cast_num(const struct sql_gen *g, const struct sql_expr *e)
{
	struct sql_num n = sql_num_of(g, e->args[0]);
	enum sql_type from = e->args[0]->type;

	if (from == SQL_DATE && e->type == SQL_TIMESTAMP)
		return (struct sql_num){n.lo * SQL_DAY_US, n.hi * SQL_DAY_US, 0};
	if (from == SQL_TIMESTAMP && e->type == SQL_DATE)
		return (struct sql_num){n.lo / SQL_DAY_US - 1, n.hi / SQL_DAY_US, 0};
	if (e->type == SQL_NUMERIC && e->scale != SQL_NO_SCALE && e->scale > n.scale)
		return rescaled(n, e->scale);
	if (from == SQL_NUMERIC && n.scale > 0 &&
	    (e->type != SQL_NUMERIC || (e->scale != SQL_NO_SCALE && e->scale < n.scale))) {
		int32_t scale = e->type == SQL_NUMERIC && e->scale > 0 ? e->scale : 0;
		__int128 p = sql_power_of_ten(n.scale - scale);

		return (struct sql_num){n.lo / p - 1, n.hi / p + 1, scale};
	}
	return n;
}

struct sql_num sql_num_ideal(const struct sql_gen *g, const struct sql_expr *e)
{
	struct sql_num a = {0, 0, 0}, b = a;

	if (e->op != SQL_CASE && e->op != SQL_COALESCE && e->op != SQL_CAST) {
		if (e->n_args > 0)
			a = sql_num_of(g, e->args[0]);
		if (e->n_args > 1)
			b = sql_num_of(g, e->args[1]);
	}
	switch (e->op) {
	case SQL_CONST:
		return const_num(&e->value);
	case SQL_COLUMN:
		return column_num(&g->plan->schema->columns[e->index]);
	case SQL_NEG:
		return (struct sql_num){-a.hi, -a.lo, a.scale};
	case SQL_ABS:
		if (a.lo >= 0)
			return a;
		return (struct sql_num){0, -a.lo > a.hi ? -a.lo : a.hi, a.scale};
	case SQL_ADD:
		a = rescaled(a, b.scale);
		b = rescaled(b, a.scale);
		return (struct sql_num){a.lo + b.lo, a.hi + b.hi, a.scale};
	case SQL_SUB:
		a = rescaled(a, b.scale);
		b = rescaled(b, a.scale);
		return (struct sql_num){a.lo - b.hi, a.hi - b.lo, a.scale};
	case SQL_MUL:
		return product(a, b);
	case SQL_DIV: /* of integers; by -1 at the worst */
		return (struct sql_num){a.lo < -a.hi ? a.lo : -a.hi, -a.lo > a.hi ? -a.lo : a.hi,
					0};
	case SQL_MOD:
		a = rescaled(a, b.scale);
		return (struct sql_num){a.lo < 0 ? a.lo : 0, a.hi > 0 ? a.hi : 0, a.scale};
	case SQL_CASE:
	case SQL_COALESCE:
		return branches(g, e);
	case SQL_CAST:
		return cast_num(g, e);
	case SQL_EXTRACT:
		return (struct sql_num){INT32_MIN, INT32_MAX, 0};
	case SQL_ROUND:
	case SQL_TRUNC:
	case SQL_FLOOR:
	case SQL_CEIL: {
		int32_t scale = e->n_args > 1 && !e->args[1]->value.null
					? (int32_t)e->args[1]->value.integer
					: 0;
		__int128 p;

		if (scale >= a.scale)
			return rescaled(a, scale); /* round(1.5, 3) is 1.500 */
		scale = scale < 0 ? 0 : scale;
		p = sql_power_of_ten(a.scale - scale);
		return (struct sql_num){a.lo / p - 1, a.hi / p + 1, scale};
	}
	default:
		return (struct sql_num){0, 1, 0};
	}
}

struct sql_num sql_num_of(const struct sql_gen *g, const struct sql_expr *e)
{
	struct sql_num n = sql_num_ideal(g, e);

	/* What is stored is checked against the schema, not against PostgreSQL's dates. */
	if (e->op == SQL_COLUMN || e->op == SQL_CONST)
		return n;
	return clamp(n, e->type);
}
