/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_svg.h"

#include <math.h>
#include <string.h>

enum {
	WIDTH = 420,
	HEIGHT = 300,
	LEFT = 66,
	RIGHT = 14,
	BOTTOM = 52,
	LEGEND_ROW = 17,
	CHAR_WIDTH = 7, /* of a tick's text, at most */
	LABEL_LINES = 3,
	LINE_HEIGHT = 13,
};

/* Where the axes lie, and what they mean. */
struct frame {
	const struct bench_plot *plot;
	FILE *out;
	struct bench_axis x, y;
	double left, right, top, bottom;
};

void bench_html_text(const char *text, FILE *out)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			/* No control characters in a page. */
			fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
		}
	}
}

static double at_x(const struct frame *f, double v)
{
	return f->left + (f->right - f->left) * bench_axis_share(&f->x, v);
}

static double at_y(const struct frame *f, double v)
{
	return f->bottom - (f->bottom - f->top) * bench_axis_share(&f->y, v);
}

static void put_text(const struct frame *f, double x, double y, const char *anchor,
		     const char *class, const char *text)
{
	fprintf(f->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y,
		anchor, class);
	bench_html_text(text, f->out);
	fputs("</text>", f->out);
}

static void put_line(const struct frame *f, double x1, double y1, double x2, double y2,
		     const char *class)
{
	fprintf(f->out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>", x1,
		y1, x2, y2, class);
}

/* ---- axes ------------------------------------------------------------------------------------ */

static void y_axis(const struct frame *f)
{
	double at[PLOT_MAX_TICKS];
	unsigned n = bench_axis_ticks(&f->y, at);

	for (unsigned i = 0; i < n; i++) {
		double y = at_y(f, at[i]);
		char text[32];

		put_line(f, f->left, y, f->right, y, "grid");
		put_text(f, f->left - 6, y + 4, "end", "tick",
			 bench_tick_y_text(f->plot, at[i], text));
	}
	put_line(f, f->left, f->top, f->left, f->bottom, "axis");
}

static void x_axis(const struct frame *f)
{
	double at[PLOT_MAX_TICKS];
	unsigned n = bench_axis_ticks(&f->x, at);

	for (unsigned i = 0; i < n; i++) {
		double x = at_x(f, at[i]);
		char text[32];

		put_line(f, x, f->bottom, x, f->bottom + 4, "axis");
		put_text(f, x, f->bottom + 17, "middle", "tick", bench_tick_x_text(at[i], text));
	}
	put_text(f, (f->left + f->right) / 2, f->bottom + 38, "middle", "label", f->plot->x_label);
}

/* A label in lines that are as wide as its bars, under x. */
static void bar_label(const struct frame *f, double x, double width, const char *label)
{
	const char *p = label;
	size_t chars = (size_t)(width / CHAR_WIDTH);

	for (unsigned line = 0; line < LABEL_LINES && *p; line++) {
		char text[40];
		size_t n = strlen(p), cut = n;

		if (n > chars && line + 1 < LABEL_LINES) {
			for (cut = chars; cut > 0 && p[cut] != ' '; cut--)
				;
			if (cut == 0)
				cut = strcspn(p, " ");
		}
		snprintf(text, sizeof(text), "%.*s", (int)cut, p);
		put_text(f, x, f->bottom + 15 + LINE_HEIGHT * line, "middle", "tick", text);
		p += cut;
		p += *p == ' ';
	}
}

/* ---- data ------------------------------------------------------------------------------------ */

