/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The object comes from LLVM in this same process, a moment ago: it is checked for what this
 * linker can do, not for being hostile. x86-64 only; elsewhere the engine says so.
 */
#include "jit_object.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "vm/jit_image.h"

struct linker {
	const uint8_t *object;
	const Elf64_Ehdr *head;
	const Elf64_Shdr *sections;
	const Elf64_Sym *symbols;
	uint32_t n_symbols;
	const char *names;
	uint64_t *place; /* by section: its offset in the image; UINT64_MAX: not loaded */
	struct nf_error *err;
};

static int refuse(struct linker *l, const char *what, const char *name)
{
	return nf_error_set(l->err, NF_FAILED_PRECONDITION, "jit", "compiled code %s %s", what,
			    name);
}

static bool is_loaded(const Elf64_Shdr *s)
{
	/* Tables for unwinding serve nobody here. */
	return s->sh_type == SHT_PROGBITS && (s->sh_flags & SHF_ALLOC) && s->sh_size;
}

/* Give every section that is loaded its place: constants, then code (jit.c, call_code()).
 * Returns the size of them all. */
static uint64_t lay_out(struct linker *l)
{
	uint64_t at = 0;

	for (unsigned i = 0; i < l->head->e_shnum; i++)
		l->place[i] = UINT64_MAX;
	for (unsigned code = 0; code < 2; code++)
		for (unsigned i = 0; i < l->head->e_shnum; i++) {
			const Elf64_Shdr *s = &l->sections[i];
			uint64_t align = s->sh_addralign ? s->sh_addralign : 1;
			bool is_code = s->sh_flags & SHF_EXECINSTR;

			if (!is_loaded(s) || is_code != (bool)code)
				continue;
			at = (at + align - 1) / align * align;
			l->place[i] = at;
			at += s->sh_size;
		}
	return at;
}

static int relocate(struct linker *l, uint8_t *code, uint64_t place, const Elf64_Rela *r)
{
	const Elf64_Sym *sym = &l->symbols[ELF64_R_SYM(r->r_info)];
	uint64_t at = place + r->r_offset;
	int64_t value;
	int32_t field;

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= l->head->e_shnum ||
	    l->place[sym->st_shndx] == UINT64_MAX)
		return refuse(l, "wants a function from outside:", l->names + sym->st_name);
	switch (ELF64_R_TYPE(r->r_info)) {
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		value = (int64_t)(l->place[sym->st_shndx] + sym->st_value) + r->r_addend -
			(int64_t)at;
		if (value != (int32_t)value)
			return refuse(l, "is too far from", l->names + sym->st_name);
		field = (int32_t)value;
		memcpy(code + at, &field, sizeof(field));
		return 0;
	default:
		return refuse(l, "has a kind of reference that is not known, to",
			      l->names + sym->st_name);
	}
}

/* Where the function is in the image, or JIT_NONE. */
static bool find_symbol(const struct linker *l, const char *name, uint32_t *ret)
{
	*ret = JIT_NONE;
	for (uint32_t i = 0; i < l->n_symbols; i++) {
		const Elf64_Sym *sym = &l->symbols[i];

		if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= l->head->e_shnum ||
		    strcmp(l->names + sym->st_name, name))
			continue;
		*ret = (uint32_t)(l->place[sym->st_shndx] + sym->st_value);
		return true;
	}
	return false;
}

int jit_object_link(const uint8_t *object, size_t size, const struct jit_image *head,
		    struct jit_image **ret, struct nf_error *err)
{
	struct linker l = {
		.object = object, .head = (const Elf64_Ehdr *)(const void *)object, .err = err};
	AUTO_FREE uint64_t *place = NULL;
	AUTO_FREE struct jit_image *image = NULL;
	uint64_t bytes;
	int e;

	if (size < sizeof(*l.head) || memcmp(l.head->e_ident, ELFMAG, SELFMAG) ||
	    l.head->e_machine != EM_X86_64)
		return nf_error_set(err, NF_FAILED_PRECONDITION, "jit",
				    "the JIT is for x86-64; this machine is not");
	l.sections = (const Elf64_Shdr *)(const void *)(object + l.head->e_shoff);
	l.place = place = calloc(l.head->e_shnum, sizeof(*place));
	if (!place)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, "jit", "out of memory");
	for (unsigned i = 0; i < l.head->e_shnum; i++) {
		const Elf64_Shdr *s = &l.sections[i];

		if (s->sh_type != SHT_SYMTAB)
			continue;
		l.symbols = (const Elf64_Sym *)(const void *)(object + s->sh_offset);
		l.n_symbols = (uint32_t)(s->sh_size / sizeof(Elf64_Sym));
		l.names = (const char *)object + l.sections[s->sh_link].sh_offset;
	}
	bytes = lay_out(&l);
	image = calloc(1, sizeof(*image) + bytes);
	if (!image)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, "jit", "out of memory");
	*image = *head;
	image->magic = JIT_IMAGE_MAGIC;
	image->abi = JIT_ABI;
	image->bytes = (uint32_t)bytes;
	for (unsigned i = 0; i < l.head->e_shnum; i++)
		if (place[i] != UINT64_MAX)
			memcpy(image->code + place[i], object + l.sections[i].sh_offset,
			       l.sections[i].sh_size);
	for (unsigned i = 0; i < l.head->e_shnum; i++) {
		const Elf64_Shdr *s = &l.sections[i];
		const Elf64_Rela *r = (const Elf64_Rela *)(const void *)(object + s->sh_offset);

		if (s->sh_type != SHT_RELA || s->sh_info >= l.head->e_shnum ||
		    place[s->sh_info] == UINT64_MAX)
			continue;
		for (uint64_t k = 0; k < s->sh_size / sizeof(*r); k++) {
			e = relocate(&l, image->code, place[s->sh_info], &r[k]);
			if (e)
				return e;
		}
	}
	find_symbol(&l, "unmetered", &image->unmetered);
	find_symbol(&l, "bulk", &image->bulk);
	if (!find_symbol(&l, "exact", &image->exact))
		return refuse(&l, "has no function", "exact");
	*ret = TAKE_PTR(image);
	return 0;
}
