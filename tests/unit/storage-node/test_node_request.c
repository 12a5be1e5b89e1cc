/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage-node/node_request.h"

static struct node_config config;
static struct wire_execute request;
static struct nf_error err;
static const char *limit;

static int setup(void **state)
{
	(void)state;
	node_config_init(&config);
	request = (struct wire_execute){.engine = "auto", .reader = "auto"};
	limit = NULL;
	return 0;
}

static void an_unknown_reader_or_engine_is_refused(void **state)
{
	(void)state;
	assert_int_equal(request_check(&request, &config, &limit, &err), 0);
	strcpy(request.reader, "tape");
	assert_true(request_check(&request, &config, &limit, &err) < 0);
	assert_string_equal(err.where, "reader");
	assert_int_equal(err.code, NF_INVALID_ARGUMENT);
	strcpy(request.reader, "mmap");
	strcpy(request.engine, "steam");
	assert_true(request_check(&request, &config, &limit, &err) < 0);
	assert_string_equal(err.where, "engine");
	assert_int_equal(err.code, NF_INVALID_ARGUMENT);
}

static void a_kernel_engine_that_is_off_is_refused(void **state)
{
	(void)state;
	config.kernel_engine = false;
	strcpy(request.engine, "kernel");
	assert_true(request_check(&request, &config, &limit, &err) < 0);
	assert_int_equal(err.code, NF_FAILED_PRECONDITION);
	strcpy(request.engine, "interp");
	assert_int_equal(request_check(&request, &config, &limit, &err), 0);
}

static void limits_lower_or_refuse(void **state)
{
	(void)state;
	config.limits.threads_per_query = 1;
	config.limits.groups = 100;
	request.threads = 7;
	request.max_groups = 1000;
	assert_int_equal(request_check(&request, &config, &limit, &err), 0);
	assert_int_equal(request.threads, 1);
	assert_int_equal(request.max_groups, 100);
	request.max_groups = 5;
	assert_int_equal(request_check(&request, &config, &limit, &err), 0);
	assert_int_equal(request.max_groups, 5);
	request.instructions_per_record = config.limits.instructions_per_record + 1;
	assert_true(request_check(&request, &config, &limit, &err) < 0);
	assert_string_equal(limit, "instructions_per_record");
	assert_int_equal(err.code, NF_RESOURCE_EXHAUSTED);
}

static void the_choice_of_threads_stays_below_the_limit(void **state)
{
	(void)state;
	config.limits.threads_per_query = 1000;
	assert_int_equal(request_check(&request, &config, &limit, &err), 0);
	assert_int_equal(request.threads, 0);
}

static void the_program_must_fit(void **state)
{
	const struct dataset_spec fixed = {
		.name = (char *)"a", .format = FORMAT_FIXED, .record_bytes = 24};
	const struct dataset_spec lines = {.name = (char *)"a", .format = FORMAT_LINES};
	struct program p = {.record_bytes = 24};

	(void)state;
	assert_int_equal(request_check_program(&request, &fixed, &p, &err), 0);
	assert_true(request_check_program(&request, &lines, &p, &err) < 0);
	assert_int_equal(err.code, NF_FAILED_PRECONDITION);
	p.record_bytes = 32;
	assert_true(request_check_program(&request, &fixed, &p, &err) < 0);
	p.record_bytes = 0;
	assert_int_equal(request_check_program(&request, &fixed, &p, &err), 0);
	assert_int_equal(request_check_program(&request, &lines, &p, &err), 0);
	p.params_bytes = 8;
	assert_true(request_check_program(&request, &lines, &p, &err) < 0);
	assert_string_equal(err.where, "params");
}

static void a_job_says_what_was_asked(void **state)
{
	const struct dataset_spec spec = {.name = (char *)"trades",
					  .format = FORMAT_FIXED,
					  .record_bytes = 24,
					  .skip_bytes = 128,
					  .tail_ignore = true};
	struct job_head head;

	(void)state;
	strcpy(request.reader, "uring");
	strcpy(request.engine, "interp");
	request.has_range = true;
	request.range_start = 24;
	request.range_end = 48;
	request.chunk_bytes = 4096;
	request_to_job(&request, &config, &spec, &head);
	assert_int_equal(head.reader, READER_URING);
	assert_string_equal(head.engine, "interp");
	assert_string_equal(head.dataset, "trades");
	assert_int_equal(head.skip_bytes, 128);
	assert_true(head.tail_ignore && head.has_range && head.kernel_engine);
	assert_int_equal(head.range_end, 48);
	assert_int_equal(head.chunk_bytes, 4096);
	assert_int_equal(head.memory_bytes, config.limits.memory_bytes_per_query);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_unknown_reader_or_engine_is_refused, setup),
		cmocka_unit_test_setup(a_kernel_engine_that_is_off_is_refused, setup),
		cmocka_unit_test_setup(limits_lower_or_refuse, setup),
		cmocka_unit_test_setup(the_choice_of_threads_stays_below_the_limit, setup),
		cmocka_unit_test_setup(the_program_must_fit, setup),
		cmocka_unit_test_setup(a_job_says_what_was_asked, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
