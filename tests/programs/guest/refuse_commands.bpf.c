/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Not a program of ours but one of the machine's: a security module that lets a few io_uring
 * commands through and refuses all that follow. Attach it with
 * prog_attach.
 */
#include "nearfold.bpf.h"

#define EACCES 13

int allowed = 3;

SEC("lsm/uring_cmd") int refuse(void *ctx)
{
	return allowed-- > 0 ? 0 : -EACCES;
}

char gpl[] SEC("license") = "GPL";
