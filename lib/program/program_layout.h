/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_layout.h - the members of STATE, KEY, PARAMS or REC by their BTF: names, types, offsets.
 * Nested structs are flattened with dotted names ("price.min"); arrays of up to
 * LAYOUT_MAX_ELEMENTS elements give one member each ("bucket[3]"); char arrays are text; unions
 * give their first member; bit-fields keep their bits. `f64` (nearfold.bpf.h's typedef of u64 that
 * holds the bits of a double) and double are floating point. Structs called s128 and u128 are one
 * integer of 16 bytes. Structs called avg_u64 and avg_s64 give NAME.count, NAME.sum and a computed
 * member NAME.avg: nothing finishes a state on the node, so the division is done when it is
 * printed. Padding gives no member. A type that is no struct is one member called "value".
 */
#ifndef NF_PROGRAM_LAYOUT_H
#define NF_PROGRAM_LAYOUT_H

#include "program/program.h"

enum {
	LAYOUT_MAX_MEMBERS = 16384,
	LAYOUT_MAX_ELEMENTS = 8192, /* longer arrays are one member, LAYOUT_BYTES */
	LAYOUT_MAX_NAME_BYTES = 255,
	LAYOUT_MAX_DEPTH = 32, /* structs in structs */
};

enum layout_type {
	LAYOUT_SIGNED,   /* 1, 2, 4, 8 or 16 bytes */
	LAYOUT_UNSIGNED, /* the same */
	LAYOUT_BOOL,
	LAYOUT_FLOAT, /* 4 or 8 bytes */
	LAYOUT_TEXT,  /* char array: up to the first NUL */
	LAYOUT_BYTES, /* anything else: hex */
	/* Computed, read-only; 24 bytes: u64 count, 128-bit sum. Prints sum / count rounded to six
	 * decimals, half away from zero ("12.500000"); "null" when count is 0. */
	LAYOUT_AVERAGE_SIGNED,
	LAYOUT_AVERAGE_UNSIGNED,
};

struct layout_member {
	char *name;
	char *type_name; /* "u64", "s32", "f64", "char[16]", "s128", "average" */
	enum layout_type type;
	uint32_t offset_bytes, size_bytes;
	uint8_t bit_offset, bit_size; /* bit_size 0: no bit-field */
};

struct layout {
	struct layout_member *members;
	uint32_t n_members;
};

enum layout_of { LAYOUT_OF_RECORD, LAYOUT_OF_PARAMS, LAYOUT_OF_KEY, LAYOUT_OF_STATE };

/* A program without a type gets one LAYOUT_BYTES member of the whole size, and no member when that
 * is 0. ret is untouched on failure: -ENOMEM; -EINVAL, a type that lies about its size, too many
 * members. */
int program_layout(const struct program *p, enum layout_of of, struct layout *ret,
		   struct nf_error *err);
void layout_done(struct layout *l);

/* The member's value as text, ended by NUL: decimal, %.17g shortened to round-trip (the same in
 * every locale), true or false, UTF-8 text with invalid bytes and control characters but tab
 * replaced by U+FFFD, hex. bytes is the whole struct. Returns the length it needs, like snprintf.
 */
size_t layout_format(const struct layout_member *m, const uint8_t *bytes, char *buf, size_t size);

/* Parse "42", "-1", "0x10", "1.5", "true", "text" or hex into bytes (of the whole struct). -EINVAL
 * with reason; bytes are untouched then. */
int layout_parse(const struct layout_member *m, const char *text, uint8_t *bytes,
		 struct nf_error *err);

/* The member called name, or NULL. */
const struct layout_member *layout_find(const struct layout *l, const char *name);

#endif
