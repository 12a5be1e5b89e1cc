#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# bench_disk.sh [--quick]: a cold file, read direct, by a scan and by fio with the same block size and
# depth, in turns. Cold by POSIX_FADV_DONTNEED (dd's nocache) for the scan, which looks whether the
# page cache has anything; fio reads with O_DIRECT either way. What is compared is the time from
# the first read to the last: scan_seconds of --stats, and fio's own runtime.
set -euo pipefail
cd "$(dirname "$0")/../.."
B=${B:-build/release}
rounds=7
[ "${1:-}" != --quick ] || rounds=3
BYTES=$((512 << 20)) BLOCK=$((1 << 20)) DEPTH=8

echo "A cold file, direct, one thread, $((BLOCK >> 10)) KiB blocks, $DEPTH in flight"
if ! command -v fio >/dev/null; then
	echo "  not measured: fio is not installed"
	exit 0
fi
T=$(mktemp -d /var/tmp/nearfold-bench.XXXXXX)
trap 'rm -rf "$T"' EXIT
head -c $BYTES /dev/urandom >"$T/data"
sync "$T/data"

scan()
{
	dd if="$T/data" iflag=nocache count=0 status=none
	"$B/nearfold" run "$B/bench/programs/count_sum.bpf.o" --local "$T/data" --format fixed:32 \
		--engine "$1" --threads 1 --chunk $BLOCK --depth $DEPTH --reader uring --output json
}

with_fio()
{
	fio --name=bench --filename="$T/data" --rw=read --direct=1 --ioengine=io_uring \
		--bs=$BLOCK --iodepth=$DEPTH --size=$BYTES --readonly --output-format=json 2>/dev/null |
		jq '.jobs[0].read.io_bytes / .jobs[0].read.runtime / 1e6'
}

engines="jit"
if "$B/nearfold" run "$B/bench/programs/count_sum.bpf.o" --local "$T/data" --format fixed:32 \
	--range 0:32 --engine kernel --output json >/dev/null 2>&1; then
	engines="jit kernel"
fi
with_fio >/dev/null
for ((i = 0; i < rounds; i++)); do
	fio=$(with_fio)
	for engine in $engines; do
		answer=$(scan "$engine")
		echo "$engine $fio $(jq -r '"\(.stats.bytes_scanned / .stats.scan_seconds / 1e9) \(.stats.reader)"' <<<"$answer")"
	done
done | sort -k1,1 | awk -v json="${BENCH_JSON:-/dev/null}" '
	function median(a, n,   i, j, t) {
		for (i = 1; i <= n; i++)
			for (j = i + 1; j <= n; j++)
				if (a[j] < a[i]) { t = a[i]; a[i] = a[j]; a[j] = t }
		return a[int((n + 1) / 2)]
	}
	function report(   r) {
		if (!n)
			return
		r = median(ratio, n)
		printf "  %-8s %-28s %6.2f GB/s   fio %6.2f GB/s   ratio %.2f  (%.2f-%.2f, %d rounds)\n",
			engine, reader, median(ours, n), median(theirs, n), r, ratio[1], ratio[n], n
		printf "{\"engine\":\"%s\",\"reader\":\"%s\",\"ratio_to_fio\":%.3f}\n", engine, reader, r >json
	}
	$1 != engine { report(); n = 0; engine = $1 }
	{
		n++
		theirs[n] = $2
		ours[n] = $3
		ratio[n] = $3 / $2
		reader = $4 " " $5 " " $6
	}
	END { report() }'
