/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_option_table.h"

#include <stddef.h>

enum {
	PROGRAM = CMD_RUN | CMD_EXPLAIN,
	SCAN = PROGRAM | CMD_QUERY,
	ANSWER = CMD_RUN | CMD_QUERY,
	BENCH_NODE = CMD_BENCH_SAVINGS | CMD_BENCH_SWEEP,
	ASK = SCAN | CMD_DATASETS | CMD_DEVICES | CMD_STATUS | CMD_READ | BENCH_NODE,
	MEASURE = BENCH_NODE | CMD_BENCH_ENGINES,
};

static const char not_a_size[] = "not a size";
static const char give_a_size[] = "give bytes, or a number with K, M, G or T, like 64K";
static const char not_a_count[] = "not a number that fits";

/* clang-format off */
const struct option_row option_rows[] = {
	{OPT_NODE, "node", "ADDRESS[,...]", ASK,
	 "HOST:PORT (port 7411 if left out), [IPV6]:PORT or unix:/PATH;\n"
	 "several: the data set has a part on each", "no address", "give HOST:PORT or unix:/PATH"},
	{OPT_DATASET, "dataset", "NAME", PROGRAM | CMD_READ | BENCH_NODE,
	 "the data set on the node; nearfold datasets lists them", NULL, NULL},
	{OPT_LOCAL, "local", "FILE...", SCAN,
	 "scan these files in this process; no node is needed", NULL, NULL},
	{OPT_FORMAT, "format", "FORMAT", SCAN | CMD_CHECK,
	 "of local files: fixed:N (records of N bytes) or lines; SQL has it\n"
	 "from the schema", "not a format",
	 "give fixed:N (records of N bytes, 1 to 1048576) or lines"},
	{OPT_SKIP, "skip", "BYTES", SCAN,
	 "pass over that much at the start of each local file", not_a_size, give_a_size},
	{OPT_TAIL, "tail", "ignore", SCAN,
	 "pass over a last record that is cut short", "unknown choice", "give ignore"},
	{OPT_SCHEMA, "schema", "TEXT", SCAN,
	 "names and types of what is in a record of local files:\n"
	 "'day:date, price:decimal(12,2), name:char(16), pad(4)'", NULL, NULL},
	{OPT_SQL, "sql", "TEXT", CMD_EXPLAIN, "explain this query instead of a program", NULL, NULL},
	{OPT_PARAM, "param", "NAME=VALUE", PROGRAM | CMD_BENCH_SAVINGS,
	 "set a member of the program's parameters; repeatable", "not a parameter",
	 "give NAME=VALUE"},
	{OPT_RANGE, "range", "START:END", SCAN | CMD_READ | CMD_BENCH_SAVINGS,
	 "only these bytes; END is the first that is not; either may be\n"
	 "left out; sizes like 64K", "not a range",
	 "give START:END in bytes with START below END, like 4K:1M or 128:"},
	{OPT_ENGINE, "engine", "auto|kernel|jit|interp", SCAN | MEASURE,
	 "what runs the program [auto]", "unknown engine", "give auto, kernel, jit or interp"},
	{OPT_THREADS, "threads", "N", SCAN | BENCH_NODE, "scan threads [chosen]", not_a_count,
	 "give 1 to 1024"},
	{OPT_READER, "reader", "auto|pread|uring|mmap|nvme", SCAN,
	 "how the data is read [auto]", "unknown reader", "give auto, pread, uring, mmap or nvme"},
	{OPT_CHUNK, "chunk", "BYTES", SCAN,
	 "how much a thread takes at a time [chosen]", not_a_size, give_a_size},
	{OPT_DEPTH, "depth", "N", SCAN, "reads in flight per thread [chosen]",
	 not_a_count, "give 1 to 4096"},
	{OPT_MAX_GROUPS, "max-groups", "N", SCAN,
	 "fail when the answer has more groups [1000000]", not_a_count, "give 1 or more"},
	{OPT_BUDGET, "budget", "N", SCAN,
	 "instructions that loops may take for one record [1000000]", not_a_count,
	 "give 1 or more"},
	{OPT_TIMEOUT, "timeout", "TIME", ASK, "give up after 500ms, 30s, 5m, 1h",
	 "not a time", "give a number with ms, s, m or h, like 30s"},
	{OPT_OUTPUT, "output", "table|json|csv", ANSWER | CMD_DATASETS | CMD_DEVICES | CMD_STATUS,
	 "the form of the answer [table, also into a pipe]", "unknown form",
	 "give table, json or csv"},
	{OPT_STATS, "stats", NULL, ANSWER,
	 "say on stderr what it took (JSON output always has it)", NULL, NULL},
	{OPT_NO_PROGRESS, "no-progress", NULL, ANSWER | MEASURE,
	 "no progress bar (there is none unless stderr is a terminal)", NULL, NULL},
	{OPT_DISASM, "disasm", NULL, CMD_EXPLAIN, "show the bytecode", NULL, NULL},
	{OPT_FORCE, "force", NULL, CMD_READ, "write bytes to a terminal, too", NULL,
	 NULL},
	{OPT_QUICK, "quick", NULL, MEASURE, "fewer points and less data: under a minute", NULL, NULL},
	{OPT_ROUNDS, "rounds", "N", MEASURE, "measured rounds of every point, at most 64 [5]",
	 not_a_count, "give 1 to 64"},
	{OPT_ONLY, "only", "SECTION[,...]", CMD_BENCH_SWEEP,
	 "only these: link, selectivity, rows, state, groups, queries", NULL, NULL},
	{OPT_SIZE, "size", "BYTES", CMD_BENCH_SWEEP | CMD_BENCH_ENGINES,
	 "of the generated data, at least 1M [1G, quick 64M]", "not a size to measure",
	 "give at least 1M, a number with M, G or T"},
	{OPT_GENERATE, "generate", "FILE", CMD_BENCH_SWEEP,
	 "write the sweep's data (fixed:32) to FILE and end; export it on a\n"
	 "node to sweep over a real link", NULL, NULL},
	{OPT_STORE, "store", "FILE", CMD_BENCH_ENGINES,
	 "write the constants that auto uses", NULL, NULL},
	{OPT_JSON, "json", "FILE", CMD_BENCH, "write the report as JSON (- is standard output)",
	 NULL, NULL},
	{OPT_HTML, "html", "FILE", CMD_BENCH, "write the report as one self-contained page", NULL,
	 NULL},
	{OPT_PNG, "png", "FOLDER", CMD_BENCH, "write each plot as PNG, through gnuplot", NULL,
	 NULL},
	{OPT_HELP, "help", NULL, ~0u, "this text", NULL, NULL},
	{0, NULL, NULL, 0, NULL, NULL, NULL},
};
/* clang-format on */

const struct option_row *option_row_by_id(int id)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if ((int)row->id == id)
			return row;
	return NULL;
}

bool option_has_argument(const struct option_row *row)
{
	return row->value && row->id != OPT_LOCAL;
}
