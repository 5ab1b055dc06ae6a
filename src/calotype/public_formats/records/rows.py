"""Rows that describe an image, as Hugging Face datasets and the JSON files of WebDataset hold them.

`objects` is a dictionary of lists, or a list of dictionaries, with `bbox` (x, y, width, height in pixels) and a class;
`label` is the class of the whole image, `text` or `caption` a caption. A class is a name, or a number that the features
of the dataset name. Other values become metadata of the sample. Source: the image dataset guide of Hugging Face
datasets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from calotype.datasets.model import Kind
from calotype.folder_reading.folder import Reading
from calotype.formats.passthrough import shown, value_problem
from calotype.formats.values import ParsedAnnotation
from calotype.public_formats.numbers import LIMIT_PX, number, whole

BOXES = ("bbox", "bboxes", "boxes")
CLASSES = (
    "category",
    "categories",
    "category_id",
    "class",
    "class_id",
    "class_name",
    "label",
    "labels",
    "name",
)
_LISTS = ("objects", "annotations", "faces")
_LABELS = ("label", "labels", "class", "category", "cls")
_TEXTS = ("text", "caption", "captions", "txt")
_OWN = ("width", "height", "file_name", "image", "image_id")
_MAX_OBJECTS = 100_000
_DEFAULT_CLASS = "object"


@dataclass
class Names:
    """Names of numbered classes by the path of their column, such as `objects.category`."""

    by_path: dict[str, list[str]] = field(default_factory=dict)

    def of(self, path: str) -> Sequence[str]:
        """The names of a column; also where the file calls a part of its path differently."""
        last = path.rpartition(".")[2]
        return self.by_path.get(path) or self.by_path.get(last) or self.by_path.get("*", [])

    def listed(self) -> list[str]:
        """All names in their order."""
        return list(dict.fromkeys(name for names in self.by_path.values() for name in names))


def features_names(features: Any) -> Names:
    """The names in the features that Hugging Face datasets writes, as JSON or as the YAML of a dataset card."""
    names = Names()
    waiting: list[tuple[str, Any, int]] = [("", features, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if depth > 20:
            continue
        if isinstance(value, list):  # the card: entries with a name
            waiting += [(_below(path, e.get("name")), e, depth + 1) for e in value if isinstance(e, dict)]
        elif isinstance(value, dict):
            found = value.get("names") if value.get("_type") == "ClassLabel" else _card_names(value)
            if found is not None:
                names.by_path[path] = _texts(found)
                continue
            for key, inner in value.items():
                if isinstance(inner, dict | list):
                    through = key in ("feature", "dtype", "struct", "sequence", "list")
                    waiting.append((path if through else _below(path, key), inner, depth + 1))
    return names


def read_record(
    reading: Reading, key: str, where: str, record: Mapping[str, Any], names: Names
) -> tuple[dict[str, str | int | float | bool], dict[str, Any], bool]:
    """Add the annotations of a row. Returns: metadata, other values, and whether the row says that there is nothing."""
    metadata: dict[str, str | int | float | bool] = {}
    extra: dict[str, Any] = {}
    is_empty = False
    for column, value in record.items():
        if value is None or column in _OWN:
            continue
        if column in _LISTS and isinstance(value, list | dict):
            n_objects = _read_objects(reading, key, f"{where} {column}", value, names, column)
            is_empty = n_objects == 0
        elif column in _LABELS and isinstance(value, str | int | list) and value != -1:
            for one in value if isinstance(value, list) else [value]:
                _read_label(reading, key, where, one, names, column)
        elif column in _TEXTS and isinstance(value, str | list):
            for one in value if isinstance(value, list) else [value]:
                _read_text(reading, key, where, one)
        elif value_problem([value, column]):
            what = "value that cannot be stored: left out"
            reading.notices.add("value-dropped", f"{where} {shown(column)}", what=what)
        elif isinstance(value, str | int | float):
            metadata[column] = value
        else:
            extra[column] = value
    return metadata, extra, is_empty


def _below(path: str, key: Any) -> str:
    return f"{path}.{key}".strip(".") if isinstance(key, str) else path


def _card_names(value: Mapping[str, Any]) -> Any:
    label = value.get("class_label")
    return label.get("names") if isinstance(label, dict) else None


def _texts(names: Any) -> list[str]:
    if isinstance(names, dict):
        numbered = {whole(str(key)): str(name) for key, name in names.items()}
        last = max((n for n in numbered if n is not None), default=-1)
        return [numbered.get(at, f"class-{at}") for at in range(min(last, 100_000) + 1)]
    return [str(name) for name in names] if isinstance(names, list) else []


def _class_name(reading: Reading, where: str, value: Any, names: Sequence[str]) -> str | None:
    """The name of a class given by name or number; None where it is neither."""
    if isinstance(value, str):
        return value or None
    if type(value) is not int or not 0 <= value < 2**31:
        return None
    if value < len(names):
        return names[value]
    reading.notices.add("class-unnamed", where)
    return f"class-{value}"


def _read_label(reading: Reading, key: str, where: str, value: Any, names: Names, column: str) -> None:
    name = _class_name(reading, where, value, names.of(column))
    if name is None:
        reading.set_aside("annotation", where, f"its {column} is {shown(value)}")
    else:
        reading.add(ParsedAnnotation(key, name, Kind.CLASSIFICATION, where))


def _read_text(reading: Reading, key: str, where: str, value: Any) -> None:
    if isinstance(value, str):
        reading.add(ParsedAnnotation(key, "caption", Kind.CAPTION, where, attributes={"text": value}))
    else:
        reading.set_aside("annotation", where, f"its text is {shown(value)}")


def _read_objects(
    reading: Reading, key: str, where: str, value: list[Any] | dict[str, Any], names: Names, column: str
) -> int:
    """Add the boxes of a row and return how many objects it lists."""
    n_objects = 0
    for at, one in enumerate(_rows(value)):
        n_objects += 1
        place = f"{where}[{at}]"
        annotation = _box(reading, key, place, one, names, column)
        if at >= _MAX_OBJECTS:
            reading.set_aside("annotation", place, f"there are more than {_MAX_OBJECTS:,} objects")
            break
        if isinstance(annotation, str):
            reading.set_aside("annotation", place, annotation)
        else:
            reading.add(annotation)
    return n_objects


def _rows(value: list[Any] | dict[str, Any]) -> Iterator[Any]:
    """The objects one by one; lists of different lengths are filled up with nothing."""
    if isinstance(value, list):
        yield from value
        return
    lists = {key: part for key, part in value.items() if isinstance(part, list)}
    for at in range(max(map(len, lists.values()), default=0)):
        yield {key: part[at] if at < len(part) else None for key, part in lists.items()}


def _box(
    reading: Reading, key: str, where: str, value: Any, names: Names, column: str
) -> ParsedAnnotation | str:
    """The object, or why it is invalid."""
    if not isinstance(value, dict):
        return f"it is {shown(value)}"
    box = next((value[name] for name in BOXES if value.get(name) is not None), None)
    corners = _four_numbers(box)
    if corners is None:
        return "it has no box" if box is None else f"its box is {shown(box)}"
    stated = next((name for name in CLASSES if value.get(name) is not None), None)
    name: str | None = _DEFAULT_CLASS
    if stated is not None:
        name = _class_name(reading, where, value[stated], names.of(f"{column}.{stated}"))
        if name is None:
            return f"its class is {shown(value[stated])}"
    else:
        reading.notices.add(
            "class-unnamed", where, what=f"object without a class: read as `{_DEFAULT_CLASS}`"
        )
    area, score, identity = _within(value.get("area"), 1e15), _within(value.get("score"), 1), value.get("id")
    known = {stated, "area", "score", "id", "iscrowd", "attributes", *BOXES}
    attributes = _mapping(value.get("attributes"))
    extra = {k: v for k, v in value.items() if k not in known and v is not None}
    if isinstance(value.get("attributes"), str | list) and not attributes and value["attributes"]:
        extra["attributes"] = value["attributes"]
    return ParsedAnnotation(
        key,
        name or _DEFAULT_CLASS,
        Kind.BOX,
        where,
        bbox_xywh_px=corners,
        area_px=corners[2] * corners[3] if area is None else area,
        score=score,
        iscrowd=value.get("iscrowd") in (1, True),
        attributes=attributes,
        extra=extra,
        source_id=str(identity)[:200] if isinstance(identity, str | int) and identity != "" else "",
    )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _within(value: Any, most: float) -> float | None:
    """A number from 0 to a limit; None for anything else."""
    return float(value) if _is_number(value) and 0 <= value <= most else None


def _four_numbers(value: Any) -> tuple[float, float, float, float] | None:
    if not isinstance(value, list) or len(value) != 4:
        return None
    if not all(_is_number(v) and abs(v) <= LIMIT_PX for v in value) or value[2] < 0 or value[3] < 0:
        return None
    return float(value[0]), float(value[1]), float(value[2]), float(value[3])


def _mapping(value: Any) -> dict[str, Any]:
    """Attributes given as a mapping, or as a JSON text of one."""
    if isinstance(value, str):
        value = json_value(value)
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else {}


def json_value(text: str) -> Any:
    """The value of a JSON text; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def cell_value(column: str, text: str) -> Any:
    """The value of a cell of a CSV table: a JSON list or object, a number, or the text itself; None if it is empty."""
    if not text:
        return None
    if column in (*_LISTS, *_LABELS, "captions") and text[:1] in ("{", "["):
        value = json_value(text)
        return text if value is None else value
    if column in _TEXTS or column == "file_name":
        return text
    number_ = whole(text)
    return number_ if number_ is not None else number(text) if number(text) is not None else text
