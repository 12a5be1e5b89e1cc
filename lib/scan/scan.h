/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scan.h - a whole scan: files -> chunks -> threads -> engine -> one combined answer.
 *
 * The same call serves a worker on a node and `--local` in the client.
 *
 * Ranges are half-open bytes. With one file they are that file's offsets, with several they count
 * along the files one after another. fixed: records are counted from the range's start (its length
 * must be a multiple of record_bytes unless tail_ignore), and `skip` is not applied to an
 * explicit range. lines: the records that start in the range.
 */
#ifndef NF_SCAN_SCAN_H
#define NF_SCAN_SCAN_H

#include <stdatomic.h>

#include "scan/engine.h"
#include "scan/source.h"

enum scan_reader { READER_AUTO, READER_PREAD, READER_URING, READER_MMAP, READER_NVME };

struct scan_progress {
	uint64_t bytes_done, bytes_total, records, matched;
};

struct scan_options {
	const char *engine;   /* NULL or "auto", or a name */
	unsigned threads;     /* 0: choose */
	size_t chunk_bytes;   /* 0: choose; 4 KiB .. 64 MiB */
	unsigned queue_depth; /* 0: choose; reads in flight per thread */
	enum scan_reader reader;
	bool has_range;
	uint64_t range_start, range_end; /* range_end UINT64_MAX: to the end */
	uint64_t budget, max_groups;     /* 0: the defaults of engine.h */
	uint64_t memory_bytes;           /* 0: no limit of its own */
	const uint8_t *params;
	uint32_t params_bytes;
	const char *jit_module;
	/* Code from a cache (vm/jit.h), of this program for these records and this CPU; borrowed.
	 * What is not whole, or for another CPU, is left aside. */
	const struct jit_image *jit_image;
	size_t jit_image_bytes;
	/* Called once when the scan is over and compiled code that the caller did not bring: for a
	 * cache. The image is valid during the call; may be NULL. */
	void (*compiled)(void *arg, const struct jit_image *image, size_t bytes);
	void *compiled_arg;
	uint64_t deadline_ns;      /* clock_now_ns(); 0: none */
	const atomic_bool *cancel; /* may be NULL; looked at between chunks */
	/* Called about every 100 ms from the thread that called scan_run; may be NULL. */
	void (*progress)(void *arg, const struct scan_progress *p);
	void *progress_arg;
	/* Called once, in the thread that called scan_run, when threads, rings, maps and programs
	 * exist and before a byte of the data is looked at or a line of client code is run or
	 * compiled: a worker enters its sandbox here, with all its threads (seccomp: TSYNC).
	 * Non-zero ends the scan. What the scan itself still calls afterwards: io_uring_enter,
	 * pread64, preadv2, fstat, ioctl(BLKGETSIZE64), cachestat, mincore, mmap, munmap, madvise,
	 * brk, futex, clock_gettime, rt_sigprocmask, sched_yield, close, exit. */
	int (*sandbox)(void *arg, struct nf_error *err);
	void *sandbox_arg;
};

struct scan_stats {
	const char *engine;      /* the one that ran */
	char engine_reason[256]; /* why it and not another */
	const char *reader;      /* "pread", "uring direct", ... */
	unsigned threads, queue_depth;
	size_t chunk_bytes;
	uint64_t bytes_scanned, records, matched;
	uint64_t prepare_ns; /* until the first read is submitted */
	uint64_t scan_ns;    /* reading and folding */
	uint64_t combine_ns;
	uint64_t read_commands; /* reads, or NVMe commands, that were asked for */
	uint64_t read_retries;
	char device[96]; /* that the first file lives on, see source_device_text() */
};

/* The answer: one state, or groups. */
struct scan_result {
	uint8_t *state;
	struct groups *groups;
	struct scan_stats stats;
};

/*
 * Runs in the calling thread and options->threads - 1 others; returns when all are done. On error
 * *ret is untouched and the err carries code, place and reason (DATA_LOSS an I/O error or a line
 * longer than 1 MiB; ABORTED the data changed; OUT_OF_RANGE; RESOURCE_EXHAUSTED;
 * DEADLINE_EXCEEDED; CANCELLED; INVALID_ARGUMENT a range or an option; FAILED_PRECONDITION the
 * engine asked for cannot run this, a record size that does not fit, or a last record that is cut
 * short). A state that no record was folded into is not combined.
 */
int scan_run(const struct source *src, struct vm_program *vp, const struct scan_options *options,
	     struct scan_result **ret, struct nf_error *err);
void scan_result_free(struct scan_result *r);

/* The lengths that a record of this data set can have, for vm_verify(). -EINVAL: the spec is not
 * complete. */
int scan_bounds(const struct dataset_spec *spec, struct vm_bounds *ret);

/* into += from, with the program's combine. For a gather over several nodes, too. */
int scan_merge(const struct vm_program *vp, uint64_t budget, uint8_t *into, const uint8_t *from,
	       struct nf_error *err);

/* Why each engine could or could not take the program, what it would cost (scan_constants.h), and
 * which one a scan with these options begins with. In the order of engines[]. */
enum { SCAN_MAX_CHOICES = 8 };
struct scan_choice {
	const char *engine;
	char reason[256];   /* "": it can */
	double estimate_ns; /* 0: nothing is known */
	bool chosen;
};
/* "estimate: jit 3.1 ms, interp 40 ms; kernel: why not" */
void scan_choice_reason(const struct scan_choice *c, unsigned n, char *ret, size_t size);
unsigned scan_explain(const struct source *src, struct vm_program *vp,
		      const struct scan_options *options, struct scan_choice *ret, unsigned max);
/* What `auto` will begin with: the same, but asks no engine that would not be chosen anyway (the
 * first question to the JIT maps LLVM). */
unsigned scan_predict(const struct source *src, struct vm_program *vp,
		      const struct scan_options *options, struct scan_choice *ret, unsigned max);

#endif
