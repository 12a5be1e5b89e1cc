/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fenced.h - memory that ends where a page begins that nobody may touch. No sanitizer looks at what
 * compiled code reads; this stops it one byte behind the end.
 */
#ifndef NF_TESTS_FENCED_H
#define NF_TESTS_FENCED_H

#include <stddef.h>
#include <stdint.h>

uint8_t *fenced_new(size_t bytes); /* zeroed; ends the test when there is no memory */
void fenced_free(uint8_t *p, size_t bytes);

#endif
