/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel.c - records are folded in the kernel when their read completes.
 *
 *	open          arena, program (engine_kernel_link.h), load, attach
 *	thread_open   a lane: state and counters in the arena; a ring for NOPs
 *	buffers, arm  reads land in the arena; a slot tells the hook what is where
 *	completed     how far the hook came; what it left comes back as a span
 *	fold          a span, in the arena already or copied there: a NOP (engine_kernel_nop.h)
 *
 * The hook recognises our completions by user_data: a random 64-bit number plus the slot's index.
 * It may end before the end of what was read (work, rounds, a table that is full), and it may not
 *run at all (the kernel skips a program that would run inside itself): folded_bytes says how far it
 *came, and no answer depends on that.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/scope.h"
#include "bpf/scan_abi.h"
#include "scan/engine.h"
#include "scan/engine_kernel_arena.h"
#include "scan/engine_kernel_groups.h"
#include "scan/engine_kernel_link.h"
#include "scan/engine_kernel_load.h"
#include "scan/engine_kernel_lower.h"
#include "scan/engine_kernel_nop.h"

enum {
	/* Spans that are elsewhere come in pieces of this size: at least one line. */
	STAGE_BYTES = PROGRAM_MAX_RECORD_BYTES + 4096,
};

struct kernel {
	struct engine_config cfg;
	struct kernel_arena *arena;
	struct scan_slot *slots;
	atomic_uint slots_used;
	uint64_t cookie;
	const uint8_t *params;
	int program_fd, link_fd;
};

struct armed;

struct kernel_thread {
	struct kernel *engine;
	struct scan_lane *lane;
	struct kernel_nop *nop;
	unsigned nop_slot;
	uint8_t *stage;
	struct fold fold;
	unsigned first_slot, n_buffers;
	uint8_t *buffers;
	size_t buffer_bytes;
	struct armed *armed; /* per buffer */
	struct kernel_groups groups;
};

static int no_room(struct nf_error *err)
{
	return nf_error_set(
		err, NF_RESOURCE_EXHAUSTED, NULL,
		"the kernel engine's memory of %d MiB is used up: fewer threads, a smaller "
		"chunk or queue depth, or another engine",
		KERNEL_ARENA_BYTES >> 20);
}

static int kernel_check(const struct engine_config *cfg, struct nf_error *why)
{
	struct kernel_host host;
	int r = kernel_link_check(cfg, why);

	return r ? r : kernel_host_probe(&host, why);
}

/* ---- one query ------------------------------------------------------------------------------- */

static void kernel_close(void *engine)
{
	struct kernel *e = engine;

	if (!e)
		return;
	if (e->link_fd >= 0)
		close(e->link_fd);
	if (e->program_fd >= 0)
		close(e->program_fd);
	kernel_arena_free(e->arena);
	free(e);
}

/* A copy in the arena; an empty one has an address, too. */
static uint8_t *in_arena(struct kernel_arena *a, const void *data, size_t bytes)
{
	uint8_t *p = kernel_arena_take(a, bytes + 1);

	if (p && data && bytes)
		memcpy(p, data, bytes);
	return p;
}

static int load(struct kernel *e, struct nf_error *err)
{
	const struct program *p = e->cfg.program->program;
	struct kernel_image image = {0};
	struct kernel_link_input in = {
		.cfg = &e->cfg, .cookie = e->cookie, .n_slots = SCAN_MAX_SLOTS};
	struct kernel_host host;
	const uint8_t *rodata;
	int r = kernel_host_probe(&host, err);

	if (r)
		return r;
	rodata = in_arena(e->arena, p->rodata, p->rodata_bytes);
	e->params = in_arena(e->arena, e->cfg.params, p->params_bytes);
	e->slots = kernel_arena_take(e->arena, SCAN_MAX_SLOTS * sizeof(*e->slots));
	if (!rodata || !e->params || !e->slots)
		return no_room(err);
	in.arena_fd = kernel_arena_fd(e->arena);
	in.slot_table = (uintptr_t)e->slots;
	in.rodata = (uintptr_t)rodata;
	in.tracepoint_cqe = host.tracepoint_cqe;
	r = kernel_link(&in, &image, err);
	if (!r)
		r = kernel_load(&host, &image, e->cfg.program, &e->program_fd, err);
	kernel_image_done(&image);
	return r ? r : kernel_attach(e->program_fd, &e->link_fd, err);
}

