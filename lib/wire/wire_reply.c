/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wire_reply.c - what a node sends, as the client gets it. */
#include "base/checked.h"
#include "wire/wire.h"
#include "wire/wire_walk.h"

static bool check_id(const ProtobufCBinaryData *id, const char *where, struct nf_error *err)
{
	if (id->len == PROGRAM_ID_BYTES)
		return true;
	nf_error_set(err, NF_INVALID_ARGUMENT, where, "%zu bytes; a program's id has %d", id->len,
		     PROGRAM_ID_BYTES);
	return false;
}

static bool check_array(const ProtobufCBinaryData *array, const char *where, uint32_t groups,
			uint32_t bytes, struct nf_error *err)
{
	uint64_t want;

	if (checked_mul_u64(groups, bytes, &want) && want == array->len)
		return true;
	nf_error_set(err, NF_INVALID_ARGUMENT, where, "%zu bytes for %u groups of %u bytes",
		     array->len, groups, bytes);
	return false;
}

static bool check_partial(const Nearfold__V1__Partial *p, uint32_t key_bytes, uint32_t state_bytes,
			  struct nf_error *err)
{
	if (key_bytes == 0 && p->groups != 1) {
		nf_error_set(err, NF_INVALID_ARGUMENT, "partial.groups",
			     "%u states of a program without a key", p->groups);
		return false;
	}
	return check_id(&p->program_id, "partial.program_id", err) &&
	       check_array(&p->keys, "partial.keys", p->groups, key_bytes, err) &&
	       check_array(&p->states, "partial.states", p->groups, state_bytes, err);
}

Nearfold__V1__ExecuteReply *wire_unpack_execute_reply(const uint8_t *data, size_t size,
						      uint32_t key_bytes, uint32_t state_bytes,
						      struct nf_error *err)
{
	Nearfold__V1__ExecuteReply *m = (Nearfold__V1__ExecuteReply *)wire_unpack(
		&nearfold__v1__execute_reply__descriptor, data, size, err);
	bool ok = true;

	if (!m)
		return NULL;
	/* No event at all: one that only a newer node knows. */
	if (m->event_case == NEARFOLD__V1__EXECUTE_REPLY__EVENT_STARTED)
		ok = check_id(&m->started->program_id, "started.program_id", err);
	else if (m->event_case == NEARFOLD__V1__EXECUTE_REPLY__EVENT_PARTIAL)
		ok = check_partial(m->partial, key_bytes, state_bytes, err);
	if (ok)
		return m;
	nearfold__v1__execute_reply__free_unpacked(m, NULL);
	return NULL;
}

Nearfold__V1__LoadProgramReply *wire_unpack_load_program_reply(const uint8_t *data, size_t size,
							       struct nf_error *err)
{
	Nearfold__V1__LoadProgramReply *m = (Nearfold__V1__LoadProgramReply *)wire_unpack(
		&nearfold__v1__load_program_reply__descriptor, data, size, err);

	if (!m || check_id(&m->program_id, "program_id", err))
		return m;
	nearfold__v1__load_program_reply__free_unpacked(m, NULL);
	return NULL;
}

/* The rest have nothing that the walk has not checked. */
#define UNPACK(function, type, descriptor)                                     \
	type *function(const uint8_t *data, size_t size, struct nf_error *err) \
	{                                                                      \
		return (type *)wire_unpack(&descriptor, data, size, err);      \
	}

UNPACK(wire_unpack_capabilities, Nearfold__V1__Capabilities, nearfold__v1__capabilities__descriptor)
UNPACK(wire_unpack_list_datasets, Nearfold__V1__ListDatasetsReply,
       nearfold__v1__list_datasets_reply__descriptor)
UNPACK(wire_unpack_dataset, Nearfold__V1__Dataset, nearfold__v1__dataset__descriptor)
UNPACK(wire_unpack_read_range_reply, Nearfold__V1__ReadRangeReply,
       nearfold__v1__read_range_reply__descriptor)
UNPACK(wire_unpack_status, Nearfold__V1__Status, nearfold__v1__status__descriptor)
