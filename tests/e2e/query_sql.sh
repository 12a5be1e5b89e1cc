#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# nearfold query, here and on nodes: one answer whatever runs it and wherever the data is, in each
# form of output; NULLs; and for what is wrong a message that says what, where, and what to do.
. "$(dirname "$0")/../support/node.sh"

nearfold=$B/nearfold
schema='at:timestamp, day:date, symbol:char(4), buy:bool, pad(3), volume:u32, price:decimal(12,2), weight:f64'
python3 - "$T" <<'P'
import datetime, struct, sys
record = struct.Struct("<qi4sB3xIqd")
assert record.size == 40
names = [b"ab", b"long", b"x\xc3\xa4", b'q"t', b""]
epoch = datetime.date(1970, 1, 1)
day = (datetime.date(1998, 12, 1) - epoch).days
def make(i):
    return record.pack((day + i % 9) * 86400 * 10**6 + i * 1000001, day + i % 9,
                       names[i * 7 % 5], i % 3 == 0, i % 1000, i * 37 - 50000, i / 8 - 100)
rows = [make(i) for i in range(5000)]
open(sys.argv[1] + "/trades.bin", "wb").write(b"".join(rows))
open(sys.argv[1] + "/first.bin", "wb").write(b"".join(rows[:1234]))
open(sys.argv[1] + "/rest.bin", "wb").write(b"".join(rows[1234:]))
open(sys.argv[1] + "/nothing.bin", "wb")
P
everything="SELECT symbol, count(*), sum(volume) AS volume, avg(price), min(day), max(at),
       bool_and(buy), sum(weight), min(price) FILTER (WHERE price < -49900) AS least
FROM trades WHERE volume > 3 GROUP BY symbol ORDER BY 3 DESC, symbol"
# ask WHERE... QUERY: as CSV
ask()
{
	"$nearfold" query --output csv "$@"
}
local=(--local "$T/trades.bin" --schema "$schema")

# ---- one answer
ask "${local[@]}" --engine interp --threads 1 "$everything" >"$T/one.csv" || fail "no answer"
# The same from python, by exact arithmetic.
python3 - "$T/trades.bin" >"$T/python.csv" <<'P'
import collections, datetime, decimal, struct, sys
record = struct.Struct("<qi4sB3xIqd")
groups = collections.defaultdict(list)
for r in record.iter_unpack(open(sys.argv[1], "rb").read()):
    if r[4] > 3:
        groups[r[2].rstrip(b"\0").decode()].append(r)
rows = []
for symbol, g in groups.items():
    cents = sum(r[5] for r in g)
    exact = decimal.Decimal(cents) / 100 / len(g)
    # PostgreSQL's digits of a quotient: at least 16 that count.
    places = 16 if abs(exact) < 10000 else 12
    least = [r[5] for r in g if r[5] < -4990000]
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=max(r[0] for r in g))
    fraction = f".{at.microsecond:06}".rstrip("0").rstrip(".")
    rows.append((symbol, len(g), sum(r[4] for r in g),
                 exact.quantize(decimal.Decimal(1).scaleb(-places), decimal.ROUND_HALF_UP),
                 datetime.date(1970, 1, 1) + datetime.timedelta(min(r[1] for r in g)),
                 at.strftime("%Y-%m-%d %H:%M:%S") + fraction,
                 "true" if all(r[3] for r in g) else "false",
                 f"{sum(r[6] for r in g):.15g}", f"{min(least) / 100:.2f}" if least else ""))
print("symbol,count,volume,avg,min,max,bool_and,sum,least")
for row in sorted(rows, key=lambda r: (-r[2], r[0].encode())):
    fields = [str(f) for f in row]
    fields[0] = '""' if not fields[0] else '"q""t"' if '"' in fields[0] else fields[0]
    print(",".join(fields))
P
diff "$T/python.csv" "$T/one.csv" >&2 || fail "another answer than python's"

# ---- the same from every engine, in any number of pieces
engines=$(for engine in jit kernel; do
	"$nearfold" explain --sql "$everything" "${local[@]}" >"$T/explain" || fail "explain: status $?"
	if grep -Eq " $engine +yes" "$T/explain"; then
		echo $engine
	else
		grep -E " $engine +no" "$T/explain" | sed "s/.*$engine *no/SKIP: the $engine engine/" >&2
	fi
done)
# Doubles add up in another order in pieces; these are eighths, whose sums are exact.
for engine in interp $engines; do
	for pieces in "--threads 1" "--threads 2 --chunk 4K"; do
		# shellcheck disable=SC2086
		ask "${local[@]}" --engine "$engine" $pieces "$everything" >"$T/got.csv" ||
			fail "no answer: $engine $pieces"
		cmp "$T/one.csv" "$T/got.csv" || fail "another answer: $engine $pieces"
	done
