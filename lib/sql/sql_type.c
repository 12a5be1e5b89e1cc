/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "sql/sql_type.h"

#include <stddef.h>

static const char *const names[SQL_TYPES] = {
	[SQL_UNKNOWN] = "unknown",
	[SQL_BOOL] = "boolean",
	[SQL_INT2] = "smallint",
	[SQL_INT4] = "integer",
	[SQL_INT8] = "bigint",
	[SQL_NUMERIC] = "numeric",
	[SQL_FLOAT8] = "double precision",
	[SQL_TEXT] = "text",
	[SQL_DATE] = "date",
	[SQL_TIMESTAMP] = "timestamp without time zone",
	[SQL_INTERVAL] = "interval",
};

const char *sql_type_name(enum sql_type type)
{
	return (size_t)type < SQL_TYPES ? names[type] : "???";
}
