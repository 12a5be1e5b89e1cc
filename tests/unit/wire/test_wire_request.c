/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "wire_test.h"

#include <errno.h>

static void pack(const ProtobufCMessage *m, struct test_bytes *ret)
{
	uint8_t *data;

	assert_int_equal(wire_pack(m, 0, &data, &ret->size), 0);
	assert_true(ret->size <= sizeof(ret->data));
	memcpy(ret->data, data, ret->size);
	free(data);
}

static void test_program_round_trip(void **state)
{
	struct program *p = test_program(), *back;
	Nearfold__V1__Program *m;
	struct nf_error err;

	(void)state;
	assert_int_equal(wire_program_to(p, &m), 0);
	assert_int_equal(m->functions[0]->insns.len, 32);
	/* RFC 9669's bytes, whatever this machine's order is. */
	assert_memory_equal(m->functions[0]->insns.data,
			    "\x18\x01\0\0\x01\0\0\x80\0\0\0\0\xfe\xff\xff\xff\xb7\0\0\0\0\0\0\0",
			    24);
	if (wire_program_from(m, &back, &err))
		fail_msg("%s: %s", err.where, err.text);
	assert_memory_equal(back->id, p->id, PROGRAM_ID_BYTES);
	assert_int_equal(back->n_funcs, 3);
	assert_int_equal(back->funcs[1].n_lines, 2);
	assert_string_equal(back->funcs[1].lines[0].text, "u64 x = 7;");
	assert_int_equal(back->funcs[1].lines[1].line, 11);
	assert_string_equal(back->files[0], "average.bpf.c");
	assert_memory_equal(back->init_state, "\1\2\3\4\5\6\7\10", 8);
	assert_memory_equal(back->rodata, "\1\2\3\4\5", 5);
	wire_program_to_free(m);
	program_unref(back);
	program_unref(p);
}

static void test_execute_round_trip(void **state)
{
	Nearfold__V1__ExecuteRequest q;
	Nearfold__V1__Range range = NEARFOLD__V1__RANGE__INIT;
	struct program *p = test_program();
	struct test_bytes b;
	struct wire_execute e;
	struct nf_error err;

	(void)state;
	nearfold__v1__execute_request__init(&q);
	q.dataset = "trades";
	q.which_case = NEARFOLD__V1__EXECUTE_REQUEST__WHICH_PROGRAM;
	assert_int_equal(wire_program_to(p, &q.program), 0);
	q.params = (ProtobufCBinaryData){4, (uint8_t *)"\1\2\3\4"};
	q.engine = "interp";
	q.reader = "uring";
	q.threads = 3;
	q.queue_depth = 16;
	range.start_bytes = 100;
	q.range = &range;
	q.instructions_per_record = 1ull << 40;
	q.max_groups = 77;
	q.chunk_bytes = 4096;
	q.generation = UINT64_MAX;
	pack(&q.base, &b);
	if (wire_unpack_execute(b.data, b.size, &e, &err))
		fail_msg("%s: %s", err.where, err.text);
	assert_string_equal(e.dataset, "trades");
	assert_memory_equal(e.program->id, p->id, PROGRAM_ID_BYTES);
	assert_int_equal(e.params_bytes, 4);
	assert_memory_equal(e.params, "\1\2\3\4", 4);
	assert_string_equal(e.engine, "interp");
	assert_string_equal(e.reader, "uring");
	assert_int_equal(e.threads, 3);
	assert_int_equal(e.queue_depth, 16);
	assert_true(e.has_range);
	assert_int_equal(e.range_start, 100);
	assert_true(e.range_end == UINT64_MAX);
	assert_true(e.instructions_per_record == 1ull << 40);
	assert_int_equal(e.max_groups, 77);
	assert_int_equal(e.chunk_bytes, 4096);
	assert_true(e.generation == UINT64_MAX);
	wire_execute_done(&e);
	assert_null(e.dataset);
	wire_program_to_free(q.program);

	q.which_case = NEARFOLD__V1__EXECUTE_REQUEST__WHICH_PROGRAM_ID;
	q.program_id = (ProtobufCBinaryData){PROGRAM_ID_BYTES, p->id};
	q.engine = q.reader = "";
	q.range = NULL;
	pack(&q.base, &b);
	assert_int_equal(wire_unpack_execute(b.data, b.size, &e, &err), 0);
	assert_null(e.program);
	assert_memory_equal(e.program_id, p->id, PROGRAM_ID_BYTES);
	assert_string_equal(e.engine, "auto");
	assert_string_equal(e.reader, "auto");
	assert_false(e.has_range);
	assert_true(e.range_start == 0 && e.range_end == UINT64_MAX);
	wire_execute_done(&e);
	program_unref(p);
}

