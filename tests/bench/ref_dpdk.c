/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "ref_dpdk.h"

#include <stddef.h>

#ifdef HAVE_DPDK
#include <rte_bpf.h>

ref_filter ref_dpdk_filter(uint32_t bound)
{
	/* r2 = *(u32 *)(r1 + 12); r0 = 1; if r2 > bound goto +1; r0 = 0; exit */
	const struct ebpf_insn insns[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = 12},
		{.code = EBPF_ALU64 | EBPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
		{.code = BPF_JMP | BPF_JGT | BPF_K, .dst_reg = 2, .off = 1, .imm = (int32_t)bound},
		{.code = EBPF_ALU64 | EBPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
		{.code = BPF_JMP | EBPF_EXIT},
	};
	const struct rte_bpf_prm prm = {
		.ins = insns,
		.nb_ins = sizeof(insns) / sizeof(insns[0]),
		.prog_arg = {.type = RTE_BPF_ARG_PTR, .size = sizeof(struct ref_trade)},
	};
	struct rte_bpf *bpf = rte_bpf_load(&prm);
	struct rte_bpf_jit jit = {0};

	/* Kept to the end of the program. */
	if (!bpf || rte_bpf_get_jit(bpf, &jit))
		return NULL;
	return jit.func;
}
#else
ref_filter ref_dpdk_filter(uint32_t bound)
{
	(void)bound;
	return NULL;
}
#endif
