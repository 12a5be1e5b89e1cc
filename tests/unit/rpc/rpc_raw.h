/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_raw.h - a peer that does as it likes: raw bytes, or an HTTP/2 session (nghttp2) without any
 * of our client's manners.
 */
#ifndef RPC_RAW_H
#define RPC_RAW_H

#include "rpc_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

struct raw_peer {
	int fd;
	nghttp2_session *session;
	char http_status[8], grpc_status[8], grpc_message[1024];
	char body[4096];
	size_t body_size;
	bool is_closed; /* the stream */
	uint32_t stream_error;
	bool has_goaway;
	uint32_t goaway_error;
	const uint8_t *request;
	size_t request_size;
	bool ends_request;
};

static inline int raw_socket(const char *address)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	bool is_unix = strncmp(address, "unix:", 5) == 0;
	int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (is_unix) {
		snprintf(sun.sun_path, sizeof(sun.sun_path), "%.107s", address + 5);
		r = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	} else {
		sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		sin.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
		r = connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	}
	assert_int_equal(r, 0);
	return fd;
}

/* What can be written of data; false: the server has hung up. */
static inline bool raw_write(int fd, const void *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		data = (const uint8_t *)data + n;
		size -= (size_t)n;
	}
	return true;
}

/* Read until the server hangs up, at most ms without a byte. Returns -1 if it does not. */
static inline ssize_t raw_read_to_end(int fd, int ms, void *buf, size_t size)
{
	size_t n = 0;
	uint8_t more[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, ms) == 0)
			return -1;
		ssize_t r = n < size ? recv(fd, (uint8_t *)buf + n, size - n, 0)
				     : recv(fd, more, sizeof(more), 0);
		if (r <= 0)
			return (ssize_t)n;
		n += n < size ? (size_t)r : 0;
	}
}

/* ---- an HTTP/2 session ----------------------------------------------------------------------- */

static inline int raw_on_header(nghttp2_session *s, const nghttp2_frame *f, const uint8_t *name,
				size_t name_len, const uint8_t *value, size_t value_len,
				uint8_t flags, void *user)
{
	struct raw_peer *p = user;

	(void)s;
	(void)f;
	(void)flags;
	if (name_len == 7 && memcmp(name, ":status", 7) == 0)
		snprintf(p->http_status, 8, "%.*s", (int)value_len, value);
	if (name_len == 11 && memcmp(name, "grpc-status", 11) == 0)
		snprintf(p->grpc_status, 8, "%.*s", (int)value_len, value);
	if (name_len == 12 && memcmp(name, "grpc-message", 12) == 0)
		snprintf(p->grpc_message, 1024, "%.*s", (int)value_len, value);
	return 0;
}

static inline int raw_on_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *data,
			      size_t size, void *user)
{
	struct raw_peer *p = user;

	(void)s;
	(void)flags;
	(void)id;
	for (size_t i = 0; i < size && p->body_size < sizeof(p->body) - 1; i++)
		p->body[p->body_size++] = (char)data[i];
	return 0;
}

static inline int raw_on_close(nghttp2_session *s, int32_t id, uint32_t error, void *user)
{
	struct raw_peer *p = user;

	(void)s;
	(void)id;
	p->is_closed = true;
	p->stream_error = error;
	return 0;
}

static inline int raw_on_frame(nghttp2_session *s, const nghttp2_frame *f, void *user)
{
	struct raw_peer *p = user;

	(void)s;
	if (f->hd.type == NGHTTP2_GOAWAY) {
		p->has_goaway = true;
		p->goaway_error = f->goaway.error_code;
	}
	return 0;
}

