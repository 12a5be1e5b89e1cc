/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elf_link_types.c - the prototypes of the entry functions, by BTF, against the table below; REC,
 * PARAMS, KEY and STATE come from them.
 */
#include "program/elf_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum slot { SLOT_RECORD, SLOT_PARAMS, SLOT_KEY, SLOT_STATE, SLOTS, SLOT_LEN, SLOT_NONE };

struct parameter {
	enum slot slot;
	bool constant; /* points to const */
};

/* One row per kind. */
static const struct prototype {
	const char *text;
	bool returns_int;
	uint8_t n_params, n_optional; /* optional ones are the last */
	struct parameter params[4];
} prototypes[PROGRAM_ENTRIES] = {
	[PROGRAM_FILTER] = {"int f(const REC *rec, u32 len, const PARAMS *p)",
			    true,
			    3,
			    1,
			    {{SLOT_RECORD, true}, {SLOT_LEN, false}, {SLOT_PARAMS, true}}},
	[PROGRAM_KEY] =
		{"void f(const REC *rec, u32 len, const PARAMS *p, KEY *key)",
		 false,
		 4,
		 0,
		 {{SLOT_RECORD, true}, {SLOT_LEN, false}, {SLOT_PARAMS, true}, {SLOT_KEY, false}}},
	[PROGRAM_REDUCE] = {"int f(STATE *s, const REC *rec, u32 len, const PARAMS *p)",
			    true,
			    4,
			    1,
			    {{SLOT_STATE, false},
			     {SLOT_RECORD, true},
			     {SLOT_LEN, false},
			     {SLOT_PARAMS, true}}},
	[PROGRAM_COMBINE] = {"void f(STATE *into, const STATE *from)",
			     false,
			     2,
			     0,
			     {{SLOT_STATE, false}, {SLOT_STATE, true}}},
};

static const char *const slot_names[SLOTS] = {"REC", "PARAMS", "KEY", "STATE"};

struct types {
	struct elf_linker *l;
	const struct btf *btf;
	const struct link_func *func;
	const struct prototype *want;
	const struct btf_type *found; /* FUNC_PROTO */
	bool known[SLOTS];
	uint32_t id[SLOTS], bytes[SLOTS]; /* id 0: void */
	const char *from[SLOTS];          /* the function that said so first */
};

/* ---- a type as C writes it ------------------------------------------------------------------- */

static void append(char *buf, size_t size, const char *text)
{
	size_t n = strlen(buf);

	snprintf(buf + n, size - n, "%s", text);
}

static void type_text(const struct btf *btf, uint32_t id, char *buf, size_t size, int depth)
{
	const struct btf_type *t = id ? btf__type_by_id(btf, id) : NULL;
	const char *name = t ? btf__name_by_offset(btf, t->name_off) : NULL;

	if (!t || depth > 8) {
		append(buf, size, t ? "..." : "void");
		return;
	}
	switch (btf_kind(t)) {
	case BTF_KIND_CONST:
		append(buf, size, "const ");
		type_text(btf, t->type, buf, size, depth + 1);
		return;
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		type_text(btf, t->type, buf, size, depth + 1);
		return;
	case BTF_KIND_PTR:
		type_text(btf, t->type, buf, size, depth + 1);
		append(buf, size, " *");
		return;
	case BTF_KIND_ARRAY:
		type_text(btf, btf_array(t)->type, buf, size, depth + 1);
		append(buf, size, "[]");
		return;
	case BTF_KIND_STRUCT:
		append(buf, size, "struct ");
		break;
	case BTF_KIND_UNION:
		append(buf, size, "union ");
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		append(buf, size, "enum ");
		break;
	case BTF_KIND_FUNC_PROTO:
		append(buf, size, "function");
		return;
	}
	append(buf, size, name && name[0] ? name : "{...}");
}

static void prototype_text(const struct types *t, char *buf, size_t size)
{
	const struct btf_param *p = btf_params(t->found);

	buf[0] = '\0';
	type_text(t->btf, t->found->type, buf, size, 0);
	append(buf, size, " ");
	append(buf, size, t->func->name);
	append(buf, size, "(");
	for (unsigned i = 0; i < btf_vlen(t->found); i++) {
		if (i)
			append(buf, size, ", ");
		type_text(t->btf, p[i].type, buf, size, 0);
	}
	append(buf, size, btf_vlen(t->found) ? ")" : "void)");
}

static int wrong(const struct types *t, const char *what, int param)
{
	char found[320], number[32] = "";

	prototype_text(t, found, sizeof(found));
	if (param >= 0)
		snprintf(number, sizeof(number), "parameter %d ", param + 1);
	return link_refuse(t->l, t->func, 0, "%s%s: the %s function must be `%s`, but this is `%s`",
			   number, what, program_kind_name(t->func->kind), t->want->text, found);
}

/* ---- checks ---------------------------------------------------------------------------------- */

static bool is_integer(const struct btf *btf, uint32_t id, uint32_t bytes)
{
	const struct btf_type *t = program_btf_strip(btf, id, NULL);

	return t && (btf_is_int(t) || btf_is_any_enum(t)) && t->size == bytes;
}

