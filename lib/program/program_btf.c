/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* program_btf.c - the validator of BTF, and the type ids of a program. */
#include "program/program_btf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/scope.h"
#include "program/program_check.h"

/* What follows struct btf_type of each kind, and whether .type is a type id (else a size). */
static const struct kind {
	uint8_t fixed_bytes, per_vlen_bytes;
	bool known, refers;
	int8_t type_at[2]; /* where type ids stand in the fixed or repeated part; -1 none */
} kinds[] = {
	[BTF_KIND_INT] = {4, 0, true, false, {-1, -1}},
	[BTF_KIND_PTR] = {0, 0, true, true, {-1, -1}},
	[BTF_KIND_ARRAY] = {12, 0, true, false, {0, 4}},
	[BTF_KIND_STRUCT] = {0, 12, true, false, {4, -1}},
	[BTF_KIND_UNION] = {0, 12, true, false, {4, -1}},
	[BTF_KIND_ENUM] = {0, 8, true, false, {-1, -1}},
	[BTF_KIND_FWD] = {0, 0, true, false, {-1, -1}},
	[BTF_KIND_TYPEDEF] = {0, 0, true, true, {-1, -1}},
	[BTF_KIND_VOLATILE] = {0, 0, true, true, {-1, -1}},
	[BTF_KIND_CONST] = {0, 0, true, true, {-1, -1}},
	[BTF_KIND_RESTRICT] = {0, 0, true, true, {-1, -1}},
	[BTF_KIND_FUNC] = {0, 0, true, true, {-1, -1}},
	[BTF_KIND_FUNC_PROTO] = {0, 8, true, true, {4, -1}},
	[BTF_KIND_VAR] = {4, 0, true, true, {-1, -1}},
	[BTF_KIND_DATASEC] = {0, 12, true, false, {0, -1}},
	[BTF_KIND_FLOAT] = {0, 0, true, false, {-1, -1}},
	[BTF_KIND_DECL_TAG] = {4, 0, true, true, {-1, -1}},
	[BTF_KIND_TYPE_TAG] = {0, 0, true, true, {-1, -1}},
	[BTF_KIND_ENUM64] = {0, 12, true, false, {-1, -1}},
};

/* Parts that begin with the offset of a name. */
static bool part_has_name(unsigned kind)
{
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ENUM ||
	       kind == BTF_KIND_FUNC_PROTO || kind == BTF_KIND_ENUM64;
}

static uint32_t load_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static int bad(struct nf_error *err, const char *where, const char *what)
{
	return nf_error_set(err, NF_INVALID_ARGUMENT, where, "%s", what);
}

/* One walk: with n_types 0 it counts them into *ret_n and checks shapes; with n_types set it
 * checks ids and names against it. */
static int walk_types(const uint8_t *types, uint32_t len, uint32_t str_len, uint32_t n_types,
		      uint32_t *ret_n, const char *where, struct nf_error *err)
{
	uint32_t n = 0;

	for (uint32_t at = 0; at < len; n++) {
		struct btf_type t;

		if (len - at < sizeof(t))
			return bad(err, where, "the last type is cut short");
		memcpy(&t, types + at, sizeof(t));
		unsigned kind = BTF_INFO_KIND(t.info), vlen = BTF_INFO_VLEN(t.info);
		if (kind >= ARRAY_SIZE(kinds) || !kinds[kind].known)
			return bad(err, where, "a type of unknown kind");
		const struct kind *k = &kinds[kind];
		uint32_t parts = k->per_vlen_bytes ? vlen : k->type_at[0] >= 0 ? 1 : 0;
		uint32_t part_bytes = k->per_vlen_bytes ? k->per_vlen_bytes : k->fixed_bytes;
		uint32_t rest = k->fixed_bytes + k->per_vlen_bytes * vlen;
		if (len - at - sizeof(t) < rest)
			return bad(err, where, "a type reaches past the end of the section");
		const uint8_t *part = types + at + sizeof(t);
		at += (uint32_t)sizeof(t) + rest;
		if (!n_types)
			continue;
		if (t.name_off >= str_len)
			return bad(err, where, "a type's name lies outside of the strings");
		if (k->refers && t.type > n_types)
			return bad(err, where, "a type refers to a type that does not exist");
		for (uint32_t i = 0; i < parts; i++, part += part_bytes) {
			for (int j = 0; j < 2; j++) {
				if (k->type_at[j] >= 0 && load_u32(part + k->type_at[j]) > n_types)
					return bad(err, where, "a member's type does not exist");
			}
			if (part_has_name(kind) && load_u32(part) >= str_len)
				return bad(err, where,
					   "a member's name lies outside of the strings");
		}
	}
	*ret_n = n;
	return 0;
}

/*
 * Whole and consistent: header of this machine's byte order, known kinds, every record inside the
 * type section, type ids and name offsets in range, strings ended by NUL. -EINVAL with reason.
 */
