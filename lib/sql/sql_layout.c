/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_layout.c - where keys and aggregates are in their bytes, and their values read back. */
#include "sql/sql_layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql_code.h"

bool sql_aggregate_counts(const struct sql_aggregate *a)
{
	return a->filter || (a->arg && a->arg->nullable);
}

/* The natural width of a key: short keys are quick to find. */
static uint32_t key_width(enum sql_type type)
{
	switch (type) {
	case SQL_BOOL:
		return 1;
	case SQL_INT2:
		return 2;
	case SQL_INT4:
	case SQL_DATE:
		return 4;
	default:
		return 8;
	}
}

/* Keys in the order of their alignment, the wide ones first; then the bytes for NULLs. */
static uint32_t lay_out_keys(struct sql_gen *g, struct sql_layout *l)
{
	static const uint32_t aligns[] = {8, 4, 2, 1};
	const struct sql_plan *p = g->plan;
	uint32_t at = 0;

	for (unsigned i = 0; i < 4; i++)
		for (uint32_t k = 0; k < p->n_keys; k++) {
			const struct sql_expr *e = p->keys[k];
			bool text = e->type == SQL_TEXT;
			uint32_t bytes = text ? sql_text_bytes(g, e) : key_width(e->type);

			if ((text ? 1 : bytes) != aligns[i])
				continue;
			l->keys[k] = (struct sql_cell){
				.type = e->type, .offset = at, .bytes = bytes, .null_offset = -1};
			if (e->type == SQL_NUMERIC)
				l->keys[k].scale = sql_num_of(g, e).scale;
			at += bytes;
		}
	for (uint32_t k = 0; k < p->n_keys; k++)
		if (p->keys[k]->nullable)
			l->keys[k].null_offset = (int32_t)at++;
	if (at > PROGRAM_MAX_KEY_BYTES)
		sql_gen_fail(g, NF_RESOURCE_EXHAUSTED, p->keys[0]->at,
			     "the keys of GROUP BY have %" PRIu32
			     " bytes together; a group's key has at most %d",
			     at, PROGRAM_MAX_KEY_BYTES);
	return at ? at : p->grouped;
}

static bool is_sum(const struct sql_aggregate *a)
{
	return a->kind == SQL_SUM || a->kind == SQL_AVG;
}

static bool is_wide(const struct sql_aggregate *a)
{
	return is_sum(a) && a->arg->type != SQL_FLOAT8;
}

static uint32_t cell_bytes(struct sql_gen *g, const struct sql_aggregate *a)
{
	if (is_wide(a))
		return 16;
	if ((a->kind == SQL_MIN || a->kind == SQL_MAX) && a->arg->type == SQL_TEXT)
		return (sql_text_bytes(g, a->arg) + 7) / 8 * 8;
	return 8;
}

/* An aggregate before the i-th whose sum is the same. */
static const struct sql_cell *same_sum(const struct sql_plan *p, const struct sql_layout *l,
				       uint32_t i)
{
	const struct sql_aggregate *a = &p->aggregates[i], *b;

	for (uint32_t k = 0; is_sum(a) && k < i; k++) {
		b = &p->aggregates[k];
		if (is_sum(b) && sql_expr_equal(a->arg, b->arg) && !a->filter == !b->filter &&
		    (!a->filter || sql_expr_equal(a->filter, b->filter)))
			return &l->aggregates[k];
	}
	return NULL;
}

/* The count of records, then a cell for each aggregate and, where not every record counts for it, a
 * count of its own. Sums of 128 bits come first, for their alignment. */
static uint32_t lay_out_state(struct sql_gen *g, struct sql_layout *l)
{
	const struct sql_plan *p = g->plan;
	uint32_t at = 16,
		 most = p->grouped ? PROGRAM_MAX_GROUP_STATE_BYTES : PROGRAM_MAX_STATE_BYTES;

	for (unsigned wide = 2; wide--;)
		for (uint32_t i = 0; i < p->n_aggregates; i++) {
			const struct sql_aggregate *a = &p->aggregates[i];
			const struct sql_cell *same = same_sum(p, l, i);
			struct sql_cell *c = &l->aggregates[i];

			if (is_wide(a) != (bool)wide)
				continue;
			if (same) {
				*c = *same;
				c->shared = true;
				continue;
			}
			*c = (struct sql_cell){
				.type = a->arg ? a->arg->type : SQL_INT8,
				.bytes = cell_bytes(g, a),
				.null_offset = -1,
				.count_offset = 0,
			};
			if (a->arg && a->arg->type == SQL_NUMERIC)
				c->scale = is_wide(a) ? sql_num_ideal(g, a->arg).scale
						      : sql_num_of(g, a->arg).scale;
			if (a->kind == SQL_COUNT && !sql_aggregate_counts(a))
				continue; /* the group's own count */
			c->offset = at;
			at += c->bytes;
			if (a->kind != SQL_COUNT && sql_aggregate_counts(a)) {
				c->count_offset = (int32_t)at;
				at += wide ? 16 : 8;
			}
		}
	if (at > most)
		sql_gen_fail(g, NF_RESOURCE_EXHAUSTED, -1,
			     "the aggregates of a group have %" PRIu32
			     " bytes together; there is room for %" PRIu32,
			     at, most);
	return at;
}