/* What a request with one thing wrong says about where. */
static void refused(const Nearfold__V1__ExecuteRequest *q, const char *where, const char *text)
{
	struct wire_execute e;
	struct test_bytes b;
	struct nf_error err;

	pack(&q->base, &b);
	assert_int_equal(wire_unpack_execute(b.data, b.size, &e, &err), -EINVAL);
	assert_int_equal(err.code, NF_INVALID_ARGUMENT);
	assert_string_equal(err.where, where);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not contain '%s'", err.text, text);
}

static void test_execute_refused(void **state)
{
	Nearfold__V1__ExecuteRequest good, q;
	Nearfold__V1__Range range = NEARFOLD__V1__RANGE__INIT;
	char name[300] = "";
	uint8_t id[33] = {0};

	(void)state;
	nearfold__v1__execute_request__init(&good);
	good.dataset = "trades";
	good.which_case = NEARFOLD__V1__EXECUTE_REQUEST__WHICH_PROGRAM_ID;
	good.program_id = (ProtobufCBinaryData){32, id};

	q = good;
	q.dataset = "";
	refused(&q, "dataset", "needed");
	memset(name, 'n', 256);
	q.dataset = name;
	refused(&q, "dataset", "255");
	q = good;
	q.dataset = "a\xff";
	refused(&q, "dataset", "UTF-8");
	q = good;
	q.engine = "gpu";
	refused(&q, "engine", "'gpu' is none of auto, kernel, jit, interp");
	q = good;
	q.reader = "tape";
	refused(&q, "reader", "'tape' is none of auto, pread, uring, mmap");
	q = good;
	range.start_bytes = 10;
	range.end_bytes = 9;
	q.range = &range;
	refused(&q, "range", "after");
	q = good;
	q.program_id.len = 31;
	refused(&q, "program_id", "31 bytes");
	q.program_id.len = 33;
	refused(&q, "program_id", "33 bytes");
	q = good;
	q.which_case = NEARFOLD__V1__EXECUTE_REQUEST__WHICH__NOT_SET;
	refused(&q, "program", "needed");
}

static void test_params_too_long(void **state)
{
	Nearfold__V1__ExecuteRequest q;
	struct wire_execute e;
	struct nf_error err;
	uint8_t id[32] = {0}, *data;
	size_t size;

	(void)state;
	nearfold__v1__execute_request__init(&q);
	q.dataset = "d";
	q.which_case = NEARFOLD__V1__EXECUTE_REQUEST__WHICH_PROGRAM_ID;
	q.program_id = (ProtobufCBinaryData){32, id};
	q.params.len = PROGRAM_MAX_PARAMS_BYTES + 1;
	q.params.data = calloc(1, q.params.len);
	assert_int_equal(wire_pack(&q.base, 0, &data, &size), 0);
	assert_int_equal(wire_unpack_execute(data, size, &e, &err), -EINVAL);
	assert_string_equal(err.where, "params");
	free(data);
	q.params.len--;
	assert_int_equal(wire_pack(&q.base, 5, &data, &size), 0); /* with headroom */
	assert_int_equal(wire_unpack_execute(data + 5, size, &e, &err), 0);
	assert_int_equal(e.params_bytes, PROGRAM_MAX_PARAMS_BYTES);
	wire_execute_done(&e);
	free(data);
	free(q.params.data);
}

static void program_refused(const Nearfold__V1__Program *m, const char *where)
{
	struct program *p;
	struct nf_error err;

	assert_int_equal(wire_program_from(m, &p, &err), -EINVAL);
	assert_string_equal(err.where, where);
}

