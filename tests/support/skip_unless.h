/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* skip_unless.h - for tests that need what a machine or user may lack. */
#ifndef NF_TESTS_SKIP_UNLESS_H
#define NF_TESTS_SKIP_UNLESS_H

#include "scan/scan.h"

/* Skip the test, with the reason. They do not return then, and nothing cleans up: call them before
 * anything is allocated. */
void skip_without_kernel(void); /* the kernel engine may not run */
void skip_without_ring(void);   /* no io_uring */

/* May that reader be asked for here? If not, prints why: the test goes on with the others. */
bool reader_works(enum scan_reader reader);

#endif
