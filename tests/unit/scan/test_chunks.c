/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Every record exactly once: files of random bytes and sizes, random ranges, chunk sizes,
 * alignments; the records that the chunks give, each by itself and in any order, against those of a
 * straight walk over the same bytes.
 */
#include "scan/chunks.h"
#include "scan/formats.h"
#include "scan_fixture.h"

enum { MAX_FILES = 4, MAX_FILE_BYTES = 60000 };

struct seen {
	uint32_t file;
	uint64_t start, end;
};

struct sample {
	struct source src;
	struct source_file files[MAX_FILES];
	uint8_t *bytes[MAX_FILES];
	struct seen *seen;
	size_t n_seen;
};

static void sample_make(struct sample *s, uint64_t *seed, enum record_format format)
{
	*s = (struct sample){0};
	s->src.files = s->files;
	s->src.n_files = 1 + (uint32_t)random_below(seed, MAX_FILES);
	s->src.spec.format = format;
	if (format == FORMAT_FIXED) {
		s->src.spec.record_bytes =
			1 + (uint32_t)random_below(seed, random_below(seed, 2) ? 64 : 9000);
		s->src.spec.tail_ignore = true;
	}
	s->src.spec.skip_bytes = random_below(seed, 3) ? 0 : random_below(seed, 300);
	uint64_t newline_in = 1 + random_below(seed, random_below(seed, 2) ? 20 : 20000);
	for (uint32_t i = 0; i < s->src.n_files; i++) {
		uint64_t n = random_below(seed, random_below(seed, 3) ? MAX_FILE_BYTES : 600);

		s->bytes[i] = malloc(n + 1);
		for (uint64_t k = 0; k < n; k++)
			s->bytes[i][k] = random_below(seed, newline_in) ? 'x' : '\n';
		s->files[i] = (struct source_file){.fd = -1, .name = (char *)"f", .size_bytes = n};
		s->src.total_bytes += n;
	}
	s->seen = calloc(s->src.total_bytes + 1, sizeof(*s->seen));
}

static void sample_free(struct sample *s)
{
	for (uint32_t i = 0; i < s->src.n_files; i++)
		free(s->bytes[i]);
	free(s->seen);
}

static void saw(struct sample *s, uint32_t file, uint64_t start, uint64_t end)
{
	s->seen[s->n_seen++] = (struct seen){file, start, end};
}

/* Cut whole records into single ones, through format_slice(). */
static void walk(struct sample *s, const struct chunk_plan *plan, uint32_t file, uint64_t offset,
		 size_t n)
{
	const uint8_t *data = s->bytes[file] + offset;

	for (size_t at = 0; at < n;) {
		size_t one = format_slice(plan, data + at, n - at, 0);

		assert_true(one > 0);
		saw(s, file, offset + at, offset + at + one);
		at += one;
	}
}

static uint64_t line_end(const struct sample *s, uint32_t file, uint64_t at)
{
	while (at < s->files[file].size_bytes)
		if (s->bytes[file][at++] == '\n')
			break;
	return at;
}

static void chunk_records(struct sample *s, const struct chunk_plan *plan, uint64_t i)
{
	struct chunk chunk;
	struct window w;
	struct split split;
	size_t ask;

	chunk_at(plan, i, &chunk);
	assert_true(chunk.start <= chunk.end);
	if (chunk.start == chunk.end)
		return;
	uint64_t size = s->files[chunk.file].size_bytes;
	format_window(plan, &chunk, size, &w.offset_bytes, &ask, &w.bytes);
	assert_int_equal(w.offset_bytes % plan->align, 0);
	assert_int_equal(ask % plan->align, 0);
	assert_true(w.bytes <= ask && ask <= chunk_plan_window_bytes(plan));
	assert_true(w.offset_bytes + w.bytes <= size);
	/* A copy of exactly that many bytes: the sanitizer sees a look beyond it. */
	AUTO_FREE uint8_t *copy = malloc(w.bytes ? w.bytes : 1);
	memcpy(copy, s->bytes[chunk.file] + w.offset_bytes, w.bytes);
	w.data = copy;
	format_split(plan, &chunk, size, &w, 0, &split);
	assert_true(split.from <= split.to && split.to <= w.bytes);
	walk(s, plan, chunk.file, w.offset_bytes + split.from, split.to - split.from);
	if (split.tail) {
		uint64_t start = w.offset_bytes + split.to, end = line_end(s, chunk.file, start);

		assert_true(end > w.offset_bytes + w.bytes || end == size);
		saw(s, chunk.file, start, end);
	}
}

