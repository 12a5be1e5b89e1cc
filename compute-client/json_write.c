/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/json_write.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute-client/utf8.h"

static void separate(struct json *j)
{
	if (j->comma)
		fputs(", ", j->out);
	j->comma = true;
}

void json_open(struct json *j, char bracket)
{
	separate(j);
	fputc(bracket, j->out);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->comma = true;
}

void json_key(struct json *j, const char *name)
{
	json_string(j, name);
	fputs(": ", j->out);
	j->comma = false;
}

void json_newline(struct json *j)
{
	if (j->comma)
		fputc(',', j->out);
	fputc('\n', j->out);
	j->comma = false;
}

static void put_escaped(FILE *out, uint32_t c)
{
	switch (c) {
	case '"':
	case '\\':
		fprintf(out, "\\%c", (int)c);
		return;
	case '\n':
		fputs("\\n", out);
		return;
	case '\r':
		fputs("\\r", out);
		return;
	case '\t':
		fputs("\\t", out);
		return;
	}
	/* DEL and C1 are allowed as they are, but a terminal acts on them. */
	if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
		fprintf(out, "\\u%04x", (unsigned)c);
		return;
	}
	utf8_put(out, c);
}

void json_string(struct json *j, const char *text)
{
	const char *end = text + strlen(text);

	separate(j);
	fputc('"', j->out);
	while (text < end)
		put_escaped(j->out, utf8_next(&text, end));
	fputc('"', j->out);
}

void json_number_text(struct json *j, const char *digits)
{
	const char *largest = "9007199254740992"; /* 2^53 */
	char significant[24];
	size_t n = 0;

	for (const char *p = digits + (*digits == '-'); *p && n < sizeof(significant) - 1; p++)
		if (*p != '.' && (n > 0 || *p != '0'))
			significant[n++] = *p;
	significant[n] = '\0';
	if (n > strlen(largest) || (n == strlen(largest) && strcmp(significant, largest) > 0)) {
		json_string(j, digits);
		return;
	}
	separate(j);
	fputs(digits, j->out);
}

void json_null(struct json *j)
{
	separate(j);
	fputs("null", j->out);
}

void json_unsigned(struct json *j, uint64_t v)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, v);
	json_number_text(j, digits);
}

void json_double_text(double v, char buf[32])
{
	if (isnan(v)) {
		strcpy(buf, "nan");
		return;
	}
	/* Up to fifteen digits always come back; subnormal numbers have fewer bits. */
	for (int digits = fabs(v) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		snprintf(buf, 32, "%.*g", digits, v);
		if (strtod(buf, NULL) == v)
			return;
	}
}

void json_double(struct json *j, double v)
{
	char text[32];

	json_double_text(v, text);
	if (!isfinite(v)) {
		json_string(j, text);
		return;
	}
	separate(j);
	fputs(text, j->out);
}

void json_bool(struct json *j, bool v)
{
	separate(j);
	fputs(v ? "true" : "false", j->out);
}
