/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_answer.h"

static int cmd_query(const struct cmd_options *o)
{
	struct session s;
	int status = cmd_options_need_query(o);

	if (status == EXIT_DONE)
		status = cmd_options_where(o);
	if (status != EXIT_DONE)
		return status;
	status = session_open(o, &s);
	if (status == EXIT_DONE)
		status = cmd_answer(o, &s, "the query failed");
	session_close(&s);
	return status;
}

const struct command command_query = {
	.name = "query",
	.bit = CMD_QUERY,
	.summary = "ask in SQL: filter, group and aggregate a table of records, beside the data",
	.usage = "(--node ADDRESS[,...] | --local FILE... --schema TEXT) \"SELECT ...\"",
	.examples =
		"  nearfold query --node storage1 \"SELECT count(*), avg(price) FROM trades\"\n"
		"  nearfold query --node a,b,c \"SELECT symbol, sum(volume) FROM trades GROUP BY "
		"symbol\n"
		"                              ORDER BY 2 DESC LIMIT 10\" --stats\n"
		"  nearfold query --local trades.bin --schema 'at:i64, symbol:u32, volume:u32, "
		"price:i64' \\\n"
		"                 \"SELECT max(price) FROM trades WHERE volume > 100\"\n"
		"  nearfold query --node storage1 --output csv - <report.sql >report.csv\n",
	.run = cmd_query,
};
