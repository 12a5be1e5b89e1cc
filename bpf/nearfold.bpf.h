/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nearfold.bpf.h - all that a Nearfold program includes. Needs no other header.
 *
 *	clang -O2 -g -target bpf -mcpu=v3 -I DIR-OF-THIS-FILE -c prog.bpf.c -o prog.bpf.o
 *	nearfold check prog.bpf.o
 *
 * A program is up to four functions, each in its own section, with exactly these prototypes;
 * REC, PARAMS, KEY and STATE are types of yours:
 *
 *	SEC("fold/filter")  int  f(const REC *rec, u32 len, const PARAMS *p);            optional
 *	SEC("fold/key")     void f(const REC *rec, u32 len, const PARAMS *p, KEY *key);  optional
 *	SEC("fold/reduce")  int  f(STATE *s, const REC *rec, u32 len, const PARAMS *p);
 *	SEC("fold/combine") void f(STATE *into, const STATE *from);
 *
 * filter: not zero keeps the record. key: writes the group's key, which is zero before. reduce:
 * folds a record into the state, returns FOLD_MORE or FOLD_STOP. combine: merges two states; the
 * order in which states are merged is not defined, so it must be associative and commutative.
 *
 * REC `void` or a type of one byte takes records of any length (lines of text). PARAMS `void`:
 * no parameters; filter and reduce may leave `p` out then. A state begins as zeroes, or as
 * SEC("fold/init") const STATE start = {...};
 *
 * Functions are pure: no maps, no variables that change, no kernel helpers. docs/program-abi.md
 * has the rules and what the verifier says. Any clang from 14 on, -mcpu=v1 to v4.
 */
#ifndef NEARFOLD_BPF_H
#define NEARFOLD_BPF_H

#ifndef __bpf__
#error "compile with clang -target bpf"
#endif

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

/* The bits of an IEEE 754 double; BPF has no floating point. A member of this type prints as the
 * number. F64(0.5) is a constant. */
typedef u64 f64;

/* 128-bit integers, two's complement; a member of these types prints as one number. */
typedef struct s128 {
	u64 lo;
	s64 hi;
} s128;
typedef struct u128 {
	u64 lo;
	u64 hi;
} u128;

/* An average: members of these types print as NAME.count, NAME.sum and NAME.avg (the exact
 * quotient rounded to six decimals, half away from zero; null when count is 0). */
struct avg_u64 {
	u64 count;
	u128 sum;
};
struct avg_s64 {
	u64 count;
	s128 sum;
};

#define SEC(name)       __attribute__((section(name), used))
#define __always_inline inline __attribute__((always_inline))
#ifndef NULL
#define NULL ((void *)0)
#endif

/* What reduce returns. */
enum {
	FOLD_MORE = 0,
	FOLD_STOP = 1, /* the scan may end; which other records were seen is not defined */
};

#define FOLD_FILTER  SEC("fold/filter") int
#define FOLD_KEY     SEC("fold/key") void
#define FOLD_REDUCE  SEC("fold/reduce") int
#define FOLD_COMBINE SEC("fold/combine") void
#define FOLD_INIT    SEC("fold/init") const

/*
 * Helpers: functions that the engine has. Pure: same arguments, same bits, on every engine.
 * The table is lib/vm/vm_helper.c; a test compares.
 */
#define FOLD_HELPER static __attribute__((unused))

/* Ends the query with the error "the program reported error CODE". Does not return. */
FOLD_HELPER void (*const fold_fail)(u32 code) = (void *)0x10000;

/* Doubles, rounded to nearest even. Comparisons give 0 or 1; with a NaN, 0. */
FOLD_HELPER f64 (*const fold_f64_add)(f64 a, f64 b) = (void *)0x10001;
FOLD_HELPER f64 (*const fold_f64_sub)(f64 a, f64 b) = (void *)0x10002;
FOLD_HELPER f64 (*const fold_f64_mul)(f64 a, f64 b) = (void *)0x10003;
FOLD_HELPER f64 (*const fold_f64_div)(f64 a, f64 b) = (void *)0x10004;
FOLD_HELPER int (*const fold_f64_lt)(f64 a, f64 b) = (void *)0x10005;
FOLD_HELPER int (*const fold_f64_le)(f64 a, f64 b) = (void *)0x10006;
FOLD_HELPER int (*const fold_f64_eq)(f64 a, f64 b) = (void *)0x10007;
FOLD_HELPER f64 (*const fold_f64_from_i64)(s64 v) = (void *)0x10008;
/* Toward zero; what is too large gives the largest, a NaN gives 0. */
FOLD_HELPER s64 (*const fold_f64_to_i64)(f64 v) = (void *)0x10009;

