/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "wire_test.h"

static uint8_t program_id[PROGRAM_ID_BYTES] = {7};

static Nearfold__V1__ExecuteReply *through(const Nearfold__V1__ExecuteReply *m, uint32_t key_bytes,
					   uint32_t state_bytes, struct nf_error *err)
{
	AUTO_FREE uint8_t *data = NULL;
	size_t size;

	assert_int_equal(wire_pack(&m->base, 0, &data, &size), 0);
	return wire_unpack_execute_reply(data, size, key_bytes, state_bytes, err);
}

static void test_partial(void **state)
{
	static const struct {
		uint32_t groups, keys, states, key_bytes, state_bytes;
		const char *where; /* NULL: fine */
	} rows[] = {
		{3, 12, 24, 4, 8, NULL},
		{0, 0, 0, 4, 8, NULL},
		{1, 0, 8, 0, 8, NULL},
		{0, 0, 0, 0, 8, "partial.groups"},
		{2, 0, 16, 0, 8, "partial.groups"},
		{3, 11, 24, 4, 8, "partial.keys"},
		{3, 13, 24, 4, 8, "partial.keys"},
		{3, 12, 23, 4, 8, "partial.states"},
		{UINT32_MAX, 12, 24, 4, 8, "partial.keys"},
		/* A product that would wrap in 32 bits. */
		{0x40000000, 0, 0, 4, 8, "partial.keys"},
	};
	static uint8_t bytes[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		Nearfold__V1__ExecuteReply m = NEARFOLD__V1__EXECUTE_REPLY__INIT;
		Nearfold__V1__Partial p = NEARFOLD__V1__PARTIAL__INIT;
		struct nf_error err = {0};

		m.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_PARTIAL;
		m.partial = &p;
		p.program_id = (ProtobufCBinaryData){PROGRAM_ID_BYTES, program_id};
		p.groups = rows[i].groups;
		p.keys = (ProtobufCBinaryData){rows[i].keys, bytes};
		p.states = (ProtobufCBinaryData){rows[i].states, bytes};
		Nearfold__V1__ExecuteReply *back =
			through(&m, rows[i].key_bytes, rows[i].state_bytes, &err);
		if (rows[i].where) {
			assert_null(back);
			assert_string_equal(err.where, rows[i].where);
			continue;
		}
		assert_non_null(back);
		assert_int_equal(back->partial->groups, rows[i].groups);
		nearfold__v1__execute_reply__free_unpacked(back, NULL);
	}
}

static void test_program_ids(void **state)
{
	Nearfold__V1__ExecuteReply m = NEARFOLD__V1__EXECUTE_REPLY__INIT;
	Nearfold__V1__Started s = NEARFOLD__V1__STARTED__INIT;
	struct nf_error err;

	(void)state;
	m.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_STARTED;
	m.started = &s;
	s.program_id = (ProtobufCBinaryData){PROGRAM_ID_BYTES - 1, program_id};
	assert_null(through(&m, 0, 8, &err));
	assert_string_equal(err.where, "started.program_id");
	assert_null(wire_unpack_load_program_reply(NULL, 0, &err));
	assert_string_equal(err.where, "program_id");
}

static void test_events(void **state)
{
	Nearfold__V1__ExecuteReply m = NEARFOLD__V1__EXECUTE_REPLY__INIT, *back;
	Nearfold__V1__Progress progress = NEARFOLD__V1__PROGRESS__INIT;
	Nearfold__V1__Finished finished = NEARFOLD__V1__FINISHED__INIT;
	struct nf_error err;

	(void)state;
	m.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_PROGRESS;
	m.progress = &progress;
	progress.bytes_done = 1ull << 60;
	back = through(&m, 0, 8, &err);
	assert_true(back->progress->bytes_done == 1ull << 60);
	nearfold__v1__execute_reply__free_unpacked(back, NULL);

	m.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_FINISHED;
	m.finished = &finished;
	finished.engine_reason = "because";
	finished.memory_bytes = UINT64_MAX;
	back = through(&m, 0, 8, &err);
	assert_string_equal(back->finished->engine_reason, "because");
	assert_true(back->finished->memory_bytes == UINT64_MAX);
	nearfold__v1__execute_reply__free_unpacked(back, NULL);

	/* An event that only a newer node knows. */
	back = wire_unpack_execute_reply((const uint8_t *)"\x7a\x00", 2, 0, 8, &err);
	assert_non_null(back);
	assert_int_equal(back->event_case, NEARFOLD__V1__EXECUTE_REPLY__EVENT__NOT_SET);
	nearfold__v1__execute_reply__free_unpacked(back, NULL);
}

