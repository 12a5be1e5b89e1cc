/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_wire_memory.c - the n-th allocation fails, for every n: an error comes back, nothing
 * crashes, nothing is lost. And a message's memory stays in proportion to its bytes.
 */
#include "wire_test.h"

#ifndef __SANITIZE_ADDRESS__
/* glibc's own names for what is replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

/* volatile: the compiler knows malloc() and free(), and that they touch no variable of ours. */
static volatile long fail_at = -1; /* counts down to the allocation that fails; -1: none does */
static volatile long live, allocated_bytes;

/* For the libraries, too. */
#define EXPORT __attribute__((visibility("default")))

static bool fails_now(size_t size)
{
	if (fail_at >= 0 && fail_at-- == 0)
		return true;
	live++;
	allocated_bytes += (long)size;
	return false;
}

EXPORT void *malloc(size_t size)
{
	return fails_now(size) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
	return fails_now(n * size) ? NULL : __libc_calloc(n, size);
}

EXPORT void *realloc(void *p, size_t size)
{
	if (p)
		live--;
	if (fails_now(size)) {
		live += p != NULL;
		return NULL;
	}
	return __libc_realloc(p, size);
}

EXPORT void free(void *p)
{
	if (p)
		live--;
	__libc_free(p);
}

static struct test_bytes execute, load, reply, details;

static void pack(const ProtobufCMessage *m, struct test_bytes *ret)
{
	ret->size = protobuf_c_message_pack(m, ret->data);
}

static int make_messages(void **state)
{
	Nearfold__V1__ErrorDetail d = NEARFOLD__V1__ERROR_DETAIL__INIT;
	Nearfold__V1__LoadProgramRequest l = NEARFOLD__V1__LOAD_PROGRAM_REQUEST__INIT;
	Nearfold__V1__Status s = NEARFOLD__V1__STATUS__INIT;
	Nearfold__V1__QueryStatus q = NEARFOLD__V1__QUERY_STATUS__INIT, *queries[] = {&q, &q};
	Nearfold__V1__ExecuteRequest e;
	struct program *p = test_program();
	uint8_t *data;

	(void)state;
	assert_int_equal(wire_program_to(p, &l.program), 0);
	pack(&l.base, &load);
	nearfold__v1__execute_request__init(&e);
	e.dataset = "trades";
	e.which_case = NEARFOLD__V1__EXECUTE_REQUEST__WHICH_PROGRAM;
	e.program = l.program;
	e.params = (ProtobufCBinaryData){4, (uint8_t *)"abcd"};
	pack(&e.base, &execute);
	s.n_queries = 2;
	s.queries = queries;
	q.dataset = "trades";
	pack(&s.base, &reply);
	d.report = "report";
	assert_int_equal(wire_pack_details(NF_INTERNAL, "m", &d, &data, &details.size), 0);
	memcpy(details.data, data, details.size);
	free(data);
	wire_program_to_free(l.program);
	program_unref(p);
	return 0;
}

static bool take_execute(void)
{
	struct wire_execute e;
	struct nf_error err;

	if (wire_unpack_execute(execute.data, execute.size, &e, &err))
		return false;
	wire_execute_done(&e);
	return true;
}

static bool take_load(void)
{
	Nearfold__V1__Program *m;
	struct program *p;
	struct nf_error err;

	if (wire_unpack_load_program(load.data, load.size, &p, &err))
		return false;
	bool ok = wire_program_to(p, &m) == 0;
	if (ok)
		wire_program_to_free(m);
	program_unref(p);
	return ok;
}

static bool take_reply(void)
{
	struct nf_error err;
	Nearfold__V1__Status *m = wire_unpack_status(reply.data, reply.size, &err);

	if (m)
		nearfold__v1__status__free_unpacked(m, NULL);
	return m != NULL;
}

static bool take_details(void)
{
	Nearfold__V1__ErrorDetail *m = wire_unpack_details(details.data, details.size);
	uint8_t *packed;
	size_t size;

	if (!m)
		return false;
	bool ok = wire_pack_details(NF_INTERNAL, "m", m, &packed, &size) == 0;
	if (ok)
		free(packed);
	nearfold__v1__error_detail__free_unpacked(m, NULL);
	return ok;
}

static void test_every_allocation_fails_once(void **state)
{
	static bool (*const rows[])(void) = {take_execute, take_load, take_reply, take_details};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		long n = 0;
		bool ok = false;

		assert_true(rows[i]()); /* libraries make what they keep */
		for (; !ok && n < 1000; n++) {
			long before = live;

			fail_at = n;
			ok = rows[i]();
			fail_at = -1;
			if (live != before)
				fail_msg("row %zu, allocation %ld: %ld blocks lost", i, n,
					 live - before);
		}
		print_message("row %zu: each of %ld allocations\n", i, n - 1);
		assert_true(ok && n > 3);
	}
}

/* 1 MiB of empty submessages would become more than 60 MB of structs. */
static void test_empty_elements_cost_nothing(void **state)
{
	size_t inner = (WIRE_MAX_PROGRAM_REQUEST_BYTES - 20) & ~(size_t)1, n = 0;
	uint8_t *data = malloc(WIRE_MAX_PROGRAM_REQUEST_BYTES);
	struct test_bytes head = {.size = 0};
	struct program *p;
	struct nf_error err;

	(void)state;
	/* LoadProgramRequest.program.functions[0].lines[...] */
	test_put_varint(&head, 1 << 3 | 2);
	test_put_varint(&head, inner + 4);
	test_put_varint(&head, 1 << 3 | 2);
	test_put_varint(&head, inner);
	memcpy(data, head.data, head.size);
	for (n = head.size; n < head.size + inner; n += 2)
		memcpy(data + n, "\x22\x00", 2);
	long before = allocated_bytes;
	assert_int_not_equal(wire_unpack_load_program(data, n, &p, &err), 0);
	assert_string_equal(err.where, "program.functions[0].lines[4096]");
	assert_true(allocated_bytes - before < 1000);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_allocation_fails_once, make_messages),
		cmocka_unit_test(test_empty_elements_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
static void test_skipped(void **state)
{
	(void)state;
	print_message("skipped: the sanitizer has its own malloc; the release build runs this\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_skipped)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
