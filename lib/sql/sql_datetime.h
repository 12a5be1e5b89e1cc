/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_datetime.h - dates, timestamps and intervals, as PostgreSQL counts and writes them (DateStyle
 * ISO; the proleptic Gregorian calendar). A date is days since 1970-01-01, a timestamp microseconds
 * since 1970-01-01 00:00:00. "BC" is written behind years before 1. Threads: any.
 */
#ifndef NF_SQL_DATETIME_H
#define NF_SQL_DATETIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SQL_DAY_US INT64_C(86400000000)

enum { SQL_DATETIME_TEXT_BYTES = 64, SQL_INTERVAL_TEXT_BYTES = 96 };

struct sql_interval {
	int32_t months, days;
	int64_t us;
};

/* PostgreSQL's ranges: 4714-11-24 BC .. 5874897-12-31, and .. 294276-12-31 23:59:59.999999, of
 * which 64 bits from 1970 reach to 294247-01-10 04:00:54.775807: later is out of range. */
bool sql_date_in_range(int64_t days);
bool sql_timestamp_in_range(int64_t us);

/* year: 0 is 1 BC. */
int64_t sql_days_from_civil(int64_t year, unsigned month, unsigned day);
void sql_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day);

/* buf of SQL_DATETIME_TEXT_BYTES. Return buf. */
const char *sql_date_text(int64_t days, char *buf);
const char *sql_timestamp_text(int64_t us, char *buf);
/* "1 year 2 mons 3 days 04:05:06"; buf of SQL_INTERVAL_TEXT_BYTES. Returns buf. */
const char *sql_interval_text(const struct sql_interval *i, char *buf);

/* Why a text is none: PostgreSQL has different words for each. */
enum sql_datetime_fault {
	SQL_DATETIME_OK,
	SQL_DATETIME_SYNTAX, /* invalid input syntax for type ... */
	SQL_DATETIME_FIELD,  /* date/time field value out of range: there is no 30th of February */
	SQL_DATETIME_RANGE,  /* date, timestamp out of range */
};

/* "1998-12-01" (also 19981201), "1998-12-01 12:30[:15[.25]]" with a blank or T between, white space
 * around. */
enum sql_datetime_fault sql_date_read(const char *text, int64_t *ret_days);
enum sql_datetime_fault sql_timestamp_read(const char *text, int64_t *ret_us);
/* "90 days", "1 year 2 mons", "1 month", "-3 hours 20 minutes", "01:30:00", any mix of them. A
 * bare number is in `unit` ("day", "year", ...; NULL: seconds). */
enum sql_datetime_fault sql_interval_read(const char *text, const char *unit,
					  struct sql_interval *ret);
/* The same, without the reason. */
bool sql_interval_parse(const char *text, const char *unit, struct sql_interval *ret);

/* Months first (the day is cut to the month's last), then days, then time. False: out of range. */
bool sql_timestamp_add(int64_t us, const struct sql_interval *i, bool subtract, int64_t *ret_us);

#endif
