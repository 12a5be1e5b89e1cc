/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/cmd/cmd_values.h"
#include "compute-client/suggest.h"
#include "scan/dataset.h"

enum {
	QUERY = CMD_RUN | CMD_EXPLAIN,
	ASK = QUERY | CMD_DATASETS | CMD_STATUS | CMD_READ,
	MAX_THREADS = 1024,
	MAX_DEPTH = 4096,
};

enum id {
	OPT_NODE = 256,
	OPT_DATASET,
	OPT_LOCAL,
	OPT_FORMAT,
	OPT_SKIP,
	OPT_TAIL,
	OPT_SCHEMA,
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
	OPT_HELP,
	OPT_END,
};

struct row {
	const char *name, *value; /* value NULL: takes none */
	unsigned commands;
	const char *help;
	const char *wrong, *right; /* "not a time", "give ..." */
};

static const char not_a_size[] = "not a size";
static const char give_a_size[] = "give bytes, or a number with K, M, G or T, like 64K";
static const char not_a_count[] = "not a number that fits";

static const struct row rows[OPT_END - OPT_NODE] = {
	[OPT_NODE - OPT_NODE] = {"node", "ADDRESS[,...]", ASK,
		"HOST:PORT (port 7411 if left out), [IPV6]:PORT or unix:/PATH;\n"
		"several: the data set has a part on each", "no address", "give HOST:PORT or unix:/PATH"},
	[OPT_DATASET - OPT_NODE] = {"dataset", "NAME", QUERY | CMD_READ,
		"the data set on the node; nearfold datasets lists them", NULL, NULL},
	[OPT_LOCAL - OPT_NODE] = {"local", "FILE...", QUERY,
		"scan these files in this process; no node is needed", NULL, NULL},
	[OPT_FORMAT - OPT_NODE] = {"format", "FORMAT", QUERY | CMD_CHECK,
		"of local files: fixed:N (records of N bytes) or lines", "not a format",
		"give fixed:N (records of N bytes, 1 to 1048576) or lines"},
	[OPT_SKIP - OPT_NODE] = {"skip", "BYTES", QUERY,
		"pass over that much at the start of each local file", not_a_size, give_a_size},
	[OPT_TAIL - OPT_NODE] = {"tail", "ignore", QUERY,
		"pass over a last record that is cut short", "unknown choice", "give ignore"},
	[OPT_SCHEMA - OPT_NODE] = {"schema", "TEXT", QUERY,
		"names and types of the columns of local files", NULL, NULL},
	[OPT_PARAM - OPT_NODE] = {"param", "NAME=VALUE", QUERY,
		"set a member of the program's parameters; repeatable", "not a parameter",
		"give NAME=VALUE"},
	[OPT_RANGE - OPT_NODE] = {"range", "START:END", QUERY | CMD_READ,
		"only these bytes; END is the first that is not; either may be\n"
		"left out; sizes like 64K", "not a range",
		"give START:END in bytes with START below END, like 4K:1M or 128:"},
	[OPT_ENGINE - OPT_NODE] = {"engine", "auto|kernel|jit|interp", QUERY,
		"what runs the program [auto]", "unknown engine", "give auto, kernel, jit or interp"},
	[OPT_THREADS - OPT_NODE] = {"threads", "N", QUERY, "scan threads [chosen]", not_a_count,
		"give 1 to 1024"},
	[OPT_READER - OPT_NODE] = {"reader", "auto|pread|uring|mmap", QUERY,
		"how the data is read [auto]", "unknown reader", "give auto, pread, uring or mmap"},
	[OPT_CHUNK - OPT_NODE] = {"chunk", "BYTES", QUERY,
		"how much a thread takes at a time [chosen]", not_a_size, give_a_size},
	[OPT_DEPTH - OPT_NODE] = {"depth", "N", QUERY, "reads in flight per thread [chosen]",
		not_a_count, "give 1 to 4096"},
	[OPT_MAX_GROUPS - OPT_NODE] = {"max-groups", "N", QUERY,
		"fail when the answer has more groups [1000000]", not_a_count, "give 1 or more"},
	[OPT_BUDGET - OPT_NODE] = {"budget", "N", QUERY,
		"instructions that loops may take for one record [1000000]", not_a_count,
		"give 1 or more"},
	[OPT_TIMEOUT - OPT_NODE] = {"timeout", "TIME", ASK, "give up after 500ms, 30s, 5m, 1h",
		"not a time", "give a number with ms, s, m or h, like 30s"},
	[OPT_OUTPUT - OPT_NODE] = {"output", "table|json|csv", CMD_RUN | CMD_DATASETS | CMD_STATUS,
		"the form of the answer [table, also into a pipe]", "unknown form",
		"give table, json or csv"},
	[OPT_STATS - OPT_NODE] = {"stats", NULL, CMD_RUN,
		"say on stderr what it took (JSON output always has it)", NULL, NULL},
	[OPT_NO_PROGRESS - OPT_NODE] = {"no-progress", NULL, CMD_RUN,
		"no progress bar (there is none unless stderr is a terminal)", NULL, NULL},
	[OPT_DISASM - OPT_NODE] = {"disasm", NULL, CMD_EXPLAIN, "show the bytecode", NULL, NULL},
	[OPT_FORCE - OPT_NODE] = {"force", NULL, CMD_READ, "write bytes to a terminal, too", NULL,
		NULL},
	[OPT_HELP - OPT_NODE] = {"help", NULL, ~0u, "this text", NULL, NULL},
};

