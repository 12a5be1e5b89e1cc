/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scan_constants.h - what each engine costs: the numbers by which `auto` chooses.
 *
 *	time = start + per instruction of the program: compile
 *	     + (records * (record + instructions that a record runs * insn) + bytes * byte) /
 *threads
 *
 * The numbers compiled in were measured by scan_constants_measure() on the build machine.
 * `nearfold bench engines` measures them again and can store them; a process takes the file
 * NEARFOLD_ENGINES names, else SCAN_CONSTANTS_PATH, if it is there, at its first scan (a node's
 * workers: when the node starts).
 *
 * File: a line per engine, "NAME start_ns compile_ns record_ns insn_ns byte_ns"; # begins a
 *comment. Thread-safe.
 */
#ifndef NF_SCAN_CONSTANTS_H
#define NF_SCAN_CONSTANTS_H

#include "vm/vm.h"

#define SCAN_CONSTANTS_PATH "/etc/nearfold/engines"

enum { SCAN_CONSTANTS_MAX = 8 };

struct engine_constants {
	char engine[16];
	double start_ns;   /* open, start and close, for a program of no length */
	double compile_ns; /* more of it, per instruction */
	double record_ns, insn_ns, byte_ns;
};

struct scan_constants {
	unsigned n;
	struct engine_constants rows[SCAN_CONSTANTS_MAX];
};

/* The ones in use. A file that cannot be read whole counts as absent: scan_constants_load() says
 * why. */
const struct scan_constants *scan_constants(void);

/* -ENOENT, or -EINVAL with path and line. */
int scan_constants_load(const char *path, struct scan_constants *ret, struct nf_error *err);
/* Replaces the file whole or not at all. */
int scan_constants_store(const char *path, const struct scan_constants *c, struct nf_error *err);
/* Measure every engine that runs here, in about a second; jit_module as in engine.h. */
int scan_constants_measure(const char *jit_module, struct scan_constants *ret,
			   struct nf_error *err);

struct scan_work {
	const struct vm_program *program;
	uint64_t bytes;
	uint32_t record_bytes; /* 0: lines, of unknown length */
	unsigned threads;
	bool compiled; /* its code is in a cache */
};

/* How long the engine will take, in nanoseconds; 0: nothing is known of it. */
double scan_estimate_ns(const struct scan_constants *c, const char *engine,
			const struct scan_work *work);

#endif
