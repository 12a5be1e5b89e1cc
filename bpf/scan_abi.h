/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scan_abi.h - what user space and the kernel's scan loop (scan.bpf.c) share: structures in the
 * arena. Addresses are user space's; the loop casts them. Compiled by gcc and by clang -target bpf.
 *
 *	slot   one buffer of a ring, or a span folded by a NOP: written before the submission
 *	lane   one scan thread: its state or table of groups, its counters
 *
 * A slot is handed over by its status: user space owns it until SCAN_ARMED is stored, the kernel's
 * loop until it stores something else. A lane belongs to one thread; its ring delivers completions
 * in that thread (IORING_SETUP_DEFER_TASKRUN), so that nothing here needs an atomic operation.
 */
#ifndef NF_SCAN_ABI_H
#define NF_SCAN_ABI_H

#include <stdint.h>

enum {
	SCAN_MAX_SLOTS = 4096, /* all lanes together */
	SCAN_MAX_KEY_WORDS = 8,
	SCAN_MAX_LINE_BYTES = 1 << 20, /* PROGRAM_MAX_RECORD_BYTES */
	SCAN_LINE_SLACK_BYTES = 32,    /* the newline search looks at so many at a time */
	/* Metered instructions after which the loop ends a completion at the next record: some
	 * hundred microseconds, so that no CPU is held for long. */
	SCAN_WORK_LIMIT = 1 << 18,
	/* Rounds after which it does the same: the kernel's own counter must not run out
	 * (engine_kernel_lower.h says why). */
	SCAN_ROUNDS = 60000,
	/* Entries that a lookup may pass before the table counts as full. */
	SCAN_TRIES = 1000,
	SCAN_RECENT_BITS = 10,
};

enum scan_status {
	SCAN_IDLE,
	SCAN_ARMED,
	SCAN_DONE,     /* everything that arrived is folded */
	SCAN_PAUSED,   /* ended at a record's edge: the rest wants another completion */
	SCAN_FULL,     /* the table of groups must grow before the next record */
	SCAN_STOPPED,  /* reduce returned FOLD_STOP */
	SCAN_TRAPPED,  /* the program failed at `record` */
	SCAN_TOO_LONG, /* the line at folded_bytes is longer than SCAN_MAX_LINE_BYTES */
	SCAN_BROKEN,   /* the kernel ended a loop within a record: the lane's state is spoilt */
};

enum scan_trap {
	SCAN_TRAP_NONE,
	SCAN_TRAP_BUDGET,
	SCAN_TRAP_FAIL,
	SCAN_TRAP_BOUNDS, /* trap_bytes from the record's first byte on, which has record_bytes */
};

/* What a helper returns when the kernel ended its loop: no helper gives it otherwise. */
#define SCAN_HELPER_CUT (1ull << 63)

struct scan_slot {
	uint64_t data;         /* address of the first record, or of where it is looked for */
	uint64_t lane;         /* address of the lane */
	uint64_t budget;       /* metered instructions a record */
	uint64_t work;         /* ... and a completion: SCAN_WORK_LIMIT */
	uint64_t meter;        /* what is left of the budget, across a call */
	uint64_t zero;         /* a zero that the kernel's verifier knows nothing of */
	uint32_t rounds;       /* SCAN_ROUNDS */
	uint32_t head_bytes;   /* bytes of the read before data */
	uint32_t own_bytes;    /* records that start in here are ours */
	uint32_t ready_bytes;  /* so many bytes are at data already, the completion's result says
				* nothing; 0: the result says it */
	uint16_t skip_line;    /* lines: the first is another chunk's */
	uint16_t open_end;     /* lines: the last may lack its newline */
	uint32_t status;       /* enum scan_status */
	uint32_t folded_bytes; /* out, from data: whole records */
	uint32_t trap;         /* out: enum scan_trap */
	uint32_t trap_origin;  /* out: origin of the instruction, see engine_kernel_lower.h */
	uint32_t trap_code;    /* out: fold_fail's argument */
	uint32_t record_bytes; /* the length of the record at hand, for guards */
	uint64_t trap_bytes;
	uint64_t scratch[6]; /* helpers: what is on the stack, 16 bytes an argument */
	uint64_t record;     /* out: address of the record that failed, its low 32 bits */
} __attribute__((aligned(64)));

/* Keys of one word: where the group of a key was found the last time. */
struct scan_recent {
	uint64_t key;
	uint64_t entry; /* its address; 0: none */
};

struct scan_lane {
	uint64_t records, matched;
	uint64_t state;   /* ungrouped: address */
	uint64_t params;  /* address */
	uint64_t table;   /* grouped: address of the entries */
	uint64_t mask;    /* entries - 1, a power of two less one */
	uint64_t count;   /* entries used */
	uint64_t limit;   /* count may not pass it */
	uint64_t tries;   /* SCAN_TRIES */
	uint64_t seed[2]; /* of the hash; seed[1] is odd */
	uint64_t init;    /* address of a new group's state, if it is not zeroes */
	uint64_t init_words;
	uint64_t recent; /* address of 1 << SCAN_RECENT_BITS of them, by key * seed[1] */
	uint64_t key[SCAN_MAX_KEY_WORDS]; /* where the key function writes */
};

/* An entry of the table: tag (0: free), key in words, state on a 16-byte edge. */
#define SCAN_ENTRY_STATE(key_words)        ((8 + 8 * (key_words) + 15) & ~15u)
#define SCAN_ENTRY_BYTES(key_words, state) (SCAN_ENTRY_STATE(key_words) + (((state) + 15) & ~15u))

/* The hash is h = seed[0]; for each word of the key: h = (h ^ word) * seed[1], h ^= h >> 32. The
 * tag holds it, an entry is looked for from its upper half on. */
#define SCAN_TAG(h) ((h) | 1)

#endif
