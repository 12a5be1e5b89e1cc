#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Every example: the answer of a node = the answer of --local = what a computation that uses nothing
# of ours gives (tests/support/examples_oracle.py), over several files, threads, chunk sizes and
# readers, and gathered from three nodes that hold a part each.
. "$(dirname "$0")/../support/node.sh"

python3 "$(dirname "$0")/../support/examples_oracle.py" "$T/cases"
names=$(find "$B/examples" -name '*.bpf.o' -printf '%f\n' | sed 's/\.bpf\.o$//' | sort)
exports=()
parts0=() parts1=() parts2=()
for name in $names; do
	[ -d "$T/cases/$name" ] || fail "the example $name has no case in examples_oracle.py"
	format=$(cat "$T/cases/$name/format")
	exports+=(--export "$name=$T/cases/$name/data,format=$format")
	parts0+=(--export "$name=$T/cases/$name/data/part0.bin,format=$format")
	parts1+=(--export "$name=$T/cases/$name/data/part1.bin,format=$format")
	parts2+=(--export "$name=$T/cases/$name/data/part2.bin,format=$format")
done

# run NAME WHAT ARG...: compares with the oracle's answer
run()
{
	local name=$1 what=$2 params=() p

	shift 2
	while read -r p; do params+=(--param "$p"); done <"$T/cases/$name/params"
	"$B/nearfold" run "$B/examples/$name.bpf.o" "${params[@]}" --output csv "$@" >"$T/got.csv" ||
		fail "$name, $what: exit status $?"
	diff -u "$T/cases/$name/want.csv" "$T/got.csv" || fail "$name, $what: another answer"
}

for name in $names; do
	format=$(cat "$T/cases/$name/format")
	run "$name" "local" --local "$T/cases/$name/data/"*.bin --format "$format"
	for reader in $(readers); do
		run "$name" "local, 3 threads, 4 KiB, $reader" --threads 3 --chunk 4K --reader $reader \
			--format "$format" --local "$T/cases/$name/data/"*.bin
	done
done

node_start 127.0.0.1:0 "${exports[@]}"
tcp=$NODE_ADDRESS
node_start "unix:$T/all.sock" "${exports[@]}"
for name in $names; do
	run "$name" "a node on loopback" --node "$tcp" --dataset "$name"
	run "$name" "a node on loopback, the program cached" --node "$tcp" --dataset "$name"
	run "$name" "a node on a UNIX socket, 2 threads" --node "$NODE_ADDRESS" --dataset "$name" \
		--threads 2 --chunk 4K
done

node_start "unix:$T/0.sock" "${parts0[@]}"
node_start "unix:$T/1.sock" "${parts1[@]}"
node_start 127.0.0.1:0 "${parts2[@]}"
for name in $names; do
	run "$name" "gathered from three nodes" --dataset "$name" \
		--node "unix:$T/0.sock,unix:$T/1.sock,$NODE_ADDRESS"
done

# One that is gone fails the query: no answer from two thirds of the data.
node_stop || fail "the node ended with status $?"
status=0
"$B/nearfold" run "$B/examples/average.bpf.o" --dataset average \
	--node "unix:$T/0.sock,unix:$T/1.sock,$NODE_ADDRESS" >"$T/out" 2>"$T/err" || status=$?
check_equal "exit status with a node gone" "$status" 1
[ ! -s "$T/out" ] || fail "an answer from two of three nodes: $(cat "$T/out")"
grep -q "$NODE_ADDRESS" "$T/err" || fail "the message does not name the node: $(cat "$T/err")"
echo "$(wc -w <<<"$names") examples"
