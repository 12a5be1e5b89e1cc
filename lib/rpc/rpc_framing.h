/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_framing.h - the encodings of gRPC over HTTP/2 (PROTOCOL-HTTP2.md): the five bytes before a
 * message, percent-encoded texts, base64 of "-bin" headers, timeouts. Pure functions.
 */
#ifndef NF_RPC_FRAMING_H
#define NF_RPC_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RPC_PREFIX_BYTES = 5,   /* flag (1: compressed), length as 4 bytes big-endian */
	RPC_TIMEOUT_CHARS = 10, /* "99999999m" and NUL */
};

void rpc_prefix_put(uint8_t prefix[RPC_PREFIX_BYTES], uint32_t size);
void rpc_prefix_get(const uint8_t prefix[RPC_PREFIX_BYTES], uint8_t *ret_flag, uint32_t *ret_size);

/*
 * grpc-message: bytes below 0x20, above 0x7e and '%' become "%XX". Text that does not fit into size
 * (with its NUL) is cut, never inside a "%XX" and never inside a UTF-8 character. Returns the
 * length.
 */
size_t rpc_percent_encode(const char *text, char *buf, size_t size);
/*
 * The way back, lenient as the protocol demands: a '%' without two hex digits stays as it is. NUL
 * bytes become '?' and the text is cut to size. Returns the length.
 */
size_t rpc_percent_decode(const char *text, size_t len, char *buf, size_t size);

/* Length of the encoding (without padding, as gRPC wants it written) and its NUL. */
#define RPC_BASE64_CHARS(n) (((n)*4 + 2) / 3 + 1)
void rpc_base64_encode(const uint8_t *data, size_t size, char *ret);
/*
 * With or without padding. ret holds at least len * 3 / 4 bytes. False for anything that no encoder
 * writes: other characters, a single left-over character, bits set in the unused rest.
 */
bool rpc_base64_decode(const char *text, size_t len, uint8_t *ret, size_t *ret_size);

/* grpc-timeout: 1 to 8 digits and one of H M S m u n. False when malformed. Saturates. */
bool rpc_timeout_parse(const char *text, size_t len, uint64_t *ret_ns);
/* In the finest unit that 8 digits can hold; rounded up, so that it is never too short. */
void rpc_timeout_format(uint64_t ns, char ret[RPC_TIMEOUT_CHARS]);

/* "application/grpc", alone or followed by '+' or ';' (not "application/grpc-web"). */
bool rpc_content_type_ok(const char *text, size_t len);

#endif
