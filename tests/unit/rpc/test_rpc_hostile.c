/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_rpc_hostile.c - what strangers, broken clients and attackers send. The server lives on. */
#include "rpc_raw.h"

static struct test_server server;

static int setup(void **state)
{
	(void)state;
	test_server_start(&server, NULL, NULL);
	return 0;
}

/* Whatever the test did: the server still answers. */
static int teardown(void **state)
{
	struct test_reply reply = {0};
	struct nf_error err;
	struct rpc_client *c = test_connect(&server, NULL);

	(void)state;
	assert_int_equal(test_call(c, "/t/Echo", "", 0, 5000, &reply, &err), 0);
	rpc_client_close(c);
	test_server_stop(&server);
	return 0;
}

static size_t resident_bytes(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_int_equal(fscanf(f, "%*u %lu", &pages), 1);
	fclose(f);
	return pages * 4096;
}

/* ---- not even HTTP/2 ------------------------------------------------------------------------- */

static void test_random_bytes(void **state)
{
	uint8_t data[3000], back[64];

	(void)state;
	srand(7);
	for (int round = 0; round < 200; round++) {
		int fd = raw_socket(server.address);
		size_t size = 1 + (size_t)rand() % sizeof(data);

		for (size_t i = 0; i < size; i++)
			data[i] = (uint8_t)rand();
		raw_write(fd, data, size);
		shutdown(fd, SHUT_WR);
		assert_true(raw_read_to_end(fd, 2000, back, sizeof(back)) >= 0);
		close(fd);
	}
}

static void test_random_frames(void **state)
{
	uint8_t data[4096], back[64];

	(void)state;
	srand(8);
	for (int round = 0; round < 300; round++) {
		int fd = raw_socket(server.address);
		size_t n = RAW_HELLO_BYTES;

		memcpy(data, RAW_HELLO, n);
		while (n < 2000) {
			uint8_t payload[256];
			size_t size = (size_t)rand() % sizeof(payload);

			for (size_t i = 0; i < size; i++)
				payload[i] = (uint8_t)rand();
			n += raw_frame(data + n, (uint8_t)(rand() % 11), (uint8_t)rand(),
				       (uint32_t)rand() % 8, payload, size);
		}
		raw_write(fd, data, n);
		shutdown(fd, SHUT_WR);
		assert_true(raw_read_to_end(fd, 2000, back, sizeof(back)) >= 0);
		close(fd);
	}
}

static void test_http_1_gets_an_answer(void **state)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	char back[1024] = "";
	int fd = raw_socket(server.address);

	(void)state;
	raw_write(fd, get, sizeof(get) - 1);
	assert_true(raw_read_to_end(fd, 3000, back, sizeof(back) - 1) > 0);
	assert_memory_equal(back, "HTTP/1.1 400 ", 13);
	assert_non_null(strstr(back, "gRPC"));
	close(fd);
}

static void test_tls_gets_an_alert(void **state)
{
	uint8_t hello[200] = {22, 3, 1, 0, 195, 1}, back[64];
	int fd = raw_socket(server.address);

	(void)state;
	raw_write(fd, hello, sizeof(hello));
	assert_int_equal(raw_read_to_end(fd, 3000, back, sizeof(back)), 7);
	assert_memory_equal(back, "\x15\x03\x01\0\x02\x02\x28", 7);
	close(fd);
}

static void test_hello_in_single_bytes(void **state)
{
	uint8_t back[9];
	int fd = raw_socket(server.address);

	(void)state;
	for (size_t i = 0; i < RAW_HELLO_BYTES; i++) {
		assert_true(raw_write(fd, RAW_HELLO + i, 1));
		usleep(200);
	}
	/* The server's SETTINGS. */
	assert_int_equal(recv(fd, back, 9, MSG_WAITALL), 9);
	assert_int_equal(back[3], 4);
	close(fd);
}

/* ---- requests with one thing wrong ----------------------------------------------------------- */

