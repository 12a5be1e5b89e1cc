/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scan_programs.h - small verified programs, instruction by instruction.
 *
 * The ungrouped ones fold into struct sums, whose members tell whether each byte that matters came
 * from the right record: count, sum of lengths, sum of first bytes, sum of last bytes * position
 * independent weights.
 */
#ifndef NF_SCAN_PROGRAMS_H
#define NF_SCAN_PROGRAMS_H

#include "scan/scan.h"
#include "scan_fixture.h"
#include "tests/unit/program/program_fixture.h"

struct sums {
	uint64_t count, bytes, first, last;
};

#define LOAD8(d, s, o)  INSN(BPF_LDX | BPF_MEM | BPF_B, d, s, o, 0)
#define STORE8(d, o, s) INSN(BPF_STX | BPF_MEM | BPF_B, d, o, s, 0)
#define LOAD32(d, s, o) INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define AND_K(d, i)     INSN(BPF_ALU64 | BPF_AND | BPF_K, d, 0, 0, i)
#define JSLT_K(d, i, o) INSN(BPF_JMP | BPF_JSLT | BPF_K, d, 0, o, i)
#define JLT_X(d, s, o)  INSN(BPF_JMP | BPF_JLT | BPF_X, d, s, o, 0)
#define JNE_K(d, i, o)  INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
/* *(u64 *)(r1 + at) += reg, through r0 */
#define INCREASE(at, reg) LOAD(0, 1, at), ADD_X(0, reg), STORE(1, at, 0)

enum { HELPER_FAIL = 0x10000, HELPER_FIND = 0x1000e };

static inline void vm_program_unref_ptr(struct vm_program **vp)
{
	vm_program_unref(*vp);
}
#define AUTO_VM AUTO(vm_program_unref_ptr) struct vm_program *

static inline struct vm_program *verified(const struct program *draft,
					  const struct dataset_spec *spec)
{
	AUTO_PROGRAM p = NULL;
	struct vm_program *vp = NULL;
	struct vm_bounds bounds;
	struct nf_error err = {0};
	char text[1200];

	assert_int_equal(scan_bounds(spec, &bounds), 0);
	if (program_create(draft, &p, &err) || vm_verify(p, &bounds, &vp, &err))
		fail_msg("%s", nf_error_message(&err, text, sizeof(text)));
	return vp;
}

static const struct bpf_insn add_sums[] = {
	LOAD(3, 2, 0),   INCREASE(0, 3), LOAD(3, 2, 8),   INCREASE(8, 3), LOAD(3, 2, 16),
	INCREASE(16, 3), LOAD(3, 2, 24), INCREASE(24, 3), EXIT(),
};

/* Sums over every record; any format. A record of no bytes counts only. */
static inline struct vm_program *program_sums(const struct dataset_spec *spec)
{
	static const struct bpf_insn reduce[] = {
		MOV_K(5, 1),     INCREASE(0, 5),  INCREASE(8, 3), JEQ_K(3, 0, 9),
		LOAD8(5, 2, 0),  INCREASE(16, 5), ADD_X(2, 3),    LOAD8(5, 2, -1),
		INCREASE(24, 5), MOV_K(0, 0),     EXIT(),
	};
	const struct program_func funcs[] = {
		FUNC(PROGRAM_REDUCE, "sums", reduce),
		FUNC(PROGRAM_COMBINE, "add", add_sums),
	};
	const struct program draft = {
		.funcs = funcs, .n_funcs = 2, .state_bytes = sizeof(struct sums)};

	return verified(&draft, spec);
}

/* The same for records whose first byte is odd, kept by a filter. fixed only. */
static inline struct vm_program *program_odd_sums(const struct dataset_spec *spec)
{
	static const struct bpf_insn filter[] = {LOAD8(0, 1, 0), AND_K(0, 1), EXIT()};
	static const struct bpf_insn reduce[] = {
		MOV_K(5, 1),     INCREASE(0, 5), INCREASE(8, 3), LOAD8(5, 2, 0),
		INCREASE(16, 5), MOV_K(0, 0),    EXIT(),
	};
	const struct program_func funcs[] = {
		FUNC(PROGRAM_FILTER, "odd", filter),
		FUNC(PROGRAM_REDUCE, "sums", reduce),
		FUNC(PROGRAM_COMBINE, "add", add_sums),
	};
	const struct program draft = {
		.funcs = funcs, .n_funcs = 3, .state_bytes = sizeof(struct sums)};

	return verified(&draft, spec);
}

/* Counts per value of the record's first four bytes, grouped. */
static inline struct vm_program *program_groups(const struct dataset_spec *spec)
{
	static const struct bpf_insn key[] = {
		LOAD32(0, 1, 0), INSN(BPF_STX | BPF_MEM | BPF_W, 4, 0, 0, 0), MOV_K(0, 0), EXIT()};
	static const struct bpf_insn reduce[] = {MOV_K(5, 1), INCREASE(0, 5), MOV_K(0, 0), EXIT()};
	static const struct bpf_insn combine[] = {LOAD(3, 2, 0), INCREASE(0, 3), EXIT()};
	const struct program_func funcs[] = {
		FUNC(PROGRAM_KEY, "word", key),
		FUNC(PROGRAM_REDUCE, "count", reduce),
		FUNC(PROGRAM_COMBINE, "add", combine),
	};
	const struct program draft = {
		.funcs = funcs, .n_funcs = 3, .state_bytes = 8, .key_bytes = 4};

	return verified(&draft, spec);
}

