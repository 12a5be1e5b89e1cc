/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elf_debug.h - .BTF and .BTF.ext of an object: which type each function has, and which source
 * line each instruction comes from. For lib/program only.
 */
#ifndef NF_ELF_DEBUG_H
#define NF_ELF_DEBUG_H

#include "program/elf_object.h"
#include "program/program_btf.h"

struct elf_func_info {
	uint32_t section;
	uint32_t offset;  /* bytes into the section */
	uint32_t type_id; /* BTF FUNC, checked */
};

struct elf_line_info {
	uint32_t section;
	uint32_t offset;
	uint32_t line, column; /* from 1; column 0 unknown */
	const char *file;      /* as the compiler was called; into the BTF */
	const char *text;
};

struct elf_debug {
	struct btf *btf;
	const uint8_t *btf_data; /* into the object */
	uint32_t btf_bytes;
	struct elf_func_info *funcs; /* both by section, then offset */
	struct elf_line_info *lines;
	uint32_t n_funcs, n_lines;
};

/* -EINVAL: no BTF ("compile with -g"), or broken. -ENOMEM. Takes a zeroed struct;
 * elf_debug_done() goes with it in any case. */
int elf_debug_read(const struct elf_object *o, struct elf_debug *ret, struct nf_error *err);
void elf_debug_done(struct elf_debug *d);

/* The FUNC type of the function that starts there, or 0. */
uint32_t elf_debug_func(const struct elf_debug *d, uint32_t section, uint64_t offset);

/* The row that covers that place, or NULL. */
const struct elf_line_info *elf_debug_line(const struct elf_debug *d, uint32_t section,
					   uint64_t offset);

/* The file's name without its folders. */
const char *elf_debug_base_name(const char *path);

#endif