static inline ssize_t raw_on_send(nghttp2_session *s, const uint8_t *data, size_t size, int flags,
				  void *user)
{
	struct raw_peer *p = user;

	(void)s;
	(void)flags;
	return raw_write(p->fd, data, size) ? (ssize_t)size : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static inline ssize_t raw_on_body(nghttp2_session *s, int32_t id, uint8_t *buf, size_t length,
				  uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct raw_peer *p = user;
	size_t n = p->request_size < length ? p->request_size : length;

	(void)s;
	(void)id;
	(void)source;
	if (n == 0 && !p->ends_request)
		return NGHTTP2_ERR_DEFERRED;
	memcpy(buf, p->request, n);
	p->request += n;
	p->request_size -= n;
	if (p->request_size == 0 && p->ends_request)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static inline void raw_open(struct raw_peer *p, const char *address)
{
	nghttp2_session_callbacks *cb;

	memset(p, 0, sizeof(*p));
	p->fd = raw_socket(address);
	nghttp2_session_callbacks_new(&cb);
	nghttp2_session_callbacks_set_on_header_callback(cb, raw_on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, raw_on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, raw_on_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, raw_on_frame);
	nghttp2_session_callbacks_set_send_callback(cb, raw_on_send);
	assert_int_equal(nghttp2_session_client_new(&p->session, cb, p), 0);
	nghttp2_session_callbacks_del(cb);
	nghttp2_submit_settings(p->session, 0, NULL, 0);
}

static inline void raw_close(struct raw_peer *p)
{
	nghttp2_session_del(p->session);
	close(p->fd);
}

#define RAW_NV(name, value)                                                           \
	{                                                                             \
		(uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), 0 \
	}

/* A request of which each part can be wrong. extra: one more header, "name", "value", or NULL. */
static inline int32_t raw_submit(struct raw_peer *p, const char *method, const char *path,
				 const char *content_type, const char *const extra[2],
				 const void *body, size_t size, bool ends)
{
	nghttp2_data_provider provider = {.read_callback = raw_on_body};
	nghttp2_nv headers[7] = {RAW_NV(":method", method),
				 RAW_NV(":scheme", "http"),
				 RAW_NV(":path", path),
				 RAW_NV(":authority", "x"),
				 RAW_NV("content-type", content_type),
				 RAW_NV("te", "trailers")};
	size_t n = 6;

	if (extra) {
		nghttp2_nv nv = RAW_NV(extra[0], extra[1]);

		headers[n++] = nv;
	}
	p->request = body;
	p->request_size = size;
	p->ends_request = ends;
	p->is_closed = false;
	p->http_status[0] = p->grpc_status[0] = p->grpc_message[0] = '\0';
	p->body_size = 0;
	return nghttp2_submit_request(p->session, NULL, headers, n, body ? &provider : NULL, NULL);
}

/* Until the stream or the connection is closed; at most two seconds of silence. */
static inline bool raw_run(struct raw_peer *p)
{
	uint8_t buf[65536];

	while (!p->is_closed) {
		struct pollfd poll_fd = {.fd = p->fd, .events = POLLIN};

		if (nghttp2_session_send(p->session) || p->is_closed)
			break;
		if (poll(&poll_fd, 1, 2000) == 0)
			return false;
		ssize_t n = recv(p->fd, buf, sizeof(buf), 0);
		if (n <= 0 || nghttp2_session_mem_recv(p->session, buf, (size_t)n) < 0)
			break;
	}
	p->body[p->body_size] = '\0';
	return p->is_closed;
}

/* ---- frames by hand -------------------------------------------------------------------------- */

static inline size_t raw_frame(uint8_t *out, uint8_t type, uint8_t flags, uint32_t stream,
			       const void *payload, size_t size)
{
	const uint8_t header[9] = {(uint8_t)(size >> 16),
				   (uint8_t)(size >> 8),
				   (uint8_t)size,
				   type,
				   flags,
				   (uint8_t)(stream >> 24),
				   (uint8_t)(stream >> 16),
				   (uint8_t)(stream >> 8),
				   (uint8_t)stream};

	memcpy(out, header, 9);
	memcpy(out + 9, payload, size);
	return 9 + size;
}

/* HPACK without the dynamic table: POST, http, the path, content-type application/grpc. */
static inline size_t raw_header_block(uint8_t *out, const char *path)
{
	size_t n = 0, len = strlen(path);

	out[n++] = 0x83;
	out[n++] = 0x86;
	out[n++] = 0x04;
	out[n++] = (uint8_t)len;
	memcpy(out + n, path, len);
	n += len;
	memcpy(out + n,
	       "\x01\x01x\x0f\x10\x10"
	       "application/grpc",
	       22);
	return n + 22;
}

#define RAW_HELLO NGHTTP2_CLIENT_MAGIC "\0\0\0\x04\0\0\0\0\0"
enum { RAW_HELLO_BYTES = NGHTTP2_CLIENT_MAGIC_LEN + 9 };

#endif
