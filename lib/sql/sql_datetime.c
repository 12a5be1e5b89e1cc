/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_datetime.c - the calendar, dates and timestamps.
 *
 * Days are counted in eras of 400 years, which all have 146097 days, with years that begin in
 * March, so that the leap day is a year's last (Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms").
 *
 * PostgreSQL counts microseconds from 2000; from 1970 64 bits end on 294247-01-10 04:00:54.775807,
 * 30 years before its last one: what is later is out of range here.
 */
#include "sql/sql_datetime.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/sql_double.h"

#define FIRST_DATE INT64_C(-2440588)   /* 4714-11-24 BC, Julian day 0 */
#define DATES_END  INT64_C(2145042906) /* 5874898-01-01 */
#define FIRST_US   (FIRST_DATE * SQL_DAY_US)
#define ERA_DAYS   INT64_C(146097)
#define EPOCH_DAYS INT64_C(719468) /* from 0000-03-01 to 1970-01-01 */
#define SECOND_US  INT64_C(1000000)
#define MINUTE_US  (60 * SECOND_US)
#define HOUR_US    (60 * MINUTE_US)
#define NUMBER_CAP INT64_C(1000000000000000)

bool sql_date_in_range(int64_t days)
{
	return days >= FIRST_DATE && days < DATES_END;
}

bool sql_timestamp_in_range(int64_t us)
{
	return us >= FIRST_US;
}

/* ---- the calendar ---------------------------------------------------------------------------- */

