#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The kernel engine on 6.12: the tracepoint's other signature, no clock in the loop counter. Its unit
# tests, and a scan of an NVMe disk with the hook, one thread and two.
# modules: nvme
# disk: d0 16
# qemu: -drive if=none,id=d0,format=raw,file=@WORK@/d0.disk
# qemu: -device nvme,id=nv0,serial=nf0 -device nvme-ns,drive=d0,bus=nv0,nsid=1
# seconds: 300
set -eu

NEARFOLD_PROGRAMS=60 "$B/tests/unit/scan/test_engine_kernel"
"$B/tests/unit/scan/test_engine_kernel_helpers"
"$B/tests/unit/scan/test_engine_kernel_data"
NEARFOLD_PROGRAMS=60 "$B/tests/unit/scan/test_engine_kernel_sweep"

for i in {1..30000}; do printf '%024d' "$i"; done >/tmp/data
dd if=/tmp/data of=/dev/nvme0n1 bs=64k oflag=direct status=none
for program in average group_by histogram; do
	want=$("$B/nearfold" run "$B/examples/$program.bpf.o" --local /tmp/data --format fixed:24 \
		--engine interp --output json --no-progress | jq -c '.rows | sort')
	for threads in 1 2; do
		got=$("$B/nearfold" run "$B/examples/$program.bpf.o" --local /dev/nvme0n1 --format fixed:24 \
			--range 0:720000 --engine kernel --threads $threads --chunk 65536 --output json \
			--no-progress | jq -c '.rows | sort')
		echo "$program, $threads threads: $got"
		[ "$got" = "$want" ]
	done
done
