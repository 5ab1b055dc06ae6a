"""The measures of pixels and files that checks use, of the media of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calotype.datasets.snapshot import Snapshot
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store import measures as cache
from calotype.store.measures import Measure, Value
from calotype.vision.pixel_measures import FIGURES, FILE_FIGURES, LOOK, OF_PIXELS

__all__ = ["FIGURES", "FILE_FIGURES", "LOOK", "NAMES", "measure", "unreadable"]
_MEASURES = {name: Measure(*form) for name, form in OF_PIXELS.items()}
NAMES = tuple(_MEASURES)


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
