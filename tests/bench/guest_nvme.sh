#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Commands against the block node: time, commands a query, CPU seconds per GB, and CPU of the whole
# guest. Needs the guest (make check-guest once, for its kernel): run
#	tests/bench/guest_nvme.sh
# outside; it boots one. The processor and the device are emulated: only ratios mean anything, and
# these hold for an emulated controller.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)

if [ -z "${GUEST:-}" ]; then
	export WORK=$top/build/guest/work B=${B:-$top/build/release}
	mkdir -p "$WORK"
	[ -d "$top/build/guest/6.12-amd64" ] || {
		echo "guest_nvme.sh: the guest's kernel is missing: make check-guest"
		exit 77
	}
	seq -f %031.0f 1 1048576 >"$WORK/bench.disk"
	trap 'rm -f "$WORK/bench.disk"' EXIT
	GUEST_MODULES=nvme GUEST_SECONDS=240 GUEST_KERNEL="nvme.poll_queues=${POLL:-0}" \
		GUEST_QEMU="-drive if=none,id=d0,format=raw,file=$WORK/bench.disk
		-device nvme,id=nv0,serial=bench -device nvme-ns,drive=d0,bus=nv0,nsid=1" \
		"$top/tests/guest/run-guest.sh" "$top/tests/bench/guest_nvme.sh"
	exit
fi

jiffies() { awk '/^cpu / {print $2 + $3 + $4 + $7 + $8}' /proc/stat; }

printf '%-8s %-6s %-26s %9s %9s %9s %11s\n' engine reader way scan_s cpu_s/GB commands guest_cpu_s
for round in 1 2 3; do
	for engine in interp kernel; do
		for reader in nvme uring; do
			before=$(jiffies)
			"$B/nearfold" run "$B/examples/average.bpf.o" --local nvme:bench/1 --format fixed:24 --tail ignore \
				--engine $engine --reader $reader --threads 1 --output json --no-progress >/tmp/out 2>/tmp/err ||
				{ cat /tmp/err; exit 1; }
			after=$(jiffies)
			jq -r --argjson j $((after - before)) '.stats | [.engine, .reader, .scan_seconds,
				.node_cpu_seconds / .bytes_scanned * 1e9, .read_commands, $j / 100] | @tsv' /tmp/out |
				awk -F'\t' -v r=$reader '{printf "%-8s %-6s %-26s %9.3f %9.2f %9d %11.2f\n", $1, r, $2, $3, $4, $5, $6}'
		done
	done
done
