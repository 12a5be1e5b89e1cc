/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* nearfold_read.c - the raw bytes of a data set: ReadRange. */
#include <errno.h>

#include "compute-client/client.h"

struct reading {
	struct nearfold_conn *conn;
	int (*sink)(void *arg, const void *data, size_t n);
	void *arg;
	uint64_t next_offset, total, received;
	bool started;
	int stopped; /* what sink returned */
	struct nearfold_error *err;
};

static int on_bytes(struct reading *r, const Nearfold__V1__ReadRangeReply *m)
{
	if (!r->started) {
		r->started = true;
		r->next_offset = m->offset_bytes;
		r->total = m->total_bytes;
	}
	/* A piece that is missing must not go unnoticed. */
	if (m->offset_bytes != r->next_offset || m->data.len > r->total - r->received)
		return client_fail(r->err, NF_INTERNAL, "reply",
				   "the node sent bytes from %llu on where %llu was next",
				   (unsigned long long)m->offset_bytes,
				   (unsigned long long)r->next_offset);
	r->next_offset += m->data.len;
	r->received += m->data.len;
	if (m->data.len > 0)
		r->stopped = r->sink(r->arg, m->data.data, m->data.len);
	return r->stopped;
}

static int on_message(void *arg, const uint8_t *message, size_t size)
{
	struct reading *r = arg;
	struct nf_error why = {0};
	Nearfold__V1__ReadRangeReply *m = wire_unpack_read_range_reply(message, size, &why);

	if (!m)
		return client_bad_reply(r->conn, &why, r->err);
	int ret = on_bytes(r, m);

	nearfold__v1__read_range_reply__free_unpacked(m, NULL);
	return ret;
}

int nearfold_read(struct nearfold_conn *c, const char *dataset, uint64_t start_bytes,
		  uint64_t end_bytes, int (*sink)(void *arg, const void *data, size_t n), void *arg,
		  struct nearfold_error *err)
{
	Nearfold__V1__ReadRangeRequest m;
	Nearfold__V1__Range range;
	struct reading reading = {.conn = c, .sink = sink, .arg = arg, .err = err};
	struct client_refusal refusal = {0};

	if (start_bytes >= end_bytes)
		return client_fail(err, NF_INVALID_ARGUMENT, "range",
				   "the range is empty; its end must be greater than its start");
	nearfold__v1__read_range_request__init(&m);
	nearfold__v1__range__init(&range);
	range.start_bytes = start_bytes;
	range.end_bytes = end_bytes == UINT64_MAX ? 0 : end_bytes;
	m.dataset = (char *)dataset;
	if (start_bytes > 0 || end_bytes != UINT64_MAX)
		m.range = &range;

	int r = client_call(c, WIRE_READ_RANGE, &m.base, 0, on_message, &reading, &refusal, err);

	c->sent_mark = rpc_client_bytes_sent(c->rpc);
	c->received_mark = rpc_client_bytes_received(c->rpc);
	if (r < 0 && client_refusal_missing(&refusal, "dataset"))
		client_name_datasets(c, err);
	client_refusal_done(&refusal);
	if (r == 0 && reading.received != reading.total)
		r = client_fail(err, NF_DATA_LOSS, rpc_client_address(c->rpc),
				"the node ended after %llu of %llu bytes",
				(unsigned long long)reading.received,
				(unsigned long long)reading.total);
	return r;
}
