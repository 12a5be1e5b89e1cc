#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Eight queries with hooks at once, beside a process that hammers its own io_uring: every answer is
# right, the other's reads are untouched. What the hooks cost it is printed, not judged.
. "$(dirname "$0")/../support/node.sh"

hammer=$B/tests/prog_hammer
[ -x "$hammer" ] || fail "$hammer is missing: make programs"
for i in {1..40000}; do printf '%024d' "$((i * 7919 % 1000003))"; done >"$T/data.bin"
head -c 1048576 /dev/zero | tr '\0' h >"$T/hammer.bin"
reason=$("$B/nearfold" run "$B/examples/average.bpf.o" --local "$T/data.bin" --format fixed:24 \
	--engine kernel 2>&1 >/dev/null) || skip "no kernel engine: $reason"
"$hammer" "$T/hammer.bin" 0.01 >/dev/null || skip "no io_uring for other processes"

rows()
{
	"$B/nearfold" run "$B/examples/$1.bpf.o" --local "$T/data.bin" --format fixed:24 \
		--engine "$2" --output csv --no-progress 2>&1 | sort
}

programs=(average group_by histogram average group_by histogram average group_by)
for p in average group_by histogram; do
	rows $p interp >"$T/$p.want"
done
# Eight loops of queries with that engine until the hammer is done; sets DURING and QUERIES.
beside()
{
	local engine=$1 n p pids=() hammered=0
	touch "$T/go"
	for n in "${!programs[@]}"; do
		p=${programs[$n]}
		(
			runs=0
			while [ -e "$T/go" ]; do
				rows "$p" "$engine" >"$T/$n.got"
				cmp -s "$T/$n.got" "$T/$p.want" || {
					diff "$T/$n.got" "$T/$p.want"
					exit 1
				}
				runs=$((runs + 1))
			done
			echo $runs >"$T/$n.runs"
		) &
		pids+=($!)
	done
	DURING=$("$hammer" "$T/hammer.bin" 3) || hammered=$?
	rm "$T/go"
	for n in "${!pids[@]}"; do
		wait "${pids[$n]}" || fail "query $n (${programs[$n]}, $engine) gave another answer"
	done
	[ $hammered = 0 ] || fail "the other process's reads went wrong"
	QUERIES=$(cat "$T"/*.runs | awk '{ n += $1 } END { print n }')
}

printf '%-44s %s\n' "the other process alone:" "$("$hammer" "$T/hammer.bin" 1)"
for engine in interp kernel; do
	beside $engine
	printf '%-44s %s\n' "beside 8 x $engine on $(nproc) CPUs ($QUERIES queries):" "$DURING"
done
