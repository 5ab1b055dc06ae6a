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

FIGURES = "figures-v2"
"""Of the pixels, in the order of `vision.quality.METRICS`."""
FILE_FIGURES = "file-v2"
"""Of the file rather than its pixels, in the order of `vision.file_quality.FILE_FIGURES`."""
_MEASURES: dict[str, Callable[[bytes, images.Upright], Value]] = {
    "pixel-sha256": lambda _, upright: pixel_facts.pixel_sha256(upright.rgb),
    "dhash64": lambda _, upright: pixel_facts.dhash64(upright.grey),
    "thumb32": lambda _, upright: pixel_facts.thumb32(upright.grey),
    "look-v1": lambda _, upright: copies.look(upright.rgb, upright.image),
    FIGURES: file_quality.pixel_part,
    FILE_FIGURES: file_quality.file_part,
}
"""Name -> function of the file's bytes and the decoded image."""
_SHAPES: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "pixel-sha256": (np.uint8, (32,)),
    "dhash64": (np.uint64, ()),
    "thumb32": (np.uint8, (pixel_facts.THUMB_SIDE_PX, pixel_facts.THUMB_SIDE_PX)),
    "look-v1": (np.uint8, (copies.LOOK_BYTES,)),
    FIGURES: (np.float32, (len(quality.METRICS),)),
    FILE_FIGURES: (np.float32, (len(file_quality.FILE_FIGURES),)),
}
"""Name -> type and shape of its value."""
NAMES = tuple(_MEASURES)
"""One decode makes all of them."""

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
    measure(store, snapshot, NAMES, sample_ids=sample_ids, progress=progress)
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
        upright = images.decode_upright(data)
    except MediaMissing:
        return None
    except images.ImageUnreadable as error:
        return error.message
    return {name: _MEASURES[name](data, upright) for name in names}


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
