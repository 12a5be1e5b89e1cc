/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_verify.c - bytes become a program; what the verifier accepts is run, and must not touch
 * memory that is not its own (the regions are allocated to the byte, for the sanitizer), reach
 * code believed unreachable, or hold a value that the verifier excluded.
 *
 * Input: entry kind, sizes (6 bytes), then instructions of 4 bytes: an index into the encodings
 * that the instruction table accepts (or, with 0xff, a new sub-function), registers, offset,
 * immediate. Every function gets "r0 = 0; exit" at its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "tests/support/vm_beliefs.h"
#include "vm/vm_helper.h"
#include "vm/vm_isa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_FUNCS = 4, MAX_INSNS = 512, MAX_ENCODINGS = 1024, NEW_FUNCTION = 0xff };

struct encoding {
	uint8_t code;
	struct vm_isa_row row;
};

static struct encoding encodings[MAX_ENCODINGS];
static unsigned n_encodings;

static void list_encodings(void)
{
	for (unsigned code = 0; code < 256; code++) {
		unsigned n;
		const struct vm_isa_row *rows = vm_isa_rows((uint8_t)code, &n);

		for (unsigned i = 0; i < n; i++)
			if (!rows[i].refused)
				encodings[n_encodings++] =
					(struct encoding){ (uint8_t)code, rows[i] };
	}
}

static int32_t immediate(uint8_t byte)
{
	static const int32_t special[] = { INT32_MIN, INT32_MAX, -1, 255, 256, 65535, 1 << 20, 8, 16, 64 };

	return byte >= 192 && byte - 192u < ARRAY_SIZE(special) ? special[byte - 192] : (int8_t)byte;
}

static unsigned make_insn(const uint8_t *in, struct bpf_insn *out)
{
	/* Loads, stores, moves and additions are wanted most: the high indexes repeat them. */
	static const uint8_t often[] = { 0x79, 0x71, 0x61, 0x7b, 0x73, 0xb7, 0xbf, 0x07, 0x0f, 0x57,
					 0x85, 0x18, 0xa5, 0x2d, 0x1d, 0x55, 0x05, 0xbc, 0x1f, 0x67 };
	const struct encoding *e = &encodings[in[0] % n_encodings];
	uint8_t dst = (in[1] & 15) % 11, src = (in[1] >> 4) % 11;

	for (unsigned i = 0; in[0] >= 128 && i < n_encodings; i++)
		if (encodings[i].code == often[in[0] % ARRAY_SIZE(often)])
			e = &encodings[i];
	*out = (struct bpf_insn){ .code = e->code };
	if (e->row.fields & VM_FIELD_DST)
		out->dst_reg = dst;
	if (e->row.fields & VM_FIELD_SRC)
		out->src_reg = src;
	if (e->row.fields & VM_FIELD_OFF)
		out->off = (int8_t)in[2];
	if (e->row.fields & VM_FIELD_IMM)
		out->imm = immediate(in[3]);
	if (e->row.select == VM_FIELD_SRC)
		out->src_reg = (uint8_t)e->row.value;
	else if (e->row.select == VM_FIELD_OFF)
		out->off = e->row.value;
	else if (e->row.select == VM_FIELD_IMM)
		out->imm = e->row.value;
	if (e->row.op == VM_OP_CALL)
		out->imm = VM_HELPER_BASE + in[3] % (int)vm_n_helpers;
	else if (e->row.op == VM_OP_CALL_SUB)
		out->imm = in[3] % MAX_FUNCS;
	else if (e->row.op == VM_OP_RODATA)
		out->imm = in[3] % 33;
	if (e->row.op != VM_OP_IMM64 && e->row.op != VM_OP_RODATA)
		return 1;
	out[1] = (struct bpf_insn){ .imm = e->row.op == VM_OP_IMM64 ? (int8_t)in[2] : 0 };
	return 2;
}

/* A block of exactly n bytes, filled from the input. */
static uint8_t *fill(size_t n, const uint8_t *data, size_t size, unsigned turn)
{
	uint8_t *p = malloc(n ? n : 1);

	if (!p)
		abort();
	for (size_t i = 0; i < n; i++)
		p[i] = turn == 0 ? 0 : turn == 1 ? data[i % size] : turn == 2 ? 0xff : (uint8_t)(i * 7 + data[size / 2]);
	return p;
}

