/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scan.bpf.c - the kernel's scan loop, attached to the tracepoint io_uring_complete.
 *
 * It is a template, not a program: lib/scan/engine_kernel_link.c takes one of the entry functions,
 * puts the user's functions in place of the calls to nf_user_*, numbers in place of the symbols
 * NF_*, and loads the result. A branch on such a number is decided by the kernel's verifier, which
 * removes the other side.
 *
 *	io_uring_complete -> user_data - NF_COOKIE < NF_SLOTS ? no: somebody else's, done (4 insns)
 *	                   -> slot -> lane; for each record: filter, key, reduce
 *
 * The tracepoint's arguments are (ctx, req, cqe) on Linux 6.18 and (ctx, req, user_data, res,
 * cflags, ...) on 6.12; NF_TP_CQE says which.
 *
 * Traps: pointers into the arena must be cast (addr_space_cast) before use, and stay arena pointers
 * through arithmetic, which is then done in 32 bits: count records, never subtract pointers. Cast
 * last: clang may turn pointer + number into number += pointer, which the kernel's verifier takes
 * for a number. The record loop is one may_goto loop; a bounded loop with data-dependent branches
 * inside explodes in the verifier. Numbers that the verifier knows something of, and that are
 * compared, keep a loop from converging: load them, or FORGET them.
 */
#include <stdint.h>

#include "scan_abi.h"

typedef uint64_t u64;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint8_t u8;

#define ENTRY  __attribute__((section("scan"), used))
#define INLINE static inline __attribute__((always_inline))

/* A number of the linker's. volatile: materialised where it is used, for it is cheaper to load
 * again than to keep in one of nine registers. */
#define NUMBER(name)                                          \
	({                                                    \
		u64 v_;                                       \
		asm volatile("%0 = " #name " ll" : "=r"(v_)); \
		v_;                                           \
	})

/* From user space's address to a pointer that the kernel's verifier lets through. */
#define ARENA(type, address)                                                   \
	({                                                                     \
		u64 a_ = (u64)(address);                                       \
		asm volatile("%0 = addr_space_cast(%0, 0x0, 0x1)" : "+r"(a_)); \
		(type *)a_;                                                    \
	})

/* The tracepoint's i-th argument. In assembly, or clang would add to the pointer first, which the
 * kernel's verifier does not let through. */
#define ARGUMENT(ctx, i)                                                                    \
	({                                                                                  \
		u64 v_;                                                                     \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(v_) : "r"(ctx), "i"(8 * (i))); \
		v_;                                                                         \
	})

/* Make the kernel's verifier forget what it knows of a number. What it knows grows with every round
 * of a loop, and as long as it grows the loop is not done for it. zero: a zero that was loaded. */
#define FORGET(number, zero) asm volatile("%0 ^= %1" : "+r"(number) : "r"(zero))

/* False when the kernel wants the program to end. */
#define CAN_LOOP                                                        \
	({                                                              \
		__label__ l_break, l_continue;                          \
		int go_on_ = 1;                                         \
		asm volatile goto("may_goto %l[l_break]" :: ::l_break); \
		goto l_continue;                                        \
	l_break:                                                        \
		go_on_ = 0;                                             \
	l_continue:;                                                    \
		go_on_;                                                 \
	})

/* The user's functions (lib/vm/vm.h has their convention); spliced in. */
extern int nf_user_filter(const void *rec, u32 len, const void *params);
extern void nf_user_key(const void *rec, u32 len, const void *params, void *key);
extern int nf_user_reduce(void *state, const void *rec, u32 len, const void *params);
/* Folds `left` records at data into the lane; returns how many it leaves. The linker writes it if
 * the program has a form without branches (lib/scan/engine_kernel_sweep.h). */
extern u64 nf_sweep(u64 lane, u64 data, u64 left);

/* Keys in words, unrolled for their number by the linker. */
extern u64 nf_key_hash(const u64 *key, u64 seed, u64 odd); /* scan_hash_step() over the words */
extern int nf_key_same(const u64 *a, const u64 *b);
extern void nf_key_copy(u64 *to, const u64 *from);
extern void nf_key_clear(u64 *key);

/* Notes of the linker's for the user's code, spliced in as little as is needed: */
extern void nf_begin(struct scan_slot *slot); /* where a failure is written to */
extern int nf_record(const void *record);     /* refills the meter; non-zero: take a pause */

/* The slot of this completion if it is ours, armed and brought data, else NULL. *ret_bytes: how
 * much is there at slot->data. */
