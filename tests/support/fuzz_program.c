/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "tests/support/fuzz_program.h"

#include <string.h>

#include "base/scope.h"
#include "vm/vm_helper.h"
#include "vm/vm_isa.h"

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
					(struct encoding){(uint8_t)code, rows[i]};
	}
}

static int32_t helper_number(int32_t imm)
{
	return VM_HELPER_BASE + (int32_t)((uint32_t)imm % vm_n_helpers);
}

static unsigned make_insn(const uint8_t *in, struct bpf_insn out[2])
{
	const struct encoding *e;
	struct vm_op op;

	memcpy(out, in, sizeof(*out));
	out[0].dst_reg %= 11;
	out[0].src_reg %= 11;
	out[1] = (struct bpf_insn){0};
	if (out[0].code == (BPF_JMP | BPF_CALL))
		out[0].imm = out[0].src_reg ? (int32_t)((uint32_t)out[0].imm % MAX_FUNCS)
					    : helper_number(out[0].imm);
	if (out[0].code == (BPF_LD | BPF_IMM | BPF_DW) && out[0].src_reg == PROGRAM_PSEUDO_RODATA)
		out[0].imm = (uint32_t)out[0].imm % 33;
	if (!vm_isa_decode(out, 2, 0, &op))
		return op.slots;

	e = &encodings[out[0].code % n_encodings];
	out[0].code = e->code;
	if (!(e->row.fields & VM_FIELD_DST))
		out[0].dst_reg = 0;
	if (!(e->row.fields & VM_FIELD_SRC))
		out[0].src_reg = 0;
	if (!(e->row.fields & VM_FIELD_OFF))
		out[0].off = 0;
	if (!(e->row.fields & VM_FIELD_IMM))
		out[0].imm = 0;
	if (e->row.select == VM_FIELD_SRC)
		out[0].src_reg = (uint8_t)e->row.value;
	else if (e->row.select == VM_FIELD_OFF)
		out[0].off = e->row.value;
	else if (e->row.select == VM_FIELD_IMM)
		out[0].imm = e->row.value;
	if (e->row.op == VM_OP_CALL)
		out[0].imm = helper_number(out[0].imm);
	else if (e->row.op == VM_OP_CALL_SUB)
		out[0].imm = (uint32_t)out[0].imm % MAX_FUNCS;
	else if (e->row.op == VM_OP_RODATA)
		out[0].imm = (uint32_t)out[0].imm % 33;
	return vm_isa_decode(out, 2, 0, &op) ? 0 : op.slots;
}

/* Fold the jumps that leave the function into it. */
static void mend_jumps(struct bpf_insn *insns, uint32_t n)
{
	struct vm_op op;

	for (uint32_t at = 0; at < n; at += op.slots) {
		int64_t target;

		if (vm_isa_decode(insns, n, at, &op))
			return;
		target = vm_isa_jump_target(&op, at);
		if (op.kind != VM_KIND_JUMP || (target >= 0 && target < n))
			continue;
		target = (int64_t)((uint64_t)target % n) - at - 1;
		if (insns[at].code == (BPF_JMP32 | BPF_JA))
			insns[at].imm = (int32_t)target;
		else
			insns[at].off = (int16_t)target;
	}
}

int fuzz_program(const uint8_t *data, size_t size, struct fuzz_program *ret)
{
	static const struct bpf_insn end[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
					      {.code = BPF_JMP | BPF_EXIT}};
	static const char *const names[MAX_FUNCS] = {"entry", "sub1", "sub2", "sub3"};
	static const uint8_t rodata[32] = "0123456789 -1.5e3 needle in a ha";
	static struct bpf_insn insns[MAX_FUNCS][MAX_INSNS + 2];
	struct program_func funcs[MAX_FUNCS + 2];
	uint32_t n[MAX_FUNCS] = {0};
	unsigned n_funcs = 1;
	struct program draft = {.funcs = funcs, .rodata = rodata, .rodata_bytes = sizeof(rodata)};
	enum program_kind kind;

	if (!n_encodings)
		list_encodings();
	if (size < 16)
		return -1;
	ret->kind = kind = data[0] % PROGRAM_ENTRIES;
	draft.record_bytes = data[1] & 63;
	draft.params_bytes = data[2] & 127;
	draft.state_bytes = 1 + data[3];
	draft.key_bytes = kind == PROGRAM_KEY ? 1 + (data[4] & 31) : 0;
	ret->bounds.record_min_bytes = draft.record_bytes ? draft.record_bytes : data[5] & 15;
	ret->bounds.record_max_bytes = draft.record_bytes
					       ? draft.record_bytes
					       : ret->bounds.record_min_bytes + (data[5] >> 4);
	for (size_t at = 8; at + 8 <= size; at += 8) {
		unsigned f = n_funcs - 1;

		if (data[at] == NEW_FUNCTION && n_funcs < MAX_FUNCS)
			n_funcs++;
		else if (n[f] + 2 < MAX_INSNS)
			n[f] += make_insn(data + at, &insns[f][n[f]]);
	}
	for (unsigned f = 0; f < n_funcs; f++) {
		memcpy(&insns[f][n[f]], end, sizeof(end));
		mend_jumps(insns[f], n[f] + 2);
		funcs[draft.n_funcs++] = (struct program_func){.kind = f ? PROGRAM_SUB : kind,
							       .name = names[f],
							       .insns = insns[f],
							       .n_insns = n[f] + 2};
	}
	for (unsigned k = PROGRAM_REDUCE; k <= PROGRAM_COMBINE; k++)
		if (k != kind)
			funcs[draft.n_funcs++] = (struct program_func){
				.kind = k,
				.name = k == PROGRAM_REDUCE ? "reduce" : "combine",
				.insns = end,
				.n_insns = ARRAY_SIZE(end)};
	return program_create(&draft, &ret->program, NULL);
}
