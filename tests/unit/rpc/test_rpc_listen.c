/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_rpc_listen.c - sockets, caps, time limits, drain: the server as a whole. */
#include "rpc_raw.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "rpc/rpc_tls.h"

static char folder[64], path[128], unix_address[160];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/nearfold-rpc.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	snprintf(unix_address, sizeof(unix_address), "unix:%s", path);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	/* Nothing may be left in it. */
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

static void call_works(const struct test_server *t)
{
	struct rpc_client *c = test_connect(t, NULL);
	struct test_reply reply = {0};
	struct nf_error err;

	if (test_call(c, "/t/Echo", "", 0, 5000, &reply, &err))
		fail_msg("%s: %s", err.where, err.text);
	rpc_client_close(c);
}

/* ---- UNIX sockets ---------------------------------------------------------------------------- */

static void test_unix_identity(void **state)
{
	struct test_server t;
	struct stat st;
	char text[64];

	(void)state;
	test_server_start(&t, unix_address, NULL);
	assert_string_equal(t.address, unix_address);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0660);
	call_works(&t);
	assert_int_equal(t.peer.transport, RPC_PEER_UNIX);
	assert_int_equal(t.peer.uid, getuid());
	assert_true(t.peer.loopback);
	snprintf(text, sizeof(text), "uid:%u", getuid());
	assert_string_equal(t.peer.identity, text);
	snprintf(text, sizeof(text), "unix:pid=%d", getpid());
	assert_string_equal(t.peer.address, text);
	test_server_stop(&t);
}

static void test_unix_socket_is_taken(void **state)
{
	struct test_server t, other;

	(void)state;
	test_server_start(&t, unix_address, NULL);
	assert_int_equal(test_server_try(&other, unix_address, NULL), -EADDRINUSE);
	assert_non_null(strstr(other.error.text, "another process listens"));
	assert_string_equal(other.error.where, path);
	call_works(&t);
	test_server_stop(&t);
}

static void test_unix_stale_socket_is_replaced(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct test_server t;
	char lock[160];

	(void)state;
	/* What a killed server leaves: its socket and its lock file. */
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%.107s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	close(open(lock, O_CREAT | O_WRONLY, 0600));
	test_server_start(&t, unix_address, NULL);
	call_works(&t);
	test_server_stop(&t);
}

static void test_unix_path_is_a_file(void **state)
{
	struct test_server t;

	(void)state;
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(test_server_try(&t, unix_address, NULL), -EADDRINUSE);
	assert_non_null(strstr(t.error.text, "not a socket"));
	assert_int_equal(unlink(path), 0); /* it was left alone */
	assert_int_equal(test_server_try(&t, "unix:/no/such/folder/s", NULL), -ENOENT);
}

static void test_tcp_port_is_taken(void **state)
{
	struct test_server t, other;

	(void)state;
	test_server_start(&t, NULL, NULL);
	assert_int_equal(test_server_try(&other, t.address, NULL), -EADDRINUSE);
	assert_string_equal(other.error.where, t.address);
	assert_int_equal(test_server_try(&other, "127.0.0.1", NULL), -EINVAL);
	test_server_stop(&t);
}

static void test_ipv6(void **state)
{
	struct test_server t;

	(void)state;
	if (test_server_try(&t, "[::1]:0", NULL)) {
		print_message("skipped: no IPv6 here: %s\n", t.error.text);
		skip();
	}
	assert_memory_equal(t.address, "[::1]:", 6);
	call_works(&t);
	assert_true(t.peer.loopback);
	test_server_stop(&t);
}

/* ---- caps ------------------------------------------------------------------------------------ */

static void test_connection_cap(void **state)
{
	struct rpc_server_options options = {.max_connections = 2};
	struct rpc_client *a, *b, *c = NULL;
	struct test_server t;
	struct nf_error err;

	(void)state;
	test_server_start(&t, NULL, &options);
	a = test_connect(&t, NULL);
	b = test_connect(&t, NULL);
	/* Told why, in its own protocol. */
	assert_int_equal(rpc_client_connect(t.address, NULL, &c, &err), -ECONNRESET);
	assert_int_equal(err.code, NF_UNAVAILABLE);
	if (!strstr(err.text, "max_connections = 2"))
		fail_msg("%s", err.text);
	rpc_client_close(a);
	uint64_t until_ns = clock_now_ns() + 20 * NS_PER_SEC;
	while (rpc_client_connect(t.address, NULL, &c, &err) && clock_now_ns() < until_ns)
		usleep(1000);
	assert_non_null(c);
	rpc_client_close(b);
	rpc_client_close(c);
	test_server_stop(&t);
}

