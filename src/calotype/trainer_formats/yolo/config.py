"""What describes a YOLO set: the YAML with names and splits, a list of names, or Darknet's `obj.data`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from calotype.formats.base import LabelFileUnreadable
from calotype.formats.passthrough import class_name_problem, shown, value_problem
from calotype.foundation import yaml_text
from calotype.vision.keypoints import is_mirror_order

YAML_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "config.yaml")
NAME_LISTS = ("obj.names", "classes.txt", "labels.names", "classes.names", "coco.names")
DARKNET = "obj.data"
DARKNET_NAMES = "obj.names"
SPLIT_KEYS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_MAX_BYTES = 1_000_000
_MAX_POINTS = 500


@dataclass(frozen=True, slots=True)
class Config:
    """What the description says.

    Attributes:
        names: Class number -> name.
        keypoints: For poses, how many keypoints of how many numbers (2 or 3).
        flip_idx: For each keypoint, the index of its mirror image; empty where none is given.
        keypoint_names: Class number -> names of its keypoints.
        task: `detect`, `segment`, `pose` or `obb`, where it is stated.
        base: `path` as written: the folder that the entries of the splits are relative to.
        splits: Split -> folders and list files, as written.
        notes: Values that were left out: key and reason.
    """

    file: str
    names: Mapping[int, str]
    keypoints: tuple[int, int] | None = None
    flip_idx: tuple[int, ...] = ()
    keypoint_names: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    task: str = ""
    base: str = ""
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def points_of(self, number: int) -> tuple[str, ...]:
        """The names of the keypoints of a class."""
        if self.keypoints is None:
            return ()
        given = self.keypoint_names.get(number, ())
        n_points = self.keypoints[0]
        return given if len(given) == n_points else tuple(f"point-{at}" for at in range(n_points))


def refused(file: Path, detail: str, hint: str, *, line: int = 0) -> LabelFileUnreadable:
    """The error for a file that cannot be read as a whole; `line` counts from 1."""
    where = f"{file.name} line {line}" if line else file.name
    return LabelFileUnreadable(where=where, file=file.name, format="YOLO", detail=detail, hint=hint)


def unreadable(error: OSError) -> str:
    """Why the system does not give a file."""
    return f"it cannot be read: {error.strerror or type(error).__name__}"


def load_config(file: Path) -> Config:
    """A YAML, or a list with a name on each line. Raises: LabelFileUnreadable, with the line."""
    text = _text(file)
    if file.suffix.lower() not in (".yaml", ".yml"):
        return _listed_names(file, text)
    node = yaml_text.compose(text, file.name, _refused_at, word="YOLO configuration")
    if not isinstance(node, yaml.MappingNode):
        raise refused(file, "it is not a mapping", "it needs at least `names:`", line=1)
    yaml_text.check_keys(node, file.name, _refused_at)
    value = yaml_text.load(text, file.name, _refused_at)
    names = _names(file, value, node)
    if isinstance(value.get("nc"), int) and value["nc"] != len(names):
        detail = f"nc is {shown(value['nc'])}, but names lists {len(names)}"
        raise refused(file, detail, "make them agree", line=yaml_text.line_of_path(node, ("nc",)))
    base, task = value.get("path"), value.get("task")
    config = Config(
        file.name,
        names,
        base=base if isinstance(base, str) else "",
        splits=_splits(value),
        task=task.strip().lower() if isinstance(task, str) else "",
    )
    return _with_poses(config, value)


def load_darknet(file: Path) -> dict[str, str]:
    """The keys of an `obj.data`: `classes`, `train`, `valid`, `names`. Raises: LabelFileUnreadable."""
    pairs = (line.partition("=") for line in _text(file).splitlines())
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


def with_darknet(config: Config, keys: Mapping[str, str]) -> Config:
    """The configuration with the lists of images that an `obj.data` names."""
    entries = {
        key: keys[key].removeprefix("data/") for key in SPLIT_KEYS if keys.get(key)
    }  # where it is trained
    splits = {SPLIT_KEYS[key]: (entry,) for key, entry in entries.items()}
    return replace(config, splits=splits)


def _listed_names(file: Path, text: str) -> Config:
    lines = [line.strip() for line in text.splitlines()]
    names = {at: name for at, name in enumerate(lines) if name}
    for at, name in names.items():
        problem = class_name_problem(name)
        if problem:
            raise refused(file, problem, "give each class a plain name", line=at + 1)
    if not names:
        raise refused(file, "it lists no class", "write a name on each line, or `names:` in a data.yaml")
    if len(set(names.values())) < len(names):
        at, name = next(
            (at, name) for at, name in names.items() if name in [*names.values()][: [*names].index(at)]
        )
        raise refused(
            file, f"the name {shown(name)} occurs twice", "give each class its own name", line=at + 1
        )
    return Config(file.name, names)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise refused(file, "it is larger than 1 MB", "a YOLO configuration is a page of YAML")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise refused(file, unreadable(error), "check the path and its permissions") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        detail = f"it is not UTF-8 text (byte {error.start})"
        raise refused(file, detail, "save it as UTF-8", line=line) from None


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
    taken: set[str] = set()
    for at, (number, name) in enumerate(enumerate(given) if isinstance(given, list) else given.items()):
        whole = class_number(number)
        is_name = isinstance(name, str | int | float | bool) and not value_problem(name)
        if whole is None or not is_name or not str(name).strip():
            detail = f"names has the entry {shown(number)}: {shown(name)}"
            raise refused(file, detail, "map numbers to names", line=_line_of_name(node, at))
        text = str(name).strip()
        problem = class_name_problem(text) or ("a name occurs twice" if text in taken else "")
        if problem or whole in names:
            detail = problem or f"the number {whole} occurs twice"
            hint = "give each class a distinct name under `names:`"
            raise refused(file, detail, hint, line=_line_of_name(node, at))
        names[whole] = text
        taken.add(text)
    return names


def _line_of_name(node: yaml.Node, at: int) -> int:
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


def _splits(value: Mapping[Any, Any]) -> dict[str, tuple[str, ...]]:
    """The entries of each split. A key of another name is a split where it has the folder of that name in `images/`."""
    splits: dict[str, tuple[str, ...]] = {}
    for key, given in value.items():
        entries = given if isinstance(given, list) else [given]
        texts = tuple(entry.strip() for entry in entries if isinstance(entry, str) and entry.strip())
        if not texts:
            continue
        if key in SPLIT_KEYS:
            splits[SPLIT_KEYS[key]] = splits.get(SPLIT_KEYS[key], ()) + texts
        elif isinstance(key, str) and PurePosixPath(texts[0]).parts == ("images", key):
            splits[key] = texts
    return splits


def _with_poses(config: Config, value: Mapping[str, Any]) -> Config:
    """The configuration with `kpt_shape`, `flip_idx` and `kpt_names`, as far as they are sound."""
    shape: Any = value.get("kpt_shape")
    if shape is None:
        return config
    if not _is_shape(shape):
        note = f"kpt_shape: {shown(shape)} is not a count of keypoints and 2 or 3"
        return replace(config, notes=(*config.notes, note))
    notes = list(config.notes)
    flip: Any = value.get("flip_idx")
    if flip is not None and not is_mirror_order(flip, shape[0]):
        notes.append(f"flip_idx: {shown(flip)} does not pair the {shape[0]} keypoints")
        flip = None
    given: Any = value.get("kpt_names")
    names: dict[int, tuple[str, ...]] = {}
    for key, points in given.items() if isinstance(given, dict) else ():
        number = class_number(key)
        if number is not None and number in config.names and _are_point_names(points, shape[0]):
            names[number] = tuple(points)
        else:
            notes.append(
                f"kpt_names: the entry {shown(key)} does not name the {shape[0]} keypoints of a class"
            )
    return replace(
        config,
        keypoints=(shape[0], shape[1]),
        flip_idx=tuple(flip) if flip else (),
        keypoint_names=names,
        notes=tuple(notes),
    )


def _is_shape(shape: Any) -> bool:
    if not isinstance(shape, list) or [type(number) for number in shape] != [int, int]:
        return False
    return bool(0 < shape[0] < _MAX_POINTS and shape[1] in (2, 3))


def _are_point_names(points: Any, n_points: int) -> bool:
    return (
        isinstance(points, list)
        and len(points) == n_points
        and all(isinstance(name, str) and not class_name_problem(name) for name in points)
    )
