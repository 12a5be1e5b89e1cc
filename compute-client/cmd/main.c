/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* main.c - nearfold COMMAND [OPTION...]: finds the command and runs it. */
#include <locale.h>
#include <string.h>

#include "base/streams.h"
#include "compute-client/cmd/cmd_options.h"
#include "compute-client/cmd/cmd_sql.h"
#include "compute-client/suggest.h"

static const struct command *find(const char *name)
{
	for (unsigned i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown(const char *word)
{
	struct suggest near = {.typed = word};
	char hint[80] = "";

	if (cmd_sql_is_query(word))
		return cmd_usage("a query where a command is expected", word,
				 "nearfold query runs it, nearfold explain --sql explains it");
	for (unsigned i = 0; commands[i]; i++)
		suggest_offer(&near, commands[i]->name);
	if (strcasecmp(word, "sql") == 0 || strcasecmp(word, "select") == 0)
		near.best = "query";
	if (near.best)
		snprintf(hint, sizeof(hint), "did you mean nearfold %s? ", near.best);
	return cmd_usage(word[0] == '-' ? "unknown option" : "unknown command", word,
			 "%snearfold --help lists the commands", hint);
}

/* Is it the first word of commands of two words ("bench savings")? */
static bool is_family(const char *word)
{
	for (unsigned i = 0; commands[i]; i++)
		if (strncmp(commands[i]->name, word, strlen(word)) == 0 &&
		    commands[i]->name[strlen(word)] == ' ')
			return true;
	return false;
}

static int family(const char *word, int argc, char **argv);

static int help(const char *name)
{
	const struct command *c = name ? find(name) : NULL;

	if (name && !c && is_family(name))
		return family(name, 0, NULL);
	if (name && !c)
		return unknown(name);
	if (c)
		cmd_help(c);
	else
		cmd_help_all();
	return cmd_flush_output();
}

static int run(const struct command *c, int argc, char **argv)
{
	struct cmd_options o;
	int status = cmd_options_parse(c, argc, argv, &o);

	if (status == EXIT_DONE && o.help)
		status = help(c->name);
	else if (status == EXIT_DONE)
		status = c->run(&o);
	cmd_options_done(&o);
	return status;
}

static int family(const char *word, int argc, char **argv)
{
	const char *second = argc > 2 ? argv[2] : "--help";
	const struct command *c;
	char name[64];

	snprintf(name, sizeof(name), "%s %s", word, second);
	c = find(name);
	if (c)
		return run(c, argc - 2, argv + 2);
	if (strcmp(second, "--help") != 0 && strcmp(second, "-h") != 0)
		return unknown(name);
	for (unsigned i = 0; commands[i]; i++)
		if (strncmp(commands[i]->name, word, strlen(word)) == 0)
			printf("nearfold %-15s %s\n", commands[i]->name, commands[i]->summary);
	return cmd_flush_output();
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	streams_hold();
	setlocale(LC_CTYPE, "");
	if (!word)
		return cmd_usage("no command", NULL, "nearfold --help lists the commands");
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
		return help(argc > 2 ? argv[2] : NULL);
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		printf("nearfold %s\n", nearfold_version());
		return cmd_flush_output();
	}

	const struct command *c = find(word);

	if (c)
		return run(c, argc - 1, argv + 1);
	return is_family(word) ? family(word, argc, argv) : unknown(word);
}
