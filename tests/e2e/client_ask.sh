#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# check, explain, datasets, status and read: what they say of a node and of programs is so, in each
# form of output.
. "$(dirname "$0")/../support/node.sh"

average=$B/examples/average.bpf.o
grep=$B/examples/grep_count.bpf.o
head -c 2400 /dev/urandom >"$T/hundred.bin"
seq 1 5000 >"$T/numbers.txt"
node_start "unix:$T/node.sock" --export "hundred=$T/hundred.bin,format=fixed:24" \
	--export "numbers=$T/numbers.txt,format=lines"
node=(--node "$NODE_ADDRESS")

# says WHAT PATTERN: the output of the last command has a line like it
says()
{
	grep -Eq -- "$2" "$T/out" || fail "$1 does not say /$2/: $(cat "$T/out")"
}

# ---- datasets
"$B/nearfold" datasets "${node[@]}" >"$T/out"
says "datasets" "^hundred +fixed:24 +2400 +1 "
says "datasets" "^numbers +lines +$(wc -c <"$T/numbers.txt") +1 "
"$B/nearfold" datasets "${node[@]}" --output json >"$T/out"
check_equal "datasets as JSON" "$(jq -r '(.columns | map(.name) | index("bytes")) as $b |
	.rows | map(select(.[0] == "hundred"))[0][$b]' "$T/out")" 2400
"$B/nearfold" datasets "${node[@]}" --output csv >"$T/out"
says "datasets as CSV" "^name,format,bytes,"
says "datasets as CSV" "^hundred,fixed:24,2400,1,"

# ---- status, before and after a query
"$B/nearfold" status "${node[@]}" >"$T/out"
says "status" "^queries_done +0$"
says "status" "^limit queries_running +[1-9]"
"$B/nearfold" run "$average" "${node[@]}" --dataset hundred --output json >"$T/run.json"
"$B/nearfold" status "${node[@]}" --output json >"$T/out"
check_equal "queries_done" "$(jq .queries_done "$T/out")" 1
check_equal "bytes_scanned" "$(jq .bytes_scanned "$T/out")" 2400
check_equal "queries that run" "$(jq '.queries | length' "$T/out")" 0
[ "$(jq .limits.groups "$T/out")" -gt 0 ] || fail "status has no limits: $(cat "$T/out")"
"$B/nearfold" status "${node[@]}" --output csv >"$T/out"
says "status as CSV" "^queries_done,1$"

# ---- the generation is the same name everywhere
check_equal "generation of hundred" "$(jq -r .stats.generation "$T/run.json")" \
	"$("$B/nearfold" datasets "${node[@]}" --output csv | awk -F, '$1 == "hundred" {print $6}')"

# ---- stats of a run: counted alike here and there
check_equal "records" "$(jq .stats.records "$T/run.json")" 100
check_equal "bytes scanned" "$(jq .stats.bytes_scanned "$T/run.json")" 2400
"$B/nearfold" run "$average" "${node[@]}" --dataset hundred --stats 2>"$T/out" >/dev/null
says "run --stats" "^scanned +2.40 kB: 100 records, 100 matched"
says "run --stats" "^wire +[0-9].* sent, .* received"

# ---- check and explain
"$B/nearfold" check "$average" >"$T/out"
says "check" "^accesses +[1-9][0-9]* proven, 0 guarded"
says "check" "^functions +reduce 'sum', [0-9]+ instructions"
says "check" " *interp +yes$"
"$B/nearfold" check "$grep" --format lines >"$T/out"
says "check of grep_count" "^accesses +[0-9]+ proven, [1-9]"
says "check of grep_count" "grep_count.bpf.c:[0-9]+ in filter 'contains'"
for where in "--node $NODE_ADDRESS --dataset numbers" "--local $T/numbers.txt --format lines"; do
	# shellcheck disable=SC2086
	"$B/nearfold" explain "$grep" $where >"$T/out"
	says "explain $where" "^where +(node unix:|this process)"
	says "explain $where" "^data +.*$(wc -c <"$T/numbers.txt") bytes, lines"
	says "explain $where" "^accesses +[0-9]+ proven, [1-9][0-9]* guarded"
	says "explain $where" "interp +yes"
	says "explain $where" "^scan +$(wc -c <"$T/numbers.txt") bytes"
done
"$B/nearfold" explain "$average" "${node[@]}" --dataset hundred --range 240:480 --disasm >"$T/out"
says "explain --range" "^scan +240 bytes, 10 records"
says "explain --disasm" "r[0-9] = \*\(u64 \*\)\(r[0-9] \+ 16\)"
says "explain --disasm" "avg_u64_add\(&s->size, sym->size\)"

# ---- read, with and without a range
"$B/nearfold" read "${node[@]}" --dataset hundred | cmp - "$T/hundred.bin" || fail "read: other bytes"
"$B/nearfold" read "${node[@]}" --dataset hundred --range 100:1K >"$T/part"
tail -c +101 "$T/hundred.bin" | head -c 924 | cmp - "$T/part" || fail "read --range: other bytes"
"$B/nearfold" read "${node[@]}" --dataset numbers | tail -n 1 | grep -qx 5000 || fail "read: no end"
node_stop || fail "the node ended with status $?"
