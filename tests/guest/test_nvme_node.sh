#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Parts of namespaces, device paths, files on a namespace, and a node that serves namespaces: its
# worker has no capability, and commands go through all the same.
# modules: nvme ext4
# seconds: 300
# disk: d0 4 lines
# disk: d1 4 lines
# disk: d2 24
# qemu: -drive if=none,id=d0,format=raw,file=@WORK@/d0.disk -drive if=none,id=d1,format=raw,file=@WORK@/d1.disk
# qemu: -device nvme,id=nv0,serial=plain -device nvme-ns,drive=d0,bus=nv0,nsid=1
# qemu: -device nvme-ns,drive=d1,bus=nv0,nsid=2,logical_block_size=4096,physical_block_size=4096
# qemu: -drive if=none,id=d2,format=raw,file=@WORK@/d2.disk
# qemu: -device nvme,id=nv1,serial=files -device nvme-ns,drive=d2,bus=nv1,nsid=1
. "$(dirname "$0")/lib.sh"

cp "$WORK/d0.disk" /tmp/data
want=$(rows /tmp/data interp)
engines=$(engines /tmp/data)

# A part of a namespace: LBA 3 to 1003 of 512-byte blocks, of 4096-byte blocks from LBA 5 on.
dd if=/tmp/data of=/tmp/part bs=512 skip=3 count=1000 status=none
part=$(DATA_BYTES=511992 rows /tmp/part interp)
for engine in interp kernel; do
	same "part $engine" "$part" "$(DATA_BYTES=511992 rows nvme:plain/1,start=3,blocks=1000 $engine)"
done
dd if=/tmp/data of=/tmp/part bs=4096 skip=5 status=none
same "part, lines" "$(lines /tmp/part interp)" "$(lines nvme:plain/2,start=5 interp)"
refused "not inside the namespace" nvme:plain/1,start=8000,blocks=1000
refused "not understood" nvme:plain/1,begin=3
refused "there are .*nvme:plain/1, nvme:plain/2" nvme:plain/9
# A node named by its path is the same, and any block device is one.
for engine in $engines; do
	same "device path $engine" "$want" "$(rows "$(node_of plain 1)" $engine)"
done

# A file that lives on a namespace: which one, and its queues.
mkfs.ext4 -q -E nodiscard "$(node_of files 1)" && mount "$(node_of files 1)" /mnt && cp /tmp/data /mnt/
device="$(basename "$(node_of files 1)") (2 queues, none polled)"
same "file on NVMe" "$want" "$(rows /mnt/data kernel)"
same "file's device, --stats" "$device" "$(stat_of device /mnt/data)"
"$B/nearfold" run "$PROGRAM" --local /mnt/data --format fixed:24 --tail ignore --stats --no-progress \
	2>&1 >/tmp/out | grep -F "$device" || fail "--stats: no device"
"$B/nearfold" explain "$PROGRAM" --local /mnt/data --format fixed:24 | grep -F "$device" ||
	fail "explain: no device"

# On a node: the worker has no capability, and commands go through all the same.
one=$(node_of plain 1) two=$(node_of plain 2)
"$B/nearfoldd" --listen unix:/tmp/node --export all=nvme:plain/2,format=fixed:24,tail=ignore \
	--export part=nvme:plain/1,start=3,blocks=1000,format=lines \
	--export path=$one,format=fixed:24,tail=ignore --devices "/dev/none,$one" \
	--export other=$two,format=fixed:24,tail=ignore 2>/tmp/node.log &
node=$!
for _ in {1..100}; do [ -S /tmp/node ] && break || sleep 0.1; done
"$B/nearfold" datasets --node unix:/tmp/node
for engine in interp kernel; do
	got=$("$B/nearfold" run "$PROGRAM" --node unix:/tmp/node --dataset all --engine $engine \
		--range 0:$DATA_BYTES --output json --no-progress >/tmp/out && cat /tmp/out)
	same "node $engine" "$want" "$(echo "$got" | jq -c .rows)"
	same "node $engine reader" "nvme commands" "$(echo "$got" | jq -r .stats.reader)"
done
dd if=/tmp/data of=/tmp/part bs=512 skip=3 count=1000 status=none
"$B/nearfold" read --node unix:/tmp/node --dataset part >/tmp/read
cmp /tmp/part /tmp/read || fail "ReadRange of a part"
got=$("$B/nearfold" run "$PROGRAM" --node unix:/tmp/node --dataset path --output csv --no-progress | wc -l)
same "a path that devices names" 2 "$got"
! "$B/nearfold" run "$PROGRAM" --node unix:/tmp/node --dataset other >/tmp/out 2>&1 ||
	fail "a device that nobody named was served"
grep -q "block device.*PERMISSION_DENIED" /tmp/out || fail "$(cat /tmp/out)"
"$B/nearfold" devices --node unix:/tmp/node --output csv | grep -c nvme:plain/
"$B/nearfold" explain "$PROGRAM" --node unix:/tmp/node --dataset all | grep "^device .*${two#/dev/} (2 queues"
kill $node
wait $node || fail "the node ended with $?: $(cat /tmp/node.log)"
