#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# docs/operating.md has every limit and every flag that the daemon has, and no other limit; nearfold
# status shows all of them.
. "$(dirname "$0")/../support/node.sh"
docs=$(dirname "$0")/../../docs

echo x >"$T/file"
"$B/nearfoldd" --check-config --export "a=$T/file,format=lines" | sed -n 's/^limit \([a-z_]*\) = .*/\1/p' |
	sort >"$T/limits"
[ -s "$T/limits" ] || fail "--check-config prints no limits"
sed -n '/^## Limits/,/^## /s/^| `\([a-z_]*\)` |.*/\1/p' "$docs/operating.md" | sort >"$T/documented"
diff "$T/limits" "$T/documented" || fail "docs/operating.md has other limits than the daemon"
"$B/nearfoldd" --help | grep -o -e '^  --[a-z-]*' | while read -r flag; do
	grep -q -e "\\*$flag\\*" "$docs/nearfoldd.1.scd" || fail "docs/nearfoldd.1.scd lacks $flag"
done

# A client sees every one of them, with its value.
node_start 127.0.0.1:0 --export "a=$T/file,format=lines" --limit groups=4321
"$B/nearfold" status --node "$NODE_ADDRESS" --output json | jq -r '.limits | keys[]' | sort >"$T/shown"
diff "$T/limits" "$T/shown" || fail "nearfold status shows other limits than the daemon has"
check_equal "groups in nearfold status" \
	"$("$B/nearfold" status --node "$NODE_ADDRESS" --output json | jq .limits.groups)" 4321
"$B/nearfold" status --node "$NODE_ADDRESS" | grep -q '^limit drain_seconds *30$' ||
	fail "nearfold status, for people, lacks a limit"
node_stop
