/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_double.c - the free-format algorithm of Burger and Dybvig ("Printing Floating-Point Numbers
 * Quickly and Accurately", 1996), in integers of any length.
 *
 * All reals nearer to d than to its neighbours read back as d. With d = r / s, and that interval
 * from (r - below) / s to (r + above) / s, digits are taken off r until what is left out, or what
 * one more in the last digit would add, stays inside of it. PostgreSQL leaves the interval's ends
 * out, although half of them round to d, too: 1e23 is 9.999999999999999e+22 there.
 */
#include "sql/sql_double.h"

#include <gmp.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_DIGITS = 17,
	MANTISSA_BITS = 52,
	MIN_EXPONENT = -1074,
	FIXED_LOWEST = -4, /* exponents of ten that are written out */
	FIXED_END = 15,
};

struct digits {
	mpz_t r, s, below, above;
	char text[MAX_DIGITS + 1];
	int n;
	int exponent; /* of ten, of the first digit */
};

/* d = f * 2^e. A power of two has its lower neighbour at half of the distance. */
static void set_interval(struct digits *g, double d)
{
	int e;
	uint64_t f = (uint64_t)ldexp(frexp(d, &e), MANTISSA_BITS + 1);

	e -= MANTISSA_BITS + 1;
	if (e < MIN_EXPONENT) {
		f >>= MIN_EXPONENT - e;
		e = MIN_EXPONENT;
	}
	unsigned uneven = f == UINT64_C(1) << MANTISSA_BITS && e > MIN_EXPONENT;

	mpz_set_ui(g->r, f);
	mpz_set_ui(g->s, 1);
	mpz_set_ui(g->below, 1);
	mpz_mul_2exp(g->r, g->r, 1 + uneven);
	mpz_mul_2exp(g->s, g->s, 1 + uneven);
	if (e >= 0) {
		mpz_mul_2exp(g->r, g->r, (unsigned)e);
		mpz_mul_2exp(g->below, g->below, (unsigned)e);
	} else {
		mpz_mul_2exp(g->s, g->s, (unsigned)-e);
	}
	mpz_mul_2exp(g->above, g->below, uneven);
}

/* x + y > s? */
static bool sum_exceeds(const mpz_t x, const mpz_t y, const mpz_t s)
{
	mpz_t sum;

	mpz_init(sum);
	mpz_add(sum, x, y);
	bool exceeds = mpz_cmp(sum, s) > 0;
	mpz_clear(sum);
	return exceeds;
}

/* Divides by 10^(exponent + 1), so that the first digit is the one behind the point. */
static void scale(struct digits *g, double d)
{
	mpz_t power;
	/* Too small by one at most, never too large. */
	int k = (int)ceil(log10(d) - 1e-10);

	mpz_init(power);
	mpz_ui_pow_ui(power, 10, (unsigned)abs(k));
	if (k >= 0) {
		mpz_mul(g->s, g->s, power);
	} else {
		mpz_mul(g->r, g->r, power);
		mpz_mul(g->below, g->below, power);
		mpz_mul(g->above, g->above, power);
	}
	mpz_clear(power);
	if (sum_exceeds(g->r, g->above, g->s)) {
		mpz_mul_ui(g->s, g->s, 10);
		k++;
	}
	g->exponent = k - 1;
}

static unsigned take_digit(struct digits *g)
{
	mpz_t digit;

	mpz_init(digit);
	mpz_mul_ui(g->r, g->r, 10);
	mpz_mul_ui(g->below, g->below, 10);
	mpz_mul_ui(g->above, g->above, 10);
	mpz_tdiv_qr(digit, g->r, g->r, g->s);
	unsigned ret = (unsigned)mpz_get_ui(digit);
	mpz_clear(digit);
	return ret;
}

static void generate(struct digits *g)
{
	for (;;) {
		unsigned digit = take_digit(g);
		bool low = mpz_cmp(g->r, g->below) < 0;
		bool high = sum_exceeds(g->r, g->above, g->s);

		if (low && high) { /* both would do: the nearer one, the even one of equals */
			mpz_mul_2exp(g->r, g->r, 1);
			int half = mpz_cmp(g->r, g->s);
			low = half < 0 || (half == 0 && digit % 2 == 0);
		}
		if (high && !low)
			digit++;
		g->text[g->n++] = (char)('0' + digit);
		if (low || high)
			break;
	}
	g->text[g->n] = '\0';
}

static void write_fixed(const struct digits *g, char *buf)
{
	int whole = g->exponent + 1;

	if (whole <= 0)
		sprintf(buf, "0.%.*s%s", -whole, "0000", g->text);
	else if (whole >= g->n)
		sprintf(buf, "%s%.*s", g->text, whole - g->n, "000000000000000");
	else
		sprintf(buf, "%.*s.%s", whole, g->text, g->text + whole);
}

static void write_digits(const struct digits *g, char *buf)
{
	if (g->exponent >= FIXED_LOWEST && g->exponent < FIXED_END)
		write_fixed(g, buf);
	else
		sprintf(buf, "%c%s%se%c%02d", g->text[0], g->n > 1 ? "." : "", g->text + 1,
			g->exponent < 0 ? '-' : '+', abs(g->exponent));
}

const char *sql_double_text(double d, char *buf)
{
	struct digits g = {.n = 0};
	char *at = buf;

	if (isnan(d))
		return strcpy(buf, "NaN");
	if (signbit(d))
		*at++ = '-';
	if (isinf(d) || d == 0) {
		strcpy(at, d == 0 ? "0" : "Infinity");
		return buf;
	}
	mpz_inits(g.r, g.s, g.below, g.above, NULL);
	set_interval(&g, fabs(d));
	scale(&g, fabs(d));
	generate(&g);
	mpz_clears(g.r, g.s, g.below, g.above, NULL);
	write_digits(&g, at);
	return buf;
}

/* ---- what the C library does, with a decimal point ------------------------------------------- */

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

const char *sql_double_text_15(double d, char *buf)
{
	locale_t old = use_c_locale();

	snprintf(buf, SQL_DOUBLE_TEXT_BYTES, "%.15g", d);
	restore_locale(old);
	return buf;
}

double sql_double_read(const char *text, char **ret_end)
{
	locale_t old = use_c_locale();
	double d = strtod(text, ret_end);

	restore_locale(old);
	return d;
}
