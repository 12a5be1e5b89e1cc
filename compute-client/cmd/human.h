/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* human.h - amounts for people: three digits and a unit. */
#ifndef NF_CMD_HUMAN_H
#define NF_CMD_HUMAN_H

#include <stddef.h>

/* "512 B", "1.23 GB": powers of 1000. Returns buf. */
const char *human_bytes(double bytes, char buf[24]);
/* "256 KiB": powers of 1024, of which sizes of chunks are made; "4000 B" when it is none. */
const char *human_power_bytes(unsigned long long bytes, char buf[24]);
/* "450 us", "1.23 s", "2 min 5 s" */
const char *human_seconds(double seconds, char buf[32]);

#endif