done

# ---- on a node, and gathered from two that have a part each
node_start "unix:$T/1.sock" --export "trades=$T/trades.bin,format=fixed:40,schema=$schema" \
	--export "part=$T/first.bin,format=fixed:40,schema=$schema" \
	--export "Odd-Name=$T/first.bin,format=fixed:40,schema=$schema" \
	--export "bare=$T/first.bin,format=fixed:40" --export "log=$0,format=lines" \
	--export "other=$T/first.bin,format=fixed:40,schema=$schema"
first=$NODE_ADDRESS first_pid=$NODE_PID
node_start 127.0.0.1:0 --export "part=$T/rest.bin,format=fixed:40,schema=${schema//, /,}" \
	--export "other=$T/rest.bin,format=fixed:40,schema=${schema/volume:u32/volume:i32}"
second=$NODE_ADDRESS
for engine in interp $engines; do
	ask --node "$first" --engine "$engine" "$everything" >"$T/got.csv" || fail "no answer: node, $engine"
	cmp "$T/one.csv" "$T/got.csv" || fail "another answer from a node: $engine"
	ask --node "$first,$second" --engine "$engine" "${everything/trades/part}" >"$T/got.csv" ||
		fail "no answer: two nodes, $engine"
	cmp "$T/one.csv" "$T/got.csv" || fail "another answer from two nodes: $engine"
done
ask --node "$first" 'SELECT count(*) FROM "Odd-Name"' | tail -n 1 | grep -qx 1234 ||
	fail "a data set whose name wants quotes"
ask --node "$first" --range 400:800 'SELECT count(*) FROM trades' | tail -n 1 | grep -qx 10 ||
	fail "--range"

# ---- ways to ask the same
count="SELECT count(*) FROM data"
check_equal "files of several names" \
	"$(ask --local "$T/first.bin" "$T/rest.bin" --schema "$schema" "$count" | tail -n 1)" 5000
check_equal "the query behind the files" \
	"$(ask --schema "$schema" --local "$T/first.bin" "$count" | tail -n 1)" 1234
for query in "/* all */ $count" " ($count)" " -- all
$count"; do
	check_equal "the query behind the files: $query" \
		"$(ask --schema "$schema" --local "$T/first.bin" "$query" | tail -n 1)" 1234
done
check_equal "the query from standard input" "$(printf -- '-- a comment\n%s;\n' "$count" |
	ask --local "$T/first.bin" --schema "$schema" --format fixed:40 - | tail -n 1)" 1234
check_equal "a file with a byte order mark and CRLF" "$(printf '\xef\xbb\xbf%s\r\n' "$count" |
	ask --local "$T/first.bin" --schema "$schema" - | tail -n 1)" 1234
check_equal "the first file's name" \
	"$(ask --local "$T/rest.bin" --schema "$schema" 'SELECT count(*) FROM Rest' | tail -n 1)" 3766
check_equal "--skip" \
	"$(ask --local "$T/first.bin" --schema "$schema" --skip 40 "$count" | tail -n 1)" 1233

# ---- nothing, and NULL
check_equal "no record, one row" \
	"$(ask --local "$T/nothing.bin" --schema "$schema" 'SELECT count(*), sum(price), max(symbol) FROM data')" \
	$'count,sum,max\n0,,'
check_equal "no record, no group" \
	"$(ask --local "$T/nothing.bin" --schema "$schema" 'SELECT symbol, count(*) FROM data GROUP BY 1')" \
	symbol,count
nulls="SELECT symbol, nullif(symbol, '') AS n, max(price) FILTER (WHERE symbol = 'ab') FROM trades
	GROUP BY symbol ORDER BY n DESC NULLS LAST LIMIT 3 OFFSET 2"
check_equal "NULL in CSV" "$(ask "${local[@]}" "$nulls")" $'symbol,n,max\nlong,long,\nab,ab,1348.15\n"",,'
check_equal "NULL in JSON" "$("$nearfold" query --output json "${local[@]}" "$nulls" | jq -c .rows)" \
	'[["long","long",null],["ab","ab",1348.15],["",null,null]]'
