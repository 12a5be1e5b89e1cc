/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wire_request.c - what clients send, as the node gets it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "health.pb-c.h"
#include "wire/wire.h"
#include "wire/wire_walk.h"

/* The names of the wire; "" is "auto". */
static const char *const engines[] = {"auto", "kernel", "jit", "interp", NULL};
static const char *const readers[] = {"auto", "pread", "uring", "mmap", "nvme", NULL};

static int no_memory(struct nf_error *err)
{
	return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, ENOMEM, NULL, "a request");
}

/* A name of a data set: there, and not longer than a file's may be. */
static int take_name(const char *name, const char *where, char **ret, struct nf_error *err)
{
	if (!*name)
		return nf_error_set(err, NF_INVALID_ARGUMENT, where,
				    "a name is needed; ListDatasets has them");
	if (strlen(name) > WIRE_MAX_NAME_BYTES)
		return nf_error_set(err, NF_INVALID_ARGUMENT, where,
				    "the name is longer than %d bytes", WIRE_MAX_NAME_BYTES);
	*ret = strdup(name);
	return *ret ? 0 : no_memory(err);
}

static int take_choice(const char *name, const char *where, const char *const *choices,
		       char ret[16], struct nf_error *err)
{
	if (!*name)
		name = choices[0];
	for (const char *const *c = choices; *c; c++)
		if (strcmp(*c, name) == 0) {
			memcpy(ret, name, strlen(name) + 1);
			return 0;
		}
	return nf_error_set(err, NF_INVALID_ARGUMENT, where, "'%.40s' is none of %s, %s, %s, %s",
			    name, choices[0], choices[1], choices[2], choices[3]);
}

static int take_range(const Nearfold__V1__Range *m, bool *ret_has, uint64_t *ret_start,
		      uint64_t *ret_end, struct nf_error *err)
{
	*ret_has = m != NULL;
	*ret_start = m ? m->start_bytes : 0;
	*ret_end = m && m->end_bytes ? m->end_bytes : UINT64_MAX;
	if (*ret_start > *ret_end)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "range",
				    "start_bytes is after end_bytes");
	return 0;
}

/* ---- Execute --------------------------------------------------------------------------------- */

static int take_program(const Nearfold__V1__ExecuteRequest *m, struct wire_execute *e,
			struct nf_error *err)
{
	switch (m->which_case) {
	case NEARFOLD__V1__EXECUTE_REQUEST__WHICH_PROGRAM:
		return wire_program_from(m->program, &e->program, err);
	case NEARFOLD__V1__EXECUTE_REQUEST__WHICH_PROGRAM_ID:
		if (m->program_id.len != PROGRAM_ID_BYTES)
			return nf_error_set(err, NF_INVALID_ARGUMENT, "program_id",
					    "%zu bytes; a program's id has %d", m->program_id.len,
					    PROGRAM_ID_BYTES);
		memcpy(e->program_id, m->program_id.data, PROGRAM_ID_BYTES);
		return 0;
	default:
		return nf_error_set(err, NF_INVALID_ARGUMENT, "program",
				    "a program or a program_id is needed");
	}
}

static int take_execute(const Nearfold__V1__ExecuteRequest *m, struct wire_execute *e,
			struct nf_error *err)
{
	int r = take_name(m->dataset, "dataset", &e->dataset, err);

	if (!r)
		r = take_choice(m->engine, "engine", engines, e->engine, err);
	if (!r)
		r = take_choice(m->reader, "reader", readers, e->reader, err);
	if (!r)
		r = take_range(m->range, &e->has_range, &e->range_start, &e->range_end, err);
	if (r)
		return r;
	if (m->params.len > PROGRAM_MAX_PARAMS_BYTES)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "params",
				    "%zu bytes; at most %d are possible", m->params.len,
				    PROGRAM_MAX_PARAMS_BYTES);
	if (m->params.len > 0) {
		e->params = malloc(m->params.len);
		if (!e->params)
			return no_memory(err);
		memcpy(e->params, m->params.data, m->params.len);
		e->params_bytes = (uint32_t)m->params.len;
	}
	e->threads = m->threads;
	e->queue_depth = m->queue_depth;
	e->instructions_per_record = m->instructions_per_record;
	e->max_groups = m->max_groups;
	e->chunk_bytes = m->chunk_bytes;
	e->generation = m->generation;
	return take_program(m, e, err);
}

