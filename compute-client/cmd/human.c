/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/human.h"

#include <stdio.h>

/* Three digits that matter: 1.23, 12.3, 123. */
static int decimals(double v)
{
	return v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
}

const char *human_bytes(double bytes, char buf[24])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	unsigned u = 0;

	while (bytes >= 999.5 && u < 6) {
		bytes /= 1000;
		u++;
	}
	snprintf(buf, 24, "%.*f %s", u == 0 ? 0 : decimals(bytes), bytes, units[u]);
	return buf;
}

const char *human_power_bytes(unsigned long long bytes, char buf[24])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
	unsigned u = 0;

	while (bytes >= 1024 && bytes % 1024 == 0 && u < 3) {
		bytes /= 1024;
		u++;
	}
	snprintf(buf, 24, "%llu %s", bytes, units[u]);
	return buf;
}

const char *human_seconds(double seconds, char buf[32])
{
	if (seconds < 0.9995e-3)
		snprintf(buf, 32, "%.0f us", seconds * 1e6);
	else if (seconds < 0.9995)
		snprintf(buf, 32, "%.*f ms", decimals(seconds * 1e3), seconds * 1e3);
	else if (seconds < 60)
		snprintf(buf, 32, "%.*f s", decimals(seconds), seconds);
	else
		snprintf(buf, 32, "%.0f min %d s", (double)(long)(seconds / 60),
			 (int)((long)seconds % 60));
	return buf;
}
