"""The samples that can be picked, a random choice of them, and vectors computed for them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from calotype.curate import repository
from calotype.curate.assign import random_order_keys
from calotype.curate.model import Pick
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.progress import Progress
from calotype.models.model import Embedder, Rgb, Vectors
from calotype.store import Store
from calotype.store.media.combined import NOT_DECODED
from calotype.vision.images import decode_rgb

_CHUNK = 64
_SIDE_PX = 256


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sample that can be picked."""

    sample_id: str
    name: str
    media_sha256: str


def candidates(snapshot: Snapshot, ids: Sequence[str], *, seed: int) -> list[Candidate]:
    """The original samples among `ids`, in a random order that depends only on content and seed."""
    table = snapshot.samples(ids=ids, columns=["sample_id", "name", "media_sha256", "parent_id"])
    originals = [
        Candidate(row["sample_id"], row["name"], row["media_sha256"])
        for row in table.to_pylist()
        if not row["parent_id"]
    ]
    keys = random_order_keys((f"{c.media_sha256}\x1f{c.name}" for c in originals), seed=seed)
    return [originals[i] for i in sorted(range(len(originals)), key=lambda i: keys[i])]


def at_random(candidates: Sequence[Candidate], n: int, *, seed: int) -> tuple[Pick, ...]:
    """The first `n` candidates; a larger `n` starts with the same picks."""
    total = len(candidates)
    return tuple(
        Pick(c.sample_id, c.name, rank, f"{rank} of {total} in the random order of seed {seed}", float(rank))
        for rank, c in enumerate(candidates[:n], start=1)
    )


def embed_candidates(
    snapshot: Snapshot,
    candidates: Sequence[Candidate],
    embedder: Embedder,
    *,
    store: Store,
    progress: Progress,
) -> tuple[list[Candidate], Vectors]:
    """The candidates whose image can be read, and their vectors (N, D), which are cached per media object."""
    media = list(dict.fromkeys(candidate.media_sha256 for candidate in candidates))
    known = repository.cached_vectors(store, embedder.name, media, dim=embedder.dim)
    missing = [sha for sha in media if sha not in known]
    n_done = 0
    for chunk in _chunks(missing):
        computed = _embed(store, chunk, embedder)
        repository.cache_vectors(store, embedder.name, computed)
        known.update(computed)
        n_done += len(chunk)
        progress(f"embedding with {embedder.name}", n_done, len(missing))
    readable = [candidate for candidate in candidates if candidate.media_sha256 in known]
    stacked = [known[candidate.media_sha256] for candidate in readable]
    return readable, np.stack(stacked) if stacked else np.zeros((0, embedder.dim), np.float32)


def _embed(store: Store, media: Sequence[str], embedder: Embedder) -> dict[str, Vectors]:
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        images = list(pool.map(lambda sha: _decode(store, sha), media))
    readable = [(sha, image) for sha, image in zip(media, images, strict=True) if image is not None]
    vectors = embedder.embed([image for _, image in readable])
    return {sha: vector for (sha, _), vector in zip(readable, vectors, strict=True)}


def _decode(store: Store, sha256: str) -> Rgb | None:
    try:
        return decode_rgb(store.media.read(sha256), max_side_px=_SIDE_PX)
    except NOT_DECODED:
        return None


def _chunks(media: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(media), _CHUNK):
        yield media[start : start + _CHUNK]
