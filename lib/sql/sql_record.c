/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_record.c - from the bytes of a record to values: the reference for what compiled queries
 * load. */
#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include "sql/sql_expr.h"

static int refuse(const struct sql_column *c, struct nf_error *err, const char *what, int64_t raw)
{
	return nf_error_set(err, NF_OUT_OF_RANGE, c->name, "%s: %" PRId64, what, raw);
}

static int64_t load_integer(const struct sql_column *c, const uint8_t *p)
{
	uint64_t raw = 0;

	memcpy(&raw, p, c->bytes);
	raw = le64toh(raw);
	switch (c->storage) {
	case SQL_STORED_I8:
		return (int8_t)raw;
	case SQL_STORED_I16:
		return (int16_t)raw;
	case SQL_STORED_I32:
	case SQL_STORED_DATE:
		return (int32_t)raw;
	default:
		return (int64_t)raw;
	}
}

static double load_real(const struct sql_column *c, const uint8_t *p)
{
	uint64_t raw = 0;
	uint32_t narrow;
	float f;
	double d;

	memcpy(&raw, p, c->bytes);
	raw = le64toh(raw);
	memcpy(&d, &raw, sizeof(d));
	narrow = (uint32_t)raw;
	memcpy(&f, &narrow, sizeof(f));
	return c->storage == SQL_STORED_F32 ? (double)f : d;
}

static bool digits_fit(int64_t raw, unsigned precision)
{
	int64_t limit = 1;

	for (unsigned i = 0; i < precision; i++)
		limit *= 10;
	return raw > -limit && raw < limit;
}

/* A bool from any byte, text up to the first NUL. */
int sql_record_value(const struct sql_column *c, const uint8_t *record, struct sql_value *ret,
		     struct nf_error *err)
{
	const uint8_t *p = record + c->offset;
	int64_t raw;

	switch (c->storage) {
	case SQL_STORED_CHAR:
		return sql_value_bytes((const char *)p, strnlen((const char *)p, c->bytes), ret,
				       err);
	case SQL_STORED_F32:
	case SQL_STORED_F64:
		*ret = sql_value_real(load_real(c, p));
		return 0;
	default:
		raw = load_integer(c, p);
	}
	switch (c->storage) {
	case SQL_STORED_BOOL:
		*ret = sql_value_bool(raw != 0);
		return 0;
	case SQL_STORED_DECIMAL:
		if (!digits_fit(raw, c->precision))
			return refuse(c, err,
				      "a stored decimal has more digits than the schema says", raw);
		*ret = sql_value_number(raw, c->scale);
		return 0;
	case SQL_STORED_U64:
		if (raw < 0)
			return nf_error_set(err, NF_OUT_OF_RANGE, c->name,
					    "a stored u64 is 2^63 or more: %" PRIu64,
					    (uint64_t)raw);
		break;
	case SQL_STORED_DATE:
		if (!sql_date_in_range(raw))
			return refuse(c, err, "date out of range", raw);
		break;
	case SQL_STORED_TIMESTAMP:
		if (!sql_timestamp_in_range(raw))
			return refuse(c, err, "timestamp out of range", raw);
		break;
	default:
		break;
	}
	*ret = sql_value_integer(c->type, raw);
	return 0;
}
