#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# kill -9 of a scan, a worker or a daemon at any moment leaves no program, link or map in the kernel.
. "$(dirname "$0")/../support/node.sh"

[ "$(id -u)" = 0 ] || skip "bpftool lists programs for root only"
command -v bpftool >/dev/null || skip "bpftool is missing (make deps)"
head -c 240 /dev/zero >"$T/small.bin"
reason=$("$B/nearfold" run "$B/examples/average.bpf.o" --local "$T/small.bin" --format fixed:24 \
	--engine kernel 2>&1 >/dev/null) || skip "no kernel engine: $reason"

# ours: the ids of programs of that name that were not there before, of arenas, of links
seen()
{
	bpftool prog show 2>/dev/null | sed -n 's/^\([0-9]*\):.* name nearfold_scan .*/prog \1/p'
	bpftool map show 2>/dev/null | sed -n 's/^\([0-9]*\):.* name nearfold_arena .*/map \1/p'
}

# Other tests may run beside this one and have programs of their own: what is left is what still
# exists when nobody who could own it does. So each kill is followed by a wait for the ids that
# appeared between the start and the kill.
settle()
{
	local left i
	for ((i = 0; i < 100; i++)); do
		left=$(comm -12 <(sort <<<"$1") <(seen | sort))
		[ -n "$left" ] || return 0
		sleep 0.05
	done
	fail "$2: still in the kernel after 5 s: $left"
}

# How many descriptors of that kind the process has.
holds()
{
	find "/proc/$1/fd" -lname "anon_inode:$2" 2>/dev/null | wc -l
}

truncate -s 24G "$T/sparse.bin" # long enough to be killed in
delays=(0.005 0.01 0.015 0.02 0.03 0.05 0.1 0.2)
caught=0
for delay in "${delays[@]}"; do
	before=$(seen | sort)
	"$B/nearfold" run "$B/examples/group_by.bpf.o" --local "$T/sparse.bin" --format fixed:24 \
		--engine kernel >/dev/null 2>&1 &
	pid=$!
	sleep "$delay"
	has=$(holds "$pid" bpf-prog)
	mine=$(comm -13 <(echo "$before") <(seen | sort))
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || true
	[ "$has" = 0 ] || caught=$((caught + 1))
	settle "$mine" "a scan killed after $delay s"
done
[ "$caught" -gt 0 ] || fail "no kill came while a program was loaded"
echo "scans killed: ${#delays[@]}, with a program loaded: $caught"

# A worker, and then the whole daemon, in mid-query.
for victim in worker daemon; do
	node_start "unix:$T/$victim.sock" --export "big=$T/sparse.bin,format=fixed:24"
	before=$(seen | sort)
	"$B/nearfold" run "$B/examples/group_by.bpf.o" --node "$NODE_ADDRESS" --dataset big \
		--engine kernel >/dev/null 2>"$T/$victim.err" &
	client=$!
	worker=
	for ((i = 0; i < 200; i++)); do
		for p in $(pgrep -P "$(pgrep -d, -P "$NODE_PID")" 2>/dev/null); do
			[ "$(holds "$p" bpf-prog)" = 0 ] || worker=$p
		done
		[ -z "$worker" ] || break
		sleep 0.02
	done
	[ -n "$worker" ] || fail "no worker with a program: $(cat "$T/$victim.err")"
	mine=$(comm -13 <(echo "$before") <(seen | sort))
	[ -n "$mine" ] || fail "bpftool shows no program of the worker"
	if [ $victim = worker ]; then
		kill -9 "$worker"
	else
		node_kill
	fi
	wait "$client" 2>/dev/null && fail "the query went on without its $victim"
	settle "$mine" "the $victim killed"
	[ $victim = daemon ] || node_stop || fail "the node ended with status $?"
done
