/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ref_dpdk.h - a neighbour: the JIT of DPDK's librte_bpf, which is called once per record. */
#ifndef NF_REF_DPDK_H
#define NF_REF_DPDK_H

#include "ref_loops.h"

/* The filter `quantity > bound` as a compiled BPF function; NULL: DPDK is not installed or has no
 * JIT here. */
typedef uint64_t (*ref_filter)(void *record);
ref_filter ref_dpdk_filter(uint32_t bound);

#endif
