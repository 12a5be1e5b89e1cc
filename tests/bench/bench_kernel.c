/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_kernel.c - the kernel engine against the same loops in C.
 *
 *	bench_kernel PROGRAMS-FOLDER JIT-MODULE [--quick]
 *
 * In the arena: the bytes lie in the arena before the clock starts; the hook runs on completions of
 * IORING_OP_NOP, the C loops run over the same memory through user space's mapping.
 * From the page cache: io_uring reads into the arena, the hook folds each; against read() of pieces
 * of the same size into one buffer, and the C loop over it.
 * Cold: O_DIRECT after posix_fadvise(POSIX_FADV_DONTNEED); the same reader with and without hook.
 */
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "bench.h"
#include "program/program_elf.h"
#include "ref_loops.h"
#include "scan/reader.h"

enum {
	/* What a scan with this engine takes (scan_plan.c). */
	CHUNK_BYTES = 256 << 10,
	DEPTH_COLD = 32,
	DEPTH_CACHED = 2,
	MEMORY_BYTES = 256 << 20,
	LOADS = 50,
};

static const char *folder;
static unsigned rounds = 15;

static void die(const struct nf_error *err)
{
	char text[1100];

	fprintf(stderr, "bench_kernel: %s\n", nf_error_message(err, text, sizeof(text)));
	exit(1);
}

static void die_of(const char *what)
{
	perror(what);
	exit(1);
}

static struct vm_program *load(const char *name)
{
	char path[4096];
	struct nf_error err;
	struct program *p;
	struct vm_program *vp;
	struct vm_bounds bounds;

	snprintf(path, sizeof(path), "%s/%s.bpf.o", folder, name);
	if (program_elf_open(path, &p, &err))
		die(&err);
	bounds = vm_bounds_of(p);
	if (vm_verify(p, &bounds, &vp, &err))
		die(&err);
	program_unref(p);
	return vp;
}

static struct engine_config config(struct vm_program *vp, const void *params)
{
	return (struct engine_config){
		.program = vp,
		.params = params,
		.format = FORMAT_FIXED,
		.record_bytes = vp->program->record_bytes,
		.cpu_threads = 1,
	};
}

/* The kernel engine, opened for a program. */
struct hook {
	void *engine, *thread;
	struct fold *fold;
	struct span span;
};

static void hook_open(struct hook *h, struct vm_program *vp, const void *params)
{
	struct engine_config cfg = config(vp, params);
	struct nf_error err;

	if (engine_kernel.open(&cfg, &h->engine, &err) ||
	    engine_kernel.thread_open(h->engine, &h->thread, &err))
		die(&err);
	h->fold = engine_kernel.thread_fold(h->thread);
}

static void hook_close(struct hook *h)
{
	engine_kernel.thread_close(h->thread);
	engine_kernel.close(h->engine);
}

/* Memory in the arena for the span. */
static uint8_t *hook_memory(struct hook *h, size_t bytes)
{
	struct nf_error err;
	uint8_t *p;

	if (engine_kernel.read_ops->buffers(h->thread, 1, bytes, &p, &err))
		die(&err);
	h->span = (struct span){p, bytes, "memory", 0};
	return p;
}

static void run_hook(void *arg)
{
	struct hook *h = arg;
	struct nf_error err;

	if (engine_kernel.fold(h->thread, &h->span, &err) < 0)
		die(&err);
}

struct c_run {
	const void *data;
	size_t n;
	uint32_t bound;
	struct ref_total total;
	struct ref_q1 *groups;
};

typedef void count_sum_fn(const struct ref_trade *t, size_t n, uint32_t bound, struct ref_total *s);

#define C_RUNS(prefix)                                                  \
	static void prefix##_run_count_sum(void *arg)                   \
	{                                                               \
		struct c_run *c = arg;                                  \
		prefix##_count_sum(c->data, c->n, c->bound, &c->total); \
	}                                                               \
	static void prefix##_run_q1(void *arg)                          \
	{                                                               \
		struct c_run *c = arg;                                  \
		prefix##_q1(c->data, c->n, c->groups);                  \
	}

C_RUNS(gcc)
C_RUNS(clang)
C_RUNS(scalar)

static uint64_t random_state = 88172645463325252ull;
static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void check_equal(const char *what, uint64_t a, uint64_t b)
{
	if (a == b)
		return;
	fprintf(stderr, "bench_kernel: %s: %llu is not %llu\n", what, (unsigned long long)a,
		(unsigned long long)b);
	exit(1);
}

static void fill_trades(struct ref_trade *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		t[i] = (struct ref_trade){i, (uint32_t)random_u64(), (uint32_t)(random_u64() % 100),
					  random_u64() >> 20, 0};
}

