/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/cmd/cmd_option_table.h"
#include "compute-client/cmd/cmd_sql.h"
#include "compute-client/cmd/cmd_values.h"
#include "compute-client/suggest.h"
#include "scan/dataset.h"

enum {
	TAKES_SQL = CMD_QUERY | CMD_EXPLAIN,
	TAKES_PROGRAM = CMD_RUN | CMD_EXPLAIN | CMD_CHECK | CMD_BENCH_SAVINGS | CMD_BENCH_REPORT,
	MAX_OPTIONS = 64,
	MAX_THREADS = 1024,
	MAX_DEPTH = 4096,
	MAX_ROUNDS = 64,
	MIN_SIZE = 1 << 20, /* less is not measured, but guessed */
};

static int wrong_value(const struct option_row *row, const char *value)
{
	char where[300];

	snprintf(where, sizeof(where), "--%s '%s'", row->name, value);
	return cmd_usage(row->wrong, where, "%s", row->right);
}

/* Appends to a list of pointers that stays ended by NULL. */
static bool append(void *list, unsigned *n, const char *item)
{
	const char ***items = list;
	const char **grown = realloc(*items, (*n + 2) * sizeof(*grown));

	if (!grown)
		return false;
	grown[(*n)++] = item;
	grown[*n] = NULL;
	*items = grown;
	return true;
}

static bool add_nodes(struct cmd_options *o, const char *list)
{
	for (;; list++) {
		size_t n = strcspn(list, ",");
		char *node = n ? strndup(list, n) : NULL;

		if (!node || !append(&o->nodes, &o->n_nodes, node)) {
			free(node);
			return false;
		}
		list += n;
		if (!*list)
			return true;
	}
}

static bool valid_format(const char *text)
{
	struct dataset_spec spec = {0};
	bool ok = dataset_spec_set(&spec, "format", text, NULL) == 0;

	dataset_spec_done(&spec);
	return ok;
}

static bool take_unsigned(const char *value, uint64_t max, unsigned *ret)
{
	uint64_t v;

	if (!value_count(value, max, &v) || v == 0)
		return false;
	*ret = (unsigned)v;
	return true;
}

/* True: taken. False: the row's message says what would be right. */
static bool take(struct cmd_options *o, enum option_id id, const char *value)
{
	unsigned choice = 0;
	bool ok = true;

	switch (id) {
	case OPT_NODE:
		return add_nodes(o, value);
	case OPT_DATASET:
		o->dataset = value;
		break;
	case OPT_LOCAL:
		o->local = true;
		break;
	case OPT_FORMAT:
		o->format = value;
		return valid_format(value);
	case OPT_SKIP:
		return value_size(value, &o->skip_bytes);
	case OPT_TAIL:
		o->tail_ignore = true;
		return strcmp(value, "ignore") == 0;
	case OPT_SCHEMA:
		o->schema = value;
		break;
	case OPT_SQL:
		o->sql = value;
		break;
	case OPT_PARAM:
		return strchr(value, '=') && value[0] != '=' &&
		       append(&o->params, &o->n_params, value);
	case OPT_RANGE:
		o->has_range = true;
		return value_range(value, &o->range_start, &o->range_end);
	case OPT_ENGINE:
		o->engine = value;
		return value_choice(value, option_row_by_id(id)->value, &choice);
	case OPT_THREADS:
		return take_unsigned(value, MAX_THREADS, &o->threads);
	case OPT_READER:
		o->reader = value;
		return value_choice(value, option_row_by_id(id)->value, &choice);
	case OPT_CHUNK:
		return value_size(value, &o->chunk_bytes) && o->chunk_bytes > 0;
	case OPT_DEPTH:
		return take_unsigned(value, MAX_DEPTH, &o->depth);
	case OPT_MAX_GROUPS:
		return value_count(value, UINT64_MAX, &o->max_groups) && o->max_groups > 0;
	case OPT_BUDGET:
		return value_count(value, UINT64_MAX, &o->budget) && o->budget > 0;
	case OPT_TIMEOUT:
		return value_time(value, &o->timeout_ns);
	case OPT_OUTPUT:
		ok = value_choice(value, option_row_by_id(id)->value, &choice);
		o->output = (enum nearfold_output)choice;
		break;
	case OPT_STATS:
		o->stats = true;
		break;
	case OPT_NO_PROGRESS:
		o->no_progress = true;
		break;
	case OPT_DISASM:
		o->disasm = true;
		break;
	case OPT_FORCE:
		o->force = true;
		break;
	case OPT_QUICK:
		o->quick = true;
		break;
	case OPT_ROUNDS:
		return take_unsigned(value, MAX_ROUNDS, &o->rounds);
	case OPT_ONLY:
		o->only = value;
		break;
	case OPT_SIZE:
		return value_size(value, &o->size_bytes) && o->size_bytes >= MIN_SIZE;
	case OPT_GENERATE:
		o->generate = value;
		break;
	case OPT_STORE:
		o->store = value;
		break;
	case OPT_JSON:
		o->json = value;
		break;
	case OPT_HTML:
		o->html = value;
		break;
	case OPT_PNG:
		o->png = value;
		break;
	case OPT_HELP:
		o->help = true;
		break;
	}
	return ok;
}

