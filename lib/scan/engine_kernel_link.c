/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_link.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "bpf/scan_abi.h"
#include "scan/engine_kernel_helper.h"
#include "scan/engine_kernel_holes.h"
#include "scan/engine_kernel_lower.h"
#include "scan/engine_kernel_regs.h"
#include "scan/engine_kernel_stack.h"
#include "scan/engine_kernel_sweep.h"
#include "scan/engine_kernel_template.h"
#include "vm/vm_helper.h"

enum {
	/* The kernel's verifier follows every way through the loop's body by itself: knowledge that
	 * differs between two ways keeps it from taking them as one. Functions with more ways than
	 * this are called, as functions that it verifies apart from the loop. */
	MAX_INLINE_PATHS = 32,
	MAX_INLINE_PATHS_LINES =
		4, /* that loop has more ways itself, and records that are longer */
};

struct link {
	const struct kernel_link_input *in;
	const struct vm_program *vp;
	struct kernel_lower lower;
	struct kernel_holes holes;
	struct nf_error *err;
	splice_label user[PROGRAM_ENTRIES]; /* of functions that are called */
	bool called[PROGRAM_ENTRIES];
	uint64_t helpers; /* bit i: row i of the helper table is called */
	splice_label helper[64];
	splice_label group;         /* nf_group() */
	struct kernel_sweep *sweep; /* or NULL */
	splice_label swept;
};

static const enum program_kind in_kernel[] = {PROGRAM_FILTER, PROGRAM_KEY, PROGRAM_REDUCE};

/* ---- can it be done? ------------------------------------------------------------------------- */

static const struct splice_func *scan_loop(const struct engine_config *cfg)
{
	static const char *const names[2][2] = {
		[FORMAT_FIXED] = {"scan_fixed", "scan_fixed_groups"},
		[FORMAT_LINES] = {"scan_lines", "scan_lines_groups"},
	};

	return kernel_template(names[cfg->format][cfg->program->program->key_bytes != 0]);
}

/* Loops: see struct kernel_frame. */
static bool is_called(const struct engine_config *cfg, enum program_kind kind)
{
	return cfg->program->code[kind].has_loop || cfg->program->code[kind].has_guard ||
	       kernel_paths(cfg->program, kind) >
		       (cfg->format == FORMAT_LINES ? MAX_INLINE_PATHS_LINES : MAX_INLINE_PATHS);
}

/* What one function may use of the stack: the frames of a call chain share 512 bytes. */
static int check_stack(const struct engine_config *cfg, enum program_kind kind,
		       struct nf_error *why)
{
	const struct vm_program *vp = cfg->program;
	uint32_t others, room;
	struct kernel_stack stack;

	if (!vp->code[kind].flat.n_insns)
		return 0;
	others = (uint32_t)-kernel_frame_below(scan_loop(cfg)->stack_bytes).base;
	if (is_called(cfg, kind))
		others += (uint32_t)-kernel_frame_called().base;
	if (vp->code[kind].calls_helper)
		others += KERNEL_HELPER_STACK;
	room = KERNEL_STACK_BYTES - KERNEL_STACK_RESERVED - others;
	if (vp->code[kind].has_loop)
		room = KERNEL_SMALL_STACK - (uint32_t)-kernel_frame_called().base;
	if (kernel_stack_of(vp, kind, &stack))
		return -ENOMEM;
	if (stack.bytes <= room)
		return 0;
	return nf_error_set(why, NF_FAILED_PRECONDITION, program_kind_name(kind),
			    "uses %u bytes of stack; a kernel program%s has room for %u",
			    stack.bytes, vp->code[kind].has_loop ? " with a loop" : "", room);
}

int kernel_link_check(const struct engine_config *cfg, struct nf_error *why)
{
	uint64_t budget = cfg->budget ? cfg->budget : VM_DEFAULT_BUDGET;

	for (size_t i = 0; i < ARRAY_SIZE(in_kernel); i++) {
		enum program_kind kind = in_kernel[i];
		int r = kernel_lower_check(cfg->program, kind, why);

		if (!r)
			r = check_stack(cfg, kind, why);
		if (r)
			return r;
		if (cfg->program->code[kind].has_loop && budget > KERNEL_MAX_BUDGET)
			return nf_error_set(
				why, NF_FAILED_PRECONDITION, NULL,
				"a budget of %llu instructions a record; kernel loops end at %d",
				(unsigned long long)budget, KERNEL_MAX_BUDGET);
	}
	return 0;
}

/* ---- filling the holes
 * --------------------------------------------------------------------------- */

