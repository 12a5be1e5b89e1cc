/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_layout.c - walks a BTF type and lists its members. The BTF may be a stranger's (a node
 * checks a program's shape only), so depth, members, steps and every extent are limited here.
 */
#include "program/program_layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "program/program_btf.h"
#include "program/program_check.h"

/* Types visited, empty ones included: arrays of empty structs cost time, but give no member. */
enum { MAX_STEPS = 8 * LAYOUT_MAX_MEMBERS };

struct walk {
	const struct btf *btf;
	struct layout layout;
	uint32_t room, steps;
	uint32_t bytes; /* of the whole type */
	struct nf_error *err;
};

/* Where the walk is. */
struct place {
	const char *name;
	uint64_t bits;    /* offset */
	uint8_t bit_size; /* of a bit-field; 0: none */
	int depth;
};

static int bad(struct walk *w, const struct place *at, const char *text)
{
	return nf_error_set(w->err, NF_INVALID_ARGUMENT, at->name, "%s", text);
}

static int add_member(struct walk *w, const struct place *at, enum layout_type type,
		      const char *type_name, uint64_t bytes)
{
	struct layout *l = &w->layout;
	uint64_t start = at->bits / 8, size = bytes;

	if (at->bit_size) {
		if ((type != LAYOUT_SIGNED && type != LAYOUT_UNSIGNED && type != LAYOUT_BOOL) ||
		    at->bit_size > 64 || at->bit_size > 8 * bytes)
			return bad(w, at, "a bit-field that is wider than its type, or no integer");
		size = (at->bits % 8 + at->bit_size + 7) / 8;
	} else if (at->bits % 8) {
		return bad(w, at, "the member does not begin at a byte");
	}
	if (start + size > w->bytes)
		return bad(w, at, "the member lies outside of its struct");
	if (size == 0)
		return 0;
	if (l->n_members == LAYOUT_MAX_MEMBERS)
		return bad(w, at, "the type has more than 16384 members");
	if (l->n_members == w->room) {
		uint32_t room = w->room ? 2 * w->room : 16;
		struct layout_member *more = reallocarray(l->members, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->members = more;
		w->room = room;
	}
	struct layout_member m = {.name = strdup(at->name),
				  .type_name = strdup(type_name),
				  .type = type,
				  .offset_bytes = (uint32_t)start,
				  .size_bytes = (uint32_t)size,
				  .bit_offset = (uint8_t)(at->bit_size ? at->bits % 8 : 0),
				  .bit_size = at->bit_size};
	if (!m.name || !m.type_name) {
		free(m.name);
		free(m.type_name);
		return -ENOMEM;
	}
	l->members[l->n_members++] = m;
	return 0;
}

/* "u64", "s8", ... */
static int add_integer(struct walk *w, const struct place *at, bool is_signed, uint64_t bytes)
{
	char name[24];

	if ((bytes & (bytes - 1)) || bytes > 16)
		return add_member(w, at, LAYOUT_BYTES, "integer", bytes);
	snprintf(name, sizeof(name), "%c%" PRIu64, is_signed ? 's' : 'u', 8 * bytes);
	return add_member(w, at, is_signed ? LAYOUT_SIGNED : LAYOUT_UNSIGNED, name, bytes);
}

static bool enum_is_signed(const struct btf_type *t)
{
	const struct btf_enum *e = btf_enum(t);

	/* Compilers before 15 do not set the flag. */
	for (unsigned i = 0; btf_kind(t) == BTF_KIND_ENUM && i < btf_vlen(t); i++) {
		if (e[i].val < 0 && !btf_kflag(t))
			return true;
	}
	return btf_kflag(t);
}

static int walk_type(struct walk *w, uint32_t id, const struct place *at);

/* NAME.member, or NAME when there is no such text. */
static int sub_place(struct walk *w, const struct place *at, const char *member, uint64_t bits,
		     char name[LAYOUT_MAX_NAME_BYTES + 1], struct place *ret)
{
	int n = snprintf(name, LAYOUT_MAX_NAME_BYTES + 1, "%s%s%s", at->name,
			 at->name[0] && member[0] && member[0] != '[' ? "." : "", member);

	if (n > LAYOUT_MAX_NAME_BYTES)
		return bad(w, at, "names of members are longer than 255 bytes together");
	*ret = (struct place){.name = name, .bits = at->bits + bits, .depth = at->depth + 1};
	return 0;
}

static int walk_members(struct walk *w, const struct btf_type *t, const struct place *at)
{
	const struct btf_member *m = btf_members(t);
	unsigned n = btf_is_union(t) && btf_vlen(t) ? 1 : btf_vlen(t);

	for (unsigned i = 0; i < n; i++) {
		const char *name = btf__name_by_offset(w->btf, m[i].name_off);
		char full[LAYOUT_MAX_NAME_BYTES + 1];
		struct place sub;

		if (!name || (name[0] && !program_is_identifier(name)))
			return bad(w, at, "the name of a member is not an identifier");
		int r = sub_place(w, at, name, btf_member_bit_offset(t, i), full, &sub);
		if (r)
			return r;
		sub.bit_size = (uint8_t)btf_member_bitfield_size(t, i);
		if (!name[0]) /* an unnamed struct's members belong to the one around it */
			sub.name = at->name;
		r = walk_type(w, m[i].type, &sub);
		if (r)
			return r;
	}
	return 0;
}

static int walk_array(struct walk *w, const struct btf_type *t, uint32_t id, const struct place *at)
{
	const struct btf_array *a = btf_array(t);
	const struct btf_type *element = program_btf_strip(w->btf, a->type, NULL);
	int64_t whole = program_btf_size(w->btf, id), one = program_btf_size(w->btf, a->type);
	const char *name = element ? btf__name_by_offset(w->btf, element->name_off) : NULL;
	char type_name[32];

	if (whole < 0 || one < 0)
		return bad(w, at, "an array of an incomplete type");
	if (whole == 0) /* a flexible array */
		return 0;
	if (btf_is_int(element) && one == 1 && name && !strcmp(name, "char")) {
		snprintf(type_name, sizeof(type_name), "char[%" PRIu32 "]", a->nelems);
		return add_member(w, at, LAYOUT_TEXT, type_name, (uint64_t)whole);
	}
	if (a->nelems > LAYOUT_MAX_ELEMENTS)
		return add_member(w, at, LAYOUT_BYTES, "array", (uint64_t)whole);
	for (uint32_t i = 0; i < a->nelems; i++) {
		char index[16], full[LAYOUT_MAX_NAME_BYTES + 1];
		struct place sub;

		snprintf(index, sizeof(index), "[%" PRIu32 "]", i);
		int r = sub_place(w, at, index, 8 * (uint64_t)one * i, full, &sub);
		if (!r)
			r = walk_type(w, a->type, &sub);
		if (r)
			return r;
	}
	return 0;
}

/* The average of nearfold.bpf.h: u64 count, then the sum in 16 bytes. */
static int add_average(struct walk *w, const struct place *at, bool is_signed)
{
	static const struct {
		const char *name, *type_name[2];
		enum layout_type type[2];
		uint32_t offset, bytes;
	} parts[] = {
		{"count", {"u64", "u64"}, {LAYOUT_UNSIGNED, LAYOUT_UNSIGNED}, 0, 8},
		{"sum", {"u128", "s128"}, {LAYOUT_UNSIGNED, LAYOUT_SIGNED}, 8, 16},
		{"avg",
		 {"average", "average"},
		 {LAYOUT_AVERAGE_UNSIGNED, LAYOUT_AVERAGE_SIGNED},
		 0,
		 24},
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char full[LAYOUT_MAX_NAME_BYTES + 1];
		struct place sub;
		int r = sub_place(w, at, parts[i].name, 8 * (uint64_t)parts[i].offset, full, &sub);

		if (!r)
			r = add_member(w, &sub, parts[i].type[is_signed],
				       parts[i].type_name[is_signed], parts[i].bytes);
		if (r)
			return r;
	}
	return 0;
}

/* The name that says what a type means: its own, or that of a typedef for it. */
static bool is_called(const struct btf *btf, uint32_t id, const char *name)
{
	for (int i = 0; id && i < BTF_MAX_CHAIN; i++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *have = t ? btf__name_by_offset(btf, t->name_off) : NULL;

		if (have && !strcmp(have, name))
			return true;
		if (!t || !(btf_is_mod(t) || btf_is_typedef(t)))
			return false;
		id = t->type;
	}
	return false;
}

/* One integer of 128 bits, though C sees a struct? */
static bool is_wide(const struct btf *btf, const struct btf_type *t, uint32_t id)
{
	return t->size == 16 && (is_called(btf, id, "s128") || is_called(btf, id, "u128"));
}

static int walk_struct(struct walk *w, const struct btf_type *t, uint32_t id,
		       const struct place *at)
{
	if (is_wide(w->btf, t, id))
		return add_integer(w, at, is_called(w->btf, id, "s128"), 16);
	if (t->size == 24 && is_called(w->btf, id, "avg_s64"))
		return add_average(w, at, true);
	if (t->size == 24 && is_called(w->btf, id, "avg_u64"))
		return add_average(w, at, false);
	return walk_members(w, t, at);
}

static int walk_type(struct walk *w, uint32_t id, const struct place *at)
{
	const struct btf_type *t = program_btf_strip(w->btf, id, NULL);

	if (!t)
		return bad(w, at, "the member has no complete type");
	if (at->depth > LAYOUT_MAX_DEPTH)
		return bad(w, at, "structs are nested deeper than 32 levels");
	if (++w->steps > MAX_STEPS)
		return bad(w, at, "the type has too many parts");
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		if (t->size == 8 && is_called(w->btf, id, "f64") && !at->bit_size)
			return add_member(w, at, LAYOUT_FLOAT, "f64", 8);
		if (btf_int_encoding(t) & BTF_INT_BOOL)
			return add_member(w, at, t->size == 1 ? LAYOUT_BOOL : LAYOUT_UNSIGNED,
					  "bool", t->size);
		return add_integer(w, at, btf_int_encoding(t) & BTF_INT_SIGNED, t->size);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return add_integer(w, at, enum_is_signed(t), t->size);
	case BTF_KIND_FLOAT:
		if (t->size != 4 && t->size != 8)
			return add_member(w, at, LAYOUT_BYTES, "float", t->size);
		return add_member(w, at, LAYOUT_FLOAT, t->size == 4 ? "f32" : "f64", t->size);
	case BTF_KIND_PTR:
		return add_member(w, at, LAYOUT_BYTES, "pointer", 8);
	case BTF_KIND_ARRAY:
		return walk_array(w, t, id, at);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return walk_struct(w, t, id, at);
	}
	return bad(w, at, "the member is of a kind that has no value");
}

