/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cmd_options.h - the options of all subcommands: one table, of which each takes its rows.
 *
 * Words that are no options: the first is the program or the query's text, those after --local
 * are files. A word that begins with SELECT is the query wherever it stands.
 */
#ifndef NF_CMD_OPTIONS_H
#define NF_CMD_OPTIONS_H

#include <stdbool.h>

#include "compute-client/cmd/cmd.h"

struct cmd_options {
	const struct command *command;
	const char *program;
	const char *sql; /* the text of a query, or "-" */
	bool local, stats, no_progress, disasm, force, help, tail_ignore, has_range, quick;
	const char **files; /* ended by NULL */
	unsigned n_files;
	char **nodes;
	unsigned n_nodes;
	char **params; /* "name=value" */
	unsigned n_params;
	const char *dataset, *format, *schema, *engine, *reader;
	uint64_t skip_bytes, chunk_bytes, range_start, range_end, timeout_ns, max_groups, budget;
	unsigned threads, depth, rounds;
	uint64_t size_bytes;
	const char *only, *generate, *store, *json, *html, *png;
	enum nearfold_output output;
};

/*
 * argv[0] is the subcommand's name. EXIT_DONE, or EXIT_USAGE after a message. cmd_options_done()
 * in either case.
 */
int cmd_options_parse(const struct command *c, int argc, char **argv, struct cmd_options *ret);
void cmd_options_done(struct cmd_options *o);

/* The lines of --help. */
void cmd_options_list(const struct command *c, FILE *out);

/* Is exactly one of --node and --local there, and what belongs to it? EXIT_DONE or EXIT_USAGE. */
int cmd_options_where(const struct cmd_options *o);
int cmd_options_need_node(const struct cmd_options *o);
int cmd_options_need_query(const struct cmd_options *o);
int cmd_options_need_program(const struct cmd_options *o);

#endif