INLINE struct scan_slot *slot_of(u64 *ctx, u64 *ret_bytes)
{
	struct scan_slot *slot;
	u64 user_data, n;
	s32 res;

	if (NUMBER(NF_TP_CQE)) {
		const u64 *cqe = (const u64 *)ARGUMENT(ctx, 2);

		user_data = cqe[0];
		res = ((const s32 *)cqe)[2];
	} else {
		user_data = ARGUMENT(ctx, 2);
		res = (s32)ARGUMENT(ctx, 3);
	}
	n = user_data - NUMBER(NF_COOKIE);
	if (n >= NUMBER(NF_SLOTS))
		return 0;
	slot = ARENA(struct scan_slot, NUMBER(NF_SLOT_TABLE)) + n;
	if (slot->status != SCAN_ARMED)
		return 0;
	if (slot->ready_bytes) { /* a NOP, or a command of a device: 0 is success */
		if (res)
			return 0;
		*ret_bytes = slot->ready_bytes;
		return slot;
	}
	if (res < 0 || (u32)res <= slot->head_bytes)
		return 0; /* stays armed: user space sees the result, too */
	*ret_bytes = (u32)res - slot->head_bytes;
	return slot;
}

/* What the loops have at hand. */
struct fold {
	const struct scan_slot *slot;
	struct scan_lane *lane;
	void *state;
	const void *params;
	u64 records, matched;
	u32 rounds; /* that are left */
};

/* One more round of a loop? */
#define ROUND(f) (CAN_LOOP && (f)->rounds-- != 0)

INLINE void fold_begin(struct fold *f, struct scan_slot *slot)
{
	nf_begin(slot);
	f->slot = slot;
	f->lane = ARENA(struct scan_lane, slot->lane);
	f->state = ARENA(void, f->lane->state);
	f->params = ARENA(void, f->lane->params);
	f->records = f->matched = 0;
	f->rounds = slot->rounds;
}

INLINE void fold_end(struct fold *f, struct scan_slot *slot, u32 status, u32 folded_bytes)
{
	f->lane->records += f->records;
	f->lane->matched += f->matched;
	slot->folded_bytes = folded_bytes;
	slot->status = status;
}

/*
 * The address of the entry of the key in the lane, made if it is new; 0: the table must grow. A
 * function of its own: the kernel's verifier looks at it once, and its rounds are counted apart.
 */
u64 nf_group(u64 lane_address)
{
	struct scan_lane *lane = ARENA(struct scan_lane, lane_address);
	u64 tag = SCAN_TAG(nf_key_hash(lane->key, lane->seed[0], lane->seed[1])), there,
	    at = tag >> 32;
	u64 tries = lane->tries, where, *entry;

	for (;; at++) {
		if (!CAN_LOOP || tries-- == 0)
			return 0;
		where = lane->table + (at & lane->mask) * NUMBER(NF_ENTRY_BYTES);
		entry = ARENA(u64, where);
		there = *entry;
		if (!there)
			break;
		if (there == tag && nf_key_same(entry + 1, lane->key))
			return where;
	}
	if (lane->count >= lane->limit)
		return 0;
	lane->count++;
	*entry = tag;
	nf_key_copy(entry + 1, lane->key);
	if (NUMBER(NF_HAS_INIT)) {
		u64 left = lane->init_words, at_word = 0;

		for (; left && CAN_LOOP; left--, at_word += 8)
			*ARENA(u64, where + NUMBER(NF_ENTRY_STATE) + at_word) =
				*ARENA(u64, lane->init + at_word);
	}
	return where; /* a pointer may not be returned */
}

/* nf_group(), which need not be called for a key of one word that was seen a moment ago. */
INLINE u64 group_of(const struct fold *f)
{
	struct scan_recent *recent;
	u64 key, entry;

	if (!NUMBER(NF_ONE_WORD))
		return nf_group(f->slot->lane);
	key = f->lane->key[0];
	recent = ARENA(struct scan_recent, f->lane->recent) +
		 (key * f->lane->seed[1] >> (64 - SCAN_RECENT_BITS));
	entry = recent->entry;
	if (entry && recent->key == key)
		return entry;
	entry = nf_group(f->slot->lane);
	recent->key = key;
	recent->entry = entry;
	return entry;
}

/* One record; SCAN_DONE: go on. grouped is a constant. */
INLINE u32 fold_record(struct fold *f, const u8 *p, u32 len, int grouped)
{
	void *state = f->state;

	if (!nf_user_filter(p, len, f->params))
		return SCAN_DONE;
	if (grouped) {
		u64 entry;

		nf_key_clear(f->lane->key);
		nf_user_key(p, len, f->params, f->lane->key);
		entry = group_of(f);
		if (!entry)
			return SCAN_FULL;
		state = ARENA(void, entry + NUMBER(NF_ENTRY_STATE));
	}
	f->matched++;
	return nf_user_reduce(state, p, len, f->params) ? SCAN_STOPPED : SCAN_DONE;
}

