/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One row per kind of symbol of an ELF file: how many, their average and largest size. Only
 * symbols that are defined (section not 0) and at least `min_size` large. Records as in
 * average.bpf.c.
 *
 *	clang-19 -O2 -g -target bpf -mcpu=v3 -I bpf -c bpf/examples/group_by.bpf.c -o group_by.bpf.o
 *	nearfold run group_by.bpf.o --local FILE.so --format fixed:24 --range START:END --param
 *min_size=16
 */
#include "nearfold.bpf.h"

/* Elf64_Sym */
struct symbol {
	u32 name;
	u8 info;
	u8 other;
	u16 section;
	u64 value;
	u64 size;
};

struct params {
	u64 min_size;
};

struct kind {
	u8 type;    /* STT_*: 1 object, 2 function, 6 thread-local ... */
	u8 binding; /* STB_*: 0 local, 1 global, 2 weak ... */
};

struct sizes {
	struct avg_u64 size;
	u64 largest;
};

FOLD_FILTER defined(const struct symbol *sym, u32 len, const struct params *p)
{
	return sym->section != 0 && sym->size >= p->min_size;
}

FOLD_KEY kind_of(const struct symbol *sym, u32 len, const struct params *p, struct kind *key)
{
	key->type = sym->info & 0xf;
	key->binding = sym->info >> 4;
}

FOLD_REDUCE add(struct sizes *s, const struct symbol *sym, u32 len, const struct params *p)
{
	avg_u64_add(&s->size, sym->size);
	s->largest = fold_max(s->largest, sym->size);
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct sizes *into, const struct sizes *from)
{
	avg_u64_combine(&into->size, &from->size);
	into->largest = fold_max(into->largest, from->largest);
}
