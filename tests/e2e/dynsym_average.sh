#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The average example over a binary file that nobody here wrote: the dynamic symbol table of the
# installed libLLVM, 24-byte Elf64_Sym records in the middle of the file. The numbers are those that
# readelf and awk give.
. "$(dirname "$0")/../support/node.sh"

library=$(ldconfig -p | awk '/libLLVM-19\.so|libLLVM\.so\.19/ {print $NF; exit}')
[ -n "$library" ] || skip "libLLVM-19 is not installed"
library=$(readlink -f "$library")
read -r offset size < <(readelf -SW "$library" | sed 's/^ *\[ *[0-9]*\] *//' |
	awk '$1 == ".dynsym" {print $4, $5}')
range=$((16#$offset)):$((16#$offset + 16#$size))

# readelf prints a size in decimal, or in hexadecimal when it has more than five digits.
want=$(readelf --dyn-syms -W "$library" | awk '
	function hex(s,  i, v) {
		for (i = 3; i <= length(s); i++)
			v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
		return v
	}
	$1 ~ /^[0-9]+:$/ {
		n++
		sum += $3 ~ /^0x/ ? hex($3) : $3
		functions += $4 == "FUNC"
	}
	END { printf "%d %d %d %.6f", n, sum, functions, sum / n }')
read -r n sum functions average <<<"$want"
echo "readelf: $n symbols, $functions functions, $sum bytes, $average on average"

answer()
{
	"$B/nearfold" run "$B/examples/average.bpf.o" --range "$range" --output json "$@" |
		jq -r '[[.columns[].name], .rows[0]] | transpose | map({(.[0]): .[1]}) | add |
			"\(.["size.count"]) \(.["size.sum"]) \(.functions) \(.["size.avg"])"'
}

# The average is compared as a number to six places: JSON drops zeroes at its end.
compare()
{
	read -r got_n got_sum got_functions got_average <<<"$2"
	check_equal "$1: symbols, bytes, functions" "$got_n $got_sum $got_functions" "$n $sum $functions"
	check_equal "$1: average" "$(printf %.6f "$got_average")" "$average"
}

compare "here" "$(answer --local "$library" --format fixed:24)"
compare "here, 2 threads, small chunks" \
	"$(answer --local "$library" --format fixed:24 --threads 2 --chunk 4K)"
node_start 127.0.0.1:0 --export "symbols=$library,format=fixed:24,tail=ignore"
compare "on a node" "$(answer --node "$NODE_ADDRESS" --dataset symbols)"

# What crossed the connection is little and does not grow with the data.
wire=$("$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset symbols \
	--range "$range" --output json | jq '.stats.wire_bytes_sent + .stats.wire_bytes_received')
echo "$((16#$size)) bytes scanned, $wire on the wire"
[ "$wire" -lt 16384 ] || fail "$wire bytes on the wire"

# nearfold read brings the very bytes.
"$B/nearfold" read --node "$NODE_ADDRESS" --dataset symbols --range "$range" >"$T/read.bin"
tail -c "+$((16#$offset + 1))" "$library" | head -c "$((16#$size))" | cmp - "$T/read.bin" ||
	fail "nearfold read brought other bytes"
node_stop || fail "the node ended with status $?"
