"""The files of YOLO: the YAML with the class names, the label files of a folder, one row of a label file."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from calotype.formats.base import LabelFileUnreadable
from calotype.formats.files_below import files_below, head_of, is_file, is_folder
from calotype.formats.passthrough import class_name_problem, shown, value_problem
from calotype.formats.windows import Problem
from calotype.foundation import yaml_text
from calotype.store.files.durable import read_file

_YAMLS = ("data.yaml", "data.yml", "dataset.yaml", "config.yaml")
_NAMES = ("classes.txt", "obj.names", "labels.names")
_NOT_LABELS = frozenset(
    {"classes.txt", "readme.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "autosplit.txt"}
)
_SPLIT = re.compile(r"(train|val|valid|validation|test)\d*")
_SPLIT_OF = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_CONFIG_KEYS = re.compile(rb"(?m)^[ \t]*(names|nc|train|val|test)[ \t]*:")
_MAX_YAML = 1_000_000
_MAX_LABELS = 50_000_000
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


def refused(file: Path, detail: str, hint: str, *, line: int = 0) -> LabelFileUnreadable:
    """The error for a file that cannot be read as a whole; `line` counts from 1."""
    where = f"{file.name} line {line}" if line else file.name
    return LabelFileUnreadable(where=where, file=file.name, format="YOLO", detail=detail, hint=hint)


def unreadable(error: OSError) -> str:
    """Why the system does not give a file."""
    return f"it cannot be read: {error.strerror or type(error).__name__}"


def config_file(root: Path) -> Path | None:
    """The file with the names, in the folder or the one above it."""
    for folder in (root, root.parent):
        for name in (*_YAMLS, *_NAMES):
            if is_file(folder / name):
                return folder / name
        others = other_yamls(folder) if folder == root else []
        if len(others) == 1:
            return others[0]
    return None


def load_config(file: Path) -> Config:
    """Raises: LabelFileUnreadable, with the line where it is a YAML."""
    text = _text(file)
    if file.suffix not in (".yaml", ".yml"):
        lines = [line.strip() for line in text.splitlines()]
        names = {at: name for at, name in enumerate(lines) if name}
        for at, name in names.items():
            problem = class_name_problem(name)
            if problem:
                raise refused(file, problem, "give each class a plain name", line=at + 1)
        return Config(names)
    node = yaml_text.compose(text, file.name, _refused_at, word="YOLO configuration")
    if not isinstance(node, yaml.MappingNode):
        raise refused(file, "it is not a mapping", "it needs at least `names:`", line=1)
    yaml_text.check_keys(node, file.name, _refused_at)
    value = yaml_text.load(text, file.name, _refused_at)
    names = _names(file, value, node)
    if isinstance(value.get("nc"), int) and value["nc"] != len(names):
        detail = f"nc is {shown(value['nc'])}, but names lists {len(names)}"
        raise refused(file, detail, "make them agree", line=yaml_text.line_of_path(node, ("nc",)))
    _check_places(file, value, node)
    shape: Any = value.get("kpt_shape")
    points = None
    if isinstance(shape, list) and len(shape) == 2 and isinstance(shape[0], int) and 0 < shape[0] < 500:
        points = (shape[0], int(shape[1])) if shape[1] in (2, 3) else None
    return Config(names, points)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_YAML:
            raise refused(file, "it is larger than 1 MB", "a YOLO configuration is a page of YAML")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise refused(file, unreadable(error), "check the path and its permissions") from None
    except UnicodeDecodeError as error:
        detail = f"it is not UTF-8 text (byte {error.start})"
        raise refused(
            file, detail, "save it as UTF-8", line=error.object[: error.start].count(b"\n") + 1
        ) from None


def _refused_at(where: str, detail: str, hint: str) -> LabelFileUnreadable:
    file = where.partition(" line ")[0]
    return LabelFileUnreadable(where=where, file=file, format="YOLO", detail=detail, hint=hint)


def _names(file: Path, value: Mapping[str, Any], node: yaml.Node) -> dict[int, str]:
    given = value.get("names")
    if not isinstance(given, list | dict) or not given:
        keys = ", ".join(shown(key).strip("'") for key in list(value)[:10])
        detail = "`names` lists no class" if "names" in value else f"it has no `names`; its keys are: {keys}"
        hint = "list the classes under `names:`, class number to name"
        raise refused(file, detail, hint, line=yaml_text.line_of_path(node, ("names",)))
    names: dict[int, str] = {}
    for at, (number, name) in enumerate(enumerate(given) if isinstance(given, list) else given.items()):
        key = node_key(node, at)
        whole = class_number(number)
        is_name = isinstance(name, str | int | float | bool) and not value_problem(name)
        if whole is None or not is_name or not str(name).strip():
            detail = f"names has the entry {shown(number)}: {shown(name)}"
            raise refused(file, detail, "map numbers to names", line=key)
        text = str(name).strip()
        problem = class_name_problem(text) or ("a name occurs twice" if text in names.values() else "")
        if problem or whole in names:
            detail = problem or f"the number {whole} occurs twice"
            raise refused(file, detail, "give each class a distinct name under `names:`", line=key)
        names[whole] = text
    return names


def node_key(node: yaml.Node, at: int) -> int:
    """The line of an entry of `names`, by its position."""
    for key, value in node.value:
        if key.value == "names":
            entry = value.value[at]
            return yaml_text.line_of_mark((entry[0] if isinstance(entry, tuple) else entry).start_mark)
    return 1


def class_number(given: Any) -> int | None:
    """A class number written as a number or as ASCII digits; None for anything else."""
    if isinstance(given, bool) or not isinstance(given, int | str):
        return None
    if isinstance(given, str):
        if not (given.isascii() and given.isdigit() and len(given) <= 10):
            return None
        given = int(given)
    return given if 0 <= given < 2**31 else None


def _check_places(file: Path, value: Mapping[str, Any], node: yaml.Node) -> None:
    """No entry may lead out of the folder; one known exporter writes `../train/images` for `train/images`."""
    given = value.get("path")
    base = given if isinstance(given, str) else ""
    for key in ("path", "train", "val", "test"):
        entries = value.get(key) if isinstance(value.get(key), list) else [value.get(key)]
        for entry in entries or []:
            if not isinstance(entry, str):
                continue
            parts = PurePosixPath(entry if key == "path" else f"{base}/{entry}").parts
            depth = 0
            for part in parts:
                depth += -1 if part == ".." else 0 if part in (".", "/") else 1
                if depth < 0 and not (key != "path" and is_folder(file.parent / entry.removeprefix("../"))):
                    detail = f"{key} leads out of the folder: {entry[:80]!r}"
                    line = yaml_text.line_of_path(node, (key,))
                    raise refused(file, detail, "keep the data beside the YAML", line=line)


def other_yamls(folder: Path) -> list[Path]:
    """The YAML files of a folder, by name; none where it cannot be listed."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith((".yaml", ".yml")))
    except OSError:
        return []
    return [folder / name for name in names if is_file(folder / name)]


