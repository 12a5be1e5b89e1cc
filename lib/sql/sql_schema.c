/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_schema.c - the text of schema=..., from strangers, to columns. */
#include "sql/sql_schema.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/scope.h"
#include "program/program.h"
#include "program/program_check.h"

enum {
	MAX_SCHEMA_BYTES = 64 << 10,
	SHOWN_BYTES = 64, /* of a word, in messages */
};

static const struct stored {
	const char *name;
	enum sql_storage storage;
	enum sql_type type;
	uint32_t bytes; /* 0: char's */
} types[] = {
	{"i8", SQL_STORED_I8, SQL_INT2, 1},
	{"i16", SQL_STORED_I16, SQL_INT2, 2},
	{"i32", SQL_STORED_I32, SQL_INT4, 4},
	{"i64", SQL_STORED_I64, SQL_INT8, 8},
	{"u8", SQL_STORED_U8, SQL_INT2, 1},
	{"u16", SQL_STORED_U16, SQL_INT4, 2},
	{"u32", SQL_STORED_U32, SQL_INT8, 4},
	{"u64", SQL_STORED_U64, SQL_INT8, 8},
	{"f32", SQL_STORED_F32, SQL_FLOAT8, 4},
	{"f64", SQL_STORED_F64, SQL_FLOAT8, 8},
	{"bool", SQL_STORED_BOOL, SQL_BOOL, 1},
	{"char", SQL_STORED_CHAR, SQL_TEXT, 0},
	{"date", SQL_STORED_DATE, SQL_DATE, 4},
	{"timestamp", SQL_STORED_TIMESTAMP, SQL_TIMESTAMP, 8},
	{"decimal", SQL_STORED_DECIMAL, SQL_NUMERIC, 8},
};

static const char all_types[] =
	"i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 bool char(n) date timestamp decimal(p, s)";

/* What others call them: the beginning of a word is enough, the first row that fits says. */
static const struct {
	const char *beginning, *ours;
} aliases[] = {
	{"int8_t", "i8"},         {"int16", "i16"},      {"int32", "i32"},
	{"int64", "i64"},         {"uint8", "u8"},       {"uint16", "u16"},
	{"uint32", "u32"},        {"uint64", "u64"},     {"s8", "i8"},
	{"s16", "i16"},           {"s32", "i32"},        {"s64", "i64"},
	{"int2", "i16"},          {"int4", "i32"},       {"int8", "i64"},
	{"tinyint", "i8"},        {"smallint", "i16"},   {"bigint", "i64"},
	{"int", "i32"},           {"long", "i64"},       {"short", "i16"},
	{"byte", "u8"},           {"float64", "f64"},    {"float8", "f64"},
	{"double", "f64"},        {"float", "f32"},      {"real", "f32"},
	{"boolean", "bool"},      {"str", "char(n)"},    {"text", "char(n)"},
	{"varchar", "char(n)"},   {"ch", "char(n)"},     {"num", "decimal(p, s)"},
	{"dec", "decimal(p, s)"}, {"time", "timestamp"}, {"date", "timestamp"},
	{"dat", "date"},          {"boo", "bool"},
};

struct parser {
	const char *at;
	struct sql_schema schema;
	uint32_t room, number; /* columns there is room for; the column's number, from 1 */
	uint64_t offset;
	char name[SQL_MAX_NAME_BYTES + 1]; /* of the column at hand; "" before it is known */
	struct nf_error *err;
};

/* column 3, "price": ...; the name once it is known. */
static int fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));
static int fail(struct parser *p, const char *fmt, ...)
{
	char reason[512], column[SQL_MAX_NAME_BYTES + 32];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	if (p->name[0])
		snprintf(column, sizeof(column), "%" PRIu32 ", \"%s\"", p->number, p->name);
	else
		snprintf(column, sizeof(column), "%" PRIu32, p->number);
	return nf_error_set(p->err, NF_INVALID_ARGUMENT, "schema", "column %s: %s", column, reason);
}

/* ---- words ----------------------------------------------------------------------------------- */

static void skip_space(struct parser *p)
{
	p->at += strspn(p->at, " \t\n\v\f\r");
}

/* The character, and white space around it. */
static bool accept(struct parser *p, char c)
{
	skip_space(p);
	if (*p->at != c)
		return false;
	p->at++;
	skip_space(p);
	return true;
}

/* What is there, fit for a terminal. */
static const char *found(const struct parser *p, char buf[32])
{
	if (!*p->at)
		return "the end";
	snprintf(buf, 32, *p->at > ' ' && *p->at < 0x7f ? "'%c'" : "byte 0x%02x",
		 (unsigned char)*p->at);
	return buf;
}

