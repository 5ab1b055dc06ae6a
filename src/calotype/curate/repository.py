"""Vectors: cached ones by media object in the catalog's table of measures, and stored ones in tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

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
from calotype.store.catalog.errors import CatalogNotWritable
from calotype.store.catalog.upserts import insert
from calotype.store.maintenance import vector_index
from calotype.store.tables.row_lookup import ColumnValues, in_filter, read_matching
from calotype.store.tables.tables import LARGE_CACHE_BYTES

_MEASURES = schema.measures
_CHUNK = 500


def cached_vectors(store: Store, name: str, media: Sequence[str], *, dim: int) -> dict[str, Vectors]:
    """Cached vectors by media hash, each (dim,) float32."""
    cached: dict[str, Vectors] = {}
    with store.catalog.read() as conn:
        for start in range(0, len(media), _CHUNK):
            query = sa.select(_MEASURES.c.media_sha256, _MEASURES.c.value).where(
                _MEASURES.c.name == _key(name), _MEASURES.c.media_sha256.in_(media[start : start + _CHUNK])
            )
            for row in conn.execute(query):
                if len(row.value) == dim * 4:
                    cached[row.media_sha256] = np.frombuffer(row.value, "<f4")
    return cached


def cache_vectors(store: Store, name: str, vectors: Mapping[str, Vectors]) -> None:
    """Cache vectors by media hash; existing ones are overwritten."""
    rows = _rows(name, vectors.items())
    with suppress(CatalogNotWritable), store.catalog.bookkeeping() as conn:
        for start in range(0, len(rows), _CHUNK):
            statement = insert(conn, _MEASURES)
            upsert = statement.on_conflict_do_update(
                index_elements=["media_sha256", "name"], set_={"value": statement.excluded.value}
            )
            conn.execute(upsert, rows[start : start + _CHUNK])


def _rows(name: str, vectors: Iterable[tuple[str, Vectors]]) -> list[dict[str, object]]:
    return [
        {"media_sha256": sha, "name": _key(name), "value": vector.astype("<f4").tobytes()}
        for sha, vector in vectors
    ]


def _key(name: str) -> str:
    """The name of the measure. Plain names belong to `checks`; ours start with `embedding:`."""
    return f"embedding:{name}" if len(name) <= 54 else f"embedding:{sha256_json(name)[:54]}"


@dataclass(frozen=True, slots=True)
class Similarities:
    """Samples with a vector (`sample_id`, `name`; N rows by name) and their cosine similarities: (N,), -1 to 1."""

    samples: pa.Table
    cosines: Vectors


def dim_of(snapshot: Snapshot, store: Store, model: str) -> int | None:
    """The length of a model's vectors; None if it has none."""
    table = rows.vector_table(model)
    if table not in snapshot.pins:
        return None
    schema = store.tables.at(f"{snapshot.dataset.id}/{table}", snapshot.pins[table]).schema
    return int(schema.field("vector").type.list_size)


def n_vectors(store: Store, snapshot: Snapshot, model: str) -> int:
    """Number of a model's vectors, including those of removed samples."""
    return store.tables.count(*table_and_pin(snapshot, model))


def vector_models(store: Store, snapshot: Snapshot) -> list[dict[str, Any]]:
    """The models whose vectors a state has, by name: `model`, and `samples` with a vector of it."""
    models = rows.models_of(snapshot.pins)
    return [{"model": model, "samples": n_vectors(store, snapshot, model)} for model in models]


def with_media(snapshot: Snapshot, hits: pa.Table) -> list[dict[str, Any]]:
    """Rows of `sample_id` and others as values, each with the key of the sample's image, `media`."""
    table = snapshot.samples(columns=["sample_id", "media_sha256"], ids=hits["sample_id"].to_pylist())
    media = dict(zip(table["sample_id"].to_pylist(), table["media_sha256"].to_pylist(), strict=True))
    return [{**hit, "media": media[hit["sample_id"]]} for hit in hits.to_pylist()]


def nearest_by_index(
    store: Store,
    snapshot: Snapshot,
    model: str,
    direction: Vectors,
    n: int,
    *,
    sample_ids: Sequence[str] | None = None,
) -> pa.Table | None:
    """The `n` nearest vectors by the index, as `sample_id`, `vector`, `_distance`; None without an index.

    Results can include samples that the state does not have.
    """
    table, pin = table_and_pin(snapshot, model)
    where = None if sample_ids is None else in_filter("sample_id", sample_ids)
    columns = ["sample_id", rows.VECTOR]
    return vector_index.nearest_candidates(
        store.tables, table, pin, rows.VECTOR, direction, n, columns=columns, where=where
    )


def update_index(
    actor: Actor, store: Store, snapshot: Snapshot, model: str, *, rebuild: bool = False
) -> bool:
    """Update or rebuild the index over a model's vectors in a state. The state itself does not change.

    Returns: Whether the index is complete; False if another process was working on it.
    """
    if rows.vector_table(model) not in snapshot.pins:
        return True
    table, subject = table_and_pin(snapshot, model), snapshot.dataset.name
    return vector_index.update_index(
        actor, store.catalog, store.tables, *table, rows.VECTOR, subject=subject, rebuild=rebuild
    )


