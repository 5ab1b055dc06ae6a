"""Vectors of a dataset's samples by an embedder, made for the samples that have none by it yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.curate import repository
from calotype.curate.vectors import put_unindexed
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress, silent
from calotype.models.model import Embedder
from calotype.models.registry import embedder
from calotype.store import Store
from calotype.store.media.objects import MediaMissing
from calotype.vision.images import ImageUnreadable, decode_reduced

_AT_ONCE = 64
_AN_EDIT = 5_000
"""Vectors that are put as one edit; a run that is cut off goes on from there."""
_SIDE_PX = 200


@dataclass(frozen=True, slots=True)
class Embedded:
    """What was done: vectors made and already there, by which model, and samples without a picture to look at."""

    model: str
    made: int
    known: int
    failed: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {"model": self.model, "made": self.made, "known": self.known, "failed": list(self.failed)}


def embed(
    actor: Actor, name: str, model: str = "default", *, store: Store, progress: Progress = silent
) -> Embedded:
    """Make a vector of each sample that has none by this model and version, and keep them in the dataset's versions.

    Args:
        name: `dataset` or `dataset@branch`.
        model: `default`, `lite0`, `hog-colour-v1`, or the path of a model file that ends in `.onnx`.
    Raises: NotPermitted, DatasetNotFound, EmbedderUnknown, EmbedExtraMissing, ModelUnusable.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=name.partition("@")[0])
    maker = embedder(model)
    snapshot = datasets.read(actor, name, store=store)
    samples = snapshot.samples(columns=["sample_id", "media_sha256", "name"])
    known = _known(snapshot, maker.name)
    todo = samples.filter(pc.invert(pc.is_in(samples["sample_id"], value_set=known))).to_pylist()
    failed: list[str] = []
    made = 0
    for start in range(0, len(todo), _AN_EDIT):
        ids, vectors = _vectors(store, maker, todo[start : start + _AN_EDIT], failed, progress)
        if ids:
            snapshot, n = put_unindexed(actor, name, maker.name, ids, vectors, store=store)
            made += n
    repository.keep_indexed(actor, store, snapshot, maker.name)
    return Embedded(maker.name, made, samples.num_rows - len(todo), tuple(failed))


def _known(snapshot: Snapshot, model: str) -> pa.Array:
    table = rows.vector_table(model)
    if table not in snapshot.pins:
        return pa.array([], pa.string())
    return snapshot.rows_of(table, columns=["sample_id"])["sample_id"].combine_chunks()


def _vectors(
    store: Store, maker: Embedder, todo: Sequence[dict[str, str]], failed: list[str], progress: Progress
) -> tuple[list[str], np.ndarray[Any, Any]]:
    ids: list[str] = []
    parts = [np.zeros((0, maker.dim), np.float32)]
    for start in range(0, len(todo), _AT_ONCE):
        pictures = []
        for sample in todo[start : start + _AT_ONCE]:
            try:
                pictures.append(
                    decode_reduced(store.media.read(sample["media_sha256"]), min_side_px=_SIDE_PX)
                )
                ids.append(sample["sample_id"])
            except (ImageUnreadable, MediaMissing):
                failed.append(sample["name"])
        parts.append(maker.embed(pictures))
        progress("embedding images", min(len(todo), start + _AT_ONCE), len(todo))
    return ids, np.concatenate(parts)
