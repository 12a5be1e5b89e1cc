#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""sql_oracle.py [OPTION...]: nearfold query against PostgreSQL 15, over the same rows.

    --queries FILE   these (sql_queries.sql says how they are written)
    --random N       N from a grammar, made from --seed
    --query SQL      just this one; both answers are printed
    --seed S         of the rows and the random queries [1]
    --rows N         of the larger tables [1200]
    --only TEXT      queries that contain it
    --postgres-only  ask PostgreSQL alone: are the queries what they are said to be?
    --keep FOLDER    leave the tables there, with each one's schema, to repeat by hand
    --shrink         make failing queries as short as they can be
    --show WHAT      also print every query that was refused, failed, or all (refused|failed|all)

PostgreSQL runs in a folder of its own (sql_oracle_postgres.py). Each query runs there and, as CSV
and as JSON, in nearfold with engines, threads and chunks that take turns. They agree when

  - the rows are the same: in order when the query orders them, as multisets else;
  - numerics have the same digits, so that 1.50 is not 1.5 (the same number, where a query's scale
    is not determined); sums and averages of doubles differ by less than 1e-12, other doubles not at
    all;
  - names and types of the columns are the same;
  - both fail, and we say what PostgreSQL says.

What we do not support (UNIMPLEMENTED, RESOURCE_EXHAUSTED) is counted and printed; it is a failure
for a query of a file that is not marked for it. Exit status: 0 agreement, 1 not, 77 no PostgreSQL.
"""
import argparse
import collections
import json
import math
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

sys.dont_write_bytecode = True
import sql_oracle_postgres  # noqa: E402
import sql_oracle_random  # noqa: E402
import sql_oracle_shrink  # noqa: E402
import sql_oracle_tables  # noqa: E402
from sql_oracle_postgres import Answer  # noqa: E402

NOT_SUPPORTED = ("UNIMPLEMENTED", "RESOURCE_EXHAUSTED")
OWN_FAULT = ("INVALID_ARGUMENT", "OUT_OF_RANGE", "UNIMPLEMENTED")  # whichever engine runs it
NO_ROOM = "a numeric has more digits than fit"  # an error of ours that PostgreSQL has no need of
NEARFOLD = os.path.join(os.environ.get("B", "build/release"), "nearfold")
# How nearfold is asked: each query in two neighbouring ways, the interpreter's and another one.
WAYS = [("interp", "1", None), ("jit", "2", "4K"), ("interp", "2", "4K"), ("kernel", "1", "16K"),
        ("interp", "1", "16K"), ("jit", "1", None)]


class Case:
    """marks: of sql_queries.sql. loose: by output, its numerics are compared as numbers."""

    def __init__(self, name, text, postgres=None, marks=(), loose=None, ordered=None):
        self.name, self.text, self.postgres = name, text, postgres or text
        self.marks, self.loose = set(marks), loose
        self.ordered = (bool(re.search(r"\border\s+by\b", text, re.I)) and "ties" not in marks
                        if ordered is None else ordered)
        self.inexact = re.search(r"\b(sum|avg)\s*\(", text, re.I) is not None
        self.curated = name[0] != "#"
        self.table = (re.findall(r"\bfrom\s+(mixed|edge|nothing|lineitem|texts)\b", text, re.I)
                      or ["mixed"])[-1].lower()


def read_queries(path):
    cases, marks, lines, start = [], [], [], 0
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not lines and (not line or line.startswith("--")):
                if line.startswith("--@ "):
                    marks += line[4:].split()
                continue
            start = start or number
            lines.append(line)
            if line.endswith(";"):
                text = "\n".join(lines)[:-1]
                cases.append(Case(f"{os.path.basename(path)}:{start}", text, marks=marks))
                marks, lines, start = [], [], 0
    return cases


def random_queries(tables, n, seed):
    cases = []
    for i in range(n):
        # Each from its own seed: it stays the same when others change.
        rng = random.Random(f"{seed} {i}")
        q = sql_oracle_random.Generator(tables, rng).query()
        cases.append(Case(f"#{i}", q.text, postgres=q.postgres, loose=q.loose, ordered=q.ordered))
    return cases


# ---- nearfold's side


class Nearfold:
    def __init__(self, program, folder, tables):
        self.program, self.folder, self.tables = program, folder, tables
        self.refusals = {}  # why the kernel engine did not run the first query it was asked

    def command(self, case, way, output):
        engine, threads, chunk = way
        table = self.tables[case.table]
        command = [self.program, "query", "--local", f"{self.folder}/{table.name}.bin", "--format",
                   f"fixed:{table.record_bytes}", "--schema", table.schema, "--engine", engine,
                   "--threads", threads, "--output", output]
        return command + (["--chunk", chunk] if chunk else []) + [case.text]

    def ask(self, case, way, output):
        """An Answer, whose code is gRPC's; of JSON the cells are as json.loads gives them."""
        done = subprocess.run(self.command(case, way, output), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60)
        out, err = done.stdout.decode(), done.stderr.decode().strip()
        if done.returncode != 0:
            message = err.partition("\n    |")[0]  # the place in the query follows
            code = re.search(r"\(([A-Z_]+)(, query \d+)?\)$", message)
            code = code[1] if code and done.returncode == 1 else f"exit status {done.returncode}"
            if NO_ROOM in message:
                code = "RESOURCE_EXHAUSTED"
            return Answer(error=message or "no message", code=code)
        if output == "json":
            made = json.loads(out, parse_float=str, parse_int=str)
            return Answer(names=[c["name"] for c in made["columns"]],
                          types=[c["type"] for c in made["columns"]], rows=made["rows"])
        names, *rows = csv_rows(out)
        return Answer(names=names, rows=rows)

    def answer(self, case, way, output):
        try:
            return self.ask(case, way, output)
        except subprocess.TimeoutExpired:
            return Answer(error="no end after 60 s", code="TIMEOUT")
        except (ValueError, KeyError) as e:
            return Answer(error=f"not to be read: {e!r}", code="OUTPUT")

    def kernel_runs(self, case):
        """Does the kernel engine run it here?"""
        command = self.command(case, WAYS[0], "csv")
        command[1] = "explain"
        command.insert(-1, "--sql")
        for option in ("--output", "--engine"):
            at = command.index(option)
            del command[at:at + 2]
        out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             stdin=subprocess.DEVNULL, timeout=60).stdout.decode()
        if "kernel" not in self.refusals:
            self.refusals["kernel"] = re.sub(r".*\bkernel +(no: )?", "", "\n".join(
                line for line in out.splitlines() if re.search(r"\bkernel +no", line)))
        return re.search(r"\bkernel +yes", out) is not None


