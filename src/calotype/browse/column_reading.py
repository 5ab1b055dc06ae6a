"""Reads the columns of a state from its tables: all of them in batches, or those of some samples by key."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as arrow_json

from calotype.browse.columns import Coded, LabelColumns, NameIndex, SampleColumns, Tags, rows_in
from calotype.datasets import fields

PLAIN = ("split", "source", "licence", "group")
SAMPLE_COLUMNS = [
    "sample_id",
    "name",
    *PLAIN,
    "tags",
    "metadata",
    "width_px",
    "height_px",
    "parent_id",
]
LABEL_COLUMNS = ["sample_id", "class_id", "kind"]
_TEXT_BYTES = 32_000_000
"""Bytes of JSON that are parsed at once."""
_ARROW_TYPES = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
_INT64 = 2**63


def sample_columns(
    index: NameIndex, batches: Iterable[pa.RecordBatch], field_types: Mapping[str, str]
) -> SampleColumns:
    """The columns of samples, given as batches of `SAMPLE_COLUMNS` in any order, in the order of `index`."""
    encoded: dict[str, list[pa.DictionaryArray]] = {name: [] for name in PLAIN}
    values: dict[str, list[pa.Array]] = {name: [] for name in field_types}
    ids: list[pa.Array] = []
    tags: list[pa.DictionaryArray] = []
    tag_rows: list[Any] = []
    parents: list[pa.DictionaryArray] = []
    sizes: list[Any] = []
    n_read = 0
    for batch in batches:
        ids.append(_copy(batch["sample_id"]))
        for name in PLAIN:
            encoded[name].append(batch[name].dictionary_encode())
        for name, column in _parsed(batch["metadata"], field_types).items():
            values[name].append(column)
        tags.append(batch["tags"].flatten().dictionary_encode())
        tag_rows.append(pc.list_parent_indices(batch["tags"]).to_numpy().astype(np.int32) + np.int32(n_read))
        has_parent = pc.not_equal(batch["parent_id"], "")
        parents.append(pc.if_else(has_parent, batch["parent_id"], None).dictionary_encode())
        sides = [pc.fill_null(batch[name], 0).to_numpy() for name in ("width_px", "height_px")]
        sizes.append(np.stack(sides, axis=1))
        n_read += batch.num_rows
    row_of = rows_in(index, ids)
    order = np.empty(n_read, np.int32)  # place in the table of each row of the index
    order[row_of] = np.arange(n_read, dtype=np.int32)
    return SampleColumns(
        index,
        {name: _ordered(Coded.joined(chunks, pa.string()), order) for name, chunks in encoded.items()},
        {name: _ordered(_joined(values.pop(name), kind), order) for name, kind in field_types.items()},
        Tags(_joined_rows(tag_rows, row_of), Coded.joined(tags, pa.string())),
        np.concatenate(sizes)[order] if sizes else np.empty((0, 2), np.int32),
        _ordered(Coded.joined(parents, pa.string()), order),
    )


def label_columns(index: NameIndex, batches: Iterable[pa.RecordBatch]) -> LabelColumns:
    """The columns of annotations, given as batches of `LABEL_COLUMNS`."""
    classes: list[pa.DictionaryArray] = []
    kinds: list[pa.DictionaryArray] = []

    def ids() -> Iterator[pa.Array]:
        for batch in batches:
            classes.append(batch["class_id"].dictionary_encode())
            kinds.append(batch["kind"].dictionary_encode())
            yield batch["sample_id"]

    sample = rows_in(index, ids())
    coded = Coded.joined(classes, pa.int32())
    return LabelColumns.of(sample, coded, Coded.joined(kinds, pa.string()), n_samples=len(index))


def _copy(column: pa.Array) -> pa.Array:
    """A copy: a column of a batch from Lance keeps the memory of all of the batch."""
    return pa.concat_arrays([column, column.slice(0, 0)])


def _ordered(column: Coded, order: Any) -> Coded:
    return Coded(column.codes[order], column.values)


def _joined_rows(parts: list[Any], row_of: Any) -> Any:
    return row_of[np.concatenate(parts)] if parts else np.empty(0, np.int32)


def _joined(parts: list[pa.Array], kind: str) -> Coded:
    """One column of values of a field. Integers beyond 64 bits make all of its values floats."""
    type_ = _ARROW_TYPES.get(kind, pa.string())
    if any(part.type != type_ for part in parts):
        type_ = pa.float64() if kind == "int" else type_
        parts = [part if part.type == type_ else part.cast(type_) for part in parts]
    if pa.types.is_floating(type_):
        parts = [pc.add(part, 0.0) for part in parts]  # -0.0 is counted as 0.0
    return Coded.joined([part.dictionary_encode() for part in parts], type_)


def _parsed(texts: pa.Array, field_types: Mapping[str, str]) -> dict[str, pa.Array]:
    """Field -> its value in each text, null where the text has none."""
    if not field_types:
        return {}
    known = {name: _ARROW_TYPES.get(kind, pa.string()) for name, kind in field_types.items()}
    n_parts = 1 + texts.nbytes // _TEXT_BYTES
    step = max(1, -(-len(texts) // n_parts))
    tables = []
    for start in range(0, len(texts), step):
        part = texts.slice(start, step)
        tables.append(_parsed_by_arrow(part, known) or _parsed_one_by_one(part, field_types))
    return {name: _concatenated([table[name] for table in tables], known[name]) for name in known}


def _parsed_by_arrow(texts: pa.Array, known: Mapping[str, pa.DataType]) -> dict[str, pa.Array] | None:
    """The values as Arrow reads them; None if it cannot, such as an integer beyond 64 bits."""
    filled = pc.if_else(pc.equal(pc.fill_null(texts, ""), ""), "{}", texts)
    offsets = pa.array([0, len(filled)], pa.int32())
    lines = pc.binary_join(pa.ListArray.from_arrays(offsets, filled), "\n")[0].as_buffer()
    try:
        table = arrow_json.read_json(
            pa.BufferReader(lines),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=max(lines.size + 1, 1 << 16)),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=pa.schema(list(known.items())), unexpected_field_behavior="ignore"
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(texts):
        return None
    return {name: table[name].combine_chunks() for name in known}


def _parsed_one_by_one(texts: pa.Array, field_types: Mapping[str, str]) -> dict[str, pa.Array]:
    samples = list(fields.parsed(texts.to_pylist()))
    columns = {}
    for name, kind in field_types.items():
        values = [sample.get(name) for sample in samples]
        if kind in ("int", "float"):
            is_large = any(isinstance(value, int) and abs(value) >= _INT64 for value in values)
            type_ = pa.float64() if kind == "float" or is_large else pa.int64()
            columns[name] = pa.array(map(_as_float, values) if type_ == pa.float64() else values, type_)
        elif kind == "bool":
            columns[name] = pa.array(values, pa.bool_())
        else:
            texts_ = [
                value if isinstance(value, str) or value is None else json.dumps(value) for value in values
            ]
            columns[name] = pa.array(texts_, pa.string())
    return columns


def _as_float(value: float | None) -> float | None:
    try:
        return None if value is None else float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf if value is not None and value > 0 else -math.inf


def _concatenated(parts: list[pa.Array], type_: pa.DataType) -> pa.Array:
    if not parts:
        return pa.array([], type_)
    if len({part.type for part in parts}) > 1:
        parts = [part.cast(pa.float64()) for part in parts]
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)
