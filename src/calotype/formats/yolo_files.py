"""The files of YOLO: the YAML with the class names, the label files of a folder, one row of a label file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from calotype.formats.base import LabelFileUnreadable

_YAMLS = ("data.yaml", "data.yml", "dataset.yaml", "config.yaml")
_NAMES = ("classes.txt", "obj.names", "labels.names")
_NOT_LABELS = frozenset(
    {"classes.txt", "readme.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "autosplit.txt"}
)
_SPLIT = re.compile(r"(train|val|valid|validation|test)\d*")
_SPLIT_OF = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_MAX_YAML = 1_000_000
_MAX_LABELS = 50_000_000
_MAX_DEPTH = 20
_SLACK = 1e-3
"""How far a coordinate may exceed 0 or 1 by rounding; it is clipped."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the YAML says: names by class number, and for poses how many keypoints of how many numbers."""

    names: Mapping[int, str]
    keypoints: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the class number and coordinates relative to the image; `box` is left, top, width, height."""

    number: int
    box: tuple[float, float, float, float] | None = None
    ring: tuple[float, ...] = ()
    points: tuple[float, ...] = ()
    score: float | None = None
    clipped: bool = False


def refused(file: Path, detail: str, hint: str) -> LabelFileUnreadable:
    """The error for a file that cannot be read as a whole."""
    return LabelFileUnreadable(where=file.name, file=file.name, format="YOLO", detail=detail, hint=hint)


def config_file(root: Path) -> Path | None:
    """The file with the names, in the folder or the one above it."""
    for folder in (root, root.parent):
        for name in (*_YAMLS, *_NAMES):
            if (folder / name).is_file():
                return folder / name
        others = sorted(folder.glob("*.y*ml")) if folder == root else []
        if len(others) == 1:
            return others[0]
    return None


def load_config(file: Path) -> Config:
    """Raises: LabelFileUnreadable."""
    if file.stat().st_size > _MAX_YAML:
        raise refused(file, "it is larger than 1 MB", "a YOLO configuration is a page of YAML")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise refused(file, "it is not UTF-8 text", "save it as UTF-8") from None
    if file.suffix not in (".yaml", ".yml"):
        lines = [line.strip() for line in text.splitlines()]
        return Config({at: name for at, name in enumerate(lines) if name})
    value = _safe(file, text)
    names = _names(file, value)
    if isinstance(value.get("nc"), int) and value["nc"] != len(names):
        raise refused(file, f"nc is {value['nc']}, but names lists {len(names)}", "make them agree")
    _check_places(file, value)
    shape: Any = value.get("kpt_shape")
    points = None
    if isinstance(shape, list) and len(shape) == 2 and isinstance(shape[0], int) and 0 < shape[0] < 500:
        points = (shape[0], int(shape[1])) if shape[1] in (2, 3) else None
    return Config(names, points)


def _safe(file: Path, text: str) -> dict[str, Any]:
    """The mapping of a YAML text without aliases, tags and deep nesting."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise refused(file, "it uses YAML aliases", "write the values out")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise refused(file, "it is nested too deep", "a YOLO configuration is flat")
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, LabelFileUnreadable):
            raise
        raise refused(file, " ".join(str(error).split())[:200], "correct the YAML") from None
    if not isinstance(value, dict):
        raise refused(file, "it is not a mapping", "it needs at least `names:`")
    return value


def _names(file: Path, value: Mapping[str, Any]) -> dict[int, str]:
    given = value.get("names")
    pairs = (
        list(enumerate(given))
        if isinstance(given, list)
        else list(given.items())
        if isinstance(given, dict)
        else []
    )
    names: dict[int, str] = {}
    for number, name in pairs:
        whole = int(number) if str(number).isdigit() else None
        if whole is None or not isinstance(name, str | int | float | bool) or not str(name).strip():
            raise refused(file, f"names has the entry {number!r}: {str(name)[:40]!r}", "map numbers to names")
        names[whole] = str(name).strip()
    if not names or len(set(names.values())) < len(names):
        detail = "a name occurs twice" if names else "it has no names"
        raise refused(file, detail, "give each class a distinct name under `names:`")
    return names


def _check_places(file: Path, value: Mapping[str, Any]) -> None:
    """No entry may lead out of the folder; one known exporter writes `../train/images` for `train/images`."""
    base = str(value.get("path") or "")
    for key in ("path", "train", "val", "test"):
        entries = value.get(key) if isinstance(value.get(key), list) else [value.get(key)]
        for entry in entries or []:
            if not isinstance(entry, str):
                continue
            parts = PurePosixPath(entry if key == "path" else f"{base}/{entry}").parts
            depth = 0
            for part in parts:
                depth += -1 if part == ".." else 0 if part in (".", "/") else 1
                if depth < 0 and not (key != "path" and (file.parent / entry.removeprefix("../")).is_dir()):
                    raise refused(
                        file,
                        f"{key} leads out of the folder: {entry[:80]!r}",
                        "keep the data beside the YAML",
                    )


