/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_execute.c - queries against nodes that answer rightly, wrongly, late, or not at all. */
#include "fake_node.h"

#include <sys/eventfd.h>

static void say_started(struct fake_answer *a, const struct program *p)
{
	Nearfold__V1__ExecuteReply m = NEARFOLD__V1__EXECUTE_REPLY__INIT;
	Nearfold__V1__Started s = NEARFOLD__V1__STARTED__INIT;

	s.query_id = 41;
	s.program_id = (ProtobufCBinaryData){PROGRAM_ID_BYTES, (uint8_t *)p->id};
	m.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_STARTED;
	m.started = &s;
	fake_say(a, &m.base);
}

static void say_partial(struct fake_answer *a, const uint8_t *id, uint32_t groups,
			const uint32_t *keys, const uint64_t *states)
{
	Nearfold__V1__ExecuteReply m = NEARFOLD__V1__EXECUTE_REPLY__INIT;
	Nearfold__V1__Partial p = NEARFOLD__V1__PARTIAL__INIT;

	p.program_id = (ProtobufCBinaryData){PROGRAM_ID_BYTES, (uint8_t *)id};
	p.groups = groups;
	if (keys)
		p.keys = (ProtobufCBinaryData){4 * (size_t)groups, (uint8_t *)keys};
	p.states = (ProtobufCBinaryData){8 * (size_t)groups, (uint8_t *)states};
	m.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_PARTIAL;
	m.partial = &p;
	fake_say(a, &m.base);
}

static void say_progress(struct fake_answer *a, uint64_t done)
{
	Nearfold__V1__ExecuteReply m = NEARFOLD__V1__EXECUTE_REPLY__INIT;
	Nearfold__V1__Progress p = NEARFOLD__V1__PROGRESS__INIT;

	p.bytes_done = done;
	p.bytes_total = 1000;
	m.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_PROGRESS;
	m.progress = &p;
	fake_say(a, &m.base);
}

static void say_finished(struct fake_answer *a, const char *engine, uint64_t records)
{
	Nearfold__V1__ExecuteReply m = NEARFOLD__V1__EXECUTE_REPLY__INIT;
	Nearfold__V1__Finished f = NEARFOLD__V1__FINISHED__INIT;

	f.engine = (char *)engine;
	f.records = records;
	f.bytes_scanned = 8 * records;
	m.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_FINISHED;
	f.device = (char *)"vda (1 queue, none polled)";
	m.finished = &f;
	fake_say(a, &m.base);
}

/* A whole right answer: the state, ungrouped. */
static void say_state(struct fake_answer *a, const struct program *p, uint64_t state)
{
	say_started(a, p);
	say_partial(a, p->id, 1, NULL, &state);
	say_finished(a, "interp", 10);
}

static int run(struct fake_node *f, struct nearfold_query *q, struct nearfold_result **ret,
	       struct nearfold_error *err)
{
	struct nearfold_conn *c;
	int r;

	memset(err, 0, sizeof(*err));
	assert_int_equal(nearfold_connect(f->address, NULL, &c, err), 0);
	r = nearfold_run(c, q, ret, err);
	nearfold_close(c);
	return r;
}

static uint64_t state_of(const struct nearfold_result *r, uint64_t row)
{
	const void *key, *state;
	uint64_t v;

	assert_int_equal(nearfold_result_row(r, row, &key, &state), 0);
	memcpy(&v, state, sizeof(v));
	return v;
}

static void test_a_program_is_sent_only_when_the_node_lacks_it(void **state)
{
	struct fake_node f = {0};
	struct fake_answer *a = f.methods[FAKE_EXECUTE].answers;
	struct nearfold_program p;
	struct nearfold_result *res;
	struct nearfold_error err;

	(void)state;
	counting_program(false, &p);
	a[0] = (struct fake_answer){
		.code = NF_NOT_FOUND, .text = "no such program", .missing = "program"};
	say_state(&a[1], p.program, 99);
	say_state(&a[2], p.program, 99);
	fake_start_node(&f);

	struct nearfold_query q = {.program = &p, .dataset = "d"};

	for (int i = 0; i < 2; i++) {
		assert_int_equal(run(&f, &q, &res, &err), 0);
		assert_int_equal(nearfold_result_rows(res), 1);
		assert_int_equal(state_of(res, 0), 99);
		assert_int_equal(nearfold_result_stats(res)->query_id, 41);
		assert_int_equal(nearfold_result_stats(res)->records, 10);
		assert_string_equal(nearfold_result_stats(res)->engine, "interp");
		assert_string_equal(nearfold_result_stats(res)->device,
				    "vda (1 queue, none polled)");
		assert_true(nearfold_result_stats(res)->wire_bytes_sent > 0);
		nearfold_result_free(res);
	}
	fake_stop_node(&f);
	assert_true(f.had_id[0] && f.had_program[1] && f.had_id[2]);
	program_unref(p.program);
}