static int number(void *arg, const char *symbol, uint64_t *ret, uint8_t *ret_src_reg)
{
	struct link *l = arg;
	const struct kernel_link_input *in = l->in;
	const struct program *p = l->vp->program;
	uint32_t words = l->holes.key_words;
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
		{"NF_ONE_WORD", words == 1},
		{"NF_SWEEPS", l->sweep != NULL},
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

static void helper(void *arg, struct splice *s, int32_t which)
{
	struct link *l = arg;
	unsigned row = (unsigned)(which - VM_HELPER_BASE);

	if (!(l->helpers >> row & 1))
		l->helper[row] = splice_label_new(s);
	l->helpers |= 1ull << row;
	splice_call(s, l->helper[row]);
}

static bool may_trap(const struct vm_code *code)
{
	return code->has_loop || code->calls_helper;
}

/* The argument register that hands the slot to a function that is called: the first free one. */
static uint8_t slot_register(enum program_kind kind)
{
	return kind == PROGRAM_FILTER ? BPF_REG_4 : BPF_REG_5;
}

/* Call the user's function: meter and failures go through the slot. */
static void call_user(struct link *l, struct splice *s, enum program_kind kind)
{
	const struct kernel_frame *f = &l->lower.frame;
	uint8_t slot = slot_register(kind);
	splice_label well = splice_label_new(s);

	if (!may_trap(&l->vp->code[kind])) {
		splice_emit(s, SPLICE_MOV_K(slot, 0));
		splice_call(s, l->user[kind]);
		return;
	}
	splice_emit(s, SPLICE_LDX(BPF_DW, slot, BPF_REG_10, f->slot));
	splice_call(s, l->user[kind]);
	splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_1, BPF_REG_10, f->slot));
	splice_emit(s, SPLICE_LDX(BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct scan_slot, status)));
	splice_jump(s, SPLICE_JMP_K(BPF_JEQ, BPF_REG_2, SCAN_ARMED), well);
	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 0));
	splice_emit(s, SPLICE_EXIT);
	splice_bind(s, well);
}

static int call(void *arg, struct splice *s, const char *symbol)
{
	static const struct {
		const char *name;
		enum program_kind kind;
	} users[] = {
		{"nf_user_filter", PROGRAM_FILTER},
		{"nf_user_key", PROGRAM_KEY},
		{"nf_user_reduce", PROGRAM_REDUCE},
	};
	struct link *l = arg;

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		enum program_kind kind = users[i].kind;

		if (strcmp(users[i].name, symbol))
			continue;
		if (!l->vp->code[kind].flat.n_insns)
			splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 1)); /* no filter: every record */
		else if (l->called[kind])
			call_user(l, s, kind);
		else
			return kernel_lower(&l->lower, s, kind, l->err);
		return 0;
	}
	if (!strcmp(symbol, "nf_group")) {
		splice_call(s, l->group);
		return 0;
	}
	if (!strcmp(symbol, "nf_sweep")) {
		if (l->sweep)
			splice_call(s, l->swept);
		else
			splice_emit(s, SPLICE_MOV(BPF_REG_0, BPF_REG_3)); /* never reached */
		return 0;
	}
	if (kernel_hole(&l->holes, s, symbol))
		return 0;
	return nf_error_set(l->err, NF_INTERNAL, symbol, "the scan loop calls an unknown function");
}

/* ---- functions behind the loop
 * ------------------------------------------------------------------- */

/* Add a row to image->functions. */
static struct kernel_function *function(struct kernel_image *image, struct splice *s,
					splice_label label, const char *name)
{
	struct kernel_function *f = &image->functions[image->n_functions++];

	*f = (struct kernel_function){.insn = splice_position(s, label)};
	snprintf(f->name, sizeof(f->name), "%s", name);
	return f;
}

/* The user's function, with a frame of its own. */
static int append_user(struct link *l, struct splice *s, enum program_kind kind,
		       struct kernel_image *image)
{
	const struct vm_code *code = &l->vp->code[kind];
	struct kernel_lower lower = l->lower;
	const struct kernel_frame *f = &lower.frame;
	uint8_t slot = slot_register(kind);
	struct kernel_function *fn;
	char name[32];
	int r;

