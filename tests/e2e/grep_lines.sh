#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# grep_count over a real text file, the package index that apt has: as many lines as grep -c finds,
# for 1, 2 and 3 threads, chunks from 4 KiB on, each reader, here and on a node.
. "$(dirname "$0")/../support/node.sh"

index=$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages' -size +1M 2>/dev/null | head -n 1)
if [ -z "$index" ]; then
	index=$T/packages.txt
	apt-cache dumpavail >"$index" 2>/dev/null || true
fi
if [ ! -s "$index" ]; then
	# No lists: apt-get clean, or a system without apt. The status file has the same shape.
	[ -s /var/lib/dpkg/status ] || skip "there is no apt package index on this machine"
	index=/var/lib/dpkg/status
fi
word=library
want=$(grep -c -- "$word" "$index")
echo "$(wc -c <"$index") bytes, $(wc -l <"$index") lines, $want with '$word'"
[ "$want" -gt 100 ] || fail "the index has too few lines with '$word' to mean anything"

count()
{
	"$B/nearfold" run "$B/examples/grep_count.bpf.o" --param "word=$1" --output json "${@:2}" |
		jq -r '. as $o | $o.columns | map(.name) | index("lines") as $i | $o.rows[0][$i]'
}

for threads in 1 2 3; do
	for chunk in 4K 64K 1M; do
		for reader in $(readers); do
			got=$(count "$word" --local "$index" --format lines --threads $threads \
				--chunk $chunk --reader $reader)
			check_equal "$threads threads, $reader, chunks of $chunk" "$got" "$want"
		done
	done
done

# A word that no line has, and one that a line has several times.
check_equal "no match" "$(count qqzzyyxx --local "$index" --format lines)" 0
check_equal "every line with an e" "$(count e --local "$index" --format lines)" \
	"$(grep -c e "$index")"

node_start "unix:$T/node.sock" --export "index=$index,format=lines"
for threads in 1 2 3; do
	for chunk in 4K 1M; do
		got=$(count "$word" --node "$NODE_ADDRESS" --dataset index --threads $threads \
			--chunk $chunk)
		check_equal "on a node, $threads threads, chunks of $chunk" "$got" "$want"
	done
done
node_stop || fail "the node ended with status $?"
