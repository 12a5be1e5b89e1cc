/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "sql/sql_gen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void sql_gen_fail(struct sql_gen *g, enum nf_code code, int32_t at, const char *fmt, ...)
{
	char where[64];
	va_list ap;

	if (g->error)
		return;
	va_start(ap, fmt);
	g->error = nf_error_vset(g->err, code, sql_where(g->plan->text, at, where, sizeof(where)),
				 fmt, ap);
	va_end(ap);
}

int32_t sql_gen_push(struct sql_gen *g, unsigned n, int32_t at)
{
	if (n > 1 && (g->depth + n) % 2)
		g->depth++;
	g->depth += n;
	if (g->depth > SQL_SLOTS) {
		sql_gen_fail(g, NF_RESOURCE_EXHAUSTED, at,
			     "this needs more than the %d bytes of stack that a program has: it is "
			     "nested too deeply, or its texts are too long",
			     SQL_SLOTS * 8);
		g->depth = n;
	}
	return -8 * (int32_t)g->depth;
}

void sql_gen_pop(struct sql_gen *g, unsigned depth)
{
	g->depth = depth;
}

uint32_t sql_gen_rodata(struct sql_gen *g, const void *bytes, uint32_t n)
{
	struct sql_rodata *r = g->rodata;

	if (r->n >= n) {
		const uint8_t *found = memmem(r->bytes, r->n, bytes, n);

		if (found)
			return (uint32_t)(found - r->bytes);
	}
	if (r->n + n > r->room) {
		uint8_t *more = realloc(r->bytes, r->room + n + 256);

		if (!more) {
			g->a.error = -ENOMEM;
			return 0;
		}
		r->bytes = more;
		r->room += n + 256;
	}
	memcpy(r->bytes + r->n, bytes, n);
	r->n += n;
	return r->n - n;
}
