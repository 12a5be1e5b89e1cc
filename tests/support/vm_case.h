/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_case.h - the cases of the data files of tests/vm: a function in assembly, its memory, and what
 *must come out of it. A file holds many; each is a list of sections. "# WORD" begins a section, the
 * rest of that line and the lines up to the next one are its content; // begins a comment.
 *
 *	# name TEXT		begins a case
 *	# entry KIND		filter, key, reduce or combine; reduce when absent
 *	# asm			the function (vm_asm.h)
 *	# sub NAME		a sub-function, in assembly; may be given several times
 *	# runs			rows "WORD... -> WORD...": 64-bit words that make the record, and
 *				those that the state must hold after the call; or "-> trap TEXT"
 *	# record BYTES		instead of runs: one run with this memory. BYTES are hex digits,
 *	# params BYTES		spaces, and strings in "quotes"; N*BYTE repeats a byte
 *	# state BYTES		what the state is before (of each run, too); zeroes when absent
 *	# from BYTES		combine's second state
 *	# rodata BYTES
 *	# state_bytes N		when no state is given; 8 when neither is
 *	# key_bytes N		key functions: the key's size
 *	# bounds MIN MAX	verify for records of any length, MIN to MAX bytes
 *	# budget N
 *	# result		lines: r0 N, state BYTES, key BYTES, trap TEXT, refused TEXT,
 *				proven N, guarded N. TEXT is a part of the message.
 */
#ifndef NF_TESTS_VM_CASE_H
#define NF_TESTS_VM_CASE_H

#include "program/program.h"

enum {
	VM_CASE_MAX_INSNS = 2048,
	VM_CASE_MAX_SUBS = 8,
	VM_CASE_MAX_RUNS = 64,
	VM_CASE_TEXT_BYTES = 192,
};

struct vm_bytes {
	uint8_t *data; /* NULL: not given */
	uint32_t n;
};

struct vm_case_code {
	char name[32];
	struct bpf_insn *insns;
	uint32_t n_insns;
};

struct vm_run {
	unsigned line;
	struct vm_bytes record;
	struct vm_bytes want_state, want_key;
	bool has_r0;
	uint64_t want_r0;
	char trap[VM_CASE_TEXT_BYTES]; /* "": must not trap */
};

struct vm_case {
	char name[VM_CASE_TEXT_BYTES];
	unsigned line;
	enum program_kind entry;
	struct vm_case_code code;
	struct vm_case_code subs[VM_CASE_MAX_SUBS];
	unsigned n_subs;
	struct vm_bytes params, state, from, rodata;
	uint32_t state_bytes, key_bytes;
	bool any_length; /* bounds given */
	uint32_t record_min_bytes, record_max_bytes;
	uint64_t budget; /* 0: the default */
	struct vm_run runs[VM_CASE_MAX_RUNS];
	unsigned n_runs;
	char refused[VM_CASE_TEXT_BYTES]; /* "": must be accepted */
	int want_proven, want_guarded;    /* -1: not given */
};

struct vm_cases {
	struct vm_case *cases;
	unsigned n;
};

/* 0, or -1 with error = "FILE:LINE: what is wrong". vm_cases_free() takes a half-read list. */
int vm_cases_read(const char *path, struct vm_cases *ret, char *error, size_t size);
void vm_cases_free(struct vm_cases *cases);

/* The case's program, with a do-nothing reduce and combine where the case has none. */
int vm_case_program(const struct vm_case *c, struct program **ret, struct nf_error *err);

#endif
