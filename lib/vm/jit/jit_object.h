/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jit_object.h - from the compiler's ELF object to a flat image: sections laid one after another,
 * references between them resolved, none to the outside left.
 */
#ifndef NF_VM_JIT_OBJECT_H
#define NF_VM_JIT_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vm/jit.h"

/* The symbols "exact", "unmetered" and "bulk" become the image's functions; only the first must be
 * there. What else the image's head has comes from head. *ret is malloc()ed; FAILED_PRECONDITION
 * names what cannot be resolved. */
int jit_object_link(const uint8_t *object, size_t size, const struct jit_image *head,
		    struct jit_image **ret, struct nf_error *err);

#endif