/* What the hook has summed up after that many runs over the records. */
static void check_total(const struct hook *h, const struct ref_trade *t, size_t n, uint32_t bound)
{
	struct ref_total want = {0}, got;
	uint64_t runs = h->fold->records / n;

	scalar_count_sum(t, n, bound, &want);
	memcpy(&got, h->fold->state, sizeof(got));
	check_equal("records", h->fold->records % n, 0);
	check_equal("count", got.count, want.count * runs);
	check_equal("sum", got.sum, want.sum * runs);
}

static const unsigned percents[] = {1, 50, 99};

/* ---- in the arena ---------------------------------------------------------------------------- */

static void in_arena(void)
{
	size_t n = MEMORY_BYTES / sizeof(struct ref_trade);
	struct vm_program *vp = load("count_sum");

	for (unsigned k = 0; k < ARRAY_SIZE(percents); k++) {
		uint32_t bound = 99 - percents[k];
		struct hook h;
		char title[128];

		hook_open(&h, vp, &bound);
		struct ref_trade *t = (void *)hook_memory(&h, MEMORY_BYTES);
		struct c_run c = {.data = t, .n = n, .bound = bound};

		fill_trades(t, n);
		const struct bench_rival rivals[] = {
			{"C, gcc -O3 -march=native", gcc_run_count_sum, &c},
			{"C, clang-19 -O3 -march=native", clang_run_count_sum, &c},
			{"C, gcc -O3, scalar", scalar_run_count_sum, &c},
			{"kernel", run_hook, &h},
		};
		snprintf(title, sizeof(title),
			 "in the arena: filter + count + sum, 32-byte records, 256 MB, %u %% pass",
			 percents[k]);
		bench_group(title, rivals, 4, 0, rounds, MEMORY_BYTES, "GB/s");
		check_total(&h, t, n, bound);
		hook_close(&h);
	}
	vm_program_unref(vp);
}

static void fill_items(struct ref_item *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		static const char flags[] = "ANR", status[] = "FO";
		uint64_t r = random_u64();

		t[i] = (struct ref_item){
			.quantity = (int64_t)(1 + r % 50) * 100,
			.extendedprice = (int64_t)(90000 + (r >> 8) % 10000000),
			.discount = (int64_t)((r >> 16) % 11),
			.tax = (int64_t)((r >> 24) % 9),
			.shipdate = (int32_t)(8036 + (r >> 32) % 2526),
			.returnflag = flags[(r >> 50) % 3],
			.linestatus = status[(r >> 55) % 2],
		};
	}
}

static void grouped(void)
{
	size_t n = MEMORY_BYTES / sizeof(struct ref_item);
	struct vm_program *vp = load("q1");
	AUTO_FREE struct ref_q1 *groups = calloc(65536, sizeof(*groups));
	struct hook h;

	hook_open(&h, vp, NULL);
	struct ref_item *t = (void *)hook_memory(&h, MEMORY_BYTES);
	struct c_run c = {.data = t, .n = n, .groups = groups};

	fill_items(t, n);
	const struct bench_rival rivals[] = {
		{"C, gcc -O3 -march=native, perfect hash", gcc_run_q1, &c},
		{"C, clang-19 -O3 -march=native", clang_run_q1, &c},
		{"C, gcc -O3, scalar", scalar_run_q1, &c},
		{"kernel", run_hook, &h},
	};
	bench_group("in the arena: TPC-H Q1's shape, grouped by two chars, 256 MB", rivals, 4, 0,
		    rounds, MEMORY_BYTES, "GB/s");
	check_equal("records", h.fold->records % n, 0);
	hook_close(&h);
	vm_program_unref(vp);
}

/* ---- from a file ----------------------------------------------------------------------------- */

struct file {
	struct source *src;
	struct chunk_plan plan;
	size_t n; /* records */
};

/* A scan of the file by reader_uring: with the hook, or of nothing but the reads. */
struct file_run {
	const struct file *file;
	struct hook *hook; /* or NULL */
	enum reader_direct direct;
	uint64_t bytes;
};

static void run_reader(void *arg)
{
	struct file_run *f = arg;
	atomic_uint_fast64_t cursor = 0;
	atomic_int stop = 0;
	struct reader_config cfg = {
		.src = f->file->src,
		.plan = &f->file->plan,
		.cursor = &cursor,
		.stop = &stop,
		.depth = f->direct == DIRECT_ALWAYS ? DEPTH_COLD : DEPTH_CACHED,
		.direct = f->direct,
		.read_ops = f->hook ? engine_kernel.read_ops : NULL,
		.engine_thread = f->hook ? f->hook->thread : NULL,
	};
	struct nf_error err;
	struct piece piece;
	void *reader;
	int r;

	if (f->direct == DIRECT_ALWAYS)
		posix_fadvise(f->file->src->files[0].fd, 0, 0, POSIX_FADV_DONTNEED);
	if (reader_uring.open(&cfg, &reader, &err))
		die(&err);
	while ((r = reader_uring.next(reader, &piece, &err)) != READER_END) {
		if (r < 0)
			die(&err);
		if (r == READER_WAIT)
			continue;
		f->bytes += piece.window.bytes;
		reader_uring.done(reader, &piece);
	}
	reader_uring.close(reader);
}

