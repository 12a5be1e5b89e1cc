/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The average size of the symbols in an ELF file's dynamic symbol table, which is an array of
 * 24-byte records somewhere in the file. Build, find the table, run:
 *
 *	clang-19 -O2 -g -target bpf -mcpu=v3 -I bpf -c bpf/examples/average.bpf.c -o average.bpf.o
 *	readelf -SW FILE.so | grep dynsym	# columns Off and Size, hexadecimal
 *	nearfold run average.bpf.o --local FILE.so --format fixed:24 --range START:END
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

struct sizes {
	struct avg_u64 size;
	u64 functions; /* symbols that are functions */
};

FOLD_REDUCE sum(struct sizes *s, const struct symbol *sym, u32 len)
{
	avg_u64_add(&s->size, sym->size);
	s->functions += (sym->info & 0xf) == 2; /* STT_FUNC */
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct sizes *into, const struct sizes *from)
{
	avg_u64_combine(&into->size, &from->size);
	into->functions += from->functions;
}