def csv_rows(text):
    """RFC 4180, where an empty field is NULL and one of two quotes is an empty text."""
    rows, row, i = [], [], 0
    while i < len(text):
        if text[i] == '"':
            m = re.compile(r'"((?:[^"]|"")*)"').match(text, i)
            row.append(m[1].replace('""', '"'))
        else:
            m = re.compile(r"[^,\n]*").match(text, i)
            row.append(m[0] or None)
        i = m.end()
        if i < len(text) and text[i] == ",":
            i += 1
            if i < len(text) and text[i] == "\n":
                row.append(None)
            else:
                continue
        rows.append(row)
        row, i = [], i + 1
    return rows


# ---- comparing


def json_text(cell):
    """As it is in CSV."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell


def double(text):
    return float(text.replace("Infinity", "inf"))


def cells_agree(case, kind, loose, want, got):
    if want is None or got is None:
        return want is got
    try:
        if kind == "numeric":
            return want == got or loose and Decimal(want) == Decimal(got)
        if kind == "double precision":
            a, b = double(want), double(got)
            if a == b or math.isnan(a) and math.isnan(b):
                return loose or case.inexact or a == 0 or want == got
            return case.inexact and math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-9)
    except (ValueError, ArithmeticError):
        return False
    return want == got


def sort_key(types, row):
    """Rows that agree come together: what is exact first, doubles last."""
    exact, doubles = [], []
    for kind, cell in zip(types, row):
        if cell is None:
            exact.append((0, 0, ""))
        elif kind == "double precision":
            try:
                doubles.append(double(cell))
            except ValueError:
                doubles.append(math.inf)
            exact.append((1, 0, ""))
        elif kind == "numeric" and re.fullmatch(r"-?[\d.]+(e[-+]?\d+)?", cell, re.I):
            exact.append((1, Decimal(cell), ""))
        else:
            exact.append((1, 0, cell))
    return exact, [(math.isnan(d), 0.0 if math.isnan(d) else d) for d in doubles]


def difference(case, want, got, loose):
    """What is different in the rows, or None."""
    if len(want.rows) != len(got.rows):
        return f"{len(got.rows)} rows, want {len(want.rows)}"

    def first(left, right):
        for number, (a, b) in enumerate(zip(left, right), 1):
            if len(a) != len(b):
                return f"row {number} has {len(b)} columns, want {len(a)}"
            for c, kind in enumerate(want.types):
                if not cells_agree(case, kind, loose[c], a[c], b[c]):
                    return f"row {number}, column {c + 1} is {b[c]!r}, want {a[c]!r}"
        return None

    as_listed = first(want.rows, got.rows)
    if as_listed is None:
        return None
    sorted_rows = first(sorted(want.rows, key=lambda r: sort_key(want.types, r)),
                        sorted(got.rows, key=lambda r: sort_key(want.types, r)))
    if not case.ordered:
        return sorted_rows
    if sorted_rows is None and "double precision" in want.types and case.inexact:
        return None  # sums that differ in the last bit are in another order
    return as_listed + (" (the same rows in another order)" if sorted_rows is None else "")


def words(text):
    return " ".join(text.split())


def judge(case, want, answers):
    """("agree" | "refused" | "other error" | "wrong", why). answers: (way, output, Answer)."""
    for way, output, got in answers:
        label = f"{'/'.join(w for w in way if w)} {output}: "
        if got.error is not None and got.code in NOT_SUPPORTED and want.code != "57014":
            if want.error is not None and words(want.error) in words(got.error):
                continue
            return "refused", label + got.error
        if want.error is not None:
            if got.error is None:
                return "wrong", label + f"{got.rows[:3]}, want the error: {want.error}"
            if words(want.error) not in words(got.error):
                # Among several that fail, who is met first is open.
                arithmetic = case.name[0] == "#" and want.code[:2] == "22"
                return ("other error" if arithmetic and got.code == "OUT_OF_RANGE" else "wrong",
                        label + f"{got.error}; want: {want.error}")
            codes = ("OUT_OF_RANGE", "INVALID_ARGUMENT")[want.code[:2] != "22":]
            if got.code not in codes:
                return "wrong", label + f"{got.error}: the code is not {' or '.join(codes)}"
            continue
        if got.error is not None:
            return "wrong", label + f"{got.error}; want {want.rows[:3]}"
        if output == "json":
            got.rows = [[json_text(cell) for cell in row] for row in got.rows]
        loose = case.loose or ["number" in case.marks] * len(want.types)
        if output == "json":  # numbers there are numbers
            loose = [True] * len(want.types)
        if got.names != want.names:
            return "wrong", label + f"the columns are called {got.names}, want {want.names}"
        if output == "json" and got.types != want.types:
            return "wrong", label + f"the types are {got.types}, want {want.types}"
        why = difference(case, want, got, loose)
        if why:
            return "wrong", label + why
    return "agree", ""


def compare(args, nearfold, cases, wants):
    """The outcomes by case."""
    def one(number):
        case, want = cases[number], wants[number]
        first, second = WAYS[number % len(WAYS)], WAYS[(number + 1) % len(WAYS)]
        answers = []
        asked = [(first, "csv"), (second, "json")]
        if want.code[:2] == "42":  # refused before any engine has a part in it
            del asked[1:]
        if case.name == "--query":
            asked = [(way, "csv") for way in WAYS] + [(WAYS[0], "json")]
        for way, output in asked:
            got = nearfold.answer(case, way, output)
            if (way[0] == "kernel" and got.error and got.code not in OWN_FAULT
                    and not nearfold.kernel_runs(case)):
                way = ("jit",) + way[1:]
                got = nearfold.answer(case, way, output)
            ways[way[0]] += 1
            answers.append((way, output, got))
        if case.name == "--query":
            print(f"{nearfold.program}: {answers[0][2].error or answers[0][2].names}")
            for row in answers[0][2].rows[:40]:
                print(f"    {row}")
        return judge(case, want, answers)

    ways = collections.Counter()
    with ThreadPoolExecutor(max_workers=args.jobs) as pool:
        outcomes = list(pool.map(one, range(len(cases))))
    if not args.quiet:
        if len(cases) >= len(WAYS) and not ways["kernel"]:
            print(f"SKIP: the kernel engine: {nearfold.refusals.get('kernel') or 'no reason'}")
        print("runs: " + ", ".join(f"{n} {engine}" for engine, n in sorted(ways.items())))
    return outcomes


def shrunk(args, nearfold, postgres, case):
    """The shortest query found that is wrong as this one is."""
    args.quiet = True

    def is_wrong(texts, loose):
        tries = []
        for text in texts:
            postgres_text = sql_oracle_shrink.in_order(text)
            tries.append(Case(f"#{case.name}", text, postgres=postgres_text, ordered=False))
            tries[-1].table = case.table
        wants = postgres.ask([t.postgres for t in tries])
        for t, want in zip(tries, wants):
            t.loose = [loose] * len(want.types)
        some = [i for i, want in enumerate(wants) if want.error is None or want.code[:2] == "22"]
        outcomes = compare(args, nearfold, [tries[i] for i in some], [wants[i] for i in some])
        bad = {i for i, outcome in zip(some, outcomes) if outcome[0] == "wrong"}
        return [i in bad for i in range(len(texts))]

    for loose in (True, False):
        if is_wrong([case.text], loose)[0]:
            return sql_oracle_shrink.shrink(case.text, lambda texts: is_wrong(texts, loose))
    return case.text


def report(args, cases, outcomes, shorten):
    """Whether all is well."""
    counts = collections.Counter()
    bad = 0
    for case, (verdict, why) in zip(cases, outcomes):
        if verdict == "refused" and case.curated and "refused" not in case.marks:
            verdict = "refused and must not be"
        counts[verdict] += 1
        failed = verdict in ("wrong", "refused and must not be")
        bad += failed
        if failed or args.show == "all" or args.show == "refused" and verdict == "refused" or (
                args.show == "failed" and verdict == "other error"):
            print(f"{verdict}: {case.name}\n    {case.text}\n    {why}")
            if failed:
                if args.shrink and verdict == "wrong":
                    print(f"    shorter: {shorten(case)}")
                print(f"    again: {sys.argv[0]} --seed {args.seed} --rows {args.rows} --query "
                      + shlex.quote(case.text), flush=True)
    print(f"{len(cases)} queries: " + ", ".join(f"{n} {v}" for v, n in sorted(counts.items())))
    return bad == 0


def check_postgres(cases, wants):
    """Are the queries what their marks say?"""
    well = True
    counts = collections.Counter()
    for case, want in zip(cases, wants):
        counts[want.code if want.error else "rows" if want.rows else "no rows"] += 1
        if case.curated and (want.error is not None) != ("error" in case.marks):
            well = False
            print(f"{case.name}\n    {case.text}\n    PostgreSQL: {want.error or want.rows[:2]}")
        elif not case.curated and want.error and want.code[:2] != "22":
            well = False
            print(f"{case.name}: {want.error}\n    {case.postgres}")
    print(f"{len(cases)} queries in PostgreSQL: "
          + ", ".join(f"{n} {what}" for what, n in sorted(counts.items())))
    return well


def options():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--queries")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--query")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--only", default="")
    parser.add_argument("--postgres-only", action="store_true")
    parser.add_argument("--keep")
    parser.add_argument("--shrink", action="store_true")
    parser.set_defaults(quiet=False)
    parser.add_argument("--show", choices=("refused", "failed", "all"))
    parser.add_argument("--nearfold", default=NEARFOLD)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--help", action="help")
    return parser.parse_args()


def main():
    args = options()
    why = sql_oracle_postgres.missing()
    if why:
        print(f"SKIP: {why}")
        return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tables = sql_oracle_tables.make(args.seed, args.rows)
    cases = read_queries(args.queries) if args.queries else []
    cases += random_queries(tables, args.random, args.seed)
    cases += [Case("--query", args.query)] if args.query else []
    cases = [case for case in cases if args.only in case.text]

    folder = args.keep or tempfile.mkdtemp(prefix="nearfold-sql.")
    os.makedirs(folder, exist_ok=True)
    for table in tables.values():
        with open(f"{folder}/{table.name}.bin", "wb") as f:
            f.write(table.data)
        with open(f"{folder}/{table.name}.schema", "w", encoding="utf-8") as f:
            f.write(table.schema + "\n")
    postgres = sql_oracle_postgres.Postgres()
    try:
        for table in tables.values():
            postgres.load(table)
        wants = postgres.ask([case.postgres for case in cases])
        if args.query:
            print(f"PostgreSQL: {wants[-1].error or ''}{wants[-1].names} {wants[-1].types}")
            for row in wants[-1].rows[:40]:
                print(f"    {row}")
        well = check_postgres(cases, wants) or args.query
        if not args.postgres_only:
            nearfold = Nearfold(args.nearfold, folder, tables)
            outcomes = compare(args, nearfold, cases, wants)

            def shorten(case):
                return shrunk(args, nearfold, postgres, case)

            well = report(args, cases, outcomes, shorten) and well
    finally:
        postgres.stop()
        if not args.keep:
            shutil.rmtree(folder)
    return 0 if well else 1


sys.exit(main())
