/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * prog_fold_stdin.c - what another service brings, reduced by our engine: the base lines' client.
 *
 *	curl -s http://HOST/data.bin | fold_stdin PROG.bpf.o fixed|lines ENGINE [NAME=VALUE...]
 *
 * Prints the answer as `nearfold run --output csv` does.
 */
#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/client.h"
#include "compute-client/fold_stream.h"

enum { PIECE_BYTES = 1 << 20 };

static int die(const char *text)
{
	fprintf(stderr, "fold_stdin: %s\n", text);
	return 1;
}

int main(int argc, char **argv)
{
	struct nearfold_program *prog;
	struct nearfold_error why;
	struct nf_error err;
	struct vm_program *vp;
	struct fold_stream *s;
	struct nearfold_result *result;
	struct nearfold_stats stats = {.engine = "", .engine_reason = "", .reader = ""};
	AUTO_FREE uint8_t *piece = malloc(PIECE_BYTES), *state = NULL;
	ssize_t n;

	if (argc < 4 || !piece)
		return die("usage: fold_stdin PROG.bpf.o fixed|lines ENGINE [NAME=VALUE...]");
	if (nearfold_program_open(argv[1], &prog, &why) < 0)
		return die(why.text);
	for (int i = 4; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			return die("a parameter is NAME=VALUE");
		*value++ = '\0';
		if (nearfold_program_param(prog, argv[i], value, &why) < 0)
			return die(why.text);
	}

	struct vm_bounds bounds = vm_bounds_of(prog->program);
	struct fold_stream_options o = {.engine = argv[3], .params = prog->param_bytes};
	size_t state_bytes = prog->program->state_bytes;

	if (vm_verify(prog->program, &bounds, &vp, &err) < 0 ||
	    fold_stream_open(vp, strcmp(argv[2], "lines") == 0 ? FORMAT_LINES : FORMAT_FIXED, &o,
			     &s, &err) < 0)
		return die(err.text);
	while ((n = read(STDIN_FILENO, piece, PIECE_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return die(strerror(errno));
		if (fold_stream_add(s, piece, (size_t)n, &err) < 0)
			return die(err.text);
	}
	if (fold_stream_end(s, &err) < 0)
		return die(err.text);

	struct fold *fold = fold_stream_result(s);

	if (!fold->groups) {
		state = aligned_alloc(16, (state_bytes + 15) / 16 * 16);
		if (!state)
			return die("out of memory");
		memcpy(state, fold->state, state_bytes);
	}
	if (client_result_new(prog, TAKE_PTR(state), TAKE_PTR(fold->groups), &stats, &result,
			      &err) < 0)
		return die(err.text);
	nearfold_result_write(result, NEARFOLD_CSV, stdout);
	nearfold_result_free(result);
	fold_stream_free(s);
	vm_program_unref(vp);
	nearfold_program_free(prog);
	return 0;
}