def looks_like_config(file: Path, root: Path) -> bool:
    """Whether a YAML is meant as a configuration: by its name, by its keys, or by what lies beside it."""
    head = head_of(file, 100_000)
    by_keys = len(set(_CONFIG_KEYS.findall(head))) >= 2
    return by_keys or (file.name in _YAMLS[:3]) or is_folder(root / "labels")


def label_files(root: Path, problems: list[Problem]) -> list[Path]:
    """All label files below a folder; what cannot be read is added to the problems."""
    texts = files_below(root, {".txt"}, problems)
    return [file for file in texts if file.name.lower() not in _NOT_LABELS]


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
    try:
        data = read_file(file, max_bytes=_MAX_LABELS)
        if data is None:
            raise refused(file, "it is larger than 50 MB", "a label file describes one image")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise refused(file, unreadable(error), "check the path and its permissions") from None
    except UnicodeDecodeError:
        raise refused(file, "it is not a text file", "export the labels again") from None
    if "\0" in text:
        raise refused(file, "it is not a text file", "export the labels again")
    return [(at, line.split()) for at, line in enumerate(text.splitlines(), start=1) if line.strip()]


def row(fields: Sequence[str], config: Config) -> Row | str:
    """A row, or why it is invalid."""
    try:
        values = [_number(text) for text in fields]
    except ValueError:
        return f"it has a field that is not a number: {shown(' '.join(fields))}"
    if not all(math.isfinite(value) for value in values):
        return "it has a number that is not finite"
    if values[0] != int(values[0]) or int(values[0]) not in config.names:
        return f"class {shown(fields[0])} is not among the {len(config.names)} names"
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


def _number(text: str) -> float:
    """A number as programs write it. Raises: ValueError, also for what only Python reads, such as 1_0."""
    return float(text if text.isascii() and "_" not in text else "no number")


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
