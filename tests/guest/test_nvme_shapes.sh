#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Namespaces of every shape give the answer of a file with the same bytes, in every engine, through
# commands and through the block node.
# modules: nvme
# seconds: 300
# disk: d0 4 lines
# disk: d1 4 lines
# disk: d2 4 lines
# disk: d3 4 lines
# disk: d4 8
# disk: d5 8
# disk: d6 8
# disk: d7 8
# disk: d8 8
# qemu: -drive if=none,id=d0,format=raw,file=@WORK@/d0.disk -drive if=none,id=d1,format=raw,file=@WORK@/d1.disk
# qemu: -device nvme,id=nv0,serial=plain -device nvme-ns,drive=d0,bus=nv0,nsid=1
# qemu: -device nvme-ns,drive=d1,bus=nv0,nsid=2,logical_block_size=4096,physical_block_size=4096
# qemu: -drive if=none,id=d2,format=raw,file=@WORK@/d2.disk
# qemu: -device nvme,id=nv1,serial=small,mdts=5 -device nvme-ns,drive=d2,bus=nv1,nsid=1
# qemu: -drive if=none,id=d3,format=raw,file=@WORK@/d3.disk
# qemu: -device nvme-subsys,id=ss0,nqn=ss0 -device nvme,id=nv2,serial=pair,subsys=ss0
# qemu: -device nvme,id=nv3,serial=pair,subsys=ss0 -device nvme-ns,drive=d3,bus=nv2,nsid=7,shared=on
# qemu: -drive if=none,id=d4,format=raw,file=@WORK@/d4.disk -drive if=none,id=d5,format=raw,file=@WORK@/d5.disk
# qemu: -device nvme,id=nv4,serial=meta -device nvme-ns,drive=d4,bus=nv4,nsid=1,ms=8
# qemu: -device nvme-ns,drive=d5,bus=nv4,nsid=2,ms=16,mset=1
# qemu: -drive if=none,id=d7,format=raw,file=@WORK@/d7.disk -drive if=none,id=d8,format=raw,file=@WORK@/d8.disk
# qemu: -device nvme-ns,drive=d7,bus=nv4,nsid=3,ms=8,pi=1
# qemu: -device nvme-ns,drive=d8,bus=nv4,nsid=4,ms=8,mset=1,pi=1
# qemu: -drive if=none,id=d6,format=raw,file=@WORK@/d6.disk -device nvme,id=nv5,serial=zoned
# qemu: -device nvme-ns,drive=d6,bus=nv5,nsid=1,zoned=on,zoned.zone_size=1M
. "$(dirname "$0")/lib.sh"

cp "$WORK/d0.disk" /tmp/data
want=$(rows /tmp/data interp)
word=$(lines /tmp/data interp)
engines=$(engines /tmp/data)
echo "engines:" $engines "$want $word"

"$B/nearfold" devices || fail "nearfold devices"
# What Identify, sysfs and the SMART log say, by path, block size, metadata, transfer, queues, notes.
same "devices" "$(
	cat <<-'EOF'
		nvme:meta/1 512 8 524288 2  50 C
		nvme:meta/2 512 16 524288 2  50 C
		nvme:meta/3 512 8 524288 2  50 C
		nvme:meta/4 512 8 524288 2  50 C
		nvme:pair/7 512 0 524288 2 multipath 50 C
		nvme:plain/1 512 0 524288 2  50 C
		nvme:plain/2 4096 0 524288 2  50 C
		nvme:small/1 512 0 131072 2  50 C
		nvme:zoned/1 512 0 524288 2 zoned 50 C
	EOF
)" "$("$B/nearfold" devices --output json | jq -r '.rows[] |
	"\(.[0]) \(.[4]) \(.[6]) \(.[7]) \(.[8]) \(.[10]) \(.[11] | split(",")[0])"')"
# jit takes its seconds here, and does not know where bytes come from: lines once are enough.
for engine in $engines; do
	for path in nvme:plain/1 nvme:plain/2 nvme:small/1 nvme:pair/7; do
		same "$path $engine" "$want" "$(rows $path $engine)"
		[ $engine != jit ] || [ $path = nvme:small/1 ] || continue
		same "$path $engine lines" "$word" "$(lines $path $engine)"
	done
done
# Chunks smaller than a command and many times as large, one read in flight and many, one thread
# and two, and the other readers.
same "chunk 4096" "$want" "$(rows nvme:plain/1 interp --chunk 4096 --depth 3)"
same "chunk 12288" "$word" "$(lines nvme:small/1 interp --chunk 12288 --threads 2)"
same "chunk 4 MiB" "$want" "$(rows nvme:small/1 interp --chunk 4194304 --depth 2)"
same "depth 64" "$want" "$(rows nvme:plain/2 kernel --chunk 65536 --depth 64 --threads 2)"
same "kernel, commands in parts" "$want" "$(rows nvme:small/1 kernel --chunk 1048576)"
for reader in uring pread; do
	same "reader $reader" "$want" "$(rows nvme:plain/2 interp --reader $reader)"
done
same "kernel, block node" "$want" "$(rows nvme:plain/1 kernel --reader uring)"
same reader "nvme commands" "$(stat_of reader nvme:plain/1)"
same reader "nvme commands" "$(stat_of reader nvme:pair/7)"
# mdts=5 is 128 KiB: 4 MiB are 32 commands at least.
commands=$(stat_of read_commands nvme:small/1)
[ "$commands" -ge 32 ] && [ "$commands" -le 40 ] || fail "$commands commands"
echo "ok: $commands commands"

# Metadata apart from the blocks (1), with protection information in it (3), protection information
# between the blocks (4): read through the block node, which knows what to do with it.
for nsid in 1 3 4; do
	dd if=/tmp/data of="$(node_of meta $nsid)" bs=64k oflag=direct status=none
	for engine in $engines; do
		same "meta/$nsid $engine" "$want" "$(rows nvme:meta/$nsid $engine)"
	done
	same "meta/$nsid lines" "$word" "$(lines nvme:meta/$nsid,blocks=8192 kernel)"
	same reader "nvme block node" "$(stat_of reader nvme:meta/$nsid)"
done
# A bit of block 1000 turns over on the medium, and its guard does not.
printf X | dd of="$WORK/d7.disk" bs=1 seek=512007 conv=notrunc status=none
for engine in interp kernel; do
	refused "nvme:meta/3, LBA 1000: .*protection information.*DATA_LOSS" nvme:meta/3 --engine $engine
done

# Commands that a policy of the machine refuses, from the fourth on: the block node, in the midst of
# the scan.
for engine in interp kernel; do
	same "refused, $engine" "$want nvme block node" "$(refused_commands nvme:plain/1 $engine --threads 2)"
done
same "allowed again" "nvme commands" "$(stat_of reader nvme:plain/1)"

# Metadata between the blocks, and zones: refused, with the reason.
refused "extended LBAs" nvme:meta/2
refused "zoned" nvme:zoned/1
