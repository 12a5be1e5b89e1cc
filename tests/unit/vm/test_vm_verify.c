/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_verify.c - the verdicts: proven, guarded, and each reason of a refusal. One row, one
 * behaviour. Records have 24 bytes unless a row says otherwise, parameters 16, state 256 and
 * rodata 32; a key row has a key of 8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "tests/support/vm_asm.h"
#include "vm/vm.h"
#include "vm/vm_helper.h"

struct row {
	const char *name;
	enum program_kind kind;
	const char *code;
	const char *refused; /* a part of the reason; NULL: accepted */
	uint32_t n_proven, n_guarded;
	uint32_t min, max; /* record bounds; max 0: 24 bytes */
};

#define ACCEPTED(n, k, c, proven, guarded)                                   \
	{                                                                    \
		.name = (n), .kind = (k), .code = (c), .n_proven = (proven), \
		.n_guarded = (guarded)                                       \
	}
#define VARYING(n, k, c, proven, guarded, lo, hi)                            \
	{                                                                    \
		.name = (n), .kind = (k), .code = (c), .n_proven = (proven), \
		.n_guarded = (guarded), .min = (lo), .max = (hi)             \
	}
#define REFUSED(n, k, c, reason)                                           \
	{                                                                  \
		.name = (n), .kind = (k), .code = (c), .refused = (reason) \
	}

