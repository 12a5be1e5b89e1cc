/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_plan_text.h - expressions and plans as text, for tests to compare: (<= i4 int4:2), a cast is
 * (->numeric i4), a key k0, an aggregate a0, NULL null:text. What may be NULL has a ? behind it.
 */
#ifndef TEST_SQL_PLAN_TEXT_H
#define TEST_SQL_PLAN_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql_plan.h"

static const char *const text_types[SQL_TYPES] = {"unknown", "bool",    "int2",    "int4",
						  "int8",    "numeric", "float8",  "text",
						  "date",    "ts",      "interval"};

static const char *const text_ops[] = {
	[SQL_NEG] = "neg",
	[SQL_ADD] = "+",
	[SQL_SUB] = "-",
	[SQL_MUL] = "*",
	[SQL_DIV] = "/",
	[SQL_MOD] = "%",
	[SQL_EQ] = "=",
	[SQL_NE] = "<>",
	[SQL_LT] = "<",
	[SQL_LE] = "<=",
	[SQL_GT] = ">",
	[SQL_GE] = ">=",
	[SQL_AND] = "and",
	[SQL_OR] = "or",
	[SQL_NOT] = "not",
	[SQL_IS_NULL] = "null?",
	[SQL_LIKE] = "like",
	[SQL_CASE] = "case",
	[SQL_COALESCE] = "coalesce",
	[SQL_EXTRACT] = "extract",
	[SQL_ABS] = "abs",
	[SQL_ROUND] = "round",
	[SQL_TRUNC] = "trunc",
	[SQL_FLOOR] = "floor",
	[SQL_CEIL] = "ceil",
};

static const char *const text_fields[] = {"year", "month", "day", "hour", "minute"};
static const char *const text_aggregates[] = {"count", "sum",      "avg",    "min",
					      "max",   "bool_and", "bool_or"};

static void expr_text(FILE *f, const struct sql_expr *e, const struct sql_schema *s)
{
	char *value;

	if (!e) {
		fprintf(f, "-");
		return;
	}
	if (e->op == SQL_CONST) {
		value = e->value.type == SQL_INTERVAL ? strdup("...") : sql_value_text(&e->value);
		if (e->value.type != e->type)
			fprintf(f, "TYPE DIFFERS ");
		if (value)
			fprintf(f, "%s:%s", text_types[e->type], value);
		else
			fprintf(f, "null:%s", text_types[e->type]);
		free(value);
		return;
	}
	if (e->op == SQL_COLUMN)
		fprintf(f, "%s", s->columns[e->index].name);
	else if (e->op == SQL_KEY)
		fprintf(f, "k%u", e->index);
	else if (e->op == SQL_AGGREGATE)
		fprintf(f, "a%u", e->index);
	else if (e->op == SQL_CAST && e->precision)
		fprintf(f, "(->%s(%u,%d)", text_types[e->type], e->precision, e->scale);
	else if (e->op == SQL_CAST)
		fprintf(f, "(->%s", text_types[e->type]);
	else
		fprintf(f, "(%s", text_ops[e->op]);
	if (e->op == SQL_EXTRACT)
		fprintf(f, " %s", text_fields[e->field]);
	for (uint32_t i = 0; i < e->n_args; i++) {
		fprintf(f, " ");
		expr_text(f, e->args[i], s);
	}
	if (e->n_args)
		fprintf(f, ")");
	if (e->nullable)
		fprintf(f, "?");
}

/* where|key,...|aggregate(arg filter):type,...|name=output:type,...|having|order|limit|offset */
static char *plan_text(const struct sql_plan *p)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	fprintf(f, "%s", p->where ? "where " : "");
	if (p->where)
		expr_text(f, p->where, p->schema);
	fprintf(f, "%s", p->where ? "; " : "");
	if (p->grouped)
		fprintf(f, "by");
	for (uint32_t i = 0; i < p->n_keys; i++) {
		fprintf(f, " ");
		expr_text(f, p->keys[i], p->schema);
	}
	fprintf(f, "%s", p->grouped ? "; " : "");
	for (uint32_t i = 0; i < p->n_aggregates; i++) {
		const struct sql_aggregate *a = &p->aggregates[i];

		fprintf(f, "%s(", text_aggregates[a->kind]);
		expr_text(f, a->arg, p->schema);
		fprintf(f, ")");
		if (a->filter) {
			fprintf(f, " if ");
			expr_text(f, a->filter, p->schema);
		}
		fprintf(f, ":%s; ", text_types[a->type]);
	}
	fprintf(f, "%s", p->distinct ? "distinct" : "select");
	for (uint32_t i = 0; i < p->n_outputs; i++) {
		fprintf(f, "%s %s=", i ? "," : "", p->outputs[i].name);
		expr_text(f, p->outputs[i].expr, p->schema);
		if (p->outputs[i].expr->op != SQL_CONST)
			fprintf(f, ":%s", text_types[p->outputs[i].expr->type]);
	}
	if (p->having) {
		fprintf(f, "; having ");
		expr_text(f, p->having, p->schema);
	}
	for (uint32_t i = 0; i < p->n_order; i++) {
		fprintf(f, "%s", i ? ", " : "; order ");
		expr_text(f, p->order[i].expr, p->schema);
		fprintf(f, "%s%s", p->order[i].descending ? " desc" : "",
			p->order[i].nulls_first ? " nulls first" : "");
	}
	if (p->limit >= 0)
		fprintf(f, "; limit %lld", (long long)p->limit);
	if (p->offset)
		fprintf(f, "; offset %lld", (long long)p->offset);
	fclose(f);
	return text;
}

#endif
