/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_parse_f64.h - decimal text to the nearest double, the same in every locale. */
#ifndef NF_VM_PARSE_F64_H
#define NF_VM_PARSE_F64_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads [+-]digits[.digits][e[+-]digits] at the start of s[0..n) (which need not end in NUL).
 * Returns how many bytes that took, or -1 with *ret = 0 when there is no digit. *ret is the
 * double nearest to the number, ties to even; too large: infinity; too small: zero with its sign.
 * Takes time linear in n. Threads: any.
 */
int64_t vm_parse_f64(const char *s, size_t n, double *ret);

#endif
