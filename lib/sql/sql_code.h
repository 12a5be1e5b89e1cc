/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_code.h - a plan as a program: WHERE is the filter, GROUP BY the key, the aggregates reduce
 * and combine, with the query's text as the source of every instruction.
 *
 * Exact, or refused: integers and decimals are computed in 64 bits with a check wherever the
 * operands' ranges do not show that the result fits; sums are 128 bits wide. What fails calls
 * fold_fail() with one of enum sql_failure.
 *
 * The state begins with the count of the group's records; the layout says where the rest is.
 */
#ifndef NF_SQL_CODE_H
#define NF_SQL_CODE_H

#include "program/program.h"
#include "sql/sql_plan.h"

/* fold_fail()'s codes. */
enum sql_failure {
	SQL_FAIL_SMALLINT = 1, /* smallint out of range */
	SQL_FAIL_INTEGER,
	SQL_FAIL_BIGINT,
	SQL_FAIL_NUMERIC,   /* a numeric does not fit 64 bits (a sum: 128) */
	SQL_FAIL_DIVISION,  /* division by zero */
	SQL_FAIL_PRECISION, /* a stored decimal has more digits than the schema says */
	SQL_FAIL_U64,       /* a stored u64 is 2^63 or more */
	SQL_FAIL_DATE,      /* date out of range */
	SQL_FAIL_TIMESTAMP,
	SQL_FAIL_DATE_TO_TIMESTAMP,
	SQL_FAIL_OVERFLOW, /* of doubles: "value out of range: overflow" */
	SQL_FAIL_UNDERFLOW,
	SQL_FAIL_FIELD, /* beyond numeric(p, s) */
	SQL_FAILURES,
};

/* The words for it; NULL: no such code. */
const char *sql_failure_text(uint32_t code);

/* Where a key or an aggregate is. */
struct sql_cell {
	enum sql_type type;
	int32_t scale;          /* NUMERIC */
	uint32_t offset, bytes; /* of the key, or in the state */
	int32_t null_offset;    /* of a byte that is 1 when it is NULL (keys); -1: never NULL */
	int32_t count_offset;   /* aggregates: of the u64 that counts what went in */
	bool shared; /* it is another aggregate's, too, that comes before: avg(x), sum(x) */
};

struct sql_layout {
	struct sql_cell *keys;       /* by plan->keys */
	struct sql_cell *aggregates; /* by plan->aggregates */
};

/* UNIMPLEMENTED with the place of what cannot be computed beside the data; RESOURCE_EXHAUSTED when
 * the program would exceed a limit of program.h; -ENOMEM. */
int sql_compile(const struct sql_plan *plan, struct sql_layout *ret_layout, struct program **ret,
		struct nf_error *err);
void sql_layout_done(struct sql_layout *l);

/* From a key or a state to a value. */
int sql_key_value(const struct sql_cell *c, const uint8_t *key, struct sql_value *ret,
		  struct nf_error *err);
int sql_aggregate_value(const struct sql_aggregate *a, const struct sql_cell *c,
			const uint8_t *state, struct sql_value *ret, struct nf_error *err);

#endif
