/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_rpc_call.c - calls between our client and our server, the good ones and the ones that end.
 */
#include "rpc_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct test_server server;
static struct rpc_client *client;

static int setup(void **state)
{
	(void)state;
	test_server_start(&server, NULL, NULL);
	client = test_connect(&server, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rpc_client_close(client);
	test_server_stop(&server);
	return 0;
}

static void test_unary(void **state)
{
	static const size_t sizes[] = {0, 1, 5, 16379, 16384, 100000, 256 << 10};
	uint8_t *data = malloc(256 << 10);
	struct nf_error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct test_reply reply = {0};

		memset(data, 0, sizes[i]);
		assert_int_equal(test_call(client, "/t/Echo", data, sizes[i], 0, &reply, &err), 0);
		assert_int_equal(reply.messages, 1);
		assert_int_equal(reply.bytes, sizes[i]);
		assert_true(reply.is_in_order);
	}
	free(data);
	assert_true(rpc_client_bytes_sent(client) > 256 << 10);
	assert_true(rpc_client_bytes_received(client) > 256 << 10);
	assert_string_equal(rpc_client_address(client), server.address);
	assert_int_equal(server.peer.transport, RPC_PEER_TCP);
	assert_true(server.peer.loopback);
	assert_int_equal(server.peer.uid, -1);
	assert_string_equal(server.peer.identity, "");
	assert_memory_equal(server.peer.address, "127.0.0.1:", 10);
}

static void test_many_calls_on_one_connection(void **state)
{
	struct nf_error err;

	(void)state;
	for (int i = 0; i < 500; i++) {
		struct test_reply reply = {0};

		assert_int_equal(test_call(client, "/t/Echo", "", 1, 5000, &reply, &err), 0);
	}
	assert_int_equal(server.started, 500);
	assert_int_equal(server.gone, 0);
}

static void test_streaming_with_back_pressure(void **state)
{
	struct test_reply reply = {.delay_us = 1000};
	struct nf_error err;

	(void)state;
	/* 64 MiB, sixty times what the server may queue: it must have been told to wait. */
	assert_int_equal(test_call(client, "/t/Stream", "64 1048576", 10, 0, &reply, &err), 0);
	assert_int_equal(reply.messages, 64);
	assert_int_equal(reply.bytes, 64 << 20);
	assert_true(reply.is_in_order);
	assert_true(server.full > 10);
	assert_true(server.writable > 10);
}

static void test_streaming_of_small_messages(void **state)
{
	struct test_reply reply = {0};
	struct nf_error err;

	(void)state;
	assert_int_equal(test_call(client, "/t/Stream", "100000 3", 8, 0, &reply, &err), 0);
	assert_int_equal(reply.messages, 100000);
	assert_int_equal(reply.bytes, 300000);
	assert_true(reply.is_in_order);

	struct test_reply none = {0};
	assert_int_equal(test_call(client, "/t/Stream", "0 0", 3, 0, &none, &err), 0);
	assert_int_equal(none.messages, 0);
	struct test_reply empty = {0};
	assert_int_equal(test_call(client, "/t/Stream", "10 0", 4, 0, &empty, &err), 0);
	assert_int_equal(empty.messages, 10);
}

static void test_status_travels(void **state)
{
	static const char request[] = "\x05no \xc3\xa9tude 100%\n\0det\0ails";
	struct test_reply reply = {0};
	struct rpc_details details;
	struct nf_error err;

	(void)state;
	int r = rpc_client_call(client, "/t/Fail", (const uint8_t *)request, sizeof(request) - 1, 0,
				test_on_message, &reply, &details, &err);
	assert_int_equal(r, -ENOENT);
	assert_int_equal(err.code, NF_NOT_FOUND);
	assert_string_equal(err.text, "no \xc3\xa9tude 100%\n");
	assert_int_equal(details.size, 8);
	assert_memory_equal(details.data, "det\0ails", 8);
	assert_int_equal(reply.messages, 0);
	free(details.data);

	/* Every code arrives as itself. */
	for (uint8_t code = 1; code <= 16; code++) {
		const uint8_t ask[] = {code, 'x', 0};

		r = test_call(client, "/t/Fail", ask, sizeof(ask), 0, &reply, &err);
		assert_int_equal(err.code, code);
		assert_int_equal(r, -nf_code_errno(code));
	}
}