static const struct row rows[] = {
	/* ---- proven ---- */
	ACCEPTED("load a field", PROGRAM_REDUCE, "r0 = *(u64 *)(r2 + 16)\n r0 = 0\n exit", 1, 0),
	ACCEPTED("store to the state", PROGRAM_REDUCE, "*(u64 *)(r1 + 248) = 1\n r0 = 0\n exit", 1,
		 0),
	ACCEPTED("params", PROGRAM_FILTER, "r0 = *(u64 *)(r3 + 8)\n exit", 1, 0),
	ACCEPTED("key", PROGRAM_KEY, "r1 = *(u64 *)(r1 + 0)\n *(u64 *)(r4 + 0) = r1\n exit", 2, 0),
	ACCEPTED("the key may be read", PROGRAM_KEY, "r1 = *(u64 *)(r4 + 0)\n exit", 1, 0),
	ACCEPTED("combine", PROGRAM_COMBINE,
		 "r3 = *(u64 *)(r2 + 0)\n r4 = *(u64 *)(r1 + 0)\n r4 += r3\n *(u64 *)(r1 + 0) = "
		 "r4\n exit",
		 3, 0),
	ACCEPTED("rodata", PROGRAM_FILTER, "r1 = rodata + 24\n r0 = *(u64 *)(r1 + 0)\n exit", 1, 0),
	ACCEPTED("a masked index", PROGRAM_REDUCE,
		 "r3 = *(u64 *)(r2 + 0)\n r3 &= 31\n r3 <<= 3\n r1 += r3\n *(u64 *)(r1 + 0) = 1\n "
		 "r0 = 0\n exit",
		 2, 0),
	ACCEPTED("an index checked in 32 bits, signed", PROGRAM_REDUCE,
		 "w3 = *(u32 *)(r2 + 0)\n r0 = 0\n if w3 s< 0 goto out\n if w3 s> 31 goto out\n r3 "
		 "<<= 3\n"
		 "r1 += r3\n *(u64 *)(r1 + 0) = 1\n out:\n exit",
		 2, 0),
	ACCEPTED("an index checked by a register", PROGRAM_REDUCE,
		 "r3 = *(u64 *)(r2 + 0)\n r5 = 32\n r0 = 0\n if r3 >= r5 goto out\n r3 *= 8\n r1 "
		 "+= r3\n"
		 "*(u64 *)(r1 + 0) = 1\n out:\n exit",
		 2, 0),
	ACCEPTED("a sum of scaled digits", PROGRAM_REDUCE,
		 "r3 = *(u8 *)(r2 + 0)\n r3 %= 10\n r4 = *(u8 *)(r2 + 1)\n r4 %= 3\n r4 *= 10\n r3 "
		 "+= r4\n"
		 "r3 <<= 3\n r1 += r3\n *(u64 *)(r1 + 0) = 1\n r0 = 0\n exit",
		 3, 0),
	ACCEPTED("the distance of two pointers", PROGRAM_REDUCE,
		 "r3 = r2\n r3 += 8\n r3 -= r2\n r1 += r3\n *(u64 *)(r1 + 0) = 1\n r0 = 0\n exit",
		 1, 0),
	ACCEPTED("a pointer is never null", PROGRAM_FILTER,
		 "r0 = 0\n if r1 != 0 goto ok\n r0 = *(u64 *)(r0 + 0)\n ok:\n exit", 0, 0),
	ACCEPTED("a spilled pointer comes back", PROGRAM_FILTER,
		 "*(u64 *)(r10 - 8) = r1\n r4 = *(u64 *)(r10 - 8)\n r0 = *(u64 *)(r4 + 16)\n exit",
		 3, 0),
	ACCEPTED("a spilled bound comes back", PROGRAM_REDUCE,
		 "r3 = *(u8 *)(r2 + 0)\n *(u64 *)(r10 - 8) = r3\n r3 = *(u64 *)(r10 - 8)\n r1 += "
		 "r3\n"
		 "*(u8 *)(r1 + 0) = 1\n r0 = 0\n exit",
		 4, 0),
	ACCEPTED("a stack array", PROGRAM_FILTER,
		 "*(u64 *)(r10 - 16) = 1\n *(u64 *)(r10 - 8) = 2\n r3 = *(u8 *)(r1 + 0)\n r3 &= 8\n"
		 "r4 = r10\n r4 -= r3\n r0 = *(u64 *)(r4 - 8)\n exit",
		 4, 0),
	ACCEPTED("bytes written one by one", PROGRAM_FILTER,
		 "*(u8 *)(r10 - 4) = 1\n *(u8 *)(r10 - 3) = 1\n *(u16 *)(r10 - 2) = 1\n r0 = *(u32 "
		 "*)(r10 - 4)\n exit",
		 4, 0),
	ACCEPTED("a counted loop, bottom-tested by !=", PROGRAM_REDUCE,
		 "r3 = 0\n loop:\n r4 = r1\n r4 += r3\n *(u64 *)(r4 + 0) = 1\n r3 += 8\n if r3 != "
		 "256 goto loop\n"
		 "r0 = 0\n exit",
		 1, 0),
	ACCEPTED("a counted loop, top-tested by <", PROGRAM_REDUCE,
		 "r3 = 0\n loop:\n if r3 s> 31 goto out\n r4 = r3\n r4 <<= 3\n r4 += r1\n *(u64 "
		 "*)(r4 + 0) = 1\n"
		 "r3 += 1\n goto loop\n out:\n r0 = 0\n exit",
		 1, 0),
	ACCEPTED("an odd stride with a counter beside", PROGRAM_REDUCE,
		 "r3 = 10\n loop:\n *(u64 *)(r1 + 0) = 1\n r1 += 24\n r3 += -1\n if r3 != 0 goto "
		 "loop\n r0 = 0\n exit",
		 1, 0),
	ACCEPTED("a loop over a pointer up to an end", PROGRAM_REDUCE,
		 "r3 = r1\n r3 += 256\n loop:\n *(u64 *)(r1 + 0) = 1\n r1 += 8\n if r1 < r3 goto "
		 "loop\n r0 = 0\n exit",
		 1, 0),
	ACCEPTED("a long counted loop", PROGRAM_REDUCE,
		 "r3 = 0\n loop:\n r3 += 1\n if r3 < 1000000 goto loop\n r3 &= 31\n r1 += r3\n "
		 "*(u8 *)(r1 + 0) = 1\n"
		 "r0 = 0\n exit",
		 1, 0),
	ACCEPTED("a loop over the bits of a word", PROGRAM_REDUCE,
		 "r3 = *(u64 *)(r2 + 0)\n r5 = 0\n loop:\n if r3 < 2 goto out\n r3 >>= 1\n r5 += "
		 "1\n goto loop\n"
		 "out:\n r5 <<= 2\n r1 += r5\n *(u32 *)(r1 + 0) = 1\n r0 = 0\n exit",
		 2, 0),
	ACCEPTED("nested loops over a matrix", PROGRAM_REDUCE,
		 "r3 = 0\n rows:\n r4 = 0\n cols:\n r5 = r3\n r5 *= 16\n r5 += r4\n r5 += r1\n"
		 "*(u8 *)(r5 + 0) = 1\n r4 += 1\n if r4 != 16 goto cols\n r3 += 1\n if r3 != 16 "
		 "goto rows\n"
		 "r0 = 0\n exit",
		 1, 0),
	ACCEPTED("a loop that leaves early", PROGRAM_REDUCE,
		 "r3 = 0\n loop:\n r4 = r1\n r4 += r3\n r5 = *(u64 *)(r4 + 0)\n if r5 == 0 goto "
		 "out\n r3 += 8\n"
		 "if r3 < 256 goto loop\n out:\n r0 = 0\n exit",
		 1, 0),
	VARYING("a prefix of a varying record", PROGRAM_FILTER, "r0 = *(u64 *)(r1 + 0)\n exit", 1,
		0, 8, 100),
	ACCEPTED("a loop with two ways in", PROGRAM_REDUCE,
		 "r3 = 0\n r4 = *(u8 *)(r2 + 0)\n if r4 == 0 goto b\n a:\n r3 += 1\n b:\n r5 = "
		 "r1\n r5 += r4\n"
		 "*(u8 *)(r5 + 0) = 1\n if r3 < 100 goto a\n r0 = 0\n exit",
		 2, 0),
	ACCEPTED("unreachable code", PROGRAM_FILTER,
		 "r0 = 0\n goto out\n r0 = *(u64 *)(r9 + 0)\n out:\n exit", 0, 0),
	ACCEPTED("an endless loop", PROGRAM_FILTER, "r0 = 0\n loop:\n goto loop", 0, 0),
	ACCEPTED("fold_fail ends the function", PROGRAM_FILTER, "r1 = 7\n call fold_fail\n exit", 0,
		 0),
	ACCEPTED("a helper's result is bounded", PROGRAM_REDUCE,
		 "r6 = r1\n r1 = 1\n r2 = 2\n call fold_f64_lt\n r6 += r0\n *(u8 *)(r6 + 255) = "
		 "1\n r0 = 0\n exit",
		 0, 1),
	ACCEPTED("a helper writes to the stack", PROGRAM_REDUCE,
		 "r1 = 3\n r2 = 4\n r3 = r10\n r3 += -8\n call fold_mul_s64\n r0 = *(u64 *)(r10 - "
		 "8)\n exit",
		 2, 0),
	ACCEPTED("a helper reads memory", PROGRAM_FILTER,
		 "r2 = 24\n r3 = rodata + 0\n r4 = 4\n call fold_find\n exit", 1, 0),
	ACCEPTED("comparing far pointers", PROGRAM_FILTER,
		 "r4 = *(u64 *)(r1 + 0)\n r4 += r1\n r0 = 0\n if r4 > r1 goto out\n r0 = 1\n "
		 "out:\n exit",
		 1, 0),
	ACCEPTED("a key function may return anything", PROGRAM_KEY, "exit", 0, 0),

	/* ---- guarded ---- */
	ACCEPTED("an unchecked index", PROGRAM_REDUCE,
		 "r3 = *(u64 *)(r2 + 0)\n r1 += r3\n *(u8 *)(r1 + 0) = 1\n r0 = 0\n exit", 1, 1),
	ACCEPTED("an index that is one too large", PROGRAM_REDUCE,
		 "r3 = *(u8 *)(r2 + 0)\n r1 += r3\n *(u16 *)(r1 + 0) = 1\n r0 = 0\n exit", 1, 1),
	VARYING("beyond the shortest record", PROGRAM_FILTER, "r0 = *(u64 *)(r1 + 8)\n exit", 0, 1,
		8, 100),
	VARYING("each byte of a line", PROGRAM_FILTER,
		"r0 = 0\n r3 = 0\n loop:\n if r3 >= r2 goto out\n r4 = r1\n r4 += r3\n r4 = *(u8 "
		"*)(r4 + 0)\n"
		"r0 += r4\n r3 += 1\n goto loop\n out:\n exit",
		0, 1, 0, 1 << 20),
	VARYING("backwards over a line", PROGRAM_FILTER,
		"r3 = r1\n r3 += r2\n r0 = 0\n loop:\n if r3 <= r1 goto out\n r4 = *(u8 *)(r3 - "
		"1)\n r3 += -1\n"
		"if r4 != 32 goto loop\n out:\n exit",
		0, 1, 0, 1 << 20),
	VARYING("a helper over a line", PROGRAM_FILTER,
		"r3 = rodata + 0\n r4 = 4\n call fold_find\n exit", 0, 1, 0, 1 << 20),
	ACCEPTED("a size that may be negative", PROGRAM_FILTER,
		 "r2 = *(u64 *)(r1 + 0)\n r3 = rodata + 0\n r4 = 4\n call fold_find\n exit", 1, 1),

	/* ---- refused: values ---- */
	REFUSED("an uninitialised register", PROGRAM_FILTER, "r0 = r5\n exit", "r5 is used before"),
	REFUSED("initialised on one way only", PROGRAM_FILTER,
		"r3 = *(u8 *)(r1 + 0)\n if r3 == 0 goto out\n r0 = 1\n out:\n exit",
		"r0 is used before"),
	REFUSED("no return value", PROGRAM_FILTER, "exit", "returns without a value"),
	REFUSED("returns a pointer", PROGRAM_FILTER, "r0 = r1\n exit",
		"returns a pointer (r0 = record + 0)"),
	REFUSED("registers die in a call", PROGRAM_FILTER,
		"r1 = 1\n r2 = 1\n call fold_f64_add\n r0 += r1\n exit", "r1 is used before"),
	REFUSED("different kinds on two ways", PROGRAM_FILTER,
		"r4 = *(u8 *)(r1 + 0)\n if r4 == 0 goto out\n r1 = 5\n out:\n r0 = *(u8 *)(r1 + "
		"0)\n exit",
		"values of different kinds"),
	REFUSED("different regions on two ways", PROGRAM_REDUCE,
		"r3 = *(u8 *)(r2 + 0)\n if r3 == 0 goto out\n r2 = r1\n out:\n r0 = *(u8 *)(r2 + "
		"0)\n exit",
		"values of different kinds"),
	REFUSED("different regions, turn by turn", PROGRAM_REDUCE,
		"r6 = 2\n loop:\n r3 = *(u8 *)(r1 + 0)\n r1 = r2\n r6 += -1\n if r6 != 0 goto "
		"loop\n r0 = 0\n exit",
		"r1 points into the state on one way here and into the record on another"),

	/* ---- refused: memory ---- */
	REFUSED("a sure overrun", PROGRAM_FILTER, "r0 = *(u64 *)(r1 + 17)\n exit",
		"reads 8 bytes at r1 + 17 = record + 17, always outside; the record has 24 bytes"),
	REFUSED("a sure underrun", PROGRAM_FILTER, "r0 = *(u64 *)(r1 - 8)\n exit",
		"record - 8, always outside"),
	REFUSED("a range that is surely outside", PROGRAM_FILTER,
		"r3 = *(u8 *)(r1 + 0)\n r3 += 24\n r1 += r3\n r0 = *(u8 *)(r1 + 0)\n exit",
		"record + [24, 279], always outside"),
	REFUSED("a helper's sure overrun", PROGRAM_FILTER,
		"r2 = 25\n r3 = rodata + 0\n r4 = 4\n call fold_find\n exit",
		"passes 25 bytes at r1 = record + 0"),
	REFUSED("writes to the record", PROGRAM_REDUCE, "*(u8 *)(r2 + 0) = 1\n r0 = 0\n exit",
		"writes to the record, which is read-only"),
	REFUSED("writes to the parameters", PROGRAM_FILTER, "*(u8 *)(r3 + 0) = 1\n r0 = 0\n exit",
		"writes to the params"),
	REFUSED("writes to from", PROGRAM_COMBINE, "*(u8 *)(r2 + 0) = 1\n exit",
		"writes to the from"),
	REFUSED("writes to rodata", PROGRAM_FILTER,
		"r3 = rodata + 0\n *(u8 *)(r3 + 0) = 1\n r0 = 0\n exit", "writes to the rodata"),
	REFUSED("a helper writes to the record", PROGRAM_FILTER,
		"r3 = r1\n r1 = 1\n r2 = 1\n call fold_mul_s64\n exit", "writes to the record"),
	REFUSED("reads through a number", PROGRAM_FILTER, "r3 = 5\n r0 = *(u8 *)(r3 + 0)\n exit",
		"r3, which is no pointer (r3 = the number 5)"),
	REFUSED("reads through a loaded number", PROGRAM_FILTER,
		"r3 = *(u64 *)(r1 + 0)\n r0 = *(u8 *)(r3 + 0)\n exit",
		"no pointer (r3 = any number)"),
	REFUSED("an unwritten stack", PROGRAM_FILTER, "r0 = *(u64 *)(r10 - 8)\n exit",
		"reads bytes of the stack that were not written"),
	REFUSED("a stack written in part", PROGRAM_FILTER,
		"*(u32 *)(r10 - 8) = 1\n r0 = *(u64 *)(r10 - 8)\n exit", "were not written"),
	REFUSED("a stack written on one way only", PROGRAM_FILTER,
		"r3 = *(u8 *)(r1 + 0)\n if r3 == 0 goto out\n *(u64 *)(r10 - 8) = 1\n out:\n"
		"r0 = *(u64 *)(r10 - 8)\n exit",
		"were not written"),
	REFUSED("a part of a spilled pointer", PROGRAM_FILTER,
		"*(u64 *)(r10 - 8) = r1\n r0 = *(u32 *)(r10 - 8)\n exit", "a part of a pointer"),
	REFUSED("what is left of a pointer", PROGRAM_FILTER,
		"*(u64 *)(r10 - 8) = r1\n *(u8 *)(r10 - 8) = 1\n r0 = *(u64 *)(r10 - 8)\n exit",
		"were not written"),
	REFUSED("an index overwrites a pointer", PROGRAM_FILTER,
		"*(u64 *)(r10 - 8) = r1\n *(u64 *)(r10 - 16) = 0\n r3 = *(u8 *)(r1 + 0)\n r3 &= "
		"8\n r4 = r10\n r4 -= r3\n"
		"*(u64 *)(r4 - 8) = 5\n r4 = *(u64 *)(r10 - 8)\n r0 = *(u8 *)(r4 + 0)\n exit",
		"values of different kinds"),
	REFUSED("above the frame", PROGRAM_FILTER, "*(u64 *)(r10 + 0) = 1\n r0 = 0\n exit",
		"inside the stack frame"),
	REFUSED("below the frame", PROGRAM_FILTER, "*(u64 *)(r10 - 520) = 1\n r0 = 0\n exit",
		"inside the stack frame"),
	REFUSED("an unchecked index into the stack", PROGRAM_FILTER,
		"r3 = *(u64 *)(r1 + 0)\n r4 = r10\n r4 += r3\n *(u8 *)(r4 - 8) = 1\n r0 = 0\n exit",
		"not surely inside the stack frame"),
	REFUSED("a helper reads an unwritten stack", PROGRAM_FILTER,
		"r1 = r10\n r1 += -8\n r2 = 8\n r3 = rodata + 0\n r4 = 4\n call fold_find\n exit",
		"were not written"),
	REFUSED("a helper reads a spilled pointer", PROGRAM_FILTER,
		"*(u64 *)(r10 - 8) = r1\n r1 = r10\n r1 += -8\n r2 = 8\n r3 = rodata + 0\n r4 = "
		"4\n call fold_find\n exit",
		"pointer"),

	/* ---- refused: pointers ---- */
	REFUSED("a pointer into the state", PROGRAM_REDUCE, "*(u64 *)(r1 + 0) = r2\n r0 = 0\n exit",
		"stores a pointer into the state (r2 = record + 0)"),
	REFUSED("a pointer into the key", PROGRAM_KEY, "*(u64 *)(r4 + 0) = r1\n exit",
		"stores a pointer into the key"),
	REFUSED("a pointer to an odd place of the stack", PROGRAM_FILTER,
		"*(u64 *)(r10 - 12) = r1\n r0 = 0\n exit", "other than as 8 aligned bytes"),
	REFUSED("half a pointer", PROGRAM_FILTER, "*(u32 *)(r10 - 8) = r1\n r0 = 0\n exit",
		"other than as 8"),
	REFUSED("32 bits of a pointer", PROGRAM_FILTER, "w0 = w1\n exit",
		"32-bit arithmetic on a pointer"),
	REFUSED("32-bit addition to a pointer", PROGRAM_FILTER, "w1 += 1\n r0 = 0\n exit",
		"32-bit arithmetic"),
	REFUSED("a pointer times two", PROGRAM_FILTER, "r1 *= 2\n r0 = 0\n exit",
		"arithmetic on a pointer"),
	REFUSED("a masked pointer", PROGRAM_FILTER, "r1 &= -8\n r0 = 0\n exit",
		"arithmetic on a pointer"),
	REFUSED("a negated pointer", PROGRAM_FILTER, "r1 = -r1\n r0 = 0\n exit",
		"arithmetic on a pointer"),
	REFUSED("a number minus a pointer", PROGRAM_FILTER, "r2 -= r1\n r0 = 0\n exit",
		"arithmetic on a pointer"),
	REFUSED("a sum of pointers", PROGRAM_FILTER, "r1 += r1\n r0 = 0\n exit",
		"arithmetic on a pointer"),
	REFUSED("the distance between regions", PROGRAM_FILTER, "r1 -= r3\n r0 = r1\n exit",
		"different regions"),
	REFUSED("comparing regions", PROGRAM_FILTER,
		"r0 = 0\n if r1 > r3 goto out\n r0 = 1\n out:\n exit", "different regions"),
	REFUSED("comparing a pointer with a number", PROGRAM_FILTER,
		"r0 = 0\n if r1 == 5 goto out\n r0 = 1\n out:\n exit",
		"compares a pointer with a number"),
	REFUSED("the bits of a pointer", PROGRAM_FILTER,
		"r0 = 0\n r3 = r1\n if r1 & r3 goto out\n r0 = 1\n out:\n exit",
		"the bits of a pointer"),
	REFUSED("a pointer as a helper's number", PROGRAM_FILTER,
		"r2 = 1\n call fold_f64_add\n exit",
		"fold_f64_add wants a number in r1 (r1 = record + 0)"),
	REFUSED("a number as a helper's pointer", PROGRAM_FILTER,
		"r1 = 0\n r3 = rodata + 0\n r4 = 4\n call fold_find\n exit",
		"fold_find wants a pointer in r1"),
	REFUSED("an uninitialised argument", PROGRAM_FILTER,
		"r1 = 1\n r2 = r1\n call fold_f64_add\n call fold_f64_add\n exit",
		"wants a number in r1 (r1 = not initialised"),

	/* ---- refused: code ---- */
	REFUSED("an unknown helper", PROGRAM_FILTER, "call 99999\n exit", "does not exist"),
	REFUSED("an atomic operation", PROGRAM_REDUCE, ".insn 0xdb 1 2 0 0\n r0 = 0\n exit",
		"atomic"),
	REFUSED("legacy packet access", PROGRAM_FILTER, ".insn 0x20 0 0 0 0\n exit", "packet"),
	REFUSED("an unknown opcode", PROGRAM_FILTER, ".insn 0xff 0 0 0 0\n exit", "opcode"),
	REFUSED("a write to r10", PROGRAM_FILTER, "r10 = 1\n r0 = 0\n exit", "r10"),
};

