/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every reader, every way through it, gives what a plain loop over the bytes gives. */
#include "scan/residency.h"
#include "scan/ring.h"
#include "scan/scan_internal.h"
#include "scan_programs.h"
#include "tests/support/skip_unless.h"

/* O_DIRECT wants more than a few blocks to be worth a test. */
enum { FILE_BYTES = 24 * 15000 };

static uint8_t *mixture(size_t n, uint64_t seed, unsigned line)
{
	uint8_t *p = malloc(n);

	for (size_t i = 0; i < n; i++) {
		uint64_t x = random_next(&seed);

		p[i] = line && (x >> 20) % line == 0 ? '\n' : (uint8_t)(x >> 56);
	}
	return p;
}

static const struct way {
	const char *name;
	enum scan_reader reader;
	enum reader_direct direct;
} ways[] = {
	{"auto", READER_AUTO, DIRECT_AUTO},
	{"pread", READER_PREAD, DIRECT_AUTO},
	{"mmap", READER_MMAP, DIRECT_AUTO},
	{"uring", READER_URING, DIRECT_AUTO},
	{"uring direct", READER_URING, DIRECT_ALWAYS},
	{"uring buffered", READER_URING, DIRECT_NEVER},
};

static void scan_each_way(const struct source *src, struct vm_program *vp, const struct sums *want)
{
	static const size_t chunks[] = {4096, 12288, 65536, 1 << 20};

	for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
		if (!reader_works(ways[w].reader))
			continue;
		for (size_t c = 0; c < ARRAY_SIZE(chunks); c++) {
			for (unsigned threads = 1; threads <= 3; threads++) {
				for (unsigned depth = 1; depth <= 8; depth += depth == 1 ? 1 : 3) {
					AUTO_RESULT r = NULL;
					struct nf_error err;
					struct scan_hooks hooks = {.direct = ways[w].direct};
					struct scan_options o = {
						.engine = "interp",
						.reader = ways[w].reader,
						.threads = threads,
						.chunk_bytes = chunks[c],
						.queue_depth = depth,
					};

					must(scan_run_hooked(src, vp, &o, &hooks, &r, &err), &err);
					if (memcmp(r->state, want, sizeof(*want)))
						fail_msg("%s (%s), %zu bytes, %u threads, depth %u",
							 ways[w].name, r->stats.reader, chunks[c],
							 threads, depth);
					assert_int_equal(r->stats.records, want->count);
				}
			}
		}
	}
}

static void fixed_records_agree(void **state)
{
	struct folder *f = *state;
	struct dataset_spec spec = {
		.name = (char *)"d", .format = FORMAT_FIXED, .record_bytes = 24, .skip_bytes = 100};
	AUTO_FREE uint8_t *bytes = mixture(FILE_BYTES + 100, 1, 0);
	AUTO_VM vp = program_sums(&spec);

	put_file(f, "fixed", bytes, FILE_BYTES + 100);
	AUTO_SOURCE src = opened(f, &spec, "fixed");
	struct sums want = sums_of(&spec, bytes + 100, FILE_BYTES);
	scan_each_way(src, vp, &want);
}

static void lines_agree(void **state)
{
	struct folder *f = *state;
	struct dataset_spec spec = {.name = (char *)"d", .format = FORMAT_LINES};
	AUTO_VM vp = program_sums(&spec);

	/* Short lines; lines about as long as a chunk; lines longer than several chunks. */
	for (unsigned line = 40; line <= 40000; line *= 30) {
		AUTO_FREE uint8_t *bytes = mixture(FILE_BYTES, line, line);

		put_file(f, "lines", bytes, FILE_BYTES);
		AUTO_SOURCE src = opened(f, &spec, "lines");
		struct sums want = sums_of(&spec, bytes, FILE_BYTES);
		scan_each_way(src, vp, &want);
	}
}

static void sizes_around_a_block_agree(void **state)
{
	struct folder *f = *state;
	static const size_t sizes[] = {1,    2,    511,  512,  513,  4095,
				       4096, 4097, 8191, 8192, 8193, 12289};
	struct dataset_spec specs[] = {
		{.name = (char *)"d", .format = FORMAT_FIXED, .record_bytes = 1},
		{.name = (char *)"d", .format = FORMAT_LINES},
	};
	struct nf_error err;

	for (size_t k = 0; k < ARRAY_SIZE(specs); k++) {
		AUTO_VM vp = program_sums(&specs[k]);

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			AUTO_FREE uint8_t *bytes = mixture(sizes[i], i + 7, 50);
			struct sums want = sums_of(&specs[k], bytes, sizes[i]);

			put_file(f, "small", bytes, sizes[i]);
			AUTO_SOURCE src = opened(f, &specs[k], "small");
			for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
				AUTO_RESULT r = NULL;
				struct scan_hooks hooks = {.direct = ways[w].direct};
				struct scan_options o = {.engine = "interp",
							 .reader = ways[w].reader,
							 .chunk_bytes = 4096,
							 .threads = 2};

				if (!reader_works(ways[w].reader))
					continue;
				must(scan_run_hooked(src, vp, &o, &hooks, &r, &err), &err);
				assert_memory_equal(r->state, &want, sizeof(want));
			}
		}
	}
}

