"""Search for the samples nearest to a direction: with the index of a large table, or exactly over all vectors.

Both ways compute the distances of the remaining candidates from their vectors in double precision, so that they agree
to the last digit. Ties are in order of name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.curate import repository
from calotype.datasets.snapshot import Snapshot
from calotype.models.model import Vectors
from calotype.store import Store
from calotype.store.maintenance import vector_index

_MAX_READ_DIRECTLY = 2_048
"""If a query matches at most this many samples, their vectors are read and compared without the index."""
_MAX_INDEX_FILTER = 20_000
"""Maximum number of sample ids in a filter of the index; slower than filtering the results of the index."""
_MIN_CANDIDATES, _CANDIDATES_PER_K, _GROWTH, _MAX_CANDIDATES = 64, 4, 8, 2_048
_MAX_RECOMPUTED = 20_000
"""More candidates than this are masses of equal vectors; their distances are not computed in double precision."""
_ROUNDING = np.float32(1e-5)
"""Upper bound of the error of a dot product in single precision."""
_TIE_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Search:
    """The `k` samples nearest to a direction (D,) of length 1, without `itself`, only `allowed` ids (None: all)."""

    direction: Vectors
    k: int
    itself: str | None = None
    allowed: pa.Array | None = None

    def eligible(self, ids: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Which of these samples may be returned, (N,)."""
        mask = np.ones(len(ids), bool)
        if self.allowed is not None:
            mask &= pc.is_in(ids, value_set=self.allowed).to_numpy(zero_copy_only=False)
        if self.itself is not None:
            mask &= ~pc.equal(ids, self.itself).to_numpy(zero_copy_only=False)
        return mask


def search(store: Store, snapshot: Snapshot, model: str, query: Search, *, exact: bool) -> pa.Table:
    """The nearest samples: `sample_id`, `name`, `distance` (float32), nearest first."""
    hits = None if exact else _search_index(store, snapshot, model, query)
    return hits if hits is not None else _search_all(store, snapshot, model, query)


def _search_index(store: Store, snapshot: Snapshot, model: str, query: Search) -> pa.Table | None:
    """None without an index, or if its results do not rule out that a nearer sample was missed."""
    n_rows, allowed = repository.n_vectors(store, snapshot, model), query.allowed
    n = max(_MIN_CANDIDATES, _CANDIDATES_PER_K * (query.k + 1))
    if allowed is None:
        return _query_index(store, snapshot, model, query, n)
    if n_rows > vector_index.MIN_ROWS and len(allowed) <= _MAX_READ_DIRECTLY:
        return _search_few(store, snapshot, model, query, allowed.to_pylist())
    n_unfiltered = round(n * max(1.0, n_rows / max(1, len(allowed))))
    hits = _query_index(store, snapshot, model, query, n_unfiltered)
    if hits is None and len(allowed) <= _MAX_INDEX_FILTER:
        return _query_index(store, snapshot, model, query, n, sample_ids=allowed.to_pylist())
    return hits


def _query_index(
    store: Store,
    snapshot: Snapshot,
    model: str,
    query: Search,
    n: int,
    *,
    sample_ids: Sequence[str] | None = None,
) -> pa.Table | None:
    """Ask the index for `n` candidates, then for more until they suffice; None as `_search_index`."""
    n_rows = repository.n_vectors(store, snapshot, model)
    while n <= min(_MAX_CANDIDATES, n_rows // 4):
        candidates = repository.nearest_by_index(
            store, snapshot, model, query.direction, n, sample_ids=sample_ids
        )
        if candidates is None:
            return None
        hits = _sorted(_with_distances(snapshot, query, candidates))  # `_distance` is the index's estimate
        if _suffices(hits, query.k, candidates):
            return hits.slice(0, query.k).select(["sample_id", "name", "distance"])
        n *= _GROWTH
    return None


def _search_few(
    store: Store, snapshot: Snapshot, model: str, query: Search, sample_ids: Sequence[str]
) -> pa.Table:
    """Exact search over the vectors of a few samples, read without the rest."""
    vectors = repository.vectors_of(store, snapshot, model, sample_ids)
    hits = _with_distances(snapshot, query, vectors)
    return _sorted(hits.select(["sample_id", "name", "distance"])).slice(0, query.k)


def _with_distances(snapshot: Snapshot, query: Search, candidates: pa.Table) -> pa.Table:
    """The eligible candidates (`sample_id`, `vector`, others) with `name` and exact `distance`."""
    hits = candidates.filter(pa.array(query.eligible(candidates["sample_id"])))
    names = snapshot.samples(columns=["sample_id", "name"], ids=hits["sample_id"].to_pylist())
    hits = hits.take(pc.index_in(names["sample_id"], value_set=hits["sample_id"].combine_chunks()))
    units = repository.normalise(repository.as_matrix(hits["vector"]))
    hits = hits.append_column("distance", pa.array(_distances(units, query.direction)))
    return hits.append_column("name", names["name"])


def _suffices(hits: pa.Table, k: int, candidates: pa.Table) -> bool:
    """Whether there are k hits, all nearer than a vector of zeros (never indexed), and none tied with the cut-off."""
    if hits.num_rows < k:
        return False
    farthest = hits["distance"][k - 1].as_py()
    tied = hits.filter(pc.equal(hits["distance"], pa.scalar(farthest, pa.float32())))["_distance"]
    cut_off = pc.max(candidates["_distance"]).as_py() - _TIE_TOLERANCE
    return bool(farthest < 1.0 and pc.max(tied).as_py() < cut_off)


def _search_all(store: Store, snapshot: Snapshot, model: str, query: Search) -> pa.Table:
    similar = repository.similarities(store, snapshot, model, query.direction)
    cosines = np.where(query.eligible(similar.samples["sample_id"]), similar.cosines, -np.inf)
    rows = _highest(cosines, query.k)
    hits = similar.samples.take(pa.array(rows))
    if len(rows) <= max(_MAX_RECOMPUTED, 2 * query.k):
        units = repository.normalised_vectors(store, snapshot, model, hits["sample_id"].combine_chunks())
        distances = _distances(units, query.direction)
    else:  # masses of equal vectors
        distances = np.clip(np.float32(1.0) - cosines[rows], 0.0, 2.0).astype(np.float32)
    return _sorted(hits.append_column("distance", pa.array(distances))).slice(0, query.k)


def _distances(units: Vectors, direction: Vectors) -> Vectors:
    """1 - cosine of (N, D) rows of length 1. Each row's result is independent of the other rows."""
    cosines = np.einsum("nd,d->n", units.astype(np.float64), direction.astype(np.float64))
    distances: Vectors = np.clip(1.0 - cosines, 0.0, 2.0).astype(np.float32)
    return distances


def _sorted(hits: pa.Table) -> pa.Table:
    return hits.sort_by([("distance", "ascending"), ("name", "ascending"), ("sample_id", "ascending")])


def _highest(cosines: Vectors, k: int) -> npt.NDArray[np.int64]:
    """Rows of the k highest values and of all that are equal within rounding; -inf is excluded."""
    if k >= len(cosines):
        return np.flatnonzero(cosines > -np.inf)
    threshold = np.partition(cosines, len(cosines) - k)[len(cosines) - k]
    return np.flatnonzero((cosines >= threshold - _ROUNDING) & (cosines > -np.inf))