static void free_program(struct program **p)
{
	program_unref(*p);
}

static void free_vm_program(struct vm_program **vp)
{
	vm_program_unref(*vp);
}

/* A program with the row's function as function 0. The code's line table has one line each. */
static struct program *make_program(const char *name, enum program_kind kind, const char *code,
				    bool any_length)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static const uint8_t rodata[32] = "word";
	static const char *const files[] = {"row.bpf.c"};
	static struct bpf_insn insns[PROGRAM_MAX_INSNS];
	static struct program_line lines[PROGRAM_MAX_INSNS];
	char error[VM_ASM_ERROR_BYTES];
	int n = vm_asm(code, insns, ARRAY_SIZE(insns), NULL, NULL, error);
	struct program_func funcs[4];
	struct program draft = {
		.funcs = funcs,
		.files = files,
		.n_files = 1,
		.record_bytes = any_length ? 0 : 24,
		.params_bytes = 16,
		.state_bytes = 256,
		.rodata_bytes = sizeof(rodata),
		.rodata = rodata,
		.key_bytes = kind == PROGRAM_KEY ? 8 : 0,
	};
	struct program *p = NULL;
	struct nf_error err;

	if (n < 0)
		fail_msg("%s: %s", name, error);
	for (int i = 0; i < n; i++)
		lines[i] = (struct program_line){
			.insn = (uint32_t)i, .line = 100 + (uint32_t)i, .text = ""};
	funcs[draft.n_funcs++] = (struct program_func){.kind = kind,
						       .name = "row",
						       .insns = insns,
						       .n_insns = (uint32_t)n,
						       .lines = lines,
						       .n_lines = (uint32_t)n};
	for (unsigned k = PROGRAM_REDUCE; k <= PROGRAM_COMBINE; k++)
		if (k != kind)
			funcs[draft.n_funcs++] = (struct program_func){
				.kind = k,
				.name = k == PROGRAM_REDUCE ? "nothing" : "neither",
				.insns = nothing,
				.n_insns = ARRAY_SIZE(nothing)};
	if (program_create(&draft, &p, &err))
		fail_msg("%s: %s: %s", name, err.where, err.text);
	return p;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	bool any_length = row->max != 0;
	AUTO(free_program)
	struct program *p = make_program(row->name, row->kind, row->code, any_length);
	AUTO(free_vm_program) struct vm_program *vp = NULL;
	struct vm_bounds bounds = {24, 24};
	struct nf_error err = {0};
	int rc;

	if (any_length)
		bounds = (struct vm_bounds){row->min, row->max};
	rc = vm_verify(p, &bounds, &vp, &err);
	if (row->refused) {
		if (!rc)
			fail_msg("accepted");
		if (rc != -EINVAL || !strstr(err.text, row->refused) ||
		    !strstr(err.where, "row.bpf.c:1") || !strstr(err.where, "'row' (instruction "))
			fail_msg("refused otherwise: %s: %s", err.where, err.text);
		return;
	}
	if (rc)
		fail_msg("refused: %s: %s", err.where, err.text);
	if (vp->n_proven != row->n_proven || vp->n_guarded != row->n_guarded)
		fail_msg("%u proven, %u guarded", vp->n_proven, vp->n_guarded);
	assert_true(vp->verify_steps > 0 && vp->verify_steps <= VM_VERIFY_MAX_STEPS);
}