def label_files(root: Path) -> list[Path]:
    """All label files below a folder."""
    texts = (file for file in sorted(root.rglob("*.txt")) if file.name.lower() not in _NOT_LABELS)
    return [file for file in texts if file.is_file() and not file.is_symlink()]


def key_of(place: PurePosixPath) -> str:
    """What an image and its label file have in common: the path without the images/labels folder and the extension."""
    parts = list(place.parts)
    for word in ("images", "labels", "obj_train_data"):
        if word in parts[:-1]:
            parts.remove(word)
            break
    return PurePosixPath(*parts).with_suffix("").as_posix() if parts else ""


def split_of(key: str) -> str:
    """The split that the first folder names, or none."""
    parts = key.split("/")
    match = _SPLIT.fullmatch(parts[0].lower()) if len(parts) > 1 else None
    return _SPLIT_OF[match.group(1)] if match else ""


def lines_of(file: Path) -> list[tuple[int, list[str]]]:
    """Line numbers from 1 and fields of the rows that are not blank. Raises: LabelFileUnreadable."""
    if file.stat().st_size > _MAX_LABELS:
        raise refused(file, "it is larger than 50 MB", "a label file describes one image")
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refused(file, "it is not a text file", "export the labels again") from None
    if "\0" in text:
        raise refused(file, "it is not a text file", "export the labels again")
    return [(at, line.split()) for at, line in enumerate(text.splitlines(), start=1) if line.strip()]


def row(fields: Sequence[str], config: Config) -> Row | str:
    """A row, or why it is invalid."""
    try:
        values = [float(text) for text in fields]
    except ValueError:
        return f"it has a field that is not a number: {' '.join(fields)[:60]!r}"
    if not all(math.isfinite(value) for value in values):
        return "it has a number that is not finite"
    if values[0] != int(values[0]) or int(values[0]) not in config.names:
        return f"class {fields[0][:20]} is not among the {len(config.names)} names"
    number, rest = int(values[0]), values[1:]
    if config.keypoints and len(rest) == 4 + config.keypoints[0] * config.keypoints[1]:
        return _pose(number, rest, config.keypoints[1])
    if len(rest) in (4, 5):
        return _box(number, rest)
    if len(rest) >= 6 and len(rest) % 2 == 0:
        shares = _shares(rest)
        if shares is None:
            return "a corner is outside the image"
        return Row(number, ring=tuple(shares), clipped=shares != rest)
    return f"it has {len(fields)} fields; a box has 5, a polygon an odd number from 7 up"


def _box(number: int, rest: Sequence[float]) -> Row | str:
    cx, cy, w, h = rest[:4]
    if w < 0 or h < 0:
        return "its width or height is below 0"
    if _shares([cx, cy, w, h]) is None:
        return "its coordinates are not between 0 and 1"
    if len(rest) == 5 and not 0 <= rest[4] <= 1:
        return f"its score {rest[4]:g} is not between 0 and 1"
    sides = [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]
    snapped = [min(1.0, max(0.0, side)) if -_SLACK <= side <= 1 + _SLACK else side for side in sides]
    clipped = any(abs(a - b) > 1e-9 for a, b in zip(sides, snapped, strict=True))
    x1, y1, x2, y2 = snapped if clipped else sides
    box = (x1, y1, x2 - x1, y2 - y1) if clipped else (x1, y1, w, h)
    return Row(number, box=box, score=rest[4] if len(rest) == 5 else None, clipped=clipped)


def _pose(number: int, rest: Sequence[float], size: int) -> Row | str:
    box = _box(number, rest[:4])
    if isinstance(box, str):
        return box
    points: list[float] = []
    for at in range(4, len(rest), size):
        x, y = rest[at], rest[at + 1]
        seen = rest[at + 2] if size == 3 else 2.0
        if _shares([x, y]) is None or seen not in (0, 1, 2):
            return "a keypoint is outside the image, or its visibility is not 0, 1 or 2"
        points += [x, y, seen]
    return Row(number, box=box.box, points=tuple(points), clipped=box.clipped)


def _shares(values: Sequence[float]) -> list[float] | None:
    """The values clipped to 0 and 1; None where one is outside by more than rounding."""
    if any(value < -_SLACK or value > 1 + _SLACK for value in values):
        return None
    return [min(1.0, max(0.0, value)) for value in values]
