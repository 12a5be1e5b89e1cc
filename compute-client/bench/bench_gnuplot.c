/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scope.h"
#include "compute-client/bench/bench_plot.h"

/* In gnuplot's double quotes. */
static void put_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
	fputc('"', out);
}

static void put_setting(const char *name, const char *text, FILE *out)
{
	fprintf(out, "set %s ", name);
	put_quoted(text, out);
	fputc('\n', out);
}

/* Data blocks: x, y, low, high; bars stand beside each other in their group. */
static void put_data(const struct bench_plot *p, FILE *out)
{
	double bar = p->n_series ? 0.8 / p->n_series : 1;

	for (unsigned i = 0; i < p->n_series; i++) {
		fprintf(out, "$s%u << EOD\n", i);
		for (unsigned k = 0; k < p->series[i].n; k++) {
			const struct bench_point *at = &p->series[i].points[k];
			double x = p->bars ? at->x + bar * (i - (p->n_series - 1) / 2.0) : at->x;

			fprintf(out, "%.9g %.9g %.9g %.9g\n", x, at->y, at->low, at->high);
		}
		fputs("EOD\n", out);
	}
}

/* The labels of the page's plots, too. */
static void put_tick(const char *text, double at, unsigned n, FILE *out)
{
	fputs(n ? ", " : "(", out);
	put_quoted(text, out);
	fprintf(out, " %.9g", at);
}

static void put_ticks(const struct bench_plot *p, FILE *out)
{
	const struct bench_axis x = bench_plot_axis_x(p), y = bench_plot_axis_y(p);
	double at[PLOT_MAX_TICKS];
	char text[32];
	unsigned n = bench_axis_ticks(&y, at);

	fprintf(out, "set yrange [%.9g:%.9g]\nset ytics ", y.low, y.high);
	for (unsigned i = 0; i < n; i++)
		put_tick(bench_tick_y_text(p, at[i], text), at[i], i, out);
	if (p->bars) {
		fprintf(out,
			")\nset bmargin 5\nset boxwidth %.4f\nset xrange [-0.6:%.1f]\nset xtics ",
			p->n_series ? 0.8 / p->n_series : 1, p->n_labels - 0.4);
		for (unsigned i = 0; i < p->n_labels; i++) {
			char words[sizeof(p->labels[0])];

			/* One below the other: they fit under their bars. */
			snprintf(words, sizeof(words), "%s", p->labels[i]);
			for (char *space; (space = strchr(words, ' '));)
				*space = '\n';
			put_tick(words, i, i, out);
		}
	} else {
		n = bench_axis_ticks(&x, at);
		fprintf(out, ")\nset xrange [%.9g:%.9g]\nset xtics ", x.low, x.high);
		for (unsigned i = 0; i < n; i++)
			put_tick(bench_tick_x_text(at[i], text), at[i], i, out);
	}
	fputs(")\n", out);
}

/* The break-even; what it says stays inside of the plot. */
static void put_mark(const struct bench_plot *p, FILE *out)
{
	const struct bench_axis x = bench_plot_axis_x(p);
	bool on_the_right = bench_axis_share(&x, p->mark_x) > 0.5;

	fprintf(out, "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead dashtype 2 lw 2\n",
		p->mark_x, p->mark_x);
	fputs("set label ", out);
	put_quoted(p->mark_text, out);
	fprintf(out, " at %.9g, graph 0.95 %s\n", p->mark_x,
		on_the_right ? "right offset -1,0" : "left offset 1,0");
}

/* The page's, on paper. */
static const char colours[] = "set linetype 1 lc rgb \"#0550ae\"\n"
			      "set linetype 2 lc rgb \"#bc4c00\"\n"
			      "set linetype 3 lc rgb \"#1a7f37\"\n"
			      "set linetype 4 lc rgb \"#8250df\"\n"
			      "set linetype 5 lc rgb \"#9a6700\"\n"
			      "set linetype 6 lc rgb \"#57606a\"\n";

static void put_script(const struct bench_plot *p, FILE *out)
{
	fprintf(out,
		"set terminal pngcairo size 1200,800 font \"DejaVu Sans,18\"\nset output "
		"\"%s.png\"\n"
		"set termoption noenhanced\nset grid\nset key outside top center horizontal\n"
		"set style fill solid 0.85\n",
		p->name);
	fputs(colours, out);
	put_setting("title", p->title, out);
	put_setting("xlabel", p->x_label, out);
	put_setting("ylabel", p->y_label, out);
	if (p->log_x)
		fputs("set logscale x\n", out);
	if (p->log_y)
		fputs("set logscale y\n", out);
	put_ticks(p, out);
	if (p->has_mark)
		put_mark(p, out);
	put_data(p, out);
	for (unsigned i = 0; i < p->n_series; i++) {
		fputs(i ? ", \\\n" : "plot ", out);
		if (p->bars)
			fprintf(out, "$s%u using 1:2 with boxes title ", i);
		else
			fprintf(out, "$s%u using 1:2:3:4 with yerrorlines lw 2 dashtype %d title ",
				i, p->series[i].dashed ? 2 : 1);
		put_quoted(p->series[i].label, out);
	}
	fputc('\n', out);
}

static int run_gnuplot(const char *folder, const char *script, struct nf_error *err)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		/* fonts and terminals chat on stderr */
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (null >= 0)
			dup2(null, STDERR_FILENO);
		if (chdir(folder) == 0)
			execlp("gnuplot", "gnuplot", script, (char *)NULL);
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return nf_error_set(err, NF_FAILED_PRECONDITION, folder,
				    "gnuplot is not installed: no PNG was made, but gnuplot %s "
				    "makes it anywhere (package gnuplot-nox)",
				    script);
	return nf_error_set(err, NF_INTERNAL, script, "gnuplot failed; run it by hand in %s",
			    folder);
}

int bench_gnuplot_write(const struct bench_report *r, const char *folder, struct nf_error *err)
{
	AUTO_FREE struct bench_plot *plots = calloc(PLOT_MAX, sizeof(*plots));
	unsigned n = plots ? bench_plots_of(r, plots) : 0;
	int ret = 0;

	if (mkdir(folder, 0777) < 0 && errno != EEXIST)
		return nf_error_sys(err, NF_PERMISSION_DENIED, errno, folder, "cannot be made");
	for (unsigned i = 0; i < n; i++) {
		char script[40], path[4096];
		FILE *f;

		snprintf(script, sizeof(script), "%s.gp", plots[i].name);
		snprintf(path, sizeof(path), "%s/%s", folder, script);
		f = fopen(path, "we");
		if (!f)
			return nf_error_sys(err, NF_PERMISSION_DENIED, errno, path,
					    "cannot be written");
		put_script(&plots[i], f);
		if (fclose(f) != 0)
			return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, path,
					    "cannot be written");
		if (ret == 0)
			ret = run_gnuplot(folder, script, err);
	}
	return ret;
}
