/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_folder.h - a temporary folder that is gone when this process ends, however it ends: a
 * process that waits for the end of a pipe removes it, and the files in it.
 */
#ifndef NF_BENCH_FOLDER_H
#define NF_BENCH_FOLDER_H

#include <sys/types.h>

#include "base/error.h"

struct bench_folder {
	char path[200];
	pid_t janitor; /* 0: there is no folder */
	int pipe;
};

/* In $TMPDIR or /tmp. */
int bench_folder_make(struct bench_folder *f, struct nf_error *err);
void bench_folder_remove(struct bench_folder *f); /* takes a zeroed one */
void bench_folder_path(const struct bench_folder *f, const char *name, char buf[256]);

#endif
