/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rpc/rpc_framing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"

void rpc_prefix_put(uint8_t prefix[RPC_PREFIX_BYTES], uint32_t size)
{
	prefix[0] = 0;
	for (int i = 0; i < 4; i++)
		prefix[1 + i] = (uint8_t)(size >> (24 - 8 * i));
}

void rpc_prefix_get(const uint8_t prefix[RPC_PREFIX_BYTES], uint8_t *ret_flag, uint32_t *ret_size)
{
	uint32_t size = 0;

	for (int i = 0; i < 4; i++)
		size = size << 8 | prefix[1 + i];
	*ret_flag = prefix[0];
	*ret_size = size;
}

/* ---- percent encoding ------------------------------------------------------------------------ */

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e && c != '%';
}

size_t rpc_percent_encode(const char *text, char *buf, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0, whole = 0; /* whole: the length up to the last complete character */

	if (size == 0)
		return 0;
	for (const char *p = text;; p++) {
		unsigned char c = (unsigned char)*p;

		if ((c & 0xc0) != 0x80)
			whole = n;
		if (!c)
			break;
		if (n + (is_plain(c) ? 1 : 3) >= size) {
			n = whole;
			break;
		}
		if (is_plain(c)) {
			buf[n++] = (char)c;
		} else {
			buf[n++] = '%';
			buf[n++] = digits[c >> 4];
			buf[n++] = digits[c & 15];
		}
	}
	buf[n] = '\0';
	return n;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

size_t rpc_percent_decode(const char *text, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	if (size == 0)
		return 0;
	for (size_t i = 0; i < len && n + 1 < size; i++) {
		char c = text[i];

		if (c == '%' && len - i > 2 && hex_value(text[i + 1]) >= 0 &&
		    hex_value(text[i + 2]) >= 0) {
			c = (char)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
			i += 2;
		}
		buf[n++] = c ? c : '?';
	}
	buf[n] = '\0';
	return n;
}

/* ---- base64 ---------------------------------------------------------------------------------- */

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void rpc_base64_encode(const uint8_t *data, size_t size, char *ret)
{
	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t bits = (uint32_t)data[i] << 16;

		if (left > 1)
			bits |= (uint32_t)data[i + 1] << 8;
		if (left > 2)
			bits |= data[i + 2];
		for (size_t k = 0; k < (left > 2 ? 4 : left + 1); k++)
			*ret++ = base64_digits[bits >> (18 - 6 * k) & 63];
	}
	*ret = '\0';
}

static int base64_value(char c)
{
	const char *p = c ? strchr(base64_digits, c) : NULL;

	return p ? (int)(p - base64_digits) : -1;
}

bool rpc_base64_decode(const char *text, size_t len, uint8_t *ret, size_t *ret_size)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	if (len > 0 && len % 4 == 0)
		for (int i = 0; i < 2 && text[len - 1] == '='; i++)
			len--;
	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			ret[n++] = (uint8_t)(bits >> have);
			bits &= (1u << have) - 1;
		}
	}
	if (bits)
		return false;
	*ret_size = n;
	return true;
}

/* ---- timeouts -------------------------------------------------------------------------------- */

/* From the finest up. */
static const struct {
	char unit;
	uint64_t ns;
} timeout_units[] = {
	{'n', 1},
	{'u', 1000},
	{'m', 1000000},
	{'S', 1000000000},
	{'M', 60ull * 1000000000},
	{'H', 3600ull * 1000000000},
};

bool rpc_timeout_parse(const char *text, size_t len, uint64_t *ret_ns)
{
	uint64_t value = 0;

	if (len < 2 || len > 9)
		return false;
	for (size_t i = 0; i < len - 1; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	for (size_t i = 0; i < ARRAY_SIZE(timeout_units); i++)
		if (timeout_units[i].unit == text[len - 1]) {
			if (__builtin_mul_overflow(value, timeout_units[i].ns, ret_ns))
				*ret_ns = UINT64_MAX;
			return true;
		}
	return false;
}

void rpc_timeout_format(uint64_t ns, char ret[RPC_TIMEOUT_CHARS])
{
	for (size_t i = 0; i < ARRAY_SIZE(timeout_units); i++) {
		uint64_t unit = timeout_units[i].ns;
		uint64_t value = ns / unit + (ns % unit != 0);

		if (value <= 99999999) {
			snprintf(ret, RPC_TIMEOUT_CHARS, "%u%c", (unsigned)value,
				 timeout_units[i].unit);
			return;
		}
	}
}

bool rpc_content_type_ok(const char *text, size_t len)
{
	static const char want[] = "application/grpc";
	const size_t n = sizeof(want) - 1;

	return len >= n && memcmp(text, want, n) == 0 &&
	       (len == n || text[n] == '+' || text[n] == ';');
}
