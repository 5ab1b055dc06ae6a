"""What modules of COCO share: errors, and classes as COCO lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from calotype.formats.base import LabelFileUnreadable
from calotype.vision.ontology import Class


class Unreadable(Exception):
    """Why a text or an item is rejected; never leaves the format."""


def refused(file: Path, detail: str, hint: str) -> LabelFileUnreadable:
    """The error for a file that cannot be read as a whole."""
    return LabelFileUnreadable(where=file.name, file=file.name, format="COCO", detail=detail, hint=hint)


def skeleton_of(value: Any, n_keypoints: int) -> tuple[tuple[int, int], ...]:
    """Pairs of keypoints counted from 0 (COCO counts from 1); pairs of other numbers are left out."""
    pairs = [p for p in value if isinstance(p, list) and len(p) == 2] if isinstance(value, list) else []
    whole = [(a, b) for a, b in pairs if type(a) is int and type(b) is int]
    return tuple((a - 1, b - 1) for a, b in whole if 1 <= a <= n_keypoints and 1 <= b <= n_keypoints)


def category_row(c: Class) -> dict[str, Any]:
    """A class as COCO lists it."""
    row: dict[str, Any] = {**c.extra, "id": c.id, "name": c.name, "supercategory": c.supercategory}
    if c.keypoints:
        row["keypoints"] = list(c.keypoints)
        row["skeleton"] = [[a + 1, b + 1] for a, b in c.skeleton]
    return row
