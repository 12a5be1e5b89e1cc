/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * lines.h - where lines begin: an array of offsets, for engines that want many records at once.
 */
#ifndef NF_SCAN_LINES_H
#define NF_SCAN_LINES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Find the first lines of data[0, bytes), bytes > 0 and below 4 GiB: line i is data[ret_starts[i],
 * ret_starts[i + 1] - 1). A last line without newline counts. Fills at most max + 1 entries, max
 * >= 1, and returns how many lines these are; they end before data + ret_starts[n], or one further
 * when the last newline is missing.
 */
size_t lines_split(const uint8_t *data, size_t bytes, uint32_t *ret_starts, size_t max);

#endif
