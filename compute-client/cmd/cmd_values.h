/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* cmd_values.h - values on the command line: counts, sizes, times, ranges. False: it is none. */
#ifndef NF_CMD_VALUES_H
#define NF_CMD_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* "12": decimal digits, at most max. */
bool value_count(const char *text, uint64_t max, uint64_t *ret);
/* "4096", "64K", "1M", "2G", "1T": bytes, powers of 1024. */
bool value_size(const char *text, uint64_t *ret_bytes);
/* "500ms", "30s", "5m", "1h"; without a unit: seconds. Not 0. */
bool value_time(const char *text, uint64_t *ret_ns);
/* "START:END", sizes, either side empty; ret_end UINT64_MAX: to the end. START < END. */
bool value_range(const char *text, uint64_t *ret_start, uint64_t *ret_end);
/* Is text one of "a|b|c"? *ret_index counts from 0. */
bool value_choice(const char *text, const char *choices, unsigned *ret_index);

#endif
