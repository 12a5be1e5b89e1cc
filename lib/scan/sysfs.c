/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/sysfs.h"

#include <dirent.h>
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

void sysfs_device_text(uint64_t dev, char *ret, size_t size)
{
	char folder[96], path[128], name[64];
	uint64_t number, polled = 0, polls = 0;
	unsigned queues;

	*ret = '\0';
	snprintf(folder, sizeof(folder), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	if (sysfs_number(&number, "%s/partition", folder))
		strcat(folder, "/..");
	if (!device_name(folder, name, sizeof(name)))
		return;
	snprintf(path, sizeof(path), "%s/mq", folder);
	queues = count_entries(path);
	if (sysfs_number(&polled, "%s/queue/io_poll", folder) && polled &&
	    !strncmp(name, "nvme", 4))
		sysfs_number(&polls, "/sys/module/nvme/parameters/poll_queues");
	if (!queues)
		snprintf(ret, size, "%s",
			 name); /* dm, md, a multipath head: no queues of its own */
	else if (polls)
		snprintf(ret, size, "%s (%u queue%s, %u of them polled)", name, queues,
			 queues == 1 ? "" : "s", (unsigned)polls);
	else
		snprintf(ret, size, "%s (%u queue%s, %s)", name, queues, queues == 1 ? "" : "s",
			 polled ? "polled" : "none polled");
}
