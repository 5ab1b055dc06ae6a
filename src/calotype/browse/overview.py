"""Summarises a dataset, or the samples that match a query: counts by class, split, tag, licence and metadata.

Exact counts are made from columns (`facets`). Where that takes longer than a person waits, the answer is estimated from
some of the samples and marked as approximate, and the exact counts are made in the background for the next call.
Exact summaries of whole states are kept in the `cache` folder of the workspace, which may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.browse import disk_cache
from calotype.browse.caches import Background, Text
from calotype.browse.column_cache import SMALL_ROWS, ColumnCache, columns_of
from calotype.browse.column_reading import LABEL_COLUMNS, SAMPLE_COLUMNS, label_columns, sample_columns
from calotype.browse.columns import NameIndex
from calotype.browse.facets import Counted, facets
from calotype.browse.matching import compiled_for_tables, matching_rows
from calotype.datasets import rows
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.query.matching import matching_ids
from calotype.datasets.snapshot import Snapshot
from calotype.store import Store

WAIT_S = 0.4
"""How long an answer waits for exact counts, where they are expected soon."""
_DRAWN_SAMPLES = 1_000
_DRAWN_ROWS = 16_000
_FORMAT = 1
_KEYS = frozenset({"samples", "annotations", "label_sets", "classes", "splits", "tags", "fields", "sizes"})


_background = Background(2)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which samples are counted: those that match a query, and are inside a part of an embedding map if one is given.

    Attributes:
        within: The part as a text, which `ids_within` finds the samples of.
    """

    where: str = ""
    within: str = ""
    ids_within: Callable[[], pa.Array] | None = field(default=None, compare=False)

    def __bool__(self) -> bool:
        return bool(self.where or self.within)

    def selected(self, index: NameIndex, matching: npt.NDArray[Any] | None) -> npt.NDArray[np.bool_]:
        """(N,) the rows of an index that are asked for; `matching` are those of the query, None for all."""
        chosen = np.full(len(index), matching is None)
        if matching is not None:
            chosen[matching] = True
        if self.ids_within is not None:
            inside = np.zeros(len(index), bool)
            rows_inside = index.rows(self.ids_within())
            inside[rows_inside[rows_inside >= 0]] = True
            chosen &= inside
        return chosen


EVERYTHING = Asked()


def overview(
    store: Store, state: Snapshot, *, label_set: str | None = None, asked: Asked = EVERYTHING
) -> dict[str, Any]:
    """Counts, classes, splits, licences, metadata fields and sizes of a state, as JSON-ready values.

    Args:
        label_set: Its annotations are counted by class and split; the first one by default.
        asked: Count only these samples.
    Returns: `facets`, and whether they are approximate.
    Raises: QueryInvalid, QueryFieldUnknown.
    """
    main = label_set or (state.label_sets[0] if state.label_sets else DEFAULT_LABEL_SET)
    if asked.where:  # a wrong query is reported here, not by a background thread
        compiled_for_tables(state, asked.where)
    known = _known(store, state, main, asked)
    if known is not None:
        return {**known, "approximate": False}
    columns = columns_of(store)
    if columns.n_rows(state) <= SMALL_ROWS:
        return {**_exact(store, state, main, asked), "approximate": False}
    is_soon = columns.is_at_hand(state)
    estimate = None if is_soon else _estimate(columns, state, main, asked)
    key = (id(columns), state.state_sha256, main, asked)
    running = _background.run(key, lambda: _exact(store, state, main, asked))
    if estimate is None:
        try:
            return {**running.result(timeout=WAIT_S), "approximate": False}
        except TooLong:
            estimate = _estimate(columns, state, main, asked)
    return {**estimate, "approximate": True}


def _known(store: Store, state: Snapshot, main: str, asked: Asked) -> dict[str, Any] | None:
    answer = columns_of(store).answers.peek(_key(state, main, asked))
    text = (
        answer.text if answer is not None else None if asked else disk_cache.read(store, _name(state, main))
    )
    try:
        counts = None if text is None else json.loads(text)
    except ValueError:  # a damaged file
        return None
    return counts if isinstance(counts, dict) and counts.keys() >= _KEYS else None


