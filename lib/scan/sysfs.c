/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/sysfs.h"

#include <dirent.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/scope.h"

static bool read_line(char *ret, size_t size, const char *path, va_list ap)
{
	char name[256];

	if (vsnprintf(name, sizeof(name), path, ap) >= (int)sizeof(name))
		return false;
	AUTO_FCLOSE FILE *f = fopen(name, "re");
	if (!f || !fgets(ret, (int)size, f))
		return false;
	for (size_t n = strlen(ret); n && strchr(" \n", ret[n - 1]); n--)
		ret[n - 1] = '\0';
	return true;
}

bool sysfs_text(char *ret, size_t size, const char *path, ...)
{
	va_list ap;

	va_start(ap, path);
	bool ok = read_line(ret, size, path, ap);
	va_end(ap);
	return ok;
}

bool sysfs_number(uint64_t *ret, const char *path, ...)
{
	char text[32], *end;
	va_list ap;

	va_start(ap, path);
	bool ok = read_line(text, sizeof(text), path, ap);
	va_end(ap);
	if (!ok || text[0] < '0' || text[0] > '9')
		return false;
	unsigned long long v = strtoull(text, &end, 10);
	if (*end)
		return false;
	*ret = v;
	return true;
}

/* How many entries a folder of sysfs has. */
static unsigned count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	if (!dir)
		return 0;
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* DEVNAME=sda1 */
static bool device_name(const char *folder, char *ret, size_t size)
{
	char path[192], line[128];

	snprintf(path, sizeof(path), "%s/uevent", folder);
	AUTO_FCLOSE FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "DEVNAME=", 8))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(ret, size, "%s", line + 8);
		return true;
	}
	return false;
}

/* The paths of a multipath namespace: nvme2c0n1, nvme2c1n1 behind nvme2n1. *ret_queues: one's. */
static unsigned count_paths(const char *name, unsigned *ret_queues)
{
	unsigned subsystem, number, n;
	char pattern[96];
	glob_t found;

	if (sscanf(name, "nvme%un%u", &subsystem, &number) != 2)
		return 0;
	snprintf(pattern, sizeof(pattern), "/sys/block/nvme%uc*n%u/mq", subsystem, number);
	if (glob(pattern, 0, NULL, &found))
		return 0;
	n = (unsigned)found.gl_pathc;
	*ret_queues = count_entries(found.gl_pathv[0]);
	globfree(&found);
	return n;
}

bool sysfs_disk_of(uint64_t dev, struct sysfs_disk *ret)
{
	char folder[96], path[128];
	uint64_t number = 0;

	*ret = (struct sysfs_disk){0};
	snprintf(folder, sizeof(folder), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	if (sysfs_number(&number, "%s/partition", folder))
		strcat(folder, "/..");
	if (!device_name(folder, ret->name, sizeof(ret->name)))
		return false;
	snprintf(path, sizeof(path), "%s/mq", folder);
	ret->queues = count_entries(path);
	if (!ret->queues)
		ret->paths = count_paths(ret->name, &ret->queues);
	ret->polled = sysfs_number(&number, "%s/queue/io_poll", folder) && number;
	if (ret->polled && !strncmp(ret->name, "nvme", 4) &&
	    sysfs_number(&number, "/sys/module/nvme/parameters/poll_queues"))
		ret->poll_queues = (unsigned)number;
	if (sysfs_number(&number, "%s/queue/nr_requests", folder))
		ret->requests = number;
	if (sysfs_number(&number, "%s/queue/max_sectors_kb", folder))
		ret->request_bytes = number << 10;
	return true;
}

void sysfs_disk_text(const struct sysfs_disk *d, char *ret, size_t size)
{
	const char *s = d->queues == 1 ? "" : "s";
	char paths[32] = "";

	if (d->paths)
		snprintf(paths, sizeof(paths), "%u path%s of ", d->paths,
			 d->paths == 1 ? "" : "s");
	if (!d->queues)
		snprintf(ret, size, "%s", d->name);
	else if (d->poll_queues)
		snprintf(ret, size, "%s (%s%u queue%s, %u of them polled)", d->name, paths,
			 d->queues, s, d->poll_queues);
	else
		snprintf(ret, size, "%s (%s%u queue%s, %s)", d->name, paths, d->queues, s,
			 d->polled ? "polled" : "none polled");
}
