#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Code that one worker compiled is used by the next worker of the same client and program: the node
# counts it, the reply says so, the answer is the same, and to get ready takes a fraction of the time
# (printed). With code_cache_bytes=0 nothing is kept.
. "$(dirname "$0")/../support/node.sh"

[ -e "$B/nearfold-jit.so" ] || skip "the JIT module is not built here"
head -c 24000 /dev/urandom >"$T/data.bin"

run()
{
	"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset data \
		--engine "$1" --output json
}

codes()
{
	"$B/nearfold" status --node "$NODE_ADDRESS" --output json | jq -r .codes_cached
}

node_start "unix:$T/node.sock" --export "data=$T/data.bin,format=fixed:24"
want=$(run interp | jq -c .rows)
check_equal "codes before the first compilation" "$(codes)" 0
first=$(run jit)
check_equal "codes after it" "$(codes)" 1
second=$(run jit)
check_equal "codes after the second query" "$(codes)" 1
check_equal "the compiled answer" "$(jq -c .rows <<<"$first")" "$want"
check_equal "the answer of code from the cache" "$(jq -c .rows <<<"$second")" "$want"
jq -rn --argjson a "$first" --argjson b "$second" \
	'"to get ready: compiled \($a.stats.prepare_seconds * 1e6 | floor) us, from the cache \($b.stats.prepare_seconds * 1e6 | floor) us"'
cached='"asked for; its code was in the cache"'
check_equal "why, of the first" "$(jq .stats.engine_reason <<<"$first")" '"asked for"'
check_equal "why, of the second" "$(jq .stats.engine_reason <<<"$second")" "$cached"
# auto knows that there is nothing left to compile.
reason=$(run auto | jq -r .stats.engine_reason)
echo "auto: $reason"
node_stop || fail "the node ended with status $?"

node_start "unix:$T/node2.sock" --export "data=$T/data.bin,format=fixed:24" --limit code_cache_bytes=0
run jit >/dev/null
check_equal "why, where none are kept" "$(run jit | jq .stats.engine_reason)" '"asked for"'
check_equal "codes where none are kept" "$(codes)" 0
node_stop || fail "the node ended with status $?"
