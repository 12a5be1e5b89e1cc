/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage-node/node_authorize.h"

static const struct rpc_peer loopback = {
	.transport = RPC_PEER_TCP, .address = "127.0.0.1:40312", .loopback = true, .uid = -1};
static const struct rpc_peer remote = {
	.transport = RPC_PEER_TCP, .address = "10.0.0.7:40312", .uid = -1};
static const struct rpc_peer certified = {
	.transport = RPC_PEER_TCP, .address = "10.0.0.7:40312", .uid = -1, .identity = "alice"};
static const struct rpc_peer socket_peer = {
	.transport = RPC_PEER_UNIX, .address = "unix:pid=42", .uid = 1000, .identity = "uid:1000"};

static char *alice_and_uid[] = {"alice", "uid:1000", NULL};
static char *bob[] = {"bob", NULL};
static char *anybody[] = {"*", NULL};

static bool may(char **allow, const struct rpc_peer *peer)
{
	struct dataset_spec spec = {.name = "trades", .allow = allow};
	struct nf_error err = {0};

	if (!authorize_dataset(&spec, peer, &err))
		return true;
	assert_int_equal(err.code, NF_PERMISSION_DENIED);
	assert_string_equal(err.where, "trades");
	return false;
}

static void without_a_list_it_is_open_on_this_machine_only(void **state)
{
	(void)state;
	assert_true(may(NULL, &loopback));
	assert_true(may(NULL, &socket_peer));
	assert_false(may(NULL, &remote));
	assert_false(may(NULL, &certified));
}

static void a_list_holds_for_everybody(void **state)
{
	(void)state;
	assert_true(may(alice_and_uid, &certified));
	assert_true(may(alice_and_uid, &socket_peer));
	assert_false(may(alice_and_uid, &loopback));
	assert_false(may(alice_and_uid, &remote));
	assert_false(may(bob, &certified));
	assert_false(may(bob, &socket_peer));
}

static void a_star_is_anybody(void **state)
{
	(void)state;
	assert_true(may(anybody, &remote));
	assert_true(may(anybody, &loopback));
}

/* An identity that nobody proved matches no entry, not even an empty one. */
static void no_identity_matches_nothing(void **state)
{
	char *empty[] = {"", NULL};

	(void)state;
	assert_false(may(empty, &remote));
}

static void who_is_the_identity_or_the_address(void **state)
{
	char who[256];

	(void)state;
	authorize_who(&certified, who);
	assert_string_equal(who, "alice");
	authorize_who(&remote, who);
	assert_string_equal(who, "10.0.0.7");
}

static void plain_text_stays_on_this_machine(void **state)
{
	struct nf_error err;

	(void)state;
	assert_int_equal(authorize_listen("127.0.0.1:0", false, &err), 0);
	assert_true(authorize_listen("0.0.0.0:7411", false, &err) < 0);
	assert_string_equal(err.where, "0.0.0.0:7411");
	assert_non_null(strstr(err.text, "insecure"));
	assert_int_equal(authorize_listen("0.0.0.0:7411", true, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_list_it_is_open_on_this_machine_only),
		cmocka_unit_test(a_list_holds_for_everybody),
		cmocka_unit_test(a_star_is_anybody),
		cmocka_unit_test(no_identity_matches_nothing),
		cmocka_unit_test(who_is_the_identity_or_the_address),
		cmocka_unit_test(plain_text_stays_on_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
