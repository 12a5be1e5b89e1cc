/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_interval.c - intervals from text and to text.
 *
 * A text is a row of words: numbers ("-3", "1.5"), times ("01:30"), years and months ("1-2"), and
 * units. As in PostgreSQL, words are taken from the last to the first, because a unit stands behind
 * its number, and a number without one takes what the word to its right leaves: days before a time
 * or hours, else the unit that the whole interval was given. No unit may come twice.
 */
#include "sql/sql_datetime.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql_double.h"

enum {
	MAX_WORDS = 25, /* PostgreSQL's */
	WORD_BYTES = 64,
	UNIT_LETTERS = 10, /* that count: "microseconds" are microsecon */
	MONTH_DAYS = 30,
	YEAR_MONTHS = 12,
};

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US   (60 * MINUTE_US)

enum unit {
	NO_UNIT,
	MICROSECOND,
	MILLISECOND,
	SECOND,
	MINUTE,
	HOUR,
	DAY,
	WEEK,
	MONTH,
	YEAR,
	DECADE,
	CENTURY,
	MILLENNIUM,
	AGO,
	UNITS,
};

#define BIT(unit) (1u << (unit))
#define SECONDS   (BIT(SECOND) | BIT(MILLISECOND) | BIT(MICROSECOND))

static const struct {
	const char *names;
	enum { OF_US, OF_DAYS, OF_MONTHS } of;
	int64_t size; /* in microseconds, days or months */
} units[UNITS] = {
	[NO_UNIT] = {"", OF_US, 0},
	[MICROSECOND] = {" us usec usecond useconds usecs microsecon ", OF_US, 1},
	[MILLISECOND] = {" ms msec msecond mseconds msecs millisecon ", OF_US, 1000},
	[SECOND] = {" s sec second seconds secs ", OF_US, SECOND_US},
	[MINUTE] = {" m min mins minute minutes ", OF_US, MINUTE_US},
	[HOUR] = {" h hour hours hr hrs ", OF_US, HOUR_US},
	[DAY] = {" d day days ", OF_DAYS, 1},
	[WEEK] = {" w week weeks ", OF_DAYS, 7},
	[MONTH] = {" mon mons month months ", OF_MONTHS, 1},
	[YEAR] = {" y year years yr yrs ", OF_MONTHS, YEAR_MONTHS},
	[DECADE] = {" dec decade decades decs ", OF_MONTHS, 10 * YEAR_MONTHS},
	[CENTURY] = {" c cent centuries century ", OF_MONTHS, 100 * YEAR_MONTHS},
	[MILLENNIUM] = {" mil mils millennia millennium ", OF_MONTHS, 1000 * YEAR_MONTHS},
	[AGO] = {" ago ", OF_US, 0},
};

static enum unit find_unit(const char *word)
{
	char padded[UNIT_LETTERS + 3];

	snprintf(padded, sizeof(padded), " %.*s ", UNIT_LETTERS, word);
	for (char *s = padded; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	for (int u = MICROSECOND; u < UNITS; u++)
		if (strstr(units[u].names, padded))
			return (enum unit)u;
	return NO_UNIT;
}

/* ---- words ----------------------------------------------------------------------------------- */

enum kind { WORD_NUMBER, WORD_TIME, WORD_UNIT };

struct word {
	enum kind kind;
	char text[WORD_BYTES];
};

/* Moves what is made of `set` into the word. False: it is too long. */
static bool take(const char **s, const char *set, struct word *w)
{
	size_t n = strspn(*s, set), used = strlen(w->text);

	if (n >= sizeof(w->text) - used)
		return false;
	memcpy(w->text + used, *s, n);
	w->text[used + n] = '\0';
	*s += n;
	return true;
}

static const char digits_set[] = "0123456789";

/* "3", "1.5", ".5", "1-2", "01:30:15.25"; the sign may be off by white space. */
static bool take_number(const char **s, struct word *w)
{
	bool sign = **s == '-' || **s == '+';

	if (sign) {
		w->text[0] = *(*s)++;
		while (isspace((unsigned char)**s))
			(*s)++;
		if (!isdigit((unsigned char)**s))
			return false;
	}
	if (!take(s, digits_set, w))
		return false;
	if (**s != ':' && **s != '.' && **s != '-')
		return true;
	const char set[] = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', **s, '\0'};
	w->kind = **s == ':' ? WORD_TIME : WORD_NUMBER;
	return take(s, set, w);
}

/* Punctuation but signs and points only separates. Returns how many words; -1: it is none. */
static int split(const char *s, struct word *words)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	int n = 0;

	while (*s) {
		if (isspace((unsigned char)*s) ||
		    (ispunct((unsigned char)*s) && !strchr("+-.", *s))) {
			s++;
			continue;
		}
		if (n == MAX_WORDS)
			return -1;
		bool unit = isalpha((unsigned char)*s);
		words[n] = (struct word){.kind = unit ? WORD_UNIT : WORD_NUMBER};
		if (!unit && !strchr("+-.0123456789", *s))
			return -1;
		if (!(unit ? take(&s, letters, &words[n]) : take_number(&s, &words[n])))
			return -1;
		n++;
	}
	return n;
}

