/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_link.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "bpf/scan_abi.h"
#include "scan/engine_kernel_lower.h"
#include "scan_bpf.h"
#include "vm/vm_helper.h"

enum { MAX_HELPER_COPIES = 64 };

struct link {
	const struct kernel_link_input *in;
	const struct vm_program *vp;
	struct kernel_lower lower;
	struct nf_error *err;
	bool meters;  /* some function has a loop */
	bool traps;   /* some function may fail: note the record */
	struct copy { /* a helper's function for arguments of one kind */
		int32_t number;
		uint8_t stack_args;
		splice_label label;
	} copies[MAX_HELPER_COPIES];
	unsigned n_copies;
};

const char *kernel_helper_reason(int32_t number)
{
	const char *name = vm_helper_name(number);

	if (number == VM_HELPER_BASE || (name && splice_find(splice_unit, name)))
		return NULL;
	return "the helper that is called here has no form in the kernel";
}

static const struct splice_func *scan_loop(const struct engine_config *cfg)
{
	static const char *const names[2][2] = {
		[FORMAT_FIXED] = {"scan_fixed", "scan_fixed_groups"},
		[FORMAT_LINES] = {"scan_lines", "scan_lines_groups"},
	};

	return splice_find(splice_unit, names[cfg->format][cfg->program->program->key_bytes != 0]);
}

static const enum program_kind in_kernel[] = {PROGRAM_FILTER, PROGRAM_KEY, PROGRAM_REDUCE};

int kernel_link_check(const struct engine_config *cfg, struct nf_error *why)
{
	const struct splice_func *loop = scan_loop(cfg);
	uint64_t budget = cfg->budget ? cfg->budget : VM_DEFAULT_BUDGET;
	struct kernel_frame f;

	if (!loop)
		return nf_error_set(why, NF_FAILED_PRECONDITION, NULL,
				    "no scan loop for this format");
	f = kernel_frame_below(loop->stack_bytes);
	for (size_t i = 0; i < ARRAY_SIZE(in_kernel); i++) {
		const struct vm_code *code = &cfg->program->code[in_kernel[i]];
		uint32_t room = KERNEL_STACK_BYTES - KERNEL_STACK_RESERVED - (uint32_t)-f.base -
				(code->calls_helper ? KERNEL_HELPER_STACK : 0);
		int r = kernel_lower_check(cfg->program, in_kernel[i], why);

		if (r)
			return r;
		if (kernel_stack_used(code) > room)
			return nf_error_set(
				why, NF_FAILED_PRECONDITION, program_kind_name(in_kernel[i]),
				"uses %u bytes of stack; a kernel program has room for %u",
				kernel_stack_used(code), room);
		if (code->has_loop && budget > KERNEL_MAX_BUDGET)
			return nf_error_set(
				why, NF_FAILED_PRECONDITION, NULL,
				"a budget of %llu instructions a record; kernel loops end at %d",
				(unsigned long long)budget, KERNEL_MAX_BUDGET);
	}
	return 0;
}

static uint32_t key_words(const struct link *l)
{
	return (l->vp->program->key_bytes + 7) / 8;
}

static int number(void *arg, const char *symbol, uint64_t *ret, uint8_t *ret_src_reg)
{
	struct link *l = arg;
	const struct kernel_link_input *in = l->in;
	const struct program *p = l->vp->program;
	uint32_t words = key_words(l);
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"NF_TP_CQE", in->tracepoint_cqe},
		{"NF_COOKIE", in->cookie},
		{"NF_SLOTS", in->n_slots},
		{"NF_SLOT_TABLE", in->slot_table},
		{"NF_RECORD", in->cfg->record_bytes},
		{"NF_ENTRY_BYTES", SCAN_ENTRY_BYTES(words, p->state_bytes)},
		{"NF_ENTRY_STATE", SCAN_ENTRY_STATE(words)},
		{"NF_HAS_INIT", p->init_state != NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(numbers[i].name, symbol))
			continue;
		*ret = numbers[i].value;
		*ret_src_reg = 0;
		return 0;
	}
	return nf_error_set(l->err, NF_INTERNAL, symbol,
			    "the scan loop asks for an unknown number");
}

