#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The commands of README.md, docs/program-abi.md and docs/sql.md work as they are written (with other
# paths and ports), on the program that docs/program-abi.md begins with; the configuration of
# docs/operating.md is one; what the README says of an example's length is so; every link leads
# somewhere.
. "$(dirname "$0")/../support/node.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
B=$(readlink -f "$B")

# block FILE HEADING FENCE: the first block that begins with FENCE below a heading
block()
{
	awk -v heading="$2" -v fence="$3" '$0 == heading {under = 1}
		/^```/ && !within {within = 1; on = under && $0 == fence; next}
		/^```$/ {if (on) exit; within = 0}
		on' "$1"
}

mkdir -p "$T/srv/trades" "$T/log" "$T/here"
python3 - "$T/srv/trades/a.bin" <<'P'
import struct, sys
with open(sys.argv[1], "wb") as f:
    for i in range(1000):
        f.write(struct.pack("<QIIq", i, i % 7, i % 200, i - 300))
P
cp "$T/srv/trades/a.bin" "$T/here/trades.bin"
echo line >"$T/log/a.log"
ln -s "$root/bpf" "$T/here/bpf"
cd "$T/here"
nearfold() { "$B/nearfold" "$@"; }

# ---- docs/program-abi.md
block "$root/docs/program-abi.md" '## A program in one minute' '```c' >trades.bpf.c
block "$root/docs/program-abi.md" '## A program in one minute' '```' >commands
[ -s trades.bpf.c ] && [ -s commands ] || fail "docs/program-abi.md does not begin with a program and its commands"
# shellcheck disable=SC1091
. ./commands >out || fail "a command of docs/program-abi.md fails"
# volumes 100 to 199 of each 200; the average price of those
tail -n 1 out | tr -s ' ' >got
check_equal "what docs/program-abi.md computes" "$(cat got)" " 500 500 124750 249.500000"

# ---- docs/sql.md: what it shows are these logins
python3 - "$T/wtmp" <<'P'
import struct, sys
utmp = struct.Struct("<hxxi32s4s32s256shhiii36x")
assert utmp.size == 384
def record(kind, user, at):
    return utmp.pack(kind, 1, b"pts/0", b"ts/0", user, b"10.0.0.9", 0, 0, 0, at, 0)
with open(sys.argv[1], "wb") as f:
    for i in range(31):
        f.write(record(7, b"alice", 1732599970 + i))
        f.write(record(8, b"", 1732599970 + i))
    for i in range(4):
        f.write(record(7, b"bob", 1732499997 + i))
P
block "$root/docs/sql.md" '## An example' '```' | sed "s|/var/log/wtmp|$T/wtmp|" >commands
# shellcheck disable=SC1091
. ./commands >out || fail "a command of docs/sql.md fails"
sed -n '/^login  times/,/^```/p' "$root/docs/sql.md" | sed '$d' >want
diff want out >&2 || fail "docs/sql.md shows another answer"

# ---- README.md: its node, then its commands
block "$root/README.md" '## Use it' '```sh' | sed -e ':a; /\\$/ {N; s/\\\n//; ba}' -e 's/^#.*//' >commands
grep '^nearfoldd ' commands | sed -e "s|/srv|$T/srv|; s|/var/log/nginx|$T/log|; s|unix:/run|unix:$T|" \
	-e 's|127.0.0.1:7411|127.0.0.1:0|; s|^nearfoldd --listen|node_start|' >node
grep -v '^nearfoldd ' commands >rest
[ "$(grep -c '^nearfold ' rest)" -ge 4 ] || fail "README.md has lost its commands"
# shellcheck disable=SC1091
. ./node
sed -i "s|127.0.0.1:7411|$NODE_ADDRESS|" rest
# shellcheck disable=SC1091
. ./rest >out 2>err || fail "a command of README.md fails: $(cat err)"
grep -q '^engine ' err || fail "--stats of README.md's command says nothing: $(cat err)"
nearfold datasets --node "unix:$T/nearfold.sock" --output csv | grep -q '^logs,lines,5,1' ||
	fail "the data set of logs is not what README.md exports"
node_stop || fail "the node ended with status $?"

# ---- docs/operating.md
block "$root/docs/operating.md" '## Configuration file' '```ini' >nearfoldd.conf
"$B/nearfoldd" --config nearfoldd.conf --check-config >out || fail "the configuration of docs/operating.md is refused"
grep -q '^dataset trades fixed:32 ' out || fail "$(cat out)"

# ---- facts
lines=$(wc -l <"$root/bpf/examples/average.bpf.c")
grep -q "average.bpf.c), $lines lines" "$root/README.md" || fail "README.md: average.bpf.c has $lines lines"
for page in "$root"/*.md "$root"/docs/*.md "$root"/tests/*.md; do
	grep -o '](\([^)#]*\)' "$page" | cut -c3- | grep -v '^http' | while read -r link; do
		[ -e "$(dirname "$page")/$link" ] || echo "$page leads to $link, which is not there"
	done
done >broken
[ ! -s broken ] || fail "$(cat broken)"
