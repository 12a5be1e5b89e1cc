#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# An idle daemon is small, also after queries by every engine: main maps no compiler.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

head -c 24000000 /dev/zero >"$T/zeros.bin"
node_start 127.0.0.1:0 --export "zeros=$T/zeros.bin,format=fixed:24"

# $1 a field of /proc/PID/smaps_rollup, in KiB; nothing when it may not be read (a process that
# cannot be traced belongs to root).
rollup()
{
	sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$2/smaps_rollup" 2>/dev/null || true
}

print_memory()
{
	local main spawner spare
	main=$(rollup Pss "$NODE_PID")
	spawner=$(rollup Pss "$(spawner_pid)")
	spare=$(rollup Pss "$(spares | head -n 1)")
	echo "$1: main RSS $(rollup Rss "$NODE_PID") KiB, PSS: main $main, spawner ${spawner:-?}," \
		"spare ${spare:-?}"
	[ -z "$spawner" ] || [ $((main + spawner + spare)) -lt 65536 ] ||
		fail "main, spawner and spare take $((main + spawner + spare)) KiB"
}

run()
{
	"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset zeros --output csv \
		"$@" >"$T/out" 2>&1 || fail "$* $(cat "$T/out")"
}

for _ in $(seq 250); do
	[ -z "$(spares)" ] || break
	sleep 0.02
done
print_memory "idle"
run --engine auto
run --engine interp
"$B/nearfold" explain "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset zeros >"$T/explained"
wait_no_workers
print_memory "after queries"
resident=$(rollup Rss "$NODE_PID")
[ "$resident" -lt 65536 ] || fail "main takes $resident KiB"
if grep -q LLVM "/proc/$NODE_PID/maps"; then
	fail "main maps LLVM"
fi
"$B/nearfold" status --node "$NODE_ADDRESS" --output json | jq -e '.resident_bytes < 64 * 1048576' \
	>"$T/out" || fail "nearfold status says otherwise"

# The compiler is there all the same: in the spawner, before a query wants it, from where it was said
# to be.
[ -e "$B/nearfold-jit.so" ] || { node_stop; exit 0; }
cp "$B/nearfold-jit.so" "$T/elsewhere.so"
for module in "$T/elsewhere.so" "$T/nowhere.so"; do
	printf '[node]\njit_module = %s\n[dataset zeros]\npath = %s\nformat = fixed:24\n' "$module" \
		"$T/zeros.bin" >"$T/conf"
	node_start 127.0.0.1:0 --config "$T/conf"
	"$B/nearfold" explain "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset zeros \
		>"$T/explained"
	grep ' jit ' "$T/explained"
	if [ "$module" = "$T/nowhere.so" ]; then
		grep -q ' jit .*no: .*nowhere.so' "$T/explained" || fail "no reason that names the module"
	else
		grep -q ' jit .*yes' "$T/explained" || fail "no JIT from $module"
		run --engine jit
		maps=$(cat "/proc/$(spawner_pid)/maps" 2>/dev/null) || maps=
		[ -z "$maps" ] || grep -q "$module" <<<"$maps" || fail "the spawner does not have $module"
	fi
	node_stop || fail "the node ended with status $?"
done
