/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Pages of 4 KiB: the sum of a list whose links are offsets in the page. Nothing bounds the loop, a
 * list may be a ring: it is metered, and every access is guarded. */
#include "nearfold.bpf.h"

struct slot {
	u16 next; /* offset of the next one in the page; 0: this is the last */
	u16 value;
};

struct page {
	struct slot slots[1024];
};

struct total {
	u64 count;
	u64 sum;
};

FOLD_REDUCE walk(struct total *s, const struct page *page, u32 len)
{
	u32 at = 0;

	do {
		const struct slot *slot = (const void *)((const char *)page + at);

		s->count++;
		s->sum += slot->value;
		at = slot->next;
	} while (at);
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct total *into, const struct total *from)
{
	into->count += from->count;
	into->sum += from->sum;
}