/* Letters, digits, underscores: as many as there are. */
static size_t word_bytes(const struct parser *p)
{
	return strspn(p->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

static bool word_is(const char *word, size_t n, const char *name)
{
	return strlen(name) == n && strncasecmp(word, name, n) == 0;
}

/* False: there is no number. One that is too large becomes UINT32_MAX. */
static bool read_number(struct parser *p, uint32_t *ret)
{
	uint32_t n = 0;

	if (*p->at < '0' || *p->at > '9')
		return false;
	for (; *p->at >= '0' && *p->at <= '9'; p->at++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint32_t)(*p->at - '0'), &n))
			n = UINT32_MAX;
	*ret = n;
	return true;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Names are shown on terminals and sent in messages. */
static bool is_clean(const char *s, size_t n)
{
	unsigned step;

	for (size_t i = 0; i < n; i += step)
		if (!(step = program_utf8_length(s + i)))
			return false;
	return true;
}

static int set_name(struct parser *p, const char *s, size_t n, bool fold)
{
	if (n > SQL_MAX_NAME_BYTES)
		return fail(p, "the name has %zu bytes; at most %d may be", n, SQL_MAX_NAME_BYTES);
	for (size_t i = 0; i < n; i++)
		p->name[i] = (char)(fold ? tolower((unsigned char)s[i]) : s[i]);
	p->name[n] = '\0';
	return 0;
}

static int read_quoted_name(struct parser *p)
{
	const char *name = p->at + 1, *end = strchr(name, '"');

	if (!end)
		return fail(p, "the name's second quote is missing");
	if (end == name)
		return fail(p, "the name between the quotes is empty");
	if (!is_clean(name, (size_t)(end - name)))
		return fail(p, "the name has control characters, or is not UTF-8");
	p->at = end + 1;
	return set_name(p, name, (size_t)(end - name), false);
}

static int no_name(struct parser *p)
{
	char buf[32];

	if (!*p->at && p->number == 1)
		return fail(p,
			    "the schema is empty; it is like ts:timestamp, price:decimal(15, 2)");
	if (!*p->at)
		return fail(p, "nothing follows the last comma; remove it");
	if (*p->at == ',')
		return fail(p, "nothing is between two commas; remove one");
	return fail(p,
		    "no name can begin with %s; names are letters, digits and underscores, or "
		    "anything in double quotes",
		    found(p, buf));
}

/* ---- types ----------------------------------------------------------------------------------- */

static int unknown_type(struct parser *p, const char *word, size_t n)
{
	char hint[40] = "";

	for (size_t i = 0; i < ARRAY_SIZE(aliases) && !hint[0]; i++)
		if (strncasecmp(word, aliases[i].beginning, strlen(aliases[i].beginning)) == 0)
			snprintf(hint, sizeof(hint), " (did you mean %s?)", aliases[i].ours);
	return fail(p, "there is no type \"%.*s\"%s; types are %s",
		    (int)(n < SHOWN_BYTES ? n : SHOWN_BYTES), word, hint, all_types);
}

static int read_type(struct parser *p, const struct stored **ret)
{
	const char *word = p->at;
	size_t n = word_bytes(p);
	char buf[32];

	if (n == 0)
		return fail(p, "a type must follow the colon, not %s; types are %s", found(p, buf),
			    all_types);
	p->at += n;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!word_is(word, n, types[i].name))
			continue;
		*ret = &types[i];
		return 0;
	}
	return unknown_type(p, word, n);
}

/* "(n)" of char and pad. */
static int read_length(struct parser *p, const char *what, uint32_t *ret)
{
	uint32_t n;

	if (!accept(p, '(') || !read_number(p, &n) || !accept(p, ')'))
		return fail(p, "%s wants its length in bytes, like %s(8)", what, what);
	if (n < 1 || n > PROGRAM_MAX_RECORD_BYTES)
		return fail(p, "%s may be 1 to %d bytes long", what, PROGRAM_MAX_RECORD_BYTES);
	*ret = n;
	return 0;
}

/* "(precision, scale)" */
static int read_precision(struct parser *p, struct sql_column *c)
{
	uint32_t precision, scale;

	if (!accept(p, '(') || !read_number(p, &precision) || !accept(p, ',') ||
	    !read_number(p, &scale) || !accept(p, ')'))
		return fail(p, "decimal wants its precision and its scale, like decimal(15, 2)");
	if (precision < 1 || precision > SQL_MAX_PRECISION)
		return fail(p, "a decimal's precision is 1 to %d digits: more do not fit 64 bits",
			    SQL_MAX_PRECISION);
	if (scale > precision)
		return fail(p, "a decimal's scale is 0 to its precision, here %" PRIu32, precision);
	c->precision = (uint8_t)precision;
	c->scale = (uint8_t)scale;
	return 0;
}

/* ---- columns --------------------------------------------------------------------------------- */

static int pass_bytes(struct parser *p, uint32_t n)
{
	p->offset += n; /* 64 KiB of text are not enough to overflow it */
	if (p->offset > PROGRAM_MAX_RECORD_BYTES)
		return fail(p, "it ends %" PRIu64 " bytes into the record; at most %d may be",
			    p->offset, PROGRAM_MAX_RECORD_BYTES);
	return 0;
}

static int read_pad(struct parser *p)
{
	uint32_t n;
	int r = read_length(p, "pad", &n);

	return r ? r : pass_bytes(p, n);
}

