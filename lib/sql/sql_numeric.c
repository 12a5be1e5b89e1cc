/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_numeric.c - exact decimals: a number is an integer over 10^scale.
 *
 * The scales of results are PostgreSQL's (src/backend/utils/adt/numeric.c), so that answers have
 * the digits that it gives: the greater scale for + - %, the sum for *. A quotient gets 16
 * significant digits, which are counted by digits of base 10000, in which PostgreSQL computes:
 *
 *	weight(x)	the power of 10000 of its first digit, first(x) that digit; both 0 for 0
 *	q		weight(a) - weight(b), less one if first(a) <= first(b)
 *	scale(a / b)	16 - 4 * q, at least scale(a) and scale(b) and 0, at most 1000
 */
#include "sql/sql_numeric.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

enum { BASE_DIGITS = 4 };

static struct sql_value make(int32_t scale)
{
	struct sql_value v = {.type = SQL_NUMERIC, .scale = scale};

	mpz_init(v.number);
	return v;
}

/* n * 10^power. ret may be n. */
static void shift(mpz_t ret, const mpz_t n, uint32_t power)
{
	mpz_t ten;

	if (power == 0) {
		mpz_set(ret, n);
		return;
	}
	mpz_init(ten);
	mpz_ui_pow_ui(ten, 10, power);
	mpz_mul(ret, n, ten);
	mpz_clear(ten);
}

/* n / d, to the nearest, half away from zero; or towards zero. ret may be n or d. */
static void divide(mpz_t ret, const mpz_t n, const mpz_t d, bool truncate)
{
	mpz_t quotient, rest;
	int sign = mpz_sgn(n) * mpz_sgn(d);

	mpz_inits(quotient, rest, NULL);
	mpz_tdiv_qr(quotient, rest, n, d);
	mpz_mul_2exp(rest, rest, 1);
	if (!truncate && mpz_cmpabs(rest, d) >= 0) {
		if (sign < 0)
			mpz_sub_ui(quotient, quotient, 1);
		else
			mpz_add_ui(quotient, quotient, 1);
	}
	mpz_swap(ret, quotient);
	mpz_clears(quotient, rest, NULL);
}

/* n / 10^power. ret may be n. */
static void unshift(mpz_t ret, const mpz_t n, uint32_t power, bool truncate)
{
	mpz_t ten;

	mpz_init(ten);
	mpz_ui_pow_ui(ten, 10, power);
	divide(ret, n, ten, truncate);
	mpz_clear(ten);
}

/* Decimal digits of n; 0 of 0. */
static int64_t count_digits(const mpz_t n)
{
	if (mpz_sgn(n) == 0)
		return 0;
	size_t digits = mpz_sizeinbase(n, 10); /* or one too many */
	mpz_t least;
	mpz_init(least);
	mpz_ui_pow_ui(least, 10, digits - 1);
	if (mpz_cmpabs(n, least) < 0)
		digits--;
	mpz_clear(least);
	return (int64_t)digits;
}

/* Hands over what was made in v, or frees it, if it exceeds the format. */
static int finish(struct sql_value *v, enum nf_code code, struct sql_value *ret,
		  struct nf_error *err)
{
	int64_t most = SQL_MAX_NUMERIC_DIGITS + (int64_t)v->scale;

	/* sizeinbase() is quick and right but for one: the exact count only at the limit */
	if (v->scale > SQL_MAX_SCALE ||
	    ((int64_t)mpz_sizeinbase(v->number, 10) > most && count_digits(v->number) > most)) {
		sql_value_done(v);
		return nf_error_set(err, code, NULL, "value overflows numeric format");
	}
	*ret = *v;
	return 0;
}

/* ---- + - * / % ------------------------------------------------------------------------------- */

static int32_t max_scale(const struct sql_value *a, const struct sql_value *b)
{
	return a->scale > b->scale ? a->scale : b->scale;
}

/* a and b over the same power of ten; both are the caller's to clear. */
static void align(const struct sql_value *a, const struct sql_value *b, mpz_t x, mpz_t y)
{
	int32_t scale = max_scale(a, b);

	mpz_inits(x, y, NULL);
	shift(x, a->number, (uint32_t)(scale - a->scale));
	shift(y, b->number, (uint32_t)(scale - b->scale));
}

