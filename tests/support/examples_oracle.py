#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""examples_oracle.py FOLDER: data for every example, and what each must answer, computed here.

For each example NAME: FOLDER/NAME/{format,params}, FOLDER/NAME/data/part*.bin (always the same
bytes) and FOLDER/NAME/want.csv. Nothing of Nearfold is used.
"""
import math
import os
import random
import struct
import sys
from decimal import ROUND_HALF_UP, Decimal, getcontext

getcontext().prec = 60
SYMBOL = struct.Struct("<IBBHQQ")  # name, info, other, section, value, size


def average(count, total):
    if count == 0:
        return ""
    return str((Decimal(total) / Decimal(count)).quantize(Decimal("0.000001"), ROUND_HALF_UP))


def double(v):
    for digits in (15, 16, 17):
        text = f"{v:.{digits}g}"
        if float(text) == v:
            return text
    return text


def symbols(rng, n):
    rows = []
    for i in range(n):
        size = rng.choice([0, rng.randrange(16), rng.randrange(1 << 12), rng.randrange(1 << 63)])
        info = rng.choice([1, 2, 6]) | rng.choice([0, 1, 2]) << 4
        rows.append((i, info, 0, rng.choice([0, 1, 7, 65521]), rng.randrange(1 << 64), size))
    return rows


def average_case(rng):
    rows = symbols(rng, 9001)
    total = sum(r[5] for r in rows)
    functions = sum(r[1] & 15 == 2 for r in rows)
    want = ["size.count,size.sum,size.avg,functions",
            f"{len(rows)},{total},{average(len(rows), total)},{functions}"]
    return "fixed:24", [], [SYMBOL.pack(*r) for r in rows], want


def group_by_case(rng):
    rows = symbols(rng, 8000)
    groups = {}
    for r in rows:
        if r[3] != 0 and r[5] >= 16:
            groups.setdefault((r[1] & 15, r[1] >> 4), []).append(r[5])
    want = ["type,binding,size.count,size.sum,size.avg,largest"]
    for (kind, binding), sizes in sorted(groups.items()):
        want.append(f"{kind},{binding},{len(sizes)},{sum(sizes)},"
                    f"{average(len(sizes), sum(sizes))},{max(sizes)}")
    return "fixed:24", ["min_size=16"], [SYMBOL.pack(*r) for r in rows], want


def histogram_case(rng):
    rows = symbols(rng, 7000)
    bucket = [0] * 24
    for r in rows:
        bucket[min(max(r[5].bit_length() - 1, 0), 23)] += 1
    want = [",".join(f"bucket[{i}]" for i in range(24)), ",".join(map(str, bucket))]
    return "fixed:24", [], [SYMBOL.pack(*r) for r in rows], want


def min_max_case(rng):
    values = [rng.randrange(-(1 << 63), 1 << 63) for _ in range(6000)] + [-(1 << 63), (1 << 63) - 1]
    rng.shuffle(values)
    want = ["count,min,max", f"{len(values)},{min(values)},{max(values)}"]
    return "fixed:8", [], [struct.pack("<q", v) for v in values], want


def top_k_case(rng):
    values = [rng.randrange(1 << 64) >> rng.randrange(60) for _ in range(12000)]
    values += [max(values)] * 2  # equal ones count each
    rng.shuffle(values)
    top = sorted(values, reverse=True)[:10]
    want = ["count," + ",".join(f"value[{i}]" for i in range(10)),
            f"{len(values)}," + ",".join(map(str, top))]
    return "fixed:8", [], [struct.pack("<Q", v) for v in values], want


def variance_case(rng):
    # Whole numbers: their sums are exact, so that any order of adding gives the same bits.
    values = [float(rng.randrange(-1000, 1000)) for _ in range(5000)] + [math.nan] * 7
    rng.shuffle(values)
    numbers = [v for v in values if not math.isnan(v)]
    want = ["count,not_numbers,sum,squares",
            f"{len(numbers)},7,{double(sum(numbers))},{double(sum(v * v for v in numbers))}"]
    return "fixed:8", [], [struct.pack("<d", v) for v in values], want


def grep_count_case(rng):
    words = ["near", "nearfold", "fold", "", "f\u00f6ld", "xnearfoldx", "nearfol", "NEARFOLD"]
    lines = [" ".join(rng.choice(words) for _ in range(rng.randrange(9))).encode()
             for _ in range(20000)]
    lines += [b"y" * 70000 + b"nearfold", b"", b"z" * 3]
    matching = [line for line in lines if b"nearfold" in line]
    want = ["lines,bytes", f"{len(matching)},{sum(map(len, matching))}"]
    return "lines", ["word=nearfold"], [line + b"\n" for line in lines], want


def main():
    for name, case in sorted(globals().items()):
        if not name.endswith("_case"):
            continue
        name = name[:-len("_case")]
        form, params, records, want = case(random.Random(name))
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(os.path.join(folder, "data"))
        third = len(records) // 3
        for i, part in enumerate((records[:third], records[third:2 * third], records[2 * third:])):
            with open(os.path.join(folder, "data", f"part{i}.bin"), "wb") as f:
                f.write(b"".join(part))
        for what, lines in (("want.csv", want), ("format", [form]), ("params", params)):
            with open(os.path.join(folder, what), "w") as f:
                f.writelines(line + "\n" for line in lines)


main()
