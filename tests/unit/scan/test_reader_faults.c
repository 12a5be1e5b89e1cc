/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Completions that come late, short, in another order, with a passing error or a lasting one: a
 * double below the uring reader, and an engine that folds a part of each buffer by itself.
 */
#include "scan/ring.h"
#include "scan/scan_internal.h"
#include "scan_programs.h"

enum { N_RECORDS = 40000, FILE_BYTES = N_RECORDS * 8, MAX_PENDING = 64 };

/* What goes wrong; shared by the rings of all threads, constant during a scan. */
struct faults {
	bool late, shorter, reordered, passing;
	int fail_errno; /* at fail_offset */
	uint64_t fail_offset;
	bool fail_ends;     /* 0 bytes there instead */
	bool refuse_direct; /* EINVAL for odd files */
	atomic_uint rings, short_reads, passing_errors, direct_refusals;
};

struct ring_double {
	struct faults *faults;
	int *fds;
	struct ring_read pending[MAX_PENDING];
	unsigned n, depth;
	uint64_t seed;
};

static int double_open(const struct ring_config *cfg, void **ret, struct nf_error *err)
{
	struct ring_double *d = calloc(1, sizeof(*d));

	(void)err;
	d->faults = cfg->arg;
	d->fds = calloc(cfg->n_fds, sizeof(*d->fds));
	memcpy(d->fds, cfg->fds, cfg->n_fds * sizeof(*d->fds));
	d->depth = cfg->depth;
	d->seed = 77 + atomic_fetch_add(&d->faults->rings, 1);
	*ret = d;
	return 0;
}

static void double_queue(void *ring, const struct ring_read *read)
{
	struct ring_double *d = ring;

	assert_true(d->n < d->depth);
	for (unsigned i = 0; i < d->n; i++)
		assert_true(d->pending[i].user_data != read->user_data);
	d->pending[d->n++] = *read;
}

static int double_submit(void *ring)
{
	(void)ring;
	return 0;
}

static int result_of(struct ring_double *d, const struct ring_read *read)
{
	struct faults *f = d->faults;
	uint32_t bytes = read->bytes;

	if (f->refuse_direct && read->file % 2) {
		f->direct_refusals++;
		return -EINVAL;
	}
	if ((f->fail_errno || f->fail_ends) && read->offset_bytes <= f->fail_offset &&
	    f->fail_offset < read->offset_bytes + bytes)
		return f->fail_ends ? 0 : -f->fail_errno;
	if (f->passing && random_below(&d->seed, 4) == 0) {
		f->passing_errors++;
		return random_below(&d->seed, 2) ? -EAGAIN : -EINTR;
	}
	if (f->shorter && random_below(&d->seed, 2) && bytes > 1) {
		bytes = 1 + (uint32_t)random_below(&d->seed, bytes - 1);
		f->short_reads++;
	}
	/* The buffered descriptor: the double cares not for alignment. */
	ssize_t n = pread(d->fds[read->file & ~1u], read->data, bytes, (off_t)read->offset_bytes);
	return n < 0 ? -errno : (int)n;
}

static int double_reap(void *ring, uint64_t wait_ns, struct ring_completion *ret, unsigned max)
{
	struct ring_double *d = ring;
	unsigned n = 0;

	(void)wait_ns;
	if (d->faults->late && random_below(&d->seed, 3))
		return 0;
	while (n < max && d->n) {
		unsigned i = d->faults->reordered ? (unsigned)random_below(&d->seed, d->n) : 0;

		ret[n++] = (struct ring_completion){
			.user_data = d->pending[i].user_data,
			.res = result_of(d, &d->pending[i]),
		};
		memmove(&d->pending[i], &d->pending[i + 1], (--d->n - i) * sizeof(d->pending[0]));
		if (random_below(&d->seed, 2))
			break;
	}
	return (int)n;
}

/* Buffers are freed after this: whatever is still in flight would write into them. */
static void double_close(void *ring)
{
	struct ring_double *d = ring;

	if (d->n)
		abort();
	free(d->fds);
	free(d);
}

static const struct ring_ops ring_double = {
	.open = double_open,
	.queue = double_queue,
	.submit = double_submit,
	.reap = double_reap,
	.close = double_close,
};