"$nearfold" query "${local[@]}" "$nulls" >"$T/table"
check_equal "NULL in a table" "$(cat "$T/table")" 'symbol  n         max
------  ----  -------
long    long     null
ab      ab    1348.15
        null     null'

# ---- JSON: types, and numbers that a double cannot hold as strings; --stats; sideways
"$nearfold" query --output json "${local[@]}" "SELECT sum(price) * 1000000000 AS much, max(volume),
	bool_or(buy), avg(price), max(weight), 'Infinity'::float8 AS far, min(day) FROM trades" >"$T/json"
check_equal "names in JSON" "$(jq -c '[.columns[].name]' "$T/json")" \
	'["much","max","bool_or","avg","max","far","min"]'
check_equal "types in JSON" "$(jq -c '[.columns[].type]' "$T/json")" \
	'["numeric","bigint","boolean","numeric","double precision","double precision","date"]'
check_equal "values in JSON" "$(jq -c .rows[0] "$T/json")" \
	'["2124075000000000.00",999,true,"424.8150000000000000",524.875,"Infinity","1998-12-01"]'
check_equal "stats in JSON" "$(jq -c '.stats | [.records, .matched, .bytes_scanned]' "$T/json")" \
	'[5000,5000,200000]'
"$nearfold" query --node "$first" --stats "SELECT symbol FROM trades GROUP BY 1" >"$T/out" 2>"$T/err"
grep -q '^scanned .*: 5000 records, 5000 matched, 5 groups' "$T/err" || fail "--stats: $(cat "$T/err")"
[ "$(wc -l <"$T/out")" -eq 7 ] || fail "groups are not 5: $(cat "$T/out")"

# ---- explain
"$nearfold" explain --node "$first" --disasm --sql "$everything" >"$T/explain"
for words in '^query +SELECT symbol, count' '^records +beside the data: WHERE, 1 key, 8 aggregates' \
	'^groups +at the client: 9 columns, ORDER BY$' '^data +trades: 1 file, 200000 bytes, fixed:40' \
	'^functions filter ' '^; SQL:2 +FROM trades WHERE|^; SQL:3  *FROM trades WHERE' ' interp +yes'; do
	grep -Eq "$words" "$T/explain" || fail "explain does not say /$words/: $(cat "$T/explain")"
done
"$nearfold" explain "$count" --local "$T/first.bin" --schema "$schema" | grep -q '^query  *SELECT' ||
	fail "explain takes no query as a word"
"$nearfold" explain --node "$first" - <<<"SELECT count(*) FROM trades" | grep -q '^query  *SELECT' ||
	fail "explain takes no query from standard input"

# ---- what is wrong. expect STATUS PATTERN ARG...: the message's first line matches, and there is
# no answer.
cases=0
expect()
{
	local want=$1 pattern=$2 status=0

	shift 2
	timeout 20 "$nearfold" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	check_equal "exit status of: nearfold $* ($(cat "$T/err"))" "$status" "$want"
	head -n 1 "$T/err" | grep -Eq -- "^nearfold: $pattern" ||
		fail "nearfold $* said '$(cat "$T/err")', want /$pattern/"
	[ ! -s "$T/out" ] || fail "nearfold $*: also wrote to standard output: $(cat "$T/out")"
	cases=$((cases + 1))
}
here=(query --local "$T/trades.bin" --schema "$schema")
there=(query --node "$first")
both=(query --node "$first,$second")

