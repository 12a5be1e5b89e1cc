/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* program_layout_format.c - the value of a member as text, and back. Bytes are little-endian. */
#include "program/program_layout.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "program/program_check.h"

typedef unsigned __int128 wide;
typedef __int128 swide;

enum { WIDE_DIGITS = 48 }; /* 128 bits in decimal, sign and NUL */

/* ---- numbers as they lie in memory
 * --------------------------------------------------------------- */

static wide load(const struct layout_member *m, const uint8_t *bytes, uint32_t offset,
		 uint32_t size)
{
	wide v = 0;

	for (uint32_t i = size; i-- > 0;)
		v = v << 8 | bytes[m->offset_bytes + offset + i];
	return v;
}

static uint32_t width(const struct layout_member *m)
{
	return m->bit_size ? m->bit_size : 8 * m->size_bytes;
}

/* A value of the member's width, sign-extended when it is signed. */
static wide load_integer(const struct layout_member *m, const uint8_t *bytes)
{
	uint32_t unused = 128 - width(m);
	wide v = load(m, bytes, 0, m->size_bytes) >> m->bit_offset << unused;

	return m->type == LAYOUT_SIGNED ? (wide)((swide)v >> unused) : v >> unused;
}

static void store(const struct layout_member *m, wide v, uint8_t *bytes)
{
	wide mask = ~(wide)0 >> (128 - width(m)) << m->bit_offset;
	wide all = (load(m, bytes, 0, m->size_bytes) & ~mask) | (v << m->bit_offset & mask);

	for (uint32_t i = 0; i < m->size_bytes; i++)
		bytes[m->offset_bytes + i] = (uint8_t)(all >> 8 * i);
}

static const char *wide_text(wide v, bool negative, char buf[WIDE_DIGITS])
{
	char *p = buf + WIDE_DIGITS - 1;

	*p = '\0';
	do {
		*--p = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v);
	if (negative)
		*--p = '-';
	return p;
}

static const char *integer_text(wide v, bool is_signed, char buf[WIDE_DIGITS])
{
	bool negative = is_signed && v >> 127;

	return wide_text(negative ? -v : v, negative, buf);
}

/* ---- doubles: the C locale's, whatever the process has set
 * ------------------------------------------ */

static locale_t c_locale;

static void make_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t use_c_locale(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_locale);
	return c_locale ? uselocale(c_locale) : (locale_t)0;
}

static void restore_locale(locale_t old)
{
	if (old)
		uselocale(old);
}

/* As few digits as give the same number back. */
static void float_text(double v, bool single, char buf[64])
{
	locale_t old = use_c_locale();
	/* Up to six (fifteen) digits always come back; subnormal numbers have fewer bits. */
	int digits = fabs(v) < (single ? FLT_MIN : DBL_MIN) ? 1 : single ? 6 : 15;

	for (; digits <= (single ? 9 : 17); digits++) {
		snprintf(buf, 64, "%.*g", digits, v);
		if (v != v || (single ? (double)strtof(buf, NULL) : strtod(buf, NULL)) == v)
			break;
	}
	if (v != v)
		strcpy(buf, "nan");
	restore_locale(old);
}

/* ---- formatting
 * --------------------------------------------------------------------------------------- */

/* Writes what fits, counts everything. */
struct out {
	char *buf;
	size_t size, n;
};

static void put(struct out *o, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++, o->n++) {
		if (o->n + 1 < o->size)
			o->buf[o->n] = text[i];
	}
}

static void put_text(struct out *o, const uint8_t *bytes, uint32_t size)
{
	char copy[5] = "";

	for (uint32_t i = 0; i < size && bytes[i];) {
		uint32_t left = size - i < 4 ? size - i : 4;

		memset(copy, 0, sizeof(copy));
		memcpy(copy, bytes + i, left);
		unsigned step = copy[0] == '\t' ? 1 : program_utf8_length(copy);
		if (step)
			put(o, copy, step);
		else
			put(o, "\xef\xbf\xbd", 3); /* U+FFFD */
		i += step ? step : 1;
	}
}

static void put_hex(struct out *o, const uint8_t *bytes, uint32_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (uint32_t i = 0; i < size; i++)
		put(o, (char[2]){digits[bytes[i] >> 4], digits[bytes[i] & 15]}, 2);
}

/* sum / count with six decimals. The remainder is below 2^64, so times 2 * 10^6 it fits. */
static void put_average(struct out *o, wide sum, uint64_t count, bool is_signed)
{
	bool negative = is_signed && sum >> 127;
	char whole[WIDE_DIGITS], fraction[16];

	if (count == 0) {
		put(o, "null", 4);
		return;
	}
	if (negative)
		sum = -sum;
	wide quotient = sum / count;
	wide millionths = (sum % count * 2000000 + count) / ((wide)count * 2);
	if (millionths == 1000000) {
		quotient++;
		millionths = 0;
	}
	const char *digits = wide_text(quotient, negative && (quotient || millionths), whole);
	put(o, digits, strlen(digits));
	put(o, fraction,
	    (size_t)snprintf(fraction, sizeof(fraction), ".%06u", (unsigned)millionths));
}