static const struct dataset_spec fixed8 = {
	.name = (char *)"d", .format = FORMAT_FIXED, .record_bytes = 8};
static const struct dataset_spec lines = {.name = (char *)"d", .format = FORMAT_LINES};

static uint8_t *random_file(struct folder *f, const char *name)
{
	uint8_t *bytes = malloc(FILE_BYTES);
	uint64_t seed = 11;

	for (size_t i = 0; i < FILE_BYTES; i++) {
		uint64_t x = random_next(&seed);

		bytes[i] = (x >> 20) % 60 == 0 ? '\n' : (uint8_t)(x >> 56);
	}
	put_file(f, name, bytes, FILE_BYTES);
	return bytes;
}

static int scan_with(const struct source *src, struct vm_program *vp, struct faults *faults,
		     unsigned threads, unsigned depth, struct scan_result **ret,
		     struct nf_error *err)
{
	struct scan_hooks hooks = {
		.ring = &ring_double, .ring_arg = faults, .direct = DIRECT_ALWAYS};
	struct scan_options o = {.engine = "interp",
				 .reader = READER_URING,
				 .threads = threads,
				 .queue_depth = depth,
				 .chunk_bytes = 8192};

	return scan_run_hooked(src, vp, &o, &hooks, ret, err);
}

static void answers_survive_odd_completions(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_file(f, "a");
	const struct dataset_spec *const specs[] = {&fixed8, &lines};

	for (size_t k = 0; k < ARRAY_SIZE(specs); k++) {
		AUTO_VM vp = program_sums(specs[k]);
		AUTO_SOURCE src = opened(f, specs[k], "a");
		struct sums want = sums_of(specs[k], bytes, FILE_BYTES);

		for (unsigned mix = 0; mix < 32; mix++) {
			for (unsigned depth = 1; depth <= 8; depth *= 2) {
				AUTO_RESULT r = NULL;
				struct nf_error err;
				struct faults faults = {
					.late = mix & 1,
					.shorter = mix & 2,
					.reordered = mix & 4,
					.passing = mix & 8,
					.refuse_direct = mix & 16,
				};

				must(scan_with(src, vp, &faults, 1 + mix % 3, depth, &r, &err),
				     &err);
				if (memcmp(r->state, &want, sizeof(want)))
					fail_msg("mix %u depth %u", mix, depth);
				/* The faults did happen. */
				assert_int_equal(faults.short_reads > 0, (mix & 2) != 0);
				assert_int_equal(faults.passing_errors > 0, (mix & 8) != 0);
				if (src->files[0].direct_fd >= 0)
					assert_int_equal(faults.direct_refusals > 0,
							 (mix & 16) != 0);
			}
		}
	}
}

static void an_error_names_file_offset_and_reason(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_file(f, "bad.bin");
	AUTO_VM vp = program_sums(&fixed8);
	static const int errors[] = {EIO, ENODATA, ENXIO, EINVAL};

	AUTO_SOURCE src = opened(f, &fixed8, "bad.bin");
	for (unsigned i = 0; i < ARRAY_SIZE(errors) * 8; i++) {
		AUTO_RESULT r = NULL;
		struct nf_error err;
		struct faults faults = {
			.late = i & 1,
			.reordered = i & 2,
			.fail_errno = errors[i / 8],
			.fail_offset = 100000,
		};

		assert_int_equal(scan_with(src, vp, &faults, 1 + i % 3, 4, &r, &err), -EBADMSG);
		assert_int_equal(err.code, NF_DATA_LOSS);
		assert_string_equal(err.where, "bad.bin");
		assert_contains(err.text, "at byte 98304");
		assert_contains(err.text, strerror(errors[i / 8]));
		assert_null(r);
	}
}

static void a_passing_error_that_stays_is_an_error(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_file(f, "stuck");
	AUTO_VM vp = program_sums(&fixed8);
	AUTO_RESULT r = NULL;
	struct faults faults = {.fail_errno = EAGAIN, .fail_offset = 5};
	struct nf_error err;

	AUTO_SOURCE src = opened(f, &fixed8, "stuck");
	assert_int_equal(scan_with(src, vp, &faults, 1, 4, &r, &err), -EBADMSG);
	assert_int_equal(err.code, NF_DATA_LOSS);
}

