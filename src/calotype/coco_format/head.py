"""What a COCO file says once: categories, licences and its other top-level keys. A bad entry costs only itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calotype.coco_format.files import refused, skeleton_of
from calotype.coco_format.ids import MADE_UP, Ids
from calotype.coco_format.json_rows import JsonRows
from calotype.coco_format.rows import is_whole
from calotype.formats.notices import Loss, Notices
from calotype.formats.passthrough import Broken, class_name_problem, shown, value_problem
from calotype.formats.windows import DeclaredClass, Problem

_CATEGORY_KEYS = frozenset({"id", "name", "supercategory", "keypoints", "skeleton"})


@dataclass
class Lost:
    """Parts of entries that cannot be kept: how often each, and the first place."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, where: str) -> None:
        """Count one."""
        self.counts[what] += 1
        self.examples.setdefault(what, where)

    def losses(self) -> tuple[Loss, ...]:
        """As losses, by name."""
        return tuple(Loss(what, n, (self.examples[what],)) for what, n in sorted(self.counts.items()))


@dataclass(frozen=True, slots=True)
class Categories:
    """The classes of a file: id -> name, what it declares of each, and entries that are not classes."""

    names: dict[int, str]
    classes: list[DeclaredClass]
    problems: list[Problem]


def categories(json: JsonRows, lost: Lost, ids: Ids, notices: Notices) -> Categories:
    """The categories of a file.

    Raises: LabelFileUnreadable when two have one id or one name, so that no row can be placed.
    """
    file = json.file
    given = json.value("categories")
    if given is not None and not isinstance(given, list):
        raise refused(file, "`categories` is not a list", "export the file again")
    read = Categories({}, [], [])
    number_of: dict[str, int] = {}
    for at, row in enumerate(given or ()):
        where = f"{file.name} categories[{at}]"
        given_id = row.get("id") if isinstance(row, dict) else None
        if type(given_id) in (str, float) and (number := ids.declare("category_id", given_id)) is not None:
            notices.add("id-as-text", f"{where} id {given_id!r}"[:200])
            row = {**row, "id": number}
        problem = _category_problem(row)
        if problem:
            read.problems.append(Problem("invalid", "class", where, problem))
            continue
        name, number = row["name"], row["id"]
        _check_unique(name, number, read.names, number_of, file)
        if number in read.names:
            continue  # the same category twice
        read.names[number], number_of[name] = name, number
        read.classes.append(_declared(row, where, lost))
    return read


def _check_unique(name: str, number: int, names: dict[int, str], ids: dict[str, int], file: Path) -> None:
    if ids.get(name, number) != number:
        raise refused(file, f"two categories are named {name[:80]!r}", "give each a distinct name")
    if names.get(number, name) != name:
        raise refused(file, f"two categories have the id {number}", "give each a distinct id")


def _category_problem(row: Any) -> str:
    if not isinstance(row, dict):
        return row.reason if isinstance(row, Broken) else "it is not a JSON object"
    number, name = row.get("id"), row.get("name")
    if not isinstance(number, int) or not is_whole(number) or not -(2**63) <= number < 2**63:
        return f"its id {shown(number)} is not a whole number below 2**63"
    if not isinstance(name, str):
        return f"its name {shown(name)} is not a text"
    return class_name_problem(name)


def _declared(row: dict[str, Any], where: str, lost: Lost) -> DeclaredClass:
    points = row.get("keypoints")
    if points and not (isinstance(points, list) and all(isinstance(p, str) for p in points)):
        lost.add("keypoints of a category: they are not a list of names", where)
    usable = [p for p in points if isinstance(p, str)] if isinstance(points, list) else []
    keypoints = tuple(p for p in usable if not value_problem(p))
    extra = {}
    for key, value in row.items():
        if key in _CATEGORY_KEYS:
            continue
        problem = value_problem([key, value])
        if problem:
            lost.add(f"key of a category: {problem}", f"{where} {shown(key)}")
        else:
            extra[key] = value
    group = row.get("supercategory")
    if group and (not isinstance(group, str) or value_problem(group)):
        lost.add("supercategory of a category: it is not a text", where)
        group = ""
    skeleton = skeleton_of(row.get("skeleton"), len(keypoints))
    number = None if row["id"] <= MADE_UP else row["id"]
    return DeclaredClass(row["name"], number, group or "", keypoints, skeleton, extra)


def licences(json: JsonRows, lost: Lost) -> dict[int | str, str]:
    """The names of licences by the ids that images refer to."""
    given = json.value("licenses")
    names: dict[int | str, str] = {}
    for at, entry in enumerate(given if isinstance(given, list) else ()):
        where = f"{json.file.name} licenses[{at}]"
        number, name = (entry.get("id"), entry.get("name", "")) if isinstance(entry, dict) else (None, None)
        if not isinstance(number, int | str) or not isinstance(name, str | int | float):
            lost.add("licence: it needs an id and a name", where)
        elif problem := value_problem([number, name]) or ("it holds a NUL" if "\0" in str(name) else ""):
            lost.add(f"licence: {problem}", where)
        else:
            names[number] = str(name)
    return names


def storable_keys(json: JsonRows, besides: tuple[str, ...], lost: Lost) -> list[str]:
    """The top-level keys that can be kept as they are."""
    kept = []
    for key in json.keys:
        if key in besides:
            continue
        problem = value_problem([key, json.value(key)])
        if problem:
            lost.add(f"top-level key: {problem}", f"{json.file.name} {shown(key)}")
        else:
            kept.append(key)
    return kept
