/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * json_write.h - writes JSON (RFC 8259) to a stream, value by value; commas come by themselves.
 *
 *	struct json j = {.out = stdout};
 *	json_open(&j, '{');
 *	json_key(&j, "rows");
 *	json_integer(&j, 7);
 *	json_close(&j, '}');
 *
 * What a double cannot hold exactly (integers beyond 2^53, infinities, NaN) is written as a string,
 * because most readers turn every number into a double. Stream errors stay in ferror(out).
 */
#ifndef NF_CLIENT_JSON_WRITE_H
#define NF_CLIENT_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	bool comma; /* the next value needs one before it */
};

void json_open(struct json *j, char bracket);  /* '{' or '[' */
void json_close(struct json *j, char bracket); /* '}' or ']' */
void json_key(struct json *j, const char *name);
/* text need not be valid UTF-8: what is not becomes U+FFFD. */
void json_string(struct json *j, const char *text);
void json_unsigned(struct json *j, uint64_t v);
void json_double(struct json *j, double v);
void json_bool(struct json *j, bool v);
/* Decimal digits of any length with an optional '-', and for a decimal a '.' among them. A
 * decimal counts as one that a double holds while its digits, without the point, are at most 2^53.
 */
void json_number_text(struct json *j, const char *digits);
void json_null(struct json *j);
/* A line break between values, for people; call it before the value. */
void json_newline(struct json *j);

/* The shortest decimal text that reads back as v. "nan", "inf", "-inf". */
void json_double_text(double v, char buf[32]);

#endif
