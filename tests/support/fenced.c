/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "tests/support/fenced.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t whole_pages(size_t bytes)
{
	return (bytes + page_bytes() - 1) / page_bytes() * page_bytes();
}

uint8_t *fenced_new(size_t bytes)
{
	size_t before = whole_pages(bytes);
	uint8_t *map = mmap(NULL, before + page_bytes(), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + before, page_bytes(), PROT_NONE))
		abort();
	return map + before - bytes;
}

void fenced_free(uint8_t *p, size_t bytes)
{
	size_t before = whole_pages(bytes);

	munmap(p + bytes - before, before + page_bytes());
}
