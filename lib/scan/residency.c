/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/residency.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* cachestat(2), Linux 6.5; newer than Debian 12's headers. The same number on every architecture
 * that uses the common table. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

enum {
	PAGE_BYTES = 4096,
	MOST_OF_8 = 6,
	MINCORE_PAGES = 512,
	STRETCH_BYTES = 8 << 20,
};

struct cachestat_range {
	uint64_t off, len;
};

struct cachestat {
	uint64_t nr_cache, nr_dirty, nr_writeback, nr_evicted, nr_recently_evicted;
};

static bool most(uint64_t resident, uint64_t pages)
{
	return resident * 8 >= pages * MOST_OF_8;
}

/* By a mapping that nobody touches: one page in each of up to MINCORE_PAGES. */
static bool resident_by_mincore(int fd, uint64_t offset, size_t bytes)
{
	uint64_t pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES, resident = 0;
	unsigned char vec[MINCORE_PAGES];
	uint8_t *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, (off_t)offset);

	if (p == MAP_FAILED)
		return true;
	for (uint64_t at = 0; at < pages; at += MINCORE_PAGES) {
		uint64_t n = pages - at < MINCORE_PAGES ? pages - at : MINCORE_PAGES;

		if (mincore(p + at * PAGE_BYTES, n * PAGE_BYTES, vec)) {
			resident = pages;
			break;
		}
		for (uint64_t i = 0; i < n; i++)
			resident += vec[i] & 1;
	}
	munmap(p, bytes);
	return most(resident, pages);
}

/* Pages of the range, and how many of them are there. False: the kernel does not say (errno). */
static bool count_pages(int fd, const struct cachestat_range *range, uint64_t *ret_resident,
			uint64_t *ret_pages)
{
	struct cachestat stat;

	if (syscall(SYS_cachestat, fd, range, &stat, 0))
		return false;
	*ret_resident = stat.nr_cache;
	*ret_pages = (range->len + PAGE_BYTES - 1) / PAGE_BYTES;
	return true;
}

static struct cachestat_range range_of(uint64_t offset_bytes, size_t bytes)
{
	uint64_t start = offset_bytes & ~(uint64_t)(PAGE_BYTES - 1);

	return (struct cachestat_range){start, offset_bytes + bytes - start};
}

bool file_is_resident(int fd, uint64_t offset_bytes, size_t bytes)
{
	struct cachestat_range range = range_of(offset_bytes, bytes);
	uint64_t resident, pages;

	if (!bytes)
		return true;
	if (count_pages(fd, &range, &resident, &pages))
		return most(resident, pages);
	return errno != ENOSYS || resident_by_mincore(fd, range.off, (size_t)range.len);
}

bool residency_ask(struct residency *r, int fd, uint64_t file_bytes, uint64_t offset_bytes,
		   size_t bytes)
{
	uint64_t left = file_bytes - offset_bytes;
	struct cachestat_range range =
		range_of(offset_bytes, left < STRETCH_BYTES ? (size_t)left : STRETCH_BYTES);
	uint64_t resident, pages;

	if (r->fd == fd && offset_bytes >= r->start && offset_bytes + bytes <= r->end)
		return r->resident;
	if (bytes > STRETCH_BYTES || !count_pages(fd, &range, &resident, &pages) ||
	    (resident && resident < pages))
		return file_is_resident(fd, offset_bytes, bytes);
	*r = (struct residency){fd, range.off, range.off + range.len, resident != 0};
	return r->resident;
}