static void test_unknown_method(void **state)
{
	struct test_reply reply = {0};
	struct nf_error err;

	(void)state;
	assert_int_equal(test_call(client, "/t/Nothing", "", 0, 0, &reply, &err), -ENOSYS);
	assert_int_equal(err.code, NF_UNIMPLEMENTED);
	assert_non_null(strstr(err.text, "/t/Nothing"));
}

static void test_too_long_request(void **state)
{
	uint8_t *data = calloc(1, (256 << 10) + 1);
	struct test_reply reply = {0};
	struct nf_error err;

	(void)state;
	assert_int_equal(test_call(client, "/t/Small", data, 101, 0, &reply, &err), -ENOSPC);
	assert_int_equal(err.code, NF_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(err.text, "101"));
	assert_non_null(strstr(err.text, "max_request_bytes of /t/Small is 100"));
	assert_int_equal(test_call(client, "/t/Small", data, 100, 0, &reply, &err), 0);
	assert_int_equal(test_call(client, "/t/Echo", data, (256 << 10) + 1, 0, &reply, &err),
			 -ENOSPC);
	assert_int_equal(err.code, NF_RESOURCE_EXHAUSTED);
	free(data);
}

static void test_early_error_while_the_client_uploads(void **state)
{
	/* Far more than the windows hold: the refusal comes while we still send. */
	uint8_t *data = calloc(1, 16 << 20);
	struct test_reply reply = {0};
	struct nf_error err;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(test_call(client, "/t/Echo", data, 16 << 20, 0, &reply, &err),
				 -ENOSPC);
		assert_int_equal(err.code, NF_RESOURCE_EXHAUSTED);
		assert_int_equal(test_call(client, "/t/Nothing", data, 16 << 20, 0, &reply, &err),
				 -ENOSYS);
	}
	/* The connection has stayed good. */
	assert_int_equal(test_call(client, "/t/Echo", data, 1, 0, &reply, &err), 0);
	free(data);
}

static void test_too_long_reply(void **state)
{
	struct rpc_client_options options = {.max_message_bytes = 1000};
	struct rpc_client *c = test_connect(&server, &options);
	struct test_reply reply = {0};
	struct nf_error err;

	(void)state;
	assert_int_equal(test_call(c, "/t/Stream", "1 1001", 6, 0, &reply, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "max_message_bytes is 1000"));
	assert_int_equal(reply.messages, 0);
	assert_int_equal(test_call(c, "/t/Stream", "1 1000", 6, 0, &reply, &err), 0);
	rpc_client_close(c);
}

static void test_deadline(void **state)
{
	struct test_reply reply = {0};
	struct nf_error err;
	uint64_t begin_ns = clock_now_ns();

	(void)state;
	assert_int_equal(test_call(client, "/t/Hang", "", 0, 50, &reply, &err), -ETIMEDOUT);
	assert_int_equal(err.code, NF_DEADLINE_EXCEEDED);
	uint64_t took_ns = clock_now_ns() - begin_ns;
	assert_true(took_ns >= 50 * NS_PER_MS);
	print_message("a deadline of 50 ms took %.1f ms\n", (double)took_ns / 1e6);
	test_wait(&server.gone, 1);
	assert_true(server.gone_why == NF_DEADLINE_EXCEEDED || server.gone_why == NF_CANCELLED);

	/* The server knows the deadline; one that has passed is refused at once. */
	assert_int_equal(test_call(client, "/t/Echo", "", 0, 5000, &reply, &err), 0);
	assert_true(server.deadline_ns > clock_now_ns());
	assert_true(server.deadline_ns < clock_now_ns() + 6 * NS_PER_SEC);
	assert_int_equal(
		rpc_client_call(client, "/t/Hang", NULL, 0, 1, test_on_message, &reply, NULL, &err),
		-ETIMEDOUT);
	assert_int_equal(test_call(client, "/t/Echo", "", 0, 0, &reply, &err), 0);
	assert_int_equal(server.deadline_ns, 0);
}

