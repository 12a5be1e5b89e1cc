/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * progress.h - a bar on a terminal's stderr, with rate and time left; cleaned away at the end.
 * Nothing is written when stderr is no terminal, or one that cannot go back in a line (TERM=dumb).
 */
#ifndef NF_CMD_PROGRESS_H
#define NF_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "compute-client/nearfold.h"

struct progress {
	FILE *out;  /* NULL: show nothing */
	bool shown; /* a bar stands on the line now */
};

void progress_init(struct progress *p, bool wanted);
/* The query's progress function; arg is the struct progress. */
void progress_show(void *arg, const struct nearfold_progress *now);
void progress_clear(struct progress *p);

/* The bar's text for a terminal of that many columns; returns its length. */
int progress_text(const struct nearfold_progress *now, unsigned columns, char *buf, size_t size);

#endif
