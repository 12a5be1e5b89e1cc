/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * wire_walk.h - what is checked on the raw bytes of a message, before protobuf-c unpacks it.
 *
 * Before, because an element of two bytes becomes an allocation of sixty, because protobuf-c takes
 * strings that are not UTF-8 and cuts them at a NUL, and because it cuts numbers to their type.
 *
 * Refused, with the field's path ("program.functions[2].lines"): keys and lengths that end outside
 * the message, groups and unknown wire types, varints of more than 64 bits, numbers that do not
 * fit their field, a wire type that is not the field's, strings that are not UTF-8 or hold a NUL,
 * a field twice that can be there once (also two cases of a oneof), more elements than the table of
 * limits allows. Unknown fields, from a newer peer, are passed over, up to a limit.
 *
 * The walk follows the message's protobuf-c descriptor. The schema has no message that contains
 * itself, so the depth is the schema's. Threads: any.
 */
#ifndef NF_WIRE_WALK_H
#define NF_WIRE_WALK_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
	WALK_MAX_UNKNOWN_FIELDS = 64, /* in a whole message */
	WALK_MAX_FIELDS = 64,         /* of one message type of the schema */
};

/* INVALID_ARGUMENT */
int wire_walk(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size,
	      struct nf_error *err);

/* Walk, then unpack. NULL and err on failure; free with protobuf_c_message_free_unpacked(). */
ProtobufCMessage *wire_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *data,
			      size_t size, struct nf_error *err);

/* Well-formed UTF-8 (Unicode, table 3-7) without NUL? */
bool wire_is_text(const uint8_t *data, size_t size);

#endif
