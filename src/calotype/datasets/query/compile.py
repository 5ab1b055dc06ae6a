"""Compiles the tree of a query to DuckDB SQL with bound parameters.

Names are looked up in fixed lists and in the metadata fields of the dataset; values are always parameters.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
from calotype.datasets.query.syntax import QueryInvalid
from calotype.foundation.errors import Invalid
from calotype.vision.ontology import Ontology

SAMPLE_FIELDS: dict[str, tuple[str, str]] = {
    "id": ("s.sample_id", "str"),
    "name": ("s.name", "str"),
    "media": ("s.media_sha256", "str"),
    "width": ("s.width_px", "int"),
    "height": ("s.height_px", "int"),
    "bytes": ("s.n_bytes", "int"),
    "mime": ("s.mime", "str"),
    "source": ("s.source", "str"),
    "licence": ("s.licence", "str"),
    "group": ('s."group"', "str"),
    "split": ("s.split", "str"),
    "parent": ("s.parent_id", "str"),
    "recipe": ("s.recipe", "str"),
}
"""Name in the query language -> SQL and type."""

SAMPLE_LISTS = {"tags": "s.tags", "names": "s.names"}

ANNOTATION_FIELDS: dict[str, tuple[str, str]] = {
    "annotation": ("a.ann_id", "str"),
    "kind": ("a.kind", "str"),
    "x": ("a.x", "float"),
    "y": ("a.y", "float"),
    "w": ("a.w", "float"),
    "h": ("a.h", "float"),
    "area": ("a.area_px", "float"),
    "score": ("a.score", "float"),
    "iscrowd": ("a.iscrowd", "bool"),
    "author": ("a.author", "str"),
}


FINDING_FIELDS = ("finding", "finding.severity")
"""Fields of findings: what they hold is known above this room, to `Store.samples_with_findings`."""
FindsSamples = Callable[[Compare | Missing], list[str]]


class QueryFieldUnknown(Invalid):
    """An unknown field or class."""

    code = "query-field-unknown"
    what = "no {thing} named {name!r}"
    fix = "{hint}"


@dataclass
class Compiled:
    """A WHERE clause over samples `s`, its parameters, and whether it needs annotations `a`."""

    sql: str
    parameters: list[Any] = field(default_factory=list)
    needs_annotations: bool = False

    def columns(self, table: str) -> list[str]:
        """The columns of `s` or `a` that the clause reads, ordered by name."""
        return sorted(set(re.findall(rf'\b{table}\."?(\w+)"?', self.sql)))


class Compiler:
    """Compiles one expression against one dataset state.

    Metadata is read from the JSON texts in `s.metadata`, or with `metadata_columns` from columns `s."metadata.NAME"`
    of the types of the fields. `findings` finds the samples with certain findings.
    """

    def __init__(
        self,
        *,
        ontology: Ontology,
        fields: Mapping[str, str],
        findings: FindsSamples | None = None,
        metadata_columns: bool = False,
    ) -> None:
        self._ontology = ontology
        self._findings = findings
        self._fields = fields
        self._metadata_columns = metadata_columns
        self._parameters: list[Any] = []
        self._needs_annotations = False

    def compile(self, tree: Expression) -> Compiled:
        """Compile a tree to SQL.

        Raises: QueryFieldUnknown, QueryInvalid.
        """
        sql = self._sql(tree, inside=False)
        return Compiled(sql, self._parameters, self._needs_annotations)

    def _sql(self, tree: Expression, *, inside: bool) -> str:
        match tree:
            case And(parts):
                return "(" + " AND ".join(self._sql(part, inside=inside) for part in parts) + ")"
            case Or(parts):
                return "(" + " OR ".join(self._sql(part, inside=inside) for part in parts) + ")"
            case Not(part):
                return f"(NOT coalesce({self._sql(part, inside=inside)}, false))"
            case Count():
                return self._count(tree, inside=inside)
            case Has():
                return self._has(tree, inside=inside)
            case In(name, values, column):
                either = tuple(Compare(name, "=", value, column) for value in values)
                return self._sql(Or(either), inside=inside) if either else "false"
            case Compare(name) | Missing(name) if name in FINDING_FIELDS and name not in self._fields:
                return self._on_findings(tree, inside=inside)
            case Missing(name, column):
                if not inside and _is_attribute(name) and name not in self._fields:
                    return self._sql(Count(tree, ">=", 1, column), inside=False)
                sql, kind = self._field(name, column, inside=inside)
                return f"({sql} IS NULL OR {sql} = '')" if kind == "str" else f"({sql} IS NULL)"
            case Compare():
                return self._compare(tree, inside=inside)
        raise QueryInvalid(detail="an unknown kind of expression")

    def _count(self, tree: Count, *, inside: bool) -> str:
        if inside:
            raise QueryInvalid(where=f"column {tree.column}", detail="`any` and `count` cannot be nested")
        self._needs_annotations = True
        n_bound = len(self._parameters)
        where = "" if tree.where is None else f" WHERE {self._sql(tree.where, inside=True)}"
        op, value, within = _as_group_condition(tree.op, tree.value)
        if op is None:
            del self._parameters[n_bound:]  # of a condition that is checked and then not asked
            return "true" if within else "false"
        counted = f"SELECT a.sample_id FROM a{where} GROUP BY a.sample_id HAVING count(*) {op} {value}"
        return f"(s.sample_id {'IN' if within else 'NOT IN'} ({counted}))"

    def _on_findings(self, tree: Compare | Missing, *, inside: bool) -> str:
        if inside or self._findings is None:
            hint = "a query over samples can ask for it, outside of `any` and `count`"
            raise QueryFieldUnknown(where=f"column {tree.column}", thing="field", name=tree.name, hint=hint)
        is_without = isinstance(tree, Missing) or tree.op == "!="
        ids = f"SELECT unnest({self._bind(self._findings(tree))}::VARCHAR[])"
        return f"(s.sample_id {'NOT IN' if is_without else 'IN'} ({ids}))"

    def _has(self, tree: Has, *, inside: bool) -> str:
        if tree.name in ("classes", "class"):
            return self._sql(
                Count(Compare("class", "=", tree.value, tree.column), ">=", 1, tree.column), inside=inside
            )
        sql = SAMPLE_LISTS.get(tree.name)
        if sql is None or inside:
            hint = f"`has` works on {', '.join([*SAMPLE_LISTS, 'classes'])}"
            raise QueryFieldUnknown(where=f"column {tree.column}", thing="list", name=tree.name, hint=hint)
        return f"(list_contains({sql}, {self._bind(str(tree.value))}))"

    def _compare(self, tree: Compare, *, inside: bool) -> str:
        if tree.name in ("class", "class_id", "supercategory"):
            return self._compare_class(tree, inside=inside)
        of_annotation = tree.name in ANNOTATION_FIELDS or _is_attribute(tree.name)
        if not inside and of_annotation and tree.name not in self._fields:
            return self._sql(Count(tree, ">=", 1, tree.column), inside=False)
        sql, kind = self._field(tree.name, tree.column, inside=inside)
        if kind == "any" and tree.op != "contains" and _is_number(tree.value):
            sql, kind = f"TRY_CAST({sql} AS DOUBLE)", "float"
        value = _fitting_value(tree, kind)
        if tree.op == "contains":
            return f"(contains({sql}, {self._bind(value)}))"
        if tree.op == "!=":
            return f"({sql} IS DISTINCT FROM {self._bind(value)})"
        return f"({sql} {tree.op} {self._bind(value)})"

    def _compare_class(self, tree: Compare, *, inside: bool) -> str:
        if not inside:
            if tree.op == "!=":  # a sample without an annotation of that class
                return self._sql(
                    Not(Count(Compare(tree.name, "=", tree.value, tree.column), ">=", 1)), inside=False
                )
            return self._sql(Count(tree, ">=", 1, tree.column), inside=False)
        ids = self._class_ids(tree)
        listed = ", ".join(self._bind(i) for i in ids)
        within = f"a.class_id IN ({listed})" if ids else "false"
        return f"(NOT ({within}))" if tree.op == "!=" else f"({within})"

    def _class_ids(self, tree: Compare) -> list[int]:
        classes = self._ontology.classes
        if tree.op not in ("=", "!=", "contains"):
            raise QueryInvalid(
                where=f"column {tree.column}", detail="a class can only be compared with =, != or contains"
            )
        if tree.name == "class_id":
            return [c.id for c in classes if c.id == tree.value]
        if tree.name == "supercategory":
            return [c.id for c in classes if c.supercategory == str(tree.value)]
        if tree.op == "contains":
            return [c.id for c in classes if str(tree.value) in c.name]
        class_ = self._ontology.by_name(str(tree.value))
        if class_ is None:
            hint = suggestion(str(tree.value), [c.name for c in classes], "classes")
            raise QueryFieldUnknown(
                where=f"column {tree.column}", thing="class", name=str(tree.value), hint=hint
            )
        return [class_.id]

    def _field(self, name: str, column: int, *, inside: bool) -> tuple[str, str]:
        plain = name.removeprefix("metadata.")
        if inside and name in ANNOTATION_FIELDS:
            return ANNOTATION_FIELDS[name]
        if inside and _is_attribute(name):
            path = name.partition(".")[2]
            return f"json_extract_string(nullif(a.attributes, ''), {self._bind(_json_path(path))})", "any"
        if not inside and name in SAMPLE_FIELDS and plain not in self._fields:
            return SAMPLE_FIELDS[name]
        if not inside and plain in self._fields:
            kind = self._fields[plain]
            if self._metadata_columns:
                return f's."metadata.{plain}"', kind
            text = f"json_extract_string(nullif(s.metadata, ''), {self._bind(_json_path(plain))})"
            sql_type = {"int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN"}.get(kind)
            return (f"TRY_CAST({text} AS {sql_type})" if sql_type else text), kind
        known = [*ANNOTATION_FIELDS] if inside else [*SAMPLE_FIELDS, *SAMPLE_LISTS, *self._fields, "class"]
        raise QueryFieldUnknown(
            where=f"column {column}", thing="field", name=name, hint=suggestion(name, known, "fields")
        )

    def _bind(self, value: Any) -> str:
        self._parameters.append(value)
        return f"${len(self._parameters)}"


def _as_group_condition(op: str, value: int) -> tuple[str | None, int, bool]:
    """Rewrite a comparison with a count for groups, which have at least one row: operator, number, in or not in.

    Without an operator the result is the same for every sample.
    """
    if op in ("<", "<="):
        other, number, within = _as_group_condition(">=" if op == "<" else ">", value)
        return other, number, not within
    if op == "!=":
        other, number, within = _as_group_condition("=", value)
        return other, number, not within
    if op == ">":
        op, value = ">=", value + 1
    if op == ">=":
        return (None, 0, True) if value <= 0 else (">=", value, True)
    if value == 0:
        return ">=", 1, False
    return (None, 0, False) if value < 0 else ("=", value, True)


def _fitting_value(tree: Compare, kind: str) -> Literal:
    value = tree.value
    if kind == "any" or tree.op == "contains":
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "str":
        return str(value)
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind in ("int", "float") and isinstance(value, int | float) and _is_number(value):
        return _bindable(value)
    raise QueryInvalid(
        where=f"column {tree.column}", detail=f"field {tree.name!r} is {kind}, {value!r} is not"
    )


def _is_attribute(name: str) -> bool:
    """Whether a name is `attributes.NAME`, or `attribute.NAME`."""
    return name.startswith(("attributes.", "attribute."))


def _is_number(value: Literal) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bindable(value: int | float) -> int | float:
    """The number as DuckDB takes it: whole numbers of 128 bits and more become floats, up to infinity."""
    if isinstance(value, float) or value.bit_length() < 127:
        return value
    if value.bit_length() < 1_024:
        return float(value)
    return math.inf if value > 0 else -math.inf


def _json_path(name: str) -> str:
    return '$."' + name.replace('"', "") + '"'


def suggestion(name: str, known: list[str], word: str) -> str:
    close = difflib.get_close_matches(name, known, n=3)
    if close:
        return f"did you mean {' or '.join(repr(c) for c in close)}?"
    return f"known {word}: {', '.join(sorted(known)[:40]) or 'none yet'}"
