#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Data that changes during a scan: ABORTED, never a number.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

slow_data slow.bin
node_start 127.0.0.1:0 --export "slow=$T/slow.bin,format=fixed:24" --log-level debug

truncated() { truncate -s 24K "$T/slow.bin"; }
rewritten() { printf 'x' | dd of="$T/slow.bin" bs=1 seek=1000 conv=notrunc status=none; }
grown()     { printf '%024d' 1 >>"$T/slow.bin"; }

for reader in $(readers); do
	for change in truncated rewritten grown; do
		rm -f "$T/slow.bin"
		# Small enough to come to its end, large enough to be changed before.
		truncate -s 1200000000 "$T/slow.bin"
		slow_query --dataset slow --reader "$reader"
		"$change"
		query_status
		check_equal "$reader, $change: exit status" "$STATUS" 1
		check_equal "$reader, $change: answer" "$(cat "$T/query.out")" ""
		grep -q ABORTED "$T/query.err" ||
			fail "$reader, $change: $(cat "$T/query.err")"
		echo "$reader, $change: $(head -n 1 "$T/query.err")"
	done
done
wait_no_workers