/* ---- what engines rely on -------------------------------------------------------------------- */

static struct vm_program *verified(const char *code, enum program_kind kind,
				   struct vm_bounds bounds)
{
	AUTO(free_program)
	struct program *p = make_program("fields", kind, code, bounds.record_max_bytes != 24);
	struct vm_program *vp = NULL;
	struct nf_error err = {0};

	if (vm_verify(p, &bounds, &vp, &err))
		fail_msg("refused: %s: %s", err.where, err.text);
	return vp;
}

static void test_offsets_and_jumps(void **state)
{
	AUTO(free_vm_program)
	struct vm_program *vp =
		verified("r3 = 0\n loop:\n r4 = r1\n r4 += r3\n *(u64 *)(r4 + 8) = 1\n r3 += 8\n"
			 "if r3 != 64 goto loop\n r0 = 0\n exit",
			 PROGRAM_REDUCE, (struct vm_bounds){24, 24});
	const struct vm_code *code = &vp->code[PROGRAM_REDUCE];
	const struct vm_insn *info = code->info;

	(void)state;
	assert_int_equal(info[3].verdict, VM_PROVEN);
	assert_int_equal(info[3].region, VM_REGION_STATE);
	assert_int_equal(info[3].offset_min, 8);
	assert_int_equal(info[3].offset_max, 64);
	assert_true(info[0].jump_target);
	assert_true(info[1].jump_target);
	assert_false(info[2].jump_target);
	assert_true(info[6].jump_target);
	assert_true(info[5].back_edge);
	assert_int_equal(info[5].charge, 5);
	assert_false(info[4].back_edge);
	assert_true(code->has_loop);
	assert_false(code->has_guard);
	assert_false(code->calls_helper);
	assert_true(info[7].reachable);
	assert_int_equal(vp->record_read_end, 0);
	assert_int_equal(vp->helpers, 0);
	assert_ptr_equal(vp->code[PROGRAM_KEY].info, NULL);
}

