/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_verify.c - bytes become a program; what the verifier accepts is run, and must not touch
 * memory that is not its own (the regions are allocated to the byte, for the sanitizer), reach
 * code believed unreachable, or hold a value that the verifier excluded.
 *
 * Input: see tests/support/fuzz_program.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "tests/support/fuzz_program.h"
#include "tests/support/vm_beliefs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_STEPS_TO_RUN = 100000 };

/* A block of exactly n bytes, filled from the input. */
static uint8_t *fill(size_t n, const uint8_t *data, size_t size, unsigned turn)
{
	uint8_t *p = malloc(n ? n : 1);

	if (!p)
		abort();
	for (size_t i = 0; i < n; i++)
		p[i] = turn == 0   ? 0
		       : turn == 1 ? data[i % size]
		       : turn == 2 ? 0xff
				   : (uint8_t)(i * 7 + data[size / 2]);
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
	struct vm_memory mem = {.record = record,
				.record_bytes = record_bytes,
				.params = params,
				.state = state,
				.from = from,
				.key = key};
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
	struct fuzz_program f;
	struct vm_program *vp = NULL;
	struct vm_beliefs *beliefs;
	uint64_t steps = 0;

	if (fuzz_program(data, size, &f))
		return 0;
	if (!vm_verify(f.program, &f.bounds, &vp, NULL)) {
		steps = vp->verify_steps;
		vm_program_unref(vp);
		if (steps > VM_VERIFY_MAX_STEPS)
			abort();
	}
	/* Collecting beliefs is slow: what takes long to verify is not run. */
	if (steps && steps < MAX_STEPS_TO_RUN &&
	    !vm_beliefs_verify(f.program, &f.bounds, &vp, &beliefs, NULL)) {
		for (unsigned turn = 0; turn < 4; turn++)
			run(vp, beliefs, f.kind,
			    turn & 1 ? f.bounds.record_max_bytes : f.bounds.record_min_bytes, data,
			    size, turn);
		vm_beliefs_free(beliefs);
		vm_program_unref(vp);
	}
	program_unref(f.program);
	return 0;
}
