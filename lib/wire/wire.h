/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * wire.h - protobuf messages <-> plain structs. Every field of every message from the network is
 * checked here, once; behind this file the values hold what the structs promise.
 *
 * Unpacking caps the work first: a message longer than its method's limit never arrives (lib/rpc),
 * and wire_unpack_*() refuses one with more repeated elements than allowed *before* it is unpacked
 * (a walk over the bytes), because empty submessages cost protobuf-c thirty times their size.
 * Strings must be UTF-8 without NUL. Errors are INVALID_ARGUMENT with where = the field's path
 * ("program.functions[2].insns").
 *
 * Packing: `wire_pack(&message.base, 0, &buf, &size)` gives a malloc()ed buffer.
 */
#ifndef NF_WIRE_H
#define NF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/error.h"
#include "nearfold.pb-c.h"
#include "program/program.h"

enum {
	WIRE_MAX_REQUEST_BYTES = 256 << 10,
	WIRE_MAX_PROGRAM_REQUEST_BYTES = 1 << 20, /* LoadProgram, Execute */
	WIRE_MAX_REPLY_BYTES = 4 << 20,
	WIRE_PARTIAL_BYTES = 1 << 20, /* a Partial's keys and states together */
	WIRE_MAX_NAME_BYTES = 255,
	WIRE_MAX_DETAILS_BYTES = 4000, /* in base64 within 8 KiB of trailers */
};

/* Methods' paths. */
#define WIRE_SERVICE          "nearfold.v1.Nearfold"
#define WIRE_GET_CAPABILITIES "/" WIRE_SERVICE "/GetCapabilities"
#define WIRE_LIST_DATASETS    "/" WIRE_SERVICE "/ListDatasets"
#define WIRE_DESCRIBE_DATASET "/" WIRE_SERVICE "/DescribeDataset"
#define WIRE_LOAD_PROGRAM     "/" WIRE_SERVICE "/LoadProgram"
#define WIRE_EXECUTE          "/" WIRE_SERVICE "/Execute"
#define WIRE_READ_RANGE       "/" WIRE_SERVICE "/ReadRange"
#define WIRE_GET_STATUS       "/" WIRE_SERVICE "/GetStatus"

/* headroom bytes are left free in front (for whoever frames the message). -ENOMEM. */
int wire_pack(const ProtobufCMessage *m, size_t headroom, uint8_t **ret, size_t *ret_size);

/* A program from its message: checks the message's shape, then program_create(). */
int wire_program_from(const Nearfold__V1__Program *m, struct program **ret, struct nf_error *err);
/* The message of a program; its pointers go into p and into memory of its own. */
int wire_program_to(const struct program *p, Nearfold__V1__Program **ret);
void wire_program_to_free(Nearfold__V1__Program *m);

/* A checked ExecuteRequest. Strings and bytes are owned by the struct. */
struct wire_execute {
	char *dataset;
	struct program *program; /* NULL: by id */
	uint8_t program_id[PROGRAM_ID_BYTES];
	uint8_t *params;
	uint32_t params_bytes;
	char engine[16], reader[16]; /* "auto" when empty */
	uint32_t threads, queue_depth;
	bool has_range;
	uint64_t range_start, range_end; /* end UINT64_MAX: to the end; start <= end */
	uint64_t instructions_per_record, max_groups, chunk_bytes;
	uint64_t generation;
};

int wire_unpack_execute(const uint8_t *data, size_t size, struct wire_execute *ret,
			struct nf_error *err);
void wire_execute_done(struct wire_execute *e);

int wire_unpack_load_program(const uint8_t *data, size_t size, struct program **ret,
			     struct nf_error *err);

struct wire_read_range {
	char *dataset;
	bool has_range;
	uint64_t range_start, range_end;
	uint64_t generation;
};
int wire_unpack_read_range(const uint8_t *data, size_t size, struct wire_read_range *ret,
			   struct nf_error *err);
void wire_read_range_done(struct wire_read_range *r);

/* DescribeDatasetRequest's name, malloc()ed. */
int wire_unpack_describe(const uint8_t *data, size_t size, char **ret_name, struct nf_error *err);
/* Requests without fields (GetCapabilities, ListDatasets, GetStatus): does it parse? */
int wire_unpack_empty(const uint8_t *data, size_t size, struct nf_error *err);

/*
 * Replies, on the client's side: unpack with the element cap, check strings, enum values and
 * lengths (a Partial's keys and states fit its groups). NULL and err on failure; free with the
 * generated nearfold__v1__*__free_unpacked(m, NULL).
 */
Nearfold__V1__ExecuteReply *wire_unpack_execute_reply(const uint8_t *data, size_t size,
						      uint32_t key_bytes, uint32_t state_bytes,
						      struct nf_error *err);
Nearfold__V1__Capabilities *wire_unpack_capabilities(const uint8_t *data, size_t size,
						     struct nf_error *err);
Nearfold__V1__ListDatasetsReply *wire_unpack_list_datasets(const uint8_t *data, size_t size,
							   struct nf_error *err);
Nearfold__V1__Dataset *wire_unpack_dataset(const uint8_t *data, size_t size, struct nf_error *err);
Nearfold__V1__LoadProgramReply *wire_unpack_load_program_reply(const uint8_t *data, size_t size,
							       struct nf_error *err);
Nearfold__V1__ReadRangeReply *wire_unpack_read_range_reply(const uint8_t *data, size_t size,
							   struct nf_error *err);
Nearfold__V1__Status *wire_unpack_status(const uint8_t *data, size_t size, struct nf_error *err);

/*
 * grpc-status-details-bin: google.rpc.Status with one ErrorDetail. ret is malloc()ed, and at most
 * WIRE_MAX_DETAILS_BYTES long: the report's end, then the text's, gives way to "...". -ENOMEM.
 */
int wire_pack_details(enum nf_code code, const char *message, const Nearfold__V1__ErrorDetail *d,
		      uint8_t **ret, size_t *ret_size);
/* NULL when there is no ErrorDetail inside or it is malformed. */
Nearfold__V1__ErrorDetail *wire_unpack_details(const uint8_t *data, size_t size);

/* Health (grpc.health.v1): the service name asked for ("" is the whole server), malloc()ed. */
int wire_unpack_health(const uint8_t *data, size_t size, char **ret_service, struct nf_error *err);
/* status 1 SERVING, 2 NOT_SERVING, 3 SERVICE_UNKNOWN */
int wire_pack_health(int status, uint8_t **ret, size_t *ret_size);

#endif
