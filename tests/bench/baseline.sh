# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# baseline.sh - for the base lines: two network namespaces with a cable that tc makes slow, the data
# and a node on the far side, and rounds in which everybody takes turns.
#
#	. "$(dirname "$0")/baseline.sh"
#	baseline_need nginx curl
#	baseline_begin fixed|lines
#	far nginx ...                        runs on the node's side, in the background
#	way_http() { curl -s ... | fold; }   prints the answer
#	baseline_run "offload=way_offload" "http + fold=way_http" ...
#
# Sourcing it starts the script anew in a network and a process namespace of its own: all of it,
# servers included, is gone when it ends, however it ends. Nothing travels outside of the two.
# Every way prints the same answer (checked), and pays for its processes, its connection and its
# program.

set -euo pipefail
cd "$(dirname "$0")/../.."
B=$(realpath "${B:-build/release}")
BASELINE_NAME=$(basename "$0" .sh)

baseline_skip()
{
	echo "$BASELINE_NAME: left out: $*"
	exit 0
}

if [ -z "${BASELINE_INSIDE:-}" ]; then
	[ "$(id -u)" = 0 ] || baseline_skip "network namespaces and shaped links need root"
	command -v tc >/dev/null && command -v ip >/dev/null || baseline_skip "iproute2 is not installed"
	BASELINE_T=$(mktemp -d "${TMPDIR:-/tmp}/nearfold-baseline.XXXXXX")
	export BASELINE_INSIDE=1 BASELINE_T
	status=0
	trap : INT TERM
	unshare --net --pid --fork --kill-child --mount --mount-proc "tests/bench/$BASELINE_NAME.sh" "$@" || status=$?
	rm -rf "$BASELINE_T"
	exit $status
fi

T=$BASELINE_T
ROUNDS=5 SIZE_MB=256
for arg in "$@"; do
	[ "$arg" != --quick ] || { ROUNDS=3 SIZE_MB=64; }
done
NODE=10.99.0.2

baseline_need()
{
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || baseline_skip "$tool is not installed (packaging/packages.txt)"
	done
}

far()
{
	nsenter --net="/proc/$FAR_PID/ns/net" "$@"
}

# shape MBIT (0: unshaped), both ends
shape()
{
	local end
	for end in near:nfc0 far:nfn0; do
		local run=() dev=${end#*:}
		[ "${end%%:*}" != far ] || run=(far)
		if [ "$1" = 0 ]; then
			"${run[@]}" tc qdisc replace dev "$dev" root noqueue
		else
			"${run[@]}" tc qdisc replace dev "$dev" root tbf rate "$1mbit" \
				burst $(($1 * 125 > 131072 ? $1 * 125 : 131072)) limit 64mb
		fi
	done
}

baseline_begin()
{
	ip link set lo up
	unshare --net sleep infinity &
	FAR_PID=$!
	while [ "$(readlink /proc/$FAR_PID/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
	ip link add nfc0 type veth peer name nfn0 netns "$FAR_PID"
	ip addr add 10.99.0.1/24 dev nfc0
	ip link set nfc0 up
	far ip link set lo up
	far ip addr add $NODE/24 dev nfn0
	far ip link set nfn0 up
	if [ "$1" = fixed ]; then
		FILE=$T/data.bin FORMAT=fixed:32 PROGRAM=select PARAM=bound=500000
		"$B/nearfold" bench sweep --generate "$FILE" --size ${SIZE_MB}M
	else
		FILE=$T/lines.txt FORMAT=lines PROGRAM=lines PARAM=longer=40
		mawk -v bytes=$((SIZE_MB << 20)) 'BEGIN {
			srand(1); for (i = 0; i < 100; i++) x = x "x"
			while (at < bytes) {
				n = 19 + int(rand() * 80); k = int(rand() * n)
				print substr(x, 1, k) ":" substr(x, 1, n - k - 1); at += n + 1
			}}' >"$FILE"
	fi
	: >"$T/node.log"
	far "$B/nearfoldd" --listen $NODE:7411 --insecure --export "data=$FILE,format=$FORMAT,allow=*" \
		>"$T/node.log" 2>&1 &
	until grep -q 'listening on' "$T/node.log"; do sleep 0.05; done
	cat "$FILE" >/dev/null
	[ -z "${BENCH_JSON:-}" ] || : >"$BENCH_JSON" # a JSON object per line
	echo "$BASELINE_NAME: $(date -u '+%Y-%m-%d %H:%M UTC'), $(uname -sr), $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)"
	echo "$SIZE_MB MiB of $FORMAT in the page cache, $PROGRAM $PARAM, $ROUNDS rounds in turns"
}

fold()
{
	"$B/fold_stdin" "$B/bench-programs/$PROGRAM.bpf.o" "${FORMAT%%:*}" jit "$PARAM"
}

way_offload()
{
	"$B/nearfold" run "$B/bench-programs/$PROGRAM.bpf.o" --param "$PARAM" --node $NODE --dataset data \
		--engine jit --output csv
}

way_ship()
{
	"$B/nearfold" read --node $NODE --dataset data | fold
}

wire()
{
	# mawk prints sums above 2^31 as 2.1e+09.
	awk -F'[: ]+' '$2 == "nfc0" {printf "%.0f\n", $3 + $11}' /proc/net/dev
}

# NAME=FUNCTION ...: a table per link speed
baseline_run()
{
	local mbit round way name answer want='' began ended before bytes
	for mbit in 1000 10000 0; do
		shape $mbit
		: >"$T/times"
		for round in $(seq 0 "$ROUNDS"); do # round 0 warms up
			for way in "$@"; do
				name=${way%%=*}
				before=$(wire)
				began=$(date +%s%N)
				answer=$("${way#*=}")
				ended=$(date +%s%N)
				bytes=$(($(wire) - before))
				want=${want:-$answer}
				if [ "$answer" != "$want" ]; then
					echo "$name: another answer: $answer instead of $want" >&2
					exit 1
				fi
				[ "$round" = 0 ] || printf '%s\t%s\t%s\n' "$name" $((ended - began)) $bytes >>"$T/times"
			done
		done
		echo
		[ $mbit = 0 ] && echo "unshaped cable" || echo "$mbit Mbit/s"
		python3 - "$T/times" "$mbit" "$BASELINE_NAME" "${BENCH_JSON:-}" <<'P'
import json, statistics, sys
rows = {}
for line in open(sys.argv[1]):
    name, ns, wire = line.rstrip("\n").split("\t")
    rows.setdefault(name, []).append((int(ns) / 1e9, int(wire)))
base = statistics.median(t for t, _ in next(iter(rows.values())))
out = []
for name, runs in rows.items():
    times = [t for t, _ in runs]
    t, wire = statistics.median(times), statistics.median(w for _, w in runs)
    print(f"  {name:34} {t * 1000:9.1f} ms  {min(times) * 1000:9.1f} .. {max(times) * 1000:9.1f}  "
          f"{wire:14,.0f} bytes  {t / base:8.2f}x of the first's time")
    out.append({"way": name, "mbit_per_second": int(sys.argv[2]), "seconds": times, "wire_bytes": wire})
if sys.argv[4]:
    with open(sys.argv[4], "a") as f:
        for row in out:
            f.write(json.dumps({"benchmark": sys.argv[3], **row}) + "\n")
P
	done
}
