/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "skip_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scan/engine_kernel_load.h"

void skip_without_kernel(void)
{
	struct nf_error err = {0};
	struct kernel_host host;

	if (!kernel_host_probe(&host, &err))
		return;
	print_message("SKIP: %s\n", err.text);
	skip();
}