static int make_room(struct parser *p)
{
	struct sql_schema *s = &p->schema;

	if (s->n_columns == SQL_MAX_COLUMNS)
		return fail(p, "there are more than %d columns", SQL_MAX_COLUMNS);
	if (s->n_columns < p->room)
		return 0;
	uint32_t room = p->room ? p->room * 2 : 16;
	struct sql_column *columns = realloc(s->columns, room * sizeof(*columns));
	if (!columns)
		return nf_error_no_memory(p->err, "schema");
	s->columns = columns;
	p->room = room;
	return 0;
}

static int add_column(struct parser *p, struct sql_column *c)
{
	int r;

	if (sql_schema_find(&p->schema, p->name))
		return fail(p, "there is a column of this name before; names must differ");
	if ((r = make_room(p)) || (r = pass_bytes(p, c->bytes)))
		return r;
	c->name = strdup(p->name);
	if (!c->name)
		return nf_error_no_memory(p->err, "schema");
	p->schema.columns[p->schema.n_columns++] = *c;
	return 0;
}

/* Behind the name. */
static int read_column(struct parser *p)
{
	struct sql_column c = {.offset = (uint32_t)p->offset};
	const struct stored *t = NULL;
	char buf[32];
	int r;

	if (!accept(p, ':'))
		return fail(p, "a colon and a type must follow the name, not %s%s", found(p, buf),
			    *p->at < 0 ? "; a name with such letters stands in double quotes" : "");
	if ((r = read_type(p, &t)))
		return r;
	c.storage = t->storage;
	c.type = t->type;
	c.bytes = t->bytes;
	if (t->storage == SQL_STORED_CHAR)
		r = read_length(p, "char", &c.bytes);
	else if (t->storage == SQL_STORED_DECIMAL)
		r = read_precision(p, &c);
	return r ? r : add_column(p, &c);
}

static int read_item(struct parser *p)
{
	const char *word;
	size_t n;
	int r;

	p->number++;
	p->name[0] = '\0';
	skip_space(p);
	if (*p->at == '"')
		return (r = read_quoted_name(p)) ? r : read_column(p);
	word = p->at;
	n = word_bytes(p);
	if (n == 0)
		return no_name(p);
	p->at += n;
	skip_space(p);
	if (*p->at == '(' && word_is(word, n, "pad"))
		return read_pad(p);
	return (r = set_name(p, word, n, true)) ? r : read_column(p);
}

static int read_items(struct parser *p)
{
	char buf[32];
	int r;

	do {
		if ((r = read_item(p)))
			return r;
	} while (accept(p, ','));
	if (*p->at)
		return fail(p, "a comma or the end must follow, not %s", found(p, buf));
	if (p->schema.n_columns == 0)
		return fail(p, "there is nothing but pads; at least one column must have a name");
	return 0;
}

int sql_schema_parse(const char *text, struct sql_schema *ret, struct nf_error *err)
{
	struct parser p = {.at = text, .err = err};
	size_t n = strnlen(text, MAX_SCHEMA_BYTES + 1);

	if (n > MAX_SCHEMA_BYTES)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "schema",
				    "the text is longer than %d bytes", MAX_SCHEMA_BYTES);
	int r = read_items(&p);
	if (r) {
		sql_schema_done(&p.schema);
		return r;
	}
	p.schema.record_bytes = (uint32_t)p.offset;
	*ret = p.schema;
	return 0;
}

int sql_schema_check(const struct sql_schema *s, uint32_t record_bytes, struct nf_error *err)
{
	uint32_t described = s->record_bytes;

	if (described < record_bytes)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "schema",
				    "the schema describes %" PRIu32 " bytes, the records have "
				    "%" PRIu32 ": add pad(%" PRIu32 ")",
				    described, record_bytes, record_bytes - described);
	if (described > record_bytes)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "schema",
				    "the schema describes %" PRIu32 " bytes, the records have "
				    "%" PRIu32 ": take away %" PRIu32 ", or correct the format",
				    described, record_bytes, described - record_bytes);
	return 0;
}

int sql_schema_describes(const char *text, bool fixed, uint32_t record_bytes, struct nf_error *err)
{
	struct sql_schema s = {0};
	int r;

	if (!fixed)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "schema",
				    "a schema describes fixed records, and the format is lines: "
				    "leave one of them out");
	r = sql_schema_parse(text, &s, err);
	if (!r && record_bytes)
		r = sql_schema_check(&s, record_bytes, err);
	sql_schema_done(&s);
	return r;
}

const struct sql_column *sql_schema_find(const struct sql_schema *s, const char *name)
{
	for (uint32_t i = 0; i < s->n_columns; i++)
		if (strcmp(s->columns[i].name, name) == 0)
			return &s->columns[i];
	return NULL;
}

void sql_schema_done(struct sql_schema *s)
{
	for (uint32_t i = 0; i < s->n_columns; i++)
		free(s->columns[i].name);
	free(s->columns);
	*s = (struct sql_schema){0};
}
