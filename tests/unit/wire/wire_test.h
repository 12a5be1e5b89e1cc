/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wire_test.h - a program and raw protobuf bytes for the tests of lib/wire. */
#ifndef WIRE_TEST_H
#define WIRE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "wire/wire.h"

/* Any instructions that the validator takes: "r0 = 0; exit" with a wide constant in between. */
static inline struct program *test_program(void)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .imm = (int)0x80000001},
		{.imm = -2},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .off = 0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static const struct program_line lines[] = {
		{.insn = 0, .line = 10, .column = 3, .file = 0, .text = "u64 x = 7;"},
		{.insn = 2, .line = 11, .column = 0, .file = 0, .text = ""},
	};
	static const char *const files[] = {"average.bpf.c"};
	static const uint8_t rodata[] = {1, 2, 3, 4, 5}, init_state[] = {1, 2, 3, 4, 5, 6, 7, 8};
	static const struct program_func funcs[] = {
		{PROGRAM_KEY, "k", insns, 4, 0, NULL},
		{PROGRAM_REDUCE, "r", insns, 4, 2, lines},
		{PROGRAM_COMBINE, "c", insns, 4, 0, NULL},
	};
	const struct program draft = {
		.n_funcs = 3,
		.n_files = 1,
		.funcs = funcs,
		.files = files,
		.record_bytes = 32,
		.params_bytes = 4,
		.key_bytes = 2,
		.state_bytes = 8,
		.rodata_bytes = sizeof(rodata),
		.rodata = rodata,
		.init_state = init_state,
	};
	struct program *p;
	struct nf_error err;

	if (program_create(&draft, &p, &err))
		fail_msg("%s: %s", err.where, err.text);
	return p;
}

/* Raw bytes, put together by hand. */
struct test_bytes {
	uint8_t data[1 << 16];
	size_t size;
};

static inline void test_put(struct test_bytes *b, const void *data, size_t size)
{
	assert_true(b->size + size <= sizeof(b->data));
	memcpy(b->data + b->size, data, size);
	b->size += size;
}

static inline void test_put_varint(struct test_bytes *b, uint64_t value)
{
	do {
		uint8_t byte = (uint8_t)(value & 127) | (value > 127 ? 128 : 0);

		test_put(b, &byte, 1);
		value >>= 7;
	} while (value);
}

/* A field of wire type 2. */
static inline void test_put_bytes(struct test_bytes *b, unsigned field, const void *data,
				  size_t size)
{
	test_put_varint(b, field << 3 | 2);
	test_put_varint(b, size);
	test_put(b, data, size);
}

static inline void test_put_number(struct test_bytes *b, unsigned field, uint64_t value)
{
	test_put_varint(b, field << 3);
	test_put_varint(b, value);
}

#endif
