/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lines and their bytes: every access is proven, so that the kernel engine takes it. */
#include "nearfold.bpf.h"

struct lines {
	u64 lines;
	u64 bytes;
};

FOLD_REDUCE count(struct lines *s, const void *line, u32 len)
{
	s->lines++;
	s->bytes += len;
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct lines *into, const struct lines *from)
{
	into->lines += from->lines;
	into->bytes += from->bytes;
}
