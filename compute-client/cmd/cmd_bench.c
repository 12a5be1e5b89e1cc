/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* cmd_bench.c - nearfold bench savings | report: options in, a report out in every form asked for.
 */
#include "compute-client/cmd/cmd_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "compute-client/bench/bench_facts.h"
#include "compute-client/bench/bench_gnuplot.h"
#include "compute-client/bench/bench_html.h"
#include "compute-client/bench/bench_json.h"
#include "compute-client/bench/bench_savings.h"
#include "compute-client/bench/bench_table.h"
#include "compute-client/cmd/cmd_session.h"

unsigned bench_rounds_wanted(const struct cmd_options *o)
{
	return o->rounds ? o->rounds : o->quick ? 3 : 5;
}

int bench_failed(const char *what, const struct nf_error *err)
{
	struct nearfold_error e = {.code = (int)err->code};

	memcpy(e.where, err->where, sizeof(e.where));
	memcpy(e.text, err->text, sizeof(e.text));
	return cmd_failed(what, &e);
}

static int cannot_write(const char *path)
{
	fprintf(stderr, "nearfold: cannot write the report: %s: %s\n", path, strerror(errno));
	return EXIT_FAILED;
}

/* A file that is not there is made and removed; one that is there is not touched: it may be a pipe.
 */
static bool can_write(const char *path)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd >= 0) {
		close(fd);
		return unlink(path) == 0;
	}
	if (errno != EEXIST || access(path, W_OK) != 0)
		return false;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return false;
	}
	return true;
}

static bool can_fill(const char *folder)
{
	struct stat st;

	if (mkdir(folder, 0777) == 0)
		return true;
	if (errno != EEXIST || stat(folder, &st) < 0 || access(folder, W_OK | X_OK) != 0)
		return false;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode);
}

int bench_outputs(const struct cmd_options *o)
{
	const char *const paths[] = {o->json, o->html, o->store};

	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++)
		if (paths[i] && strcmp(paths[i], "-") != 0 && !can_write(paths[i]))
			return cannot_write(paths[i]);
	if (o->png && !can_fill(o->png))
		return cannot_write(o->png);
	return EXIT_DONE;
}

static int put_file(const struct bench_report *r, const char *path,
		    int (*put)(const struct bench_report *r, FILE *out))
{
	AUTO_FCLOSE FILE *f = NULL;

	if (strcmp(path, "-") == 0)
		return put(r, stdout) < 0 ? cannot_write("standard output") : EXIT_DONE;
	f = fopen(path, "we");
	if (!f || put(r, f) < 0 || fflush(f) != 0)
		return cannot_write(path);
	return EXIT_DONE;
}

int bench_put(const struct cmd_options *o, const struct bench_report *r)
{
	bool json_on_stdout = o->json && strcmp(o->json, "-") == 0;
	struct nf_error err;
	int status = EXIT_DONE;

	if (!json_on_stdout)
		bench_table_write(r, stdout);
	if (o->json)
		status = put_file(r, o->json, bench_json_write);
	if (o->html && status == EXIT_DONE)
		status = put_file(r, o->html, bench_html_write);
	if (o->png && status == EXIT_DONE && bench_gnuplot_write(r, o->png, &err) < 0)
		status = bench_failed("cannot draw the plots", &err);
	return status == EXIT_DONE ? cmd_flush_output() : status;
}

static int need_dataset(const struct cmd_options *o)
{
	int status = cmd_options_need_program(o);

	if (status == EXIT_DONE)
		status = cmd_options_need_node(o);
	if (status == EXIT_DONE && !o->dataset)
		status = cmd_usage("no data set", NULL,
				   "give --dataset NAME; nearfold datasets --node %s lists them",
				   o->nodes[0]);
	return status == EXIT_DONE ? bench_outputs(o) : status;
}

static int cmd_savings(const struct cmd_options *o)
{
	struct bench_report r = {.kind = "savings"};
	struct nf_error err;
	struct session s;
	int status = need_dataset(o);

	if (status != EXIT_DONE)
		return status;
	status = session_open(o, &s);
	if (status == EXIT_DONE) {
		struct bench_savings b = {
			.address = o->nodes[0],
			.dataset = o->dataset,
			.program = s.program,
			.engine = o->engine,
			.threads = o->threads,
			.rounds = bench_rounds_wanted(o),
			.range_start = o->range_start,
			.range_end = o->range_end,
			.cancel_fd = s.cancel_fd,
		};

		bench_facts_begin(&r);
		status = bench_savings_run(&b, &r, &err) < 0 ? bench_failed("cannot measure", &err)
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

static int cmd_report(const struct cmd_options *o)
{
	struct bench_report r = {0};
	struct nf_error err;
	int status;

	if (!o->program)
		return cmd_usage("no report", NULL,
				 "give the JSON file that nearfold bench savings|sweep|engines "
				 "--json wrote");
	status = bench_json_read(o->program, &r, &err) < 0
			 ? bench_failed("cannot read the report", &err)
			 : bench_put(o, &r);
	bench_report_done(&r);
	return status;
}

const struct command command_bench_savings = {
	.name = "bench savings",
	.bit = CMD_BENCH_SAVINGS,
	.summary = "measure what running a program on a node saves against shipping its data here",
	.usage = "PROG.bpf.o --node ADDRESS --dataset NAME",
	.examples =
		"  nearfold bench savings average.bpf.o --node storage1 --dataset trades\n"
		"  nearfold bench savings average.bpf.o --node storage1 --dataset trades --range "
		":1G --html page.html\n",
	.run = cmd_savings,
};

const struct command command_bench_report = {
	.name = "bench report",
	.bit = CMD_BENCH_REPORT,
	.summary = "show a benchmark's JSON as tables, as a page, as plots",
	.usage = "REPORT.json",
	.examples = "  nearfold bench report sweep.json --html sweep.html --png plots\n",
	.run = cmd_report,
};
