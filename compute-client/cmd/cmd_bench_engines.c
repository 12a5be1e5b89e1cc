/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* cmd_bench_engines.c - nearfold bench engines. */
#include <string.h>
#include <unistd.h>

#include "compute-client/bench/bench_engines.h"
#include "compute-client/bench/bench_facts.h"
#include "compute-client/cmd/cmd_bench.h"
#include "compute-client/cmd/cmd_session.h"

enum { FULL_BYTES = 512 << 20, QUICK_BYTES = 64 << 20 };

static int cmd_engines(const struct cmd_options *o)
{
	struct bench_report r = {.kind = "engines"};
	struct nf_error err;
	struct session s;
	int status = bench_outputs(o);

	if (status != EXIT_DONE)
		return status;
	status = session_open(o, &s);
	if (status == EXIT_DONE) {
		struct bench_engines b = {
			.engine = o->engine && strcmp(o->engine, "auto") != 0 ? o->engine : NULL,
			.rounds = bench_rounds_wanted(o),
			.size_bytes = o->size_bytes ? o->size_bytes
				      : o->quick    ? QUICK_BYTES
						    : FULL_BYTES,
			.tell = !o->no_progress && isatty(STDERR_FILENO),
			.cancel_fd = s.cancel_fd,
			.store = o->store,
		};

		bench_facts_begin(&r);
		status = bench_engines_run(&b, &r, &err) < 0 ? bench_failed("cannot measure", &err)
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

const struct command command_bench_engines = {
	.name = "bench engines",
	.bit = CMD_BENCH_ENGINES,
	.summary = "measure the engines on one core of this machine, and the constants of auto",
	.usage = "[--quick] [--store FILE]",
	.examples = "  nearfold bench engines --quick\n"
		    "  sudo nearfold bench engines --store /etc/nearfold/engines\n",
	.run = cmd_engines,
};
