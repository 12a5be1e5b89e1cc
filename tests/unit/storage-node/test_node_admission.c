/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage-node/node_admission.h"

enum { MANY = 16 };

static struct node_limits limits;
static struct admission admission;
static struct admission_ticket tickets[MANY];
static int granted[MANY], n_granted;

static void on_granted(void *arg)
{
	granted[n_granted++] = (int)((struct admission_ticket *)arg - tickets);
}

static void leave_at_once(void *arg)
{
	on_granted(arg);
	admission_leave(&admission, arg);
}

static int setup(void **state)
{
	(void)state;
	node_limits_default(&limits);
	limits.queries_running = 2;
	limits.queries_queued = 3;
	limits.queries_per_identity = 100;
	limits.reads_running = 2;
	admission_init(&admission, &limits);
	memset(tickets, 0, sizeof(tickets));
	n_granted = 0;
	for (int i = 0; i < MANY; i++)
		tickets[i] = (struct admission_ticket){
			.who = "somebody", .granted = on_granted, .arg = &tickets[i]};
	return 0;
}

static const char *enter(int i)
{
	const char *limit = NULL;
	struct nf_error err = {0};

	if (!admission_enter(&admission, &tickets[i], &limit, &err))
		return NULL;
	assert_int_equal(err.code, NF_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(err.text, limit));
	return limit;
}

static void runs_up_to_the_limit_then_in_order(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_null(enter(i));
		admission_queue(&admission, &tickets[i]);
	}
	assert_int_equal(n_granted, 2);
	admission_leave(&admission, &tickets[1]);
	assert_int_equal(n_granted, 3);
	assert_int_equal(granted[2], 2);
	admission_leave(&admission, &tickets[3]); /* gives up while it waits */
	admission_leave(&admission, &tickets[0]);
	assert_int_equal(n_granted, 4);
	assert_int_equal(granted[3], 4);
	admission_leave(&admission, &tickets[2]);
	admission_leave(&admission, &tickets[4]);
	assert_int_equal(admission.running, 0);
	assert_int_equal(admission.queries, 0);
	assert_null(admission.first);
}

static void a_full_queue_refuses_and_names_its_limit(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_null(enter(i));
	assert_string_equal(enter(5), "queries_queued");
	admission_leave(&admission, &tickets[0]);
	assert_null(enter(5));
}

static void an_identity_has_its_share_of_queries_and_reads(void **state)
{
	(void)state;
	limits.queries_per_identity = 2;
	tickets[1].kind = ADMISSION_READ;
	tickets[3].who = "another";
	assert_null(enter(0));
	assert_null(enter(1));
	assert_string_equal(enter(2), "queries_per_identity");
	assert_null(enter(3));
	admission_leave(&admission, &tickets[1]);
	assert_null(enter(2));
}

static void reads_have_a_limit_of_their_own(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		tickets[i].kind = ADMISSION_READ;
	assert_null(enter(0));
	assert_null(enter(1));
	assert_string_equal(enter(2), "reads_running");
	assert_null(enter(3));
}

static void turns_go_by_queueing_not_by_entering(void **state)
{
	(void)state;
	limits.queries_running = 1;
	for (int i = 0; i < 3; i++)
		assert_null(enter(i));
	admission_queue(&admission, &tickets[2]);
	admission_queue(&admission, &tickets[1]);
	admission_queue(&admission, &tickets[0]);
	admission_leave(&admission, &tickets[2]);
	admission_leave(&admission, &tickets[1]);
	assert_int_equal(n_granted, 3);
	assert_int_equal(granted[0], 2);
	assert_int_equal(granted[1], 1);
	assert_int_equal(granted[2], 0);
}

static void one_that_leaves_when_granted_makes_room(void **state)
{
	(void)state;
	limits.queries_running = 1;
	for (int i = 0; i < 4; i++) {
		tickets[i].granted = i ? leave_at_once : on_granted;
		assert_null(enter(i));
		admission_queue(&admission, &tickets[i]);
	}
	admission_leave(&admission, &tickets[0]);
	assert_int_equal(n_granted, 4);
	assert_int_equal(admission.running, 0);
	admission_leave(&admission, &tickets[0]); /* twice is fine */
	assert_int_equal(admission.queries, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(runs_up_to_the_limit_then_in_order, setup),
		cmocka_unit_test_setup(a_full_queue_refuses_and_names_its_limit, setup),
		cmocka_unit_test_setup(an_identity_has_its_share_of_queries_and_reads, setup),
		cmocka_unit_test_setup(reads_have_a_limit_of_their_own, setup),
		cmocka_unit_test_setup(turns_go_by_queueing_not_by_entering, setup),
		cmocka_unit_test_setup(one_that_leaves_when_granted_makes_room, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