static void an_early_end_is_aborted(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_file(f, "shrunk");
	AUTO_VM vp = program_sums(&fixed8);
	AUTO_RESULT r = NULL;
	struct faults faults = {.fail_ends = true, .fail_offset = 123456};
	struct nf_error err;

	AUTO_SOURCE src = opened(f, &fixed8, "shrunk");
	assert_int_equal(scan_with(src, vp, &faults, 2, 4, &r, &err), -ESTALE);
	assert_int_equal(err.code, NF_ABORTED);
	assert_contains(err.text, "it ends at byte");
}

static int no_ring(const struct ring_config *cfg, void **ret, struct nf_error *err)
{
	(void)cfg;
	(void)ret;
	return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, ENOMEM, "io_uring", "cannot set up a ring");
}

static void a_thread_without_a_ring_reads_by_pread(void **state)
{
	struct folder *f = *state;
	static const struct ring_ops ring_none = {.open = no_ring};
	struct scan_hooks hooks = {.ring = &ring_none};
	AUTO_FREE uint8_t *bytes = calloc(1, 2 << 20);
	AUTO_VM vp = program_sums(&fixed8);
	struct nf_error err;

	put_file(f, "n", bytes, 2 << 20);
	AUTO_SOURCE src = opened(f, &fixed8, "n");
	for (enum scan_reader reader = READER_AUTO; reader <= READER_URING;
	     reader += READER_URING) {
		AUTO_RESULT r = NULL;
		struct scan_options o = {.engine = "interp", .reader = reader, .threads = 2};
		int e = scan_run_hooked(src, vp, &o, &hooks, &r, &err);

		if (reader == READER_URING) {
			/* Who asks for a ring gets one or a reason. */
			assert_int_equal(e, -ENOMEM);
			assert_string_equal(err.where, "io_uring");
			continue;
		}
		must(e, &err);
		assert_string_equal(r->stats.reader, "pread");
		assert_int_equal(r->stats.records, (2 << 20) / 8);
	}
}

static void filling_stops_at_an_early_end(void **state)
{
	struct folder *f = *state;
	AUTO_SOURCE src = NULL;
	struct nf_error err;
	uint8_t data[32];

	put_file(f, "short", "0123456789abcdef", 16);
	src = opened(f, &fixed8, "short");
	assert_int_equal(reader_fill(&src->files[0], 8, data, 8, &err), 0);
	assert_memory_equal(data, "89abcdef", 8);
	assert_int_equal(reader_fill(&src->files[0], 8, data, 9, &err), -ESTALE);
	assert_int_equal(err.code, NF_ABORTED);
	assert_contains(err.text, "it ends at byte 16");
}

/* ---- an engine that folds in the completion -------------------------------------------------- */

struct folding_engine {
	uint8_t *memory;
	struct engine_read armed[MAX_PENDING];
	uint64_t user_data[MAX_PENDING]; /* 0: not armed */
	size_t buffer_bytes;
	enum record_format format;
	struct sums sums;
	uint64_t cookie, seed;
};

static int folding_buffers(void *thread, unsigned n, size_t bytes, uint8_t **ret_base,
			   struct nf_error *err)
{
	struct folding_engine *e = thread;

	(void)err;
	e->memory = aligned_alloc(4096, n * bytes);
	e->buffer_bytes = bytes;
	*ret_base = e->memory;
	return 0;
}

static uint64_t folding_arm(void *thread, const struct engine_read *read)
{
	struct folding_engine *e = thread;

	assert_int_equal(e->user_data[read->buffer], 0);
	e->armed[read->buffer] = *read;
	return e->user_data[read->buffer] = (1ull << 40) + e->cookie++;
}

static int folding_completed(void *thread, unsigned buffer, int res, uint32_t *ret_folded,
			     struct nf_error *err)
{
	struct folding_engine *e = thread;
	const struct engine_read *read = &e->armed[buffer];
	const uint8_t *data = e->memory + buffer * e->buffer_bytes;
	uint32_t at = read->data_offset, end = read->data_offset + read->own_bytes;

