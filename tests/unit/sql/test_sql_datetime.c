/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is expected here is what PostgreSQL 15 answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/scope.h"
#include "sql/sql_datetime.h"

static void the_calendar_goes_both_ways(void **state)
{
	const int64_t first = -800000, end = 100000; /* in days: BC to 2243 */
	int64_t year;
	unsigned month, day, last_month, last_day;

	(void)state;
	assert_int_equal(sql_days_from_civil(1970, 1, 1), 0);
	assert_int_equal(sql_days_from_civil(2000, 3, 1), 11017);
	assert_int_equal(sql_days_from_civil(-4713, 11, 24), -2440588);
	assert_int_equal(sql_days_from_civil(5874897, 12, 31), 2145042905);
	sql_civil_from_days(first - 1, &year, &last_month, &last_day);
	for (int64_t days = first; days < end; days++) {
		sql_civil_from_days(days, &year, &month, &day);
		assert_int_equal(sql_days_from_civil(year, month, day), days);
		if (day != last_day + 1)
			assert_true(day == 1 && month != last_month);
		last_month = month;
		last_day = day;
	}
}

static void dates_and_timestamps_print_and_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} rows[] = {
		{"1970-01-01 00:00:00", 0},
		{"1969-12-31 23:59:59.999999", -1},
		{"1998-12-01 12:30:15.25", INT64_C(912515415250000)},
		{"2000-02-29 00:00:00.000001", INT64_C(951782400000001)},
		{"0001-01-01 00:00:00", INT64_C(-62135596800000000)},
		{"0001-12-31 23:00:00 BC", INT64_C(-62135600400000000)},
		{"0044-03-15 12:00:00 BC", INT64_C(-63517780800000000)},
		{"4714-11-24 00:00:00 BC", INT64_C(-210866803200000000)},
		{"294247-01-10 04:00:54.775807", INT64_MAX},
	};
	char buf[SQL_DATETIME_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t us;

		assert_string_equal(sql_timestamp_text(rows[i].us, buf), rows[i].text);
		assert_int_equal(sql_timestamp_read(rows[i].text, &us), SQL_DATETIME_OK);
		assert_int_equal(us, rows[i].us);
		int64_t days;
		assert_int_equal(sql_date_read(rows[i].text, &days), SQL_DATETIME_OK);
		assert_int_equal(days, us / SQL_DAY_US - (us % SQL_DAY_US < 0));
		assert_int_equal(sql_date_read(sql_date_text(days, buf), &us), SQL_DATETIME_OK);
		assert_int_equal(us, days);
	}
	assert_string_equal(sql_date_text(2145042905, buf), "5874897-12-31");
	/* What is no timestamp of PostgreSQL's does not overflow either. */
	sql_timestamp_text(INT64_MIN, buf);
	sql_date_text(INT32_MIN, buf);
}

static void other_ways_to_write_them(void **state)
{
	static const struct {
		const char *text, *means;
	} rows[] = {
		{" 1998-12-01 ", "1998-12-01 00:00:00"},
		{"1998-2-3", "1998-02-03 00:00:00"},
		{"998-12-01", "0998-12-01 00:00:00"},
		{"19981201", "1998-12-01 00:00:00"},
		{"19981201 7:05", "1998-12-01 07:05:00"},
		{"1998-12-01T12:30", "1998-12-01 12:30:00"},
		{"1998-12-01 12:30:15.", "1998-12-01 12:30:15"},
		{"1998-12-01 12:30:15.1234567", "1998-12-01 12:30:15.123457"},
		{"1998-12-31 23:59:59.9999999", "1999-01-01 00:00:00"},
		{"1998-12-01 24:00:00", "1998-12-02 00:00:00"},
		{"1998-12-01 12:30:60", "1998-12-01 12:31:00"},
		{"44-3-15", NULL},
		{"044-3-15 bc", "0044-03-15 00:00:00 BC"},
		{"0044-3-15 BC 12:00", "0044-03-15 12:00:00 BC"},
		{"0044-3-15 12:00 AD", "0044-03-15 12:00:00"},
	};
	char buf[SQL_DATETIME_TEXT_BYTES];
	int64_t us = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(sql_timestamp_read(rows[i].text, &us) == SQL_DATETIME_OK,
				 rows[i].means != NULL);
		if (rows[i].means)
			assert_string_equal(sql_timestamp_text(us, buf), rows[i].means);
	}
	/* A date forgets its time, even 24:00. */
	assert_int_equal(sql_date_read("1998-12-01 24:00:00", &us), SQL_DATETIME_OK);
	assert_string_equal(sql_date_text(us, buf), "1998-12-01");
}

