/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scan_internal.h - what the parts of a scan share.
 *
 *	scan.c         the order of things: plan, choose, start threads, sandbox, go, answer
 *	scan_choose.c  engine, reader
 *	scan_plan.c    threads, chunk size, depth
 *	scan_thread.c  what one thread does
 *	scan_merge.c   the threads' partial states become one
 *
 * Every thread sets itself up (its engine thread, its ring, its buffers) and parks; when all have,
 * the calling thread enters the sandbox and lets them go. So nothing privileged is left to do when
 * the first byte of data is looked at.
 */
#ifndef NF_SCAN_INTERNAL_H
#define NF_SCAN_INTERNAL_H

#include <pthread.h>

#include "scan/reader.h"
#include "scan/scan.h"

enum {
	SCAN_MAX_THREADS = 256,
	SCAN_MAX_DEPTH = 256,
	SCAN_MIN_CHUNK_BYTES = 4 << 10,
	SCAN_MAX_CHUNK_BYTES = 64 << 20,
	SCAN_PROGRESS_NS = 100 * 1000 * 1000,
};

/* Why the threads shall stop. */
enum { STOP_NONE, STOP_PROGRAM, STOP_FAILED };

enum scan_phase { PHASE_SETUP, PHASE_RUN, PHASE_ABANDONED };

/* Doors for tests. */
struct scan_hooks {
	const struct ring_ops *ring; /* below the uring reader; NULL: io_uring */
	void *ring_arg;
	enum reader_direct direct;
	/* Called in a scan thread for each piece before it is folded; may be NULL. */
	void (*piece)(void *arg, unsigned thread, const struct chunk *chunk);
	void *arg;
};

struct scan;

struct scan_thread {
	struct scan *scan;
	unsigned index;
	pthread_t pthread;
	void *engine_thread;
	const struct reader_ops *reader_ops;
	void *reader;
	const char *reader_text;
	struct reader_counts reads;
	uint8_t *line; /* lines: for one that straddles a window */
	size_t slice_bytes;
	/* Read by the thread that reports progress. */
	atomic_uint_fast64_t bytes, records, matched;
};

struct scan {
	const struct source *src;
	struct vm_program *vp;
	const struct scan_options *options;
	const struct scan_hooks *hooks; /* or NULL */
	struct engine_config engine_config;
	const struct engine_ops *engine_ops;
	void *engine;
	char engine_reason[256];
	char device[96];
	const struct reader_ops *reader_ops;
	struct mapping *mapping; /* of the mmap reader, else NULL */
	unsigned n_threads, depth;
	bool polled; /* direct reads of all files may be polled for */
	struct chunk_plan plan;
	atomic_uint_fast64_t cursor;
	atomic_int stop;
	uint64_t begin_ns, go_ns, end_ns, next_progress_ns;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	enum scan_phase phase;
	unsigned n_ready, n_finished;
	bool failed;
	int error_ret;
	struct nf_error error;

	struct scan_thread *threads;
};

/* scan_run() with doors for tests. */
int scan_run_hooked(const struct source *src, struct vm_program *vp,
		    const struct scan_options *options, const struct scan_hooks *hooks,
		    struct scan_result **ret, struct nf_error *err);

/* scan_choose.c: fill engine_config, plan, reader_ops; open the engine. */
int scan_choose(struct scan *s, struct nf_error *err);

/* scan_plan.c: fill n_threads, depth, polled, plan and engine_config.max_groups, for engine_ops. */
int scan_plan(struct scan *s, struct nf_error *err);
/* How many bytes the options ask for, and how many threads they get. */
uint64_t scan_bytes(const struct source *src, const struct scan_options *o);
unsigned scan_threads(const struct source *src, const struct scan_options *o);
/* The largest command that every file takes, if all are namespaces; else 0. */
uint32_t scan_command_bytes(const struct source *src);
/* Does all of it look to be in the page cache, by a sample? */
bool scan_is_hot(const struct source *src);

/* scan_thread.c */
int scan_thread_setup(struct scan_thread *t, struct nf_error *err);
void scan_thread_run(struct scan_thread *t);
void scan_thread_finish(struct scan_thread *t);
/* The first error is the scan's; err is copied. Ends the scan. */
void scan_fail(struct scan *s, int ret, const struct nf_error *err);
/* The calling thread's progress report, when it is time. */
void scan_report(struct scan *s, uint64_t now_ns, bool final);

/* scan_merge.c: from all engine threads; the caller owns what it gets. */
int scan_collect(struct scan *s, struct scan_result *ret, struct nf_error *err);

#endif