static void test_groups_that_come_twice_are_combined_and_ordered(void **state)
{
	static const uint32_t first[] = {256, 1}, second[] = {1, 7};
	static const uint64_t counts[] = {5, 6};
	struct fake_node f = {0};
	struct fake_answer *a = f.methods[FAKE_EXECUTE].answers;
	struct nearfold_program p;
	struct nearfold_result *res;
	struct nearfold_error err;

	(void)state;
	counting_program(true, &p);
	say_started(a, p.program);
	say_partial(a, p.program->id, 2, first, counts);
	say_partial(a, p.program->id, 2, second, counts);
	say_finished(a, "interp", 22);
	fake_start_node(&f);

	struct nearfold_query q = {.program = &p, .dataset = "d"};

	assert_int_equal(run(&f, &q, &res, &err), 0);
	assert_int_equal(nearfold_result_rows(res), 3);
	/* No types: keys are ordered by their bytes, 256 being 00 01 00 00. */
	assert_int_equal(state_of(res, 0), 5);
	assert_int_equal(state_of(res, 1), 6 + 5);
	assert_int_equal(state_of(res, 2), 6);
	assert_int_equal(nearfold_result_stats(res)->groups, 3);
	nearfold_result_free(res);

	q.max_groups = 2;
	f.methods[FAKE_EXECUTE].calls = 0;
	assert_int_equal(run(&f, &q, &res, &err), -ENOSPC);
	assert_int_equal(err.code, NF_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(err.text, "more than 2 groups"));
	fake_stop_node(&f);
	program_unref(p.program);
}

/* The node's answer is wrong in that way: INTERNAL, and never a result. */
static void expect_internal(struct fake_node *f, struct nearfold_program *p, const char *says)
{
	struct nearfold_query q = {.program = p, .dataset = "d"};
	struct nearfold_result *res = NULL;
	struct nearfold_error err;

	fake_start_node(f);
	assert_true(run(f, &q, &res, &err) < 0);
	fake_stop_node(f);
	assert_null(res);
	assert_int_equal(err.code, NF_INTERNAL);
	if (!strstr(err.text, says))
		fail_msg("'%s', want '%s'", err.text, says);
}

static void test_answers_that_are_wrong(void **state)
{
	static const uint8_t other_id[PROGRAM_ID_BYTES] = {1};
	static uint8_t garbage[] = {0xff, 0xff, 0xff};
	const uint64_t count = 3;
	struct nearfold_program p;

	(void)state;
	counting_program(false, &p);
	{
		struct fake_node f = {0};
		struct fake_answer *a = f.methods[FAKE_EXECUTE].answers;

		say_started(a, p.program);
		say_partial(a, p.program->id, 1, NULL, &count);
		expect_internal(&f, &p, "without its statistics");
	}
	{
		struct fake_node f = {0};
		struct fake_answer *a = f.methods[FAKE_EXECUTE].answers;

		say_started(a, p.program);
		say_finished(a, "interp", 1);
		expect_internal(&f, &p, "without an answer");
	}
	{
		struct fake_node f = {0};
		struct fake_answer *a = f.methods[FAKE_EXECUTE].answers;

		say_started(a, p.program);
		say_partial(a, other_id, 1, NULL, &count);
		say_finished(a, "interp", 1);
		expect_internal(&f, &p, "another program");
	}
	{
		struct fake_node f = {0};
		struct fake_answer *a = f.methods[FAKE_EXECUTE].answers;

		say_state(a, p.program, 1);
		say_partial(a, p.program->id, 1, NULL, &count);
		expect_internal(&f, &p, "after the last one");
	}
	{
		struct fake_node f = {0};
		struct fake_answer *a = f.methods[FAKE_EXECUTE].answers;

		a->messages[0] = memcpy(malloc(3), garbage, 3);
		a->sizes[0] = 3;
		a->n = 1;
		expect_internal(&f, &p, "cannot be read");
	}
	program_unref(p.program);
}