/* ---- amounts --------------------------------------------------------------------------------- */

static bool add_us(struct sql_interval *i, int64_t us)
{
	return !__builtin_add_overflow(i->us, us, &i->us);
}

static bool add_fraction_us(struct sql_interval *i, double us)
{
	int64_t whole = (int64_t)us;
	double rest = us - (double)whole;

	return add_us(i, whole) && add_us(i, (rest > 0.5) - (rest < -0.5));
}

static bool add_days(struct sql_interval *i, int64_t n, int64_t size)
{
	return !__builtin_mul_overflow(n, size, &n) &&
	       !__builtin_add_overflow(i->days, n, &i->days);
}

static bool add_fraction_days(struct sql_interval *i, double days)
{
	int whole = (int)days;

	return add_days(i, whole, 1) && add_fraction_us(i, (days - whole) * (double)SQL_DAY_US);
}

static bool add_months(struct sql_interval *i, int64_t n, int64_t size)
{
	return !__builtin_mul_overflow(n, size, &n) &&
	       !__builtin_add_overflow(i->months, n, &i->months);
}

/* Fractions of months become days, those of years months. False: out of range. */
static bool add_amount(struct sql_interval *i, enum unit unit, int64_t n, double fraction)
{
	int64_t size = units[unit].size, us;

	switch (units[unit].of) {
	case OF_US:
		return !__builtin_mul_overflow(n, size, &us) && add_us(i, us) &&
		       add_fraction_us(i, fraction * (double)size);
	case OF_DAYS:
		return add_days(i, n, size) && add_fraction_days(i, fraction * (double)size);
	case OF_MONTHS:
		if (unit == MONTH)
			return add_months(i, n, 1) && add_fraction_days(i, fraction * MONTH_DAYS);
		return add_months(i, n, size) &&
		       add_months(i, (int64_t)rint(fraction * (double)size), 1);
	}
	return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct reading {
	struct sql_interval interval;
	enum unit unit; /* of the next number to the left */
	enum unit default_unit;
	unsigned seen; /* BIT()s */
	bool ago;
};

static enum sql_datetime_fault see(struct reading *r, unsigned bits)
{
	if (r->seen & bits)
		return SQL_DATETIME_SYNTAX;
	r->seen |= bits;
	return SQL_DATETIME_OK;
}

/* From the point on. */
static bool read_fraction(const char *s, double *ret)
{
	char *end;

	if (*s != '.' || strspn(s + 1, digits_set) != strlen(s + 1))
		return false;
	*ret = s[1] ? sql_double_read(s, &end) : 0;
	return true;
}

static bool read_integer(const char *s, const char **ret_end, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(s, &end, 10);
	*ret_end = end;
	return errno == 0;
}

/* Up to three numbers with : between them. Returns how many; *s is behind them; 0: none, -1: one
 * is too large. */
static int read_parts(const char **s, int64_t part[3])
{
	int n = 0;

	do {
		if (n == 3 || !isdigit((unsigned char)(*s)[n > 0]))
			return 0;
		if (!read_integer(*s + (n > 0), s, &part[n]))
			return -1;
		n++;
	} while (**s == ':');
	return n;
}

/* hh:mm, hh:mm:ss[.f], mm:ss.f */
static enum sql_datetime_fault parse_time(const char *s, int64_t *ret_us)
{
	int64_t part[3] = {0}, rest;
	double fraction = 0;
	int n = read_parts(&s, part);

	if (n < 0)
		return SQL_DATETIME_FIELD;
	if (n < 2 || (*s && !read_fraction(s, &fraction)))
		return SQL_DATETIME_SYNTAX;
	if (n == 2 && *s) {
		part[2] = part[1];
		part[1] = part[0];
		part[0] = 0;
	}
	if (part[1] > 59 || part[2] > 60)
		return SQL_DATETIME_FIELD;
	rest = part[1] * MINUTE_US + part[2] * SECOND_US + (int64_t)rint(fraction * 1e6);
	if (__builtin_mul_overflow(part[0], HOUR_US, ret_us) ||
	    __builtin_add_overflow(*ret_us, rest, ret_us))
		return SQL_DATETIME_FIELD;
	return SQL_DATETIME_OK;
}

/* With a sign, what is no good time is no number either. */
static enum sql_datetime_fault read_time(struct reading *r, const char *text)
{
	bool sign = *text == '-' || *text == '+';
	int64_t us;
	enum sql_datetime_fault fault = parse_time(text + sign, &us);

	if (fault)
		return sign ? SQL_DATETIME_SYNTAX : fault;
	/* Instead of what fractions of days to its right have left there, as in PostgreSQL. */
	r->interval.us = *text == '-' ? -us : us;
	r->unit = DAY;
	return see(r, BIT(HOUR) | BIT(MINUTE) | SECONDS);
}

/* What follows the integer n: nothing, a fraction, or "-months" of a year. */
static enum sql_datetime_fault read_number(struct reading *r, const char *text)
{
	const char *s;
	double fraction = 0;
	int64_t n, months;

	if (!read_integer(text, &s, &n))
		return SQL_DATETIME_FIELD;
	if (*s == '-') {
		if (!read_integer(s + 1, &s, &months) || months < 0 || months >= YEAR_MONTHS ||
		    __builtin_mul_overflow(n, YEAR_MONTHS, &n))
			return SQL_DATETIME_FIELD;
		n += *text == '-' ? -months : months;
		r->unit = MONTH;
		if (*s)
			return SQL_DATETIME_SYNTAX;
	} else if (*s && !read_fraction(s, &fraction)) {
		return SQL_DATETIME_SYNTAX;
	}
	enum unit unit = r->unit ? r->unit : r->default_unit;
	if (unit == AGO)
		return SQL_DATETIME_SYNTAX;
	if (!add_amount(&r->interval, unit, n, *text == '-' ? -fraction : fraction))
		return SQL_DATETIME_FIELD;
	r->unit = unit == HOUR ? DAY : unit;
	return see(r, unit == SECOND && fraction != 0 ? SECONDS : BIT(unit));
}

static enum sql_datetime_fault read_word(struct reading *r, const struct word *w)
{
	switch (w->kind) {
	case WORD_TIME:
		return read_time(r, w->text);
	case WORD_NUMBER:
		return read_number(r, w->text);
	case WORD_UNIT:
		r->unit = find_unit(w->text);
		r->ago |= r->unit == AGO;
		return r->unit ? SQL_DATETIME_OK : SQL_DATETIME_SYNTAX;
	}
	return SQL_DATETIME_SYNTAX;
}

static bool negate(struct sql_interval *i)
{
	return !__builtin_sub_overflow(0, i->months, &i->months) &&
	       !__builtin_sub_overflow(0, i->days, &i->days) &&
	       !__builtin_sub_overflow(0, i->us, &i->us);
}

/* An interval of DAY has no hours: what is smaller than its unit goes. */
static void cut(struct sql_interval *i, enum unit unit)
{
	if (units[unit].of == OF_MONTHS) {
		i->months -= i->months % (int32_t)units[unit].size;
		i->days = 0;
	}
	if (units[unit].of != OF_US)
		i->us = 0;
	else if (unit > SECOND)
		i->us -= i->us % units[unit].size;
}

enum sql_datetime_fault sql_interval_read(const char *text, const char *unit,
					  struct sql_interval *ret)
{
	struct reading r = {.default_unit = unit ? find_unit(unit) : SECOND};
	struct word words[MAX_WORDS];
	int n = split(text, words);

	if (n < 0 || r.default_unit == NO_UNIT)
		return SQL_DATETIME_SYNTAX;
	while (n-- > 0) {
		enum sql_datetime_fault fault = read_word(&r, &words[n]);
		if (fault)
			return fault;
	}
	if (!r.seen)
		return SQL_DATETIME_SYNTAX;
	if (r.ago && !negate(&r.interval))
		return SQL_DATETIME_FIELD;
	if (unit)
		cut(&r.interval, r.default_unit);
	*ret = r.interval;
	return SQL_DATETIME_OK;
}

bool sql_interval_parse(const char *text, const char *unit, struct sql_interval *ret)
{
	return sql_interval_read(text, unit, ret) == SQL_DATETIME_OK;
}

/* ---- to text --------------------------------------------------------------------------------- */

struct writing {
	char *at;
	bool any, negative; /* is there something; was the last amount below 0? */
};

/* A positive amount behind a negative one gets a sign. */
static void put_amount(struct writing *w, int64_t n, const char *unit)
{
	if (n == 0)
		return;
	w->at += sprintf(w->at, "%s%s%" PRId64 " %s%s", w->any ? " " : "",
			 w->negative && n > 0 ? "+" : "", n, unit, n == 1 ? "" : "s");
	w->any = true;
	w->negative = n < 0;
}

static void put_time(struct writing *w, int64_t us)
{
	uint64_t rest = us < 0 ? -(uint64_t)us : (uint64_t)us;
	uint64_t minutes = rest / MINUTE_US;
	const char *sign = us < 0 ? "-" : w->negative ? "+" : "";

	w->at += sprintf(w->at, "%s%s%02" PRIu64 ":%02u:%02u", w->any ? " " : "", sign,
			 minutes / 60, (unsigned)(minutes % 60), (unsigned)(rest / SECOND_US % 60));
	if (rest % SECOND_US == 0)
		return;
	w->at += sprintf(w->at, ".%06u", (unsigned)(rest % SECOND_US));
	while (w->at[-1] == '0')
		*--w->at = '\0';
}

const char *sql_interval_text(const struct sql_interval *i, char *buf)
{
	struct writing w = {.at = buf};

	put_amount(&w, i->months / YEAR_MONTHS, "year");
	put_amount(&w, i->months % YEAR_MONTHS, "mon");
	put_amount(&w, i->days, "day");
	if (i->us || !w.any)
		put_time(&w, i->us);
	return buf;
}
