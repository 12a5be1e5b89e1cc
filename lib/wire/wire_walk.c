/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "wire/wire_walk.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "nearfold.pb-c.h"
#include "program/program.h"
#include "status.pb-c.h"

/* How many elements a repeated field may have, all its occurrences in a message together. */
static const struct {
	const ProtobufCMessageDescriptor *type;
	const char *field;
	uint32_t most;
} limits[] = {
	{&nearfold__v1__program__descriptor, "functions", PROGRAM_MAX_FUNCS},
	{&nearfold__v1__program__descriptor, "files", PROGRAM_MAX_FILES},
	{&nearfold__v1__function__descriptor, "lines", PROGRAM_MAX_INSNS},
	{&nearfold__v1__capabilities__descriptor, "engines", 16},
	{&nearfold__v1__capabilities__descriptor, "devices", 256},
	{&nearfold__v1__load_program_reply__descriptor, "engines", 16},
	{&nearfold__v1__list_datasets_reply__descriptor, "datasets", 10000},
	{&nearfold__v1__status__descriptor, "queries", 10000},
	{&nearfold__v1__limits__descriptor, "all", 64},
	{&nearfold__rpc__rpc_status__descriptor, "details", 16},
};

struct walk {
	uint32_t counts[ARRAY_SIZE(limits)];
	uint32_t unknown;
	struct nf_error *err;
};

/* Where we are: one frame for each message that we are inside of. */
struct frame {
	const struct frame *parent;
	const ProtobufCMessageDescriptor *type;
	const ProtobufCFieldDescriptor *field; /* being looked at; NULL: none */
	uint32_t index;                        /* of a repeated one */
};

struct bytes {
	const uint8_t *at, *end;
};

/* ---- text ------------------------------------------------------------------------------------ */

