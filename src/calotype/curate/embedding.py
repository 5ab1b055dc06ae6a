"""Compute vectors of a dataset's samples with an embedding model, for the samples that have none yet."""

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
from calotype.foundation.verbs import verb
from calotype.models.model import Embedder
from calotype.models.registry import embedder
from calotype.store import Store
from calotype.store.media.combined import NOT_DECODED
from calotype.vision.images import decode_reduced

_BATCH_SIZE = 64
_EDIT_SIZE = 5_000
"""Vectors per edit; an interrupted run resumes after the last edit."""
_MIN_SIDE_PX = 200


@dataclass(frozen=True, slots=True)
class Embedded:
    """Result of `embed`: the model, vectors made and already known, and samples whose image cannot be read."""

    model: str
    made: int
    known: int
    failed: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {"model": self.model, "made": self.made, "known": self.known, "failed": list(self.failed)}


@verb
def embed(
    actor: Actor, name: str, model: str = "default", *, store: Store, progress: Progress = silent
) -> Embedded:
    """Compute a vector for each sample that has none of this model and version, and store them in the dataset.

    Args:
        name: `dataset` or `dataset@branch`.
        model: `default`, `lite0`, `hog-colour`, or the path of an `.onnx` model file.
    Raises: NotPermitted, DatasetNotFound, EmbedderUnknown, EmbedExtraMissing, ModelUnusable.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=name.partition("@")[0])
    model_runner = embedder(model)
    snapshot = datasets.read(actor, name, store=store)
    samples = snapshot.samples(columns=["sample_id", "media_sha256", "name"])
    embedded = _embedded_ids(snapshot, model_runner.name)
    missing = samples.filter(pc.invert(pc.is_in(samples["sample_id"], value_set=embedded))).to_pylist()
    failed: list[str] = []
    n_made = 0
    for start in range(0, len(missing), _EDIT_SIZE):
        ids, vectors = _embed_images(
            store, model_runner, missing[start : start + _EDIT_SIZE], failed, progress
        )
        if ids:
            snapshot, n = put_unindexed(actor, name, model_runner.name, ids, vectors, store=store)
            n_made += n
    repository.update_index(actor, store, snapshot, model_runner.name)
    return Embedded(model_runner.name, n_made, samples.num_rows - len(missing), tuple(failed))


def _embedded_ids(snapshot: Snapshot, model: str) -> pa.Array:
    table = rows.vector_table(model)
    if table not in snapshot.pins:
        return pa.array([], pa.string())
    return snapshot.rows_of(table, columns=["sample_id"])["sample_id"].combine_chunks()


def _embed_images(
    store: Store,
    model_runner: Embedder,
    missing: Sequence[dict[str, str]],
    failed: list[str],
    progress: Progress,
) -> tuple[list[str], np.ndarray[Any, Any]]:
    ids: list[str] = []
    parts = [np.zeros((0, model_runner.dim), np.float32)]
    for start in range(0, len(missing), _BATCH_SIZE):
        images = []
        for sample in missing[start : start + _BATCH_SIZE]:
            try:
                images.append(
                    decode_reduced(store.media.read(sample["media_sha256"]), min_side_px=_MIN_SIDE_PX)
                )
                ids.append(sample["sample_id"])
            except NOT_DECODED:
                failed.append(sample["name"])
        parts.append(model_runner.embed(images))
        progress("embedding images", min(len(missing), start + _BATCH_SIZE), len(missing))
    return ids, np.concatenate(parts)