/* read() and a loop in C. */
struct read_run {
	const struct file *file;
	count_sum_fn *loop;
	uint8_t *buffer;
	uint32_t bound;
	struct ref_total total;
};

static void run_read(void *arg)
{
	struct read_run *r = arg;
	int fd = r->file->src->files[0].fd;
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, r->buffer, CHUNK_BYTES)) > 0)
		r->loop((const void *)r->buffer, (size_t)n / sizeof(struct ref_trade), r->bound,
			&r->total);
}

/* A file of trades beside the programs, without a name. */
static void file_open(struct file *f, size_t bytes, struct ref_trade *ret_copy)
{
	struct dataset_spec spec = {.format = FORMAT_FIXED,
				    .record_bytes = sizeof(struct ref_trade)};
	char path[4096];
	const char *paths[] = {path};
	struct nf_error err;
	int fd;

	snprintf(path, sizeof(path), "%s/bench_kernel.XXXXXX", folder);
	fd = mkstemp(path);
	f->n = bytes / sizeof(struct ref_trade);
	fill_trades(ret_copy, f->n);
	for (size_t at = 0; fd >= 0 && at < bytes;) {
		ssize_t n = write(fd, (const char *)ret_copy + at, bytes - at);

		if (n <= 0)
			die_of(path);
		at += (size_t)n;
	}
	if (fd < 0 || fsync(fd))
		die_of(path);
	close(fd);
	if (source_open_paths(&spec, paths, 1, &f->src, &err) ||
	    chunk_plan_init(&f->plan, f->src, NULL, CHUNK_BYTES, 4096, &err))
		die(&err);
	unlink(path);
}

static void cached(const struct file *f, struct vm_program *vp, const struct ref_trade *t)
{
	AUTO_FREE uint8_t *buffer = aligned_alloc(4096, CHUNK_BYTES);

	for (unsigned k = 0; k < ARRAY_SIZE(percents); k++) {
		uint32_t bound = 99 - percents[k];
		struct read_run c[3] = {{f, gcc_count_sum, buffer, bound, {0}},
					{f, clang_count_sum, buffer, bound, {0}},
					{f, scalar_count_sum, buffer, bound, {0}}};
		struct hook h;
		struct file_run hooked = {f, &h, DIRECT_AUTO, 0},
				reads = {f, NULL, DIRECT_NEVER, 0};
		char title[128];

		hook_open(&h, vp, &bound);
		const struct bench_rival rivals[] = {
			{"read() + C, gcc -O3 -march=native", run_read, &c[0]},
			{"read() + C, clang-19 -O3 -march=native", run_read, &c[1]},
			{"read() + C, gcc -O3, scalar", run_read, &c[2]},
			{"io_uring + kernel", run_reader, &hooked},
			{"io_uring, reads alone", run_reader, &reads},
		};
		snprintf(title, sizeof(title),
			 "file in the page cache, 256 MB in pieces of 256 KiB, %u %% pass",
			 percents[k]);
		bench_group(title, rivals, 5, 0, rounds, (double)f->src->total_bytes, "GB/s");
		check_total(&h, t, f->n, bound);
		hook_close(&h);
	}
}

static void cold(const struct file *f, struct vm_program *vp, const struct ref_trade *t)
{
	uint32_t bound = 49;
	struct hook h;
	struct file_run hooked = {f, &h, DIRECT_ALWAYS, 0}, reads = {f, NULL, DIRECT_ALWAYS, 0};

	if (f->src->files[0].direct_fd < 0) {
		bench_note("cold file: skipped, the file system of %s has no O_DIRECT", folder);
		return;
	}
	hook_open(&h, vp, &bound);
	const struct bench_rival rivals[] = {
		{"io_uring, the same reads without a hook", run_reader, &reads},
		{"io_uring + kernel", run_reader, &hooked},
	};
	bench_group("cold file, direct (POSIX_FADV_DONTNEED before each run), 256 MB, 32 reads of "
		    "256 KiB in flight",
		    rivals, 2, 0, 2 * rounds + 1, (double)f->src->total_bytes, "GB/s");
	check_total(&h, t, f->n, bound);
	hook_close(&h);
}