static int wrong_value(const struct row *row, const char *value)
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
	do {
		size_t n = strcspn(list, ",");
		char *node = strndup(list, n);

		if (n == 0 || !node || !append(&o->nodes, &o->n_nodes, node)) {
			free(node);
			return false;
		}
		list += n + (list[n] == ',');
	} while (*list);
	return true;
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
static bool take(struct cmd_options *o, enum id id, const char *value)
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
	case OPT_PARAM:
		return strchr(value, '=') && value[0] != '=' &&
		       append(&o->params, &o->n_params, value);
	case OPT_RANGE:
		o->has_range = true;
		return value_range(value, &o->range_start, &o->range_end);
	case OPT_ENGINE:
		o->engine = value;
		return value_choice(value, rows[id - OPT_NODE].value, &choice);
	case OPT_THREADS:
		return take_unsigned(value, MAX_THREADS, &o->threads);
	case OPT_READER:
		o->reader = value;
		return value_choice(value, rows[id - OPT_NODE].value, &choice);
	case OPT_CHUNK:
		return value_size(value, &o->chunk_bytes);
	case OPT_DEPTH:
		return take_unsigned(value, MAX_DEPTH, &o->depth);
	case OPT_MAX_GROUPS:
		return value_count(value, UINT64_MAX, &o->max_groups) && o->max_groups > 0;
	case OPT_BUDGET:
		return value_count(value, UINT64_MAX, &o->budget) && o->budget > 0;
	case OPT_TIMEOUT:
		return value_time(value, &o->timeout_ns);
	case OPT_OUTPUT:
		ok = value_choice(value, rows[id - OPT_NODE].value, &choice);
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
	case OPT_HELP:
		o->help = true;
		break;
	case OPT_END:
		break;
	}
	return ok;
}

static int take_word(struct cmd_options *o, const char *word, bool after_local)
{
	bool takes_program = o->command->bit & (QUERY | CMD_CHECK);

	if (after_local || (o->local && o->program)) {
		if (!append(&o->files, &o->n_files, word))
			return cmd_usage("out of memory", NULL, "there are too many words");
		return EXIT_DONE;
	}
	if (!takes_program || o->program)
		return cmd_usage("one word too many", word,
				 "%s takes %s; nearfold %s --help lists the options",
				 o->command->name, takes_program ? "one program" : "options only",
				 o->command->name);
	o->program = word;
	return EXIT_DONE;
}

static int unknown_option(const struct command *c, const char *word, const struct option *known)
{
	char typed[80], hint[120] = "";
	struct suggest near = {.typed = typed};

	snprintf(typed, sizeof(typed), "%.*s", (int)strcspn(word, "="), word);
	while (typed[0] == '-')
		memmove(typed, typed + 1, strlen(typed));
	for (; known->name; known++)
		suggest_offer(&near, known->name);
	if (near.best)
		snprintf(hint, sizeof(hint), "did you mean --%s? ", near.best);
	return cmd_usage("unknown option", word, "%snearfold %s --help lists all", hint, c->name);
}

int cmd_options_parse(const struct command *c, int argc, char **argv, struct cmd_options *ret)
{
	struct option known[ARRAY_SIZE(rows) + 1] = {0};
	struct cmd_options *o = ret;
	bool after_local = false;
	unsigned n = 0;

	memset(o, 0, sizeof(*o));
	o->command = c;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!(rows[i].commands & c->bit))
			continue;
		bool has_value = rows[i].value && i != OPT_LOCAL - OPT_NODE;

		known[n++] = (struct option){
			rows[i].name, has_value ? required_argument : no_argument, NULL,
			OPT_NODE + (int)i};
	}
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
			const struct row *row = &rows[optopt - OPT_NODE];

			r = cmd_usage("an option lacks its value", argv[optind - 1], "give --%s %s",
				      row->name, row->value);
		} else if (id == '?' && optopt >= OPT_NODE) {
			r = cmd_usage("this option takes no value", argv[optind - 1], "give --%s",
				      rows[optopt - OPT_NODE].name);
		} else if (id == '?') {
			r = unknown_option(c, argv[at < argc ? at : optind - 1], known);
		} else {
			if (!take(o, (enum id)id, optarg))
				r = wrong_value(&rows[id - OPT_NODE], optarg);
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
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
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
		return cmd_usage("no program", o->files[0],
				 "words after --local are files; give the program first: nearfold %s "
				 "PROG.bpf.o --local %s",
				 o->command->name, o->files[0]);
	return cmd_usage("no program", NULL, "give one: nearfold %s %s", o->command->name,
			 o->command->usage);
}

int cmd_options_need_node(const struct cmd_options *o)
{
	if (o->n_nodes == 1)
		return EXIT_DONE;
	if (o->n_nodes > 1)
		return cmd_usage("too many nodes", o->nodes[1], "nearfold %s asks one: --node ADDRESS",
				 o->command->name);
	return cmd_usage("no node", NULL, "give --node ADDRESS, like --node 127.0.0.1:7411");
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
		return cmd_usage("no data", NULL,
				 "give --node ADDRESS --dataset NAME, or --local FILE... --format "
				 "FORMAT");
	if (o->n_nodes > 0 && !o->dataset)
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
	return EXIT_DONE;
}
