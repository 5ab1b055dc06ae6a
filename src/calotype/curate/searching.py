"""The samples that lie nearest to a direction: by the index of a large table, or exactly, through all vectors.

Both ways end alike: the distances of the few that are left are computed from their vectors in double precision, so
they agree to the last digit, and equally near samples come by name.
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

_ALONE = 2_048
"""Of a query that leaves no more samples than these, the vectors are read one by one, and no index is asked."""
_TOLD = 20_000
"""So many samples of a query can be told to the index. It takes longer than sifting what it finds among all."""
_AT_FIRST, _A_WANTED, _MORE, _MOST = 64, 4, 8, 2_048
_HEAP = 20_000
"""More candidates than these are whole heaps of equal vectors; theirs are not computed again."""
_ROUNDING = np.float32(1e-5)
"""More than a product in single precision is off by."""
_TIED = 1e-6


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: `k` samples near a direction (D,) of length 1, not `itself`, only `allowed` ones (or all)."""

    direction: Vectors
    k: int
    itself: str | None = None
    allowed: pa.Array | None = None

    def sifted(self, ids: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Which of some samples may be found, (N,)."""
        kept = np.ones(len(ids), bool)
        if self.allowed is not None:
            kept &= pc.is_in(ids, value_set=self.allowed).to_numpy(zero_copy_only=False)
        if self.itself is not None:
            kept &= ~pc.equal(ids, self.itself).to_numpy(zero_copy_only=False)
        return kept


def search(store: Store, snapshot: Snapshot, model: str, wish: Search, *, exact: bool) -> pa.Table:
    """`sample_id`, `name`, `distance` (float32), nearest first."""
    found = None if exact else _by_index(store, snapshot, model, wish)
    return found if found is not None else _through_all(store, snapshot, model, wish)


def _by_index(store: Store, snapshot: Snapshot, model: str, wish: Search) -> pa.Table | None:
    """None when there is no index, or when it cannot be told from what it says that nothing nearer is left out."""
    rows, allowed = repository.n_vectors(store, snapshot, model), wish.allowed
    asked = max(_AT_FIRST, _A_WANTED * (wish.k + 1))
    if allowed is None:
        return _asked(store, snapshot, model, wish, asked)
    if rows > vector_index.MIN_ROWS and len(allowed) <= _ALONE:
        return _among(store, snapshot, model, wish, allowed.to_pylist())
    found = _asked(store, snapshot, model, wish, round(asked * max(1.0, rows / max(1, len(allowed)))))
    if found is None and len(allowed) <= _TOLD:
        return _asked(store, snapshot, model, wish, asked, among=allowed.to_pylist())
    return found


def _asked(
    store: Store,
    snapshot: Snapshot,
    model: str,
    wish: Search,
    asked: int,
    *,
    among: Sequence[str] | None = None,
) -> pa.Table | None:
    """What the index says, asked for so many rows or, step by step, for more; None as `_by_index`."""
    rows = repository.n_vectors(store, snapshot, model)
    while asked <= min(_MOST, rows // 4):
        found = repository.likely(store, snapshot, model, wish.direction, asked, among=among)
        if found is None:
            return None
        hits = _in_order(_measured(snapshot, wish, found))  # `_distance` is what the index took it for
        if _is_enough(hits, wish.k, found):
            return hits.slice(0, wish.k).select(["sample_id", "name", "distance"])
        asked *= _MORE
    return None


def _among(store: Store, snapshot: Snapshot, model: str, wish: Search, allowed: Sequence[str]) -> pa.Table:
    """Exactly, from the vectors of few samples, which are read alone."""
    hits = _measured(snapshot, wish, repository.some(store, snapshot, model, allowed))
    return _in_order(hits.select(["sample_id", "name", "distance"])).slice(0, wish.k)


def _measured(snapshot: Snapshot, wish: Search, found: pa.Table) -> pa.Table:
    """Those of found rows (`sample_id`, `vector`, others) that may be found, with `name` and exact `distance`."""
    found = found.filter(pa.array(wish.sifted(found["sample_id"])))
    names = snapshot.samples(columns=["sample_id", "name"], ids=found["sample_id"].to_pylist())
    found = found.take(pc.index_in(names["sample_id"], value_set=found["sample_id"].combine_chunks()))
    units = repository.unit(repository.as_matrix(found["vector"]))
    found = found.append_column("distance", pa.array(_distances(units, wish.direction)))
    return found.append_column("name", names["name"])


def _is_enough(hits: pa.Table, k: int, found: pa.Table) -> bool:
    """There are k, none as far as vectors of zeros (which no index holds), and none tied with what was cut off."""
    if hits.num_rows < k:
        return False
    farthest = hits["distance"][k - 1].as_py()
    tied = hits.filter(pc.equal(hits["distance"], pa.scalar(farthest, pa.float32())))["_distance"]
    return bool(farthest < 1.0 and pc.max(tied).as_py() < pc.max(found["_distance"]).as_py() - _TIED)


def _through_all(store: Store, snapshot: Snapshot, model: str, wish: Search) -> pa.Table:
    found = repository.similarities(store, snapshot, model, wish.direction)
    likeness = np.where(wish.sifted(found.samples["sample_id"]), found.likeness, -np.inf)
    at = _highest(likeness, wish.k)
    hits = found.samples.take(pa.array(at))
    if len(at) <= max(_HEAP, 2 * wish.k):
        units = repository.units_of(store, snapshot, model, hits["sample_id"].combine_chunks())
        distances = _distances(units, wish.direction)
    else:  # whole heaps of equal vectors
        distances = np.clip(np.float32(1.0) - likeness[at], 0.0, 2.0).astype(np.float32)
    return _in_order(hits.append_column("distance", pa.array(distances))).slice(0, wish.k)


def _distances(units: Vectors, direction: Vectors) -> Vectors:
    """1 - cosine of (N, D) rows of length 1, each by itself: its place among the others changes no digit."""
    likeness = np.einsum("nd,d->n", units.astype(np.float64), direction.astype(np.float64))
    made: Vectors = np.clip(1.0 - likeness, 0.0, 2.0).astype(np.float32)
    return made


def _in_order(hits: pa.Table) -> pa.Table:
    return hits.sort_by([("distance", "ascending"), ("name", "ascending"), ("sample_id", "ascending")])


def _highest(likeness: Vectors, k: int) -> npt.NDArray[np.int64]:
    """Places of the k highest and of all that rounding may hide among them; -inf is left out."""
    if k >= len(likeness):
        return np.flatnonzero(likeness > -np.inf)
    least = np.partition(likeness, len(likeness) - k)[len(likeness) - k]
    return np.flatnonzero((likeness >= least - _ROUNDING) & (likeness > -np.inf))
