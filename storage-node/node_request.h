/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_request.h - what an ExecuteRequest asks for against what this node gives. Pure functions.
 */
#ifndef NF_NODE_REQUEST_H
#define NF_NODE_REQUEST_H

#include "storage-node/node_config.h"
#include "storage-node/worker_job.h"

/* Engine, reader and budget: INVALID_ARGUMENT, FAILED_PRECONDITION, or RESOURCE_EXHAUSTED with the
 * limit's name in *ret_limit. Lowers threads and max_groups to the limits. */
int request_check(struct wire_execute *r, const struct node_config *config, const char **ret_limit,
		  struct nf_error *err);
/* Do parameters and records fit the program? */
int request_check_program(const struct wire_execute *r, const struct dataset_spec *spec,
			  const struct program *p, struct nf_error *err);
/* The job of a request that was checked; query_id and deadline_ns are the caller's. */
void request_to_job(const struct wire_execute *r, const struct node_config *config,
		    const struct dataset_spec *spec, struct job_head *ret);

#endif