static int kernel_open(const struct engine_config *cfg, void **ret_engine, struct nf_error *err)
{
	struct kernel *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->cfg = *cfg;
	e->cfg.budget = cfg->budget ? cfg->budget : VM_DEFAULT_BUDGET;
	e->program_fd = e->link_fd = -1;
	if (getrandom(&e->cookie, sizeof(e->cookie), 0) != sizeof(e->cookie))
		r = nf_error_sys(err, NF_INTERNAL, errno, NULL, "no random number");
	else
		r = kernel_arena_new(&e->arena, err);
	/* The reader's own user_data is below 2^32. */
	e->cookie = (e->cookie | 1ull << 32) & ~(uint64_t)(SCAN_MAX_SLOTS - 1);
	if (!r)
		r = load(e, err);
	if (r) {
		kernel_close(e);
		return r;
	}
	*ret_engine = e;
	return 0;
}

/* ---- one thread ------------------------------------------------------------------------------ */

static void kernel_thread_close(void *thread)
{
	struct kernel_thread *t = thread;

	if (!t)
		return;
	kernel_nop_free(t->nop);
	groups_free(t->fold.groups);
	free(t->armed);
	free(t);
}

/* n slots in a row; SCAN_MAX_SLOTS: there are no more. */
static unsigned take_slots(struct kernel *e, unsigned n)
{
	unsigned first = atomic_fetch_add(&e->slots_used, n);

	return n > SCAN_MAX_SLOTS || first > SCAN_MAX_SLOTS - n ? SCAN_MAX_SLOTS : first;
}

static int make_state(struct kernel_thread *t, const struct program *p, struct nf_error *err)
{
	struct kernel *e = t->engine;
	uint64_t max = e->cfg.max_groups ? e->cfg.max_groups : GROUPS_DEFAULT_MAX;

	t->lane->params = (uintptr_t)e->params;
	if (p->key_bytes)
		return kernel_groups_init(&t->groups, e->arena, t->lane, p, max) ? no_room(err) : 0;
	t->fold.state = in_arena(e->arena, p->init_state, p->state_bytes);
	t->lane->state = (uintptr_t)t->fold.state;
	return t->fold.state ? 0 : no_room(err);
}

static int kernel_thread_open(void *engine, void **ret_thread, struct nf_error *err)
{
	struct kernel *e = engine;
	const struct program *p = e->cfg.program->program;
	struct kernel_thread *t = calloc(1, sizeof(*t));
	int r = -ENOMEM;

	if (!t)
		return -ENOMEM;
	t->engine = e;
	t->lane = kernel_arena_take(e->arena, sizeof(*t->lane));
	t->nop_slot = take_slots(e, 1);
	if (!t->lane || t->nop_slot == SCAN_MAX_SLOTS)
		r = no_room(err);
	else
		r = make_state(t, p, err);
	if (!r)
		r = kernel_nop_new(&t->nop, err);
	if (r) {
		kernel_thread_close(t);
		return r;
	}
	*ret_thread = t;
	return 0;
}

static int kernel_thread_end(void *thread, struct nf_error *err)
{
	struct kernel_thread *t = thread;

	if (!t->groups.arena || !kernel_groups_copy(&t->groups, &t->fold.groups))
		return 0;
	nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory for the groups");
	return -ENOMEM;
}

/* ---- folding --------------------------------------------------------------------------------- */

/* Bytes in the arena that the hook shall fold: `bytes` are there, records that start within
 * own_bytes are ours. */
struct piece_of_span {
	struct span span; /* bytes: what is there */
	uint32_t own_bytes;
	bool skip_line, open_end;
};

static void arm_slot(struct kernel_thread *t, unsigned slot, const struct piece_of_span *piece,
		     uint32_t head_bytes, bool ready)
{
	struct scan_slot *s = &t->engine->slots[slot];

	s->data = (uintptr_t)piece->span.data;
	s->lane = (uintptr_t)t->lane;
	s->budget = t->engine->cfg.budget;
	s->work = SCAN_WORK_LIMIT;
	s->rounds = SCAN_ROUNDS;
	s->head_bytes = head_bytes;
	s->own_bytes = piece->own_bytes;
	s->ready_bytes = ready ? (uint32_t)piece->span.bytes : 0;
	s->skip_line = piece->skip_line;
	s->open_end = piece->open_end;
	s->folded_bytes = 0;
	s->trap = SCAN_TRAP_NONE;
	__atomic_store_n(&s->status, SCAN_ARMED, __ATOMIC_RELEASE);
}

