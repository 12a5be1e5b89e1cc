#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# nearfold query = PostgreSQL 15 over the same rows: a list of queries and random ones, rows, numbers'
# digits, types, names and the words of errors (tests/support/sql_oracle.py).
. "$(dirname "$0")/../support/node.sh"

support=$(dirname "$0")/../support
status=0
"$support/sql_oracle.py" --nearfold "$B/nearfold" --queries "$support/sql_queries.sql" \
	--random 300 --seed 1 --show refused || status=$?
[ "$status" != 77 ] || exit 77
[ "$status" = 0 ] || fail "another answer than PostgreSQL's"
