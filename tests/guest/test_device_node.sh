#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A data set that is a block device gives the same answer as a file with the same bytes, in every
# engine that the guest has.
# modules: nvme
# disk: d0 16
# disk: d1 16
# qemu: -drive if=none,id=d0,format=raw,file=@WORK@/d0.disk -drive if=none,id=d1,format=raw,file=@WORK@/d1.disk
# qemu: -device nvme,id=nv0,serial=nf0 -device nvme-ns,drive=d0,bus=nv0,nsid=1
# qemu: -device nvme-ns,drive=d1,bus=nv0,nsid=2,logical_block_size=4096,physical_block_size=4096
set -eu

data=/tmp/data
for i in {1..8192}; do printf '%032d' "$i"; done >$data # 32-byte records, 256 KiB
for node in /dev/nvme0n1 /dev/nvme0n2; do
	dd if=$data of=$node bs=64k oflag=direct status=none
done
want=$("$B/nearfold" run "$B/examples/average.bpf.o" --local $data --format fixed:24 --range 0:196608 \
	--engine interp --output json --no-progress | jq -c .rows)
echo "want $want"
for node in /dev/nvme0n1 /dev/nvme0n2; do
	for engine in interp jit; do
		got=$("$B/nearfold" run "$B/examples/average.bpf.o" --local $node --format fixed:24 \
			--range 0:196608 --engine $engine --output json --no-progress | jq -c .rows)
		echo "$node $engine $got"
		[ "$got" = "$want" ]
	done
done
