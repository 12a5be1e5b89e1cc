/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_btf.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>

/* Adds FUNC and FUNC_PROTO of one function; returns the FUNC's id or a negative errno. */
static int add_function(struct btf *btf, const struct kernel_function *f, int number, int pointer)
{
	int proto = btf__add_func_proto(btf, number), id;

	for (uint8_t arg = 1; arg <= f->n_args; arg++) {
		char name[4];

		snprintf(name, sizeof(name), "a%d", arg);
		btf__add_func_param(btf, name, f->arena_args >> arg & 1 ? pointer : number);
	}
	id = btf__add_func(btf, f->name, f->global ? BTF_FUNC_GLOBAL : BTF_FUNC_STATIC, proto);
	for (uint8_t arg = 1; id > 0 && arg <= f->n_args; arg++)
		if (f->arena_args >> arg & 1)
			btf__add_decl_tag(btf, "arg:arena", id, arg - 1);
	return id;
}

int kernel_btf_load(const struct kernel_image *image, int *ret_fd,
		    struct kernel_func_info info[KERNEL_MAX_FUNCTIONS], struct nf_error *err)
{
	struct btf *btf = btf__new_empty();
	const void *raw;
	int number, pointer, fd = -1;
	uint32_t size;

	if (!btf)
		return -ENOMEM;
	number = btf__add_int(btf, "u64", 8, 0);
	pointer = btf__add_ptr(btf, 0);
	for (unsigned i = 0; i < image->n_functions; i++) {
		int id = add_function(btf, &image->functions[i], number, pointer);

		if (id < 0) {
			btf__free(btf);
			return id;
		}
		info[i] = (struct kernel_func_info){image->functions[i].insn, (uint32_t)id};
	}
	raw = btf__raw_data(btf, &size);
	if (raw)
		fd = bpf_btf_load(raw, size, NULL);
	if (fd < 0) {
		int errnum = errno;

		btf__free(btf);
		return nf_error_sys(err, NF_FAILED_PRECONDITION, errnum, NULL,
				    "the kernel does not take the functions' types");
	}
	btf__free(btf);
	*ret_fd = fd;
	return 0;
}
