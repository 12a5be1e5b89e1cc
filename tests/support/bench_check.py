#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_check.py REPORT.json SCHEMA.json: does the report have the documented form? The part of JSON
Schema that the schema uses, so that nothing needs installing."""
import json
import re
import sys

report, schema = (json.load(open(path)) for path in sys.argv[1:3])
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
         "null": type(None)}
KNOWN = {"$ref", "type", "required", "additionalProperties", "properties", "items", "enum", "const",
         "pattern", "minimum", "description", "title", "$schema", "definitions"}


def check(value, rule, where):
    unknown = set(rule) - KNOWN
    assert not unknown, f"the schema uses {unknown}, which this check does not know"
    if "$ref" in rule:
        check(value, schema["definitions"][rule["$ref"].split("/")[-1]], where)
    types = rule.get("type", [])
    types = [types] if isinstance(types, str) else types
    assert not types or any(isinstance(value, TYPES[t]) for t in types), f"{where}: {value!r} is no {types}"
    assert "enum" not in rule or value in rule["enum"], f"{where}: {value!r}"
    assert "const" not in rule or value == rule["const"], f"{where}: {value!r}"
    if "pattern" in rule and isinstance(value, str):
        assert re.search(rule["pattern"], value), f"{where}: {value!r}"
    if "minimum" in rule:
        assert value >= rule["minimum"], f"{where}: {value!r}"
    if isinstance(value, dict):
        for name in rule.get("required", []):
            assert name in value, f"{where} lacks {name}"
        for name, member in value.items():
            inner = rule.get("properties", {}).get(name, rule.get("additionalProperties", {}))
            assert inner is not False, f"{where} has {name}, which is not documented"
            check(member, {} if inner is True else inner, f"{where}.{name}")
    if isinstance(value, list):
        for i, item in enumerate(value):
            check(item, rule.get("items", {}), f"{where}[{i}]")


try:
    check(report, schema, "report")
except AssertionError as e:
    sys.exit(f"{sys.argv[1]}: {e}")
