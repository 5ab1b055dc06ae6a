"""Stated sizes against those of the files: what differs is reported, and labels of the stored frame are turned upright.

A camera stores pixels sideways and says so in EXIF. A label file that states the stored size was made in that frame, so
its shapes are turned with the pixels. Orientations that keep the size (2 to 4) leave no trace, and nothing is turned.
Source: the tag Orientation of the EXIF specification.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.datasets import rows
from calotype.formats.files_below import head_of
from calotype.formats.image_files import ImageFile
from calotype.formats.notices import Notices
from calotype.formats.windows import ImageColumns, Window
from calotype.vision import masks
from calotype.vision.images import ImageUnreadable, probe

_HEADER_BYTES = 4_000_000
_GEOMETRY = ("x", "y", "w", "h", "rings", "mask_rle", "mask_h", "mask_w", "keypoints")

Turn = tuple[int, int, int]
"""EXIF orientation (5 to 8), and width and height of the stored pixels."""


def compare_sizes(
    images: ImageColumns,
    found_wh: npt.NDArray[np.int64],
    file_of: Callable[[int], ImageFile | None],
    notices: Notices,
) -> dict[int, Turn]:
    """Report stated sizes that differ from those of the files, and tell which images are stated as they are stored.

    Args:
        found_wh: (N, 2) pixels of the upright images, 0 where unknown.
        file_of: The file of an image by its position.
    """
    stated = np.stack([images.widths, images.heights], axis=1).astype(np.int64)
    differs = (stated > 0).all(axis=1) & (found_wh > 0).all(axis=1) & (stated != found_wh).any(axis=1)
    turned: dict[int, Turn] = {}
    for at in np.flatnonzero(differs).tolist():
        (width, height), (w, h) = stated[at].tolist(), found_wh[at].tolist()
        place = f"{images.names[at].as_py()}: {width}x{height} stated, {w}x{h} found"
        orientation = _orientation(file_of(at)) if (width, height) == (h, w) else 1
        if orientation >= 5:
            turned[at] = (orientation, width, height)
            notices.add("size-turned", place)
        else:
            notices.add("size-differs", place)
    return turned


def turned_window(window: Window, turns: Mapping[int, Turn]) -> Window:
    """The window with the shapes on these images turned upright.

    Args:
        turns: By position in the `LabelIndex`.
    """
    if not turns or not np.isin(window.image, list(turns)).any():
        return window
    table = pa.table({name: window.columns[name] for name in _GEOMETRY}).to_pylist()
    for at, image in enumerate(window.image.tolist()):
        if image in turns:
            _turn(table[at], turns[image])
    columns = {
        name: pa.array([row[name] for row in table], rows.ANNOTATION_SCHEMA.field(name).type)
        for name in _GEOMETRY
    }
    return replace(window, columns={**window.columns, **columns})


def _orientation(file: ImageFile | None) -> int:
    if file is None:
        return 1
    try:
        return probe(head_of(Path(file.real_path), _HEADER_BYTES)).orientation
    except ImageUnreadable:
        return 1


def _turn(row: dict[str, Any], turn: Turn) -> None:
    if row["x"] is not None:
        x1, y1 = _point(row["x"], row["y"], turn)
        x2, y2 = _point(row["x"] + row["w"], row["y"] + row["h"], turn)
        row |= {"x": min(x1, x2), "y": min(y1, y2), "w": abs(x2 - x1), "h": abs(y2 - y1)}
    if row["rings"]:
        row["rings"] = [
            [v for x, y in zip(ring[::2], ring[1::2], strict=True) for v in _point(x, y, turn)]
            for ring in row["rings"]
        ]
    if row["keypoints"]:
        points = row["keypoints"]
        triples = zip(points[::3], points[1::3], points[2::3], strict=True)
        row["keypoints"] = [n for x, y, v in triples for n in (*(_point(x, y, turn) if v else (x, y)), v)]
    if row["mask_rle"]:
        stored = masks.decode(masks.from_string(row["mask_rle"], (row["mask_h"], row["mask_w"])))
        upright = masks.encode(_turned_mask(stored, turn[0]))
        row |= {"mask_rle": masks.to_string(upright), "mask_h": row["mask_w"], "mask_w": row["mask_h"]}


def _point(x: float, y: float, turn: Turn) -> tuple[float, float]:
    """A point of the stored frame in the upright one."""
    orientation, width, height = turn
    return {
        5: (y, x),
        6: (height - y, x),
        7: (height - y, width - x),
        8: (y, width - x),
    }[orientation]


def _turned_mask(mask: npt.NDArray[np.bool_], orientation: int) -> npt.NDArray[np.bool_]:
    swapped = mask.T
    if orientation in (6, 7):
        swapped = swapped[:, ::-1]
    return swapped[::-1] if orientation in (7, 8) else swapped