# usage
expect 2 'no query: give one in quotes, or - to read it' query --node a
expect 2 'no query: standard input: it is empty' "${here[@]}" -
expect 2 'no data: give --node ADDRESS, or --local FILE... --schema' query "$count"
expect 2 'no schema: --local: .*--schema' query --local "$T/trades.bin" "$count"
expect 2 'no file: --local' query --schema "$schema" "$count" --local
expect 2 'a query in pieces: SELECT: put the query in quotes' query SELECT volume FROM trades
expect 2 'a query in pieces: select: put the query in quotes' "${here[@]}" --local "$T/trades.bin" select volume
expect 2 'a query in pieces: FROM: put the query in quotes' "${there[@]}" 'SELECT 1' FROM trades
expect 2 'a query in pieces: SELECT 2' "${there[@]}" 'SELECT 1' 'SELECT 2'
printf '%s\n' "$count" >"$T/report.sql"
expect 2 "no query: $T/report.sql: words after --local are files" "${here[@]}" --local "$T/trades.bin" "$T/report.sql"
expect 2 "a file where a query is expected: $T/report.sql: .*- <$T/report.sql" "${there[@]}" "$T/report.sql"
expect 1 'the query failed: SQL, column 1: WITH is not supported' "${here[@]}" --local "$T/trades.bin" 'WITH a AS (SELECT 1) SELECT count(*) FROM a'
expect 1 'the query failed: SQL, column 1: .*only SELECT' "${here[@]}" --local "$T/trades.bin" "EXPLAIN $count"
expect 2 'a query that begins like an option: -- all of them.*blank before' "${there[@]}" "-- all of them
$count"
expect 2 'a query where a command is expected: SELECT .*: nearfold query' "$count"
expect 2 'unknown command: sql: did you mean nearfold query' sql "$count"
expect 2 'this option is not for queries: --dataset: .*FROM' "${there[@]}" --dataset trades "$count"
expect 2 'this option is not for queries: --param: ' "${there[@]}" --param a=1 "$count"
expect 2 'both --node and --local' "${there[@]}" --local "$T/trades.bin" "$count"
expect 2 'an option for local files: schema' "${there[@]}" --schema "$schema" "$count"
expect 2 'a file where a query is expected: .*trades.bin' "${there[@]}" "$T/trades.bin"
expect 2 'a query where a program is expected: .*nearfold query runs SQL' run "$count" --node "$first"
expect 2 'a program and a query: x.o' explain x.o --sql "$count" --node "$first"
expect 2 '--dataset with a query: d: leave it out' explain --sql "$count" --node "$first" --dataset d

# the text
expect 1 'the query failed: SQL, column 8: column "pirce" does not exist; did you mean "price"\?' "${here[@]}" 'SELECT pirce FROM trades GROUP BY 1'
check_equal "the place in the text" "$(tail -n 2 "$T/err")" '    | SELECT pirce FROM trades GROUP BY 1
    |        ^'
expect 1 'the query failed: SQL, line 3, column 6: column "pirce"' "${here[@]}" $'SELECT symbol,\n  -- ä\n\tsum(pirce)\nFROM trades GROUP BY 1'
check_equal "the place in a line" "$(tail -n 2 "$T/err")" '    | sum(pirce)
    |     ^'
expect 1 'the query failed: SQL, column 199: column "pirce"' "${here[@]}" "SELECT $(printf 'count(*) + %.0s' $(seq 17))sum(pirce) + $(seq -s + 50) FROM trades"
[ "$(wc -L <"$T/err")" -lt 130 ] || fail "a long query is shown whole: $(cat "$T/err")"
check_equal "what the caret is below" "$(awk '/\^/ {print substr(line, index($0, "^"), 5)} {line = $0}' "$T/err")" pirce
expect 1 'the query failed: SQL, column 1: syntax error at or near "SELEC"' query --node 127.0.0.1:1 'SELEC 1 FROM t'
expect 1 'the query failed: SQL, column .*: .*not supported.*UNIMPLEMENTED' "${here[@]}" 'SELECT 1 FROM trades, data'
expect 1 'the query failed: FROM: relation "trade" does not exist: local files are the table data, or trades' "${here[@]}" 'SELECT count(*) FROM trade'
expect 1 'the query failed: schema: column 2, "b": there is no type "i63"' query --local "$T/trades.bin" --schema 'a:i32, b:i63' "$count"
expect 1 'the query failed: schema: the schema describes 40 bytes, the records have 48: add pad\(8\)' "${here[@]}" --format fixed:48 "$count"
expect 1 'the query failed: schema: a schema describes fixed records' "${here[@]}" --format lines "$count"
expect 1 'cannot explain the query: SQL, column 12: column "pirce" does not exist' explain "${here[@]:1}" --sql 'SELECT sum(pirce) FROM trades'
expect 1 'cannot explain the query: FROM: relation "trade" does not exist' explain "${here[@]:1}" --sql 'SELECT count(*) FROM trade'

# the data
expect 1 'the query failed: .*/none.bin: no such file' query --local "$T/none.bin" --schema "$schema" "$count"
expect 1 'the query failed: .*trades.bin.* bytes' query --local "$T/trades.bin" --schema "$schema, more:i64, most:i64" "$count"
by_zero='SELECT symbol, max(1000 / (volume - 999)) FROM trades GROUP BY symbol'
expect 1 "the query failed: SQL, column 25, $T/trades.bin, record at byte 39960: division by zero \(OUT_OF_RANGE\)" "${here[@]}" --threads 1 --engine interp "$by_zero"
check_equal "what was divided" "$(tail -n 1 "$T/err")" '    |                         ^'
for engine in interp $engines; do
	expect 1 'the query failed: SQL, column 25, trades.bin, record at byte [0-9]*60: division by zero \(OUT_OF_RANGE, query [0-9]+\)' "${there[@]}" --engine "$engine" "$by_zero"
