/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "skip_unless.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scan/engine_kernel_load.h"
#include "scan/ring.h"

void skip_without_kernel(void)
{
	struct nf_error err = {0};
	struct kernel_host host;

	if (!kernel_host_probe(&host, &err))
		return;
	print_message("SKIP: %s\n", err.text);
	skip();
}

void skip_without_ring(void)
{
	struct nf_error err = {0};

	if (!ring_uring_check(&err))
		return;
	print_message("SKIP: %s\n", err.text);
	skip();
}

bool reader_works(enum scan_reader reader)
{
	struct nf_error err = {0};

	if (reader != READER_URING || !ring_uring_check(&err))
		return true;
	print_message("# without io_uring: %s\n", err.text);
	return false;
}
