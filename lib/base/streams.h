/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * streams.h - the numbers 0, 1 and 2 belong to the standard streams, whoever started us.
 *
 * A program that is started with one of them closed gives that number to the next file or socket it
 * opens, and what is printed goes there.
 */
#ifndef NF_BASE_STREAMS_H
#define NF_BASE_STREAMS_H

/* First in main(): a stream that is closed gets a file that can be neither read nor written, so
 * that using it fails (EBADF) as it would have. */
void streams_hold(void);

#endif
