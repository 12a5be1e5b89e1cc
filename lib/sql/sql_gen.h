/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_gen.h - what the parts of the code generator share.
 *
 * Registers: r6 the record, r7 what is written (the key or the state), r0 a value, r1 to r5
 * scratch. Values that wait for others are in slots on the stack.
 *
 * Integers, dates and numerics are 64-bit integers; a numeric is the number times 10^scale, where
 * every expression has one scale, known beforehand (sql_num_of). NULL is no value but a way:
 * generators take a label for it.
 */
#ifndef NF_SQL_GEN_H
#define NF_SQL_GEN_H

#include "sql/sql_asm.h"
#include "sql/sql_code.h"

enum { REG_VALUE = 0, REG_RECORD = 6, REG_OUT = 7, REG_STACK = 10 };
#define SQL_MINUS_ZERO INT64_MIN /* the bits of -0. */
enum { SQL_RECORD_SCALE = 18 };  /* the most that a value of 64 bits can have */

/* What is known of an integer, date or numeric: it is in [lo, hi] / 10^scale. */
struct sql_num {
	__int128 lo, hi;
	int32_t scale;
};

struct sql_rodata {
	uint8_t *bytes;
	uint32_t n, room;
};

struct sql_gen {
	struct sql_asm a;
	const struct sql_plan *plan;
	struct sql_rodata *rodata;
	unsigned depth; /* slots in use */
	struct nf_error *err;
	int error; /* the first one; err is filled */
};

/* The first error counts. at: place in the text. */
void sql_gen_fail(struct sql_gen *g, enum nf_code code, int32_t at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5), cold));

/* n slots in a row; the offset from r10 of the first. Two are aligned to 16 bytes. */
int32_t sql_gen_push(struct sql_gen *g, unsigned n, int32_t at);
/* Back to what `depth` was before. */
void sql_gen_pop(struct sql_gen *g, unsigned depth);
/* The bytes in rodata; the same ones only once. */
uint32_t sql_gen_rodata(struct sql_gen *g, const void *bytes, uint32_t n);

/* ---- numbers (sql_gen_num.c, sql_gen_value.c) ----------------------------------------------- */

__int128 sql_power_of_ten(int32_t n); /* at most 10^38 */
struct sql_num sql_num_of(const struct sql_gen *g, const struct sql_expr *e);
/* What the operation gives if nothing is checked: may be beyond the type, and beyond 64 bits. */
struct sql_num sql_num_ideal(const struct sql_gen *g, const struct sql_expr *e);
/* Bounds of the type; a numeric's are those of 64 bits. */
void sql_type_bounds(enum sql_type type, int64_t *ret_lo, int64_t *ret_hi);

/* r0 = the value: a number, the bits of a double, 0 or 1. */
void sql_gen_value(struct sql_gen *g, const struct sql_expr *e, sql_label null);
/* The same with that scale, which is not below its own. */
void sql_gen_scaled(struct sql_gen *g, const struct sql_expr *e, int32_t scale, sql_label null);
/* r0 = a, r1 = b, scaled. */
void sql_gen_two(struct sql_gen *g, const struct sql_expr *a, int32_t a_scale,
		 const struct sql_expr *b, int32_t b_scale, sql_label null);
/* r0 = a op b; a, b in r0, r1; doubles, PostgreSQL's checks for overflow. */
void sql_gen_real(struct sql_gen *g, enum sql_op op, int32_t at);
/* r0: a double that compares by its bits; ordered: as a signed integer, NaN above all. */
void sql_gen_real_key(struct sql_gen *g, bool ordered);
/* The same, ordered, for min and max: -0 stays, and is below 0. */
void sql_gen_real_extreme(struct sql_gen *g);
int64_t sql_real_key(double d, bool ordered);
double sql_real_of_key(int64_t key); /* an ordered one */

/* ---- sql_gen_integer.c ----------------------------------------------------------------------- */

enum sql_rounding { SQL_HALF_AWAY, SQL_TO_ZERO, SQL_DOWN, SQL_UP };

/* r0 is in n; fail where that is beyond the type. */
void sql_gen_bounds(struct sql_gen *g, struct sql_num n, enum sql_type type, int32_t at);
/* r0 *= r1; checked if what comes out, n, may be beyond 64 bits. */
void sql_gen_times(struct sql_gen *g, struct sql_num n, enum sql_type type, int32_t at);
/* r0 *= 10^digits, which gives n; refuses what has more digits behind the point than there are. */
void sql_gen_scale_up(struct sql_gen *g, struct sql_num n, int32_t digits, int32_t at);
/* r0 /= 10^digits */
void sql_gen_round_off(struct sql_gen *g, int32_t digits, enum sql_rounding how);
void sql_gen_add(struct sql_gen *g, const struct sql_expr *e, sql_label null);
void sql_gen_multiply(struct sql_gen *g, const struct sql_expr *e, sql_label null);
void sql_gen_divide(struct sql_gen *g, const struct sql_expr *e, sql_label null);
void sql_gen_negate(struct sql_gen *g, const struct sql_expr *e, sql_label null);
void sql_gen_round(struct sql_gen *g, const struct sql_expr *e, sql_label null);

/* ---- sql_gen_real.c, sql_gen_cast.c ---------------------------------------------------------- */

/* r0: a double of the same value, from the bits of a float; from the number that e is. */
void sql_gen_widen(struct sql_gen *g);
void sql_gen_to_real(struct sql_gen *g, const struct sql_expr *e);
void sql_gen_real_operation(struct sql_gen *g, const struct sql_expr *e, sql_label null);
void sql_gen_cast(struct sql_gen *g, const struct sql_expr *e, sql_label null);
void sql_gen_extract(struct sql_gen *g, const struct sql_expr *e, sql_label null);

/* ---- conditions (sql_gen_cond.c) ------------------------------------------------------------- */

/* Jumps to one of the labels; control does not go on. */
void sql_gen_cond(struct sql_gen *g, const struct sql_expr *e, sql_label if_true,
		  sql_label if_false, sql_label if_null);

/* ---- text (sql_gen_text.c) ------------------------------------------------------------------- */

/* The most bytes that it can have; refuses what cannot be had beside the data. */
uint32_t sql_text_bytes(struct sql_gen *g, const struct sql_expr *e);
/* The text, padded with zeroes, to `bytes` bytes at base + off, which are zero before. None: only
 * whether it is NULL. */
void sql_gen_text(struct sql_gen *g, const struct sql_expr *e, unsigned base, int32_t off,
		  uint32_t bytes, sql_label null);
/* Compare two texts of `bytes` bytes, a multiple of 8, padded with zeroes. r0, r1 are used. */
void sql_gen_text_order(struct sql_gen *g, unsigned a, int32_t a_off, unsigned b, int32_t b_off,
			uint32_t bytes, sql_label less, sql_label equal, sql_label greater);
void sql_gen_text_compare(struct sql_gen *g, const struct sql_expr *e, sql_label if_true,
			  sql_label if_false, sql_label if_null);
void sql_gen_like(struct sql_gen *g, const struct sql_expr *e, sql_label if_true,
		  sql_label if_false, sql_label if_null);

#endif