int64_t sql_days_from_civil(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

void sql_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	int64_t z = days + EPOCH_DAYS;
	int64_t era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t day_of_era = z - era * ERA_DAYS;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153; /* from March, 0 */

	*ret_day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (unsigned)(month < 10 ? month + 3 : month - 9);
	*ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

static unsigned days_of_month(int64_t year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static void split(int64_t us, int64_t *ret_days, int64_t *ret_us_of_day)
{
	int64_t days = us / SQL_DAY_US, rest = us % SQL_DAY_US;

	*ret_days = days - (rest < 0);
	*ret_us_of_day = rest < 0 ? rest + SQL_DAY_US : rest;
}

/* False: out of range. */
static bool join(int64_t days, int64_t us_of_day, int64_t *ret)
{
	return !__builtin_mul_overflow(days, SQL_DAY_US, ret) &&
	       !__builtin_add_overflow(*ret, us_of_day, ret) && sql_timestamp_in_range(*ret);
}

/* ---- to text --------------------------------------------------------------------------------- */

static char *put_date(int64_t days, char *buf, const char **ret_era)
{
	int64_t year;
	unsigned month, day;

	sql_civil_from_days(days, &year, &month, &day);
	*ret_era = year > 0 ? "" : " BC";
	return buf +
	       sprintf(buf, "%04" PRId64 "-%02u-%02u", year > 0 ? year : 1 - year, month, day);
}

/* ".25", without zeros at the end; nothing for 0. */
static char *put_fraction(unsigned us, char *at)
{
	if (us == 0)
		return at;
	at += sprintf(at, ".%06u", us);
	while (at[-1] == '0')
		*--at = '\0';
	return at;
}

const char *sql_date_text(int64_t days, char *buf)
{
	const char *era;

	char *at = put_date(days, buf, &era);
	strcpy(at, era);
	return buf;
}

const char *sql_timestamp_text(int64_t us, char *buf)
{
	int64_t days, rest;
	const char *era;

	split(us, &days, &rest);
	char *at = put_date(days, buf, &era);
	at += sprintf(at, " %02d:%02d:%02d", (int)(rest / HOUR_US), (int)(rest / MINUTE_US % 60),
		      (int)(rest / SECOND_US % 60));
	strcpy(put_fraction((unsigned)(rest % SECOND_US), at), era);
	return buf;
}

/* ---- from text ------------------------------------------------------------------------------- */

struct fields {
	int64_t year;
	unsigned month, day;
	int64_t us; /* of the day; 24:00:00 is allowed */
};

static const char *skip_space(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/* Digits; what follows after NUMBER_CAP is passed over. Returns how many. */
static unsigned read_number(const char **s, int64_t *ret)
{
	unsigned n = 0;

	for (*ret = 0; isdigit((unsigned char)**s); (*s)++, n++)
		if (*ret < NUMBER_CAP)
			*ret = *ret * 10 + (**s - '0');
	return n;
}

/* The sign in front, and a number of at most two digits. */
static bool read_two(const char **s, char sign, int64_t *ret)
{
	if (**s != sign)
		return false;
	(*s)++;
	unsigned n = read_number(s, ret);
	return n == 1 || n == 2;
}

/* 1998-12-01, or without the signs: then a year of four digits or more. */
static enum sql_datetime_fault read_date(const char **s, struct fields *f)
{
	int64_t year, month, day;
	unsigned n = read_number(s, &year);

	if (n >= 8 && **s != '-') {
		day = year % 100;
		month = year / 100 % 100;
		year /= 10000;
	} else if (n < 3 || !read_two(s, '-', &month) || !read_two(s, '-', &day)) {
		return SQL_DATETIME_SYNTAX;
	}
	if (year == 0 || year > INT32_MAX || month < 1 || month > 12 || day < 1 || day > 31)
		return SQL_DATETIME_FIELD;
	*f = (struct fields){.year = year, .month = (unsigned)month, .day = (unsigned)day};
	return SQL_DATETIME_OK;
}

/* ".25", as PostgreSQL rounds it: through a double. */
static int64_t read_fraction(const char **s)
{
	char buf[64] = "0", *end;
	size_t n = 1 + strspn(*s + 1, "0123456789");

	memcpy(buf + 1, *s, n < sizeof(buf) - 2 ? n : sizeof(buf) - 2);
	*s += n;
	return (int64_t)rint(sql_double_read(buf, &end) * 1e6);
}

/* 12:30[:15[.25]] */
static enum sql_datetime_fault read_time(const char **s, struct fields *f)
{
	int64_t hour, minute, second = 0;
	unsigned n = read_number(s, &hour);

	if (n < 1 || n > 2 || !read_two(s, ':', &minute))
		return SQL_DATETIME_SYNTAX;
	if (**s == ':' && !read_two(s, ':', &second))
		return SQL_DATETIME_SYNTAX;
	f->us = hour * HOUR_US + minute * MINUTE_US + second * SECOND_US;
	if (**s == '.')
		f->us += read_fraction(s);
	return minute > 59 || second > 60 || f->us > SQL_DAY_US ? SQL_DATETIME_FIELD
								: SQL_DATETIME_OK;
}

/* "BC", "AD" and a time may follow a date, each once. */
static enum sql_datetime_fault read_rest(const char *s, struct fields *f)
{
	bool era = false, time = false;

	while (*(s = skip_space(s))) {
		if (!era && (strncasecmp(s, "BC", 2) == 0 || strncasecmp(s, "AD", 2) == 0)) {
			if (tolower((unsigned char)*s) == 'b')
				f->year = 1 - f->year;
			era = true;
			s += 2;
			continue;
		}
		if (time)
			return SQL_DATETIME_SYNTAX;
		s += *s == 'T' || *s == 't';
		enum sql_datetime_fault fault = read_time(&s, f);
		if (fault)
			return fault;
		time = true;
	}
	return SQL_DATETIME_OK;
}

static enum sql_datetime_fault read_fields(const char *text, struct fields *ret)
{
	const char *s = skip_space(text);
	enum sql_datetime_fault fault = read_date(&s, ret);

	if (!fault)
		fault = read_rest(s, ret);
	if (!fault && ret->day > days_of_month(ret->year, ret->month))
		fault = SQL_DATETIME_FIELD;
	return fault;
}

/* PostgreSQL reads a time behind a date, too, and forgets it. */
enum sql_datetime_fault sql_date_read(const char *text, int64_t *ret_days)
{
	struct fields f;
	enum sql_datetime_fault fault = read_fields(text, &f);

	if (fault)
		return fault;
	int64_t days = sql_days_from_civil(f.year, f.month, f.day);
	if (!sql_date_in_range(days))
		return SQL_DATETIME_RANGE;
	*ret_days = days;
	return SQL_DATETIME_OK;
}

enum sql_datetime_fault sql_timestamp_read(const char *text, int64_t *ret_us)
{
	struct fields f;
	enum sql_datetime_fault fault = read_fields(text, &f);
	int64_t us;

	if (fault)
		return fault;
	if (!join(sql_days_from_civil(f.year, f.month, f.day), f.us, &us))
		return SQL_DATETIME_RANGE;
	*ret_us = us;
	return SQL_DATETIME_OK;
}

/* ---- timestamp and interval ------------------------------------------------------------------ */

static int64_t add_months(int64_t days, int64_t months)
{
	int64_t year;
	unsigned month, day;

	sql_civil_from_days(days, &year, &month, &day);
	int64_t n = year * 12 + (month - 1) + months; /* months since year 0 */
	year = (n >= 0 ? n : n - 11) / 12;
	month = (unsigned)(n - year * 12) + 1;
	unsigned last = days_of_month(year, month);
	return sql_days_from_civil(year, month, day < last ? day : last);
}

/* PostgreSQL looks at the range after each step. */
bool sql_timestamp_add(int64_t us, const struct sql_interval *i, bool subtract, int64_t *ret_us)
{
	int64_t sign = subtract ? -1 : 1, at = us, sum;
	int64_t days, rest;

	split(us, &days, &rest);
	if (i->months) {
		days = add_months(days, sign * i->months);
		if (!join(days, rest, &at))
			return false;
	}
	if (i->days && !join(days + sign * i->days, rest, &at))
		return false;
	if (subtract ? __builtin_sub_overflow(at, i->us, &sum)
		     : __builtin_add_overflow(at, i->us, &sum))
		return false;
	if (!sql_timestamp_in_range(sum))
		return false;
	*ret_us = sum;
	return true;
}