def one_vector(store: Store, snapshot: Snapshot, model: str, sample_id: str) -> Vectors | None:
    """The vector of a sample, even of a removed one, (D,) float32; None if it has none."""
    matches = store.tables.read(*table_and_pin(snapshot, model), where=in_filter("sample_id", [sample_id]))
    return as_matrix(matches["vector"])[0] if matches.num_rows else None


def similarities(store: Store, snapshot: Snapshot, model: str, direction: Vectors) -> Similarities:
    """Cosine similarities of the state's samples to a direction (D,) of length 1."""
    units = _cached_normalised(store, snapshot, model)
    if not units.num_columns:
        return _similarities_from_disk(store, snapshot, model, direction)
    return Similarities(units.select(["sample_id", "name"]), as_matrix(units["vector"]) @ direction)


def vectors_of(store: Store, snapshot: Snapshot, model: str, sample_ids: Sequence[str]) -> pa.Table:
    """`sample_id` and `vector` of some samples, read without the rest; samples without a vector are left out."""
    dataset = store.tables.at(*table_and_pin(snapshot, model))
    return read_matching(dataset, ColumnValues("sample_id", sample_ids), ["sample_id", rows.VECTOR])


def normalised_vectors(store: Store, snapshot: Snapshot, model: str, ids: pa.Array) -> Vectors:
    """The normalised vectors of samples that have one, (N, D) of length 1, in the order of `ids`."""
    units = _cached_normalised(store, snapshot, model)
    if units.num_columns:
        positions = pc.index_in(ids, value_set=units["sample_id"].combine_chunks()).to_numpy()
        vectors: Vectors = as_matrix(units["vector"])[positions]
        return vectors
    table = vectors_of(store, snapshot, model, ids.to_pylist())
    table = table.take(pc.index_in(ids, value_set=table["sample_id"].combine_chunks()))
    return normalise(as_matrix(table[rows.VECTOR]))


def _cached_normalised(store: Store, snapshot: Snapshot, model: str) -> pa.Table:
    table, pin = table_and_pin(snapshot, model)
    key = ("vectors by name", table, (pin, snapshot.pins.get(rows.SAMPLES)))
    dim = dim_of(snapshot, store, model) or 0
    return store.tables.cached(key, lambda: _normalised(store, snapshot, table, pin, dim), large=True)


def table_and_pin(snapshot: Snapshot, model: str) -> tuple[str, int]:
    """Path and pin of the table of a model's vectors."""
    table = rows.vector_table(model)
    return f"{snapshot.dataset.id}/{table}", snapshot.pins[table]


def normalise(matrix: Vectors) -> Vectors:
    """Scale rows to length 1; zeros stay zeros. Divides by the largest number first to avoid overflow."""
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    scaled = np.divide(matrix, largest, out=np.zeros_like(matrix), where=largest > 0)
    return unit_length(scaled)


def _normalised(store: Store, snapshot: Snapshot, table: str, pin: int, dim: int) -> pa.Table:
    """Normalised vectors of the state's samples, by name; a table without columns if they are too many to cache."""
    if store.tables.count(table, pin) * (dim * 4 + 100) > LARGE_CACHE_BYTES:
        return pa.table({})
    read = store.tables.read(table, pin)
    names, positions = _by_name(snapshot, read["sample_id"])
    matrix = normalise(as_matrix(read["vector"])[positions])
    column = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])
    return names.append_column("vector", column)


def _similarities_from_disk(store: Store, snapshot: Snapshot, model: str, direction: Vectors) -> Similarities:
    ids, parts = [], []
    for batch in store.tables.at(*table_and_pin(snapshot, model)).to_batches(columns=["sample_id", "vector"]):
        ids.append(batch["sample_id"])
        parts.append(normalise(as_matrix(batch["vector"])) @ direction)
    names, positions = _by_name(snapshot, pa.chunked_array(ids, pa.string()))
    return Similarities(names, np.concatenate(parts)[positions])


def _by_name(snapshot: Snapshot, ids: pa.ChunkedArray) -> tuple[pa.Table, np.ndarray]:
    """Ids and names of the samples in `ids` that the state has, by name, and their positions in `ids`."""
    index = snapshot.samples(columns=["sample_id", "name"])
    positions = pc.index_in(index["sample_id"].combine_chunks(), value_set=ids.combine_chunks())
    index = index.filter(positions.is_valid()).combine_chunks()
    return index, positions.drop_null().to_numpy()


def as_matrix(column: pa.ChunkedArray | pa.Array) -> Vectors:
    """(N, D) float32 from a column of fixed-size lists, without a copy if the column has one chunk."""
    combined = column
    if isinstance(column, pa.ChunkedArray):
        combined = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    dim = combined.type.list_size
    numbers = combined.values.slice(combined.offset * dim, len(combined) * dim)  # `flatten` would copy
    matrix: Vectors = numbers.to_numpy(zero_copy_only=False).reshape(-1, dim)
    return matrix