static void test_deadline_while_the_client_does_not_read(void **state)
{
	struct test_reply reply = {.delay_us = 300000};
	struct nf_error err;

	(void)state;
	int r = test_call(client, "/t/Stream", "1000 1000000", 12, 100, &reply, &err);
	assert_int_equal(r, -ETIMEDOUT);
	test_wait(&server.gone, 1);
}

static void *cancel_soon(void *arg)
{
	usleep(50000);
	eventfd_write(*(int *)arg, 1);
	return NULL;
}

static void test_cancel_mid_stream(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	struct rpc_client_options options = {.cancel_fd = fd};
	struct rpc_client *c = test_connect(&server, &options);
	struct test_reply reply = {0};
	struct nf_error err;
	pthread_t thread;
	eventfd_t value;

	(void)state;
	pthread_create(&thread, NULL, cancel_soon, &fd);
	assert_int_equal(test_call(c, "/t/Hang", "", 0, 0, &reply, &err), -ECANCELED);
	uint64_t cancelled_ns = clock_now_ns();
	assert_int_equal(err.code, NF_CANCELLED);
	pthread_join(thread, NULL);
	test_wait(&server.gone, 1);
	assert_int_equal(server.gone_why, NF_CANCELLED);
	int64_t took_ns = (int64_t)(server.gone_ns - cancelled_ns);
	print_message("cancel to on_gone: %.2f ms\n", (double)took_ns / 1e6);

	/* The connection stays good. */
	eventfd_read(fd, &value);
	assert_int_equal(test_call(c, "/t/Echo", "", 0, 0, &reply, &err), 0);
	rpc_client_close(c);
	close(fd);
}

static int drop_message(void *arg, const uint8_t *message, size_t size)
{
	(void)message;
	*(size_t *)arg += size;
	return 0;
}

/* The server is faster than we: there is always more to read, and yet somebody looks up. */
static void test_steady_flow_hides_nothing(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	struct rpc_client_options options = {.cancel_fd = fd};
	struct rpc_client *c = test_connect(&server, &options);
	static const uint8_t request[] = "1000000 100000";
	struct nf_error err;
	pthread_t thread;
	size_t bytes = 0;

	(void)state;
	int r = rpc_client_call(c, "/t/Stream", request, sizeof(request) - 1,
				clock_now_ns() + 100 * NS_PER_MS, drop_message, &bytes, NULL, &err);
	assert_int_equal(r, -ETIMEDOUT);
	assert_true(bytes > 0);
	test_wait(&server.gone, 1);
	pthread_create(&thread, NULL, cancel_soon, &fd);
	r = rpc_client_call(c, "/t/Stream", request, sizeof(request) - 1, 0, drop_message, &bytes,
			    NULL, &err);
	assert_int_equal(r, -ECANCELED);
	pthread_join(thread, NULL);
	test_wait(&server.gone, 2);
	rpc_client_close(c);
	close(fd);
}

static void test_reader_stops(void **state)
{
	struct test_reply reply = {.stop_after = 3};
	struct nf_error err;

	(void)state;
	assert_int_equal(test_call(client, "/t/Stream", "100000 10000", 12, 0, &reply, &err),
			 -4711);
	assert_int_equal(reply.messages, 3);
	test_wait(&server.gone, 1);
	assert_int_equal(test_call(client, "/t/Echo", "", 0, 0, &reply, &err), 0);
}

