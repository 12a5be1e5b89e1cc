/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program.c - sealed programs: one block of memory that holds the struct, its arrays and strings,
 * and a reference count. The count is the only thing in it that ever changes.
 */
#include "program/program.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/scope.h"
#include "program/program_check.h"

struct sealed {
	_Atomic unsigned refs;
	struct program p;
};

/* Hands out pieces of a block. Without a block it only adds up how large one has to be. */
struct bump {
	uint8_t *base;
	size_t used;
};

static void *bump_take(struct bump *b, const void *from, size_t size)
{
	size_t at = (b->used + 7) & ~(size_t)7;
	void *to = b->base ? b->base + at : NULL;

	b->used = at + size;
	if (to && size)
		memcpy(to, from, size);
	return to;
}

static const void *bump_bytes(struct bump *b, const void *from, size_t size)
{
	return from ? bump_take(b, from, size) : NULL;
}

static const char *bump_string(struct bump *b, const char *s)
{
	return bump_take(b, s, strlen(s) + 1);
}

static void copy_func(struct bump *b, const struct program_func *from, struct program_func *to)
{
	const struct bpf_insn *insns = bump_take(b, from->insns, from->n_insns * sizeof(*insns));
	struct program_line *lines = bump_take(b, from->lines, from->n_lines * sizeof(*lines));
	const char *name = bump_string(b, from->name);

	for (uint32_t i = 0; i < from->n_lines; i++) {
		const char *text = bump_string(b, from->lines[i].text);

		if (lines)
			lines[i].text = text;
	}
	if (to) {
		to->insns = insns;
		to->lines = lines;
		to->name = name;
	}
}

/* Copies everything behind draft's pointers; with b->base NULL it measures. */
static void copy_program(struct bump *b, const struct program *draft)
{
	struct sealed *s = bump_take(b, &(struct sealed){.refs = 1}, sizeof(*s));
	struct program_func *funcs = bump_take(b, draft->funcs, draft->n_funcs * sizeof(*funcs));
	const char **files = bump_take(b, draft->files, draft->n_files * sizeof(*files));

	for (uint32_t i = 0; i < draft->n_funcs; i++)
		copy_func(b, &draft->funcs[i], funcs ? &funcs[i] : NULL);
	for (uint32_t i = 0; i < draft->n_files; i++) {
		const char *name = bump_string(b, draft->files[i]);

		if (files)
			files[i] = name;
	}
	const void *rodata = bump_bytes(b, draft->rodata, draft->rodata_bytes);
	const void *init = bump_bytes(b, draft->init_state, draft->state_bytes);
	const void *btf = bump_bytes(b, draft->btf, draft->btf_bytes);
	if (s) {
		s->p = *draft;
		s->p.funcs = funcs;
		s->p.files = files;
		s->p.rodata = rodata;
		s->p.init_state = init;
		s->p.btf = btf;
	}
}

static int hash_program(struct program *p, struct nf_error *err)
{
	AUTO_FREE uint8_t *bytes = NULL;
	size_t size;
	unsigned n = 0;

	if (program_canonical(p, &bytes, &size))
		return nf_error_no_memory(err, NULL);
	if (!EVP_Digest(bytes, size, p->id, &n, EVP_sha256(), NULL) || n != PROGRAM_ID_BYTES)
		return nf_error_set(err, NF_INTERNAL, NULL, "SHA-256 is not available in OpenSSL");
	return 0;
}

int program_create(const struct program *draft, struct program **ret, struct nf_error *err)
{
	struct bump b = {0};
	int r = program_check(draft, err);

	if (r)
		return r;
	copy_program(&b, draft);
	AUTO_FREE uint8_t *block = calloc(1, b.used);
	if (!block)
		return nf_error_no_memory(err, NULL);
	b = (struct bump){.base = block};
	copy_program(&b, draft);
	struct sealed *s = (struct sealed *)block;
	r = hash_program(&s->p, err);
	if (r)
		return r;
	*ret = &s->p;
	TAKE_PTR(block);
	return 0;
}

static struct sealed *sealed_of(struct program *p)
{
	return (struct sealed *)((uint8_t *)p - offsetof(struct sealed, p));
}

struct program *program_ref(struct program *p)
{
	atomic_fetch_add_explicit(&sealed_of(p)->refs, 1, memory_order_relaxed);
	return p;
}

void program_unref(struct program *p)
{
	if (p && atomic_fetch_sub_explicit(&sealed_of(p)->refs, 1, memory_order_acq_rel) == 1)
		free(sealed_of(p));
}

const char *program_kind_name(enum program_kind kind)
{
	static const char *const names[] = {
		[PROGRAM_FILTER] = "filter",   [PROGRAM_KEY] = "key", [PROGRAM_REDUCE] = "reduce",
		[PROGRAM_COMBINE] = "combine", [PROGRAM_SUB] = "sub",
	};

	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}

const struct program_func *program_entry(const struct program *p, enum program_kind kind,
					 uint32_t *ret_index)
{
	for (uint32_t i = 0; i < p->n_funcs; i++) {
		if (p->funcs[i].kind != kind)
			continue;
		if (ret_index)
			*ret_index = i;
		return &p->funcs[i];
	}
	return NULL;
}

const struct program_line *program_line_at(const struct program *p, uint32_t func, uint32_t insn)
{
	const struct program_line *found = NULL;

	if (func >= p->n_funcs)
		return NULL;
	for (uint32_t i = 0; i < p->funcs[func].n_lines; i++) {
		if (p->funcs[func].lines[i].insn > insn)
			break;
		found = &p->funcs[func].lines[i];
	}
	return found;
}

const char *program_where(const struct program *p, uint32_t func, uint32_t insn, char *buf,
			  size_t size)
{
	const struct program_line *line = program_line_at(p, func, insn);

	if (func >= p->n_funcs) {
		snprintf(buf, size, "instruction %" PRIu32, insn);
	} else if (line) {
		snprintf(buf, size, "%s:%" PRIu32 " in %s '%s' (instruction %" PRIu32 ")",
			 p->files[line->file], line->line, program_kind_name(p->funcs[func].kind),
			 p->funcs[func].name, insn);
	} else {
		snprintf(buf, size, "%s '%s' (instruction %" PRIu32 ")",
			 program_kind_name(p->funcs[func].kind), p->funcs[func].name, insn);
	}
	return buf;
}

void program_id_hex(const uint8_t id[PROGRAM_ID_BYTES], char ret[2 * PROGRAM_ID_BYTES + 1])
{
	for (int i = 0; i < PROGRAM_ID_BYTES; i++)
		snprintf(ret + (size_t)2 * i, 3, "%02x", id[i]);
}
