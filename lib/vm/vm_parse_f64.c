/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_parse_f64.c - decimal text to the nearest double.
 *
 * The text becomes an integer of digits times a power of ten. When both are small (at most 19
 * digits that fit 53 bits, at most 10^22) one multiplication or division of exact doubles is
 * correctly rounded (Clinger, "How to Read Floating Point Numbers Accurately", 1990). Otherwise
 * strtod() decides, on text made here: "DDDDeX" without a decimal point, so that no locale
 * matters, of at most SIGNIFICANT digits. A double, and a number half-way between two of them, has
 * at most 767 significant digits: further ones only say "a little more", which one non-zero
 * digit at the end says as well.
 */
#include "vm/vm_parse_f64.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SIGNIFICANT = 770,
	EXPONENT_CAP = 1 << 30, /* larger than any text's length can make up for: n < 2^31 */
};

struct decimal {
	char digits[SIGNIFICANT + 1]; /* without leading zeros; the extra one is "a little more" */
	unsigned n_digits;
	int64_t exponent; /* of ten, behind the last digit */
	bool negative;
};

static bool is_digit(const char *s, size_t n, size_t at)
{
	return at < n && s[at] >= '0' && s[at] <= '9';
}

static void add_digit(struct decimal *d, char digit, bool fraction)
{
	if (d->n_digits == 0 && digit == '0') {
		d->exponent -= fraction;
		return;
	}
	if (d->n_digits < SIGNIFICANT) {
		d->digits[d->n_digits++] = digit;
		d->exponent -= fraction;
		return;
	}
	if (digit != '0')
		d->digits[SIGNIFICANT] = '1';
	d->exponent += !fraction;
}

/* The bytes that the exponent at s[at] takes, 0 when there is none. */
static size_t read_exponent(const char *s, size_t n, size_t at, int64_t *ret)
{
	size_t i = at;
	bool negative = false;
	int64_t e = 0;

	if (i >= n || (s[i] != 'e' && s[i] != 'E'))
		return 0;
	i++;
	if (i < n && (s[i] == '+' || s[i] == '-'))
		negative = s[i++] == '-';
	if (!is_digit(s, n, i))
		return 0;
	for (; is_digit(s, n, i); i++) {
		if (e < 4ll * EXPONENT_CAP)
			e = e * 10 + (s[i] - '0');
	}
	*ret = negative ? -e : e;
	return i - at;
}

/* Returns the bytes taken, 0 when there is no digit. */
static size_t read_decimal(const char *s, size_t n, struct decimal *d)
{
	size_t i = 0;
	int64_t e = 0;

	d->n_digits = 0;
	d->exponent = 0;
	d->digits[SIGNIFICANT] = '0';
	d->negative = n > 0 && s[0] == '-';
	if (n > 0 && (s[0] == '-' || s[0] == '+'))
		i++;
	if (!is_digit(s, n, i))
		return 0;
	for (; is_digit(s, n, i); i++)
		add_digit(d, s[i], false);
	if (i < n && s[i] == '.' && is_digit(s, n, i + 1)) {
		for (i++; is_digit(s, n, i); i++)
			add_digit(d, s[i], true);
	}
	i += read_exponent(s, n, i, &e);
	d->exponent += e;
	if (d->n_digits == SIGNIFICANT && d->digits[SIGNIFICANT] != '0') {
		d->n_digits++;
		d->exponent--;
	}
	return i;
}

static bool exact_product(const struct decimal *d, double *ret)
{
	static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
					1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
					1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	uint64_t m = 0;

	if (d->n_digits > 19 || d->exponent < -22 || d->exponent > 22)
		return false;
	for (unsigned i = 0; i < d->n_digits; i++)
		m = m * 10 + (uint64_t)(d->digits[i] - '0');
	if (m > 1ull << 53)
		return false;
	*ret = d->exponent < 0 ? (double)m / powers[-d->exponent] : (double)m * powers[d->exponent];
	return true;
}

static double nearest(const struct decimal *d)
{
	char text[SIGNIFICANT + 32];
	int64_t e = d->exponent;
	double v;

	if (d->n_digits == 0)
		return 0;
	if (exact_product(d, &v))
		return v;
	if (e > EXPONENT_CAP) /* digits times ten to this is infinite however many digits */
		e = EXPONENT_CAP;
	if (e < -EXPONENT_CAP)
		e = -EXPONENT_CAP;
	memcpy(text, d->digits, d->n_digits);
	snprintf(text + d->n_digits, sizeof(text) - d->n_digits, "e%lld", (long long)e);
	return strtod(text, NULL);
}

int64_t vm_parse_f64(const char *s, size_t n, double *ret)
{
	struct decimal d;
	size_t used = read_decimal(s, n, &d);
	double v;

	if (!used) {
		*ret = 0;
		return -1;
	}
	v = nearest(&d);
	*ret = d.negative ? -v : v;
	return (int64_t)used;
}