static void the_largest_records_agree(void **state)
{
	struct folder *f = *state;
	struct dataset_spec spec = {.name = (char *)"d",
				    .format = FORMAT_FIXED,
				    .record_bytes = 1 << 20,
				    .skip_bytes = 1};
	size_t n = 5 << 20;
	AUTO_FREE uint8_t *bytes = mixture(n + 1, 3, 0);
	AUTO_VM vp = program_sums(&spec);
	struct sums want = sums_of(&spec, bytes + 1, n);
	struct nf_error err;

	put_file(f, "large", bytes, n + 1);
	AUTO_SOURCE src = opened(f, &spec, "large");
	for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
		AUTO_RESULT r = NULL;
		struct scan_hooks hooks = {.direct = ways[w].direct};
		struct scan_options o = {.engine = "interp",
					 .reader = ways[w].reader,
					 .chunk_bytes = 4096,
					 .threads = 2};

		if (!reader_works(ways[w].reader))
			continue;
		must(scan_run_hooked(src, vp, &o, &hooks, &r, &err), &err);
		assert_memory_equal(r->state, &want, sizeof(want));
	}
}

static void what_is_not_resident_is_read_direct(void **state)
{
	skip_without_ring();

	struct folder *f = *state;
	struct dataset_spec spec = {.name = (char *)"d", .format = FORMAT_FIXED, .record_bytes = 8};
	AUTO_FREE uint8_t *bytes = mixture(4 << 20, 4, 0);
	AUTO_VM vp = program_sums(&spec);
	struct scan_options o = {
		.engine = "interp", .reader = READER_URING, .chunk_bytes = 256 << 10};
	struct nf_error err;

	put_file(f, "cold", bytes, 4 << 20);
	AUTO_SOURCE src = opened(f, &spec, "cold");
	if (src->files[0].direct_fd < 0) {
		print_message("SKIP: no O_DIRECT in %s\n", f->path);
		skip();
	}
	for (int cold = 0; cold < 2; cold++) {
		AUTO_RESULT r = NULL;

		if (cold) {
			assert_int_equal(fsync(src->files[0].fd), 0);
			assert_int_equal(posix_fadvise(src->files[0].fd, 0, 0, POSIX_FADV_DONTNEED),
					 0);
		}
		must(scan_run(src, vp, &o, &r, &err), &err);
		assert_string_equal(r->stats.reader, cold ? "uring direct" : "page cache");
	}
}

/* Asked by the stretch, the answer for every piece is that of the piece itself. */
static void a_stretch_tells_of_its_pieces(void **state)
{
	enum { BYTES = (20 << 20) + 5000, PIECE = 64 << 10 };
	struct folder *f = *state;
	struct dataset_spec spec = {.name = (char *)"d", .format = FORMAT_FIXED, .record_bytes = 8};
	AUTO_FREE uint8_t *bytes = mixture(BYTES, 5, 0);
	struct residency known = {0};
	unsigned there = 0;

	put_file(f, "half", bytes, BYTES);
	AUTO_SOURCE src = opened(f, &spec, "half");
	int fd = src->files[0].fd;
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	for (size_t at = 1 << 20; at < 11 << 20; at += 4096)
		assert_int_equal(pread(fd, bytes, 4096, (off_t)at), 4096);
	for (size_t at = 0; at < BYTES; at += PIECE) {
		size_t n = BYTES - at < PIECE ? BYTES - at : PIECE;
		bool want = file_is_resident(fd, at, n);

		assert_int_equal(residency_ask(&known, fd, BYTES, at, n), want);
		there += want;
	}
	assert_true(there >= 10 << 4);
	assert_true(known.end >= BYTES); /* the last one was known to the end of the file */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
		T(fixed_records_agree),
		T(lines_agree),
		T(sizes_around_a_block_agree),
		T(the_largest_records_agree),
		T(what_is_not_resident_is_read_direct),
		T(a_stretch_tells_of_its_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
