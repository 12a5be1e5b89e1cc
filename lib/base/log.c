/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static enum log_level most_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level most)
{
	most_level = most;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	static const int syslog_level[] = {3, 4, 6, 7};
	static const char *const word[] = {"error: ", "warning: ", "", "debug: "};
	char text[2048], line[sizeof(text) * 4 + 64];
	size_t n = 0;
	va_list ap;

	if (level > most_level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	if (getenv("JOURNAL_STREAM")) {
		n = (size_t)snprintf(line, sizeof(line), "<%d>", syslog_level[level]);
	} else {
		struct timespec t;
		struct tm tm;

		clock_gettime(CLOCK_REALTIME, &t);
		gmtime_r(&t.tv_sec, &tm);
		n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
		n += (size_t)snprintf(line + n, sizeof(line) - n, ".%03ldZ %s", t.tv_nsec / 1000000,
				      word[level]);
	}
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(line + n, sizeof(line) - n, "\\x%02x", c);
		else
			line[n++] = *p;
	}
	line[n++] = '\n';
	/* One write, so that lines of several processes do not mix. A full disk loses a log line.
	 */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}
