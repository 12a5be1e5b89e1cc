/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "compute-client/cmd/cmd.h"
#include "compute-client/utf8.h"

int cmd_usage(const char *what, const char *where, const char *fmt, ...)
{
	char advice[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(advice, sizeof(advice), fmt, ap);
	va_end(ap);
	fprintf(stderr, "nearfold: %s: ", what);
	if (where) {
		utf8_put_printable(stderr, where);
		fputs(": ", stderr);
	}
	utf8_put_printable(stderr, advice);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

int cmd_failed(const char *what, const struct nearfold_error *err)
{
	if (err->code == NF_CANCELLED) {
		fputs("nearfold: cancelled\n", stderr);
		return EXIT_FAILED;
	}
	fputs("nearfold: ", stderr);
	utf8_put_printable(stderr, what);
	fputs(": ", stderr);
	if (err->where[0]) {
		utf8_put_printable(stderr, err->where);
		fputs(": ", stderr);
	}
	utf8_put_printable(stderr, err->text);
	fprintf(stderr, " (%s", nearfold_code_name(err->code));
	if (err->query_id)
		fprintf(stderr, ", query %" PRIu64, err->query_id);
	fputs(")\n", stderr);
	if (err->source[0]) {
		fputs("    | ", stderr);
		utf8_put_printable(stderr, err->source + strspn(err->source, " \t"));
		fputc('\n', stderr);
	}
	return EXIT_FAILED;
}

int cmd_flush_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_DONE;
	fprintf(stderr, "nearfold: cannot write the answer: standard output: %s\n",
		strerror(errno));
	return EXIT_FAILED;
}

int cmd_printed(int ret, const char *what, const struct nearfold_error *err)
{
	return ret < 0 && !ferror(stdout) ? cmd_failed(what, err) : cmd_flush_output();
}
