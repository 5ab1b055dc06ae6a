"""Vectors of what is annotated, computed once for each place of each image and kept in the catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from calotype.checks.suite.context import CheckContext
from calotype.models.registry import HOG_COLOUR, embedder, full_name
from calotype.store.catalog import schema
from calotype.store.catalog.errors import CatalogNotWritable
from calotype.store.catalog.upserts import insert
from calotype.store.media.combined import NOT_DECODED
from calotype.vision import images

Vectors = npt.NDArray[np.float32]
Rgb = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
Key = tuple[str, str]
"""SHA-256 of a medium, and the name of a measure of it."""
_TABLE = schema.measures
_SMALL_PX = 32
"""Images below this side are digits and signs rather than photographs: the descriptor without weights serves better."""
_AT_ONCE = 400
_CROPS_AT_ONCE = 256
_SIDE_PX = 200
"""JPEGs that are only embedded as a whole are decoded at a fraction of their size, down to this side."""


def vectors_of(
    context: CheckContext, places: Sequence[tuple[int, Box | None]], *, model: str = ""
) -> tuple[Vectors, npt.NDArray[np.bool_]]:
    """(N, D) vectors of places (row of a sample, box in pixels or None for the whole image), and which are available.

    The default model is `model_of` the context.
    """
    name = model or model_of(context)
    media = context.column("media_sha256")
    keys = [(str(media[row]), _key(name, box)) for row, box in places]
    known = dict(_stored(context, keys))
    todo: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        if key not in known:
            todo.setdefault(key[0], []).append(number)
    if todo:
        known.update(_embedded(context, name, places, keys, todo))
    available = np.asarray([key in known for key in keys], bool)
    dim = len(next(iter(known.values()))) if known else 1
    vectors = np.zeros((len(keys), dim), np.float32)
    for number in np.flatnonzero(available).tolist():
        vectors[number] = known[keys[number]]
    return vectors, available


def model_of(context: CheckContext) -> str:
    """The full name of the embedder that the contract asks for."""
    asked = context.contract.embedding or "default"
    if asked == "default" and context.n_samples and float(np.median(context.column("width_px"))) < _SMALL_PX:
        return HOG_COLOUR
    return full_name(asked)


def _key(model: str, box: Box | None) -> str:
    place = "" if box is None else ",".join(f"{v:.2f}" for v in box)
    return "vec:" + hashlib.sha256(f"{model}|{place}".encode()).hexdigest()[:40]


def _stored(context: CheckContext, keys: Sequence[Key]) -> Iterator[tuple[Key, Vectors]]:
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


def _embedded(
    context: CheckContext,
    model: str,
    places: Sequence[tuple[int, Box | None]],
    keys: Sequence[Key],
    missing: Mapping[str, Sequence[int]],
) -> dict[Key, Vectors]:
    """The vectors of some places, by media; stored as they are computed.

    Args:
        missing: SHA-256 of a medium -> which of `places` lie on it. Each medium is decoded once.
    """
    network = embedder(model)
    vectors: dict[Key, Vectors] = {}
    waiting: list[tuple[Key, Rgb]] = []

    def embed(least: int) -> None:
        if len(waiting) <= least:
            return
        outputs = network.embed([crop for _, crop in waiting]).astype(np.float16)
        fresh = dict(zip([key for key, _ in waiting], outputs, strict=True))
        _keep(
            context,
            [{"media_sha256": sha, "name": name, "value": v.tobytes()} for (sha, name), v in fresh.items()],
        )
        vectors.update({key: vector.astype(np.float32) for key, vector in fresh.items()})
        waiting.clear()

    for done, (sha, on_medium) in enumerate(missing.items()):
        context.progress("embedding images", done, len(missing))
        try:
            data = context.store.media.read(sha)
            cuts = images.decode_cuts(data, [places[k][1] for k in on_medium], min_side_px=_SIDE_PX)
        except NOT_DECODED:
            continue
        waiting += dict(zip((keys[k] for k in on_medium), cuts, strict=True)).items()
        embed(least=_CROPS_AT_ONCE)
    embed(least=0)
    return vectors


def _keep(context: CheckContext, rows: list[dict[str, Any]]) -> None:
    with suppress(CatalogNotWritable), context.store.catalog.bookkeeping() as conn:
        conn.execute(insert(conn, _TABLE).on_conflict_do_nothing(), rows)
