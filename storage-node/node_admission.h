/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_admission.h - whose turn it is. Queries run up to a limit and wait first come first served
 * up to another; one identity has at most its share of both. Reads have a limit of their own and
 * do not wait.
 *
 *	admission_enter()   counted; refused when a limit is reached
 *	admission_queue()   behind the others; granted() comes now or when a slot is free
 *	admission_leave()   at any time after enter, once
 *
 * One thread: the loop's. granted() is called from admission_queue() or from the admission_leave()
 * of another ticket; it may leave at once.
 */
#ifndef NF_NODE_ADMISSION_H
#define NF_NODE_ADMISSION_H

#include <stdbool.h>

#include "storage-node/node_limits.h"

enum admission_kind { ADMISSION_QUERY, ADMISSION_READ };
enum admission_state { ADMISSION_OUT, ADMISSION_ENTERED, ADMISSION_WAITING, ADMISSION_RUNNING };

struct admission_ticket {
	enum admission_kind kind;
	enum admission_state state;
	const char *who; /* borrowed until leave */
	void (*granted)(void *arg);
	void *arg;
	struct admission_ticket *prev, *next; /* of all, in order of arrival */
};

struct admission {
	const struct node_limits *limits;
	struct admission_ticket *first, *last;
	uint64_t queries, reads, running; /* queries: entered, waiting and running */
	bool granting;
};

void admission_init(struct admission *a, const struct node_limits *limits);
/* ticket: kind, who, granted and arg filled in. RESOURCE_EXHAUSTED naming the limit, which also
 * goes to *ret_limit (a static name). */
int admission_enter(struct admission *a, struct admission_ticket *t, const char **ret_limit,
		    struct nf_error *err);
void admission_queue(struct admission *a, struct admission_ticket *t);
/* A ticket that is out already is fine. */
void admission_leave(struct admission *a, struct admission_ticket *t);

#endif
