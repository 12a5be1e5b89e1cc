/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_holes.h"

#include <stddef.h>
#include <string.h>

#include "base/scope.h"
#include "bpf/scan_abi.h"

/* The loop begins: keep the slot. r1 = slot. */
static void begin(const struct kernel_holes *h, struct splice *s)
{
	if (!h->meters && !h->traps)
		return;
	splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_10, h->frame.slot, BPF_REG_1));
	if (!h->meters)
		return;
	splice_emit(s,
		    SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_1, offsetof(struct scan_slot, budget)));
	splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_1, offsetof(struct scan_slot, meter), BPF_REG_2));
}

/* A record begins: work -= what the one before took of its budget; is there work left? r1 = record.
 */
static void record(const struct kernel_holes *h, struct splice *s)
{
	splice_label done = splice_label_new(s);

	if (h->traps)
		splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_10, h->frame.record, BPF_REG_1));
	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 0));
	if (!h->meters) {
		splice_bind(s, done);
		return;
	}
	splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_10, h->frame.slot));
	splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_3, BPF_REG_2, offsetof(struct scan_slot, meter)));
	splice_emit(s,
		    SPLICE_LDX(BPF_DW, BPF_REG_4, BPF_REG_2, offsetof(struct scan_slot, budget)));
	splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_5, BPF_REG_2, offsetof(struct scan_slot, work)));
	splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_2, offsetof(struct scan_slot, meter), BPF_REG_4));
	splice_emit(s, SPLICE_ALU(BPF_ADD, BPF_REG_5, BPF_REG_3));
	splice_emit(s, SPLICE_ALU(BPF_SUB, BPF_REG_5, BPF_REG_4));
	splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_2, offsetof(struct scan_slot, work), BPF_REG_5));
	splice_jump(s, SPLICE_JMP_K(BPF_JSGT, BPF_REG_5, 0), done);
	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 1));
	splice_bind(s, done);
}

/* ---- keys, word by word ---------------------------------------------------------------------- */

/* r1 = key, r2 = seed, r3 = odd multiplier; r0 = hash */
static void key_hash(const struct kernel_holes *h, struct splice *s)
{
	splice_emit(s, SPLICE_MOV(BPF_REG_0, BPF_REG_2));
	for (uint32_t i = 0; i < h->key_words; i++) {
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_1, (int16_t)(8 * i)));
		splice_emit(s, SPLICE_ALU(BPF_XOR, BPF_REG_0, BPF_REG_2));
		splice_emit(s, SPLICE_ALU(BPF_MUL, BPF_REG_0, BPF_REG_3));
		splice_emit(s, SPLICE_MOV(BPF_REG_2, BPF_REG_0));
		splice_emit(s, SPLICE_ALU_K(BPF_RSH, BPF_REG_2, 32));
		splice_emit(s, SPLICE_ALU(BPF_XOR, BPF_REG_0, BPF_REG_2));
	}
}

/* r1, r2 = keys; r0 = are they the same? */
static void key_same(const struct kernel_holes *h, struct splice *s)
{
	splice_label end = splice_label_new(s);

	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 0));
	for (uint32_t i = 0; i < h->key_words; i++) {
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_3, BPF_REG_1, (int16_t)(8 * i)));
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_4, BPF_REG_2, (int16_t)(8 * i)));
		splice_jump(s, SPLICE_JMP(BPF_JNE, BPF_REG_3, BPF_REG_4), end);
	}
	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 1));
	splice_bind(s, end);
}

/* r1 = to, r2 = from */
static void key_copy(const struct kernel_holes *h, struct splice *s)
{
	for (uint32_t i = 0; i < h->key_words; i++) {
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_3, BPF_REG_2, (int16_t)(8 * i)));
		splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_1, (int16_t)(8 * i), BPF_REG_3));
	}
}

static void key_clear(const struct kernel_holes *h, struct splice *s)
{
	for (uint32_t i = 0; i < h->key_words; i++)
		splice_emit(s, SPLICE_ST(BPF_DW, BPF_REG_1, (int16_t)(8 * i), 0));
}

static const struct {
	const char *symbol;
	void (*emit)(const struct kernel_holes *h, struct splice *s);
} holes[] = {
	{"nf_begin", begin},       {"nf_record", record},     {"nf_key_hash", key_hash},
	{"nf_key_same", key_same}, {"nf_key_copy", key_copy}, {"nf_key_clear", key_clear},
};

bool kernel_hole(const struct kernel_holes *h, struct splice *s, const char *symbol)
{
	for (size_t i = 0; i < ARRAY_SIZE(holes); i++) {
		if (strcmp(holes[i].symbol, symbol))
			continue;
		holes[i].emit(h, s);
		return true;
	}
	return false;
}