static void test_the_nodes_reason_arrives_whole(void **state)
{
	struct fake_node f = {0};
	struct fake_answer *a = f.methods[FAKE_EXECUTE].answers;
	struct nearfold_program p;
	struct nearfold_result *res;
	struct nearfold_error err;

	(void)state;
	counting_program(false, &p);
	a[0] = (struct fake_answer){
		.code = NF_OUT_OF_RANGE,
		.text = "the budget ran out",
		.where = "count.bpf.c:7 in reduce 'count'",
		.query_id = 12,
	};
	a[1] = (struct fake_answer){
		.code = NF_UNAVAILABLE,
		.text = "too busy",
		.limit = "queries_queued",
		.fetch_instead = true,
	};
	fake_start_node(&f);

	struct nearfold_query q = {.program = &p, .dataset = "d"};

	assert_true(run(&f, &q, &res, &err) < 0);
	assert_int_equal(err.code, NF_OUT_OF_RANGE);
	assert_string_equal(err.text, "the budget ran out");
	assert_string_equal(err.where, "count.bpf.c:7 in reduce 'count'");
	assert_string_equal(err.source, "\ts->count++;");
	assert_int_equal(err.query_id, 12);

	assert_true(run(&f, &q, &res, &err) < 0);
	assert_string_equal(err.text, "too busy (the limit queries_queued; nearfold status shows "
				      "it); nearfold read can bring the data here meanwhile");
	assert_string_equal(err.where, f.address);
	fake_stop_node(&f);
	program_unref(p.program);
}

static void test_an_unknown_data_set_names_those_that_are_there(void **state)
{
	struct fake_node f = {0};
	Nearfold__V1__Dataset one = NEARFOLD__V1__DATASET__INIT, two = NEARFOLD__V1__DATASET__INIT;
	Nearfold__V1__Dataset *both[] = {&one, &two};
	Nearfold__V1__ListDatasetsReply list = NEARFOLD__V1__LIST_DATASETS_REPLY__INIT;
	struct nearfold_program p;
	struct nearfold_result *res;
	struct nearfold_error err;

	(void)state;
	counting_program(false, &p);
	one.name = (char *)"logs";
	two.name = (char *)"trades";
	list.datasets = both;
	list.n_datasets = 2;
	f.methods[FAKE_EXECUTE].answers[0] = (struct fake_answer){
		.code = NF_NOT_FOUND, .text = "no data set 'd'", .missing = "dataset"};
	fake_say(&f.methods[FAKE_LIST].answers[0], &list.base);
	fake_start_node(&f);

	struct nearfold_query q = {.program = &p, .dataset = "d"};

	assert_true(run(&f, &q, &res, &err) < 0);
	assert_string_equal(err.text, "no data set 'd'; the node has logs, trades");
	fake_stop_node(&f);
	program_unref(p.program);
}

static void note_progress(void *arg, const struct nearfold_progress *p)
{
	*(uint64_t *)arg += p->bytes_done;
}

static void test_cancel_and_timeout_end_a_query_that_hangs(void **state)
{
	struct fake_node f = {0};
	struct fake_answer *a = f.methods[FAKE_EXECUTE].answers;
	struct nearfold_conn_options options = {.size = sizeof(options)};
	struct nearfold_program p;
	struct nearfold_conn *c;
	struct nearfold_result *res;
	struct nearfold_error err;
	uint64_t seen = 0;

	(void)state;
	counting_program(false, &p);
	for (int i = 0; i < 2; i++) {
		say_started(&a[i], p.program);
		say_progress(&a[i], 300);
		a[i].hangs = true;
	}
	fake_start_node(&f);
	options.cancel_fd = eventfd(0, EFD_CLOEXEC);

	struct nearfold_query q = {.program = &p,
				   .dataset = "d",
				   .timeout_ns = 300000000,
				   .progress = note_progress,
				   .progress_arg = &seen};

	assert_int_equal(nearfold_connect(f.address, &options, &c, &err), 0);
	assert_true(nearfold_run(c, &q, &res, &err) < 0);
	assert_int_equal(err.code, NF_DEADLINE_EXCEEDED);
	assert_int_equal(seen, 300);

	q.timeout_ns = 0;
	assert_int_equal(eventfd_write(options.cancel_fd, 1), 0);
	assert_int_equal(nearfold_run(c, &q, &res, &err), -ECANCELED);
	assert_int_equal(err.code, NF_CANCELLED);
	nearfold_close(c);
	close(options.cancel_fd);
	fake_stop_node(&f);
	program_unref(p.program);
}