static int unquoted(const char *word)
{
	return cmd_usage("a query in pieces", word,
			 "put the query in quotes, so that the shell hands it on as one word: "
			 "nearfold query ... \"SELECT ... FROM ...\"");
}

static int take_query(struct cmd_options *o, const char *word)
{
	if (o->sql || o->program)
		return unquoted(word);
	o->sql = word;
	return EXIT_DONE;
}

static int take_word(struct cmd_options *o, const char *word, bool after_local)
{
	bool takes_program = o->command->bit & TAKES_PROGRAM;
	bool takes_sql = o->command->bit & TAKES_SQL;

	if (!*word)
		return cmd_usage(
			"an empty word", o->command->name,
			"it is no file and no program: is a variable of the shell not set?");
	if (takes_sql && cmd_sql_is_piece(word))
		return unquoted(word);
	if (takes_sql && cmd_sql_is_query(word))
		return take_query(o, word);
	if (takes_sql && strcmp(word, "-") == 0)
		return take_query(o, word);
	if (after_local || (o->local && (o->program || o->sql))) {
		if (!append(&o->files, &o->n_files, word))
			return cmd_usage("out of memory", NULL, "there are too many words");
		return EXIT_DONE;
	}
	if (o->command->bit == CMD_QUERY)
		return take_query(o, word);
	if (takes_program && !o->program && (cmd_sql_is_query(word) || cmd_sql_is_piece(word)))
		return cmd_usage("a query where a program is expected", word,
				 "nearfold query runs SQL, nearfold explain --sql explains it");
	if (!takes_program || o->program || o->sql)
		return cmd_usage("one word too many", word,
				 "%s takes %s; nearfold %s --help lists the options",
				 o->command->name, takes_program ? "one program" : "options only",
				 o->command->name);
	o->program = word;
	return EXIT_DONE;
}

/* Options of other commands that a query makes one look for. */
static int misplaced_option(const struct command *c, const char *typed)
{
	static const struct {
		const char *option, *advice;
	} rows[] = {
		{"--dataset", "leave it out: the table in FROM is the data set"},
		{"--param", "leave it out: write the value into the query"},
		{"--sql", "leave it out: the query is a word by itself"},
	};

	for (unsigned i = 0; c->bit == CMD_QUERY && i < ARRAY_SIZE(rows); i++)
		if (strcmp(typed, rows[i].option + strlen("--")) == 0)
			return cmd_usage("this option is not for queries", rows[i].option, "%s",
					 rows[i].advice);
	return EXIT_DONE;
}

static int unknown_option(const struct command *c, const char *word, const struct option *known)
{
	char typed[80], hint[120] = "";
	struct suggest near = {.typed = typed};

	snprintf(typed, sizeof(typed), "%.*s", (int)strcspn(word, "="), word);
	while (typed[0] == '-')
		memmove(typed, typed + 1, strlen(typed));
	if (misplaced_option(c, typed) != EXIT_DONE)
		return EXIT_USAGE;
	if ((c->bit & TAKES_SQL) && cmd_sql_is_query(word))
		return cmd_usage("a query that begins like an option", word,
				 "put a blank before its comment, or hand it to standard input "
				 "and give -");
	for (; known->name; known++)
		suggest_offer(&near, known->name);
	if (near.best)
		snprintf(hint, sizeof(hint), "did you mean --%s? ", near.best);
	return cmd_usage("unknown option", word, "%snearfold %s --help lists all", hint, c->name);
}

int cmd_options_parse(const struct command *c, int argc, char **argv, struct cmd_options *ret)
{
	struct option known[MAX_OPTIONS + 1] = {0};
	struct cmd_options *o = ret;
	bool after_local = false;
	unsigned n = 0;

	memset(o, 0, sizeof(*o));
	o->command = c;
	for (const struct option_row *row = option_rows; row->name && n < MAX_OPTIONS; row++)
		if (row->commands & c->bit)
			known[n++] = (struct option){
				.name = row->name,
				.has_arg =
					option_has_argument(row) ? required_argument : no_argument,
				.val = (int)row->id,
			};
	optind = 0; /* glibc: start anew */
	opterr = 0;
	for (;;) {
		/* "-": words come in their place; ":": a missing value is told apart. */
		int at = optind ? optind : 1;
		int id = getopt_long(argc, argv, "-:h", known, NULL);
		int r = EXIT_DONE;

		if (id == -1)
			break;
		if (id == 1) {
			r = take_word(o, optarg, after_local);
		} else if (id == 'h') {
			o->help = true;
		} else if (id == ':') {
			const struct option_row *row = option_row_by_id(optopt);

			r = cmd_usage("an option lacks its value", argv[optind - 1], "give --%s %s",
				      row->name, row->value);
		} else if (id == '?' && optopt >= OPT_NODE) {
			r = cmd_usage("this option takes no value", argv[optind - 1], "give --%s",
				      option_row_by_id(optopt)->name);
		} else if (id == '?') {
			r = unknown_option(c, argv[at < argc ? at : optind - 1], known);
		} else if (optarg && !*optarg) {
			const struct option_row *row = option_row_by_id(id);
			char option[40];

			snprintf(option, sizeof(option), "--%s", row->name);
			r = cmd_usage("an option's value is empty", option, "give --%s %s",
				      row->name, row->value);
		} else {
			if (!take(o, (enum option_id)id, optarg))
				r = wrong_value(option_row_by_id(id), optarg);
			after_local = id == OPT_LOCAL;
		}
		if (r != EXIT_DONE)
			return r;
	}
	for (; optind < argc; optind++) /* behind "--" */
		if (take_word(o, argv[optind], after_local) != EXIT_DONE)
			return EXIT_USAGE;
	return EXIT_DONE;
}

