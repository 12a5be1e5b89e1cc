#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# SIGTERM: running queries finish, new ones are refused; a limit of time; a second signal.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

slow_data slow.bin
truncate -s 1200000000 "$T/some.bin"
exports=(--export "slow=$T/slow.bin,format=fixed:24" --export "some=$T/some.bin,format=fixed:24")

node_start 127.0.0.1:0 "${exports[@]}"
slow_query --dataset some --output csv
kill -TERM "$NODE_PID"
logged 'draining'
"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset some \
	>"$T/new.out" 2>"$T/new.err" && fail "a new query was taken while draining"
grep -q UNAVAILABLE "$T/new.err" || fail "not UNAVAILABLE: $(cat "$T/new.err")"
query_status
check_equal "exit status of the running query" "$STATUS" 0
grep -q '^50000000,' "$T/query.out" || fail "wrong answer: $(cat "$T/query.out")"
status=0
wait "$NODE_PID" || status=$?
check_equal "the daemon's exit status" "$status" 0

# drain_seconds cuts what takes longer.
node_start 127.0.0.1:0 "${exports[@]}" --limit drain_seconds=1
slow_query --dataset slow
from=$(date +%s%N)
status=0
node_stop || status=$?
took=$((($(date +%s%N) - from) / 1000000))
check_equal "the daemon's exit status when it had to cut" "$status" 1
# The query would take some half a minute.
[ "$took" -ge 900 ] && [ "$took" -lt 15000 ] || fail "the drain took $took ms instead of 1000"
query_status
check_equal "exit status of the cut query" "$STATUS" 1
grep -q UNAVAILABLE "$T/query.err" || fail "not UNAVAILABLE: $(cat "$T/query.err")"
[ ! -e "/proc/$WORKER_PID" ] || fail "the worker is left"

# A second signal ends at once.
node_start 127.0.0.1:0 "${exports[@]}"
slow_query --dataset slow
kill -TERM "$NODE_PID"
logged 'draining'
status=0
node_stop || status=$?
check_equal "the daemon's exit status after a second signal" "$status" 1
query_status
check_equal "exit status of the cut query" "$STATUS" 1

# Signals that go on while the daemon ends: the exit status stays the daemon's own.
for _ in $(seq 10); do
	node_start 127.0.0.1:0 "${exports[@]}"
	for _ in $(seq 100000); do
		kill -TERM "$NODE_PID" 2>/dev/null || break
	done
	status=0
	node_stop || status=$?
	[ "$status" -le 1 ] || fail "the daemon's exit status under a storm of signals is $status"
done