static void test_gather_adds_up_or_fails_whole(void **state)
{
	struct fake_node f[3] = {0};
	struct nearfold_program p;
	struct nearfold_conn *c[3];
	struct nearfold_result *res;
	struct nearfold_error err = {0};

	(void)state;
	counting_program(false, &p);
	for (unsigned i = 0; i < 3; i++) {
		say_state(&f[i].methods[FAKE_EXECUTE].answers[0], p.program, 10 + i);
		if (i == 1)
			f[i].methods[FAKE_EXECUTE].answers[1] =
				(struct fake_answer){.code = NF_ABORTED,
						     .text = "the data changed",
						     .where = "part1.bin"};
		else
			say_state(&f[i].methods[FAKE_EXECUTE].answers[1], p.program, 10 + i);
		fake_start_node(&f[i]);
		assert_int_equal(nearfold_connect(f[i].address, NULL, &c[i], &err), 0);
	}

	struct nearfold_query q = {.program = &p, .dataset = "d"};

	assert_int_equal(nearfold_gather(c, 3, &q, &res, &err), 0);
	assert_int_equal(state_of(res, 0), 33);
	assert_int_equal(nearfold_result_stats(res)->records, 30);
	assert_int_equal(nearfold_result_stats(res)->bytes_scanned, 240);
	nearfold_result_free(res);

	assert_true(nearfold_gather(c, 3, &q, &res, &err) < 0);
	assert_int_equal(err.code, NF_ABORTED);
	assert_non_null(strstr(err.where, f[1].address));
	assert_non_null(strstr(err.where, ": part1.bin"));

	struct nearfold_conn *twice[] = {c[0], c[2], c[0]};

	assert_int_equal(nearfold_gather(twice, 3, &q, &res, &err), -EINVAL);
	assert_string_equal(err.where, f[0].address);
	assert_non_null(strstr(err.text, "named twice"));
	for (unsigned i = 0; i < 3; i++) {
		nearfold_close(c[i]);
		fake_stop_node(&f[i]);
	}
	program_unref(p.program);
}

static void say_bytes(struct fake_answer *a, uint64_t offset, const char *text, uint64_t total)
{
	Nearfold__V1__ReadRangeReply m = NEARFOLD__V1__READ_RANGE_REPLY__INIT;

	m.offset_bytes = offset;
	m.data = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
	m.total_bytes = total;
	fake_say(a, &m.base);
}

static int append(void *arg, const void *data, size_t n)
{
	char *to = arg;

	strncat(to, data, n);
	return strcmp(to, "stop") == 0 ? 5 : 0;
}

static void test_bytes_that_are_read_are_all_there(void **state)
{
	struct fake_node f = {0};
	struct fake_answer *a = f.methods[FAKE_READ].answers;
	struct nearfold_conn *c;
	struct nearfold_error err = {0};
	char got[64] = "";

	(void)state;
	say_bytes(&a[0], 5, "abc", 6);
	say_bytes(&a[0], 8, "def", 0);
	say_bytes(&a[1], 0, "abc", 6);
	say_bytes(&a[1], 4, "ef", 0);  /* one is missing */
	say_bytes(&a[2], 0, "abc", 6); /* and here the rest */
	say_bytes(&a[3], 0, "stop", 4);
	fake_start_node(&f);
	assert_int_equal(nearfold_connect(f.address, NULL, &c, &err), 0);
	assert_int_equal(nearfold_read(c, "d", 5, 11, append, got, &err), 0);
	assert_string_equal(got, "abcdef");
	got[0] = '\0';
	assert_true(nearfold_read(c, "d", 0, UINT64_MAX, append, got, &err) < 0);
	assert_int_equal(err.code, NF_INTERNAL);
	got[0] = '\0';
	assert_true(nearfold_read(c, "d", 0, UINT64_MAX, append, got, &err) < 0);
	assert_int_equal(err.code, NF_DATA_LOSS);
	got[0] = '\0';
	assert_int_equal(nearfold_read(c, "d", 0, UINT64_MAX, append, got, &err), 5);
	assert_true(nearfold_read(c, "d", 3, 3, append, got, &err) < 0);
	nearfold_close(c);
	fake_stop_node(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_program_is_sent_only_when_the_node_lacks_it),
		cmocka_unit_test(test_groups_that_come_twice_are_combined_and_ordered),
		cmocka_unit_test(test_answers_that_are_wrong),
		cmocka_unit_test(test_the_nodes_reason_arrives_whole),
		cmocka_unit_test(test_an_unknown_data_set_names_those_that_are_there),
		cmocka_unit_test(test_cancel_and_timeout_end_a_query_that_hangs),
		cmocka_unit_test(test_gather_adds_up_or_fails_whole),
		cmocka_unit_test(test_bytes_that_are_read_are_all_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
