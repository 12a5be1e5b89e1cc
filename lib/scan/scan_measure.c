/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scan_measure.c - the constants of scan_constants.h, from three scans each:
 *
 *	a short program over short records	start + n1 * compile,	N1 * (record + n1 * insn) +
 *B * byte a long program over short records	start + n2 * compile,	N1 * (record + n2 * insn) +
 *B * byte
 *	a short program over long records	...			N2 * (record + n1 * insn) + B *
 *byte
 *
 * The start is a scan of one record, the rest that of all less the start; in processor time, and of
 * each the best of a few runs: what a busy machine adds is not the engine's. Through the page cache
 * with one thread.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/scope.h"
#include "scan/scan.h"
#include "scan/scan_constants.h"

enum {
	BYTES = 16 << 20,
	SHORT_RECORD = 32,
	LONG_RECORD = 512,
	SHORT_STEPS = 2,
	LONG_STEPS = 40,
	INSNS_PER_STEP = 3,
	ROUNDS = 5,
};

struct sample {
	double prepare_ns, scan_ns;
	uint32_t insns;
};

/* A sum of hashes of the record's first word: every step depends on the one before. */
static int make_program(unsigned steps, uint32_t record_bytes, struct vm_program **ret,
			struct nf_error *err)
{
	static const struct bpf_insn combine[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_insn insns[8 + LONG_STEPS * INSNS_PER_STEP];
	unsigned n = 0;

	insns[n++] =
		(struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 3, .src_reg = 2};
	for (unsigned i = 0; i < steps; i++) {
		insns[n++] = (struct bpf_insn){
			.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 4, .src_reg = 3};
		insns[n++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_RSH | BPF_K,
					       .dst_reg = 4,
					       .imm = (int)(i % 31) + 1};
		insns[n++] = (struct bpf_insn){
			.code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = 3, .src_reg = 4};
	}
	insns[n++] =
		(struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 5, .src_reg = 1};
	insns[n++] =
		(struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = 5, .src_reg = 3};
	insns[n++] =
		(struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 5};
	insns[n++] = combine[0];
	insns[n++] = combine[1];

	const struct program_func funcs[] = {
		{.kind = PROGRAM_REDUCE, .name = "reduce", .insns = insns, .n_insns = n},
		{.kind = PROGRAM_COMBINE, .name = "combine", .insns = combine, .n_insns = 2},
	};
	struct program draft = {
		.n_funcs = 2, .funcs = funcs, .record_bytes = record_bytes, .state_bytes = 8};
	struct vm_bounds bounds = {record_bytes, record_bytes};
	struct program *p;
	int r = program_create(&draft, &p, err);

	if (r)
		return r;
	r = vm_verify(p, &bounds, ret, err);
	program_unref(p);
	return r;
}

/* BYTES bytes in memory, as a data set. */
static int make_source(uint32_t record_bytes, struct source **ret, struct nf_error *err)
{
	struct dataset_spec spec = {
		.name = (char *)"memory", .format = FORMAT_FIXED, .record_bytes = record_bytes};
	struct source_file *file = calloc(1, sizeof(*file));
	AUTO_FREE uint8_t *data = malloc(BYTES);
	AUTO_CLOSE int fd = memfd_create("nearfold-measure", MFD_CLOEXEC);
	struct stat st;
	int r;

	if (!file || !data || fd < 0)
		goto no_memory;
	for (size_t i = 0; i < BYTES; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	if (write(fd, data, BYTES) != BYTES || fstat(fd, &st))
		goto no_memory;
	*file = (struct source_file){.fd = fd,
				     .direct_fd = -1,
				     .name = strdup("memory"),
				     .size_bytes = BYTES,
				     .dev = st.st_dev,
				     .ino = st.st_ino,
				     .mtime = st.st_mtim,
				     .ctime = st.st_ctim};
	r = file->name ? source_adopt(&spec, file, 1, ret, err) : -ENOMEM;
	if (r) {
		free(file->name);
		free(file);
		return r;
	}
	TAKE_FD(fd);
	return 0;
no_memory:
	free(file);
	return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "no memory to measure in");
}

/* Processor time: what waits for other processes is not the engine's. */
static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The least that a scan of the first `bytes` bytes takes, from its call to its return. */
static int time_scan(const struct source *src, struct vm_program *vp, struct scan_options *o,
		     uint64_t bytes, double *ret_ns, struct nf_error *err)
{
	struct scan_result *result;

	o->has_range = true;
	o->range_end = bytes;
	*ret_ns = 1e18;
	for (unsigned i = 0; i < ROUNDS; i++) {
		double before = cpu_ns(), took;
		int r = scan_run(src, vp, o, &result, err);

		if (r)
			return r;
		took = cpu_ns() - before;
		scan_result_free(result);
		if (took < *ret_ns)
			*ret_ns = took;
	}
	return 0;
}

static int measure(const struct engine_ops *ops, const char *jit_module, unsigned steps,
		   uint32_t record_bytes, struct sample *ret, struct nf_error *err)
{
	struct scan_options o = {.engine = ops->name, .threads = 1, .jit_module = jit_module};
	struct vm_program *vp = NULL;
	struct source *src = NULL;
	int r = make_program(steps, record_bytes, &vp, err);

	if (!r)
		r = make_source(record_bytes, &src, err);
	if (!r)
		r = time_scan(src, vp, &o, record_bytes, &ret->prepare_ns, err);
	if (!r)
		r = time_scan(src, vp, &o, BYTES, &ret->scan_ns, err);
	if (!r) {
		ret->scan_ns = ret->scan_ns > ret->prepare_ns ? ret->scan_ns - ret->prepare_ns : 0;
		ret->insns = vp->code[PROGRAM_REDUCE].flat.n_insns;
	}
	source_free(src);
	vm_program_unref(vp);
	return r;
}

static double at_least_0(double x)
{
	return x > 0 ? x : 0;
}

static int measure_engine(const struct engine_ops *ops, const char *jit_module,
			  struct engine_constants *ret, struct nf_error *err)
{
	const double short_n = BYTES / SHORT_RECORD, long_n = BYTES / LONG_RECORD;
	struct sample a, b, c;
	double per_record_a, per_byte, insns;
	int r = measure(ops, jit_module, SHORT_STEPS, SHORT_RECORD, &a, err);