static void test_a_call_has_its_arguments(void **state)
{
	AUTO(free_vm_program)
	struct vm_program *vp = verified("r3 = rodata + 2\n r4 = 4\n call fold_find\n exit",
					 PROGRAM_FILTER, (struct vm_bounds){0, 4096});
	const struct vm_code *code = &vp->code[PROGRAM_FILTER];
	const struct vm_insn *call = &code->info[3];

	(void)state;
	assert_int_equal(call->verdict, VM_GUARDED);
	assert_int_equal(call->arg_region[0], VM_REGION_RECORD);
	assert_int_equal(call->arg_region[1], VM_REGION_NONE);
	assert_int_equal(call->arg_region[2], VM_REGION_RODATA);
	assert_int_equal(call->arg_guarded, 1);
	assert_true(code->calls_helper && code->has_guard && !code->has_loop);
	assert_int_equal(vp->helpers, 1u << (0x1000e - VM_HELPER_BASE));
	assert_int_equal(vp->record_read_start, 0);
	assert_int_equal(vp->record_read_end, 4096);
}

static void test_the_bytes_that_are_read(void **state)
{
	AUTO(free_vm_program)
	struct vm_program *vp =
		verified("r3 = *(u16 *)(r2 + 6)\n r4 = *(u8 *)(r2 + 19)\n r0 = 0\n exit",
			 PROGRAM_REDUCE, (struct vm_bounds){24, 24});

	(void)state;
	assert_int_equal(vp->record_read_start, 6);
	assert_int_equal(vp->record_read_end, 20);
}