static int by_place(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* The records of a stretch of a file, the simple way. */
static void check_stretch(const struct sample *s, size_t *at, uint32_t file, uint64_t start,
			  uint64_t end)
{
	bool fixed = s->src.spec.format == FORMAT_FIXED;

	if (!fixed && start && start != s->src.spec.skip_bytes)
		while (start < end && s->bytes[file][start - 1] != '\n')
			start++;
	while (start < end) {
		uint64_t next = fixed ? start + s->src.spec.record_bytes : line_end(s, file, start);

		if (fixed && next > end)
			break;
		if (*at >= s->n_seen)
			fail_msg("record at %u:%llu is missing", file, (unsigned long long)start);
		assert_int_equal(s->seen[*at].file, file);
		assert_int_equal(s->seen[*at].start, start);
		assert_int_equal(s->seen[*at].end, next);
		(*at)++;
		start = next;
	}
}

static void once(uint64_t seed, enum record_format format)
{
	struct sample s;
	struct chunk_plan plan;
	struct chunk_range range = {0};
	size_t at = 0;

	sample_make(&s, &seed, format);
	bool has_range = random_below(&seed, 2);
	if (has_range) {
		range.start = random_below(&seed, s.src.total_bytes + 1);
		range.end = random_below(&seed, 4)
				    ? range.start + random_below(&seed, s.src.total_bytes -
										range.start + 1)
				    : UINT64_MAX;
	} else if (format == FORMAT_LINES) {
		/* A file shorter than its header is refused; that is tested elsewhere. */
		for (uint32_t i = 0; i < s.src.n_files; i++)
			if (s.files[i].size_bytes < s.src.spec.skip_bytes)
				s.src.spec.skip_bytes = 0;
	}
	uint32_t align = 512u << random_below(&seed, 4);
	size_t chunk = 512 + random_below(&seed, random_below(&seed, 2) ? 3000 : 40000);
	assert_int_equal(
		chunk_plan_init(&plan, &s.src, has_range ? &range : NULL, chunk, align, NULL), 0);
	for (uint64_t i = plan.n_chunks; i-- > 0;)
		chunk_records(&s, &plan, i);
	qsort(s.seen, s.n_seen, sizeof(*s.seen), by_place);

	uint64_t base = 0;
	for (uint32_t i = 0; i < s.src.n_files; i++) {
		uint64_t size = s.files[i].size_bytes, start = s.src.spec.skip_bytes, end = size;

		if (has_range) {
			uint64_t last = range.end == UINT64_MAX ? s.src.total_bytes : range.end;

			start = range.start > base ? range.start - base : 0;
			end = last > base ? last - base : 0;
			end = end < size ? end : size;
		}
		if (start < end)
			check_stretch(&s, &at, i, start, end);
		base += size;
	}
	assert_int_equal(at, s.n_seen);
	chunk_plan_done(&plan);
	sample_free(&s);
}

static void fixed_records_exactly_once(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++)
		once(seed, FORMAT_FIXED);
}

static void lines_exactly_once(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++)
		once(seed, FORMAT_LINES);
}

static struct source one_file(struct source_file *file, uint64_t size, uint32_t record_bytes)
{
	*file = (struct source_file){.fd = -1, .name = (char *)"f.bin", .size_bytes = size};
	return (struct source){
		.spec = {.format = FORMAT_FIXED, .record_bytes = record_bytes},
		.files = file,
		.n_files = 1,
		.total_bytes = size,
	};
}

static void ranges_must_be_inside_and_whole(void **state)
{
	static const struct {
		struct chunk_range range;
		const char *says; /* NULL: good */
	} cases[] = {
		{{0, 100}, NULL},
		{{0, 0}, NULL},
		{{100, 100}, NULL},
		{{60, UINT64_MAX}, NULL},
		{{10, 30}, NULL},
		{{10, 35}, "5 bytes are left over"},
		{{0, 101}, "are not in the data, which has 100 bytes"},
		{{101, UINT64_MAX}, "are not in the data"},
		{{20, 10}, "are not in the data"},
		{{UINT64_MAX, UINT64_MAX}, "are not in the data"},
	};
	struct source_file file;
	struct source src = one_file(&file, 100, 10);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct chunk_plan plan;
		struct nf_error err = {0};
		int r = chunk_plan_init(&plan, &src, &cases[i].range, 4096, 4096, &err);

		assert_int_equal(r, cases[i].says ? -EINVAL : 0);
		if (cases[i].says)
			assert_contains(err.text, cases[i].says);
		chunk_plan_done(&plan);
	}
}

static void a_cut_record_is_refused_or_passed_over(void **state)
{
	struct source_file file;
	struct source src = one_file(&file, 105, 10);
	struct chunk_plan plan;
	struct nf_error err = {0};

	(void)state;
	assert_int_equal(chunk_plan_init(&plan, &src, NULL, 4096, 4096, &err), -ENOTSUP);
	assert_int_equal(err.code, NF_FAILED_PRECONDITION);
	src.spec.tail_ignore = true;
	assert_int_equal(chunk_plan_init(&plan, &src, NULL, 4096, 4096, &err), 0);
	assert_int_equal(plan.total_bytes, 100);
	chunk_plan_done(&plan);
}

static void a_terabyte_is_planned_at_once(void **state)
{
	struct source_file file;
	struct source src = one_file(&file, 1ull << 50, 32);
	struct chunk_plan plan;
	struct chunk last;

	(void)state;
	assert_int_equal(chunk_plan_init(&plan, &src, NULL, 1 << 20, 4096, NULL), 0);
	assert_int_equal(plan.n_chunks, 1ull << 30);
	chunk_at(&plan, plan.n_chunks - 1, &last);
	assert_int_equal(last.end, 1ull << 50);
	chunk_plan_done(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_records_exactly_once),
		cmocka_unit_test(lines_exactly_once),
		cmocka_unit_test(ranges_must_be_inside_and_whole),
		cmocka_unit_test(a_cut_record_is_refused_or_passed_over),
		cmocka_unit_test(a_terabyte_is_planned_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