static void first_digit(const struct sql_value *a, int64_t *ret_weight, uint64_t *ret_digit)
{
	int64_t exponent = count_digits(a->number) - 1 - a->scale; /* of ten */
	int64_t weight = (exponent < 0 ? exponent - (BASE_DIGITS - 1) : exponent) / BASE_DIGITS;
	int64_t below = weight * BASE_DIGITS + a->scale;
	mpz_t digit;

	*ret_weight = 0;
	*ret_digit = 0;
	if (mpz_sgn(a->number) == 0)
		return;
	mpz_init(digit);
	if (below >= 0)
		unshift(digit, a->number, (uint32_t)below, true);
	else
		shift(digit, a->number, (uint32_t)-below);
	*ret_weight = weight;
	*ret_digit = mpz_get_ui(digit); /* of its magnitude */
	mpz_clear(digit);
}

static int32_t quotient_scale(const struct sql_value *a, const struct sql_value *b)
{
	int64_t weight_a, weight_b;
	uint64_t digit_a, digit_b;

	first_digit(a, &weight_a, &digit_a);
	first_digit(b, &weight_b, &digit_b);
	int64_t weight = weight_a - weight_b - (digit_a <= digit_b);
	int64_t scale = SQL_QUOTIENT_DIGITS - weight * BASE_DIGITS;
	if (scale < max_scale(a, b))
		scale = max_scale(a, b);
	return (int32_t)(scale < SQL_MAX_QUOTIENT_SCALE ? scale : SQL_MAX_QUOTIENT_SCALE);
}

static void quotient(const struct sql_value *a, const struct sql_value *b, struct sql_value *q)
{
	int32_t power = q->scale + b->scale - a->scale;
	mpz_t n, d;

	mpz_inits(n, d, NULL);
	shift(n, a->number, power > 0 ? (uint32_t)power : 0);
	shift(d, b->number, power < 0 ? (uint32_t)-power : 0);
	divide(q->number, n, d, false);
	mpz_clears(n, d, NULL);
}

static struct sql_value product(const struct sql_value *a, const struct sql_value *b)
{
	struct sql_value v = make(a->scale + b->scale);

	mpz_mul(v.number, a->number, b->number);
	if (v.scale > SQL_MAX_SCALE) {
		unshift(v.number, v.number, (uint32_t)(v.scale - SQL_MAX_SCALE), false);
		v.scale = SQL_MAX_SCALE;
	}
	return v;
}

/* +, -, and %, whose result has a's sign. */
static struct sql_value aligned(enum sql_arith op, const struct sql_value *a,
				const struct sql_value *b)
{
	struct sql_value v = make(max_scale(a, b));
	mpz_t x, y;

	align(a, b, x, y);
	if (op == SQL_PLUS)
		mpz_add(v.number, x, y);
	else if (op == SQL_MINUS)
		mpz_sub(v.number, x, y);
	else
		mpz_tdiv_r(v.number, x, y);
	mpz_clears(x, y, NULL);
	return v;
}

int sql_numeric_arith(enum sql_arith op, const struct sql_value *a, const struct sql_value *b,
		      struct sql_value *ret, struct nf_error *err)
{
	struct sql_value v;

	if ((op == SQL_DIVIDE || op == SQL_MODULO) && mpz_sgn(b->number) == 0)
		return nf_error_set(err, NF_OUT_OF_RANGE, NULL, "division by zero");
	if (op == SQL_TIMES) {
		v = product(a, b);
	} else if (op == SQL_DIVIDE) {
		v = make(quotient_scale(a, b));
		quotient(a, b, &v);
	} else {
		v = aligned(op, a, b);
	}
	return finish(&v, NF_OUT_OF_RANGE, ret, err);
}

int sql_numeric_compare(const struct sql_value *a, const struct sql_value *b)
{
	mpz_t x, y;

	if (a->scale == b->scale)
		return mpz_cmp(a->number, b->number);
	align(a, b, x, y);
	int r = mpz_cmp(x, y);
	mpz_clears(x, y, NULL);
	return r;
}

/* ---- rounding -------------------------------------------------------------------------------- */

static int32_t clamp(int32_t n, int32_t least, int32_t most)
{
	return n < least ? least : n > most ? most : n;
}

int sql_numeric_round(const struct sql_value *a, int32_t digits, bool truncate,
		      struct sql_value *ret, struct nf_error *err)
{
	digits = clamp(digits, -SQL_MAX_NUMERIC_DIGITS - 1, SQL_MAX_SCALE);
	struct sql_value v = make(digits > 0 ? digits : 0);