static void test_unreachable_code_has_no_verdict(void **state)
{
	AUTO(free_vm_program)
	struct vm_program *vp =
		verified("r0 = 0\n if r0 == 0 goto out\n r0 = *(u64 *)(r1 + 0)\n out:\n exit",
			 PROGRAM_FILTER, (struct vm_bounds){24, 24});
	const struct vm_insn *info = vp->code[PROGRAM_FILTER].info;

	(void)state;
	assert_false(info[2].reachable);
	assert_int_equal(info[2].verdict, VM_NO_ACCESS);
	assert_true(info[3].reachable);
}

static void test_bounds_must_fit_the_program(void **state)
{
	AUTO(free_program)
	struct program *p = make_program("bounds", PROGRAM_FILTER, "r0 = 0\n exit", false);
	struct vm_bounds other = {32, 32}, own = vm_bounds_of(p);
	struct vm_program *vp = NULL;
	struct nf_error err = {0};

	(void)state;
	assert_int_equal(own.record_min_bytes, 24);
	assert_int_equal(own.record_max_bytes, 24);
	assert_int_equal(vm_verify(p, &other, &vp, &err), -EINVAL);
	assert_non_null(strstr(err.text, "wants records of 24 bytes, the data set has 32"));
	assert_null(vp);
}

