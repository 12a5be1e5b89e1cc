/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * suggest.c - optimal string alignment distance (Damerau 1964, without repeated edits): row i holds
 * the distances of a's first i letters to every beginning of b.
 */
#include "compute-client/suggest.h"

#include <string.h>

enum { LONGEST = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned suggest_distance(const char *a, const char *b)
{
	unsigned rows[3][LONGEST + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return strcmp(a, b) == 0 ? 0 : LONGEST + 1;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = rows[i % 3];
		const unsigned *before = rows[(i + 2) % 3], *two_before = rows[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned cost = a[i - 1] != b[j - 1];

			now[j] = min3(before[j] + 1, now[j - 1] + 1, before[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two_before[j - 2] + 1 < now[j])
				now[j] = two_before[j - 2] + 1;
		}
	}
	return rows[n % 3][m];
}

void suggest_offer(struct suggest *s, const char *name)
{
	size_t typed = strlen(s->typed);
	/* A third of the letters may be wrong: "thrads" is threads, "x" is nothing. */
	unsigned limit = (unsigned)(typed + 2) / 3;
	unsigned d = suggest_distance(s->typed, name);

	/* The beginning of a longer name is near, too. */
	if (typed >= 3 && strncmp(name, s->typed, typed) == 0)
		d = d > limit ? limit : d;
	if (d > limit || (s->best && d >= s->distance))
		return;
	s->best = name;
	s->distance = d;
}