	if (digits >= a->scale)
		shift(v.number, a->number, (uint32_t)(digits - a->scale));
	else
		unshift(v.number, a->number, (uint32_t)(a->scale - digits), truncate);
	if (digits < 0)
		shift(v.number, v.number, (uint32_t)-digits);
	return finish(&v, NF_OUT_OF_RANGE, ret, err);
}

bool sql_numeric_integer(const struct sql_value *a, int64_t *ret)
{
	mpz_t whole;

	_Static_assert(sizeof(long) == sizeof(*ret), "GMP's signed long is 64 bits wide");
	mpz_init(whole);
	unshift(whole, a->number, (uint32_t)a->scale, false);
	bool fits = mpz_fits_slong_p(whole);
	if (fits)
		*ret = mpz_get_si(whole);
	mpz_clear(whole);
	return fits;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* A decimal as it is written: [sign] digits, with a point among them, [exponent]. */
struct decimal {
	char *digits; /* and the sign, but no point */
	int64_t n_digits, n_fraction;
	int64_t exponent;
};

enum { EXPONENT_CAP = 1 << 30 }; /* larger than any text's length can make up for */

/* "e-12"; returns what follows; NULL: it is none. */
static const char *read_exponent(const char *s, struct decimal *d)
{
	bool negative = *s == '-';

	if (*s == '+' || *s == '-')
		s++;
	if (!isdigit((unsigned char)*s))
		return NULL;
	for (; isdigit((unsigned char)*s); s++)
		if (d->exponent < EXPONENT_CAP)
			d->exponent = d->exponent * 10 + (*s - '0');
	if (negative)
		d->exponent = -d->exponent;
	return s;
}

/* d->digits has room for all of s. */
static const char *read_decimal(const char *s, struct decimal *d)
{
	char *to = d->digits;
	bool point = false;

	if (*s == '-')
		*to++ = '-';
	if (*s == '+' || *s == '-')
		s++;
	for (; isdigit((unsigned char)*s) || (*s == '.' && !point); s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		*to++ = *s;
		d->n_digits++;
		d->n_fraction += point;
	}
	*to = '\0';
	if (d->n_digits == 0)
		return NULL;
	return *s == 'e' || *s == 'E' ? read_exponent(s + 1, d) : s;
}

static const char *skip_space(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

static int decimal_value(const struct decimal *d, struct sql_value *ret, struct nf_error *err)
{
	int64_t scale = d->n_fraction - d->exponent;
	struct sql_value v = make(0);

	mpz_set_str(v.number, d->digits, 10);
	if (scale < 0 && mpz_sgn(v.number) != 0) {
		/* One digit too many is enough for finish() to refuse it. */
		int64_t zeros = scale < -SQL_MAX_NUMERIC_DIGITS ? SQL_MAX_NUMERIC_DIGITS : -scale;
		shift(v.number, v.number, (uint32_t)zeros);
	}
	v.scale = (int32_t)(scale < 0 ? 0 : scale > SQL_MAX_SCALE ? SQL_MAX_SCALE + 1 : scale);
	return finish(&v, NF_INVALID_ARGUMENT, ret, err);
}

int sql_numeric_parse(const char *text, struct sql_value *ret, struct nf_error *err)
{
	AUTO_FREE char *digits = malloc(strlen(text) + 1);
	struct decimal d = {.digits = digits};

	if (!digits)
		return nf_error_no_memory(err, NULL);
	const char *end = read_decimal(skip_space(text), &d);
	if (!end || *skip_space(end))
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
				    "invalid input syntax for type numeric: \"%s\"", text);
	return decimal_value(&d, ret, err);
}

/* "-5" with scale 2 is -0.05. */
char *sql_numeric_text(const struct sql_value *a)
{
	size_t scale = (size_t)a->scale, room = mpz_sizeinbase(a->number, 10) + 2;
	size_t sign = mpz_sgn(a->number) < 0;
	char *text = malloc(room + scale + 2);

	if (!text)
		return NULL;
	mpz_get_str(text, 10, a->number);
	if (scale == 0)
		return text;
	size_t n = strlen(text + sign);
	if (n <= scale) { /* zeros in front, one of them before the point */
		size_t zeros = scale + 1 - n;
		memmove(text + sign + zeros, text + sign, n + 1);
		memset(text + sign, '0', zeros);
		n += zeros;
	}
	char *point = text + sign + n - scale;
	memmove(point + 1, point, scale + 1);
	*point = '.';
	return text;
}
