/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_parse.h - text to the parse tree of one SELECT over one table, by PostgreSQL's own grammar.
 *
 * Whatever the text nests, it is parsed on a stack that is large enough for it; the tree that comes
 * out is shallow enough for a caller's (SQL_MAX_DEPTH). Clauses that are not supported have been
 * refused; what stands in the expressions has not been looked at.
 *
 * Threads: any; a tree belongs to one.
 */
#ifndef NF_SQL_PARSE_H
#define NF_SQL_PARSE_H

#include <pg_query/pg_query.pb-c.h>
#include <stdint.h>

#include "base/error.h"

struct sql_tree {
	PgQuery__ParseResult *parsed;
	const PgQuery__SelectStmt *select; /* in it, as is */
	const PgQuery__RangeVar *table;    /* the one of FROM */
};

/* INVALID_ARGUMENT: PostgreSQL's words; UNIMPLEMENTED: another statement, another clause;
 * RESOURCE_EXHAUSTED: too long, too deep; -ENOMEM. */
int sql_parse(const char *text, struct sql_tree *ret, struct nf_error *err);
void sql_tree_done(struct sql_tree *t);

/* Where the leftmost part of a message is in the text: byte, from 0; -1: none of them says. Takes
 * NULL. For those that have no place of their own. */
int32_t sql_tree_place(const ProtobufCMessage *m);
/* How deep messages are in each other. */
unsigned sql_tree_depth(const ProtobufCMessage *m);

/* UNIMPLEMENTED if there is more to the SELECT than what we do. Sets t->table. */
int sql_select_check(const char *text, struct sql_tree *t, struct nf_error *err);

#endif