static void test_others(void **state)
{
	Nearfold__V1__Dataset d = NEARFOLD__V1__DATASET__INIT, *list[] = {&d, &d}, *d_back;
	Nearfold__V1__ListDatasetsReply l = NEARFOLD__V1__LIST_DATASETS_REPLY__INIT, *l_back;
	Nearfold__V1__EngineInfo e = NEARFOLD__V1__ENGINE_INFO__INIT, *engines[] = {&e};
	Nearfold__V1__Capabilities c = NEARFOLD__V1__CAPABILITIES__INIT, *c_back;
	Nearfold__V1__QueryStatus q = NEARFOLD__V1__QUERY_STATUS__INIT, *queries[] = {&q, &q, &q};
	Nearfold__V1__Status s = NEARFOLD__V1__STATUS__INIT, *s_back;
	Nearfold__V1__ReadRangeReply r = NEARFOLD__V1__READ_RANGE_REPLY__INIT, *r_back;
	Nearfold__V1__LoadProgramReply p = NEARFOLD__V1__LOAD_PROGRAM_REPLY__INIT, *p_back;
	struct nf_error err;
	uint8_t *data;
	size_t size;

	(void)state;
	d.name = "trades";
	d.generation = 5;
	d.tail_ignore = 1;
	wire_pack(&d.base, 0, &data, &size);
	d_back = wire_unpack_dataset(data, size, &err);
	free(data);
	assert_string_equal(d_back->name, "trades");
	assert_true(d_back->generation == 5 && d_back->tail_ignore);
	nearfold__v1__dataset__free_unpacked(d_back, NULL);

	l.n_datasets = 2;
	l.datasets = list;
	wire_pack(&l.base, 0, &data, &size);
	l_back = wire_unpack_list_datasets(data, size, &err);
	free(data);
	assert_int_equal(l_back->n_datasets, 2);
	assert_string_equal(l_back->datasets[1]->name, "trades");
	nearfold__v1__list_datasets_reply__free_unpacked(l_back, NULL);

	e.name = "interp";
	e.available = 1;
	c.n_engines = 1;
	c.engines = engines;
	c.processors = 2;
	wire_pack(&c.base, 0, &data, &size);
	c_back = wire_unpack_capabilities(data, size, &err);
	free(data);
	assert_string_equal(c_back->engines[0]->name, "interp");
	assert_int_equal(c_back->processors, 2);
	nearfold__v1__capabilities__free_unpacked(c_back, NULL);

	q.worker_pid = -1;
	s.n_queries = 3;
	s.queries = queries;
	s.draining = 1;
	wire_pack(&s.base, 0, &data, &size);
	s_back = wire_unpack_status(data, size, &err);
	free(data);
	assert_int_equal(s_back->queries[2]->worker_pid, -1);
	assert_true(s_back->draining);
	nearfold__v1__status__free_unpacked(s_back, NULL);

	r.data = (ProtobufCBinaryData){3, (uint8_t *)"a\0b"};
	wire_pack(&r.base, 0, &data, &size);
	r_back = wire_unpack_read_range_reply(data, size, &err);
	free(data);
	assert_int_equal(r_back->data.len, 3);
	assert_memory_equal(r_back->data.data, "a\0b", 3);
	nearfold__v1__read_range_reply__free_unpacked(r_back, NULL);

	p.program_id = (ProtobufCBinaryData){PROGRAM_ID_BYTES, program_id};
	p.report = "guarded: line 5\n";
	wire_pack(&p.base, 0, &data, &size);
	p_back = wire_unpack_load_program_reply(data, size, &err);
	free(data);
	assert_string_equal(p_back->report, "guarded: line 5\n");
	nearfold__v1__load_program_reply__free_unpacked(p_back, NULL);
}

static void test_details(void **state)
{
	Nearfold__V1__ErrorDetail d = NEARFOLD__V1__ERROR_DETAIL__INIT, *back;
	static char report[20001];
	uint8_t *data;
	size_t size;

	(void)state;
	d.where = "line 3";
	d.text = "why";
	d.limit = "groups";
	d.query_id = 42;
	d.fetch_instead = 1;
	d.report = "short";
	assert_int_equal(wire_pack_details(NF_RESOURCE_EXHAUSTED, "message", &d, &data, &size), 0);
	/* google.rpc.Status: code 8, then the message. */
	assert_memory_equal(data, "\x08\x08\x12\x07message", 11);
	back = wire_unpack_details(data, size);
	assert_string_equal(back->where, "line 3");
	assert_string_equal(back->text, "why");
	assert_string_equal(back->limit, "groups");
	assert_int_equal(back->query_id, 42);
	assert_true(back->fetch_instead);
	assert_string_equal(back->report, "short");
	nearfold__v1__error_detail__free_unpacked(back, NULL);
	for (size_t cut = 0; cut < size; cut++) {
		back = wire_unpack_details(data, cut);
		if (back)
			fail_msg("%zu of %zu bytes were taken", cut, size);
	}
	free(data);

	/* Three-byte characters at each alignment: none is cut in two. */
	for (size_t shift = 0; shift < 3; shift++) {
		memset(report, 'r', shift);
		for (size_t i = shift; i + 3 < sizeof(report); i += 3)
			memcpy(report + i, "\xe2\x82\xac", 4);
		d.report = report;
		assert_int_equal(wire_pack_details(NF_INVALID_ARGUMENT, NULL, &d, &data, &size), 0);
		assert_true(size <= WIRE_MAX_DETAILS_BYTES && size > WIRE_MAX_DETAILS_BYTES - 64);
		back = wire_unpack_details(data, size);
		assert_non_null(back);
		assert_string_equal(back->report + strlen(back->report) - 3, "...");
		assert_string_equal(back->text, "why");
		nearfold__v1__error_detail__free_unpacked(back, NULL);
		free(data);
	}
	assert_null(wire_unpack_details(NULL, 0));
	assert_null(wire_unpack_details((const uint8_t *)"\x1a\x02\x0a\x00", 4)); /* another type */
}

static void test_health(void **state)
{
	uint8_t *data;
	size_t size;

	(void)state;
	assert_int_equal(wire_pack_health(1, &data, &size), 0);
	assert_int_equal(size, 2);
	assert_memory_equal(data, "\x08\x01", 2);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partial), cmocka_unit_test(test_program_ids),
		cmocka_unit_test(test_events),  cmocka_unit_test(test_others),
		cmocka_unit_test(test_details), cmocka_unit_test(test_health),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
