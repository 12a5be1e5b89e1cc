#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# kernel_engine = no: nobody gets the kernel engine, and everything else works.
. "$(dirname "$0")/../support/node.sh"

head -c 240 /dev/zero >"$T/small.bin"
printf '[node]\nkernel_engine = no\n[dataset small]\npath = %s\nformat = fixed:24\n' "$T/small.bin" \
	>"$T/conf"
node_start 127.0.0.1:0 --config "$T/conf"
run()
{
	"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset small "$@"
}
run --engine kernel >"$T/out" 2>"$T/err" && fail "the kernel engine ran"
grep -q FAILED_PRECONDITION "$T/err" && grep -q 'kernel_engine = no' "$T/err" || fail "$(cat "$T/err")"
run --output csv | grep -q '^10,' || fail "auto does not work without it"
"$B/nearfold" explain "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset small >"$T/explain"
if grep -q 'kernel' "$T/explain"; then
	grep -q 'kernel.*switched off' "$T/explain" || fail "explain: $(cat "$T/explain")"
fi
