"""Vectors of what is annotated, made once for each place of each image and kept in the catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from calotype.checks.suite.context import CheckContext
from calotype.models.registry import HOG_COLOUR, embedder, full_name
from calotype.store.catalog import schema
from calotype.store.catalog.upserts import insert
from calotype.store.media.objects import MediaMissing
from calotype.vision import images

Vectors = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]
_TABLE = schema.measures
_SMALL_PX = 32
"""Images below this side are digits and signs rather than photographs: the descriptor without weights serves better."""
_AT_ONCE = 400
_PAD = 0.08


def vectors_of(
    context: CheckContext, places: Sequence[tuple[int, Box | None]], *, model: str = ""
) -> tuple[Vectors, npt.NDArray[np.bool_]]:
    """(N, D) of places (row of a sample, box in pixels or None for the whole image), and which of them could be had.

    Without a model it is `model_of` the context.
    """
    name = model or model_of(context)
    media = context.column("media_sha256")
    keys = [(str(media[row]), _key(name, box)) for row, box in places]
    known = dict(_stored(context, keys))
    todo: dict[str, list[int]] = {}
    for at, key in enumerate(keys):
        if key not in known:
            todo.setdefault(key[0], []).append(at)
    if todo:
        known.update(_made(context, name, places, keys, todo))
    had = np.asarray([key in known for key in keys], bool)
    dim = len(next(iter(known.values()))) if known else 1
    found = np.zeros((len(keys), dim), np.float32)
    for at in np.flatnonzero(had).tolist():
        found[at] = known[keys[at]]
    return found, had


def model_of(context: CheckContext) -> str:
    """The full name of the embedder that the contract asks for."""
    asked = context.contract.embedding or "default"
    if asked == "default" and context.n_samples and float(np.median(context.column("width_px"))) < _SMALL_PX:
        return HOG_COLOUR
    return full_name(asked)


def _key(model: str, box: Box | None) -> str:
    place = "" if box is None else ",".join(f"{v:.2f}" for v in box)
    return "vec:" + hashlib.sha256(f"{model}|{place}".encode()).hexdigest()[:40]


def _stored(
    context: CheckContext, keys: Sequence[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], Vectors]]:
    wanted = set(keys)
    shas = sorted({sha for sha, _ in keys})
    with context.store.catalog.read() as conn:
        for start in range(0, len(shas), _AT_ONCE):
            query = sa.select(_TABLE.c.media_sha256, _TABLE.c.name, _TABLE.c.value).where(
                _TABLE.c.media_sha256.in_(shas[start : start + _AT_ONCE]), _TABLE.c.name.like("vec:%")
            )
            for sha, name, value in conn.execute(query):
                if (sha, name) in wanted:
                    yield (sha, name), np.frombuffer(bytes(value), np.float16).astype(np.float32)


def _made(
    context: CheckContext, name: str, places: Sequence[tuple[int, Box | None]], keys: Sequence[tuple[str, str]],
    todo: dict[str, list[int]],
) -> dict[tuple[str, str], Vectors]:  # fmt: skip
    maker = embedder(name)
    found: dict[tuple[str, str], Vectors] = {}
    rows: list[dict[str, Any]] = []
    for done, (sha, at) in enumerate(todo.items()):
        context.progress("looking at what is annotated", done, len(todo))
        try:
            rgb = images.decode_rgb(context.store.media.read(sha))
        except (images.ImageUnreadable, MediaMissing):
            continue
        made = maker.embed([_cut(rgb, places[k][1]) for k in at])
        for k, vector in zip(at, made, strict=True):
            found[keys[k]] = vector.astype(np.float16).astype(np.float32)
            rows.append(
                {"media_sha256": sha, "name": keys[k][1], "value": vector.astype(np.float16).tobytes()}
            )
        if len(rows) >= _AT_ONCE or done == len(todo) - 1:
            _keep(context, rows)
            rows = []
    if rows:
        _keep(context, rows)
    return found


def _keep(context: CheckContext, rows: list[dict[str, Any]]) -> None:
    with context.store.catalog.bookkeeping() as conn:
        conn.execute(insert(conn, _TABLE).on_conflict_do_nothing(), rows)


def _cut(rgb: npt.NDArray[np.uint8], box: Box | None) -> npt.NDArray[np.uint8]:
    """The pixels of a box with a little of what is around it."""
    if box is None:
        return rgb
    x, y, w, h = box
    left, top = max(0, int(x - _PAD * w)), max(0, int(y - _PAD * h))
    right = max(left + 1, min(rgb.shape[1], int(np.ceil(x + w + _PAD * w))))
    bottom = max(top + 1, min(rgb.shape[0], int(np.ceil(y + h + _PAD * h))))
    part = rgb[top:bottom, left:right]
    return np.ascontiguousarray(part) if part.size else np.zeros((1, 1, 3), np.uint8)
