"""Vectors that somebody's model made of samples: putting them, and finding the samples that lie nearest.

They lie in one table a model and dataset, so commits pin them and old states keep theirs. A removed sample's vectors
stay in the table and are never found, so whatever brings the sample back (`undo`, a fix taken back) finds them there.

Up to 20,000 vectors the search is exact: one product of a matrix with a vector. The matrix of a state stays in memory
up to `LARGE_CACHE_BYTES`; beyond that it is read from disk for every search, a batch at a time. More vectors get an
index.
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
from calotype.foundation.actor import Actor, Permission
from calotype.models.model import Vectors
from calotype.store import Store

_HUGE = 1e12
_TRIES = 5


def put_vectors(
    actor: Actor, name: str, model: str, sample_ids: Sequence[str], vectors: npt.ArrayLike, *, store: Store
) -> int:
    """Put one vector a sample, in place of those the model had for these samples, as one edit; index large tables.

    Args:
        name: Dataset, or `dataset@branch`.
        model: Which model and version made them; a model's vectors all have the same length.
        sample_ids: N ids, each once.
        vectors: (N, D) numbers, finite; kept as float32. Rows of only tiny or huge numbers (below 1e-12, above
            1e12) are kept times a power of two, so that squares of them are numbers too.
    Returns: The number of vectors.
    Raises: NotPermitted, DatasetNotFound, VectorsInvalid (says which row and why; nothing is written).
    """
    after, n = put_unindexed(actor, name, model, sample_ids, vectors, store=store)
    repository.keep_indexed(actor, store, after, model)
    return n


def put_unindexed(
    actor: Actor, name: str, model: str, sample_ids: Sequence[str], vectors: npt.ArrayLike, *, store: Store
) -> tuple[Snapshot, int]:
    """As `put_vectors`, for those who index when all is put. Returns the new state, and the number of vectors."""
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=refs.split_name(name)[0])
    if not model or len(model) > 200:
        raise VectorsInvalid(where="the model", detail="its name needs 1 to 200 characters")
    matrix = _matrix(vectors)
    ids = pa.array(list(sample_ids), pa.string())
    _judge_ids(ids, len(matrix))
    dim = matrix.shape[1]
    column = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), dim)
    table = pa.table({"sample_id": ids, rows.VECTOR: column}, schema=rows.vector_schema(dim))

    def plan(snapshot: Snapshot) -> Change:
        _judge_against(snapshot, store, model, ids, dim)
        return Change(put_vectors={model: table})

    details = {"model": model, "vectors": table.num_rows, "dim": dim}
    after = datasets.apply(actor, name, plan, store=store, verb="vectors.put", details=details)
    return after, int(table.num_rows)


def remove_vectors(
    actor: Actor, name: str, sample_ids: Sequence[str], model: str = "", *, store: Store
) -> Snapshot:
    """Take away the vectors of samples, also of samples that were removed, and what indexes keep of them.

    Older commits keep theirs; files that nothing names any more go with `gc`.

    Args:
        name: Dataset, or `dataset@branch`.
        model: Whose vectors; all models' with "".
    Returns: The new working state.
    Raises: NotPermitted, DatasetNotFound, VectorsNotFound, WorkingStateMoved.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=refs.split_name(name)[0])
    gone = list(dict.fromkeys(sample_ids))

    def plan(snapshot: Snapshot) -> Change:
        models = [_known_model(snapshot, model)] if model else rows.models_of(snapshot.pins)
        return Change(remove_vectors_of=dict.fromkeys(models, gone))

    details = {"model": model, "samples": len(gone)}
    after = datasets.apply(actor, name, plan, store=store, verb="vectors.remove", details=details)
    for one in rows.models_of(after.pins):
        if model in ("", one):
            after = _index_anew(actor, name, one, after, store=store)
    return after