bool wire_is_text(const uint8_t *data, size_t size)
{
	/* By lead byte: how many follow, and the bounds of the first that does. */
	static const struct {
		uint8_t first, last, follow, low, high;
	} rows[] = {
		{0x01, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 1, 0x80, 0xbf},
		{0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
		{0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
		{0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf},
		{0xf4, 0xf4, 3, 0x80, 0x8f},
	};

	for (size_t i = 0; i < size;) {
		size_t r = 0;

		while (r < ARRAY_SIZE(rows) && (data[i] < rows[r].first || data[i] > rows[r].last))
			r++;
		if (r == ARRAY_SIZE(rows) || rows[r].follow > size - i - 1)
			return false;
		for (size_t k = 1; k <= rows[r].follow; k++) {
			uint8_t low = k == 1 ? rows[r].low : 0x80,
				high = k == 1 ? rows[r].high : 0xbf;

			if (data[i + k] < low || data[i + k] > high)
				return false;
		}
		i += 1 + rows[r].follow;
	}
	return true;
}

/* ---- errors ---------------------------------------------------------------------------------- */

static size_t print_path(const struct frame *f, char *buf, size_t size)
{
	size_t n = f->parent ? print_path(f->parent, buf, size) : 0;

	if (!f->field || n >= size)
		return n;
	n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? "." : "", f->field->name);
	if (f->field->label == PROTOBUF_C_LABEL_REPEATED && n < size)
		n += (size_t)snprintf(buf + n, size - n, "[%" PRIu32 "]", f->index);
	return n;
}

static int refuse(struct walk *w, const struct frame *f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int refuse(struct walk *w, const struct frame *f, const char *fmt, ...)
{
	char path[256] = "";
	va_list ap;

	if (print_path(f, path, sizeof(path)) == 0)
		snprintf(path, sizeof(path), "%s", f->type->short_name);
	va_start(ap, fmt);
	int r = nf_error_vset(w->err, NF_INVALID_ARGUMENT, path, fmt, ap);
	va_end(ap);
	return r;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

/* At most max_bytes long, at most 64 bits. */
static bool read_varint(struct bytes *b, unsigned max_bytes, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < max_bytes && b->at < b->end; i++) {
		uint8_t byte = *b->at++;

		if (i == 9 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* One value of that wire type: ret is what it holds of a length-delimited one. */
static int read_value(struct walk *w, const struct frame *f, struct bytes *b, unsigned wire_type,
		      struct bytes *ret, uint64_t *ret_number)
{
	uint64_t size;

	switch (wire_type) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		if (!read_varint(b, 10, ret_number))
			return refuse(w, f, "the number is cut short or longer than 64 bits");
		return 0;
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		size = 8;
		break;
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		size = 4;
		break;
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		if (!read_varint(b, 5, &size))
			return refuse(w, f, "the length is cut short or overlong");
		break;
	default:
		return refuse(w, f, "wire type %u (groups are not used)", wire_type);
	}
	if (size > (uint64_t)(b->end - b->at))
		return refuse(w, f, "%" PRIu64 " bytes are announced, %td are left", size,
			      b->end - b->at);
	*ret = (struct bytes){b->at, b->at + size};
	b->at += size;
	return 0;
}

/* The wire types and ranges of the types that the schema uses. */
static int check_type(struct walk *w, const struct frame *f, unsigned wire_type, uint64_t number)
{
	unsigned want = PROTOBUF_C_WIRE_TYPE_VARINT;
	bool fits = true;

	switch (f->field->type) {
	case PROTOBUF_C_TYPE_UINT32:
		fits = number <= UINT32_MAX;
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
		fits = (int64_t)number >= INT32_MIN && (int64_t)number <= INT32_MAX;
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
		break;
	case PROTOBUF_C_TYPE_BOOL:
		fits = number <= 1;
		break;
	case PROTOBUF_C_TYPE_FIXED64:
		want = PROTOBUF_C_WIRE_TYPE_64BIT;
		break;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		want = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
		break;
	default:
		return refuse(w, f, "fields of this type are not used");
	}
	if (wire_type != want)
		return refuse(w, f, "wire type %u where this field has %u", wire_type, want);
	if (want == PROTOBUF_C_WIRE_TYPE_VARINT && !fits)
		return refuse(w, f, "%" PRIu64 " does not fit this field", number);
	return 0;
}

static int count_element(struct walk *w, const struct frame *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (limits[i].type != f->type || strcmp(limits[i].field, f->field->name) != 0)
			continue;
		if (++w->counts[i] > limits[i].most)
			return refuse(w, f, "more than %" PRIu32 " elements", limits[i].most);
		return 0;
	}
	return refuse(w, f, "this repeated field has no limit");
}

/* Marks a field that can be there once; false: it was there. The cases of a oneof are one field. */
static bool mark_seen(const struct frame *f, uint64_t *seen)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < f->type->n_fields; i++) {
		const ProtobufCFieldDescriptor *other = &f->type->fields[i];

		if (other == f->field ||
		    (f->field->flags & other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
		     other->quantifier_offset == f->field->quantifier_offset))
			mask |= 1ull << i;
	}
	if (*seen & mask)
		return false;
	*seen |= mask;
	return true;
}

/* ---- the walk -------------------------------------------------------------------------------- */

static int walk_message(struct walk *w, struct frame *f, struct bytes b)
{
	uint32_t next_index[WALK_MAX_FIELDS] = {0};
	uint64_t seen = 0;

	assert(f->type->n_fields <= WALK_MAX_FIELDS);
	while (b.at < b.end) {
		uint64_t key, number = 0;
		struct bytes value = {0};

		f->field = NULL;
		if (!read_varint(&b, 5, &key) || key > UINT32_MAX || key >> 3 == 0)
			return refuse(w, f, "a field's key is malformed");
		f->field = protobuf_c_message_descriptor_get_field(f->type, (unsigned)(key >> 3));
		if (f->field && f->field->label == PROTOBUF_C_LABEL_REPEATED)
			f->index = next_index[f->field - f->type->fields]++;
		int r = read_value(w, f, &b, key & 7, &value, &number);
		if (r)
			return r;
		if (!f->field) {
			if (++w->unknown > WALK_MAX_UNKNOWN_FIELDS)
				return refuse(w, f, "more than %d unknown fields",
					      WALK_MAX_UNKNOWN_FIELDS);
			continue;
		}
		r = check_type(w, f, key & 7, number);
		if (r)
			return r;
		if (f->field->label == PROTOBUF_C_LABEL_REPEATED) {
			r = count_element(w, f);
			if (r)
				return r;
		} else if (!mark_seen(f, &seen)) {
			return refuse(w, f,
				      "the field, or another case of its oneof, is there twice");
		}
		if (f->field->type == PROTOBUF_C_TYPE_STRING &&
		    !wire_is_text(value.at, (size_t)(value.end - value.at)))
			return refuse(w, f, "the text is not UTF-8, or holds a NUL");
		if (f->field->type == PROTOBUF_C_TYPE_MESSAGE) {
			struct frame inner = {.parent = f, .type = f->field->descriptor};

			r = walk_message(w, &inner, value);
			if (r)
				return r;
		}
	}
	return 0;
}

int wire_walk(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size,
	      struct nf_error *err)
{
	struct walk w = {.err = err};
	struct frame f = {.type = type};

	return walk_message(&w, &f, (struct bytes){data, data + size});
}

ProtobufCMessage *wire_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *data,
			      size_t size, struct nf_error *err)
{
	static const uint8_t nothing[1]; /* protobuf-c wants a pointer also for no bytes */

	if (size == 0)
		data = nothing;
	if (wire_walk(type, data, size, err))
		return NULL;
	ProtobufCMessage *m = protobuf_c_message_unpack(type, NULL, size, data);
	if (!m)
		nf_error_set(err, NF_INVALID_ARGUMENT, type->short_name,
			     "the message cannot be unpacked");
	return m;
}
