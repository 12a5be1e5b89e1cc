/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_schema.h - what is in a record: the text of schema=..., in configuration, on the command line
 * and on the wire.
 *
 *	schema  = column *( "," column )		white space anywhere between words
 *	column  = name ":" type | "pad(" n ")"
 *	type    = i8 i16 i32 i64 u8 u16 u32 u64		little-endian integers
 *		| f32 f64				IEEE 754
 *		| bool					one byte; 0 is false
 *		| char(n)				n bytes of text, up to the first NUL
 *		| date					i32, days since 1970-01-01
 *		| timestamp				i64, microseconds since 1970-01-01 00:00
 *		| decimal(p, s)				i64, the number times 10^s; p <= 18
 *
 * Columns are packed in the order given; pad(n) passes over n bytes. Names are letters, digits and
 * underscores, or anything without a quote in double quotes; unquoted ones are folded to lower
 *case, as SQL does. How types map to SQL: i8, i16, u8 smallint; i32, u16 integer; i64, u32, u64
 *bigint (a u64 of 2^63 or more is refused when a query meets it); f32, f64 double precision;
 *char(n) text; decimal numeric.
 *
 * The text comes from strangers: this is its one validator. Threads: a schema is immutable.
 */
#ifndef NF_SQL_SCHEMA_H
#define NF_SQL_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sql/sql_type.h"

enum {
	SQL_MAX_COLUMNS = 1024,
	SQL_MAX_NAME_BYTES = 63, /* PostgreSQL's */
	SQL_MAX_PRECISION = 18,
};

enum sql_storage {
	SQL_STORED_I8,
	SQL_STORED_I16,
	SQL_STORED_I32,
	SQL_STORED_I64,
	SQL_STORED_U8,
	SQL_STORED_U16,
	SQL_STORED_U32,
	SQL_STORED_U64,
	SQL_STORED_F32,
	SQL_STORED_F64,
	SQL_STORED_BOOL,
	SQL_STORED_CHAR,
	SQL_STORED_DATE,
	SQL_STORED_TIMESTAMP,
	SQL_STORED_DECIMAL,
};

struct sql_column {
	char *name;
	enum sql_storage storage;
	enum sql_type type;
	uint32_t offset, bytes;
	uint8_t precision, scale; /* DECIMAL */
};

struct sql_schema {
	struct sql_column *columns;
	uint32_t n_columns;
	uint32_t record_bytes; /* pads included */
};

/* -EINVAL with where = "schema" and the text with the column and what would be right; -ENOMEM. */
int sql_schema_parse(const char *text, struct sql_schema *ret, struct nf_error *err);
/* Are records of record_bytes what the schema describes? -EINVAL; says how many bytes to pad. */
int sql_schema_check(const struct sql_schema *s, uint32_t record_bytes, struct nf_error *err);
/* May a data set have that schema: does the text parse, are its records of one size, and of that
 * one? record_bytes 0: nobody has said yet. -EINVAL, -ENOMEM. */
int sql_schema_describes(const char *text, bool fixed, uint32_t record_bytes, struct nf_error *err);
/* By its name; NULL: there is none. */
const struct sql_column *sql_schema_find(const struct sql_schema *s, const char *name);
void sql_schema_done(struct sql_schema *s); /* takes a zeroed one */

#endif
