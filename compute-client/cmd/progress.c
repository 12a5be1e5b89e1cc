/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "compute-client/cmd/human.h"

enum { BAR_MAX = 40 };

void progress_init(struct progress *p, bool wanted)
{
	const char *term = getenv("TERM");
	bool moves = term && *term && strcmp(term, "dumb") != 0;

	*p = (struct progress){.out = wanted && moves && isatty(STDERR_FILENO) ? stderr : NULL};
}

int progress_text(const struct nearfold_progress *now, unsigned columns, char *buf, size_t size)
{
	double part = now->bytes_total ? (double)now->bytes_done / (double)now->bytes_total : 0;
	double seconds = (double)now->elapsed_ns / 1e9;
	double rate = seconds > 0 ? (double)now->bytes_done / seconds : 0;
	char figures[96], rate_text[24], left_text[32] = "", bar[BAR_MAX + 1];
	unsigned width;

	if (part > 1)
		part = 1;
	if (rate > 0)
		human_seconds(
			(double)(now->bytes_total - (uint64_t)(part * (double)now->bytes_total)) /
				rate,
			left_text);
	snprintf(figures, sizeof(figures), " %3.0f%%  %s/s%s%s%s", part * 100,
		 human_bytes(rate, rate_text), left_text[0] ? ", " : "", left_text,
		 left_text[0] ? " left" : "");
	/* One column stays free: a full line would wrap on some terminals. */
	width = columns > strlen(figures) + 3 ? columns - (unsigned)strlen(figures) - 3 : 0;
	if (width > BAR_MAX)
		width = BAR_MAX;
	memset(bar, ' ', sizeof(bar));
	memset(bar, '#', (size_t)(part * width));
	if (width < 4)
		return snprintf(buf, size, "%.*s", (int)(columns ? columns - 1 : 0), figures + 1);
	return snprintf(buf, size, "[%.*s]%s", (int)width, bar, figures);
}

void progress_show(void *arg, const struct nearfold_progress *now)
{
	struct progress *p = arg;
	struct winsize ws;
	char text[256];

	if (!p->out)
		return;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) != 0 || ws.ws_col == 0)
		ws.ws_col = 80;
	progress_text(now, ws.ws_col, text, sizeof(text));
	fprintf(p->out, "\r%s\033[K", text);
	fflush(p->out);
	p->shown = true;
}

void progress_clear(struct progress *p)
{
	if (!p->shown)
		return;
	fputs("\r\033[K", p->out);
	fflush(p->out);
	p->shown = false;
}