static void test_wrong_requests(void **state)
{
	static const char *const bad_timeout[2] = {"grpc-timeout", "5 minutes"};
	static const char *const no_time[2] = {"grpc-timeout", "0n"};
	static const struct {
		const char *method, *path, *content_type;
		const char *const *extra;
		const char *body; /* NULL: END_STREAM on the headers */
		size_t size;
		const char *http, *grpc, *text;
	} rows[] = {
		{"POST", "/t/Echo", "application/grpc", NULL, "\0\0\0\0\1x", 6, "200", "0", ""},
		{"POST", "/t/Echo", "application/grpc+proto", NULL, "\0\0\0\0\0", 5, "200", "0",
		 ""},
		{"POST", "/t/Echo", "text/plain", NULL, "\0\0\0\0\0", 5, "415", "", ""},
		{"POST", "/t/Echo", "application/grpc-web", NULL, "\0\0\0\0\0", 5, "415", "", ""},
		{"GET", "/t/Echo", "application/grpc", NULL, NULL, 0, "405", "", ""},
		{"POST", "/t/No", "application/grpc", NULL, "\0\0\0\0\0", 5, "200", "12", "/t/No"},
		{"POST", "/", "application/grpc", NULL, "\0\0\0\0\0", 5, "200", "12", ""},
		{"POST", "/t/Echo", "application/grpc", NULL, "\1\0\0\0\1x", 6, "200", "12",
		 "compressed"},
		{"POST", "/t/Echo", "application/grpc", NULL, "\2\0\0\0\1x", 6, "200", "3", "flag"},
		{"POST", "/t/Echo", "application/grpc", NULL, NULL, 0, "200", "3", "0 of 5"},
		{"POST", "/t/Echo", "application/grpc", NULL, "\0\0", 2, "200", "3", "2 of 5"},
		{"POST", "/t/Echo", "application/grpc", NULL, "\0\0\0\0\2x", 6, "200", "3",
		 "6 of 7"},
		{"POST", "/t/Echo", "application/grpc", NULL, "\0\0\0\0\1xy", 7, "200", "3",
		 "goes on"},
		{"POST", "/t/Echo", "application/grpc", bad_timeout, "\0\0\0\0\0", 5, "200", "3",
		 "grpc-timeout"},
		{"POST", "/t/Hang", "application/grpc", no_time, "\0\0\0\0\0", 5, "200", "4",
		 "deadline"},
	};
	struct raw_peer p;

	(void)state;
	raw_open(&p, server.address);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		raw_submit(&p, rows[i].method, rows[i].path, rows[i].content_type, rows[i].extra,
			   rows[i].body, rows[i].size, true);
		if (!raw_run(&p))
			fail_msg("row %zu: no answer", i);
		if (strcmp(p.http_status, rows[i].http) || strcmp(p.grpc_status, rows[i].grpc) ||
		    !strstr(p.grpc_message, rows[i].text))
			fail_msg("row %zu: HTTP %s, grpc-status '%s', '%s'", i, p.http_status,
				 p.grpc_status, p.grpc_message);
		if (strcmp(rows[i].http, "200"))
			assert_non_null(strstr(p.body, "gRPC"));
	}
	raw_close(&p);
}

static void test_huge_message_header(void **state)
{
	struct raw_peer p;
	size_t before = resident_bytes();

	(void)state;
	raw_open(&p, server.address);
	/* 1 GiB announced, nothing sent, the stream left open: refused at once, nothing allocated.
	 */
	for (int i = 0; i < 50; i++) {
		raw_submit(&p, "POST", "/t/Echo", "application/grpc", NULL, "\0\x40\0\0\0", 5,
			   false);
		assert_true(raw_run(&p));
		assert_string_equal(p.grpc_status, "8");
		assert_non_null(strstr(p.grpc_message, "1073741824"));
		assert_non_null(strstr(p.grpc_message, "262144"));
		assert_int_equal(p.stream_error, NGHTTP2_NO_ERROR);
	}
	raw_close(&p);
	assert_true(resident_bytes() < before + (16 << 20));
}

static void test_huge_headers(void **state)
{
	char *value = malloc(20001);
	const char *const extra[2] = {"x-big", value};
	struct raw_peer p;

	(void)state;
	memset(value, 'v', 20000);
	value[20000] = '\0';
	raw_open(&p, server.address);
	raw_submit(&p, "POST", "/t/Echo", "application/grpc", extra, "\0\0\0\0\0", 5, true);
	assert_true(raw_run(&p));
	assert_string_equal(p.grpc_status, "8");
	assert_non_null(strstr(p.grpc_message, "headers are longer than 16384"));
	value[10000] = '\0';
	raw_submit(&p, "POST", "/t/Echo", "application/grpc", extra, "\0\0\0\0\0", 5, true);
	assert_true(raw_run(&p));
	assert_string_equal(p.grpc_status, "0");
	raw_close(&p);
	free(value);
}

/* ---- floods ---------------------------------------------------------------------------------- */

/* Send until the server hangs up; false: it took `most` rounds. */
static bool flood(int fd, const uint8_t *frames, size_t size, int most)
{
	uint8_t drop[65536];

	for (int i = 0; i < most; i++) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (!raw_write(fd, frames, size))
			return true;
		while (poll(&p, 1, 0) > 0)
			if (recv(fd, drop, sizeof(drop), 0) <= 0)
				return true;
	}
	return raw_read_to_end(fd, 500, NULL, 0) >= 0;
}

static void test_frame_floods(void **state)
{
	static const struct {
		uint8_t type;
		uint8_t payload[8];
		size_t size;
	} rows[] = {
		{6, {1}, 8},             /* PING */
		{4, {0}, 0},             /* SETTINGS */
		{2, {0, 0, 0, 0, 1}, 5}, /* PRIORITY, of an idle stream */
	};
	size_t before = resident_bytes();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t frames[17 * 100];
		size_t size = 0;
		int fd = raw_socket(server.address);

		raw_write(fd, RAW_HELLO, RAW_HELLO_BYTES);
		for (int k = 0; k < 100; k++)
			size += raw_frame(frames + size, rows[i].type, 0, rows[i].type == 2 ? 1 : 0,
					  rows[i].payload, rows[i].size);
		if (!flood(fd, frames, size, 2000))
			fail_msg("200000 frames of type %d were taken", rows[i].type);
		close(fd);
	}
	assert_true(resident_bytes() < before + (16 << 20));
}

