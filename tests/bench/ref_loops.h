/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ref_loops.h - the work of tests/bench/programs in plain C, compiled by each compiler: the rivals.
 */
#ifndef NF_REF_LOOPS_H
#define NF_REF_LOOPS_H

#include <stddef.h>
#include <stdint.h>

struct ref_trade {
	uint64_t time;
	uint32_t symbol, quantity;
	uint64_t price, pad;
};

struct ref_item {
	int64_t quantity, extendedprice, discount, tax;
	int32_t shipdate, commitdate;
	char returnflag, linestatus, pad[22];
};

struct ref_page {
	struct {
		uint16_t next, value;
	} slots[1024];
};

struct ref_total {
	uint64_t count, sum;
};

struct ref_q1 {
	int64_t quantity, price, discounted, charge, discount;
	uint64_t count;
};

struct ref_reading {
	int64_t value[8];
	uint32_t kind, flags;
};

struct ref_columns {
	uint64_t count;
	struct {
		int64_t min, max;
		uint64_t sum, nonzero, large;
	} column[8];
};

#define REF_DECLARE(prefix)                                                                  \
	void prefix##_count_sum(const struct ref_trade *t, size_t n, uint32_t bound,         \
				struct ref_total *s);                                        \
	void prefix##_q6(const struct ref_item *t, size_t n, __int128 *s);                   \
	void prefix##_q1(const struct ref_item *t, size_t n, struct ref_q1 s[65536]);        \
	void prefix##_columns(const struct ref_reading *t, size_t n, struct ref_columns *s); \
	void prefix##_find_byte(const char *p, size_t n, struct ref_total *s);               \
	void prefix##_chain(const struct ref_page *t, size_t n, struct ref_total *s);        \
	uint64_t prefix##_plain_sum(const uint64_t *p, size_t n);

REF_DECLARE(gcc)
REF_DECLARE(clang)
REF_DECLARE(scalar)

#endif