	lower.frame = kernel_frame_called();
	lower.called = true;
	snprintf(name, sizeof(name), "nearfold_%s", program_kind_name(kind));
	splice_bind(s, l->user[kind]);
	fn = function(image, s, l->user[kind], name);
	fn->global = true;
	fn->n_args = slot;
	fn->arena_args = kernel_arena_args(kind) | (uint16_t)(1u << slot);
	for (uint8_t arg = 1; arg <= slot; arg++)
		if (fn->arena_args >> arg & 1) /* in here they are numbers */
			splice_cast(s, arg);
	if (may_trap(code)) {
		splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_10, f->slot, slot));
		splice_emit(s, SPLICE_STX(BPF_DW, slot, offsetof(struct scan_slot, record),
					  kind == PROGRAM_REDUCE ? BPF_REG_2 : BPF_REG_1));
	}
	if (code->has_guard)
		splice_emit(s, SPLICE_STX(BPF_W, slot, offsetof(struct scan_slot, record_bytes),
					  kind == PROGRAM_REDUCE ? BPF_REG_3 : BPF_REG_2));
	r = kernel_lower(&lower, s, kind, l->err);
	if (kind == PROGRAM_KEY)
		splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 0));
	splice_emit(s, SPLICE_EXIT);
	return r;
}

static int append_functions(struct link *l, struct splice *s, const struct splice_ops *ops,
			    struct kernel_image *image)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(in_kernel) && !r; i++)
		if (l->called[in_kernel[i]])
			r = append_user(l, s, in_kernel[i], image);
	if (!r && l->vp->program->key_bytes) {
		struct kernel_function *fn = NULL;

		splice_bind(s, l->group);
		fn = function(image, s, l->group, "nf_group");
		fn->global = true;
		fn->n_args = 1;
		r = splice_function(s, kernel_template(fn->name), ops, l->err);
	}
	if (!r && l->sweep) {
		struct kernel_function *fn;

		splice_bind(s, l->swept);
		fn = function(image, s, l->swept, "nearfold_sweep");
		fn->global = true;
		fn->n_args = 3;
		kernel_sweep_emit(l->sweep, s, l->in->rodata);
	}
	for (unsigned i = 0; i < vm_n_helpers && !r; i++) {
		const struct vm_helper *h = &vm_helpers[i];
		struct kernel_function *fn;

		if (!(l->helpers >> i & 1))
			continue;
		splice_bind(s, l->helper[i]);
		fn = function(image, s, l->helper[i], h->name);
		fn->global = true;
		fn->n_args = (uint8_t)kernel_helper_args(h);
		fn->arena_args = kernel_helper_arena_args(h);
		r = splice_function(s, kernel_helper_form(VM_HELPER_BASE + (int32_t)i), ops,
				    l->err);
	}
	return r;
}

static void free_splice(struct splice **s)
{
	splice_free(*s);
}

/* The form without branches, if there is one. */
static struct kernel_sweep *sweep_of(const struct kernel_link_input *in)
{
	AUTO(free_splice) struct splice *trial = splice_new();
	const struct program *p = in->cfg->program->program;
	struct kernel_sweep *w;

	if (!trial || in->cfg->format != FORMAT_FIXED || p->key_bytes)
		return NULL;
	w = kernel_sweep_new(in->cfg->program, in->cfg->record_bytes);
	if (w && kernel_sweep_emit(w, trial, in->rodata))
		return w;
	kernel_sweep_free(w);
	return NULL;
}

int kernel_link(const struct kernel_link_input *in, struct kernel_image *ret, struct nf_error *err)
{
	AUTO(free_splice) struct splice *s = splice_new();
	const struct splice_func *loop = scan_loop(in->cfg);
	struct link l = {.in = in, .vp = in->cfg->program, .err = err};
	struct splice_ops ops = {number, call, &l};
	splice_label start;
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
	l.holes = (struct kernel_holes){
		.frame = l.lower.frame,
		.key_words = (l.vp->program->key_bytes + 7) / 8,
	};
	for (size_t i = 0; i < ARRAY_SIZE(in_kernel); i++) {
		enum program_kind kind = in_kernel[i];

		l.holes.meters |= l.vp->code[kind].metered;
		l.holes.traps |= may_trap(&l.vp->code[kind]);
		l.called[kind] = is_called(in->cfg, kind);
		l.user[kind] = splice_label_new(s);
	}
	l.group = splice_label_new(s);
	l.swept = splice_label_new(s);
	l.sweep = sweep_of(in);
	start = splice_label_new(s);
	splice_bind(s, start);
	ret->n_functions = 0;
	function(ret, s, start, "nearfold_scan");
	/* Names the arena, so that the kernel ties it to the program. */
	splice_load64(s, BPF_REG_0, (uint32_t)in->arena_fd, BPF_PSEUDO_MAP_FD);
	r = splice_function(s, loop, &ops, err);
	if (!r)
		r = append_functions(&l, s, &ops, ret);
	kernel_sweep_free(l.sweep);
	return r ? r : splice_finish(s, &ret->insns, &ret->origins, &ret->n_insns, err);
}

void kernel_image_done(struct kernel_image *image)
{
	free(image->insns);
	free(image->origins);
	*image = (struct kernel_image){0};
}