static void put_series(const struct frame *f, unsigned i)
{
	const struct bench_series *s = &f->plot->series[i];

	fprintf(f->out, "<polyline class=\"series s%u%s\" points=\"", i, s->dashed ? " dash" : "");
	for (unsigned k = 0; k < s->n; k++)
		fprintf(f->out, "%s%.1f,%.1f", k ? " " : "", at_x(f, s->points[k].x),
			at_y(f, s->points[k].y));
	fputs("\"/>", f->out);
	for (unsigned k = 0; k < s->n; k++) {
		const struct bench_point *p = &s->points[k];
		char class[24], text[32], x[32];

		snprintf(class, sizeof(class), "spread s%u", i);
		put_line(f, at_x(f, p->x), at_y(f, p->low), at_x(f, p->x), at_y(f, p->high), class);
		fprintf(f->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" class=\"dot s%u\"><title>",
			at_x(f, p->x), at_y(f, p->y), i);
		bench_html_text(s->label, f->out);
		fprintf(f->out, " at %s: %s</title></circle>", bench_tick_x_text(p->x, x),
			bench_figure_text(f->plot->figure, p->y, text));
	}
}

static void put_bars(const struct frame *f)
{
	const struct bench_plot *p = f->plot;
	double group = (f->right - f->left) / p->n_labels;
	double bar = group * 0.8 / p->n_series;

	for (unsigned i = 0; i < p->n_series; i++) {
		for (unsigned k = 0; k < p->series[i].n; k++) {
			const struct bench_point *point = &p->series[i].points[k];
			double x = f->left + group * (point->x + 0.1) + bar * i;
			double y = at_y(f, p->log_y ? fmax(point->y, f->y.low) : point->y);
			char text[32];

			fprintf(f->out,
				"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
				"class=\"bar s%u\"/>",
				x, y, bar, f->bottom - y, i);
			if (bar >= 34)
				put_text(f, x + bar / 2, y - 4, "middle", "value",
					 bench_figure_text(p->figure, point->y, text));
		}
	}
	for (unsigned i = 0; i < p->n_labels; i++)
		bar_label(f, f->left + group * (i + 0.5), group, p->labels[i]);
}

static void put_mark(const struct frame *f)
{
	double x = f->plot->has_mark ? at_x(f, f->plot->mark_x) : f->right;
	bool on_the_right = x > (f->left + f->right) / 2;

	if (!f->plot->mark_text[0] || x < f->left || x > f->right)
		return;
	if (f->plot->has_mark)
		put_line(f, x, f->top, x, f->bottom, "mark");
	put_text(f, on_the_right ? x - 5 : x + 5, f->top + 12, on_the_right ? "end" : "start",
		 "marktext", f->plot->mark_text);
}

static void put_legend(const struct frame *f)
{
	for (unsigned i = 0; i < f->plot->n_series; i++) {
		double x = i % 2 ? WIDTH / 2.0 + 20 : 12, y = 12 + LEGEND_ROW * (i / 2);

		if (f->plot->bars)
			fprintf(f->out,
				"<rect x=\"%.1f\" y=\"%.1f\" width=\"20\" height=\"9\" class=\"bar "
				"s%u\"/>",
				x, y - 8, i);
		else
			fprintf(f->out,
				"<polyline class=\"series s%u%s\" points=\"%.1f,%.1f %.1f,%.1f\"/>",
				i, f->plot->series[i].dashed ? " dash" : "", x, y - 4, x + 24,
				y - 4);
		put_text(f, x + 30, y, "start", "legend", f->plot->series[i].label);
	}
}

void bench_svg_write(const struct bench_plot *p, FILE *out)
{
	struct frame f = {
		.plot = p,
		.out = out,
		.left = LEFT,
		.right = WIDTH - RIGHT,
		.top = 16 + LEGEND_ROW * ((p->n_series + 1) / 2),
		.bottom = HEIGHT - BOTTOM,
	};

	if (!p->bars)
		f.x = bench_plot_axis_x(p);
	f.y = bench_plot_axis_y(p);
	fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
	bench_html_text(p->title, out);
	fputs(". ", out);
	bench_html_text(p->what, out);
	fputs("\">", out);
	y_axis(&f);
	if (p->bars) {
		put_bars(&f);
	} else {
		x_axis(&f);
		for (unsigned i = 0; i < p->n_series; i++)
			put_series(&f, i);
		put_mark(&f);
	}
	put_line(&f, f.left, f.bottom, f.right, f.bottom, "axis");
	put_legend(&f);
	fputs("</svg>\n", out);
}
