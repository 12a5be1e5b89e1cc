# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# node_query.sh - for the scripts that disturb a query while it runs. Source node.sh first.
#
#	slow_data NAME      a sparse file $T/NAME of 24 GiB: some half a minute in the interpreter
#	slow_query ARG...   starts a query on it in the background: QUERY_PID, output $T/query.out,
#	                    messages $T/query.err; returns when its worker runs: WORKER_PID
#	query_status        waits for it: STATUS
#	spawner_pid         of NODE_PID
#	workers             pids of NODE_PID's workers that have a query
#	spares              pids of those that wait for one
#	wait_no_workers     until there are none; fails after 5 seconds
#	open_files          how many descriptors NODE_PID has
#	files_at_rest       the same, once connections that ended are really gone
#	check_files N       waits until it has N again; fails after 5 seconds
#	logged PATTERN      waits for a line of the node's log and prints it; fails after 5 seconds

slow_data()
{
	truncate -s 24G "$T/$1" || skip "no sparse file of 24 GiB in $T"
}

spawner_pid()
{
	pgrep -P "$NODE_PID" | head -n 1
}

workers()
{
	pgrep -P "$(spawner_pid)" -x nearfold-work || true
}

spares()
{
	pgrep -P "$(spawner_pid)" -x nearfold-spare || true
}

slow_query()
{
	local deadline=$((SECONDS + 10))

	"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --engine interp \
		--threads 1 --no-progress "$@" >"$T/query.out" 2>"$T/query.err" &
	QUERY_PID=$!
	while :; do
		WORKER_PID=$(workers | tail -n 1)
		# Past its set-up: the sandbox is on.
		if [ -n "$WORKER_PID" ] &&
			grep -q '^Seccomp:[[:space:]]*2' "/proc/$WORKER_PID/status" 2>/dev/null; then
			return 0
		fi
		kill -0 "$QUERY_PID" 2>/dev/null || fail "the query ended: $(cat "$T/query.err")"
		[ $SECONDS -lt $deadline ] || fail "no worker runs"
		sleep 0.02
	done
}

query_status()
{
	STATUS=0
	wait "$QUERY_PID" || STATUS=$?
}

wait_no_workers()
{
	local i

	for i in $(seq 250); do
		[ -n "$(workers)" ] || return 0
		sleep 0.02
	done
	fail "workers are left: $(workers)"
}

open_files()
{
	find "/proc/$NODE_PID/fd" -mindepth 1 | wc -l
}

files_at_rest()
{
	local now before=-1 same=0 i

	for i in $(seq 100); do
		now=$(open_files)
		same=$((now == before ? same + 1 : 0))
		[ $same -lt 5 ] || break
		before=$now
		sleep 0.05
	done
	echo "$now"
}

check_files()
{
	local i

	for i in $(seq 100); do
		[ "$(open_files)" != "$1" ] || return 0
		sleep 0.05
	done
	ls -l "/proc/$NODE_PID/fd" >&2
	fail "the node has $(open_files) descriptors, it had $1"
}

logged()
{
	local i

	for i in $(seq 250); do
		if grep -q "$1" "$NODE_LOG"; then
			grep "$1" "$NODE_LOG" | tail -n 1
			return 0
		fi
		sleep 0.02
	done
	fail "the node did not log '$1'"
}
