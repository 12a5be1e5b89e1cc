/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* cmd_bench_sweep.c - nearfold bench sweep. */
#include <string.h>
#include <unistd.h>

#include "compute-client/bench/bench_data.h"
#include "compute-client/bench/bench_facts.h"
#include "compute-client/bench/bench_sweep.h"
#include "compute-client/cmd/cmd_bench.h"
#include "compute-client/cmd/cmd_session.h"

#define FULL_BYTES  ((uint64_t)1 << 30)
#define QUICK_BYTES ((uint64_t)64 << 20)

static uint64_t size_wanted(const struct cmd_options *o)
{
	return o->size_bytes ? o->size_bytes : o->quick ? QUICK_BYTES : FULL_BYTES;
}

static int check(const struct cmd_options *o)
{
	char word[40];

	if (o->n_nodes > 1)
		return cmd_options_need_node(o);
	if (o->n_nodes == 1 && !o->dataset)
		return cmd_usage("no data set", NULL,
				 "give --dataset NAME, an export of what --generate FILE wrote");
	if (o->n_nodes == 0 && o->dataset)
		return cmd_usage("--dataset without --node", o->dataset,
				 "give --node ADDRESS, or leave it out: the sweep makes data of "
				 "its own");
	if (o->only && !bench_sweep_only_valid(o->only, word))
		return cmd_usage(word[0] ? "not a section" : "no section between two commas",
				 word[0] ? word : o->only,
				 "give some of link, selectivity, rows, state, groups, queries");
	return bench_outputs(o);
}

static int cmd_sweep(const struct cmd_options *o)
{
	struct bench_report r = {.kind = "sweep"};
	struct nf_error err;
	struct session s = {0};
	struct cmd_options no_node = *o;
	int status = check(o);

	if (status != EXIT_DONE)
		return status;
	if (o->generate)
		return bench_data_write(o->generate, size_wanted(o), &err) < 0
			       ? bench_failed("cannot generate data", &err)
			       : EXIT_DONE;
	/* The sweep makes its connections itself. */
	no_node.n_nodes = 0;
	status = session_open(&no_node, &s);
	if (status == EXIT_DONE) {
		struct bench_sweep b = {
			.address = o->n_nodes ? o->nodes[0] : NULL,
			.dataset = o->dataset,
			.only = o->only,
			.engine = o->engine && strcmp(o->engine, "auto") != 0 ? o->engine : NULL,
			.threads = o->threads,
			.rounds = bench_rounds_wanted(o),
			.passes = o->quick && !o->rounds ? 2 : 1,
			.size_bytes = size_wanted(o),
			.quick = o->quick,
			.tell = !o->no_progress && isatty(STDERR_FILENO),
			.cancel_fd = s.cancel_fd,
		};

		bench_facts_begin(&r);
		status = bench_sweep_run(&b, &r, &err) < 0 ? bench_failed("cannot measure", &err)
							   : EXIT_DONE;
	}
	if (status == EXIT_DONE) {
		bench_facts_end(&r);
		status = bench_put(o, &r);
	}
	bench_report_done(&r);
	session_close(&s);
	return status;
}

const struct command command_bench_sweep = {
	.name = "bench sweep",
	.bit = CMD_BENCH_SWEEP,
	.summary = "measure both ways over selectivity, state, groups, link speed, queries at once",
	.usage = "[--quick] [--node ADDRESS --dataset NAME]",
	.examples = "  nearfold bench sweep --quick --html sweep.html\n"
		    "  sudo nearfold bench sweep --only link\n"
		    "  nearfold bench sweep --generate /srv/bench.bin --size 1G\n",
	.run = cmd_sweep,
};
