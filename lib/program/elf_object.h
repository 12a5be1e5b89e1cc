/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elf_object.h - an ELF object as plain arrays: sections, symbols, relocations, all checked to lie
 * inside the file. What libelf says, and nothing about programs yet. For lib/program only.
 */
#ifndef NF_ELF_OBJECT_H
#define NF_ELF_OBJECT_H

#include <elf.h>
#include <libelf.h>

#include "program/program.h"

enum {
	ELF_MAX_OBJECT_BYTES = 64 << 20,
	ELF_MAX_SECTIONS = 4096,
	ELF_MAX_SYMBOLS = 1 << 20,
};

/* Relocations of BPF: LLVM's documentation, "BPF Relocation". */
enum {
	ELF_BPF_64_64 = 1,  /* the immediate of a 64-bit load */
	ELF_BPF_64_32 = 10, /* the immediate of a call */
};

struct elf_section {
	const char *name;
	const uint8_t *data; /* NULL: without contents (bss) or empty */
	uint64_t size;
	uint64_t flags, align;
	uint32_t type;
};

struct elf_symbol {
	const char *name; /* "" if it has none */
	uint64_t value, size;
	uint32_t section; /* 0: undefined; otherwise valid, or ELF_NO_SECTION (absolute, common) */
	uint8_t type;     /* STT_* */
};
enum { ELF_NO_SECTION = UINT32_MAX };

struct elf_reloc {
	uint32_t section; /* that it changes */
	uint32_t symbol, type;
	uint64_t offset;
};

struct elf_object {
	const char *name; /* for messages */
	Elf *elf;
	char *image;
	struct elf_section *sections;
	struct elf_symbol *symbols;
	struct elf_reloc *relocs; /* by section, then offset */
	uint32_t n_sections, n_symbols, n_relocs;
};

/* Of data, which is copied. -EINVAL with reason, -ENOMEM. Takes a zeroed struct; elf_object_done()
 * goes with it in any case. */
int elf_object_read(const void *data, size_t size, const char *name, struct elf_object *ret,
		    struct nf_error *err);
void elf_object_done(struct elf_object *o);

/* The section called name, or NULL. */
const struct elf_section *elf_find_section(const struct elf_object *o, const char *name);

/* The relocation at that place, or NULL. */
const struct elf_reloc *elf_find_reloc(const struct elf_object *o, uint32_t section,
				       uint64_t offset);

/* The object (or, without one, any symbol with a name) at that place, for messages; or NULL. */
const struct elf_symbol *elf_symbol_at(const struct elf_object *o, uint32_t section,
				       uint64_t offset);

/* Has the section contents that a program could mean (neither debug information nor tables)? */
static inline bool elf_is_loaded(const struct elf_section *s)
{
	return (s->flags & SHF_ALLOC) && s->size > 0 &&
	       (s->type == SHT_PROGBITS || s->type == SHT_NOBITS);
}

static inline bool elf_is_code(const struct elf_section *s)
{
	return elf_is_loaded(s) && (s->flags & SHF_EXECINSTR) && s->data;
}

#endif