	(void)err;
	assert_true(e->user_data[buffer] != 0);
	e->user_data[buffer] = 0;
	*ret_folded = 0;
	if (res <= 0)
		return 0;
	if (read->skip_first_line) {
		const uint8_t *newline =
			(uint32_t)res < at ? NULL
					   : memchr(data + at - 1, '\n', (uint32_t)res - (at - 1));
		if (!newline)
			return 0;
		at = (uint32_t)(newline - data) + 1;
	}
	/* Whole records that have come, and not always all of them. */
	while (at < end && random_below(&e->seed, 500)) {
		const uint8_t *stop = e->format == FORMAT_FIXED ? data + at + 8
				      : (uint32_t)res > at
					      ? memchr(data + at, '\n', (uint32_t)res - at)
					      : NULL;

		if (!stop || stop + (e->format == FORMAT_LINES) > data + res)
			break;
		sums_add(&e->sums, data + at, (size_t)(stop - (data + at)));
		at = (uint32_t)(stop - data) + (e->format == FORMAT_LINES);
	}
	*ret_folded = at - read->data_offset;
	return 0;
}

static const struct engine_read_ops folding_ops = {
	.buffers = folding_buffers,
	.arm = folding_arm,
	.completed = folding_completed,
};

static uint64_t line_end(const uint8_t *bytes, uint64_t at)
{
	while (at < FILE_BYTES && bytes[at] != '\n')
		at++;
	return at;
}

static void an_engine_may_fold_a_part_of_each_read(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_file(f, "e");
	const struct dataset_spec *const specs[] = {&fixed8, &lines};

	for (unsigned mix = 0; mix < 64; mix++) {
		const struct dataset_spec *spec = specs[mix & 1];
		AUTO_SOURCE src = opened(f, spec, "e");
		struct chunk_plan plan;
		atomic_uint_fast64_t cursor = 0;
		atomic_int stop = 0;
		struct faults faults = {.late = mix & 2,
					.shorter = mix & 4,
					.reordered = mix & 8,
					.passing = mix & 16};
		struct folding_engine engine = {.format = spec->format, .seed = mix + 1};
		bool real = mix >= 32 && !ring_uring_check(NULL);
		struct reader_config cfg = {
			.src = src,
			.plan = &plan,
			.cursor = &cursor,
			.stop = &stop,
			.depth = 5,
			.direct = mix & 2 ? DIRECT_ALWAYS : DIRECT_AUTO,
			.read_ops = &folding_ops,
			.engine_thread = &engine,
			.ring = real ? NULL : &ring_double,
			.ring_arg = &faults,
		};
		struct nf_error err;
		struct piece piece;
		void *reader;
		int r;

		assert_int_equal(chunk_plan_init(&plan, src, NULL, 8192, 4096, NULL), 0);
		must(reader_uring.open(&cfg, &reader, &err), &err);
		while ((r = reader_uring.next(reader, &piece, &err)) > 0) {
			struct split split;

			if (r == READER_WAIT)
				continue;
			format_split(&plan, &piece.chunk, FILE_BYTES, &piece.window, piece.resume,
				     &split);
			struct sums rest = sums_of(spec, piece.window.data + split.from,
						   split.to - split.from);
			engine.sums.count += rest.count;
			engine.sums.bytes += rest.bytes;
			engine.sums.first += rest.first;
			engine.sums.last += rest.last;
			if (split.tail) {
				uint64_t at = piece.window.offset_bytes + split.to;

				sums_add(&engine.sums, bytes + at, line_end(bytes, at) - at);
			}
			reader_uring.done(reader, &piece);
		}
		must(r, &err);
		reader_uring.close(reader);
		struct sums want = sums_of(spec, bytes, FILE_BYTES);
		if (memcmp(&engine.sums, &want, sizeof(want)))
			fail_msg("mix %u: %llu records, not %llu", mix,
				 (unsigned long long)engine.sums.count,
				 (unsigned long long)want.count);
		chunk_plan_done(&plan);
		free(engine.memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
		T(answers_survive_odd_completions),
		T(an_error_names_file_offset_and_reason),
		T(a_passing_error_that_stays_is_an_error),
		T(an_early_end_is_aborted),
		T(an_engine_may_fold_a_part_of_each_read),
		T(a_thread_without_a_ring_reads_by_pread),
		T(filling_stops_at_an_early_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
