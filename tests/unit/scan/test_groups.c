/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/groups.h"
#include "scan_fixture.h"

static void groups_free_ptr(struct groups **g)
{
	groups_free(*g);
}

/* Counts by key, in a table and in a plain array indexed by the key's number. */
static void agrees_with_an_array(uint32_t key_bytes, uint32_t state_bytes, uint32_t n_keys,
				 uint64_t seed)
{
	AUTO(groups_free_ptr) struct groups *g = NULL;
	AUTO_FREE uint64_t *expected = calloc(n_keys, sizeof(*expected));
	uint8_t init[4096];
	uint64_t distinct = 0;

	memset(init, 0xab, sizeof(init));
	memset(init, 0, 8);
	assert_int_equal(groups_new(key_bytes, state_bytes, init, n_keys, &g), 0);
	for (uint32_t i = 0; i < n_keys * 3; i++) {
		uint32_t k = (uint32_t)random_below(&seed, n_keys);
		uint8_t key[64] = {0};
		bool is_new;

		/* The number at the key's end: keys that differ in their last bytes only. */
		for (uint32_t b = 0; b < 4 && b < key_bytes; b++)
			key[key_bytes - 1 - b] = (uint8_t)(k >> (8 * b));
		uint8_t *s = groups_find(g, key, &is_new);
		assert_non_null(s);
		assert_int_equal((uintptr_t)s % 16, 0);
		assert_int_equal(is_new, expected[k] == 0);
		distinct += is_new;
		uint64_t count;
		memcpy(&count, s, 8);
		assert_int_equal(count, expected[k]);
		if (state_bytes > 8)
			assert_memory_equal(s + 8, init + 8, state_bytes - 8);
		count++;
		memcpy(s, &count, 8);
		expected[k]++;
	}
	assert_int_equal(groups_count(g), distinct);

	const uint8_t *key;
	uint8_t *s;
	uint64_t cursor = 0, seen = 0;
	while (groups_next(g, &cursor, &key, &s)) {
		uint32_t k = 0;
		uint64_t count;

		for (uint32_t b = 0; b < 4 && b < key_bytes; b++)
			k |= (uint32_t)key[key_bytes - 1 - b] << (8 * b);
		memcpy(&count, s, 8);
		assert_int_equal(count, expected[k]);
		expected[k] = 0;
		seen++;
	}
	assert_int_equal(seen, distinct);
}

static void every_shape_agrees_with_an_array(void **state)
{
	(void)state;
	agrees_with_an_array(1, 8, 256, 1);
	agrees_with_an_array(2, 8, 60000, 2);
	agrees_with_an_array(3, 24, 5000, 3);
	agrees_with_an_array(8, 16, 200000, 4);
	agrees_with_an_array(13, 40, 3000, 5);
	agrees_with_an_array(64, 4096, 600, 6);
}

static void states_do_not_move(void **state)
{
	AUTO(groups_free_ptr) struct groups *g = NULL;
	uint32_t key = 7;

	(void)state;
	assert_int_equal(groups_new(4, 8, NULL, 100000, &g), 0);
	uint8_t *first = groups_find(g, (uint8_t *)&key, NULL);
	memset(first, 0x5a, 8);
	for (key = 100; key < 50000; key++)
		assert_non_null(groups_find(g, (uint8_t *)&key, NULL));
	key = 7;
	assert_ptr_equal(groups_find(g, (uint8_t *)&key, NULL), first);
	assert_int_equal(first[7], 0x5a);
}

static void the_limit_holds(void **state)
{
	AUTO(groups_free_ptr) struct groups *g = NULL;
	bool is_new = true;

	(void)state;
	assert_int_equal(groups_new(4, 8, NULL, 100, &g), 0);
	for (uint32_t key = 0; key < 100; key++)
		assert_non_null(groups_find(g, (uint8_t *)&key, &is_new));
	uint32_t one_more = 1000;
	errno = 0;
	assert_null(groups_find(g, (uint8_t *)&one_more, &is_new));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(groups_count(g), 100);
	/* Those that are there are still found. */
	uint32_t old = 42;
	assert_non_null(groups_find(g, (uint8_t *)&old, &is_new));
	assert_false(is_new);
}

static void new_states_are_zero_without_init(void **state)
{
	AUTO(groups_free_ptr) struct groups *g = NULL;
	static const uint8_t zero[48];

	(void)state;
	assert_int_equal(groups_new(4, 48, NULL, 1000, &g), 0);
	for (uint32_t key = 0; key < 1000; key++)
		assert_memory_equal(groups_find(g, (uint8_t *)&key, NULL), zero, 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_agrees_with_an_array),
		cmocka_unit_test(states_do_not_move),
		cmocka_unit_test(the_limit_holds),
		cmocka_unit_test(new_states_are_zero_without_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
