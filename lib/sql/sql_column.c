/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_column.c - names of columns, and what may have been meant by those that are none. */
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_bind.h"

enum { LISTED_COLUMNS = 12, HINT_BYTES = 512 };

const char *sql_last_word(PgQuery__Node *const *names, size_t n)
{
	const PgQuery__Node *last = n ? names[n - 1] : NULL;

	return last && last->node_case == PG_QUERY__NODE__NODE_STRING ? last->string->sval : "";
}

/* ---- near names ------------------------------------------------------------------------------ */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance, row by row; names are short. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[SQL_MAX_NAME_BYTES + 2];
	size_t n = strlen(b);

	if (n > SQL_MAX_NAME_BYTES)
		return SQL_MAX_NAME_BYTES;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 0; a[i]; i++) {
		unsigned diagonal = row[0];

		row[0] = i + 1;
		for (unsigned j = 0; j < n; j++) {
			unsigned replaced = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = least(row[j] + 1, row[j + 1] + 1, replaced);
		}
	}
	return row[n];
}

static const char *near_name(const struct sql_schema *s, const char *name)
{
	unsigned best = (unsigned)strlen(name) / 2 + 1;
	const char *near = NULL;

	for (uint32_t i = 0; i < s->n_columns; i++) {
		unsigned d = distance(name, s->columns[i].name);

		if (d < best) {
			best = d;
			near = s->columns[i].name;
		}
	}
	return near;
}

/* "; did you mean ..." or the columns there are, if they are few. */
static const char *hint(const struct sql_schema *s, const char *name, char *buf, size_t size)
{
	const char *near = near_name(s, name);
	size_t used;

	buf[0] = '\0';
	if (near)
		snprintf(buf, size, "; did you mean \"%s\"?", near);
	if (near || s->n_columns > LISTED_COLUMNS)
		return buf;
	snprintf(buf, size, "; there are");
	for (uint32_t i = 0; i < s->n_columns; i++) {
		used = strlen(buf);
		snprintf(buf + used, size - used, "%s %s", i ? "," : "", s->columns[i].name);
	}
	return buf;
}

/* ---- references ------------------------------------------------------------------------------ */

static const char *called(const struct sql_plan *p)
{
	return p->alias ? p->alias : p->table;
}

/* "t" of t.x */
static bool check_table(struct sql_bind *b, const PgQuery__ColumnRef *ref)
{
	const struct sql_plan *p = b->plan;
	const char *table = sql_last_word(ref->fields, ref->n_fields - 1);

	if (ref->n_fields > 2)
		return sql_refuse(b, NF_UNIMPLEMENTED, ref->location,
				  "a name with more than one point is not supported");
	if (strcmp(table, called(p)) == 0)
		return true;
	if (strcmp(table, p->table) == 0)
		return sql_refuse(
			b, NF_INVALID_ARGUMENT, ref->location,
			"invalid reference to FROM-clause entry for table \"%s\"; perhaps "
			"you meant the table alias \"%s\"",
			table, p->alias);
	return sql_refuse(b, NF_INVALID_ARGUMENT, ref->location,
			  "missing FROM-clause entry for table \"%s\"", table);
}

static struct sql_expr *no_column(struct sql_bind *b, const PgQuery__ColumnRef *ref,
				  const char *name)
{
	char more[HINT_BYTES];

	hint(b->schema, name, more, sizeof(more));
	if (ref->n_fields > 1)
		return sql_refuse(b, NF_INVALID_ARGUMENT, ref->location,
				  "column %s.%s does not exist%s", called(b->plan), name, more);
	if (strcmp(name, called(b->plan)) == 0)
		return sql_refuse(b, NF_UNIMPLEMENTED, ref->location,
				  "a table as one value is not supported");
	return sql_refuse(b, NF_INVALID_ARGUMENT, ref->location, "column \"%s\" does not exist%s",
			  name, more);
}

struct sql_expr *sql_bind_column(struct sql_bind *b, const PgQuery__ColumnRef *ref)
{
	const char *name = sql_last_word(ref->fields, ref->n_fields);
	const struct sql_column *c;

	if (ref->fields[ref->n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR)
		return sql_refuse(b, NF_UNIMPLEMENTED, ref->location,
				  "* is supported in count(*) only: it returns the records "
				  "themselves; nearfold read fetches those");
	if (ref->n_fields > 1 && !check_table(b, ref))
		return NULL;
	c = sql_schema_find(b->schema, name);
	if (!c)
		return no_column(b, ref, name);
	if (b->clause == SQL_IN_LIMIT || b->clause == SQL_IN_OFFSET)
		return sql_refuse(b, NF_INVALID_ARGUMENT, ref->location,
				  "argument of %s must not contain variables",
				  b->clause == SQL_IN_LIMIT ? "LIMIT" : "OFFSET");
	return sql_node_leaf(b, SQL_COLUMN, c->type, (uint32_t)(c - b->schema->columns), false,
			     ref->location);
}

/* ---- names of outputs ------------------------------------------------------------------------ */

enum strength { NO_NAME, WEAK_NAME, GOOD_NAME };

/* PostgreSQL's FigureColname(): a cast or CASE gives its own name only where there is no better
 * one beneath. */
static enum strength figure_name(const PgQuery__Node *n, const char **ret)
{
	enum strength s;

	switch (n ? n->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
	case PG_QUERY__NODE__NODE_COLUMN_REF:
		*ret = sql_last_word(n->column_ref->fields, n->column_ref->n_fields);
		return GOOD_NAME;
	case PG_QUERY__NODE__NODE_FUNC_CALL:
		*ret = sql_last_word(n->func_call->funcname, n->func_call->n_funcname);
		return GOOD_NAME;
	case PG_QUERY__NODE__NODE_A_EXPR:
		if (n->a_expr->kind != PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF)
			return NO_NAME;
		*ret = "nullif";
		return GOOD_NAME;
	case PG_QUERY__NODE__NODE_COALESCE_EXPR:
		*ret = "coalesce";
		return GOOD_NAME;
	case PG_QUERY__NODE__NODE_TYPE_CAST:
		s = figure_name(n->type_cast->arg, ret);
		if (s == GOOD_NAME)
			return s;
		*ret = sql_last_word(n->type_cast->type_name->names,
				     n->type_cast->type_name->n_names);
		return WEAK_NAME;
	case PG_QUERY__NODE__NODE_CASE_EXPR:
		s = figure_name(n->case_expr->defresult, ret);
		if (s == GOOD_NAME)
			return s;
		*ret = "case";
		return WEAK_NAME;
	default:
		return NO_NAME;
	}
}

const char *sql_output_name(const PgQuery__Node *n)
{
	const char *name = NULL;

	return figure_name(n, &name) == NO_NAME ? "?column?" : name;
}
