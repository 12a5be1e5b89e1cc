#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Many clients at once: some wait for their answer, some give up, some are killed, some lose their worker.
# Right answers are right, and afterwards nothing is left.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

head -c 2400000 /dev/urandom >"$T/some.bin"
truncate -s 1200000000 "$T/slow.bin"
node_start 127.0.0.1:0 --export "some=$T/some.bin,format=fixed:24" \
	--export "slow=$T/slow.bin,format=fixed:24" --limit queries_running=4 \
	--limit queries_per_identity=100 --log-level debug
run()
{
	"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --no-progress \
		--output csv "$@"
}
run --dataset some >"$T/want" || fail "the first query failed"
wait_no_workers
before=$(files_at_rest)

patient()
{
	local i

	for i in $(seq 15); do
		run --dataset some >"$T/got.$1" 2>"$T/err.$1" || fail "$(cat "$T/err.$1")"
		cmp -s "$T/want" "$T/got.$1" || fail "another answer: $(cat "$T/got.$1")"
	done
}

# Answers may come, errors may come; a wrong answer may not.
impatient()
{
	local i

	for i in $(seq 15); do
		if run --dataset slow --timeout "$((i * 7))ms" >"$T/got.$1" 2>/dev/null; then
			grep -q '^50000000,0,' "$T/got.$1" || fail "wrong: $(cat "$T/got.$1")"
		fi
	done
}

killed()
{
	local i pid

	for i in $(seq 15); do
		run --dataset slow >/dev/null 2>&1 &
		pid=$!
		sleep "0.0$((i % 10))"
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

cruel()
{
	local i pid

	for i in $(seq 15); do
		run --dataset slow --engine interp >"$T/got.$1" 2>/dev/null &
		pid=$!
		sleep 0.05
		# Only workers of slow data, which patient() does not wait for.
		for worker in $(workers); do
			! ls -l "/proc/$worker/fd" 2>/dev/null | grep -q slow.bin ||
				kill -9 "$worker" 2>/dev/null || true
		done
		wait "$pid" || true
	done
}

jobs=()
patient 1 & jobs+=($!)
patient 2 & jobs+=($!)
impatient 3 & jobs+=($!)
killed 4 2>/dev/null & jobs+=($!)
cruel 5 & jobs+=($!)
for job in "${jobs[@]}"; do
	wait "$job" || fail "a client met what it should not"
done

wait_no_workers
check_files "$before"
"$B/nearfold" status --node "$NODE_ADDRESS" >"$T/status"
! grep -qE 'running|queued' <(grep -v '^limit' "$T/status") || fail "queries are left: $(cat "$T/status")"
run --dataset some >"$T/got" || fail "no answer afterwards"
cmp -s "$T/want" "$T/got" || fail "another answer afterwards"
echo "outcomes: $(sed -n 's/.*outcome=\([A-Z_]*\).*/\1/p' "$NODE_LOG" | sort | uniq -c | tr -s ' \n' ' ')"
grep -qE 'malformed|impossible' "$NODE_LOG" && fail "a worker's words were not understood"
node_stop || fail "the node ended with status $?"