static void run(const struct vm_program *vp, struct vm_beliefs *beliefs, enum program_kind entry,
		uint32_t record_bytes, const uint8_t *data, size_t size, unsigned turn)
{
	const struct program *p = vp->program;
	AUTO_FREE uint8_t *record = fill(record_bytes, data, size, turn);
	AUTO_FREE uint8_t *params = fill(p->params_bytes, data, size, turn + 1);
	AUTO_FREE uint8_t *state = fill(p->state_bytes, data, size, turn ^ 1);
	AUTO_FREE uint8_t *from = fill(p->state_bytes, data, size, turn);
	AUTO_FREE uint8_t *key = fill(p->key_bytes, data, size, 0);
	struct vm_memory mem = { .record = record, .record_bytes = record_bytes, .params = params,
				 .state = state, .from = from, .key = key };
	struct vm_machine *m = NULL;
	struct vm_trap trap;
	uint64_t r0;

	if (vm_machine_new(vp, 3000, &m))
		abort();
	vm_beliefs_check(beliefs, m);
	vm_interp(m, entry, &mem, &r0, &trap);
	vm_machine_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bpf_insn end[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
					       { .code = BPF_JMP | BPF_EXIT } };
	static const uint8_t rodata[32] = "0123456789 -1.5e3 needle in a ha";
	static struct bpf_insn insns[MAX_FUNCS][MAX_INSNS + 2];
	struct program_func funcs[MAX_FUNCS + 2];
	uint32_t n[MAX_FUNCS] = { 0 };
	unsigned n_funcs = 1;
	struct program draft = { .funcs = funcs, .rodata = rodata, .rodata_bytes = sizeof(rodata) };
	struct program *p = NULL;
	struct vm_program *vp = NULL;
	struct vm_beliefs *beliefs;
	struct vm_bounds bounds;
	enum program_kind kind;

	if (!n_encodings)
		list_encodings();
	if (size < 10)
		return 0;
	kind = data[0] % PROGRAM_ENTRIES;
	draft.record_bytes = data[1] & 63;
	draft.params_bytes = data[2] & 63;
	draft.state_bytes = 1 + (data[3] & 127);
	draft.key_bytes = kind == PROGRAM_KEY ? 1 + (data[4] & 31) : 0;
	bounds.record_min_bytes = draft.record_bytes ? draft.record_bytes : data[5] & 15;
	bounds.record_max_bytes = draft.record_bytes ? draft.record_bytes :
						       bounds.record_min_bytes + (data[5] >> 4);
	for (size_t at = 6; at + 4 <= size; at += 4) {
		unsigned f = n_funcs - 1;

		if (data[at] == NEW_FUNCTION && n_funcs < MAX_FUNCS)
			n_funcs++;
		else if (n[f] + 2 < MAX_INSNS)
			n[f] += make_insn(data + at, &insns[f][n[f]]);
	}
	for (unsigned f = 0; f < n_funcs; f++) {
		static const char *const names[MAX_FUNCS] = { "entry", "sub1", "sub2", "sub3" };

		memcpy(&insns[f][n[f]], end, sizeof(end));
		funcs[draft.n_funcs++] = (struct program_func){ .kind = f ? PROGRAM_SUB : kind,
								.name = names[f],
								.insns = insns[f],
								.n_insns = n[f] + 2 };
	}
	for (unsigned k = PROGRAM_REDUCE; k <= PROGRAM_COMBINE; k++)
		if (k != kind)
			funcs[draft.n_funcs++] = (struct program_func){
				.kind = k, .name = k == PROGRAM_REDUCE ? "reduce" : "combine",
				.insns = end, .n_insns = ARRAY_SIZE(end) };
	if (program_create(&draft, &p, NULL))
		return 0;
	if (!vm_beliefs_verify(p, &bounds, &vp, &beliefs, NULL)) {
		if (vp->verify_steps > VM_VERIFY_MAX_STEPS)
			abort();
		for (unsigned turn = 0; turn < 4; turn++)
			run(vp, beliefs, kind,
			    turn & 1 ? bounds.record_max_bytes : bounds.record_min_bytes, data, size,
			    turn);
		vm_beliefs_free(beliefs);
		vm_program_unref(vp);
	}
	program_unref(p);
	return 0;
}