static int check(const void *data, size_t size, const char *where, struct nf_error *err)
{
	const uint8_t *bytes = data;
	struct btf_header h;
	uint32_t n_types, n;

	if (size < sizeof(h))
		return bad(err, where, "shorter than a BTF header");
	memcpy(&h, data, sizeof(h));
	if (h.magic == __builtin_bswap16(BTF_MAGIC))
		return bad(err, where, "has the other byte order; compile with -target bpfel");
	if (h.magic != BTF_MAGIC || h.version != BTF_VERSION || h.flags || h.hdr_len != sizeof(h))
		return bad(err, where, "not BTF version 1");
	uint64_t body = size - sizeof(h);
	if (size > PROGRAM_MAX_BTF_BYTES)
		return nf_error_set(err, NF_INVALID_ARGUMENT, where,
				    "has %zu bytes; at most %d are possible", size,
				    PROGRAM_MAX_BTF_BYTES);
	if (h.type_off % 4 || h.type_len % 4 || !checked_range(h.type_off, h.type_len, body) ||
	    !checked_range(h.str_off, h.str_len, body) || h.type_off + h.type_len > h.str_off)
		return bad(err, where, "its sections do not lie inside it, types before strings");
	const uint8_t *strings = bytes + sizeof(h) + h.str_off;
	if (h.str_len == 0 || strings[0] || strings[h.str_len - 1])
		return bad(err, where, "its strings do not begin and end with NUL");
	const uint8_t *types = bytes + sizeof(h) + h.type_off;
	int r = walk_types(types, h.type_len, h.str_len, 0, &n_types, where, err);
	if (r || n_types == 0)
		return r;
	return walk_types(types, h.type_len, h.str_len, n_types, &n, where, err);
}

int program_btf_new(const void *data, size_t size, const char *where, struct btf **ret,
		    struct nf_error *err)
{
	int r = check(data, size, where, err);

	if (r)
		return r;
	struct btf *btf = btf__new(data, (uint32_t)size);
	if (!btf && errno == ENOMEM)
		return nf_error_no_memory(err, where);
	if (!btf)
		return bad(err, where, "libbpf cannot parse it");
	*ret = btf;
	return 0;
}

const struct btf_type *program_btf_strip(const struct btf *btf, uint32_t id, uint32_t *ret_id)
{
	for (int i = 0; i < BTF_MAX_CHAIN; i++) {
		const struct btf_type *t = id ? btf__type_by_id(btf, id) : NULL;

		if (!t)
			return NULL;
		if (!btf_is_mod(t) && !btf_is_typedef(t)) {
			if (ret_id)
				*ret_id = id;
			return t;
		}
		id = t->type;
	}
	return NULL;
}

int64_t program_btf_size(const struct btf *btf, uint32_t id)
{
	uint64_t factor = 1;

	for (int i = 0; i < BTF_MAX_CHAIN; i++) {
		const struct btf_type *t = program_btf_strip(btf, id, NULL);
		uint64_t one;

		if (!t)
			return -1;
		switch (btf_kind(t)) {
		case BTF_KIND_ARRAY:
			if (!checked_mul_u64(factor, btf_array(t)->nelems, &factor) ||
			    factor > UINT32_MAX)
				return -1;
			id = btf_array(t)->type;
			continue;
		case BTF_KIND_PTR:
			one = 8;
			break;
		case BTF_KIND_INT:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FLOAT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			one = t->size;
			break;
		default:
			return -1;
		}
		if (!checked_mul_u64(factor, one, &factor) || factor > UINT32_MAX)
			return -1;
		return (int64_t)factor;
	}
	return -1;
}

static void free_btf(struct btf **btf)
{
	btf__free(*btf);
}

int program_check_types(const struct program *p, struct nf_error *err)
{
	const struct {
		const char *field;
		uint32_t id, bytes;
	} types[] = {
		{"record_type", p->record_type, p->record_bytes},
		{"params_type", p->params_type, p->params_bytes},
		{"key_type", p->key_type, p->key_bytes},
		{"state_type", p->state_type, p->state_bytes},
	};
	AUTO(free_btf) struct btf *btf = NULL;
	int r = p->btf_bytes ? program_btf_new(p->btf, p->btf_bytes, "btf", &btf, err) : 0;

	for (size_t i = 0; i < ARRAY_SIZE(types) && !r; i++) {
		int64_t size;

		if (types[i].id == 0)
			continue;
		if (!btf || types[i].id >= btf__type_cnt(btf) || types[i].bytes == 0) {
			r = nf_error_set(err, NF_INVALID_ARGUMENT, types[i].field,
					 "is %" PRIu32 ", but there is no such type in the BTF, or "
					 "nothing that has it",
					 types[i].id);
			break;
		}
		size = program_btf_size(btf, types[i].id);
		if (size != types[i].bytes)
			r = nf_error_set(err, NF_INVALID_ARGUMENT, types[i].field,
					 "the type has %" PRId64
					 " bytes, the program says %" PRIu32,
					 size, types[i].bytes);
	}
	return r;
}