static int helper(void *arg, struct splice *s, int32_t which, uint8_t stack_args)
{
	struct link *l = arg;
	unsigned i = 0;

	while (i < l->n_copies &&
	       (l->copies[i].number != which || l->copies[i].stack_args != stack_args))
		i++;
	if (i == MAX_HELPER_COPIES)
		return nf_error_set(l->err, NF_FAILED_PRECONDITION, NULL,
				    "calls helpers in more than %d ways", MAX_HELPER_COPIES);
	if (i == l->n_copies)
		l->copies[l->n_copies++] = (struct copy){which, stack_args, splice_label_new(s)};
	splice_call(s, l->copies[i].label);
	return 0;
}

/* The loop begins: keep the slot for traps, fill the meters. r1 = slot. */
static void begin(struct link *l, struct splice *s)
{
	const struct kernel_frame *f = &l->lower.frame;

	if (l->meters || l->traps)
		splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_10, f->slot, BPF_REG_1));
	if (!l->meters)
		return;
	splice_emit(s,
		    SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_1, offsetof(struct scan_slot, budget)));
	splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_10, f->meter, BPF_REG_2));
	splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_1, offsetof(struct scan_slot, work)));
	splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_10, f->work, BPF_REG_2));
}

/* A record begins: work -= what the one before took; is there work left? r1 = record. */
static void record(struct link *l, struct splice *s)
{
	const struct kernel_frame *f = &l->lower.frame;
	splice_label done = splice_label_new(s);

	if (l->traps)
		splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_10, f->record, BPF_REG_1));
	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 0));
	if (!l->meters) {
		splice_bind(s, done);
		return;
	}
	splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_10, f->slot));
	splice_emit(s,
		    SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_2, offsetof(struct scan_slot, budget)));
	splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_3, BPF_REG_10, f->meter));
	splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_4, BPF_REG_10, f->work));
	splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_10, f->meter, BPF_REG_2));
	splice_emit(s, SPLICE_ALU(BPF_ADD, BPF_REG_4, BPF_REG_3));
	splice_emit(s, SPLICE_ALU(BPF_SUB, BPF_REG_4, BPF_REG_2));
	splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_10, f->work, BPF_REG_4));
	splice_jump(s, SPLICE_JMP_K(BPF_JSGT, BPF_REG_4, 0), done);
	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 1));
	splice_bind(s, done);
}

/* ---- keys, word by word ---------------------------------------------------------------------- */

/* r1 = key, r2 = seed, r3 = odd multiplier; r0 = hash */
static void key_hash(struct link *l, struct splice *s)
{
	splice_emit(s, SPLICE_MOV(BPF_REG_0, BPF_REG_2));
	for (uint32_t i = 0; i < key_words(l); i++) {
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_1, (int16_t)(8 * i)));
		splice_emit(s, SPLICE_ALU(BPF_XOR, BPF_REG_0, BPF_REG_2));
		splice_emit(s, SPLICE_ALU(BPF_MUL, BPF_REG_0, BPF_REG_3));
		splice_emit(s, SPLICE_MOV(BPF_REG_2, BPF_REG_0));
		splice_emit(s, SPLICE_ALU_K(BPF_RSH, BPF_REG_2, 32));
		splice_emit(s, SPLICE_ALU(BPF_XOR, BPF_REG_0, BPF_REG_2));
	}
}

