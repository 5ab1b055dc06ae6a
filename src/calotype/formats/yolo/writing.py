"""Writing YOLO by columns: numbers by NumPy, one small file an image, no image opened."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.model import Kind, Sample

COLUMNS = (
    "ann_id",
    "sample_id",
    "kind",
    "class_id",
    "x",
    "y",
    "w",
    "h",
    "rings",
    "score",
    "iscrowd",
    "attributes",
    "extra",
    "source_id",
)


def rows_of(
    samples: Sequence[Sample], table: pa.Table, number_of: dict[int, int]
) -> Iterator[tuple[Sample, list[str], bool]]:
    """Each sample with the rows of its label file, and whether it has annotations at all.

    `table` is in the order of the samples.
    """
    texts = _texts(samples, table, number_of)
    ids = table["sample_id"].to_pylist()
    at = 0
    for sample in samples:
        start = at
        while at < len(ids) and ids[at] == sample.sample_id:
            at += 1
        yield sample, [text for text in texts[start:at] if text], at > start


def _texts(samples: Sequence[Sample], table: pa.Table, number_of: dict[int, int]) -> list[str]:
    """The row of each annotation: its largest ring, or its box; empty for one of the whole image."""
    ids = pa.array([sample.sample_id for sample in samples], pa.string())
    place = pc.index_in(table["sample_id"], value_set=ids).to_numpy()
    width = np.array([sample.width_px for sample in samples], np.float64)[place]
    height = np.array([sample.height_px for sample in samples], np.float64)[place]
    x, y, w, h = (table[name].to_numpy() for name in "xywh")
    shares = ((x + w / 2) / width, (y + h / 2) / height, w / width, h / height)
    numbers = [number_of[class_id] for class_id in table["class_id"].to_pylist()]
    columns = zip(numbers, *(share.tolist() for share in shares), strict=True)
    texts = [f"{n} {cx:.12g} {cy:.12g} {sw:.12g} {sh:.12g}" for n, cx, cy, sw, sh in columns]
    for at in np.flatnonzero(np.isnan(x)).tolist():
        texts[at] = ""
    drawn = pc.and_(pc.equal(table["kind"], str(Kind.POLYGON)), pc.is_valid(table["rings"])).to_numpy()
    rings = table["rings"]
    for at in np.flatnonzero(drawn).tolist():
        parts = rings[at].as_py()
        if parts:
            ring = max(parts, key=_ring_area)
            moved = (v / (height[at] if i % 2 else width[at]) for i, v in enumerate(ring))
            texts[at] = " ".join([str(numbers[at]), *(f"{share:.12g}" for share in moved)])
    return texts


def losses_of(samples: Sequence[Sample], table: pa.Table, background: str) -> Counter[str]:
    """What the format cannot hold of these samples and annotations."""
    losses: Counter[str] = Counter()
    for row in (
        table.select(["kind", "x", "rings"]).filter(pc.not_equal(table["kind"], str(Kind.BOX))).to_pylist()
    ):
        if row["x"] is None and not row["rings"]:
            losses[f"annotation of kind {row['kind']}"] += 1
        elif row["kind"] == Kind.POLYGON:
            more = len(row["rings"] or ()) - 1
            losses["part of a polygon of several parts (the largest is kept)"] += max(0, more)
        else:
            losses[f"shape of a {row['kind']} (its box is kept)"] += 1
    losses["id of an annotation"] += _sum(pc.not_equal(table["source_id"], ""))
    losses["score of an annotation"] += _sum(pc.is_valid(table["score"]))
    losses["iscrowd of an annotation"] += _sum(table["iscrowd"])
    losses["extra of an annotation"] += _sum(pc.not_equal(table["extra"], ""))
    for text in table["attributes"].filter(pc.not_equal(table["attributes"], "")).to_pylist():
        losses["attribute of an annotation"] += len(msgspec.json.decode(text))
    for what in ("metadata", "licence", "source"):
        losses[f"{what} of a sample"] += sum(bool(getattr(sample, what)) for sample in samples)
    losses["tags of a sample"] += sum(any(tag != background for tag in sample.tags) for sample in samples)
    return losses


class LabelFiles:
    """Small text files below a folder; folders are made once."""

    def __init__(self, out: Path) -> None:
        self._out = str(out)
        self._made: set[str] = set()

    def write(self, place: PurePosixPath | str, rows: list[str]) -> str:
        """Write one file; returns its place."""
        path = f"{self._out}/{place}"
        folder = os.path.dirname(path)
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)
            self._made.add(folder)
        body = ("\n".join(rows) + "\n" if rows else "").encode()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            os.write(handle, body)
        finally:
            os.close(handle)
        return str(place)


def _sum(mask: Any) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _ring_area(ring: Sequence[float]) -> float:
    xs, ys = ring[::2], ring[1::2]
    return abs(sum(xs[at - 1] * ys[at] - xs[at] * ys[at - 1] for at in range(len(xs)))) / 2
