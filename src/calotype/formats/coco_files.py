"""The files of a COCO dataset: strict JSON, where its pictures lie, which names lead out of their folder."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

from calotype.formats.base import LabelFileUnreadable
from calotype.vision.ontology import Class


class Unreadable(Exception):
    """Why a text or an item is refused; never leaves the format."""


def load_json(file: Path) -> dict[str, Any]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        value = json.loads(text, parse_constant=no_constant, object_pairs_hook=unique_keys)
    except UnicodeDecodeError:
        raise refused(file, "it is not UTF-8 text", "save it again as UTF-8") from None
    except (json.JSONDecodeError, RecursionError, Unreadable, OSError, ValueError) as error:
        detail = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise refused(file, detail, "export the file again; it is broken as a whole") from None
    if not isinstance(value, dict):
        raise refused(
            file, "its top level is no object", "give a file with images, annotations and categories"
        )
    return value


def no_constant(name: str) -> None:
    raise Unreadable(f"{name} is no JSON number")


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise Unreadable(f"the key {twice[:40]!r} stands twice in one object")
    return made


def label_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        return []
    return sorted((path / "annotations").glob("*.json")) or sorted(path.glob("*.json"))


def picture_folder(file: Path) -> Path:
    for base in (file.parent, file.parent.parent):
        if (base / "images").is_dir():
            return base / "images"
    return file.parent


def split_of(file: Path) -> str:
    words = file.stem.lower().replace("-", "_").split("_")
    return next(
        (split for split in ("train", "val", "test") if any(word.startswith(split) for word in words)), ""
    )


def find_picture(folder: Path, name: str) -> Path | None:
    root = folder.resolve()
    for candidate in (root / name, root / PurePosixPath(name).name):
        if candidate.is_file() and candidate.resolve().is_relative_to(root):
            return candidate
    return None


def climbs(name: str) -> bool:
    return not name or name.startswith("/") or "\\" in name or ":" in name[:3] or ".." in name.split("/")


def refused(file: Path, detail: str, hint: str) -> LabelFileUnreadable:
    return LabelFileUnreadable(where=file.name, file=file.name, format="COCO", detail=detail, hint=hint)


def skeleton_of(value: Any, n_keypoints: int) -> tuple[tuple[int, int], ...]:
    """Pairs of keypoints counted from 0 (COCO counts from 1); pairs that name no keypoint are left out."""
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
