/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* program_check.c - counts, sizes, names and line tables of a draft. */
#include "program/program_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"

/* A field that counts or measures something, with its limits. */
struct bound {
	const char *field;
	size_t offset;
	uint32_t min, max;
};

#define BOUND(f, lo, hi)                                \
	{                                               \
#f, offsetof(struct program, f), lo, hi \
	}

static const struct bound bounds[] = {
	BOUND(n_funcs, 2, PROGRAM_MAX_FUNCS),
	BOUND(n_files, 0, PROGRAM_MAX_FILES),
	BOUND(record_bytes, 0, PROGRAM_MAX_RECORD_BYTES),
	BOUND(params_bytes, 0, PROGRAM_MAX_PARAMS_BYTES),
	BOUND(key_bytes, 0, PROGRAM_MAX_KEY_BYTES),
	BOUND(state_bytes, 1, PROGRAM_MAX_STATE_BYTES),
	BOUND(rodata_bytes, 0, PROGRAM_MAX_RODATA_BYTES),
	BOUND(btf_bytes, 0, PROGRAM_MAX_BTF_BYTES),
};

static int bad(struct nf_error *err, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int bad(struct nf_error *err, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int r = nf_error_vset(err, NF_INVALID_ARGUMENT, where, fmt, ap);
	va_end(ap);
	return r;
}

bool program_is_identifier(const char *s)
{
	size_t n = strnlen(s, PROGRAM_MAX_NAME_BYTES + 1);

	if (n == 0 || n > PROGRAM_MAX_NAME_BYTES || (s[0] >= '0' && s[0] <= '9'))
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9')))
			return false;
	}
	return true;
}

unsigned program_utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	static const struct {
		unsigned char mask, lead, bytes;
		uint32_t min;
	} forms[] = {{0x80, 0x00, 1, 0},
		     {0xe0, 0xc0, 2, 0x80},
		     {0xf0, 0xe0, 3, 0x800},
		     {0xf8, 0xf0, 4, 0x10000}};

	for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
		if ((s[0] & forms[f].mask) != forms[f].lead)
			continue;
		uint32_t c = s[0] & (unsigned char)~forms[f].mask;
		for (unsigned i = 1; i < forms[f].bytes; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < forms[f].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		return c < 0x20 || (c >= 0x7f && c < 0xa0) ? 0 : forms[f].bytes;
	}
	return 0;
}