static void free_btf(struct btf **btf)
{
	btf__free(*btf);
}

static void free_walk(struct walk *w)
{
	layout_done(&w->layout);
}

int program_layout(const struct program *p, enum layout_of of, struct layout *ret,
		   struct nf_error *err)
{
	const struct {
		const char *name;
		uint32_t type, bytes;
	} what[] = {
		[LAYOUT_OF_RECORD] = {"record", p->record_type, p->record_bytes},
		[LAYOUT_OF_PARAMS] = {"params", p->params_type, p->params_bytes},
		[LAYOUT_OF_KEY] = {"key", p->key_type, p->key_bytes},
		[LAYOUT_OF_STATE] = {"state", p->state_type, p->state_bytes},
	};
	AUTO(free_btf) struct btf *btf = NULL;
	AUTO(free_walk) struct walk w = {.bytes = what[of].bytes, .err = err};
	struct place top = {.name = what[of].name};
	int r;

	if (what[of].type == 0) {
		r = add_member(&w, &top, LAYOUT_BYTES, "bytes", what[of].bytes);
	} else {
		r = program_btf_new(p->btf, p->btf_bytes, "btf", &btf, err);
		if (r)
			return r;
		w.btf = btf;
		const struct btf_type *t = program_btf_strip(btf, what[of].type, NULL);
		top.name =
			t && btf_is_composite(t) && !is_wide(btf, t, what[of].type) ? "" : "value";
		r = walk_type(&w, what[of].type, &top);
	}
	if (r == -ENOMEM)
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, what[of].name, "out of memory");
	if (r)
		return r;
	*ret = w.layout;
	w.layout = (struct layout){0};
	return 0;
}

void layout_done(struct layout *l)
{
	for (uint32_t i = 0; i < l->n_members; i++) {
		free(l->members[i].name);
		free(l->members[i].type_name);
	}
	free(l->members);
	*l = (struct layout){0};
}

const struct layout_member *layout_find(const struct layout *l, const char *name)
{
	for (uint32_t i = 0; i < l->n_members; i++) {
		if (!strcmp(l->members[i].name, name))
			return &l->members[i];
	}
	return NULL;
}