/* Checked arithmetic: 1 when the result does not fit, else 0. The 128-bit additions leave *acc
 * alone then; the 64-bit ones store the low 64 bits. */
FOLD_HELPER int (*const fold_add128)(s128 *acc, s64 v) = (void *)0x1000a;
FOLD_HELPER int (*const fold_add128_128)(s128 *acc, const s128 *v) = (void *)0x1000b;
FOLD_HELPER int (*const fold_mul_s64)(s64 a, s64 b, s64 *out) = (void *)0x1000c;
/* The whole product; always 0. */
FOLD_HELPER int (*const fold_mul128)(s64 a, s64 b, s128 *out) = (void *)0x1000d;

/* Where needle begins in hay for the first time, or -1. An empty needle is at 0. */
FOLD_HELPER s64 (*const fold_find)(const void *hay, u64 n, const void *needle,
				   u64 m) = (void *)0x1000e;
/* A number at the start of s: how many bytes it takes, or -1 (no digit, or it does not fit; *out
 * is 0 then). "[+-]digits" and "[+-]digits[.digits][e[+-]digits]". */
FOLD_HELPER s64 (*const fold_parse_s64)(const void *s, u64 n, s64 *out) = (void *)0x1000f;
FOLD_HELPER s64 (*const fold_parse_f64)(const void *s, u64 n, f64 *out) = (void *)0x10010;
FOLD_HELPER int (*const fold_add_s64)(s64 a, s64 b, s64 *out) = (void *)0x10011;

/* Conveniences, without a call. Each argument is evaluated once. */
#define F64(constant)              \
	(((union {                 \
		 double number;    \
		 f64 bits;         \
	 }){.number = (constant)}) \
		 .bits)
#define fold_min(a, b)                             \
	({                                         \
		__typeof__(a) min_a_ = (a);        \
		__typeof__(b) min_b_ = (b);        \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})
#define fold_max(a, b)                             \
	({                                         \
		__typeof__(a) max_a_ = (a);        \
		__typeof__(b) max_b_ = (b);        \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})

/* Inlined when size is a constant. */
#define memcpy(to, from, size) __builtin_memcpy(to, from, size)
#define memset(to, byte, size) __builtin_memset(to, byte, size)

/* 128-bit sums; they cannot overflow before 2^63 values of 64 bits were added. */
static __always_inline void u128_add_u128(u128 *acc, u128 v)
{
	u64 lo = acc->lo, sum = lo + v.lo;

	acc->lo = sum;
	acc->hi += v.hi + (sum < lo);
}

static __always_inline void s128_add_s128(s128 *acc, s128 v)
{
	u64 lo = acc->lo, sum = lo + v.lo;

	acc->lo = sum;
	acc->hi = (s64)((u64)acc->hi + (u64)v.hi + (sum < lo));
}

static __always_inline void u128_add(u128 *acc, u64 v)
{
	u128_add_u128(acc, (u128){.lo = v});
}

static __always_inline void s128_add(s128 *acc, s64 v)
{
	s128_add_s128(acc, (s128){.lo = (u64)v, .hi = v >> 63});
}

static __always_inline void avg_u64_add(struct avg_u64 *a, u64 v)
{
	a->count++;
	u128_add(&a->sum, v);
}

static __always_inline void avg_u64_combine(struct avg_u64 *into, const struct avg_u64 *from)
{
	into->count += from->count;
	u128_add_u128(&into->sum, from->sum);
}

static __always_inline void avg_s64_add(struct avg_s64 *a, s64 v)
{
	a->count++;
	s128_add(&a->sum, v);
}

static __always_inline void avg_s64_combine(struct avg_s64 *into, const struct avg_s64 *from)
{
	into->count += from->count;
	s128_add_s128(&into->sum, from->sum);
}

/* log2, rounded down; 0 for 0. */
static __always_inline u32 fold_log2(u64 v)
{
	u32 n = 0;

	n += v >> 32 ? 32 : 0;
	n += v >> n >> 16 ? 16 : 0;
	n += v >> n >> 8 ? 8 : 0;
	n += v >> n >> 4 ? 4 : 0;
	n += v >> n >> 2 ? 2 : 0;
	n += v >> n >> 1 ? 1 : 0;
	return n;
}

#endif
