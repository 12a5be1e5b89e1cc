/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rpc/rpc_buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/rpc_tls.h"

enum { MAX_PIECES = 32, KEEP_BYTES = 64 << 10 };

int rpc_buffer_append(struct rpc_buffer *b, const void *data, size_t size)
{
	if (size > b->capacity - b->end && b->start > 0) {
		memmove(b->data, b->data + b->start, rpc_buffer_size(b));
		b->end -= b->start;
		b->start = 0;
	}
	if (size > b->capacity - b->end) {
		size_t capacity = b->capacity ? b->capacity : 4096;

		while (capacity - b->end < size) {
			if (capacity > SIZE_MAX / 2)
				return -ENOMEM;
			capacity *= 2;
		}
		uint8_t *grown = realloc(b->data, capacity);
		if (!grown)
			return -ENOMEM;
		b->data = grown;
		b->capacity = capacity;
	}
	if (size)
		memcpy(b->data + b->end, data, size);
	b->end += size;
	return 0;
}

static void emptied(struct rpc_buffer *b)
{
	b->start = b->end = 0;
	/* An idle connection shall not keep what its largest reply needed. */
	if (b->capacity > KEEP_BYTES) {
		free(b->data);
		b->data = NULL;
		b->capacity = 0;
	}
}

int rpc_buffer_flush(struct rpc_buffer *b, struct rpc_transport *t)
{
	while (rpc_buffer_size(b) > 0) {
		struct iovec piece = {b->data + b->start, rpc_buffer_size(b)};
		ssize_t n = t->ops->write(t, &piece, 1);

		if (n < 0)
			return (int)n;
		b->start += (size_t)n;
		b->written += (uint64_t)n;
	}
	emptied(b);
	return 0;
}

int rpc_buffer_write(struct rpc_buffer *b, struct rpc_transport *t, const struct iovec *iov,
		     int n_iov)
{
	struct iovec pieces[MAX_PIECES];
	size_t waiting = rpc_buffer_size(b);

	assert(n_iov < MAX_PIECES);
	pieces[0] = (struct iovec){b->data + b->start, waiting};
	memcpy(pieces + 1, iov, (size_t)n_iov * sizeof(*iov));
	ssize_t n = waiting ? t->ops->write(t, pieces, n_iov + 1) : t->ops->write(t, iov, n_iov);
	if (n < 0 && n != -EAGAIN)
		return (int)n;

	size_t taken = n < 0 ? 0 : (size_t)n;
	b->written += taken;
	size_t from_buffer = taken < waiting ? taken : waiting;
	b->start += from_buffer;
	taken -= from_buffer;
	for (int i = 0; i < n_iov; i++) {
		size_t gone = taken < iov[i].iov_len ? taken : iov[i].iov_len;

		taken -= gone;
		if (rpc_buffer_append(b, (uint8_t *)iov[i].iov_base + gone, iov[i].iov_len - gone))
			return -ENOMEM;
	}
	if (rpc_buffer_size(b) == 0)
		emptied(b);
	return 0;
}

void rpc_buffer_done(struct rpc_buffer *b)
{
	free(b->data);
	b->data = NULL;
	b->start = b->end = b->capacity = 0;
}
