# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Makes a query that goes wrong shorter, for sql_oracle.py --shrink.

It works on the text: leave a clause or an output out, or put a part of an expression in the place
of the whole. Whether what comes out is a query at all, PostgreSQL says.
"""
import re

TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|[A-Za-z_][\w]*|\d[\d.]*(?:e\d+)?|::|<>|<=|>=|\s+|.",
                   re.S)
CLAUSES = ("SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET")
WORDS = {"CASE", "WHEN", "THEN", "ELSE", "END", "AND", "OR", "NOT", "IS", "NULL", "IN", "BETWEEN",
         "LIKE", "AS", "BY", "DISTINCT", "FILTER", "FROM", "WHERE", "interval", "date", "timestamp"}


def clauses(text):
    """[keyword, text] of the top level, in order."""
    parts, depth = [], 0
    for token in TOKEN.findall(text):
        depth += (token == "(") - (token == ")")
        if depth == 0 and token.upper() in CLAUSES:
            parts.append([token.upper(), ""])
        else:
            parts[-1][1] += token
    return parts


def joined(parts):
    return " ".join(f"{word} {rest.strip()}" for word, rest in parts)


def in_order(text):
    """For PostgreSQL: WHERE and HAVING from left to right."""
    return joined([[word, f"({rest}) IS TRUE" if word in ("WHERE", "HAVING") else rest]
                   for word, rest in clauses(text)])


def split(text):
    """At the commas of the top level."""
    items, depth = [""], 0
    for token in TOKEN.findall(text):
        depth += (token == "(") - (token == ")")
        if token == "," and depth == 0:
            items.append("")
        else:
            items[-1] += token
    return [item.strip() for item in items]


def groups(tokens):
    """Half-open ranges of tokens: parentheses, with the function's name before them, and CASE."""
    found, open_at = [], []
    for i, token in enumerate(tokens):
        if token == "(" or token == "CASE":
            open_at.append(i)
        elif (token == ")" or token == "END") and open_at:
            start = open_at.pop()
            found.append((start, i + 1))
            if token == ")" and start and re.fullmatch(r"\w+", tokens[start - 1]) and (
                    tokens[start - 1] not in WORDS):
                found.append((start - 1, i + 1))
    return found


def expressions(text):
    """Shorter forms of an expression or a list of them."""
    tokens = TOKEN.findall(text)
    all_groups = groups(tokens)
    for start, end in all_groups:
        inside = tokens[start + 1:end - 1]
        parts = {"".join(tokens[a:b]) for a, b in all_groups if start < a and b < end}
        parts |= {t for t in inside if re.fullmatch(r"[\w.]+|'.*'|\".*\"", t, re.S)
                  and t not in WORDS}
        parts |= {f"date {t}" for t in inside if re.fullmatch(r"'\d.*'", t)}
        # What stands on either side of an operator at the top of this group.
        depth, side = 0, ""
        for token in inside + [None]:
            if token is not None:
                depth += (token in ("(", "CASE")) - (token in (")", "END"))
            if token is None or depth == 0 and (token in "+-*/%=<>,<=>=<>" or token in (
                    "AND", "OR", "WHEN", "THEN", "ELSE")):
                if side.strip():
                    parts.add("(" + side.strip() + ")")
                side = ""
            else:
                side += token
        for part in parts:
            if len(part) < end - start + sum(map(len, inside)):
                yield "".join(tokens[:start]) + part + "".join(tokens[end:])
    for m in re.finditer(r"::(double precision|\w+(\(\d+,\d+\))?)|\bNOT ", text):
        yield text[:m.start()] + text[m.end():]
    for start, end in all_groups:
        if "".join(tokens[:start]).endswith("FILTER "):
            yield "".join(tokens[:start])[:-len(" FILTER ")] + "".join(tokens[end:])


def candidates(text):
    """Shorter queries, the shortest first."""
    found = set()
    parts = clauses(text)
    for i, (word, rest) in enumerate(parts):
        if word not in ("SELECT", "FROM"):
            found.add(joined(parts[:i] + parts[i + 1:]))
        if word in ("SELECT", "GROUP", "ORDER"):
            head, body = re.match(r"\s*((?:DISTINCT |BY )?)(.*)", rest, re.S).groups()
            items = split(body)
            for j in range(len(items) if len(items) > 1 else 0):
                found.add(joined(parts[:i] + [[word, head + ", ".join(items[:j] + items[j + 1:])]]
                                 + parts[i + 1:]))
        if word in ("SELECT", "WHERE", "HAVING", "GROUP"):
            for shorter in expressions(rest):
                new = [list(p) for p in parts]
                new[i][1] = shorter
                found.add(joined(new))
    # The same part in all places: a key is among the outputs too.
    for word, rest in parts:
        if word in ("GROUP", "SELECT"):
            for item in split(re.sub(r"^\s*(BY|DISTINCT) ", "", rest)):
                item = re.sub(r" AS \w+$", "", item)
                for shorter in expressions(item):
                    found.add(text.replace(item, shorter))
    return sorted((q for q in found if len(q) < len(text)), key=len)


def shrink(text, is_wrong):
    """is_wrong(texts) gives a list of booleans."""
    for _ in range(60):
        shorter = candidates(text)
        for at in range(0, len(shorter), 40):
            batch = shorter[at:at + 40]
            wrong = [q for q, bad in zip(batch, is_wrong(batch)) if bad]
            if wrong:
                text = wrong[0]
                break
        else:
            break
    return text
