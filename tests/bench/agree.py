#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""agree.py A.json B.json: do two benchmarks of the same kind agree on every ratio, by the spreads that
they print (three digits)? Lists those that do not; exit status 1 if there are any."""
import json
import sys


def printed(v):
    return float(f"{v:.3g}")


def ratios(path):
    return {(r["section"], r["x_text"], r["engine"], r["name"]):
            {end: printed(r["stat"][end]) for end in ("low", "high")}
            for r in json.load(open(path))["ratios"]}


a, b = ratios(sys.argv[1]), ratios(sys.argv[2])
apart = [k for k in a if k in b and (a[k]["low"] > b[k]["high"] or b[k]["low"] > a[k]["high"])]
for k in apart:
    print(f"{' '.join(k)}: {a[k]['low']:.4g} .. {a[k]['high']:.4g} and {b[k]['low']:.4g} .. {b[k]['high']:.4g}")
alone = set(a) ^ set(b)
for k in sorted(alone):
    print(f"{' '.join(k)}: in one of them only")
print(f"{len(a) - len(apart) - len(alone & set(a))} of {len(a)} ratios agree")
sys.exit(1 if apart or alone else 0)
