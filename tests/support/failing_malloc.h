/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * failing_malloc.h - the n-th allocation of the process fails: set fail_after to n. live counts
 * what is allocated. For one file of a test program: it defines malloc() and the rest of them.
 * Where a sanitizer brings its own malloc, OWN_MALLOC is 0 and nothing is defined.
 */
#ifndef FAILING_MALLOC_H
#define FAILING_MALLOC_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#else
#define OWN_MALLOC 1
#endif

/* Counts down in each allocation; the one that meets 1 fails. */
static atomic_long fail_after __attribute__((unused));
static atomic_long live __attribute__((unused)); /* allocations */

#if OWN_MALLOC
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);
extern void __libc_free(void *p);

static bool this_one_fails(void)
{
	if (atomic_load(&fail_after) <= 0 || atomic_fetch_sub(&fail_after, 1) != 1)
		return false;
	errno = ENOMEM;
	return true;
}

static void *counted(void *p)
{
	if (p)
		atomic_fetch_add(&live, 1);
	return p;
}

/* Seen by the C library, too: it allocates for strdup() and the like. */
#pragma GCC visibility push(default)

void *malloc(size_t n)
{
	return this_one_fails() ? NULL : counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
	return this_one_fails() ? NULL : counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
	if (this_one_fails())
		return NULL;
	return p ? __libc_realloc(p, n) : counted(__libc_malloc(n));
}

void *aligned_alloc(size_t align, size_t n)
{
	return this_one_fails() ? NULL : counted(__libc_memalign(align, n));
}

void free(void *p)
{
	if (p)
		atomic_fetch_sub(&live, 1);
	__libc_free(p);
}

#pragma GCC visibility pop
#endif

#endif
