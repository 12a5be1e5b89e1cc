/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_measure.h - one question, answered both ways, and everything that it cost.
 *
 *	offload  the program runs on the node; the answer travels
 *	ship     ReadRange through the same connection; the same program folds here, in the same
 *		 engine and in this thread, while the bytes arrive
 *
 * What is counted: bytes through the client's socket; bytes that the node says it sent; bytes that
 * the interface counted meanwhile; wall time; CPU time of the worker and the node's daemon, and
 * of this process. Asking the node for its counters goes over a connection of its own, outside of
 * the counted time. A target belongs to one thread.
 */
#ifndef NF_BENCH_MEASURE_H
#define NF_BENCH_MEASURE_H

#include "compute-client/bench/bench_interface.h"
#include "compute-client/bench/bench_run.h"
#include "compute-client/client.h"

struct bench_target {
	/* Set by the caller; borrowed. */
	struct nearfold_program *program;
	const char *dataset;
	unsigned threads;                /* of an offloaded query; 0: the node chooses */
	uint64_t range_start, range_end; /* bytes; 0, 0: everything */
	int cancel_fd;

	/* Owned; made by bench_target_open(). */
	struct nearfold_conn *conn, *watch;
	struct bench_interface interface;
	struct dataset_spec spec;
	struct vm_program *verified;
	uint64_t total_bytes;
	char *address;
	bool can_ship;
	char ship_reason[256];          /* why not */
	struct jit_image *image;        /* compiled for an earlier shipping */
	struct nearfold_result *answer; /* the first one */
	bool answers_differ;
};

/* Connect, and look at the data set. bench_target_close() in either case. */
int bench_target_open(struct bench_target *t, const char *address, struct nf_error *err);
void bench_target_close(struct bench_target *t);
/* Another program over the same connection: answers are compared anew. */
int bench_target_program(struct bench_target *t, struct nearfold_program *program,
			 struct nf_error *err);

/* What one run did, without what is counted around it. */
struct bench_outcome {
	uint64_t sent, received, node_sent, scanned, records, matched, groups;
	unsigned threads;
	double worker_cpu_seconds, prepare_seconds;
};
int bench_offload(struct bench_target *t, const char *engine, struct bench_outcome *ret,
		  struct nf_error *err);
int bench_ship(struct bench_target *t, const char *engine, struct bench_outcome *ret,
	       struct nf_error *err);

/* Counters before and after; target gives the connection and the interface that are looked at. */
struct bench_window {
	uint64_t start_ns, interface;
	double client_cpu_seconds;
	struct client_counters node;
	bool has_interface;
};
int bench_window_open(struct bench_window *w, struct bench_target *t, struct nf_error *err);
int bench_window_close(struct bench_window *w, struct bench_target *t,
		       const struct bench_outcome *outcomes, unsigned n, enum bench_way way,
		       struct bench_sample *ret, struct nf_error *err);

/* A contestant's run function; arg is this. */
struct bench_subject {
	struct bench_target *target;
	enum bench_way way;
	const char *engine;
};
int bench_subject_run(void *arg, struct bench_sample *ret, struct nf_error *err);

/* *to from the public library's; returns the negative errno. */
int bench_error(struct nf_error *to, const struct nearfold_error *from);

#endif
