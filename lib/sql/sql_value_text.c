/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_value_text.c - values from text and to text, in PostgreSQL's input and output syntax. */
#include "sql/sql_value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/sql_double.h"
#include "sql/sql_numeric.h"

/* PostgreSQL leaves "without time zone" out of these messages. */
static const char *input_name(enum sql_type type)
{
	return type == SQL_TIMESTAMP ? "timestamp" : sql_type_name(type);
}

static int bad_syntax(enum sql_type type, const char *text, struct nf_error *err)
{
	return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
			    "invalid input syntax for type %s: \"%s\"", input_name(type), text);
}

static const char *skip_space(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/* ---- from text ------------------------------------------------------------------------------- */

/* Any beginning of these words means them, but for "o". */
static int parse_bool(const char *text, struct sql_value *ret, struct nf_error *err)
{
	static const struct {
		const char *word;
		size_t least;
		bool value;
	} words[] = {{"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false},
		     {"on", 2, true},   {"off", 2, false},   {"1", 1, true},   {"0", 1, false}};
	const char *s = skip_space(text);
	size_t n = strlen(s);

	while (n > 0 && isspace((unsigned char)s[n - 1]))
		n--;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (n < words[i].least || n > strlen(words[i].word) ||
		    strncasecmp(s, words[i].word, n) != 0)
			continue;
		*ret = sql_value_bool(words[i].value);
		return 0;
	}
	return bad_syntax(SQL_BOOL, text, err);
}

static int64_t least_of(enum sql_type type)
{
	return type == SQL_INT2 ? INT16_MIN : type == SQL_INT4 ? INT32_MIN : INT64_MIN;
}

/* Downwards from 0, where there is one more. */
static int parse_integer(enum sql_type type, const char *text, struct sql_value *ret,
			 struct nf_error *err)
{
	const char *s = skip_space(text);
	int64_t n = 0, least = least_of(type);
	bool negative = *s == '-';

	if (*s == '-' || *s == '+')
		s++;
	if (!isdigit((unsigned char)*s))
		return bad_syntax(type, text, err);
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, *s - '0', &n) ||
		    n < least)
			goto out_of_range;
	if (*skip_space(s))
		return bad_syntax(type, text, err);
	if (!negative && n == least)
		goto out_of_range;
	*ret = sql_value_integer(type, negative ? n : -n);
	return 0;
out_of_range:
	return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
			    "value \"%s\" is out of range for type %s", text, sql_type_name(type));
}

static int parse_real(const char *text, struct sql_value *ret, struct nf_error *err)
{
	const char *s = skip_space(text);
	char *end;

	errno = 0;
	double d = sql_double_read(s, &end);
	/* Subnormal numbers set ERANGE as well. */
	if (errno == ERANGE && (d == 0 || isinf(d)))
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
				    "\"%.*s\" is out of range for type double precision",
				    (int)(end - s), s);
	if (end == s || *skip_space(end))
		return bad_syntax(SQL_FLOAT8, text, err);
	*ret = sql_value_real(d);
	return 0;
}

static int datetime_error(enum sql_datetime_fault fault, enum sql_type type, const char *text,
			  struct nf_error *err)
{
	switch (fault) {
	case SQL_DATETIME_FIELD:
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
				    "%s field value out of range: \"%s\"",
				    type == SQL_INTERVAL ? "interval" : "date/time", text);
	case SQL_DATETIME_RANGE:
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "%s out of range: \"%s\"",
				    input_name(type), text);
	default:
		return bad_syntax(type, text, err);
	}
}

static int parse_datetime(enum sql_type type, const char *text, struct sql_value *ret,
			  struct nf_error *err)
{
	struct sql_value v = {.type = type};
	enum sql_datetime_fault fault;

	if (type == SQL_DATE)
		fault = sql_date_read(text, &v.integer);
	else if (type == SQL_TIMESTAMP)
		fault = sql_timestamp_read(text, &v.integer);
	else
		fault = sql_interval_read(text, NULL, &v.interval);
	if (fault)
		return datetime_error(fault, type, text, err);
	*ret = v;
	return 0;
}

int sql_value_parse(enum sql_type type, const char *text, struct sql_value *ret,
		    struct nf_error *err)
{
	switch (type) {
	case SQL_BOOL:
		return parse_bool(text, ret, err);
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
		return parse_integer(type, text, ret, err);
	case SQL_NUMERIC:
		return sql_numeric_parse(text, ret, err);
	case SQL_FLOAT8:
		return parse_real(text, ret, err);
	case SQL_DATE:
	case SQL_TIMESTAMP:
	case SQL_INTERVAL:
		return parse_datetime(type, text, ret, err);
	default: {
		int r = sql_value_bytes(text, strlen(text), ret, err);
		if (!r)
			ret->type = type;
		return r;
	}
	}
}

/* ---- to text --------------------------------------------------------------------------------- */

static char *bytes_text(const struct sql_value *v)
{
	char *text = malloc(v->text.n + 1);

	if (!text)
		return NULL;
	if (v->text.n)
		memcpy(text, v->text.bytes, v->text.n);
	text[v->text.n] = '\0';
	return text;
}

char *sql_value_text(const struct sql_value *v)
{
	char buf[SQL_INTERVAL_TEXT_BYTES];

	if (v->null) {
		errno = 0;
		return NULL;
	}
	switch (v->type) {
	case SQL_BOOL:
		return strdup(v->boolean ? "t" : "f");
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
		snprintf(buf, sizeof(buf), "%" PRId64, v->integer);
		return strdup(buf);
	case SQL_NUMERIC:
		return sql_numeric_text(v);
	case SQL_FLOAT8:
		return strdup(sql_double_text(v->real, buf));
	case SQL_DATE:
		return strdup(sql_date_text(v->integer, buf));
	case SQL_TIMESTAMP:
		return strdup(sql_timestamp_text(v->integer, buf));
	case SQL_INTERVAL:
		return strdup(sql_interval_text(&v->interval, buf));
	default:
		return bytes_text(v);
	}
}
