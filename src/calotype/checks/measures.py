"""Measures of pixels, computed once per media object and kept in the catalog: a cache that may be dropped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from calotype.datasets.snapshot import Snapshot
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store.catalog import schema
from calotype.store.catalog.upserts import insert
from calotype.store.media.objects import MediaMissing
from calotype.vision import copies, file_quality, images, pixel_facts, quality

Value = npt.NDArray[Any]

_KINDS: dict[str, tuple[Callable[[pixel_facts.Rgb], Value], type[np.generic], tuple[int, ...]]] = {
    "pixel-sha256": (pixel_facts.pixel_sha256, np.uint8, (32,)),
    "dhash64": (pixel_facts.dhash64, np.uint64, ()),
    "thumb32": (pixel_facts.thumb32, np.uint8, (pixel_facts.THUMB_SIDE_PX, pixel_facts.THUMB_SIDE_PX)),
    "quality": (pixel_facts.quality, np.float32, (len(pixel_facts.QUALITY),)),
    "look-v1": (copies.look, np.uint8, (copies.LOOK_BYTES,)),
}
"""Name -> function of the upright pixels, and the type and shape of its value."""

FIGURES = "figures-v2"
"""Of the pixels, in the order of `vision.quality.METRICS`."""
FILE_FIGURES = "file-v2"
"""Of the file rather than its pixels, in the order of `vision.file_quality.FILE_FIGURES`."""
_OF_FILES: dict[str, tuple[Callable[[bytes, pixel_facts.Rgb], Value], type[np.generic], tuple[int, ...]]] = {
    FIGURES: (file_quality.pixel_part, np.float32, (len(quality.METRICS),)),
    FILE_FIGURES: (file_quality.file_part, np.float32, (len(file_quality.FILE_FIGURES),)),
}
"""The same for functions of the file's bytes and the upright pixels."""
_SHAPES: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    **{name: (dtype, shape) for name, (_, dtype, shape) in _KINDS.items()},
    **{name: (dtype, shape) for name, (_, dtype, shape) in _OF_FILES.items()},
}
NAMES = tuple(_SHAPES)
CHECKED = ("pixel-sha256", "dhash64", "thumb32", FIGURES, "look-v1", FILE_FIGURES)
"""What the checks ask for: one decode makes all of them."""

_UNREADABLE = "unreadable"
_CHUNK = 256
_KEYS_A_QUERY = 500
_TABLE = schema.measures


def measure(
    store: Store, snapshot: Snapshot, names: Sequence[str], *, sample_ids: Sequence[str] | None = None,
    progress: Progress = silent,
) -> dict[str, dict[str, Value]]:  # fmt: skip
    """Measures of a snapshot's media: name -> media SHA-256 -> value.

    What is not known yet is computed in threads, one decode per image, and kept. Media that are missing or
    are no whole image have no value; `unreadable` says why.
    """
    shas = _media(snapshot, sample_ids)
    found = {name: dict(_stored(store, name, shas)) for name in names}
    broken = set(_stored_reasons(store, shas))
    todo = [sha for sha in shas if sha not in broken and any(sha not in found[name] for name in names)]
    for chunk in _computed(store, todo, names, progress):
        for sha, values in chunk:
            for name, value in values.items():
                found[name][sha] = value
    return found


def unreadable(
    store: Store, snapshot: Snapshot, *, sample_ids: Sequence[str] | None = None, progress: Progress = silent
) -> dict[str, str]:  # fmt: skip
    """Media SHA-256 -> why its pixels cannot be had. Decodes what was never decoded before."""
    shas = _media(snapshot, sample_ids)
    missing = {
        sha: "its media file is missing from the workspace" for sha in shas if not store.media.has(sha)
    }
    measure(store, snapshot, CHECKED, sample_ids=sample_ids, progress=progress)
    return {**_stored_reasons(store, shas), **missing}


def _media(snapshot: Snapshot, sample_ids: Sequence[str] | None) -> list[str]:
    table = snapshot.samples(ids=sample_ids, columns=["media_sha256"])
    return list(dict.fromkeys(table["media_sha256"].to_pylist()))


def _computed(
    store: Store, todo: list[str], names: Sequence[str], progress: Progress
) -> Iterator[list[tuple[str, dict[str, Value]]]]:  # fmt: skip
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for start in range(0, len(todo), _CHUNK):
            part = todo[start : start + _CHUNK]
            outcomes = list(zip(part, pool.map(lambda sha: _one(store, sha, names), part), strict=True))
            _keep(store, outcomes)
            progress("measuring images", start + len(part), len(todo))
            yield [(sha, values) for sha, values in outcomes if isinstance(values, dict)]


def _one(store: Store, sha: str, names: Sequence[str]) -> dict[str, Value] | str | None:
    """The values, or why there is none; None for a missing file (it may come back, so that is not kept)."""
    try:
        data = store.media.read(sha)
        rgb = images.decode_rgb(data)
    except MediaMissing:
        return None
    except images.ImageUnreadable as error:
        return error.message
    found = {name: _KINDS[name][0](rgb) for name in names if name in _KINDS}
    found.update({name: _OF_FILES[name][0](data, rgb) for name in names if name in _OF_FILES})
    return found


def _keep(store: Store, outcomes: Iterable[tuple[str, dict[str, Value] | str | None]]) -> None:
    rows: list[dict[str, Any]] = []
    for sha, values in outcomes:
        if isinstance(values, str):
            rows.append({"media_sha256": sha, "name": _UNREADABLE, "value": values.encode()})
        for name, value in values.items() if isinstance(values, dict) else ():
            rows.append({"media_sha256": sha, "name": name, "value": np.ascontiguousarray(value).tobytes()})
    if rows:
        with store.catalog.bookkeeping() as conn:
            conn.execute(insert(conn, _TABLE).on_conflict_do_nothing(), rows)


def _stored(store: Store, name: str, shas: Sequence[str]) -> Iterator[tuple[str, Value]]:
    dtype, shape = _SHAPES[name]
    size = np.dtype(dtype).itemsize * int(np.prod(shape))
    for sha, value in _rows(store, name, shas):
        if len(value) == size:  # another program's row of this name is computed anew in memory
            yield sha, np.frombuffer(value, dtype=dtype).reshape(shape)


def _stored_reasons(store: Store, shas: Sequence[str]) -> dict[str, str]:
    return {sha: value.decode("utf-8", "replace") for sha, value in _rows(store, _UNREADABLE, shas)}


def _rows(store: Store, name: str, shas: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    with store.catalog.read() as conn:
        for start in range(0, len(shas), _KEYS_A_QUERY):
            keys = shas[start : start + _KEYS_A_QUERY]
            query = sa.select(_TABLE.c.media_sha256, _TABLE.c.value)
            for row in conn.execute(query.where(_TABLE.c.name == name, _TABLE.c.media_sha256.in_(keys))):
                yield row[0], bytes(row[1])
