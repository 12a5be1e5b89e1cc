/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_message.c - bytes from the network against every unpacker of lib/wire. The first byte of the
 * input says which; for a Partial the next two are key_bytes and state_bytes.
 *
 * Beyond "nothing crashes": what is taken holds what wire.h promises.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "wire/wire.h"
#include "wire/wire_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_execute(const uint8_t *data, size_t size)
{
	struct wire_execute e;
	struct nf_error err = {0};

	if (wire_unpack_execute(data, size, &e, &err)) {
		assert(err.code != NF_OK && err.text[0]);
		return;
	}
	assert(e.dataset[0] && strlen(e.dataset) <= WIRE_MAX_NAME_BYTES);
	assert(e.engine[0] && e.reader[0] && e.range_start <= e.range_end);
	assert(e.params_bytes <= PROGRAM_MAX_PARAMS_BYTES && (!e.params_bytes || e.params));
	wire_execute_done(&e);
}

/* A program that was taken packs into a message that gives the same program. */
static void fuzz_load_program(const uint8_t *data, size_t size)
{
	Nearfold__V1__LoadProgramRequest m = NEARFOLD__V1__LOAD_PROGRAM_REQUEST__INIT;
	struct program *p, *again;
	struct nf_error err = {0};
	uint8_t *packed;

	if (wire_unpack_load_program(data, size, &p, &err)) {
		assert(err.code != NF_OK && err.text[0]);
		return;
	}
	if (wire_program_to(p, &m.program))
		abort();
	if (wire_pack(&m.base, 0, &packed, &size) ||
	    wire_unpack_load_program(packed, size, &again, &err))
		abort();
	assert(memcmp(p->id, again->id, PROGRAM_ID_BYTES) == 0);
	free(packed);
	wire_program_to_free(m.program);
	program_unref(p);
	program_unref(again);
}

static void fuzz_execute_reply(const uint8_t *data, size_t size)
{
	struct nf_error err;

	if (size < 2)
		return;
	uint32_t key_bytes = data[0] % 65, state_bytes = data[1];
	Nearfold__V1__ExecuteReply *m =
		wire_unpack_execute_reply(data + 2, size - 2, key_bytes, state_bytes, &err);
	if (m && m->event_case == NEARFOLD__V1__EXECUTE_REPLY__EVENT_PARTIAL) {
		assert(m->partial->keys.len == (size_t)m->partial->groups * key_bytes);
		assert(m->partial->states.len == (size_t)m->partial->groups * state_bytes);
	}
	if (m)
		nearfold__v1__execute_reply__free_unpacked(m, NULL);
}

static void fuzz_small_requests(const uint8_t *data, size_t size)
{
	struct wire_read_range r;
	char *name;

	if (wire_unpack_read_range(data, size, &r, NULL) == 0) {
		assert(r.range_start <= r.range_end);
		wire_read_range_done(&r);
	}
	if (wire_unpack_describe(data, size, &name, NULL) == 0) {
		assert(strlen(name) <= WIRE_MAX_NAME_BYTES);
		free(name);
	}
	if (wire_unpack_health(data, size, &name, NULL) == 0)
		free(name);
	wire_unpack_empty(data, size, NULL);
}

static void fuzz_details(const uint8_t *data, size_t size)
{
	Nearfold__V1__ErrorDetail *m = wire_unpack_details(data, size);
	uint8_t *packed;

	if (!m)
		return;
	if (wire_pack_details(NF_INTERNAL, "x", m, &packed, &size))
		abort();
	Nearfold__V1__ErrorDetail *again = wire_unpack_details(packed, size);
	assert(again);
	assert(again->query_id == m->query_id);
	nearfold__v1__error_detail__free_unpacked(again, NULL);
	nearfold__v1__error_detail__free_unpacked(m, NULL);
	free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The replies that have nothing but their walk. */
	static const ProtobufCMessageDescriptor *const others[] = {
		&nearfold__v1__capabilities__descriptor,
		&nearfold__v1__list_datasets_reply__descriptor,
		&nearfold__v1__dataset__descriptor,
		&nearfold__v1__load_program_reply__descriptor,
		&nearfold__v1__read_range_reply__descriptor,
		&nearfold__v1__status__descriptor,
	};

	if (size == 0)
		return 0;
	uint8_t which = *data++;
	size--;
	switch (which) {
	case 'E':
		fuzz_execute(data, size);
		break;
	case 'L':
		fuzz_load_program(data, size);
		break;
	case 'R':
		fuzz_execute_reply(data, size);
		break;
	case 'S':
		fuzz_small_requests(data, size);
		break;
	case 'D':
		fuzz_details(data, size);
		break;
	default:
		if (which < ARRAY_SIZE(others)) {
			ProtobufCMessage *m = wire_unpack(others[which], data, size, NULL);

			if (m)
				protobuf_c_message_free_unpacked(m, NULL);
		}
	}
	return 0;
}
