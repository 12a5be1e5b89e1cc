/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_template.h"

#include "scan_bpf.h"

const struct splice_func *kernel_template(const char *name)
{
	return splice_find(splice_unit, name);
}
