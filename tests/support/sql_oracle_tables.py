# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Tables for sql_oracle.py: rows from a seed, as binary records and as PostgreSQL's input.

    mixed     every type, values so tame that most arithmetic succeeds and sums of doubles are exact
    edge      the same columns at the ends of their ranges: NaN, -0.0, BC, 18 digits
    nothing   the same columns, no record
    lineitem  TPC-H's shape and value ranges
    texts     texts of many widths, that often begin alike or fill their width

Bytes that no query may see are random: pads, and what follows a text's first NUL.
"""
import math
import random
import re
import struct

MIXED = """tiny:i8, small:i16, n:i32, big:i64, ub:u8, us:u16, un:u32, ubig:u64, pad(3), r4:f32,
r8:f64, flag:bool, code:char(1), name:char(12), pad(5), day:date, at:timestamp, price:decimal(15,2),
rate:decimal(9,4), whole:decimal(18,0), micro:decimal(12,6), "Mixed Case":i16, "order":char(6)"""
LINEITEM = """l_orderkey:i64, l_partkey:i32, l_suppkey:i32, l_linenumber:i32,
l_quantity:decimal(15,2), l_extendedprice:decimal(15,2), l_discount:decimal(15,2),
l_tax:decimal(15,2), l_returnflag:char(1), l_linestatus:char(1), l_shipdate:date, l_commitdate:date,
l_receiptdate:date, l_shipinstruct:char(25), l_shipmode:char(10), l_comment:char(44), pad(3)"""
TEXT_BYTES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 17, 24, 33)
TEXTS = "v:i16, " + ", ".join(f"t{n}:char({n})" for n in TEXT_BYTES)

# Our type: how it is packed, and what it is in PostgreSQL.
TYPES = {"i8": ("b", "smallint"), "i16": ("h", "smallint"), "i32": ("i", "integer"),
         "i64": ("q", "bigint"), "u8": ("B", "smallint"), "u16": ("H", "integer"),
         "u32": ("I", "bigint"), "u64": ("Q", "bigint"), "f32": ("f", "double precision"),
         "f64": ("d", "double precision"), "bool": ("B", "boolean"), "date": ("i", "date"),
         "timestamp": ("q", "timestamp"), "decimal": ("q", "numeric"), "char": ("s", "text")}
DAY_US = 86400 * 10**6


class Column:
    def __init__(self, text):
        m = re.fullmatch(r'(?:("[^"]+"|\w+):)?(\w+)(?:\((\d+)(?:,(\d+))?\))?', text)
        self.name, self.stored, a, b = m.groups()
        self.bytes = int(a) if self.stored in ("char", "pad") else 0
        self.precision, self.scale = (int(a), int(b)) if self.stored == "decimal" else (0, 0)
        self.sql = TYPES[self.stored][1] if self.stored != "pad" else None

    def pack(self, value, rng):
        if self.stored == "pad":
            return rng.randbytes(self.bytes)
        if self.stored == "char":
            data = value.encode()
            assert len(data) <= self.bytes
            junk = rng.randbytes(self.bytes)
            return (data + b"\0" + junk)[:self.bytes]
        if self.stored == "bool":
            value = rng.choice([1, 1, 2, 128, 255]) if value else 0
        return struct.pack("<" + TYPES[self.stored][0], value)

    def copy_type(self):
        """What COPY reads it as; select() makes the column of it, by PostgreSQL's own calendar."""
        return {"date": "integer", "timestamp": "interval",
                "numeric": f"numeric({self.precision},{self.scale})"}.get(self.sql, self.sql)

    def copy_text(self, value):
        if self.stored == "bool":
            return "t" if value else "f"
        if self.stored == "timestamp":
            return f"{value // DAY_US} days {value % DAY_US} microseconds"
        if self.stored == "decimal":
            return decimal_text(value, self.scale)
        if self.stored == "char":
            return re.sub(r"[\\\n\r\t]", lambda m: "\\" + m[0].translate(
                {10: "n", 13: "r", 9: "t"}), value)
        return repr(value)

    def select(self):
        if self.sql == "date":
            return f"date '1970-01-01' + {self.name} AS {self.name}"
        if self.sql == "timestamp":
            return f"timestamp '1970-01-01' + {self.name} AS {self.name}"
        return self.name