static void test_continuation_flood(void **state)
{
	uint8_t *frame = malloc(16 << 10), zeros[8192];
	int fd = raw_socket(server.address);
	size_t before = resident_bytes();

	(void)state;
	memset(zeros, 0x82, sizeof(zeros)); /* ":method: GET" 8192 times: a byte is a header */
	raw_write(fd, RAW_HELLO, RAW_HELLO_BYTES);
	size_t size = raw_frame(frame, 1, 0, 1, "\x83\x86", 2);
	raw_write(fd, frame, size);
	size = raw_frame(frame, 9, 0, 1, zeros, sizeof(zeros));
	assert_true(flood(fd, frame, size, 1000));
	close(fd);
	free(frame);
	assert_true(resident_bytes() < before + (16 << 20));
}

/*
 * Complete requests, each followed by a frame that ends its stream; after `burst` of them a pause,
 * so that the server can do its part. How many handlers began?
 */
static unsigned start_in_vain(uint8_t type, const uint8_t payload[4], unsigned burst)
{
	uint8_t block[128], frames[256];
	size_t block_size = raw_header_block(block, "/t/Hang");
	int fd = raw_socket(server.address);
	bool ended = false;

	raw_write(fd, RAW_HELLO, RAW_HELLO_BYTES);
	for (uint32_t id = 1; id < 20001 && !ended; id += 2) {
		size_t n = raw_frame(frames, 1, 4, id, block, block_size);

		n += raw_frame(frames + n, 0, 1, id, "\0\0\0\0\0", 5);
		n += raw_frame(frames + n, type, 0, id, payload, 4);
		ended = !raw_write(fd, frames, n);
		if (id / 2 % burst == burst - 1)
			usleep(1000);
	}
	assert_true(ended || raw_read_to_end(fd, 2000, NULL, 0) >= 0);
	close(fd);
	test_wait(&server.gone, server.started);
	return server.started;
}

static void test_rapid_reset(void **state)
{
	/* RST_STREAM, CANCEL */
	unsigned started = start_in_vain(3, (const uint8_t[]){0, 0, 0, 8}, 10000);

	(void)state;
	/* The budget of a second, and the one that was too many. */
	assert_true(started >= 50 && started <= 101);
}

static void test_provoked_reset(void **state)
{
	/* WINDOW_UPDATE beyond 31 bits: it is we who must reset the stream. */
	unsigned started = start_in_vain(8, (const uint8_t[]){0x7f, 0xff, 0xff, 0xff}, 8);

	(void)state;
	assert_true(started >= 50 && started <= 101 + 16);
}

static void test_more_streams_than_allowed(void **state)
{
	uint8_t block[128], frames[256];
	size_t block_size = raw_header_block(block, "/t/Hang");
	int fd = raw_socket(server.address);

	(void)state;
	raw_write(fd, RAW_HELLO, RAW_HELLO_BYTES);
	/* Nobody acknowledges the SETTINGS, so the limit is not in force for this peer yet. */
	for (uint32_t id = 1; id < 2 * 3000; id += 2) {
		size_t n = raw_frame(frames, 1, 4, id, block, block_size);

		n += raw_frame(frames + n, 0, 1, id, "\0\0\0\0\0", 5);
		if (!raw_write(fd, frames, n))
			break;
	}
	usleep(50000);
	assert_true(server.started <= 16);
	close(fd);
	test_wait(&server.gone, server.started);
}

static void test_peer_that_never_reads(void **state)
{
	static const char ask[] = "\0\0\0\0\x0e"
				  "100000 1000000";
	struct raw_peer p;
	size_t before = resident_bytes();

	(void)state;
	raw_open(&p, server.address);
	raw_submit(&p, "POST", "/t/Stream", "application/grpc", NULL, ask, sizeof(ask) - 1, true);
	nghttp2_session_send(p.session);
	test_wait(&server.full, 1);
	usleep(100000);
	/* 100 GB were asked for; the queue's limit is 1 MiB, and a message of it. */
	assert_true(resident_bytes() < before + (16 << 20));
	raw_close(&p);
	test_wait(&server.gone, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(test_random_bytes),
		TEST(test_random_frames),
		TEST(test_http_1_gets_an_answer),
		TEST(test_tls_gets_an_alert),
		TEST(test_hello_in_single_bytes),
		TEST(test_wrong_requests),
		TEST(test_huge_message_header),
		TEST(test_huge_headers),
		TEST(test_frame_floods),
		TEST(test_continuation_flood),
		TEST(test_rapid_reset),
		TEST(test_provoked_reset),
		TEST(test_more_streams_than_allowed),
		TEST(test_peer_that_never_reads),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
