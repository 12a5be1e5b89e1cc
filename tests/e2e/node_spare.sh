#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The spare worker: contained from the start, no query, the next query's process, gone with the daemon.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

slow_data slow.bin
head -c 240 /dev/zero >"$T/small.bin"

# Until there are $1 of them.
wait_spares()
{
	local _

	for _ in $(seq 250); do
		[ "$(spares | wc -l)" != "$1" ] || return 0
		sleep 0.02
	done
	fail "not $1 spare workers: $(spares)"
}

status()
{
	"$B/nearfold" status --node "$NODE_ADDRESS" --output json | jq "$1"
}

node_start "unix:$T/node.sock" --export "slow=$T/slow.bin,format=fixed:24" \
	--export "small=$T/small.bin,format=fixed:24"
wait_spares 1
spare=$(spares)
check_equal "spare workers in nearfold status" "$(status .spare_workers)" 1
check_equal "queries in nearfold status" "$(status '.queries | length')" 0
check_equal "no new privileges" "$(sed -n 's/^NoNewPrivs:[[:space:]]*//p' "/proc/$spare/status")" 1
if [ -r "/proc/$spare/fd" ] && find "/proc/$spare/fd" -mindepth 1 >/dev/null 2>&1; then
	check_equal "descriptors of the spare" \
		"$(find "/proc/$spare/fd" -mindepth 1 -printf '%f %l\n' | sort | sed 's/\[.*//' | tr '\n' ' ')" \
		"0 /dev/null 1 /dev/null 2 /dev/null 3 socket: "
fi

slow_query --dataset slow
check_equal "the process of the query" "$WORKER_PID" "$spare"
wait_spares 1
[ "$(spares)" != "$spare" ] || fail "the spare is still the worker"
check_equal "queries in nearfold status" "$(status '.queries | length')" 1
kill -INT "$QUERY_PID"
query_status
wait_no_workers

# One that is killed is no query's loss.
kill -9 "$(spares)"
"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset small --output csv \
	>"$T/small.out" 2>&1 || fail "$(cat "$T/small.out")"
wait_spares 1
spare=$(spares)
node_kill
for _ in $(seq 100); do
	[ -e "/proc/$spare" ] && ! grep -q '^State:[[:space:]]*[ZX]' "/proc/$spare/status" || break
	sleep 0.02
done
[ ! -e "/proc/$spare" ] || grep -q '^State:[[:space:]]*[ZX]' "/proc/$spare/status" ||
	fail "the spare outlives the daemon"

rm -f "$T/node.sock"
node_start "unix:$T/node.sock" --limit spare_workers=0 --export "small=$T/small.bin,format=fixed:24"
"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset small --output csv \
	>"$T/small.out" 2>&1 || fail "$(cat "$T/small.out")"
check_equal "spare workers with spare_workers=0" "$(spares)" ""
node_stop || fail "the node ended with status $?"
