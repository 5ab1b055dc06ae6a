"""The measures of pixels and files that checks use, of the media of a snapshot."""

from __future__ import annotations

from collections.abc import Sequence

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
) -> dict[str, dict[str, Value]]:
    """Measures of a snapshot's media: name -> media SHA-256 -> value; absent for media that cannot be decoded."""
    wanted = {name: _MEASURES[name] for name in names}
    return cache.measure(store, _media(snapshot, sample_ids), wanted, progress=progress)


def unreadable(
    store: Store,
    snapshot: Snapshot,
    *,
    sample_ids: Sequence[str] | None = None,
    progress: Progress = silent,
    failed: dict[str, str] | None = None,
) -> dict[str, str]:
    """Media SHA-256 -> why its pixels cannot be read; `failed` gets SHA-256 -> which measures of them failed."""
    shas = _media(snapshot, sample_ids)
    missing = dict.fromkeys(
        (sha for sha in shas if not store.media.has(sha)), "its media file is missing from the workspace"
    )
    failing: dict[str, str] = {}
    cache.measure(store, shas, _MEASURES, progress=progress, failed=failing)
    lost = {sha: failing.pop(sha) for sha in list(failing) if failing[sha].startswith(cache.MEDIUM)}
    if failed is not None:
        failed |= failing
    return {**lost, **cache.unreadable(store, shas), **missing}


def _media(snapshot: Snapshot, sample_ids: Sequence[str] | None) -> list[str]:
    table = snapshot.samples(ids=sample_ids, columns=["media_sha256"])
    return list(dict.fromkeys(table["media_sha256"].to_pylist()))
