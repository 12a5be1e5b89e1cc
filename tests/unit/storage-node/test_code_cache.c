/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "storage-node/code_cache.h"
#include "storage-node/worker_job.h"
#include "vm/vm_branchfree.h"

static const uint8_t program_a[PROGRAM_ID_BYTES] = "a", program_b[PROGRAM_ID_BYTES] = "b";

static struct code_key key(const char *who, const uint8_t *program)
{
	return (struct code_key){who, program, {8, 8}, FORMAT_FIXED};
}

static void add(struct code_cache *cache, struct code_key k, char text, size_t bytes)
{
	char *image = malloc(bytes);

	assert_non_null(image);
	memset(image, text, bytes);
	code_cache_add(cache, &k, image, bytes);
}

/* The first byte of what is there, or 0. */
static char look(struct code_cache *cache, struct code_key k)
{
	size_t bytes;
	const void *image = code_cache_find(cache, &k, &bytes);

	return image ? *(const char *)image : 0;
}

static void code_is_found_by_who_had_it_compiled_and_nobody_else(void **state)
{
	struct code_cache *cache;
	struct code_key other;

	(void)state;
	assert_int_equal(code_cache_new(1 << 20, &cache), 0);
	add(cache, key("ann", program_a), '1', 100);
	assert_int_equal(look(cache, key("ann", program_a)), '1');
	assert_int_equal(look(cache, key("bob", program_a)), 0);
	assert_int_equal(look(cache, key("ann", program_b)), 0);
	other = key("ann", program_a);
	other.bounds.record_max_bytes = 9;
	assert_int_equal(look(cache, other), 0);
	other = key("ann", program_a);
	other.format = FORMAT_LINES;
	assert_int_equal(look(cache, other), 0);
	code_cache_free(cache);
	code_cache_free(NULL);
}

static void newer_code_replaces_older(void **state)
{
	struct code_cache *cache;
	uint64_t before;

	(void)state;
	assert_int_equal(code_cache_new(1 << 20, &cache), 0);
	add(cache, key("ann", program_a), '1', 100);
	before = code_cache_bytes(cache);
	add(cache, key("ann", program_a), '2', 100);
	assert_int_equal(look(cache, key("ann", program_a)), '2');
	assert_int_equal(code_cache_count(cache), 1);
	assert_int_equal(code_cache_bytes(cache), before);
	code_cache_free(cache);
}

static void the_least_recently_used_goes_first(void **state)
{
	struct code_cache *cache;

	(void)state;
	assert_int_equal(code_cache_new(3000, &cache), 0);
	add(cache, key("1", program_a), '1', 1000);
	add(cache, key("2", program_a), '2', 1000);
	assert_int_equal(look(cache, key("1", program_a)), '1');
	add(cache, key("3", program_a), '3', 1000);
	assert_int_equal(look(cache, key("2", program_a)), 0);
	assert_int_equal(look(cache, key("1", program_a)), '1');
	assert_int_equal(look(cache, key("3", program_a)), '3');
	assert_true(code_cache_bytes(cache) <= 3000);
	/* One that fits nowhere drives nothing out. */
	add(cache, key("4", program_a), '4', 3000);
	assert_int_equal(look(cache, key("4", program_a)), 0);
	assert_int_equal(code_cache_count(cache), 2);
	code_cache_free(cache);
}

static void a_cache_of_no_bytes_keeps_nothing(void **state)
{
	struct code_cache *cache;

	(void)state;
	assert_int_equal(code_cache_new(0, &cache), 0);
	add(cache, key("ann", program_a), '1', 1);
	assert_int_equal(code_cache_count(cache), 0);
	code_cache_free(cache);
}

static void a_worker_cannot_send_code_that_is_not_whole(void **state)
{
	static uint8_t bytes[CODE_MAX_BYTES + 1024];
	struct jit_image *image = (struct jit_image *)bytes;

	(void)state;
	*image = (struct jit_image){.magic = 0x49464e4a,
				    .abi = JIT_ABI,
				    .bytes = 100,
				    .unmetered = JIT_NONE,
				    .bulk = 0,
				    .lanes = 4,
				    .step = 8,
				    .stride = 32,
				    .counter = JIT_COUNTER_ALL};
	const struct jit_image good = *image;
	const struct {
		uint32_t *field, value;
	} damages[] = {
		{&image->exact, 100},
		{&image->unmetered, 100},
		{&image->bulk, 100},
		{&image->n_bounds, JIT_MAX_BOUNDS + 1},
		{&image->lanes, 0},
		{&image->lanes, 3},
		{&image->lanes, JIT_MAX_LANES * 2},
		{&image->step, 0},
		{&image->stride, 0}, /* vectors of records of no length */
		{&image->counter, 0},
		{&image->fails, 2},
		{&image->n_cells, JIT_MAX_ROWS + 1},
	};

	const struct jit_cell sum = {0, 8, BF_MERGE_ADD};
	const struct jit_cell damaged[] = {
		{0, 8, BF_MERGE_NONE}, {0, 8, BF_MERGE_ADD128 + 1}, {0, 0, BF_MERGE_ADD},
		{0, 3, BF_MERGE_ADD},  {0, 16, BF_MERGE_SMIN},      {0, 4, BF_MERGE_ADD128},
	};

	assert_true(frame_check(FRAME_CODE, bytes, sizeof(*image) + 100));
	assert_false(frame_check(FRAME_CODE, bytes, sizeof(*image) + 99));
	assert_false(frame_check(FRAME_CODE, bytes, sizeof(*image) - 1));
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		*damages[i].field = damages[i].value;
		assert_false(frame_check(FRAME_CODE, bytes, sizeof(*image) + 100));
		*image = good;
	}
	image->n_cells = JIT_MAX_ROWS;
	for (unsigned i = 0; i < JIT_MAX_ROWS; i++)
		image->cells[i] = sum;
	assert_true(frame_check(FRAME_CODE, bytes, sizeof(*image) + 100));
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		image->cells[7] = damaged[i];
		assert_false(frame_check(FRAME_CODE, bytes, sizeof(*image) + 100));
	}
	image->cells[7] = (struct jit_cell){0, 16, BF_MERGE_ADD128};
	assert_false(frame_check(FRAME_CODE, bytes, sizeof(*image) + 100)); /* one row more */
	image->n_cells--;
	assert_true(frame_check(FRAME_CODE, bytes, sizeof(*image) + 100));
	*image = good;
	image->bytes = CODE_MAX_BYTES;
	assert_false(frame_check(FRAME_CODE, bytes, sizeof(*image) + CODE_MAX_BYTES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_is_found_by_who_had_it_compiled_and_nobody_else),
		cmocka_unit_test(newer_code_replaces_older),
		cmocka_unit_test(the_least_recently_used_goes_first),
		cmocka_unit_test(a_cache_of_no_bytes_keeps_nothing),
		cmocka_unit_test(a_worker_cannot_send_code_that_is_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
