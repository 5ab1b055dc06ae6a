"""The samples of a dataset on a plane, by the vectors of a model: those that look alike lie near each other."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.analysis.projection import FIT_ROWS, Plane, Points
from calotype.curate import repository
from calotype.curate.model import LassoInvalid
from calotype.curate.vectors import known_model
from calotype.datasets import rows
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.cache_files import write_atomically
from calotype.foundation.ids import sha256_json
from calotype.store import Store

MAX_CORNERS = 400
_VERSION = 1
"""Part of the name of a cached map; a change of the method needs a new one."""
_MAX_KEPT = 4
_kept: OrderedDict[str, EmbeddingMap] = OrderedDict()
_lock = Lock()
_computing = Lock()
"""One at a time: each takes a core and its memory. Maps that are kept do not wait for it."""


@dataclass(frozen=True, slots=True)
class EmbeddingMap:
    """Where samples lie.

    Attributes:
        model: The model whose vectors place them.
        sample_ids: N ids, by name of the sample.
        places: (N, 2) float32, from -1 to 1.
    """

    model: str
    sample_ids: pa.Array
    places: Points

    def within(self, corners: npt.ArrayLike) -> pa.Array:
        """Ids of the samples inside a polygon of (M, 2) corners, M at least 3 (even-odd rule)."""
        return self.sample_ids.filter(pa.array(_inside(self.places, np.asarray(corners, np.float64))))


def map_of(snapshot: Snapshot, model: str, *, store: Store) -> EmbeddingMap:
    """Places of the samples of a state that have a vector of a model.

    The first call for the vectors of a state takes seconds; the result is kept in the cache folder of the workspace.

    Args:
        model: Name of the model; "" if the dataset has vectors of one model only.
    Raises: VectorsNotFound.
    """
    model = known_model(snapshot, model)
    table, pin = repository.table_and_pin(snapshot, model)
    key = sha256_json([table, pin, snapshot.pins.get(rows.SAMPLES), _VERSION])[:40]
    if (kept := _kept_map(key)) is not None:
        return kept
    with _computing:
        if (kept := _kept_map(key)) is not None:  # by a call that this one waited for
            return kept
        ids, positions = _samples(store, snapshot, model)
        places = _cached_places(store, snapshot, model, sha256_json([table, pin, _VERSION])[:40])
        placed = EmbeddingMap(model, ids, places[positions])
    with _lock:
        _kept[key] = placed
        while len(_kept) > _MAX_KEPT:
            _kept.popitem(last=False)
    return placed


def _kept_map(key: str) -> EmbeddingMap | None:
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
        return _kept.get(key)


def parse_lasso(text: str) -> tuple[str, Points]:
    """`MODEL:x,y;x,y;x,y` as the model and the (M, 2) corners. Raises: LassoInvalid."""
    model, _, corners_text = text.rpartition(":")
    try:
        pairs = [tuple(map(float, pair.split(","))) for pair in corners_text.split(";")]
    except ValueError as error:
        raise LassoInvalid(got=text[:80]) from error
    if not 3 <= len(pairs) <= MAX_CORNERS or any(len(pair) != 2 for pair in pairs):
        raise LassoInvalid(got=text[:80])
    corners = np.array(pairs, np.float64)
    if not np.isfinite(corners).all():
        raise LassoInvalid(got=text[:80])
    return model, corners.astype(np.float32)


def _samples(store: Store, snapshot: Snapshot, model: str) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Ids of the state's samples that have a vector, by name, and the rows of their vectors in the table."""
    stored = store.tables.columns(*repository.table_and_pin(snapshot, model), ["sample_id"])["sample_id"]
    ids = snapshot.samples(columns=["sample_id"])["sample_id"].combine_chunks()
    positions = pc.index_in(ids, value_set=stored.combine_chunks())
    return ids.filter(positions.is_valid()), positions.drop_null().to_numpy().astype(np.int64)


def _cached_places(store: Store, snapshot: Snapshot, model: str, key: str) -> Points:
    """Places of all rows of the table of vectors, from the cache folder if they are there."""
    file = store.folder / "cache" / "maps" / f"{key}.f32"
    n = repository.n_vectors(store, snapshot, model)
    if file.is_file() and file.stat().st_size == n * 8:
        return np.fromfile(file, "<f4").reshape(n, 2)
    places = _computed(store, snapshot, model, n)
    if not store.catalog.read_only:
        write_atomically(file, places.astype("<f4").tobytes())
    return places


def _computed(store: Store, snapshot: Snapshot, model: str, n: int) -> Points:
    plane = Plane.fit(np.concatenate([_some(part, n) for part in _parts(store, snapshot, model)]))
    return np.concatenate([plane.place(part) for part in _parts(store, snapshot, model)])


def _some(part: Points, n: int) -> Points:
    """A random share of a part, so that all parts together give enough vectors to fit a plane."""
    if n <= FIT_ROWS:
        return part
    return part[np.random.default_rng(0).random(len(part)) < FIT_ROWS / n]


def _parts(store: Store, snapshot: Snapshot, model: str) -> Iterator[Points]:
    """All vectors of a model in the order of the table, some thousand at a time."""
    dataset = store.tables.at(*repository.table_and_pin(snapshot, model))
    for batch in dataset.to_batches(columns=[rows.VECTOR], batch_size=8_192):
        yield repository.as_matrix(batch[rows.VECTOR])


def _inside(places: Points, corners: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    x, y = places[:, 0].astype(np.float64), places[:, 1].astype(np.float64)
    inside = np.zeros(len(places), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            crosses = (y1 > y) != (y2 > y)
            inside ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside
