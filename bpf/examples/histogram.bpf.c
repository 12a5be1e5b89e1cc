/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How symbol sizes of an ELF file are spread: bucket[n] counts the sizes from 2^n up to
 * 2^(n+1) - 1, bucket[0] those of 0 and 1, the last one all that are larger. Records as in
 * average.bpf.c.
 *
 *	clang-19 -O2 -g -target bpf -mcpu=v3 -I bpf -c bpf/examples/histogram.bpf.c -o
 *histogram.bpf.o nearfold run histogram.bpf.o --local FILE.so --format fixed:24 --range START:END
 */
#include "nearfold.bpf.h"

enum { BUCKETS = 24 };

/* Elf64_Sym */
struct symbol {
	u32 name;
	u8 info;
	u8 other;
	u16 section;
	u64 value;
	u64 size;
};

struct histogram {
	u64 bucket[BUCKETS];
};

FOLD_REDUCE count(struct histogram *h, const struct symbol *sym, u32 len)
{
	u32 n = fold_log2(sym->size);

	h->bucket[fold_min(n, (u32)BUCKETS - 1)]++;
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct histogram *into, const struct histogram *from)
{
	for (u32 i = 0; i < BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
}