static void test_no_descriptors_left(void **state)
{
	struct rlimit old, low;
	struct test_server t;
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	uint8_t back[9];

	(void)state;
	test_server_start(&t, NULL, NULL);
	sin.sin_port = htons((uint16_t)atoi(strrchr(t.address, ':') + 1));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur =
		(rlim_t)fd + 1; /* descriptors are handed out from the lowest: none is free */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	uint64_t cpu_ns = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	usleep(350000);
	cpu_ns = clock_read(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
	setrlimit(RLIMIT_NOFILE, &old);
	/* It did not turn round and round meanwhile, and it comes back by itself. */
	assert_true(cpu_ns < 100 * NS_PER_MS);
	raw_write(fd, RAW_HELLO, RAW_HELLO_BYTES);
	assert_int_equal(recv(fd, back, 9, MSG_WAITALL), 9);
	close(fd);
	call_works(&t);
	test_server_stop(&t);
}

static void test_arriving_bytes_cap(void **state)
{
	struct rpc_server_options options = {.max_arriving_bytes = 100000};
	static uint8_t half[70000] = {0, 0, 2, 0, 0}; /* of 128 KiB */
	struct raw_peer a, b;
	struct test_server t;

	(void)state;
	test_server_start(&t, NULL, &options);
	raw_open(&a, t.address);
	raw_submit(&a, "POST", "/t/Echo", "application/grpc", NULL, half, 60000, false);
	/* Let its SETTINGS arrive, then the whole of the windows is ours. */
	for (int i = 0; i < 20; i++) {
		uint8_t buf[4096];
		ssize_t n = recv(a.fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n > 0)
			nghttp2_session_mem_recv(a.session, buf, (size_t)n);
		nghttp2_session_send(a.session);
		usleep(2000);
	}
	assert_int_equal(a.request_size, 0);
	raw_open(&b, t.address);
	raw_submit(&b, "POST", "/t/Echo", "application/grpc", NULL, half, 70000, false);
	assert_true(raw_run(&b));
	assert_string_equal(b.grpc_status, "8");
	assert_non_null(strstr(b.grpc_message, "max_arriving_bytes = 100000"));
	/* The first one's memory comes back with its end. */
	raw_close(&a);
	usleep(20000);
	raw_submit(&b, "POST", "/t/Echo", "application/grpc", NULL, "\0\0\0\0\1x", 6, true);
	assert_true(raw_run(&b));
	assert_string_equal(b.grpc_status, "0");
	raw_close(&b);
	test_server_stop(&t);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void test_time_limits(void **state)
{
	struct rpc_server_options options = {.first_request_ms = 100, .request_ms = 100};
	struct raw_peer p;
	struct test_server t;

	(void)state;
	test_server_start(&t, NULL, &options);
	/* Says nothing. */
	int fd = raw_socket(t.address);
	assert_int_equal(raw_read_to_end(fd, 1500, NULL, 0), 0);
	close(fd);
	/* Says hello and nothing more. */
	fd = raw_socket(t.address);
	raw_write(fd, RAW_HELLO, RAW_HELLO_BYTES);
	assert_true(raw_read_to_end(fd, 1500, NULL, 0) >= 0);
	close(fd);
	/* A request that does not go on. */
	raw_open(&p, t.address);
	raw_submit(&p, "POST", "/t/Echo", "application/grpc", NULL, "\0\0", 2, false);
	assert_true(raw_run(&p));
	assert_string_equal(p.grpc_status, "4");
	assert_non_null(strstr(p.grpc_message, "request_ms"));
	raw_close(&p);
	test_server_stop(&t);
}

static void test_dead_peers(void **state)
{
	struct rpc_server_options options = {.ping_ms = 100, .dead_ms = 1000};
	struct raw_peer alive, dead;
	struct test_reply reply = {0};
	struct nf_error err;
	struct test_server t;
	uint64_t until_ns;

	(void)state;
	test_server_start(&t, NULL, &options);
	struct rpc_client *idle = test_connect(&t, NULL);
	assert_int_equal(test_call(idle, "/t/Echo", "", 0, 0, &reply, &err), 0);
	raw_open(&alive, t.address);
	raw_submit(&alive, "POST", "/t/Hang", "application/grpc", NULL, "\0\0\0\0\0", 5, true);
	raw_open(&dead, t.address);
	raw_submit(&dead, "POST", "/t/Hang", "application/grpc", NULL, "\0\0\0\0\0", 5, true);
	nghttp2_session_send(dead.session);
	/* Only one of them answers its pings. */
	until_ns = clock_now_ns() + 20 * NS_PER_SEC;
	for (bool seen = false; clock_now_ns() < until_ns;) {
		struct pollfd poll_fd = {.fd = alive.fd, .events = POLLIN};
		uint8_t buf[4096];

		assert_int_equal(nghttp2_session_send(alive.session), 0);
		if (poll(&poll_fd, 1, 20) > 0) {
			ssize_t n = recv(alive.fd, buf, sizeof(buf), 0);

			assert_true(n > 0);
			assert_true(nghttp2_session_mem_recv(alive.session, buf, (size_t)n) > 0);
		}
		if (!seen && atomic_load(&t.gone) > 0) {
			seen = true; /* and the other stays, some pings longer */
			until_ns = clock_now_ns() + 300 * NS_PER_MS;
		}
	}
	assert_int_equal(t.started, 3);
	assert_int_equal(t.gone, 1);
	/* A client that sleeps between its calls answers nothing, and is not dead. */
	assert_int_equal(test_call(idle, "/t/Echo", "", 0, 0, &reply, &err), 0);
	rpc_client_close(idle);
	assert_true(raw_read_to_end(dead.fd, 500, NULL, 0) >= 0);
	test_command(&t, TEST_RELEASE);
	assert_true(raw_run(&alive));
	assert_string_equal(alive.grpc_status, "0");
	raw_close(&alive);
	raw_close(&dead);
	test_server_stop(&t);
}

/* ---- drain ----------------------------------------------------------------------------------- */

struct caller {
	struct rpc_client *client;
	struct test_reply reply;
	struct nf_error err;
	int ret;
};

static void *call_hang(void *arg)
{
	struct caller *c = arg;

	c->ret = test_call(c->client, "/t/Hang", "", 0, 0, &c->reply, &c->err);
	return NULL;
}

static void test_drain_waits_for_a_call(void **state)
{
	struct test_server t;
	struct caller caller = {0};
	struct rpc_client *c;
	struct nf_error err;
	pthread_t thread;

	(void)state;
	test_server_start(&t, NULL, NULL);
	caller.client = test_connect(&t, NULL);
	pthread_create(&thread, NULL, call_hang, &caller);
	test_wait(&t.started, 1);
	test_command(&t, TEST_DRAIN);
	usleep(300000);
	assert_int_equal(t.drained, 0);
	assert_int_equal(rpc_client_connect(t.address, NULL, &c, &err), -ECONNREFUSED);
	test_command(&t, TEST_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(caller.ret, 0);
	assert_int_equal(caller.reply.messages, 1);
	assert_memory_equal(caller.reply.last, "released", 8);
	/* The connection takes no second call, and says why. */
	assert_int_equal(test_call(caller.client, "/t/Echo", "", 0, 0, &caller.reply, &err),
			 -ECONNRESET);
	assert_int_equal(err.code, NF_UNAVAILABLE);
	assert_non_null(strstr(err.text, "shutting down"));
	rpc_client_close(caller.client);
	test_wait(&t.drained, 1);
	assert_int_equal(t.gone, 0);
	test_server_stop(&t);
}

static void test_drain_ends_idle_connections(void **state)
{
	struct test_server t;
	struct test_reply reply = {0};
	struct nf_error err;

	(void)state;
	test_server_start(&t, unix_address, NULL);
	struct rpc_client *c = test_connect(&t, NULL);
	assert_int_equal(test_call(c, "/t/Echo", "", 0, 0, &reply, &err), 0);
	int silent = raw_socket(t.address); /* has not even said hello */
	test_command(&t, TEST_DRAIN);
	for (int i = 0; i < 20 && !t.drained; i++)
		usleep(200000);
	assert_int_equal(t.drained, 1);
	close(silent);
	rpc_client_close(c);
	test_server_stop(&t);

	test_server_start(&t, NULL, NULL); /* and with none at all: at once */
	test_command(&t, TEST_DRAIN);
	test_wait(&t.drained, 1);
	test_server_stop(&t);
}

static void test_many_connections(void **state)
{
	enum { N = 100 };
	struct rpc_client *c[N];
	struct test_server t;
	struct test_reply reply = {0};
	struct nf_error err;

	(void)state;
	test_server_start(&t, NULL, NULL);
	for (int i = 0; i < N; i++)
		c[i] = test_connect(&t, NULL);
	for (int i = 0; i < 5 * N; i++)
		assert_int_equal(test_call(c[i % N], "/t/Echo", "", 0, 0, &reply, &err), 0);
	test_command(&t, 0);
	test_wait(&t.connections, N);
	for (int i = 0; i < N; i++)
		rpc_client_close(c[i]);
	test_server_stop(&t);
}

/* ---- the seam for TLS ------------------------------------------------------------------------ */

struct xor_transport {
	struct rpc_transport base;
	struct rpc_transport *plain;
};

static ssize_t xor_read(struct rpc_transport *t, void *buf, size_t size)
{
	struct xor_transport *x = (struct xor_transport *)t;
	ssize_t n = x->plain->ops->read(x->plain, buf, size);

	for (ssize_t i = 0; i < n; i++)
		((uint8_t *)buf)[i] ^= 0x5a;
	return n;
}

/* A piece at a time and at most 1000 bytes: a transport may write less than it is asked to. */
static ssize_t xor_write(struct rpc_transport *t, const struct iovec *iov, int n_iov)
{
	struct xor_transport *x = (struct xor_transport *)t;
	uint8_t mixed[1000];
	size_t n = 0;

	for (int i = 0; i < n_iov; i++)
		for (size_t k = 0; k < iov[i].iov_len && n < sizeof(mixed); k++)
			mixed[n++] = ((uint8_t *)iov[i].iov_base)[k] ^ 0x5a;
	return x->plain->ops->write(x->plain, &(struct iovec){mixed, n}, 1);
}

static int xor_want(const struct rpc_transport *t, bool has_output)
{
	const struct xor_transport *x = (const struct xor_transport *)t;

	return x->plain->ops->want(x->plain, has_output);
}

static void xor_close(struct rpc_transport *t)
{
	struct xor_transport *x = (struct xor_transport *)t;

	x->plain->ops->close(x->plain);
	free(x);
}

static int xor_wrap(struct rpc_tls *tls, int fd, bool is_server, struct rpc_transport **ret,
		    struct nf_error *err)
{
	static const struct rpc_transport_ops ops = {xor_read, xor_write, xor_want, xor_close};
	struct xor_transport *x = malloc(sizeof(*x));

	(void)tls;
	assert_int_equal(rpc_transport_new(NULL, fd, is_server, &x->plain, err), 0);
	x->base = (struct rpc_transport){&ops, fd};
	*ret = &x->base;
	return 0;
}

static void test_other_transport(void **state)
{
	struct rpc_tls tls = {xor_wrap};
	struct rpc_client_options options = {.tls = &tls};
	struct test_server t;
	struct test_reply reply = {0}, stream = {0};
	struct nf_error err;
	struct rpc_client *c;
	char address[128];

	(void)state;
	/* Before its thread runs: a second listener, on the same server. */
	test_server_init(&t, NULL);
	assert_int_equal(rpc_server_listen(t.server, "127.0.0.1:0", &tls, address, &err), 0);
	assert_int_equal(test_server_run(&t, NULL), 0);
	assert_int_equal(rpc_client_connect(address, &options, &c, &err), 0);
	assert_int_equal(test_call(c, "/t/Echo", "\0\0\0", 3, 0, &reply, &err), 0);
	assert_true(reply.messages == 1 && reply.is_in_order);
	assert_int_equal(test_call(c, "/t/Stream", "20 300000", 9, 0, &stream, &err), 0);
	assert_true(stream.messages == 20 && stream.is_in_order);
	rpc_client_close(c);
	call_works(&t);
	test_server_stop(&t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(test_unix_identity),
		TEST(test_unix_socket_is_taken),
		TEST(test_unix_stale_socket_is_replaced),
		TEST(test_unix_path_is_a_file),
		TEST(test_tcp_port_is_taken),
		TEST(test_ipv6),
		TEST(test_connection_cap),
		TEST(test_no_descriptors_left),
		TEST(test_arriving_bytes_cap),
		TEST(test_time_limits),
		TEST(test_dead_peers),
		TEST(test_drain_waits_for_a_call),
		TEST(test_drain_ends_idle_connections),
		TEST(test_many_connections),
		TEST(test_other_transport),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
