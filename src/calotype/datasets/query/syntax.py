"""Parses query text into a tree: a recursive descent parser that reports the position of every error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from calotype.datasets.query.expression import (
    And,
    Compare,
    Count,
    Expression,
    Has,
    In,
    Literal,
    Missing,
    Not,
    Or,
)
from calotype.foundation.errors import Invalid

MAX_LENGTH = 10_000
MAX_DEPTH = 60
_DIGITS = 1_000
"""Longer whole numbers are read as floats: Python refuses to read those of more than 4,300 digits."""

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<op><=|>=|!=|<>|==|=|<|>|\(|\)|,|\*)
    | (?P<word>[^\W\d][\w.\-:/]*)
    )""",
    re.VERBOSE,
)
_KEYWORDS = {
    "and",
    "or",
    "not",
    "has",
    "in",
    "is",
    "missing",
    "contains",
    "true",
    "false",
    "any",
    "count",
    "where",
}


class QueryInvalid(Invalid):
    """A query that cannot be parsed."""

    code = "query-invalid"
    what = "cannot parse the query: {detail}"
    fix = 'for example: light = "night" and count(car) >= 3; see docs/how-to/query.md'


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    value: str
    column: int


def parse(text: str) -> Expression:
    """Parse a query text.

    Raises: QueryInvalid, with the column of the error.
    """
    if len(text) > MAX_LENGTH:
        raise QueryInvalid(where="query", detail=f"it is longer than {MAX_LENGTH} characters")
    parser = _Parser(list(_tokens(text)))
    tree = parser.either(0)
    parser.expect_end()
    return tree


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            hint = "unclosed quotation mark" if text[start] in "\"'" else f"unexpected {text[start]!r}"
            raise QueryInvalid(where=f"column {start + 1}", detail=hint)
        kind = str(match.lastgroup)
        value = match.group(kind)
        if kind == "word" and value.lower() in _KEYWORDS:
            kind, value = "keyword", value.lower()
        yield Token(kind, value, match.start(match.lastgroup or 0) + 1)
        position = match.end()
    yield Token("end", "the end", end + 1)


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def either(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise self._error("it is nested too deeply")
        parts = [self._both(depth)]
        while self._take("keyword", "or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def expect_end(self) -> None:
        if self._peek().kind != "end":
            raise self._error(f"expected `and`, `or` or the end, found {self._peek().value!r}")

    def _both(self, depth: int) -> Expression:
        parts = [self._single(depth)]
        while self._take("keyword", "and"):
            parts.append(self._single(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _single(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise self._error("it is nested too deeply")
        if self._take("keyword", "not"):
            return Not(self._single(depth + 1))
        if self._take("op", "("):
            inner = self.either(depth + 1)
            self._need("op", ")")
            return inner
        token = self._peek()
        if token.kind == "keyword" and token.value in ("any", "count"):
            return self._aggregate(depth)
        return self._comparison()

    def _aggregate(self, depth: int) -> Expression:
        token = self._advance()
        self._need("op", "(")
        where = self._aggregate_body(depth)
        self._need("op", ")")
        if token.value == "any":
            return Count(where, ">=", 1, token.column)
        op = self._operator()
        value = self._literal()
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._error("a count can only be compared with a whole number")
        return Count(where, op, value, token.column)

    def _aggregate_body(self, depth: int) -> Expression | None:
        if self._take("op", "*"):
            return None
        if self._peek().kind == "op" and self._peek().value == ")":
            return None
        first, after = self._peek(), self._tokens[min(self._next + 1, len(self._tokens) - 1)]
        if first.kind in ("word", "text") and after.kind == "op" and after.value == ")":
            return Compare("class", "=", str(self._literal()), first.column)
        if first.kind in ("word", "text") and after.kind == "keyword" and after.value == "where":
            of_class = Compare("class", "=", str(self._literal()), first.column)
            self._advance()
            return And((of_class, self.either(depth + 1)))
        return self.either(depth + 1)

    def _comparison(self) -> Expression:
        name = self._advance()
        if name.kind != "word":
            raise self._error(f"expected a field name, found {name.value!r}", name)
        if self._take("keyword", "has"):
            return Has(name.value, self._literal(), name.column)
        if self._take("keyword", "contains"):
            return Compare(name.value, "contains", str(self._literal()), name.column)
        if self._take("keyword", "is"):
            negated = self._take("keyword", "not")
            self._need("keyword", "missing")
            missing = Missing(name.value, name.column)
            return Not(missing) if negated else missing
        negated = self._take("keyword", "not")
        if self._take("keyword", "in"):
            inside = In(name.value, self._list(), name.column)
            return Not(inside) if negated else inside
        if negated:
            raise self._error("expected `in` after `not`")
        return Compare(name.value, self._operator(), self._literal(), name.column)

    def _list(self) -> tuple[Literal, ...]:
        self._need("op", "(")
        values = [self._literal()]
        while self._take("op", ","):
            values.append(self._literal())
        self._need("op", ")")
        return tuple(values)

    def _operator(self) -> str:
        token = self._advance()
        if token.kind != "op" or token.value not in ("=", "==", "!=", "<>", "<", "<=", ">", ">="):
            raise self._error(f"expected a comparison such as `=` or `<`, found {token.value!r}", token)
        return {"==": "=", "<>": "!="}.get(token.value, token.value)

    def _literal(self) -> Literal:
        token = self._advance()
        if token.kind == "number":
            is_whole = re.fullmatch(r"[-+]?\d+", token.value) is not None
            return int(token.value) if is_whole and len(token.value) <= _DIGITS else float(token.value)
        if token.kind == "text":
            return re.sub(r"\\(.)", r"\1", token.value[1:-1])
        if token.kind == "keyword" and token.value in ("true", "false"):
            return token.value == "true"
        if token.kind == "word":
            return token.value
        raise self._error(f"expected a value, found {token.value!r}", token)

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _advance(self) -> Token:
        token = self._tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token

    def _take(self, kind: str, value: str) -> bool:
        token = self._peek()
        if token.kind == kind and token.value == value:
            self._next += 1
            return True
        return False

    def _need(self, kind: str, value: str) -> None:
        if not self._take(kind, value):
            raise self._error(f"expected {value!r}, found {self._peek().value!r}")

    def _error(self, detail: str, token: Token | None = None) -> QueryInvalid:
        return QueryInvalid(where=f"column {(token or self._peek()).column}", detail=detail)