/* The program failed: where, and why. */
static int trapped(const struct kernel_thread *t, const struct scan_slot *s,
		   const struct span *span, struct nf_error *err)
{
	uint32_t offset = (uint32_t)s->record - (uint32_t)(uintptr_t)span->data;
	char where[320];
	static const enum vm_trap_kind kinds[] = {
		[SCAN_TRAP_BUDGET] = VM_TRAP_BUDGET,
		[SCAN_TRAP_FAIL] = VM_TRAP_FAIL,
		[SCAN_TRAP_BOUNDS] = VM_TRAP_BOUNDS,
	};
	struct vm_trap trap = {
		.kind = kinds[s->trap],
		.entry = KERNEL_ORIGIN_KIND(s->trap_origin),
		.insn = KERNEL_ORIGIN_INSN(s->trap_origin),
		.code = s->trap_code,
		.budget = t->engine->cfg.budget,
		.region = VM_REGION_RECORD,
		.access_bytes = s->trap_bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)s->trap_bytes,
		.region_bytes = s->record_bytes,
	};

	span_where(span, span->data + offset, where, sizeof(where));
	if (s->status == SCAN_BROKEN)
		return nf_error_set(
			err, NF_INTERNAL, where,
			"the kernel ended a loop of the program before its end, after a "
			"quarter of a second or 8 million rounds; run it again, or with "
			"another engine");
	return vm_trap_error(t->engine->cfg.program, &trap, where, err);
}

static int grow_groups(struct kernel_thread *t, const struct span *at, struct nf_error *err)
{
	char where[320];

	if (!kernel_groups_grow(&t->groups))
		return 0;
	span_where(at, at->data, where, sizeof(where));
	if (errno == ENOMEM)
		return no_room(err);
	return nf_error_set(
		err, NF_RESOURCE_EXHAUSTED, where,
		"the key has more than %llu values, the limit of groups (max_groups, or "
		"what the query's memory holds): raise it, or use a coarser key",
		(unsigned long long)t->groups.max);
}

/* The hook came to folded_bytes: what is left is the piece now. */
static void advance(struct piece_of_span *piece, uint32_t folded_bytes)
{
	if (!folded_bytes)
		return;
	piece->span.data += folded_bytes;
	piece->span.offset_bytes += folded_bytes;
	piece->span.bytes -= folded_bytes;
	piece->own_bytes = piece->own_bytes > folded_bytes ? piece->own_bytes - folded_bytes : 0;
	piece->skip_line = false;
}

/* What the hook did of the piece: 0 it goes on, or is done; 1 FOLD_STOP; negative an error. The
 * piece is then what is left. */
static int settle(struct kernel_thread *t, unsigned slot, struct piece_of_span *piece,
		  struct nf_error *err)
{
	const struct scan_slot *s = &t->engine->slots[slot];
	struct span all = piece->span;

	advance(piece, s->folded_bytes);
	switch (__atomic_load_n(&s->status, __ATOMIC_ACQUIRE)) {
	case SCAN_TRAPPED:
	case SCAN_BROKEN:
		return trapped(t, s, &all, err);
	case SCAN_TOO_LONG:
		return span_line_too_long(&piece->span, piece->span.data, err);
	case SCAN_STOPPED:
		t->fold.stopped = true;
		return 1;
	case SCAN_FULL:
		return grow_groups(t, &piece->span, err);
	default:
		return 0;
	}
}

static void count(struct kernel_thread *t)
{
	t->fold.records = t->lane->records;
	t->fold.matched = t->lane->matched;
}

/* A span in the arena. */
static int fold_here(struct kernel_thread *t, const struct span *span, struct nf_error *err)
{
	struct piece_of_span piece = {*span, (uint32_t)span->bytes, false, true};
	const struct scan_slot *s = &t->engine->slots[t->nop_slot];
	int r = 0;

	while (!r && piece.own_bytes) {
		arm_slot(t, t->nop_slot, &piece, 0, true);
		r = kernel_nop_run(t->nop, t->engine->cookie + t->nop_slot, err);
		if (!r && s->status == SCAN_ARMED)
			r = nf_error_set(err, NF_INTERNAL, NULL,
					 "the kernel does not run the hook on io_uring_complete");
		if (!r)
			r = settle(t, t->nop_slot, &piece, err);
	}
	count(t);
	return r;
}

/* The part of the span at `at` that fits the stage: whole records. */
static size_t stage_bytes(const struct kernel_thread *t, const struct span *span, size_t at)
{
	const struct engine_config *cfg = &t->engine->cfg;
	size_t n = span->bytes - at;
	const uint8_t *newline;

	if (n <= STAGE_BYTES)
		return n;
	if (cfg->format == FORMAT_FIXED)
		return STAGE_BYTES - STAGE_BYTES % cfg->record_bytes;
	newline = memrchr(span->data + at, '\n', STAGE_BYTES);
	return newline ? (size_t)(newline + 1 - (span->data + at)) : 0;
}

