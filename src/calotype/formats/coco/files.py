"""The files of a COCO dataset: strict JSON, where its images are, which names leave their folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from calotype.formats.base import LabelFileUnreadable
from calotype.formats.files_below import is_file, is_folder
from calotype.vision.ontology import Class


class Unreadable(Exception):
    """Why a text or an item is rejected; never leaves the format."""


def label_files(path: Path) -> list[Path]:
    """The JSON files at a path: itself, those in `annotations/`, or those beside each other."""
    if is_file(path):
        return [path]
    for folder in (path / "annotations", path):
        files = [file for file in json_files(folder) if is_file(file)]
        if files:
            return files
    return []


def json_files(folder: Path) -> list[Path]:
    """What a folder lists as `.json`, by name; nothing where it cannot be read."""
    try:
        return sorted(folder / name for name in os.listdir(folder) if name.endswith(".json"))
    except OSError:
        return []


def image_folder(file: Path) -> Path:
    """The folder `images` near a label file, or the folder it is in."""
    for base in (file.parent, file.parent.parent):
        if is_folder(base / "images"):
            return base / "images"
    return file.parent


def split_of(file: Path) -> str:
    """The split that the name of a label file says, or none."""
    words = file.stem.lower().replace("-", "_").split("_")
    return next(
        (split for split in ("train", "val", "test") if any(word.startswith(split) for word in words)), ""
    )


def leaves_folder(name: str) -> bool:
    """Whether an image name is empty, absolute or leads out of its folder."""
    return not name or name.startswith("/") or "\\" in name or ":" in name[:3] or ".." in name.split("/")


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
