/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_elf.h - reads an object made by `clang -O2 -g -target bpf` (client side only: nobody
 * parses ELF on a storage node).
 *
 * The functions live in sections fold/filter, fold/key, fold/reduce, fold/combine; sub-functions
 * in .text (or any other executable section); constants in .rodata*; SEC("fold/init") const STATE.
 * Sizes and types come from BTF: the prototypes of the entry functions.
 *
 * Errors name the symbol and, where there is one, the source line: not an ELF object for BPF, no
 * BTF (compile with -g), a map, a global variable that can change (.data, .bss), an undefined
 * symbol, a kernel helper (number below 0x10000), an entry with the wrong prototype, two of a kind,
 * types of STATE/REC/PARAMS that differ between the functions, a function set without reduce or
 * combine.
 */
#ifndef NF_PROGRAM_ELF_H
#define NF_PROGRAM_ELF_H

#include "program/program.h"

int program_elf_open(const char *path, struct program **ret, struct nf_error *err);
/* name stands for the path in messages. data need not be aligned. */
int program_elf_read(const void *data, size_t size, const char *name, struct program **ret,
		     struct nf_error *err);

#endif
