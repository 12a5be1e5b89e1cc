/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* skip_kernel.h - for tests that load programs into the kernel. */
#ifndef NF_TESTS_SKIP_KERNEL_H
#define NF_TESTS_SKIP_KERNEL_H

/* Skip the test, with the reason, where the kernel engine may not run. Does not return then, and
 * nothing cleans up: call it before anything is allocated. */
void skip_without_kernel(void);

#endif
