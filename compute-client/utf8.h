/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * utf8.h - text whose bytes came from elsewhere (records, a node), made safe to print.
 * Independent of the locale.
 */
#ifndef NF_CLIENT_UTF8_H
#define NF_CLIENT_UTF8_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The character at *text, which moves behind it; U+FFFD for each byte that is none (overlong forms,
 * surrogates, above U+10FFFF). *text < end. */
uint32_t utf8_next(const char **text, const char *end);
void utf8_put(FILE *out, uint32_t c);

/*
 * Write text with control characters escaped (\n, \x1b), so that it stays on its line and cannot
 * command a terminal. Returns how many columns it takes; out may be NULL to measure only.
 */
size_t utf8_put_printable(FILE *out, const char *text);

#endif