/* r1, r2 = keys; r0 = are they the same? */
static void key_same(struct link *l, struct splice *s)
{
	splice_label end = splice_label_new(s);

	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 0));
	for (uint32_t i = 0; i < key_words(l); i++) {
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_3, BPF_REG_1, (int16_t)(8 * i)));
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_4, BPF_REG_2, (int16_t)(8 * i)));
		splice_jump(s, SPLICE_JMP(BPF_JNE, BPF_REG_3, BPF_REG_4), end);
	}
	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 1));
	splice_bind(s, end);
}

/* r1 = to, r2 = from */
static void key_copy(struct link *l, struct splice *s)
{
	for (uint32_t i = 0; i < key_words(l); i++) {
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_3, BPF_REG_2, (int16_t)(8 * i)));
		splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_1, (int16_t)(8 * i), BPF_REG_3));
	}
}

static void key_clear(struct link *l, struct splice *s)
{
	for (uint32_t i = 0; i < key_words(l); i++)
		splice_emit(s, SPLICE_ST(BPF_DW, BPF_REG_1, (int16_t)(8 * i), 0));
}

static int call(void *arg, struct splice *s, const char *symbol)
{
	struct link *l = arg;
	static const struct {
		const char *name;
		enum program_kind kind;
	} users[] = {
		{"nf_user_filter", PROGRAM_FILTER},
		{"nf_user_key", PROGRAM_KEY},
		{"nf_user_reduce", PROGRAM_REDUCE},
	};
	static const struct {
		const char *name;
		void (*emit)(struct link *l, struct splice *s);
	} ours[] = {
		{"nf_begin", begin},	   {"nf_record", record},     {"nf_key_hash", key_hash},
		{"nf_key_same", key_same}, {"nf_key_copy", key_copy}, {"nf_key_clear", key_clear},
	};

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		if (strcmp(users[i].name, symbol))
			continue;
		if (l->vp->code[users[i].kind].flat.n_insns)
			return kernel_lower(&l->lower, s, users[i].kind, l->err);
		splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 1)); /* no filter: every record */
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (strcmp(ours[i].name, symbol))
			continue;
		ours[i].emit(l, s);
		return 0;
	}
	return nf_error_set(l->err, NF_INTERNAL, symbol, "the scan loop calls an unknown function");
}

static bool may_trap(const struct vm_code *code)
{
	return code->has_loop || code->calls_helper;
}

static void free_splice(struct splice **s)
{
	splice_free(*s);
}

int kernel_link(const struct kernel_link_input *in, struct kernel_image *ret, struct nf_error *err)
{
	AUTO(free_splice) struct splice *s = splice_new();
	const struct splice_func *loop = scan_loop(in->cfg);
	struct link l = {.in = in, .vp = in->cfg->program, .err = err};
	struct splice_ops ops = {number, call, &l};
	int r;

	if (!s)
		return -ENOMEM;
	l.lower = (struct kernel_lower){
		.program = l.vp,
		.frame = kernel_frame_below(loop->stack_bytes),
		.rodata = in->rodata,
		.helper = helper,
		.helper_arg = &l,
	};
	for (size_t i = 0; i < ARRAY_SIZE(in_kernel); i++) {
		l.meters |= l.vp->code[in_kernel[i]].has_loop;
		l.traps |= may_trap(&l.vp->code[in_kernel[i]]);
	}
	/* Names the arena, so that the kernel ties it to the program. */
	splice_load64(s, BPF_REG_0, (uint32_t)in->arena_fd, BPF_PSEUDO_MAP_FD);
	r = splice_function(s, loop, &ops, err);
	for (unsigned i = 0; i < l.n_copies && !r; i++) {
		splice_bind(s, l.copies[i].label);
		r = splice_function(s, splice_find(splice_unit, vm_helper_name(l.copies[i].number)),
				    &ops, err);
	}
	return r ? r : splice_finish(s, &ret->insns, &ret->origins, &ret->n_insns, err);
}

void kernel_image_done(struct kernel_image *image)
{
	free(image->insns);
	free(image->origins);
	*image = (struct kernel_image){0};
}
