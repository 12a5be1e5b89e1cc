/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* main.c - nearfold COMMAND [OPTION...]: finds the command and runs it. */
#include <locale.h>
#include <string.h>

#include "compute-client/cmd/cmd_options.h"
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

	for (unsigned i = 0; commands[i]; i++)
		suggest_offer(&near, commands[i]->name);
	if (near.best)
		snprintf(hint, sizeof(hint), "did you mean nearfold %s? ", near.best);
	return cmd_usage(word[0] == '-' ? "unknown option" : "unknown command", word,
			 "%snearfold --help lists the commands", hint);
}

static int help(const char *name)
{
	const struct command *c = name ? find(name) : NULL;

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

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

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

	return c ? run(c, argc - 1, argv + 1) : unknown(word);
}
