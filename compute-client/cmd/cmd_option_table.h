/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* cmd_option_table.h - the facts of every option; parsing and --help read the same rows. */
#ifndef NF_CMD_OPTION_TABLE_H
#define NF_CMD_OPTION_TABLE_H

#include <stdbool.h>

#include "compute-client/cmd/cmd.h"

enum option_id {
	OPT_NODE = 256,
	OPT_DATASET,
	OPT_LOCAL,
	OPT_FORMAT,
	OPT_SKIP,
	OPT_TAIL,
	OPT_SCHEMA,
	OPT_SQL,
	OPT_PARAM,
	OPT_RANGE,
	OPT_ENGINE,
	OPT_THREADS,
	OPT_READER,
	OPT_CHUNK,
	OPT_DEPTH,
	OPT_MAX_GROUPS,
	OPT_BUDGET,
	OPT_TIMEOUT,
	OPT_OUTPUT,
	OPT_STATS,
	OPT_NO_PROGRESS,
	OPT_DISASM,
	OPT_FORCE,
	OPT_QUICK,
	OPT_ROUNDS,
	OPT_ONLY,
	OPT_SIZE,
	OPT_GENERATE,
	OPT_STORE,
	OPT_JSON,
	OPT_HTML,
	OPT_PNG,
	OPT_HELP,
};

struct option_row {
	enum option_id id;
	const char *name;
	const char *value;         /* what stands behind it in --help; NULL: it takes none */
	unsigned commands;         /* CMD_* bits */
	const char *help;          /* lines, separated by \n */
	const char *wrong, *right; /* of a value: "not a time", "give a number with ..." */
};

/* Ended by a row whose name is NULL. */
extern const struct option_row option_rows[];

const struct option_row *option_row_by_id(int id);
/* Does the program on the command line have an argument for it? (--local's files are words.) */
bool option_has_argument(const struct option_row *row);

#endif