/* Counts lines that contain the four bytes of the parameters. */
static inline struct vm_program *program_grep(const struct dataset_spec *spec)
{
	static const struct bpf_insn filter[] = {
		MOV_K(4, 4), CALL_HELPER(HELPER_FIND), MOV_X(1, 0),
		MOV_K(0, 0), JSLT_K(1, 0, 1),          MOV_K(0, 1),
		EXIT(),
	};
	static const struct bpf_insn reduce[] = {MOV_K(5, 1), INCREASE(0, 5), MOV_K(0, 0), EXIT()};
	static const struct bpf_insn combine[] = {LOAD(3, 2, 0), INCREASE(0, 3), EXIT()};
	const struct program_func funcs[] = {
		FUNC(PROGRAM_FILTER, "has_word", filter),
		FUNC(PROGRAM_REDUCE, "count", reduce),
		FUNC(PROGRAM_COMBINE, "add", combine),
	};
	const struct program draft = {
		.funcs = funcs, .n_funcs = 3, .state_bytes = 8, .params_bytes = 4};

	return verified(&draft, spec);
}

/* Counts, and says FOLD_STOP when the count reaches the (u64) parameter. */
static inline struct vm_program *program_stop_at(const struct dataset_spec *spec)
{
	static const struct bpf_insn reduce[] = {
		MOV_K(5, 1), INCREASE(0, 5), LOAD(5, 4, 0), JLT_X(0, 5, 2),
		MOV_K(0, 1), EXIT(),         MOV_K(0, 0),   EXIT(),
	};
	static const struct bpf_insn combine[] = {LOAD(3, 2, 0), INCREASE(0, 3), EXIT()};
	const struct program_func funcs[] = {
		FUNC(PROGRAM_REDUCE, "count", reduce),
		FUNC(PROGRAM_COMBINE, "add", combine),
	};
	const struct program draft = {
		.funcs = funcs, .n_funcs = 2, .state_bytes = 8, .params_bytes = 8};

	return verified(&draft, spec);
}

/* fold_fail(42) at a record whose first byte is 0xff. fixed only. */
static inline struct vm_program *program_fail_at_ff(const struct dataset_spec *spec)
{
	static const struct bpf_insn reduce[] = {
		LOAD8(5, 2, 0),           JNE_K(5, 0xff, 2), MOV_K(1, 42),
		CALL_HELPER(HELPER_FAIL), MOV_K(0, 0),       EXIT(),
	};
	static const struct bpf_insn combine[] = {EXIT()};
	const struct program_func funcs[] = {
		FUNC(PROGRAM_REDUCE, "fail", reduce),
		FUNC(PROGRAM_COMBINE, "nothing", combine),
	};
	const struct program draft = {.funcs = funcs, .n_funcs = 2, .state_bytes = 8};

	return verified(&draft, spec);
}

/* Counts; each record costs half a million turns of a loop. */
static inline struct vm_program *program_slow(const struct dataset_spec *spec)
{
	static const struct bpf_insn reduce[] = {
		MOV_K(5, 200000), ADD_K(5, -1), JNE_K(5, 0, -2), MOV_K(5, 1),
		INCREASE(0, 5),   MOV_K(0, 0),  EXIT(),
	};
	static const struct bpf_insn combine[] = {LOAD(3, 2, 0), INCREASE(0, 3), EXIT()};
	const struct program_func funcs[] = {
		FUNC(PROGRAM_REDUCE, "slow", reduce),
		FUNC(PROGRAM_COMBINE, "add", combine),
	};
	const struct program draft = {.funcs = funcs, .n_funcs = 2, .state_bytes = 8};

	return verified(&draft, spec);
}

/* ---- the same in C --------------------------------------------------------------------------- */

static inline void sums_add(struct sums *s, const uint8_t *record, size_t n)
{
	s->count++;
	s->bytes += n;
	if (n) {
		s->first += record[0];
		s->last += record[n - 1];
	}
}

static inline struct sums sums_of(const struct dataset_spec *spec, const uint8_t *p, size_t n)
{
	struct sums s = {0};
	const uint8_t *end = p + n;

	while (p < end) {
		const uint8_t *stop = spec->format == FORMAT_FIXED
					      ? p + spec->record_bytes
					      : memchr(p, '\n', (size_t)(end - p));

		if (!stop)
			stop = end;
		sums_add(&s, p, (size_t)(stop - p));
		p = stop + (spec->format == FORMAT_LINES);
	}
	return s;
}

/* ---- scans ----------------------------------------------------------------------------------- */

static inline void result_free_ptr(struct scan_result **r)
{
	scan_result_free(*r);
}
#define AUTO_RESULT AUTO(result_free_ptr) struct scan_result *

static inline void source_free_ptr(struct source **s)
{
	source_free(*s);
}
#define AUTO_SOURCE AUTO(source_free_ptr) struct source *

static inline struct source *opened(const struct folder *f, const struct dataset_spec *spec,
				    const char *path)
{
	struct dataset_spec with_path = *spec;
	struct source *src = NULL;

	with_path.path = (char *)path;
	assert_int_equal(source_open(&with_path, f->fd, &src, NULL), 0);
	return src;
}

static inline void must(int ret, const struct nf_error *err)
{
	char text[1200];

	if (ret)
		fail_msg("%d %s: %s", ret, nf_code_name(err->code),
			 nf_error_message(err, text, sizeof(text)));
}

#endif
