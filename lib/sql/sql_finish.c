/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_finish.c - states to rows, in SQL's order of things: HAVING, outputs, DISTINCT, ORDER BY,
 * OFFSET, LIMIT.
 *
 * Rows stay where they were made; what is sorted is a list of their numbers. A row's number is the
 * last thing that two are compared by, which makes sorting stable and DISTINCT keep the first of
 * equal rows, whatever qsort_r() does.
 */
#include "sql/sql_finish.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

static const char of_the_answer[] = "the answer's rows";

void sql_finish_begin(const struct sql_plan *plan, const struct sql_layout *layout,
		      struct sql_finish *ret)
{
	*ret = (struct sql_finish){.plan = plan, .layout = layout};
}

static void free_values(struct sql_value *values, uint64_t n)
{
	for (uint64_t i = 0; values && i < n; i++)
		sql_value_done(&values[i]);
	free(values);
}

void sql_finish_done(struct sql_finish *f)
{
	if (!f->plan)
		return;
	free_values(f->cells, f->n_rows * f->plan->n_outputs);
	free_values(f->sort_keys, f->n_rows * f->plan->n_order);
	*f = (struct sql_finish){0};
}

/* ---- a group becomes a row ------------------------------------------------------------------- */

struct group_row {
	struct sql_row row; /* first: what get_group() is given */
	const struct sql_finish *finish;
	const uint8_t *key, *state;
};

static int get_group(const struct sql_row *row, const struct sql_expr *e, struct sql_value *ret,
		     struct nf_error *err)
{
	const struct group_row *g = (const struct group_row *)(const void *)row;
	const struct sql_plan *p = g->finish->plan;
	const struct sql_layout *l = g->finish->layout;
	int r;

	if (e->op == SQL_KEY && e->index < p->n_keys)
		r = sql_key_value(&l->keys[e->index], g->key, ret, err);
	else if (e->op == SQL_AGGREGATE && e->index < p->n_aggregates)
		r = sql_aggregate_value(&p->aggregates[e->index], &l->aggregates[e->index],
					g->state, ret, err);
	else
		r = nf_error_set(err, NF_INTERNAL, NULL, "a column is no part of a group");
	if (r && err)
		sql_where(p->text, e->at, err->where, sizeof(err->where));
	return r;
}

/* Room for one more row in both arrays. Their sizes may differ when the second one fails: room is
 * the smaller then. */
static int make_room(struct sql_finish *f, struct nf_error *err)
{
	const struct sql_plan *p = f->plan;
	uint64_t room = f->room ? 2 * f->room : 16;
	struct sql_value *grown;

	if (f->n_rows < f->room)
		return 0;
	grown = reallocarray(f->cells, room, (p->n_outputs + 1) * sizeof(*grown));
	if (!grown)
		return nf_error_no_memory(err, of_the_answer);
	f->cells = grown;
	grown = reallocarray(f->sort_keys, room, (p->n_order + 1) * sizeof(*grown));
	if (!grown)
		return nf_error_no_memory(err, of_the_answer);
	f->sort_keys = grown;
	f->room = room;
	return 0;
}

static int passes_having(const struct sql_plan *p, const struct sql_row *row, bool *ret,
			 struct nf_error *err)
{
	struct sql_value v = {0};
	int r;

	*ret = true;
	if (!p->having)
		return 0;
	r = sql_expr_eval(p->having, row, &v, err);
	if (r)
		return r;
	*ret = !v.null && v.boolean;
	sql_value_done(&v);
	return 0;
}

int sql_finish_add(struct sql_finish *f, const uint8_t *key, const uint8_t *state,
		   struct nf_error *err)
{
	const struct sql_plan *p = f->plan;
	const struct group_row g = {.row = {.text = p->text, .get = get_group},
				    .finish = f,
				    .key = key,
				    .state = state};
	struct sql_value *cells, *keys;
	uint32_t n_cells = 0, n_keys = 0;
	bool passes = false;
	int r = 0;

	if (p->limit) /* PostgreSQL computes nothing for LIMIT 0 */
		r = passes_having(p, &g.row, &passes, err);
	if (r || !passes)
		return r;
	r = make_room(f, err);
	if (r)
		return r;
	cells = f->cells + f->n_rows * p->n_outputs;
	keys = f->sort_keys + f->n_rows * p->n_order;
	for (; !r && n_cells < p->n_outputs; n_cells += !r)
		r = sql_expr_eval(p->outputs[n_cells].expr, &g.row, &cells[n_cells], err);
	for (; !r && n_keys < p->n_order; n_keys += !r)
		r = sql_expr_eval(p->order[n_keys].expr, &g.row, &keys[n_keys], err);
	if (!r) {
		f->n_rows++;
		return 0;
	}
	while (n_cells)
		sql_value_done(&cells[--n_cells]);
	while (n_keys)
		sql_value_done(&keys[--n_keys]);
	return r;
}

/* ---- rows in order --------------------------------------------------------------------------- */

