/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sigbus.h - memory that may be looked at although the file behind it can shrink.
 *
 * Looking at a page behind the end of a mapped file raises SIGBUS. Inside a guarded stretch the
 * handler puts a page of zeroes there, notes it, and the load goes on; whoever owns the stretch
 * asks sigbus_hit() before believing what came of it. A SIGBUS anywhere else goes to the handler
 * that was there before, or kills as ever.
 *
 * The handler is process-wide: installed with the first guard, and it stays. Threads: any.
 */
#ifndef NF_SCAN_SIGBUS_H
#define NF_SCAN_SIGBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIGBUS_MAX_GUARDS = 64 }; /* scans by mmap at once in one process */

/* A guard's number, or -ENOSPC, -errno. base is page-aligned. */
int sigbus_guard(const uint8_t *base, size_t bytes);
bool sigbus_hit(int guard);
/* Nobody looks at the stretch any more. */
void sigbus_unguard(int guard);

#endif
