/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_scan.c - whole scans of files in the page cache, from scan_run()'s call to its return,
 * against what a C program would do with the same file; one thread against two; small files with
 * `auto` and with each engine.
 *
 *	bench_scan PROGRAMS-FOLDER JIT-MODULE [--quick]
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "bench.h"
#include "program/program_elf.h"
#include "ref_loops.h"
#include "scan/scan.h"

enum { FILE_BYTES = 256 << 20, SMALL_BYTES = 1 << 20, PIECE_BYTES = 1 << 20, BOUND = 49 };

static const char *folder, *module_path;
static unsigned rounds = 11;
static char big_path[64], small_path[64];
static struct vm_program *program;
static uint32_t bound = BOUND;
static struct jit_image *image;

static void die(const struct nf_error *err)
{
	char text[1100];

	fprintf(stderr, "bench_scan: %s\n", nf_error_message(err, text, sizeof(text)));
	exit(1);
}

static void die_errno(const char *what)
{
	fprintf(stderr, "bench_scan: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t random_state = 88172645463325252ull;
static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void make_file(char path[64], size_t bytes)
{
	struct ref_trade *t = malloc(PIECE_BYTES);
	int fd;

	snprintf(path, 64, "%s/nearfold-bench.XXXXXX", "/var/tmp");
	fd = mkstemp(path);
	if (fd < 0 || !t)
		die_errno(path);
	for (size_t at = 0; at < bytes; at += PIECE_BYTES) {
		for (size_t i = 0; i < PIECE_BYTES / sizeof(*t); i++)
			t[i] = (struct ref_trade){i, (uint32_t)random_u64(),
						  (uint32_t)(random_u64() % 100),
						  random_u64() >> 20, 0};
		if (write(fd, t, PIECE_BYTES) != PIECE_BYTES)
			die_errno(path);
	}
	close(fd);
	free(t);
}

/* ---- scans ---------------------------------------------------------------------------------- */

struct scan_case {
	const char *path, *engine;
	unsigned threads;
	bool cached; /* bring the code along */
	struct ref_total total;
	char ran[16], reason[256];
};

static void keep_image(void *arg, const struct jit_image *made, size_t bytes)
{
	(void)arg;
	if (image)
		return;
	image = malloc(bytes);
	if (image)
		memcpy(image, made, bytes);
}

static void run_scan(void *arg)
{
	struct scan_case *c = arg;
	struct dataset_spec spec = {
		.name = (char *)"bench", .format = FORMAT_FIXED, .record_bytes = 32};
	struct scan_options o = {
		.engine = c->engine,
		.threads = c->threads,
		.params = (const uint8_t *)&bound,
		.params_bytes = sizeof(bound),
		.jit_module = module_path,
		.compiled = keep_image,
	};
	struct scan_result *r;
	struct source *src;
	struct nf_error err;

	if (c->cached && image) {
		o.jit_image = image;
		o.jit_image_bytes = sizeof(*image) + image->bytes;
	}
	if (source_open_paths(&spec, &c->path, 1, &src, &err) ||
	    scan_run(src, program, &o, &r, &err))
		die(&err);
	memcpy(&c->total, r->state, sizeof(c->total));
	snprintf(c->ran, sizeof(c->ran), "%s", r->stats.engine);
	snprintf(c->reason, sizeof(c->reason), "%s", r->stats.engine_reason);
	scan_result_free(r);
	source_free(src);
}

/* ---- C -------------------------------------------------------------------------------------- */

typedef void (*loop_fn)(const struct ref_trade *t, size_t n, uint32_t bound, struct ref_total *s);

struct c_case {
	const char *path;
	loop_fn loop;
	unsigned threads;
	const struct ref_trade *memory; /* not NULL: instead of the file */
	size_t bytes;
	struct ref_total total;
};

struct part {
	loop_fn loop;
	const struct ref_trade *t;
	size_t n;
	struct ref_total total;
};

static void *part_main(void *arg)
{
	struct part *p = arg;

	p->loop(p->t, p->n, bound, &p->total);
	return NULL;
}

static void fold_parts(struct c_case *c, const struct ref_trade *t, size_t n)
{
	struct part parts[2] = {{c->loop, t, n / c->threads, {0, 0}},
				{c->loop, t + n / 2, n - n / 2, {0, 0}}};
	pthread_t other;

	c->total = (struct ref_total){0, 0};
	if (c->threads > 1 && pthread_create(&other, NULL, part_main, &parts[1]))
		die_errno("a thread");
	part_main(&parts[0]);
	if (c->threads > 1)
		pthread_join(other, NULL);
	for (unsigned i = 0; i < c->threads; i++) {
		c->total.count += parts[i].total.count;
		c->total.sum += parts[i].total.sum;
	}
}

static void run_mmap(void *arg)
{
	struct c_case *c = arg;
	int fd = open(c->path, O_RDONLY);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		die_errno(c->path);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die_errno(c->path);
	fold_parts(c, p, (size_t)st.st_size / sizeof(struct ref_trade));
	munmap(p, (size_t)st.st_size);
	close(fd);
}

static void run_memory(void *arg)
{
	struct c_case *c = arg;

	fold_parts(c, c->memory, c->bytes / sizeof(struct ref_trade));
}

/* A part of the file, copied piece by piece. */
struct read_part {
	struct c_case *c;
	off_t at, end;
	struct ref_total total;
};

static void *read_part_main(void *arg)
{
	struct read_part *p = arg;
	int fd = open(p->c->path, O_RDONLY);
	AUTO_FREE uint8_t *buffer = aligned_alloc(4096, PIECE_BYTES);

	if (fd < 0 || !buffer)
		die_errno(p->c->path);
	while (p->at < p->end) {
		size_t want = p->end - p->at < PIECE_BYTES ? (size_t)(p->end - p->at) : PIECE_BYTES;
		ssize_t n = pread(fd, buffer, want, p->at);

		if (n <= 0)
			die_errno(p->c->path);
		p->c->loop((const struct ref_trade *)buffer, (size_t)n / sizeof(struct ref_trade),
			   bound, &p->total);
		p->at += n;
	}
	close(fd);
	return NULL;
}

static void run_read(void *arg)
{
	struct c_case *c = arg;
	off_t half = c->threads > 1 ? FILE_BYTES / 2 : FILE_BYTES;
	struct read_part parts[2] = {{c, 0, half, {0, 0}}, {c, half, FILE_BYTES, {0, 0}}};
	pthread_t other;

	if (c->threads > 1 && pthread_create(&other, NULL, read_part_main, &parts[1]))
		die_errno("a thread");
	read_part_main(&parts[0]);
	if (c->threads > 1)
		pthread_join(other, NULL);
	c->total.count = parts[0].total.count + parts[1].total.count;
	c->total.sum = parts[0].total.sum + parts[1].total.sum;
}

static void check_same(const char *what, const struct ref_total *a, const struct ref_total *b)
{
	if (a->count == b->count && a->sum == b->sum)
		return;
	fprintf(stderr, "bench_scan: %s gives another answer than C\n", what);
	exit(1);
}

/* ---- groups --------------------------------------------------------------------------------- */

static void hot_file(void)
{
	struct c_case mapped[2] = {{.path = big_path, .loop = gcc_count_sum, .threads = 1},
				   {.path = big_path, .loop = clang_count_sum, .threads = 1}};
	struct c_case copied = mapped[0];
	struct scan_case first = {.path = big_path, .engine = "jit", .threads = 1};
	struct scan_case cached = first, interp = first;
	const struct bench_rival rivals[] = {
		{"C over mmap, gcc -O3 -march=native", run_mmap, &mapped[0]},
		{"C over mmap, clang-19 -O3 -march=native", run_mmap, &mapped[1]},
		{"C over read(), 1 MiB pieces, gcc", run_read, &copied},
		{"jit, compiled each time", run_scan, &first},
		{"jit, code from a cache", run_scan, &cached},
		{"interp", run_scan, &interp},
	};

	cached.cached = true;
	interp.engine = "interp";
	run_scan(&first); /* fills the cache */
	bench_group("hot file, 256 MB, from open to answer, one thread", rivals, 6, 0, rounds,
		    FILE_BYTES, "GB/s");
	check_same("jit", &first.total, &mapped[0].total);
	check_same("jit from a cache", &cached.total, &mapped[0].total);
	check_same("interp", &interp.total, &mapped[0].total);
}

static void two_threads(void)
{
	struct ref_trade *t = aligned_alloc(2 << 20, FILE_BYTES);
	struct c_case c[2], copied[2];
	struct scan_case s[2];

	if (!t)
		die_errno("memory");
	for (size_t i = 0; i < FILE_BYTES / sizeof(*t); i++)
		t[i] = (struct ref_trade){.quantity = (uint32_t)(i % 100), .price = i};
	for (unsigned i = 0; i < 2; i++) {
		c[i] = (struct c_case){
			.memory = t, .bytes = FILE_BYTES, .loop = gcc_count_sum, .threads = i + 1};
		copied[i] =
			(struct c_case){.path = big_path, .loop = gcc_count_sum, .threads = i + 1};
		s[i] = (struct scan_case){
			.path = big_path, .engine = "jit", .threads = i + 1, .cached = true};
	}
	const struct bench_rival plain[] = {
		{"C over memory, one thread", run_memory, &c[0]},
		{"C over memory, two threads", run_memory, &c[1]},
	};
	const struct bench_rival reads[] = {
		{"C over read(), 1 MiB pieces, one thread", run_read, &copied[0]},
		{"C over read(), two threads", run_read, &copied[1]},
	};
	const struct bench_rival scans[] = {
		{"jit over a hot file, one thread", run_scan, &s[0]},
		{"jit over a hot file, two threads", run_scan, &s[1]},
	};
	bench_group("what two threads bring in plain C, 256 MB", plain, 2, 0, rounds, FILE_BYTES,
		    "GB/s");
	bench_group("what two threads bring in C that reads a hot file, 256 MB", reads, 2, 0,
		    rounds, FILE_BYTES, "GB/s");
	bench_group("what two threads bring in a scan, 256 MB", scans, 2, 0, rounds, FILE_BYTES,
		    "GB/s");
	check_same("two threads", &s[1].total, &s[0].total);
	check_same("C in two threads", &copied[1].total, &copied[0].total);
	free(t);
}

static void small_file(void)
{
	struct c_case c = {.path = small_path, .loop = gcc_count_sum, .threads = 1};
	struct scan_case s[5] = {
		{.engine = "auto"},   {.engine = "interp"},
		{.engine = "jit"},    {.engine = "jit", .cached = true},
		{.engine = "kernel"},
	};
	struct scan_case warm = {.path = small_path, .engine = "auto", .cached = true};
	struct bench_rival rivals[] = {
		{"interp", run_scan, &s[1]},
		{"auto", run_scan, &s[0]},
		{"jit, compiled", run_scan, &s[2]},
		{"jit, code from a cache", run_scan, &s[3]},
		{"auto, code from a cache", run_scan, &warm},
		{"kernel", run_scan, &s[4]},
	};
	struct engine_config cfg = {.program = program,
				    .params = (const uint8_t *)&bound,
				    .format = FORMAT_FIXED,
				    .record_bytes = 32,
				    .cpu_threads = 1};
	const struct engine_ops *kernel = engine_by_name("kernel");
	struct nf_error why;
	bool has_kernel = kernel && !kernel->check(&cfg, &why);

	for (unsigned i = 0; i < 5; i++)
		s[i].path = small_path;
	bench_group("1 MiB, from open to answer", rivals, has_kernel ? 6 : 5, 0, 2 * rounds, 1,
		    "ms");
	bench_note("auto took %s: %s", s[0].ran, s[0].reason);
	bench_note("auto with code from a cache took %s: %s", warm.ran, warm.reason);
	if (!has_kernel)
		bench_note("without the kernel engine: %s", kernel ? why.text : "not built");
	run_mmap(&c);
	check_same("auto", &s[0].total, &c.total);
	check_same("auto with code from a cache", &warm.total, &c.total);
}

int main(int argc, char **argv)
{
	char path[4096];
	struct nf_error err;
	struct program *p;
	struct vm_bounds bounds = {32, 32};

	if (argc < 3) {
		fprintf(stderr, "usage: bench_scan PROGRAMS-FOLDER JIT-MODULE [--quick]\n");
		return 2;
	}
	folder = argv[1];
	module_path = argv[2];
	if (argc > 3)
		rounds = 5;
	snprintf(path, sizeof(path), "%s/count_sum.bpf.o", folder);
	if (program_elf_open(path, &p, &err) || vm_verify(p, &bounds, &program, &err))
		die(&err);
	program_unref(p);
	bench_begin("Scans of files");
	make_file(big_path, FILE_BYTES);
	make_file(small_path, SMALL_BYTES);
	hot_file();
	two_threads();
	small_file();
	bench_end();
	unlink(big_path);
	unlink(small_path);
	vm_program_unref(program);
	free(image);
	return 0;
}