static int order_values(const struct sql_value *a, const struct sql_value *b, bool descending,
			bool nulls_first)
{
	int c;

	if (a->null || b->null)
		return nulls_first ? b->null - a->null : a->null - b->null;
	c = sql_value_compare(a, b);
	return descending ? (c < 0) - (c > 0) : (c > 0) - (c < 0);
}

static int order_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int order_rows(const void *a, const void *b, void *arg)
{
	const struct sql_finish *f = arg;
	const struct sql_plan *p = f->plan;
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	for (uint32_t i = 0; i < p->n_order; i++) {
		int c = order_values(&f->sort_keys[x * p->n_order + i],
				     &f->sort_keys[y * p->n_order + i], p->order[i].descending,
				     p->order[i].nulls_first);

		if (c)
			return c;
	}
	return order_numbers(x, y);
}

/* 0: equal, as DISTINCT sees it. */
static int order_outputs(const struct sql_finish *f, uint64_t x, uint64_t y)
{
	uint32_t n = f->plan->n_outputs;

	for (uint32_t i = 0; i < n; i++) {
		int c = order_values(&f->cells[x * n + i], &f->cells[y * n + i], false, false);

		if (c)
			return c;
	}
	return 0;
}

static int order_distinct(const void *a, const void *b, void *arg)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	int c = order_outputs(arg, x, y);

	return c ? c : order_numbers(x, y);
}

/* The first of each run of equal rows stays. How many there are. */
static uint64_t remove_equal(struct sql_finish *f, uint64_t *rows, uint64_t n)
{
	uint64_t kept = 0;

	qsort_r(rows, n, sizeof(*rows), order_distinct, f);
	for (uint64_t i = 0; i < n; i++)
		if (!kept || order_outputs(f, rows[kept - 1], rows[i]))
			rows[kept++] = rows[i];
	return kept;
}

/* Only these rows, in this order. */
static int keep_rows(struct sql_finish *f, const uint64_t *rows, uint64_t n, struct nf_error *err)
{
	uint32_t width = f->plan->n_outputs;
	struct sql_value *cells = calloc(n * width + 1, sizeof(*cells));

	if (!cells)
		return nf_error_no_memory(err, of_the_answer);
	for (uint64_t i = 0; i < n; i++) {
		struct sql_value *from = &f->cells[rows[i] * width];

		memcpy(&cells[i * width], from, width * sizeof(*from));
		memset(from, 0, width * sizeof(*from)); /* moved */
	}
	free_values(f->cells, f->n_rows * width);
	free_values(f->sort_keys, f->n_rows * f->plan->n_order);
	f->sort_keys = NULL;
	f->cells = cells;
	f->n_rows = f->room = n;
	return 0;
}

int sql_finish_end(struct sql_finish *f, struct nf_error *err)
{
	const struct sql_plan *p = f->plan;
	AUTO_FREE uint64_t *rows = calloc(f->n_rows + 1, sizeof(*rows));
	uint64_t n = f->n_rows, first = (uint64_t)p->offset;

	if (!rows)
		return nf_error_no_memory(err, of_the_answer);
	for (uint64_t i = 0; i < n; i++)
		rows[i] = i;
	if (p->distinct)
		n = remove_equal(f, rows, n);
	if (p->distinct || p->n_order)
		qsort_r(rows, n, sizeof(*rows), order_rows, f);
	if (first > n)
		first = n;
	n -= first;
	if (p->limit >= 0 && (uint64_t)p->limit < n)
		n = (uint64_t)p->limit;
	return keep_rows(f, rows + first, n, err);
}

/* ---- keys in order --------------------------------------------------------------------------- */

static int64_t load_integer(const struct sql_cell *c, const uint8_t *key)
{
	uint64_t bits = 0;
	unsigned unused = 64 - 8 * c->bytes;

	memcpy(&bits, key + c->offset, c->bytes);
	return (int64_t)(bits << unused) >> unused;
}

static int order_reals(const uint8_t *a, const uint8_t *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (isnan(x) || isnan(y))
		return (isnan(x) != 0) - (isnan(y) != 0);
	return (x > y) - (x < y);
}

static int order_cells(const struct sql_cell *c, const uint8_t *a, const uint8_t *b)
{
	if (c->null_offset >= 0 && (a[c->null_offset] || b[c->null_offset]))
		return a[c->null_offset] - b[c->null_offset];
	if (c->type == SQL_TEXT)
		return memcmp(a + c->offset, b + c->offset, c->bytes);
	if (c->type == SQL_FLOAT8)
		return order_reals(a + c->offset, b + c->offset);

	int64_t x = load_integer(c, a), y = load_integer(c, b);

	return (x > y) - (x < y);
}

int sql_finish_key_order(const struct sql_plan *plan, const struct sql_layout *layout,
			 const uint8_t *a, const uint8_t *b)
{
	for (uint32_t k = 0; k < plan->n_keys; k++) {
		int c = order_cells(&layout->keys[k], a, b);

		if (c)
			return c;
	}
	return 0;
}