static void test_program_refused(void **state)
{
	struct program *p = test_program();
	Nearfold__V1__Program *m, empty = NEARFOLD__V1__PROGRAM__INIT;
	static uint8_t many[(PROGRAM_MAX_INSNS + 1) * 8];

	(void)state;
	program_refused(&empty, "program.functions");
	assert_int_equal(wire_program_to(p, &m), 0);
	m->functions[2]->insns.len = 17;
	program_refused(m, "program.functions[2].insns");
	m->functions[2]->insns = (ProtobufCBinaryData){sizeof(many), many};
	program_refused(m, "program.functions[2].insns");
	wire_program_to_free(m);
	assert_int_equal(wire_program_to(p, &m), 0);
	m->functions[1]->kind = NEARFOLD__V1__FUNCTION_KIND__FUNCTION_KIND_UNSPECIFIED;
	program_refused(m, "program.functions[1].kind");
	m->functions[1]->kind = 99;
	program_refused(m, "program.functions[1].kind");
	m->functions[1]->kind = NEARFOLD__V1__FUNCTION_KIND__REDUCE;
	m->init_state.len = 7;
	program_refused(m, "program.init_state");
	wire_program_to_free(m);
	program_unref(p);
}

static void test_small_requests(void **state)
{
	Nearfold__V1__ReadRangeRequest rr = NEARFOLD__V1__READ_RANGE_REQUEST__INIT;
	Nearfold__V1__DescribeDatasetRequest dd = NEARFOLD__V1__DESCRIBE_DATASET_REQUEST__INIT;
	Nearfold__V1__LoadProgramRequest lp = NEARFOLD__V1__LOAD_PROGRAM_REQUEST__INIT;
	Nearfold__V1__Range range = NEARFOLD__V1__RANGE__INIT;
	struct program *p = test_program(), *back;
	struct wire_read_range r;
	struct test_bytes b;
	struct nf_error err;
	char *name;

	(void)state;
	rr.dataset = "x";
	rr.range = &range;
	range.start_bytes = 5;
	range.end_bytes = 5;
	rr.generation = 9;
	pack(&rr.base, &b);
	assert_int_equal(wire_unpack_read_range(b.data, b.size, &r, &err), 0);
	assert_string_equal(r.dataset, "x");
	assert_true(r.has_range && r.range_start == 5 && r.range_end == 5 && r.generation == 9);
	wire_read_range_done(&r);
	assert_int_equal(wire_unpack_read_range(NULL, 0, &r, &err), -EINVAL);
	assert_string_equal(err.where, "dataset");

	dd.name = "n\xc3\xa9";
	pack(&dd.base, &b);
	assert_int_equal(wire_unpack_describe(b.data, b.size, &name, &err), 0);
	assert_string_equal(name, "n\xc3\xa9");
	free(name);

	assert_int_equal(wire_program_to(p, &lp.program), 0);
	pack(&lp.base, &b);
	assert_int_equal(wire_unpack_load_program(b.data, b.size, &back, &err), 0);
	assert_memory_equal(back->id, p->id, PROGRAM_ID_BYTES);
	program_unref(back);
	assert_int_equal(wire_unpack_load_program(NULL, 0, &back, &err), -EINVAL);
	assert_string_equal(err.where, "program");
	wire_program_to_free(lp.program);
	program_unref(p);

	assert_int_equal(wire_unpack_empty(NULL, 0, &err), 0);
	assert_int_equal(wire_unpack_empty((const uint8_t *)"\x08\x01", 2, &err), 0);
	assert_int_equal(wire_unpack_empty((const uint8_t *)"\x08", 1, &err), -EINVAL);

	assert_int_equal(wire_unpack_health(NULL, 0, &name, &err), 0);
	assert_string_equal(name, "");
	free(name);
	assert_int_equal(wire_unpack_health((const uint8_t *)"\x0a\x03nfd", 5, &name, &err), 0);
	assert_string_equal(name, "nfd");
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program_round_trip),
		cmocka_unit_test(test_execute_round_trip),
		cmocka_unit_test(test_execute_refused),
		cmocka_unit_test(test_params_too_long),
		cmocka_unit_test(test_program_refused),
		cmocka_unit_test(test_small_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
