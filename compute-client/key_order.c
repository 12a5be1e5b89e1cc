/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/key_order.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef __int128 wide;
typedef unsigned __int128 uwide;

/* Little-endian, as BPF has it. */
static uwide load(const struct layout_member *m, const uint8_t *bytes)
{
	uwide v = 0;

	for (uint32_t i = 0; i < m->size_bytes && i < sizeof(v); i++)
		v |= (uwide)bytes[m->offset_bytes + i] << (8 * i);
	if (m->bit_size)
		v = v >> m->bit_offset & (((uwide)1 << m->bit_size) - 1);
	return v;
}

static wide load_signed(const struct layout_member *m, const uint8_t *bytes)
{
	unsigned bits = m->bit_size ? m->bit_size : 8 * m->size_bytes;
	unsigned unused = bits < 128 ? 128 - bits : 0;

	return (wide)(load(m, bytes) << unused) >> unused;
}

static double load_float(const struct layout_member *m, const uint8_t *bytes)
{
	float f;
	double d;

	if (m->size_bytes == sizeof(f)) {
		memcpy(&f, bytes + m->offset_bytes, sizeof(f));
		return f;
	}
	memcpy(&d, bytes + m->offset_bytes, sizeof(d));
	return d;
}

static int order_floats(double a, double b)
{
	if (isnan(a) || isnan(b))
		return (isnan(a) != 0) - (isnan(b) != 0);
	return (a > b) - (a < b);
}

static int order_member(const struct layout_member *m, const uint8_t *a, const uint8_t *b)
{
	switch (m->type) {
	case LAYOUT_SIGNED: {
		wide x = load_signed(m, a), y = load_signed(m, b);

		return (x > y) - (x < y);
	}
	case LAYOUT_UNSIGNED:
	case LAYOUT_BOOL: {
		uwide x = load(m, a), y = load(m, b);

		return (x > y) - (x < y);
	}
	case LAYOUT_FLOAT:
		return order_floats(load_float(m, a), load_float(m, b));
	case LAYOUT_TEXT:
		return strncmp((const char *)a + m->offset_bytes, (const char *)b + m->offset_bytes,
			       m->size_bytes);
	case LAYOUT_AVERAGE_SIGNED:
	case LAYOUT_AVERAGE_UNSIGNED:
		return 0; /* computed from members that were compared */
	case LAYOUT_BYTES:
		break;
	}
	return memcmp(a + m->offset_bytes, b + m->offset_bytes, m->size_bytes);
}

int key_order(const struct layout *l, uint32_t key_bytes, const uint8_t *a, const uint8_t *b)
{
	for (uint32_t i = 0; i < l->n_members; i++) {
		int order = order_member(&l->members[i], a, b);

		if (order)
			return order;
	}
	return memcmp(a, b, key_bytes);
}
