/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_engines.h"

#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "program/program.h"
#include "scan/engine.h"

static struct engine_config config_for(struct vm_program *vp)
{
	bool fixed = vp->bounds.record_min_bytes == vp->bounds.record_max_bytes;

	return (struct engine_config){
		.program = vp,
		.format = fixed ? FORMAT_FIXED : FORMAT_LINES,
		.record_bytes = fixed ? vp->bounds.record_max_bytes : 0,
		.cpu_threads = 1,
	};
}

/* The least program there is: reduce and combine do nothing. */
static int verify_nothing(struct vm_program **ret, struct nf_error *err)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const struct program_func funcs[] = {
		{.kind = PROGRAM_REDUCE, .name = "reduce", .insns = nothing, .n_insns = 2},
		{.kind = PROGRAM_COMBINE, .name = "combine", .insns = nothing, .n_insns = 2},
	};
	struct program draft = {.n_funcs = 2, .funcs = funcs, .record_bytes = 8, .state_bytes = 8};
	struct vm_bounds bounds = {8, 8};
	struct program *p;
	int r = program_create(&draft, &p, err);

	if (r)
		return r;
	r = vm_verify(p, &bounds, ret, err);
	program_unref(p);
	return r;
}

int engines_of_machine(const char *jit_module, struct engine_set *ret, struct nf_error *err)
{
	struct engine_config cfg;
	struct vm_program *vp;
	int r = verify_nothing(&vp, err);

	if (r)
		return r;
	cfg = config_for(vp);
	cfg.jit_module = jit_module;
	*ret = (struct engine_set){0};
	for (; engines[ret->n] && ret->n < ARRAY_SIZE(ret->list); ret->n++) {
		struct nf_error why = {0};

		snprintf(ret->list[ret->n].name, sizeof(ret->list[0].name), "%s",
			 engines[ret->n]->name);
		if (engines[ret->n]->check(&cfg, &why))
			snprintf(ret->list[ret->n].reason, sizeof(ret->list[0].reason), "%.255s",
				 why.text);
	}
	vm_program_unref(vp);
	return 0;
}

int engines_warm_up(struct nf_error *err)
{
	struct vm_program *vp;
	int r = verify_nothing(&vp, err);

	if (!r)
		vm_program_unref(vp);
	return r;
}

void engines_off(struct engine_set *set, const char *name, const char *reason)
{
	for (unsigned i = 0; i < set->n; i++)
		if (!strcmp(set->list[i].name, name))
			snprintf(set->list[i].reason, sizeof(set->list[i].reason), "%s", reason);
}

void engines_for_program(struct vm_program *vp, const struct engine_set *here,
			 struct engine_set *ret)
{
	struct engine_config cfg = config_for(vp);

	*ret = *here;
	for (unsigned i = 0; i < ret->n; i++) {
		const struct engine_ops *e = engine_by_name(ret->list[i].name);
		struct nf_error why = {0};

		if (!*ret->list[i].reason && e && e->check_program && e->check_program(&cfg, &why))
			snprintf(ret->list[i].reason, sizeof(ret->list[i].reason), "%.255s",
				 why.text);
	}
}
