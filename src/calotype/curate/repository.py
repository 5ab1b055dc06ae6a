"""Vectors: those of media objects, kept in the catalog's table of measures, and those that were put, in tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from calotype.datasets import rows
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.ids import sha256_json
from calotype.models.model import Vectors, unit_length
from calotype.store import Store
from calotype.store.catalog import schema
from calotype.store.catalog.upserts import insert
from calotype.store.maintenance import vector_index
from calotype.store.tables.row_lookup import ColumnValues, in_filter, read_matching
from calotype.store.tables.tables import LARGE_CACHE_BYTES

_MEASURES = schema.measures
_CHUNK = 500


def vectors(store: Store, name: str, media: Sequence[str], *, dim: int) -> dict[str, Vectors]:
    """Those of the vectors that are kept, by media hash; each (dim,) float32."""
    found: dict[str, Vectors] = {}
    with store.catalog.read() as conn:
        for start in range(0, len(media), _CHUNK):
            query = sa.select(_MEASURES.c.media_sha256, _MEASURES.c.value).where(
                _MEASURES.c.name == _key(name), _MEASURES.c.media_sha256.in_(media[start : start + _CHUNK])
            )
            for row in conn.execute(query):
                if len(row.value) == dim * 4:
                    found[row.media_sha256] = np.frombuffer(row.value, "<f4")
    return found


def keep_vectors(store: Store, name: str, made: Mapping[str, Vectors]) -> None:
    """Keep vectors; another writer's equal ones may be there already."""
    rows = _rows(name, made.items())
    with store.catalog.bookkeeping() as conn:
        for start in range(0, len(rows), _CHUNK):
            statement = insert(conn, _MEASURES)
            renewed = statement.on_conflict_do_update(
                index_elements=["media_sha256", "name"], set_={"value": statement.excluded.value}
            )
            conn.execute(renewed, rows[start : start + _CHUNK])


def _rows(name: str, made: Iterable[tuple[str, Vectors]]) -> list[dict[str, object]]:
    return [
        {"media_sha256": sha, "name": _key(name), "value": vector.astype("<f4").tobytes()}
        for sha, vector in made
    ]


def _key(name: str) -> str:
    """The measures' own names are for what `datasets` computes; ours begin with `embedding:`."""
    return f"embedding:{name}" if len(name) <= 54 else f"embedding:{sha256_json(name)[:54]}"


@dataclass(frozen=True, slots=True)
class Likeness:
    """Samples that have a vector (`sample_id`, `name`; N rows by name) and how alike each is: (N,), -1 to 1."""

    samples: pa.Table
    likeness: Vectors


def dim_of(snapshot: Snapshot, store: Store, model: str) -> int | None:
    """The length of a model's vectors; None where it has none."""
    table = rows.vector_table(model)
    if table not in snapshot.pins:
        return None
    schema = store.tables.at(f"{snapshot.dataset.id}/{table}", snapshot.pins[table]).schema
    return int(schema.field("vector").type.list_size)


def n_vectors(store: Store, snapshot: Snapshot, model: str) -> int:
    """How many vectors of a model there are, those of removed samples too."""
    return store.tables.count(*_place(snapshot, model))


def likely(
    store: Store,
    snapshot: Snapshot,
    model: str,
    direction: Vectors,
    n: int,
    *,
    among: Sequence[str] | None = None,
) -> pa.Table | None:
    """The `n` vectors that an index takes for the nearest, as `sample_id`, `vector`, `_distance`; None without one.

    Some may be of samples that the state does not have.
    """
    full, pin = _place(snapshot, model)
    where = None if among is None else in_filter("sample_id", among)
    columns = ["sample_id", rows.VECTOR]
    return vector_index.nearest_candidates(
        store.tables, full, pin, rows.VECTOR, direction, n, columns=columns, where=where
    )


def keep_indexed(actor: Actor, store: Store, snapshot: Snapshot, model: str, *, anew: bool = False) -> bool:
    """Give a model's index of a state what it needs, or build it anew. Nothing of the state changes.

    Returns whether it has all it needs; False when somebody else was at these files.
    """
    if rows.vector_table(model) not in snapshot.pins:
        return True
    place, subject = _place(snapshot, model), snapshot.dataset.name
    return vector_index.update_index(
        actor, store.catalog, store.tables, *place, rows.VECTOR, subject=subject, rebuild=anew
    )


def one_vector(store: Store, snapshot: Snapshot, model: str, sample_id: str) -> Vectors | None:
    """The vector of a sample, (D,) float32; of a removed sample too."""
    found = store.tables.read(*_place(snapshot, model), where=in_filter("sample_id", [sample_id]))
    return as_matrix(found["vector"])[0] if found.num_rows else None


