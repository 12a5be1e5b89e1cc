#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# bench_memory.sh: what an idle daemon and its workers take. RSS counts shared pages (libLLVM's code)
# in each process, PSS divides them among those that have them; a worker's figure is its peak RSS.
set -euo pipefail
. "$(dirname "$0")/../support/node.sh"

head -c $((64 << 20)) /dev/urandom >"$T/data.bin"
node_start "unix:$T/node.sock" --export "data=$T/data.bin,format=fixed:32"

line()
{
	printf '  %-44s %8.1f MiB\n' "$1" "$2"
}

process()
{
	line "$1, RSS" "$(awk '/^VmRSS/ {print $2 / 1024}' "/proc/$2/status")"
	line "$1, PSS" "$(awk '/^Pss:/ {print $2 / 1024}' "/proc/$2/smaps_rollup")"
}

worker()
{
	"$B/nearfold" run "$B/bench/programs/count_sum.bpf.o" --node "$NODE_ADDRESS" --dataset data \
		--engine "$1" --threads "$2" --chunk $((1 << 20)) --depth 8 --reader uring --output json |
		jq '.stats.worker_memory_bytes / 1048576'
}

echo "Memory"
process "idle nearfoldd, main" "$NODE_PID"
process "idle nearfoldd, its spawner" "$(pgrep -P "$NODE_PID")"
line "worker, interp, 1 thread, hot file" "$(worker interp 1)"
line "worker, interp, 2 threads" "$(worker interp 2)"
line "worker, jit, compiles, 1 thread" "$(worker jit 1)"
line "worker, jit, code from the cache, 1 thread" "$(worker jit 1)"
line "worker, jit, code from the cache, 2 threads" "$(worker jit 2)"
node_stop