	if (!r)
		r = measure(ops, jit_module, LONG_STEPS, SHORT_RECORD, &b, err);
	if (!r)
		r = measure(ops, jit_module, SHORT_STEPS, LONG_RECORD, &c, err);
	if (r)
		return r;
	insns = (double)(b.insns - a.insns);
	ret->compile_ns = at_least_0((b.prepare_ns - a.prepare_ns) / insns);
	ret->start_ns = at_least_0(a.prepare_ns - ret->compile_ns * a.insns);
	ret->insn_ns = at_least_0((b.scan_ns - a.scan_ns) / short_n / insns);
	per_record_a = at_least_0((a.scan_ns - c.scan_ns) / (short_n - long_n));
	per_byte = at_least_0((c.scan_ns - per_record_a * long_n) / BYTES);
	ret->record_ns = at_least_0(per_record_a - ret->insn_ns * a.insns);
	ret->byte_ns = per_byte;
	snprintf(ret->engine, sizeof(ret->engine), "%s", ops->name);
	return 0;
}

int scan_constants_measure(const char *jit_module, struct scan_constants *ret, struct nf_error *err)
{
	struct scan_constants c = {0};
	struct nf_error why;

	for (unsigned i = 0; engines[i] && c.n < SCAN_CONSTANTS_MAX; i++) {
		int r = measure_engine(engines[i], jit_module, &c.rows[c.n], &why);

		/* An engine that is not here has no row; interp always is. */
		if (!r)
			c.n++;
		else if (!engines[i + 1]) {
			if (err)
				*err = why;
			return r;
		}
	}
	*ret = c;
	return 0;
}
