/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* suggest.h - "did you mean": the known name that is nearest to a mistyped one. */
#ifndef NF_CLIENT_SUGGEST_H
#define NF_CLIENT_SUGGEST_H

#include <stddef.h>

/* How many letters to insert, remove, replace or swap with their neighbour to turn a into b. */
unsigned suggest_distance(const char *a, const char *b);

/* Keeps the best of the names shown to it. Start with {0} and the typed word. */
struct suggest {
	const char *typed;
	const char *best; /* NULL: nothing is near enough */
	unsigned distance;
};

/* name must outlive the use of best. */
void suggest_offer(struct suggest *s, const char *name);

#endif