static void from_files(void)
{
	AUTO_FREE struct ref_trade *t = malloc(MEMORY_BYTES);
	struct vm_program *vp = load("count_sum");
	struct file f;

	if (!t)
		die_of("memory");
	file_open(&f, MEMORY_BYTES, t);
	cached(&f, vp, t);
	cold(&f, vp, t);
	chunk_plan_done(&f.plan);
	source_free(f.src);
	vm_program_unref(vp);
}

/* ---- costs that do not grow with the data ---------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median_of(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Nanoseconds that a completion takes: NOPs of a ring that is none of ours, 64 a system call. */
static double nop_ns(struct io_uring *ring)
{
	enum { BATCH = 64, BATCHES = 1000 };
	uint64_t start = clock_now_ns();

	for (int i = 0; i < BATCHES; i++) {
		for (int k = 0; k < BATCH; k++) {
			struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

			io_uring_prep_nop(sqe);
			io_uring_sqe_set_data64(sqe, 7);
		}
		io_uring_submit_and_wait(ring, BATCH);
		io_uring_cq_advance(ring, BATCH);
	}
	return (double)(clock_now_ns() - start) / (BATCH * BATCHES);
}

/* A NOP of ours that folds one record: system call, completion, hook. */
static double round_trip_ns(struct hook *h)
{
	enum { ROUNDS = 10000 };
	uint64_t start = clock_now_ns();

	for (int i = 0; i < ROUNDS; i++)
		run_hook(h);
	return (double)(clock_now_ns() - start) / ROUNDS;
}

static void completions(void)
{
	enum { ROUNDS = 21 };
	double bare[ROUNDS], watched[ROUNDS], trip[ROUNDS], more[ROUNDS];
	struct vm_program *vp = load("count_sum");
	struct io_uring ring;
	uint32_t bound = 0;

	if (io_uring_queue_init(64, &ring, 0))
		die_of("io_uring");
	nop_ns(&ring);
	for (int i = 0; i < ROUNDS; i++) {
		struct hook h;

		bare[i] = nop_ns(&ring);
		hook_open(&h, vp, &bound);
		watched[i] = nop_ns(&ring);
		more[i] = watched[i] - bare[i];
		hook_memory(&h, sizeof(struct ref_trade));
		trip[i] = round_trip_ns(&h);
		hook_close(&h);
	}
	printf("\nper completion (median of %d, taking turns)\n", ROUNDS);
	bench_note("another ring's NOP, no hook on the machine   %8.1f ns",
		   median_of(bare, ROUNDS));
	bench_note("another ring's NOP, with a hook              %8.1f ns",
		   median_of(watched, ROUNDS));
	bench_note("what the hook costs others                   %8.1f ns a completion",
		   median_of(more, ROUNDS));
	bench_note("a span of one record: NOP, system call, hook %8.1f ns",
		   median_of(trip, ROUNDS));
	io_uring_queue_exit(&ring);
	vm_program_unref(vp);
}

/* From a verified program to an attached hook with a thread that is ready to read. */
static void loads(const char *name)
{
	struct vm_program *vp = load(name);
	double ms[LOADS];
	unsigned n = 0;

	for (unsigned i = 0; i < PROGRAM_COMBINE; i++)
		n += vp->code[i].flat.n_insns;
	for (unsigned i = 0; i < LOADS; i++) {
		static const uint8_t params[64];
		uint64_t start = clock_now_ns();
		struct hook h;

		hook_open(&h, vp, params);
		ms[i] = (double)(clock_now_ns() - start) / 1e6;
		hook_close(&h);
	}
	double mid = median_of(ms, LOADS); /* sorts */

	bench_note("%-10s %4u instructions: median %6.2f ms, maximum %6.2f ms of %d", name, n, mid,
		   ms[LOADS - 1], LOADS);
	vm_program_unref(vp);
}

int main(int argc, char **argv)
{
	struct nf_error err;
	struct vm_program *vp;

	if (argc < 3) {
		fprintf(stderr, "usage: bench_kernel PROGRAMS-FOLDER JIT-MODULE [--quick]\n");
		return 2;
	}
	folder = argv[1];
	if (argc > 3)
		rounds = 5;
	bench_begin("The kernel engine against C");
	vp = load("count_sum");
	struct engine_config cfg = config(vp, &(uint32_t){0});
	if (engine_kernel.check(&cfg, &err)) {
		bench_note("skipped: %s", err.text);
	} else {
		printf("\nlink + load + the kernel's verifier + attach\n");
		loads("count_sum");
		loads("q1");
		loads("wide");
		completions();
		in_arena();
		grouped();
		from_files();
	}
	vm_program_unref(vp);
	bench_end();
	return 0;
}