int sql_layout_make(struct sql_gen *g, struct sql_layout *ret, uint32_t *ret_key_bytes,
		    uint32_t *ret_state_bytes)
{
	const struct sql_plan *p = g->plan;
	struct sql_layout l = {
		.keys = calloc(p->n_keys + 1, sizeof(*l.keys)),
		.aggregates = calloc(p->n_aggregates + 1, sizeof(*l.aggregates)),
	};

	if (!l.keys || !l.aggregates) {
		sql_layout_done(&l);
		return nf_error_no_memory(g->err, "SQL");
	}
	*ret_key_bytes = lay_out_keys(g, &l);
	*ret_state_bytes = lay_out_state(g, &l);
	*ret = l;
	return g->error;
}

void sql_layout_done(struct sql_layout *l)
{
	free(l->keys);
	free(l->aggregates);
	*l = (struct sql_layout){0};
}

/* ---- values ---------------------------------------------------------------------------------- */

static double real_of(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

/* An integer of that type; what is stored may be out of PostgreSQL's range for dates only. */
static int integer_value(enum sql_type type, int32_t scale, int64_t n, struct sql_value *ret,
			 struct nf_error *err)
{
	if ((type == SQL_DATE && !sql_date_in_range(n)) ||
	    (type == SQL_TIMESTAMP && !sql_timestamp_in_range(n)))
		return nf_error_set(err, NF_OUT_OF_RANGE, "SQL", "%s out of range",
				    sql_type_name(type));
	*ret = type == SQL_NUMERIC ? sql_value_number(n, scale)
	       : type == SQL_BOOL  ? sql_value_bool(n != 0)
				   : sql_value_integer(type, n);
	return 0;
}

static int text_value(const uint8_t *bytes, uint32_t most, struct sql_value *ret,
		      struct nf_error *err)
{
	return sql_value_bytes((const char *)bytes, strnlen((const char *)bytes, most), ret, err);
}

int sql_key_value(const struct sql_cell *c, const uint8_t *key, struct sql_value *ret,
		  struct nf_error *err)
{
	uint64_t bits = 0;

	if (c->null_offset >= 0 && key[c->null_offset]) {
		*ret = sql_value_null(c->type);
		return 0;
	}
	if (c->type == SQL_TEXT)
		return text_value(key + c->offset, c->bytes, ret, err);
	memcpy(&bits, key + c->offset, c->bytes);
	if (c->type == SQL_FLOAT8) {
		*ret = sql_value_real(real_of(bits));
		return 0;
	}
	if (c->bytes < 8) /* sign */
		bits = (uint64_t)((int64_t)(bits << (64 - 8 * c->bytes)) >> (64 - 8 * c->bytes));
	return integer_value(c->type, c->scale, (int64_t)bits, ret, err);
}

static int average(const struct sql_cell *c, const uint8_t *cell, uint64_t n, struct sql_value *ret,
		   struct nf_error *err)
{
	struct sql_value sum, count;
	__int128 wide;
	uint64_t bits;
	int r;

	if (c->type == SQL_FLOAT8) {
		memcpy(&bits, cell, sizeof(bits));
		/* PostgreSQL adds to 0, which -0 is no more then. */
		*ret = sql_value_real((real_of(bits) + 0.0) / (double)n);
		return 0;
	}
	memcpy(&wide, cell, sizeof(wide));
	sum = sql_value_number(wide, c->scale);
	count = sql_value_number((__int128)n, 0);
	r = sql_value_arith(SQL_DIVIDE, &sum, &count, ret, err);
	sql_value_done(&sum);
	sql_value_done(&count);
	return r;
}

static int sum_value(const struct sql_aggregate *a, const struct sql_cell *c, const uint8_t *cell,
		     struct sql_value *ret, struct nf_error *err)
{
	__int128 wide;
	uint64_t bits;

	if (c->type == SQL_FLOAT8) {
		memcpy(&bits, cell, sizeof(bits));
		*ret = sql_value_real(real_of(bits));
		return 0;
	}
	memcpy(&wide, cell, sizeof(wide));
	if (a->type == SQL_NUMERIC) {
		*ret = sql_value_number(wide, c->scale);
		return 0;
	}
	if (wide != (int64_t)wide)
		return nf_error_set(err, NF_OUT_OF_RANGE, "SQL", "%s",
				    sql_failure_text(SQL_FAIL_BIGINT));
	*ret = sql_value_integer(a->type, (int64_t)wide);
	return 0;
}

int sql_aggregate_value(const struct sql_aggregate *a, const struct sql_cell *c,
			const uint8_t *state, struct sql_value *ret, struct nf_error *err)
{
	const uint8_t *cell = state + c->offset;
	uint64_t n, bits;

	memcpy(&n, state + c->count_offset, sizeof(n));
	memcpy(&bits, cell, sizeof(bits));
	if (a->kind == SQL_COUNT) {
		*ret = sql_value_integer(SQL_INT8, (int64_t)bits);
		return 0;
	}
	if (!n) {
		*ret = sql_value_null(a->type);
		return 0;
	}
	switch (a->kind) {
	case SQL_SUM:
		return sum_value(a, c, cell, ret, err);
	case SQL_AVG:
		return average(c, cell, n, ret, err);
	case SQL_BOOL_AND: /* the cell counts what is true */
		*ret = sql_value_bool(bits == n);
		return 0;
	case SQL_BOOL_OR:
		*ret = sql_value_bool(bits > 0);
		return 0;
	default:
		break;
	}
	if (c->type == SQL_TEXT)
		return text_value(cell, c->bytes, ret, err);
	if (c->type == SQL_FLOAT8) {
		*ret = sql_value_real(sql_real_of_key((int64_t)bits));
		return 0;
	}
	return integer_value(c->type, c->scale, (int64_t)bits, ret, err);
}