static void what_is_no_date_says_why(void **state)
{
	static const struct {
		const char *text;
		enum sql_datetime_fault date, timestamp;
	} rows[] = {
		{"", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"abc", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"1998", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"1998-12", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"1998-12-", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"1998-12-01x", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"1998-12-01 12", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"1998-12-01 12:", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"1998-12-01 12:30 12:30", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"1998-12-01 BC BC", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"1998-12-01 12:30:15,5", SQL_DATETIME_SYNTAX, SQL_DATETIME_SYNTAX},
		{"1998-13-01", SQL_DATETIME_FIELD, SQL_DATETIME_FIELD},
		{"1998-00-01", SQL_DATETIME_FIELD, SQL_DATETIME_FIELD},
		{"1998-02-29", SQL_DATETIME_FIELD, SQL_DATETIME_FIELD},
		{"1900-02-29", SQL_DATETIME_FIELD, SQL_DATETIME_FIELD},
		{"19981332", SQL_DATETIME_FIELD, SQL_DATETIME_FIELD},
		{"0000-01-01", SQL_DATETIME_FIELD, SQL_DATETIME_FIELD},
		{"1998-12-01 24:00:01", SQL_DATETIME_FIELD, SQL_DATETIME_FIELD},
		{"1998-12-01 12:60", SQL_DATETIME_FIELD, SQL_DATETIME_FIELD},
		{"1998-12-01 12:30:61", SQL_DATETIME_FIELD, SQL_DATETIME_FIELD},
		{"99999999999999999999-01-01", SQL_DATETIME_FIELD, SQL_DATETIME_FIELD},
		{"4714-11-23 BC", SQL_DATETIME_RANGE, SQL_DATETIME_RANGE},
		{"5874898-01-01", SQL_DATETIME_RANGE, SQL_DATETIME_RANGE},
		{"5874897-12-31", SQL_DATETIME_OK, SQL_DATETIME_RANGE},
		{"294277-01-01", SQL_DATETIME_OK, SQL_DATETIME_RANGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t days = 42, us = 42;

		if (sql_date_read(rows[i].text, &days) != rows[i].date ||
		    sql_timestamp_read(rows[i].text, &us) != rows[i].timestamp)
			fail_msg("'%s'", rows[i].text);
		if (rows[i].date)
			assert_int_equal(days, 42);
		if (rows[i].timestamp)
			assert_int_equal(us, 42);
	}
}

/* NULL: none. The unit is that of INTERVAL '...' unit. */
static const struct {
	const char *text, *unit, *means;
} intervals[] = {
	{"90 days", NULL, "90 days"},
	{"1 year 2 mons", NULL, "1 year 2 mons"},
	{"1 month", NULL, "1 mon"},
	{"-3 hours 20 minutes", NULL, "-02:40:00"},
	{"01:30:00", NULL, "01:30:00"},
	{"-01:30", NULL, "-01:30:00"},
	{"1:2.5", NULL, "00:01:02.5"},
	{"1 2:30", NULL, "1 day 02:30:00"},
	{"1 day 2", NULL, "1 day 00:00:02"},
	{"1h30m", NULL, "01:30:00"},
	{"@ 1 day, 2 hours ago", NULL, "-1 days -02:00:00"},
	{"- 3 hours", NULL, "-03:00:00"},
	{"1.5 years", NULL, "1 year 6 mons"},
	{"1.5 months", NULL, "1 mon 15 days"},
	{".5 weeks", NULL, "3 days 12:00:00"},
	{"1-2 3 4:5:6", NULL, "1 year 2 mons 3 days 04:05:06"},
	{"-1-2", NULL, "-1 years -2 mons"},
	{"-1 year 1 day", NULL, "-1 years +1 day"},
	{"-1 day 00:00:00.5", NULL, "-1 days +00:00:00.5"},
	{"3 microseconds", NULL, "00:00:00.000003"},
	{"1 MILLENNIUM 2 centuries 3 decades", NULL, "1230 years"},
	{"0 days", NULL, "00:00:00"},
	{"5", NULL, "00:00:05"},
	{"90", "day", "90 days"},
	{"1.5", "day", "1 day"},
	{"3", "year", "3 years"},
	{"3", "month", "3 mons"},
	{"2", "hour", "02:00:00"},
	{"1 2", "hour", "1 day 02:00:00"},
	{"2", "minute", "00:02:00"},
	{"1.7", "second", "00:00:01.7"},
	{"25 hours", "day", "00:00:00"},
	{"15 months 3 days", "year", "1 year"},
	{"15 months 3 days", "month", "1 year 3 mons"},
	{"01:59:59", "hour", "01:00:00"},
	{"01:59:59", "minute", "01:59:00"},
	{"", NULL, NULL},
	{"day", NULL, NULL},
	{"ago", NULL, NULL},
	{"5 ago", NULL, NULL},
	{"1 foo", NULL, NULL},
	{"1 quarter", NULL, NULL},
	{"1 day 2 days", NULL, NULL},
	{"1 hour 01:30", NULL, NULL},
	{"1e3 days", NULL, NULL},
	{"1.2.3 days", NULL, NULL},
	{"1-12", NULL, NULL},
	{"01:60", NULL, NULL},
	{"1:2:3:4", NULL, NULL},
	{"1::2", NULL, NULL},
	{"-", NULL, NULL},
	{"1", "parsec", NULL},
	{"999999999999 days", NULL, NULL},
	{"99999999999999999999 days", NULL, NULL},
	{"178956971 years", NULL, NULL},
	{"2562047789 hours", NULL, NULL},
	{"1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", NULL, NULL},
};

static void intervals_parse_and_print(void **state)
{
	char buf[SQL_INTERVAL_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(intervals); i++) {
		struct sql_interval v = {1, 2, 3};

		if (sql_interval_parse(intervals[i].text, intervals[i].unit, &v) !=
		    (intervals[i].means != NULL))
			fail_msg("'%s'", intervals[i].text);
		assert_string_equal(sql_interval_text(&v, buf),
				    intervals[i].means ? intervals[i].means
						       : "1 mon 2 days 00:00:00.000003");
	}
	const struct sql_interval least = {INT32_MIN, INT32_MIN, INT64_MIN};
	assert_string_equal(sql_interval_text(&least, buf),
			    "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775808");
}

static void months_are_cut_to_their_last_day(void **state)
{
	static const struct {
		const char *from, *interval;
		bool subtract;
		const char *to; /* NULL: out of range */
	} rows[] = {
		{"2024-01-31 10:00:00", "1 month", false, "2024-02-29 10:00:00"},
		{"2023-01-31 10:00:00", "1 month", false, "2023-02-28 10:00:00"},
		{"2024-03-31 10:00:00", "1 month", true, "2024-02-29 10:00:00"},
		{"2024-02-29 00:00:00", "1 year", false, "2025-02-28 00:00:00"},
		{"2024-02-29 00:00:00", "4 years", true, "2020-02-29 00:00:00"},
		{"2024-01-31 23:30:00", "1 month 1 day 1 hour", false, "2024-03-02 00:30:00"},
		{"1998-12-01 00:00:00", "90 days", true, "1998-09-02 00:00:00"},
		{"1969-12-31 23:59:59", "-1 month", false, "1969-11-30 23:59:59"},
		{"0001-01-01 00:00:00", "1 month", true, "0001-12-01 00:00:00 BC"},
		{"0001-12-31 00:00:00 BC", "1 month", false, "0001-01-31 00:00:00"},
		{"4714-11-24 00:00:00 BC", "1 microsecond", true, NULL},
		/* Out of range in between is out of range. */
		{"4714-11-24 00:00:00 BC", "-1 month 60 days", false, NULL},
		{"294246-12-31 00:00:00", "1 year", false, NULL},
		{"1998-12-01 00:00:00", "178956970 years", false, NULL},
		{"1998-12-01 00:00:00", "178956970 years", true, NULL},
		{"1998-12-01 00:00:00", "2147483647 days", false, NULL},
		{"1998-12-01 00:00:00", "-2147483648 days", true, NULL},
		{"1998-12-01 00:00:00", "2562047788 hours", false, NULL},
	};
	char buf[SQL_DATETIME_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sql_interval v;
		int64_t from, to = 42;

		assert_int_equal(sql_timestamp_read(rows[i].from, &from), SQL_DATETIME_OK);
		assert_true(sql_interval_parse(rows[i].interval, NULL, &v));
		if (sql_timestamp_add(from, &v, rows[i].subtract, &to) != (rows[i].to != NULL))
			fail_msg("%s and %s", rows[i].from, rows[i].interval);
		if (rows[i].to)
			assert_string_equal(sql_timestamp_text(to, buf), rows[i].to);
		else
			assert_int_equal(to, 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_calendar_goes_both_ways),
		cmocka_unit_test(dates_and_timestamps_print_and_parse),
		cmocka_unit_test(other_ways_to_write_them),
		cmocka_unit_test(what_is_no_date_says_why),
		cmocka_unit_test(intervals_parse_and_print),
		cmocka_unit_test(months_are_cut_to_their_last_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