done
# Both nodes meet one; the first that says so ends the query.
expect 1 "the query failed: ($first: SQL, column 25, first|$second: SQL, column 25, rest).bin, record at byte [0-9]+: division by zero" "${both[@]}" "${by_zero/trades/part}"
expect 1 'the query failed: SQL, column 17: division by zero \(OUT_OF_RANGE\)' "${there[@]}" 'SELECT count(*) / (count(*) - 5000) FROM trades'
expect 1 'the query failed: SQL, column 17: division by zero \(OUT_OF_RANGE\)' "${both[@]}" 'SELECT count(*) / (count(*) - 5000) FROM part'

# nodes
expect 1 'cannot reach the node: 127.0.0.1:1: ' query --node 127.0.0.1:1 "$count"
expect 1 'the query failed: .*the node has trades, part, Odd-Name, bare, log, other \(NOT_FOUND\)' "${there[@]}" "$count"
expect 1 'the query failed: .*write FROM "Odd-Name", with the double quotes' "${there[@]}" 'SELECT 1 FROM "ODD-name"'
expect 1 "the query failed: data set bare on $first: it has no schema.*adds schema=.*FAILED_PRECONDITION" "${there[@]}" 'SELECT count(*) FROM bare'
expect 1 "the query failed: data set log on $first: its format is lines.*FAILED_PRECONDITION" "${there[@]}" 'SELECT count(*) FROM log'
expect 1 "the query failed: data set other on $second: its schema is \".*volume:i32.*\", that of the data set other on $first is \".*volume:u32" "${both[@]}" 'SELECT count(*) FROM other'
expect 1 "the query failed: $second: no data set 'Odd-Name' here; the node has part, other \(NOT_FOUND\)" "${both[@]}" 'SELECT count(*) FROM "Odd-Name"'
expect 1 "the query failed: .*named twice" query --node "$first,$first" "${by_zero/trades/part}"
echo "$cases wrong inputs"

# ---- a schema is checked at the start, and beside a program
refused()
{
	local status=0

	timeout 10 "$B/nearfoldd" --check-config "${@:2}" >"$T/out" 2>"$T/err" || status=$?
	check_equal "status of nearfoldd ${*:2}" "$status" 2
	grep -q -- "$1" "$T/err" || fail "nearfoldd ${*:2}: '$(cat "$T/err")' does not say '$1'"
}
refused 'schema.*add pad(4)' --export "a=$T/first.bin,format=fixed:8,schema=a:i32"
refused 'schema.*no type "int"' --export "a=$T/first.bin,format=fixed:8,schema=a:int"
refused 'schema.*fixed records' --export "a=$T/first.bin,format=lines,schema=a:i32"
refused 'data set a: schema' --export "a=$T/first.bin,format=fixed:8,schema=a:i32"
refused 'schema takes all that follows it: give it last' --export "a=$T/first.bin,schema=a:i64,format=fixed:8"
printf '[dataset a]\npath = %s\nschema = a:i64,\n  b:i32\nformat = fixed:12\n' "$T/first.bin" >"$T/conf"
refused "$T/conf:3: schema" --config "$T/conf"
printf '[dataset a]\npath = %s\nschema = a:i64\nformat = fixed:12\n' "$T/first.bin" >"$T/conf"
refused "$T/conf:4: schema: .*add pad(4)" --config "$T/conf"
average=$B/examples/average.bpf.o
expect 1 'cannot run .*: schema: .*add pad\(16\)' run "$average" --local "$T/nothing.bin" --format fixed:24 --schema a:i64
"$nearfold" run "$average" --local "$T/nothing.bin" --format fixed:24 --schema 'a:i64, pad(16)' >/dev/null ||
	fail "a program with a schema of its records"

# ---- the answer has nowhere to go
status=0
"$nearfold" query "${local[@]}" "$everything" >/dev/full 2>"$T/err" || status=$?
check_equal "exit status with a full standard output" "$status" 1
grep -q 'cannot write the answer: standard output: No space left' "$T/err" || fail "$(cat "$T/err")"

node_stop || fail "the second node ended with status $?"
node_stop "$first_pid" || fail "the first node ended with status $?"
