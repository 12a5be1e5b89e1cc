/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Compiled three times: REF is the prefix of the names. */
#include <stdlib.h>
#include <string.h>

#include "ref_loops.h"

#define JOIN_(a, b) a##_##b
#define JOIN(a, b)  JOIN_(a, b)
#define NAME(name)  JOIN(REF, name)

void NAME(count_sum)(const struct ref_trade *t, size_t n, uint32_t bound, struct ref_total *s)
{
	uint64_t count = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (t[i].quantity > bound) {
			count++;
			sum += t[i].price;
		}
	}
	s->count += count;
	s->sum += sum;
}

void NAME(q6)(const struct ref_item *t, size_t n, __int128 *s)
{
	__int128 revenue = 0;

	for (size_t i = 0; i < n; i++)
		if (t[i].shipdate >= 8766 && t[i].shipdate < 9131 && t[i].discount >= 5 &&
		    t[i].discount <= 7 && t[i].quantity < 2400)
			revenue += t[i].extendedprice * t[i].discount;
	*s += revenue;
}

/* A perfect hash: the two chars are an index. */
void NAME(q1)(const struct ref_item *t, size_t n, struct ref_q1 s[65536])
{
	for (size_t i = 0; i < n; i++) {
		if (t[i].shipdate > 10471)
			continue;
		uint16_t key;
		memcpy(&key, &t[i].returnflag, 2);
		struct ref_q1 *g = &s[key];
		int64_t discounted = t[i].extendedprice * (100 - t[i].discount);

		g->quantity += t[i].quantity;
		g->price += t[i].extendedprice;
		g->discounted += discounted;
		g->charge += discounted * (100 + t[i].tax);
		g->discount += t[i].discount;
		g->count++;
	}
}

void NAME(columns)(const struct ref_reading *t, size_t n, struct ref_columns *to)
{
	struct ref_columns s = *to;

	for (size_t i = 0; i < n; i++) {
		if ((t[i].kind & 3) == 1 || t[i].flags >= 1000000)
			continue;
		s.count++;
		for (int k = 0; k < 8; k++) {
			int64_t v = t[i].value[k];

			s.column[k].min = v < s.column[k].min ? v : s.column[k].min;
			s.column[k].max = v > s.column[k].max ? v : s.column[k].max;
			s.column[k].sum += (uint64_t)v;
			s.column[k].nonzero += v != 0;
			s.column[k].large ^= (uint64_t)v >> 7;
		}
	}
	*to = s;
}

/* With the checks that the guarded program has: the end of the line before every byte. */
void NAME(find_byte)(const char *p, size_t n, struct ref_total *s)
{
	const char *end = p + n;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((newline ? newline : end) - p), i = 0;

		while (i < len && p[i] != ':')
			i++;
		s->count++;
		s->sum += i;
		p += len + 1;
	}
}

/* With the check that the guarded program has. */
void NAME(chain)(const struct ref_page *t, size_t n, struct ref_total *s)
{
	uint64_t count = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *page = (const uint8_t *)&t[i];
		uint16_t at = 0, value;

		do {
			if (at > sizeof(*t) - 4)
				abort();
			memcpy(&value, page + at + 2, 2);
			memcpy(&at, page + at, 2);
			count++;
			sum += value;
		} while (at);
	}
	s->count += count;
	s->sum += sum;
}

uint64_t NAME(plain_sum)(const uint64_t *p, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += p[i];
	return sum;
}
