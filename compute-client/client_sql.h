/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * client_sql.h - a program that was SQL: what it was compiled from, the words for its failures, and
 * its answers. Between the files of libnearfold that begin with client_sql and nearfold_sql.
 */
#ifndef NF_CLIENT_SQL_H
#define NF_CLIENT_SQL_H

#include "compute-client/client.h"
#include "compute-client/output.h"
#include "sql/sql_finish.h"

struct client_sql {
	char *schema_text;
	struct sql_schema schema; /* the plan's */
	struct sql_plan *plan;
	struct sql_layout layout;
};

void client_sql_free(struct client_sql *s); /* NULL is fine */

/* If err->where has a place in the query's text ("SQL, line 2, column 8"): that line into
 * err->source. */
void client_sql_source(const char *text, struct nearfold_error *err);
/* An error that names a place in the compiled program: the place in the query's text instead, and
 * SQL's words for what failed. */
void client_sql_words(const struct nearfold_program *p, struct nearfold_error *err);

/* ---- answers (client_sql_answer.c) ----------------------------------------------------------- */

/* The finished rows, as texts. Immutable. */
struct sql_answer;

/* groups NULL: ungrouped, from state. OUT_OF_RANGE (division by zero ...), -ENOMEM. */
int sql_answer_new(const struct client_sql *s, const uint8_t *state, const struct groups *groups,
		   struct sql_answer **ret, struct nf_error *err);
void sql_answer_free(struct sql_answer *a);
unsigned sql_answer_columns(const struct sql_answer *a);
/* Its texts live as long as a. */
struct output_column sql_answer_column(const struct sql_answer *a, unsigned column);
uint64_t sql_answer_rows(const struct sql_answer *a);
/* NULL for NULL; lives as long as a. */
const char *sql_answer_text(const struct sql_answer *a, uint64_t row, unsigned column);

#endif
