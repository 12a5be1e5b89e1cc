#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# One runs, one waits, the third is told which limit it met.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

slow_data slow.bin
truncate -s 600000000 "$T/some.bin"
# refused LIMIT FILE: does the message name code and limit?
refused()
{
	grep -q RESOURCE_EXHAUSTED "$2" && grep -q "limit $1" "$2" || fail "$1: $(cat "$2")"
}
exports=(--export "slow=$T/slow.bin,format=fixed:24" --export "some=$T/some.bin,format=fixed:24")
query()
{
	"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --engine interp \
		--threads 1 --no-progress --output csv "$@"
}

node_start 127.0.0.1:0 "${exports[@]}" --limit queries_running=1 --limit queries_queued=1
slow_query --dataset slow
first=$QUERY_PID
query --dataset some >"$T/second.out" 2>"$T/second.err" &
second=$!
for i in $(seq 100); do
	"$B/nearfold" status --node "$NODE_ADDRESS" >"$T/status"
	! grep -q queued "$T/status" || break
	sleep 0.02
done
grep -q queued "$T/status" || fail "nobody waits: $(cat "$T/status")"
status=0
query --dataset some >"$T/third.out" 2>"$T/third.err" || status=$?
check_equal "exit status of the third" "$status" 1
refused queries_queued "$T/third.err"
kill -0 "$second" || fail "the second does not wait"
kill -INT "$first"
wait "$first" && fail "the first was not cancelled"
wait "$second" || fail "the second failed: $(cat "$T/second.err")"
grep -q '^25000000,' "$T/second.out" || fail "wrong answer: $(cat "$T/second.out")"
node_stop || true

node_start 127.0.0.1:0 "${exports[@]}" --limit queries_per_identity=1
slow_query --dataset slow
query --dataset some >"$T/out" 2>"$T/err" && fail "an identity has more than its share"
refused queries_per_identity "$T/err"
kill -INT "$QUERY_PID"
query_status
node_stop || true

node_start 127.0.0.1:0 "${exports[@]}" --limit seconds_per_query=1
slow_query --dataset slow
query_status
check_equal "exit status after its time" "$STATUS" 1
refused seconds_per_query "$T/query.err"
wait_no_workers
node_stop || true

node_start 127.0.0.1:0 "${exports[@]}" --limit cpu_seconds_per_query=1
slow_query --dataset slow
query_status
refused cpu_seconds_per_query "$T/query.err"