void cmd_options_done(struct cmd_options *o)
{
	for (unsigned i = 0; i < o->n_nodes; i++)
		free(o->nodes[i]);
	free(o->nodes);
	free(o->params);
	free(o->files);
}

void cmd_options_list(const struct command *c, FILE *out)
{
	for (const struct option_row *row = option_rows; row->name; row++) {
		const char *line = row->help;
		char head[64];

		if (!(row->commands & c->bit))
			continue;
		snprintf(head, sizeof(head), "--%s%s%s", row->name, row->value ? " " : "",
			 row->value ? row->value : "");
		while (line) {
			const char *end = strchrnul(line, '\n');

			fprintf(out, "  %-32s %.*s\n", head, (int)(end - line), line);
			line = *end ? end + 1 : NULL;
			head[0] = '\0';
		}
	}
}

int cmd_options_need_program(const struct cmd_options *o)
{
	if (o->program)
		return EXIT_DONE;
	if (o->n_files > 0)
		return cmd_usage(
			"no program", o->files[0],
			"words after --local are files; give the program first: nearfold %s "
			"PROG.bpf.o --local %s",
			o->command->name, o->files[0]);
	return cmd_usage("no program", NULL, "give one: nearfold %s %s", o->command->name,
			 o->command->usage);
}

int cmd_options_need_query(const struct cmd_options *o)
{
	if (o->sql)
		return EXIT_DONE;
	if (o->n_files > 0) {
		const char *last = o->files[o->n_files - 1];

		return cmd_usage("no query", last,
				 "words after --local are files; give the query in quotes, or - "
				 "<FILE if it is in a file");
	}
	return cmd_usage("no query", NULL,
			 "give one in quotes, or - to read it from standard input: nearfold %s %s",
			 o->command->name, o->command->usage);
}

int cmd_options_need_node(const struct cmd_options *o)
{
	if (o->n_nodes == 1)
		return EXIT_DONE;
	if (o->n_nodes > 1)
		return cmd_usage("too many nodes", o->nodes[1],
				 "nearfold %s asks one: --node ADDRESS", o->command->name);
	return cmd_usage("no node", NULL, "give --node ADDRESS, like --node 127.0.0.1:7411");
}

/* What explain would take for a program. */
static int sql_alone(const struct cmd_options *o)
{
	if (o->program)
		return cmd_usage("a program and a query", o->program, "give one of them");
	if (o->dataset)
		return cmd_usage("--dataset with a query", o->dataset,
				 "leave it out: the table in FROM is the data set");
	return cmd_usage("--param with a query", o->params[0],
			 "leave it out: write the value into the query");
}

int cmd_options_where(const struct cmd_options *o)
{
	static const char *const local_only[] = {"format", "skip", "schema", "tail"};
	const bool given[] = {o->format != NULL, o->skip_bytes > 0, o->schema != NULL,
			      o->tail_ignore};

	if (o->n_nodes > 0 && o->local)
		return cmd_usage("both --node and --local", NULL,
				 "give --node to run on a node, or --local to run here");
	if (o->n_nodes == 0 && !o->local)
		return cmd_usage("no data", NULL, "%s",
				 o->sql ? "give --node ADDRESS, or --local FILE... --schema TEXT"
					: "give --node ADDRESS --dataset NAME, or --local FILE... "
					  "--format FORMAT");
	if (o->sql && (o->program || o->dataset || o->n_params))
		return sql_alone(o);
	if (o->n_nodes > 0 && !o->dataset && !o->sql)
		return cmd_usage("no data set", NULL,
				 "give --dataset NAME; nearfold datasets --node %s lists them",
				 o->nodes[0]);
	for (unsigned i = 0; o->n_nodes > 0 && i < ARRAY_SIZE(given); i++)
		if (given[i])
			return cmd_usage("an option for local files", local_only[i],
					 "leave it out: on a node the data set says it");
	if (o->local && o->dataset)
		return cmd_usage("--dataset with --local", o->dataset,
				 "a data set is on a node: give --node ADDRESS instead of --local");
	if (o->local && o->n_files == 0)
		return cmd_usage("no file", "--local", "give files: --local FILE...");
	if (o->local && o->sql && !o->schema)
		return cmd_usage("no schema", "--local",
				 "say what is in a record of the files, in order: --schema "
				 "'day:date, price:decimal(12,2), name:char(16), pad(4)'; "
				 "nearfold(1) has the types");
	return EXIT_DONE;
}