static int kernel_fold(void *thread, const struct span *span, struct nf_error *err)
{
	struct kernel_thread *t = thread;
	size_t n;
	int r = 0;

	/* Folded in place, if the newline search may read on behind it. */
	if (kernel_arena_holds(t->engine->arena, span->data, span->bytes + SCAN_LINE_SLACK_BYTES) &&
	    span->bytes <= INT32_MAX)
		return fold_here(t, span, err);
	if (!t->stage)
		t->stage = kernel_arena_take(t->engine->arena, STAGE_BYTES + SCAN_LINE_SLACK_BYTES);
	if (!t->stage)
		return no_room(err);
	for (size_t at = 0; !r && at < span->bytes; at += n) {
		struct span staged = {t->stage, 0, span->file, span->offset_bytes + at};

		n = stage_bytes(t, span, at);
		if (!n)
			return span_line_too_long(span, span->data + at, err);
		memcpy(t->stage, span->data + at, n);
		staged.bytes = n;
		r = fold_here(t, &staged, err);
	}
	return r;
}

static struct fold *kernel_thread_fold(void *thread)
{
	return &((struct kernel_thread *)thread)->fold;
}

/* ---- reads into the arena
 * ------------------------------------------------------------------------ */

/* What user space keeps of a read in flight. */
struct armed {
	struct piece_of_span piece;
	uint32_t head_bytes;
};

static int read_buffers(void *thread, unsigned n, size_t bytes, uint8_t **ret_base,
			struct nf_error *err)
{
	struct kernel_thread *t = thread;
	struct kernel *e = t->engine;
	unsigned first;

	if (!n || bytes > KERNEL_ARENA_BYTES / n)
		return no_room(err);
	first = take_slots(e, n);
	t->armed = calloc(n, sizeof(*t->armed));
	t->buffers = kernel_arena_take(e->arena, n * bytes + SCAN_LINE_SLACK_BYTES);
	if (first == SCAN_MAX_SLOTS || !t->buffers)
		return no_room(err);
	if (!t->armed)
		return -ENOMEM;
	t->first_slot = first;
	t->n_buffers = n;
	t->buffer_bytes = bytes;
	*ret_base = t->buffers;
	return 0;
}

static uint64_t read_arm(void *thread, const struct engine_read *read)
{
	struct kernel_thread *t = thread;
	/* Whether a line starts at data_offset is seen in the byte before it. */
	uint32_t head = read->data_offset - read->skip_first_line;
	struct armed *a = &t->armed[read->buffer];

	*a = (struct armed){
		.piece = {.span = {.data = t->buffers + read->buffer * t->buffer_bytes + head,
				   .file = read->file,
				   .offset_bytes = read->window_offset + head},
			  .own_bytes = read->own_bytes + read->skip_first_line,
			  .skip_line = read->skip_first_line},
		.head_bytes = head,
	};
	/* A command's result is 0: what there will be is known now. */
	if (read->is_command)
		a->piece.span.bytes = read->window_bytes - head;
	arm_slot(t, t->first_slot + read->buffer, &a->piece, head, read->is_command);
	return t->engine->cookie + t->first_slot + read->buffer;
}

static int read_completed(void *thread, unsigned i, int res, uint32_t *ret_folded,
			  struct nf_error *err)
{
	struct kernel_thread *t = thread;
	struct scan_slot *s = &t->engine->slots[t->first_slot + i];
	struct piece_of_span piece = t->armed[i].piece;
	uint32_t head = t->armed[i].head_bytes, done;
	int r = 0;

	*ret_folded = 0;
	if (res > 0 && (uint32_t)res > head) {
		r = settle(t, t->first_slot + i, &piece, err);
		count(t);
	}
	s->status = SCAN_IDLE;
	done = (uint32_t)(piece.span.offset_bytes - t->armed[i].piece.span.offset_bytes);
	if (done)
		*ret_folded = done - t->armed[i].piece.skip_line;
	return r;
}

static const struct engine_read_ops read_ops = {
	.buffers = read_buffers,
	.arm = read_arm,
	.completed = read_completed,
};

const struct engine_ops engine_kernel = {
	.name = "kernel",
	.check = kernel_check,
	.check_program = kernel_link_check,
	.open = kernel_open,
	.close = kernel_close,
	.thread_open = kernel_thread_open,
	.thread_close = kernel_thread_close,
	.fold = kernel_fold,
	.thread_end = kernel_thread_end,
	.thread_fold = kernel_thread_fold,
	.read_ops = &read_ops,
};
