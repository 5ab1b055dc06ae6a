"""Measures of media, computed once per media object and kept in the catalog: a cache that may be dropped."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from calotype.foundation.progress import Progress, silent
from calotype.store.catalog import schema
from calotype.store.catalog.errors import CatalogNotWritable
from calotype.store.catalog.upserts import insert
from calotype.store.media.combined import MEDIA_ERRORS
from calotype.store.store import Store
from calotype.vision import images

Value = npt.NDArray[Any]
_Outcome = dict[str, Value | str]
"""The values of one image by measure, or why one of them failed."""
_COMPUTE_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    struct.error,
)
_UNREADABLE = "unreadable"
MEDIUM = "the media file"
"""Stands in `failed` for a measure, where the bytes themselves could not be read."""
_CHUNK = 256
_AT_ONCE = 8
"""Images that a thread measures before it hands them over: handing over costs as much as a small image."""
_KEYS_PER_QUERY = 500
_TABLE = schema.measures


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of one image: a function of the file's bytes and the decoded image, and the form of its value."""

    compute: Callable[[bytes, images.Upright], Value]
    dtype: type[np.generic]
    shape: tuple[int, ...] = ()


def measure(
    store: Store,
    shas: Sequence[str],
    measures: Mapping[str, Measure],
    *,
    progress: Progress = silent,
    failed: dict[str, str] | None = None,
) -> dict[str, dict[str, Value]]:
    """Measures of media: name -> media SHA-256 -> value.

    What is not known yet is computed in threads, one decode per image, and kept. Media that are missing or
    cannot be decoded have no value; `unreadable` says why. A measure that fails on one image is absent for that image.

    Args:
        failed: Gets media SHA-256 -> which measures failed on them, and why. They are tried again each time.
    """
    values_of, broken = _stored(store, measures, shas)
    todo = [sha for sha in shas if sha not in broken and any(sha not in kept for kept in values_of.values())]
    for chunk in _computed(store, todo, measures, progress):
        for sha, values in chunk:
            for name, value in values.items():
                if isinstance(value, str):
                    _note(failed, sha, f"{name}: {value}")
                else:
                    values_of[name][sha] = value
    return values_of


def _note(failed: dict[str, str] | None, sha: str, words: str) -> None:
    if failed is not None:
        failed[sha] = f"{failed[sha]}; {words}" if sha in failed else words


def unreadable(store: Store, shas: Sequence[str]) -> dict[str, str]:
    """Media SHA-256 -> why `measure` could not decode it."""
    return _stored(store, {}, shas)[1]


def _computed(
    store: Store, todo: list[str], measures: Mapping[str, Measure], progress: Progress
) -> Iterator[list[tuple[str, _Outcome]]]:
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for start in range(0, len(todo), _CHUNK):
            part = todo[start : start + _CHUNK]
            few = [part[k : k + _AT_ONCE] for k in range(0, len(part), _AT_ONCE)]
            done = pool.map(lambda shas: [_measured(store, sha, measures) for sha in shas], few)
            results = list(zip(part, chain.from_iterable(done), strict=True))
            _keep(store, results)
            progress("measuring images", start + len(part), len(todo))
            yield [(sha, values) for sha, values in results if isinstance(values, dict)]


def _measured(store: Store, sha: str, measures: Mapping[str, Measure]) -> _Outcome | str:
    """The values, or why there are none; bytes that cannot be read may come back, so that is not kept."""
    try:
        data = store.media.read(sha)
        upright = images.decode_upright(data)
    except MEDIA_ERRORS as error:
        return {MEDIUM: error.message}
    except images.ImageUnreadable as error:
        return error.message
    return {name: _computed_one(spec, data, upright) for name, spec in measures.items()}


def _computed_one(spec: Measure, data: bytes, upright: images.Upright) -> Value | str:
    try:
        return spec.compute(data, upright)
    except images.ImageUnreadable as error:
        return error.message
    except _COMPUTE_ERRORS as error:
        return f"{type(error).__name__}: {str(error)[:200]}"


def _keep(store: Store, results: Iterable[tuple[str, _Outcome | str]]) -> None:
    rows: list[dict[str, Any]] = []
    for sha, values in results:
        if isinstance(values, str):
            rows.append({"media_sha256": sha, "name": _UNREADABLE, "value": values.encode()})
        for name, value in values.items() if isinstance(values, dict) else ():
            if not isinstance(value, str):
                rows.append(
                    {"media_sha256": sha, "name": name, "value": np.ascontiguousarray(value).tobytes()}
                )
    if rows:
        with suppress(CatalogNotWritable), store.catalog.bookkeeping() as conn:
            conn.execute(insert(conn, _TABLE).on_conflict_do_nothing(), rows)


def _stored(
    store: Store, measures: Mapping[str, Measure], shas: Sequence[str]
) -> tuple[dict[str, dict[str, Value]], dict[str, str]]:
    """Name -> media SHA-256 -> value, and media SHA-256 -> why it could not be decoded."""
    sizes = {name: np.dtype(m.dtype).itemsize * int(np.prod(m.shape)) for name, m in measures.items()}
    values_of: dict[str, dict[str, Value]] = {name: {} for name in measures}
    broken: dict[str, str] = {}
    query = sa.select(_TABLE.c.media_sha256, _TABLE.c.name, _TABLE.c.value)
    query = query.where(_TABLE.c.name.in_([*measures, _UNREADABLE]))
    with store.catalog.read() as conn:
        for start in range(0, len(shas), _KEYS_PER_QUERY):
            part = _TABLE.c.media_sha256.in_(shas[start : start + _KEYS_PER_QUERY])
            for sha, name, stored in conn.execute(query.where(part)):
                value = bytes(stored)
                if name == _UNREADABLE:
                    broken[sha] = value.decode("utf-8", "replace")
                elif len(value) == sizes[name]:  # what another version wrote is computed again, in memory
                    spec = measures[name]
                    values_of[name][sha] = np.frombuffer(value, dtype=spec.dtype).reshape(spec.shape)
    return values_of, broken
