/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "compute-client/cmd/cmd_options.h"

void cmd_help(const struct command *c)
{
	printf("nearfold %s %s\n\n%s.\n\n", c->name, c->usage, c->summary);
	cmd_options_list(c, stdout);
	printf("\nExamples:\n%s", c->examples);
	printf("\nExit status: 0 done, 1 it failed (the message says why), 2 wrong usage.\n");
}

void cmd_help_all(void)
{
	int width = 0;

	for (unsigned i = 0; commands[i]; i++)
		if ((int)strlen(commands[i]->name) > width)
			width = (int)strlen(commands[i]->name);
	printf("nearfold %s: run small programs beside the data; only the answer travels.\n\n"
	       "  nearfold COMMAND [OPTION...]\n\n",
	       nearfold_version());
	for (unsigned i = 0; commands[i]; i++)
		printf("  %-*s  %s\n", width, commands[i]->name, commands[i]->summary);
	printf("\nnearfold COMMAND --help lists the options of a command, nearfold --version the "
	       "version.\nTo see it work at once, with no node:\n\n"
	       "  nearfold run average.bpf.o --local FILE --format fixed:N --stats\n");
}
