/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elf_link.h - the steps from an ELF object to a draft program. For lib/program only.
 */
#ifndef NF_ELF_LINK_H
#define NF_ELF_LINK_H

#include "program/elf_debug.h"

/* A function that the program uses, in the order of program.funcs. */
struct link_func {
	const char *name; /* as the object has it */
	enum program_kind kind;
	uint32_t section;
	uint32_t start, n_insns; /* in instructions of the section */
};

struct elf_linker {
	const struct elf_object *object;
	const struct elf_debug *debug;
	struct nf_error *err;
	struct program draft; /* its arrays point into the pool and into the members below */
	struct link_func funcs[PROGRAM_MAX_FUNCS];
	uint32_t n_funcs;
	struct program_func out[PROGRAM_MAX_FUNCS];
	const char *files[PROGRAM_MAX_FILES];
	uint32_t *rodata_offset; /* by section; ELF_NO_SECTION: not rodata */
	struct link_block *pool;
};

/* Zeroed memory that lives as long as the linker. NULL: out of memory, and err is set. */
void *link_alloc(struct elf_linker *l, size_t size);
void elf_linker_done(struct elf_linker *l);

/* Refuse, with where = "average.bpf.c:14 in function 'sum'", as far as known. */
int link_refuse(struct elf_linker *l, const struct link_func *f, uint32_t insn, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));
/* The same for the object as a whole. */
int link_refuse_object(struct elf_linker *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* elf_link.c: find the entry functions and everything they call, resolve references. */
int link_code(struct elf_linker *l);
/* elf_link_data.c: refuse what a program cannot have; rodata; the start state. */
int link_sections(struct elf_linker *l);
int link_init_state(struct elf_linker *l);
/* elf_link_types.c: sizes and types from the prototypes of the entry functions. */
int link_types(struct elf_linker *l);
/* elf_link_lines.c: names, files and line tables. */
int link_names(struct elf_linker *l);

#endif
