/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bench_sweep_internal.h - what the sections of a sweep share. */
#ifndef NF_BENCH_SWEEP_INTERNAL_H
#define NF_BENCH_SWEEP_INTERNAL_H

#include "compute-client/bench/bench_measure.h"
#include "compute-client/bench/bench_netns.h"
#include "compute-client/bench/bench_node.h"
#include "compute-client/bench/bench_sweep.h"

/* Every record of it may be a group: below the node's limit of groups. */
enum { SWEEP_ROWS_BYTES = 16 << 20, SWEEP_GROUPS_BYTES = 256 << 20 };

struct sweep {
	const struct bench_sweep *o;
	struct bench_report *report;
	struct bench_node node;
	struct bench_netns ns;
	bool has_node, has_ns;
	uint64_t enough_ns; /* on the clock: points that begin later are left out; 0: none is */
	unsigned left_out;
	const char *best; /* the engine where only one is measured */
};

/* How a connection goes. */
enum sweep_path { PATH_LOOPBACK, PATH_CABLE };

/* program may be NULL; set it with bench_target_program(). */
int sweep_connect(struct sweep *s, enum sweep_path path, struct bench_target *ret,
		  struct nf_error *err);
/* False: the time is up, leave it out. Says on a terminal what is measured now. */
bool sweep_begins(struct sweep *s, enum bench_section section, const char *x_text);
int sweep_program(const char *name, struct nearfold_program **ret, struct nf_error *err);
int sweep_param(struct nearfold_program *p, const char *name, uint64_t value, struct nf_error *err);

/* One point, both ways, with each engine ("jit", ... ended by NULL). */
struct sweep_point {
	enum bench_section section;
	double x;
	const char *x_text;
	const char *const *engines;
	unsigned rounds;
	bool cold; /* no warm-up */
};
int sweep_measure(struct sweep *s, struct bench_target *t, const struct sweep_point *p,
		  struct nf_error *err);

/* ---- bench_sweep_link.c, bench_sweep_queries.c ----------------------------------------------- */

int sweep_links(struct sweep *s, struct nf_error *err);
int sweep_queries(struct sweep *s, struct nf_error *err);

/* ---- bench_crossing.c ------------------------------------------------------------------------ */

/*
 * Where the ratio ship / offload of that name passes 1 along x, between measured points (on
 * logarithmic scales where the section's is one). 1: *ret_x; 0: offload is better everywhere; -1:
 * shipping is.
 */
int bench_crossing(const struct bench_report *r, enum bench_section section, const char *engine,
		   const char *name, double *ret_x);
/* Adds the break-evens of all sections that were measured. */
void bench_crossings_report(struct bench_report *r);

#endif
