/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_admission.h"

#include <string.h>

void admission_init(struct admission *a, const struct node_limits *limits)
{
	*a = (struct admission){.limits = limits};
}

static void append(struct admission *a, struct admission_ticket *t)
{
	t->prev = a->last;
	t->next = NULL;
	*(a->last ? &a->last->next : &a->first) = t;
	a->last = t;
}

static void unlink_ticket(struct admission *a, struct admission_ticket *t)
{
	*(t->prev ? &t->prev->next : &a->first) = t->next;
	*(t->next ? &t->next->prev : &a->last) = t->prev;
	t->prev = t->next = NULL;
}

int admission_enter(struct admission *a, struct admission_ticket *t, const char **ret_limit,
		    struct nf_error *err)
{
	const struct node_limits *l = a->limits;
	uint64_t own = 0;

	for (const struct admission_ticket *i = a->first; i; i = i->next)
		own += !strcmp(i->who, t->who);
	if (own >= l->queries_per_identity) {
		*ret_limit = "queries_per_identity";
		return node_limit_refuse(err, *ret_limit,
					 "'%s' has %llu queries and reads here already; wait for "
					 "one to end",
					 t->who, (unsigned long long)own);
	}
	if (t->kind == ADMISSION_READ && a->reads >= l->reads_running) {
		*ret_limit = "reads_running";
		return node_limit_refuse(err, *ret_limit, "%llu reads are running; try again later",
					 (unsigned long long)a->reads);
	}
	if (t->kind == ADMISSION_QUERY && a->queries >= l->queries_running + l->queries_queued) {
		*ret_limit = "queries_queued";
		return node_limit_refuse(err, *ret_limit,
					 "%llu queries are running and %llu wait; try again later",
					 (unsigned long long)a->running,
					 (unsigned long long)(a->queries - a->running));
	}
	*(t->kind == ADMISSION_READ ? &a->reads : &a->queries) += 1;
	t->state = ADMISSION_ENTERED;
	append(a, t);
	return 0;
}

/* Loops instead of recursing: a granted() that leaves at once makes room for the next. */
static void grant(struct admission *a)
{
	if (a->granting)
		return;
	a->granting = true;
	while (a->running < a->limits->queries_running) {
		struct admission_ticket *t = a->first;

		while (t && t->state != ADMISSION_WAITING)
			t = t->next;
		if (!t)
			break;
		t->state = ADMISSION_RUNNING;
		a->running++;
		t->granted(t->arg);
	}
	a->granting = false;
}

void admission_queue(struct admission *a, struct admission_ticket *t)
{
	/* In the order of queueing, whatever was verified faster. */
	unlink_ticket(a, t);
	append(a, t);
	t->state = ADMISSION_WAITING;
	grant(a);
}

void admission_leave(struct admission *a, struct admission_ticket *t)
{
	if (t->state == ADMISSION_OUT)
		return;
	unlink_ticket(a, t);
	*(t->kind == ADMISSION_READ ? &a->reads : &a->queries) -= 1;
	if (t->state == ADMISSION_RUNNING)
		a->running--;
	t->state = ADMISSION_OUT;
	grant(a);
}