/* The id behind qualifiers, but not behind typedefs: layouts want the name `f64`. */
static uint32_t unqualified(const struct btf *btf, uint32_t id, bool *ret_const)
{
	*ret_const = false;
	for (int i = 0; id && i < BTF_MAX_CHAIN; i++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!t || !(btf_is_const(t) || btf_is_volatile(t) || btf_is_restrict(t) ||
			    btf_kind(t) == BTF_KIND_TYPE_TAG))
			return id;
		*ret_const |= btf_is_const(t);
		id = t->type;
	}
	return id;
}

/* Equal, or equal as far as a name and a size tell (arrays may be there twice). */
static bool same_type(const struct btf *btf, uint32_t a, uint32_t b)
{
	const struct btf_type *x = program_btf_strip(btf, a, &a),
			      *y = program_btf_strip(btf, b, &b);

	if (!x || !y || a == b)
		return a == b;
	return btf_kind(x) == btf_kind(y) && btf_is_array(x) &&
	       btf_array(x)->nelems == btf_array(y)->nelems &&
	       program_btf_size(btf, a) == program_btf_size(btf, b);
}

static int set_slot(struct types *t, int param, enum slot slot, uint32_t id)
{
	const struct btf_type *type = program_btf_strip(t->btf, id, NULL);
	int64_t bytes = id ? program_btf_size(t->btf, id) : 0;
	bool any_length = !type || (btf_is_int(type) && type->size == 1);
	char what[200];

	if (id && (!type || bytes < 0))
		return wrong(t, "points to an incomplete type", param);
	if (slot == SLOT_RECORD && any_length)
		id = 0, bytes = 0;
	if (bytes == 0 && (slot == SLOT_STATE || slot == SLOT_KEY))
		return wrong(t, "points to a type without a size", param);
	if (bytes == 0)
		id = 0;
	if (t->known[slot]) {
		if (same_type(t->btf, t->id[slot], id))
			return 0;
		snprintf(what, sizeof(what), "is another %s than '%.100s' has", slot_names[slot],
			 t->from[slot]);
		return wrong(t, what, param);
	}
	t->known[slot] = true;
	t->id[slot] = id;
	t->bytes[slot] = (uint32_t)bytes;
	t->from[slot] = t->func->name;
	return 0;
}

static int check_param(struct types *t, int i)
{
	const struct parameter *want = &t->want->params[i];
	uint32_t id = btf_params(t->found)[i].type;
	const struct btf_type *type = program_btf_strip(t->btf, id, NULL);
	bool constant;

	if (want->slot == SLOT_LEN)
		return is_integer(t->btf, id, 4) ? 0 : wrong(t, "must be u32", i);
	if (!type || !btf_is_ptr(type))
		return wrong(t, "must be a pointer", i);
	id = unqualified(t->btf, type->type, &constant);
	if (want->constant && !constant)
		return wrong(t, "must point to const", i);
	if (!want->constant && constant)
		return wrong(t, "must not point to const", i);
	return set_slot(t, i, want->slot, id);
}

static int check_prototype(struct types *t)
{
	uint32_t func = elf_debug_func(t->l->debug, t->func->section,
				       (uint64_t)t->func->start * sizeof(struct bpf_insn));

	if (!func)
		return link_refuse(t->l, t->func, 0,
				   "there is no type information for it; compile with -g");
	/* elf_debug_read() has checked both. */
	t->found = btf__type_by_id(t->btf, btf__type_by_id(t->btf, func)->type);
	t->want = &prototypes[t->func->kind];
	if (t->want->returns_int ? !is_integer(t->btf, t->found->type, 4) : t->found->type != 0)
		return wrong(t, t->want->returns_int ? "must return int" : "must return nothing",
			     -1);
	unsigned n = btf_vlen(t->found);
	if (n > t->want->n_params || n < (unsigned)(t->want->n_params - t->want->n_optional))
		return wrong(t, "wrong number of parameters", -1);
	for (unsigned i = 0; i < n; i++) {
		int r = check_param(t, (int)i);

		if (r)
			return r;
	}
	return 0;
}

int link_types(struct elf_linker *l)
{
	/* reduce first: what it says about STATE and REC is what the others are measured by. */
	static const enum program_kind order[] = {PROGRAM_REDUCE, PROGRAM_COMBINE, PROGRAM_FILTER,
						  PROGRAM_KEY};
	struct types t = {.l = l, .btf = l->debug->btf};

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (uint32_t i = 0; i < l->n_funcs; i++) {
			t.func = &l->funcs[i];
			int r = t.func->kind == order[k] ? check_prototype(&t) : 0;

			if (r)
				return r;
		}
	}
	l->draft.record_bytes = t.bytes[SLOT_RECORD];
	l->draft.record_type = t.id[SLOT_RECORD];
	l->draft.params_bytes = t.bytes[SLOT_PARAMS];
	l->draft.params_type = t.id[SLOT_PARAMS];
	l->draft.key_bytes = t.bytes[SLOT_KEY];
	l->draft.key_type = t.id[SLOT_KEY];
	l->draft.state_bytes = t.bytes[SLOT_STATE];
	l->draft.state_type = t.id[SLOT_STATE];
	l->draft.btf = l->debug->btf_data;
	l->draft.btf_bytes = l->debug->btf_bytes;
	return 0;
}
