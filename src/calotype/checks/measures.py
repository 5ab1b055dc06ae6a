"""The measures of pixels and files that checks use, of the media of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calotype.datasets.snapshot import Snapshot
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store import measures as cache
from calotype.store.measures import Measure, Value
from calotype.vision import copies, pixel_facts
from calotype.vision.quality import files as file_quality
from calotype.vision.quality import measures as quality

FIGURES = "figures-v2"
"""Of the pixels, in the order of `vision.quality.measures.METRICS`."""
FILE_FIGURES = "file-v2"
"""Of the file rather than its pixels, in the order of `vision.quality.files.FILE_FIGURES`."""
LOOK = "look-v2"
"""Of `vision.copies.look`."""
_THUMB_WH_PX = (pixel_facts.THUMB_SIDE_PX, pixel_facts.THUMB_SIDE_PX)
_MEASURES = {
    "pixel-sha256": Measure(lambda _, upright: pixel_facts.pixel_sha256(upright.rgb), np.uint8, (32,)),
    "dhash64": Measure(lambda _, upright: pixel_facts.dhash64(upright.grey), np.uint64),
    "thumb32": Measure(lambda _, upright: pixel_facts.thumb32(upright.grey), np.uint8, _THUMB_WH_PX),
    LOOK: Measure(
        lambda _, upright: copies.look(upright.rgb, upright.reduced), np.uint8, (copies.LOOK_BYTES,)
    ),
    FIGURES: Measure(file_quality.pixel_part, np.float32, (len(quality.METRICS),)),
    FILE_FIGURES: Measure(file_quality.file_part, np.float32, (len(file_quality.FILE_FIGURES),)),
}
NAMES = tuple(_MEASURES)
"""One decode of an image is enough for all of them."""


def measure(
    store: Store,
    snapshot: Snapshot,
    names: Sequence[str],
    *,
    sample_ids: Sequence[str] | None = None,
    progress: Progress = silent,
    failed: dict[str, str] | None = None,
) -> dict[str, dict[str, Value]]:
    """Measures of media: name -> SHA-256 -> value, absent where one cannot be decoded; `failed` gets what failed."""
    wanted = {name: _MEASURES[name] for name in names}
    return cache.measure(store, _media(snapshot, sample_ids), wanted, progress=progress, failed=failed)


def unreadable(
    store: Store, snapshot: Snapshot, failing: Mapping[str, str], *, sample_ids: Sequence[str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """SHA-256 -> why its pixels cannot be read, and -> which measures of them failed, after what `measure` says."""
    shas = _media(snapshot, sample_ids)
    missing = dict.fromkeys(
        (sha for sha in shas if not store.media.has(sha)), "its media file is missing from the workspace"
    )
    lost = {sha: words for sha, words in failing.items() if words.startswith(cache.MEDIUM)}
    failed = {sha: words for sha, words in failing.items() if sha not in lost}
    return {**lost, **cache.unreadable(store, shas), **missing}, failed


def _media(snapshot: Snapshot, sample_ids: Sequence[str] | None) -> list[str]:
    table = snapshot.samples(ids=sample_ids, columns=["media_sha256"])
    return list(dict.fromkeys(table["media_sha256"].to_pylist()))
