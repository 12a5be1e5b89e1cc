/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_stack.h - a function's stack without its gaps.
 *
 * Flat code gives every inlined sub-function a whole frame of PROGRAM_STACK_FRAME_BYTES, of which
 * it uses a few bytes at the top; the kernel has 512 bytes for all. Frames are moved together: what
 * is used of frame j stays as it is and moves up by the gaps of the frames above. A pointer moves
 * with the frame that it was made for; where it may be used for another (it takes arithmetic over
 * the edge, or was kept on the stack where nobody follows it), frames stay where they are.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_STACK_H
#define NF_SCAN_ENGINE_KERNEL_STACK_H

#include "vm/vm.h"

enum {
	KERNEL_STACK_FRAMES = PROGRAM_MAX_CALL_DEPTH + 2, /* and spills below the last one */
	KERNEL_FRAME_UNKNOWN = 0xff,
};

struct kernel_stack {
	uint32_t bytes;                     /* what is needed below r10 */
	int32_t shift[KERNEL_STACK_FRAMES]; /* of frame j: added to offsets from r10 */
};

/* -ENOMEM. */
int kernel_stack_of(const struct vm_program *vp, enum program_kind kind, struct kernel_stack *ret);

/* The frame that r10 + offset belongs to: its top, a multiple of the frame's size, counts to it,
 * its lowest byte to the next. */
uint8_t kernel_stack_frame(int64_t offset);

/* Where the byte at r10 + offset (at most 0) goes. */
int32_t kernel_stack_map(const struct kernel_stack *s, int32_t offset);

/* Is instruction i the `rX += imm` that makes a pointer of `rX = r10` right before it? */
bool kernel_stack_makes_pointer(const struct vm_code *code, uint32_t i);

#endif