static void test_client_vanishes(void **state)
{
	struct test_reply reply = {0};
	struct nf_error err;

	(void)state;
	/* As a killed process: its socket closes, nothing else is said. */
	int pid = fork();
	if (pid == 0) {
		struct rpc_client *c = test_connect(&server, NULL);

		test_call(c, "/t/Hang", "", 0, 0, &reply, &err);
		_exit(0);
	}
	test_wait(&server.started, 1);
	kill(pid, SIGKILL);
	uint64_t killed_ns = clock_now_ns();
	waitpid(pid, NULL, 0);
	test_wait(&server.gone, 1);
	assert_int_equal(server.gone_why, NF_CANCELLED);
	print_message("client's end to on_gone: %.2f ms\n",
		      (double)(int64_t)(server.gone_ns - killed_ns) / 1e6);
}

static void test_server_vanishes(void **state)
{
	struct test_server other;
	struct test_reply reply = {0};
	struct nf_error err;

	(void)state;
	test_server_start(&other, NULL, NULL);
	struct rpc_client *c = test_connect(&other, NULL);
	assert_int_equal(test_call(c, "/t/Echo", "", 0, 0, &reply, &err), 0);
	test_server_stop(&other);
	assert_int_equal(test_call(c, "/t/Echo", "", 0, 0, &reply, &err), -ECONNRESET);
	assert_int_equal(err.code, NF_UNAVAILABLE);
	assert_string_equal(err.where, other.address);
	assert_int_equal(test_call(c, "/t/Echo", "", 0, 0, &reply, &err), -ECONNRESET);
	rpc_client_close(c);

	assert_int_equal(rpc_client_connect(other.address, NULL, &c, &err), -ECONNREFUSED);
	assert_int_equal(err.code, NF_UNAVAILABLE);
}

static void test_nobody_speaks(void **state)
{
	struct rpc_client_options options = {.connect_ms = 100};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	struct rpc_client *c;
	struct nf_error err;
	char address[32];

	(void)state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 5), 0);
	getsockname(fd, (struct sockaddr *)&sin, &len);
	snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(sin.sin_port));
	assert_int_equal(rpc_client_connect(address, &options, &c, &err), -ETIMEDOUT);
	assert_int_equal(err.code, NF_UNAVAILABLE);
	assert_non_null(strstr(err.text, "nothing answered in 100 ms"));
	close(fd);
}

static void *call_hang(void *arg)
{
	static struct test_reply reply;
	static struct nf_error err;

	return (void *)(intptr_t)test_call(arg, "/t/Hang", "", 0, 0, &reply, &err);
}

static void test_free_with_running_call(void **state)
{
	struct test_server other;
	pthread_t thread;
	void *ret;

	(void)state;
	test_server_start(&other, NULL, NULL);
	struct rpc_client *c = test_connect(&other, NULL);
	pthread_create(&thread, NULL, call_hang, c);
	test_wait(&other.started, 1);
	test_server_stop(&other);
	pthread_join(thread, &ret);
	assert_int_equal(other.gone, 1);
	assert_int_equal(other.gone_why, NF_UNAVAILABLE);
	assert_int_equal((intptr_t)ret, -ECONNRESET);
	rpc_client_close(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(test_unary),
		TEST(test_many_calls_on_one_connection),
		TEST(test_streaming_with_back_pressure),
		TEST(test_streaming_of_small_messages),
		TEST(test_status_travels),
		TEST(test_unknown_method),
		TEST(test_too_long_request),
		TEST(test_early_error_while_the_client_uploads),
		TEST(test_too_long_reply),
		TEST(test_deadline),
		TEST(test_deadline_while_the_client_does_not_read),
		TEST(test_cancel_mid_stream),
		TEST(test_reader_stops),
		TEST(test_steady_flow_hides_nothing),
		TEST(test_client_vanishes),
		TEST(test_server_vanishes),
		TEST(test_nobody_speaks),
		TEST(test_free_with_running_call),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
