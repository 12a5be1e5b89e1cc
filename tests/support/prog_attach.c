/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * prog_attach.c - prog_attach OBJECT COMMAND [ARG...]: attach the BPF programs of an object, then
 * become the command. They stay attached until it ends. (bpftool learnt to attach later than
 * Debian 12's.)
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what, int e)
{
	fprintf(stderr, "prog_attach: %s: %s\n", what, strerror(e));
	return 126;
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *program;
	int e;

	if (argc < 3)
		return fail("prog_attach OBJECT COMMAND [ARG...]", EINVAL);
	object = bpf_object__open(argv[1]);
	if (!object)
		return fail(argv[1], errno);
	e = bpf_object__load(object);
	if (e)
		return fail(argv[1], -e);
	bpf_object__for_each_program(program, object)
	{
		struct bpf_link *link = bpf_program__attach(program);

		/* The copy stays open over exec: libbpf's own descriptor does not. */
		if (!link || dup(bpf_link__fd(link)) < 0)
			return fail(bpf_program__name(program), errno);
	}
	execvp(argv[2], argv + 2);
	return fail(argv[2], errno);
}
