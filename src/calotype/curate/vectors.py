"""Vectors that somebody's model made of samples: putting them, and finding the samples that lie nearest.

They lie in one table a model and dataset, so commits pin them and old states keep theirs. The search is exact: one
product of a matrix with a vector. The matrix of a state stays in memory up to `LARGE_BYTES`; beyond that it is
read from disk for every search, a batch at a time.
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
from calotype.datasets import refs, rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.actor import Actor, Permission
from calotype.models.model import Vectors
from calotype.store import Store


def put_vectors(
    actor: Actor, name: str, model: str, sample_ids: Sequence[str], vectors: npt.ArrayLike, *, store: Store
) -> int:  # fmt: skip
    """Put one vector a sample, in place of those the model had for these samples, as one edit.

    Args:
        name: Dataset, or `dataset@branch`.
        model: Which model and version made them; a model's vectors all have the same length.
        sample_ids: N ids, each once.
        vectors: (N, D) numbers, finite; kept as float32.
    Returns: The number of vectors.
    Raises: NotPermitted, DatasetNotFound, VectorsInvalid (says which row and why; nothing is written).
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=refs.split_name(name)[0])
    if not model or len(model) > 200:
        raise VectorsInvalid(where="the model", detail="its name needs 1 to 200 characters")
    matrix = _matrix(vectors)
    ids = pa.array(list(sample_ids), pa.string())
    _judge_ids(ids, len(matrix))
    dim = matrix.shape[1]
    column = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), dim)
    table = pa.table({"sample_id": ids, "vector": column}, schema=rows.vector_schema(dim))

    def plan(snapshot: Snapshot) -> Change:
        _judge_against(snapshot, store, model, ids, dim)
        return Change(put_vectors={model: table})

    details = {"model": model, "vectors": table.num_rows, "dim": dim}
    datasets.apply(actor, name, plan, store=store, verb="vectors.put", details=details)
    return int(table.num_rows)


def nearest(
    actor: Actor, name: str, model: str, to: str | npt.ArrayLike, k: int = 25, *, store: Store, where: Where = None
) -> pa.Table:  # fmt: skip
    """The samples whose vectors lie nearest, nearest first; equally near ones by name.

    Args:
        name: `dataset` or `dataset@ref`.
        model: Whose vectors; "" where the dataset has those of one model only.
        to: (D,) numbers, or a sample by id or name, which is not among the found.
        k: How many at most.
        where: Only samples that match this query.
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
    found = repository.similarities(store, snapshot, model, lambda dim: _direction(wanted, dim))
    likeness = found.likeness
    if allowed is not None:
        likeness = np.where(
            pc.is_in(found.samples["sample_id"], value_set=allowed).to_numpy(), likeness, -np.inf
        )
    if itself is not None:
        likeness = np.where(pc.equal(found.samples["sample_id"], itself).to_numpy(), -np.inf, likeness)
    at = _highest(likeness, k)
    distances = np.clip(np.float32(1.0) - likeness[at], 0.0, 2.0).astype(np.float32)
    return found.samples.take(pa.array(at)).append_column("distance", pa.array(distances))


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


def _highest(likeness: Vectors, k: int) -> npt.NDArray[np.int64]:
    """Places of the k highest, highest first, equal ones in order of place; -inf is left out."""
    if k < len(likeness):
        least = np.partition(likeness, len(likeness) - k)[len(likeness) - k]
        at = np.flatnonzero((likeness >= least) & (likeness > -np.inf))
    else:
        at = np.flatnonzero(likeness > -np.inf)
    return at[np.argsort(-likeness[at], kind="stable")][:k]