def similarities(store: Store, snapshot: Snapshot, model: str, direction: Vectors) -> Likeness:
    """How alike all vectors of a model are to a direction (D,) of length 1, of those samples that the state has."""
    units = _kept_units(store, snapshot, model)
    if not units.num_columns:
        return _from_disk(store, snapshot, model, direction)
    return Likeness(units.select(["sample_id", "name"]), as_matrix(units["vector"]) @ direction)


def some(store: Store, snapshot: Snapshot, model: str, sample_ids: Sequence[str]) -> pa.Table:
    """`sample_id` and `vector` of those of some samples that have one, read alone."""
    held = store.tables.at(*_place(snapshot, model))
    return read_matching(held, ColumnValues("sample_id", sample_ids), ["sample_id", rows.VECTOR])


def units_of(store: Store, snapshot: Snapshot, model: str, ids: pa.Array) -> Vectors:
    """The vectors of some samples that have one, (N, D) of length 1, in the order of `ids`."""
    units = _kept_units(store, snapshot, model)
    if units.num_columns:
        at = pc.index_in(ids, value_set=units["sample_id"].combine_chunks()).to_numpy()
        found: Vectors = as_matrix(units["vector"])[at]
        return found
    read = some(store, snapshot, model, ids.to_pylist())
    read = read.take(pc.index_in(ids, value_set=read["sample_id"].combine_chunks()))
    return unit(as_matrix(read[rows.VECTOR]))


def _kept_units(store: Store, snapshot: Snapshot, model: str) -> pa.Table:
    full, pin = _place(snapshot, model)
    key = ("vectors by name", full, (pin, snapshot.pins.get(rows.SAMPLES)))
    dim = dim_of(snapshot, store, model) or 0
    return store.tables.cached(key, lambda: _units(store, snapshot, full, pin, dim), large=True)


def _place(snapshot: Snapshot, model: str) -> tuple[str, int]:
    """The table of a model's vectors in the store, and its pin."""
    table = rows.vector_table(model)
    return f"{snapshot.dataset.id}/{table}", snapshot.pins[table]


def unit(matrix: Vectors) -> Vectors:
    """Rows of length 1; zeros stay zeros. Divides by the largest number first, so that no square overflows."""
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    scaled = np.divide(matrix, largest, out=np.zeros_like(matrix), where=largest > 0)
    return unit_length(scaled)


def _units(store: Store, snapshot: Snapshot, full: str, pin: int, dim: int) -> pa.Table:
    """The vectors of the samples that are there, of length 1, by name; no column when they are too many to keep."""
    if store.tables.count(full, pin) * (dim * 4 + 100) > LARGE_CACHE_BYTES:
        return pa.table({})
    read = store.tables.read(full, pin)
    names, at = _by_name(snapshot, read["sample_id"])
    matrix = unit(as_matrix(read["vector"])[at])
    column = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])
    return names.append_column("vector", column)


def _from_disk(store: Store, snapshot: Snapshot, model: str, wanted: Vectors) -> Likeness:
    ids, parts = [], []
    for batch in store.tables.at(*_place(snapshot, model)).to_batches(columns=["sample_id", "vector"]):
        ids.append(batch["sample_id"])
        parts.append(unit(as_matrix(batch["vector"])) @ wanted)
    names, at = _by_name(snapshot, pa.chunked_array(ids, pa.string()))
    return Likeness(names, np.concatenate(parts)[at])


def _by_name(snapshot: Snapshot, ids: pa.ChunkedArray) -> tuple[pa.Table, np.ndarray]:
    """Ids and names of the samples among `ids` that the state has, by name; and their places in `ids`."""
    index = snapshot.samples(columns=["sample_id", "name"])
    places = pc.index_in(index["sample_id"].combine_chunks(), value_set=ids.combine_chunks())
    index = index.filter(places.is_valid()).combine_chunks()
    return index, places.drop_null().to_numpy()


def as_matrix(column: pa.ChunkedArray | pa.Array) -> Vectors:
    """(N, D) float32 of a column of fixed-size lists, without a copy where it lies in one piece."""
    whole = column
    if isinstance(column, pa.ChunkedArray):
        whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    dim = whole.type.list_size
    numbers = whole.values.slice(whole.offset * dim, len(whole) * dim)  # `flatten` would copy
    matrix: Vectors = numbers.to_numpy(zero_copy_only=False).reshape(-1, dim)
    return matrix