class Table:
    def __init__(self, name, schema, rows, rng):
        self.name, self.rows = name, rows
        self.schema = " ".join(schema.split())
        parts = [Column(text) for text in re.split(r",\s+", self.schema)]
        self.columns = [c for c in parts if c.sql]
        records = []
        for row in rows:
            values = iter(row)
            records.append(b"".join(c.pack(next(values) if c.sql else None, rng) for c in parts))
        self.record_bytes = sum(c.bytes or struct.calcsize("<" + TYPES[c.stored][0])
                                for c in parts)
        self.data = b"".join(records)
        assert len(self.data) == self.record_bytes * len(rows)

    def load(self):
        """A psql script that makes the table."""
        raw = ", ".join(f"{c.name} {c.copy_type()}" for c in self.columns)
        lines = [f"CREATE TEMP TABLE raw ({raw});", "COPY raw FROM STDIN;"]
        for row in self.rows:
            lines.append("\t".join(c.copy_text(v) for c, v in zip(self.columns, row)))
        lines += ["\\.", f"CREATE TABLE {self.name} AS SELECT "
                  + ", ".join(c.select() for c in self.columns) + " FROM raw;", "DROP TABLE raw;"]
        return "\n".join(lines) + "\n"


def decimal_text(value, scale):
    digits = str(abs(value)).rjust(scale + 1, "0")
    whole, point = digits[:len(digits) - scale], digits[len(digits) - scale:]
    return ("-" if value < 0 else "") + whole + ("." + point if scale else "")


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def days(year, month, day):
    """Since 1970-01-01; any year, 0 is 1 BC."""
    y = year - (month <= 2)
    era, yoe = y // 400, y % 400
    doy = (153 * ((month - 3) % 12) + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


NAMES = ["", "anvil", "anvils", "Anvil", "bolt", "bolt 10%", "bolt_10", "boltx10", "a\\b", "käse",
         "kase", "Käse", "zebra", "zeb", "twelve bytes", "with, comma", 'a "quote"', "it's",
         "line\nend", "%", "_", "  padded  ", "tail   ", "éé", "x"]
ORDERS = ["", "URGENT", "HIGH", "LOW", "low", "NONE", "10", "9"]


def mixed_rows(rng, n):
    first, last = days(1992, 1, 1), days(1998, 12, 31)
    rows = []
    for _ in range(n):
        day = rng.choice([rng.randint(first, last)] * 6 + [days(1996, 2, 29), days(1900, 2, 28)])
        rows.append((
            rng.randint(-10, 10), rng.randint(-300, 300), rng.randint(-100000, 100000),
            rng.randint(-10**12, 10**12), rng.choice([0, 1, 7, 100, 200, 255]),
            rng.randint(0, 65535), rng.choice([0, 5, 2**31, 2**32 - 1, rng.randrange(2**32)]),
            rng.choice([0, 1, 2**40, rng.randrange(10**15)]),
            f32(rng.randint(-400, 400) / 4), rng.randint(-64000, 64000) / 64, rng.random() < 0.4,
            rng.choice("AABCNRO"), rng.choice(NAMES), day,
            rng.randint(first, last) * DAY_US + rng.choice(
                [0, 0, 86399999999, rng.randrange(DAY_US), rng.randrange(86400) * 10**6]),
            rng.choice([rng.randint(0, 9999999), rng.randint(-50000, 50000), 0]),
            rng.randint(-99999, 999999), rng.randint(-10**9, 10**9),
            rng.choice([0, 1, -1, 500000, rng.randint(-10**9, 10**9)]),
            rng.randint(-3, 3), rng.choice(ORDERS)))
    return rows


def edge_rows(rng, n):
    def integers(bits, signed):
        lo, hi = (-(2**(bits - 1)), 2**(bits - 1) - 1) if signed else (0, 2**min(bits, 63) - 1)
        return [lo, hi, max(lo, -1), 0, 1, hi - 1, lo + 1, hi // 2]

    def decimals(precision):
        top = 10**precision - 1
        return [top, -top, 0, 1, -1, top // 2, 10**(precision // 2), 5 * 10**(precision // 2)]

    reals = [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1.7976931348623157e308,
             -1.7976931348623157e308, 1.0, -1.0, 0.1, 0.5, 1.5, 2.5, -2.5, 1e15, 1e16,
             123456789.125,
             2.2250738585072014e-308, 1e-5, 9.999e-5, 1e22, 3.0000000000000004]
    singles = [math.nan, math.inf, -math.inf, -0.0, 0.0, f32(3.4028234e38), f32(1e-45), f32(0.1),
               f32(1.1754944e-38), 16777216.0, 1.5, -1.5]
    dates = [days(-4712, 1, 1), days(5874897, 12, 31), days(0, 2, 29), days(0, 12, 31),
             days(1, 1, 1), days(1582, 10, 15), days(1969, 12, 31), 0, days(2000, 2, 29),
             days(1900, 3, 1), days(9999, 12, 31), days(10000, 1, 1), days(2100, 1, 31)]
    stamps = [days(-4712, 1, 1) * DAY_US, 2**63 - 1, -1, 0, 1,
              days(0, 3, 1) * DAY_US - 1, days(1969, 12, 31) * DAY_US + 1500000, 100, 120000,
              days(2000, 2, 29) * DAY_US + 86399 * 10**6]
    values = [integers(8, True), integers(16, True), integers(32, True), integers(64, True),
              integers(8, False), integers(16, False), integers(32, False), integers(64, False),
              singles, reals, [False, True], ["", "A", "a", "~", " "],
              NAMES + ["\x01\x02", "a", "aa", "ab\tc", "ÿ", "日本語日", "A" * 12],
              dates, stamps, decimals(15), decimals(9), decimals(18), decimals(12),
              integers(16, True), ORDERS]
    rows = [tuple(v[i % len(v)] for v in values) for i in range(30)]  # each value once at least
    rows += [tuple(rng.choice(v) for v in values) for _ in range(n - 30)]
    return rows


def lineitem_rows(rng, n):
    rows = []
    for i in range(n):
        ship = days(1992, 1, 2) + rng.randrange(2526)
        receipt = ship + rng.randint(1, 30)
        quantity = rng.randint(1, 50)
        part = rng.randint(1, 200000)
        today = days(1995, 6, 17)
        rows.append((
            i // 4 + 1, part, rng.randint(1, 10000), i % 4 + 1, quantity * 100,
            quantity * (90000 + part // 10 % 20001 + 100 * (part % 1000)), rng.randint(0, 10),
            rng.randint(0, 8), rng.choice("RA") if receipt <= today else "N",
            "O" if ship > today else "F", ship, ship + rng.randint(-60, 60), receipt,
            rng.choice(["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"]),
            rng.choice(["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]),
            " ".join(rng.choice(["furiously", "special", "pending", "requests", "deposits", "the"])
                     for _ in range(4))[:43]))
    return rows


def texts_rows(rng, n):
    rows = []
    for i in range(n):
        row = [rng.randint(-9, 9)]
        for size in TEXT_BYTES:
            text = rng.choice(["", "a", "b", "ab", "abc", "abcdefgh", "abcdefghijklmnop", "ä", "z"])
            if rng.random() < 0.3:
                text = text + rng.choice("abz~ ") * rng.choice([1, size])
            while len(text.encode()) > size:
                text = text[:-1]
            row.append(text)
        rows.append(tuple(row))
    return rows


def make(seed, rows):
    """The tables by name."""
    made = {}
    for name, schema, make_rows, n in (("mixed", MIXED, mixed_rows, rows),
                                       ("edge", MIXED, edge_rows, max(30, rows // 10)),
                                       ("nothing", MIXED, mixed_rows, 0),
                                       ("lineitem", LINEITEM, lineitem_rows, rows),
                                       ("texts", TEXTS, texts_rows, rows // 4)):
        rng = random.Random(f"{seed} {name}")
        made[name] = Table(name, schema, make_rows(rng, n), rng)
    return made
