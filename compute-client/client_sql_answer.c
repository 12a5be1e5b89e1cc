/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * client_sql_answer.c - from groups to the rows of a query in SQL.
 *
 * An answer may have a million rows: its cells are kept as texts that end in NUL, one behind the
 * other in one piece of memory, with the place of each.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/client_sql.h"

#define IS_NULL UINT64_MAX

struct sql_answer {
	struct output_column *columns; /* names are ours */
	unsigned n_columns;
	uint64_t n_rows;
	char *texts;
	size_t used, room;
	uint64_t *places; /* row by row, into texts, or IS_NULL */
};

static enum output_kind kind_of(enum sql_type type)
{
	switch (type) {
	case SQL_BOOL:
		return OUTPUT_BOOL;
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
		return OUTPUT_INTEGER;
	case SQL_NUMERIC:
		return OUTPUT_DECIMAL;
	case SQL_FLOAT8:
		return OUTPUT_FLOAT;
	default:
		return OUTPUT_TEXT;
	}
}

static int make_columns(struct sql_answer *a, const struct sql_plan *p)
{
	a->columns = calloc(p->n_outputs + 1, sizeof(*a->columns));
	if (!a->columns)
		return -ENOMEM;
	for (; a->n_columns < p->n_outputs; a->n_columns++) {
		const struct sql_output *o = &p->outputs[a->n_columns];
		char *name = strdup(o->name);

		if (!name)
			return -ENOMEM;
		a->columns[a->n_columns] = (struct output_column){
			.name = name,
			.type = sql_type_name(o->expr->type),
			.kind = kind_of(o->expr->type),
		};
	}
	return 0;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static int add_text(struct sql_answer *a, const char *text)
{
	size_t n = strlen(text) + 1;

	if (n > a->room - a->used) {
		size_t room = 2 * (a->room + n);
		char *grown = realloc(a->texts, room);

		if (!grown)
			return -ENOMEM;
		a->texts = grown;
		a->room = room;
	}
	memcpy(a->texts + a->used, text, n);
	a->used += n;
	return 0;
}

static int add_cell(struct sql_answer *a, const struct sql_value *v, uint64_t *ret_place)
{
	AUTO_FREE char *text = NULL;

	*ret_place = v->null ? IS_NULL : a->used;
	if (v->null)
		return 0;
	if (v->type == SQL_BOOL)
		return add_text(a, v->boolean ? "true" : "false"); /* as results have it */
	text = sql_value_text(v);
	return text ? add_text(a, text) : -ENOMEM;
}

static int add_cells(struct sql_answer *a, const struct sql_finish *f)
{
	uint64_t n = f->n_rows * a->n_columns;
	int r = 0;

	a->places = calloc(n + 1, sizeof(*a->places));
	if (!a->places)
		return -ENOMEM;
	for (uint64_t i = 0; i < n && r == 0; i++)
		r = add_cell(a, &f->cells[i], &a->places[i]);
	a->n_rows = f->n_rows;
	return r;
}

/* ---- groups ---------------------------------------------------------------------------------- */

struct group {
	const uint8_t *key, *state;
};

static int order_groups(const void *a, const void *b, void *arg)
{
	const struct client_sql *s = arg;

	return sql_finish_key_order(s->plan, &s->layout, ((const struct group *)a)->key,
				    ((const struct group *)b)->key);
}

static int finish_groups(const struct client_sql *s, const struct groups *groups,
			 struct sql_finish *f, struct nf_error *err)
{
	uint64_t n = groups_count(groups), cursor = 0;
	AUTO_FREE struct group *list = calloc(n + 1, sizeof(*list));
	uint8_t *state;
	int r = 0;

	if (!list)
		return nf_error_no_memory(err, "this process");
	for (uint64_t i = 0; i < n && groups_next(groups, &cursor, &list[i].key, &state); i++)
		list[i].state = state;
	qsort_r(list, n, sizeof(*list), order_groups, (void *)s);
	for (uint64_t i = 0; i < n && r == 0; i++)
		r = sql_finish_add(f, list[i].key, list[i].state, err);
	return r;
}

/* ---- the answer ------------------------------------------------------------------------------ */

int sql_answer_new(const struct client_sql *s, const uint8_t *state, const struct groups *groups,
		   struct sql_answer **ret, struct nf_error *err)
{
	AUTO(sql_finish_done) struct sql_finish f = {0};
	struct sql_answer *a = calloc(1, sizeof(*a));
	int r;

	if (!a || make_columns(a, s->plan) < 0) {
		sql_answer_free(a);
		return nf_error_no_memory(err, "this process");
	}
	sql_finish_begin(s->plan, &s->layout, &f);
	r = groups ? finish_groups(s, groups, &f, err) : sql_finish_add(&f, NULL, state, err);
	if (r == 0)
		r = sql_finish_end(&f, err);
	if (r == 0 && add_cells(a, &f) < 0)
		r = nf_error_no_memory(err, "this process");
	if (r < 0) {
		sql_answer_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void sql_answer_free(struct sql_answer *a)
{
	if (!a)
		return;
	for (unsigned c = 0; c < a->n_columns; c++)
		free((char *)a->columns[c].name);
	free(a->columns);
	free(a->texts);
	free(a->places);
	free(a);
}

unsigned sql_answer_columns(const struct sql_answer *a)
{
	return a->n_columns;
}

struct output_column sql_answer_column(const struct sql_answer *a, unsigned column)
{
	return a->columns[column];
}

uint64_t sql_answer_rows(const struct sql_answer *a)
{
	return a->n_rows;
}

const char *sql_answer_text(const struct sql_answer *a, uint64_t row, unsigned column)
{
	uint64_t place = a->places[row * a->n_columns + column];

	return place == IS_NULL ? NULL : a->texts + place;
}
