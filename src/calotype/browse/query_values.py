"""The values that a query can ask for: those of a field, to complete it, and those of a query that nothing has.

They are counted from the columns in memory. Where those of a large dataset are not known yet, the most frequent values
are listed from the estimate of `overview`, which has the columns read in the background.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.browse.column_cache import columns_of
from calotype.browse.columns import Rows, SampleColumns
from calotype.browse.matching import compiled_for_tables
from calotype.browse.overview import overview
from calotype.datasets import query
from calotype.datasets.model import Kind
from calotype.datasets.query.compile import SAMPLE_FIELDS, QueryFieldUnknown, suggestion
from calotype.datasets.query.expression import And, Compare, Count, Expression, Has, In, Not, Or
from calotype.datasets.snapshot import Snapshot
from calotype.store import Store

PLAIN = ("split", "source", "licence", "group")
_COMPARED = 5_000
"""Most frequent values that a misspelt one is compared with."""
_LISTED = {"split": "splits", "source": "sources", "licence": "licences", "tags": "tags"}


def values_of(store: Store, state: Snapshot, field: str, typed: str, limit: int) -> dict[str, Any]:
    """Values of a field that contain a text, those that begin with it first, then the most frequent ones.

    Args:
        field: split, source, licence, group, tags, or a field of the metadata.
    Returns: `items` of value and count, and whether they are only those of an estimate, as JSON-ready values.
    Raises: QueryFieldUnknown.
    """
    name = _plain_name(state, field)
    if not columns_of(store).is_at_hand(state):
        items = _estimated(overview(store, state), name)
        fitting = [item for item in items if typed.casefold() in str(item["value"]).casefold()]
        fitting.sort(key=lambda item: not str(item["value"]).casefold().startswith(typed.casefold()))
        return {"items": fitting[:limit], "approximate": True}
    values, counts = _counted(columns_of(store).samples(state), name)
    used = np.flatnonzero(counts)
    texts = pc.cast(values.take(pa.array(used)), pa.string())
    fits = _flags(pc.match_substring(texts, typed, ignore_case=True)) & _flags(pc.not_equal(texts, ""))
    first = _flags(pc.starts_with(texts, typed, ignore_case=True))[fits]
    used = used[fits]
    if len(used) > limit:  # the rank of the last one that is listed, so that only the best are sorted by text
        rank = np.where(first, 1 << 62, 0) + counts[used]
        kept = rank >= np.partition(rank, len(rank) - limit)[len(rank) - limit]
        used, first = used[kept][: 100 * limit], first[kept][: 100 * limit]
    rows = zip(first.tolist(), counts[used].tolist(), values.take(pa.array(used)).to_pylist(), strict=True)
    ordered = sorted(rows, key=lambda row: (not row[0], -row[1], str(row[2])))[:limit]
    return {"items": [{"value": value, "count": n} for _, n, value in ordered], "approximate": False}


def unknown_values(store: Store, state: Snapshot, where: str) -> list[dict[str, Any]]:
    """The texts of a query that no sample of the state has in that field, each with similar ones that some have.

    Nothing is reported while the columns of a large dataset are not known.
    Raises: QueryInvalid, QueryFieldUnknown.
    """
    compiled_for_tables(state, where)
    unknown = []
    known: dict[str, list[str]] = {"kind": [str(kind) for kind in Kind]}
    columns = columns_of(store)
    for name, value, column in _asked(query.parse(where), state):
        if name != "kind":
            if not columns.is_at_hand(state):
                continue
            values, counts = _counted(columns.samples(state), name)
            place = pc.index(values, value).as_py() if values.type == pa.string() else -1
            if place >= 0 and counts[place]:
                continue
            if name not in known:
                often = np.argsort(-counts, kind="stable")[:_COMPARED]
                often = often[counts[often] > 0]
                known[name] = [str(one) for one in values.take(pa.array(often)).to_pylist() if one]
        elif value in known[name]:
            continue
        close = difflib.get_close_matches(value, known[name], n=3)
        hint = suggestion(value, known[name], "values")
        unknown.append(
            {
                "field": name,
                "value": value,
                "column": column,
                "close": close,
                "message": f"no value {value!r} of {name}: {hint}",
            }
        )
    return unknown


def _asked(tree: Expression, state: Snapshot, *, inside: bool = False) -> Iterator[tuple[str, str, int]]:
    """Field, text and column of each text that must equal a value of a field whose values are listed."""
    match tree:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _asked(part, state, inside=inside)
        case Not(part):
            yield from _asked(part, state, inside=inside)
        case Count(where) if where is not None:
            yield from _asked(where, state, inside=True)
        case In(name, values, column):
            for value in values:
                yield from _asked(Compare(name, "=", value, column), state, inside=inside)
        case Compare("kind", "=" | "!=", value, column) if inside or "kind" not in state.fields:
            yield "kind", str(value), column
        case Compare(name, "=" | "!=", value, column) | Has(name, value, column) if (
            not inside and value != ""
        ):
            plain = name.removeprefix("metadata.")
            is_text = state.fields.get(plain, "str" if plain in PLAIN else "") == "str"
            if is_text or (isinstance(tree, Has) and name == "tags"):
                yield plain, str(value), column


def _plain_name(state: Snapshot, field: str) -> str:
    name = field.removeprefix("metadata.")
    if name in state.fields or (name == field and name in (*PLAIN, "tags")):
        return name
    hint = suggestion(name, [*PLAIN, "tags", *state.fields], "fields")
    if name in SAMPLE_FIELDS:
        hint = f"values are listed of {', '.join([*PLAIN, 'tags', *state.fields])}"
    raise QueryFieldUnknown(where="field", thing="field with listed values", name=field[:200], hint=hint)


def _counted(samples: SampleColumns, name: str) -> tuple[pa.Array, Rows]:
    """The values of a field, and the number of samples that have each."""
    if name in samples.fields:
        return samples.fields[name].values, samples.fields[name].counts()
    if name == "tags":
        return samples.tags.tags.values, samples.tags.counts()
    return samples.plain[name].values, samples.plain[name].counts()


def _estimated(counts: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The most frequent values as `overview` lists them."""
    for field in counts["fields"]:
        if field["name"] == name:
            return [item for item in field["top"] if item["value"] not in (None, "")]
    items = counts.get(_LISTED.get(name, ""), [])
    named = [
        {"value": item.get("value", item.get("name")), "count": item.get("count", item.get("samples"))}
        for item in items
    ]
    return [item for item in named if item["value"] not in (None, "")]


def _flags(values: pa.Array) -> Any:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), bool)