def _exact(store: Store, state: Snapshot, main: str, asked: Asked) -> dict[str, Any]:
    columns = columns_of(store)

    def count() -> Text:
        samples = columns.samples(state)
        label_sets = {name: columns.labels(state, name) for name in state.label_sets}
        selected = None
        if asked:
            matching = matching_rows(store, columns, state, asked.where, main) if asked.where else None
            selected = asked.selected(samples.index, matching)
        counted = Counted(samples, label_sets, main, state.ontology, state.fields)
        text = json.dumps(facets(counted, selected))
        if not asked:
            disk_cache.write(store, _name(state, main), text)
        return Text(text)

    return dict(json.loads(columns.answers.get(_key(state, main, asked), count).text))


def _key(state: Snapshot, main: str, asked: Asked) -> tuple[str, ...]:
    return "facets", state.state_sha256, main, asked.where, asked.within


def _name(state: Snapshot, main: str) -> str:
    words = f"{_FORMAT}\0{state.state_sha256}\0{main}"
    return f"{hashlib.sha256(words.encode('utf-8', 'surrogatepass')).hexdigest()}.json"


def _estimate(columns: ColumnCache, state: Snapshot, main: str, asked: Asked) -> dict[str, Any]:
    """The counts of some samples drawn by chance, scaled to all of them; made once for a state and a query."""
    key = ("estimate", state.state_sha256, main, asked.where, asked.within)
    text = columns.answers.get(key, lambda: Text(json.dumps(_drawn_counts(columns, state, main, asked))))
    return dict(json.loads(text.text))


def _drawn_counts(columns: ColumnCache, state: Snapshot, main: str, asked: Asked) -> dict[str, Any]:
    totals = state.count()
    per_sample = 1 + totals["annotations"] / max(1, totals["samples"])
    n = int(min(_DRAWN_SAMPLES, max(100, _DRAWN_ROWS / per_sample)))
    table = rows.annotation_table(main)
    compiled = compiled_for_tables(state, asked.where) if asked.where else None
    also = {rows.SAMPLES: compiled.columns("s"), table: compiled.columns("a")} if compiled else {}
    index, drawn = columns.drawn(state, n, also)
    samples = sample_columns(index, drawn[rows.SAMPLES].select(SAMPLE_COLUMNS).to_batches(), state.fields)
    label_sets = {
        name: label_columns(index, drawn[rows.annotation_table(name)].select(LABEL_COLUMNS).to_batches())
        for name in state.label_sets
    }
    matching = None
    if compiled is not None:
        annotations = drawn.get(table, rows.ANNOTATION_SCHEMA.empty_table())
        ids = matching_ids(compiled, {"s": drawn[rows.SAMPLES], "a": annotations})
        matching = index.rows(ids.cast(pa.string()))
    selected = asked.selected(index, matching) if asked else None
    counted = Counted(samples, label_sets, main, state.ontology, state.fields)
    scaled = _scaled(facets(counted, selected), totals["samples"] / max(1, len(index)))
    return scaled if asked else {**scaled, **totals, "label_sets": _exact_totals(state, scaled["label_sets"])}


_COUNTS = frozenset(
    {"samples", "annotations", "unlabelled", "derived", "count", "missing", "counts", "kinds"}
)


def _scaled(value: Any, factor: float, *, is_count: bool = False) -> Any:
    """The same values with all counts multiplied."""
    if isinstance(value, Mapping):
        return {
            name: _scaled(part, factor, is_count=is_count or name in _COUNTS) for name, part in value.items()
        }
    if isinstance(value, list):
        return [_scaled(part, factor, is_count=is_count) for part in value]
    return round(value * factor) if is_count and isinstance(value, int) else value


def _exact_totals(state: Snapshot, label_sets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Label sets with their numbers of annotations, which are known; only those by kind are estimated."""
    return [
        {**entry, "annotations": state.count(label_set=entry["name"])["annotations"]} for entry in label_sets
    ]