/* UTF-8 without control characters (but tabs, where allowed), at most max bytes long. */
static bool is_printable(const char *s, size_t max, bool tabs)
{
	size_t n = strnlen(s, max + 1);

	if (n > max)
		return false;
	for (size_t i = 0; i < n;) {
		unsigned step = tabs && s[i] == '\t' ? 1 : program_utf8_length(s + i);

		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

static int check_sizes(const struct program *p, struct nf_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		uint32_t v;

		memcpy(&v, (const char *)p + bounds[i].offset, sizeof(v));
		if (v < bounds[i].min || v > bounds[i].max)
			return bad(err, bounds[i].field,
				   "is %" PRIu32 "; it must be between %" PRIu32 " and %" PRIu32, v,
				   bounds[i].min, bounds[i].max);
	}
	if (!p->funcs)
		return bad(err, "funcs", "missing");
	if (p->n_files && !p->files)
		return bad(err, "files", "missing");
	if (p->rodata_bytes && !p->rodata)
		return bad(err, "rodata", "missing");
	if (p->btf_bytes && !p->btf)
		return bad(err, "btf", "missing");
	if (p->key_bytes && p->state_bytes > PROGRAM_MAX_GROUP_STATE_BYTES)
		return bad(err, "state_bytes",
			   "is %" PRIu32 "; with a key function a state has at most %d bytes",
			   p->state_bytes, PROGRAM_MAX_GROUP_STATE_BYTES);
	return 0;
}

static int check_lines(const struct program *p, const struct program_func *f, const char *where,
		       struct nf_error *err)
{
	for (uint32_t i = 0; i < f->n_lines; i++) {
		const struct program_line *l = &f->lines[i];

		if (l->insn >= f->n_insns || (i && l->insn <= f->lines[i - 1].insn))
			return bad(err, where,
				   "row %" PRIu32 " of the line table names instruction %" PRIu32
				   "; rows must ascend and stay below %" PRIu32,
				   i, l->insn, f->n_insns);
		if (l->file >= p->n_files)
			return bad(err, where,
				   "row %" PRIu32 " of the line table names file %" PRIu32
				   " of %" PRIu32,
				   i, l->file, p->n_files);
		if (l->line == 0)
			return bad(err, where,
				   "row %" PRIu32 " of the line table has line 0; lines "
				   "count from 1",
				   i);
		if (!l->text || !is_printable(l->text, PROGRAM_MAX_LINE_BYTES, true))
			return bad(err, where,
				   "row %" PRIu32 " of the line table has a text that is "
				   "not printable UTF-8 of at most %d bytes",
				   i, PROGRAM_MAX_LINE_BYTES);
	}
	return 0;
}

static int check_func(const struct program *p, uint32_t index, struct nf_error *err)
{
	const struct program_func *f = &p->funcs[index];
	char where[PROGRAM_MAX_NAME_BYTES + 16];

	snprintf(where, sizeof(where), "function %" PRIu32, index);
	if (!f->name || !program_is_identifier(f->name))
		return bad(err, where,
			   "its name is not an identifier of C of at most %d characters",
			   PROGRAM_MAX_NAME_BYTES);
	snprintf(where, sizeof(where), "function %s", f->name);
	if ((unsigned)f->kind > PROGRAM_SUB)
		return bad(err, where, "kind %d is none", (int)f->kind);
	for (uint32_t i = 0; i < index; i++) {
		if (f->kind != PROGRAM_SUB && p->funcs[i].kind == f->kind)
			return bad(err, where, "a second %s function; %s is the first",
				   program_kind_name(f->kind), p->funcs[i].name);
	}
	if (f->n_insns == 0 || !f->insns)
		return bad(err, where, "has no instructions");
	if (f->n_insns > PROGRAM_MAX_INSNS)
		return bad(err, where, "has %" PRIu32 " instructions; a program has at most %d",
			   f->n_insns, PROGRAM_MAX_INSNS);
	if (f->n_lines > f->n_insns || (f->n_lines && !f->lines))
		return bad(err, where,
			   "its line table has more rows than instructions, or is missing");
	return check_lines(p, f, where, err);
}

int program_check(const struct program *p, struct nf_error *err)
{
	uint32_t n_insns = 0;
	int r = check_sizes(p, err);

	if (r)
		return r;
	for (uint32_t i = 0; i < p->n_files; i++) {
		if (!p->files[i] || !is_printable(p->files[i], PROGRAM_MAX_NAME_BYTES, false))
			return bad(err, "files",
				   "name %" PRIu32 " is not printable UTF-8 of at most "
				   "%d bytes",
				   i, PROGRAM_MAX_NAME_BYTES);
	}
	for (uint32_t i = 0; i < p->n_funcs; i++) {
		r = check_func(p, i, err);
		if (r)
			return r;
		n_insns += p->funcs[i].n_insns; /* at most 64 * 4096 */
	}
	if (n_insns > PROGRAM_MAX_INSNS)
		return bad(err, "funcs",
			   "have %" PRIu32 " instructions together; a program has at "
			   "most %d",
			   n_insns, PROGRAM_MAX_INSNS);
	if (!program_entry(p, PROGRAM_REDUCE, NULL) || !program_entry(p, PROGRAM_COMBINE, NULL))
		return bad(err, "funcs",
			   "there is no %s function; a program needs reduce and combine",
			   program_entry(p, PROGRAM_REDUCE, NULL) ? "combine" : "reduce");
	if (!program_entry(p, PROGRAM_KEY, NULL) != !p->key_bytes)
		return bad(err, "key_bytes", "%s",
			   p->key_bytes ? "is set, but there is no key function"
					: "is 0, but there is a key function");
	r = program_check_code(p, err);
	return r ? r : program_check_types(p, err);
}
