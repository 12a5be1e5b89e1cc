/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>

#include "compute-client/cmd/cmd.h"

const struct command *const commands[] = {
	&command_query,
	&command_run,
	&command_check,
	&command_explain,
	&command_datasets,
	&command_devices,
	&command_status,
	&command_read,
	&command_bench_savings,
	&command_bench_sweep,
	&command_bench_engines,
	&command_bench_report,
	NULL,
};
