"""The expression tree of a query, built with Python operators or parsed from text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Literal = str | int | float | bool


class Expression:
    """A condition on a sample, or on an annotation inside `any` and `count`."""

    def __and__(self, other: Expression) -> Expression:
        return And((self, other))

    def __or__(self, other: Expression) -> Expression:
        return Or((self, other))

    def __invert__(self) -> Expression:
        return Not(self)

    def __bool__(self) -> bool:
        raise TypeError("combine query expressions with & | ~ and put each comparison in parentheses")


@dataclass(frozen=True, slots=True)
class And(Expression):
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or(Expression):
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not(Expression):
    part: Expression


@dataclass(frozen=True, slots=True)
class Compare(Expression):
    """`field op value`; op is one of = != < <= > >= contains."""

    name: str
    op: str
    value: Literal
    column: int = 0


@dataclass(frozen=True, slots=True)
class Has(Expression):
    """The list field contains the value."""

    name: str
    value: Literal
    column: int = 0


@dataclass(frozen=True, slots=True)
class In(Expression):
    """The field is one of the values."""

    name: str
    values: tuple[Literal, ...]
    column: int = 0


@dataclass(frozen=True, slots=True)
class Missing(Expression):
    """The field has no value."""

    name: str
    column: int = 0


@dataclass(frozen=True, slots=True)
class Count(Expression):
    """Comparison of the number of annotations for which `where` is true (all if None)."""

    where: Expression | None
    op: str
    value: int
    column: int = 0


class Field:
    """A named field to compare: `field("luma") < 40`, `field("tags").has("street")`."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        self._name = name

    def __eq__(self, value: Any) -> Expression:  # type: ignore[override]
        return Compare(self._name, "=", value)

    def __ne__(self, value: Any) -> Expression:  # type: ignore[override]
        return Compare(self._name, "!=", value)

    def __lt__(self, value: Literal) -> Expression:
        return Compare(self._name, "<", value)

    def __le__(self, value: Literal) -> Expression:
        return Compare(self._name, "<=", value)

    def __gt__(self, value: Literal) -> Expression:
        return Compare(self._name, ">", value)

    def __ge__(self, value: Literal) -> Expression:
        return Compare(self._name, ">=", value)

    def has(self, value: Literal) -> Expression:
        """The list contains the value: tags, names, classes."""
        return Has(self._name, value)

    def is_in(self, values: Sequence[Literal]) -> Expression:
        """The field is one of the values."""
        return In(self._name, tuple(values))

    def contains(self, text: str) -> Expression:
        """The text contains this substring (case-sensitive)."""
        return Compare(self._name, "contains", text)

    def is_missing(self) -> Expression:
        """The field has no value."""
        return Missing(self._name)


class CountOf:
    """A count of annotations to compare: `count("car") >= 3`."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, where: Expression | None) -> None:
        self._where = where

    def __eq__(self, value: Any) -> Expression:  # type: ignore[override]
        return Count(self._where, "=", value)

    def __ne__(self, value: Any) -> Expression:  # type: ignore[override]
        return Count(self._where, "!=", value)

    def __lt__(self, value: int) -> Expression:
        return Count(self._where, "<", value)

    def __le__(self, value: int) -> Expression:
        return Count(self._where, "<=", value)

    def __gt__(self, value: int) -> Expression:
        return Count(self._where, ">", value)

    def __ge__(self, value: int) -> Expression:
        return Count(self._where, ">=", value)


def field(name: str) -> Field:
    """A field of a sample, of its metadata, or (inside `any_annotation`, `annotation_count`) of an annotation."""
    return Field(name)


def any_annotation(where: Expression | str) -> Expression:
    """At least one annotation of the sample matches; a string is a class name."""
    return Count(_as_expression(where), ">=", 1)


def annotation_count(where: Expression | str | None = None) -> CountOf:
    """The number of annotations of the sample that match; a string is a class name."""
    return CountOf(None if where is None else _as_expression(where))


def _as_expression(where: Expression | str) -> Expression:
    return Compare("class", "=", where) if isinstance(where, str) else where