size_t layout_format(const struct layout_member *m, const uint8_t *bytes, char *buf, size_t size)
{
	struct out o = {.buf = buf, .size = size};
	char number[WIDE_DIGITS], text[64];
	const char *digits = NULL;
	double d;
	float f;

	switch (m->type) {
	case LAYOUT_SIGNED:
	case LAYOUT_UNSIGNED:
		digits = integer_text(load_integer(m, bytes), m->type == LAYOUT_SIGNED, number);
		break;
	case LAYOUT_BOOL:
		digits = load_integer(m, bytes) ? "true" : "false";
		break;
	case LAYOUT_FLOAT:
		if (m->size_bytes == 4) {
			uint32_t bits = (uint32_t)load(m, bytes, 0, 4);

			memcpy(&f, &bits, sizeof(f));
			float_text((double)f, true, text);
		} else {
			uint64_t bits = (uint64_t)load(m, bytes, 0, 8);

			memcpy(&d, &bits, sizeof(d));
			float_text(d, false, text);
		}
		digits = text;
		break;
	case LAYOUT_TEXT:
		put_text(&o, bytes + m->offset_bytes, m->size_bytes);
		break;
	case LAYOUT_BYTES:
		put_hex(&o, bytes + m->offset_bytes, m->size_bytes);
		break;
	case LAYOUT_AVERAGE_SIGNED:
	case LAYOUT_AVERAGE_UNSIGNED:
		put_average(&o, load(m, bytes, 8, 16), (uint64_t)load(m, bytes, 0, 8),
			    m->type == LAYOUT_AVERAGE_SIGNED);
		break;
	}
	if (digits)
		put(&o, digits, strlen(digits));
	if (size)
		buf[o.n < size ? o.n : size - 1] = '\0';
	return o.n;
}

/* ---- parsing
 * ------------------------------------------------------------------------------------------- */

static int bad(const struct layout_member *m, struct nf_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int bad(const struct layout_member *m, struct nf_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int r = nf_error_vset(err, NF_INVALID_ARGUMENT, m->name, fmt, ap);
	va_end(ap);
	return r;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static int parse_integer(const struct layout_member *m, const char *text, wide *ret,
			 struct nf_error *err)
{
	bool negative = text[0] == '-', is_signed = m->type == LAYOUT_SIGNED;
	const char *p = text + (text[0] == '-' || text[0] == '+');
	unsigned base = p[0] == '0' && (p[1] | 0x20) == 'x' ? 16 : 10;
	wide v = 0, top = ~(wide)0 >> (128 - width(m));
	char low_text[WIDE_DIGITS], high_text[WIDE_DIGITS];

	p += base == 16 ? 2 : 0;
	if (!*p)
		return bad(m, err, "'%s' is no number; it must be like 42, -1 or 0x10", text);
	/* Of a signed value: the largest, and one more below zero. */
	wide limit = is_signed ? top >> 1 : negative ? 0 : top;
	if (is_signed && negative)
		limit++;
	for (; *p; p++) {
		unsigned digit = (unsigned)digit_value(*p);

		if (digit >= base)
			return bad(m, err, "'%s' is no number; it must be like 42, -1 or 0x10",
				   text);
		if (v > (limit - digit) / base || digit > limit)
			return bad(m, err, "'%s' does not fit; a %s is between %s and %s", text,
				   m->type_name,
				   is_signed ? wide_text((top >> 1) + 1, true, low_text) : "0",
				   wide_text(is_signed ? top >> 1 : top, false, high_text));
		v = v * base + digit;
	}
	*ret = negative ? -v : v;
	return 0;
}

static int parse_float(const struct layout_member *m, const char *text, wide *ret,
		       struct nf_error *err)
{
	locale_t old = use_c_locale();
	char *end = NULL;
	uint64_t bits = 0;

	if (m->size_bytes == 4) {
		float f = strtof(text, &end);

		memcpy(&bits, &f, sizeof(f));
	} else {
		double d = strtod(text, &end);

		memcpy(&bits, &d, sizeof(d));
	}
	restore_locale(old);
	if (end == text || *end || text[strspn(text, " \t\n\v\f\r")] != text[0])
		return bad(m, err, "'%s' is no number; it must be like 1.5 or -2e10", text);
	*ret = bits;
	return 0;
}

static int parse_text(const struct layout_member *m, const char *text, uint8_t *bytes,
		      struct nf_error *err)
{
	size_t n = strlen(text);

	if (n > m->size_bytes)
		return bad(m, err, "'%.100s' has %zu bytes; %" PRIu32 " fit", text, n,
			   m->size_bytes);
	memset(bytes + m->offset_bytes, 0, m->size_bytes);
	memcpy(bytes + m->offset_bytes, text, n);
	return 0;
}

static int parse_hex(const struct layout_member *m, const char *text, uint8_t *bytes,
		     struct nf_error *err)
{
	size_t n = strlen(text);

	if (n != 2 * (size_t)m->size_bytes || strspn(text, "0123456789abcdefABCDEF") != n)
		return bad(m, err, "must be %" PRIu32 " hexadecimal digits", 2 * m->size_bytes);
	for (uint32_t i = 0; i < m->size_bytes; i++)
		bytes[m->offset_bytes + i] =
			(uint8_t)(digit_value(text[2 * i]) << 4 | digit_value(text[2 * i + 1]));
	return 0;
}

int layout_parse(const struct layout_member *m, const char *text, uint8_t *bytes,
		 struct nf_error *err)
{
	wide v;
	int r;

	switch (m->type) {
	case LAYOUT_SIGNED:
	case LAYOUT_UNSIGNED:
		r = parse_integer(m, text, &v, err);
		break;
	case LAYOUT_FLOAT:
		r = parse_float(m, text, &v, err);
		break;
	case LAYOUT_BOOL:
		v = !strcmp(text, "true") || !strcmp(text, "1");
		r = v || !strcmp(text, "false") || !strcmp(text, "0")
			    ? 0
			    : bad(m, err, "'%s' must be true or false", text);
		break;
	case LAYOUT_TEXT:
		return parse_text(m, text, bytes, err);
	case LAYOUT_BYTES:
		return parse_hex(m, text, bytes, err);
	default:
		return bad(m, err, "is computed from its count and sum; it cannot be set");
	}
	if (!r)
		store(m, v, bytes);
	return r;
}
