/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* elf_link_lines.c - names, source files and line tables, made to fit what a program allows. */
#include "program/elf_link.h"

#include <errno.h>
#include <string.h>

#include "program/program_check.h"

/* Printable and short: what is neither becomes '?', control characters become spaces. */
static const char *printable(struct elf_linker *l, const char *text, size_t max)
{
	size_t n = strnlen(text, max), out = 0;
	char *copy = link_alloc(l, n + 1);

	for (size_t i = 0; copy && i < n;) {
		unsigned step = text[i] == '\t' ? 0 : program_utf8_length(text + i);

		if (step > n - i) /* cut here */
			break;
		if (step == 0) {
			copy[out++] = (unsigned char)text[i++] < 0x20 ? ' ' : '?';
			continue;
		}
		memcpy(copy + out, text + i, step);
		out += step;
		i += step;
	}
	return copy;
}

/* Compilers rename static functions ("sum.1"); programs have identifiers of C. */
static const char *identifier(struct elf_linker *l, const char *name)
{
	size_t n = strnlen(name, PROGRAM_MAX_NAME_BYTES);
	char *copy = link_alloc(l, n + 2);

	if (!copy)
		return NULL;
	memcpy(copy, name, n);
	for (size_t i = 0; i < n; i++) {
		char one[2] = {copy[i], 0}, later[3] = {'_', copy[i], 0};

		if (!program_is_identifier(i ? later : one))
			copy[i] = '_';
	}
	if (n == 0)
		copy[0] = '_';
	return copy;
}

/* The number of the file; the last one stands for all that are too many. */
static int64_t file_number(struct elf_linker *l, const char *path)
{
	const char *name = printable(l, elf_debug_base_name(path), PROGRAM_MAX_NAME_BYTES);

	if (!name)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->draft.n_files; i++) {
		if (!strcmp(l->files[i], name))
			return i;
	}
	if (l->draft.n_files == PROGRAM_MAX_FILES)
		return PROGRAM_MAX_FILES - 1;
	l->files[l->draft.n_files] = name;
	return l->draft.n_files++;
}

static int link_lines(struct elf_linker *l, const struct link_func *f, struct program_func *out)
{
	struct program_line *lines = link_alloc(l, f->n_insns * sizeof(*lines));
	uint32_t n = 0;

	if (!lines)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->debug->n_lines; i++) {
		const struct elf_line_info *info = &l->debug->lines[i];
		uint32_t insn = info->offset / sizeof(struct bpf_insn) - f->start;

		if (info->section != f->section ||
		    info->offset / sizeof(struct bpf_insn) < f->start || insn >= f->n_insns ||
		    (n && lines[n - 1].insn == insn))
			continue;
		int64_t file = file_number(l, info->file);
		const char *text = printable(l, info->text + strspn(info->text, " \t"),
					     PROGRAM_MAX_LINE_BYTES);
		if (file < 0 || !text)
			return -ENOMEM;
		lines[n++] = (struct program_line){.insn = insn,
						   .line = info->line,
						   .column = info->column,
						   .file = (uint32_t)file,
						   .text = text};
	}
	out->lines = lines;
	out->n_lines = n;
	return 0;
}

int link_names(struct elf_linker *l)
{
	for (uint32_t i = 0; i < l->n_funcs; i++) {
		l->out[i].name = identifier(l, l->funcs[i].name);
		int r = l->out[i].name ? link_lines(l, &l->funcs[i], &l->out[i]) : -ENOMEM;

		if (r)
			return r;
	}
	l->draft.files = l->files;
	return 0;
}
