/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_type.h - the types of SQL values, PostgreSQL's, as far as there are any here. */
#ifndef NF_SQL_TYPE_H
#define NF_SQL_TYPE_H

enum sql_type {
	SQL_UNKNOWN, /* NULL, or a text in quotes: takes the type that it is used as */
	SQL_BOOL,
	SQL_INT2,
	SQL_INT4,
	SQL_INT8,
	SQL_NUMERIC,
	SQL_FLOAT8,
	SQL_TEXT,
	SQL_DATE,
	SQL_TIMESTAMP, /* without time zone */
	SQL_INTERVAL,  /* in constants only */
	SQL_TYPES,
};

/* "boolean", "smallint", "integer", "bigint", "numeric", "double precision", "text", ... */
const char *sql_type_name(enum sql_type type);

#endif
