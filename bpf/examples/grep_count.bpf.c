/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How many lines of a text file contain a word, as `grep -cF WORD` counts them, and how many
 * bytes those lines have.
 *
 *	clang-19 -O2 -g -target bpf -mcpu=v3 -I bpf -c bpf/examples/grep_count.bpf.c -o
 *grep_count.bpf.o nearfold run grep_count.bpf.o --local FILE.txt --format lines --param word=WORD
 */
#include "nearfold.bpf.h"

struct params {
	char word[64]; /* ends at the first zero byte */
};

struct matches {
	u64 lines;
	u64 bytes;
};

FOLD_FILTER contains(const void *line, u32 len, const struct params *p)
{
	u32 n = 0;

	while (n < sizeof(p->word) && p->word[n])
		n++;
	return fold_find(line, len, p->word, n) >= 0;
}

FOLD_REDUCE count(struct matches *m, const void *line, u32 len)
{
	m->lines++;
	m->bytes += len;
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct matches *into, const struct matches *from)
{
	into->lines += from->lines;
	into->bytes += from->bytes;
}