INLINE int fixed(u64 *ctx, int grouped)
{
	u64 bytes, left;
	u32 status = SCAN_DONE;
	struct scan_slot *slot = slot_of(ctx, &bytes);
	struct fold f;
	u8 *p;

	if (!slot)
		return 0;
	fold_begin(&f, slot);
	if (bytes > slot->own_bytes)
		bytes = slot->own_bytes;
	left = f.records = bytes / NUMBER(NF_RECORD);
	if (!grouped && NUMBER(NF_SWEEPS)) {
		u64 some = left < SCAN_ROUNDS ? left : SCAN_ROUNDS;
		u64 not_swept = nf_sweep(slot->lane, slot->data, some);

		left -= some - not_swept;
		if (!not_swept) {
			f.records -= left;
			fold_end(&f, slot, left ? SCAN_PAUSED : SCAN_DONE,
				 (u32)(f.records * NUMBER(NF_RECORD)));
			return 0;
		}
	}
	p = ARENA(u8, slot->data + (f.records - left) * NUMBER(NF_RECORD));
	while (left) {
		if (!ROUND(&f) || nf_record(p)) {
			status = SCAN_PAUSED;
			break;
		}
		status = fold_record(&f, p, (u32)NUMBER(NF_RECORD), grouped);
		if (status == SCAN_FULL)
			break;
		left--;
		if (status != SCAN_DONE)
			break;
		p += NUMBER(NF_RECORD);
	}
	f.records -= left;
	fold_end(&f, slot, status, (u32)(f.records * NUMBER(NF_RECORD)));
	return 0;
}

ENTRY int scan_fixed(u64 *ctx)
{
	return fixed(ctx, 0);
}

ENTRY int scan_fixed_groups(u64 *ctx)
{
	return fixed(ctx, 1);
}

/* The low bit of every byte that is a newline; the lowest is right, those above it may be false. */
INLINE u64 newlines_in(u64 word)
{
	const u64 low = 0x0101010101010101;
	u64 x = word ^ (low * '\n');

	return (((x - low) & ~x) >> 7) & low;
}

/* Which byte the lowest bit of hit, not 0, belongs to: the bits below it, one per byte, summed up
 * in the top byte. */
INLINE u64 first_byte(u64 hit)
{
	const u64 low = 0x0101010101010101;

	return (((hit - 1) & ~hit & low) * low) >> 56;
}

/* The first newline at or after `at`, looked for in SCAN_LINE_SLACK_BYTES bytes; behind them: none.
 */
INLINE u64 find_newline(u64 data, u64 at)
{
	const u64 *word = ARENA(const u64, data + at);
	u64 a = newlines_in(word[0]), b = newlines_in(word[1]);
	u64 c = newlines_in(word[2]), d = newlines_in(word[3]);

	if (a)
		return at + first_byte(a);
	if (b)
		return at + 8 + first_byte(b);
	if (c)
		return at + 16 + first_byte(c);
	if (d)
		return at + 24 + first_byte(d);
	return at + 32;
}

INLINE int lines(u64 *ctx, int grouped)
{
	u32 status = SCAN_DONE, skip;
	u64 bytes, zero, start = 0, at = 0;
	struct scan_slot *slot = slot_of(ctx, &bytes);
	struct fold f;
	u64 data;

	if (!slot)
		return 0;
	fold_begin(&f, slot);
	data = slot->data;
	skip = slot->skip_line;
	zero = slot->zero;
	while (start < slot->own_bytes) {
		u64 end;

		if (!ROUND(&f)) {
			status = SCAN_PAUSED;
			break;
		}
		FORGET(start, zero);
		FORGET(at, zero);
		end = find_newline(data, at);
		if (end - at == SCAN_LINE_SLACK_BYTES && end < bytes) {
			at = end;
			continue;
		}
		if (end >= bytes) {
			if (!slot->open_end)
				break; /* the line goes on where we cannot see it */
			end = bytes;
		}
		if (end - start > SCAN_MAX_LINE_BYTES) {
			status = SCAN_TOO_LONG;
			break;
		}
		if (!skip) {
			u8 *line = ARENA(u8, data + start);

			if (nf_record(line)) {
				status = SCAN_PAUSED;
				break;
			}
			status = fold_record(&f, line, (u32)(end - start), grouped);
			if (status == SCAN_FULL)
				break;
			f.records++;
		}
		skip = 0;
		start = at = end + 1;
		if (status != SCAN_DONE)
			break;
	}
	fold_end(&f, slot, status, (u32)(start < bytes ? start : bytes));
	return 0;
}

ENTRY int scan_lines(u64 *ctx)
{
	return lines(ctx, 0);
}

ENTRY int scan_lines_groups(u64 *ctx)
{
	return lines(ctx, 1);
}
