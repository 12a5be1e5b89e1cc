/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* jit_image.h - what the compiler and the loader of images share beside jit.h. */
#ifndef NF_VM_JIT_IMAGE_H
#define NF_VM_JIT_IMAGE_H

#define JIT_IMAGE_MAGIC 0x49464e4a /* "JNFI" */

#endif
