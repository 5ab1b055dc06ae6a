"""Vectors of samples from any model: store them, and search for the nearest samples.

Each model has one table per dataset, which commits pin, so older states keep their vectors. The vectors of a removed
sample stay in the table but are never returned; they are there again when the sample is restored (`undo`, a reverted
fix).

Up to 20,000 vectors the search is exact: one matrix-vector product. The matrix of a state stays in memory up to
`LARGE_CACHE_BYTES`; larger ones are read from disk in batches for every search. More vectors get an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.curate import repository
from calotype.curate.model import VectorsInvalid, VectorsNotFound
from calotype.curate.searching import Search, search
from calotype.datasets import refs, rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.edit import WorkingStateMoved
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.actor import Actor, Circumstances, Permission
from calotype.foundation.verbs import verb
from calotype.models.model import Vectors
from calotype.store import Store

_HUGE = 1e12
MAX_ATTEMPTS = 5


@verb
def put_vectors(
    actor: Actor, name: str, model: str, sample_ids: Sequence[str], vectors: npt.ArrayLike, *, store: Store
) -> int:
    """Store one vector per sample as one edit, replacing the model's earlier vectors of these samples.

    Args:
        name: Dataset, or `dataset@branch`.
        model: Name and version of the model; all vectors of a model have the same length.
        sample_ids: N ids, each once.
        vectors: (N, D) finite numbers, stored as float32. Rows of only tiny or huge numbers (below 1e-12, above
            1e12) are scaled by a power of two, so that their squares do not overflow.
    Returns: The number of vectors.
    Raises: NotPermitted, DatasetNotFound, VectorsInvalid (says which row and why; nothing is written).
    """
    after, n = put_unindexed(actor, name, model, sample_ids, vectors, store=store)
    repository.update_index(actor, store, after, model)
    return n


def put_unindexed(
    actor: Actor, name: str, model: str, sample_ids: Sequence[str], vectors: npt.ArrayLike, *, store: Store
) -> tuple[Snapshot, int]:
    """As `put_vectors`, without updating the index. Returns: The new state, and the number of vectors."""
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=refs.split_name(name)[0])
    if not model or len(model) > 200:
        raise VectorsInvalid(where="the model", detail="its name must have 1 to 200 characters")
    matrix = _matrix(vectors)
    ids = pa.array(list(sample_ids), pa.string())
    _check_ids(ids, len(matrix))
    dim = matrix.shape[1]
    column = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), dim)
    table = pa.table({"sample_id": ids, rows.VECTOR: column}, schema=rows.vector_schema(dim))

    def plan(snapshot: Snapshot) -> Change:
        _check_against_dataset(snapshot, store, model, ids, dim)
        return Change(put_vectors={model: table})

    details = {"model": model, "vectors": table.num_rows, "dim": dim}
    after = datasets.apply(actor, name, plan, store=store, verb="vectors.put", details=details)
    return after, int(table.num_rows)


@verb
def remove_vectors(
    actor: Actor, name: str, sample_ids: Sequence[str], model: str = "", *, store: Store
) -> Snapshot:
    """Remove the vectors of samples from the working state and its indexes; the samples may be removed already.

    Older commits keep their vectors; `gc` deletes files that are no longer referenced.

    Args:
        name: Dataset, or `dataset@branch`.
        model: Name of the model; "" for all models.
    Returns: The new working state.
    Raises: NotPermitted, DatasetNotFound, VectorsNotFound, WorkingStateMoved.
    """
    removing = Circumstances(destroys=True)
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset, circumstances=removing)
    ids = list(dict.fromkeys(sample_ids))

    def plan(snapshot: Snapshot) -> Change:
        models = [known_model(snapshot, model)] if model else rows.models_of(snapshot.pins)
        return Change(remove_vectors_of=dict.fromkeys(models, ids))

    details = {"model": model, "samples": len(ids)}
    after = datasets.apply(actor, name, plan, store=store, verb="vectors.remove", details=details)
    for name_of_model in rows.models_of(after.pins):
        if model in ("", name_of_model):
            after = _rebuild_index(actor, name, name_of_model, after, store=store)
    return after


def _rebuild_index(actor: Actor, name: str, model: str, state: Snapshot, *, store: Store) -> Snapshot:
    """Rebuild until no other writer intervened, who would carry the old index over. Returns the working state."""
    table = rows.vector_table(model)
    for _ in range(MAX_ATTEMPTS):
        complete = repository.update_index(actor, store, state, model, rebuild=True)
        present = datasets.apply(
            actor, name, Change(), store=store
        )  # an empty change returns the present state
        if complete and present.pins[table] == state.pins[table]:
            return present
        state = present
    raise WorkingStateMoved(dataset=name, tries=MAX_ATTEMPTS)


@verb
def nearest(
    actor: Actor,
    name: str,
    model: str,
    to: str | npt.ArrayLike,
    k: int = 25,
    *,
    store: Store,
    where: Where = None,
    exact: bool = False,
) -> pa.Table:
    """The samples with the nearest vectors, nearest first; ties are in order of name.

    More than 20,000 vectors are searched with an index, which may miss a near sample; the distances are exact.

    Args:
        name: `dataset` or `dataset@ref`.
        model: Name of the model; "" if the dataset has vectors of one model only.
        to: A vector (D,), or a sample by id or name, which is not returned itself.
        k: Maximum number of samples.
        where: Only samples that match this query.
        exact: Compare with all vectors instead of using an index.
    Returns: `sample_id`, `name`, `distance` (float32: 1 - cosine of the angle, 0 to 2; 1 for a vector of zeros).
    Raises: NotPermitted, VectorsNotFound, VectorsInvalid, SampleNotFound, QueryInvalid, DatasetNotFound, RefNotFound.
    """
    snapshot = datasets.read(actor, name, store=store)
    if k < 1:
        raise VectorsInvalid(where="k", detail=f"must be at least 1, not {k}")
    model = known_model(snapshot, model)
    itself = snapshot.sample(to).sample_id if isinstance(to, str) else None
    allowed = None if where is None else pa.array(snapshot.ids(where), pa.string())
    query: Any = to
    if itself is not None:
        query = repository.one_vector(store, snapshot, model, itself)
        if query is None:
            raise VectorsInvalid(where=f"sample {to!s}", detail=f"it has no vector of {model!r}")
    direction = _direction(query, repository.dim_of(snapshot, store, model) or 0)
    return search(store, snapshot, model, Search(direction, k, itself, allowed), exact=exact)


def _matrix(vectors: npt.ArrayLike) -> Vectors:
    """Convert to (N, D) float32 in row order."""
    try:
        matrix = np.ascontiguousarray(vectors, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise VectorsInvalid(where="the vectors", detail=str(error)) from error
    if matrix.ndim != 2 or not matrix.shape[1]:
        raise VectorsInvalid(where="the vectors", detail=f"their shape is {matrix.shape}, not (N, D)")
    bad = ~np.isfinite(matrix).all(axis=1)
    if bad.any():
        detail = f"it has a number that is not finite ({int(bad.sum())} rows in total)"
        raise VectorsInvalid(where=f"row {int(np.argmax(bad))}", detail=detail)
    return _rescale_extreme_rows(matrix)


def _rescale_extreme_rows(matrix: Vectors) -> Vectors:
    """Scale rows with huge or tiny numbers by a power of two, which keeps their direction."""
    largest = np.abs(matrix).max(axis=1, initial=0.0)
    extreme = ((largest > _HUGE) | (largest < 1 / _HUGE)) & (largest > 0)
    if extreme.any():
        matrix = matrix.copy()
        matrix[extreme] = np.ldexp(matrix[extreme], -np.frexp(largest[extreme])[1][:, None])
    return matrix


def _check_ids(ids: pa.Array, n: int) -> None:
    if len(ids) != n:
        raise VectorsInvalid(where="the vectors", detail=f"there are {len(ids)} sample ids for {n} vectors")
    if ids.null_count:
        raise VectorsInvalid(
            where=f"row {pc.index(ids.is_null(), True).as_py()}", detail="the sample id is missing"
        )
    counts = pc.value_counts(ids)
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    if len(repeated):
        raise VectorsInvalid(
            where="the vectors", detail=f"sample {repeated[0].as_py()!r} has more than one vector"
        )


def _check_against_dataset(snapshot: Snapshot, store: Store, model: str, ids: pa.Array, dim: int) -> None:
    """Check that all samples exist and that the model's vectors have this length."""
    present = snapshot.rows_of(rows.SAMPLES, columns=["sample_id"])["sample_id"].combine_chunks()
    unknown = pc.invert(pc.is_in(ids, value_set=present))
    row = pc.index(unknown, True).as_py()
    if row >= 0:
        detail = f"{snapshot.dataset.name} has no sample {ids[row].as_py()!r}"
        raise VectorsInvalid(where=f"row {row}", detail=detail)
    known_dim = repository.dim_of(snapshot, store, model)
    if known_dim is not None and known_dim != dim:
        detail = f"vectors of {model!r} have {known_dim} numbers, these have {dim}; name another model"
        raise VectorsInvalid(where="the vectors", detail=detail)


def known_model(snapshot: Snapshot, model: str) -> str:
    """The model, or the only one that the state has vectors of for "". Raises: VectorsNotFound."""
    known = rows.models_of(snapshot.pins)
    if not model and len(known) == 1:
        return known[0]
    if model not in known:
        listed = ", ".join(known) or "none"
        raise VectorsNotFound(dataset=snapshot.name, got=model[:80] or "(not named)", known=listed)
    return model


def _direction(to: Any, dim: int) -> Vectors:
    """Normalise a query vector to (dim,) of length 1."""
    try:
        vector = np.asarray(to, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise VectorsInvalid(where="the query vector", detail=str(error)) from error
    if vector.shape != (dim,):
        raise VectorsInvalid(where="the query vector", detail=f"its shape is {vector.shape}, not ({dim},)")
    if not np.isfinite(vector).all():
        raise VectorsInvalid(where="the query vector", detail="it has a number that is not finite")
    direction: Vectors = repository.normalise(vector[None])[0]
    return direction
