# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Random queries for sql_oracle.py, from a seed.

Expressions come from a grammar limited in depth, with types that PostgreSQL accepts. So that every
answer is determined by the query and the records alone:

  - PostgreSQL is free to test the parts of a WHERE or a HAVING in any order, and one order may fail
    where another does not. It is given (...) IS TRUE, which it does not take apart: left to right.
  - It computes constants, and what is strict and has a NULL in it, when it plans. So an operator
    has an operand that is no constant, and NULL is made by NULLIF and by CASE without ELSE.
  - A numeric's scale may depend on the record that happened to come first (CASE with branches of
    two scales, as a key). Such outputs are marked loose: compared as numbers.
  - ORDER BY names all outputs. There is no LIMIT 0: PostgreSQL then computes nothing, and nothing
    fails.
"""
from sql_oracle_tables import NAMES, ORDERS, TEXT_BYTES

INTEGERS = ("int2", "int4", "int8")
NUMBERS = INTEGERS + ("num", "f8")
ALL = NUMBERS + ("bool", "text", "date", "ts")
SQL = {"int2": "smallint", "int4": "integer", "int8": "bigint", "num": "numeric",
       "f8": "double precision", "bool": "boolean", "text": "text", "date": "date",
       "ts": "timestamp"}
# For PostgreSQL. What of a HAVING needs no aggregate it would test before it aggregates.
IN_ORDER = "({}) IS TRUE"
IN_ORDER_LATE = "CASE WHEN count(*) >= 0 THEN {} END"
OF_SQL = {v: k for k, v in SQL.items()}


class Expr:
    """scale: of a numeric; None: unknown here. sure: the records determine it."""

    def __init__(self, text, kind, constant=False, scale=0, sure=True):
        self.text, self.kind, self.constant = text, kind, constant
        self.scale, self.sure = scale, sure


class Query:
    def __init__(self, text, postgres, loose, ordered):
        self.text, self.postgres, self.loose, self.ordered = text, postgres, loose, ordered


class Generator:
    def __init__(self, tables, rng):
        self.tables, self.rng = tables, rng
        self.leaves = []  # of the rows at hand: columns; or keys and aggregates
        self.records = True  # the rows are records, of which not everything can be asked

    # ---- leaves

    def literal(self, kind):
        r = self.rng
        if kind == "int2":
            return Expr(f"{r.randint(-9, 9)}::smallint", kind, True)
        if kind == "int4":
            return Expr(str(r.choice([0, 1, 2, 3, 7, 10, 100, -1, -5, 1000])), kind, True)
        if kind == "int8":
            return Expr(r.choice(["5::bigint", "-3::bigint", "5000000000", "1::bigint"]), kind,
                        True)
        if kind == "num":
            text = r.choice(["1.5", "0.25", "2.0", "10.00", "0.001", "-1.10", "1e2", "99.9999"])
            scale = 0 if "e" in text else len(text) - text.index(".") - 1
            return Expr(text, kind, True, scale)
        if kind == "f8":
            return Expr(r.choice(["0.5", "1.25", "-2", "1000", "0.1"]) + "::double precision", kind,
                        True)
        if kind == "bool":
            return Expr("(" + r.choice(self.leaves).text + " IS NOT NULL)", kind)
        if kind == "text":
            text = r.choice(NAMES + ORDERS + ["A", "B", "zz"]).replace("'", "''")
            return Expr(f"'{text}'::text", kind, True)
        day = f"{r.randint(1992, 1998)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"
        if kind == "date":
            return Expr(f"date '{day}'", kind, True)
        return Expr(f"timestamp '{day} {r.randint(0, 23):02}:{r.randint(0, 59):02}:00'", kind, True)

    def leaf(self, kind):
        fit = [e for e in self.leaves if e.kind == kind]
        if fit and self.rng.random() < 0.85:
            return self.rng.choice(fit)
        return self.literal(kind)

    def changing(self, kind, depth):
        """An expression that is no constant."""
        for _ in range(4):
            e = self.expr(kind, depth)
            if not e.constant:
                return e
        fit = [e for e in self.leaves if e.kind == kind]
        if fit:
            return self.rng.choice(fit)
        other = self.rng.choice([e for e in self.leaves])
        e = self.literal(kind)
        return Expr(f"CASE WHEN {other.text} IS NOT NULL THEN {e.text} END", kind, scale=e.scale,
                    sure=e.sure)

    # ---- expressions

    def expr(self, kind, depth):
        if depth <= 0 or self.rng.random() < 0.25:
            return self.leaf(kind)
        make = self.rng.choice({"bool": (self.compare, self.compare, self.logic, self.logic,
                                         self.is_null, self.between, self.member, self.like,
                                         self.case),
                                "text": (self.case, self.case, self.leaf_at, self.written),
                                "date": (self.date, self.case, self.leaf_at),
                                "ts": (self.stamp, self.case, self.leaf_at)}.get(
                                    kind, (self.arithmetic, self.arithmetic, self.arithmetic,
                                           self.divide, self.number_function, self.case,
                                           self.number_cast)))
        return make(kind, depth)

    def leaf_at(self, kind, _depth):
        return self.leaf(kind)

    def operand_kinds(self, kind):
        """Two kinds of numbers whose arithmetic is of that kind."""
        r = self.rng
        if kind == "f8":
            other = r.choice(NUMBERS)
        elif kind == "num":
            other = r.choice(("int2", "int4", "int8", "num", "num"))
        else:
            other = r.choice(INTEGERS[:INTEGERS.index(kind) + 1])
        return r.choice([(kind, other), (other, kind)])

    def arithmetic(self, kind, depth):
        r = self.rng
        left, right = self.operand_kinds(kind)
        a, b = self.changing(left, depth - 1), self.expr(right, depth - 1)
        if r.random() < 0.5 and left == right:
            a, b = b, a
        op = r.choice("++--*")
        scale = None
        if a.scale is not None and b.scale is not None:
            scale = a.scale + b.scale if op == "*" else max(a.scale, b.scale)
            if scale > 12:  # what is kept beside the data has its limits
                return a if a.kind == kind else self.leaf(kind)
        return Expr(f"({a.text} {op} {b.text})", kind, scale=scale if kind == "num" else 0,
                    sure=a.sure and b.sure)

    def divide(self, kind, depth):
        r = self.rng
        left, right = self.operand_kinds(kind)
        a, b = self.changing(left, depth - 1), self.changing(right, depth - 1)
        chance = r.random()
        if chance < 0.4:
            b = Expr(f"nullif({b.text}, 0)", b.kind, scale=b.scale, sure=b.sure)
        elif chance < 0.9:
            b = Expr({"int2": "3::smallint", "int4": r.choice(["7", "-2", "100"]),
                      "int8": "10::bigint", "num": r.choice(["4", "2.50", "7.0"]),
                      "f8": "8::double precision"}[right], right, True)
            b.scale = len(b.text.partition(".")[2]) if right == "num" else 0
        op = "/" if kind == "f8" else r.choice("/%")
        if kind != "num":
            return Expr(f"({a.text} {op} {b.text})", kind)
        if op == "/" and self.seldom():
            op = "%"
        if not a.sure or not b.sure:  # a quotient's digits depend on both scales
            return a if a.kind == kind else self.leaf(kind)
        if op == "/" and r.random() < 0.5:
            return Expr(f"round({a.text} / {b.text}, 4)", kind, scale=4)
        known = op == "%" and a.scale is not None and b.scale is not None
        return Expr(f"({a.text} {op} {b.text})", kind,
                    scale=max(a.scale, b.scale) if known else None)

    def number_function(self, kind, depth):
        r = self.rng
        if kind == "num" and r.random() < 0.3:
            source = self.changing(r.choice(("date", "ts")), depth - 1)
            fields = ["year", "month", "day"] + (["hour", "minute"] if source.kind == "ts" else [])
            return Expr(f"extract({r.choice(fields)} FROM {source.text})", kind)
        if kind == "int4" and r.random() < 0.3:
            return Expr(f"({self.changing('date', depth - 1).text} - "
                        f"{self.expr('date', depth - 1).text})", kind)
        a = self.changing(kind, depth - 1)
        if kind in INTEGERS:
            return Expr(r.choice(["abs({})", "(-{})"]).format(a.text), kind)
        if kind == "f8":
            name = "-" if self.seldom() else r.choice(["round", "trunc", "floor", "ceil"])
            return Expr(f"{r.choice(['abs', name])}({a.text})", kind)
        name = r.choice(["abs", "-", "round", "trunc", "floor", "ceil", "round2", "trunc2"])
        if name in ("abs", "-"):
            return Expr(f"{name}({a.text})", kind, scale=a.scale, sure=a.sure)
        if name.endswith("2"):
            digits = r.randint(0, 3)
            return Expr(f"{name[:-1]}({a.text}, {digits})", kind, scale=digits)
        return Expr(f"{name}({a.text})", kind)

    def number_cast(self, kind, depth):
        narrower = NUMBERS[:NUMBERS.index(kind) + 1]
        if kind in INTEGERS:
            narrower += ("num",) if self.seldom() else ("num", "f8")
        source = self.rng.choice(narrower)
        a = self.changing(source, depth - 1)
        if kind == "num" and source == "num":
            digits = self.rng.randint(0, 4)
            return Expr(f"({a.text})::numeric(30,{digits})", kind, scale=digits)
        return Expr(f"({a.text})::{SQL[kind]}", kind)

    def seldom(self):
        """Is it left out, being refused of records?"""
        return self.records and self.rng.random() < 0.9

    def written(self, kind, depth):
        if self.seldom():
            return self.leaf(kind)
        a = self.changing(self.rng.choice([k for k in ALL if k != "f8"]), depth - 1)
        return Expr(f"({a.text})::text", kind) if a.sure else self.leaf(kind)

    def case(self, kind, depth):
        r = self.rng
        shape = r.randrange(4)
        a, b = self.changing(kind, depth - 1), self.expr(kind, depth - 1)
        if shape == 1:
            return Expr(f"nullif({a.text}, {b.text})", kind, scale=a.scale, sure=a.sure)
        when = self.changing("bool", depth - 1)
        if shape == 2:
            return Expr(f"CASE WHEN {when.text} THEN {a.text} END", kind, scale=a.scale,
                        sure=a.sure)
        text = (f"coalesce({a.text}, {b.text})" if shape == 0 else
                f"CASE WHEN {when.text} THEN {a.text} ELSE {b.text} END")
        same = a.scale == b.scale and a.scale is not None
        return Expr(text, kind, scale=a.scale if same else None,
                    sure=kind != "num" or same and a.sure and b.sure)

    def date(self, kind, depth):
        r = self.rng
        a = self.changing(kind, depth - 1)
        return Expr(f"({a.text} {r.choice('+-')} {r.choice([1, 7, 30, 365])})", kind)

    def stamp(self, kind, depth):
        r = self.rng
        a = self.changing(r.choice(("date", "ts")), depth - 1)
        if r.random() < 0.2 or self.seldom():
            return Expr(f"({a.text})::timestamp", kind)
        interval = r.choice(["1 day", "90 minutes", "1 month", "2 years 3 months", "36 hours",
                             "1 month -1 day", "10 seconds"])
        return Expr(f"({a.text} {r.choice('+-')} interval '{interval}')", kind)

    def compared(self, depth):
        """Two expressions to compare."""
        kind = self.rng.choice(ALL)
        a = self.changing(kind, depth - 1)
        if kind in NUMBERS and self.rng.random() < 0.4:
            kind = self.rng.choice(NUMBERS)
        return a, self.expr(kind, depth - 1)

    def compare(self, _kind, depth):
        a, b = self.compared(depth)
        op = self.rng.choice(["=", "<>", "<", "<=", ">", ">=", "<", ">"])
        return Expr(f"({a.text} {op} {b.text})", "bool")

    def logic(self, _kind, depth):
        r = self.rng
        if r.random() < 0.25:
            return Expr(f"(NOT {self.changing('bool', depth - 1).text})", "bool")
        op = r.choice([" AND ", " OR "])
        return Expr("(" + op.join(self.changing("bool", depth - 1).text
                                  for _ in range(r.choice([2, 2, 3]))) + ")", "bool")

    def is_null(self, _kind, depth):
        a = self.changing(self.rng.choice(ALL), depth - 1)
        return Expr(f"({a.text} IS {self.rng.choice(['', 'NOT '])}NULL)", "bool")

    def between(self, _kind, depth):
        kind = self.rng.choice([k for k in ALL if k != "bool"])
        a, b, c = (self.changing(kind, depth - 1), self.expr(kind, depth - 1),
                   self.expr(kind, depth - 1))
        # a is written twice by BETWEEN's meaning, and computed twice by PostgreSQL too.
        word = self.rng.choice(["", "NOT "])
        return Expr(f"({a.text} {word}BETWEEN {b.text} AND {c.text})", "bool")

    def member(self, _kind, depth):
        r = self.rng
        kind = r.choice([k for k in ALL if k not in ("bool", "f8")])
        a = self.changing(kind, depth - 1)
        values = ", ".join(self.literal(kind).text for _ in range(r.randint(1, 4)))
        return Expr(f"({a.text} {r.choice(['', 'NOT '])}IN ({values}))", "bool")

    def like(self, _kind, depth):
        r = self.rng
        word = r.choice([name for name in NAMES if name and "\\" not in name]).replace("'", "''")
        cut = r.randrange(len(word) + 1) if "'" not in word else len(word)
        pattern = r.choice([word, word[:cut] + "%", "%" + word[:cut], "%" + word[:cut] + "%",
                            "_" * r.randint(0, 3) + "%", word[:cut] + "_" + word[cut + 1:]])
        texts = [e for e in self.leaves if e.kind == "text"]
        a = r.choice(texts) if texts and self.seldom() else self.changing("text", depth - 1)
        return Expr(f"({a.text} {r.choice(['', 'NOT '])}LIKE '{pattern}')", "bool")

    # ---- aggregates

    def aggregate(self, kind, depth):
        """One of that kind over the records, or None."""
        r = self.rng
        doubles = self.table.name != "edge"  # sums of those depend on the order
        ways = {"int8": ["count(*)", "count", "sum int2", "sum int4"], "text": ["min", "max"],
                "num": ["sum int8", "sum num", "avg int2", "avg int4", "avg int8", "avg num", "min",
                        "max"], "bool": ["bool_and", "bool_or"],
                "f8": ["min", "max"] + (["sum f8", "avg f8"] if doubles else [])}
        way = r.choice(ways.get(kind, ["min", "max"]))
        name, _, source = way.partition(" ")
        arg = self.changing(source or (r.choice(ALL) if name == "count" else kind),
                            depth) if way != "count(*)" else None
        if name == "avg" and not arg.sure:
            name = "sum"
        scale = None if name == "avg" else arg.scale if arg and kind == "num" else 0
        text = f"{name}({arg.text})" if arg else name
        if r.random() < 0.2:
            text += f" FILTER (WHERE {self.changing('bool', depth - 1).text})"
        return Expr(text, kind, scale=scale, sure=not arg or arg.sure)

    # ---- queries

    def columns(self):
        return [Expr(c.name, OF_SQL[c.sql] if c.sql in OF_SQL else c.sql, scale=c.scale)
                for c in self.table.columns]

    def key(self):
        r = self.rng
        few = {"mixed": ["tiny", "ub", "flag", "code", "name", '"Mixed Case"', '"order"'],
               "edge": ["n", "big", "r8", "day", "at", "flag", '"Mixed Case"'],
               "lineitem": ["l_returnflag", "l_linestatus", "l_linenumber", "l_quantity",
                            "l_shipmode"],
               "texts": ["v"] + [f"t{n}" for n in TEXT_BYTES]}
        if r.random() < 0.6:
            name = r.choice(few[self.table.name])
            return next(e for e in self.leaves if e.text == name)
        e = self.changing(r.choice(ALL), r.randint(0, 2))
        if " AND " in e.text or " OR " in e.text:
            # PostgreSQL's grammar makes one AND of (a AND b) AND c: no longer the key a AND b.
            return Expr(f"(NOT {e.text})", "bool") if e.kind == "bool" else self.key()
        return e

    def query(self):
        r = self.rng
        names = ["mixed"] * 6 + ["edge", "lineitem", "lineitem", "texts"]
        self.table = self.tables[r.choice(names)]
        self.records, self.leaves = True, self.columns()
        where = self.changing("bool", r.randint(1, 3)).text if r.random() < 0.5 else None
        shape = r.choice(["all", "groups", "groups", "groups", "distinct"])
        keys = [self.key() for _ in range(0 if shape == "all" else r.randint(1, 3))]
        having = None
        if shape == "distinct":
            outputs = keys
        else:
            aggregates = [self.aggregate(r.choice(ALL + NUMBERS), r.randint(0, 2))
                          for _ in range(r.randint(1, 4))]
            self.records, self.leaves = False, keys + aggregates
            outputs = keys[:]
            for e in aggregates:
                deeper = r.random() < 0.5
                kind = r.choice([leaf.kind for leaf in self.leaves] + ["bool"])
                if kind in NUMBERS:
                    kind = r.choice(NUMBERS[NUMBERS.index(kind):])
                outputs.append(self.changing(kind, r.randint(1, 2)) if deeper else e)
            if r.random() < 0.2:
                having = self.changing("bool", 2).text
        names = [f"{e.text} AS c{i + 1}" for i, e in enumerate(outputs)]
        head = ("SELECT " + ("DISTINCT " if shape == "distinct" else "") + ", ".join(names)
                + f" FROM {self.table.name}")
        tail = ""
        if shape == "groups":
            tail += " GROUP BY " + ", ".join(
                str(i + 1) if r.random() < 0.5 else e.text for i, e in enumerate(keys))
        order = ""
        ordered = bool(keys) and r.random() < 0.6
        if ordered:
            # All outputs in any order: the whole row decides.
            positions = list(range(1, len(outputs) + 1))
            r.shuffle(positions)
            order = " ORDER BY " + ", ".join(
                (str(p) if r.random() < 0.7 else f"c{p}")
                + r.choice(["", "", " ASC", " DESC", " DESC NULLS LAST", " NULLS FIRST"])
                for p in positions)
            if r.random() < 0.4:
                order += f" LIMIT {r.choice([1, 3, 5, 20, 100])}"
                if r.random() < 0.4:
                    order += f" OFFSET {r.choice([0, 1, 2, 10])}"

        def text(where_form, having_form):
            return (head + (" WHERE " + where_form.format(where) if where else "") + tail
                    + (" HAVING " + having_form.format(having) if having else "") + order)

        loose = [not e.sure for e in outputs]
        return Query(text("{}", "{}"), text(IN_ORDER, IN_ORDER_LATE), loose, ordered)
