/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* parts.h - what the programs of broken/ and guarded/ share. */
#ifndef PARTS_H
#define PARTS_H

#include "nearfold.bpf.h"

struct rec {
	u64 id;
	s64 value;
	u32 kind;
	u32 flags;
};

struct params {
	u64 limit;
	u32 weight[16];
};

struct state {
	u64 count;
	s64 sum;
	u64 bucket[16];
};

/* The compiler knows nothing of this value any more. */
#define HIDE(x) asm volatile("" : "+r"(x))

/* A combine that has nothing to do with the matter. */
#define PLAIN_COMBINE                                                      \
	FOLD_COMBINE combine(struct state *into, const struct state *from) \
	{                                                                  \
		into->count += from->count;                                \
		into->sum += from->sum;                                    \
	}

#endif