int wire_unpack_execute(const uint8_t *data, size_t size, struct wire_execute *ret,
			struct nf_error *err)
{
	struct wire_execute e = {0};
	Nearfold__V1__ExecuteRequest *m = (Nearfold__V1__ExecuteRequest *)wire_unpack(
		&nearfold__v1__execute_request__descriptor, data, size, err);

	if (!m)
		return -EINVAL;
	int r = take_execute(m, &e, err);
	nearfold__v1__execute_request__free_unpacked(m, NULL);
	if (r)
		wire_execute_done(&e);
	else
		*ret = e;
	return r;
}

void wire_execute_done(struct wire_execute *e)
{
	free(e->dataset);
	free(e->params);
	program_unref(e->program);
	*e = (struct wire_execute){0};
}

/* ---- the others ------------------------------------------------------------------------------ */

int wire_unpack_load_program(const uint8_t *data, size_t size, struct program **ret,
			     struct nf_error *err)
{
	Nearfold__V1__LoadProgramRequest *m = (Nearfold__V1__LoadProgramRequest *)wire_unpack(
		&nearfold__v1__load_program_request__descriptor, data, size, err);
	int r;

	if (!m)
		return -EINVAL;
	if (m->program)
		r = wire_program_from(m->program, ret, err);
	else
		r = nf_error_set(err, NF_INVALID_ARGUMENT, "program", "a program is needed");
	nearfold__v1__load_program_request__free_unpacked(m, NULL);
	return r;
}

int wire_unpack_read_range(const uint8_t *data, size_t size, struct wire_read_range *ret,
			   struct nf_error *err)
{
	struct wire_read_range q = {0};
	Nearfold__V1__ReadRangeRequest *m = (Nearfold__V1__ReadRangeRequest *)wire_unpack(
		&nearfold__v1__read_range_request__descriptor, data, size, err);

	if (!m)
		return -EINVAL;
	q.generation = m->generation;
	int r = take_range(m->range, &q.has_range, &q.range_start, &q.range_end, err);
	if (!r)
		r = take_name(m->dataset, "dataset", &q.dataset, err);
	nearfold__v1__read_range_request__free_unpacked(m, NULL);
	if (!r)
		*ret = q;
	return r;
}

void wire_read_range_done(struct wire_read_range *r)
{
	free(r->dataset);
	*r = (struct wire_read_range){0};
}

int wire_unpack_describe(const uint8_t *data, size_t size, char **ret_name, struct nf_error *err)
{
	Nearfold__V1__DescribeDatasetRequest *m =
		(Nearfold__V1__DescribeDatasetRequest *)wire_unpack(
			&nearfold__v1__describe_dataset_request__descriptor, data, size, err);

	if (!m)
		return -EINVAL;
	int r = take_name(m->name, "name", ret_name, err);
	nearfold__v1__describe_dataset_request__free_unpacked(m, NULL);
	return r;
}

int wire_unpack_empty(const uint8_t *data, size_t size, struct nf_error *err)
{
	/* The three requests without fields are alike on the wire. */
	return wire_walk(&nearfold__v1__get_status_request__descriptor, data, size, err);
}

int wire_unpack_health(const uint8_t *data, size_t size, char **ret_service, struct nf_error *err)
{
	Grpc__Health__V1__HealthCheckRequest *m =
		(Grpc__Health__V1__HealthCheckRequest *)wire_unpack(
			&grpc__health__v1__health_check_request__descriptor, data, size, err);

	if (!m)
		return -EINVAL;
	char *service = strdup(m->service);
	grpc__health__v1__health_check_request__free_unpacked(m, NULL);
	if (!service)
		return no_memory(err);
	*ret_service = service;
	return 0;
}

int wire_pack_health(int status, uint8_t **ret, size_t *ret_size)
{
	Grpc__Health__V1__HealthCheckResponse m = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

	m.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
	return wire_pack(&m.base, 0, ret, ret_size);
}