def _index_anew(actor: Actor, name: str, model: str, state: Snapshot, *, store: Store) -> Snapshot:
    """Until no writer came between, who would have taken the old index along. Returns the working state."""
    table = rows.vector_table(model)
    for _ in range(_TRIES):
        done = repository.keep_indexed(actor, store, state, model, anew=True)
        now = datasets.apply(actor, name, Change(), store=store)  # nothing but the state as it is by now
        if done and now.pins[table] == state.pins[table]:
            return now
        state = now
    raise WorkingStateMoved(dataset=name, tries=_TRIES)


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
    """The samples whose vectors lie nearest, nearest first; equally near ones by name.

    More than 20,000 vectors are searched by an index, which may miss one of the nearest now and then; the distances
    it gives are exact.

    Args:
        name: `dataset` or `dataset@ref`.
        model: Whose vectors; "" where the dataset has those of one model only.
        to: (D,) numbers, or a sample by id or name, which is not among the found.
        k: How many at most.
        where: Only samples that match this query.
        exact: Look at all vectors, whatever it takes.
    Returns: `sample_id`, `name`, `distance` (float32: 1 - cosine of the angle, 0 to 2; 1 from a vector of zeros).
    Raises: NotPermitted, VectorsNotFound, VectorsInvalid, SampleNotFound, QueryInvalid, DatasetNotFound, RefNotFound.
    """
    snapshot = datasets.read(actor, name, store=store)
    if k < 1:
        raise VectorsInvalid(where="k", detail=f"at least one sample must be asked for, not {k}")
    model = _known_model(snapshot, model)
    itself = snapshot.sample(to).sample_id if isinstance(to, str) else None
    allowed = None if where is None else pa.array(snapshot.ids(where), pa.string())
    wanted = _wanted(repository.one_vector(store, snapshot, model, itself), model, to) if itself else to
    direction = _direction(wanted, repository.dim_of(snapshot, store, model) or 0)
    return search(store, snapshot, model, Search(direction, k, itself, allowed), exact=exact)


def _matrix(vectors: npt.ArrayLike) -> Vectors:
    """(N, D) float32 in row order, N and D as given."""
    try:
        matrix = np.ascontiguousarray(vectors, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise VectorsInvalid(where="the vectors", detail=str(error)) from error
    if matrix.ndim != 2 or not matrix.shape[1]:
        raise VectorsInvalid(where="the vectors", detail=f"their shape is {matrix.shape}, not (N, D)")
    bad = ~np.isfinite(matrix).all(axis=1)
    if bad.any():
        said = f"it holds a number that is not finite ({int(bad.sum())} rows in all)"
        raise VectorsInvalid(where=f"row {int(np.argmax(bad))}", detail=said)
    return _of_usual_size(matrix)


def _of_usual_size(matrix: Vectors) -> Vectors:
    """Rows whose largest number is beyond all measure, times a power of two: the same direction."""
    largest = np.abs(matrix).max(axis=1, initial=0.0)
    odd = ((largest > _HUGE) | (largest < 1 / _HUGE)) & (largest > 0)
    if odd.any():
        matrix = matrix.copy()
        matrix[odd] = np.ldexp(matrix[odd], -np.frexp(largest[odd])[1][:, None])
    return matrix


def _judge_ids(ids: pa.Array, n: int) -> None:
    if len(ids) != n:
        raise VectorsInvalid(where="the vectors", detail=f"there are {len(ids)} sample ids for {n} vectors")
    if ids.null_count:
        raise VectorsInvalid(
            where=f"row {pc.index(ids.is_null(), True).as_py()}", detail="it has no sample id"
        )
    counts = pc.value_counts(ids)
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    if len(twice):
        raise VectorsInvalid(where="the vectors", detail=f"sample {twice[0].as_py()!r} has more than one")


def _judge_against(snapshot: Snapshot, store: Store, model: str, ids: pa.Array, dim: int) -> None:
    """All samples are there, and the model's vectors have this length."""
    present = snapshot.rows_of(rows.SAMPLES, columns=["sample_id"])["sample_id"].combine_chunks()
    unknown = pc.invert(pc.is_in(ids, value_set=present))
    row = pc.index(unknown, True).as_py()
    if row >= 0:
        said = f"{snapshot.dataset.name} has no sample {ids[row].as_py()!r}"
        raise VectorsInvalid(where=f"row {row}", detail=said)
    had = repository.dim_of(snapshot, store, model)
    if had is not None and had != dim:
        said = f"those of {model!r} have {had} numbers, these {dim}; another model needs another name"
        raise VectorsInvalid(where="the vectors", detail=said)


def _known_model(snapshot: Snapshot, model: str) -> str:
    known = rows.models_of(snapshot.pins)
    if not model and len(known) == 1:
        return known[0]
    if model not in known:
        listed = ", ".join(known) or "none yet"
        raise VectorsNotFound(dataset=snapshot.name, got=model[:80] or "(none named)", known=listed)
    return model


def _wanted(found: Vectors | None, model: str, to: Any) -> Vectors:
    if found is None:
        raise VectorsInvalid(where=f"sample {to}", detail=f"it has no vector of {model!r}")
    return found


def _direction(to: Any, dim: int) -> Vectors:
    """The wanted vector, (dim,) of length 1."""
    try:
        vector = np.asarray(to, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise VectorsInvalid(where="the wanted vector", detail=str(error)) from error
    if vector.shape != (dim,):
        raise VectorsInvalid(where="the wanted vector", detail=f"its shape is {vector.shape}, not ({dim},)")
    if not np.isfinite(vector).all():
        raise VectorsInvalid(where="the wanted vector", detail="it holds a number that is not finite")
    made: Vectors = repository.unit(vector[None])[0]
    return made
