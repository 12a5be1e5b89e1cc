/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counting lines that contain a word, against a count in plain C; lines up to 1 MiB, and over. */
#include "scan/ring.h"
#include "scan/scan_internal.h"
#include "scan_programs.h"

enum { MIB = 1 << 20 };

static const struct dataset_spec lines = {.name = (char *)"d", .format = FORMAT_LINES};

static uint64_t count_in_c(const char *text, size_t n, uint64_t *ret_lines)
{
	const char *p = text, *end = text + n;
	uint64_t found = 0;

	*ret_lines = 0;
	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		if (!stop)
			stop = end;
		found += memmem(p, (size_t)(stop - p), "word", 4) != NULL;
		(*ret_lines)++;
		p = stop + 1;
	}
	return found;
}

/* Text of few letters, so that "word" and its beginnings are common; lengths of all magnitudes. */
static size_t make_text(char *text, size_t size, uint64_t seed)
{
	size_t n = 0;

	while (n + 5 < size) {
		uint64_t magnitude = random_below(&seed, random_below(&seed, 40) ? 9 : 21);
		size_t len = random_below(&seed, (1ull << magnitude) + 1);

		if (len > size - n - 1)
			break;
		for (size_t i = 0; i < len; i++)
			text[n + i] = "word "[random_below(&seed, 5)];
		/* Words that end a line, begin one, or would join across the newline. */
		if (len >= 4 && random_below(&seed, 3) == 0)
			memcpy(text + n + random_below(&seed, len - 3), "word", 4);
		n += len;
		text[n++] = '\n';
	}
	/* Half of the texts lack the last newline. */
	return n && random_below(&seed, 2) ? n - 1 : n;
}

static const struct {
	enum scan_reader reader;
	enum reader_direct direct;
} ways[] = {
	{READER_PREAD, DIRECT_AUTO},
	{READER_MMAP, DIRECT_AUTO},
	{READER_URING, DIRECT_AUTO},
	{READER_URING, DIRECT_ALWAYS},
};

static void counts_equal_those_of_plain_c(void **state)
{
	struct folder *f = *state;
	AUTO_VM vp = program_grep(&lines);
	AUTO_FREE char *text = malloc(8 * MIB);
	static const size_t chunks[] = {4096, 20000, 262144};

	for (uint64_t seed = 1; seed <= 6; seed++) {
		size_t n = make_text(text, seed % 2 ? 300000 : 8 * MIB, seed);
		uint64_t n_lines, want = count_in_c(text, n, &n_lines);

		assert_true(want > 0 && want < n_lines);
		put_file(f, "text", text, n);
		AUTO_SOURCE src = opened(f, &lines, "text");
		for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
			if (ways[w].reader == READER_URING && ring_uring_check(NULL))
				continue;
			for (unsigned i = 0; i < 9; i++) {
				AUTO_RESULT r = NULL;
				struct scan_hooks hooks = {.direct = ways[w].direct};
				struct scan_options o = {
					.engine = "interp",
					.reader = ways[w].reader,
					.threads = 1 + i % 3,
					.chunk_bytes = chunks[i / 3],
					.params = (const uint8_t *)"word",
					.params_bytes = 4,
				};
				struct nf_error err;
				uint64_t got;

				must(scan_run_hooked(src, vp, &o, &hooks, &r, &err), &err);
				memcpy(&got, r->state, 8);
				if (got != want || r->stats.records != n_lines)
					fail_msg("seed %llu, way %zu, %u threads, chunks of %zu: "
						 "%llu, "
						 "not %llu",
						 (unsigned long long)seed, w, o.threads,
						 o.chunk_bytes, (unsigned long long)got,
						 (unsigned long long)want);
			}
		}
	}
}

/* A line of exactly 1 MiB is one; a byte more is not. Where it lies must not matter. */
static void one_mebibyte_is_the_longest_line(void **state)
{
	struct folder *f = *state;
	AUTO_VM vp = program_sums(&lines);
	AUTO_FREE char *text = malloc(3 * MIB);
	static const size_t chunks[] = {4096, 1 << 20, 4 << 20};

	for (unsigned i = 0; i < 36; i++) {
		size_t over = i % 2, before = i / 2 % 3 * 2500;
		bool newline = i / 6 % 2;
		AUTO_RESULT r = NULL;
		struct scan_options o = {
			.engine = "interp", .chunk_bytes = chunks[i / 12], .threads = 2};
		struct nf_error err;
		struct sums got;

		memset(text, 'x', 3 * MIB);
		if (before)
			text[before - 1] = '\n';
		size_t n = before + MIB + over;
		if (newline) {
			text[n++] = '\n';
			memcpy(text + n, "yy", 2);
			n += 2;
		}
		put_file(f, "long", text, n);
		AUTO_SOURCE src = opened(f, &lines, "long");
		int e = scan_run(src, vp, &o, &r, &err);
		if (over) {
			char where[64];

			assert_int_equal(e, -EBADMSG);
			assert_int_equal(err.code, NF_DATA_LOSS);
			snprintf(where, sizeof(where), "long, record at byte %zu", before);
			assert_string_equal(err.where, where);
			assert_contains(err.text, "longer than 1048576 bytes");
			continue;
		}
		must(e, &err);
		memcpy(&got, r->state, sizeof(got));
		assert_int_equal(got.count, 1 + (before != 0) + newline);
		assert_int_equal(got.bytes, MIB + (before ? before - 1 : 0) + (newline ? 2 : 0));
	}
}

static void a_range_has_the_lines_that_start_in_it(void **state)
{
	struct folder *f = *state;
	AUTO_VM vp = program_sums(&lines);
	static const char text[] = "aa\nbbbb\n\ncc\nd";
	struct nf_error err;

	put_file(f, "r", text, sizeof(text) - 1);
	AUTO_SOURCE src = opened(f, &lines, "r");
	for (size_t start = 0; start < sizeof(text); start++) {
		for (size_t end = start; end < sizeof(text); end++) {
			AUTO_RESULT r = NULL;
			struct scan_options o = {.engine = "interp",
						 .has_range = true,
						 .range_start = start,
						 .range_end = end};
			uint64_t want = 0, got;

			for (size_t i = start; i < end; i++)
				want += i == 0 || text[i - 1] == '\n';
			must(scan_run(src, vp, &o, &r, &err), &err);
			memcpy(&got, r->state, 8);
			assert_int_equal(got, want);
		}
	}
}

static void a_header_is_skipped(void **state)
{
	struct folder *f = *state;
	struct dataset_spec spec = lines;
	AUTO_VM vp = program_sums(&spec);
	AUTO_RESULT r = NULL;
	struct scan_options o = {.engine = "interp"};
	struct nf_error err;
	struct sums got;

	spec.skip_bytes = 3; /* into the middle of a line: what follows is the first record */
	put_file(f, "h", "header\nx\ny", 10);
	AUTO_SOURCE src = opened(f, &spec, "h");
	must(scan_run(src, vp, &o, &r, &err), &err);
	memcpy(&got, r->state, sizeof(got));
	assert_int_equal(got.count, 3);
	assert_int_equal(got.first, 'd' + 'x' + 'y');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
		T(counts_equal_those_of_plain_c),
		T(one_mebibyte_is_the_longest_line),
		T(a_range_has_the_lines_that_start_in_it),
		T(a_header_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
