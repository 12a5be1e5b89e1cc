/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* residency.h - is a piece of a file in the page cache? */
#ifndef NF_SCAN_RESIDENCY_H
#define NF_SCAN_RESIDENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is most of it there, so that copying is better than asking the device? A guess that is out of
 * date costs time only. Where the kernel does not tell (a file that is neither ours nor writable,
 * a kernel before 6.5 and pages that cannot be mapped) the answer is yes: the page cache always
 * works.
 */
bool file_is_resident(int fd, uint64_t offset_bytes, size_t bytes);

/*
 * The same for a reader that goes through a file: the kernel is asked for some megabytes at once,
 * and that they are all there, or none of them, is remembered. Zeroed at first; one thread.
 */
struct residency {
	int fd;
	uint64_t start, end; /* of what is known; half-open */
	bool resident;
};
bool residency_ask(struct residency *r, int fd, uint64_t file_bytes, uint64_t offset_bytes,
		   size_t bytes);

#endif
