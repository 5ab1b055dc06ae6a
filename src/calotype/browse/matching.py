"""Which samples match a query: from columns in memory where they have what the query asks for, else from the tables."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.browse.column_cache import ColumnCache
from calotype.browse.columns import LabelColumns, SampleColumns
from calotype.datasets import query, rows
from calotype.datasets.query.compile import Compiled
from calotype.datasets.query.matching import matching_ids
from calotype.datasets.snapshot import Snapshot, compiler_of
from calotype.store import Store

_METADATA = re.compile(r's\."(metadata\.[^"]+)"')
_JOIN = re.compile(r"s\.sample_id (?:NOT )?IN \(SELECT a\.sample_id FROM a")
_IN_COLUMNS = frozenset({"name", "width_px", "height_px", "source", "licence", "group", "split", "tags"})
_IN_LABELS = frozenset({"sample_id", "class_id", "kind"})
_SMALL_ROWS = 200_000


def matching_rows(
    store: Store, columns: ColumnCache, state: Snapshot, where: str, label_set: str
) -> npt.NDArray[np.int32]:
    """The rows of matching samples in the index of the state, in ascending order.

    Raises: QueryInvalid, QueryFieldUnknown.
    """
    tree = query.parse(where)
    compiled = compiler_of(state, metadata_columns=True).compile(tree)
    if _is_answered_by_columns(compiled) and columns.is_at_hand(state):
        labels = columns.labels(state, label_set) if compiled.needs_annotations else None
        return _from_columns(compiled, columns.samples(state), labels)
    from_texts = compiled_for_tables(state, where)
    sources = {"s": _source(store, state, rows.SAMPLES, from_texts.columns("s"))}
    if from_texts.needs_annotations:
        table = rows.annotation_table(label_set)
        sources["a"] = _source(store, state, table, from_texts.columns("a"))
    ids = matching_ids(from_texts, sources).cast(pa.string())
    found = columns.index(state).rows(ids)
    return np.sort(found).astype(np.int32)


def compiled_for_tables(state: Snapshot, where: str) -> Compiled:
    """A query for the tables of a state. Raises: QueryInvalid, QueryFieldUnknown."""
    return compiler_of(state).compile(query.parse(where))


def _is_answered_by_columns(compiled: Compiled) -> bool:
    """Whether the columns in memory have all that a query compiled for `metadata_columns` refers to."""
    rest = Compiled(_JOIN.sub("", _METADATA.sub("", compiled.sql)))
    return _IN_COLUMNS.issuperset(rest.columns("s")) and _IN_LABELS.issuperset(rest.columns("a"))


def _from_columns(
    compiled: Compiled, samples: SampleColumns, labels: LabelColumns | None
) -> npt.NDArray[np.int32]:
    names = {*_METADATA.findall(compiled.sql), *compiled.columns("s")} - {"sample_id", "metadata"}
    table: dict[str, Any] = {"sample_id": pa.array(np.arange(len(samples.index), dtype=np.int32))}
    for name in names:
        table[name] = _column(samples, name)
    sources: dict[str, Any] = {"s": pa.table(table)}
    if labels is not None:
        class_ids = labels.classes.values.to_numpy(zero_copy_only=False).astype(np.int32)
        sources["a"] = pa.table(
            {
                "sample_id": labels.sample,
                "class_id": class_ids[labels.classes.codes] if len(class_ids) else np.empty(0, np.int32),
                "kind": labels.kinds.to_arrow(),
            }
        )
    return np.sort(matching_ids(compiled, sources).to_numpy())


def _column(samples: SampleColumns, name: str) -> Any:
    if name.startswith("metadata."):
        return samples.fields[name.removeprefix("metadata.")].to_arrow()
    if name == "name":
        return samples.index.names
    if name == "tags":
        order = np.argsort(samples.tags.rows, kind="stable")
        counts = np.bincount(samples.tags.rows, minlength=len(samples.index))
        offsets = pa.array(np.append(0, np.cumsum(counts)).astype(np.int32))
        tags = samples.tags.tags
        return pa.ListArray.from_arrays(offsets, tags.values.take(pa.array(tags.codes[order])))
    if name in ("width_px", "height_px"):
        return np.ascontiguousarray(samples.sizes_wh[:, 0 if name == "width_px" else 1])
    return samples.plain[name].to_arrow()


def _source(store: Store, state: Snapshot, table: str, names: list[str]) -> Any:
    """Columns in memory of a small table, the files of a large one."""
    if table not in state.pins:
        return rows.schema_of(table).empty_table()
    full, pin = f"{state.dataset.id}/{table}", state.pins[table]
    if store.tables.count(full, pin) > _SMALL_ROWS:
        return store.tables.at(full, pin)
    return store.tables.columns(full, pin, sorted({"sample_id", *names}))
