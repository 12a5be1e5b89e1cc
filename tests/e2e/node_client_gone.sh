#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# When its client leaves, a query's worker is gone within 10 ms of the connection's end.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

slow_data slow.bin
node_start 127.0.0.1:0 --log-level debug --export "slow=$T/slow.bin,format=fixed:24"

# The time stands in the log: from the connection's end to the reaped worker.
gone_us()
{
	logged "worker $WORKER_PID gone after" | sed 's/.*gone after \([0-9]*\) us.*/\1/'
}

# Five clients that end in two ways; sets MEDIAN.
round()
{
	local signal all=()

	for signal in KILL INT KILL INT KILL; do
		slow_query --dataset slow
		kill -"$signal" "$QUERY_PID"
		query_status 2>/dev/null
		all+=("$(gone_us)")
	done
	wait_no_workers
	MEDIAN=$(printf '%s\n' "${all[@]}" | sort -n | sed -n 3p)
	echo "worker gone after ${all[*]} us; median $MEDIAN us"
}

# The aim is 10 ms. A machine that is busy with other things takes longer to run what has to die, so
# look again then; what is asserted is that somebody ends the worker, which would take half a minute.
rounds=0
MEDIAN=999999
while [ "$MEDIAN" -ge 10000 ] && [ "$rounds" -lt 4 ]; do
	rounds=$((rounds + 1))
	round
	[ "$MEDIAN" -lt 5000000 ] || fail "nobody ended the worker: it was gone after $MEDIAN us"
done
[ "$MEDIAN" -lt 10000 ] || echo "more than the 10 ms aimed at; load: $(cut -d' ' -f1-3 /proc/loadavg)"
check_equal "cancelled queries" "$(grep -c 'outcome=CANCELLED' "$NODE_LOG")" $((5 * rounds))

slow_query --dataset slow --timeout 500ms
query_status
check_equal "exit status" "$STATUS" 1
grep -q DEADLINE_EXCEEDED "$T/query.err" || fail "not DEADLINE_EXCEEDED: $(cat "$T/query.err")"
echo "deadline: worker gone after $(gone_us) us"
wait_no_workers
