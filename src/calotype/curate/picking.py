"""Which samples to look at, label or keep: drawn at random, or spread as far as possible over what there
is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from calotype.curate import repository
from calotype.curate.assign import drawn_order
from calotype.curate.model import Pick
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.progress import Progress
from calotype.models.model import Embedder, Rgb, Vectors
from calotype.store import Store
from calotype.store.media.objects import MediaMissing
from calotype.vision.images import ImageUnreadable, decode_rgb

_CHUNK = 64
_SIDE_PX = 256


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sample that may be picked."""

    sample_id: str
    name: str
    media_sha256: str


def candidates(snapshot: Snapshot, ids: Sequence[str], *, seed: int) -> list[Candidate]:
    """The originals among these samples in the order drawn with the seed, which content alone decides."""
    table = snapshot.samples(ids=ids, columns=["sample_id", "name", "media_sha256", "parent_id"])
    found = [
        Candidate(row["sample_id"], row["name"], row["media_sha256"])
        for row in table.to_pylist()
        if not row["parent_id"]
    ]
    drawn = drawn_order((f"{c.media_sha256}\x1f{c.name}" for c in found), seed=seed)
    return [found[at] for at in sorted(range(len(found)), key=lambda at: drawn[at])]


def at_random(found: Sequence[Candidate], n: int, *, seed: int) -> tuple[Pick, ...]:
    """The first `n` of the drawn order; more picks later begin with the same ones."""
    said = f"place {{rank}} of {len(found)} in the order drawn with seed {seed}"
    return tuple(
        Pick(c.sample_id, c.name, rank, said.format(rank=rank), float(rank))
        for rank, c in enumerate(found[:n], start=1)
    )


def by_diversity(found: Sequence[Candidate], vectors: Vectors, n: int, *, seed: int) -> tuple[Pick, ...]:
    """Each pick is the sample farthest from all picks before it (greedy k-centre), by cosine distance.

    Args:
        found: N candidates; the first one is the first pick.
        vectors: (N, D) float32, rows of length 1.
    Source: T. F. Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985: at most twice
        the radius of the best possible choice.
    """
    nearest = np.full(len(found), np.inf, dtype=np.float32)
    owner = np.zeros(len(found), dtype=np.int64)
    taken: list[Pick] = []
    at = 0
    for rank in range(1, n + 1):
        one = found[at]
        if rank == 1:
            taken.append(Pick(one.sample_id, one.name, 1, f"the first, drawn with seed {seed}", 0.0))
        else:
            distance = max(0.0, float(nearest[at]))
            before = "the 1 picked" if rank == 2 else f"the {rank - 1} picked"
            reason = (
                f"farthest from {before} before: cosine distance {distance:.3f} from {found[owner[at]].name}"
            )
            taken.append(Pick(one.sample_id, one.name, rank, reason, round(distance, 6)))
        distances = np.float32(1.0) - vectors @ vectors[at]
        closer = distances < nearest
        owner[closer] = at
        nearest = np.minimum(nearest, distances)
        nearest[at] = -1.0
        at = int(np.argmax(nearest))
    return tuple(taken)


def embedded(
    snapshot: Snapshot, found: Sequence[Candidate], embedder: Embedder, *, store: Store, progress: Progress
) -> tuple[list[Candidate], Vectors]:
    """The candidates whose image can be read, and their vectors (N, D); computed once a media object, then
    kept.
    """
    media = list(dict.fromkeys(candidate.media_sha256 for candidate in found))
    known = repository.vectors(store, embedder.name, media, dim=embedder.dim)
    missing = [sha for sha in media if sha not in known]
    done = 0
    for chunk in _chunks(missing):
        fresh = _embed(store, chunk, embedder)
        repository.keep_vectors(store, embedder.name, fresh)
        known.update(fresh)
        done += len(chunk)
        progress(f"embedding with {embedder.name}", done, len(missing))
    readable = [candidate for candidate in found if candidate.media_sha256 in known]
    stacked = [known[candidate.media_sha256] for candidate in readable]
    return readable, np.stack(stacked) if stacked else np.zeros((0, embedder.dim), np.float32)


def _embed(store: Store, media: Sequence[str], embedder: Embedder) -> dict[str, Vectors]:
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        images = list(pool.map(lambda sha: _decoded(store, sha), media))
    readable = [(sha, image) for sha, image in zip(media, images, strict=True) if image is not None]
    vectors = embedder.embed([image for _, image in readable])
    return {sha: vector for (sha, _), vector in zip(readable, vectors, strict=True)}


def _decoded(store: Store, sha256: str) -> Rgb | None:
    try:
        return decode_rgb(store.media.read(sha256), max_side_px=_SIDE_PX)
    except (ImageUnreadable, MediaMissing):
        return None


def _chunks(media: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(media), _CHUNK):
        yield media[start : start + _CHUNK]
