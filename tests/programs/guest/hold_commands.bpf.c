/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Not a program of ours but one of the machine's: it stops the process that sends the fourth
 * io_uring command, so that a test can do something in the midst of a scan. Attach it with
 * prog_attach.
 */
#include "nearfold.bpf.h"

#define SIGSTOP 19

static long (*const bpf_send_signal)(u32 signal) = (void *)109;

int allowed = 3;

SEC("lsm/uring_cmd") int hold(void *ctx)
{
	if (allowed-- == 0)
		bpf_send_signal(SIGSTOP);
	return 0;
}

char gpl[] SEC("license") = "GPL";
