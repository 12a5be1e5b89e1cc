/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bench_facts.h - the machine, the versions and the command: what a stranger needs to repeat it. */
#ifndef NF_BENCH_FACTS_H
#define NF_BENCH_FACTS_H

#include "compute-client/bench/bench_report.h"
#include "compute-client/nearfold.h"

void bench_facts_begin(struct bench_report *r);
/* The node on the other side. */
void bench_facts_node(struct bench_report *r, struct nearfold_conn *c);
/* How busy the machine was, at the end. */
void bench_facts_end(struct bench_report *r);

#endif