static void test_the_report(void **state)
{
	AUTO(free_vm_program)
	struct vm_program *vp =
		verified("r3 = *(u8 *)(r2 + 0)\n r1 += r3\n *(u8 *)(r1 + 16) = 1\n r0 = 0\n exit",
			 PROGRAM_REDUCE, (struct vm_bounds){24, 24});
	char text[1024] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	vm_report(vp, false, out);
	fclose(out);
	assert_non_null(strstr(
		text, "proven   row.bpf.c:100 in reduce 'row' (instruction 0): reads 1 bytes "
		      "at record + 0\n"));
	assert_non_null(strstr(
		text, "guarded  row.bpf.c:102 in reduce 'row' (instruction 2): writes 1 bytes "
		      "at state + [16, 271]\n"));
	memset(text, 0, sizeof(text));
	out = fmemopen(text, sizeof(text), "w");
	vm_report(vp, true, out);
	fclose(out);
	assert_null(strstr(text, "proven"));
	assert_non_null(strstr(text, "guarded"));
}

int main(void)
{
	static const struct CMUnitTest fields[] = {
		cmocka_unit_test(test_offsets_and_jumps),
		cmocka_unit_test(test_a_call_has_its_arguments),
		cmocka_unit_test(test_the_bytes_that_are_read),
		cmocka_unit_test(test_unreachable_code_has_no_verdict),
		cmocka_unit_test(test_bounds_must_fit_the_program),
		cmocka_unit_test(test_the_report),
	};
	static struct CMUnitTest tests[ARRAY_SIZE(rows) + ARRAY_SIZE(fields)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){.name = rows[i].name,
					       .test_func = test_row,
					       .initial_state = (void *)&rows[i]};
	memcpy(tests + ARRAY_SIZE(rows), fields, sizeof(fields));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
