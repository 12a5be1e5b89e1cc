/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * log.h - one line per event on stderr. Programs log; libraries report (error.h).
 *
 * Lines carry a syslog level prefix (<3>, <4>, <6>, <7>) when stderr is the systemd journal
 * ($JOURNAL_STREAM), else a UTC time stamp. Control characters in values are escaped, so that
 * a client cannot forge a line. Threads: any.
 */
#ifndef NF_BASE_LOG_H
#define NF_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level most);
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
